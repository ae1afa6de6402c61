"""New Tensors: filled, counted, like others, from other libraries. Names and meaning are NumPy's and the array API's.

``requires_grad`` makes a leaf. ``device`` is there because the standard has it, and is "cpu".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .exchange import checked_device
from .tensor import Tensor, asarray

__all__ = ["arange", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like", "linspace", "ones", "ones_like"]
__all__ += ["tri", "tril_indices", "triu_indices", "zeros", "zeros_like"]


def zeros(shape: Any, dtype: Any = None, requires_grad: bool = False, *, device: Any = None) -> Tensor:
    """A Tensor of zeros.

    >>> zeros(2)
    Tensor([0., 0.])
    """
    checked_device(device, "zeros")
    return Tensor(_made(np.zeros, _SHAPE, _sizes(shape), dtype or np.float64), requires_grad)


def ones(shape: Any, dtype: Any = None, requires_grad: bool = False, *, device: Any = None) -> Tensor:
    """A Tensor of ones.

    >>> ones(2)
    Tensor([1., 1.])
    """
    checked_device(device, "ones")
    return Tensor(_made(np.ones, _SHAPE, _sizes(shape), dtype or np.float64), requires_grad)


def empty(shape: Any, dtype: Any = None, requires_grad: bool = False, *, device: Any = None) -> Tensor:
    """A Tensor of no particular values, which for a value that never changes may as well be zeros.

    >>> empty(2).shape
    (2,)
    """
    checked_device(device, "empty")
    return Tensor(_made(np.zeros, _SHAPE, _sizes(shape), dtype or np.float64, name="empty"), requires_grad)


def full(shape: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False, *, device: Any = None) -> Tensor:
    """A Tensor that holds one value everywhere.

    >>> full(2, 3.0)
    Tensor([3., 3.])
    """
    checked_device(device, "full")
    return Tensor(_made(_filled, _FILLED, _sizes(shape), fill_value, dtype, name="full"), requires_grad)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Numbers from ``start`` up to, not including, ``stop``; with one argument, from 0.

    >>> arange(3)
    Tensor([0, 1, 2])
    """
    checked_device(device, "arange")
    first, last = (0, start) if stop is None else (start, stop)
    if any(np.asarray(x).dtype.kind == "c" for x in (first, last, step)):
        raise TypeError(f"arange: {(first, last, step)} are not all real numbers, and only these have an order.")
    return Tensor(_made(np.arange, "start, stop and step are real numbers, and step is not 0", first, last, step, dtype))


def linspace(start: Any, stop: Any, num: int = 50, dtype: Any = None, endpoint: bool = True, *, device: Any = None) -> Tensor:
    """``num`` evenly spaced numbers from ``start`` to ``stop``.

    >>> linspace(0, 1, 3)
    Tensor([0. , 0.5, 1. ])
    """
    checked_device(device, "linspace")
    fits = "start and stop are numbers, and num is a whole number from 0 up"
    return Tensor(_made(np.linspace, fits, start, stop, num, dtype=dtype, endpoint=endpoint))


def eye(n_rows: int, n_cols: int | None = None, k: int = 0, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Ones on a diagonal (``k`` above the main one), zeros elsewhere.

    >>> eye(2)
    Tensor([[1., 0.],
            [0., 1.]])
    """
    checked_device(device, "eye")
    return Tensor(_made(np.eye, "rows and columns are whole numbers from 0 up", n_rows, n_cols, k, dtype or np.float64))


def tri(n_rows: int, n_cols: int | None = None, k: int = 0, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Ones on a diagonal (``k`` above the main one) and below it, zeros above.

    >>> tri(2)
    Tensor([[1., 0.],
            [1., 1.]])
    """
    checked_device(device, "tri")
    return Tensor(np.tri(n_rows, n_cols, k, dtype or np.float64))


def tril_indices(n_rows: int, k: int = 0, n_cols: int | None = None) -> tuple[Tensor, Tensor]:
    """The rows and columns of the places on a diagonal (``k`` above the main one) and below it: a key for x[…].

    >>> tril_indices(2)
    (Tensor([0, 1, 1]), Tensor([0, 0, 1]))
    """
    rows, columns = np.tril_indices(n_rows, k, n_cols)
    return Tensor(rows), Tensor(columns)


def triu_indices(n_rows: int, k: int = 0, n_cols: int | None = None) -> tuple[Tensor, Tensor]:
    """The rows and columns of the places on a diagonal (``k`` above the main one) and above it: a key for x[…].

    >>> triu_indices(2, k=1)
    (Tensor([0]), Tensor([1]))
    """
    rows, columns = np.triu_indices(n_rows, k, n_cols)
    return Tensor(rows), Tensor(columns)


def zeros_like(x: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Zeros of the shape and dtype of x.

    >>> zeros_like(Tensor([1.0, 2.0]))
    Tensor([0., 0.])
    """
    checked_device(device, "zeros_like")
    return Tensor(_made(np.zeros, _LIKE, np.shape(x), dtype or _dtype(x), name="zeros_like"))


def ones_like(x: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Ones of the shape and dtype of x.

    >>> ones_like(Tensor([1.0, 2.0]))
    Tensor([1., 1.])
    """
    checked_device(device, "ones_like")
    return Tensor(_made(np.ones, _LIKE, np.shape(x), dtype or _dtype(x), name="ones_like"))


def empty_like(x: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """No particular values, in the shape and dtype of x: zeros, see :func:`empty`.

    >>> empty_like(Tensor([1.0, 2.0])).shape
    (2,)
    """
    checked_device(device, "empty_like")
    return Tensor(_made(np.zeros, _LIKE, np.shape(x), dtype or _dtype(x), name="empty_like"))


def full_like(x: Any, fill_value: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """One value everywhere, in the shape and dtype of x.

    >>> full_like(Tensor([1.0, 2.0]), 7)
    Tensor([7., 7.])
    """
    checked_device(device, "full_like")
    return Tensor(_made(_filled, _FILLED, np.shape(x), fill_value, dtype or _dtype(x), name="full_like"))


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """An array of another library as a Tensor, over DLPack; not copied where it need not be.

    Do not change the other array afterwards: a recorded graph may need it. ``copy=False`` never copies: then a
    ``BufferError`` says that it cannot be had without.

    >>> from_dlpack(np.arange(3))
    Tensor([0, 1, 2])
    """
    checked_device(device, "from_dlpack")
    if not hasattr(x, "__dlpack__"):
        raise TypeError(f"from_dlpack: a {type(x).__name__} offers no DLPack; use asarray().")
    settings: dict[str, Any] = {} if copy is None else {"copy": copy}
    return asarray(np.from_dlpack(x, **settings))


_SHAPE = "a shape is a whole number from 0 up, or several, at most 64, and dtype is one of numbers"
_FILLED = "the value fits into the shape and into the dtype"
_LIKE = "x is an array of numbers, and dtype is one of numbers"


def _made(make: Callable[..., Any], fits: str, *arguments: Any, name: str | None = None, **settings: Any) -> Any:
    """What NumPy makes, or its error with the name of our function and what would fit."""
    try:
        return make(*arguments, **settings)
    except (TypeError, ValueError, ArithmeticError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name or make.__name__}: {error}. Here {fits}.") from error


def _filled(shape: Any, fill_value: Any, dtype: Any) -> Any:
    if dtype is not None and np.asarray(fill_value).dtype.kind == "c" and np.dtype(dtype).kind != "c":
        raise TypeError(f"complex numbers do not fit into {np.dtype(dtype).name}: take their real(), imag() or abs() first")
    return np.full(shape, fill_value, dtype)


def _dtype(x: Any) -> Any:
    return x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype


def _sizes(shape: Any) -> Any:
    return tuple(shape) if isinstance(shape, list) else shape
