"""What a penalty is: a value, a proximal step, and a measure of how far a point is from being optimal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields
from typing import Any

import numpy as np

from ..ops.elementwise import abs
from ..ops.reduction import max

__all__ = ["Penalty", "checked_lambda", "checked_step"]


def checked_lambda(value: Any, what: str) -> Any:
    """``value`` as the strength of a penalty: a finite number that is not negative.

    A Tensor, or a number that a compiled function asks for at each run, is taken as it is.

    >>> checked_lambda(5e-4, "weight_lambda_l2")
    0.0005
    """
    if hasattr(type(value), "__record__"):
        return value
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{what} must be a number, not {type(value).__name__}.")
    if not 0 <= value < np.inf:
        raise ValueError(f"{what} is {value}; a penalty's strength must be finite and at least 0 (0 switches it off).")
    return float(value)


def checked_step(step: Any, who: str) -> Any:
    """The length of a proximal step: a number above 0."""
    if not hasattr(type(step), "__record__") and not (np.all(np.isfinite(step)) and np.all(np.asarray(step) > 0)):
        raise ValueError(f"{who}.prox: step is {step}; it must be finite and above 0.")
    return step


class Penalty(ABC):
    """Base of penalties: ``p(w)`` is an expression of ops, to be added to a loss.

    A kind of penalty writes the value (:meth:`__call__`), the proximal step (:meth:`prox`), and the residual of optimality
    (:meth:`residual`). λ multiplies the whole; there is no ½ and no mean unless the class says so.
    """

    convex = True

    def __post_init__(self) -> None:
        """Check every strength, by name."""
        for field in fields(self):  # type: ignore[arg-type]
            if field.name in ("lam", "l1", "l2"):
                object.__setattr__(self, field.name, checked_lambda(getattr(self, field.name), f"{type(self).__name__}: {field.name}"))

    @abstractmethod
    def __call__(self, w: Any) -> Any:
        """The penalty on w, a single number."""

    @abstractmethod
    def prox(self, v: Any, step: Any) -> Any:
        """The lowest point of ½·|x - v|²/step + p(x): a step against the penalty that never overshoots.

        ``v`` is an array or a Tensor, ``step`` a number above 0, or an array of them where the penalty treats elements alone.
        """

    @abstractmethod
    def residual(self, w: Any, grad: Any) -> Any:
        """How far -grad is from the slopes of p at w, element by element (or group by group); ``grad`` is that of the smooth rest."""

    def distance(self, w: Any, grad: Any) -> float:
        """The largest of all residuals: 0 exactly where w is optimal for the rest plus p (for what is not convex: stationary)."""
        residual = np.asarray(self.residual(np.asarray(w), np.asarray(grad)))
        return float(max(abs(residual))) if residual.size else 0.0

    def lambda_max(self, grad: Any) -> float:
        """The smallest λ with which all of w is 0 at the optimum, given the rest's gradient at w = 0; infinite if none does that."""
        return np.inf
