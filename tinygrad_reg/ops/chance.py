"""Operations that draw random numbers while they compute, from the generator or seed ``rng``, or from the default one (``tg.manual_seed``)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..domain import REAL, case
from ..generators import generator
from ..op import expression, op
from .choice import greater_equal, where
from .complexes import of_reals, refuse_complex
from .elementwise import as_float
from .neural import softmax
from .seen import values
from .shape import as_array


@op(label="Gumbel", cases=(case((2, 3), rng=0), case((), rng=1), case((0,), rng=0)))
@of_reals
def gumbel_noise(x, *, rng=None):
    """Random numbers of Gumbel's distribution, -log(-log u), for every element of x. Slope: 0.

    >>> gumbel_noise(Tensor([0.0]), rng=0)
    Tensor([-0.0132])
    """
    x = as_float(x)
    return np.asarray(generator(rng).gumbel(size=x.shape)).astype(x.dtype)


gumbel_noise.zero_vjp()


@expression(cases=(case((2, 3), rng=0), case((3,), tau=0.5, rng=1), case((2, 3), axis=0, rng=0)))
def gumbel_softmax(logits, tau=1.0, hard=False, axis=-1, rng=None):
    """A random choice along ``axis`` by probabilities softmax(logits), made soft: softmax((logits + Gumbel noise)/tau); smaller ``tau`` is harder.

    With ``hard`` the result is 1 for the choice and 0 else, and keeps the soft one's gradient. Slope: that of softmax, divided by tau.

    Source: E. Jang et al. (2017), Categorical reparameterization with Gumbel-softmax, eq. 2 and section 2.2.

    >>> gumbel_softmax(Tensor([0.0, 1.0]), hard=True, rng=0)
    Tensor([0., 1.])
    """
    logits = as_array(logits)
    if not tau > 0:
        raise ValueError(f"gumbel_softmax: tau is {tau}; it must be above 0.")
    axis = normalize_axis_index(axis, logits.ndim, "gumbel_softmax")
    soft = softmax((logits + gumbel_noise(logits, rng=rng)) / tau, axis=axis)
    if not hard:
        return soft
    numbers = values(soft)
    chosen = np.arange(numbers.shape[axis]).reshape(-1, *(1,) * (numbers.ndim - axis - 1)) == np.argmax(numbers, axis, keepdims=True)
    return (chosen.astype(numbers.dtype) - numbers) + soft


@op(
    label="slopes",
    cases=(case((2, 3), lower=0.1, upper=0.4, rng=0), case((), lower=0.2, upper=0.2, rng=0)),
    fits="lower and upper must be finite, and lower no larger than upper",
)
@of_reals
def random_slopes(x, *, lower, upper, rng=None):
    """Random numbers, evenly spread from ``lower`` to ``upper``, for every element of x. Slope: 0.

    >>> random_slopes(Tensor([0.0]), lower=0.5, upper=0.5)
    Tensor([0.5])
    """
    x = as_float(x)
    if not -np.inf < lower <= upper < np.inf:
        raise ValueError(f"slopes from {lower} to {upper} were asked for")
    return np.asarray(generator(rng).uniform(lower, upper, x.shape)).astype(x.dtype)


random_slopes.zero_vjp()


@expression(domain=[REAL.with_kinks(0.0)], cases=(case((2, 3), rng=0), case((3,), training=False), case((), rng=0)))
def rrelu(x, lower=1 / 8, upper=1 / 3, training=True, rng=None):
    """x where it is not negative, else x times a random slope between ``lower`` and ``upper``; their mean if not ``training``.

    Slope: 1, or that random slope where x is negative; 1 at 0.

    >>> rrelu(Tensor([1.0, -6.0]), 0.5, 0.5)
    Tensor([ 1., -3.])
    """
    x = as_array(x)
    refuse_complex("rrelu", x)
    slope: Any = random_slopes(x, lower=lower, upper=upper, rng=rng) if training else (lower + upper) / 2
    return where(greater_equal(x, 0), x, x * slope)
