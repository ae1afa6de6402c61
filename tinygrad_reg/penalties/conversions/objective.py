"""Which λ is it? Strengths of penalties as other libraries count them, in ours, and back.

Ours: mean data loss + λ₁·Σ|w| + λ₂·Σw², where the mean is over rows and outputs, without ½. Another library minimises
s·(the same mean) + a·Σ|w| + b·Σw², which has its lowest point at the same w if λ₁ = a/s and λ₂ = b/s. So all there is to know
of a library is how it counts the loss, s, and how it writes a and b: each pair of functions below is that line.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...schedules import Schedule
from ..base import Penalty, checked_lambda
from ..separable import L1, L2, ElasticNet

__all__ = ["LOSSES", "alpha_and_ratio", "by_ratio", "checked_number", "from_objective", "theirs", "to_objective", "whole"]

# How a data loss may be counted: ½ or 1, times 1, the outputs, or rows times outputs. Cross-entropy counts as one output.
LOSSES = {
    "mean": "the mean over rows and outputs (ours: tg.mse, tg.cross_entropy; Keras, PyTorch's default)",
    "half mean": "½ of that mean",
    "row mean": "summed over the outputs, mean over rows",
    "half row mean": "½ of that: ‖Y - XW‖²/(2n)",
    "sum": "summed over rows and outputs",
    "half sum": "½ of that sum",
}


def _scale(loss: str, samples: int | None, outputs: int) -> float:
    """How many times our mean a loss of this kind is."""
    if loss not in LOSSES:
        raise ValueError(f"loss is {loss!r}; it must be one of {', '.join(map(repr, LOSSES))}: how the other library counts its data loss.")
    scale = 0.5 if loss.startswith("half") else 1.0
    kind = loss.removeprefix("half ")
    if kind == "mean":
        return scale
    scale *= whole("outputs", outputs)
    return scale * whole("samples", samples) if kind == "sum" else scale


def checked_number(value: Any, what: str) -> float:
    """``value`` as a strength: one number, for schedules and Tensors have no counterpart in other libraries."""
    if isinstance(value, Schedule) or hasattr(type(value), "__record__"):
        raise TypeError(f"{what} is a {type(value).__name__}; what is converted must be a number.")
    return checked_lambda(value, what)


def whole(name: str, value: Any) -> int:
    """``value`` as a number of rows or outputs."""
    if value is None:
        raise ValueError(f"{name} is missing: the other library sums over them, so the strength depends on how many there are.")
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} is {value!r}; it must be a whole number.")
    if value < 1:
        raise ValueError(f"{name} is {value}; it must be at least 1.")
    return int(value)


def _lambdas(penalty: Any, who: str, without: str = "") -> tuple[float, float]:
    """λ₁ and λ₂ of a penalty, as numbers; ``without`` names what the other library does not have."""
    if not isinstance(penalty, (L1, L2, ElasticNet)):
        shown = repr(penalty) if isinstance(penalty, Penalty) else type(penalty).__name__
        raise TypeError(f"{who} takes an L1, an L2 or an ElasticNet, not {shown}: the other library has no such penalty.")
    l1 = penalty.l1 if isinstance(penalty, ElasticNet) else penalty.lam if isinstance(penalty, L1) else 0.0
    l2 = penalty.l2 if isinstance(penalty, ElasticNet) else penalty.lam if isinstance(penalty, L2) else 0.0
    for strength in (l1, l2):
        if not isinstance(strength, float):
            raise TypeError(f"{who}: {penalty} has a strength that is no number but a {type(strength).__name__}; give the number that you mean.")
    if l1 and without == "L1":
        raise ValueError(f"{who}: {penalty} has an L1 part, which the other library does not have here.")
    return l1, l2


def from_objective(l1: float = 0.0, l2: float = 0.0, loss: str = "mean", samples: int | None = None, outputs: int = 1) -> ElasticNet:
    """Ours for an objective s·(mean loss) + l1·Σ|w| + l2·Σw²: λ₁ = l1/s, λ₂ = l2/s.

    ``loss`` says how the data loss is counted there (the keys of ``LOSSES``): with n ``samples`` and K ``outputs``, s is 1 for
    ``"mean"``, K for ``"row mean"``, n·K for ``"sum"``, and half of that for ``"half mean"`` and so on. Cross-entropy counts as one output. Write
    b/2·Σw² as l2 = b/2. Raises ``ValueError`` for a strength that is negative or not finite, and for ``samples`` missing where s needs it.

    >>> from_objective(l2=1.0, loss="half sum", samples=100)
    ElasticNet(l1=0.0, l2=0.02)
    """
    scale = _scale(loss, samples, outputs)
    return ElasticNet(checked_number(l1, "l1") / scale, checked_number(l2, "l2") / scale)


def to_objective(penalty: L1 | L2 | ElasticNet, loss: str = "mean", samples: int | None = None, outputs: int = 1) -> dict[str, float]:
    """Theirs for ours: l1 = s·λ₁ and l2 = s·λ₂, with s as in :func:`from_objective`.

    >>> to_objective(L2(0.02), loss="half sum", samples=100)
    {'l1': 0.0, 'l2': 1.0}
    """
    return theirs("to_objective", penalty, loss, samples, outputs)


def theirs(who: str, penalty: Any, loss: str = "mean", samples: int | None = None, outputs: int = 1, without: str = "") -> dict[str, float]:
    """What :func:`to_objective` gives, with errors in the name of ``who``; ``without="L1"`` if the other library has no L1."""
    l1, l2 = _lambdas(penalty, who, without)
    scale = _scale(loss, samples, outputs)
    return {"l1": l1 * scale, "l2": l2 * scale}


def by_ratio(alpha: float, l1_ratio: Any) -> tuple[float, float]:
    """The l1 and l2 of alpha·(l1_ratio·Σ|w| + ½·(1 - l1_ratio)·Σw²), as scikit-learn and its kin write an elastic net."""
    share = checked_number(l1_ratio, "l1_ratio")
    if share > 1:
        raise ValueError(f"l1_ratio is {l1_ratio}; it is the share of L1, from 0 (all L2) to 1 (all L1).")
    return alpha * share, alpha * (1 - share) / 2


def alpha_and_ratio(l1: float, l2: float) -> tuple[float, float]:
    """The other way round: alpha = l1 + 2·l2 and l1_ratio = l1/alpha; 0 and 0 for no penalty."""
    alpha = l1 + 2 * l2
    return alpha, l1 / alpha if alpha else 0.0
