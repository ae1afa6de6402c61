"""Runs of steps over the rows of large arrays, written as a loop over blocks that fit into the cache.

A block of a run is a small program of its own, written like any other; what differs from block to block (views of large arrays, made
beforehand, and rows of arguments) are variables of the loop. What nobody needs but the run itself never exists as a whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import OPS
from .homes import Homes
from .passes.grouping import Run
from .passes.rows import Role, axis_of_rows
from .program import ARGUMENT, CONSTANT, Program, Step, Value
from .writer import FOLDS, Writer

__all__ = ["Blocked"]

_BLOCK = 1 << 15  # elements of the widest array in a block
_MOST = 1 << 12  # blocks


class Blocked(Writer):
    """Writes a program of which some runs are done block by block."""

    def __init__(self, program: Program, homes: Homes, runs: list[Run]) -> None:
        self.runs = {run.start: run for run in runs}
        super().__init__(program, homes)

    def _steps(self) -> None:
        i = 0
        while i < len(self.program.steps):
            if run := self.runs.get(i):
                self._run(run)
                i += len(run.steps)
                for step in run.steps:
                    self._release(i - 1, step)
            else:
                self._step(i, self.program.steps[i])
                self._release(i, self.program.steps[i])
                i += 1

    def _written_early(self) -> dict[int, Any]:
        """Not where a later block still reads another part of the old value."""
        early = super()._written_early()
        state_of = {id(value): state for state, value in self.program.assigned}
        for run in self.runs.values():
            for step in run.steps:
                if id(step.out) in early and not self._reads_own_rows(state_of[id(step.out)], run):
                    del early[id(step.out)]
        return early

    def _reads_own_rows(self, state: Value, run: Run) -> bool:
        return all(
            x is state and axis_of_rows(step, role, place) == 0
            for step, role in zip(run.steps, run.roles, strict=True)
            for place, x in enumerate(step.inputs)
            if id(state) in self.live.lies_in[id(x)]
        )

    def _run(self, run: Run) -> None:
        end, slices = run.start + len(run.steps), _slices(run)
        kept: dict[int, Any] = {}
        for step in run.steps:
            if id(step.out) in run.sums:
                kept[id(step.out)] = np.empty((len(slices), *step.out.shape), step.out.dtype)
            elif self.live.ends(step.out) >= end:
                kept[id(step.out)] = self._take(step.out)
        tail = slices[-1].stop - slices[-1].start != slices[0].stop - slices[0].start
        _Block(self, run, slices[: len(slices) - tail], 0, kept).write()
        if tail:
            _Block(self, run, slices[-1:], len(slices) - 1, kept).write()
        for step in run.steps:
            if id(step.out) in run.sums:
                self._total(step, kept[id(step.out)])

    def _total(self, step: Step, parts: np.ndarray) -> None:
        """The sum of what each block has given."""
        add, name = self._function(FOLDS["sum"], "sum_"), self._name(parts, "p")
        self.bytes += parts.nbytes
        if step.out.shape:
            self._take(step.out)
            self.lines.append(f"{add}({name}, 0, None, {self.names[id(step.out)]})")
        elif step.op.name == "mean":
            self._set(step.out, f"{add}({name}) / {step.inputs[0].size}")
        elif step.op.name == "sum":
            self._set(step.out, f"{add}({name})")
        else:
            self._set(step.out, f"{self.names[id(step.inputs[1])]} * {add}({name})")


def _slices(run: Run) -> list[slice]:
    """Equal blocks of rows if that can be, or else a shorter one at the end."""
    width = max(x.size // run.rows for step in run.steps for x in (step.out, *step.inputs))
    most = max(_BLOCK // max(width, 1), -(-run.rows // _MOST), 1)
    rows = next((r for r in range(most, most // 2, -1) if run.rows % r == 0), most)
    return [slice(start, min(start + rows, run.rows)) for start in range(0, run.rows, rows)]


class _Block(Writer):
    """Writes the lines for one block, inside a loop if there are several."""

    def __init__(self, outer: Blocked, run: Run, slices: list[slice], first: int, kept: dict[int, Any]) -> None:
        self.outer, self.run, self.slices, self.first = outer, run, slices, first
        self.rows = slices[0].stop - slices[0].start
        self.loops: list[tuple[str, list[Any]]] = []  # variables of the loop, and what they stand for in each block
        self.cut: list[str] = []  # lines that take rows of arguments
        self.given: dict[Any, Value] = {}
        self.made: dict[int, Value] = {}
        self.stored: dict[int, list[Any]] = {}
        self.singles: list[tuple[Value, list[Any]]] = []
        steps = [self._inner(step, role, kept) for step, role in zip(run.steps, run.roles, strict=True)]
        super().__init__(Program(steps), outer.homes)

    # ----------------------------------------------------------------------------------- the block's program

    def _inner(self, step: Step, role: Role, kept: dict[int, Any]) -> Step:
        inputs = [self._input(x, axis_of_rows(step, role, place)) for place, x in enumerate(step.inputs)]
        op, settings, shape = step.op, step.settings, step.out.shape if role.adds else (self.rows, *step.out.shape[1:])
        if op.name == "mean":
            op, settings = OPS["sum"], {"axis": None, "keepdims": False, "dtype": None}
        elif role.adds and len(inputs) == 2 and op.name != "matmul":
            inputs[1] = Value((), np.dtype(float), CONSTANT, 1, weak=True)
        out = self.made[id(step.out)] = Value(shape, step.out.dtype)
        if id(step.out) in kept:
            whole = kept[id(step.out)]
            views = [whole[self.first + i : self.first + i + 1] for i in range(len(self.slices))] if role.adds else [whole[s] for s in self.slices]
            if shape:
                self.stored[id(out)] = [x[0] for x in views] if role.adds else views
            else:
                self.singles.append((out, views))
        return Step(op, tuple(inputs), settings, out, step.where)

    def _input(self, x: Value, axis: int | None) -> Value:
        if id(x) in self.made:
            return self.made[id(x)]
        if x.kind == CONSTANT and axis is None:
            return x
        key = (id(x), axis)
        if key not in self.given:
            shape = x.shape if axis is None else tuple(self.rows if i == axis else n for i, n in enumerate(x.shape))
            self.given[key] = Value(shape, x.dtype, ARGUMENT, (x, axis), weak=x.weak)
        return self.given[key]

    # ------------------------------------------------------------------------------------- names and memory

    def _inputs(self, homes: Homes) -> None:
        self.bound, self.pool, self.count = self.outer.bound, self.outer.pool, self.outer.count
        for x in self.program.inputs:
            if x.kind == CONSTANT:
                known = id(x) in self.outer.names
                self.names[id(x)] = self.outer.names[id(x)] if known else self._name(x.source, "c")
                if id(x) in self.outer.arrays:
                    self.arrays[id(x)] = self.outer.arrays[id(x)]
                continue
            given, axis = x.source
            name, array = self.outer.names[id(given)], self.outer.arrays.get(id(given))
            if axis is None:
                self.names[id(x)] = name
                if array is not None:
                    self.arrays[id(x)] = array
                    self.places[id(x)] = self.outer.places.get(id(given), name)
            elif array is not None:
                self._vary(x, [array[_index(s, axis)] for s in self.slices])
            else:
                self._cut(x, name, axis)

    def _written_early(self) -> dict[int, Any]:
        return {}

    def _gradients_together(self) -> dict[int, Any]:
        return {}

    def _vary(self, x: Value, views: list[Any]) -> None:
        """A value that is another piece of memory in each block."""
        if len(views) == 1:
            self._fix(x, views[0], "b")
            return
        self.names[id(x)] = self._name(None, "x")
        self.loops.append((self.names[id(x)], views))

    def _cut(self, x: Value, name: str, axis: int) -> None:
        self.names[id(x)] = self._name(None, "x")
        rows = "rows" if len(self.slices) > 1 else f"{self.slices[0].start}:{self.slices[0].stop}"
        self.cut.append(f"{self.names[id(x)]} = {name}[{':, ' * axis}{rows}]")
        if len(self.slices) > 1 and not any(name == "rows" for name, _ in self.loops):
            self.loops.insert(0, ("rows", list(self.slices)))

    def _take(self, x: Value, instead_of: Value | None = None) -> None:
        if id(x) in self.stored:
            self._vary(x, self.stored[id(x)])
        else:
            super()._take(x, instead_of)

    def _fits(self, name: str, shape: tuple[int, ...], dtype: Any) -> bool:
        views = dict(self.loops).get(name)
        if views is None:
            return super()._fits(name, shape, dtype)
        return name != "rows" and all(x.shape == shape and x.dtype == dtype and x.flags.c_contiguous for x in views)

    def _viewed(self, name: str, dtype: Any) -> str:
        views = dict(self.loops).get(name)
        if views is None:
            return super()._viewed(name, dtype)
        self.loops.append((self._name(None, "m"), [x.view(dtype) for x in views]))
        return self.loops[-1][0]

    def _number(self, x: Value, dtype: Any) -> str:
        return self.outer._number(x.source[0], dtype)  # before the loop

    def _flat(self, x: Value) -> str | None:
        views = dict(self.loops).get(self.names[id(x)])
        if views is None or len(x.shape) == 1:
            return super()._flat(x)
        if not all(view.flags.c_contiguous for view in views):
            return None
        self.loops.append((self._name(None, "w"), [view.reshape(-1) for view in views]))
        return self.loops[-1][0]

    def _finish(self) -> None:
        for x, views in self.singles:
            name = self.names[id(x)]
            self._vary(x, views)
            self.lines.append(f"{self.names[id(x)]}[0] = {name}")

    def write(self) -> None:
        """Add the lines to those of the whole program."""
        lines, self.outer.bytes = [*self.cut, *self.lines], self.outer.bytes + self.bytes
        if len(self.slices) > 1:
            names, views = zip(*self.loops, strict=True)
            blocks = self._name(list(zip(*views, strict=True)), "blocks")
            lines = [f"for {', '.join(names)}{',' * (len(names) == 1)} in {blocks}:", *(f"    {line}" for line in lines)]
        self.outer.lines += lines


def _index(rows: slice, axis: int) -> Any:
    return (slice(None),) * axis + (rows,)
