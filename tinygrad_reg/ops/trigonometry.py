"""Operations of circles and hyperbolas: sine and its relatives, their inverses, angles, and the lengths of right triangles.

Angles are in radians. Where an inverse function becomes vertical, as arcsin at 1, its slope is infinite.
"""

from __future__ import annotations

from math import factorial, pi
from typing import Any

import numpy as np

from ..domain import POSITIVE, REAL, case, interval
from ..op import op
from .choice import equal, nowhere, where
from .elementwise import as_float, negative
from .quick import all_plain

UNIT = interval(-1.0, 1.0)

# ---------------------------------------------------------------------------------------- circular


@op()
def sin(x):
    """Sine of each element. Slope: cos(x).

    >>> sin(Tensor([0.0, 1.0]))
    Tensor([0.    , 0.8415])
    """
    return np.sin(x)


@op()
def cos(x):
    """Cosine of each element. Slope: -sin(x).

    >>> cos(Tensor([0.0, 1.0]))
    Tensor([1.    , 0.5403])
    """
    return np.cos(x)


sin.defvjp(lambda g, out, x: g * cos(x))
cos.defvjp(lambda g, out, x: -(g * sin(x)))


@op(domain=[interval(-1.5, 1.5)])
def tan(x):
    """Tangent of each element: sin(x)/cos(x). Slope: 1 + tan(x)².

    >>> tan(Tensor([0.0, 1.0]))
    Tensor([0.    , 1.5574])
    """
    return np.tan(x)


tan.defvjp(lambda g, out, x: g * (1 + out * out))


@op(label="1/(1-x²)ᵖ", domain=[UNIT], cases=(case((2, 3), power=0.5), case((), power=1.0), case((0, 2), power=1.5)))
def over_circle(x, *, power):
    """1/(1 - x²) to a power, with all digits also near 1 and -1: the slope of arcsin (½) and arctanh (1). Slope: 2·power·x/(1 - x²)^(power + 1).

    >>> over_circle(Tensor([0.0, 0.6]), power=0.5)
    Tensor([1.  , 1.25])
    """
    out = np.asarray(1.0 - x)
    out *= 1 + x
    if power == 0.5:
        np.sqrt(out, out=out)
    elif power != 1:
        np.power(out, power, out=out)
    with np.errstate(divide="ignore"):  # infinite at the ends
        return np.divide(1, out, out=out)[()]


over_circle.defvjp(lambda g, out, x, power: g * (2 * power * x * over_circle(x, power=power + 1)))


@op(domain=[UNIT], aliases=("asin",))
def arcsin(x):
    """The angle from -π/2 to π/2 whose sine is x. Slope: 1/√(1 - x²), infinite at -1 and 1.

    >>> arcsin(Tensor([0.0, 1.0]))
    Tensor([0.    , 1.5708])
    """
    return np.arcsin(x)


arcsin.defvjp(lambda g, out, x: g * over_circle(x, power=0.5))


@op(domain=[UNIT], aliases=("acos",))
def arccos(x):
    """The angle from 0 to π whose cosine is x. Slope: -1/√(1 - x²), infinite at -1 and 1.

    >>> arccos(Tensor([0.0, 1.0]))
    Tensor([1.5708, 0.    ])
    """
    return np.arccos(x)


arccos.defvjp(lambda g, out, x: negative(g) * over_circle(x, power=0.5))


@op(aliases=("atan",))
def arctan(x):
    """The angle from -π/2 to π/2 whose tangent is x. Slope: 1/(1 + x²).

    >>> arctan(Tensor([0.0, 1.0]))
    Tensor([0.    , 0.7854])
    """
    return np.arctan(x)


arctan.defvjp(lambda g, out, x: g / (1 + x * x))


@op(label="a/(a²+b²)", domain=[POSITIVE, REAL])
def over_square_sum(a, b):
    """a/(a² + b²), 0 where both are 0; also where a square would overflow. Slopes: q² - out² and -2·out·q, where q = b/(a² + b²).

    >>> over_square_sum(Tensor([1.0, 1e300]), Tensor([1.0, 0.0]))
    Tensor([5.e-001, 1.e-300])
    """
    with np.errstate(all="ignore"):  # a = 0 goes over infinity, to 0
        dtype = getattr(a, "dtype", None)
        if dtype is not None and dtype.kind == "f" and dtype == getattr(b, "dtype", None) and all_plain(squares := a * a + b * b):
            return np.divide(a, squares)
        out = np.asarray(np.divide(b, a))
        np.multiply(out, b, out=out)
        np.add(out, a, out=out)
        np.divide(1, out, out=out)
    np.copyto(out, 0, where=np.equal(a, 0) & np.equal(b, b))  # NaN differs from itself
    return out[()]


over_square_sum.defvjp(
    lambda g, out, a, b: g * (over_square_sum(b, a) ** 2 - out * out),
    lambda g, out, a, b: g * (-2 * out * over_square_sum(b, a)),
)


@op(domain=[REAL.with_kinks(0.0), REAL], aliases=("atan2",))
def arctan2(y, x):
    """The angle from -π to π of the point (x, y). Slopes: x/(x² + y²) in y, -y/(x² + y²) in x; both 0 at the origin.

    >>> arctan2(Tensor([1.0, 0.0]), Tensor([1.0, -1.0]))
    Tensor([0.7854, 3.1416])
    """
    return np.arctan2(y, x)


arctan2.defvjp(
    lambda g, out, y, x: g * over_square_sum(x, y),
    lambda g, out, y, x: negative(g) * over_square_sum(y, x),
)

# ---------------------------------------------------------------------------------------- hyperbolic


@op()
def sinh(x):
    """Hyperbolic sine of each element: (exp(x) - exp(-x))/2. Slope: cosh(x).

    >>> sinh(Tensor([0.0, 1.0]))
    Tensor([0.    , 1.1752])
    """
    return np.sinh(x)


@op()
def cosh(x):
    """Hyperbolic cosine of each element: (exp(x) + exp(-x))/2. Slope: sinh(x).

    >>> cosh(Tensor([0.0, 1.0]))
    Tensor([1.    , 1.5431])
    """
    return np.cosh(x)


sinh.defvjp(lambda g, out, x: g * cosh(x))
cosh.defvjp(lambda g, out, x: g * sinh(x))


@op(aliases=("asinh",))
def arcsinh(x):
    """The number whose hyperbolic sine is x. Slope: 1/√(x² + 1).

    >>> arcsinh(Tensor([0.0, 1.0]))
    Tensor([0.    , 0.8814])
    """
    return np.arcsinh(x)


arcsinh.defvjp(lambda g, out, x: g / cosh(out))  # cosh(arcsinh(x)) = √(x² + 1), and no square can overflow


@op(domain=[interval(1.0, np.inf)], aliases=("acosh",))
def arccosh(x):
    """The number ≥ 0 whose hyperbolic cosine is x. Slope: 1/√(x² - 1), infinite at 1.

    >>> arccosh(Tensor([1.0, 2.0]))
    Tensor([0.   , 1.317])
    """
    return np.arccosh(x)


arccosh.defvjp(lambda g, out, x: g / sinh(out))  # sinh(arccosh(x)) = √(x² - 1), and no square can overflow


@op(domain=[UNIT], aliases=("atanh",))
def arctanh(x):
    """The number whose hyperbolic tangent is x. Slope: 1/(1 - x²), infinite at -1 and 1.

    >>> arctanh(Tensor([0.0, 0.5]))
    Tensor([0.    , 0.5493])
    """
    return np.arctanh(x)


arctanh.defvjp(lambda g, out, x: g * over_circle(x, power=1.0))

# ---------------------------------------------------------------------------------- waves and lengths


@op()
def sinc(x, *, order=0):
    """sin(πx)/(πx), and 1 at 0; with ``order`` n its n-th derivative. Slope: the derivative of the next order.

    >>> sinc(Tensor([0.0, 0.5]))
    Tensor([1.    , 0.6366])
    """
    if not order:
        return np.sinc(x)
    u = pi * as_float(x)
    near = np.asarray(np.absolute(u) < order - 0.7)  # dividing by u order times would magnify rounding here
    with np.errstate(all="ignore"):  # what dividing by 0 gives is not kept
        out = np.sin(u) / u
        for n in range(1, order + 1):  # from u·s(u) = sin(u), differentiated n times
            out = (_SINE[n % 4](u) - n * out) / u
    out = np.asarray(out)
    if near.any():
        out[near] = _sinc_series(u[near], order)
    return pi**order * out[()]


_SINE = (np.sin, np.cos, lambda u: -np.sin(u), lambda u: -np.cos(u))


def _sinc_series(u: Any, order: int) -> Any:
    """The derivative of sin(u)/u of some order, term by term from Σ (-1)^k u^2k/(2k + 1)!, lowest power last (Horner)."""
    total = np.zeros_like(u)
    for k in reversed(range((order + 1) // 2, 8 + 3 * order)):
        power = 2 * k - order
        total = total * (u * u) + (-1) ** k / ((2 * k + 1) * factorial(power))
    return total * u if order % 2 else total


sinc.defvjp(lambda g, out, x, order: g * sinc(x, order=order + 1))


@op(domain=[REAL.with_kinks(0.0)])
def hypot(a, b):
    """Length of the long side of a right triangle: √(a² + b²), also where the squares would overflow. Slopes: a/out and b/out, 0 at the origin.

    >>> hypot(Tensor([3.0, 3e300]), Tensor([4.0, 4e300]))
    Tensor([5.e+000, 5.e+300])
    """
    return np.hypot(a, b)


def _share(g, out, a):
    origin = equal(out, 0)
    return g * (a / out) if nowhere(origin) else where(origin, 0, g * (a / where(origin, 1, out)))


hypot.defvjp(lambda g, out, a, b: _share(g, out, a), lambda g, out, a, b: _share(g, out, b))


@op(label="°→rad", aliases=("radians",))
def deg2rad(x):
    """Degrees as radians: x·π/180. Slope: π/180.

    >>> deg2rad(Tensor([180.0, 90.0]))
    Tensor([3.1416, 1.5708])
    """
    return np.deg2rad(x)


deg2rad.defvjp(lambda g, out, x: g * (pi / 180))


@op(label="rad→°", aliases=("degrees",))
def rad2deg(x):
    """Radians as degrees: x·180/π. Slope: 180/π.

    >>> rad2deg(Tensor([0.0, 1.0]))
    Tensor([ 0.    , 57.2958])
    """
    return np.rad2deg(x)


rad2deg.defvjp(lambda g, out, x: g * (180 / pi))
