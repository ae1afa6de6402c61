"""Steps that change nothing, or undo each other, are left out; only where that is exact, for NaN, infinity and -0.0, too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..program import CONSTANT, Program, Step, Value

__all__ = ["algebra"]


def algebra(program: Program) -> Program:
    """x·1, x/1, x - 0, x**1, --x, a transpose of a transpose, a reshape to the same shape, a cast to the same dtype,
    where() with a condition that is known.

    >>> from tinygrad_reg.compile.example import small
    >>> algebra(small(lambda x: (x * 1).T.T)).results[0].kind
    'argument'
    """
    made: dict[int, Step] = {}
    instead: dict[int, Value] = {}
    for step in program.steps:
        inputs = tuple(instead.get(id(x), x) for x in step.inputs)
        now = Step(step.op, inputs, step.settings, step.out, step.where)
        rule = _RULES.get(step.op.name)
        same = rule(now, made) if rule else None
        if same is not None and same.shape == step.out.shape and same.dtype == step.out.dtype and same.weak == step.out.weak:
            instead[id(step.out)] = same
        else:
            made[id(step.out)] = now
    return program.changed("algebra", program.steps, instead)


def _is(x: Value, number: float) -> bool:
    return x.kind == CONSTANT and not x.shape and x.source is not None and bool(x.source == number) and not np.signbit(x.source)


def _before(x: Value, made: dict[int, Step], name: str) -> Step | None:
    step = made.get(id(x))
    return step if step is not None and step.op.name == name else None


def _times_one(step: Step, made: dict[int, Step]) -> Value | None:
    a, b = step.inputs
    return a if _is(b, 1) else b if _is(a, 1) else None


def _by_one(step: Step, made: dict[int, Step]) -> Value | None:
    return step.inputs[0] if _is(step.inputs[1], 1) else None


def _minus_zero(step: Step, made: dict[int, Step]) -> Value | None:
    return step.inputs[0] if _is(step.inputs[1], 0) else None


def _twice(name: str) -> Callable[[Step, dict[int, Step]], Value | None]:
    def undone(step: Step, made: dict[int, Step]) -> Value | None:
        before = _before(step.inputs[0], made, name)
        return before.inputs[0] if before else None

    return undone


def _turned_back(step: Step, made: dict[int, Step]) -> Value | None:
    before, axes = _before(step.inputs[0], made, "permute_dims"), step.settings["axes"]
    if before is None:
        return step.inputs[0] if axes is not None and tuple(axes) == tuple(range(len(axes))) else None
    first, then = (_full(s.settings["axes"], len(step.out.shape)) for s in (before, step))
    return before.inputs[0] if tuple(first[i] for i in then) == tuple(range(len(then))) else None


def _full(axes: tuple[int, ...] | None, ndim: int) -> tuple[int, ...]:
    return tuple(reversed(range(ndim))) if axes is None else tuple(i % ndim for i in axes)


def _chosen(step: Step, made: dict[int, Step]) -> Value | None:
    condition, a, b = step.inputs
    both = _before(condition, made, "logical_and")
    if _is(condition, 0) or (both is not None and any(_is(x, 0) for x in both.inputs)):
        return b
    return a if _is(condition, 1) else None


def _unchanged(step: Step, made: dict[int, Step]) -> Value | None:
    return step.inputs[0]  # kept only if shape and dtype are those of the result


_RULES: dict[str, Callable[[Step, dict[int, Step]], Value | None]] = {
    "multiply": _times_one,
    "divide": _by_one,
    "power": _by_one,
    "subtract": _minus_zero,
    "negative": _twice("negative"),
    "permute_dims": _turned_back,
    "where": _chosen,
    **dict.fromkeys(["reshape", "broadcast_to", "astype", "argument", "unchanging"], _unchanged),
}
