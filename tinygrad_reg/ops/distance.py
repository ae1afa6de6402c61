"""How far apart vectors lie, and how well their directions agree."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import REAL, case
from ..op import expression
from .choice import less_equal, where
from .complexes import refuse_complex
from .norms import linalg_vector_norm
from .placing import take
from .reduction import sum
from .shape import as_floats, broadcast_to, expand_dims
from .windows import shaped


@expression(cases=[case((3, 4), (3, 4)), case((2, 1, 3), (4, 3), axis=-1), case((3, 2), (3, 2), axis=0)])
def cosine_similarity(a, b, axis=-1, eps=1e-8):
    """Cosine of the angle between vectors along ``axis``: Σab/(‖a‖·‖b‖); lengths are taken as ``eps`` at least, so that of 0 it is 0.

    Slope in a: (b/‖b‖ - out·a/‖a‖)/‖a‖, or b/(eps·‖b‖) where ‖a‖ ≤ eps; in b likewise.

    >>> cosine_similarity(Tensor([3.0, 4.0]), Tensor([4.0, 3.0]))
    Tensor(0.96)
    """
    refuse_complex("cosine_similarity", a, b)
    a, b = _stretched(a, b), _stretched(b, a)
    return sum(a / _length(a, axis, eps) * (b / _length(b, axis, eps)), axis=axis)  # their product might overflow


def _stretched(x: Any, other: Any) -> Any:
    """x in the shape that both broadcast to, so that its length counts each repetition."""
    x, other = shaped(x), shaped(other)
    shape = np.broadcast_shapes(x.shape, other.shape)
    return x if x.shape == shape else broadcast_to(x, shape=shape)


def _length(x: Any, axis: int, eps: float) -> Any:
    length = linalg_vector_norm(x, axis=axis, keepdims=True)
    return where(less_equal(length, eps), eps, length)


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
    return linalg_vector_norm(as_floats(a) - as_floats(b) + eps, axis=-1, keepdims=keepdims, ord=p)


_ALL_PAIRS = (
    case((3, 4), (2, 4)),
    case((2, 1, 3), (4, 3), p=1.0),
    case((2, 3), (2, 3), p=3.0),
    case((2, 3), (3, 3), p=np.inf),
    case((2, 3), (2, 3), p=1.5),
    case((0, 3), (2, 3)),
)


@expression(domain=[REAL.with_ties()], cases=_ALL_PAIRS)
def cdist(a, b, p=2.0):
    """Distance of each vector of a from each of b, (…, m, d) and (…, n, d) to (…, m, n): (Σ|a - b|^p)^(1/p), the largest for p = ∞.

    For p = 0 it is in how many places they differ. Slopes: sign(a - b)·(|a - b|/out)^(p-1) in a, minus that in b; 0 at distance 0, and for p = 0.

    >>> cdist(Tensor([[0.0, 0.0], [3.0, 0.0]]), Tensor([[3.0, 4.0]]))
    Tensor([[5.],
            [4.]])
    """
    a, b = as_floats(a), as_floats(b)
    refuse_complex("cdist", a, b)
    if not p >= 0:
        raise ValueError(f"cdist: p is {p}; it must be 0 or more.")
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ValueError(f"cdist: a has shape {a.shape} and b has shape {b.shape}; give rows of vectors (…, m, d) and (…, n, d) with one d.")
    return linalg_vector_norm(expand_dims(a, axis=-2) - expand_dims(b, axis=-3), axis=-1, ord=p)


@expression(domain=[REAL.with_ties()], cases=(case((4, 3)), case((3, 2), p=1.0), case((3, 2), p=np.inf), case((1, 3))))
def pdist(x, p=2.0):
    """Distances between the rows of x, each pair once: those of cdist(x, x) above the diagonal, row by row. Slopes: those of cdist.

    >>> pdist(Tensor([[0.0], [1.0], [5.0]]))
    Tensor([1., 5., 4.])
    """
    x = as_floats(x)
    refuse_complex("pdist", x)
    if not p >= 0:
        raise ValueError(f"pdist: p is {p}; it must be 0 or more.")
    if x.ndim != 2:
        raise ValueError(f"pdist: x has shape {x.shape}; it holds a vector in each row, (n, d).")
    rows, others = np.triu_indices(x.shape[0], 1)
    return linalg_vector_norm(take(x, rows, axis=0) - take(x, others, axis=0), axis=-1, ord=p)
