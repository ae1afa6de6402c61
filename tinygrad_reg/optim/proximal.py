"""Proximal optimisers: penalties are taken out of the loss and applied exactly, so that weights reach 0.0."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from ..mode import enable_grad
from ..ops.elementwise import sqrt
from ..ops.reduction import min
from ..penalties import L2, Box, GroupL2, MaxNorm, Penalty, find
from ..penalties.sums import ELEMENTWISE, added_up, in_order, nearest
from ..schedules import Schedule
from ..tensor import Tensor, asarray
from .optimizer import Optimizer, checked, checked_betas

__all__ = ["Proximal", "ProximalAdam", "ProximalSGD", "nearest"]

Own = TypeVar("Own", bound="Proximal")


class Proximal(Optimizer):
    """Base of proximal optimisers: ``minimize(loss)`` reads L1 and group terms out of the loss, differentiates the rest, and makes the proximal
    step of the terms.

    L2 terms stay with the rest, for they are smooth. ``penalties`` are further ones, not in the loss, as pairs (parameter, penalty). Which
    penalties one parameter may have together, an error says (as L1, L2 and a bound, or L1 and groups). Raises ``ValueError`` for a term that is
    both in the loss and given by hand.
    """

    _terms: Sequence[tuple[Tensor, Penalty]]  # read out of the loss for this step
    _apart: dict[int, list[Penalty]]  # by id of the parameter: what the step applies, with what was given by hand

    def __init__(self, params: Iterable[Tensor], lr: float | Schedule, decay: float = 0.0, penalties: Sequence[tuple[Tensor, Penalty]] = ()) -> None:
        super().__init__(params, lr, decay)
        self.penalties = [self._checked_pair(pair) for pair in penalties]
        self._keep_apart(())

    def _checked_pair(self, pair: Any) -> tuple[Tensor, Penalty]:
        """A penalty given by hand; its schedules follow this optimiser."""
        who = type(self).__name__
        if not (isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[0], Tensor) and isinstance(pair[1], Penalty)):
            raise TypeError(f"{who}: penalties are pairs of a parameter and a penalty, as in penalties=[(w, L1(0.1))]; got {pair!r:.80}.")
        p, penalty = pair
        name = p.name or "a Tensor"
        if p.op is not None:
            raise ValueError(f"{who}: {penalty} is given for {name}, which {p.op.name} has made; only parameters themselves take proximal steps.")
        if id(p) not in {id(own) for own in self.params}:
            raise ValueError(f"{who}: {penalty} is given for {name}, of shape {p.shape}, which is none of the parameters.")
        penalty.follow(self)
        penalty.check(p)
        return p, penalty

    def constrain(self: Own, p: Tensor, bound: Box | MaxNorm) -> Own:
        """Keep a parameter within a bound: the same as giving it in ``penalties``, and it is moved inside now."""
        self._checked_bound(p, bound)
        kept = [pair for pair in self.penalties if not (pair[0] is p and isinstance(pair[1], (Box, MaxNorm)))]
        wanted = [*kept, (p, bound)]
        self._by_parameter(wanted)  # raises if its proximal step is not known together with the others
        p.assign(bound.prox(p._data, 1.0))
        self.penalties = wanted
        self._keep_apart(())
        return self

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, and the terms that were read with them."""
        super().zero_grad()
        self._keep_apart(())

    def step(self) -> None:
        """Move every parameter that has a gradient, and make the proximal steps of the terms that :meth:`backward` has read.

        They are then forgotten: gradients from ``loss.backward()`` hold all terms, of which none may count twice.
        """
        super().step()
        self._keep_apart(())

    def backward(self, loss: Tensor) -> None:
        """Gradients of the smooth rest; the terms are kept for the step. Several calls before a step add up, terms as gradients."""
        smooth, apart = self.split(loss)
        self._keep_apart(added_up([*self._terms, *apart]))
        if smooth.requires_grad:
            smooth.backward()
        for p in self.params:
            if p.grad is None and self._apart.get(id(p)):
                p.grad = asarray(np.zeros(p.shape, p.dtype))

    def split(self, loss: Tensor) -> tuple[Tensor, list[tuple[Tensor, Penalty]]]:
        """The smooth rest of a loss, with its L2 terms, and what is to be applied by proximal steps."""
        for p, penalty in self.penalties:
            penalty.now(p)  # here it is known which parameter a bad number is for
        smooth, terms = find(loss)
        own = {id(p) for p in self.params}
        apart = []
        for parameter, _, penalty in terms:
            if isinstance(penalty, L2) or id(parameter) not in own:
                with enable_grad():
                    smooth = smooth + penalty(parameter)
            else:
                apart.append((parameter, penalty))
        self._refuse_twice(apart)
        return smooth, apart

    def _keep_apart(self, apart: Sequence[tuple[Tensor, Penalty]]) -> None:
        # Not through __setattr__: it belongs to this step only, and is no change of what steps do.
        self.__dict__["_apart"] = self._by_parameter([*self.penalties, *apart])
        self.__dict__["_terms"] = apart

    def _refuse_twice(self, apart: Sequence[tuple[Tensor, Penalty]]) -> None:
        given = {(id(p), type(penalty)) for p, penalty in self.penalties}
        for p, penalty in apart:
            if (id(p), type(penalty)) in given:
                raise ValueError(
                    f"{type(self).__name__}: {type(penalty).__name__} on {p.name or 'a parameter'} is in the loss and given by hand, too; it would "
                    "count twice. Leave one of them away."
                )

    def _by_parameter(self, pairs: Sequence[tuple[Tensor, Penalty]]) -> dict[int, list[Penalty]]:
        found: dict[int, list[Penalty]] = {}
        for p, penalty in pairs:
            found.setdefault(id(p), []).append(penalty)
        return {key: in_order(type(self).__name__, penalties) for key, penalties in found.items()}

    def updated(self, i: int, p: Any, g: Any, lr: Any, t: Any, state: Sequence[Any]) -> tuple[Any, ...]:
        """The smooth step, then the proximal one."""
        penalties = self._apart.get(id(self.params[i]), [])
        if isinstance(lr, float) and not lr:  # as a schedule may have it: nothing moves
            penalties = []
        target, step, *state = self.smooth_step(p, g, lr, t, penalties, *state)
        return (nearest(penalties, target, step), *state)

    def smooth_step(self, p: Any, g: Any, lr: Any, t: Any, penalties: Sequence[Penalty], *state: Any) -> tuple[Any, ...]:
        """Where the smooth part leads, how long the proximal step is, and the new state."""
        raise NotImplementedError(f"{type(self).__name__} has no smooth_step().")


class ProximalSGD(Proximal):
    """Proximal gradient descent: p ← prox(p + μ·(p - p_before) - lr·g), where prox is that of the penalties with step lr.

    Momentum works on the points, not on a buffer of gradients: with that the penalty would in effect be 1/(1 - μ) times too weak. ``lr`` must be
    below 1/L, where L bounds the curvature of the rest. Source: P. Ochs, Y. Chen, T. Brox and T. Pock (2014), iPiano, algorithm 1.

    >>> w = Tensor([1.0, 0.2], requires_grad=True)
    >>> opt = ProximalSGD([w], lr=0.1)
    >>> for _ in range(100):
    ...     _ = opt.minimize(((w - np.array([1.0, 0.2])) ** 2).sum() + 1.0 * abs(w).sum())
    >>> w
    Tensor([0.5, 0. ], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float | Schedule,
        momentum: float = 0.0,
        decay: float = 0.0,
        penalties: Sequence[tuple[Tensor, Penalty]] = (),
    ) -> None:
        self.momentum = checked("ProximalSGD: momentum", momentum, least=0.0, below=1.0)
        super().__init__(params, lr, decay, penalties)

    def start(self, p: Any) -> tuple[Any, ...]:
        """The point before, which is where we are."""
        return (p,)

    def smooth_step(self, p: Any, g: Any, lr: Any, t: Any, penalties: Sequence[Penalty], *state: Any) -> tuple[Any, ...]:
        """See the class."""
        target = p - lr * g
        return (target + self.momentum * (p - state[0]) if self.momentum else target, lr, p)


class ProximalAdam(Proximal):
    """Adam's step, then the proximal step with Adam's own length for each element, lr/(√v̂ + ε).

    p ← prox(p - s·m̂) with s = lr/(√v̂ + ε) for each element: the threshold is s·λ. (With lr·λ, which is common, it ends far above the
    optimum.) Groups and bounds on groups get the shortest step in them, so that it is one for all their elements.
    Source: J. Yun, A. Lozano and E. Yang (2021), Adaptive proximal gradient methods for structured neural networks, eq. 4.

    >>> w = Tensor([1.0, 0.2], requires_grad=True)
    >>> opt = ProximalAdam([w], lr=0.05)
    >>> for _ in range(500):
    ...     _ = opt.minimize(((w - np.array([1.0, 0.2])) ** 2).sum() + 1.0 * abs(w).sum())
    >>> w
    Tensor([0.5, 0. ], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-7,
        decay: float = 0.0,
        penalties: Sequence[tuple[Tensor, Penalty]] = (),
    ) -> None:
        self.betas = checked_betas("ProximalAdam", betas)
        self.eps = checked("ProximalAdam: eps", eps, least=0.0)
        super().__init__(params, lr, decay, penalties)

    def start(self, p: Any) -> tuple[Any, ...]:
        """The running means of g and of g², 0."""
        return np.zeros_like(p), np.zeros_like(p)

    def smooth_step(self, p: Any, g: Any, lr: Any, t: Any, penalties: Sequence[Penalty], *state: Any) -> tuple[Any, ...]:
        """See the class."""
        (b1, b2), (m, v) = self.betas, state
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * (g * g)
        step = lr / (sqrt(v) * (1 - b2**t) ** -0.5 + self.eps)
        for penalty in penalties:
            if isinstance(penalty, GroupL2) and penalty.groups is None:
                step = min(step, axis=penalty.axis, keepdims=True)
            elif not isinstance(penalty, ELEMENTWISE):
                step = min(step)
        return p - step * (m / (1 - b1**t)), step, m, v
