"""Steps put into another order, one after the other, none before what it needs."""

from __future__ import annotations

from collections.abc import Callable

from ..program import Program, Step
from .rows import Role, axis_of_rows, role_of

__all__ = ["Order"]


class Order:
    """The steps taken so far, and those that could be next, by place: 1, 2, … Random draws and checks stay in order."""

    def __init__(self, program: Program) -> None:
        self.steps = program.steps
        self.roles = [role_of(step) for step in program.steps]
        self.taken: list[Step] = []
        makers = {id(step.out): place for place, step in enumerate(program.steps, 1)}
        self.before: dict[int, set[int]] = {}
        self.after: dict[int, list[int]] = {}
        last = 0
        for place, step in enumerate(program.steps, 1):
            needed = {makers[id(x)] for x in step.inputs if id(x) in makers}
            if step.op.draws or step.op.refuses:
                needed, last = needed | {last} - {0}, place
            self.before[place] = needed
            for maker in needed:
                self.after.setdefault(maker, []).append(place)
        self.ready = {place for place, needed in self.before.items() if not needed}

    def first(self, wanted: Callable[[Step, Role | None], bool]) -> int:
        """The first of the next steps that is wanted; 0 if there is none."""
        return min((p for p in self.ready if wanted(self.steps[p - 1], self.roles[p - 1])), default=0)

    def take(self, place: int) -> None:
        """This step is next."""
        self.ready.remove(place)
        self.taken.append(self.steps[place - 1])
        self._done(place)

    def _done(self, place: int) -> None:
        for user in self.after.get(place, ()):
            self.before[user].discard(place)
            if not self.before[user]:
                self.ready.add(user)

    def absorb(self, place: int) -> list[Role]:
        """This step is next, then all that can be done together with it; their roles. A sum over the rows is known after the last block only."""
        roles: list[Role] = []
        made: set[int] = set()
        sums: list[int] = []

        def joins(step: Step, role: Role | None) -> bool:
            return (
                role is not None
                and role.rows == roles[0].rows
                and all(axis_of_rows(step, role, i) == 0 for i, x in enumerate(step.inputs) if id(x) in made)
            )

        while place:
            step, role = self.steps[place - 1], self.roles[place - 1]
            assert role is not None
            roles.append(role)
            made.add(id(step.out))
            self.ready.remove(place)
            self.taken.append(step)
            if role.adds:
                sums.append(place)
            else:
                self._done(place)
            place = self.first(joins)
        for place in sums:
            self._done(place)
        return roles
