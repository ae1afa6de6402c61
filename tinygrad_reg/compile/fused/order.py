"""The order of kernels, in pieces: each becomes one function, and between them are the ops that are called as they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from .kernels import Kernel
from .nodes import CALL, CHECK, Declined, Node
from .schedule import Schedule

__all__ = ["Order", "Piece"]


@dataclass(eq=False, slots=True)
class Piece:
    """Kernels that become one function; or, with ``call``, one op that is called."""

    kernels: list[Kernel] = field(default_factory=list)
    call: Node | None = None


class Order:
    """Kernels in an order in which each finds what it needs."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.needs: dict[int, set[int]] = {}  # by id of a kernel, those that must come before it
        self.kernel = {id(kernel): kernel for kernel in schedule.kernels}
        previous = None
        for kernel in schedule.kernels:
            self.needs[id(kernel)] = {id(schedule.kernel_of[key]) for key in kernel.inputs if key in schedule.kernel_of} - {id(kernel)}
        for kernel in sorted(schedule.kernels, key=lambda k: k.place):
            if kernel.kind == CALL:  # in the order of the program
                if previous is not None:
                    self.needs[id(kernel)].add(id(previous))
                previous = kernel

    def last(self, writer: Kernel, earlier: list[Kernel]) -> bool:
        """Put a kernel after some others, if none of these needs it."""
        if any(self._comes_before(writer, kernel) for kernel in earlier if kernel is not writer):
            return False
        self.needs[id(writer)] |= {id(kernel) for kernel in earlier if kernel is not writer}
        return True

    def _comes_before(self, first: Kernel, then: Kernel) -> bool:
        stack, seen = [id(then)], set()
        while stack:
            for key in self.needs[stack.pop()]:
                if key == id(first):
                    return True
                if key not in seen:
                    seen.add(key)
                    stack.append(key)
        return False

    def pieces(self) -> list[Piece]:
        """Kernels in pieces, with as few calls in between as can be: calls first and last."""
        waiting = {key: set(needs) for key, needs in self.needs.items()}
        users: dict[int, list[int]] = {}
        for key, needs in waiting.items():
            for other in needs:
                users.setdefault(other, []).append(key)
        ready: dict[bool, list[Any]] = {True: [], False: []}  # calls and others, each a heap
        for key, needs in waiting.items():
            if not needs:
                self._push(ready, self.kernel[key])
        pieces: list[Piece] = []
        calling = True
        while ready[True] or ready[False]:
            if not ready[calling]:
                calling = not calling
            kernel = heappop(ready[calling])[-1]
            if calling:
                pieces.append(Piece(call=kernel.members[0][0]))
            elif pieces and pieces[-1].call is None:
                pieces[-1].kernels.append(kernel)
            else:
                pieces.append(Piece([kernel]))
            for key in users.get(id(kernel), []):
                waiting[key].discard(id(kernel))
                if not waiting[key]:
                    self._push(ready, self.kernel[key])
        if any(waiting.values()):
            raise Declined("its kernels need each other in a circle")
        return pieces

    def _push(self, ready: dict[bool, list[Any]], kernel: Kernel) -> None:
        """Checks come first, then the order of the program counts."""
        heappush(ready[kernel.kind == CALL], (kernel.kind != CHECK, kernel.place, id(kernel), kernel))
