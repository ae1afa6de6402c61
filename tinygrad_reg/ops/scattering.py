"""Values put at places of an array and, where several meet, folded into one: sums, products, means, extremes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..domain import REAL, case, integers
from ..mode import capturing
from ..op import expression, op
from .choice import equal, isnan, logical_or, where
from .complexes import of_reals
from .elementwise import astype
from .placing import ALONG, gather, gather_back, take
from .seen import by_numbers
from .shape import as_array, reshape

_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")
_PLACES = integers(-2, 2)
_LARGEST = (
    case((2, 3), (2, 3), (2, 3), axis=0),
    case((3, 2), (2, 4), (2, 4), axis=-1, largest=False),
    case((3,), (4,), (4,), axis=0, include_self=False),
)
_FITS = ALONG + "; values have the shape of indices"


@by_numbers
def _times(indices: Any, *, shape: tuple[int, ...], axis: int) -> Any:
    """How often each place of an array of ``shape`` is named by indices."""
    return gather_back.forward(np.ones(np.shape(indices), np.int64), indices, shape=shape, axis=axis)


@op(label="extreme at", domain=[REAL.with_ties(), _PLACES, REAL.with_ties()], cases=_LARGEST, fits=_FITS)
@of_reals
def scatter_extreme(x, indices, values, *, axis, largest=True, include_self=True):
    """x with, at the places ``indices`` along ``axis``, the largest (or smallest) of the ``values`` for it, and of x itself if ``include_self``.

    Slopes: 1 for the winner, shared evenly between equal ones.

    >>> scatter_extreme(Tensor([1.0, 5.0]), [0, 0, 1], Tensor([2.0, 3.0, 4.0]), axis=0)
    Tensor([3., 5.])
    """
    axis = normalize_axis_index(axis, np.ndim(x))
    places = gather.forward(np.arange(np.size(x)).reshape(np.shape(x)), indices, axis=axis)
    out = np.array(x, np.result_type(x, values), order="C")
    if not include_self:
        out = np.where(_times.__wrapped__(indices, shape=out.shape, axis=axis) > 0, _worst(out.dtype, largest), out)
    with np.errstate(invalid="ignore"):  # NaN goes through
        (np.maximum if largest else np.minimum).at(out.reshape(-1), places.reshape(-1), np.asarray(values).reshape(-1))
    return out


def _worst(dtype: Any, largest: bool) -> Any:
    """What every number beats."""
    if dtype.kind == "f":
        return dtype.type(-np.inf if largest else np.inf)
    return np.iinfo(dtype).min if largest else np.iinfo(dtype).max


def _winners(g, out, x, indices, values, axis, include_self):
    """Which elements of x and of values come out, and the share of g for each."""
    there = gather(out, indices, axis=axis)
    won = logical_or(equal(values, there), isnan(values))
    kept = logical_or(equal(x, out), isnan(x))
    if not include_self:
        kept = kept & (_times(as_array(indices), shape=x.shape, axis=axis) == 0)
    count = astype(kept, dtype=g.dtype) + gather_back(astype(won, dtype=g.dtype), indices, shape=x.shape, axis=axis)
    untouched = equal(count, 0)  # a NaN of x that does not count, with nothing else
    return kept, won, g / where(untouched, 1, count)


def _extreme_x(g, out, x, indices, values, axis, largest, include_self):
    kept, _, share = _winners(g, out, x, indices, values, axis, include_self)
    return where(kept, share, 0)


def _extreme_values(g, out, x, indices, values, axis, largest, include_self):
    _, won, share = _winners(g, out, x, indices, values, axis, include_self)
    return where(won, gather(share, indices, axis=axis), 0)


scatter_extreme.defvjp(_extreme_x, None, _extreme_values)


_CASES = (
    case((2, 3), (2, 3), (2, 3), axis=0, reduce="sum"),
    case((3, 2), (2, 4), (2, 4), axis=-1, reduce="prod"),
    case((3,), (5,), (5,), axis=0, reduce="prod", include_self=False),
    case((2, 3), (1, 3), (2, 3), axis=1, reduce="mean"),
    case((3,), (4,), (4,), axis=0, reduce="mean", include_self=False),
    case((2, 2), (2, 2), (2, 2), axis=1, reduce="amax"),
    case((3,), (4,), (4,), axis=0, reduce="amin", include_self=False),
)


@expression(domain=[REAL.with_ties(), _PLACES, REAL.with_ties()], cases=_CASES)
def scatter_reduce(x, indices, values, *, axis, reduce, include_self=True):
    """x with, at the places ``indices`` along ``axis``, the ``values`` for it and x itself folded into one; x does not count if not ``include_self``.

    ``reduce`` is ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``. ``values`` is at least as large as ``indices``.
    Slopes: those of the fold; for a product that of the other factors, also where some are 0; equal extremes share evenly.

    >>> scatter_reduce(Tensor([1.0, 5.0]), [0, 0, 1], Tensor([2.0, 3.0, 4.0]), axis=0, reduce="prod")
    Tensor([ 6., 20.])
    """
    x, indices, values = as_array(x), as_array(indices), as_array(values)
    if reduce not in _REDUCTIONS:
        raise ValueError(f"scatter_reduce: reduce={reduce!r} is not known; it is one of {', '.join(_REDUCTIONS)}.")
    if values.ndim != indices.ndim or any(m < n for m, n in zip(values.shape, indices.shape, strict=True)):
        raise ValueError(f"scatter_reduce: values have shape {values.shape} and indices {indices.shape}; values must be as large at least.")
    axis = normalize_axis_index(axis, x.ndim or 1, "scatter_reduce")
    values = values if values.shape == indices.shape else values[tuple(slice(n) for n in indices.shape)]
    if reduce in ("amax", "amin"):
        return scatter_extreme(x, indices, values, axis=axis, largest=reduce == "amax", include_self=include_self)
    count = _times(indices, shape=x.shape, axis=axis)
    touched = count > 0
    if reduce == "prod":
        return _products(x, indices, values, axis) if include_self else _products(where(touched, 1, x), indices, values, axis)
    total = (x if include_self else where(touched, 0, x)) + gather_back(values, indices, shape=x.shape, axis=axis)
    if reduce == "sum":
        return total
    if total.dtype.kind not in "fc":
        raise TypeError(f"scatter_reduce: a mean of {total.dtype} is no whole number; give floats, as x.astype('float64').")
    return total / (count + 1 if include_self else np.maximum(count, 1)).astype(total.dtype)


def _products(x: Any, indices: Any, values: Any, axis: int) -> Any:
    """Factors for one place, side by side, are multiplied by their neighbours, then by those two further on, four, … until the first has all."""
    order, rank, left, first, any_there = _in_line(indices, shape=x.shape, axis=axis)
    factors = take(reshape(values, shape=(-1,)), order)
    longest = factors.size if capturing() else int(np.max(left, initial=0))  # a captured function may meet any number at its next run
    distance = 1
    while distance < longest:
        others = take(factors, np.minimum(np.arange(factors.size) + distance, factors.size - 1))
        factors = factors * where((rank % (2 * distance) == 0) & (left > distance), others, 1)
        distance *= 2
    flat = reshape(x, shape=(-1,))
    return reshape(flat * where(any_there, take(factors, first), 1) if factors.size else flat, shape=x.shape)


@by_numbers
def _in_line(indices: Any, *, shape: tuple[int, ...], axis: int) -> Any:
    """The order in which places are side by side; which of its place each is, and how many come from there; where each place's begin, if at all."""
    size = int(np.prod(shape))
    places = gather.forward(np.arange(size).reshape(shape), indices, axis=axis).reshape(-1)
    order = np.argsort(places, kind="stable")
    counts = np.bincount(places, minlength=size)
    starts = np.cumsum(counts) - counts
    rank = np.arange(places.size) - starts[places[order]]
    return order, rank, counts[places[order]] - rank, np.where(counts > 0, starts, 0), counts > 0
