"""Linear algebra: products of matrices and vectors."""

from __future__ import annotations

import numpy as np

from ..domain import case
from ..op import op
from .shape import expand_dims


@op(
    label="@",
    cases=(
        case((2, 3), (3, 4)),
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3,), (3, 4)),
        case((5, 2, 3), (3, 4)),
        case((2, 1, 2, 3), (5, 3, 4)),
        case((3,), (5, 3, 4)),
        case((5, 2, 3), (3,)),
        case((2, 0), (0, 3)),
        case((1, 1), (1, 1)),
    ),
    fits="the inner sizes must agree, (..., n, k) @ (..., k, m), and leading axes broadcast; to multiply element by element use *",
)
def matmul(a, b):
    """Matrix product, ``a @ b``: (n, k) with (k, m) gives (n, m); leading axes broadcast; vectors lose their axis.

    Slopes: g @ bᵀ and aᵀ @ g.

    >>> matmul(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 1.0]))
    Tensor([3., 7.])
    """
    a, b = np.asarray(a), np.asarray(b)
    # For matrices and vectors dot is the same product, with half the overhead and a clearer error.
    return a.dot(b) if 0 < a.ndim <= 2 and 0 < b.ndim <= 2 else np.matmul(a, b)


def _left(g, out, a, b):
    if b.ndim == 1:
        return (g if a.ndim == 1 else expand_dims(g, axis=-1)) * b
    if a.ndim == 1:
        return matmul(b, g) if b.ndim == 2 else (b @ expand_dims(g, axis=-1))[..., 0]
    return matmul(g, b.mT)


def _right(g, out, a, b):
    if a.ndim == 1:
        return g * a if b.ndim == 1 else expand_dims(a, axis=-1) * expand_dims(g, axis=-2)
    if b.ndim == 1:
        return matmul(a.mT, g) if a.ndim == 2 else (a.mT @ expand_dims(g, axis=-1))[..., 0]
    return matmul(a.mT, g)


matmul.defvjp(_left, _right)


@op(
    cases=(
        case((2, 3), (3, 4), (4,)),
        case((3,), (3, 4), (4,)),
        case((5, 2, 3), (3, 4), (4,)),
        case((0, 3), (3, 2), (2,)),
        case((2, 1), (1, 1), (1,)),
    ),
    fits="the inner sizes must agree, (..., n, k) @ (k, m), and bias has shape (m,)",
)
def affine(x, weight, bias):
    """Matrix product plus a bias, ``x @ weight + bias``, without an array for the product alone.

    Slopes: g @ weightᵀ, xᵀ @ g, and 1 in bias.

    >>> affine(Tensor([[1.0, 2.0]]), Tensor([[1.0], [1.0]]), Tensor([0.5]))
    Tensor([[3.5]])
    """
    out = matmul.forward(x, weight)
    if type(out) is not np.ndarray or bias.shape != out.shape[-1:]:
        raise ValueError(f"bias has shape {bias.shape}, and the product {out.shape}")
    if bias.dtype != out.dtype:
        return out + bias
    out += bias
    return out


affine.defvjp(
    lambda g, out, x, weight, bias: _left(g, out, x, weight),
    lambda g, out, x, weight, bias: _right(g, out, x, weight),
    lambda g, out, x, weight, bias: g,
)
