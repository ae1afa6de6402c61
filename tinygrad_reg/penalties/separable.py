"""Penalties that treat each element alone: L1, L2, elastic net, bounds, and those that are not convex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ops.choice import equal, greater, greater_equal, less, less_equal, logical_and, where
from ..ops.elementwise import abs, clip, maximum, minimum, sign
from ..ops.reduction import all, sum, sum_of_sizes, sum_of_squares
from .base import Penalty, checked_step

__all__ = ["L0", "L1", "L2", "MCP", "SCAD", "Box", "ElasticNet", "NonNegative"]


def soft_threshold(v: Any, threshold: Any) -> Any:
    """v moved towards 0 by ``threshold``, and exactly 0 where that is farther than v.

    >>> soft_threshold(np.array([3.0, -0.5]), 1.0)
    array([2., 0.])
    """
    return where(less_equal(abs(v), threshold), 0, v - sign(v) * threshold)


def _excess(grad: Any, lam: Any) -> Any:
    """How far ``grad`` is outside of [-λ, λ]."""
    return maximum(abs(grad) - lam, 0)


@dataclass(frozen=True)
class L1(Penalty):
    """Lasso penalty: λ·Σ|w|. Gradient: λ·sign(w), 0 where w = 0. Its proximal step moves w towards 0 by step·λ, and makes exact zeros.

    Source: R. Tibshirani (1996), Regression shrinkage and selection via the lasso, eq. 1.

    >>> L1(0.5)(np.array([1.0, -2.0]))
    np.float64(1.5)
    >>> L1(0.5).prox(np.array([1.0, -0.25]), 1.0)
    array([0.5, 0. ])
    """

    lam: Any

    def __call__(self, w: Any) -> Any:
        return sum_of_sizes(w, self.strength(w))

    def prox(self, v: Any, step: Any) -> Any:
        """v moved towards 0 by step·λ."""
        return soft_threshold(v, checked_step(step, "L1") * self.number(v))

    def residual(self, w: Any, grad: Any) -> Any:
        """grad + λ·sign(w), or where w = 0 how far grad is outside of [-λ, λ]."""
        lam = self.number(w)
        return where(equal(w, 0), _excess(grad, lam), grad + lam * sign(w))

    def lambda_max(self, grad: Any) -> float:
        """max |grad|."""
        return float(np.max(np.absolute(grad), initial=0.0))


@dataclass(frozen=True)
class L2(Penalty):
    """Ridge penalty: λ·Σw², without ½. Gradient: 2λw. Its proximal step divides w by 1 + 2·step·λ.

    Source: A. E. Hoerl and R. W. Kennard (1970), Ridge regression, eq. 2.1.

    >>> L2(0.5)(np.array([1.0, -2.0]))
    np.float64(2.5)
    """

    lam: Any

    def __call__(self, w: Any) -> Any:
        return sum_of_squares(w, self.strength(w))

    def prox(self, v: Any, step: Any) -> Any:
        """v/(1 + 2·step·λ)."""
        return v / (1 + 2 * checked_step(step, "L2") * self.number(v))

    def residual(self, w: Any, grad: Any) -> Any:
        """grad + 2λw."""
        return grad + 2 * self.number(w) * w


@dataclass(frozen=True)
class ElasticNet(Penalty):
    """L1 and L2 together: l1·Σ|w| + l2·Σw². Gradient: l1·sign(w) + 2·l2·w.

    Source: H. Zou and T. Hastie (2005), Regularization and variable selection via the elastic net, eq. 3.

    >>> ElasticNet(1.0, 0.5).prox(np.array([3.0, -0.5]), 1.0)
    array([1., 0.])
    """

    l1: Any
    l2: Any

    def __call__(self, w: Any) -> Any:
        return sum_of_sizes(w, self.strength(w, "l1")) + sum_of_squares(w, self.strength(w, "l2"))

    def prox(self, v: Any, step: Any) -> Any:
        """v moved towards 0 by step·l1, then divided by 1 + 2·step·l2."""
        nearer = soft_threshold(v, checked_step(step, "ElasticNet") * self.number(v, "l1"))
        return nearer / (1 + 2 * step * self.number(v, "l2"))

    def residual(self, w: Any, grad: Any) -> Any:
        """That of L1, for the gradient of the rest and of the squares."""
        return L1(self.number(w, "l1")).residual(w, grad + 2 * self.number(w, "l2") * w)

    def lambda_max(self, grad: Any) -> float:
        """The l1 that makes all zero, whatever l2 is: max |grad|."""
        return L1(1.0).lambda_max(grad)


@dataclass(frozen=True)
class Box(Penalty):
    """The bounds low ≤ w ≤ high: 0 inside, infinite outside. Its proximal step is the nearest point inside.

    >>> Box(-1.0, 1.0).prox(np.array([3.0, 0.5]), 1.0)
    array([1. , 0.5])
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"{type(self).__name__}: low is {self.low} and high is {self.high}; low must not be above high.")

    def __call__(self, w: Any) -> Any:
        inside = all(logical_and(greater_equal(w, self.low), less_equal(w, self.high)))
        return where(inside, sum(w) * 0, np.inf)

    def prox(self, v: Any, step: Any) -> Any:
        """v kept between the bounds."""
        checked_step(step, type(self).__name__)
        return clip(v, self.low, self.high)

    def residual(self, w: Any, grad: Any) -> Any:
        """grad inside; at a bound, the part of it that pulls inwards; infinite outside."""
        outside = np.logical_or(less(w, self.low), greater(w, self.high))
        pulled = where(equal(w, self.high), maximum(grad, 0), where(equal(w, self.low), minimum(grad, 0), grad))
        return where(outside, np.inf, where(np.full(np.shape(w), self.low == self.high), 0.0, pulled))


@dataclass(frozen=True)
class NonNegative(Box):
    """No element below 0: a bound, for weights that must not be negative.

    >>> NonNegative().prox(np.array([3.0, -0.5]), 1.0)
    array([3., 0.])
    """

    low: float = 0.0
    high: float = np.inf


@dataclass(frozen=True)
class L0(Penalty):
    """λ times how many elements are not 0; not convex. Its proximal step is a hard threshold: 0 where w² ≤ 2·step·λ, else w.

    Source: T. Blumensath and M. E. Davies (2008), Iterative thresholding for sparse approximations, eq. 2.2.

    >>> L0(0.5).prox(np.array([3.0, -0.5]), 1.0)
    array([3., 0.])
    """

    lam: Any
    convex = False

    def __call__(self, w: Any) -> Any:
        return self.strength(w) * sum(where(equal(w, 0), 0.0, w * 0 + 1))

    def prox(self, v: Any, step: Any) -> Any:
        """v where |v| > √(2·step·λ), else 0."""
        return where(less_equal(v * v, 2 * checked_step(step, "L0") * self.number(v)), 0, v)

    def residual(self, w: Any, grad: Any) -> Any:
        """grad where w is not 0: at 0 every gradient is fine."""
        return where(equal(w, 0), 0, grad)


@dataclass(frozen=True)
class MCP(Penalty):
    """Minimax concave penalty: as L1 near 0, flat from γλ on, so that large weights are not pulled down; not convex.

    Each element costs λ|w| - w²/(2γ) up to |w| = γλ, and γλ²/2 beyond. Gradient: λ·sign(w)·max(1 - |w|/(γλ), 0).
    ``prox`` needs γ > step.

    Source: C.-H. Zhang (2010), Nearly unbiased variable selection under minimax concave penalty, eq. 2.2.

    >>> MCP(1.0, gamma=3.0).prox(np.array([5.0, 2.0, 0.5]), 1.0)
    array([5. , 1.5, 0. ])
    """

    lam: Any
    gamma: float = 3.0
    convex = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.gamma < np.inf:
            raise ValueError(f"MCP: gamma is {self.gamma}; it must be finite and above 0.")

    def __call__(self, w: Any) -> Any:
        size, lam = abs(w), self.strength(w)
        near = lam * size - size * size / (2 * self.gamma)
        return sum(where(less_equal(size, self.gamma * lam), near, 0.5 * self.gamma * lam * lam))

    def prox(self, v: Any, step: Any) -> Any:
        """v beyond γλ; else moved towards 0 by step·λ, and stretched by 1/(1 - step/γ)."""
        if np.any(np.asarray(checked_step(step, "MCP")) >= self.gamma):
            raise ValueError(f"MCP.prox: step is {step} and gamma {self.gamma}; the step must be shorter, or there are two lowest points.")
        lam = self.number(v)
        return where(greater(abs(v), self.gamma * lam), v, soft_threshold(v, step * lam) / (1 - step / self.gamma))

    def residual(self, w: Any, grad: Any) -> Any:
        """grad plus the slope, or at 0 how far grad is outside of [-λ, λ]."""
        lam = self.number(w)
        slope = sign(w) * maximum(lam - abs(w) / self.gamma, 0)
        return where(equal(w, 0), _excess(grad, lam), grad + slope)

    def lambda_max(self, grad: Any) -> float:
        """max |grad|."""
        return L1(1.0).lambda_max(grad)


@dataclass(frozen=True)
class SCAD(Penalty):
    """Smoothly clipped absolute deviation: as L1 up to λ, then ever flatter, flat from aλ on; not convex. ``prox`` needs a > 1 + step.

    Slope at |w|: λ up to λ, (aλ - |w|)/(a - 1) up to aλ, then 0.

    Source: J. Fan and R. Li (2001), Variable selection via nonconcave penalized likelihood, eq. 2.7, with a = 3.7 as they suggest.

    >>> SCAD(1.0).prox(np.array([5.0, 1.5, 0.5]), 1.0)
    array([5. , 0.5, 0. ])
    """

    lam: Any
    a: float = 3.7
    convex = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 < self.a < np.inf:
            raise ValueError(f"SCAD: a is {self.a}; it must be finite and above 2.")

    def __call__(self, w: Any) -> Any:
        size, lam, a = abs(w), self.strength(w), self.a
        middle = (2 * a * lam * size - size * size - lam * lam) / (2 * (a - 1))
        return sum(where(less_equal(size, lam), lam * size, where(less_equal(size, a * lam), middle, 0.5 * lam * lam * (a + 1))))

    def prox(self, v: Any, step: Any) -> Any:
        """Of three pieces, as the slope has them."""
        if np.any(np.asarray(checked_step(step, "SCAD")) >= self.a - 1):
            raise ValueError(f"SCAD.prox: step is {step} and a {self.a}; the step must be below a - 1, or there are two lowest points.")
        lam = self.number(v)
        middle = ((self.a - 1) * v - sign(v) * (step * self.a * lam)) / (self.a - 1 - step)
        outer = where(less_equal(abs(v), self.a * lam), middle, v)
        return where(less_equal(abs(v), (1 + step) * lam), soft_threshold(v, step * lam), outer)

    def residual(self, w: Any, grad: Any) -> Any:
        """grad plus the slope, or at 0 how far grad is outside of [-λ, λ]."""
        lam = self.number(w)
        slope = minimum(lam, maximum(self.a * lam - abs(w), 0) / (self.a - 1))
        return where(equal(w, 0), _excess(grad, lam), grad + sign(w) * slope)

    def lambda_max(self, grad: Any) -> float:
        """max |grad|."""
        return L1(1.0).lambda_max(grad)
