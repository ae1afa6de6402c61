"""States of a compiled program: assigned ones live in arrays of its own, which the machine code writes to; others are read where they are."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from functools import cache
from sys import getrefcount
from typing import Any

import numpy as np

from ...tensor import Home
from ..homes import StateChanged
from ..program import Value

__all__ = ["Fresh", "States", "address_of", "aligned_empty"]


def _address(array: np.ndarray) -> int:
    """Where an array's first element is, as NumPy says it: over a microsecond."""
    return int(array.__array_interface__["data"][0])


_at = ctypes.c_size_t.from_address


def _offset() -> int:
    """How far into an array object its address is kept, found by looking at some; 0 if it is not to be found."""
    samples = [np.zeros(shape, dtype) for shape in ((3,), (2, 0), (4, 5), ()) for dtype in ("f4", "f8")]
    if sys.implementation.name != "cpython" or len({_address(x) for x in samples}) < 2:
        return 0
    for offset in range(16, 64, 8):
        if all(_at(id(x) + offset).value == _address(x) for x in samples):
            return offset
    return 0


_OFFSET = _offset()


def address_of(array: np.ndarray) -> int:
    """Where an array's first element is."""
    return _at(id(array) + _OFFSET).value if _OFFSET and type(array) is np.ndarray else _address(array)


def aligned_empty(shape: tuple[int, ...], dtype: Any, kind: type = np.ndarray) -> np.ndarray:
    """An array of its own memory that begins, where that is easily had, at a multiple of 64 bytes, as the processor likes it."""
    tried = []
    for _ in range(16):
        array: np.ndarray = np.ndarray.__new__(kind, shape, dtype)
        if _address(array) % 64 == 0 or array.nbytes > 1 << 16:
            break
        tried.append(array)
    return array


class States:
    """The assigned states of a program. A run begins with :meth:`ready` and ends with :meth:`done`.

    ``names`` are those that a run knows (see runs.py): here the Tensors, their homes, and how many references a home has that nobody else
    holds. ``bind`` is called with a place and an address whenever a state has a new home. A home is never written to while somebody else holds
    it, or a view of it: then the state moves.
    """

    def __init__(self, states: Sequence[Value], bind: Callable[[int, int], None], names: dict[str, Any]) -> None:
        self.states = list(states)
        self.tensors = [x.source for x in states]
        self.bind, self.names = bind, names
        self.arrays: list[Any] = [None] * len(states)
        self.single = [i for i, x in enumerate(states) if not x.shape]  # single numbers: the Tensor has a NumPy scalar
        self.large = [i for i, x in enumerate(states) if x.shape]
        self.given: list[Any] = [None] * len(self.single)  # the scalars that the Tensors were given last
        for i, tensor in enumerate(self.tensors):
            names[f"t{i}"] = tensor
            self._move(i)
        names |= {"count": getrefcount, "most": 1 + _references()[0], "given": self.given, "ready": self.ready, "done": self.done}

    def _move(self, i: int) -> None:
        state = self.states[i]
        self.arrays[i] = self.names[f"h{i}"] = aligned_empty(state.shape, state.dtype, Home).view(np.ndarray)
        self.bind(i, address_of(self.arrays[i]))

    def ready(self) -> None:
        """Put the values of now into the homes; raises StateChanged if one has another shape or dtype."""
        for tensor, state in zip(self.tensors, self.states, strict=True):
            if tensor._data.shape != state.shape or tensor._data.dtype != state.dtype:
                raise StateChanged
        for i in self.large:
            tensor = self.tensors[i]
            others = getrefcount(self.arrays[i]) - _references()[1] - (tensor._data is self.arrays[i])
            if others > 0:
                self._move(i)
            if tensor._data is not self.arrays[i]:
                self.arrays[i][...] = tensor._data
        for i in self.single:
            self.arrays[i][...] = self.tensors[i]._data

    def at_home(self, array: Any) -> bool:
        """Whether an array is a home, or a part of one."""
        return any(array is home or getattr(array, "base", None) is home for home in self.arrays)

    def done(self) -> None:
        """Give the Tensors what the run has put into the homes."""
        for i in self.large:
            self.tensors[i]._data = self.arrays[i]
        for place, i in enumerate(self.single):
            self.given[place] = self.tensors[i]._data = self.arrays[i][()]


@cache
def _references() -> tuple[int, int]:
    """What ``getrefcount`` says of a home held by the list and the names of its States only: asked for by name, and through the list."""
    array = np.empty(1)
    arrays, names = [array], {"h": array, "count": getrefcount}
    del array
    return int(eval("count(h)", names)), getrefcount(arrays[0])


def _free() -> int:
    """What ``getrefcount`` says of an array that only a pair holds."""
    pair = (np.empty(1), 0)
    return getrefcount(pair[0])


_FREE = _free()


class Fresh:
    """Arrays for one result: a new one for each run, but one that everybody has let go of is used again."""

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape, self.dtype = shape, dtype
        self._pool: list[tuple[Any, int]] = []

    def take(self) -> tuple[Any, int]:
        """An array that nobody else holds, and its address."""
        for pair in self._pool:
            if getrefcount(pair[0]) == _FREE:
                return pair
        array = aligned_empty(self.shape, self.dtype)
        pair = (array, address_of(array))
        if len(self._pool) < 3:
            self._pool.append(pair)
        return pair
