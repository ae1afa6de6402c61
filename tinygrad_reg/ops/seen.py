"""For rules and expressions whose way depends on numbers: they look at these here, so that a captured function looks anew at each run.

``values`` gives the numbers themselves, as an array; while a function is captured, a Tensor without gradient, which NumPy's functions
take, too. What cannot be said in such functions (a check, a branch, a loop) is a function of arrays, decorated with ``by_numbers``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy as np

from ..domain import REAL
from ..mode import captures, capturing, no_grad
from ..op import Op

__all__ = ["by_numbers", "values"]


def values(x: Any) -> Any:
    """The numbers of x, an array or a Tensor, for a rule that must look at them."""
    tape = capturing() if captures else None
    if not hasattr(type(x), "__record__"):
        return tape.known(x) if tape is not None and isinstance(x, np.ndarray) else x
    return x.data if tape is None else x.detach()


class _Seen(Op):
    """A step of a captured function that looks at numbers; its errors are told as they are."""

    def explain(self, error: Exception, *_: Any, **__: Any) -> Exception:
        return error


def by_numbers(function: Callable[..., Any] | None = None, *, refuses: bool = False, shaped: bool = False) -> Any:
    """A function of arrays, without gradient, that may also be given Tensors; it is one step of a captured function.

    ``refuses`` says that it is there for its errors: then it is called although nobody wants its result. ``shaped`` says that the shape of
    its result depends on numbers, which a captured function cannot have. If it takes any number of arrays, they are given as one list.

    >>> @by_numbers
    ... def last_of(x):
    ...     return x[-1]
    >>> last_of(Tensor([1.0, 2.0]))
    np.float64(2.0)
    """
    if function is None:
        return partial(by_numbers, refuses=refuses, shaped=shaped)
    step = _Seen(function, function.__name__.strip("_"), (REAL,), (), "the numbers must be ones that it is defined for")
    step.refuses = refuses
    if shaped:
        step.shaped_by = lambda settings: (0,)

    @wraps(function)
    def looked(*inputs: Any, **settings: Any) -> Any:
        inputs = inputs[0] if step.variadic else inputs
        if captures and (tape := capturing()):
            with no_grad():
                return tape.record(step, inputs, settings)
        return function(*map(values, inputs), **settings)

    return looked
