"""The chain rule in words: what a backward rule does, written as a formula.

A rule is an expression of ops. Given Tensors that are called ``g``, ``x`` and ``out`` it records what it does, and the record is read back
as text: of ``lambda g, out, a, b: g * b`` comes "g × b". So every op of the table, and a user's own, has its formula without a second list.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np

from ..backward import recall
from ..mode import enable_grad
from ..op import Op, Parts
from ..tensor import Tensor

__all__ = ["formula", "rule_formula"]

_LONGEST = 72  # characters; what is longer is cut, as nobody reads it on an edge
_PREFIX = {"negative": "-", "positive": "+"}
_SUM, _OTHER, _PRODUCT, _ATOM = range(4)  # how tightly a formula holds together; inside a tighter one it needs brackets
_TIES = {"add": _SUM, "subtract": _SUM, "multiply": _PRODUCT, "divide": _PRODUCT}
_SILENT = {"unchanging", "astype", recall.name}  # they change no number, so they are not spoken of

_Text = tuple[str, int]  # a formula, and how tightly it holds together


def formula(result: Any, names: dict[int, str]) -> str:
    """How ``result`` was made, as a formula of what is in ``names`` (by id), of numbers, and of arrays by their shape.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> formula(2 * abs(x) + 1, {id(x): "x"})
    '2 × |x| + 1'
    """
    if id(result) in names or not isinstance(result, Tensor):
        return names.get(id(result)) or _constant(result)
    texts: dict[int, _Text] = {}
    for node in _between(result, names):
        texts[id(node)] = _made(node, texts, names)
    return _cut(texts[id(result)][0])


def rule_formula(node: Tensor, place: int, called: Sequence[str] = ()) -> str:
    """The rule of ``node``'s op for the input at ``place``, as a formula of g, its inputs and out; "" if it has none.

    The inputs have the names that they are ``called``, else those of the op's own arguments.

    >>> x, y = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)
    >>> rule_formula(x * y, 0)
    'g × b'
    >>> rule_formula(tg.tanh(x), 0)
    'g × (1 - out × out)'
    """
    op, rule = node.op, next(islice(node.op.rules, place, None), None) if node.op else None
    if op is None or rule is None or isinstance(node._data, tuple):
        return ""
    inputs = [_stand_in(value) for value in node.values]
    g, out = _stand_in(node._data), _stand_in(node._data)
    labels = called or ([f"x{i}" for i in range(len(inputs))] if op.variadic else op.array_names)
    names = {id(x): name for x, name in zip((g, out, *inputs), ("g", "out", *labels), strict=True)}
    with enable_grad(), np.errstate(all="ignore"):
        gx = rule(g, out, *inputs, **node.settings)
    if gx is None or isinstance(gx, Parts):
        return "0" if gx is None else ""
    text = formula(gx, names)
    return f"Σ {text}, over what was repeated" if np.shape(gx) != np.shape(node.values[place]) else text


def _between(result: Tensor, names: dict[int, str]) -> list[Tensor]:
    """What ``result`` was made from, down to what has a name; oldest first."""
    found, waiting = {id(result): result}, [result]
    while waiting:
        node = waiting.pop()
        for x in node.inputs if node.op else ():
            if isinstance(x, Tensor) and id(x) not in names and id(x) not in found:
                found[id(x)] = x
                waiting.append(x)
    return sorted(found.values(), key=lambda node: -node.serial)


def _stand_in(value: Any) -> Any:
    """A leaf with the same value, that records what happens to it, if it can."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return Tensor(value, requires_grad=True) if kind in "fc" and kind else value


def _made(node: Tensor, texts: dict[int, _Text], names: dict[int, str]) -> _Text:
    if node.op is None:
        return node.name or _constant(node), _ATOM
    parts = [texts.get(id(x)) or (names.get(id(x)) or _constant(x), _ATOM) for x in node.inputs]
    return parts[0] if node.op.name in _SILENT else _applied(node.op, parts)


def _applied(op: Op, parts: list[_Text]) -> _Text:
    label = op.label
    if op.name in _PREFIX:
        return f"{_PREFIX[op.name]}{_bracketed(parts[0], _ATOM)}", _PRODUCT
    if len(parts) == 2 and not any(c.isalnum() for c in label):
        tie = _TIES.get(op.name, _OTHER)
        least = tie if op.name in _TIES else _ATOM
        left, right = _bracketed(parts[0], least), _bracketed(parts[1], tie if op.name in ("add", "multiply") else least + 1)
        return f"{left} {label} {right}", tie
    if op.elementwise and label[:1] == label[-1:] == "|":
        return label.replace("·", _cut(parts[0][0])), _ATOM
    if op.name == "square":
        return f"{_bracketed(parts[0], _ATOM)}²", _ATOM
    return f"{label}({', '.join(_cut(text) for text, _ in parts)})", _ATOM


def _bracketed(part: _Text, least: int) -> str:
    text, tie = part
    return _cut(text) if tie >= min(least, _ATOM) else f"({_cut(text)})"


def _constant(x: Any) -> str:
    value = getattr(x, "_data", x)
    if isinstance(value, tuple):
        return "(…)"
    if np.ndim(value) == 0:
        return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)
    return f"array {'×'.join(map(str, np.shape(value)))}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
