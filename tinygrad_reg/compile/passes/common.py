"""What is computed twice is computed once."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from ..program import CONSTANT, Program, Step, Value
from .constants import is_known

__all__ = ["common"]

_SMALL = 64  # elements of a constant that is compared by its numbers


def common(program: Program) -> Program:
    """Of steps that do the same to the same values, keep the first; random draws are never the same.

    >>> from tinygrad_reg.compile.example import small
    >>> program = small(lambda x: tg.exp(x) * tg.exp(x))
    >>> len(program.steps), len(common(program).steps)
    (3, 2)
    """
    first: dict[Hashable, Value] = {}
    instead: dict[int, Value] = {}
    steps: list[Step] = []
    for step in program.steps:
        what = None if step.op.draws else (step.op, *(_key(instead.get(id(x), x)) for x in step.inputs), _settings(step.settings))
        if what is not None and what in first:
            instead[id(step.out)] = first[what]
            continue
        if what is not None:
            first[what] = step.out
        steps.append(step)
    return program.changed("common", steps, instead)


def _key(x: Value) -> Hashable:
    """Equal for values that are the same; numbers by kind, value and sign (0.0 is not -0.0)."""
    if x.kind == CONSTANT and is_known(x) and x.size <= _SMALL:
        array = np.asarray(x.source)
        return (type(x.source), array.shape, str(array.dtype), array.tobytes())
    return id(x)


def _settings(settings: dict[str, Any]) -> Hashable:
    return tuple((name, id(value) if isinstance(value, (np.ndarray, np.random.Generator)) else _text(value)) for name, value in settings.items())


def _text(value: Any) -> Hashable:
    if isinstance(value, tuple):
        return tuple(map(_text, value))
    return id(value) if isinstance(value, np.ndarray) else (type(value), repr(value))
