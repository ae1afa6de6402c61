"""A loss that is no longer finite: a loop over steps stops there, and says when it was, which term blew up, and at which learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .penalties import find
from .tensor import Tensor

__all__ = ["check_finite", "diverged", "terms_of"]


def check_finite(loss: Tensor, who: str, when: str, rate: float | None = None, model: Any = None) -> None:
    """Nothing for a finite loss, else a ``RuntimeError`` that says ``who`` stopped ``when``, at which term of the loss and which learning rate.

    For loops of your own; ``fit`` does the same. ``model`` gives the parameters their dotted names.

    >>> w = Tensor([np.inf], requires_grad=True, name="w")
    >>> check_finite((1 / w).sum() + 0.1 * (w * w).sum(), "my loop", "step 7", rate=0.5)
    Traceback (most recent call last):
    RuntimeError: my loop: step 7: w L2 = inf, at a learning rate of 0.5. Lower the learning rate, scale the data, or look for bad values in it.
    """
    if not np.isfinite(loss.data).all():
        raise RuntimeError(diverged(who, when, terms_of(loss, model), rate))


def terms_of(loss: Tensor, model: Any = None) -> dict[str, float]:
    """The data loss and each penalty that can be read out of a loss's graph, by name."""
    if loss.op is None or loss.size != 1:
        return {"the loss": float(np.sum(loss.data))}
    smooth, terms = find(loss, model)
    return {"data loss": smooth.item()} | {f"{name} {type(penalty).__name__}": float(penalty(p.detach())) for p, name, penalty in terms}


def diverged(who: str, when: str, terms: Mapping[str, float], rate: float | None = None) -> str:
    """The sentence: which of ``terms`` are not finite."""
    blown = ", ".join(f"{name} = {value}" for name, value in terms.items() if not np.isfinite(value)) or "the sum of all terms is not finite"
    at, lower = ("", "") if rate is None else (f", at a learning rate of {rate:g}", "Lower the learning rate, s")
    return f"{who}: {when}: {blown}{at}. {lower or 'S'}cale the data, or look for bad values in it."
