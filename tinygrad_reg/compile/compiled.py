"""``compile``: an ordinary function of Tensors, captured at its first call and replayed at later ones."""

from __future__ import annotations

import importlib.util
import threading
import types
import warnings
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

from ..mode import capturing, grad_enabled, recording_on
from ..tensor import Tensor, constant
from .calls import flattened, rebuilt, results_of
from .entry import Entry
from .guards import Guards
from .homes import StateChanged
from .program import Program
from .tape import Tape

__all__ = ["Compiled", "compile"]

_BACKENDS = ("numpy", "numba")
_TOO_OFTEN = 20  # captures of one function without a program being used again


def compile(function: Callable[..., Any] | None = None, *, backend: str | None = None, wait: bool = False, programs: int = 16) -> Any:
    """Make a function of Tensors fast: its ops are captured at the first call, and replayed without Python in between at later ones.

    Everything that Tensors do is captured: forward and backward passes, penalties, optimisers' steps, assignments, random draws. Parameters,
    learning rates and lambdas are read anew at every call. There is one program for each signature (shapes, dtypes, and the values of all
    arguments that are not arrays), at most ``programs`` at a time; it is captured anew when something that the code can reach has
    changed: a number in a closure or a global, an attribute of a module, train or eval mode.

    ``backend`` is ``"numpy"``, or ``"numba"`` (extra ``[fast]``, used by default where it is installed): machine code by LLVM, through the library
    that Numba is built on. It takes a moment to be made, in the background while NumPy replays, or at once with ``wait=True``. Use it
    as a decorator, with or without settings.

    Raises ``CaptureError`` for a function that looks at numbers on the way, as in ``if loss < 1``: its program would be right for one call only.
    What Python does besides (printing, counting, ``np.random``, the time) is done at the capture only, with the values of then.

    >>> w = Tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([w], lr=0.25)
    >>> @compile
    ... def step(x):
    ...     return optimizer.minimize(((w * x) ** 2).sum())
    >>> [float(step(np.array([1.0]))) for _ in range(3)]
    [1.0, 0.25, 0.0625]
    """
    if backend not in (None, *_BACKENDS):
        raise ValueError(f"compile: there is no backend {backend!r}; there are 'numpy' and 'numba'.")
    if backend == "numba" and not _has_llvm():
        raise ImportError("compile: backend='numba' needs llvmlite and SciPy, which are not installed: pip install 'tinygrad_reg[fast]'.")
    if function is None:
        return lambda f: compile(f, backend=backend, wait=wait, programs=programs)
    if not callable(function):
        raise TypeError(f"compile takes a function of Tensors, not {type(function).__name__}.")
    return Compiled(function, backend or ("numba" if _has_llvm() else "numpy"), wait, programs)


def _has_llvm() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("llvmlite", "scipy"))


class Compiled:
    """A compiled function: call it as the function itself. Made by :func:`compile`.

    ``program`` is the program that ran last: print it to read it. ``stats()`` says what happened so far.
    """

    def __init__(self, function: Callable[..., Any], backend: str, wait: bool, programs: int) -> None:
        update_wrapper(self, function, updated=())
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        self.function = function
        self.backend, self.wait, self.limit = backend, wait, programs
        self._entries: dict[Any, list[Entry]] = {}
        self._last: Entry | None = None
        self._lock = threading.RLock()
        self._captures = self._since_hit = self._calls = 0

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        if capturing() is not None:
            return self.function(*inputs, **settings)  # part of a larger program
        with self._lock:
            self._calls += 1
            last = self._last
            if last is not None and not settings and (arrays := last.fitting(inputs)) is not None:
                try:
                    return last.run(inputs, arrays)
                except StateChanged:
                    pass
            return self._slowly(inputs, settings, None)

    def run(self, *inputs: Any, times: int, **settings: Any) -> Any:
        """Call the function ``times`` times with the same arguments; every result has a leading axis of that length.

        For full-batch training: the loop is inside the compiled program where that can be.

        >>> w = Tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.SGD([w], lr=0.25)
        >>> step = compile(lambda: optimizer.minimize((w * w).sum()))
        >>> step.run(times=3)
        Tensor([1.    , 0.25  , 0.0625])
        """
        if times < 1:
            raise ValueError(f"run: times is {times}; it must be at least 1.")
        with self._lock:
            self._calls += times
            return self._slowly(inputs, settings, times)

    def _slowly(self, inputs: tuple[Any, ...], settings: dict[str, Any], times: int | None) -> Any:
        """Find the program that fits, or capture one, and run it."""
        arrays: list[Any] = []
        key = (flattened((inputs, settings), arrays), grad_enabled())
        found = next((entry for entry in self._entries.get(key, ()) if entry.guards.hold()), None)
        if found is not None:
            self._last, self._since_hit = found, 0
            try:
                return found.call(arrays) if times is None else found.loop(arrays, times)
            except StateChanged:
                self._forget(key, found)
        entry, result = self._capture(key, inputs, settings, arrays)
        if times is None:
            return result
        first = rebuilt(result, lambda x: x.data[None] if isinstance(x, Tensor) else np.asarray(x)[None])
        rest = entry.loop(arrays, times - 1) if times > 1 else None
        return _joined(first, rest)

    def _capture(self, key: Any, inputs: tuple[Any, ...], settings: dict[str, Any], arrays: list[Any]) -> tuple[Entry, Any]:
        """Run the function once, with its ops on a tape."""
        self._captures += 1
        self._since_hit += 1
        if self._since_hit == _TOO_OFTEN:
            warnings.warn(
                f"compile: {self.__name__} was captured {_TOO_OFTEN} times in a row, for something it depends on changes at every call: a number "
                "in a closure or an attribute, or the shape of an argument. Make what changes a Tensor, or do not compile this function.",
                RuntimeWarning,
                stacklevel=4,
            )
        guards = Guards(self.function, *_objects((inputs, settings)))
        tape = Tape()
        with recording_on(tape):
            given = rebuilt((inputs, settings), lambda x: tape.argument(x, len(tape.stand_ins)))
            result = self.function(*given[0], **given[1])
            program = tape.program(results_of(result))
        tape.name_states(guards.modules())
        guards.watch(tape.held, tape.arrays_met(), tape.states())
        entry = Entry(self, key, guards, tape, program, result, arrays)
        outcome = entry.first(tape)
        self._remember(key, entry)
        return entry, outcome

    def _remember(self, key: Any, entry: Entry) -> None:
        self._entries.setdefault(key, []).insert(0, entry)
        self._last = entry
        count = sum(map(len, self._entries.values()))
        while count > self.limit:
            oldest = next(iter(self._entries))
            self._entries[oldest].pop()
            if not self._entries[oldest]:
                del self._entries[oldest]
            count -= 1

    def _forget(self, key: Any, entry: Entry) -> None:
        self._entries[key].remove(entry)
        self._last = None

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else types.MethodType(self, owner)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Compiled, (self.function, self.backend, self.wait, self.limit))

    @property
    def program(self) -> Program:
        """The program that ran last, as the passes left it. Raises ``RuntimeError`` before the first call."""
        if self._last is None:
            raise RuntimeError(f"{self.__name__}.program: nothing has been captured yet; call the function first.")
        return self._last.program

    @property
    def replay(self) -> Any:
        """What runs that program now, or will at the next call; None before the second one. Its own program is the one that it was made of."""
        last = self._last
        return None if last is None else last.better[0] if last.better is not None else last.replay

    def stats(self) -> dict[str, Any]:
        """How often it was called and captured, how many programs are kept, and of the last one: steps, buffers, flops, and what replays it.

        >>> f = compile(lambda x: x + 1, backend="numpy")
        >>> _ = f(np.zeros(3)), f(np.ones(3))
        >>> f.stats()["captures"], f.stats()["calls"]
        (1, 2)
        """
        common = {"calls": self._calls, "captures": self._captures, "programs": sum(map(len, self._entries.values()))}
        return common | (self._last.stats() if self._last is not None else {})

    def __repr__(self) -> str:
        return f"<compiled {getattr(self, '__qualname__', self.function)}, {self._captures} captures>"


def _objects(x: Any) -> list[Any]:
    """The arguments that are neither arrays nor containers: a program depends on what can be reached from them."""
    if isinstance(x, dict):
        return [found for value in x.values() for found in _objects(value)]
    if isinstance(x, (list, tuple)):
        return [found for value in x for found in _objects(value)]
    return [] if isinstance(x, np.ndarray) else [x]


def _joined(first: Any, rest: Any) -> Any:
    """Results of the first run and of all others, along the leading axis."""
    others = iter(results_of(rest))

    def whole(x: Any) -> Tensor:
        later = next(others, None) if rest is not None else None
        return constant(np.concatenate([x, later._data]) if later is not None else x)

    return rebuilt(first, whole)
