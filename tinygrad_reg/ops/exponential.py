"""Operations of powers, roots and logarithms beyond ``exp``, ``log`` and ``sqrt``, of products with logarithms, and weighted means.

All are elementary: no library but NumPy is needed. In a product x·log(y) a factor x = 0 wins, so 0·log(0) is 0, with slope 0.
"""

from __future__ import annotations

from math import log as _ln
from typing import Any

import numpy as np

from ..domain import POSITIVE, REAL, case, integers, interval
from ..op import expression, op
from .choice import equal, greater_equal, less_equal, logical_and, where
from .complexes import of_reals
from .elementwise import as_float, astype, log, log1p, maximum, power, sigmoid

LN2, LN10 = _ln(2.0), _ln(10.0)

# ---------------------------------------------------------------------------------- powers and roots


@op(label="2^")
def exp2(x):
    """2 to the power of each element. Slope: log(2)·2ˣ.

    >>> exp2(Tensor([0.0, 3.0]))
    Tensor([1., 8.])
    """
    return np.exp2(x)


exp2.defvjp(lambda g, out, x: g * (out * LN2))


@op(label="1/x", domain=[POSITIVE])
def reciprocal(x):
    """1/x for each element; of whole numbers, too, a fraction. Slope: -1/x².

    >>> reciprocal(Tensor([2.0, -4.0]))
    Tensor([ 0.5 , -0.25])
    """
    x = np.asarray(x)
    return np.reciprocal(x) if x.dtype.kind in "fc" else 1 / x


reciprocal.defvjp(lambda g, out, x: -(g * (out * out)))


@op(label="1/√", domain=[POSITIVE])
def rsqrt(x):
    """1/√x for each element. Slope: -1/(2·x·√x).

    >>> rsqrt(Tensor([1.0, 4.0]))
    Tensor([1. , 0.5])
    """
    return 1 / np.sqrt(x)


rsqrt.defvjp(lambda g, out, x: g * (-0.5 * out / x))


@op(label="∛", domain=[POSITIVE])
def cbrt(x):
    """Cube root of each element, also of negative ones. Slope: 1/(3·∛x²), infinite at 0 as calculus says.

    >>> cbrt(Tensor([8.0, -27.0]))
    Tensor([ 2., -3.])
    """
    return np.cbrt(x)


cbrt.defvjp(lambda g, out, x: g / (3 * out * out))


@expression()
def float_power(a, b):
    """a to the power b at double precision, whatever the dtypes are: ``power`` of float64, or of complex128.

    Slopes: b·a**(b-1) and a**b·log(a), at 0 as power's.

    >>> float_power(Tensor([2, 3]), -1)
    Tensor([0.5   , 0.3333])
    """
    kind = np.result_type(*(x.dtype if hasattr(x, "dtype") else np.asarray(x) for x in (a, b)), np.float64)
    return power(*(x if type(x) is float else astype(x, dtype=kind) for x in (a, b)))


# ---------------------------------------------------------------------------------------- logarithms


@op(domain=[POSITIVE])
def log2(x):
    """Logarithm to base 2 of each element. Slope: 1/(x·log(2)).

    >>> log2(Tensor([1.0, 8.0]))
    Tensor([0., 3.])
    """
    return np.log2(x)


log2.defvjp(lambda g, out, x: g / (x * LN2))


@op(domain=[POSITIVE])
def log10(x):
    """Logarithm to base 10 of each element. Slope: 1/(x·log(10)).

    >>> log10(Tensor([1.0, 100.0]))
    Tensor([0., 2.])
    """
    return np.log10(x)


log10.defvjp(lambda g, out, x: g / (x * LN10))


@op()
@of_reals
def logaddexp(a, b):
    """log(exp(a) + exp(b)), for any sizes. Slopes: σ(a - b) and σ(b - a), and 0 where both are -inf.

    >>> logaddexp(Tensor([1000.0, 0.0]), Tensor([1000.0, -1000.0]))
    Tensor([1000.6931,    0.    ])
    """
    return np.maximum(a, b) + np.log1p(np.exp(_minus_distance(a, b)))


@op()
@of_reals
def logaddexp2(a, b):
    """log2(2ᵃ + 2ᵇ), for any sizes. Slopes: 2ᵃ/(2ᵃ + 2ᵇ) and 2ᵇ/(2ᵃ + 2ᵇ), and 0 where both are -inf.

    >>> logaddexp2(Tensor([100.0, 0.0]), Tensor([100.0, 0.0]))
    Tensor([101.,   1.])
    """
    return np.maximum(a, b) + np.log1p(np.exp2(_minus_distance(a, b))) * (1 / LN2)


def _minus_distance(a: Any, b: Any) -> Any:
    """-|a - b|; -inf where both are infinite. With it the sums above are several times faster than NumPy's functions."""
    if np.result_type(a, b).kind != "f":
        a, b = as_float(a), as_float(b)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.fmax(-np.absolute(a - b), -np.inf)


def _ahead(out, a, b):
    """a - b; -inf where both are."""
    return a - maximum(b, -float(np.finfo(out.dtype).max))


logaddexp.defvjp(lambda g, out, a, b: g * sigmoid(_ahead(out, a, b)), lambda g, out, a, b: g * sigmoid(_ahead(out, b, a)))
logaddexp2.defvjp(lambda g, out, a, b: g * sigmoid(_ahead(out, a, b) * LN2), lambda g, out, a, b: g * sigmoid(_ahead(out, b, a) * LN2))

_WITH_EPS = (case((2, 3)), case(()), case((0, 2)), case((2, 3), eps=0.01))


@op(domain=[interval(0.0, 1.0)], cases=_WITH_EPS)
def logit(x, *, eps=None):
    """log(x/(1 - x)), the inverse of the logistic function; with ``eps``, x is first kept between eps and 1 - eps. Slope: 1/(x·(1 - x)).

    >>> logit(Tensor([0.5, 0.9]))
    Tensor([0.    , 2.1972])
    """
    x = as_float(x)
    if eps is not None:
        x = np.clip(x, eps, 1 - eps)
    with np.errstate(divide="ignore", invalid="ignore"):  # -inf at 0, inf at 1 and NaN outside are the answers
        near_half = 2 * np.arctanh(2 * x - 1)  # the quotient is near 1 there, and its logarithm would lose digits
        return np.where(np.absolute(x - 0.5) < 0.25, near_half, np.log(x / (1 - x)))[()]


def _logit(g, out, x, eps):
    if eps is None:
        return g / (x * (1 - x))
    inside = logical_and(greater_equal(x, eps), less_equal(x, 1 - eps))
    x = where(inside, x, 0.5)
    return where(inside, g / (x * (1 - x)), 0)


logit.defvjp(_logit)

# ----------------------------------------------------------------------------- products with logarithms


@op(domain=[REAL, POSITIVE])
def xlogy(x, y):
    """x·log(y), and 0 where x = 0, unless y is NaN. Slopes: log(y) and x/y, and 0 where x = 0 and there is no logarithm.

    >>> xlogy(Tensor([2.0, 0.0]), Tensor([2.0, 0.0]))
    Tensor([1.3863, 0.    ])
    """
    return _times_logarithm(x, y, np.log)


def _times_logarithm(x: Any, y: Any, logarithm: Any) -> Any:
    wins = np.equal(x, 0) & ~np.isnan(y)
    out = x * logarithm(np.where(wins, 1, y))
    kind = np.result_type(x, y)
    return out.astype(kind, copy=False) if kind.kind in "fc" else out  # a Python number must not widen float32


def _no_logarithm(x, y):
    return logical_and(equal(x, 0), less_equal(y, 0))


def _xlogy_x(g, out, x, y):
    void = _no_logarithm(x, y)
    return where(void, 0, g * log(where(void, 1, y)))


def _xlogy_y(g, out, x, y):
    void = _no_logarithm(x, y)
    return where(void, 0, g * (x / where(void, 1, y)))


xlogy.defvjp(_xlogy_x, _xlogy_y)


@op(domain=[REAL, interval(-1.0, np.inf, open_low=True)])
def xlog1py(x, y):
    """x·log(1 + y), accurate for small y; 0 where x = 0, unless y is NaN.

    Slopes: log(1 + y) and x/(1 + y), and 0 where x = 0 and there is no logarithm.

    >>> xlog1py(Tensor([2.0, 0.0]), Tensor([1.0, -1.0]))
    Tensor([1.3863, 0.    ])
    """
    return _times_logarithm(x, y, np.log1p)


def _xlog1py_x(g, out, x, y):
    void = _no_logarithm(x, y + 1)
    return where(void, 0, g * log1p(where(void, 0, y)))


xlog1py.defvjp(_xlog1py_x, lambda g, out, x, y: _xlogy_y(g, out, x, y + 1))


@op(domain=[POSITIVE])
@of_reals
def entr(x):
    """Entropy of each element: -x·log(x), 0 at 0, and -inf below. Slope: -log(x) - 1, infinite at 0.

    >>> entr(Tensor([0.0, 0.5, 1.0]))
    Tensor([0.    , 0.3466, 0.    ])
    """
    x = as_float(x)
    safe = np.where(x > 0, x, 1)
    return np.where(x >= 0, 0.0 - x * np.log(safe), np.where(np.isnan(x), x, -np.inf))[()]


entr.defvjp(lambda g, out, x: g * (-1 - log(x)))

# ------------------------------------------------------------------------------------- powers of two


@op(domain=[REAL, integers(-3, 4)])
def ldexp(x, i):
    """x·2**i for whole numbers i, exact. Slope: 2**i in x.

    >>> ldexp(Tensor([1.0, 3.0]), 2)
    Tensor([ 4., 12.])
    """
    return np.ldexp(x, i)


ldexp.defvjp(lambda g, out, x, i: ldexp(g, i), None)


@op(domain=[REAL.with_kinks(-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)])
def frexp(x):
    """The mantissa m, of size ½ up to 1 or 0, and the whole number e for which x = m·2**e. Slope of m: 2**-e; e has none.

    >>> frexp(Tensor([3.0, 0.0]))
    (Tensor([0.75, 0.  ]), Tensor([2, 0], dtype=int32))
    """
    return np.frexp(x)


frexp.defvjp(lambda g, out, x: ldexp(g[0], -out[1]))

# ------------------------------------------------------------------------------------ weighted means


@op()
def lerp(start, end, weight):
    """The number between two: start + weight·(end - start), exact at both ends. Slopes: 1 - weight, weight and end - start.

    >>> lerp(Tensor([0.0, 10.0]), Tensor([4.0, 20.0]), 0.5)
    Tensor([ 2., 15.])
    """
    way = 1.0 * end - start  # small whole numbers would wrap around
    if np.ndim(weight) == 0:
        return start + weight * way if weight < 0.5 else end - (1.0 - weight) * way
    return np.where(weight < 0.5, start + weight * way, end - (1.0 - weight) * way)


lerp.defvjp(
    lambda g, out, start, end, weight: g * (1 - weight),
    lambda g, out, start, end, weight: g * weight,
    lambda g, out, start, end, weight: g * (end - start),
)
