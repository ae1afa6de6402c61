"""Elementwise steps taken apart into the ufunc calls of their ops' forwards."""

from __future__ import annotations

from typing import Any

import numpy as np

from .program import CONSTANT, Step, Value
from .scalar import Given, Made, Part, form

__all__ = ["kinds_of", "parts_of", "sample_of"]

Kinds = list[tuple[tuple[int, ...], Any]]


def parts_of(step: Step) -> tuple[Part, ...] | None:
    """The ufunc calls that make up an elementwise step, if they give the result's dtype."""
    if not step.op.elementwise and step.op.name != "astype":
        return None
    found = form(step.op, step.settings, [_kind(x) for x in step.inputs])
    if found is None or type(found.result) is not Made or found.result.place != len(found.parts) - 1:
        return None
    kinds = kinds_of(found.parts, step)
    if any(part.function is np.where and np.asarray(sample_of(part.operands[0], step, kinds)[1]).dtype != bool for part in found.parts):
        return None  # np.where takes any numbers for a condition, what stands for it in a replay does not
    return found.parts if kinds[-1][1] == step.out.dtype else None


def kinds_of(parts: tuple[Part, ...], step: Step) -> Kinds:
    """Shape and dtype of what each part gives."""
    kinds: Kinds = []
    for part in parts:
        shapes, samples = zip(*(sample_of(x, step, kinds) for x in part.operands), strict=True)
        with np.errstate(all="ignore"):
            kinds.append((np.broadcast_shapes(*shapes), np.asarray(part.function(*samples)).dtype))
    return kinds


def sample_of(x: Any, step: Step, kinds: Kinds) -> tuple[tuple[int, ...], Any]:
    """The shape of a part's operand, and a small array of its dtype, or the number that it is."""
    if type(x) is Made:
        return kinds[x.place][0], np.ones(1, kinds[x.place][1])
    if type(x) is Given:
        value = step.inputs[x.place]
        weak: Any = value.source if value.kind == CONSTANT else 1.0
        return value.shape, weak if value.weak else np.ones(1, value.dtype)
    return (), x


def _kind(x: Value) -> Any:
    """A value's dtype, or the type of a Python number."""
    return type(x.source) if x.weak and x.kind == CONSTANT else float if x.weak else x.dtype
