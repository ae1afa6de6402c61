"""How Tensors meet NumPy and Python.

``np.add(array, tensor)`` and ``np.sum(tensor)`` are our ops, with the graph kept; ``len``, ``float``, ``print`` and their
like see the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .op import NUMPY, OPS

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["Protocols"]

# These look at values and answer about them: there is no gradient to lose.
_LOOKING = {
    *(np.allclose, np.array_equal, np.array_equiv, np.isclose, np.ndim, np.shape, np.size, np.result_type, np.can_cast),
    *(np.array_repr, np.array_str, np.array2string),
}
_SHAPES: dict[Any, Callable[[Any], Any]] = {np.ndim: lambda x: x.ndim, np.shape: lambda x: x.shape, np.size: lambda x: x.size}
_SPELLINGS = {"a_min": "min", "a_max": "max", "ddof": "correction"}
_FOLDS = {"add": "sum", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any"}


class Protocols:
    """What NumPy's functions and Python's built-ins do with a Tensor."""

    __slots__ = ()

    if TYPE_CHECKING:
        _data: Any
        _needs_grad: bool
        op: Any
        shape: tuple[int, ...]
        size: int
        dtype: np.dtype
        name: str | None
        data: np.ndarray
        describe: Callable[[], str]
        item: Callable[[], Any]
        look: Callable[[], Any]
        __getitem__: Callable[[Any], Tensor]

    # ------------------------------------------------------------------------------------------ NumPy

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        if settings.pop("out", None) is not None:
            raise TypeError(f"np.{ufunc.__name__} with out=: Tensors do not change in place. Leave out= away and use the result.")
        op = NUMPY.get(ufunc) if method == "__call__" else None
        if method == "reduce" and ufunc.__name__ in _FOLDS:
            op = OPS[_FOLDS[ufunc.__name__]]
            settings.setdefault("axis", 0)
        if op is not None:
            return op(*inputs, **settings)
        name = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
        return _plain_numpy(name, getattr(ufunc, method), inputs, settings)

    def __array_function__(self, function: Callable[..., Any], types: Any, inputs: Sequence[Any], settings: dict[str, Any]) -> Any:
        op = NUMPY.get(function)
        if op is not None:
            return op(*inputs, **{_our_name(op, name): value for name, value in settings.items()})
        if function in _SHAPES and len(inputs) == 1 and not settings:
            return _SHAPES[function](inputs[0])
        if function in _LOOKING:
            return function(*_values(inputs), **{k: _values(v) for k, v in settings.items()})
        return _plain_numpy(f"np.{function.__name__}", function, inputs, settings)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self._needs_grad:
            raise TypeError(
                f"np.asarray: {self.describe()} requires a gradient, which a NumPy array would lose. "
                "Use .numpy() (or .detach()) if you only want the value."
            )
        return np.array(self.data, dtype=dtype, copy=copy)

    # ----------------------------------------------------------------------------------------- Python

    def __repr__(self) -> str:
        if not isinstance(self._data, (np.ndarray, np.generic)):
            return f"Tensor({self._data!r})"  # of a function that is being captured
        text = np.array2string(np.asarray(self._data), separator=", ", prefix="Tensor(", precision=4, threshold=200)
        if self.size == 0 and self.shape != (0,):
            text += f", shape={self.shape}"
        if self.dtype not in (np.float64, np.int64, np.bool_):
            text += f", dtype={self.dtype.name}"
        if self.op is None and self._needs_grad:
            text += ", requires_grad=True"
        return f"Tensor({text}, name={self.name!r})" if self.name else f"Tensor({text})"

    def __len__(self) -> int:
        if not self._data.ndim:
            raise TypeError("len: a Tensor without axes has no length; .size is 1.")
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self.__getitem__(i) for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(f"bool: {self.describe()} is not one yes or no. Use .all() or .any(), or tg.where to choose element by element.")
        return bool(self.look())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._data.ndim or self._data.dtype.kind not in "iu":
            raise TypeError(f"index: {self.describe()} is not a single whole number.")
        return int(self.look())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)


def _our_name(op: Any, name: str) -> str:
    """What an op calls an argument of NumPy's function."""
    if name in op.signature.parameters:
        return name
    return op.array_names[0] if name == "a" else _SPELLINGS.get(name, name)


def _plain_numpy(name: str, function: Callable[..., Any], inputs: Sequence[Any], settings: dict[str, Any]) -> Any:
    """NumPy's own function, where no gradient can get lost by it."""
    if _tracked(inputs) or _tracked(list(settings.values())):
        raise TypeError(
            f"{name} is not an op here, so its gradient is unknown. Use .numpy() or .detach() if you need only values, "
            "or write it as an op with tg.op."
        )
    return function(*_values(inputs), **{k: _values(v) for k, v in settings.items()})


def _values(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return type(x)(_values(item) for item in x) if type(x) in (list, tuple) else x
    return x.data if hasattr(x, "_needs_grad") else x


def _tracked(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(_tracked(item) for item in x)
    return getattr(x, "_needs_grad", False)
