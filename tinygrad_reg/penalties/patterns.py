"""What a penalty looks like in a graph: Σ|w|, Σw², Σ‖w_g‖, in the ways that people write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ops.elementwise import abs
from ..tensor import Tensor
from .grouped import GroupL2
from .separable import L1, L2

__all__ = ["Pattern", "recognised"]


@dataclass(frozen=True)
class Pattern:
    """A penalty of strength ``factor`` on a parameter; ``kind`` is equal for those that can be added up."""

    parameter: Tensor
    factor: Any
    kind: tuple[Any, ...]
    penalty: Callable[[Any], Any]


Inner = tuple[Tensor, Any]  # a parameter, and the number that it is multiplied with


def recognised(node: Tensor, summed: bool, counts: Mapping[int, int]) -> Pattern | str | None:
    """The penalty that a node is, summed over its elements if it has several; a reason if it looks like one and is none; else None."""
    look = _LOOKS.get(node.op.name) if node.op is not None else None
    return look(node, summed or node.size == 1, counts) if look else None


# ------------------------------------------------------------------------------------- the parameter inside

_REARRANGED = frozenset(["reshape", "permute_dims", "expand_dims", "squeeze", "ravel", "flatten", "negative", "argument"])


def _inside(x: Any, uses: int, counts: Mapping[int, int], value: Any, sizes: bool = True) -> Inner | str:
    """The parameter that x is but for its sign, its order (unless ``sizes`` is false) and a factor; or the reason why there is none."""
    factor: Any = 1.0
    while True:
        if not isinstance(x, Tensor) or not x.requires_grad:
            return "it is not made of a parameter"
        if x.op is None:
            if x._data is not value and not _is_traced(value):
                return "the parameter has been given a new value since"
            return (x, factor) if x.dtype.kind == "f" else "the parameter is not real"
        if counts.get(id(x), 0) > uses:
            return "what is inside is used elsewhere, too"
        name = x.op.name
        if name == "abs" or (name in _REARRANGED and (sizes or name in ("negative", "argument"))):
            value, x = x.values[0], x.inputs[0]
        elif name in ("multiply", "divide") and (split := _split(x)) is not None:
            part, number = split
            factor = factor * number if name == "multiply" else factor / number
            value, x = x.values[part], x.inputs[part]
        else:
            return f"{name} is inside of it"
        uses = 1


def _is_traced(value: Any) -> bool:
    return not isinstance(value, (np.ndarray, np.generic))


def _split(x: Tensor) -> tuple[int, Any] | None:
    """Which factor of a product with a number is not the number, and the number."""
    a, b = x.inputs
    if _is_number(b):
        divided_by_zero = x.op is not None and x.op.name == "divide" and isinstance(b, (int, float, np.generic)) and b == 0
        return None if divided_by_zero else (0, b)
    return (1, a) if _is_number(a) and x.op is not None and x.op.name == "multiply" else None


def _is_number(x: Any) -> bool:
    return np.ndim(x) == 0 and not (isinstance(x, Tensor) and x.requires_grad)


def _size_of(number: Any) -> Any:
    return number if isinstance(number, float) and number >= 0 else abs(number)


# ------------------------------------------------------------------------------------------ the three kinds


def _l1(inner: Inner | str, factor: Any = 1.0) -> Pattern | str:
    if isinstance(inner, str):
        return inner
    return Pattern(inner[0], factor * _size_of(inner[1]), ("L1",), L1)


def _l2(inner: Inner | str, factor: Any = 1.0) -> Pattern | str:
    if isinstance(inner, str):
        return inner
    return Pattern(inner[0], factor * (inner[1] * inner[1]), ("L2",), L2)


def _group(inner: Inner | str, axis: Any, factor: Any = 1.0) -> Pattern | str:
    if isinstance(inner, str):
        return inner
    parameter, number = inner
    axis = _axes(axis, parameter.ndim)
    return Pattern(parameter, factor * _size_of(number), ("GroupL2", axis), lambda lam: GroupL2(lam, axis=axis))


def _axes(axis: Any, ndim: int) -> Any:
    """One number where there is one axis, None where all are meant."""
    if axis is None:
        return None
    axes = tuple(sorted(i % ndim for i in (axis if isinstance(axis, tuple) else (axis,))))
    return None if len(axes) == ndim else axes[0] if len(axes) == 1 else axes


Look = Callable[[Tensor, bool, Mapping[int, int]], Pattern | str | None]


def _fused(make: Callable[..., Pattern | str]) -> Look:
    def look(node: Tensor, summed: bool, counts: Mapping[int, int]) -> Pattern | str | None:
        x, scale = node.inputs
        return make(_inside(x, 1, counts, node.values[0]), scale) if _is_number(scale) else "its strength needs a gradient"

    return look


def _sizes(node: Tensor, summed: bool, counts: Mapping[int, int]) -> Pattern | str | None:
    return _l1(_inside(node.inputs[0], 1, counts, node.values[0])) if summed else None


def _square(node: Tensor, summed: bool, counts: Mapping[int, int]) -> Pattern | str | None:
    return _l2(_inside(node.inputs[0], 1, counts, node.values[0])) if summed else None


def _power(node: Tensor, summed: bool, counts: Mapping[int, int]) -> Pattern | str | None:
    x, exponent = node.inputs
    if isinstance(exponent, (int, float)) and exponent == 2 and summed:
        return _l2(_inside(x, 1, counts, node.values[0]))
    return None


def _times_itself(node: Tensor, summed: bool, counts: Mapping[int, int]) -> Pattern | str | None:
    a, b = node.inputs
    if a is b and summed:
        return _l2(_inside(a, 2, counts, node.values[0]))
    if not summed or not all(isinstance(x, Tensor) and x.requires_grad for x in (a, b)) or (a.shape, _way(a)) != (b.shape, _way(b)):
        return None
    left, right = (_inside(x, 1, counts, value) for x, value in zip((a, b), node.values, strict=True))
    if isinstance(left, str) or isinstance(right, str) or left[0] is not right[0] or "permute_dims" in _way(a):
        return None
    return _l2((left[0], 1.0), left[1] * right[1])


def _dot_itself(node: Tensor, summed: bool, counts: Mapping[int, int]) -> Pattern | str | None:
    """w.reshape(-1) @ w.reshape(-1): vectors of the same parameter, in the same order."""
    a, b = node.inputs
    if node.ndim or not all(isinstance(x, Tensor) and x.ndim == 1 for x in (a, b)):
        return None
    left, right = (_inside(x, 2 if a is b else 1, counts, value) for x, value in zip((a, b), node.values, strict=True))
    if isinstance(left, str) or isinstance(right, str) or left[0] is not right[0]:
        return None
    same = a is b or {_way(a), _way(b)} <= {("reshape",), ("ravel",), ("flatten",), ()}
    return _l2((left[0], 1.0), left[1] * right[1]) if same and _signs_agree(left[1], right[1]) else None


def _way(x: Tensor) -> tuple[str, ...]:
    """The ops between x and its parameter."""
    names: list[str] = []
    while x.op is not None:
        names.append(x.op.name)
        inner = next((y for y in x.inputs if isinstance(y, Tensor) and y.requires_grad), None)
        if inner is None:
            break
        x = inner
    return tuple(names)


def _signs_agree(a: Any, b: Any) -> bool:
    return isinstance(a, float) and isinstance(b, float) and a * b >= 0


def _root(node: Tensor, summed: bool, counts: Mapping[int, int]) -> Pattern | str | None:
    """The square root of a sum of squares."""
    x = node.inputs[0]
    if not summed or not isinstance(x, Tensor) or x.op is None or x.op.name not in ("sum", "sum_of_squares"):
        return None
    if counts.get(id(x), 0) > 1:
        return "the sum of squares under the root is used elsewhere, too"
    if x.op.name == "sum_of_squares":
        inner = _inside(x.inputs[0], 1, counts, x.values[0]) if _is_one(x.inputs[1]) else "its squares are scaled"
        return _group(inner, None)
    return _root_of_sum(x, counts) if x.settings.get("dtype") is None else None


def _root_of_sum(x: Tensor, counts: Mapping[int, int]) -> Pattern | str | None:
    squares = x.inputs[0]
    if not isinstance(squares, Tensor) or squares.op is None:
        return None
    if counts.get(id(squares), 0) > 1:
        return "the squares under the root are used elsewhere, too"
    pattern = recognised(squares, True, counts)
    if not isinstance(pattern, Pattern) or pattern.kind != ("L2",) or squares.shape != pattern.parameter.shape or not _in_place(squares):
        return pattern if isinstance(pattern, str) else None
    return _group((pattern.parameter, 1.0), x.settings["axis"]) if _is_one(pattern.factor) else "its squares are scaled"


def _in_place(squares: Tensor) -> bool:
    """Whether the squares stand where their parameter's elements stand."""
    x = squares.inputs[0]
    while isinstance(x, Tensor) and x.op is not None:
        if x.op.name not in ("negative", "abs", "argument"):
            return False
        x = x.inputs[0]
    return True


def _is_one(x: Any) -> bool:
    return isinstance(x, (int, float, np.generic)) and x == 1


def _norm(node: Tensor, summed: bool, counts: Mapping[int, int]) -> Pattern | str | None:
    order, axis = node.settings["ord"], node.settings["axis"]
    if not summed or order not in (1, 2):
        return None
    inner = _inside(node.inputs[0], 1, counts, node.values[0], sizes=order == 1 or axis is None)
    return _l1(inner) if order == 1 else _group(inner, axis)


def _frobenius(node: Tensor, summed: bool, counts: Mapping[int, int]) -> Pattern | str | None:
    if not summed or node.settings["ord"] != "fro" or node.inputs[0].ndim != 2:
        return None
    return _group(_inside(node.inputs[0], 1, counts, node.values[0]), None)


_LOOKS: dict[str, Look] = {
    "sum_of_sizes": _fused(_l1),
    "sum_of_squares": _fused(_l2),
    "abs": _sizes,
    "square": _square,
    "power": _power,
    "multiply": _times_itself,
    "matmul": _dot_itself,
    "sqrt": _root,
    "linalg_vector_norm": _norm,
    "linalg_matrix_norm": _frobenius,
}
