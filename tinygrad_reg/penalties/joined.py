"""Penalties that look at many elements together: differences of neighbours, and singular values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..linalg import svd
from ..ops.elementwise import abs, maximum
from ..ops.reduction import sum
from .base import Penalty, checked_step

__all__ = ["Nuclear", "TotalVariation"]


@dataclass(frozen=True)
class TotalVariation(Penalty):
    """L1 on differences of neighbours along the last axis: λ·Σ|w_{i+1} - w_i|. Its proximal step makes steps: runs of equal values.

    Sources: L. Rudin, S. Osher and E. Fatemi (1992); the proximal step is the taut string, as in L. Condat (2013), A direct
    algorithm for 1-D total variation denoising.

    >>> TotalVariation(1.0).prox(np.array([0.0, 0.2, 5.0, 5.2]), 1.0)
    array([0.6, 0.6, 4.6, 4.6])
    """

    lam: Any

    def __call__(self, w: Any) -> Any:
        return self.strength(w) * sum(abs(w[..., 1:] - w[..., :-1]))

    def prox(self, v: Any, step: Any) -> Any:
        """The taut string through a tube of half-width step·λ around the running sums of v."""
        width = float(checked_step(step, "TotalVariation") * self.number(v))
        v = np.asarray(v)
        lines = v.reshape(-1, v.shape[-1]) if v.size else v.reshape(0, 1)
        return np.array([_taut_string(line, width) for line in lines], v.dtype).reshape(v.shape)

    def residual(self, w: Any, grad: Any) -> Any:
        """Of the running sums u of grad: how far outside of [-λ, λ], or where neighbours differ, how far from λ times the sign of w's step."""
        u, steps, lam = np.cumsum(grad, axis=-1), np.diff(w, axis=-1), self.number(w)
        inner = np.where(steps == 0, np.maximum(np.absolute(u[..., :-1]) - lam, 0), u[..., :-1] - lam * np.sign(steps))
        return np.concatenate([inner, u[..., -1:]], axis=-1)

    def lambda_max(self, grad: Any) -> float:
        """The λ that makes all equal, if the gradient is that at the best constant: the largest running sum."""
        return float(np.max(np.absolute(np.cumsum(grad, axis=-1)), initial=0.0))


def _taut_string(y: np.ndarray, width: float) -> np.ndarray:
    """The slopes of the shortest line through the tube, found corner by corner.

    From the last corner two lines are kept: the flattest that still touches the upper wall and the steepest that still touches the lower one.
    Where they cross, the earlier touch is a corner.
    """
    n, x, k = len(y), np.empty(len(y)), 0
    sums = np.concatenate([[0.0], np.cumsum(y)])
    lower, upper = sums - width, sums + width
    lower[0] = upper[0] = 0.0
    lower[n] = upper[n] = sums[n]
    height = 0.0
    while k < n:
        k, height, end, slope = _next_corner(lower, upper, k, height)
        x[k:end] = slope
        k = end
    return x


def _next_corner(lower: np.ndarray, upper: np.ndarray, k: int, height: float) -> tuple[int, float, int, float]:
    """From the corner at k: the next one and the slope to it, as (k, height there, its place, slope)."""
    most, least, at_most, at_least = np.inf, -np.inf, k + 1, k + 1
    for i in range(k + 1, len(lower)):
        up, down = (upper[i] - height) / (i - k), (lower[i] - height) / (i - k)
        if down > most:  # the string must bend at the upper wall
            return k, float(upper[at_most]), at_most, float(most)
        if up < least:
            return k, float(lower[at_least]), at_least, float(least)
        if up <= most:
            most, at_most = up, i
        if down >= least:
            least, at_least = down, i
    end = len(lower) - 1
    return k, float(upper[end]), end, float((upper[end] - height) / (end - k))


@dataclass(frozen=True)
class Nuclear(Penalty):
    """λ times the sum of a matrix's singular values: its proximal step makes singular values exactly 0, and the rank small.

    Gradient: λ·U·Vᵀ, for a matrix of full rank.

    Source: J.-F. Cai, E. Candès and Z. Shen (2010), A singular value thresholding algorithm, theorem 2.1.

    >>> Nuclear(1.0).prox(np.diag([3.0, 0.5]), 1.0)
    array([[2., 0.],
           [0., 0.]])
    """

    lam: Any

    def check(self, w: Any) -> None:
        """Raise ``ValueError`` if w is no matrix."""
        super().check(w)
        _matrix(w, "Nuclear")

    def __call__(self, w: Any) -> Any:
        return self.strength(w) * sum(svd(_matrix(w, "Nuclear"), full_matrices=False)[1])

    def prox(self, v: Any, step: Any) -> Any:
        """The singular values moved towards 0 by step·λ."""
        u, s, vt = svd(_matrix(v, "Nuclear"), full_matrices=False)
        return (u * maximum(s - checked_step(step, "Nuclear") * self.number(v), 0)) @ vt

    def residual(self, w: Any, grad: Any) -> Any:
        """What of -grad is not λ·(U·Vᵀ + W), where W is at right angles to w and has no singular value above 1."""
        u, s, vt = np.linalg.svd(w, full_matrices=False)
        rank = int(np.sum(s > 1e-12 * np.max(s, initial=0.0)))
        u, vt = u[:, :rank], vt[:rank]
        lam = self.number(w)
        rest = -np.asarray(grad) - lam * (u @ vt)
        free = rest - u @ (u.T @ rest)
        free = free - (free @ vt.T) @ vt
        a, over, b = np.linalg.svd(free, full_matrices=False)
        return rest - free + (a * np.maximum(over - lam, 0)) @ b

    def lambda_max(self, grad: Any) -> float:
        """The largest singular value of grad."""
        return float(np.linalg.norm(grad, 2)) if np.size(grad) else 0.0


def _matrix(w: Any, who: str) -> Any:
    if w.ndim != 2:
        raise ValueError(f"{who}: {getattr(w, 'name', None) or 'w'} has shape {w.shape}; it must be a matrix.")
    return w
