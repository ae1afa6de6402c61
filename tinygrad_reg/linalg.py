"""Linear algebra, under the names of NumPy and of the array API: ``tg.linalg.svd(x)``, and ``np.linalg.svd`` of a Tensor is the same.

All take stacks of matrices, (..., m, n). When derivatives exist is said at each op, and checked where it can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from .op import NUMPY, Expression
from .ops import diagonals
from .ops.decompositions import linalg_cholesky as cholesky
from .ops.decompositions import linalg_qr, linalg_svd, linalg_svdvals
from .ops.determinants import linalg_det as det
from .ops.determinants import linalg_slogdet as slogdet
from .ops.eigen import linalg_eig as eig
from .ops.eigen import linalg_eigh, linalg_eigvalsh
from .ops.eigen import linalg_eigvals as eigvals
from .ops.least_squares import linalg_cond as cond
from .ops.least_squares import linalg_lstsq as lstsq
from .ops.least_squares import linalg_matrix_rank, linalg_pinv
from .ops.linalg import matmul
from .ops.norms import linalg_matrix_norm, linalg_vector_norm
from .ops.norms import linalg_norm as norm
from .ops.powers import linalg_expm as expm
from .ops.powers import linalg_matrix_power as matrix_power
from .ops.powers import linalg_multi_dot as multi_dot
from .ops.products import cross as any_cross
from .ops.products import matrix_transpose, tensordot, vecdot
from .ops.products import outer as any_outer
from .ops.shape import as_array, permute_dims, reshape
from .ops.solving import linalg_inv as inv
from .ops.solving import linalg_solve as solve
from .ops.solving import linalg_solve_triangular
from .ops.triangles import linalg_lu as lu

__all__ = ["cholesky", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "expm", "inv", "lstsq", "lu", "matmul"]
__all__ += ["matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "multi_dot", "norm", "outer", "pinv", "qr", "slogdet", "solve"]
__all__ += ["solve_triangular", "svd", "svdvals", "tensordot", "tensorinv", "tensorsolve", "trace", "vecdot", "vector_norm"]


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular value decomposition U, S, Vh with x = U·diag(S)·Vh; only S if not ``compute_uv``.

    >>> tg.linalg.svd(Tensor([[0.0, 2.0], [1.0, 0.0]])).S
    Tensor([2., 1.])
    """
    return linalg_svd(x, full_matrices=full_matrices) if compute_uv else linalg_svdvals(x)


def svdvals(x: Any) -> Any:
    """Singular values, largest first.

    >>> tg.linalg.svdvals(Tensor([[0.0, 2.0], [1.0, 0.0]]))
    Tensor([2., 1.])
    """
    return linalg_svdvals(x)


def qr(x: Any, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and R, upper triangular, with Q @ R = x; ``mode="complete"`` makes Q square, ``"r"`` gives R alone.

    >>> tg.linalg.qr(Tensor([[0.0, 2.0], [1.0, 3.0]]), mode="r")
    Tensor([[-1., -3.],
            [ 0., -2.]])
    """
    return linalg_qr(x, mode="reduced")[1] if mode == "r" else linalg_qr(x, mode=mode)


def eigh(x: Any, UPLO: str = "L") -> Any:  # noqa: N803 - NumPy's name
    """Eigenvalues, smallest first, and eigenvectors of symmetric (Hermitian) matrices.

    ``UPLO`` is there because NumPy has it: x must be symmetric, so either triangle says all.

    >>> tg.linalg.eigh(Tensor([[2.0, 1.0], [1.0, 2.0]])).eigenvalues
    Tensor([1., 3.])
    """
    _check_triangle("eigh", UPLO)
    return linalg_eigh(x, UPLO=UPLO)


def eigvalsh(x: Any, UPLO: str = "L") -> Any:  # noqa: N803 - NumPy's name
    """Eigenvalues of symmetric (Hermitian) matrices, smallest first.

    >>> tg.linalg.eigvalsh(Tensor([[2.0, 1.0], [1.0, 2.0]]))
    Tensor([1., 3.])
    """
    _check_triangle("eigvalsh", UPLO)
    return linalg_eigvalsh(x)


def _check_triangle(name: str, triangle: str) -> None:
    if triangle not in ("L", "U", "l", "u"):
        raise ValueError(f"{name}: UPLO={triangle!r} is not known; it is 'L' or 'U'.")


def pinv(x: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """Pseudo-inverse; singular values up to ``rtol`` (NumPy's older name: ``rcond``) times the largest count as 0.

    >>> tg.linalg.pinv(Tensor([[2.0], [0.0]]))
    Tensor([[0.5, 0. ]])
    """
    return linalg_pinv(x, rtol=rcond if rtol is None else rtol, hermitian=hermitian)


def matrix_rank(x: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """How many singular values are larger than ``rtol`` times the largest, or than ``tol``. No gradient.

    >>> tg.linalg.matrix_rank(Tensor([[1.0, 2.0], [2.0, 4.0]]))
    Tensor(1)
    """
    return linalg_matrix_rank(x, rtol=rtol, tol=tol, hermitian=hermitian)


def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Norm of vectors, of any order: (Σ|x|^ord)^(1/ord), the largest for inf, the smallest for -inf, how many are not 0 for 0.

    >>> tg.linalg.vector_norm(Tensor([3.0, -4.0]))
    Tensor(5.)
    """
    return linalg_vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Norm of matrices: "fro", "nuc", 1, 2, inf, -1, -2 or -inf.

    >>> tg.linalg.matrix_norm(Tensor([[3.0, 0.0], [0.0, -4.0]]), ord="nuc")
    Tensor(7.)
    """
    return linalg_matrix_norm(x, keepdims=keepdims, ord=ord)


def solve_triangular(a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """x for which a @ x = b (x @ a = b if not ``left``), where only the upper or lower triangle of a is read.

    >>> tg.linalg.solve_triangular(Tensor([[2.0, 1.0], [0.0, 4.0]]), Tensor([1.0, 4.0]), upper=True)
    Tensor([0., 1.])
    """
    if left:
        return linalg_solve_triangular(a, b, upper=upper, unit_diagonal=unitriangular)
    a, b = as_array(a), as_array(b)
    turned = linalg_solve_triangular(a.mT, b if b.ndim == 1 else b.mT, upper=not upper, unit_diagonal=unitriangular)
    return turned if b.ndim == 1 else turned.mT


def diagonal(x: Any, *, offset: int = 0) -> Any:
    """The diagonal of each matrix.

    >>> tg.linalg.diagonal(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([1., 4.])
    """
    return diagonals.diagonal(x, offset=offset, axis1=-2, axis2=-1)


def trace(x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
    """Sum of the diagonal of each matrix.

    >>> tg.linalg.trace(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor(5.)
    """
    total = diagonals.trace(x, offset=offset, axis1=-2, axis2=-1)
    return total if dtype is None else total.astype(dtype)


def outer(a: Any, b: Any) -> Any:
    """Every element of one vector times every element of another.

    >>> tg.linalg.outer(Tensor([1.0, 2.0]), Tensor([3.0]))
    Tensor([[3.],
            [6.]])
    """
    a, b = as_array(a), as_array(b)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"outer: arrays of shapes {a.shape} and {b.shape} came; it takes two vectors. tg.outer flattens what it is given.")
    return any_outer(a, b)


def cross(a: Any, b: Any, *, axis: int = -1) -> Any:
    """Vector product of three-dimensional vectors along ``axis``.

    >>> tg.linalg.cross(Tensor([1.0, 0.0, 0.0]), Tensor([0.0, 1.0, 0.0]))
    Tensor([0., 0., 1.])
    """
    return any_cross(a, b, axis=axis)


def tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Any:
    """x for which tensordot(a, x, x.ndim) = b; ``axes`` of a are moved to its end first.

    >>> tg.linalg.tensorsolve(Tensor([[2.0, 0.0], [0.0, 4.0]]), Tensor([1.0, 1.0]))
    Tensor([0.5 , 0.25])
    """
    a, b = as_array(a), as_array(b)
    if axes is not None:
        moved = [k % a.ndim for k in axes]
        a = permute_dims(a, axes=(*(k for k in range(a.ndim) if k not in moved), *moved))
    shape = a.shape[b.ndim :]
    return reshape(solve(reshape(a, shape=(-1, prod(shape))), reshape(b, shape=(-1,))), shape=shape)


def tensorinv(a: Any, ind: int = 2) -> Any:
    """Inverse of a as a map from its last axes to its first ``ind`` ones.

    >>> tg.linalg.tensorinv(Tensor([[2.0, 0.0], [0.0, 4.0]]), ind=1)
    Tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    a = as_array(a)
    if ind < 1:
        raise ValueError(f"tensorinv: ind={ind}, but there is at least one axis to map to.")
    return reshape(inv(reshape(a, shape=(prod(a.shape[:ind]), -1))), shape=(*a.shape[ind:], *a.shape[:ind]))


# NumPy's functions, given a Tensor, are these.
NUMPY.update((getattr(np.linalg, name), Expression(globals()[name], (), (), False)) for name in __all__ if hasattr(np.linalg, name))
