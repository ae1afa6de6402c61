"""Composite ops in terms of simple ones: elementwise ops, sum, max, min, prod, matmul and views. What loops are fused from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...mode import recording_on
from ...op import OPS
from ...tensor import asarray
from ..program import CONSTANT, Program, Step, Value
from ..tape import Number, Tape, Traced
from .definitions import LOWERED

__all__ = ["lowered"]


def lowered(program: Program, only: Callable[[Step], bool] = lambda step: True) -> Program:
    """The same program in simple ops, or those steps that are asked for.

    >>> from tinygrad_reg.compile.example import small
    >>> [step.op.name for step in lowered(small(lambda x: x.mean(axis=0))).steps]
    ['sum', 'divide']
    """
    steps: list[Step] = []
    instead: dict[int, Value] = {}
    for step in program.steps:
        write = LOWERED.get(step.op.name) if only(step) else None
        inner = _captured(write, step) if write else None
        if inner is None:
            steps.append(step)
        else:
            steps.extend(inner.steps)
            instead[id(step.out)] = inner.results[0]
    return program.changed("lowered", steps, instead)


def _captured(write: Callable[..., Any], step: Step) -> Program | None:
    """What ``write`` does with the inputs of a step, or None if it has no answer for its settings."""
    tape = Tape()
    with recording_on(tape), np.errstate(all="ignore"):
        inputs = [_stand_in(x, tape) for x in step.inputs]
        result = write(step, *inputs, **step.settings)
        if result is None:
            return None
        if result.dtype != step.out.dtype:
            result = OPS["astype"](result, dtype=step.out.dtype)
        for inner in tape.steps:
            inner.where = step.where
        return tape.program([result])


def _stand_in(x: Value, tape: Tape) -> Any:
    """A Tensor of ones in place of a value: only shapes and dtypes count."""
    if x.kind == CONSTANT and (x.source is None or x.weak):
        return x.source
    if x.weak:
        return Number(x, 1.0, tape)
    made = asarray(np.zeros(()))
    made._data = Traced(x, x.source if x.kind == CONSTANT else np.ones(x.shape, x.dtype))
    return made
