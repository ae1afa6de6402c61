"""What NumPy does several times faster when it is asked in another way; results are the same."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["zeros_for"]

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
