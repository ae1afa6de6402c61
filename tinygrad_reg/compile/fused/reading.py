"""From the steps of a program to its nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..program import CONSTANT, RESULT, Program, Step, Value
from ..scalar import Form, Given, Made, Part, astype, form, resolved
from .functions import convertible, function
from .nodes import CALL, CHECK, LOOP, PRODUCT, TINY, Node, Read, loops_of, row_major, unchanging

__all__ = ["nodes_of"]

TIMES = Form((Part(np.multiply, (Given(0), Given(1))),), Made(0))
FOLDS = {"sum": "add", "max": "maximum", "min": "minimum", "prod": "multiply"}
VIEWS = frozenset(["reshape", "permute_dims", "broadcast_to", "expand_dims", "squeeze", "getitem"])


class _Copy:
    """Stands in a step where an op would: the same numbers, in an array of their own."""

    name, variadic, refuses = "copy", False, False

    def __call__(self, x: Any) -> Any:
        return np.array(x)


COPY: Any = _Copy()


def nodes_of(program: Program, blas: bool = True) -> tuple[list[Node], Callable[[Value], Read], Callable[[Value], Value]]:
    """The nodes of a lowered program, in order; where each of its values is read; and what stands for an output that is none of them.

    Without BLAS, large products are called.
    """
    reader = _Reader(program, blas)
    return reader.nodes, reader.view, lambda x: reader.final.get(id(x), x)


class _Reader:
    """Goes through the steps, keeping for each value where it can be read."""

    def __init__(self, program: Program, blas: bool) -> None:
        self.blas = blas
        self.nodes: list[Node] = []
        self.views: dict[int, Read] = {}  # by id of the value; strides are for its own dimensions
        self.kept: list[Value] = []  # values made here; their ids are keys
        for step in program.steps:
            self.step(step)
        self.final: dict[int, Value] = {}
        for value in program.outputs:
            view = self.view(value)
            if (view.source is not value or value.kind != RESULT) and id(value) not in self.final:  # an output has numbers of its own
                out = Value(value.shape, np.dtype(value.dtype))
                self.final[id(value)] = out
                self.copy(view, value.shape, out)
        self._forget_unused({id(self.final.get(id(x), x)) for x in program.outputs})

    def _forget_unused(self, needed: set[int]) -> None:
        """Leave out what nothing needs, but for ops that are called: they may refuse their input, or draw random numbers."""
        kept: list[Node] = []
        for node in reversed(self.nodes):
            if id(node.out) in needed or node.kind in (CALL, CHECK):
                kept.append(node)
                needed.update(id(read.source) for read in node.reads)
        self.nodes = kept[::-1]
        for place, node in enumerate(self.nodes):
            node.place = place

    def view(self, value: Value) -> Read:
        """Where a value can be read."""
        found = self.views.get(id(value))
        if found is None and value.kind == CONSTANT and value.size > 1 and not any(_steps(value.source)):  # one number, repeated
            first = (0,) * len(value.shape)
            number = Value((), value.dtype, CONSTANT, value.source[first] if unchanging(value.source) else value.source[(*first, ...)])
            self.kept.append(number)
            found = self.views[id(value)] = Read(number, 0, (0,) * len(value.shape))
        return found or Read(value, 0, row_major(value.shape))

    def step(self, step: Step) -> None:
        name = step.op.name
        if step.out.parts or any(x.parts for x in step.inputs):
            self._call(step)
        elif name in VIEWS and self._as_view(step):
            pass
        elif name in FOLDS and self._foldable(step):
            self._fold(step)
        elif name == "matmul" and self._multiplied(step):
            pass
        elif name == "class_labels" and step.inputs[0].dtype.kind in "iu" and step.inputs[0].shape == step.out.shape:
            self._check(step)
        elif not self._elementwise(step):
            self._call(step)

    def add(self, kind: str, step: Step, **more: Any) -> Node:
        node = Node(len(self.nodes), kind, step, more.pop("out", step.out), **more)
        node.loops = loops_of(node.dims, 64 if node.exact else 16)
        self.nodes.append(node)
        return node

    def _call(self, step: Step) -> None:
        self.add(CALL, step, reads=tuple(self.view(x) for x in step.inputs))

    def _check(self, step: Step) -> None:
        """Whether a label is no class: a loop finds out, and the node stops the run."""
        labels, kind = step.inputs[0], step.inputs[0].dtype
        found = Value((), np.dtype(bool))
        self.kept.append(found)
        self.add(
            LOOP, step, out=found, dims=labels.shape, reads=(self.view(labels),), form=outside(step.settings["classes"]),
            kinds=((kind, kind, np.dtype(bool)),) * 2 + ((np.dtype(bool),) * 3,), fold="maximum", folded=_each(labels.shape),
        )  # fmt: skip
        self.add(CHECK, step, out=Value((), np.dtype(bool)), reads=(Read(found, 0, ()), self.view(labels)))
        self.views[id(step.out)] = self.view(labels)

    # ------------------------------------------------------------------------------------------- views

    def _as_view(self, step: Step) -> bool:
        x = step.inputs[0]
        if step.op.name == "getitem" and not _basic(step.settings["key"]):
            return False
        read = self._moved(step, self.view(x), x.shape)
        if read is None:  # a reshape that needs the numbers in order
            order = Value(x.shape, x.dtype)
            self.kept.append(order)
            self.copy(self.view(x), x.shape, order)
            read = self._moved(step, Read(order, 0, row_major(x.shape)), x.shape)
        assert read is not None
        self.views[id(step.out)] = read
        return True

    def _moved(self, step: Step, view: Read, shape: tuple[int, ...]) -> Read | None:
        """What NumPy does to a byte array laid out as the source: the place where its view starts, and its strides."""
        array = np.empty(max(view.source.size, 1), "i1")
        seen = np.lib.stride_tricks.as_strided(array[min(view.offset, array.size - 1) :], shape, view.strides)
        settings = step.settings
        match step.op.name:
            case "reshape":
                out = seen.reshape(step.out.shape)
            case "permute_dims":
                out = seen.transpose(settings["axes"])
            case "broadcast_to":
                out = np.broadcast_to(seen, step.out.shape)
            case "getitem":
                key = settings["key"] if isinstance(settings["key"], tuple) else (settings["key"],)
                out = seen[key if any(part is Ellipsis for part in key) else (*key, ...)]
            case _:
                out = seen.reshape(step.out.shape)
        start, here = array.__array_interface__["data"][0], out.__array_interface__["data"][0]
        if not out.size:
            return Read(view.source, 0, (0,) * out.ndim)
        if not start <= here < start + array.size:
            return None
        strides = tuple(0 if size == 1 else stride for size, stride in zip(out.shape, out.strides, strict=True))
        return Read(view.source, here - start, strides)

    def copy(self, view: Read, shape: tuple[int, ...], out: Value) -> None:
        """A node that copies a view into a value of its own."""
        viewed = Value(shape, view.source.dtype)
        self.kept.append(viewed)
        step = Step(COPY, (viewed,), {}, out)
        if function("add", (view.source.dtype,)) is None:
            self.add(CALL, step, reads=(view,))
        else:
            self.add(LOOP, step, dims=shape, reads=(view,), axes=_each(shape))

    def _in_order(self, read: Read, dims: tuple[int, ...], without: int) -> Read:
        """A matrix copied into row-major order; it lies along the dimensions but one."""
        shape = tuple(size for d, size in enumerate(dims) if d != without)
        out = Value(shape, read.source.dtype)
        self.kept.append(out)
        self.copy(read._replace(strides=tuple(s for d, s in enumerate(read.strides) if d != without)), shape, out)
        strides = list(row_major(shape))
        strides.insert(without, 0)
        return Read(out, 0, tuple(strides))

    # ------------------------------------------------------------------------------------------- loops

    def _elementwise(self, step: Step) -> bool:
        if step.op.variadic or getattr(step.op, "refuses", False):
            return False
        kinds = [None if x.kind == CONSTANT and x.source is None else weak_type(x) if x.weak else x.dtype for x in step.inputs]
        plain = all(kind is None or isinstance(kind, type) or function("add", (kind,)) is not None for kind in kinds)
        found = form(step.op, step.settings, kinds) if plain else None
        if found is None or step.op.name == "getitem":
            return False
        parts = tuple(_dtypes(found, kinds))
        if any(p is None for p in parts) or np.broadcast_shapes((), *(x.shape for x in step.inputs)) != step.out.shape:
            return False
        self.add(
            LOOP, step, dims=step.out.shape, form=found, kinds=parts, axes=_each(step.out.shape),
            reads=tuple(self._broadcast(x, step.out.shape) for x in step.inputs),
        )  # fmt: skip
        return True

    def _broadcast(self, x: Value, shape: tuple[int, ...]) -> Read:
        view = self.view(x)
        return view._replace(strides=(0,) * (len(shape) - len(x.shape)) + view.strides)

    def _foldable(self, step: Step) -> bool:
        x, settings = step.inputs[0], step.settings
        wanted = isinstance(settings.get("axis"), tuple) and settings.get("dtype") is None
        return wanted and not x.weak and function(FOLDS[step.op.name], (step.out.dtype,)) is not None and function("add", (x.dtype,)) is not None

    def _fold(self, step: Step) -> None:
        x, axis = step.inputs[0], tuple(i % max(len(step.inputs[0].shape), 1) for i in step.settings["axis"])
        kept = [i for i in range(len(x.shape)) if i not in axis]
        axes: tuple[int | None, ...] = tuple(kept)
        if step.settings.get("keepdims"):
            axes = tuple(None if i in axis else i for i in range(len(x.shape)))
        self.add(LOOP, step, dims=x.shape, reads=(self.view(x),), fold=FOLDS[step.op.name], folded=axis, axes=axes)

    def _multiplied(self, step: Step) -> bool:
        a, b = step.inputs
        floats = a.dtype == b.dtype == step.out.dtype and a.dtype.kind == "f" and a.dtype.itemsize in (4, 8)
        if not floats or not 1 <= len(a.shape) <= 2 or not 1 <= len(b.shape) <= 2:
            return False
        left, right = self.view(a), self.view(b)
        rows, columns = a.shape[0] if len(a.shape) == 2 else 1, b.shape[1] if len(b.shape) == 2 else 1
        row, inner = left.strides if len(a.shape) == 2 else (0, left.strides[0])
        inner_b, column = right.strides if len(b.shape) == 2 else (right.strides[0], 0)
        dims = (rows, a.shape[-1], columns)
        reads = (left._replace(strides=(row, inner, 0)), right._replace(strides=(0, inner_b, column)))
        axes = (*(0,) * (len(a.shape) - 1), *(2,) * (len(b.shape) - 1))
        by_blas = min(dims) > TINY or (rows * columns > 24 and a.shape[-1] > TINY and max(rows, columns) <= TINY)
        if by_blas and not self.blas:
            return False
        if by_blas:
            reads = tuple(read if _regular(read) else self._in_order(read, dims, d) for read, d in zip(reads, (2, 0), strict=True))  # type: ignore[assignment]
        kinds = ((a.dtype,) * 3,)
        self.add(PRODUCT if by_blas else LOOP, step, dims=dims, reads=reads, form=TIMES, kinds=kinds, fold="add", folded=(1,), axes=axes, exact=True)
        return True


def _regular(read: Read) -> bool:
    """Whether BLAS takes a matrix as it lies: one of its strides is 1, and the other is large enough."""
    one, other = sorted(stride for stride in read.strides if stride) if sum(map(bool, read.strides)) == 2 else (0, 0)
    return one == 1 and other > 1


def _each(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(range(len(shape)))


def _basic(key: Any) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return all(part is None or part is Ellipsis or isinstance(part, (slice, int, np.integer)) for part in parts)


def weak_type(x: Value) -> type:
    """The Python type of a weak value."""
    if x.kind == CONSTANT:
        return type(x.source)
    return {"f": float, "i": int, "b": bool}.get(np.dtype(x.dtype).kind, complex)


def _dtypes(found: Form, given: Sequence[Any]) -> Iterator[tuple[Any, ...] | None]:
    """For each part the dtypes it is computed in; None where loops cannot compute it."""
    made: list[Any] = []
    for part in found.parts:
        kinds = _kinds(part, [given[x.place] if type(x) is Given else made[x.place] if type(x) is Made else _kind(x) for x in part.operands])
        yield kinds
        if kinds is None:
            return
        made.append(kinds[-1])


def _kind(number: Any) -> Any:
    return number.dtype if isinstance(number, np.generic) else type(number)


def _kinds(part: Part, operands: list[Any]) -> tuple[Any, ...] | None:
    if part.function is astype:
        kinds: tuple[Any, ...] = (np.dtype(operands[0]), part.operands[1])
        return kinds if convertible(*kinds) else None
    if all(isinstance(kind, type) for kind in operands):
        operands = [np.dtype(kind) for kind in operands]
    try:
        kinds = resolved(part.function, operands)
    except TypeError:
        return None
    numpys = part.function in (np.where, getattr(np, part.name, None)) or part.name in ("erf", "erfc")  # these two are SciPy's
    return kinds if numpys and function(part.name, kinds) is not None else None


def outside(classes: int) -> Form:
    """Whether a whole number is below 0, or ``classes`` or more."""
    parts = (Part(np.less, (Given(0), 0)), Part(np.greater_equal, (Given(0), classes)), Part(np.logical_or, (Made(0), Made(1))))
    return Form(parts, Made(2))


def _steps(x: np.ndarray) -> list[int]:
    return [stride for stride, size in zip(x.strides, x.shape, strict=True) if size > 1]
