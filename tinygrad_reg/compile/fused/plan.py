"""The order of kernels, and where every value lives: in an argument, a state's home, a result, or the scratch memory.

Kernels that loops compute are put next to each other, in *pieces*: each becomes one function. Between them are the ops that are called
as they stand. New values of states are written into their homes at once where nobody needs the old ones any more, and else at the end,
after everything that can fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..program import CONSTANT, NUMBER, RESULT, Program, Value
from .kernels import Kernel, out_index, same_place, spans
from .nodes import CALL, CHECK, LOOP, PRODUCT, Declined, Node, row_major
from .order import Order, Piece
from .reading import nodes_of
from .schedule import Schedule

__all__ = ["Home", "Plan"]

MOST = 10_000  # steps; more would take too long to compile


@dataclass(frozen=True, slots=True)
class Home:
    """Where a value lives: behind an entry of the table of addresses, so many bytes on."""

    slot: int
    offset: int = 0


class Plan:
    """A program ready to be written: pieces, homes, and what the table of addresses holds.

    ``slots`` says for each entry of the table what its address is of: ``("input", value)``, ``("numbers", None)``, ``("result", i)``, ``("kept",
    value)`` for what called ops read, ``("given", value)`` for what they return, ``("scratch", None)``.
    """

    def __init__(self, program: Program, blas: bool) -> None:
        if len(program.steps) > MOST:
            raise Declined(f"the program has {len(program.steps)} steps, and at most {MOST} are compiled")
        self.program = program
        nodes, self.view, final = nodes_of(program, blas)
        self.results = [final(x) for x in program.results] + [final(x) for _, x in program.gradients if x is not None]
        self.assigned = [(state, final(x)) for state, x in program.assigned]
        self.schedule = Schedule(nodes, [*self.results, *(x for _, x in self.assigned)])
        self.slots: list[tuple[str, Any]] = [("scratch", None)]
        self.homes: dict[int, Home] = {}
        self.order = Order(self.schedule)
        self.direct = self._direct()
        self.pieces = self.order.pieces()
        self.stored = self._stored()
        self.copies: list[tuple[Home, Value]] = []  # at the end: where to, and what
        self._place()
        if self.copies and (not self.pieces or self.pieces[-1].call):
            self.pieces.append(Piece())

    # -------------------------------------------------------------------------------------- states

    def _direct(self) -> dict[int, Value]:
        """New values that can be written into their state's home at once, by id; readers of the old value are put before."""
        found: dict[int, Value] = {}
        for state, new in self.assigned:
            node = self.schedule.made.get(id(new))
            if node is None or id(new) in found or node.kind not in (LOOP, PRODUCT) or (new.shape, new.dtype) != (state.shape, state.dtype):
                continue
            writer = self.schedule.kernel_of[id(new)]
            if self._in_step(writer, node, state) and self.order.last(writer, [k for k in self.schedule.kernels if self._earlier(k, state)]):
                found[id(new)] = state
        return found

    def _earlier(self, kernel: Kernel, state: Value) -> bool:
        return id(state) in kernel.inputs or kernel.kind in (CALL, CHECK)

    def _in_step(self, writer: Kernel, node: Node, state: Value) -> bool:
        """Whether the kernel that writes a state's new value reads the old one only at the same point, or not at all."""
        if id(state) not in writer.inputs:
            return True
        if state.size == 1:
            return not writer.extents
        if spans(node) or node.kind != LOOP:
            return False
        axes = next(axes for member, axes in writer.members if member is node)
        place = out_index(node, tuple(~a if a >= 0 else 0 for a in axes))
        return all(same_place(place, index) for index in writer.touched.get(id(state), {()}))

    # -------------------------------------------------------------------------------------- memory

    def _stored(self) -> set[int]:
        """Ids of the values that must be in memory: all that another kernel reads, but for single numbers of the same function."""
        piece_of = {id(kernel): i for i, piece in enumerate(self.pieces) for kernel in piece.kernels}
        outputs = {id(x) for x in (*self.results, *(x for _, x in self.assigned))}
        stored: set[int] = set()
        for kernel in self.schedule.kernels:
            for key in kernel.inputs:
                maker = self.schedule.kernel_of.get(key)
                if maker is None or maker is kernel or maker.kind not in (LOOP, PRODUCT):
                    continue
                together = piece_of.get(id(maker)) == piece_of.get(id(kernel))
                if self.schedule.made[key].out.size > 1 or not together:
                    stored.add(key)
        return stored | {key for key in outputs if key in self.schedule.made and self.schedule.made[key].kind in (LOOP, PRODUCT)}

    def slot(self, kind: str, what: Any) -> int:
        """A new entry of the table."""
        self.slots.append((kind, what))
        return len(self.slots) - 1

    def _place(self) -> None:
        numbers = self.program.of_kind(NUMBER)
        if numbers:
            slot = self.slot("numbers", None)
            self.homes |= {id(x): Home(slot, 8 * i) for i, x in enumerate(numbers)}
        for kernel in self.schedule.kernels:
            for value in kernel.inputs.values():
                if value.kind not in (RESULT, NUMBER):
                    self._input(value)
        self._place_outputs()
        called = {id(read.source) for piece in self.pieces if piece.call for read in piece.call.reads}
        for node in self.schedule.nodes:
            key = id(node.out)
            if node.kind == CALL and not node.out.parts:
                self.homes[key] = Home(self.slot("given", node.out))
            elif key in self.stored and key not in self.homes and (key in called or self._is_checked(node)):
                self.homes[key] = Home(self.slot("kept", node.out))
        self.scratch = _Scratch(self).bytes
        self.strides_of: dict[int, tuple[int, ...]] = {}

    def _is_checked(self, node: Node) -> bool:
        return any(user.kind == CHECK for user, _ in self.schedule.users.get(id(node.out), []))

    def _input(self, value: Value) -> None:
        known = value.kind == CONSTANT and (value.weak or not isinstance(value.source, np.ndarray))  # written into the code
        if id(value) not in self.homes and not known:
            self.homes[id(value)] = Home(self.slot("input", value))

    def _place_outputs(self) -> None:
        for state, new in self.assigned:
            self._input(state)
            if self.direct.get(id(new)) is state:
                self.homes[id(new)] = self.homes[id(state)]
        for i, value in enumerate(self.results):
            slot = self.slot("result", i)
            node = self.schedule.made.get(id(value))
            if id(value) not in self.homes and node is not None and node.kind in (LOOP, PRODUCT):
                self.homes[id(value)] = Home(slot)
            else:
                self.copies.append((Home(slot), value))
        for state, new in self.assigned:
            if self.direct.get(id(new)) is not state:
                self.copies.append((self.homes[id(state)], new))

    def strides(self, value: Value) -> tuple[int, ...]:
        """How a value lies in memory, in elements for each of its dimensions."""
        found = self.strides_of.get(id(value))
        if found is None:
            found = self.strides_of[id(value)] = self._layout(value)
        return found

    def _layout(self, value: Value) -> tuple[int, ...]:
        """Row-major for all that others see; in the scratch memory, written-out dimensions come first, so that loops run along memory."""
        node = self.schedule.made.get(id(value))
        home = self.homes.get(id(value))
        if node is None or node.kind != LOOP or home is None or self.slots[home.slot][0] != "scratch" or id(value) in {id(v) for _, v in self.copies}:
            return row_major(value.shape)
        kernels = [k for k in self.schedule.kernels if id(value) in k.inputs]
        if self.schedule.kernel_of[id(value)].flat or any(k.flat or k.kind != LOOP or () in k.touched.get(id(value), {()}) for k in kernels):
            return row_major(value.shape)
        written_out = [k for k, d in enumerate(node.axes) if d is not None and d not in node.loops]
        dims = [*written_out, *(k for k, d in enumerate(node.axes) if d is not None and d in node.loops)]
        steps = row_major([value.shape[k] for k in dims])
        return tuple(steps[dims.index(k)] if k in dims else 0 for k in range(len(value.shape)))


class _Scratch:
    """Places in one block of memory; a place is used again when its value is no longer needed."""

    def __init__(self, plan: Plan) -> None:
        self.bytes = 0
        self.free: list[tuple[int, int]] = []  # offset, size
        kernels = [kernel for piece in plan.pieces for kernel in piece.kernels]
        last: dict[int, int] = {id(value): len(kernels) for _, value in plan.copies}
        for i, kernel in enumerate(kernels):
            for key in kernel.inputs:
                last[key] = max(last.get(key, 0), i)
        ending: list[list[int]] = [[] for _ in range(len(kernels) + 1)]
        for key, i in last.items():
            ending[i].append(key)
        for i, kernel in enumerate(kernels):
            for node, _ in kernel.members:
                key = id(node.out)
                if key in plan.stored and key not in plan.homes:
                    plan.homes[key] = Home(0, self._take(_padded(node.out)))
            for key in ending[i]:
                if key in plan.homes and plan.homes[key].slot == 0:
                    self.free.append((plan.homes[key].offset, _padded(plan.schedule.made[key].out)))

    def _take(self, size: int) -> int:
        fits = [(other, offset) for offset, other in self.free if size <= other <= 2 * size + 4096]
        if fits:
            other, offset = min(fits)
            self.free.remove((offset, other))
            if other > size:
                self.free.append((offset + size, other - size))
            return offset
        self.bytes += size
        return self.bytes - size


def _padded(value: Value) -> int:
    return max(64, -(-value.nbytes // 64) * 64)
