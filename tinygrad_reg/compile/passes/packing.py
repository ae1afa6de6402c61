"""Updates of many small parameters become one update of one long vector: for NumPy, where each call costs more than its numbers."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import count

from ...domain import REAL
from ...op import Op
from ..program import STATE, Program, Step, Update, Value

__all__ = ["PACK", "Pack", "packing"]

_SMALL = 8192  # elements of a parameter: longer ones are worth a call each

PACK = Op(lambda *parts: None, "pack", (REAL,), (), "the parts lie one behind the other in one memory")
PACK.name = "pack"


@dataclass(eq=False)
class Pack:
    """States that live one behind the other, and the vector that they make up together."""

    whole: Value
    parts: list[Value]


def packing(program: Program) -> tuple[Program, list[Pack]]:
    """Join updates that do the same to each parameter; the program, and which states are to live together."""
    made = {id(step.out): (i, step) for i, step in enumerate(program.steps)}
    families: dict[Hashable, list[_Chain]] = {}
    seen: set[int] = set()
    for update in program.updates:
        chain = _Chain(update, made)
        if id(update.gradient) in seen:
            continue  # one value cannot lie in two places
        seen.add(id(update.gradient))
        if chain.steps and update.gradient.size <= _SMALL and len(update.gradient.shape) > 0 and chain.is_closed(program):
            families.setdefault(chain.shape(), []).append(chain)
    packs: list[Pack] = []
    for family in families.values():
        if len(family) > 1:
            program = _joined(program, family, packs)
    return program, packs


class _Chain:
    """The elementwise steps from a gradient and states to the states' new values."""

    def __init__(self, update: Update, made: dict[int, tuple[int, Step]]) -> None:
        self.update = update
        self.states = [state for state, _ in update.pairs]
        self.ends = [new for _, new in update.pairs]
        leaves = {id(update.gradient), *map(id, self.states)}
        found: dict[int, tuple[int, Step]] = {}
        stack = list(self.ends)
        while stack:
            x = stack.pop()
            if id(x) in leaves or id(x) in found or id(x) not in made:
                continue
            i, step = made[id(x)]
            if step.op.elementwise and step.out.shape == update.gradient.shape:
                found[id(x)] = (i, step)
                stack.extend(step.inputs)
        self.steps = [step for _, step in sorted(found.values(), key=lambda pair: pair[0])]

    def is_closed(self, program: Program) -> bool:
        """Whether nothing but the update uses what it makes on the way, and nothing but numbers comes in from outside."""
        inside = {id(step.out) for step in self.steps}
        known = inside | {id(self.update.gradient), *map(id, self.states)}
        comes_in = all(id(x) in known or not x.shape for step in self.steps for x in step.inputs)
        others = {id(x) for step in program.steps if id(step.out) not in inside for x in step.inputs}
        asked_for = {id(x) for x in program.results} | {id(x) for _, x in program.gradients if x is not None}
        same = all(x.dtype == self.update.gradient.dtype for x in (*self.states, *self.ends))
        return comes_in and same and not inside & (others | asked_for) and all(id(x) in inside for x in self.ends)

    def shape(self) -> Hashable:
        """Equal for chains that do the same."""
        number = count()
        names: dict[int, Hashable] = {id(x): ("state", i) for i, x in enumerate(self.states)}
        names[id(self.update.gradient)] = "gradient"
        lines = []
        for step in self.steps:
            lines.append((step.op, str(step.settings), *(names.get(id(x), id(x)) for x in step.inputs)))
            names[id(step.out)] = ("made", next(number))
        return (self.update.gradient.dtype, *lines, *(names[id(x)] for x in self.ends))


def _joined(program: Program, family: list[_Chain], packs: list[Pack]) -> Program:
    """One chain over the long vectors in place of all those of the family."""
    first = family[0]
    size, dtype = sum(chain.update.gradient.size for chain in family), first.update.gradient.dtype
    long: dict[int, Value] = {}
    for i, state in enumerate(first.states):
        parts = [chain.states[i] for chain in family]
        packs.append(Pack(Value((size,), dtype, STATE, None, name=f"{len(parts)} states together"), parts))
        long[id(state)] = packs[-1].whole
    gradient = long[id(first.update.gradient)] = Value((size,), dtype)
    steps = [Step(PACK, tuple(chain.update.gradient for chain in family), {}, gradient)]
    for step in first.steps:
        long[id(step.out)] = Value((size,), dtype if step.out.dtype == dtype else step.out.dtype)
        steps.append(Step(step.op, tuple(long.get(id(x), x) for x in step.inputs), step.settings, long[id(step.out)], step.where))
    gone = {id(step.out) for chain in family for step in chain.steps}
    replaced = {id(state) for chain in family for state in chain.states}
    assigned = [(state, new) for state, new in program.assigned if id(state) not in replaced]
    assigned += [(long[id(state)], long[id(new)]) for state, new in zip(first.states, first.ends, strict=True)]
    kept = [step for step in program.steps if id(step.out) not in gone]
    joined = program.changed("packing", [*kept, *steps])
    joined.assigned = assigned
    return joined
