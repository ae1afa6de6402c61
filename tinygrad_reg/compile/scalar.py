"""What an elementwise op does to single numbers: its forward, run once on symbols, read off as a short list of NumPy calls.

The op table stays the one definition of every op: the compiled replays take an op apart with :func:`form`, and compute the same
functions in their own loops, without arrays in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..op import Op

__all__ = ["Form", "Given", "Made", "Part", "form", "resolved"]


class Given(NamedTuple):
    """An operand: the input at this place."""

    place: int


class Made(NamedTuple):
    """An operand: the result of the part at this place."""

    place: int


class Part(NamedTuple):
    """One call: a ufunc (or ``np.where``, or ``astype`` with a dtype), and its operands: given, made, or numbers."""

    function: Callable[..., Any]
    operands: tuple[Any, ...]

    @property
    def name(self) -> str:
        """The function's name, as ``add``."""
        return self.function.__name__


class Form(NamedTuple):
    """An op as calls on single numbers, in order; ``result`` is what comes out: mostly the last part, at times an input."""

    parts: tuple[Part, ...]
    result: Any

    def __call__(self, *inputs: Any) -> Any:
        """The form applied to arrays or numbers, as the op's forward would."""
        made: list[Any] = []

        def value(x: Any) -> Any:
            return inputs[x.place] if type(x) is Given else made[x.place] if type(x) is Made else x

        for function, operands in self.parts:
            made.append(function(*map(value, operands)))
        return value(self.result)

    def __str__(self) -> str:
        def text(x: Any) -> str:
            return f"x{x.place}" if type(x) is Given else f"t{x.place}" if type(x) is Made else repr(x)

        lines = [f"t{i} = {part.name}({', '.join(map(text, part.operands))})" for i, part in enumerate(self.parts)]
        return "\n".join([*lines, text(self.result)])


def astype(x: Any, dtype: Any) -> Any:
    """x in another dtype: a part of forms, as a ufunc is."""
    return np.asarray(x).astype(dtype, copy=False)[()]


def resolved(function: Callable[..., Any], dtypes: Sequence[Any]) -> tuple[Any, ...]:
    """The dtypes that NumPy computes a part in: of its operands after conversion, and last of its result.

    A Python number is told by its type, as in ``(np.dtype("float32"), float)``.

    >>> resolved(np.multiply, (np.dtype("float32"), float))
    (dtype('float32'), dtype('float32'), dtype('float32'))
    """
    if function is astype:
        return (dtypes[0], None, np.dtype(dtypes[1]))
    if function is np.where:
        kind = np.result_type(*(d(0) if isinstance(d, type) else d for d in dtypes[1:]))
        return (np.dtype(bool), kind, kind, kind)
    return tuple(function.resolve_dtypes((*dtypes, None)))  # type: ignore[attr-defined]


class _NoForm(TypeError):  # noqa: N818 - it is news, not an error
    """The forward asks for something that a symbol has not got."""


class _Symbol(NDArrayOperatorsMixin):
    """Stands for a real number of a dtype; writes down what is done to it."""

    __slots__ = ("dtype", "operand", "parts")

    def __init__(self, operand: Any, dtype: Any, parts: list[Part]) -> None:
        self.operand = operand
        self.dtype = dtype
        self.parts = parts

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        out = settings.pop("out", (None,))[0]
        if method != "__call__" or settings or ufunc.signature is not None or ufunc.nout != 1:
            raise _NoForm(f"{ufunc.__name__}.{method}")
        made = self._note(ufunc, inputs)
        return made if out is None else out.becomes(made)

    def becomes(self, other: _Symbol) -> _Symbol:
        """What writing into an array is to a symbol: from now on it stands for another number, in its own dtype."""
        if type(self.operand) is Given:
            raise _NoForm("an input changed in place")
        self.operand = other.astype(self.dtype).operand
        return self

    def __array_function__(self, function: Any, types: Any, inputs: Any, settings: Any) -> Any:
        if function is np.where and len(inputs) == 3 and not settings:
            return self._note(np.where, inputs)
        if function is np.clip and len(inputs) == 3 and not settings:
            x, low, high = inputs
            x = x if low is None else np.maximum(x, low)
            return x if high is None else np.minimum(x, high)
        if function is np.result_type:
            return np.result_type(*(getattr(x, "dtype", x) for x in inputs))
        if function in (np.iscomplexobj, np.isrealobj):
            return function is np.isrealobj
        raise _NoForm(function.__name__)

    def _note(self, function: Any, inputs: Any) -> _Symbol:
        numbers = [x if isinstance(x, (_Symbol, np.dtype)) else _number(x) for x in inputs]
        dtypes = [x if isinstance(x, np.dtype) else getattr(x, "dtype", type(x)) for x in numbers]
        self.parts.append(Part(function, tuple(x.operand if isinstance(x, _Symbol) else x for x in numbers)))
        return _Symbol(Made(len(self.parts) - 1), resolved(function, dtypes)[-1], self.parts)

    def astype(self, dtype: Any, copy: bool = True) -> _Symbol:
        """Noted like any other part, where it changes anything."""
        return self if self.dtype == dtype else self._note(astype, (self, np.dtype(dtype)))

    def __getitem__(self, key: Any) -> _Symbol:
        if key == ():
            return self
        raise _NoForm("a part of a number")

    def __bool__(self) -> bool:
        raise _NoForm("a branch on a value")

    __float__ = __int__ = __index__ = __len__ = __iter__ = __bool__


def _number(x: Any) -> Any:
    if type(x) in (bool, int, float) or (isinstance(x, np.generic) and x.dtype.kind in "biuf"):
        return x
    if isinstance(x, np.ndarray) and x.ndim == 0:
        return _number(x[()])
    raise _NoForm(f"a {type(x).__name__}")


_FORMS: dict[Any, Form | None] = {}


def form(op: Op, settings: dict[str, Any] | None = None, dtypes: Sequence[Any] | None = None) -> Form | None:
    """An op as calls on single real numbers; None for one that is not elementwise, or whose forward does something else as well.

    ``dtypes`` are those of the inputs: for a Python number its type, for an array left out None. By default all are float64.
    The same op with the same settings and dtypes is looked at once.

    >>> from tinygrad_reg.op import OPS
    >>> print(form(OPS["relu"]))
    t0 = maximum(x0, 0)
    t0
    >>> form(OPS["sort"]) is None
    True
    """
    settings = settings or {}
    kinds = (np.dtype(float),) * max(op.arity, 0) if dtypes is None else tuple(dtypes)
    try:
        key = (op, kinds, *sorted(settings.items()))
        if key not in _FORMS:
            if len(_FORMS) > 4096:
                _FORMS.clear()
            _FORMS[key] = _form(op, settings, kinds)
        return _FORMS[key]
    except TypeError:  # settings that cannot be hashed, or put in order
        return _form(op, settings, kinds)


def _form(op: Op, settings: dict[str, Any], dtypes: tuple[Any, ...]) -> Form | None:
    if op.name == "astype" and "dtype" in settings:
        return Form((Part(astype, (Given(0), np.dtype(settings["dtype"]))),), Made(0))
    if op.draws or op.variadic or not op.arity or len(dtypes) != op.arity or not all(map(_plain, settings.values())):
        return None
    try:
        found, again = _traced(op, settings, dtypes), _traced(op, settings, dtypes)
    except Exception:
        return None
    return found if found is not None and repr(found) == repr(again) else None  # a forward may draw random numbers


def _plain(setting: Any) -> bool:
    """Whether a setting cannot be used up: a random generator would have drawn when it is really called."""
    return setting is None or isinstance(setting, (bool, int, float, str, np.generic, np.dtype, type))


def _traced(op: Op, settings: dict[str, Any], dtypes: tuple[Any, ...]) -> Form | None:
    parts: list[Part] = []
    symbols = [None if d is None else _Symbol(Given(i), d, parts) for i, d in enumerate(dtypes)]
    out = op.forward(*symbols, **settings)
    out = out.item() if isinstance(out, np.ndarray) and out.ndim == 0 else out
    return Form(tuple(parts), out.operand) if isinstance(out, _Symbol) else None
