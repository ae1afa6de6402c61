"""What all optimisers share: parameters, the learning rate and its decay, zero_grad, step, minimize."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from ..mode import captures, capturing, changes, no_grad
from ..penalties import Box, MaxNorm, Penalty
from ..schedules import Schedule
from ..tensor import Tensor

__all__ = ["Optimizer", "checked", "checked_betas"]

Self = TypeVar("Self", bound="Optimizer")


class Optimizer:
    """Base of optimisers. A kind of optimiser writes :meth:`update`, an expression on arrays, and :meth:`start`.

    The learning rate at step t (from 0) is ``lr / (1 + decay·t)``, as in the book; ``lr`` is a number or a :class:`~tinygrad_reg.Schedule` of t, and
    may be set at any time. ``state`` holds, for each parameter, what :meth:`start` began: Tensors. Raises ``TypeError`` for parameters that are not
    leaf Tensors with ``requires_grad``, ``ValueError`` for none, for one given twice, and for a learning rate or decay that makes no sense.
    """

    def __new__(cls, *_: Any, **settings: Any) -> Any:
        """Refuse a weight decay where there is none, for it means one thing in SGD and another in Adam."""
        if "weight_decay" in settings and "weight_decay" not in inspect.signature(cls.__init__).parameters:
            raise TypeError(
                f"{cls.__name__} has no weight_decay. For an L2 penalty put λ·Σw² into the loss, weight_lambda_l2=λ in a layer or "
                "λ * (w * w).sum() (PyTorch's weight_decay is 2λ there); for decay apart from the gradient use optim.AdamW(params, weight_decay=…)."
            )
        return super().__new__(cls)

    def __init__(self, params: Iterable[Tensor], lr: float | Schedule, decay: float = 0.0) -> None:
        self.params = tuple(_checked_parameters(type(self).__name__, params))
        self.lr = lr
        self.decay = checked(f"{type(self).__name__}: decay", decay, least=0.0)
        self.steps = 0
        self.updates = [0] * len(self.params)  # how often each parameter has been moved, besides the steps that moved all
        self.together = 0
        self.bounds: dict[int, Penalty] = {}  # by number of the parameter: what it is brought back into after each step
        self.restart()

    def restart(self) -> None:
        """Forget what is remembered of the steps so far, but not how many there were."""
        self.state = tuple(tuple(map(Tensor, self.start(p._data))) for p in self.params)

    def __setattr__(self, name: str, value: Any) -> None:
        changes.count += 1
        super().__setattr__(name, value)

    @property
    def lr(self) -> Any:
        """The learning rate before decay; may be set at any time, to a finite number above 0 or to a schedule."""
        return self._lr

    @lr.setter
    def lr(self, value: float | Schedule) -> None:
        self._lr = value if isinstance(value, Schedule) else checked(f"{type(self).__name__}: lr", value, above=0.0)

    @property
    def current_lr(self) -> float:
        """The learning rate of the next step: lr / (1 + decay·t)."""
        return self.lr_at(self.steps)

    def lr_at(self, t: int) -> float:
        """The learning rate of step t."""
        lr = self._lr.at(t, f"{type(self).__name__}: lr") if isinstance(self._lr, Schedule) else self._lr
        return lr / (1.0 + self.decay * t) if self.decay else lr

    def start(self, p: Any) -> tuple[Any, ...]:
        """What is remembered of a parameter before the first step: arrays like it."""
        return ()

    def update(self, p: Any, g: Any, lr: Any, t: Any, *state: Any) -> tuple[Any, ...]:
        """The parameter's new value and the new state, from its value, gradient, learning rate and state; t counts its updates, from 1.

        An expression of array functions and operators: it runs on arrays, and on Tensors where a step is compiled. There
        ``lr`` and ``t`` stand for numbers that change from step to step, so it must not ask what they are.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update(); write one that returns the new value and the new state.")

    def updated(self, i: int, p: Any, g: Any, lr: Any, t: Any, state: Sequence[Any]) -> tuple[Any, ...]:
        """What :meth:`update` makes of parameter i."""
        return self.update(p, g, lr, t, *state)

    def constrain(self: Self, p: Tensor, bound: Box | MaxNorm) -> Self:
        """Keep a parameter within a bound (``MaxNorm``, ``Box``, ``NonNegative``): now and after each step it is moved to the nearest point inside.

        Returns the optimiser. A later bound on the same parameter takes the place of the earlier one. Raises ``TypeError`` for a penalty that is no
        bound, ``ValueError`` for a Tensor that is none of the parameters. Source: N. Srivastava et al. (2014), Dropout, section 5.1.

        >>> w = Tensor([3.0, 4.0], requires_grad=True)
        >>> _ = tg.optim.SGD([w], lr=0.1).constrain(w, tg.penalties.MaxNorm(1.0)).minimize(-w.sum())
        >>> w
        Tensor([0.6139, 0.7894], requires_grad=True)
        """
        i = self._checked_bound(p, bound)
        p.assign(bound.prox(p._data, 1.0))
        self.bounds = {**self.bounds, i: bound}
        return self

    def _checked_bound(self, p: Tensor, bound: Any) -> int:
        """The number of the parameter."""
        who = f"{type(self).__name__}.constrain"
        if not isinstance(bound, (Box, MaxNorm)):
            raise TypeError(f"{who}: {bound!r:.60} is no bound: MaxNorm, Box and NonNegative are. Penalties belong into the loss.")
        found = [i for i, own in enumerate(self.params) if own is p]
        if not found:
            raise ValueError(f"{who}: {bound} is given for {p!r:.60}, which is none of the parameters.")
        return found[0]

    def _inside(self, i: int, new: tuple[Any, ...]) -> tuple[Any, ...]:
        """What an update has made of parameter i, with its value brought back into its bound."""
        return (self.bounds[i].prox(new[0], 1.0), *new[1:]) if i in self.bounds else new

    def backward(self, loss: Tensor) -> None:
        """Gradients of the loss, for :meth:`minimize`."""
        loss.backward()

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for p in self.params:
            p.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient. Raises ``RuntimeError`` if none has one."""
        if captures and (tape := capturing()):
            return self._captured_step(tape)
        lr, moved = self.current_lr, []
        for i, p in enumerate(self.params):
            if p._grad is not None:
                state = [s._data for s in self.state[i]]
                moved.append((i, p, self._inside(i, self.updated(i, p._data, p._grad._data, lr, self._next(i), state))))
        if not moved:
            raise RuntimeError(self._nothing_to_move())
        for i, p, new in moved:
            dtype = p._data.dtype
            for x, value in zip((p, *self.state[i]), new, strict=True):
                x._data = value if value.dtype is dtype else value.astype(dtype, copy=False)  # the model may have another dtype since
        return self._count([i for i, _, _ in moved])

    def _count(self, moved: Sequence[int], times: int = 1) -> None:
        # Not through __setattr__: that steps are counted is no change of what they do.
        own = self.__dict__
        own["steps"] += times
        if len(moved) == len(self.params):
            own["together"] += times
        else:
            for i in moved:
                self.updates[i] += times

    def _count_all(self) -> None:
        """One more step of all parameters, now, or at each run of the function that is being captured."""
        every = range(len(self.params))
        if captures and (tape := capturing()):
            tape.effects.append(partial(self._count, every))
        else:
            self._count(every)

    def _next(self, i: int) -> int:
        return self.updates[i] + self.together + 1

    def _captured_step(self, tape: Any) -> None:
        moved = [i for i, p in enumerate(self.params) if p.grad is not None]
        if not moved:
            raise RuntimeError(self._nothing_to_move())
        lr = self._live_lr()
        with no_grad():
            for i in moved:
                p, t = self.params[i], tape.number(("t", id(self), self.updates[i]), partial(self._next, i))
                new = self._inside(i, self.updated(i, p, p.grad, lr, t, self.state[i]))
                tape.update(p.grad, [(p, new[0]), *zip(self.state[i], new[1:], strict=True)])
        tape.effects.append(partial(self._count, moved))

    def _live_lr(self) -> Any:
        """The learning rate, or, where a step is compiled, as it will be at each run."""
        if captures and (tape := capturing()):
            return tape.number(("learning rate", id(self)), lambda: self.current_lr, steady=not self.decay and not isinstance(self._lr, Schedule))
        return self.current_lr

    def _nothing_to_move(self) -> str:
        return f"{type(self).__name__}.step: no parameter has a gradient. Call loss.backward() before step(), or use minimize(loss)."

    def minimize(self, loss: Tensor | Callable[[], Tensor]) -> Tensor:
        """zero_grad, backward and step in one; returns the loss. ``loss`` is a Tensor, or a function that makes it.

        In a compiled function the gradients are not kept: ``.grad`` of the parameters is None afterwards. Call ``zero_grad()``,
        ``loss.backward()`` and ``step()`` yourself to keep them.

        >>> from tinygrad_reg.optim import SGD
        >>> w = Tensor([1.0], requires_grad=True)
        >>> _ = SGD([w], lr=0.25).minimize((w * w).sum())
        >>> w
        Tensor([0.5], requires_grad=True)
        """
        value = loss if isinstance(loss, Tensor) else loss()
        if not isinstance(value, Tensor):
            raise TypeError(f"{type(self).__name__}.minimize: the function returned a {type(value).__name__}; it must return the loss, a Tensor.")
        self.zero_grad()
        self.backward(value)
        self.step()
        if captures and capturing():
            self.zero_grad()
        return value


def checked(what: str, value: float, above: float = -np.inf, least: float = -np.inf, below: float = np.inf) -> float:
    """``value`` as a float within its bounds, or a ``ValueError`` that names them."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{what} is a {type(value).__name__}; it must be a number.")
    if above < value < below and value >= least:
        return float(value)
    lower = f"above {above:g}" if above > -np.inf else f"at least {least:g}"
    raise ValueError(f"{what} is {value}; it must be {lower} and below {below:g}.")


def checked_betas(who: str, betas: tuple[float, float]) -> tuple[float, float]:
    """The shares of the running means that Adam keeps: each at least 0 and below 1."""
    first, second = (checked(f"{who}: betas[{i}]", betas[i], least=0.0, below=1.0) for i in range(2))
    return first, second


def _checked_parameters(who: str, params: Iterable[Tensor]) -> list[Tensor]:
    if isinstance(params, Tensor):
        raise TypeError(f"{who} takes a list of parameters; for one Tensor write [w].")
    found = list(params)
    for i, p in enumerate(found):
        if not isinstance(p, Tensor) or p.op is not None or not p.requires_grad:
            raise TypeError(f"{who}: parameter {i} is {p!r:.80}; it must be a leaf Tensor with requires_grad=True.")
    if not found:
        raise ValueError(f"{who} got no parameters. model.parameters() gives all Tensors with requires_grad=True.")
    if len({id(p) for p in found}) < len(found):
        raise ValueError(f"{who} got a parameter twice; it would be moved twice a step.")
    return found
