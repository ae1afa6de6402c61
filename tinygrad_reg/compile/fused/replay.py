"""Replay with machine code: each piece of a program is one function; ops that loops cannot compute are called in between."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..program import ARGUMENT, Program
from .calls import Calls
from .machine import machine, machine_code
from .nodes import Declined, Node
from .plan import Plan
from .products import find_blas
from .runs import run_text
from .states import address_of
from .table import Table
from .write import program_text

__all__ = ["Declined", "FusedReplay"]

QUICK = 1 << 18  # flops; below, other Python threads wait while the machine code runs: letting them run would take longer


class FusedReplay:
    """Runs a lowered program again and again, in machine code; ``source`` is its text, ``from_disk`` whether the code was there already.

    ``arguments`` says which of the function's arrays a run is given, in order; by default those that the program uses. Raises Declined for a
    program that this replay is not for.

    >>> from tinygrad_reg.compile.example import small
    >>> replay = FusedReplay(small(lambda x: tg.exp(x) + 1), cache=False)
    >>> replay.run([np.zeros((2, 2))], [])[0]
    array([[2., 2.],
           [2., 2.]])
    """

    backend = "numba"

    def __init__(self, program: Program, cache: bool = True, arguments: Sequence[int] | None = None) -> None:
        self.program = program
        blas = find_blas()
        self.plan = plan = Plan(program, blas is not None)
        self.source = program_text(plan, blas, machine().width_bytes)
        self.code, self.from_disk = machine_code(self.source, cache)
        quick = program.flops < QUICK
        self.pieces: list[Any] = [piece.call or self.code.function(f"piece{i}", 1, quick) for i, piece in enumerate(plan.pieces)]
        self.whole = len(self.pieces) == 1 and not isinstance(self.pieces[0], Node)  # one function is all there is
        self.table = Table(plan, sorted(x.source for x in program.of_kind(ARGUMENT)) if arguments is None else arguments)
        self._lock = threading.Lock()
        self._run = self._written_out()

    def _written_out(self) -> Any:
        """What is done at each run, as a function."""
        table, states = self.table, self.table.states
        lists = (states.large, states.single, table.arguments, table.others, table.fresh, table.scalars)
        names = table.names  # the same dictionary: homes that move are found there
        names |= {"lock": self._lock, "table_address": table.address, "refuse": self._refuse}
        names |= {"code": self.pieces[0]} if self.whole else {"piecewise": self._piecewise}
        exec(run_text(*lists, len(self.plan.results), len(table.numbers) > 0, self.whole), names)
        return names["run"]

    @property
    def bytes(self) -> int:
        """How much memory it keeps, besides the states: scratch memory, and results of single numbers."""
        return sum(array.nbytes for slot, array in self.table.kept.items() if self.plan.slots[slot][0] != "input")

    def run(self, arguments: list[Any], numbers: list[float]) -> list[Any]:
        """One run: the results, then the gradients, in arrays that no later run writes to; states get their new values.

        Raises what an op raises that refuses its input, and StateChanged for a state of another shape or dtype; all is then as before.
        """
        out: list[Any] = self._run(arguments, numbers)
        return out

    def loop(self, arguments: list[Any], numbers: Any, times: int) -> list[Any]:
        """Many runs with the same arguments, each with its row of ``numbers``; every result has a leading axis, one entry a run."""
        if not self.whole or times < 2:
            rows = [self.run(arguments, [float(x) for x in numbers[t]]) for t in range(times)]
            return [np.stack([np.asarray(row[i]) for row in rows]) for i in range(len(self.plan.results))]
        numbers = np.ascontiguousarray(numbers, np.float64)
        repeat = self.code.function("repeat", 5)
        with self._lock:
            self.table.look_at_all(arguments)
            out, moves = self.table.for_loop(numbers, times)
            steps = np.array(moves or [0], np.int64)
            failed = repeat(self.code.address("piece0"), self.table.address, times, address_of(steps), len(moves) // 2)
            self.table.after_loop()
            if failed:
                self._refuse(failed, arguments)
            self.table.states.done()
            return out

    def _piecewise(self, arguments: list[Any], results: list[Any]) -> int:
        """All pieces, with the ops in between; returns the check that failed, or 0."""
        calls = Calls(self.plan, self.table, arguments, results)
        for piece in self.pieces:
            if isinstance(piece, Node):
                calls.call(piece)
            elif failed := piece(self.table.address):
                return int(failed)
        return 0

    def _refuse(self, failed: int, arguments: list[Any]) -> None:
        Calls(self.plan, self.table, arguments, []).refuse(failed)
