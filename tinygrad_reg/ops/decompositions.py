"""Decompositions of matrices: Cholesky, QR, singular values; of stacks, (..., m, n), too.

Values and vectors have derivatives where they are told apart: vectors where no two of their values are equal. Vectors are known up to a sign
(real) or a turn in the complex plane only; what is computed from them should not depend on it, and where it does, rules raise an error.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from ..domain import INVERTIBLE, POSITIVE_DEFINITE, case
from ..op import op
from .choice import where
from .complexes import imag, is_complex, real
from .diagonals import diag_embed, diagonal, triu
from .matrices import MATRICES, SQUARE, SQUARES, adjoint, hermitian, steepest
from .seen import by_numbers
from .shape import concat, expand_dims
from .solving import linalg_solve_triangular

QRResult = namedtuple("QRResult", ["Q", "R"])
SVDResult = namedtuple("SVDResult", ["U", "S", "Vh"])


# ------------------------------------------------------------------------------------------------ triangles


@op(label="cholesky", domain=[POSITIVE_DEFINITE], cases=(*SQUARES, case((3, 3), upper=True)), fits=SQUARE + ", symmetric and positive definite")
def linalg_cholesky(x, *, upper=False):
    """The lower triangular L with L·Lᴴ = x, or the upper one with Lᴴ·L = x, for symmetric positive definite matrices.

    Slope: that of (x + xᴴ)/2, L⁻ᴴ·Φ(Lᴴ·g)·L⁻¹ made symmetric, where Φ is the lower triangle with half its diagonal.
    Raises ``ValueError`` for a matrix that is not symmetric, ``numpy.linalg.LinAlgError`` if it is not positive definite.

    >>> linalg_cholesky(Tensor([[4.0, 2.0], [2.0, 5.0]]))
    Tensor([[2., 0.],
            [1., 2.]])
    """
    return np.linalg.cholesky(hermitian(x), upper=upper)


@steepest
def _cholesky(g, out, x, upper):
    factor, g = (adjoint(out), adjoint(g)) if upper else (out, g)
    inside = adjoint(factor) @ g
    n = x.shape[-1]
    inside = inside * (np.tri(n, dtype=g.dtype) - np.eye(n, dtype=g.dtype) / 2)
    half = linalg_solve_triangular(adjoint(factor), inside, upper=True)
    slope = linalg_solve_triangular(adjoint(factor), adjoint(half), upper=True)
    return (slope + adjoint(slope)) / 2


linalg_cholesky.defvjp(_cholesky)

_QR = (case((3, 3)), case((4, 2)), case((2, 4)), case((2, 3, 2)), case((3, 3), mode="complete"), case((2, 3), mode="complete"))


@op(label="QR", domain=[INVERTIBLE], cases=_QR, fits=MATRICES + ', and mode must be "reduced" or "complete"')
def linalg_qr(x, *, mode="reduced"):
    """Q with orthonormal columns and R, upper triangular, with Q @ R = x; ``mode="complete"`` makes Q square.

    Slopes: of Q, Q·S + (dx - Q·Qᵀ·dx)·R⁻¹, and of R, (Qᵀ·dx·R⁻¹ - S)·R, where S is the skew matrix with the lower triangle of Qᵀ·dx·R⁻¹.
    A derivative exists where the first min(m, n) columns of x are independent (else ``numpy.linalg.LinAlgError``). The columns that
    ``"complete"`` adds to Q are any that fit, so they have none: the rule raises ``ValueError`` if a gradient comes from them.

    >>> linalg_qr(Tensor([[0.0, 2.0], [1.0, 3.0]])).R
    Tensor([[-1., -3.],
            [ 0., -2.]])
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"mode={mode!r} is not known")
    return QRResult(*np.linalg.qr(x, mode))


@steepest
def _qr(g, out, x, mode):
    (gq, gr), (q, r) = g, out
    m, n = x.shape[-2:]
    k = min(m, n)
    _refuse(gq[..., k:], name="qr", what=f"columns {k} to {m - 1} of Q, which any orthonormal ones could be")
    gq, gr, q, r = gq[..., :k], gr[..., :k, :], q[..., :k], r[..., :k, :]
    if n == k:
        return _qr_tall(gq, gr, q, r)
    rest = gr[..., k:]
    first = _qr_tall(gq + x[..., k:] @ adjoint(rest), gr[..., :k], q, r[..., :k])
    return concat([first, q @ rest], axis=-1)


def _qr_tall(gq, gr, q, r):
    _refuse_dependent(r)
    inside = gr @ adjoint(r) - adjoint(q) @ gq
    above = triu(inside, k=1)
    inside = above + adjoint(above) + diag_embed(real(_diagonal(inside)))
    return adjoint(linalg_solve_triangular(r, adjoint(gq + q @ inside), upper=True))


@by_numbers(refuses=True)
def _refuse_dependent(r: Any) -> Any:
    sizes = np.absolute(np.diagonal(r, axis1=-2, axis2=-1))
    if np.any(sizes <= r.shape[-1] * np.finfo(sizes.dtype).eps * np.max(sizes, axis=-1, keepdims=True, initial=0)):
        raise np.linalg.LinAlgError("qr: the columns of a matrix are not independent, so Q and R have no derivative there.")
    return sizes


linalg_qr.defvjp(_qr)

# -------------------------------------------------------------------------------------------- when rules hold


def _diagonal(x: Any) -> Any:
    return diagonal(x, axis1=-2, axis2=-1)


def absent(g: Any) -> bool:
    """Whether no gradient came for this result: the walk gives zeros then, as an array."""
    return type(g) is np.ndarray and not g.any()


@by_numbers(refuses=True)
def _refuse(g: Any, *, name: str, what: str) -> Any:
    if np.any(g):
        raise ValueError(f"{name}: a gradient came from {what}; it does not exist. Compute from what is determined only.")
    return g


def reads(g: Any) -> Any:
    """Which columns a result was computed from: those with a gradient (all, if the gradient is a variable that happens to be 0)."""
    return _columns_read(g, variable=getattr(g, "requires_grad", False))


@by_numbers
def _columns_read(g: Any, *, variable: bool) -> Any:
    columns = np.any(g != 0, axis=-2)
    return columns if columns.any() or not variable else np.ones_like(columns)


def gaps(v: Any, read: Any, name: str, what: str) -> Any:
    """1/(v_j - v_i) off the diagonal, 0 on it; an error if two equal values stand beside vectors that were read."""
    apart = _without_gap(v, read, name=name, what=what)
    gap = expand_dims(v, axis=-2) - expand_dims(v, axis=-1)
    return where(apart, 0, 1 / where(apart, 1, gap))


@by_numbers(refuses=True)
def _without_gap(v: Any, read: Any, *, name: str, what: str) -> Any:
    n = v.shape[-1]
    differences = np.absolute(v[..., None, :] - v[..., None])
    largest = np.max(np.absolute(v), axis=-1, initial=0)[..., None, None]
    equal = ~np.eye(n, dtype=bool) & (differences <= n * np.finfo(v.dtype).eps * largest)
    confused = np.argwhere(equal & (read[..., None, :] | read[..., None]))
    if len(confused):
        *stack, i, j = map(int, confused[0])
        raise ValueError(
            f"{name}: {what} {i} and {j} are equal ({v[(*stack, i)]:.4g}), so their vectors may be turned into each other and have "
            "no derivative. Compute from the values only, or from vectors whose values differ."
        )
    return equal | np.eye(n, dtype=bool)


@by_numbers(refuses=True)
def check_phase(phase: Any, scale: Any, *, name: str) -> Any:
    """An error if a result depends on how complex vectors are turned, as ``phase`` says."""
    size = np.max(np.absolute(phase), initial=0)
    largest = np.max(np.absolute(scale), initial=0)
    if size > 1e-3 * largest and size > np.sqrt(np.finfo(phase.dtype).eps):
        raise ValueError(
            f"{name}: the gradient says that a result changes when a complex vector is multiplied by a number of size 1. The vectors are known up "
            "to such a number only, so that result has no derivative; compute from sizes, or from products like v @ vᴴ."
        )
    return size


# --------------------------------------------------------------------------------------------- singular values

_SVD = (case((3, 3)), case((4, 2)), case((2, 4)), case((2, 3, 2)), case((3, 3), full_matrices=True), case((1, 1)), case((0, 2, 2)))


@op(label="SVD", domain=[INVERTIBLE], cases=tuple(c if c.settings else case(*c.shapes, full_matrices=False) for c in _SVD), fits=MATRICES)
def linalg_svd(x, *, full_matrices=True):
    """Singular values S, largest first, and orthonormal U and Vh with x = U·diag(S)·Vh.

    ``full_matrices`` makes U and Vh square. Slope of the values: those of x's part along their vectors, U·diag(g)·Vh.
    The vectors have a derivative where their values differ from all others and, unless x is square, from 0. They are known up to a
    sign (complex: a phase), and those that ``full_matrices`` adds are any that fit. Else the rule raises ``ValueError``.

    >>> linalg_svd(Tensor([[0.0, 2.0], [1.0, 0.0]])).S
    Tensor([2., 1.])
    """
    return SVDResult(*np.linalg.svd(x, full_matrices=full_matrices))


@steepest
def _svd(g, out, x, full_matrices):
    (gu, gs, gvh), (u, s, vh) = g, out
    k = s.shape[-1]
    _refuse(gu[..., k:], name="svd", what=f"the columns of U from {k} on, which any orthonormal ones could be")
    _refuse(gvh[..., k:, :], name="svd", what=f"the rows of Vh from {k} on, which any orthonormal ones could be")
    gu, u, gvh, vh = gu[..., :k], u[..., :k], gvh[..., :k, :], vh[..., :k, :]
    if absent(gu) and absent(gvh):
        return (u * expand_dims(gs, axis=-2)) @ vh
    return _svd_vectors(gu, gs, gvh, u, s, vh)


def _svd_vectors(gu, gs, gvh, u, s, vh):
    read = reads(gu) | reads(gvh.mT)
    columns, rows = expand_dims(s, axis=-2), expand_dims(s, axis=-1)
    inverse_gaps = gaps(s, read, "svd", "singular values")
    turn_u, turn_v = adjoint(u) @ gu, vh @ adjoint(gvh)
    odd_u, odd_v = turn_u - adjoint(turn_u), turn_v - adjoint(turn_v)
    both = where(inverse_gaps == 0, 1, columns + rows)  # s_j² - s_i² = (s_j - s_i)·(s_j + s_i)
    inside = (odd_u * columns + odd_v * rows) * (inverse_gaps / both) + diag_embed(gs)
    tall, wide = u.shape[-2] > s.shape[-1], vh.shape[-1] > s.shape[-1]
    if tall or wide or is_complex(u):
        inverse = 1 / _not_zero(columns, read)
    if is_complex(u):
        check_phase(imag(_diagonal(odd_u + odd_v)), odd_u, name="svd")
        inside = inside + diag_embed(_diagonal(odd_u * inverse) / 2)
    slope = u @ inside @ vh
    if tall:
        slope = slope + ((gu - u @ turn_u) * inverse) @ vh
    if wide:
        slope = slope + (u * inverse) @ (gvh - adjoint(turn_v) @ vh)
    return slope


def _not_zero(s: Any, read: Any) -> Any:
    """s, with 1 for zeros whose vectors were not read; an error where they were."""
    return where(_zeros_unread(s, read), 1, s)


@by_numbers(refuses=True)
def _zeros_unread(s: Any, read: Any) -> Any:
    zero = s <= s.shape[-1] * np.finfo(s.dtype).eps * np.max(s, axis=-1, keepdims=True, initial=0)
    if np.any(zero & read[..., None, :]):
        raise ValueError(
            "svd: a singular value is 0, so its vectors have no derivative. Compute from the values only, or from vectors of other values."
        )
    return zero


linalg_svd.defvjp(_svd)


@op(label="singular values", domain=[INVERTIBLE], cases=(case((3, 3)), case((4, 2)), case((2, 4)), case((2, 3, 2)), case((0, 2, 2))), fits=MATRICES)
def linalg_svdvals(x):
    """Singular values of each matrix, largest first. Slope: U·diag(g)·Vh, where a value that is 0 has slope 0.

    >>> linalg_svdvals(Tensor([[0.0, 2.0], [1.0, 0.0]]))
    Tensor([2., 1.])
    """
    return np.linalg.svd(x, compute_uv=False)


@steepest
def _svdvals(g, out, x):
    u, s, vh = linalg_svd(x, full_matrices=False)
    return (u * expand_dims(where(s == 0, 0, g), axis=-2)) @ vh


linalg_svdvals.defvjp(_svdvals)
