"""Matrices without an inverse: pseudo-inverse, least squares, rank, condition.

Singular values at or below a bound, ``rtol`` times the largest, count as 0. Where small changes change the rank there is no derivative;
the rules hold as long as it stays the same.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from ..domain import INVERTIBLE, REAL, case
from ..op import op
from .choice import where
from .decompositions import linalg_svd, linalg_svdvals
from .matrices import MATRICES, adjoint, square_matrices, steepest
from .norms import linalg_matrix_norm
from .reduction import max, min
from .shape import as_array, expand_dims
from .solving import linalg_inv

LstsqResult = namedtuple("LstsqResult", ["solution", "residuals", "rank", "singular_values"])


@op(label="pseudo-inverse", domain=[INVERTIBLE], cases=(case((3, 3)), case((4, 2)), case((2, 4)), case((2, 3, 2)), case((0, 2, 2))), fits=MATRICES)
def linalg_pinv(x, *, rtol=None, hermitian=False):
    """Pseudo-inverse of each matrix: the inverse where there is one, else what comes nearest to it.

    Slope: d(x⁺) = -x⁺·dx·x⁺ + x⁺·x⁺ᴴ·dxᴴ·(1 - x·x⁺) + (1 - x⁺·x)·dxᴴ·x⁺ᴴ·x⁺, where the rank stays the same.

    >>> linalg_pinv(Tensor([[2.0], [0.0]]))
    Tensor([[0.5, 0. ]])
    """
    x = np.asarray(x)
    return np.linalg.pinv(x, rcond=_bound(x) if rtol is None else rtol, hermitian=hermitian)


def _bound(x: Any) -> float:
    """The usual bound: as large as rounding errors may be."""
    return int(np.maximum(*x.shape[-2:])) * float(np.finfo(x.dtype if x.dtype.kind in "fc" else np.float64).eps)


@steepest
def _pinv(g, out, x, rtol, hermitian):
    back, turned = adjoint(out), adjoint(g)
    slope = (turned - x @ (out @ turned)) @ out @ back - back @ g @ back
    return slope + back @ out @ (turned - (turned @ out) @ x)


linalg_pinv.defvjp(_pinv)


@op(
    label="least squares",
    domain=[INVERTIBLE, REAL],
    cases=(case((4, 2), (4,)), case((4, 2), (4, 3)), case((2, 3), (2, 2)), case((3, 3), (3,)), case((2, 4, 2), (2, 4, 1))),
    fits="a holds matrices, and b as many rows as they; a b of one axis is a vector, any other holds matrices",
)
def linalg_lstsq(a, b, *, rcond=None):
    """The x for which a @ x is nearest to b (the smallest, if there are several), with what remains, a's rank and its singular values.

    What remains, Σ|b - a·x|² for each column, is given where a has more rows than columns and these are independent, else it is empty.
    Slope in b: that of a⁺·b; in a it has terms for the remainder too. It holds where the rank stays the same.

    >>> linalg_lstsq(Tensor([[1.0], [1.0]]), Tensor([1.0, 2.0]))[:2]
    (Tensor([1.5]), Tensor([0.5]))
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim == 2 and b.ndim <= 2:
        return LstsqResult(*map(np.asarray, np.linalg.lstsq(a, b, rcond)))
    (columns,) = _as_columns(b, b)
    x = linalg_pinv.forward(a, rtol=rcond) @ columns
    s = np.linalg.svd(a, compute_uv=False)
    rank = np.sum(s > (_bound(a) if rcond is None else rcond) * s[..., :1], axis=-1)
    m, n = a.shape[-2:]
    rest = np.sum(np.abs(columns - a @ x) ** 2, axis=-2) if m > n and np.all(rank == n) else np.zeros(0, s.dtype)
    return LstsqResult(x[..., 0] if b.ndim == 1 else x, rest, rank, s)


def _as_columns(b: Any, *others: Any) -> tuple[Any, ...]:
    """The others as matrices of columns, where b is a vector."""
    return tuple(expand_dims(x, axis=-1) for x in others) if b.ndim == 1 else others


def _remainder(g, out, a, b):
    """b - a·x, the same times twice the gradient of its square, and the solution with its gradient: all as columns."""
    columns, x, gx = _as_columns(b, b, out[0], g[0])
    r = columns - a @ x
    return r, (2 * r * expand_dims(g[1], axis=-2) if out[1].size else None), x, gx


@steepest
def _lstsq_a(g, out, a, b, rcond):
    r, g_rest, x, gx = _remainder(g, out, a, b)
    inverse = linalg_pinv(a, rtol=rcond)
    back = adjoint(inverse) @ gx
    null = gx - inverse @ (a @ gx)  # the part of the gradient in directions that a does not see
    slope = r @ adjoint(inverse @ back) - back @ adjoint(x) + adjoint(inverse) @ x @ adjoint(null)
    if g_rest is not None:
        slope = slope - g_rest @ adjoint(x)
    if type(g[3]) is np.ndarray and not g[3].any():
        return slope
    u, _, vh = linalg_svd(a, full_matrices=False)
    return slope + (u * expand_dims(g[3], axis=-2)) @ vh


@steepest
def _lstsq_b(g, out, a, b, rcond):
    _, g_rest, _, gx = _remainder(g, out, a, b)
    slope = adjoint(linalg_pinv(a, rtol=rcond)) @ gx
    slope = slope if g_rest is None else slope + g_rest
    return slope[..., 0] if b.ndim == 1 else slope


linalg_lstsq.defvjp(_lstsq_a, _lstsq_b)


@op(label="rank", domain=[INVERTIBLE], cases=(case((3, 3)), case((4, 2)), case((2, 2, 3))), fits=MATRICES)
def linalg_matrix_rank(x, *, rtol=None, tol=None, hermitian=False):
    """How many singular values of each matrix are larger than ``rtol`` times the largest (or than ``tol``). No gradient.

    >>> linalg_matrix_rank(Tensor([[1.0, 2.0], [2.0, 4.0]]))
    Tensor(1)
    """
    return np.linalg.matrix_rank(x, tol, hermitian) if rtol is None else np.linalg.matrix_rank(x, rtol=rtol, hermitian=hermitian)


def linalg_cond(x, p=None):
    """Condition of each matrix: the largest singular value by the smallest, or for another norm ``p`` the norm of x times that of x⁻¹.

    Infinite for a matrix without inverse. A derivative exists where those of the norms do.

    >>> linalg_cond(Tensor([[2.0, 0.0], [0.0, 4.0]]))
    Tensor(2.)
    """
    x = as_array(x)
    if p in (None, 2, -2):
        s = linalg_svdvals(x)
        largest, smallest = max(s, axis=-1), min(s, axis=-1)
        return largest / smallest if p != -2 else smallest / largest
    x = square_matrices(x, "cond")
    try:
        inverse = linalg_inv(x)
    except np.linalg.LinAlgError:
        return where(np.False_, linalg_matrix_norm(x, ord=p), np.inf)
    return linalg_matrix_norm(x, ord=p) * linalg_matrix_norm(inverse, ord=p)
