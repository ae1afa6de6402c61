"""Norms of vectors and matrices, of any order. The norm of 0 has slope 0, and equal candidates for a largest or smallest share it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..domain import REAL, case
from ..op import expression, op
from .choice import equal, greater, isnan, logical_not, logical_or, where
from .complexes import conj, is_complex
from .decompositions import linalg_svdvals
from .elementwise import abs, as_float, power, sign
from .reduction import restore, sum
from .shape import as_array, expand_dims, permute_dims

FITS = "axis must name existing axes, each once, or be None for all"
_VECTORS = (
    case((2, 3)),
    case((2, 3), axis=1),
    case((2, 3, 2), axis=(0, 2), keepdims=True),
    case((2, 3), axis=0, ord=1),
    case((2, 3), axis=-1, ord=np.inf, keepdims=True),
    case((2, 3), ord=-np.inf),
    case((2, 3), axis=0, ord=3),
    case((4,), ord=1.5),
    case((4,), ord=-1),
    case((4,), ord=0.5),
    case((4,), ord=0),
    case((0, 2), axis=0),
    case(()),
)


@op(label="‖·‖", domain=[REAL.with_kinks(0.0).with_ties()], cases=_VECTORS, fits=FITS)
def linalg_vector_norm(x, *, axis=None, keepdims=False, ord=2):
    """Norm of vectors: (Σ|x|^p)^(1/p) with p = ``ord``; the largest |x| for inf, the smallest for -inf, how many are not 0 for 0.

    Slope: sign(x)·(|x|/norm)^(p - 1), and 0 where an element is 0 or the norm is; for ±inf, 1 for the winner, shared between equal ones.

    >>> linalg_vector_norm(Tensor([3.0, -4.0]))
    Tensor(5.)
    """
    x = as_float(x)
    axis = tuple(range(x.ndim)) if axis is None else axis
    if ord == 2:
        return _euclidean(x, axis, keepdims)
    size = np.absolute(x)
    if ord == np.inf:
        return np.maximum.reduce(size, axis=axis, keepdims=keepdims, initial=0)
    if ord == -np.inf:
        return np.minimum.reduce(size, axis=axis, keepdims=keepdims)
    if ord in (0, 1):
        return np.add.reduce(size if ord else (size != 0).astype(size.dtype), axis=axis, keepdims=keepdims)
    return _any_order(size, axis, keepdims, ord)


def _euclidean(x: Any, axis: Any, keepdims: Any) -> Any:
    flat = x.ravel() if x.dtype.kind == "f" and not keepdims and len(normalize_axis_tuple(axis, x.ndim)) == x.ndim else None
    squares: Any
    squared: Any
    with np.errstate(over="ignore", under="ignore"):
        if flat is not None:
            squares = flat.dot(flat)
        else:
            squared = x * x if x.dtype.kind == "f" else x.real**2 + x.imag**2
            squares = np.add.reduce(squared, axis=axis, keepdims=keepdims)
    least, most = _SAFE.get(squares.dtype.char, (np.inf, 0))
    if (least < squares < most) if squares.ndim == 0 else ((squares > least) & (squares < most)).all():
        return np.sqrt(squares)
    return _any_order(np.absolute(x), axis, keepdims, 2)  # squares that overflow, or vanish, are made of a smaller part


# Between these a sum of squares has all its digits.
_SAFE = {kind: (float(np.finfo(kind).tiny / np.finfo(kind).eps), float(np.finfo(kind).max)) for kind in "fd"}


def _any_order(size: Any, axis: Any, keepdims: bool, order: float) -> Any:
    """Powers of the sizes by the largest (for negative orders, the smallest): that neither overflows nor vanishes."""
    if order > 0:
        scale: Any = np.maximum.reduce(size, axis=axis, keepdims=True, initial=0)
    else:
        scale = np.minimum.reduce(size, axis=axis, keepdims=True, initial=np.inf)
    usable = np.isfinite(scale) & (scale > 0)
    with np.errstate(divide="ignore"):
        powers = _raised(size / np.where(usable, scale, 1), order)
        total = np.add.reduce(powers, axis=axis, keepdims=True) ** size.dtype.type(1 / order)
    total = np.where(usable, scale * total, scale)
    return total if keepdims else np.squeeze(total, axis=axis)[()]


def _raised(x: Any, order: float) -> Any:
    if order == 3:
        return x * x * x  # several times faster than a power
    return x ** x.dtype.type(order)


def _vector_norm(g, out, x, axis, keepdims, ord):
    if ord == 0:
        return None
    axis = tuple(range(x.ndim)) if axis is None else axis
    g, out = restore(g, axis, keepdims), restore(out, axis, keepdims)
    if ord == 2:
        return _euclidean_slope(g, out, conj(x) if is_complex(x) else x)
    direction = conj(sign(x)) if is_complex(x) else sign(x)
    if ord == 1:
        return g * direction
    if ord in (np.inf, -np.inf):
        winners = logical_or(equal(abs(x), out), isnan(x))
        return where(winners, direction * (g / sum(where(winners, np.ones((), g.dtype), 0), axis=axis, keepdims=True)), 0)
    none = equal(out, 0)
    out = where(none, 1, out)
    size = abs(x)
    if ord > 2 and isinstance(size, np.ndarray):  # nothing is recorded, so nothing below can be divided by 0: half the work
        return g * direction * (size / out) ** (ord - 1)
    moves = logical_not(logical_or(equal(size, 0), none))
    return where(moves, g * direction * power(where(moves, size, 1) / out, ord - 1), 0)


def _euclidean_slope(g, out, x):
    """g·x/out, and 0 where out is."""
    if isinstance(out, (np.ndarray, np.generic)):
        least = np.sqrt(np.finfo(out.dtype).tiny)
        if ((out > least) & (out < 1 / least)).all():
            return g / out * x  # one number for a whole vector, which might vanish or overflow beside larger ones
    none = equal(out, 0)
    return where(none, 0, g * (x / where(none, 1, out)))


linalg_vector_norm.defvjp(_vector_norm)


def linalg_matrix_norm(x, *, keepdims=False, ord="fro", axis=(-2, -1)):
    """Norm of each matrix, along the last two axes or along ``axis``.

    ``"fro"`` is the root of the sum of all squares, ``"nuc"`` the sum of the singular values, 2 the largest and -2 the smallest of them;
    1 is the largest column sum of sizes, -1 the smallest, and inf and -inf are the same for rows.
    Slopes are those of what it is made of; a singular value that is 0 has slope 0.

    >>> linalg_matrix_norm(Tensor([[3.0, 0.0], [0.0, -4.0]]), ord="nuc")
    Tensor(7.)
    """
    x = as_array(x)
    if x.ndim < 2 or len(axis) != 2:
        raise ValueError(f"matrix_norm: axis={axis!r} of an array of shape {x.shape} is no pair of axes; matrices have two.")
    rows, columns = (normalize_axis_index(k, x.ndim, "matrix_norm") for k in axis)
    if rows == columns:
        raise ValueError(f"matrix_norm: axis={axis!r} names one axis twice; rows and columns are two.")
    if ord in ("fro", None):
        return linalg_vector_norm(x, axis=(rows, columns), keepdims=keepdims)
    if ord not in _MATRIX_ORDERS:
        raise ValueError(f"matrix_norm: ord={ord!r} is not known for matrices; it is one of 'fro', 'nuc', 2, -2, 1, -1, inf, -inf.")
    if ord in ("nuc", 2, -2):
        others = [k for k in range(x.ndim) if k not in (rows, columns)]
        s = linalg_svdvals(permute_dims(x, axes=(*others, rows, columns)))
        norm = linalg_vector_norm(s, axis=-1, ord=_MATRIX_ORDERS[ord])
    else:
        summed, kept = (rows, columns) if ord in (1, -1) else (columns, rows)
        sums = linalg_vector_norm(x, axis=summed, ord=1)
        norm = linalg_vector_norm(sums, axis=kept - (kept > summed), ord=_MATRIX_ORDERS[ord])
    return expand_dims(norm, axis=(rows, columns)) if keepdims else norm


# Each is a norm of sums of sizes, or of singular values: nothing in them is negative, and the largest of nothing is 0.
_MATRIX_ORDERS = {"nuc": 1, 2: np.inf, -2: -np.inf, 1: np.inf, -1: -np.inf, np.inf: np.inf, -np.inf: -np.inf}


def linalg_norm(x, ord=None, axis=None, keepdims=False):
    """Norm of vectors along one axis, of matrices along two; without ``ord`` and ``axis``, the root of the sum of all squares.

    With ``ord`` and without ``axis``, x is a vector or a matrix. Slopes are those of ``vector_norm`` and ``matrix_norm``.

    >>> linalg_norm(Tensor([3.0, -4.0]))
    Tensor(5.)
    """
    x = as_array(x)
    if axis is None:
        if ord is None:
            return linalg_vector_norm(x, keepdims=keepdims)
        axis = tuple(range(x.ndim))
        if len(axis) not in (1, 2):
            raise ValueError(f"norm: ord={ord!r} is for vectors and matrices, and x has shape {x.shape}; say by axis= where they lie.")
    axis = (axis,) if isinstance(axis, int) else tuple(axis)
    if len(axis) == 1:
        return linalg_vector_norm(x, axis=axis[0], keepdims=keepdims, ord=2 if ord is None else _vector_order(ord))
    return linalg_matrix_norm(x, keepdims=keepdims, ord="fro" if ord is None else ord, axis=axis)


def _vector_order(order: Any) -> Any:
    if isinstance(order, str):
        raise ValueError(f"norm: ord={order!r} is for matrices; for vectors it is a number, inf or -inf.")
    return order


@expression(cases=(case((3, 4), p=2, axis=0, maxnorm=1.0), case((2, 3, 2), p=1, axis=1, maxnorm=0.5), case((2, 2), p=3, axis=-1, maxnorm=100.0)))
def renorm(x, p, axis, maxnorm):
    """x with each part along ``axis`` whose p-norm is above ``maxnorm`` made shorter, to that norm; others stay. A part is what one place holds.

    Slope: 1 for parts that stay; for others maxnorm times that of x/norm.

    >>> renorm(Tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    Tensor([[0.6, 0.8],
            [0.3, 0.4]])
    """
    x = as_array(x)
    if not p > 0 or not maxnorm >= 0:
        raise ValueError(f"renorm: p is {p} and maxnorm is {maxnorm}; p must be above 0 and maxnorm 0 or more.")
    axis = normalize_axis_index(axis, x.ndim, "renorm")
    sizes = linalg_vector_norm(x, axis=tuple(k for k in range(x.ndim) if k != axis), keepdims=True, ord=p)
    long = greater(sizes, maxnorm)
    return where(long, x * (maxnorm / where(long, sizes, 1)), x)
