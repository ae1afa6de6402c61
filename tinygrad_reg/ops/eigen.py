"""Eigenvalues and eigenvectors, of symmetric (Hermitian) and of any square matrices; of stacks, too.

Eigenvectors have derivatives where their eigenvalues differ from all others; they are known up to a sign (complex: a phase) only.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from ..domain import DISTINCT, SYMMETRIC
from ..op import op
from .complexes import conj, imag, is_complex, real
from .decompositions import absent, check_phase, gaps, reads
from .diagonals import diag_embed, diagonal
from .matrices import SQUARE, SQUARES, adjoint, hermitian, steepest
from .seen import values
from .shape import expand_dims
from .solving import linalg_solve

EigResult = namedtuple("EigResult", ["eigenvalues", "eigenvectors"])
EighResult = namedtuple("EighResult", ["eigenvalues", "eigenvectors"])


@op(label="eigh", domain=[SYMMETRIC], cases=SQUARES, fits=SQUARE + ", and symmetric")
def linalg_eigh(x, *, UPLO="L"):  # noqa: N803 - NumPy's name
    """Eigenvalues, smallest first, and orthonormal eigenvectors (columns) of symmetric (Hermitian) matrices.

    Slope: that of (x + xᴴ)/2. The eigenvalues' is V·diag(g)·Vᴴ; the eigenvectors have one where their eigenvalues differ from all others
    and where, if complex, nothing depends on their phase; else the rule raises ``ValueError``.
    ``UPLO`` is there because NumPy has it: x must be symmetric (else ``ValueError``), so either triangle says all.

    >>> linalg_eigh(Tensor([[2.0, 1.0], [1.0, 2.0]])).eigenvalues
    Tensor([1., 3.])
    """
    return EighResult(*np.linalg.eigh(hermitian(x), UPLO))


@steepest
def _eigh(g, out, x, UPLO):  # noqa: N803
    (gl, gv), (eigenvalues, v) = g, out
    if absent(gv):
        return (v * expand_dims(gl, axis=-2)) @ adjoint(v)
    turn = adjoint(v) @ gv
    if is_complex(v):
        check_phase(imag(diagonal(turn, axis1=-2, axis2=-1)), turn, name="eigh")
    inside = turn * gaps(eigenvalues, reads(gv), "eigh", "eigenvalues") + diag_embed(gl)
    slope = v @ inside @ adjoint(v)
    return (slope + adjoint(slope)) / 2


linalg_eigh.defvjp(_eigh)


@op(label="eigenvalues", domain=[SYMMETRIC], cases=SQUARES, fits=SQUARE + ", and symmetric")
def linalg_eigvalsh(x):
    """Eigenvalues of symmetric (Hermitian) matrices, smallest first. Slope: V·diag(g)·Vᴴ.

    Raises ``ValueError`` for a matrix that is not symmetric.

    >>> linalg_eigvalsh(Tensor([[2.0, 1.0], [1.0, 2.0]]))
    Tensor([1., 3.])
    """
    return np.linalg.eigvalsh(hermitian(x))


@steepest
def _eigvalsh(g, out, x):
    v = linalg_eigh(x)[1]
    return (v * expand_dims(g, axis=-2)) @ adjoint(v)


linalg_eigvalsh.defvjp(_eigvalsh)


def _as_complex(x: Any) -> Any:
    return np.asarray(x).astype(np.result_type(np.asarray(x).dtype, np.complex64), copy=False)


@op(label="eig", domain=[DISTINCT], cases=SQUARES, fits=SQUARE)
def linalg_eig(x):
    """Eigenvalues and eigenvectors (columns of size 1) of any square matrices; always complex, also where NumPy would say they are real.

    Slopes: of the eigenvalues the diagonal of V⁻¹·dx·V; of the eigenvectors V·(F∘(V⁻¹·dx·V)), kept of size 1, with F[i, j] = 1/(λ[j] - λ[i]).
    A derivative exists where the eigenvalues differ, and where nothing depends on the phase of complex eigenvectors; else the rule
    raises ``ValueError``.

    >>> linalg_eig(Tensor([[0.0, 1.0], [-1.0, 0.0]])).eigenvalues
    Tensor([0.+1.j, 0.-1.j], dtype=complex128)
    """
    return EigResult(*map(_as_complex, np.linalg.eig(x)))


@steepest
def _eig(g, out, x):
    (gl, gv), (eigenvalues, v) = g, out
    inside = diag_embed(gl)
    if not absent(gv):
        turn = adjoint(v) @ gv
        sizes = diagonal(turn, axis1=-2, axis2=-1)
        turned_by_nature = True if is_complex(x) else imag(values(eigenvalues)) != 0  # real vectors of a real matrix stay real
        check_phase(imag(sizes) * turned_by_nature, turn, name="eig")
        turn = turn - adjoint(v) @ (v * expand_dims(real(sizes), axis=-2))
        inside = inside + turn * conj(gaps(eigenvalues, reads(gv), "eig", "eigenvalues"))
    slope = linalg_solve(adjoint(v), inside @ adjoint(v))
    return slope if is_complex(x) else real(slope)


linalg_eig.defvjp(_eig)


@op(label="eigenvalues", domain=[DISTINCT], cases=SQUARES, fits=SQUARE)
def linalg_eigvals(x):
    """Eigenvalues of any square matrices, always complex. Slope: V⁻ᴴ·diag(g)·Vᴴ, which exists where eigenvectors span the space.

    >>> linalg_eigvals(Tensor([[0.0, 1.0], [-1.0, 0.0]]))
    Tensor([0.+1.j, 0.-1.j], dtype=complex128)
    """
    return _as_complex(np.linalg.eigvals(x))


@steepest
def _eigvals(g, out, x):
    v = linalg_eig(x)[1]
    slope = linalg_solve(adjoint(v), expand_dims(g, axis=-1) * adjoint(v))
    return slope if is_complex(x) else real(slope)


linalg_eigvals.defvjp(_eigvals)
