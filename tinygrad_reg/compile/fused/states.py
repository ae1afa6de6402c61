"""States of a compiled program: assigned ones live in arrays of its own, which the machine code writes to; others are read where they are."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from operator import attrgetter, is_
from sys import getrefcount
from typing import Any

import numpy as np

from ...tensor import Home
from ..homes import StateChanged
from ..program import Value

__all__ = ["Fresh", "States", "address_of", "aligned_empty"]

_data_of = attrgetter("_data")


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
        array = np.ndarray.__new__(kind, shape, dtype)
        if _address(array) % 64 == 0 or array.nbytes > 1 << 16:
            break
        tried.append(array)
    return array


class States:
    """The assigned states of a program. A run begins with :meth:`ready` and ends with :meth:`done`.

    ``bind`` is called with a place and an address whenever a state has a new home. A home is never written to while somebody else
    holds it, or a view of it: then the state moves.
    """

    def __init__(self, states: Sequence[Value], bind: Callable[[int, int], None]) -> None:
        self.states = list(states)
        self.tensors = [x.source for x in states]
        self.bind = bind
        self.arrays: list[Any] = [None] * len(states)
        self.single = [i for i, x in enumerate(states) if not x.shape]  # single numbers: the Tensor has a NumPy scalar
        self.large = [i for i, x in enumerate(states) if x.shape]
        self.given: list[Any] = [None] * len(self.single)  # the scalars that the Tensors were given last
        for i in range(len(states)):
            self._move(i)
        self._tensors = [self.tensors[i] for i in self.large]
        self._singles = [(place, self.tensors[i], self.arrays[i]) for place, i in enumerate(self.single)]
        self._count()

    def _move(self, i: int) -> None:
        state = self.states[i]
        self.arrays[i] = aligned_empty(state.shape, state.dtype, Home).view(np.ndarray)
        self.bind(i, address_of(self.arrays[i]))

    def _count(self) -> None:
        """How many references there are to a home that nobody but this object holds, as the two ways of looking below see it."""
        self._large = [self.arrays[i] for i in self.large]
        free = aligned_empty((1,), np.float64)
        lists = [free], [free]
        del free
        self._most = 1 + max(map(getrefcount, lists[0]))  # the Tensor holds it, too
        self._base = getrefcount(lists[0][0])

    def ready(self) -> None:
        """Put the values of now into the homes; raises StateChanged if one has another shape or dtype."""
        for place, tensor, array in self._singles:
            data = tensor._data
            if data is not self.given[place]:
                self._take(array, data)
        if not (all(map(is_, map(_data_of, self._tensors), self._large)) and max(map(getrefcount, self._large), default=0) <= self._most):
            self._slowly()

    def _take(self, array: np.ndarray, data: Any) -> None:
        if data.shape != array.shape or data.dtype != array.dtype:
            raise StateChanged
        array[...] = data

    def _slowly(self) -> None:
        for i in self.large:
            tensor, state = self.tensors[i], self.states[i]
            if tensor._data.shape != state.shape or tensor._data.dtype != state.dtype:
                raise StateChanged
        for i in self.large:
            tensor = self.tensors[i]
            others = getrefcount(self.arrays[i]) - self._base - (tensor._data is self.arrays[i])
            if others > 0:
                self._move(i)
            if tensor._data is not self.arrays[i]:
                self.arrays[i][...] = tensor._data
        self._count()

    def done(self) -> None:
        """Give the Tensors what the run has put into the homes."""
        for place, tensor, array in self._singles:
            self.given[place] = tensor._data = array[()]
        for tensor, array in zip(self._tensors, self._large, strict=True):
            tensor._data = array


class Fresh:
    """Arrays for one result: a new one for each run, but one that everybody has let go of is used again."""

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape, self.dtype = shape, dtype
        self._pool: list[tuple[Any, int]] = []

    def take(self) -> tuple[Any, int]:
        """An array that nobody else holds, and its address."""
        for pair in self._pool:
            if getrefcount(pair[0]) == 2:
                return pair
        array = aligned_empty(self.shape, self.dtype)
        pair = (array, address_of(array))
        if len(self._pool) < 3:
            self._pool.append(pair)
        return pair
