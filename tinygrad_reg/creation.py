"""New Tensors: filled, counted, like others, from other libraries. Names and meaning are NumPy's and the array API's.

``requires_grad`` makes a leaf. ``device`` is there because the standard has it, and is "cpu".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .exchange import checked_device
from .tensor import Tensor, asarray

__all__ = ["arange", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like", "linspace", "ones", "ones_like", "zeros", "zeros_like"]


def zeros(shape: Any, dtype: Any = None, requires_grad: bool = False, *, device: Any = None) -> Tensor:
    """A Tensor of zeros.

    >>> zeros(2)
    Tensor([0., 0.])
    """
    checked_device(device, "zeros")
    return Tensor(np.zeros(_sizes(shape), dtype or np.float64), requires_grad)


def ones(shape: Any, dtype: Any = None, requires_grad: bool = False, *, device: Any = None) -> Tensor:
    """A Tensor of ones.

    >>> ones(2)
    Tensor([1., 1.])
    """
    checked_device(device, "ones")
    return Tensor(np.ones(_sizes(shape), dtype or np.float64), requires_grad)


def empty(shape: Any, dtype: Any = None, requires_grad: bool = False, *, device: Any = None) -> Tensor:
    """A Tensor of no particular values, which for a value that never changes may as well be zeros.

    >>> empty(2).shape
    (2,)
    """
    checked_device(device, "empty")
    return zeros(shape, dtype, requires_grad)


def full(shape: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False, *, device: Any = None) -> Tensor:
    """A Tensor that holds one value everywhere.

    >>> full(2, 3.0)
    Tensor([3., 3.])
    """
    checked_device(device, "full")
    return Tensor(np.full(_sizes(shape), fill_value, dtype), requires_grad)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Numbers from ``start`` up to, not including, ``stop``; with one argument, from 0.

    >>> arange(3)
    Tensor([0, 1, 2])
    """
    checked_device(device, "arange")
    first, last = (0, start) if stop is None else (start, stop)
    numbers: Any = np.arange  # its many overloads do not know numbers of an unknown kind
    return Tensor(numbers(first, last, step, dtype))


def linspace(start: Any, stop: Any, num: int = 50, dtype: Any = None, endpoint: bool = True, *, device: Any = None) -> Tensor:
    """``num`` evenly spaced numbers from ``start`` to ``stop``.

    >>> linspace(0, 1, 3)
    Tensor([0. , 0.5, 1. ])
    """
    checked_device(device, "linspace")
    return Tensor(np.linspace(start, stop, num, dtype=dtype, endpoint=endpoint))


def eye(n_rows: int, n_cols: int | None = None, k: int = 0, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Ones on a diagonal (``k`` above the main one), zeros elsewhere.

    >>> eye(2)
    Tensor([[1., 0.],
            [0., 1.]])
    """
    checked_device(device, "eye")
    return Tensor(np.eye(n_rows, n_cols, k, dtype or np.float64))


def zeros_like(x: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Zeros of the shape and dtype of x.

    >>> zeros_like(Tensor([1.0, 2.0]))
    Tensor([0., 0.])
    """
    checked_device(device, "zeros_like")
    return Tensor(np.zeros_like(asarray(x).data, dtype))


def ones_like(x: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Ones of the shape and dtype of x.

    >>> ones_like(Tensor([1.0, 2.0]))
    Tensor([1., 1.])
    """
    checked_device(device, "ones_like")
    return Tensor(np.ones_like(asarray(x).data, dtype))


def empty_like(x: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """No particular values, in the shape and dtype of x: zeros, see :func:`empty`.

    >>> empty_like(Tensor([1.0, 2.0])).shape
    (2,)
    """
    checked_device(device, "empty_like")
    return zeros_like(x, dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """One value everywhere, in the shape and dtype of x.

    >>> full_like(Tensor([1.0, 2.0]), 7)
    Tensor([7., 7.])
    """
    checked_device(device, "full_like")
    return Tensor(np.full_like(asarray(x).data, fill_value, dtype))


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """An array of another library as a Tensor, over DLPack; not copied where it need not be.

    Do not change the other array afterwards: a recorded graph may need it. ``copy=False`` never copies: then a
    ``BufferError`` says that it cannot be had without.

    >>> from_dlpack(np.arange(3))
    Tensor([0, 1, 2])
    """
    checked_device(device, "from_dlpack")
    settings: dict[str, Any] = {} if copy is None else {"copy": copy}
    return asarray(np.from_dlpack(x, **settings))


def _sizes(shape: Any) -> Any:
    return tuple(shape) if isinstance(shape, list) else shape
