"""Parameters as the variables of a search with bounds: an L1 penalty becomes smooth where a parameter is split into two parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..penalties import L1, L2, Box, ElasticNet, Penalty
from ..tensor import Tensor

__all__ = ["Variables"]


class Variables:
    """One parameter in a search: its own values, or with an L1 penalty u and v with w = u - v, u ≥ 0, v ≥ 0, on which λ·Σ|w| is λ·Σ(u + v).

    ``penalties`` are those that a gradient cannot do: L1, ElasticNet, L2 given by hand, bounds. ``smooth`` are the squares among them.
    Raises ``ValueError`` for any other.
    """

    def __init__(self, who: str, p: Tensor, penalties: Sequence[Penalty]) -> None:
        self.shape, self.count, self.strength, self.low, self.high = p.shape, p.size, 0.0, -np.inf, np.inf
        self.smooth: list[Penalty] = []
        for penalty in penalties:
            self._take(who, p, penalty)
        self.split = self.strength > 0
        self.size = self.count * (2 if self.split else 1)

    def _take(self, who: str, p: Tensor, penalty: Penalty) -> None:
        now: Any = penalty.now(p)
        if isinstance(now, Box):
            self.low, self.high = max(self.low, now.low), min(self.high, now.high)
        elif isinstance(now, L2):
            self.smooth.append(now)
        elif isinstance(now, (L1, ElasticNet)):
            self.strength += now.lam if isinstance(now, L1) else now.l1
            self.smooth += [L2(now.l2)] if isinstance(now, ElasticNet) else []
        else:
            raise ValueError(
                f"{who}: {type(penalty).__name__} on {p.name or 'a parameter'} has kinks that it cannot search around; it takes L1, ElasticNet, Box "
                "and NonNegative besides what is smooth. optim.FISTA takes them all."
            )

    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and the highest value of each variable."""
        low, high = np.full(self.count, self.low), np.full(self.count, self.high)
        if not self.split:
            return low, high
        return np.concatenate([np.maximum(low, 0), np.maximum(-high, 0)]), np.concatenate([np.maximum(high, 0), np.maximum(-low, 0)])

    def of(self, w: np.ndarray) -> np.ndarray:
        """The variables of the values ``w``."""
        flat = np.ravel(w)
        return np.concatenate([np.maximum(flat, 0), np.maximum(-flat, 0)]) if self.split else flat

    def values(self, x: np.ndarray) -> np.ndarray:
        """The parameter's values of the variables ``x``: 0.0 exactly where both parts are 0."""
        return (x[: self.count] - x[self.count :] if self.split else x.copy()).reshape(self.shape)

    def cost(self, x: np.ndarray) -> float:
        """What the L1 penalty adds to the loss."""
        return self.strength * float(x.sum()) if self.split else 0.0

    def slopes(self, g: np.ndarray) -> np.ndarray:
        """The gradient in the variables, of the one ``g`` in the parameter."""
        flat = np.ravel(g)
        return np.concatenate([flat + self.strength, self.strength - flat]) if self.split else flat
