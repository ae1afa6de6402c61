"""Medians and quantiles, made of sorting and taking: the gradient goes to the one or two elements that the result lies between."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import REAL, case, interval
from ..op import expression
from .arranging import as_lines, moveaxis
from .choice import equal, greater, isfinite, isnan, logical_and, logical_not, logical_or, where
from .elementwise import astype, clip, minimum
from .placing import gather, take
from .reduction import ALL_AXES, mean, sum
from .seen import by_numbers
from .shape import as_array, reshape
from .sorting import sort

# Where q lies among n sorted elements, by Hyndman and Fan: n·q + a + q·(1 - a - b) - 1, counted from 0.
_CONTINUOUS = {
    "linear": (1.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
    "interpolated_inverted_cdf": (0.0, 1.0),
}
_METHODS = (*_CONTINUOUS, "lower", "higher", "nearest", "midpoint")


@expression(cases=ALL_AXES)
def median(x, axis=None, keepdims=False):
    """Middle element over ``axis``, the mean of the two middle ones if there are two; NaN where there is one.

    Slope: 1 for the middle element, or ½ for each of two; of equal elements, for the one that stable sorting puts there.

    >>> median(Tensor([3.0, 1.0, 2.0, 10.0]))
    Tensor(2.5)
    """
    x = _floating(x)
    lines, left = as_lines(x, axis)
    n = lines.shape[-1]
    if n == 0:
        return mean(x, axis=axis, keepdims=keepdims)  # of nothing: NaN
    lines = sort(lines)
    low, high = lines[..., (n - 1) // 2], lines[..., n // 2]
    middle = low if n % 2 else low * 0.5 + high * 0.5
    last = lines[..., -1]
    return _laid_out(where(isnan(last), last, middle), left, keepdims)


@expression(cases=ALL_AXES)
def nanmedian(x, axis=None, keepdims=False):
    """Middle element over ``axis`` of those that are not NaN; the mean of the two middle ones if there are two.

    Slope: 1 for the middle element, or ½ for each of two; of equal elements, for the one that stable sorting puts there.

    >>> nanmedian(Tensor([3.0, 1.0, float("nan")]))
    Tensor(2.)
    """
    x = _floating(x)
    lines, left = as_lines(x, axis)
    if lines.shape[-1] == 0:
        return mean(x, axis=axis, keepdims=keepdims)
    lines = sort(lines)
    last = clip(sum(logical_not(isnan(lines)), axis=-1, keepdims=True) - 1, 0)  # NaN are sorted behind; if all are, take one
    low = astype(last / 2, dtype="int64")
    middle = gather(lines, low, axis=-1) * 0.5 + gather(lines, last - low, axis=-1) * 0.5
    return _laid_out(middle[..., 0], left, keepdims)


_QUANTILES = (
    *(case(c.shapes[0], (), **c.settings) for c in ALL_AXES),
    case((5,), (3,)),
    case((2, 5), (2, 1), axis=1, keepdims=True),
    *(case((7,), (3,), method=method) for method in _CONTINUOUS),
    case((7,), (3,), method="midpoint"),
)
_UNIT = interval(0.0, 1.0)


@expression(domain=[REAL, _UNIT], cases=_QUANTILES)
def quantile(x, q, axis=None, method="linear", keepdims=False):
    """The value below which a part q of the elements over ``axis`` lies, 0 ≤ q ≤ 1; the axes of q come first. NaN where there is one.

    Between two elements the result runs straight (``"linear"``), or is the ``"lower"``, ``"higher"``, ``"nearest"`` or ``"midpoint"``; NumPy's
    other continuous methods place q differently. Slope in x: the weights of the two elements; in q: their distance times n - 1.

    >>> quantile(Tensor([1.0, 2.0, 4.0]), 0.75)
    Tensor(3.)
    """
    return _quantile("quantile", x, q, axis, method, keepdims)


@expression(domain=[REAL, _UNIT], cases=_QUANTILES[:3])
def nanquantile(x, q, axis=None, method="linear", keepdims=False):
    """The value below which a part q lies, of those elements over ``axis`` that are not NaN.

    Slope in x: the weights of the two elements around it; in q: their distance times (numbers - 1).

    >>> nanquantile(Tensor([1.0, 2.0, float("nan"), 4.0]), 0.75)
    Tensor(3.)
    """
    return _quantile("nanquantile", x, q, axis, method, keepdims, skip_nan=True)


@expression(domain=[REAL, interval(0.0, 100.0)], cases=_QUANTILES[:3])
def percentile(x, q, axis=None, method="linear", keepdims=False):
    """The value below which q percent of the elements over ``axis`` lie.

    Slope in x: the weights of the two elements around it; in q: their distance times (n - 1)/100.

    >>> percentile(Tensor([1.0, 2.0, 4.0]), 75.0)
    Tensor(3.)
    """
    return _quantile("percentile", x, q, axis, method, keepdims, scale=100, skip_nan=False)


@expression(domain=[REAL, interval(0.0, 100.0)], cases=_QUANTILES[:3])
def nanpercentile(x, q, axis=None, method="linear", keepdims=False):
    """The value below which q percent lie, of those elements over ``axis`` that are not NaN.

    Slope in x: the weights of the two elements around it; in q: their distance times (numbers - 1)/100.

    >>> nanpercentile(Tensor([1.0, 2.0, float("nan"), 4.0]), 75.0)
    Tensor(3.)
    """
    return _quantile("nanpercentile", x, q, axis, method, keepdims, scale=100, skip_nan=True)


def _floating(x: Any) -> Any:
    x = as_array(x)
    return x if x.dtype.kind == "f" else astype(x, dtype="float64")


def _laid_out(values: Any, left: tuple[int, ...], keepdims: bool) -> Any:
    return reshape(values, shape=left) if keepdims else values


def _quantile(name: str, x: Any, q: Any, axis: Any, method: str, keepdims: bool, scale: int = 1, skip_nan: bool = False) -> Any:
    if method not in _METHODS:
        raise ValueError(f"{name}: method={method!r}; it must be one of {', '.join(_METHODS)}.")
    x = _floating(x)
    q = _floating(q) if hasattr(q, "shape") else np.asarray(q, x.dtype)  # Python numbers are weak
    _refuse_outside(q, name=name, scale=scale)
    lines, left = as_lines(x, axis)
    if lines.shape[-1] == 0:
        raise ValueError(f"{name}: x of shape {x.shape} has no elements over axis={axis}.")
    lines = sort(lines)
    count = sum(logical_not(isnan(lines)), axis=-1, keepdims=True) if skip_nan else lines.shape[-1]
    found = _between(lines, astype(reshape(q, shape=(q.size,)), dtype="float64") / scale, count, method, q.dtype)
    if not skip_nan:
        last = lines[..., -1:]
        found = where(isnan(last), last, found)
    kept = left if keepdims else found.shape[:-1]
    return reshape(moveaxis(found, -1, 0), shape=(*q.shape, *kept))


@by_numbers(refuses=True)
def _refuse_outside(q: Any, *, name: str, scale: int) -> Any:
    if not np.all((q >= 0) & (q <= scale)):
        raise ValueError(f"{name}: q must lie between 0 and {scale}; got {q}.")
    return q


def _between(lines: Any, q: Any, count: Any, method: str, dtype: Any) -> Any:
    """Of the ``count`` first elements of sorted lines, the one at each part q of the way, or between the two around it."""
    a, b = _CONTINUOUS.get(method, _CONTINUOUS["linear"])
    most = clip(count - 1, 0)
    place = clip(q * (count + (1 - a - b)) + (a - 1), 0, most)
    low = astype(place, dtype="int64")
    weight = place - low
    if method in ("lower", "higher", "nearest"):
        return _at(lines, low + _upward(low, weight, method))
    if method == "midpoint":
        weight = where(equal(weight, 0), 0.0, 0.5)
    below, above, weight = _at(lines, low), _at(lines, minimum(low + 1, most)), astype(weight, dtype=dtype)
    finite = logical_and(isfinite(below), isfinite(above))
    gap = where(finite, above, 0) - where(finite, below, 0)
    # Beside an infinite element the plain formula is inf - inf; the other one is less exact between equal elements.
    reached = where(logical_or(finite, greater(weight, 0)), above, 0)
    return where(finite, below + gap * weight, below * (1 - weight) + reached * weight)


def _upward(low: Any, weight: Any, method: str) -> Any:
    """1 where the element above is meant, else 0; halves go to the even place."""
    if method == "lower":
        return 0
    odd = greater(low - 2 * astype(low / 2, dtype="int64"), 0)
    up = greater(weight, 0) if method == "higher" else logical_or(greater(weight, 0.5), logical_and(equal(weight, 0.5), odd))
    return astype(up, dtype="int64")


def _at(lines: Any, places: Any) -> Any:
    if places.ndim == 1:
        return take(lines, places, axis=-1)
    return gather(lines, places, axis=-1)
