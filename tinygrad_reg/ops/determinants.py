"""Determinants, and what their slopes are made of."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from ..domain import INVERTIBLE
from ..mode import capturing
from ..op import op
from .choice import where
from .complexes import imag, is_complex
from .decompositions import linalg_svd
from .matrices import SQUARE, SQUARES, adjoint
from .reduction import sum
from .seen import by_numbers, values
from .shape import expand_dims
from .solving import linalg_inv

SlogdetResult = namedtuple("SlogdetResult", ["sign", "logabsdet"])


@op(label="det", domain=[INVERTIBLE], cases=SQUARES, fits=SQUARE)
def linalg_det(x):
    """Determinant of each square matrix. Slope: the cofactors, which for matrices with an inverse are det(x)·x⁻ᵀ.

    >>> linalg_det(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor(-2.)
    """
    return np.linalg.det(x)


@op(label="cofactors", domain=[INVERTIBLE], cases=SQUARES, fits=SQUARE)
def linalg_cofactors(x):
    """Cofactors of each square matrix, which are the slopes of its determinant; also where there is no inverse.

    Slope: by inverses, or where there is none by singular values; third derivatives there need singular values that differ.

    >>> linalg_cofactors(Tensor([[1.0, 2.0], [2.0, 4.0]]))
    Tensor([[ 4., -2.],
            [-2.,  1.]])
    """
    x = np.asarray(x)
    inverse = _inverse(x)
    if inverse is not None:
        return np.linalg.det(x)[..., None, None] * inverse.mT
    usable = np.isfinite(x).all(axis=(-2, -1), keepdims=True)
    u, s, vh = np.linalg.svd(np.where(usable, x, 0))
    others = np.where(np.eye(x.shape[-1], dtype=bool), 1, s[..., None, :]).prod(axis=-1)
    found = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None] * np.conj((u * others[..., None, :]) @ vh)
    return np.where(usable, found, np.nan)


def _inverse(x: Any) -> Any:
    """The inverses, or None if some matrix has none that is worth its digits."""
    try:
        inverse = np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return None
    with np.errstate(all="ignore"):  # an inverse may be infinite
        sizes = np.linalg.matrix_norm(x, ord=1) * np.linalg.matrix_norm(inverse, ord=1)
        return inverse if np.all(sizes < 1e-2 / np.finfo(inverse.dtype).eps) else None


def _det(g, out, x):
    inverse = None if capturing() else _inverse(values(x))  # a captured step may meet either kind, and cofactors are right for both
    if inverse is None:
        return expand_dims(g, axis=(-2, -1)) * linalg_cofactors(x)
    return expand_dims(g * out, axis=(-2, -1)) * (inverse if x is values(x) else linalg_inv(x)).mT


linalg_det.defvjp(_det)


def _cofactors(g, out, x):
    if capturing():
        _refuse_singular(x)
    elif _inverse(values(x)) is None:
        return _cofactors_by_singular_values(g, x)
    y = linalg_inv(x).mT
    slope = sum(g * y, axis=(-2, -1), keepdims=True) * y - y @ g.mT @ y
    return expand_dims(linalg_det(x), axis=(-2, -1)) * slope


@by_numbers(refuses=True)
def _refuse_singular(x: Any) -> Any:
    if _inverse(x) is None:
        raise np.linalg.LinAlgError("det: a matrix has no inverse; its second derivative is known in eager mode only, not in a compiled function.")
    return x


def _cofactors_by_singular_values(g, x):
    """The second derivative of a determinant, where x is diagonal: products of all singular values but two."""
    u, s, vh = linalg_svd(x, full_matrices=False)
    both = expand_dims(linalg_det(u) * linalg_det(vh), axis=(-2, -1))
    n = x.shape[-1]
    others = 1 - np.eye(n, dtype=x.dtype)
    for k in range(n):
        left_out = np.zeros((n, n), bool)
        left_out[k, :] = left_out[:, k] = True
        others = others * where(left_out, 1, s[..., k, None, None])
    h = adjoint(u) @ g @ adjoint(vh)
    on_diagonal = np.eye(n, dtype=bool)
    diagonal = sum(where(on_diagonal, h, 0), axis=-2, keepdims=True)
    inside = where(on_diagonal, sum(others * diagonal, axis=-1, keepdims=True), 0) - others * h.mT
    return both * (adjoint(u).mT @ inside @ adjoint(vh).mT)


linalg_cofactors.defvjp(_cofactors)


@op(label="log|det|", domain=[INVERTIBLE], cases=SQUARES, fits=SQUARE)
def linalg_slogdet(x):
    """Sign and logarithm of the size of each determinant, which itself may be too large or small for a float.

    Slope of the logarithm: x⁻ᵀ, which exists where there is an inverse; that of the sign is 0 for real numbers.
    The rule raises ``numpy.linalg.LinAlgError`` for a matrix without inverse.

    >>> linalg_slogdet(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    SlogdetResult(sign=Tensor(-1.), logabsdet=Tensor(0.6931))
    """
    return SlogdetResult(*np.linalg.slogdet(x))


def _slogdet(g, out, x):
    g_sign, g_log = g
    if is_complex(x):
        g_log = g_log + imag(g_sign * out[0]) * 1j  # the sign is exp(iθ), and turns as the imaginary part of the logarithm
    return expand_dims(g_log, axis=(-2, -1)) * linalg_inv(x).mT


linalg_slogdet.defvjp(_slogdet)
