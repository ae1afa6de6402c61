"""Steps over the same rows of large arrays stand together: a replay then does them block by block, while the numbers are in cache."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..program import Program, Step
from .order import Order
from .rows import LARGE, Role

__all__ = ["Run", "grouping"]

_WIDEST = 1 << 15  # elements of one row


@dataclass(eq=False)
class Run:
    """Steps next to each other, from ``start`` on, that can be done for some rows at a time."""

    rows: int
    start: int
    roles: list[Role] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def sums(self) -> set[int]:
        """The ids of the results that are sums over the rows."""
        return {id(step.out) for step, role in zip(self.steps, self.roles, strict=True) if role.adds}


def grouping(program: Program) -> tuple[Program, list[Run]]:
    """Another order of the steps, and which of them to do in blocks.

    >>> from tinygrad_reg.compile.example import small
    >>> program, runs = grouping(small(lambda x: (tg.exp(x) + 1).sum(), np.zeros((1000, 1000))))
    >>> [(run.rows, len(run.steps)) for run in runs]
    [(1000, 3)]
    """
    if all(x.size < LARGE for step in program.steps for x in (step.out, *step.inputs)):
        return program, []
    order = Order(program)
    runs = []
    while order.ready:
        place = order.first(lambda step, role: role is None) or order.first(_is_large) or min(order.ready)
        role = order.roles[place - 1]
        if role is None or not _is_large(order.steps[place - 1], role):
            order.take(place)
        else:
            run = Run(role.rows, len(order.taken))
            run.roles = order.absorb(place)
            runs.append(run)
    program = program.changed("grouping", order.taken)
    runs = [run for run in runs if len(run.roles) > 1]
    for run in runs:
        run.steps = program.steps[run.start : run.start + len(run.roles)]
    return program, runs


def _is_large(step: Step, role: Role | None) -> bool:
    size = max(x.size for x in (step.out, *step.inputs))
    return role is not None and size >= LARGE and size <= _WIDEST * role.rows
