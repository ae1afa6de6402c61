"""Cross-entropy and its slope have the same exponentials in them: for NumPy, which fuses nothing by itself, both are made at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backward import part
from ...domain import REAL
from ...op import Op
from ...ops.neural import checked_labels, is_plain
from ..program import Program, Step, Value

__all__ = ["sharing"]


def loss_and_slope(logits: Any, labels: Any) -> tuple[Any, Any]:
    """Mean cross-entropy of rows of logits, and softmax less 1 at the labels."""
    labels = checked_labels(labels, logits.shape[-1])
    x = np.ascontiguousarray(logits.T)  # NumPy folds short lines faster when their axis comes first
    shifted = x - np.maximum.reduce(x, axis=0)
    e = np.exp(shifted)
    total, places = np.add.reduce(e, axis=0), np.arange(labels.size)
    loss = np.add.reduce(np.log(total) - shifted[labels, places]) / labels.dtype.type(labels.size)
    e /= total
    e[labels, places] -= 1
    return logits.dtype.type(loss), e.T


BOTH = Op(loss_and_slope, "cross-entropy and slope", (REAL,), (), "logits are rows, with one label each")


def sharing(program: Program) -> Program:
    """Join a cross-entropy with the slope of the same one.

    >>> from tinygrad_reg.compile.example import small
    >>> program = small(lambda x: tg.value_and_grad(lambda logits: tg.cross_entropy(logits, np.array([0, 1])))(x))
    >>> [step.op.name for step in sharing(program).steps]
    ['loss_and_slope', 'part', 'part', 'divide', 'multiply']
    """
    slopes = {_of(step): step for step in program.steps if step.op.name == "softmax_less_one"}
    steps: list[Step] = []
    for step in program.steps:
        slope = slopes.get(_of(step)) if step.op.name == "cross_entropy" and _is_plain(step) else None
        if slope is not None:
            steps += _joined(step, slope)
        elif step.op.name != "softmax_less_one" or not any(s.op is BOTH and _of(s) == _of(step) for s in steps):
            steps.append(step)
    return program.changed("sharing", steps)


def _of(step: Step) -> tuple[int, ...]:
    return tuple(map(id, step.inputs[:2]))


def _is_plain(step: Step) -> bool:
    logits, labels = step.inputs
    return is_plain(**step.settings) and len(logits.shape) == 2 and logits.size > 0 and logits.dtype.kind == "f" and labels.dtype.kind in "iu"


def _joined(loss: Step, slope: Step) -> list[Step]:
    both = Value((), None, parts=((loss.out.shape, loss.out.dtype), (slope.out.shape, slope.out.dtype)))
    first = Step(BOTH, loss.inputs, {}, both, loss.where)
    return [first, *(Step(part, (both,), {"index": i, "count": 2}, step.out, step.where) for i, step in enumerate((loss, slope)))]
