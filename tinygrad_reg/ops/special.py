"""Special functions: error functions, the normal distribution, gamma functions. SciPy computes them; here are their slopes.

SciPy is an extra: without it ``erf``, ``erfc`` and ``ndtr`` come from Python's ``math``, as accurate but slower, and the others say
what to install. It is imported when first needed. Functions of whole-number orders have a gradient in their last argument only.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NoReturn

import numpy as np

from ..domain import POSITIVE, case, integers, interval
from ..op import expression, op
from .elementwise import as_float, clip, exp, minimum
from .exponential import xlogy

ROOT_PI = math.sqrt(math.pi)
ROOT_HALF = math.sqrt(0.5)
ROOT_2PI = math.sqrt(2 * math.pi)
ROOT_2_OVER_PI = math.sqrt(2 / math.pi)


@cache
def _scipy() -> Any:
    """scipy.special, or None where it is not installed."""
    try:
        from scipy import special  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        return None
    return special


def needed(name: str) -> Any:
    """SciPy's function ``name``, or one sentence that says what to install."""
    special = _scipy()
    if special is None:
        raise ImportError(f"{name} needs SciPy, which is not installed: pip install 'tinygrad_reg[special]'")
    return getattr(special, name)


def slope_unknown(name: str, argument: str) -> Any:
    """A rule that says that there is no formula for this slope, rather than lose it."""

    def rule(*_: Any, **__: Any) -> NoReturn:
        raise TypeError(f"{name}: no formula is known for its slope in {argument}. Give {argument} as numbers, or as Tensor.detach().")

    return rule


def like(out: Any, x: Any) -> Any:
    """out in the dtype of x, where that is a float: a whole-number order must not widen float32."""
    kind = getattr(x, "dtype", out.dtype)
    return out.astype(kind, copy=False) if kind.kind == "f" else out


# --------------------------------------------------------------------- error functions, normal distribution


def _each(function: Any, x: Any) -> Any:
    """Python's function of every element."""
    x = as_float(x)
    return np.asarray(np.frompyfunc(function, 1, 1)(x), x.dtype)[()]


@op()
def erf(x):
    """Error function: 2/√π·∫₀ˣ exp(-t²) dt. Slope: 2/√π·exp(-x²).

    >>> erf(Tensor([0.0, 1.0]))
    Tensor([0.    , 0.8427])
    """
    return needed("erf")(x) if _scipy() else _each(math.erf, x)


erf.defvjp(lambda g, out, x: g * (exp(-(x * x)) * (2 / ROOT_PI)))


@op()
def erfc(x):
    """1 - erf(x), accurate for large x. Slope: -2/√π·exp(-x²).

    >>> erfc(Tensor([0.0, 1.0]))
    Tensor([1.    , 0.1573])
    """
    return needed("erfc")(x) if _scipy() else _each(math.erfc, x)


erfc.defvjp(lambda g, out, x: g * (exp(-(x * x)) * (-2 / ROOT_PI)))


@op()
def erfcx(x):
    """exp(x²)·erfc(x), which does not vanish for large x. Slope: 2·x·erfcx(x) - 2/√π. Needs SciPy.

    >>> erfcx(Tensor([0.0, 100.0]))
    Tensor([1.    , 0.0056])
    """
    return needed("erfcx")(x)


erfcx.defvjp(lambda g, out, x: g * (2 * x * out - 2 / ROOT_PI))


@op(domain=[interval(-1.0, 1.0)])
def erfinv(x):
    """The number whose error function is x. Slope: √π/2·exp(erfinv(x)²), infinite at -1 and 1. Needs SciPy.

    >>> erfinv(Tensor([0.0, 0.5]))
    Tensor([0.    , 0.4769])
    """
    return needed("erfinv")(x)


erfinv.defvjp(lambda g, out, x: g * (exp(out * out) * (ROOT_PI / 2)))


@op(domain=[interval(0.0, 2.0)])
def erfcinv(x):
    """The number whose complementary error function is x. Slope: -√π/2·exp(erfcinv(x)²), infinite at 0 and 2. Needs SciPy.

    >>> erfcinv(Tensor([0.5, 1.5]))
    Tensor([ 0.4769, -0.4769])
    """
    return needed("erfcinv")(x)


erfcinv.defvjp(lambda g, out, x: g * (exp(out * out) * (-ROOT_PI / 2)))


@op(label="Φ")
def ndtr(x):
    """Distribution function of the normal distribution: Φ(x) = erfc(-x/√2)/2. Slope: the density exp(-x²/2)/√(2π).

    >>> ndtr(Tensor([0.0, 1.0]))
    Tensor([0.5   , 0.8413])
    """
    return needed("ndtr")(x) if _scipy() else 0.5 * _each(math.erfc, as_float(x) * -ROOT_HALF)


def normal_density(x: Any) -> Any:
    """exp(-x²/2)/√(2π)."""
    return exp(x * x * -0.5) * (1 / ROOT_2PI)


ndtr.defvjp(lambda g, out, x: g * normal_density(x))


@op(label="Φ'/Φ")
def ndtr_ratio(x):
    """The density of the normal distribution over its distribution function, in their ratio also where both are tiny. Needs SciPy.

    Φ'(x)/Φ(x) = √(2/π)/erfcx(-x/√2). Slope: -out·(x + out), by ``ndtr_gap``.

    >>> ndtr_ratio(Tensor([0.0, -1e5]))
    Tensor([7.9788e-01, 1.0000e+05])
    """
    return ROOT_2_OVER_PI / needed("erfcx")(x * -ROOT_HALF)


@op(label="x+Φ'/Φ")
def ndtr_gap(x):
    """x + Φ'(x)/Φ(x), with all digits also where the two cancel, far to the left. Slope: 1 - out·Φ'(x)/Φ(x). Needs SciPy.

    >>> ndtr_gap(Tensor([0.0, -1e5]))
    Tensor([7.9788e-01, 1.0000e-05])
    """
    x = as_float(x)
    far = np.maximum(-x, 5.0)
    out = far
    for k in range(25, 1, -1):  # Laplace's continued fraction of Mills' ratio, exact from 5 on
        out = far + k / out
    return np.where(np.less(x, -5.0), 1 / out, x + ndtr_ratio.forward(x))[()]


_FAR = 1e30  # from here on a slope of ndtr_ratio is -1 to the left and 0 to the right, also at infinity

ndtr_ratio.defvjp(lambda g, out, x: -(g * (minimum(out, _FAR) * ndtr_gap(clip(x, -_FAR, _FAR)))))
ndtr_gap.defvjp(lambda g, out, x: g * (1 - out * ndtr_ratio(x)))


@op(label="log Φ")
def log_ndtr(x):
    """log(Φ(x)), also where Φ(x) is too small for a number. Slope: Φ'(x)/Φ(x), by ``ndtr_ratio``. Needs SciPy.

    >>> log_ndtr(Tensor([0.0, -100.0]))
    Tensor([-6.9315e-01, -5.0055e+03])
    """
    return needed("log_ndtr")(x)


log_ndtr.defvjp(lambda g, out, x: g * ndtr_ratio(x))


@op(label="Φ⁻¹", domain=[interval(0.0, 1.0)])
def ndtri(x):
    """Quantile of the normal distribution: the number whose Φ is x. Slope: 1/density = √(2π)·exp(out²/2). Needs SciPy.

    >>> ndtri(Tensor([0.5, 0.975]))
    Tensor([0.  , 1.96])
    """
    return needed("ndtri")(x)


ndtri.defvjp(lambda g, out, x: g * (exp(out * out * 0.5) * ROOT_2PI))

# --------------------------------------------------------------------------------------- gamma functions


@op(domain=[integers(0, 4), POSITIVE])
def polygamma(n, x):
    """The n-th derivative of digamma; n is a whole number ≥ 0. Slope in x: polygamma(n + 1, x). Needs SciPy.

    >>> polygamma(1, Tensor([1.0, 2.0]))
    Tensor([1.6449, 0.6449])
    """
    if np.any(np.less(n, 0)):
        raise ValueError("the order n must be a whole number ≥ 0")
    if type(n) is int:  # SciPy's own function computes digamma and zeta, whatever n is
        return needed("psi")(x) if n == 0 else (-1) ** (n + 1) * float(math.factorial(n)) * needed("zeta")(n + 1.0, x)
    return like(np.asarray(needed("polygamma")(n, x))[()], x)


polygamma.defvjp(slope_unknown("polygamma", "n"), lambda g, out, n, x: g * polygamma(n + 1, x))


@op(label="ψ", domain=[POSITIVE], aliases=("psi",))
def digamma(x):
    """Slope of log Γ. Slope: polygamma(1, x). Needs SciPy.

    >>> digamma(Tensor([1.0, 2.0]))
    Tensor([-0.5772,  0.4228])
    """
    return needed("psi")(x)


digamma.defvjp(lambda g, out, x: g * polygamma(1, x))


@op(label="log Γ", domain=[POSITIVE], aliases=("lgamma",))
def gammaln(x):
    """log|Γ(x)|. Slope: digamma(x). Needs SciPy.

    >>> gammaln(Tensor([0.5, 100.0]))
    Tensor([  0.5724, 359.1342])
    """
    return needed("gammaln")(x)


gammaln.defvjp(lambda g, out, x: g * digamma(x))


@op(label="Γ", domain=[POSITIVE])
def gamma(x):
    """Gamma function: (x - 1)! for whole numbers. Slope: Γ(x)·digamma(x). Needs SciPy.

    >>> gamma(Tensor([0.5, 5.0]))
    Tensor([ 1.7725, 24.    ])
    """
    return needed("gamma")(x)


gamma.defvjp(lambda g, out, x: g * (out * digamma(x)))


@op(label="ζ", domain=[integers(2, 5), POSITIVE])
def zeta(x, q=1):
    """Zeta function: Σ 1/(k + q)ˣ over k = 0, 1, …; Riemann's for q = 1. Slope in q: -x·zeta(x + 1, q). Needs SciPy.

    >>> zeta(2, Tensor([1.0, 2.0]))
    Tensor([1.6449, 0.6449])
    """
    return like(needed("zeta")(x, q), q)


zeta.defvjp(slope_unknown("zeta", "x"), lambda g, out, x, q: g * (-x * zeta(x + 1, q)))


@expression(domain=[interval(1.0, np.inf)], cases=(case((2, 3), d=1), case((), d=2), case((3,), d=3)), aliases=("mvlgamma",))
def multigammaln(a, d):
    """Logarithm of the gamma function of d dimensions, for a > (d - 1)/2: d·(d - 1)/4·log(π) + Σ log Γ(a - i/2), i < d. Needs SciPy.

    Slope: Σ digamma(a - i/2), i < d.

    >>> multigammaln(Tensor([2.0]), 2)
    Tensor([0.4516])
    """
    total = gammaln(a)
    for i in range(1, d):
        total = total + gammaln(a - i / 2)
    return total + d * (d - 1) / 4 * math.log(math.pi)


@op(domain=[POSITIVE])
def betaln(a, b):
    """Logarithm of the beta function: log|Γ(a)·Γ(b)/Γ(a + b)|. Slopes: digamma(a) - digamma(a + b), and the same of b. Needs SciPy.

    >>> betaln(Tensor([1.0, 2.0]), 3)
    Tensor([-1.0986, -2.4849])
    """
    return needed("betaln")(a, b)


betaln.defvjp(
    lambda g, out, a, b: g * (digamma(a) - digamma(a + b)),
    lambda g, out, a, b: g * (digamma(b) - digamma(a + b)),
)


@op(domain=[integers(1, 4), POSITIVE])
def gammainc(a, x):
    """Lower incomplete gamma function, from 0 to 1: ∫₀ˣ tᵃ⁻¹·exp(-t) dt/Γ(a). Slope in x: the integrand there. Needs SciPy.

    >>> gammainc(1, Tensor([0.0, 1.0]))
    Tensor([0.    , 0.6321])
    """
    return like(needed("gammainc")(a, x), x)


@op(domain=[integers(1, 4), POSITIVE])
def gammaincc(a, x):
    """Upper incomplete gamma function: 1 - gammainc(a, x), accurate where that is small. Slope in x: -xᵃ⁻¹·exp(-x)/Γ(a). Needs SciPy.

    >>> gammaincc(1, Tensor([0.0, 1.0]))
    Tensor([1.    , 0.3679])
    """
    return like(needed("gammaincc")(a, x), x)


def _gamma_density(a: Any, x: Any) -> Any:
    return exp(xlogy(a - 1, x) - x - gammaln(a))


gammainc.defvjp(slope_unknown("gammainc", "a"), lambda g, out, a, x: g * _gamma_density(a, x))
gammaincc.defvjp(slope_unknown("gammaincc", "a"), lambda g, out, a, x: -(g * _gamma_density(a, x)))
