"""What an optimiser does to one parameter, as a chain of elementwise steps that can be compared with another."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import count

from ..program import Program, Step, Update

__all__ = ["Chain"]


class Chain:
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
