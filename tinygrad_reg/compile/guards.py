"""What a captured function depends on besides its arguments: numbers, flags and objects that its code can reach.

A program is right as long as these are what they were. Parameters, learning rates and lambdas are not among them: they are read at each
run (unless the code itself asks for them by name). Everything else that Python code may have looked at is remembered here, and asked again: what
a closure or a global name holds, the attributes of modules and optimisers (only when some attribute was set since), what other
objects, classes and containers hold, and the numbers in arrays that are no operand of an op.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import is_
from typing import Any

import numpy as np

from ..mode import changes
from ..nn import Module
from ..nn.layers import Penalised
from ..op import Expression, Op
from ..optim import Optimizer
from ..tensor import Tensor
from .program import is_fixed
from .reach import attributes, is_users_class, is_users_module, methods, names_in, of_a_library

__all__ = ["Guards"]

_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic, np.dtype)
_CONTAINERS = (list, tuple, dict, set, frozenset, deque)
_LAMBDAS = ("weight_lambda_l1", "weight_lambda_l2", "bias_lambda_l1", "bias_lambda_l2")
# Attributes that a program asks for at each run, each with the names by which code could ask for it itself.
_OF_LAYERS = {name: {name} for name in _LAMBDAS}
_OF_OPTIMIZERS = {"_lr": {"_lr", "lr", "current_lr", "lr_at"}, "steps": {"steps", "current_lr"}, "updates": {"updates"}}
_OF_OPTIMIZERS |= {"together": {"together"}, "_apart": set(), "_terms": set(), "_looked": set()}
_MISSING = object()
_SMALL = 1 << 14  # elements of an array whose numbers are compared at each call
_NOBODY_ELSE = 3  # references to an array that only the tape holds: its list, the loop, the counting


class Guards:
    """What the function ``f`` and the objects ``given`` to it can reach, as it is now. ``hold()`` says whether it still is so."""

    def __init__(self, f: Callable[..., Any], *given: Any) -> None:
        self._names: list[tuple[Callable[[], Any], Any]] = []  # closures and globals: asked at each call
        self._functions: list[tuple[types.FunctionType, Any, Any]] = []  # with their code and defaults: asked at each call
        self._members: list[tuple[Any, list[Any]]] = []  # what is in users' classes: asked at each call
        self._objects: list[tuple[Any, Any]] = []  # containers and users' own objects, as they were: asked at each call
        self._watched: list[tuple[Any, Any]] = []  # modules and optimisers: asked when an attribute of any was set
        self._flags: list[tuple[Tensor, bool]] = []  # Tensors, and whether they wanted a gradient: asked then, too
        self._arrays: list[tuple[np.ndarray, bytes]] = []  # whose numbers have gone into the program: compared at each call
        self._seen: dict[int, Any] = {}
        self._owners: set[int] = set()  # objects whose method it is
        self._read: set[str] = set()  # all names that the code mentions
        self._waiting: dict[str, list[types.FunctionType]] = {}  # methods that nobody has called by name yet
        self._reach([f, *given])
        self._watched = [(x, _held(x, self._read)) for x in self._seen.values() if isinstance(x, (Module, Optimizer))]
        self._count = changes.count

    def hold(self) -> bool:
        """Whether everything is as it was."""
        for ask, was in self._names:
            if ask() is not was:
                return False
        for f, code, defaults in self._functions:
            if f.__code__ is not code or f.__defaults__ is not defaults:
                return False
        for x, members in self._members:
            if len(x) != len(members) or not all(map(is_, x.values(), members)):
                return False
        for x, was in self._objects:
            if _held(x) != was:
                return False
        for array, numbers in self._arrays:
            if array.tobytes() != numbers:
                return False
        return self._count == changes.count or self._still()

    def _still(self) -> bool:
        now = changes.count
        if any(_held(x, self._read) != was for x, was in self._watched) or any(x._needs_grad is not was for x, was in self._flags):
            return False
        self._count = now
        return True

    def watch(self, held: list[np.ndarray], met: set[int], states: Iterable[Tensor]) -> None:
        """Remember the numbers of arrays: of those ``held`` in the program, and of those that can be reached and are no operand (ids in
        ``met``) of an op; code may have computed from these with NumPy. Of the latter only if they are small, as it is done at each call.
        And whether ``states`` want a gradient.
        """
        reached = [x for x in self._seen.values() if isinstance(x, np.ndarray) and x.size <= _SMALL and id(x) not in met and not is_fixed(x)]
        # What is held by nobody else any more was made on the way.
        kept = [x for x in held if x.base is not None or sys.getrefcount(x) > _NOBODY_ELSE]
        self._arrays = [(x, x.tobytes()) for x in {id(x): x for x in (*reached, *kept)}.values() if x.dtype.kind != "O"]
        self._flags = [(x, x._needs_grad) for x in states]

    def modules(self) -> list[Module]:
        """All modules that the function can reach, outermost first."""
        return [x for x in self._seen.values() if isinstance(x, Module)]

    # ---------------------------------------------------------------------------------------------- what can be reached

    def _reach(self, found: list[Any]) -> None:
        while found:
            x = found.pop()
            if id(x) not in self._seen and not isinstance(x, (*_PLAIN, Tensor, types.ModuleType, Op, Expression)):
                self._seen[id(x)] = x
                found.extend(self._inside(x))
            if not found:
                found = [f for name in self._waiting.keys() & self._read for f in self._waiting.pop(name)]

    def _inside(self, x: Any) -> Iterator[Any]:
        """What can be reached from x directly; what of it may change is remembered on the way."""
        if isinstance(x, np.ndarray):
            return
        if isinstance(x, types.FunctionType):
            yield from self._names_of(x)
        elif isinstance(x, type):
            yield from self._of_class(x)
        elif isinstance(x, types.MethodType):
            self._owners.add(id(x.__self__))
            yield from (x.__func__, x.__self__)
        elif isinstance(x, partial):
            yield from (x.func, x.args, x.keywords)
        elif isinstance(x, _CONTAINERS):
            if not isinstance(x, (tuple, frozenset)):
                self._objects.append((x, _held(x)))
            yield from x.values() if isinstance(x, dict) else x
        elif hasattr(x, "__wrapped__"):
            yield x.__wrapped__
        elif isinstance(x, (Module, Optimizer)):
            yield from (value for name, value in vars(x).items() if name not in _OF_OPTIMIZERS or isinstance(x, Module))
            yield from type(x).__mro__
        elif id(x) in self._owners or not of_a_library(x) or type(x) is types.SimpleNamespace:
            self._objects.append((x, _held(x)))
            yield from attributes(x).values()
            yield from type(x).__mro__

    def _of_class(self, kind: type) -> Iterator[Any]:
        if not is_users_class(kind):
            return
        self._members.append((vars(kind), list(vars(kind).values())))
        for name, f, called in methods(kind):
            if called:
                yield f
            else:
                self._waiting.setdefault(name, []).append(f)
        yield from (value for name, value in vars(kind).items() if not name.startswith("__") and isinstance(value, _CONTAINERS))

    def _names_of(self, f: types.FunctionType) -> Iterator[Any]:
        """What a function's free names stand for; a library's functions may hold those of a user."""
        for cell in f.__closure__ or ():
            yield from self._named(partial(_content, cell))
        if of_a_library(f):
            return
        names = names_in(f.__code__)
        self._read |= names
        self._functions.append((f, f.__code__, f.__defaults__))
        for name in sorted(names & f.__globals__.keys()):
            value = f.__globals__[name]
            yield from self._named(partial(f.__globals__.get, name, _MISSING))
            for attribute in sorted(names) if is_users_module(value) else ():
                yield from self._named(partial(vars(value).get, attribute, _MISSING))
        yield from (f.__defaults__, f.__kwdefaults__, vars(f) or None)

    def _named(self, ask: Callable[[], Any]) -> Iterator[Any]:
        value = ask()
        if not isinstance(value, types.ModuleType) and (not isinstance(value, type) or is_users_class(value)):
            self._names.append((ask, value))
            yield value


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING


def _held(x: Any, read: set[str] = frozenset()) -> Any:  # type: ignore[assignment]
    """What x holds, in a form that compares: plain values by value and kind, all else by identity."""
    if isinstance(x, (Module, Optimizer)):
        asked_anew = _OF_OPTIMIZERS if isinstance(x, Optimizer) else _OF_LAYERS if isinstance(x, Penalised) else {}
        known = [(name, _mark(value)) for name, value in vars(x).items() if name not in asked_anew or asked_anew[name] & read]
        return [*known, [_strength(vars(x).get(name)) for name in (*_LAMBDAS, "_lr")], _together(x)]
    if isinstance(x, dict):
        return [(_mark(key), _mark(value)) for key, value in x.items()]
    if isinstance(x, (list, set, deque)):
        return [_mark(value) for value in x]
    return [(name, _mark(value)) for name, value in attributes(x).items()]


def _together(x: Any) -> Any:
    """Which of an optimiser's parameters have been moved equally often: these share one step count in a program."""
    return [x.updates.index(n) for n in x.updates] if isinstance(x, Optimizer) else None


def _strength(value: Any) -> Any:
    """What a program depends on of a λ or a learning rate: which schedule or Tensor it is, and of a number only whether it is 0."""
    return bool(value) if isinstance(value, (int, float, type(None))) else id(value)


def _mark(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return (type(value), repr(value) if isinstance(value, (float, complex, np.generic)) else value)
    if isinstance(value, (tuple, frozenset)):
        return tuple(map(_mark, value))
    return id(value)
