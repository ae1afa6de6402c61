"""Operations that fold axes away: sums, means, extremes, spread.

``axis`` is an int, a tuple of ints, or ``None`` for all; negative axes count from the end; with
``keepdims`` the folded axes stay, with size 1. Ties of an extreme share its gradient evenly, and the
spread of equal values has slope 0.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..domain import REAL, case
from ..op import op
from .choice import equal, isnan, logical_or, nowhere, where
from .complexes import conj, is_complex
from .elementwise import as_float, astype, divide, exp, sign
from .indexing import put_back
from .shape import broadcast_to, expand_dims, reshape

FITS = "axis must name existing axes, each once"
ALL_AXES = (
    case((2, 3)),
    case((2, 3), axis=0),
    case((2, 3), axis=-1, keepdims=True),
    case((2, 3, 2), axis=(0, 2)),
    case((2, 3, 2), axis=(-1, 0), keepdims=True),
    case((1, 3), axis=None, keepdims=True),
    case(()),
    case((2, 3), axis=()),
)
WITH_EMPTY = (*ALL_AXES, case((0, 3), axis=0), case((0,)), case((0, 3), axis=1))


def restore(g: Any, axis: Any, keepdims: bool) -> Any:
    """Put back, with size 1, the axes that a reduction folded away, so that g meets its input."""
    return g if keepdims or axis is None else expand_dims(g, axis=axis)


def _axis(x: Any, axis: Any) -> Any:
    # NumPy lets a single number be folded along axis 0 or -1, which it does not have: nothing is to be restored.
    # A tuple of all axes is the same as None, which is quicker.
    return None if x.ndim == 0 or (type(axis) is tuple and len(axis) == x.ndim) else axis


def _count(x: Any, out: Any) -> int:
    return x.size // out.size if out.size else 0


@op(label="Σ", cases=WITH_EMPTY, fits=FITS)
def sum(x, *, axis=None, keepdims=False, dtype=None):
    """Sum over ``axis``, in ``dtype`` if one is given. Slope: 1 for every element; the sum of nothing is 0.

    >>> sum(Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([4., 6.])
    """
    if dtype is not None:
        return np.add.reduce(x, axis=axis, keepdims=keepdims, dtype=dtype)
    if axis == 0 and not keepdims and type(x) is np.ndarray and x.ndim == 2 and x.dtype.kind == "f" and x.size:
        return _ones(x.shape[0], x.dtype).dot(x)  # BLAS adds rows several times faster
    return np.add.reduce(x, axis=axis, keepdims=keepdims)


def _sum(g, out, x, axis, keepdims, dtype=None):
    if dtype is not None and np.dtype(dtype).kind not in "fc":
        return None  # cut to whole numbers: flat
    return broadcast_to(restore(g, _axis(x, axis), keepdims), shape=x.shape)


sum.defvjp(_sum)

_ONES: dict[tuple[int, Any], Any] = {}


def _ones(n: int, dtype: Any) -> Any:
    found = _ONES.get((n, dtype))
    if found is None:
        if len(_ONES) > 64:
            _ONES.clear()
        found = _ONES[n, dtype] = np.ones(n, dtype)
    return found


SCALED = (case((2, 3), ()), case((), ()), case((0,), ()), case((5,), ()))
FITS_SCALED = "scale is one number; for a factor for each element multiply x first"


def _one_number(total: Any) -> Any:
    if total.ndim:
        raise ValueError(f"scale has shape {total.shape}")
    return total


@op(label="Σx²", cases=SCALED, fits=FITS_SCALED)
def sum_of_squares(x, scale=1):
    """Sum of the squares of all elements, times a number: scale·Σx², in one pass. Slopes: 2·scale·x and Σx².

    >>> sum_of_squares(Tensor([1.0, -2.0]), 0.5)
    Tensor(2.5)
    """
    flat = _ordered(np.asarray(x), "Σx² of complex numbers may mean two things: write (x * x).sum(), or (abs(x)**2).sum()").ravel()
    if flat.dtype.kind != "f":
        flat = as_float(flat)
    return _one_number(scale * flat.dot(flat))


sum_of_squares.defvjp(lambda g, out, x, scale: (2 * g * scale) * x, lambda g, out, x, scale: g * sum_of_squares(x, 1))


@op(label="Σ|x|", domain=[REAL.with_kinks(0.0), REAL], cases=SCALED, fits=FITS_SCALED)
def sum_of_sizes(x, scale=1):
    """Sum of the sizes of all elements, times a number: scale·Σ|x|. Slopes: scale·sign(x), 0 where x = 0, and Σ|x|.

    >>> sum_of_sizes(Tensor([1.0, -2.0]), 0.5)
    Tensor(1.5)
    """
    size = np.absolute(_ordered(x, "it takes real ones; for complex numbers write abs(x).sum()"))
    return _one_number(scale * np.add.reduce(size, axis=None))


sum_of_sizes.defvjp(lambda g, out, x, scale: (g * scale) * sign(x), lambda g, out, x, scale: g * sum_of_sizes(x, 1))


@op(cases=ALL_AXES, fits=FITS)
def mean(x, *, axis=None, keepdims=False):
    """Mean over ``axis``. Slope: 1/n, where n elements go into one result.

    >>> mean(Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([2., 3.])
    """
    x = np.asarray(x)
    if x.dtype.char == "e":
        return mean.forward(x.astype(np.float32), axis=axis, keepdims=keepdims).astype(np.float16)  # sums would overflow
    total = sum.forward(x, axis=axis, keepdims=keepdims)
    return total / _count(x, total)


mean.defvjp(lambda g, out, x, axis, keepdims: broadcast_to(restore(g, _axis(x, axis), keepdims) / _count(x, out), shape=x.shape))


def _ordered(x: Any, instead: str = "they have no order; take the extreme of their sizes, abs(x)") -> Any:
    """x, unless it holds complex numbers."""
    if is_complex(x):
        raise TypeError(f"x holds complex numbers, and {instead}")
    return x


def _only_winner(first, out, x):
    """The place of the extreme of all numbers, if nothing is recorded and no other equals it."""
    if type(x) is not np.ndarray or not x.flags.c_contiguous or not x.size or isnan(out).any():
        return None
    place = first(x)
    rest = x.reshape(-1)[place + 1 :]  # it is the first, so another can only stand behind it
    return None if rest.size and rest[first(rest)] == out else np.unravel_index(place, x.shape)


def _extreme(first, g, out, x, axis, keepdims):
    axis = _axis(x, axis)
    if axis is None and (place := _only_winner(first, out, x)):
        return put_back(reshape(g, shape=()), key=place, shape=x.shape)
    winners = equal(x, restore(out, axis, keepdims))
    if not nowhere(isnan(out)):
        winners = logical_or(winners, isnan(x))  # where a NaN wins, it gets the gradient
    share = restore(g, axis, keepdims)
    if type(winners) is not np.ndarray or np.count_nonzero(winners) > out.size:
        share = share / sum(astype(winners, dtype=g.dtype), axis=axis, keepdims=True)
    elif axis in (-1, x.ndim - 1):  # no ties: one in each line
        found = np.zeros(x.shape, g.dtype)
        found.reshape(-1)[winners.argmax(axis=-1).ravel() + np.arange(0, x.size, x.shape[-1])] = g.reshape(-1)
        return found
    return where(winners, broadcast_to(share, shape=x.shape), 0)


@op(domain=[REAL.with_ties()], cases=ALL_AXES, fits=FITS + "; an extreme of nothing does not exist", aliases=("amax",))
def max(x, *, axis=None, keepdims=False):
    """Largest element over ``axis``. Slope: 1 for the winner, shared evenly between equal ones.

    >>> max(Tensor([[1.0, 5.0], [3.0, 4.0]]), axis=0)
    Tensor([3., 5.])
    """
    return np.maximum.reduce(_ordered(x), axis=axis, keepdims=keepdims)


max.defvjp(partial(_extreme, np.argmax))


@op(domain=[REAL.with_ties()], cases=ALL_AXES, fits=FITS + "; an extreme of nothing does not exist", aliases=("amin",))
def min(x, *, axis=None, keepdims=False):
    """Smallest element over ``axis``. Slope: 1 for the winner, shared evenly between equal ones.

    >>> min(Tensor([[1.0, 5.0], [3.0, 4.0]]), axis=0)
    Tensor([1., 4.])
    """
    return np.minimum.reduce(_ordered(x), axis=axis, keepdims=keepdims)


min.defvjp(partial(_extreme, np.argmin))

_SPREAD = (*ALL_AXES[:6], case((4, 3), axis=0, correction=1), case((5,), correction=1.5))


@op(cases=_SPREAD, fits=FITS + ", with more than `correction` elements along it")
def var(x, *, axis=None, keepdims=False, correction=0):
    """Variance over ``axis``: Σ|x - mean|²/(n - correction), a real number. Slope: 2(x - mean)/(n - correction).

    >>> var(Tensor([1.0, 2.0, 3.0]), correction=1)
    Tensor(1.)
    """
    x = np.asarray(x)
    centred = x - mean.forward(x, axis=axis, keepdims=True)
    centred = centred - mean.forward(centred, axis=axis, keepdims=True)  # the mean was rounded: equal values must come out as 0
    squares = centred.real**2 + centred.imag**2 if is_complex(x) else centred * centred
    total = sum.forward(squares, axis=axis, keepdims=keepdims)
    spare = _count(x, total) - correction
    return total / (spare if spare > 0 else 0)


def _var_slope(x, out, axis, correction):
    n = _count(x, out) - correction
    centred = x - mean(x, axis=axis, keepdims=True)
    return (conj(centred) if is_complex(x) else centred) * (2 / n if n > 0 else np.nan)


var.defvjp(lambda g, out, x, axis, keepdims, correction: restore(g, axis, keepdims) * _var_slope(x, out, axis, correction))


@op(cases=_SPREAD, fits=FITS + ", with more than `correction` elements along it")
def std(x, *, axis=None, keepdims=False, correction=0):
    """Standard deviation over ``axis``: √var. Slope: (x - mean)/((n - correction)·std), 0 where std is 0.

    >>> std(Tensor([1.0, 2.0, 3.0]), correction=1)
    Tensor(1.)
    """
    return np.sqrt(var.forward(x, axis=axis, keepdims=keepdims, correction=correction))


def _std(g, out, x, axis, keepdims, correction):
    flat = equal(out, 0)
    g = where(flat, 0, divide(g, where(flat, 1, 2 * out)))
    return restore(g, axis, keepdims) * _var_slope(x, out, axis, correction)


std.defvjp(_std)


@op(cases=ALL_AXES, fits=FITS)
def logsumexp(x, *, axis=None, keepdims=False):
    """log Σ exp(x) over ``axis``, stable for any size of x; -inf where all are. Slope: softmax(x).

    >>> logsumexp(Tensor([1000.0, 1000.0]))
    Tensor(1000.6931)
    """
    x = as_float(x)
    top = np.maximum.reduce(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    with np.errstate(divide="ignore", over="ignore"):  # log(0) = -inf and exp(inf) = inf are the right answers
        total = np.log(np.add.reduce(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis)


def _logsumexp(g, out, x, axis, keepdims):
    out = restore(where(equal(out, -np.inf), 0, out), axis, keepdims)
    return restore(g, axis, keepdims) * exp(x - out)


logsumexp.defvjp(_logsumexp)

_ARG = (case((2, 3)), case((2, 3), axis=1), case((2, 3), axis=-2, keepdims=True))


@op(domain=[REAL.with_ties()], cases=_ARG, fits="axis must be one existing axis that is not empty, or None")
def argmax(x, *, axis=None, keepdims=False):
    """Place of the largest element along ``axis`` (the first, at a tie). No gradient.

    >>> argmax(Tensor([[1.0, 5.0], [3.0, 4.0]]), axis=1)
    Tensor([1, 1])
    """
    return np.argmax(x, axis=axis, keepdims=keepdims)


@op(domain=[REAL.with_ties()], cases=_ARG, fits="axis must be one existing axis that is not empty, or None")
def argmin(x, *, axis=None, keepdims=False):
    """Place of the smallest element along ``axis`` (the first, at a tie). No gradient.

    >>> argmin(Tensor([[1.0, 5.0], [3.0, 4.0]]), axis=1)
    Tensor([0, 0])
    """
    return np.argmin(x, axis=axis, keepdims=keepdims)


@op(label="all", cases=ALL_AXES, fits=FITS)
def all(x, *, axis=None, keepdims=False):
    """Whether every element over ``axis`` holds (is not 0). No gradient.

    >>> all(Tensor([True, False]))
    Tensor(False)
    """
    return np.logical_and.reduce(x, axis=axis, keepdims=keepdims)


@op(label="any", cases=ALL_AXES, fits=FITS)
def any(x, *, axis=None, keepdims=False):
    """Whether some element over ``axis`` holds (is not 0). No gradient.

    >>> any(Tensor([True, False]))
    Tensor(True)
    """
    return np.logical_or.reduce(x, axis=axis, keepdims=keepdims)
