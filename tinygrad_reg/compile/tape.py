"""Capture: run a function once on real numbers, and write down every op on the way.

While a capture is under way every op, also of the backward pass and of the optimiser's update, comes to the :class:`Tape`
instead of being recorded on its own. What Tensors hold meanwhile is a :class:`Traced`: shape and dtype can be asked for, the
numbers cannot, for a program that had looked at them would be right for these numbers only. Nothing is changed until the
function has returned: new values of parameters are kept on the tape, so that an error on the way leaves everything as it was.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..backward import recall
from ..mode import grad_enabled
from ..op import Op
from ..ops.elementwise import add, astype, divide, multiply, negative, power, subtract
from ..tensor import Tensor, constant, frozen, made_by, next_serial
from .program import ARGUMENT, CONSTANT, GRADIENT, NUMBER, STATE, Program, Step, Update, Value, is_fixed

__all__ = ["CaptureError", "Number", "Tape", "Traced"]

_HERE = str(Path(__file__).parent.parent)
_WEAK = (bool, int, float, complex)


class CaptureError(RuntimeError):
    """A function cannot be captured, because it looks at a number that will be another one at the next call."""


class Traced:
    """What a Tensor holds under capture: shape and dtype for everybody, the numbers for the tape only."""

    __slots__ = ("array", "value")

    def __init__(self, value: Value, array: Any) -> None:
        self.value = value
        self.array = array

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: len(self.value.shape))
    size = property(lambda self: self.value.size)

    def __len__(self) -> int:
        return len(self.value.parts) or self.value.shape[0]

    def __iter__(self) -> Any:
        if not self.value.parts:
            _refuse("its elements are asked for one by one")
        return (Traced(Value(shape, dtype), None) for shape, dtype in self.value.parts)

    def __repr__(self) -> str:
        return f"traced {self.dtype} of shape {self.shape}"

    def _look(self, *_: Any, **__: Any) -> NoReturn:
        _refuse("its numbers are asked for")

    __array__ = __bool__ = __float__ = __int__ = __index__ = __complex__ = _look
    item = tolist = astype = copy = _look
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __getitem__ = _look


def _refuse(how: str) -> NoReturn:
    raise CaptureError(
        f"compile: {how} while the function is being captured{_line()}. The program would be right for this call's numbers only. "
        "Choose with tg.where(condition, a, b) instead of `if`, loop over shapes and Python numbers only, return what you want to look at, "
        "or leave this part out of the compiled function."
    )


def _line() -> str:
    """Where the user's code is, if it can be found."""
    frames = [f for f in traceback.extract_stack() if not f.filename.startswith(_HERE) and not f.filename.startswith("<__array_function__")]
    return f", at {Path(frames[-1].filename).name}:{frames[-1].lineno}: {frames[-1].line}" if frames else ""


class Number:
    """A Python number that is asked for anew at each run, such as a learning rate; arithmetic with it is captured."""

    __slots__ = ("array", "tape", "value")

    def __init__(self, value: Value, array: Any, tape: Tape) -> None:
        self.value = value
        self.array = array
        self.tape = tape

    @staticmethod
    def __record__(op: Op, inputs: Sequence[Any], settings: dict[str, Any]) -> Any:
        tape = next(x.tape for x in inputs if isinstance(x, Number))
        return tape.record(op, inputs, settings)

    def __add__(self, other: Any) -> Any:
        return add(self, other)

    def __radd__(self, other: Any) -> Any:
        return add(other, self)

    def __sub__(self, other: Any) -> Any:
        return subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return divide(other, self)

    def __pow__(self, other: Any) -> Any:
        return power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return power(other, self)

    def __neg__(self) -> Any:
        return negative(self)

    def _look(self, *_: Any) -> NoReturn:
        _refuse("a number that changes from call to call is asked for")

    __bool__ = __float__ = __int__ = __index__ = __lt__ = __le__ = __gt__ = __ge__ = _look


class Tape:
    """What has been captured so far: steps, and by id of the Tensor what its value and its gradient are by now."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.places: list[str] = []  # the layers that we are in, by name
        self._layers: list[Any] = []
        self.effects: list[Callable[..., None]] = []  # what else happens at each run, such as counting steps; effect(-n) undoes n of them
        self.grads_met: list[tuple[Tensor, bool]] = []  # gradients that were looked at, and whether there was one
        self._values: dict[int, tuple[Tensor, Traced]] = {}  # by id of the Tensor; the Tensor is kept, so that the id stays its own
        self._start: dict[int, Value] = {}
        self._grads: dict[int, tuple[Tensor, Tensor | None]] = {}
        self.steady: set[Any] = set()
        self.stand_ins: list[Tensor] = []  # for the arguments, in order
        self.results: list[Tensor] = []
        self._stands_for: dict[int, Tensor] = {}
        self._updates: list[Update] = []
        self._constants: dict[Any, tuple[Any, Traced]] = {}
        self._numbers: dict[Any, Number] = {}
        self.differentiated = False  # whether a gradient was recorded, to be differentiated itself
        self.held: list[np.ndarray] = []  # arrays whose numbers the program depends on
        self._first = next_serial()  # whatever has a later one was made by the function itself, and anew at each run
        self._inner: list[Tensor] = []  # such ones that were given a new value

    # ------------------------------------------------------------------------------------ what goes in

    def argument(self, given: Any, place: int, name: str = "") -> Tensor:
        """A Tensor that stands for one array or Tensor given at each call."""
        array = given._data if isinstance(given, Tensor) else given
        made = constant(Traced(Value(np.shape(array), array.dtype, ARGUMENT, place, name=name or f"x{place}"), array))
        if isinstance(given, Tensor):
            made._needs_grad, made.name, made._grad = given._needs_grad, given.name, getattr(given, "_grad", None)
            self._stands_for[id(made)] = given
        self.stand_ins.append(made)
        return made

    def number(self, key: Any, ask: Callable[[], float], steady: bool = False) -> Number:
        """A Python number that is asked for at each run; one for each ``key``.

        A ``steady`` one can change only when an attribute of a module or an optimiser is set.
        """
        if key not in self._numbers:
            if steady:
                self.steady.add(ask)
            self._numbers[key] = Number(Value((), np.dtype(np.float64), NUMBER, ask, weak=True, name=str(key[0])), ask(), self)
        return self._numbers[key]

    def known(self, array: np.ndarray) -> Any:
        """An array of somebody else, who may change it: as a Tensor, whose numbers are read at each run."""
        return array if is_fixed(array) else constant(self._operand(astype, array))

    def traced(self, x: Tensor) -> Traced:
        """The value of a Tensor by now."""
        if type(x._data) is Traced:
            return x._data
        found = self._values.get(id(x))
        if found is None and x.serial < self._first:  # made by the function itself, and so anew at each run
            found = self._values[id(x)] = (x, self._operand(astype, x._data))
            self._start[id(x)] = found[1].value
        if found is None:
            state = Value(x._data.shape, x._data.dtype, STATE, x, name=x.name or "")
            found = self._values[id(x)] = (x, Traced(state, x._data))
            self._start[id(x)] = state
        return found[1]

    def fixed(self, x: Any) -> Any:
        """A Tensor of numbers that are the same at each run; anything but an array stays what it is."""
        return constant(self._operand(astype, x)) if isinstance(x, (np.ndarray, np.generic, *_WEAK)) else x

    def _operand(self, op: Op, x: Any) -> Any:
        if type(x) is Tensor:
            return self.traced(x)
        if type(x) in (Number, Traced):
            return x
        key: Any = (type(x), x, str(x)) if type(x) in _WEAK else id(x)
        if key not in self._constants:
            # A user's own array is not copied: eager mode would see it change, too, and so do later runs.
            array = x if type(x) in _WEAK or x is None or isinstance(x, (np.ndarray, np.generic)) else frozen(op, x)
            shape, dtype = np.shape(array), None if array is None else np.asarray(array).dtype
            self._constants[key] = (x, Traced(Value(shape, dtype, CONSTANT, array, weak=type(x) in _WEAK), array))
        return self._constants[key][1]

    # -------------------------------------------------------------------------------------- what is done

    def record(self, op: Op, inputs: Sequence[Any], settings: dict[str, Any]) -> Any:
        """Compute an op, write it down, and remember for the gradient how it was done: what ``record`` of Tensors does, and the tape."""
        if op is not recall and any(map(_holds_tensors, settings.values())):
            return self._by_key(op, inputs, settings)
        operands = [self._operand(op, x) for x in inputs]
        self.hold(*settings.values())
        settings = op.filled(settings)
        for i in op.shaped_by(settings):
            self._fix_shape(op, operands[i].value)
        if op is recall:
            traced = settings["value"]
            return self._result(op, inputs, operands, settings, traced if type(traced) is Traced else operands[0])
        arrays = [x.array for x in operands]
        try:
            data = op.forward(*arrays, **settings)
        except (TypeError, ValueError, IndexError) as error:
            raise op.explain(error, arrays, settings, [getattr(x, "name", None) for x in inputs]) from error
        if isinstance(data, tuple):
            value = Value((), None, parts=tuple((x.shape, x.dtype) for x in data))
        else:
            value = Value(np.shape(data), getattr(data, "dtype", np.dtype(type(data))), weak=type(data) in _WEAK)
        self.steps.append(Step(op, tuple(x.value for x in operands), settings, value, ".".join(self.places)))
        if value.weak:
            return Number(value, data, self)
        out = self._result(op, inputs, operands, settings, Traced(value, data))
        return out.several() if value.parts else out

    def hold(self, *settings: Any) -> None:
        """Arrays among settings, such as keys of indexing, are copied into the program: it holds for their numbers of now only."""
        for x in settings:
            if isinstance(x, np.ndarray) and not is_fixed(x):
                self.held.append(x)
            elif isinstance(x, (tuple, list)):
                self.hold(*x)

    def _fix_shape(self, op: Op, x: Value) -> None:
        """The shape of what ``op`` gives depends on the numbers of x: these must not change."""
        if x.kind != CONSTANT:
            _refuse(f"the shape of what {op.name} gives depends on numbers")
        self.hold(x.source)

    def _by_key(self, op: Op, inputs: Sequence[Any], settings: dict[str, Any]) -> Any:
        """An op with Tensors among its settings: done by another way where its key may be an input."""
        if op.keyed is None or not all(name == "key" for name, x in settings.items() if _holds_tensors(x)):
            _refuse(f"a setting of {op.name} is a Tensor, and its numbers are asked for")
        return op.keyed(*inputs, **settings)

    def _result(self, op: Op, inputs: Sequence[Any], operands: list[Any], settings: dict[str, Any], traced: Traced) -> Tensor:
        needed = any(type(x) is Tensor and x._needs_grad for x in inputs)
        if not (needed and grad_enabled() and (op.rules or op.no_rule(traced.array))):
            return constant(traced)
        # A constant stays what it was, so that rules may tell Python numbers from Tensors.
        values = [t if type(x) in (Tensor, Number) else t.array for x, t in zip(inputs, operands, strict=True)]
        return made_by(op, inputs, values, settings, traced)

    def assign(self, x: Tensor, new: Any) -> None:
        """Give a Tensor a new value: at once for what follows in the function, for all others when it has returned."""
        before, new = self.traced(x), new if type(new) is Tensor else constant(self._operand(astype, np.asarray(new)))
        if new.shape != before.shape:
            raise ValueError(f"assign: {x.describe()} cannot take a value of shape {new.shape}; the shapes must be equal.")
        if not np.can_cast(new.dtype, before.dtype, "same_kind"):
            raise TypeError(f"assign: {x.describe()} cannot take {new.dtype} values; convert them with .astype({str(before.dtype)!r}).")
        new = new if new.dtype == before.dtype else astype(new, dtype=before.dtype)
        if any(x is stand_in for stand_in in self.stand_ins):
            raise CaptureError(
                f"compile: {x.describe()} is an argument, and is given a new value{_line()}; its owner would not see that. Return the new value, or "
                "let the function find the Tensor outside (in a closure, an attribute), where it is a state that changes at each run."
            )
        if self._is_inner(x) or x.serial < self._first:
            x._data = self.traced(new)
            self._inner.append(x)
        else:
            self._values[id(x)] = (x, self.traced(new))

    def update(self, gradient: Tensor, pairs: Sequence[tuple[Tensor, Any]]) -> None:
        """What an optimiser does to a parameter and to what it remembers of it."""
        before = [self.traced(x).value for x, _ in pairs]
        # A new value may be an old one of another, as the point before is: all are looked at before any changes.
        pairs = [(x, constant(self.traced(new)) if type(new) is Tensor else new) for x, new in pairs]
        for x, new in pairs:
            self.assign(x, new)
        self._updates.append(Update(self.traced(gradient).value, [(old, self.traced(x).value) for old, (x, _) in zip(before, pairs, strict=True)]))

    def gradient_of(self, x: Tensor) -> Tensor | None:
        """The gradient of a Tensor by now: what this function gave it, or what it had before."""
        if id(x) not in self._grads:
            before = getattr(x, "_grad", None)
            if not self._is_inner(x):
                self.grads_met.append((x, before is not None))
            if before is not None:
                before = constant(Traced(Value(before.shape, before.dtype, GRADIENT, x, name=f"gradient of {x.name or 'a Tensor'}"), before._data))
            self._grads[id(x)] = (x, before)
        return self._grads[id(x)][1]

    def _is_inner(self, x: Tensor) -> bool:
        """Whether a Tensor was made by the function itself: nobody outside knows it, so its gradient is there for the function only."""
        return type(x._data) is Traced and all(x is not stand_in for stand_in in self.stand_ins)

    def set_gradient(self, x: Tensor, new: Tensor | None) -> None:
        """Give a Tensor a new gradient, or none, in the same way."""
        self._grads[id(x)] = (x, new)

    @contextmanager
    def within(self, layer: Any) -> Iterator[None]:
        """Steps inside belong to ``layer``: named as its parent knows it, or by its kind."""
        parent = self._layers[-1] if self._layers else None
        name = next((key for key, x in vars(parent).items() if x is layer), None) if parent is not None else None
        self._layers.append(layer)
        self.places.append(name or type(layer).__name__)
        try:
            yield
        finally:
            self._layers.pop()
            self.places.pop()

    def refuse(self, x: Tensor) -> NoReturn:
        """Nobody may look at numbers now."""
        _refuse(f"{x.describe()}: its numbers are asked for")

    # ------------------------------------------------------------------------------------- what comes out

    def program(self, results: Sequence[Tensor]) -> Program:
        """The program that computes ``results`` and makes all changes."""
        self.results = list(results)
        changed = [(x, new) for x, new in self._values.values() if new.value is not self._start.get(id(x))]
        grads = [(x, new) for x, new in self._grads.values() if not _is_start(x, new) and not self._is_inner(x)]
        return Program(
            self.steps,
            [self.traced(x).value for x in results],
            [(self._start[id(x)], new.value) for x, new in changed],
            [(x, None if new is None else self.traced(new).value) for x, new in grads],
            self._updates,
            captured=len(self.steps),
        )

    def name_states(self, modules: Sequence[Any]) -> None:
        """States are called as the modules know them: 0.weight."""
        names = {id(x): name for module in reversed(modules) for name, x in module.named_tensors()}  # the outermost has the last word
        for key, value in self._start.items():
            value.name = names.get(key, value.name)

    def arrays_met(self) -> set[int]:
        """The ids of all arrays of others that ops were applied to, and of those in whose memory they lie: they are read at each run."""
        found: set[int] = set()
        for array, _ in self._constants.values():
            base = array
            while isinstance(base, np.ndarray):
                found.add(id(base))
                base = base.base
        return found

    def states(self) -> list[Tensor]:
        """The Tensors that are read at each run."""
        return [x for x, _ in self._values.values() if self._start[id(x)].kind == STATE]

    def commit(self) -> None:
        """Make all changes for real, as the function has returned."""
        for x, new in self._values.values():
            if new.value is not self._start.get(id(x)):
                x._data = own(new.array)
        for x in self._inner:
            x._data = own(self.traced(x).array)
        for x, grad in self._grads.values():
            if not _is_start(x, grad):
                self._given(x)._grad = None if grad is None else constant(own(self.traced(grad).array))
        for effect in self.effects:
            effect()

    def _given(self, x: Tensor) -> Tensor:
        return self._stands_for.get(id(x), x)


def _holds_tensors(x: Any) -> bool:
    return type(x) in (Tensor, Number) or (isinstance(x, (tuple, list)) and any(map(_holds_tensors, x)))


def _is_start(x: Tensor, grad: Tensor | None) -> bool:
    return type(grad) is Tensor and type(grad._data) is Traced and grad._data.value.kind == GRADIENT and grad._data.value.source is x


def own(array: Any) -> Any:
    """An array that nobody else can write to."""
    if isinstance(array, np.ndarray) and (array.flags.writeable or array.base is not None):
        array = array.copy()
        array.flags.writeable = False
    return array
