"""How far apart vectors lie, and how well their directions agree."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import REAL, case
from ..op import expression
from .choice import equal, greater, where
from .elementwise import abs, power, sqrt
from .reduction import max, sum
from .shape import broadcast_to
from .windows import shaped


@expression(cases=[case((3, 4), (3, 4)), case((2, 1, 3), (4, 3), axis=-1), case((3, 2), (3, 2), axis=0)])
def cosine_similarity(a, b, axis=-1, eps=1e-8):
    """Cosine of the angle between vectors along ``axis``: Σab/(‖a‖·‖b‖); lengths are taken as ``eps`` at least, so that of 0 it is 0.

    >>> cosine_similarity(Tensor([3.0, 4.0]), Tensor([4.0, 3.0]))
    Tensor(0.96)
    """
    a, b = _stretched(a, b), _stretched(b, a)
    return sum(a * b, axis=axis) / (_length(a, axis, eps) * _length(b, axis, eps))


def _stretched(x: Any, other: Any) -> Any:
    """x in the shape that both broadcast to, so that its length counts each repetition."""
    x, other = shaped(x), shaped(other)
    shape = np.broadcast_shapes(x.shape, other.shape)
    return x if x.shape == shape else broadcast_to(x, shape=shape)


def _length(x: Any, axis: int, eps: float) -> Any:
    squares = sum(x * x, axis=axis)
    return sqrt(where(greater(squares, eps * eps), squares, eps * eps))


@expression(
    domain=[REAL.with_ties()],
    cases=[case((3, 4), (3, 4)), case((2, 1, 3), (4, 3), p=1.0), case((2, 3), (2, 3), p=3.0, keepdims=True), case((2, 3), (2, 3), p=np.inf)],
)
def pairwise_distance(a, b, p=2.0, eps=1e-6, keepdims=False):
    """Length of a - b + eps along the last axis: (Σ|a - b + eps|^p)^(1/p), or the largest for p = ∞. Slope 0 at length 0.

    >>> pairwise_distance(Tensor([3.0, 4.0]), Tensor([0.0, 0.0]), eps=0.0)
    Tensor(5.)
    """
    if not p > 0:
        raise ValueError(f"pairwise_distance: p is {p}; it must be above 0.")
    gap = a - b + eps
    if p == 1:
        return sum(abs(gap), axis=-1, keepdims=keepdims)
    if p == np.inf:
        return max(abs(gap), axis=-1, keepdims=keepdims)
    total = sum(gap * gap if p == 2 else _power_of_size(gap, p), axis=-1, keepdims=keepdims)
    nothing = equal(total, 0)
    safe = where(nothing, 1, total)
    return where(nothing, 0, sqrt(safe) if p == 2 else power(safe, 1 / p))


def _power_of_size(x: Any, p: float) -> Any:
    nothing = equal(x, 0)
    return where(nothing, 0, power(where(nothing, 1, abs(x)), p))
