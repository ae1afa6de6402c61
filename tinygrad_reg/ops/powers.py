"""Chains and powers of matrices, and the exponential made of them."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from ..domain import REAL
from ..op import op
from .choice import where
from .elementwise import as_float
from .linalg import matmul
from .matrices import SQUARE, SQUARES, square_matrices
from .shape import as_array, broadcast_to, concat
from .solving import linalg_inv


def linalg_multi_dot(arrays):
    """Product of several matrices, in the order that needs the fewest multiplications; the first and last may be vectors.

    >>> linalg_multi_dot([Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]]), Tensor([[2.0]])])
    Tensor([[22.]])
    """
    arrays = [as_array(x) for x in arrays]
    if len(arrays) < 2:
        raise ValueError(f"multi_dot: it takes at least two arrays, and {len(arrays)} came.")
    wrong = [i for i, x in enumerate(arrays) if x.ndim != 2 and not (x.ndim == 1 and i in (0, len(arrays) - 1))]
    if wrong:
        raise ValueError(f"multi_dot: array {wrong[0]} has shape {arrays[wrong[0]].shape}; all are matrices, but the first and last may be vectors.")
    rows = [1 if x.ndim == 1 and i == 0 else x.shape[0] for i, x in enumerate(arrays)]
    splits = _cheapest_splits([*rows, 1 if arrays[-1].ndim == 1 else arrays[-1].shape[1]])

    def product(first: int, last: int) -> Any:
        if first == last:
            return arrays[first]
        middle = splits[first, last]
        return matmul(product(first, middle), product(middle + 1, last))

    return product(0, len(arrays) - 1)


def _cheapest_splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to cut each stretch of a chain of matrices sizes[i] × sizes[i + 1] so that it costs least."""
    count = len(sizes) - 1
    cost = dict.fromkeys([(i, i) for i in range(count)], 0)
    splits = {}
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            choices = [(cost[first, cut] + cost[cut + 1, last] + sizes[first] * sizes[cut + 1] * sizes[last + 1], cut) for cut in range(first, last)]
            cost[first, last], splits[first, last] = min(choices)
    return splits


def linalg_matrix_power(x, n):
    """Each square matrix of a stack to a whole power: by repeated squaring; the inverse's power where n < 0, the identity where n = 0.

    >>> linalg_matrix_power(Tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
    Tensor([[1., 3.],
            [0., 1.]])
    """
    x = square_matrices(x, "matrix_power")
    n = index(n)
    if n == 0:
        return where(np.False_, x, broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), shape=x.shape))
    power, square = None, x if n > 0 else linalg_inv(x)
    for place, bit in enumerate(reversed(f"{abs(n):b}")):
        square = matmul(square, square) if place else square
        if bit == "1":
            power = square if power is None else matmul(power, square)
    return power


# ---------------------------------------------------------------------------------------------- exponential


@op(label="exp", domain=[REAL], cases=SQUARES, fits=SQUARE)
def linalg_expm(x):
    """Matrix exponential: 1 + x + x²/2 + x³/6 + …, by squaring a rational approximation of a small part of x.

    Slope: the integral of exp(s·xᵀ)·g·exp((1 - s)·xᵀ) over s from 0 to 1, which is a corner of the exponential of a matrix twice as large.

    >>> linalg_expm(Tensor([[0.0, 1.0], [0.0, 0.0]]))
    Tensor([[1., 1.],
            [0., 1.]])
    """
    x = as_float(square_matrices(x))
    size = np.max(np.sum(np.absolute(x), axis=-2), axis=-1, initial=0.0)[..., None, None]
    with np.errstate(all="ignore"):
        doublings = np.where(size > _RADIUS, np.ceil(np.log2(size / _RADIUS)), 0)
    doublings = np.where(np.isfinite(doublings), doublings, 0).astype(int)
    power = _pade(x * np.ldexp(np.ones_like(size), -doublings))
    for i in range(np.max(doublings, initial=0)):
        power = np.where(doublings > i, power @ power, power)
    return power


_RADIUS = 5.371920351148152  # up to this 1-norm the approximation of degree 13 is exact at double precision (Higham 2005)
_PADE = (
    *(64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600),
    *(670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1),
)


def _pade(x: Any) -> Any:
    """exp of small matrices: the quotient (even + odd)/(even - odd) of two polynomials."""
    b = [x.dtype.type(c / _PADE[0]) for c in _PADE]
    one = np.eye(x.shape[-1], dtype=x.dtype)
    x2 = x @ x
    x4 = x2 @ x2
    x6 = x4 @ x2
    odd = x @ (x6 @ (b[13] * x6 + b[11] * x4 + b[9] * x2) + b[7] * x6 + b[5] * x4 + b[3] * x2 + b[1] * one)
    even = x6 @ (b[12] * x6 + b[10] * x4 + b[8] * x2) + b[6] * x6 + b[4] * x4 + b[2] * x2 + one
    return np.linalg.solve(even - odd, even + odd)


def _expm(g, out, x):
    n = x.shape[-1]
    top = concat([x.mT, broadcast_to(g, shape=x.shape)], axis=-1)
    bottom = concat([0 * x, x.mT], axis=-1)
    return linalg_expm(concat([top, bottom], axis=-2))[..., :n, n:]


linalg_expm.defvjp(_expm)
