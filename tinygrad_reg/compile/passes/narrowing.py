"""What is repeated along an axis only to meet a larger array is not repeated: elementwise ops do that by themselves."""

from __future__ import annotations

import numpy as np

from ...op import OPS
from ..program import Program, Step, Value

__all__ = ["narrowing"]


def narrowing(program: Program) -> Program:
    """Let elementwise steps read what ``broadcast_to`` was given; what they make of repeated numbers only is repeated afterwards.

    >>> from tinygrad_reg.compile.example import small
    >>> program = small(lambda x: x * tg.exp(tg.broadcast_to(tg.sum(x), (2, 2))))
    >>> [(step.op.name, step.out.shape) for step in narrowing(program).steps]
    [('sum', ()), ('broadcast_to', (2, 2)), ('exp', ()), ('broadcast_to', (2, 2)), ('multiply', (2, 2))]
    """
    narrow: dict[int, Value] = {}
    steps: list[Step] = []
    for step in program.steps:
        if step.op.name == "broadcast_to":
            narrow[id(step.out)] = narrow.get(id(step.inputs[0]), step.inputs[0])
        if not step.op.elementwise or not any(id(x) in narrow for x in step.inputs):
            steps.append(step)
            continue
        inputs = tuple(narrow.get(id(x), x) for x in step.inputs)
        shape = np.broadcast_shapes(*(x.shape for x in inputs))
        if shape == step.out.shape:
            steps.append(Step(step.op, inputs, step.settings, step.out, step.where))
        else:
            small = narrow[id(step.out)] = Value(shape, step.out.dtype)
            steps.append(Step(step.op, inputs, step.settings, small, step.where))
            steps.append(Step(OPS["broadcast_to"], (small,), {"shape": step.out.shape}, step.out, step.where))
    return program.changed("narrowing", steps)
