"""Operations that run along an axis and keep every step: running sums, products and extremes, recurrences.

``axis=None`` runs through the flat array. A running extreme gives its gradient to the latest of equal elements; from
the first NaN on it is NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..domain import REAL, case
from ..op import expression, op
from .arranging import flip, roll
from .choice import equal, isnan, logical_or, nowhere, where
from .elementwise import as_float, astype, exp, maximum
from .padding import pad
from .placing import gather_back
from .quick import all_plain
from .shape import as_array, broadcast_to, concat, reshape

FITS = "axis must be one existing axis, or None for the flat array"
_LINES = (
    case((5,), axis=0),
    case((2, 3), axis=-1),
    case((2, 3, 2), axis=1),
    case((2, 3)),
    case((1,), axis=0),
    case((0, 2), axis=0),
    case((2, 0), axis=0),
)


def _line(x: Any, axis: Any) -> tuple[Any, int]:
    """x and the axis along which to run: flat if none is given."""
    if axis is None:
        return reshape(x, shape=(-1,)) if x.ndim != 1 else x, 0
    return x, normalize_axis_index(axis, x.ndim)


def _part(axis: int, start: int | None, stop: int | None) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(start, stop),)


def delayed(x: Any, axis: int, first: float) -> Any:
    """Each element in the place of the next; ``first`` comes in."""
    width = [(0, 0)] * x.ndim
    width[axis] = (min(1, x.shape[axis]), 0)
    return pad(x[_part(axis, None, -1)], pad_width=tuple(width), constant_values=first)


# ------------------------------------------------------------------------------------------------- sums


@op(label="Σ…", cases=_LINES, fits=FITS)
def cumsum(x, *, axis=None, dtype=None):
    """Running sum along ``axis``. Slope: 1 for each sum that an element goes into.

    >>> cumsum(Tensor([1.0, 2.0, 3.0]))
    Tensor([1., 3., 6.])
    """
    return np.cumsum(x, axis, dtype)


@op(label="…Σ", cases=(case((5,), axis=0), case((2, 3), axis=-1), case((2, 3), axis=0), case((0, 2), axis=0)), fits="axis must be one existing axis")
def cumsum_back(x, *, axis):
    """Running sum along ``axis`` from the end: each element with all behind it. The mirror of cumsum. Slope: 1 for each sum that an element is in.

    >>> cumsum_back(Tensor([1.0, 2.0, 3.0]), axis=0)
    Tensor([6., 5., 3.])
    """
    x = np.asarray(x)
    out = np.empty(x.shape, x.dtype)
    np.cumsum(np.flip(x, axis), axis, x.dtype, out=np.flip(out, axis))
    return out


def _cumsum(g, out, x, axis, dtype):
    if axis is None:
        return reshape(cumsum_back(g, axis=0), shape=x.shape)
    return cumsum_back(g, axis=axis)


cumsum.defvjp(_cumsum)
cumsum_back.defvjp(lambda g, out, x, axis: cumsum(g, axis=axis))

_INITIAL = (case((5,)), case((2, 3), axis=0), case((2, 3), axis=1, include_initial=True), case((3,), include_initial=True), case((0,)))


@expression(cases=_INITIAL)
def cumulative_sum(x, axis=None, dtype=None, include_initial=False):
    """Running sum along ``axis``, which only a vector may leave out; with ``include_initial`` it starts with the sum of nothing, 0.

    Slope: 1 for each sum that an element is in.

    >>> cumulative_sum(Tensor([1.0, 2.0]), include_initial=True)
    Tensor([0., 1., 3.])
    """
    return _cumulative(cumsum, "cumulative_sum", x, axis, dtype, include_initial, 0)


@expression(cases=_INITIAL)
def cumulative_prod(x, axis=None, dtype=None, include_initial=False):
    """Running product along ``axis``, which only a vector may leave out; with ``include_initial`` it starts with the product of nothing, 1.

    Slope: for each product that an element is in, the product of the others.

    >>> cumulative_prod(Tensor([2.0, 3.0]), include_initial=True)
    Tensor([1., 2., 6.])
    """
    return _cumulative(cumprod, "cumulative_prod", x, axis, dtype, include_initial, 1)


def _cumulative(run: Any, name: str, x: Any, axis: Any, dtype: Any, include_initial: bool, first: int) -> Any:
    x = as_array(x)
    if axis is None and x.ndim > 1:
        raise ValueError(f"{name}: x of shape {x.shape} has {x.ndim} axes; say along which to run, with axis=, or use {run.name}, which flattens.")
    out = run(x, axis=axis, dtype=dtype)
    if not include_initial:
        return out
    axis = 0 if axis is None else axis % out.ndim
    shape = tuple(1 if i == axis else n for i, n in enumerate(out.shape))
    return concat([np.full(shape, first, out.dtype), out], axis=axis)


# --------------------------------------------------------------------------------------------- recurrences

_RECURRENCES = (
    case((5,), (5,)),
    case((), (2, 3)),
    case((1, 3), (2, 3), axis=0),
    case((2, 1), (2, 3)),
    case((2, 3), (3,), axis=0),
    case((70,), (70,)),
    case((0,), (0,)),
)
_SHORT = 64


@op(label="y = a·y + b", cases=_RECURRENCES, fits="a and b must broadcast, and axis be an axis of what they broadcast to")
def linear_recurrence(a, b, *, axis=-1):
    """Along ``axis``, each result from the one before: y[i] = a[i]·y[i-1] + b[i], starting with b[0]. Discounted sums, moving averages.

    Slopes: s[i] = g[i] + a[i+1]·s[i+1] in b, which is the same run from behind, and s[i]·y[i-1] in a.

    >>> linear_recurrence(0.5, Tensor([1.0, 1.0, 1.0]))
    Tensor([1.  , 1.5 , 1.75])
    """
    dtype = np.result_type(a, b)
    a, b = np.broadcast_arrays(a, b)
    y = np.array(np.moveaxis(b, axis, 0), dtype, order="C")
    a = np.moveaxis(a, axis, 0)
    if len(y) > _SHORT:
        _run_in_blocks(np.array(a, dtype, order="C"), y)
    else:
        for i in range(1, len(y)):
            y[i] += a[i] * y[i - 1]
    return np.moveaxis(y, 0, axis)


def _run_in_blocks(a: Any, y: Any) -> None:
    """The recurrence along the first axis, in place, in about 2·√n steps: within all blocks at once, then from block to block."""
    size = int(np.sqrt(len(y)))
    whole = len(y) // size * size
    blocks, factors = y[:whole].reshape(-1, size, *y.shape[1:]), a[:whole].reshape(-1, size, *y.shape[1:])
    for i in range(1, size):
        blocks[:, i] += factors[:, i] * blocks[:, i - 1]
        factors[:, i] *= factors[:, i - 1]  # what the end of the block before counts here
    for k in range(1, len(blocks)):
        blocks[k] += factors[k] * blocks[k - 1, -1]
    for i in range(whole, len(y)):
        y[i] += a[i] * y[i - 1]


def _from_behind(a: Any, g: Any, axis: int) -> Any:
    """s[i] = g[i] + a[i+1]·s[i+1]."""
    factors = flip(roll(a, shift=-1, axis=axis), axis=axis)
    return flip(linear_recurrence(factors, flip(g, axis=axis), axis=axis), axis=axis)


def _recurrence_a(g, out, a, b, axis):
    axis = axis % out.ndim
    return _from_behind(broadcast_to(a, shape=out.shape), g, axis) * delayed(out, axis, 0)


linear_recurrence.defvjp(
    _recurrence_a,
    lambda g, out, a, b, axis: _from_behind(broadcast_to(a, shape=out.shape), g, axis % out.ndim),
)


@op(label="Π…", cases=(*_LINES, case((70,), axis=0)), fits=FITS)
def cumprod(x, *, axis=None, dtype=None):
    """Running product along ``axis``. Slope: the product of all the other factors, found without dividing, so that zeros do no harm.

    >>> cumprod(Tensor([2.0, 3.0, 4.0]))
    Tensor([ 2.,  6., 24.])
    """
    return np.cumprod(x, axis, dtype)


def _cumprod(g, out, x, axis, dtype):
    line, axis = _line(x, axis)
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":  # nothing is recorded, so the products may be divided, if none is 0
        parts = g * out
        if all_plain(parts) and all_plain(out):
            return reshape(cumsum_back(parts, axis=axis) / line, shape=x.shape)
    return reshape(delayed(out, axis, 1) * _from_behind(line, g, axis), shape=x.shape)


cumprod.defvjp(_cumprod)


@op(cases=(*_LINES, case((70,), axis=0)), fits=FITS)
def logcumsumexp(x, *, axis=None):
    """log Σ exp(x) over the elements so far along ``axis``, stable for any size of x. Slope: the softmax of the elements so far;
    infinite ones share it evenly.

    >>> logcumsumexp(Tensor([1000.0, 1000.0]))
    Tensor([1000.    , 1000.6931])
    """
    x, axis = _line(as_float(x), axis)
    return np.logaddexp.accumulate(x, axis)


def _logcumsumexp(g, out, x, axis):
    line, axis = _line(x, axis)
    reached = where(equal(out, -np.inf), 0, out)
    # The results only grow: every factor, from one to the next and from x to its own, lies between 0 and 1.
    growth, own = exp(delayed(out, axis, -np.inf) - reached), exp(line - reached)
    endless = equal(out, np.inf)
    if not nowhere(endless):
        first = equal(line, np.inf)
        share = 1 / maximum(cumsum(astype(first, dtype=out.dtype), axis=axis), 1)  # of as many infinite ones as there are so far
        own = where(first, share, where(endless, 0, own))
        growth = where(first, 1 - share, where(endless, 1, growth))
    return reshape(_from_behind(growth, g, axis) * own, shape=x.shape)


logcumsumexp.defvjp(_logcumsumexp)

# --------------------------------------------------------------------------------------------- extremes


@op(domain=[REAL.with_ties()], cases=_LINES, fits=FITS)
def cummax(x, *, axis=None):
    """Largest element so far along ``axis``. Slope: 1 for the latest element that is as large.

    >>> cummax(Tensor([1.0, 3.0, 2.0]))
    Tensor([1., 3., 3.])
    """
    x, axis = _line(np.asarray(x), axis)
    return np.maximum.accumulate(x, axis)


@op(domain=[REAL.with_ties()], cases=_LINES, fits=FITS)
def cummin(x, *, axis=None):
    """Smallest element so far along ``axis``. Slope: 1 for the latest element that is as small.

    >>> cummin(Tensor([2.0, 1.0, 3.0]))
    Tensor([2., 1., 1.])
    """
    x, axis = _line(np.asarray(x), axis)
    return np.minimum.accumulate(x, axis)


def _to_the_latest(g, out, x, axis):
    line, axis = _line(x, axis)
    places = np.arange(line.shape[axis]).reshape(-1, *(1,) * (line.ndim - axis - 1))
    latest = cummax(where(logical_or(equal(line, out), isnan(line)), places, 0), axis=axis)
    return reshape(gather_back(g, latest, shape=line.shape, axis=axis), shape=x.shape)


cummax.defvjp(_to_the_latest)
cummin.defvjp(_to_the_latest)


# ------------------------------------------------------------------------------------------- skipping NaN


@expression(cases=_LINES)
def nancumsum(x, axis=None, dtype=None):
    """Running sum along ``axis``, where NaN counts as 0. Slope: 1 for each sum that an element is in, 0 for NaN.

    >>> nancumsum(Tensor([1.0, float("nan"), 3.0]))
    Tensor([1., 1., 4.])
    """
    return cumsum(where(isnan(x), 0, x), axis=axis, dtype=dtype)


@expression(cases=_LINES)
def nancumprod(x, axis=None, dtype=None):
    """Running product along ``axis``, where NaN counts as 1. Slope: for each product that an element is in, the product of the others; 0 for NaN.

    >>> nancumprod(Tensor([2.0, float("nan"), 3.0]))
    Tensor([2., 2., 6.])
    """
    return cumprod(where(isnan(x), 1, x), axis=axis, dtype=dtype)
