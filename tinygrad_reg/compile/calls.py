"""How a call looks: arrays apart from everything else, so that one program serves all calls that differ in their arrays only."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from ..tensor import Tensor

__all__ = ["flattened", "rebuilt", "results_of"]


def flattened(x: Any, arrays: list[Any]) -> Hashable:
    """What a call is but for the numbers in its arrays, which are added to ``arrays``; equal for calls that one program serves.

    >>> arrays = []
    >>> flattened(([np.zeros(2), 3], {}), arrays) == flattened(([np.ones(2), 3], {}), [])
    True
    >>> len(arrays)
    1
    """
    if isinstance(x, Tensor):
        arrays.append(x)
        return ("Tensor", x._data.shape, x._data.dtype, x._needs_grad)
    if isinstance(x, (np.ndarray, np.generic)):
        arrays.append(x)
        return ("array", x.shape, x.dtype)
    if isinstance(x, dict):
        return ("dict", *((key, flattened(value, arrays)) for key, value in x.items()))
    if isinstance(x, (list, tuple)):
        return (type(x), *(flattened(value, arrays) for value in x))
    try:
        hash(x)
    except TypeError:
        return (type(x), id(x))
    return (type(x), repr(x) if isinstance(x, float) else x)


def rebuilt(x: Any, replacement: Callable[[Any], Any]) -> Any:
    """The same nest of containers with ``replacement`` of every array and Tensor in it.

    >>> rebuilt({"a": [np.zeros(2), 3]}, lambda array: "here")
    {'a': ['here', 3]}
    """
    if isinstance(x, (Tensor, np.ndarray, np.generic)):
        return replacement(x)
    if isinstance(x, dict):
        return {key: rebuilt(value, replacement) for key, value in x.items()}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(rebuilt(value, replacement) for value in x))
    if isinstance(x, (list, tuple)):
        return type(x)(rebuilt(value, replacement) for value in x)
    return x


def results_of(x: Any) -> list[Tensor]:
    """The Tensors in a nest of containers, in order.

    >>> len(results_of({"a": [Tensor(1.0), 3]}))
    1
    """
    found: list[Tensor] = []
    rebuilt(x, lambda t: found.append(t) if isinstance(t, Tensor) else None)
    return found
