"""Penalties on parameters: small classes whose call is an ordinary expression of ops.

Convention: λ·Σ|w| and λ·Σw², without ½; the gradients are λ·sign(w) (0 at 0) and 2λw. A penalty is added
once a step and divided by nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .ops.reduction import sum_of_sizes, sum_of_squares

__all__ = ["L1", "L2", "checked_lambda"]


def checked_lambda(value: Any, what: str) -> Any:
    """``value`` as the strength of a penalty: a finite number that is not negative.

    >>> checked_lambda(5e-4, "weight_lambda_l2")
    0.0005
    """
    if hasattr(type(value), "__record__"):
        return value  # a number that is asked for at each run of a compiled function
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{what} must be a number, not {type(value).__name__}.")
    if not 0 <= value < np.inf:
        raise ValueError(f"{what} is {value}; a penalty's strength must be finite and at least 0 (0 switches it off).")
    return float(value)


@dataclass(frozen=True)
class L1:
    """Lasso penalty: λ·Σ|w|. Gradient: λ·sign(w), 0 where w = 0.

    Source: R. Tibshirani (1996), Regression shrinkage and selection via the lasso, eq. 1.

    >>> L1(0.5)(np.array([1.0, -2.0]))
    np.float64(1.5)
    """

    lam: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "lam", checked_lambda(self.lam, "L1: lam"))

    def __call__(self, w: Any) -> Any:
        return sum_of_sizes(w, self.lam)


@dataclass(frozen=True)
class L2:
    """Ridge penalty: λ·Σw², without ½. Gradient: 2λw.

    Source: A. E. Hoerl and R. W. Kennard (1970), Ridge regression, eq. 2.1.

    >>> L2(0.5)(np.array([1.0, -2.0]))
    np.float64(2.5)
    """

    lam: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "lam", checked_lambda(self.lam, "L2: lam"))

    def __call__(self, w: Any) -> Any:
        return sum_of_squares(w, self.lam)
