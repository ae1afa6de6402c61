"""Names and memory of the values of a program that NumPy replays.

Every value gets a name in the Python text: that of an argument, of a buffer, of a view of one, or of a local variable. A buffer is used
again when its value is no longer needed; the new value of a state is computed in its home where nobody needs the old one.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np

from .homes import Homes
from .liveness import FRESH, VIEWS, Liveness
from .passes.packing import PACK
from .program import ARGUMENT, CONSTANT, GRADIENT, NUMBER, STATE, Program, Step, Value

__all__ = ["Buffers"]


class Buffers:
    """What the program's inputs are called, and where each result goes."""

    def __init__(self, program: Program, homes: Homes) -> None:
        self.program, self.homes = program, homes
        self.live = Liveness(program, homes.packs)
        self.bytes = 0
        self.lines: list[str] = []
        self.names: dict[int, str] = {}
        self.count = count(1)  # of local variables
        self.bound: dict[str, Any] = {}  # by name: functions, buffers, constants
        self.arrays: dict[int, Any] = {}  # by a value's id: its memory, if it is the same at each run
        self.pool: dict[int, list[np.ndarray]] = {}  # free memory, by size
        self.memory: dict[int, np.ndarray] = {}  # taken memory, by the id of the value that lies in it
        self.parameters: list[str] = []
        self.numbers: dict[tuple[int, Any], str] = {}  # arrays of one element, by the id of the number and their dtype
        self.places: dict[int, str] = {}  # what the homes of states are called
        self._inputs(homes)
        self.home = self._written_early() | self._gradients_together()

    # -------------------------------------------------------------------------------------------- names

    def _inputs(self, homes: Homes) -> None:
        for letter, kind in (("a", ARGUMENT), ("n", NUMBER), ("g", GRADIENT)):
            found = self.program.of_kind(kind)
            for x in sorted(found, key=lambda x: x.source) if kind == ARGUMENT else found:
                name = f"{letter}{x.source if kind == ARGUMENT else len(self.parameters)}"
                self.names[id(x)] = name
                self.parameters.append(name)
        for x in self.program.of_kind(STATE):
            self._fix(x, homes.of[id(x)], "s")
            self.places[id(x)] = self.names[id(x)]
            if not x.shape:
                self._set(x, f"{self.places[id(x)]}[()]")  # NumPy is quicker with single numbers than with arrays of one
        for x in self.program.of_kind(CONSTANT):
            self._fix(x, x.source, "c") if isinstance(x.source, np.ndarray) else self._bind_name(x, x.source, "c")

    def _fix(self, x: Value, array: Any, letter: str) -> None:
        self.arrays[id(x)] = array
        self._bind_name(x, array, letter)

    def _bind_name(self, x: Value, what: Any, letter: str) -> None:
        self.names[id(x)] = self._name(what, letter)

    def _name(self, what: Any, letter: str) -> str:
        name = f"{letter}{len(self.bound)}"
        self.bound[name] = what
        return name

    def _set(self, x: Value, expression: str) -> None:
        self.names[id(x)] = f"v{next(self.count)}"
        self.lines.append(f"{self.names[id(x)]} = {expression}")

    def _function(self, f: Any, name: str) -> str:
        name = name if self.bound.setdefault(name, f) is f else f"{name}{len(self.bound)}"
        self.bound[name] = f
        return name

    # ------------------------------------------------------------------------------------------- memory

    def _written_early(self) -> dict[int, Any]:
        """By a value's id: the home that it may be computed in, as nobody needs the state's old value any more."""
        steps = {id(step.out): (i, step) for i, step in enumerate(self.program.steps)}
        last_refusal = max([i for i, step in enumerate(self.program.steps) if not self._never_fails(step)], default=-1)
        early: dict[int, Any] = {}
        for state, value in self.program.assigned:
            i, step = steps.get(id(value), (-1, None))
            if step is None or i <= last_refusal or id(value) in early or id(state) not in self.arrays or not state.shape:
                continue
            reads_it = any(id(state) in self.live.lies_in[id(x)] and x is not state for x in step.inputs)
            alone = self.live.ends(state) < i or (self.live.ends(state) == i and not reads_it and step.op.elementwise)
            if alone and self.is_ufuncs(step):
                early[id(value)] = self.arrays[id(state)]
        return early

    def _gradients_together(self) -> dict[int, Any]:
        """By a value's id: its place in the long vector that it will be packed into."""
        found: dict[int, Any] = {}
        for step in self.program.steps:
            if step.op is PACK:
                array, start = np.empty(step.out.shape, step.out.dtype), 0
                self.bytes += array.nbytes
                self._fix(step.out, array, "b")
                for x in step.inputs:
                    found[id(x)] = array[start : start + x.size].reshape(x.shape)
                    start += x.size
        return found

    def is_ufuncs(self, step: Step) -> bool:
        """Whether a step is made of ufunc calls, which can write anywhere."""
        raise NotImplementedError

    def _never_fails(self, step: Step) -> bool:
        return (
            step.op is PACK or step.op.name in FRESH - {"cross_entropy", "one_hot"} or step.op.name in VIEWS - {"class_labels"} or step.op.elementwise
        )

    def _take(self, x: Value, instead_of: Value | None = None) -> Any:
        """Memory for x: its home, that of a value that is no longer needed, free memory, or new."""
        array = self.home.get(id(x))
        if array is None:
            raw = self.memory.pop(id(instead_of)) if instead_of is not None else self._raw(x.nbytes)
            self.memory[id(x)] = raw
            array = raw.view(x.dtype).reshape(x.shape)
        self._fix(x, array, "b")
        return array

    def _raw(self, nbytes: int) -> np.ndarray:
        free = self.pool.get(nbytes)
        if free:
            return free.pop()
        self.bytes += nbytes
        return np.empty(nbytes, np.uint8)

    def _release(self, i: int, step: Step) -> None:
        """Memory that nobody reads after step i is free."""
        for root in set().union(*(self.live.lies_in[id(x)] for x in (*step.inputs, step.out))):
            if root in self.memory and self.live.last_use.get(root, i) <= i:
                raw = self.memory.pop(root)
                self.pool.setdefault(raw.nbytes, []).append(raw)

    def _dying(self, i: int, step: Step) -> Value | None:
        """An input of step i, of the result's shape and dtype, whose memory the result may take."""
        for x in step.inputs:
            if id(x) in self.memory and self.live.ends(x) <= i and (x.shape, x.dtype) == (step.out.shape, step.out.dtype):
                return x
        return None
