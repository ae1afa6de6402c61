"""Steps whose inputs never change are done once, when the program is made."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import CONSTANT, Program, Step, Value, is_fixed

__all__ = ["constants", "is_known"]

_LARGEST = 1 << 20  # bytes: what is larger is rather computed than kept


def is_known(x: Value) -> bool:
    """Whether x is a constant whose owner cannot change it either."""
    return x.kind == CONSTANT and is_fixed(x.source)


def constants(program: Program) -> Program:
    """Compute what depends on constants only.

    >>> from tinygrad_reg.compile.example import small
    >>> program = small(tg.exp)
    >>> program.steps[0].inputs = (Value((), np.dtype(float), CONSTANT, np.float64(0.0)),)
    >>> constants(program).results[0].source
    np.float64(1.0)
    """
    steps: list[Step] = []
    instead: dict[int, Value] = {}
    for step in program.steps:
        inputs = [instead.get(id(x), x) for x in step.inputs]
        if all(map(is_known, inputs)) and inputs and not step.op.draws and not step.out.parts and step.out.nbytes <= _LARGEST:
            instead[id(step.out)] = _computed(step, [x.source for x in inputs])
        else:
            steps.append(step)
    return program.changed("constants", steps, instead)


def _computed(step: Step, arrays: list[Any]) -> Value:
    with np.errstate(all="ignore"):
        array = step.op.forward(*arrays, **step.settings)
    if isinstance(array, np.ndarray):
        array = array.copy()
        array.flags.writeable = False
    return Value(step.out.shape, step.out.dtype, CONSTANT, array, weak=step.out.weak)
