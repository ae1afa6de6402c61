"""What a penalty is: a value, a proximal step, and a measure of how far a point is from being optimal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ..mode import captures, capturing
from ..ops.elementwise import abs, astype
from ..ops.reduction import max
from ..schedules import Schedule

__all__ = ["Penalty", "checked_lambda", "checked_step"]


def checked_lambda(value: Any, what: str) -> Any:
    """``value`` as the strength of a penalty: a finite number that is not negative.

    A schedule, a Tensor of a single number, or a number that a compiled function asks for at each run, is taken as it is.

    >>> checked_lambda(5e-4, "weight_lambda_l2")
    0.0005
    """
    if isinstance(value, Schedule):
        return value
    if hasattr(type(value), "__record__"):
        if getattr(value, "shape", ()) != ():
            raise ValueError(f"{what} is a Tensor of shape {value.shape}; it must be a single number, of shape ().")
        return value
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{what} must be a number, not {type(value).__name__}; a schedule or a Tensor of a single number will do, too.")
    if not 0 <= value < np.inf:
        raise ValueError(f"{what} is {value}; a penalty's strength must be finite and at least 0 (0 switches it off).")
    return float(value)


def checked_step(step: Any, who: str) -> Any:
    """The length of a proximal step: a number above 0."""
    if not hasattr(type(step), "__record__") and not (np.all(np.isfinite(step)) and np.all(np.asarray(step) > 0)):
        raise ValueError(f"{who}.prox: step is {step}; it must be finite and above 0.")
    return step


def _unchecked(lam: Any, w: Any) -> Any:
    """λ in a function that is being captured: a number asked for at each run, or a Tensor read at each run."""
    if not hasattr(lam, "detach"):
        return lam
    return lam.detach() if getattr(w, "dtype", lam.dtype) == lam.dtype else astype(lam.detach(), dtype=w.dtype)


class Penalty(ABC):
    """Base of penalties: ``p(w)`` is an expression of ops, to be added to a loss.

    A kind of penalty writes the value (:meth:`__call__`), the proximal step (:meth:`prox`), and the residual of optimality
    (:meth:`residual`). λ multiplies the whole; there is no ½ and no mean unless the class says so.

    λ may be a number, a schedule (see :class:`~tinygrad_reg.Schedule`), or a Tensor of a single number. The gradient with respect to such a
    Tensor flows through the value; proximal steps and certificates use its number. In a value, write ``self.strength(w)`` for λ, elsewhere
    ``self.number(w)``. A Tensor is checked where it is used, but in compiled functions nobody looks at its number. A term of a loss whose λ wants
    a gradient itself is no penalty for :func:`find`, as its λ must be differentiated with the rest.
    """

    convex = True

    def __post_init__(self) -> None:
        """Check every strength, by name."""
        for name in self._strengths():
            object.__setattr__(self, name, checked_lambda(getattr(self, name), f"{type(self).__name__}: {name}"))

    def _strengths(self) -> list[str]:
        return [field.name for field in fields(self) if field.name in ("lam", "l1", "l2")]  # type: ignore[arg-type]

    def strength(self, w: Any, name: str = "lam") -> Any:
        """λ of this step for the value on w: a number, or a Tensor, which keeps its gradient and gets w's dtype."""
        lam = getattr(self, name)
        if type(lam) is float:
            return lam
        if isinstance(lam, Schedule):
            return lam.now(self._what(w, name))
        if not hasattr(lam, "detach"):  # a number that a compiled function asks for at each run
            return lam
        self.number(w, name)
        return lam if getattr(w, "dtype", lam.dtype) == lam.dtype else astype(lam, dtype=w.dtype)

    def number(self, w: Any, name: str = "lam") -> Any:
        """λ of this step as a number, for proximal steps and certificates. Raises ``ValueError`` for one that is negative or not finite."""
        lam = getattr(self, name)
        if type(lam) is float:
            return lam
        if isinstance(lam, Schedule):
            return lam.now(self._what(w, name))
        if captures and capturing():
            return _unchecked(lam, w)
        return checked_lambda(lam.item() if hasattr(lam, "item") else lam, self._what(w, name))

    def _what(self, w: Any, name: str) -> str:
        called = getattr(w, "name", None)
        return f"{type(self).__name__}: {name}" + (f" of {called!r}" if called else "")

    def now(self, w: Any = None) -> Any:
        """This penalty with the numbers that its strengths are at this step; ``w`` is named in errors."""
        changing = [name for name in self._strengths() if type(getattr(self, name)) is not float]
        return replace(self, **{name: self.number(w, name) for name in changing}) if changing else self  # type: ignore[type-var]

    def follow(self, optimizer: Any) -> None:
        """Let schedules among the strengths follow the steps of ``optimizer``."""
        for name in self._strengths():
            if isinstance(lam := getattr(self, name), Schedule):
                lam.follow(optimizer)

    def check(self, w: Any) -> None:
        """Raise ``ValueError`` if this penalty cannot be on w, for its shape or for its λ at this step."""
        self.now(w)

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
