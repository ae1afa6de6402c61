"""Operations between the layers of a network, with PyTorch's names and settings; ``relu``, ``sigmoid``, ``tanh`` and ``softplus`` are elementwise.

At a kink the slope is that of the side where the unit is off: 0 for those that are flat there, ``negative_slope`` for leaky_relu.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from ..domain import REAL, case
from ..op import expression, op
from .choice import equal, greater, less, less_equal, logical_and, where
from .complexes import of_reals, refuse_complex
from .elementwise import abs, as_float, clip, exp, sigmoid, softplus, tanh
from .joining import split
from .shape import reshape
from .special import ndtr, normal_density
from .trigonometry import hypot

AT_ZERO = REAL.with_kinks(0.0)


def _cases(**settings: Any) -> tuple[Any, ...]:
    """The shapes of an elementwise op, and one of them with settings."""
    return (case((2, 3)), case(()), case((0, 2)), case((1,)), case((2, 3), **settings))


def _refuse_negative(name: str, value: Any) -> None:
    if value < 0:
        raise ValueError(f"{name} is {value}; it is a width and must be ≥ 0")


# --------------------------------------------------------------------------------- rectifiers with a tail


@op(domain=[AT_ZERO], cases=_cases(negative_slope=0.3))
@of_reals
def leaky_relu(x, *, negative_slope=0.01):
    """x where positive, else negative_slope·x. Slope: 1 or negative_slope, and negative_slope at 0.

    >>> leaky_relu(Tensor([1.0, -1.0]))
    Tensor([ 1.  , -0.01])
    """
    return np.maximum(x, 0) + negative_slope * np.minimum(x, 0)


leaky_relu.defvjp(lambda g, out, x, negative_slope: where(greater(x, 0), g, g * negative_slope))


@expression(
    domain=[AT_ZERO, REAL],
    cases=(case((2, 3), (3,)), case((2, 3), (1,)), case((2, 3, 2), (3,)), case((2, 3), ()), case((3,), (1,)), case((), ()), case((0, 2), (2,))),
)
def prelu(x, weight):
    """x where positive, else weight·x, with one weight for all or one for each channel (axis 1 of x). Slopes: 1 or weight; in weight, x or 0.

    Raises ``ValueError`` for another number of weights.

    >>> prelu(Tensor([[1.0, -1.0]]), Tensor([0.5, 0.25]))
    Tensor([[ 1.  , -0.25]])
    """
    refuse_complex("prelu", x, weight)
    sizes, axes = np.shape(weight), np.ndim(x)
    if sizes not in ((), (1,)):
        if axes < 2 or sizes != np.shape(x)[1:2]:
            raise ValueError(f"prelu: weight of shape {sizes} and x of shape {np.shape(x)}: give one weight, or one for each entry of axis 1 of x.")
        weight = reshape(weight, shape=(-1,) + (1,) * (axes - 2))
    elif sizes and not axes:
        weight = reshape(weight, shape=())
    return where(greater(x, 0), x, weight * x)


@op(domain=[AT_ZERO], cases=_cases(alpha=2.0))
@of_reals
def elu(x, *, alpha=1.0):
    """x where positive, else alpha·(exp(x) - 1). Slope: 1 or alpha·exp(x), and alpha at 0.

    >>> elu(Tensor([1.0, -1.0]))
    Tensor([ 1.    , -0.6321])
    """
    x = as_float(x)
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))


@op(domain=[AT_ZERO], cases=_cases(alpha=2.0), fits="alpha must be > 0")
@of_reals
def celu(x, *, alpha=1.0):
    """x where positive, else alpha·(exp(x/alpha) - 1). Slope: 1 or exp(x/alpha), and 1 at 0.

    >>> celu(Tensor([1.0, -1.0]), alpha=0.5)
    Tensor([ 1.    , -0.4323])
    """
    if not alpha > 0:
        raise ValueError(f"alpha is {alpha}; it is a width and must be > 0")
    x = as_float(x)
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0) / alpha)


# The fixed point of mean 0 and variance 1: Klambauer and others, "Self-normalizing neural networks", 2017, equation 14.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


@op(domain=[AT_ZERO])
@of_reals
def selu(x):
    """1.0507·(x where positive, else 1.6733·(exp(x) - 1)). Slope: 1.0507, or 1.7581·exp(x), also at 0.

    >>> selu(Tensor([1.0, -1.0]))
    Tensor([ 1.0507, -1.1113])
    """
    x = as_float(x)
    return SELU_SCALE * np.maximum(x, 0) + SELU_SCALE * SELU_ALPHA * np.expm1(np.minimum(x, 0))


def _exponential_tail(g, x, right, left, scale=1.0):
    """Slope ``right`` where x > 0, else left·exp(x·scale)."""
    on = greater(x, 0)
    return where(on, g * right, g * (exp(where(on, 0, x) * scale) * left))


elu.defvjp(lambda g, out, x, alpha: _exponential_tail(g, x, 1.0, alpha))
celu.defvjp(lambda g, out, x, alpha: _exponential_tail(g, x, 1.0, 1.0, 1 / alpha))
selu.defvjp(lambda g, out, x: _exponential_tail(g, x, SELU_SCALE, SELU_SCALE * SELU_ALPHA))

# ------------------------------------------------------------------------------------------ smooth gates


@op(cases=_cases(approximate="tanh"), fits="approximate is 'none' or 'tanh'")
def gelu(x, *, approximate="none"):
    """x·Φ(x), where Φ is the normal distribution's; with ``approximate="tanh"``, x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2. Slope: Φ(x) + x·Φ'(x).

    >>> gelu(Tensor([1.0, -1.0]))
    Tensor([ 0.8413, -0.1587])
    """
    x = as_float(x)
    if approximate == "none":
        return x * ndtr.forward(x)
    if approximate == "tanh":
        with np.errstate(over="ignore"):  # of an infinite exponent σ is 0 or 1, as it should be
            return x * sigmoid.forward(_gelu_exponent(x))
    raise ValueError(f"there is no approximation {approximate!r}")


def _gelu_exponent(x):
    """2·√(2/π)·(x + 0.044715·x³): (1 + tanh(u))/2 is σ(2u), which keeps the digits of small results."""
    return x * (GELU_LINEAR + GELU_CUBIC * (x * x))


GELU_LINEAR = 2 * sqrt(2 / pi)
GELU_CUBIC = GELU_LINEAR * 0.044715


def _gelu(g, out, x, approximate):
    if approximate == "none":
        return g * (ndtr(x) + x * normal_density(x))
    near = clip(x, -100.0, 100.0)  # beyond, σ is 0 or 1, and a cube that overflows would make NaN of its flat slope
    gate = sigmoid(_gelu_exponent(near))
    return g * (gate + near * (GELU_LINEAR + 3 * GELU_CUBIC * (near * near)) * (gate * (1 - gate)))


gelu.defvjp(_gelu)


@op(aliases=("swish",))
@of_reals
def silu(x):
    """x·σ(x). Slope: σ(x) + x·σ(x)·(1 - σ(x)).

    >>> silu(Tensor([1.0, -1.0]))
    Tensor([ 0.7311, -0.2689])
    """
    return x * sigmoid.forward(x)


def _silu(g, out, x):
    gate = sigmoid(x)
    return g * (gate + out * (1 - gate))


silu.defvjp(_silu)


@op()
@of_reals
def mish(x):
    """x·tanh(softplus(x)). Slope: t + x·σ(x)·(1 - t²), where t = tanh(softplus(x)).

    >>> mish(Tensor([1.0, -1.0]))
    Tensor([ 0.8651, -0.3034])
    """
    return x * np.tanh(softplus.forward(x))


def _mish(g, out, x):
    t = tanh(softplus(x))
    return g * (t + x * sigmoid(x) * (1 - t * t))


mish.defvjp(_mish)


@expression(cases=(case((2, 4)), case((4, 3), axis=0), case((2, 2, 3), axis=-2), case((2,)), case((0, 2))))
def glu(x, axis=-1):
    """First half of x along ``axis`` times σ of the second half: a·σ(b). Slopes: σ(b), and a·σ(b)·(1 - σ(b)).

    >>> glu(Tensor([1.0, 2.0, 0.0, 0.0]))
    Tensor([0.5, 1. ])
    """
    refuse_complex("glu", x)
    shape = np.shape(x)
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"there is no axis {axis} in an array of {len(shape)} axes")
    if shape[axis] % 2:
        raise ValueError(f"axis {axis} has {shape[axis]} entries, which cannot be halved")
    a, b = split(x, indices_or_sections=2, axis=axis)
    return a * sigmoid(b)


@op(aliases=("log_sigmoid", "log_expit"))
@of_reals
def logsigmoid(x):
    """log(σ(x)) = -log(1 + exp(-x)), for any size of x. Slope: σ(-x).

    >>> logsigmoid(Tensor([0.0, -1000.0]))
    Tensor([-6.9315e-01, -1.0000e+03])
    """
    x = as_float(x)
    return np.minimum(x, 0.0) - np.log1p(np.exp(0.0 - np.absolute(x)))


logsigmoid.defvjp(lambda g, out, x: g * sigmoid(-x))


@op()
@of_reals
def softsign(x):
    """x/(1 + |x|). Slope: 1/(1 + |x|)².

    >>> softsign(Tensor([1.0, -3.0]))
    Tensor([ 0.5 , -0.75])
    """
    x = as_float(x)
    return x / (1.0 + np.absolute(x))


def _softsign(g, out, x):
    size = 1 + abs(x)
    return g / size / size


softsign.defvjp(_softsign)


@op()
@of_reals
def squareplus(x):
    """Smooth ramp without exponentials: (x + √(x² + 4))/2. Slope: (1 + x/√(x² + 4))/2.

    Source: J. T. Barron (2021), Squareplus: a softplus-like algebraic rectifier, eq. 1, with b = 4.

    >>> squareplus(Tensor([0.0, 1.5]))
    Tensor([1., 2.])
    """
    size = np.hypot(x, 2.0)  # where x < 0 the sum loses its digits, and 2/(√(x² + 4) - x) is the same number
    return np.where(x < 0, 2.0 / (size + np.absolute(x)), 0.5 * (size + np.absolute(x)))


squareplus.defvjp(lambda g, out, x: g * where(equal(x, np.inf), 1, out / hypot(x, 2.0)))


@op()
def tanhshrink(x):
    """x - tanh(x). Slope: tanh(x)².

    >>> tanhshrink(Tensor([1.0, -2.0]))
    Tensor([ 0.2384, -1.036 ])
    """
    return x - np.tanh(x)


def _tanhshrink(g, out, x):
    t = tanh(x)
    return g * (t * t)


tanhshrink.defvjp(_tanhshrink)

# ---------------------------------------------------------------------------------------- straight pieces


def _between(x, low, high):
    return logical_and(greater(x, low), less(x, high))


@op(domain=[REAL.with_kinks(-1.0, 1.0)], cases=_cases(min_val=-1.0, max_val=1.0), fits="min_val must be smaller than max_val")
@of_reals
def hardtanh(x, *, min_val=-1.0, max_val=1.0):
    """x kept between two numbers. Slope: 1 between them, 0 outside and at both.

    >>> hardtanh(Tensor([0.5, -3.0]))
    Tensor([ 0.5, -1. ])
    """
    if not min_val < max_val:
        raise ValueError(f"min_val is {min_val} and max_val is {max_val}")
    return np.minimum(np.maximum(x, min_val), max_val)


hardtanh.defvjp(lambda g, out, x, min_val, max_val: where(_between(x, min_val, max_val), g, 0))


@op(domain=[REAL.with_kinks(0.0, 6.0)])
@of_reals
def relu6(x):
    """x kept between 0 and 6. Slope: 1 between them, 0 outside and at both.

    >>> relu6(Tensor([-1.0, 2.0, 8.0]))
    Tensor([0., 2., 6.])
    """
    return np.minimum(np.maximum(x, 0), 6)


relu6.defvjp(lambda g, out, x: where(_between(x, 0, 6), g, 0))


@op(domain=[REAL.with_kinks(-3.0, 3.0)])
@of_reals
def hardsigmoid(x):
    """x/6 + 1/2 kept between 0 and 1. Slope: 1/6 where |x| < 3, else 0.

    >>> hardsigmoid(Tensor([-4.0, 0.0, 1.5]))
    Tensor([0.  , 0.5 , 0.75])
    """
    return np.minimum(np.maximum(x + 3.0, 0), 6) / 6


hardsigmoid.defvjp(lambda g, out, x: where(_between(x, -3, 3), g * (1 / 6), 0))


@op(domain=[REAL.with_kinks(-3.0, 3.0)])
@of_reals
def hardswish(x):
    """x·hardsigmoid(x). Slope: x/3 + 1/2 where |x| < 3, else 0 on the left and 1 on the right.

    >>> hardswish(Tensor([-1.5, 1.5, 5.0]))
    Tensor([-0.375,  1.125,  5.   ])
    """
    return x * (np.minimum(np.maximum(x + 3.0, 0), 6) / 6)


hardswish.defvjp(lambda g, out, x: where(_between(x, -3, 3), g * (x / 3 + 0.5), where(greater(x, 0), g, 0)))


@op(domain=[REAL.with_kinks(-0.5, 0.5)], cases=_cases(lambd=0.5), fits="lambd must be ≥ 0")
@of_reals
def softshrink(x, *, lambd=0.5):
    """x moved towards 0 by ``lambd``, and 0 where that is farther than x: sign(x)·max(|x| - lambd, 0). Slope: 1 where |x| > lambd, else 0.

    >>> softshrink(Tensor([2.0, 0.2, -2.0]))
    Tensor([ 1.5,  0. , -1.5])
    """
    _refuse_negative("lambd", lambd)
    return x - np.minimum(np.maximum(x, -lambd), lambd)


@op(domain=[REAL.with_kinks(-0.5, 0.5)], cases=_cases(lambd=0.5), fits="lambd must be ≥ 0")
@of_reals
def hardshrink(x, *, lambd=0.5):
    """x where |x| > lambd, else 0. Slope: 1 or 0, and 0 at the jumps.

    >>> hardshrink(Tensor([2.0, 0.2, -2.0]))
    Tensor([ 2.,  0., -2.])
    """
    _refuse_negative("lambd", lambd)
    return where.forward(np.logical_not(np.less_equal(np.absolute(as_float(x)), lambd)), x, 0)  # NaN is kept


def _shrink(g, out, x, lambd):
    return where(greater(abs(x), lambd), g, 0)


softshrink.defvjp(_shrink)
hardshrink.defvjp(_shrink)


@op(
    domain=[REAL.with_kinks(0.5)],
    cases=(case((2, 3), threshold=0.5, value=2.0), case((), threshold=0.5, value=0.5), case((0,), threshold=0.5, value=0)),
)
@of_reals
def threshold(x, *, threshold, value):
    """x where x > threshold, else ``value``. Slope: 1 or 0, and 0 at the threshold.

    >>> threshold(Tensor([2.0, 0.2]), 0.5, -1.0)
    Tensor([ 2., -1.])
    """
    return np.where(np.less_equal(x, threshold), value, x)


threshold.defvjp(lambda g, out, x, threshold, value: where(less_equal(x, threshold), 0, g))
