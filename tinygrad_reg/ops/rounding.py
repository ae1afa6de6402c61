"""Operations that round numbers, take remainders, and treat signs and NaN.

Rounded numbers are flat between their jumps: the gradient is 0. A remainder moves with its first argument, with slope 1, and
jumps where the quotient is a whole number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import BOOLEAN, POSITIVE, REAL, case
from ..op import expression, op
from .bits import isinf
from .choice import equal, isfinite, nowhere, where
from .elementwise import sign

WHOLE = REAL.with_kinks(-2.0, -1.0, 0.0, 1.0, 2.0)
HALF = REAL.with_kinks(-1.5, -0.5, 0.5, 1.5)

# ------------------------------------------------------------------------------------------ rounding


@op(label="⌊·⌋", domain=[WHOLE])
def floor(x):
    """The largest whole number ≤ each element. Slope: 0.

    >>> floor(Tensor([1.5, -1.5]))
    Tensor([ 1., -2.])
    """
    return np.floor(x)


floor.zero_vjp()


@op(label="⌈·⌉", domain=[WHOLE])
def ceil(x):
    """The smallest whole number ≥ each element. Slope: 0.

    >>> ceil(Tensor([1.5, -1.5]))
    Tensor([ 2., -1.])
    """
    return np.ceil(x)


ceil.zero_vjp()


@op(domain=[WHOLE], aliases=("fix",))
def trunc(x):
    """The whole number next to each element on the way to 0. Slope: 0.

    >>> trunc(Tensor([1.5, -1.5]))
    Tensor([ 1., -1.])
    """
    return np.trunc(x)


trunc.zero_vjp()


@op(domain=[HALF], cases=(case((2, 3)), case(()), case((0, 2)), case((2, 3), decimals=1), case((3,), decimals=-1)), aliases=("around",))
def round(x, *, decimals=0):
    """Each element rounded to ``decimals`` digits after the point, halves to the even digit. Slope: 0.

    >>> round(Tensor([0.5, 1.5, 2.25]))
    Tensor([0., 2., 2.])
    """
    return np.round(x, decimals)


round.zero_vjp()


@op(domain=[HALF])
def rint(x):
    """The whole number nearest to each element, of two the even one. Slope: 0.

    >>> rint(Tensor([0.5, 1.5, 2.25]))
    Tensor([0., 2., 2.])
    """
    return np.rint(x)


rint.zero_vjp()

# --------------------------------------------------------------------------------------- remainders


@op(label="//", domain=[REAL.with_kinks(0.0), POSITIVE])
def floor_divide(a, b):
    """Whole part of the quotient, rounded down: ⌊a/b⌋. Slopes: 0.

    >>> floor_divide(Tensor([7.0, -7.0]), 2)
    Tensor([ 3., -4.])
    """
    return np.floor_divide(a, b)


floor_divide.zero_vjp()


def _quotient(a: Any, out: Any, b: Any) -> Any:
    """How often b was taken from a: whole but for rounding, and quicker than a division that rounds down."""
    return rint((a - out) / b)


@op(label="%", domain=[REAL.with_kinks(0.0), POSITIVE], aliases=("mod",))
def remainder(a, b):
    """What floor division leaves: a - ⌊a/b⌋·b, with the sign of b. Slopes: 1 and -⌊a/b⌋.

    >>> remainder(Tensor([7.0, -7.0]), 4)
    Tensor([3., 1.])
    """
    return np.remainder(a, b)


def _remainder_b(g, out, a, b):
    times, endless = _quotient(a, out, b), isinf(out)  # an infinite b is "taken" once from numbers of the other sign
    return -(g * (times if nowhere(endless) else where(endless, -1, times)))


remainder.defvjp(lambda g, out, a, b: g, _remainder_b)


@op(domain=[REAL.with_kinks(0.0), POSITIVE])
def fmod(a, b):
    """What division rounded to 0 leaves: a - trunc(a/b)·b, with the sign of a. Slopes: 1 and -trunc(a/b).

    >>> fmod(Tensor([7.0, -7.0]), 4)
    Tensor([ 3., -3.])
    """
    return np.fmod(a, b)


fmod.defvjp(lambda g, out, a, b: g, lambda g, out, a, b: -(g * _quotient(a, out, b)))


@expression()
def divmod(a, b):
    """Quotient rounded down, and what it leaves: ``(a // b, a % b)``. Slopes: of the quotient 0; of the remainder 1 in a and -(a // b) in b.

    >>> divmod(Tensor([7.0, -7.0]), 4)
    (Tensor([ 1., -2.]), Tensor([3., 1.]))
    """
    return floor_divide(a, b), remainder(a, b)


# -------------------------------------------------------------------------------------------- signs


@op(label="+")
def positive(x):
    """Each element as it is: +x. Slope: 1.

    >>> positive(Tensor([1.0, -2.0]))
    Tensor([ 1., -2.])
    """
    return np.positive(x)


positive.defvjp(lambda g, out, x: g)


@op(domain=[REAL.with_kinks(0.0)])
def signbit(x):
    """Whether each element has a minus sign, as -0.0 has. No gradient.

    >>> signbit(Tensor([1.0, -2.0, -0.0]))
    Tensor([False,  True,  True])
    """
    return np.signbit(x)


@op(domain=[REAL.with_kinks(0.0)])
def copysign(a, b):
    """The size of a with the sign of b. Slope in a: 1 or -1, as the sign was kept or turned, and 0 at a = 0; in b: 0.

    >>> copysign(Tensor([1.0, -2.0]), -1)
    Tensor([-1., -2.])
    """
    return np.copysign(a, b)


copysign.defvjp(lambda g, out, a, b: g * (sign(a) * sign(out)), None)


@op(domain=[BOOLEAN, REAL])  # the tests draw x from 0 and 1, so that it is 0 where only the second argument has a slope
def heaviside(x, value):
    """The step function: 0 where x < 0, ``value`` where x = 0, 1 where x > 0. Slopes: 0 in x, in ``value`` 1 where it is taken.

    >>> heaviside(Tensor([-1.0, 0.0, 1.0]), 0.5)
    Tensor([0. , 0.5, 1. ])
    """
    return np.heaviside(x, value)


heaviside.defvjp(None, lambda g, out, x, value: where(equal(x, 0), g, 0))

# ---------------------------------------------------------------------------------- NaN and neighbours


@op(label="max", domain=[REAL.with_ties()])
def fmax(a, b):
    """The larger of two arrays, element by element, or the one that is not NaN. Slope: 1 for what is taken, half each at a tie.

    >>> fmax(Tensor([1.0, float("nan")]), 0.5)
    Tensor([1. , 0.5])
    """
    return np.fmax(a, b)


@op(label="min", domain=[REAL.with_ties()])
def fmin(a, b):
    """The smaller of two arrays, element by element, or the one that is not NaN. Slope: 1 for what is taken, half each at a tie.

    >>> fmin(Tensor([1.0, float("nan")]), 0.5)
    Tensor([0.5, 0.5])
    """
    return np.fmin(a, b)


def _taken(g, out, mine, other):
    return where(equal(mine, out), where(equal(mine, other), g * 0.5, g), 0)


for _op in (fmax, fmin):
    _op.defvjp(_taken, lambda g, out, a, b: _taken(g, out, b, a))


@op(cases=(case((2, 3)), case(()), case((0, 2)), case((2, 3), nan=1.0, posinf=2.0, neginf=-2.0)))
def nan_to_num(x, *, copy=True, nan=0.0, posinf=None, neginf=None):
    """NaN as ``nan``, and infinities as given, or as the largest numbers that there are. Slope: 1, and 0 for what was replaced.

    ``copy`` is there for NumPy's sake: values never change in place.

    >>> nan_to_num(Tensor([1.0, float("nan"), float("inf")]), posinf=9.0)
    Tensor([1., 0., 9.])
    """
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


nan_to_num.defvjp(lambda g, out, x, **_: where(isfinite(x), g, 0))


@op()
def nextafter(a, b):
    """The next number after a on the way to b. Slopes: 1 in a, 0 in b.

    >>> nextafter(Tensor([1.0]), 2) - 1 > 0
    Tensor([ True])
    """
    return np.nextafter(a, b)


nextafter.defvjp(lambda g, out, a, b: g, None)
