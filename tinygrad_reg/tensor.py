"""Tensor: an array that remembers how it was made, so that it can be differentiated.

Values never change in place. A parameter changes by being given a new array, and graphs already
recorded keep the old one, so no gradient is ever silently wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any, NoReturn, final

import numpy as np

from .backward import checked_gradient, part, pull_back
from .exchange import Exchange, checked_device
from .methods import Methods
from .mode import captures, capturing, changes, grad_enabled, no_grad
from .op import Op, describe
from .operators import Operators
from .ops.updating import index_set
from .protocols import Protocols

__all__ = ["Home", "Tensor", "asarray", "constant", "frozen", "made_by", "made_within", "next_serial", "nothing_recorded", "record", "tensor"]

next_serial = count(0, -1).__next__
_new = object.__new__
_NO_SETTINGS: dict[str, Any] = {}
_SCALARS = frozenset([int, float, bool, complex, np.float64, np.float32])


class Home(np.ndarray):
    """Memory that a compiled function writes to at each of its runs. An array on it is copied for whoever asks for the value."""


@final
class Tensor(Operators, Methods, Protocols, Exchange):
    """An array with a gradient: the value, what it was made from, and, for a leaf, where its gradient collects.

    ``data`` is copied. Its dtype is kept; Python floats are float64. ``requires_grad=True`` makes it a
    leaf whose gradient ``backward()`` adds to ``.grad``. ``name`` is shown in errors and pictures.

    Raises ``TypeError`` for data that is no array of numbers, and for a gradient of whole numbers or bools.

    >>> w = Tensor([1.0, -2.0], requires_grad=True)
    >>> loss = (w * w).sum() + 0.5 * abs(w).sum()
    >>> loss.backward()
    >>> w.grad
    Tensor([ 2.5, -4.5])
    """

    __slots__ = ("__weakref__", "_data", "_grad", "_made_in", "_name", "_needs_grad", "_retained", "inputs", "op", "serial", "settings", "values")

    # How it was made; only results that need a gradient have these.
    inputs: Sequence[Any]
    values: list[Any]
    settings: dict[str, Any]
    _made_in: tuple[Any, str, int, Any] | None  # the call of a module, or the backward pass, that made it: see made_within

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = None, name: str | None = None) -> None:
        self._data = _numbers(data, dtype, copy=True)
        self._needs_grad = False
        self.op: Op | None = None
        self.serial = next_serial()
        self._name = name
        self._grad: Tensor | None = None
        if requires_grad:
            self.requires_grad = True

    # ------------------------------------------------------------------------------- value and kind

    @property
    def data(self) -> np.ndarray:
        """The value, as a read-only array; a leaf takes a new one of the same shape by assignment."""
        value = self.look()
        value = np.array(value) if _at_home(value) else np.asarray(value)
        value.flags.writeable = False
        return value

    @data.setter
    def data(self, value: Any) -> None:
        self.assign(value)

    def assign(self, value: Any) -> Tensor:
        """Give a leaf a new value of the same shape; it is copied, and cast to the leaf's dtype.

        Graphs already recorded keep the old value. Raises ``RuntimeError`` for the result of an op, ``ValueError``
        for another shape, ``TypeError`` for another kind of number.

        >>> Tensor([1.0, 2.0]).assign([3.0, 4.0])
        Tensor([3., 4.])
        """
        if self.op is not None:
            raise RuntimeError(f"assign: {self.describe()} is the result of {self.op.name}, and results do not change. Assign to its leaves.")
        if captures and (tape := capturing()):
            tape.assign(self, value)
            return self
        new = _numbers(value, None, copy=True)
        if new.shape != self._data.shape:
            raise ValueError(f"assign: {self.describe()} cannot take a value of shape {new.shape}; the shapes must be equal.")
        if not np.can_cast(new.dtype, self._data.dtype, "same_kind"):
            raise TypeError(f"assign: {self.describe()} cannot take {new.dtype} values; convert them with .astype({self._data.dtype.name!r}).")
        self._data = new.astype(self._data.dtype, copy=False)
        return self

    def look(self) -> Any:
        """The value for those who act on its numbers; while a function is captured nobody may."""
        if captures and (tape := capturing()):
            tape.refuse(self)
        return self._data

    def numpy(self) -> np.ndarray:
        """A copy of the value, to do with as one likes; ``.data`` is the value itself, read-only."""
        return np.array(self.look())

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self._data.size != 1:
            raise ValueError(f"item: {self.describe()} has {self._data.size} elements, not one. Use .tolist() or .numpy().")
        return self.look().item()

    def tolist(self) -> Any:
        """The value as nested lists of Python numbers."""
        return self.look().tolist()

    shape: tuple[int, ...] = property(lambda self: self._data.shape, doc="Size along each axis.")  # type: ignore[assignment]
    dtype: np.dtype = property(lambda self: self._data.dtype, doc="Kind of number.")  # type: ignore[assignment]
    ndim: int = property(lambda self: self._data.ndim, doc="Number of axes.")  # type: ignore[assignment]
    size: int = property(lambda self: self._data.size, doc="Number of elements.")  # type: ignore[assignment]

    @property
    def name(self) -> str | None:
        """What errors and pictures call it."""
        return getattr(self, "_name", None)

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name

    # ------------------------------------------------------------------------------------- gradient

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to it: set by the user for leaves, and true of all that is made from them."""
        return self._needs_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.op is not None and not wanted:
            raise RuntimeError(f"requires_grad: {self.describe()} is the result of {self.op.name}; to cut it off its history, use .detach().")
        if wanted and self._data.dtype.kind not in "fc":
            raise TypeError(
                f"requires_grad: {self.describe()} holds whole numbers, and these have no gradient. "
                "Make it float: Tensor(data, dtype='float64', requires_grad=True)."
            )
        self._grad = self.grad
        self._needs_grad = bool(wanted)
        changes.count += 1

    @property
    def grad(self) -> Tensor | None:
        """The gradient collected so far (a Tensor of the same shape), or None where none was."""
        if captures and (tape := capturing()):
            return tape.gradient_of(self)
        return getattr(self, "_grad", None)

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            value = asarray(value, self._data.dtype)
            if value.shape != self._data.shape:
                raise ValueError(f"grad: {self.describe()} cannot have a gradient of shape {value.shape}; the shapes must be equal.")
        if captures and (tape := capturing()):
            tape.set_gradient(self, value)
        else:
            self._grad = value

    def backward(self, gradient: Any = None) -> None:
        """Add the gradient of this number to ``.grad`` of every leaf that it was made from.

        ``gradient`` is that of a later number with respect to this one, and may be left out
        where this is a single number (then it is 1). The graph stays: it can be walked and drawn again.

        Raises ``RuntimeError`` if nothing was recorded, ``ValueError`` for a gradient of another shape.

        >>> x = Tensor(3.0, requires_grad=True)
        >>> (x * x).backward()
        >>> x.grad
        Tensor(6.)
        """
        if not self._needs_grad:
            raise RuntimeError(nothing_recorded("backward", self))
        seed = checked_gradient(None if gradient is None else _numbers(gradient, self.dtype, copy=True), self)
        if captures and capturing():
            return self._captured_backward(seed)
        given: set[int] = set()
        for node, g in pull_back({self: seed}).items():
            own, before = _own(g, given), getattr(node, "_grad", None)
            node._grad = constant(own if before is None else before._data + own)
        return None

    def _captured_backward(self, seed: Any) -> None:
        with no_grad():
            for node, g in pull_back({self: seed}).items():
                before = node.grad
                node.grad = g if before is None else before + g

    def retain_grad(self) -> Tensor:
        """Ask ``backward()`` to keep the gradient of this intermediate result, too."""
        if not self._needs_grad:
            raise RuntimeError(nothing_recorded("retain_grad", self))
        if self.op is not None:
            self._retained = True
        return self

    def detach(self) -> Tensor:
        """The same value without its history: a constant to all that is made from it."""
        return constant(_numbers(self, None, copy=_at_home(self._data)) if captures or _at_home(self._data) else self._data)

    def several(self) -> Any:
        """The several results of one op, each a Tensor; those that count or choose have no gradient."""
        data: Any = self._data
        parts = [record(part, (self,), {"index": i, "count": len(data)}) for i in range(len(data))]
        parts = [x if x.dtype.kind in "fc" else x.detach() for x in parts]
        kind = type(getattr(data, "array", data))
        return kind(*parts) if hasattr(kind, "_fields") else tuple(parts)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.op is not None:
            raise RuntimeError(f"copy or pickle: {self.describe()} is the result of {self.op.name} and hangs on its history. Use .detach() first.")
        return (Tensor, (self.numpy(), self._needs_grad, None, self.name))

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("Tensor cannot be subclassed; write a Module that holds Tensors, or an op with tg.op.")

    def __setitem__(self, key: Any, value: Any) -> None:
        """``x[key] = value`` gives x a new value; a graph, or another Tensor, that has the old one keeps it.

        For what no gradient hangs on: results of recorded ops do not change, a leaf that requires a gradient only under ``no_grad()``, and
        ``value`` must not require one, as it would be lost. ``index_set`` is for all these.
        """
        cure = "gradients flow through x = tg.index_set(x, value, key=key)"
        if self.op is not None:
            raise RuntimeError(f"x[key] = value: {self.describe()} is the result of {self.op.name}, and results do not change; {cure}.")
        if self._needs_grad and grad_enabled():
            raise RuntimeError(f"x[key] = value: {self.describe()} requires a gradient and is being changed while recording. Use no_grad(); {cure}.")
        if isinstance(value, Tensor) and value.requires_grad and grad_enabled():
            raise RuntimeError(f"x[key] = value: the gradient of value, {value.describe()}, would be lost; {cure}.")
        with no_grad():
            self.assign(index_set(self.detach(), value, key=key))

    def describe(self) -> str:
        """Kind, shape and name, for error messages."""
        return f"Tensor, {describe(self._data, self.name)}"

    def _take(self, value: Any, operator: str) -> Tensor:
        """What ``w -= step`` does: a leaf with a gradient takes the new value, all else is made anew."""
        if self.op is not None or not self._needs_grad:
            return value
        if grad_enabled():
            raise RuntimeError(
                f"{operator}: {self.describe()} requires a gradient and is being changed while recording. Write `with tg.no_grad(): w {operator} …`."
            )
        return self.assign(value)


def record(op: Op, inputs: Sequence[Any], settings: dict[str, Any] = _NO_SETTINGS) -> Tensor:
    """Compute an op of Tensors and constants, and remember how it was done if a gradient may be wanted.

    This is the hot path of eager mode: it looks at each input once, and does nothing else that the graph does not need.
    """
    if captures and (tape := capturing()):
        return tape.record(op, inputs, settings)
    values: list[Any] = []
    tracked = False
    for x in inputs:
        if type(x) is Tensor:
            values.append(x._data)
            if x._needs_grad:
                tracked = True
        else:
            values.append(x if type(x) in _SCALARS else frozen(op, x))
    if op.setting_names:
        settings = op.filled(settings)
    try:
        data = op.forward(*values, **settings) if settings else op.forward(*values)
    except (TypeError, ValueError, IndexError) as error:
        raise op.explain(error, values, settings, [getattr(x, "name", None) for x in inputs]) from error
    out = _new(Tensor)
    out._data = data
    out.serial = next_serial()
    if tracked and grad_enabled() and (op.rules or op.no_rule(data)):
        out._needs_grad = True
        out.op = op
        out.inputs = inputs
        out.values = values
        out.settings = settings
        out._retained = False
        out._made_in = None
    else:
        out._needs_grad = False
        out.op = None
    return out.several() if isinstance(data, tuple) else out


Tensor.__record__ = staticmethod(record)


def made_by(op: Op, inputs: Sequence[Any], values: list[Any], settings: dict[str, Any], data: Any) -> Tensor:
    """A result that needs a gradient, with its history."""
    out = _new(Tensor)
    out._data = data
    out.serial = next_serial()
    out._needs_grad = True
    out.op = op
    out.inputs = inputs
    out.values = values
    out.settings = settings
    out._retained = False
    out._made_in = None
    return out


def made_within(who: Any, kind: str, start: int, out: Any) -> None:
    """Note on a result, or on each of several, for drawings: it and all between it and the serial number ``start`` was made by ``who``."""
    if type(out) is Tensor:
        if out.op is not None and out.serial < start:
            out._made_in = (who, kind, start, out._made_in)
    elif isinstance(out, (tuple, list)):
        for x in out:
            made_within(who, kind, start, x)


def constant(data: Any) -> Tensor:
    out = _new(Tensor)
    out._data = data
    out._needs_grad = False
    out.op = None
    out.serial = next_serial()
    return out


def frozen(op: Op, x: Any) -> Any:
    """A constant that meets a Tensor: copied if its owner could still change it before backward."""
    if (isinstance(x, np.ndarray) and x.base is None and not x.flags.writeable) or (x is None and op.optional):
        return x
    try:
        return _numbers(x, None, copy=True)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{op.name}: {error}") from None


def _numbers(data: Any, dtype: Any, copy: bool) -> Any:
    """data as a NumPy array of numbers; a single number as a NumPy scalar, which computes faster."""
    if type(data) is Tensor:
        if captures and (tape := capturing()):
            return tape.traced(data if dtype is None or data.dtype == dtype else data.astype(dtype))
        data = data._data
    elif isinstance(data, (list, tuple)):
        data = _plain(data)
    array = np.array(data, dtype) if copy else np.asarray(data, dtype).view()
    if captures and type(data) is np.ndarray and (tape := capturing()) and not np.may_share_memory(array, data):
        tape.hold(data)  # it is not read again, so it must not change
    if array.dtype.kind not in "biufc":
        raise TypeError(f"a Tensor holds numbers, not {type(data).__name__} ({array.dtype}): {str(data)[:60]}")
    array.flags.writeable = False
    return array[()] if array.ndim == 0 else array


def _plain(items: Any) -> Any:
    """A list with the values of the Tensors in it, unless that would silently drop a gradient."""
    for x in items:
        if type(x) is Tensor and x._needs_grad:
            raise TypeError(
                f"{x.describe()} stands in a list and requires a gradient, which a new array would lose. Join Tensors with tg.stack or tg.concat."
            )
    return [x._data if type(x) is Tensor else _plain(x) if isinstance(x, (list, tuple)) else x for x in items]


def _own(g: Any, given: set[int]) -> Any:
    """g as an array of its own: not a strided view, and not shared with another leaf."""
    if isinstance(g, np.ndarray) and (g.base is not None or id(g) in given):
        g = g.copy()
    given.add(id(g))
    return g


def _at_home(value: Any) -> bool:
    return type(value) is np.ndarray and type(value.base) is Home


def nothing_recorded(what: str, t: Tensor) -> str:
    """The error of differentiating a Tensor without a history."""
    return (
        f"{what}: {t.describe()} was not made from any Tensor with requires_grad=True, or was made under no_grad() or after detach(), "
        "so there is nothing to differentiate. Give the parameters requires_grad=True before computing with them."
    )


def tensor(data: Any, requires_grad: bool = False, dtype: Any = None, name: str | None = None) -> Tensor:
    """A new Tensor with a copy of ``data``; the same as ``Tensor(...)``.

    >>> tensor([1, 2])
    Tensor([1, 2])
    """
    return Tensor(data, requires_grad, dtype, name)


def asarray(data: Any, dtype: Any = None, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """``data`` as a Tensor, not copied where it need not be; a Tensor is returned as it is.

    Do not change an array that you have handed over: a recorded graph may need it. ``copy=True`` copies always,
    ``copy=False`` never: then a ``ValueError`` says that it cannot be had without.

    >>> asarray(np.arange(3))
    Tensor([0, 1, 2])
    """
    checked_device(device, "asarray")
    if type(data) is Tensor:
        if copy is False and dtype is not None and data.dtype != dtype:
            raise ValueError(f"asarray: {data.describe()} cannot become {np.dtype(dtype)} without a copy; allow one with copy=None.")
        return data if not copy and (dtype is None or data.dtype == dtype) else data.astype(data.dtype if dtype is None else dtype)
    if copy is False:
        data = _shared(data, dtype)
    return constant(_numbers(data, dtype, copy=bool(copy)))


def _shared(data: Any, dtype: Any) -> Any:
    try:
        return np.asarray(data, dtype, copy=False)
    except ValueError:
        raise ValueError(
            f"asarray: a {type(data).__name__} cannot become a Tensor of {dtype or 'its numbers'} without a copy; allow one: copy=None."
        ) from None
