"""Small programs for examples and tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..mode import recording_on
from .program import Program
from .tape import Tape

__all__ = ["small"]


def small(f: Callable[..., Any], *arrays: Any) -> Program:
    """The program of a function of arrays, as captured; by default of one argument, the square [[1, 2], [3, 4]].

    >>> print(small(lambda x: x @ x))
    v0 = argument x0                               (2, 2) float64
    v1 = matmul(v0, v0)                            (2, 2) float64
    return v1
    # 1 step of 1 captured; passes: none
    # 32 bytes of results, about 16 flops
    """
    given = arrays or (np.array([[1.0, 2.0], [3.0, 4.0]]),)
    tape = Tape()
    with recording_on(tape):
        result = f(*(tape.argument(np.asarray(x), i) for i, x in enumerate(given)))
        return tape.program(list(result) if isinstance(result, (list, tuple)) else [result])
