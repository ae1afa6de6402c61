"""AdamW: Adam with a decay of the weights that is no part of the gradient."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from ..penalties import L2, find
from ..schedules import Schedule
from ..tensor import Tensor
from .optimizer import checked
from .rules import Adam

__all__ = ["AdamW"]


class AdamW(Adam):
    """Adam, and apart from the gradient each step shrinks the weights:

    p ← p - lr·wd·p - lr·m̂/(√v̂ + ε), with m ← β₁m + (1-β₁)g, v ← β₂v + (1-β₂)g², m̂ = m/(1-β₁ᵗ), v̂ = v/(1-β₂ᵗ), and both p on the right the
    value before the step; lr is that of the step, with its decay or schedule.

    This is *not* an L2 penalty: in λΣw² the pull 2λw is a part of g and is divided by √v̂, too; here it is not, and AdamW ends at the lowest point
    of no loss with a penalty. As in PyTorch wd is multiplied by lr, and all parameters decay unless ``decayed`` says which: a list of some of
    ``params``. Biases are mostly left out: ``decayed=[p for p in model.parameters() if p.ndim > 1]``.

    At its first ``minimize`` it looks for L2 penalties in the loss and warns if a parameter has both. Raises ``ValueError`` for a negative
    weight decay and for ``decayed`` that are not among the parameters.

    Source: I. Loshchilov and F. Hutter (2019), Decoupled weight decay regularization, algorithm 2 (its schedule η is in lr here).

    >>> w = Tensor([1.0], requires_grad=True)
    >>> _ = AdamW([w], lr=0.1, weight_decay=0.5).minimize((w**3).sum())
    >>> w
    Tensor([0.85], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        decayed: Iterable[Tensor] | None = None,
        decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, betas, eps, decay)
        self.weight_decay = weight_decay
        self.decayed = self._decayed(decayed)
        self._looked = False

    @property
    def weight_decay(self) -> float:
        """The share of a weight that a step with lr = 1 would take away; may be set at any time."""
        return self._weight_decay

    @weight_decay.setter
    def weight_decay(self, value: float) -> None:
        self._weight_decay = checked("AdamW: weight_decay", value, least=0.0)

    def _decayed(self, chosen: Iterable[Tensor] | None) -> tuple[bool, ...]:
        """For each parameter whether it decays."""
        if chosen is None:
            return (True,) * len(self.params)
        if isinstance(chosen, Tensor):
            raise TypeError("AdamW: decayed takes a list of parameters; for one Tensor write [w].")
        own, wanted = {id(p) for p in self.params}, list(chosen)
        for p in wanted:
            if id(p) not in own:
                raise ValueError(f"AdamW: decayed names {p!r:.60}, which is none of the parameters.")
        return tuple(id(p) in set(map(id, wanted)) for p in self.params)

    def backward(self, loss: Tensor) -> None:
        """Gradients of the loss; the first time, a look at its penalties."""
        if not self._looked:
            self.__dict__["_looked"] = True  # not through __setattr__: it is no change of what steps do
            self._warn_of_both(loss)
        super().backward(loss)

    def _warn_of_both(self, loss: Tensor) -> None:
        decaying = {id(p) for p, decays in zip(self.params, self.decayed, strict=True) if decays and self.weight_decay}
        if not decaying or loss.op is None or loss.size != 1:
            return
        both = [f"{name} ({penalty})" for p, name, penalty in find(loss).terms if isinstance(penalty, L2) and id(p) in decaying]
        if both:
            warnings.warn(
                f"AdamW: {', '.join(both)} is pulled to 0 twice, by an L2 penalty in the loss and by weight_decay={self.weight_decay:g}. "
                "Leave out one: weight_decay=0, decayed= without it, or no L2 term.",
                stacklevel=4,
            )

    def updated(self, i: int, p: Any, g: Any, lr: Any, t: Any, state: Sequence[Any]) -> tuple[Any, ...]:
        """The decay, then Adam's step."""
        shrunk = p * (1 - lr * self.weight_decay) if self.decayed[i] and self.weight_decay else p
        return self.update(shrunk, g, lr, t, *state)
