"""Ops that loops cannot compute, called as they stand between pieces of machine code; and checks that failed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import ARGUMENT, CONSTANT, GRADIENT, NUMBER, STATE, Value
from .nodes import CHECK, Node, Read, row_major
from .plan import Plan
from .table import Table

__all__ = ["Calls"]


class Calls:
    """The called ops of one run: what they get, and where what they return goes."""

    def __init__(self, plan: Plan, table: Table, arguments: list[Any], results: list[Any]) -> None:
        self.plan, self.table, self.arguments, self.results = plan, table, arguments, results
        self.made: dict[int, Any] = {}  # what they returned, by id of the value

    def call(self, node: Node) -> None:
        """Call one op."""
        step = node.step
        given = [self.value(x, read) for x, read in zip(step.inputs, node.reads, strict=True)]
        with np.errstate(all="ignore"):
            out = self.made[id(step.out)] = step.op(given, **step.settings) if step.op.variadic else step.op(*given, **step.settings)
        home = self.plan.homes.get(id(step.out))
        if home is not None:
            self.table.keep(home.slot, np.ascontiguousarray(out, step.out.dtype))

    def value(self, x: Value, read: Read) -> Any:
        """What an op gets: an array that is as it is until the run is over."""
        source = read.source
        if source.kind == CONSTANT and (source.weak or source.source is None):
            return source.source
        if source.kind == NUMBER:
            return self.table.numbers[self.plan.homes[id(source)].offset // 8]
        array = self.made[id(source)] if id(source) in self.made else self._array(source)
        if source.parts:
            return array
        if (read.offset, read.strides, x.shape) != (0, row_major(source.shape), source.shape):
            flat = np.ascontiguousarray(array).reshape(-1)
            array = np.lib.stride_tricks.as_strided(flat[read.offset :], x.shape, [s * flat.itemsize for s in read.strides], writeable=False)
        return array if np.ndim(array) else np.asarray(array)[()]

    def _array(self, source: Value) -> Any:
        if source.kind == ARGUMENT:
            return self.arguments[self.table.places[source.source]]
        if source.kind in (CONSTANT, STATE, GRADIENT):
            return {CONSTANT: lambda x: x, STATE: lambda x: x._data, GRADIENT: lambda x: x._grad._data}[source.kind](source.source)
        slot = self.plan.homes[id(source)].slot
        kind, what = self.plan.slots[slot]
        return self.results[what] if kind == "result" and slot not in self.table.kept else self.table.kept[slot]

    def refuse(self, failed: int) -> None:
        """Raise the error of the check that failed."""
        node = self.plan.schedule.nodes[failed - 1]
        assert node.kind == CHECK
        node.step.op(self.value(node.step.inputs[0], node.reads[1]), **node.step.settings)
        raise RuntimeError(f"{node.step.op.name} refused its input, and then did not")
