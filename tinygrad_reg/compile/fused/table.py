"""The table of addresses that machine code reads: of arguments, states, constants, results and memory of its own."""

from __future__ import annotations

import struct
from array import array as plain_array
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..homes import StateChanged
from ..program import ARGUMENT, CONSTANT, NUMBER, STATE, Value
from .nodes import unchanging
from .plan import Plan
from .states import Fresh, States, address_of, aligned_empty

__all__ = ["Table"]


class Table:
    """One entry for each of the plan's slots. ``names`` is what a run knows (see runs.py); lists say what it has to look at each time."""

    def __init__(self, plan: Plan, arguments: Sequence[int]) -> None:
        self.plan = plan
        self.places = {source: place for place, source in enumerate(arguments)}
        self.entries = plain_array("q", [0]) * len(plan.slots)
        self.address = self.entries.buffer_info()[0]
        self.last: list[Any] = [None] * len(plan.slots)  # what was looked at last
        self.kept: dict[int, Any] = {}  # arrays whose addresses are in the table
        self.arguments: list[tuple[int, int]] = []  # entry, place among the arguments
        self.others: list[tuple[int, Value]] = []  # entry, and a state, gradient or constant to be looked at
        self.fresh: list[tuple[int, int]] = []  # entry, result
        self.scalars: list[int] = []  # results that are single numbers
        count = len(plan.program.of_kind(NUMBER))
        self.numbers = plain_array("d", [0.0]) * count
        pack = struct.Struct(f"{count}d").pack_into
        self.names: dict[str, Any] = {"last": self.last, "look": self.look, "table": self.entries, "buffer": self.numbers, "pack": pack}
        self.states = self._states()
        for slot, (kind, what) in enumerate(plan.slots):
            getattr(self, f"_{kind}")(slot, what)

    def _states(self) -> States:
        states = {id(state): state for state, _ in self.plan.assigned}
        slots = {id(what): slot for slot, (kind, what) in enumerate(self.plan.slots) if kind == "input"}
        mine = [slots[key] for key in states]

        def bind(i: int, address: int) -> None:
            self.entries[mine[i]] = address

        return States(list(states.values()), bind, self.names)

    # ------------------------------------------------------------------------- one method a kind of slot

    def keep(self, slot: int, array: Any) -> Any:
        """Put an array's address into the table, and keep the array."""
        self.kept[slot] = array
        self.entries[slot] = address_of(array)
        return array

    def _scratch(self, slot: int, what: None) -> None:
        memory = self.kept[slot] = np.empty(self.plan.scratch + 64, np.uint8)
        start = address_of(memory)
        self.entries[slot] = start + -start % 64

    def _numbers(self, slot: int, what: None) -> None:
        self.numbers_slot = slot
        self.entries[slot] = self.numbers.buffer_info()[0]

    def _result(self, slot: int, i: int) -> None:
        value = self.plan.results[i]
        if value.shape:
            self.names[f"f{i}"] = Fresh(value.shape, value.dtype).take
            self.fresh.append((slot, i))
        else:
            self.names[f"r{i}"] = self.keep(slot, np.zeros((), value.dtype))
            self.scalars.append(i)

    def _kept(self, slot: int, value: Value) -> None:
        self.keep(slot, aligned_empty(value.shape, value.dtype))

    def _given(self, slot: int, value: Value) -> None:
        """The address comes when the op has been called."""

    def _input(self, slot: int, value: Value) -> None:
        if value.kind == ARGUMENT:
            self.arguments.append((slot, self.places[value.source]))
        elif value.kind == CONSTANT and unchanging(value.source):
            self.look(slot, value.source, value)
        elif all(value is not state for state in self.states.states):
            self.others.append((slot, value))
            self.names |= {f"o{slot}": value.source, f"v{slot}": value}

    # ----------------------------------------------------------------------------------------- at a run

    def look(self, slot: int, array: Any, value: Value | None = None) -> None:
        """Note where an array is; one that is not contiguous is copied, each time."""
        if value is not None and value.kind != CONSTANT and (array.shape, array.dtype) != (value.shape, value.dtype):
            raise StateChanged
        ready = np.ascontiguousarray(array, dtype=None if value is None else value.dtype).reshape(np.shape(array))
        fixed = not isinstance(array, np.ndarray) or ready is array or np.shares_memory(ready, array)
        if self.states.at_home(array):  # a parameter that is an argument as well: this run writes to it
            ready, fixed = ready.copy(), False
        self.last[slot] = array if fixed else None
        self.keep(slot, ready)

    def look_at_all(self, arguments: list[Any]) -> None:
        """Note where everything is that may have moved since the last run."""
        self.states.ready()
        for slot, place in self.arguments:
            self.look(slot, arguments[place])
        for slot, value in self.others:
            source = value.source
            self.look(slot, source if value.kind == CONSTANT else source._data if value.kind == STATE else source._grad._data, value)

    def for_loop(self, numbers: Any, times: int) -> tuple[list[Any], list[int]]:
        """Results with a leading axis of ``times``, in the table; and by how much which entries move on at each run."""
        out = [np.empty((times, *value.shape), value.dtype) for value in self.plan.results]
        moves = []
        for slot, (kind, i) in enumerate(self.plan.slots):
            if kind == "result":
                self.entries[slot] = address_of(out[i])
                moves += [slot, self.plan.results[i].nbytes]
        if numbers.size:
            self.entries[self.numbers_slot] = address_of(numbers)
            moves += [self.numbers_slot, numbers.strides[0]]
        return out, moves

    def after_loop(self) -> None:
        """Entries that are not looked at in a single run, as they were."""
        for slot, (kind, _) in enumerate(self.plan.slots):
            if kind == "result" and slot in self.kept:
                self.entries[slot] = address_of(self.kept[slot])
            elif kind == "numbers":
                self._numbers(slot, None)
