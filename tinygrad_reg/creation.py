"""New Tensors: filled, counted, and like others. Names and meaning are NumPy's; ``requires_grad`` makes a leaf."""

from __future__ import annotations

from typing import Any

import numpy as np

from .tensor import Tensor, asarray

__all__ = ["arange", "eye", "full", "full_like", "linspace", "ones", "ones_like", "zeros", "zeros_like"]


def zeros(shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of zeros.

    >>> zeros(2)
    Tensor([0., 0.])
    """
    return Tensor(np.zeros(shape, dtype or np.float64), requires_grad)


def ones(shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of ones.

    >>> ones(2)
    Tensor([1., 1.])
    """
    return Tensor(np.ones(shape, dtype or np.float64), requires_grad)


def full(shape: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor that holds one value everywhere.

    >>> full(2, 3.0)
    Tensor([3., 3.])
    """
    return Tensor(np.full(shape, fill_value, dtype), requires_grad)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """Numbers from ``start`` up to, not including, ``stop``; with one argument, from 0.

    >>> arange(3)
    Tensor([0, 1, 2])
    """
    first, last = (0, start) if stop is None else (start, stop)
    numbers: Any = np.arange  # its many overloads do not know numbers of an unknown kind
    return Tensor(numbers(first, last, step, dtype))


def linspace(start: Any, stop: Any, num: int = 50, dtype: Any = None, endpoint: bool = True) -> Tensor:
    """``num`` evenly spaced numbers from ``start`` to ``stop``.

    >>> linspace(0, 1, 3)
    Tensor([0. , 0.5, 1. ])
    """
    return Tensor(np.linspace(start, stop, num, dtype=dtype, endpoint=endpoint))


def eye(n_rows: int, n_cols: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on a diagonal (``k`` above the main one), zeros elsewhere.

    >>> eye(2)
    Tensor([[1., 0.],
            [0., 1.]])
    """
    return Tensor(np.eye(n_rows, n_cols, k, dtype or np.float64))


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Zeros of the shape and dtype of x.

    >>> zeros_like(Tensor([1.0, 2.0]))
    Tensor([0., 0.])
    """
    return Tensor(np.zeros_like(asarray(x).data, dtype))


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Ones of the shape and dtype of x.

    >>> ones_like(Tensor([1.0, 2.0]))
    Tensor([1., 1.])
    """
    return Tensor(np.ones_like(asarray(x).data, dtype))


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value everywhere, in the shape and dtype of x.

    >>> full_like(Tensor([1.0, 2.0]), 7)
    Tensor([7., 7.])
    """
    return Tensor(np.full_like(asarray(x).data, fill_value, dtype))
