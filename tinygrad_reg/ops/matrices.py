"""What the rooms of linear algebra share: adjoints, checks of shape and symmetry, rules with conjugates in them.

Rules of analytic functions are as for real numbers. Where a conjugate plays a part, as in a decomposition, a rule is written for
gradients as users know them (∂L/∂x + i·∂L/∂y), and ``steepest`` makes it one for the gradients that the walk uses (see complexes.py).
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import numpy as np

from ..domain import case
from .complexes import conj, is_complex
from .shape import as_array

SQUARE = "the last two axes must be equal: a square matrix, or a stack of them"
SQUARES = (case((3, 3)), case((2, 2, 2)), case((1, 1)), case((0, 2, 2)))
MATRICES = "x must have at least two axes: a matrix, or a stack of them"


def adjoint(x: Any) -> Any:
    """Each matrix of a stack transposed and conjugated."""
    return conj(x.mT) if is_complex(x) else x.mT


def steepest(rule: Any) -> Any:
    """A rule written for gradients as users know them, as one for the gradients that the walk uses: conjugated."""

    def turned(g: Any) -> Any:
        return tuple(map(turned, g)) if isinstance(g, tuple) else conj(g) if is_complex(g) else g

    @wraps(rule)
    def turning(g, out, *inputs, **settings):
        return turned(rule(turned(g), out, *inputs, **settings))

    return turning


def square_matrices(x: Any, name: str = "") -> Any:
    """x, if it is a stack of square matrices; else an error, which says by ``name`` from where if nobody else does."""
    x = as_array(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"{name and name + ': '}an array of shape {x.shape} holds no square matrices" + (f"; {SQUARE}." if name else ""))
    return x


def hermitian(x: Any) -> Any:
    """The symmetric part of each matrix, (x + xᴴ)/2; an error for a matrix that is far from it.

    A function of symmetric matrices has many continuations to others. This one has a symmetric gradient, as is usual.
    """
    x = np.asarray(x)
    if x.dtype.kind not in "fc":
        x = x.astype(np.float64)
    mirrored = np.conj(x.mT) if x.dtype.kind == "c" else x.mT
    off = np.absolute(x - mirrored)
    if off.size and np.max(off) > 1e-3 * np.max(np.absolute(x)):
        place = tuple(map(int, np.unravel_index(np.argmax(off), off.shape)))
        raise ValueError(
            f"x differs from its (conjugate) transpose by {off[place]:.3g} at {place}; "
            "if that is meant, give its symmetric part, (x + x.mT)/2, or the triangle that is meant, mirrored"
        )
    return (x + mirrored) / 2
