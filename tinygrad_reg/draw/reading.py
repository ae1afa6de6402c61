"""From recorded Tensors to nodes and edges, in order of execution. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ..graph import history
from ..op import Op
from ..tensor import Home, Tensor
from .nodes import BACKWARD, FORWARD, Edge, Node
from .summaries import number_text

__all__ = ["Reading", "argument_name", "edge_label", "op_label", "ordered", "settings_text"]

_COMMUTES = frozenset(["add", "multiply", "maximum", "minimum", "logical_and", "logical_or", "equal", "not_equal", "fmax", "fmin", "hypot"])
_SYMBOLS = frozenset("-÷@<>≤≥%·")  # between two arguments: a - b


class Reading:
    """The nodes and edges of what the ``outputs`` were made from; not beyond the Tensors in ``cut``.

    ``nodes`` and ``edges`` are in order of execution. ``of`` gives the nodes of a Tensor by its id: several, if a leaf was used with several
    values. ``tensors`` gives the Tensor, array or number of each node's id. Names and values may still be set.
    """

    def __init__(self, outputs: Iterable[Tensor], cut: Collection[Tensor] = (), backward: Collection[int] = ()) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.of: dict[int, list[Node]] = {}
        self.tensors: dict[str, Any] = {}
        self._known: dict[Any, Node] = {}
        self._cut = {id(x) for x in cut}
        self._outputs = {id(x) for x in outputs}
        for x in reversed(_needed(list(outputs), self._cut)):
            self._read(x, BACKWARD if id(x) in backward else FORWARD)

    def _read(self, x: Tensor, phase: str) -> None:
        if x.op is None or id(x) in self._cut:
            if id(x) not in self.of:  # not used by any op before: an output, or used at once by one
                self._pending(x)
            return
        pairs = enumerate(zip(x.inputs, x.values, strict=True))
        arguments = [(i, self._argument(y, value, argument_name(x.op, i), phase)) for i, (y, value) in pairs if value is not None]
        node = self._add(x, x.op.name, _op(x.op, x.settings, phase), x._data)
        for i, source in arguments:
            self.edges.append(Edge(f"e{len(self.edges)}", source.id, node.id, i, edge_label(x.op, i), phase=phase))

    def _pending(self, x: Tensor) -> None:
        if id(x) in self._outputs:
            self._leaf(x, x._data)

    def _argument(self, x: Any, value: Any, called: str, phase: str) -> Node:
        if isinstance(x, Tensor):
            made = x.op is not None and id(x) not in self._cut
            return self._known[id(x)] if made else self._leaf(x, value, called, phase)
        if isinstance(value, np.ndarray) and value.size > 1:
            kind = "input" if phase == FORWARD else "constant"
            return self._known.get(id(value)) or self._add(x, "", {"kind": kind, "label": called or "array"}, value, id(value))
        return self._add(x, "", {"kind": "constant", "label": number_text(np.asarray(value).reshape(-1)[0]) if np.size(value) else "empty"}, value)

    def _leaf(self, x: Tensor, value: Any, called: str = "", phase: str = FORWARD) -> Node:
        """A Tensor that was given. One that has got new values between its uses is one node for each of them."""
        key = (id(x), id(value))
        node = self._known.get(key)
        if node is None:
            kind = "parameter" if x._needs_grad and x.op is None else "input"
            label = x.name or called or kind
            if kind == "input" and not x.name and phase == BACKWARD:
                kind, label = "constant", called or "array"
            if kind != "parameter" and not x.name and _is_one_number(value):
                kind, label = "constant", number_text(value.flat[0] if value.shape else value)
            node = self._add(x, "", {"kind": kind, "label": label, "name": x.name or ""}, value, key)
            node.note = "" if x._data is value else "has a new value since"
        return node

    def _add(self, x: Any, op: str, what: dict[str, Any], value: Any, key: Any = None) -> Node:
        order = len(self.nodes)
        array = _still(value)
        shape, dtype = (array.shape, _dtype_text(array.dtype)) if array is not None else ((), "several")
        if type(value) in (bool, int, float, complex):
            dtype = type(value).__name__
        node = Node(f"n{order}", order, op=op, shape=shape, dtype=dtype, array=array, **what)
        if type(x) is Tensor:
            node.name = node.name or x.name or ""
            node.wants_gradient = x._needs_grad
        node.output = id(x) in self._outputs
        self.nodes.append(node)
        self._known[id(x) if key is None else key] = node
        self.of.setdefault(id(x), []).append(node)
        self.tensors[node.id] = x
        return node


def _still(value: Any) -> Any:
    """A value as an array that nobody changes while it is looked at; None for several values."""
    if isinstance(value, tuple):
        return None
    if type(value) is np.ndarray:
        return np.array(value) if type(value.base) is Home else value
    return np.asarray(value)


def _is_one_number(value: Any) -> bool:
    """Whether it is a number, or one that is repeated without a copy, as gradients of sums are."""
    return np.ndim(value) == 0 or (value.size > 0 and not any(value.strides))


def _needed(outputs: list[Tensor], cut: Collection[int]) -> list[Tensor]:
    """What the outputs were made from, newest first, and not beyond those in ``cut``."""
    nodes = history(outputs)
    if not cut:
        return list(nodes.values())
    reached = {id(x) for x in outputs}
    for key, x in nodes.items():
        if key in reached and key not in cut and x.op is not None:
            reached.update(id(y) for y in x.inputs if id(y) in nodes)
    return [x for key, x in nodes.items() if key in reached]


def _op(op: Op, settings: Mapping[str, Any], phase: str) -> dict[str, Any]:
    return {"kind": "op", "label": op_label(op), "settings": settings_text(op, settings), "phase": phase}


_dtype_text = lru_cache(str)


def ordered(op: Op) -> bool:
    """Whether it matters which argument of the op is which."""
    return op.name not in _COMMUTES and op.arity != 1


def op_label(op: Op) -> str:
    """The op's label; a symbol between two arguments whose order matters stands between their names, which are on the edges.

    >>> op_label(tg.OPS["tanh"]), op_label(tg.OPS["add"]), op_label(tg.OPS["subtract"])
    ('tanh', '+', 'a − b')
    """
    label = "−" if op.label == "-" else op.label
    if op.name == "power":
        return "aᵇ"
    if op.arity == 2 and ordered(op) and op.label in _SYMBOLS:
        return f"{op.array_names[0]} {label} {op.array_names[1]}"
    return f"{label}x" if op.name == "negative" else label


def edge_label(op: Op, position: int) -> str:
    """What an argument is called, where that matters; arguments of ops that take any number of them are numbered.

    >>> [edge_label(tg.OPS["subtract"], i) for i in range(2)], [edge_label(tg.OPS["add"], i) for i in range(2)]
    (['a', 'b'], ['', ''])
    """
    if not ordered(op):
        return ""
    return str(position + 1) if op.variadic else op.array_names[position]


def argument_name(op: Op, position: int) -> str:
    """What to call a nameless argument of an op: ``labels``; "" where the op does not say more than a, b or x."""
    name = "" if op.variadic else op.array_names[position]
    return name if len(name) > 2 else ""


def settings_text(op: Op, settings: Mapping[str, Any], most: int = 40) -> str:
    """The settings that are not the usual ones, on one short line.

    >>> settings_text(tg.OPS["sum"], {"axis": 1, "keepdims": False, "dtype": None})
    'axis=1'
    """
    usual = op.defaults
    if settings is usual or not settings:
        return ""
    parts = [f"{key}={_short(value)}" for key, value in settings.items() if key not in usual or repr(usual[key]) != repr(value)]
    text = ", ".join(parts)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"{value.dtype} array {value.shape}"
    if isinstance(value, np.random.Generator):
        return "Generator"
    return " ".join(repr(value).split())[:60]
