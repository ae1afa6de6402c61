"""Matrices taken apart into triangles by elimination: LU, of stacks of matrices, (..., m, n), too."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from ..domain import INVERTIBLE, case
from ..op import op
from .diagonals import tril, triu
from .elementwise import as_float
from .matrices import MATRICES, adjoint, steepest
from .seen import by_numbers
from .shape import concat
from .solving import linalg_solve_triangular

LUResult = namedtuple("LUResult", ["P", "L", "U"])


@op(label="LU", domain=[INVERTIBLE], cases=(case((3, 3)), case((4, 2)), case((2, 4)), case((2, 3, 3)), case((1, 1)), case((0, 2, 2))), fits=MATRICES)
def linalg_lu(x):
    """P, a permutation, L, lower triangular with ones on its diagonal, and U, upper triangular, with P @ L @ U = x; rows are swapped for pivots.

    Slopes: with H = L⁻¹·Pᵀ·dx·U⁻¹, of L its lower triangle L·H₋ and of U its upper one H₊·U; P is constant. A derivative exists where the first
    min(m, n) columns of Pᵀ·x have independent rows, as invertible ones do; else the rule raises ``numpy.linalg.LinAlgError``.

    >>> linalg_lu(Tensor([[1.0, 2.0], [4.0, 4.0]])).U
    Tensor([[4., 4.],
            [0., 1.]])
    """
    u = as_float(x).copy()
    if u.ndim < 2:
        raise ValueError(f"an array of shape {u.shape} holds no matrices")
    *_, m, n = u.shape
    k = min(m, n)
    rows = np.broadcast_to(np.arange(m), u.shape[:-1]).copy()
    for i in range(k):
        _swap(u, rows, i)
        pivot = u[..., i : i + 1, i]
        u[..., i + 1 :, i] /= np.where(pivot == 0, 1, pivot)  # a column of zeros stays one
        u[..., i + 1 :, i + 1 :] -= u[..., i + 1 :, i : i + 1] * u[..., i : i + 1, i + 1 :]
    lower = np.tril(u[..., :k], -1) + np.eye(m, k, dtype=u.dtype)
    permutation = np.asarray(rows[..., None, :] == np.arange(m)[:, None]).astype(u.dtype)
    return LUResult(permutation, lower, np.triu(u[..., :k, :]))


def _swap(u: Any, rows: Any, i: int) -> None:
    """Bring the largest number of column i, from row i on, to row i, in every matrix."""
    best = (i + np.argmax(_size(u[..., i:, i]), axis=-1))[..., None]
    order = np.broadcast_to(np.arange(u.shape[-2]), u.shape[:-1]).copy()
    np.put_along_axis(order, best, i, -1)
    order[..., i : i + 1] = best
    u[...] = np.take_along_axis(u, order[..., None], -2)
    rows[...] = np.take_along_axis(rows, order, -1)


def _size(z: Any) -> Any:
    """How large a number counts as a pivot: for complex ones as in LAPACK."""
    return np.absolute(z.real) + np.absolute(z.imag) if z.dtype.kind == "c" else np.absolute(z)


@steepest
def _lu(g, out, x):
    (_, gl, gu), (p, lower, upper) = g, out
    k = lower.shape[-1]
    _refuse_small_pivots(upper, k=k)
    l1, u1 = lower[..., :k, :], upper[..., :k]
    from_l, from_u = gl[..., :k, :], gu[..., :k]
    parts = []
    if lower.shape[-2] > k:  # L₂ = A₂·U₁⁻¹
        below = adjoint(linalg_solve_triangular(u1, adjoint(gl[..., k:, :]), upper=True))
        parts.append(below)
        from_u = from_u - adjoint(lower[..., k:, :]) @ below
    if upper.shape[-1] > k:  # U₂ = L₁⁻¹·A₂
        beside = linalg_solve_triangular(adjoint(l1), gu[..., k:], upper=True, unit_diagonal=True)
        from_l = from_l - beside @ adjoint(upper[..., k:])
    inside = tril(adjoint(l1) @ from_l, k=-1) + triu(from_u @ adjoint(u1))
    inside = linalg_solve_triangular(adjoint(l1), inside, upper=True, unit_diagonal=True)
    slope = adjoint(linalg_solve_triangular(u1, adjoint(inside), upper=True))
    if upper.shape[-1] > k:
        slope = concat([slope, beside], axis=-1)
    return p @ concat([slope, *parts], axis=-2)


@by_numbers(refuses=True)
def _refuse_small_pivots(upper: Any, *, k: int) -> Any:
    pivots = np.absolute(np.diagonal(upper, axis1=-2, axis2=-1))
    if np.any(pivots <= k * np.finfo(pivots.dtype).eps * np.max(pivots, axis=-1, keepdims=True, initial=0)):
        raise np.linalg.LinAlgError("lu: a pivot is 0, as for a matrix without inverse, so L and U have no derivative there.")
    return pivots


linalg_lu.defvjp(_lu)
