"""How Tensors meet NumPy: ``np.add(array, tensor)`` and ``np.sum(tensor)`` are our ops, with the graph kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .op import NUMPY, OPS

__all__ = ["array", "array_function", "array_ufunc"]

# These look at values and answer about them: there is no gradient to lose.
_LOOKING = {np.allclose, np.array_equal, np.array_equiv, np.array_repr, np.array_str, np.array2string, np.isclose, np.ndim, np.shape, np.size, np.result_type, np.can_cast}
_FOLDS = {"add": "sum", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any"}


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
    """``ufunc(…, tensor, …)``: the op that stands for the ufunc, or an error that says what to use."""
    if settings.pop("out", None) is not None:
        raise TypeError(f"np.{ufunc.__name__} with out=: Tensors do not change in place. Leave out= away and use the result.")
    op = NUMPY.get(ufunc) if method == "__call__" else None
    if method == "reduce" and ufunc.__name__ in _FOLDS:
        op = OPS[_FOLDS[ufunc.__name__]]
        settings.setdefault("axis", 0)
    if op is None:
        return _plain_numpy(f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}"), getattr(ufunc, method), inputs, settings)
    return op(*inputs, **settings)


def array_function(self: Any, function: Callable[..., Any], types: Any, inputs: Sequence[Any], settings: dict[str, Any]) -> Any:
    """``np.function(tensor, …)``: the op of that name, or an error that says what to use."""
    op = NUMPY.get(function)
    if op is not None:
        return op(*inputs, **settings)
    if function in _LOOKING:
        return function(*_values(inputs), **{k: _values(v) for k, v in settings.items()})
    return _plain_numpy(f"np.{function.__name__}", function, inputs, settings)


def array(self: Any, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """``np.asarray(tensor)``: its value, unless that would silently drop a gradient."""
    if self._needs_grad:
        raise TypeError(f"np.asarray: {self.describe()} requires a gradient, which a NumPy array would lose. Use .numpy() (or .detach()) if you only want the value.")
    return np.array(self.data, dtype=dtype, copy=copy)


def _plain_numpy(name: str, function: Callable[..., Any], inputs: Sequence[Any], settings: dict[str, Any]) -> Any:
    """NumPy's own function, where no gradient can get lost by it."""
    if _tracked(inputs) or _tracked(list(settings.values())):
        raise TypeError(f"{name} is not an op here, so its gradient is unknown. Use .numpy() or .detach() if you need only values, or write it as an op with tg.op.")
    return function(*_values(inputs), **{k: _values(v) for k, v in settings.items()})


def _values(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return type(x)(_values(item) for item in x) if type(x) in (list, tuple) else x
    return x.data if hasattr(x, "_needs_grad") else x


def _tracked(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(_tracked(item) for item in x)
    return getattr(x, "_needs_grad", False)
