"""Products, counts, and statistics made of other reductions: those that skip NaN, weighted means, covariance."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import REAL, case, integers
from ..op import expression, op
from .arranging import as_lines, flip, from_lines
from .choice import equal, greater, isnan, less_equal, logical_not, where
from .complexes import conj, is_complex, real
from .diagonals import diagonal
from .elementwise import abs, as_float, astype, sign, sqrt
from .joining import atleast_2d
from .quick import all_plain
from .reduction import ALL_AXES, FITS, WITH_EMPTY, all, any, max, mean, min, restore, sum
from .scan import cumprod, delayed, linear_recurrence
from .shape import as_array, broadcast_to, concat, expand_dims, permute_dims, reshape, squeeze

# ---------------------------------------------------------------------------------------------- products


@op(label="Π", cases=WITH_EMPTY, fits=FITS)
def prod(x, *, axis=None, dtype=None, keepdims=False):
    """Product over ``axis``; the product of nothing is 1. Slope: the product of all the other elements, also where some are 0.

    >>> prod(Tensor([2.0, 3.0, 4.0]))
    Tensor(24.)
    """
    if axis is None and not keepdims and dtype is None and type(x) is np.ndarray and x.dtype.char in "fd" and x.size > 64 * _BLOCK:
        x = _fewer(x)
    return np.multiply.reduce(x, axis=axis, dtype=dtype, keepdims=keepdims)


def _fewer(x: Any) -> Any:
    """x, or partial products of it where no order of the factors could change the result: NumPy multiplies one by one, which takes long."""
    with np.errstate(all="ignore"):
        factors = _partial(x.reshape(-1))
        if not all_plain(factors):
            return x
        if all_plain(np.multiply.accumulate(factors)):
            return factors
    size = np.absolute(factors)
    return factors if size.min() >= 1 or size.max() <= 1 else x


_BLOCK = 32  # factors


def _partial(lines: Any) -> Any:
    """Products of a few factors each: all that there are along the last axis, in fewer numbers."""
    count = lines.shape[-1] // _BLOCK
    blocks = lines[..., : count * _BLOCK].reshape(*lines.shape[:-1], _BLOCK, count)
    return np.concatenate([np.multiply.reduce(blocks, axis=-2), lines[..., count * _BLOCK :]], axis=-1)


@op(
    label="Π of others",
    cases=(case((4,)), case((2, 3), axis=1), case((2, 3), axis=0), case((2, 3, 2), axis=(0, -1)), case(()), case((1,))),
    fits=FITS,
)
def product_of_others(x, *, axis=None):
    """For each element the product of all others over ``axis``: the slope of prod. Slope: the product of all but two, also at 0.

    >>> product_of_others(Tensor([2.0, 0.0, 4.0]))
    Tensor([0., 8., 0.])
    """
    x = as_float(x)
    total = np.multiply.reduce(x, axis=axis, keepdims=True)
    if all_plain(total):
        return total / x
    lines, _ = as_lines(x, axis)
    others = np.ones(lines.shape, lines.dtype)
    np.cumprod(lines[..., :-1], axis=-1, out=others[..., 1:])
    others[..., :-1] *= np.cumprod(lines[..., :0:-1], axis=-1)[..., ::-1]
    return from_lines(others, x.shape, axis)


def _before(lines: Any) -> Any:
    """Along the last axis, the product of all elements before each."""
    return delayed(cumprod(lines, axis=-1), lines.ndim - 1, 1)


def _behind(lines: Any) -> Any:
    return flip(_before(flip(lines, axis=-1)), axis=-1)


def _with_earlier(lines: Any, g: Any) -> Any:
    """Σ over i < j of g[i] times the product of all elements but i and j, for each j."""
    return _behind(lines) * delayed(linear_recurrence(lines, g * _before(lines)), lines.ndim - 1, 0)


def _product_of_others(g, out, x, axis):
    (lines, _), (slopes, _) = as_lines(x, axis), as_lines(g, axis)
    later = _with_earlier(flip(lines, axis=-1), flip(slopes, axis=-1))
    return from_lines(_with_earlier(lines, slopes) + flip(later, axis=-1), x.shape, axis)


def _beyond(x: Any, out: Any, axis: Any) -> bool:
    """Whether each product is infinite or 0, and would be without any one of its factors, too: then out/x is the product of the others.

    Logarithms of partial products say so.
    """
    lines, _ = as_lines(x, axis)
    factors = _partial(lines)
    if not all_plain(factors):
        return False
    limits, size, out = np.finfo(x.dtype), np.absolute(lines), np.reshape(out, lines.shape[:-1])
    whole = np.log2(np.absolute(factors)).sum(axis=-1, dtype=np.float64)
    spare = 1 + 100 * float(limits.eps) * lines.shape[-1]  # more than the logarithms may be wrong by
    over = whole - np.log2(size.max(axis=-1)) > limits.maxexp + spare
    under = whole - np.log2(size.min(axis=-1)) < limits.minexp - limits.nmant - spare
    return bool(np.where(out == 0, under, over).all())


def _prod(g, out, x, axis, dtype, keepdims):
    g = restore(g, axis, keepdims)
    if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.size and (all_plain(out) or _beyond(x, out, axis)):
        return g * (restore(out, axis, keepdims) / x)  # nothing is recorded, so the product may be divided
    return g * product_of_others(x, axis=axis)


prod.defvjp(_prod)
product_of_others.defvjp(_product_of_others)

# ------------------------------------------------------------------------------------------------ counts


@op(domain=[integers(0, 2)], cases=ALL_AXES, fits=FITS)
def count_nonzero(x, *, axis=None, keepdims=False):
    """How many elements over ``axis`` are not 0. No gradient.

    >>> count_nonzero(Tensor([1.0, 0.0, 2.0]))
    Tensor(2)
    """
    return np.add.reduce(np.not_equal(x, 0), axis=axis, dtype=np.intp, keepdims=keepdims)


@expression(domain=[REAL.with_ties()], cases=ALL_AXES)
def ptp(x, axis=None, keepdims=False):
    """Distance from the smallest to the largest element over ``axis``. Slope: 1 and -1 for these, shared evenly between equal ones.

    >>> ptp(Tensor([1.0, 5.0, 3.0]))
    Tensor(4.)
    """
    return max(x, axis=axis, keepdims=keepdims) - min(x, axis=axis, keepdims=keepdims)


# ------------------------------------------------------------------------------------------- skipping NaN


@expression(cases=WITH_EMPTY)
def nansum(x, axis=None, keepdims=False):
    """Sum over ``axis`` of the elements that are not NaN. Slope: 1, and 0 for NaN.

    >>> nansum(Tensor([1.0, float("nan"), 2.0]))
    Tensor(3.)
    """
    return sum(where(isnan(x), 0, x), axis=axis, keepdims=keepdims)


@expression(cases=WITH_EMPTY)
def nanprod(x, axis=None, keepdims=False):
    """Product over ``axis`` of the elements that are not NaN. Slope: the product of the others, and 0 for NaN.

    >>> nanprod(Tensor([2.0, float("nan"), 3.0]))
    Tensor(6.)
    """
    return prod(where(isnan(x), 1, x), axis=axis, keepdims=keepdims)


@expression(cases=ALL_AXES)
def nanmean(x, axis=None, keepdims=False):
    """Mean over ``axis`` of the elements that are not NaN; NaN if all are. Slope: 1/(how many are not NaN), and 0 for NaN.

    >>> nanmean(Tensor([1.0, float("nan"), 2.0]))
    Tensor(1.5)
    """
    return _per(nansum(x, axis=axis, keepdims=keepdims), _numbers(x, axis, keepdims))


def _numbers(x: Any, axis: Any, keepdims: bool) -> Any:
    return count_nonzero(logical_not(isnan(x)), axis=axis, keepdims=keepdims)


def _per(total: Any, count: Any) -> Any:
    """total / count, NaN where nothing was counted, without a warning; in the dtype of total."""
    if total.dtype.kind not in "fc":
        total = astype(total, dtype="float64")
    none = less_equal(count, 0)
    return where(none, np.nan, total / astype(where(none, 1, count), dtype=total.dtype))


@expression(cases=ALL_AXES)
def nanvar(x, axis=None, keepdims=False, correction=0):
    """Variance over ``axis`` of the elements that are not NaN: Σ(x - mean)²/(n - correction); NaN if too few are numbers.

    Slope: 2·(x - mean)/(n - correction), and 0 for NaN.

    >>> nanvar(Tensor([1.0, float("nan"), 3.0]))
    Tensor(1.)
    """
    centred = where(isnan(x), 0, x - nanmean(x, axis=axis, keepdims=True))
    squares = real(centred * conj(centred)) if is_complex(centred) else centred * centred
    return _per(sum(squares, axis=axis, keepdims=keepdims), _numbers(x, axis, keepdims) - correction)


@expression(cases=ALL_AXES[:6])
def nanstd(x, axis=None, keepdims=False, correction=0):
    """Standard deviation over ``axis`` of the elements that are not NaN: √nanvar. Slope 0 where it is 0.

    >>> nanstd(Tensor([1.0, float("nan"), 3.0]))
    Tensor(1.)
    """
    spread = nanvar(x, axis=axis, keepdims=keepdims, correction=correction)
    flat = equal(spread, 0)
    return where(flat, 0, sqrt(where(flat, 1, spread)))


@expression(domain=[REAL.with_ties()], cases=ALL_AXES)
def nanmax(x, axis=None, keepdims=False):
    """Largest element over ``axis`` that is not NaN; NaN if all are. Slope: 1 for the winner, shared evenly between equal ones.

    >>> nanmax(Tensor([1.0, float("nan"), 2.0]))
    Tensor(2.)
    """
    return _extreme_number(max, -np.inf, x, axis, keepdims)


@expression(domain=[REAL.with_ties()], cases=ALL_AXES)
def nanmin(x, axis=None, keepdims=False):
    """Smallest element over ``axis`` that is not NaN; NaN if all are. Slope: 1 for the winner, shared evenly between equal ones.

    >>> nanmin(Tensor([1.0, float("nan"), 2.0]))
    Tensor(1.)
    """
    return _extreme_number(min, np.inf, x, axis, keepdims)


_ARG = (case((2, 3)), case((2, 3), axis=1), case((2, 3), axis=-2, keepdims=True))


@op(domain=[REAL.with_ties()], cases=_ARG, fits="axis must be one existing axis that is not empty, or None, and hold a number")
def nanargmax(x, *, axis=None, keepdims=False):
    """Place of the largest element along ``axis`` that is not NaN (the first, at a tie). No gradient.

    >>> nanargmax(Tensor([1.0, float("nan"), 2.0]))
    Tensor(2)
    """
    return np.nanargmax(x, axis, keepdims=keepdims)


@op(domain=[REAL.with_ties()], cases=_ARG, fits="axis must be one existing axis that is not empty, or None, and hold a number")
def nanargmin(x, *, axis=None, keepdims=False):
    """Place of the smallest element along ``axis`` that is not NaN (the first, at a tie). No gradient.

    >>> nanargmin(Tensor([1.0, float("nan"), 2.0]))
    Tensor(0)
    """
    return np.nanargmin(x, axis, keepdims=keepdims)


def _extreme_number(extreme: Any, last: float, x: Any, axis: Any, keepdims: bool) -> Any:
    x = as_array(x)
    if x.dtype.kind != "f":
        return extreme(x, axis=axis, keepdims=keepdims)
    missing = isnan(x)
    found = extreme(where(missing, last, x), axis=axis, keepdims=keepdims)
    return where(all(missing, axis=axis, keepdims=keepdims), np.nan, found)


# -------------------------------------------------------------------------------- weighted, and of several


@expression(cases=ALL_AXES)
def average(x, axis=None, weights=None, returned=False, keepdims=False):
    """Mean over ``axis`` with ``weights`` of the shape of x, or along the one axis; with ``returned`` also their sum. Slopes in both.

    >>> average(Tensor([1.0, 2.0]), weights=[1.0, 3.0])
    Tensor(1.75)
    """
    x = as_array(x)
    if weights is None:
        found = mean(x, axis=axis, keepdims=keepdims)
        return (found, np.full(found.shape, x.size / (found.size or 1), found.dtype)) if returned else found
    weights = as_array(weights)
    if weights.shape != x.shape:
        weights = _along(weights, x.shape, axis)
    total = sum(weights, axis=axis, keepdims=keepdims)
    if any(equal(total, 0)):
        raise ZeroDivisionError("average: the weights sum up to 0, so there is no mean; give others.")
    found = sum(x * weights, axis=axis, keepdims=keepdims) / total
    return (found, total) if returned else found


def _along(weights: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """A vector of weights along one axis, in the whole shape."""
    if not isinstance(axis, (int, np.integer)) or weights.shape != (shape[axis],):
        raise ValueError(
            f"average: weights of shape {weights.shape} for x of shape {shape} with axis={axis}; they must agree, or be a vector along axis."
        )
    return broadcast_to(reshape(weights, shape=(-1, *(1,) * (len(shape) - axis % len(shape) - 1))), shape=shape)


@expression(cases=(case((2, 4)), case((4, 2), rowvar=False), case((5,)), case((2, 4), (1, 4), bias=True)))
def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None):
    """Covariances of the variables in the rows of m and y (columns, if not ``rowvar``), divided by n - 1 (n, if ``bias``; or n - ddof).

    ``fweights`` says how often each sample counts, ``aweights`` how much.

    Slope of out[i, j] in x[i]: the centred x[j] over that divisor, times the weights; twice that for i = j.

    >>> cov(Tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    Tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    x = concat([_variables(part, rowvar) for part in (m, y) if part is not None], axis=0)
    spare = ddof if ddof is not None else 0 if bias else 1
    weights = [as_array(w) for w in (fweights, aweights) if w is not None]
    if not weights:
        centred, n = x - mean(x, axis=1, keepdims=True), x.shape[1] - spare
        return squeeze(centred @ _adjoint(centred) / (n if n > 0 else np.nan))
    joint = weights[0] if len(weights) == 1 else weights[0] * weights[1]
    total = sum(joint)
    n = total - spare * (1 if aweights is None else sum(joint * as_array(aweights)) / total)
    centred = x - sum(x * joint, axis=1, keepdims=True) / total
    return squeeze((centred * joint) @ _adjoint(centred) / n)


def _variables(x: Any, rowvar: bool) -> Any:
    x = as_array(x)
    if x.ndim > 2:
        raise ValueError(f"cov: an array of shape {x.shape} has {x.ndim} axes; give a matrix of variables and samples, or a vector of samples.")
    return permute_dims(x) if x.ndim == 2 and not rowvar else atleast_2d(x)


def _adjoint(x: Any) -> Any:
    return permute_dims(conj(x))


@expression(cases=(case((2, 4)), case((4, 2), rowvar=False), case((2, 4), (1, 4)), case((5,))))
def corrcoef(x, y=None, rowvar=True):
    """Correlations of the variables in the rows of x and y (columns, if not ``rowvar``): covariances of what has spread 1.

    Slope: that of cov, through c[i, j]/√(c[i, i]·c[j, j]).

    >>> corrcoef(Tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    Tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    c = cov(x, y, rowvar)
    if c.ndim == 0:
        return c / c
    spread = sqrt(real(diagonal(c)))
    found = c / expand_dims(spread, axis=1) / spread
    return found if is_complex(found) else where(greater(abs(found), 1), sign(found), found)  # NaN stays, with its gradient
