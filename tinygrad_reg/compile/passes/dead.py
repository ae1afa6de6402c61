"""What nobody asks for is not computed."""

from __future__ import annotations

from ..program import Program

__all__ = ["dead"]


def dead(program: Program) -> Program:
    """Leave out steps whose results play no part. Random draws stay, so that the stream of numbers is the one of eager mode.

    >>> from tinygrad_reg.compile.example import small
    >>> program = small(lambda x: (tg.exp(x), x + 1)[1])
    >>> len(program.steps), len(dead(program).steps)
    (2, 1)
    """
    wanted = {id(x) for x in program.outputs}
    steps = []
    for step in reversed(program.steps):
        if id(step.out) in wanted or step.op.draws or step.op.refuses:
            wanted.update(id(x) for x in step.inputs)
            steps.append(step)
    return program.changed("dead", reversed(steps))
