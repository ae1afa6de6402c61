"""Polynomials by their coefficients, highest power first, and matrices of powers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import case
from ..op import expression
from .elementwise import astype, power
from .shape import as_array, expand_dims


@expression(cases=(case((3,), ()), case((4,), (2, 3)), case((1,), (2,)), case((2,), (0,))))
def polyval(p, x):
    """The polynomial with coefficients p, highest power first, at each x: p[0]·xⁿ⁻¹ + … + p[n-1], by Horner's rule.

    Slopes: in p the powers of x, in x the polynomial's derivative.

    >>> polyval(Tensor([1.0, 0.0, -1.0]), Tensor([2.0, 3.0]))
    Tensor([3., 8.])
    """
    p, x = as_array(p), as_array(x)
    if p.ndim != 1:
        raise ValueError(f"polyval: p has shape {p.shape}; coefficients are a vector.")
    found: Any = np.zeros(x.shape, np.result_type(p.dtype, x.dtype))
    for i in range(p.size):
        found = found * x + p[i]
    return found


@expression(cases=(case((3,)), case((3,), N=2), case((2,), N=4, increasing=True), case((2,), N=1)))
def vander(x, N=None, increasing=False):  # noqa: N803 - NumPy's name
    """Vandermonde's matrix: the powers of each x in a row, from x**(N-1) down to 1, or from 1 up if ``increasing``; N is the size of x.

    Slope: k·x**(k-1) for the power k.

    >>> vander(Tensor([2.0, 3.0]), 3)
    Tensor([[4., 2., 1.],
            [9., 3., 1.]])
    """
    x = as_array(x)
    if x.ndim != 1:
        raise ValueError(f"vander: x has shape {x.shape}; it is a vector, of which each number fills a row.")
    if x.dtype.kind not in "fc":
        x = astype(x, dtype=np.result_type(x.dtype, np.int64))  # powers of small whole numbers would wrap around
    powers = np.arange(x.size if N is None else N, dtype=np.finfo(x.dtype).dtype if x.dtype.kind in "fc" else x.dtype)
    return power(expand_dims(x, axis=1), powers if increasing else powers[::-1])
