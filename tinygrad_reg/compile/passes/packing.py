"""Updates of many small parameters become one update of one long vector: for NumPy, where each call costs more than its numbers."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from ...domain import REAL
from ...op import Op
from ..program import STATE, Program, Step, Value
from .chains import Chain

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
    families: dict[Hashable, list[Chain]] = {}
    seen: set[int] = set()
    for update in program.updates:
        chain = Chain(update, made)
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


def _joined(program: Program, family: list[Chain], packs: list[Pack]) -> Program:
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
