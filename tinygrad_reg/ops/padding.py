"""Padding: x with something laid around it, and the mirror image, which folds the rim back onto x."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import case
from ..op import op

_MODES = ("constant", "reflect", "symmetric", "edge", "wrap")
FITS = "pad_width must be a number, a pair (before, after) or a pair for each axis, all 0 or more, and mode one of " + ", ".join(_MODES)
_CASES = (
    case((2, 3), pad_width=1),
    case((3,), pad_width=(2, 1), constant_values=5),
    case((2, 3), pad_width=((0, 1), (2, 0)), constant_values=((1, 2), (3, 4))),
    case((2, 3), pad_width=((1, 0), (2, 1)), mode="reflect"),
    case((3,), pad_width=7, mode="reflect"),
    case((2, 1), pad_width=2, mode="reflect"),
    case((2, 3), pad_width=((1, 1), (2, 5)), mode="symmetric"),
    case((2, 3), pad_width=(2, 3), mode="edge"),
    case((2, 3, 2), pad_width=((0, 0), (4, 1), (1, 1)), mode="wrap"),
    case((0, 2), pad_width=1),
    case((), pad_width=1),
)


@op(cases=_CASES, fits=FITS)
def pad(x, *, pad_width, mode="constant", constant_values=0):
    """x with ``pad_width`` more elements before and after, along each axis.

    What they are: ``"constant"`` values, which are a setting, x mirrored with its edge left out (``"reflect"``) or repeated
    (``"symmetric"``), its outermost element (``"edge"``), or x over again (``"wrap"``). Slope: 1 for each time an element comes out.

    >>> pad(Tensor([1.0, 2.0, 3.0]), 2, mode="reflect")
    Tensor([3., 2., 1., 2., 3., 2., 1.])
    """
    x = np.asarray(x)
    if mode not in _MODES:
        raise ValueError(f"mode {mode!r} is not known")
    widths = _widths(pad_width, x.ndim)
    if mode != "constant":
        return np.pad(x, widths, mode=mode)
    if np.ndim(constant_values) > 0:
        return np.pad(x, widths, constant_values=constant_values)
    shape = [n + before + after for n, (before, after) in zip(x.shape, widths, strict=True)]
    out = np.full(shape, constant_values, x.dtype) if constant_values else np.zeros(shape, x.dtype)
    out[_inside(x.shape, widths)] = x
    return out


@op(cases=tuple(case(np.pad(np.zeros(c.shapes[0]), **c.settings).shape, **c.settings) for c in _CASES), fits=FITS)
def unpad(x, *, pad_width, mode="constant", constant_values=0):
    """x without its rim, each element of which is added to the one inside that ``pad`` would have copied there.

    The mirror of pad; in ``"constant"`` mode the rim is dropped, whatever the constant. Slope: 1 for each element that is not dropped.

    >>> unpad(Tensor([1.0, 10.0, 20.0, 2.0]), 1, mode="wrap")
    Tensor([12., 21.])
    """
    x = np.asarray(x)
    widths = _widths(pad_width, x.ndim)
    inner = tuple(n - before - after for n, (before, after) in zip(x.shape, widths, strict=True))
    if any(n < 0 for n in inner):
        raise ValueError("the rim is wider than x")
    if mode == "constant":
        return x[_inside(inner, widths)]
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = np.moveaxis(_folded(np.moveaxis(x, axis, 0), before, inner[axis], mode), 0, axis)
    return x


def _folded(x: Any, before: int, n: int, mode: Any) -> Any:
    """Along the first axis of x: the n elements inside, with the others added where they came from."""
    source = np.pad(np.arange(n), (before, len(x) - before - n), mode=mode)
    out = x[before : before + n].copy()
    np.add.at(out, source[:before], x[:before])
    np.add.at(out, source[before + n :], x[before + n :])
    return out


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    """(before, after) for each axis."""
    if type(pad_width) is int and pad_width >= 0:  # the usual ways to say it, kept quick
        return [(pad_width, pad_width)] * ndim
    if type(pad_width) is tuple and len(pad_width) == ndim and all(_is_pair(width) for width in pad_width):
        return list(pad_width)
    if isinstance(pad_width, dict):
        named = {axis % ndim: width for axis, width in pad_width.items()}
        pad_width = [np.broadcast_to(named.get(axis, 0), 2) for axis in range(ndim)]
    widths = np.asarray(pad_width)
    if widths.dtype.kind not in "iu":
        raise TypeError(f"pad_width must be made of whole numbers, not {widths.dtype}")
    if np.any(widths < 0):
        raise ValueError("pad_width must not be negative")
    return [(before, after) for before, after in np.broadcast_to(widths, (ndim, 2)).tolist()]


def _is_pair(width: Any) -> bool:
    return type(width) is tuple and len(width) == 2 and all(type(n) is int and n >= 0 for n in width)


def _inside(shape: Any, widths: list[tuple[int, int]]) -> tuple[slice, ...]:
    return tuple(slice(before, before + n) for n, (before, _) in zip(shape, widths, strict=True))


pad.defvjp(lambda g, out, x, pad_width, mode, constant_values: unpad(g, pad_width=pad_width, mode=mode))
unpad.defvjp(lambda g, out, x, pad_width, mode, constant_values: pad(g, pad_width=pad_width, mode=mode))
