"""What NumPy does several times faster when it is asked in another way; results are the same."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["all_plain", "zeros_for"]

_SMALL, _ROW = 1 << 15, 512  # numbers


def zeros_for(x: Any) -> Any:
    """Zeros to compare x with: NumPy's fast loops want two rows in memory, and are two to four times slower with a single number.

    >>> zeros_for(np.ones((2, 3)))
    array([[0., 0., 0.],
           [0., 0., 0.]])
    """
    if type(x) is not np.ndarray or x.dtype.kind != "f":
        return 0
    axis = 0
    if x.size > _SMALL:  # then zeros for the last axes will do
        size, axis = 1, x.ndim
        while size < _ROW and axis:
            axis -= 1
            size *= x.shape[axis]
    return _zeros(x.shape[axis:], x.dtype)


@lru_cache(32)
def _zeros(shape: tuple[int, ...], dtype: Any) -> Any:
    size = int(np.prod(shape, dtype=int))
    return np.zeros(shape, dtype) if size <= 4 * _SMALL else dtype.type(0)  # as many again would not be quicker


def all_plain(x: Any) -> bool:
    """Whether all numbers in an array are finite, not 0, and not so small that digits are lost: then a product may be divided by a factor."""
    size = np.absolute(x)
    least, most = np.minimum.reduce(size, axis=None, initial=1), np.maximum.reduce(size, axis=None, initial=1)
    return bool(least > np.finfo(size.dtype).tiny and most < np.inf)
