"""What a captured function depends on besides its arguments: numbers, flags and objects that its code can reach.

A program is right as long as these are what they were. Parameters, learning rates and lambdas are not among them: they are read at each
run. Everything else that Python code may have looked at is remembered here, and asked again: what a closure or a global name holds, the
attributes of modules and optimisers (only when some attribute was set since), and what other objects and containers hold.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from ..mode import changes
from ..nn import Module
from ..optim import Optimizer
from ..tensor import Tensor

__all__ = ["Guards"]

_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic, np.dtype)
_CONTAINERS = (list, tuple, dict, set, frozenset)
_ASKED_ANEW = {"_lr", "steps", "updates", "together", "weight_lambda_l1", "weight_lambda_l2", "bias_lambda_l1", "bias_lambda_l2"}
_OWN_LISTS = {"params", "state"}  # of an optimiser, which fills them once
_MISSING = object()


class Guards:
    """What the function ``f`` and the objects ``given`` to it can reach, as it is now. ``hold()`` says whether it still is so."""

    def __init__(self, f: Callable[..., Any], *given: Any) -> None:
        self._names: list[tuple[Callable[[], Any], Any]] = []  # closures and globals: asked at each call
        self._objects: list[tuple[Any, Any]] = []  # containers and users' own objects, as they were: asked at each call
        self._watched: list[tuple[Any, Any]] = []  # modules and optimisers: asked when an attribute of any was set
        self._seen: dict[int, Any] = {}
        self._owners: set[int] = set()  # objects whose method it is
        self._reach([f, *given])
        self._count = changes.count

    def hold(self) -> bool:
        """Whether everything is as it was."""
        for ask, was in self._names:
            if ask() is not was:
                return False
        for x, was in self._objects:
            if _held(x) != was:
                return False
        if self._count != changes.count:
            now = changes.count
            if any(_held(x) != was for x, was in self._watched):
                return False
            self._count = now
        return True

    def modules(self) -> list[Module]:
        """All modules that the function can reach, outermost first."""
        return [x for x in self._seen.values() if isinstance(x, Module)]

    def _reach(self, found: list[Any]) -> None:
        while found:
            x = found.pop()
            if id(x) in self._seen or isinstance(x, (*_PLAIN, Tensor, np.ndarray, types.ModuleType, type)):
                continue
            self._seen[id(x)] = x
            found.extend(self._inside(x))

    def _inside(self, x: Any) -> Iterator[Any]:
        """What can be reached from x directly; what of it may change is remembered on the way."""
        if isinstance(x, types.FunctionType):
            yield from self._names_of(x)
        elif isinstance(x, types.MethodType):
            self._owners.add(id(x.__self__))
            yield from (x.__func__, x.__self__)
        elif isinstance(x, _CONTAINERS):
            if not isinstance(x, (tuple, frozenset)):
                self._objects.append((x, _held(x)))
            yield from x.values() if isinstance(x, dict) else x
        elif hasattr(x, "__wrapped__"):
            yield x.__wrapped__
        elif isinstance(x, (Module, Optimizer)):
            self._watched.append((x, _held(x)))
            yield from (value for name, value in _attributes(x).items() if name not in _OWN_LISTS)
            yield from _own_methods(x)
        elif hasattr(x, "__dict__") and (id(x) in self._owners or not _of_a_library(x)):
            self._objects.append((x, _held(x)))
            yield from vars(x).values()
            yield from _own_methods(x)

    def _names_of(self, f: types.FunctionType) -> Iterator[Any]:
        """What a function's free names stand for."""
        if _of_a_library(f):
            return
        for cell in f.__closure__ or ():
            yield from self._named(partial(_content, cell))
        for name in sorted(_global_names(f.__code__)):
            if name in f.__globals__:
                yield from self._named(partial(f.__globals__.get, name, _MISSING))
        yield from f.__defaults__ or ()
        yield from (f.__kwdefaults__ or {}).values()

    def _named(self, ask: Callable[[], Any]) -> Iterator[Any]:
        value = ask()
        if not isinstance(value, (types.ModuleType, type)):
            self._names.append((ask, value))
            yield value


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING


def _global_names(code: types.CodeType) -> set[str]:
    """Names that code may look up in its module, also in functions written inside it."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _global_names(constant)
    return found


def _of_a_library(x: Any) -> bool:
    module = (getattr(x, "__module__", None) or type(x).__module__ or "").partition(".")[0]
    return module in (__package__.partition(".")[0], "numpy", "builtins", "functools", "math", "itertools", "operator", "threading", "_thread")


def _own_methods(x: Any) -> list[Any]:
    """The methods that a user has written for x's class."""
    kinds = [kind for kind in type(x).__mro__ if not _of_a_library(kind)]
    return [f for kind in kinds for f in vars(kind).values() if isinstance(f, types.FunctionType)]


def _attributes(x: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(x).items() if name not in _ASKED_ANEW}


def _held(x: Any) -> Any:
    """What x holds, in a form that compares: plain values by value and kind, all else by identity."""
    if isinstance(x, (Module, Optimizer)):
        lambdas = [bool(vars(x).get(name)) for name in sorted(_ASKED_ANEW) if "lambda" in name]
        return [*((name, _mark(value)) for name, value in _attributes(x).items()), lambdas, _together(x)]
    if isinstance(x, dict):
        return [(_mark(key), _mark(value)) for key, value in x.items()]
    if isinstance(x, (list, set)):
        return [_mark(value) for value in x]
    return [(name, _mark(value)) for name, value in vars(x).items()]


def _together(x: Any) -> Any:
    """Which of an optimiser's parameters have been moved equally often: these share one step count in a program."""
    return [x.updates.index(n) for n in x.updates] if isinstance(x, Optimizer) else None


def _mark(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return (type(value), repr(value) if isinstance(value, float) else value)
    if isinstance(value, (tuple, frozenset)):
        return tuple(map(_mark, value))
    return id(value)
