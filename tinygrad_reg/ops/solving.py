"""Linear equations and inverses, of stacks of square matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import INVERTIBLE, REAL, case
from ..op import op
from .choice import where
from .matrices import SQUARE, SQUARES
from .shape import expand_dims


@op(label="inverse", domain=[INVERTIBLE], cases=SQUARES, fits=SQUARE + ", with an inverse")
def linalg_inv(x):
    """Inverse of each square matrix. Slope: d(x⁻¹) = -x⁻¹·dx·x⁻¹.

    Raises ``numpy.linalg.LinAlgError`` for a matrix without inverse.

    >>> linalg_inv(Tensor([[2.0, 0.0], [0.0, 4.0]]))
    Tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    return np.linalg.inv(x)


linalg_inv.defvjp(lambda g, out, x: -(out.mT @ g @ out.mT))


@op(
    label="solve",
    domain=[INVERTIBLE, REAL],
    cases=(case((3, 3), (3,)), case((3, 3), (3, 2)), case((2, 3, 3), (3, 1)), case((3, 3), (2, 3, 1)), case((2, 2, 2), (2,)), case((2, 2), (2, 0))),
    fits="a holds square matrices that have an inverse, and b as many rows as they; a b of one axis is a vector, any other holds matrices",
)
def linalg_solve(a, b):
    """x for which a @ x = b; b is one vector, or matrices. Slopes: solve(aᵀ, g) in b, and -solve(aᵀ, g)·xᵀ in a.

    Raises ``numpy.linalg.LinAlgError`` for a matrix without inverse.

    >>> linalg_solve(Tensor([[2.0, 0.0], [0.0, 4.0]]), Tensor([1.0, 1.0]))
    Tensor([0.5 , 0.25])
    """
    return np.linalg.solve(a, b)


def _as_columns(b: Any, *others: Any) -> tuple[Any, ...]:
    """The others as matrices of columns, where b is a vector."""
    return tuple(expand_dims(x, axis=-1) for x in others) if b.ndim == 1 else others


def _solve_a(g, out, a, b):
    g, x = _as_columns(b, g, out)
    return -(linalg_solve(a.mT, g) @ x.mT)


def _solve_b(g, out, a, b):
    if b.ndim == 1:
        return linalg_solve(a.mT, expand_dims(g, axis=-1))[..., 0]
    return linalg_solve(a.mT, g)


linalg_solve.defvjp(_solve_a, _solve_b)


@op(
    label="solve",
    domain=[INVERTIBLE, REAL],
    cases=(
        case((3, 3), (3, 2), upper=True),
        case((3, 3), (3, 2), upper=False),
        case((2, 3, 3), (3, 1), upper=False, unit_diagonal=True),
        case((3, 3), (3,), upper=True),
        case((3, 3), (2, 3, 1), upper=True),
    ),
    fits="a holds square matrices without 0 on the diagonal, and b as many rows as they",
)
def linalg_solve_triangular(a, b, *, upper, unit_diagonal=False):
    """x for which a @ x = b, where only one triangle of a is read, with ones for its diagonal if ``unit_diagonal``.

    Slopes: those of solve, and 0 in the entries that are not read.
    Raises ``numpy.linalg.LinAlgError`` for a matrix without inverse.

    >>> linalg_solve_triangular(Tensor([[2.0, 1.0], [9.0, 4.0]]), Tensor([1.0, 4.0]), upper=True)
    Tensor([0., 1.])
    """
    a = np.asarray(a)
    a = (np.triu if upper else np.tril)(a, (1 if upper else -1) if unit_diagonal else 0)
    a = a + np.eye(a.shape[-1], dtype=a.dtype) if unit_diagonal else a
    b = np.asarray(b)
    return _substitute(a, b[..., None], upper)[..., 0] if b.ndim == 1 else _substitute(a, b, upper)


def _substitute(a: Any, b: Any, upper: bool) -> Any:
    """Halves, one after the other: nearly all of the work is matrix products, which are fast."""
    n = a.shape[-1]
    if n <= 64 or a.shape[-2] != n or b.shape[-2] != n:
        return np.linalg.solve(a, b)
    first, second = (slice(n // 2, None), slice(n // 2)) if upper else (slice(n // 2), slice(n // 2, None))
    x = _substitute(a[..., first, first], b[..., first, :], upper)
    y = _substitute(a[..., second, second], b[..., second, :] - a[..., second, first] @ x, upper)
    return np.concatenate([y, x] if upper else [x, y], axis=-2)


def _triangular_a(g, out, a, b, upper, unit_diagonal):
    g, x = _as_columns(b, g, out)
    rows, columns = np.ogrid[: a.shape[-2], : a.shape[-1]]
    read = (columns - rows if upper else rows - columns) >= int(unit_diagonal)
    slope = linalg_solve_triangular(a.mT, g, upper=not upper, unit_diagonal=unit_diagonal) @ x.mT
    return -where(np.broadcast_to(read, slope.shape), slope, 0)


def _triangular_b(g, out, a, b, upper, unit_diagonal):
    (columns,) = _as_columns(b, g)
    slope = linalg_solve_triangular(a.mT, columns, upper=not upper, unit_diagonal=unit_diagonal)
    return slope[..., 0] if b.ndim == 1 else slope


linalg_solve_triangular.defvjp(_triangular_a, _triangular_b)
