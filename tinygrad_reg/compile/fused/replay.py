"""Replay with machine code: each piece of a program is one function; ops that loops cannot compute are called in between."""

from __future__ import annotations

import struct
import threading
from typing import Any

import numpy as np

from ..program import ARGUMENT, CONSTANT, GRADIENT, NUMBER, STATE, Program, Value
from .machine import machine, machine_code
from .nodes import CHECK, Declined, Node, row_major
from .plan import Plan
from .products import find_blas
from .states import Fresh, States, address_of, aligned_empty
from .write import program_text

__all__ = ["Declined", "FusedReplay"]

QUICK = 1 << 18  # flops; below, other threads wait while the machine code runs


class FusedReplay:
    """Runs a lowered program again and again, in machine code; ``source`` is its text, ``from_disk`` whether the code was there already.

    Raises Declined for a program that this replay is not for.

    >>> from tinygrad_reg.compile.example import small
    >>> replay = FusedReplay(small(lambda x: tg.exp(x) + 1), cache=False)
    >>> replay.run([np.zeros((2, 2))], [])[0]
    array([[2., 2.],
           [2., 2.]])
    """

    backend = "numba"

    def __init__(self, program: Program, cache: bool = True) -> None:
        self.program = program
        blas = find_blas()
        self.plan = plan = Plan(program, blas is not None)
        self.source = program_text(plan, blas, machine().width_bytes)
        self.code, self.from_disk = machine_code(self.source, cache)
        quick = program.flops < QUICK
        self.pieces: list[Any] = [piece.call or self.code.function(f"piece{i}", 1, quick) for i, piece in enumerate(plan.pieces)]
        self.table = np.zeros(len(plan.slots), np.int64)
        self._table = address_of(self.table)
        self._lock = threading.Lock()
        self._kept: dict[int, Any] = {}  # arrays by entry of the table
        self._fill()

    # ------------------------------------------------------------------------------------------- table

    def _fill(self) -> None:
        """What stays where it is from run to run, and what is to be put into the table at each."""
        scratch = np.empty(self.plan.scratch + 64, np.uint8)
        self._scratch, start = scratch, address_of(scratch)
        self.table[0] = start + -start % 64
        self._arguments: list[tuple[int, int]] = []  # entry of the table, place among the arguments
        self._others: list[tuple[int, Value]] = []  # what is looked at anew at each run
        self._fresh: list[tuple[int, int, Fresh]] = []
        self._scalars: list[tuple[int, Any]] = []
        self._last: list[Any] = [None] * len(self.plan.slots)
        self._numbers = np.zeros(max(len(self.program.of_kind(NUMBER)), 1))
        self._numbers_address = address_of(self._numbers)
        self._pack = struct.Struct(f"{len(self.program.of_kind(NUMBER))}d").pack_into
        self.results: list[Any] = [None] * len(self.plan.results)
        states = {id(state): state for state, _ in self.plan.assigned}
        for slot, (kind, what) in enumerate(self.plan.slots):
            match kind:
                case "numbers":
                    self._numbers_slot = slot
                    self.table[slot] = address_of(self._numbers)
                case "result":
                    self._result(slot, what)
                case "kept":
                    self._keep(slot, aligned_empty(what.shape, what.dtype))
                case "input" if what.kind == ARGUMENT:
                    self._arguments.append((slot, what.source))
                case "input" if what.kind == CONSTANT and not what.source.flags.writeable and what.source.base is None:
                    self._look(slot, what.source, what)
                case "input" if id(what) not in states:
                    self._others.append((slot, what))
        homes = {id(what): slot for slot, (kind, what) in enumerate(self.plan.slots) if kind == "input"}
        entries = [homes[key] for key in states]

        def bind(i: int, address: int) -> None:
            self.table[entries[i]] = address

        self.states = States(list(states.values()), bind)

    def _keep(self, slot: int, array: Any) -> None:
        self._kept[slot] = array
        self.table[slot] = address_of(array)

    def _result(self, slot: int, i: int) -> None:
        value = self.plan.results[i]
        if value.shape:
            self._fresh.append((slot, i, Fresh(value.shape, value.dtype)))
        else:
            self._keep(slot, np.zeros((), value.dtype))
            self._scalars.append((i, self._kept[slot]))

    # --------------------------------------------------------------------------------------------- runs

    def run(self, arguments: list[Any], numbers: list[float]) -> list[Any]:
        """One run: the results, then the gradients, in arrays that no later run writes to; states get their new values.

        Raises what an op raises that refuses its input, and StateChanged for a state of another shape or dtype; all is then as before.
        """
        with self._lock:
            self._begin(arguments, numbers)
            table, results = self.table, self.results
            for slot, i, fresh in self._fresh:
                results[i], table[slot] = fresh.take()
            if len(self.pieces) == 1 and not self.plan.pieces[0].call:
                failed = self.pieces[0](self._table)
                if failed:
                    self._refuse(failed, arguments)
            else:
                self._piecewise(arguments)
            for i, array in self._scalars:
                results[i] = array[()]
            self.states.done()
            out = list(results)
            for _, i, _ in self._fresh:
                results[i] = None
            return out

    def _begin(self, arguments: list[Any], numbers: list[float]) -> None:
        self.states.ready()
        last, table = self._last, self.table
        for slot, place in self._arguments:
            array = arguments[place]
            if array is not last[slot]:
                self._look(slot, array)
        for slot, value in self._others:
            source = value.source
            array = source if value.kind == CONSTANT else source._data if value.kind == STATE else source._grad._data
            if array is not last[slot]:
                self._look(slot, array, value)
        if numbers:
            self._pack(self._numbers, 0, *numbers)
            table[self._numbers_slot] = self._numbers_address

    def _look(self, slot: int, array: Any, value: Value | None = None) -> None:
        """Note where an array is; one that is not contiguous is copied, each time."""
        if value is not None and value.kind != CONSTANT and (array.shape, array.dtype) != (value.shape, value.dtype):
            from ..homes import StateChanged  # noqa: PLC0415

            raise StateChanged
        ready = np.ascontiguousarray(array, dtype=None if value is None else value.dtype).reshape(np.shape(array))
        fixed = not isinstance(array, np.ndarray) or ready is array or np.shares_memory(ready, array)
        self._last[slot] = array if fixed else None  # a copy is made anew at each run
        self._kept[slot] = ready
        self.table[slot] = address_of(ready)

    def loop(self, arguments: list[Any], numbers: Any, times: int) -> list[Any]:
        """Many runs with the same arguments, each with its row of ``numbers``; every result has a leading axis, one entry a run."""
        if len(self.pieces) > 1 or self.plan.pieces[0].call or times < 2:
            rows = [self.run(arguments, [float(x) for x in numbers[t]]) for t in range(times)]
            return [np.stack([np.asarray(row[i]) for row in rows]) for i in range(len(self.results))]
        with self._lock:
            self._begin(arguments, [])
            moves = []
            out = [np.empty((times, *value.shape), value.dtype) for value in self.plan.results]
            for slot, (kind, i) in enumerate(self.plan.slots):
                if kind == "result":
                    self.table[slot] = address_of(out[i])
                    moves += [slot, self.plan.results[i].nbytes]
            given = np.ascontiguousarray(numbers, np.float64)
            if given.size:
                self.table[self._numbers_slot] = address_of(given)
                moves += [self._numbers_slot, given.strides[0]]
            steps = np.array(moves, np.int64)
            repeat = self.code.function("repeat", 5)
            failed = repeat(self.code.address("piece0"), self._table, times, address_of(steps) if moves else None, len(moves) // 2)
            for slot, (kind, _) in enumerate(self.plan.slots):
                if kind == "result" and slot in self._kept:
                    self.table[slot] = address_of(self._kept[slot])
            if failed:
                self._refuse(failed, arguments)
            self.states.done()
            return out

    # ------------------------------------------------------------------------------------- called ops

    def _piecewise(self, arguments: list[Any]) -> None:
        """All pieces, with the ops in between."""
        made: dict[int, Any] = {}
        for piece in self.pieces:
            if isinstance(piece, Node):
                self._call(piece, arguments, made)
                continue
            failed = piece(self._table)
            if failed:
                self._refuse(failed, arguments)

    def _call(self, node: Node, arguments: list[Any], made: dict[int, Any]) -> None:
        step = node.step
        given = [self._value(x, read, arguments, made) for x, read in zip(step.inputs, node.reads, strict=True)]
        with np.errstate(all="ignore"):
            out = step.op(*given, **step.settings) if not step.op.variadic else step.op(given, **step.settings)
        made[id(step.out)] = out
        home = self.plan.homes.get(id(step.out))
        if home is not None:
            array = np.ascontiguousarray(out, step.out.dtype)
            self._kept[home.slot] = array
            self.table[home.slot] = address_of(array)

    def _value(self, x: Value, read: Any, arguments: list[Any], made: dict[int, Any]) -> Any:
        """What a called op gets: an array that it may keep only until the run is over."""
        source = read.source
        if source.kind == CONSTANT and (source.weak or source.source is None):
            return source.source
        if source.kind == NUMBER:
            return float(self._numbers[self.plan.homes[id(source)].offset // 8])
        if source.parts:
            return made[id(source)]
        array = made.get(id(source))
        if array is None:
            array = self._array(source, arguments)
        if (read.offset, read.strides, x.shape) != (0, row_major(source.shape), source.shape):
            array = np.asarray(array)
            flat = np.ascontiguousarray(array).reshape(-1)
            array = np.lib.stride_tricks.as_strided(flat[read.offset :], x.shape, [s * flat.itemsize for s in read.strides], writeable=False)
        return array if np.ndim(array) else np.asarray(array)[()]

    def _array(self, source: Value, arguments: list[Any]) -> Any:
        if source.kind == ARGUMENT:
            return arguments[source.source]
        if source.kind == CONSTANT:
            return source.source
        if source.kind == STATE:
            return source.source._data
        if source.kind == GRADIENT:
            return source.source._grad._data
        slot = self.plan.homes[id(source)].slot
        kind, what = self.plan.slots[slot]
        if kind == "result" and slot not in self._kept:
            return self.results[what]
        return self._kept[slot]

    def _refuse(self, failed: int, arguments: list[Any]) -> None:
        """Raise the error of the check that failed."""
        node = self.plan.schedule.nodes[failed - 1]
        assert node.kind == CHECK
        labels = self._value(node.step.inputs[0], node.reads[1], arguments, {})
        node.step.op(labels, **node.step.settings)
        raise RuntimeError(f"{node.step.op.name} refused its input, and then did not")

