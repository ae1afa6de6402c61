"""A program: a flat list of ops over values, captured from an ordinary function; readable, and run again and again.

A value is an argument of the function, a state (a Tensor that is read anew at each run), a number (a Python number that is
asked for anew at each run), a constant, or the result of a step. Passes turn a program into a better one; a replay runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..op import Op

__all__ = ["Program", "Step", "Update", "Value", "is_fixed"]

_WIDTH = 47
ARGUMENT, STATE, GRADIENT, NUMBER, CONSTANT, RESULT = "argument", "state", "gradient", "number", "constant", "result"


@dataclass(eq=False, slots=True)
class Value:
    """One slot of a program. ``weak`` marks Python numbers, which take the dtype of what they meet.

    ``source`` is: of an argument its place among the function's arrays, of a state or a gradient the Tensor, of a number the function
    to ask, of a constant the array or number (or None, for an array left out). ``parts`` are the shapes and dtypes of a step's several results.
    """

    shape: tuple[int, ...]
    dtype: Any
    kind: str = RESULT
    source: Any = None
    weak: bool = False
    name: str = ""
    parts: tuple[tuple[tuple[int, ...], Any], ...] = ()

    @property
    def size(self) -> int:
        """How many elements."""
        return int(np.prod(self.shape, dtype=int))

    @property
    def nbytes(self) -> int:
        """How many bytes one copy of it takes."""
        sizes = [(shape, dtype) for shape, dtype in self.parts] or [(self.shape, self.dtype)]
        return sum(int(np.prod(shape, dtype=int)) * np.dtype(dtype).itemsize for shape, dtype in sizes if dtype is not None)


def is_fixed(array: Any) -> bool:
    """Whether nobody can change an array: neither itself nor one whose memory it shares."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return True


@dataclass(eq=False, slots=True)
class Step:
    """One op of a program: what it is applied to, its settings, its result; ``where`` names the layer, or the backward pass."""

    op: Op
    inputs: tuple[Value, ...]
    settings: dict[str, Any]
    out: Value
    where: str = ""


@dataclass(eq=False, slots=True)
class Update:
    """What an optimiser does to one parameter: from its gradient to pairs of a state and its new value, the parameter first."""

    gradient: Value
    pairs: list[tuple[Value, Value]]


@dataclass(eq=False)
class Program:
    """Steps in order, and what they are for: results to return, states and gradients to set.

    ``assigned`` pairs a state with its new value, ``gradients`` a Tensor with its new gradient (None: forgotten). ``applied`` names the
    passes that have been over it. ``updates`` says which of the steps are an optimiser's.
    """

    steps: list[Step]
    results: list[Value] = field(default_factory=list)
    assigned: list[tuple[Value, Value]] = field(default_factory=list)
    gradients: list[tuple[Any, Value | None]] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    applied: tuple[str, ...] = ()
    captured: int = 0  # how many steps there were before any pass

    @property
    def outputs(self) -> list[Value]:
        """All values that must be there in the end."""
        return [*self.results, *(value for _, value in self.assigned), *(value for _, value in self.gradients if value is not None)]

    @property
    def inputs(self) -> list[Value]:
        """All values that are not made by a step, each once, in order of first use."""
        used = (x for step in self.steps for x in step.inputs)
        return list({id(x): x for x in (*used, *self.outputs) if x.kind != RESULT}.values())

    def of_kind(self, kind: str) -> list[Value]:
        """The inputs of one kind."""
        return [x for x in self.inputs if x.kind == kind]

    def changed(self, name: str, steps: Iterable[Step], instead: dict[int, Value] | None = None) -> Program:
        """The program with other steps; ``instead`` says by id which value now stands for which, wherever it is used."""
        now = _Renaming(instead or {})
        return replace(
            self,
            steps=[Step(s.op, tuple(map(now, s.inputs)), s.settings, s.out, s.where) for s in steps],
            results=[now(x) for x in self.results],
            assigned=[(state, now(x)) for state, x in self.assigned],
            gradients=[(tensor, x if x is None else now(x)) for tensor, x in self.gradients],
            updates=[Update(now(u.gradient), [(state, now(x)) for state, x in u.pairs]) for u in self.updates],
            applied=(*self.applied, name),
        )

    def users(self) -> dict[int, list[Step]]:
        """The steps that use each value, by the value's id."""
        found: dict[int, list[Step]] = {}
        for step in self.steps:
            for x in {id(x): x for x in step.inputs}.values():
                found.setdefault(id(x), []).append(step)
        return found

    @property
    def flops(self) -> int:
        """About how many arithmetic operations one run takes: 2·n·k·m for a matrix product, else one for each element."""
        return sum(map(_flops, self.steps))

    @property
    def largest_product(self) -> int:
        """The flops of the largest matrix product."""
        return max([_flops(step) for step in self.steps if step.op.name == "matmul"], default=0)

    def picture(self) -> Any:
        """The program as a drawing: see :func:`tinygrad_reg.graph`."""
        from ..draw import graph  # noqa: PLC0415 - a drawing is of a program, and not the other way round

        return graph(self)

    def __str__(self) -> str:
        return "\n".join(_lines(self))


class _Renaming:
    """Follows a value through the renamings to the one that stands for it in the end."""

    def __init__(self, instead: dict[int, Value]) -> None:
        self.instead = instead

    def __call__(self, x: Value) -> Value:
        while id(x) in self.instead:
            x = self.instead[id(x)]
        return x


def _flops(step: Step) -> int:
    if step.op.name == "matmul":
        return 2 * step.out.size * (step.inputs[0].shape[-1] if step.inputs[0].shape else 1)
    return max([step.out.size, *(x.size for x in step.inputs if x.dtype is not None)])


def _lines(program: Program) -> Iterator[str]:
    name = names(program)
    for x in program.inputs:
        if x.kind != CONSTANT:
            yield f"{name(x)} = {x.kind} {x.name}".rstrip().ljust(_WIDTH) + _kind(x)
    for step in program.steps:
        usual = step.op.defaults
        settings = [f"{key}={_short(value)}" for key, value in step.settings.items() if key not in usual or repr(usual[key]) != repr(value)]
        call = f"{name(step.out)} = {step.op.name}({', '.join([*map(name, step.inputs), *settings])})"
        yield f"{call.ljust(_WIDTH - 1)} {_kind(step.out)}" + (f"   {step.where}" if step.where else "")
    for state, new in program.assigned:
        yield f"{name(state)} <- {name(new)}"
    for tensor, grad in program.gradients:
        yield f"gradient of {tensor.name or 'a Tensor'} <- {'none' if grad is None else name(grad)}"
    yield f"return {', '.join(map(name, program.results)) or 'nothing'}"
    moved = sum(step.out.nbytes for step in program.steps)
    count = len(program.steps)
    yield f"# {count} step{'s' * (count != 1)} of {program.captured} captured; passes: {', '.join(program.applied) or 'none'}"
    yield f"# {moved:,} bytes of results, about {program.flops:,} flops"


def names(program: Program) -> Callable[[Value], str]:
    """What each value is called in the program's text: v0, v1, … in order; constants by what they are."""
    order = [*(x for x in program.inputs if x.kind != CONSTANT), *(step.out for step in program.steps)]
    numbered = {id(x): f"v{i}" for i, x in enumerate(order)}
    return lambda x: _short(x.source) if x.kind == CONSTANT else numbered.get(id(x), "?")


def _kind(x: Value) -> str:
    if x.parts:
        return " and ".join(f"{shape} {np.dtype(dtype)}" for shape, dtype in x.parts)
    return "number" if x.weak else f"{x.shape} {x.dtype}"


def _short(x: Any) -> str:
    if isinstance(x, np.ndarray) and x.size > 4:
        return f"<{x.dtype} {x.shape}>"
    text = repr(x)
    return text if len(text) <= 40 else f"{text[:37]}..."
