"""Operations that treat each element alone, after broadcasting: arithmetic, smooth functions, functions with kinks.

Forwards are kept to one simple expression; rules are expressions of ops, so they differentiate again.
Slopes at kinks: abs 0, sign 0, relu 0, ties of maximum and minimum half each, clip 1 at its edges,
sqrt infinite at 0; but a gradient that is exactly 0 stays 0 through any slope (see backward.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import POSITIVE, REAL, case, interval
from ..op import op
from .choice import equal, greater, greater_equal, less, less_equal, logical_and, nowhere, where
from .complexes import conj, is_complex, of_reals, real
from .quick import zeros_for

# ---------------------------------------------------------------------------------------- arithmetic


@op(label="+")
def add(a, b):
    """Sum of two arrays, element by element: a + b. Slopes: 1 and 1.

    >>> add(Tensor([1.0, 2.0]), 1)
    Tensor([2., 3.])
    """
    return a + b


add.defvjp(lambda g, out, a, b: g, lambda g, out, a, b: g)


@op(label="-", aliases=("sub",))
def subtract(a, b):
    """Difference of two arrays, element by element: a - b. Slopes: 1 and -1.

    >>> subtract(Tensor([1.0, 2.0]), 1)
    Tensor([0., 1.])
    """
    return a - b


@op(label="×", aliases=("mul",))
def multiply(a, b):
    """Product of two arrays, element by element: a * b. Slopes: b and a.

    >>> multiply(Tensor([1.0, 2.0]), 3)
    Tensor([3., 6.])
    """
    return a * b


multiply.defvjp(lambda g, out, a, b: g * b, lambda g, out, a, b: g * a)


@op(label="÷", domain=[REAL, POSITIVE], aliases=("true_divide", "div"))
def divide(a, b):
    """Quotient of two arrays, element by element: a / b. Slopes: 1/b and -a/b².

    >>> divide(Tensor([1.0, 2.0]), 4)
    Tensor([0.25, 0.5 ])
    """
    return a / b


divide.defvjp(lambda g, out, a, b: g / b, lambda g, out, a, b: -(g * (out / b)))


@op(label="pow", domain=[POSITIVE, REAL], aliases=("pow",))
def power(a, b):
    """a to the power b, element by element. Slopes: b·a**(b-1) and a**b·log(a).

    At a = 0 the slope in b is 0 for b ≥ 0; where b = 0 the slope in a is 0, also at a = 0.

    >>> power(Tensor([1.0, 2.0]), 3)
    Tensor([1., 8.])
    """
    return a**b


def _power_base(g, out, a, b):
    if isinstance(b, (int, float)):
        return None if b == 0 else g * (2 * a) if b == 2 else g * (b * a ** (b - 1))
    return g * (b * a ** where(logical_and(equal(a, 0), equal(b, 0)), 0, b - 1))  # the slope of this in b matters, so b - 1 stays elsewhere


def _power_exponent(g, out, a, b):
    at_zero = logical_and(equal(a, 0), greater_equal(b, 0))
    return g * out * log(where(at_zero, 1, a))


power.defvjp(_power_base, _power_exponent)


@op(label="-")
def negative(x):
    """Each element with its sign turned: -x. Slope: -1.

    >>> negative(Tensor([1.0, -2.0]))
    Tensor([-1.,  2.])
    """
    if type(x) is np.ndarray and 0 in x.strides and x.size and not any(x.strides):  # one number repeated, as the gradient of a sum is
        return np.ndarray(x.shape, x.dtype, -x[(0,) * x.ndim], strides=x.strides)  # as np.broadcast_to would, but quicker
    return -x


negative.defvjp(lambda g, out, x: negative(g))
subtract.defvjp(lambda g, out, a, b: g, lambda g, out, a, b: negative(g))


@op(domain=[REAL.with_kinks(0.0)])
def sign(x):
    """-1, 0 or 1 by the sign of each element; x/|x| for complex numbers. Slope: 0 everywhere for real numbers.

    >>> sign(Tensor([3.0, 0.0, -2.0]))
    Tensor([ 1.,  0., -1.])
    """
    return np.sign(x)


def _sign(g, out, x):
    if not is_complex(x):
        return None
    return where(equal(x, 0), 0, (g - real(g * out) * conj(out)) / where(equal(x, 0), 1, abs(x)))


sign.defvjp(_sign)


@op(label="|·|", domain=[REAL.with_kinks(0.0)], aliases=("absolute",))
def abs(x):
    """Size of each element: |x|. Slope: sign(x), which is 0 at the kink x = 0.

    >>> abs(Tensor([1.0, -2.0]))
    Tensor([1., 2.])
    """
    return np.absolute(x)


def _abs(g, out, x):
    direction = sign(x)
    return g * (conj(direction) if is_complex(x) else direction)


abs.defvjp(_abs)


@op(label="x²")
def square(x):
    """Each element times itself: x². Slope: 2x.

    >>> square(Tensor([1.0, -2.0]))
    Tensor([1., 4.])
    """
    return x * x


square.defvjp(lambda g, out, x: g * (2 * x))


@op(label="√", domain=[POSITIVE])
def sqrt(x):
    """Square root of each element. Slope: 1/(2·√x), infinite at 0 as calculus says.

    >>> sqrt(Tensor([1.0, 4.0]))
    Tensor([1., 2.])
    """
    return np.sqrt(x)


sqrt.defvjp(lambda g, out, x: g / (2 * out))

# ------------------------------------------------------------------- exponentials and their relatives


@op()
def exp(x):
    """e to the power of each element. Slope: the result itself.

    >>> exp(Tensor([0.0, 1.0]))
    Tensor([1.    , 2.7183])
    """
    return np.exp(x)


exp.defvjp(lambda g, out, x: g * out)


@op()
def expm1(x):
    """exp(x) - 1, accurate for small x. Slope: exp(x).

    >>> expm1(Tensor([0.0, 1.0]))
    Tensor([0.    , 1.7183])
    """
    return np.expm1(x)


expm1.defvjp(lambda g, out, x: g * (out + 1))


@op(domain=[POSITIVE])
def log(x):
    """Natural logarithm of each element. Slope: 1/x.

    >>> log(Tensor([1.0, 2.0]))
    Tensor([0.    , 0.6931])
    """
    return np.log(x)


log.defvjp(lambda g, out, x: g / x)


@op(domain=[interval(-1.0, np.inf, open_low=True)])
def log1p(x):
    """log(1 + x), accurate for small x. Slope: 1/(1 + x).

    >>> log1p(Tensor([0.0, 1.0]))
    Tensor([0.    , 0.6931])
    """
    return np.log1p(x)


log1p.defvjp(lambda g, out, x: g / (1 + x))


@op()
def tanh(x):
    """Hyperbolic tangent of each element. Slope: 1 - tanh(x)².

    >>> tanh(Tensor([0.0, 1.0]))
    Tensor([0.    , 0.7616])
    """
    return np.tanh(x)


tanh.defvjp(lambda g, out, x: g * (1 - out * out))


@op(label="σ", aliases=("expit",))
@of_reals
def sigmoid(x):
    """Logistic function of each element: 1/(1 + exp(-x)). Slope: σ(x)·(1 - σ(x)).

    Both exponents are kept at or below 0, so nothing overflows and small results keep their digits.

    >>> sigmoid(Tensor([0.0, 1.0]))
    Tensor([0.5   , 0.7311])
    """
    x = as_float(x)  # the smallest whole number has no size
    e = np.exp(-np.absolute(x))
    top = np.maximum(e, np.greater_equal(x, 0))  # e for x below 0, else 1
    e += 1  # these arrays are our own, and changing them is quicker than making new ones
    top /= e
    return top


sigmoid.defvjp(lambda g, out, x: g * (out * (1 - out)))


@op()
@of_reals
def softplus(x, *, beta=1.0):
    """Smooth ramp: log(1 + exp(beta·x))/beta, for any size of x; the larger ``beta``, the sharper its bend. Slope: sigmoid(beta·x).

    Raises ``ValueError`` unless beta is above 0.

    >>> softplus(Tensor([-1000.0, 0.0, 100.0]))
    Tensor([  0.    ,   0.6931, 100.    ])
    """
    x = as_float(x)
    if beta == 1:
        return np.maximum(x, zeros_for(x)) + np.log1p(np.exp(-np.absolute(x)))
    if not beta > 0:
        raise ValueError(f"beta is {beta}; it says how sharp the bend is, and must be > 0")
    return np.maximum(x, zeros_for(x)) + np.log1p(np.exp(-beta * np.absolute(x))) / beta


softplus.defvjp(lambda g, out, x, beta: g * sigmoid(x if beta == 1 else beta * x))

# -------------------------------------------------------------------------------------------- kinks


@op(domain=[REAL.with_kinks(0.0)])
@of_reals
def relu(x):
    """Rectifier: x where positive, else 0. Slope: 1 or 0, and 0 at the kink x = 0.

    >>> relu(Tensor([1.0, 0.0, -2.0]))
    Tensor([1., 0., 0.])
    """
    return np.maximum(x, zeros_for(x))


relu.defvjp(lambda g, out, x: where(less_equal(x, 0), 0, g))


@op(label="max", domain=[REAL.with_ties()])
def maximum(a, b):
    """The larger of two arrays, element by element. Slope: 1 for the larger, half each at a tie, 1 for both where one is NaN.

    >>> maximum(Tensor([1.0, 5.0]), 3)
    Tensor([3., 5.])
    """
    return np.maximum(a, b)


def _wins(g, not_better, tied):
    won = where(not_better, 0, g)
    return won if nowhere(tied) else won + where(tied, g * 0.5, 0)


maximum.defvjp(
    lambda g, out, a, b: _wins(g, less_equal(a, b), equal(a, b)),
    lambda g, out, a, b: _wins(g, less_equal(b, a), equal(a, b)),
)


@op(label="min", domain=[REAL.with_ties()])
def minimum(a, b):
    """The smaller of two arrays, element by element. Slope: 1 for the smaller, half each at a tie, 1 for both where one is NaN.

    >>> minimum(Tensor([1.0, 5.0]), 3)
    Tensor([1., 3.])
    """
    return np.minimum(a, b)


minimum.defvjp(
    lambda g, out, a, b: _wins(g, greater_equal(a, b), equal(a, b)),
    lambda g, out, a, b: _wins(g, greater_equal(b, a), equal(a, b)),
)


@op(domain=[REAL.with_ties()])
def clip(x, min=None, max=None):
    """Each element kept between ``min`` and ``max``, numbers or arrays; ``None`` is no bound.

    Slope in x: 1 inside and at the edges, 0 outside; in a bound: 1 where it is what comes out.

    >>> clip(Tensor([-2.0, 0.5, 2.0]), -1, 1)
    Tensor([-1. ,  0.5,  1. ])
    """
    if min is not None and max is not None:
        return np.clip(x, min, max)  # one pass instead of two
    if min is not None:
        x = np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


def _clip_x(g, out, x, min, max):
    if min is None or max is None:
        return g if min is max else where(less_equal(x, max) if min is None else greater_equal(x, min), g, 0)
    return where(logical_and(greater_equal(x, min), less_equal(x, max)), g, 0)


def _clip_min(g, out, x, min, max):
    g = where(less(x, min), g, 0)
    return g if max is None else where(less_equal(min, max), g, 0)


def _clip_max(g, out, x, min, max):
    return where(greater(x if min is None else maximum(x, min), max), g, 0)


clip.defvjp(_clip_x, _clip_min, _clip_max)


# ------------------------------------------------------------------------------------------------- kind


@op(cases=[case((2, 3), dtype="float64"), case((), dtype="float64")])
def astype(x, *, dtype, copy=True, device=None):
    """The same numbers in another dtype. Slope: 1, in the dtype of ``x``; 0 for whole numbers.

    ``copy`` and ``device`` are the array API's; values never change, so a copy is never needed. Raises ``TypeError`` for
    complex numbers that would lose their imaginary part.

    >>> astype(Tensor([1.0, 2.0]), dtype="float32")
    Tensor([1., 2.], dtype=float32)
    """
    x = np.asarray(x)
    if x.dtype.kind == "c" and np.dtype(dtype).kind not in "cb":
        raise TypeError(f"complex numbers do not fit into {np.dtype(dtype)}: take their real(), imag() or abs() first")
    if device not in (None, "cpu"):
        raise ValueError(f"there is no device {device!r}; everything is on 'cpu'")
    return x.astype(dtype, copy=False)


astype.defvjp(lambda g, out, x, dtype, copy, device: g if np.dtype(dtype).kind in "fc" else None)


def as_float(x: Any) -> Any:
    """x as an array of floats: whole numbers, which would wrap around or overflow in a formula, as float64."""
    x = x if hasattr(x, "dtype") else np.asarray(x)
    return x if x.dtype.kind in "fc" else x.astype(np.float64)
