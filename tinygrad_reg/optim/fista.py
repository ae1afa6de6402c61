"""FISTA: accelerated proximal gradient, with restart, and with a line search where the curvature is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..mode import no_grad
from ..ops.choice import greater, where
from ..ops.elementwise import sqrt
from ..ops.reduction import sum as total
from ..penalties import Penalty
from ..schedules import Schedule
from ..tensor import Tensor
from .proximal import Proximal, nearest

__all__ = ["FISTA"]

_GROWTH, _SHRINK, _TRIES = 1.5, 0.95, 60  # of the estimate of the curvature, in a line search
_LONG_AGO = 1e12  # a t with which the momentum is 1 for all that floats can tell

Pairs = Sequence[tuple[Tensor, Penalty]]


class FISTA(Proximal):
    """Accelerated proximal gradient descent for convex losses: fast, exact zeros, no learning rate to choose.

    x ← prox(y - ∇f(y)/L), then y ← x + a·(x - x_before) with a = (t - 1)/t'. Whenever the step points uphill it starts again from rest, y ← x, and
    from the first time on with all momentum, a = 1, until it points uphill again. No a is above 1, so F + L/2·|x - x_before|² never rises.
    ``lr`` is 1/L, where L bounds the curvature of the smooth rest; without it a line search finds it as it goes. ``minimize`` takes a function that
    makes the loss, for the loss is needed at other points than the parameters' own; it returns the loss at the point y where the gradient was taken.
    With ``lr`` given a step can be compiled. Raises ``TypeError`` for a loss that is no function, ``RuntimeError`` if no step is short enough.

    Sources: A. Beck and M. Teboulle (2009), A fast iterative shrinkage-thresholding algorithm, algorithm "with backtracking";
    B. O'Donoghue and E. Candès (2015), Adaptive restart for accelerated gradient schemes, eq. 12; J. Liang, T. Luo and C.-B. Schönlieb (2022),
    Improving FISTA: faster, smarter, and greedier, algorithm 4.3.

    >>> w = Tensor([0.0, 0.0], requires_grad=True)
    >>> opt = FISTA([w])
    >>> for _ in range(30):
    ...     _ = opt.minimize(lambda: ((w - np.array([1.0, 0.2])) ** 2).sum() + 1.0 * abs(w).sum())
    >>> w
    Tensor([0.5, 0. ], requires_grad=True)
    """

    def __init__(self, params: Iterable[Tensor], lr: float | Schedule | None = None, penalties: Sequence[tuple[Tensor, Penalty]] = ()) -> None:
        self.searches = lr is None
        super().__init__(params, 1.0 if lr is None else lr, 0.0, penalties)

    def restart(self) -> None:
        """Start from rest at the parameters as they are."""
        super().restart()
        self.t = Tensor(1.0)  # counts the steps up to the first restart, in its way

    def start(self, p: Any) -> tuple[Any, ...]:
        """The point y, from which the next step starts."""
        return (p,)

    def minimize(self, loss: Any) -> Tensor:
        """One step; ``loss`` is a function without arguments that makes the loss anew."""
        if isinstance(loss, Tensor) or not callable(loss):
            raise TypeError("FISTA.minimize takes a function that makes the loss, as in opt.minimize(lambda: cross_entropy(model(x), y)).")
        before = [p.detach() for p in self.params]
        starts = [state[0].detach() for state in self.state]
        try:
            value, smooth, apart = self._gradients(loss, starts)
            points = self._searched(loss, starts, smooth, apart) if self.searches else self._stepped(starts, self._live_lr())
        except BaseException:
            self._put(before)
            raise
        with no_grad():
            self._accelerate(before, starts, points)
            self._put(points)
        self.zero_grad()
        self._count_all()
        return value

    def _put(self, values: Sequence[Tensor]) -> None:
        for p, value in zip(self.params, values, strict=True):
            p.assign(value)

    def _gradients(self, loss: Callable[[], Tensor], points: Sequence[Tensor]) -> tuple[Tensor, Tensor, Pairs]:
        """The loss at ``points``, its smooth rest and the other terms in it; the rest's gradients are in ``.grad``."""
        self._put(points)
        self.zero_grad()
        value = loss()
        if not isinstance(value, Tensor):
            raise TypeError(f"FISTA.minimize: the function returned a {type(value).__name__}; it must return the loss, a Tensor.")
        smooth, apart = self.split(value)
        self._keep_apart(apart)
        if smooth.requires_grad:
            smooth.backward()
        return value, smooth, apart

    def _stepped(self, starts: Sequence[Tensor], lr: Any) -> list[Tensor]:
        """The proximal gradient step from ``starts``."""
        points = []
        with no_grad():
            for p, y in zip(self.params, starts, strict=True):
                target = y if p.grad is None else y - lr * p.grad
                points.append(nearest(self._apart.get(id(p), []), target, lr) + 0.0)
        return points

    def _searched(self, loss: Callable[[], Tensor], starts: Sequence[Tensor], smooth: Tensor, apart: Pairs) -> list[Tensor]:
        """A step so short that the quadratic model from ``starts`` lies above the smooth rest."""
        slopes = [np.zeros(p.shape) if p.grad is None else p.grad.data for p in self.params]
        height = smooth.item()
        lr = self.lr / _SHRINK
        for _ in range(_TRIES):
            points = self._stepped(starts, lr)
            moves = [x.data - y.data for x, y in zip(points, starts, strict=True)]
            length = sum(float((d * d).sum()) for d in moves)
            model = height + sum(float((g * d).sum()) for g, d in zip(slopes, moves, strict=True)) + length / (2 * lr)
            with no_grad():
                self._put(points)
                there = float(loss().item()) - sum(float(penalty(p)) for p, penalty in apart)
            if there <= model + 1e-14 * max(abs(height), 1.0) or not length:
                self.lr = lr
                return points
            lr /= _GROWTH
        raise RuntimeError(
            f"FISTA: no step is short enough, down to {lr:g}: is the loss finite and smooth but for its penalties? It is {height} here."
        )

    def _accelerate(self, before: Sequence[Tensor], starts: Sequence[Tensor], points: Sequence[Tensor]) -> None:
        """The next y: ahead of the new point, or, after a step uphill, the new point itself."""
        uphill: Any = 0.0
        for old, y, x in zip(before, starts, points, strict=True):
            uphill = uphill + total((y - x) * (x - old))
        t = where(greater(uphill, 0), _LONG_AGO, self.t.detach())
        longer = (1 + sqrt(1 + 4 * t * t)) / 2
        ahead = where(greater(uphill, 0), 0.0, (t - 1) / longer)
        for state, old, x in zip(self.state, before, points, strict=True):
            state[0].assign((x + ahead * (x - old)).astype(x.dtype))
        self.t.assign(longer)
