"""Schedules: a learning rate or a λ that changes from step to step."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, inf, pi
from typing import Any

import numpy as np

from .mode import capturing

__all__ = ["Schedule", "cosine", "exponential", "linear", "one_cycle", "staircase", "warm_up"]


class Schedule:
    """A number that is f(t) at step t = 0, 1, 2 …: give it as ``lr`` to an optimiser, or as λ to a penalty or a layer.

    As ``lr`` it follows that optimiser's ``steps``. As λ it must know whose steps are meant: a proximal optimiser tells the penalties given to
    it by hand, ``fit`` those of the model's layers; otherwise call :meth:`follow`. In an expression of your own write ``schedule.now()``.
    In a compiled step f is called anew at each run.

    Raises ``TypeError`` for what is not a function of a number, ``RuntimeError`` for a λ that follows no optimiser, and ``ValueError``, with the name
    of the parameter, when f gives NaN, infinity or a negative number.

    >>> w = Tensor([1.0], requires_grad=True)
    >>> opt = tg.optim.SGD([w], lr=Schedule(lambda t: 0.1 / (1 + t)))
    >>> for _ in range(3):
    ...     print(f"{opt.current_lr:.3f}")
    ...     _ = opt.minimize(w.sum())
    0.100
    0.050
    0.033
    """

    def __init__(self, f: Callable[[int], float], name: str = "") -> None:
        if not callable(f):
            raise TypeError(f"Schedule takes a function of the step, as in Schedule(lambda t: 0.1 / (1 + t)), not a {type(f).__name__}.")
        self.f = f
        self.name = name or f"Schedule({getattr(f, '__name__', f)})"
        self.optimizer: Any = None

    def __call__(self, t: int) -> float:
        """The number of step t."""
        return self.at(t, self.name)

    def at(self, t: int, what: str) -> float:
        """The number of step t, which must be finite and not negative; ``what`` it is for is told in errors."""
        value = self.f(t)
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise TypeError(f"{what} at step {t} is a {type(value).__name__}; its schedule {self!r} must give a number.")
        if not 0 <= value < inf:
            raise ValueError(f"{what} at step {t} is {value}; its schedule {self!r} must give finite numbers that are at least 0.")
        return float(value)

    def follow(self, optimizer: Any) -> Schedule:
        """From now on t is the number of steps that ``optimizer`` has made."""
        if not hasattr(optimizer, "steps"):
            raise TypeError(f"{self!r}.follow takes an optimiser, whose steps it counts, not a {type(optimizer).__name__}.")
        self.optimizer = optimizer
        return self

    def now(self, what: str = "") -> Any:
        """The number of the step to come, or, where a function is captured, as it will be at each run."""
        what = what or self.name
        if self.optimizer is None:
            raise RuntimeError(
                f"{what} is the schedule {self!r}, which does not know whose steps to count: call schedule.follow(optimizer) first. fit, and "
                "proximal optimisers for penalties given to them by hand, do so themselves."
            )
        tape = capturing()
        return tape.number(("schedule", id(self)), lambda: self._next(what)) if tape else self._next(what)

    def _next(self, what: str) -> float:
        return self.at(self.optimizer.steps, what)

    def __repr__(self) -> str:
        return self.name


def _steps(who: str, name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{who}: {name} is a {type(value).__name__}; it must be a whole number.")
    if value < 1:
        raise ValueError(f"{who}: {name} is {value}; it must be at least 1.")
    return int(value)


def _number(who: str, name: str, value: float, above: float = -inf) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{who}: {name} is a {type(value).__name__}; it must be a number.")
    if not (0 <= value < inf and value > above):
        raise ValueError(f"{who}: {name} is {value}; it must be finite and {'above' if above == 0 else 'at least'} 0.")
    return float(value)


def linear(start: float, end: float, steps: int) -> Schedule:
    """From ``start`` at step 0 in a straight line to ``end`` at step ``steps``, and ``end`` from then on.

    >>> [linear(1.0, 0.0, 4)(t) for t in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    a, b, n = _number("linear", "start", start), _number("linear", "end", end), _steps("linear", "steps", steps)
    return Schedule(lambda t: a + (b - a) * min(t / n, 1.0), f"linear({a:g}, {b:g}, steps={n})")


def cosine(start: float, steps: int, end: float = 0.0) -> Schedule:
    """From ``start`` to ``end`` along half a cosine: end + (start - end)·(1 + cos(π·t/steps))/2, and ``end`` from step ``steps`` on.

    Source: I. Loshchilov and F. Hutter (2017), SGDR: stochastic gradient descent with warm restarts, eq. 5.

    >>> print(*(f"{cosine(1.0, 4)(t):.4f}" for t in range(6)))
    1.0000 0.8536 0.5000 0.1464 0.0000 0.0000
    """
    a, b, n = _number("cosine", "start", start), _number("cosine", "end", end), _steps("cosine", "steps", steps)
    return Schedule(lambda t: _half_cosine(a, b, t / n), f"cosine({a:g}, steps={n}, end={b:g})")


def _half_cosine(a: float, b: float, share: float) -> float:
    return b + (a - b) * (1 + cos(pi * share)) / 2 if share < 1 else b


def staircase(start: float, every: int, factor: float = 0.1) -> Schedule:
    """``start``, times ``factor`` after each ``every`` steps: start·factor^⌊t/every⌋.

    >>> [staircase(1.0, 2, factor=0.5)(t) for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    a, n, c = _number("staircase", "start", start), _steps("staircase", "every", every), _number("staircase", "factor", factor, above=0)
    return Schedule(lambda t: a * c ** (t // n), f"staircase({a:g}, every={n}, factor={c:g})")


def exponential(start: float, factor: float) -> Schedule:
    """start·factor^t.

    >>> [exponential(1.0, 0.5)(t) for t in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    a, c = _number("exponential", "start", start), _number("exponential", "factor", factor, above=0)
    return Schedule(lambda t: a * c**t, f"exponential({a:g}, {c:g})")


def warm_up(then: float | Schedule, steps: int) -> Schedule:
    """``then``, a number or a schedule, times (t + 1)/steps in the first ``steps`` steps: it grows from then/steps.

    Source: P. Goyal et al. (2017), Accurate, large minibatch SGD, section 2.2.

    >>> [warm_up(1.0, 4)(t) for t in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    """
    n = _steps("warm_up", "steps", steps)
    if not isinstance(then, Schedule):
        number = _number("warm_up", "then", then)
        then = Schedule(lambda t: number, f"{number:g}")
    after = then
    return Schedule(lambda t: after.f(t) * min((t + 1) / n, 1.0), f"warm_up({after!r}, steps={n})")


def one_cycle(peak: float, steps: int, rising: float = 0.3, start: float | None = None, end: float | None = None) -> Schedule:
    """Up from ``start`` (peak/25) to ``peak`` in the share ``rising`` of the steps, then down to ``end`` (start/10,000), along half cosines.

    The peak is at step rising·steps - 1, the end at step steps - 1, and it stays there; as PyTorch's OneCycleLR has it.
    Source: L. N. Smith and N. Topin (2018), Super-convergence.

    >>> print(*(f"{one_cycle(1.0, 5, rising=0.4)(t):.2f}" for t in range(6)))
    0.04 1.00 0.75 0.25 0.00 0.00
    """
    top, n = _number("one_cycle", "peak", peak, above=0), _steps("one_cycle", "steps", steps)
    low = top / 25 if start is None else _number("one_cycle", "start", start)
    last = low / 1e4 if end is None else _number("one_cycle", "end", end)
    summit = rising * n - 1
    if not 0 < summit < n - 1:
        raise ValueError(f"one_cycle: rising is {rising} of {n} steps; the peak must come after the first step and before the last.")

    def f(t: int) -> float:
        return _half_cosine(low, top, t / summit) if t <= summit else _half_cosine(top, last, (t - summit) / (n - 1 - summit))

    return Schedule(f, f"one_cycle({top:g}, steps={n}, rising={rising:g})")
