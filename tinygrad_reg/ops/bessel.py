"""Bessel functions, which SciPy computes. Their slopes are Bessel functions of the orders above and below.

The order ``v`` may be an array; there is no gradient in it. ``ive`` and its like carry the factor exp(-|x|), which keeps them small.
"""

from __future__ import annotations

import numpy as np

from ..domain import POSITIVE, REAL, integers
from ..op import op
from .complexes import of_reals
from .elementwise import as_float, sign
from .special import like, needed, slope_unknown

ORDER = integers(0, 4)
EVEN_KINK = REAL.with_kinks(0.0)


def _of_order(name, v, x):
    """SciPy's function of order v, at the precision of x."""
    return like(needed(name)(np.asarray(v, np.float64), x), x)


def _order_two(scaled, x):
    """``iv(2, x)``, or ``ive(2, x)`` with ``scaled="e"``, by the recurrence I₂ = I₀ - 2·I₁/x.

    It is quicker than SciPy's function of any order, and reaches beyond 2³¹.
    """
    x = as_float(x)
    near = np.absolute(x) < 1  # here the difference would lose digits
    if near.all():
        return needed(f"iv{scaled}")(2, x)
    zero, one = needed(f"i0{scaled}")(x), needed(f"i1{scaled}")(x)
    with np.errstate(invalid="ignore"):  # where I₀ is too large for a number, so is I₂
        out = np.asarray(np.where(np.isinf(zero), zero, zero - 2 * (one / np.where(near, 1, x))))
    out[near] = needed(f"iv{scaled}")(2, x[near])
    return out[()]


@op(label="I", domain=[ORDER, REAL])
def iv(v, x):
    """Modified Bessel function of the first kind, order v. Slope in x: (iv(v - 1, x) + iv(v + 1, x))/2. Needs SciPy.

    >>> iv(2, Tensor([0.0, 1.0]))
    Tensor([0.    , 0.1357])
    """
    return _order_two("", x) if type(v) is int and v == 2 else _of_order("iv", v, x)


iv.defvjp(slope_unknown("iv", "v"), lambda g, out, v, x: g * 0.5 * (iv(v - 1, x) + iv(v + 1, x)))


@op(label="I₁")
def i1(x):
    """Modified Bessel function of the first kind, order 1. Slope: (i0(x) + iv(2, x))/2. Needs SciPy.

    >>> i1(Tensor([0.0, 1.0]))
    Tensor([0.    , 0.5652])
    """
    return needed("i1")(x)


@op(label="I₀")
def i0(x):
    """Modified Bessel function of the first kind, order 0. Slope: i1(x). Needs SciPy.

    >>> i0(Tensor([0.0, 1.0]))
    Tensor([1.    , 1.2661])
    """
    return needed("i0")(x)


i1.defvjp(lambda g, out, x: g * (0.5 * (i0(x) + iv(2, x))))
i0.defvjp(lambda g, out, x: g * i1(x))


@op(label="exp(-|x|)·I", domain=[ORDER, EVEN_KINK])
@of_reals
def ive(v, x):
    """exp(-|x|)·iv(v, x), which does not overflow. Slope in x: (ive(v - 1, x) + ive(v + 1, x))/2 - sign(x)·ive(v, x). Needs SciPy.

    >>> ive(2, Tensor([0.0, 1000.0]))
    Tensor([0.    , 0.0126])
    """
    return _order_two("e", x) if type(v) is int and v == 2 else _of_order("ive", v, x)


ive.defvjp(slope_unknown("ive", "v"), lambda g, out, v, x: g * (0.5 * (ive(v - 1, x) + ive(v + 1, x)) - sign(x) * out))


@op(label="exp(-|x|)·I₁", domain=[EVEN_KINK])
def i1e(x):
    """exp(-|x|)·i1(x), which does not overflow. Slope: (i0e(x) + ive(2, x))/2 - sign(x)·i1e(x). Needs SciPy.

    >>> i1e(Tensor([0.0, 1000.0]))
    Tensor([0.    , 0.0126])
    """
    return needed("i1e")(x)


@op(label="exp(-|x|)·I₀", domain=[EVEN_KINK])
def i0e(x):
    """exp(-|x|)·i0(x), which does not overflow. Slope: i1e(x) - sign(x)·i0e(x), 0 at the kink x = 0. Needs SciPy.

    >>> i0e(Tensor([0.0, 1000.0]))
    Tensor([1.    , 0.0126])
    """
    return needed("i0e")(x)


i1e.defvjp(lambda g, out, x: g * (0.5 * (i0e(x) + ive(2, x)) - sign(x) * out))
i0e.defvjp(lambda g, out, x: g * (i1e(x) - sign(x) * out))


@op(label="K", domain=[ORDER, POSITIVE])
def kv(v, x):
    """Modified Bessel function of the second kind, order v, for x > 0. Slope in x: -(kv(v - 1, x) + kv(v + 1, x))/2. Needs SciPy.

    >>> kv(0, Tensor([1.0, 2.0]))
    Tensor([0.421 , 0.1139])
    """
    return _of_order("kv", v, x)


kv.defvjp(slope_unknown("kv", "v"), lambda g, out, v, x: g * -0.5 * (kv(v - 1, x) + kv(v + 1, x)))


@op(label="J", domain=[ORDER, REAL])
def jv(v, x):
    """Bessel function of the first kind, order v. Slope in x: (jv(v - 1, x) - jv(v + 1, x))/2. Needs SciPy.

    >>> jv(2, Tensor([0.0, 1.0]))
    Tensor([0.    , 0.1149])
    """
    return _of_order("jv", v, x)


jv.defvjp(slope_unknown("jv", "v"), lambda g, out, v, x: g * 0.5 * (jv(v - 1, x) - jv(v + 1, x)))


@op(label="J₁")
def j1(x):
    """Bessel function of the first kind, order 1. Slope: (j0(x) - jv(2, x))/2. Needs SciPy.

    >>> j1(Tensor([0.0, 1.0]))
    Tensor([0.    , 0.4401])
    """
    return needed("j1")(x)


@op(label="J₀")
def j0(x):
    """Bessel function of the first kind, order 0. Slope: -j1(x). Needs SciPy.

    >>> j0(Tensor([0.0, 1.0]))
    Tensor([1.    , 0.7652])
    """
    return needed("j0")(x)


j1.defvjp(lambda g, out, x: g * 0.5 * (j0(x) - jv(2, x)))
j0.defvjp(lambda g, out, x: -(g * j1(x)))


@op(label="Y", domain=[ORDER, POSITIVE])
def yv(v, x):
    """Bessel function of the second kind, order v, for x > 0. Slope in x: (yv(v - 1, x) - yv(v + 1, x))/2. Needs SciPy.

    >>> yv(0, Tensor([1.0, 2.0]))
    Tensor([0.0883, 0.5104])
    """
    return _of_order("yv", v, x)


yv.defvjp(slope_unknown("yv", "v"), lambda g, out, v, x: g * 0.5 * (yv(v - 1, x) - yv(v + 1, x)))
