"""Where states live between the runs of a program: one array each, written to in place as long as nobody else sees it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Home
from .passes.packing import Pack
from .program import Value, is_fixed

__all__ = ["Homes", "StateChanged"]


class StateChanged(Exception):  # noqa: N818 - it is news, not an error
    """A state has another shape or dtype than when its program was captured, so the program does not fit any more."""


class Homes:
    """The arrays of the states of one program, in order.

    A run begins with :meth:`ready`: values that were assigned since are copied in. A home that somebody else holds (a graph recorded in
    eager mode, a detached Tensor) must not change under them: then ``ready`` says no, and all is to be bound to :meth:`renewed` homes.
    States that are packed live one behind the other. A home is a plain array, quick in NumPy, on memory that says what it is.
    """

    def __init__(self, states: Sequence[Value], packs: Sequence[Pack] = (), assigned: Sequence[Value] = ()) -> None:
        together = [part for pack in packs for part in pack.parts]
        alone = {id(x): x for x in states if x.source is not None}
        self.states = list({**alone, **{id(x): x for x in together}}.values())
        self.packs = packs
        self.tensors = [x.source for x in self.states]
        self.kinds = [(x.shape, x.dtype) for x in self.states]
        self.of: dict[int, Any] = {}  # by a state's id: its home
        self.arrays: list[Any] = []
        self._counts: list[int] = []
        self._stay = set(range(len(self.states))).difference(self.places(assigned))  # no run writes to these
        self._copied: list[Any] = []
        self.renewed()

    def places(self, states: Sequence[Value]) -> list[int]:
        """Where these states, and those that live in a pack among them, stand in order."""
        wholes = {id(pack.whole): pack.parts for pack in self.packs}
        wanted = {id(part) for x in states for part in wholes.get(id(x), [x])}
        return [i for i, x in enumerate(self.states) if id(x) in wanted]

    def bound(self) -> None:
        """All references that the program itself holds are there now: more would be somebody else's."""
        self._counts = [sys.getrefcount(array) for i, array in enumerate(self.arrays)]  # the same loop as below, so that it counts the same

    def ready(self) -> bool:
        """Whether a run can begin: every home holds the value of its Tensor, and is nobody else's."""
        for i, array in enumerate(self.arrays):
            data = self.tensors[i]._data
            if data is array:
                if sys.getrefcount(array) > self._counts[i] + 2:  # `data` and the Tensor itself
                    return False
                continue
            if data is self._copied[i]:
                continue
            if (data.shape, data.dtype) != self.kinds[i]:
                raise StateChanged
            if sys.getrefcount(array) > self._counts[i]:
                return False
            array[...] = data
            if i in self._stay and is_fixed(data):
                self._copied[i] = data
        return True

    def renewed(self) -> None:
        """New arrays for all; the old ones stay with those who hold them."""
        self.of = {}
        for pack in self.packs:
            memory = np.ndarray.__new__(Home, pack.whole.shape, pack.whole.dtype)
            self.of[id(pack.whole)], start = memory.view(np.ndarray), 0
            for part in pack.parts:
                self.of[id(part)] = np.ndarray(part.shape, part.dtype, memory, start)
                start += part.nbytes
        for x in self.states:
            if id(x) not in self.of:
                self.of[id(x)] = np.ndarray.__new__(Home, x.shape, x.dtype).view(np.ndarray)
        self.arrays = [self.of[id(x)] for x in self.states]
        self._copied = [None] * len(self.arrays)

    def handed_over(self, which: Sequence[int]) -> None:
        """The Tensors take what the run has put into their homes."""
        for i in which:
            array = self.arrays[i]
            self.tensors[i]._data = array if array.ndim else array[()]


def owned(x: Any) -> Any:
    """An array that no later run writes to."""
    return x.copy() if isinstance(x, np.ndarray) else x
