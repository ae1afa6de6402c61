"""Elementwise steps become one step for each ufunc call in them: what two of them have in common can then be computed once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ...domain import REAL
from ...op import ELEMENTWISE, OPS, Op
from ..program import CONSTANT, Program, Step, Value
from ..scalar import Given, Made, astype
from ..ufuncs import kinds_of, parts_of

__all__ = ["splitting"]


def splitting(program: Program) -> Program:
    """One step for each ufunc call.

    >>> from tinygrad_reg.compile.example import small
    >>> [step.op.name for step in splitting(small(tg.sigmoid)).steps][:3]
    ['absolute', 'negative', 'exp']
    """
    steps: list[Step] = []
    for step in program.steps:
        parts = parts_of(step) if step.out.shape else None
        if parts is None:
            steps.append(step)
            continue
        made: list[Value] = []
        for part, (shape, dtype) in zip(parts, kinds_of(parts, step), strict=True):
            inputs = tuple(_input(x, step, made) for x in part.operands if not isinstance(x, np.dtype))
            made.append(step.out if len(made) == len(parts) - 1 else Value(shape, dtype))
            settings = {"dtype": part.operands[1]} if part.function is astype else {}
            steps.append(Step(_op_of(part.function), inputs, settings, made[-1], step.where))
    return program.changed("splitting", steps)


def _input(x: Any, step: Step, made: list[Value]) -> Value:
    if type(x) is Given:
        return step.inputs[x.place]
    if type(x) is Made:
        return made[x.place]
    return Value((), np.asarray(x).dtype, CONSTANT, x, weak=type(x) in (bool, int, float))


@cache
def _op_of(function: Callable[..., Any]) -> Op:
    """An op that is one call and nothing else."""
    if function in (np.where, astype):
        return OPS[function.__name__]
    one: Callable[..., Any] = lambda x: function(x)  # noqa: E731, PLW0108 - an op asks for the names of its arguments
    two: Callable[..., Any] = lambda x, y: function(x, y)  # noqa: E731, PLW0108
    found = Op(one if function.nin == 1 else two, function.__name__, (REAL,), (), ELEMENTWISE)  # type: ignore[attr-defined]
    found.name = function.__name__
    return found
