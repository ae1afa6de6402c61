"""The optimisers: each is one update rule, an expression on arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..schedules import Schedule
from ..tensor import Tensor
from .optimizer import Optimizer, checked, checked_betas

__all__ = ["SGD", "Adagrad", "Adam", "RMSprop"]


class SGD(Optimizer):
    """Stochastic gradient descent: p ← p - lr·g; with momentum μ: v ← μ·v - lr·g, p ← p + v.

    With ``nesterov`` the step looks ahead: p ← p + μ·v - lr·g, with the new v. Learning-rate decay as in the book,
    lr/(1 + decay·t). Sources: B. T. Polyak (1964), eq. 9; Y. Nesterov (1983).

    >>> w = Tensor([1.0], requires_grad=True)
    >>> opt = SGD([w], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     _ = opt.minimize((w * w).sum())
    >>> w
    Tensor([0.46], requires_grad=True)
    """

    def __init__(self, params: Iterable[Tensor], lr: float | Schedule, momentum: float = 0.0, nesterov: bool = False, decay: float = 0.0) -> None:
        self._momentum = checked("SGD: momentum", momentum, least=0.0, below=1.0)
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov looks ahead along the momentum, which is 0; give momentum=0.9, say.")
        self.nesterov = nesterov
        super().__init__(params, lr, decay)

    @property
    def momentum(self) -> float:
        """The share of the last step that is done again; may be set at any time, and velocities start at 0 when it is switched on."""
        return self._momentum

    @momentum.setter
    def momentum(self, value: float) -> None:
        before, self._momentum = self._momentum, checked("SGD: momentum", value, least=0.0, below=1.0)
        if bool(before) != bool(value):
            self.restart()

    def start(self, p: Any) -> tuple[Any, ...]:
        """The velocity, 0."""
        return (np.zeros_like(p),) if self._momentum else ()

    def update(self, p: Any, g: Any, lr: Any, t: Any, *state: Any) -> tuple[Any, ...]:
        """See the class."""
        step = lr * g
        if not self.momentum:
            return (p - step,)
        velocity = self.momentum * state[0] - step
        return (p + (self.momentum * velocity - step if self.nesterov else velocity), velocity)


class Adam(Optimizer):
    """Adam: steps of about lr in every direction, from running means of the gradient and of its square.

    m ← β₁m + (1-β₁)g, v ← β₂v + (1-β₂)g², p ← p - lr·m̂/(√v̂ + ε), with m̂ = m/(1-β₁ᵗ), v̂ = v/(1-β₂ᵗ). ``eps``
    defaults to 1e-7 and ``decay`` gives lr/(1 + decay·t), both as in the book. There is no weight decay here:
    an L2 penalty belongs into the loss, and ``weight_decay=`` is a ``TypeError`` that says so. Source: D. P. Kingma and J. Ba (2015), algorithm 1.

    >>> w = Tensor([1.0], requires_grad=True)
    >>> _ = Adam([w], lr=0.1).minimize((w * w).sum())
    >>> w
    Tensor([0.9], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float | Schedule = 0.001, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-7, decay: float = 0.0
    ) -> None:
        who = type(self).__name__
        self.betas = checked_betas(who, betas)
        self.eps = checked(f"{who}: eps", eps, least=0.0)
        super().__init__(params, lr, decay)

    def start(self, p: Any) -> tuple[Any, ...]:
        """The running means of g and of g², 0."""
        return np.zeros_like(p), np.zeros_like(p)

    def update(self, p: Any, g: Any, lr: Any, t: Any, *state: Any) -> tuple[Any, ...]:
        """See the class."""
        (b1, b2), (m, v) = self.betas, state
        m = m + (1 - b1) * (g - m)
        v = v + (1 - b2) * (g * g - v)
        scale = (1 - b2**t) ** 0.5  # of √v: taken out of the fraction, as arithmetic on numbers is cheap
        return p - (lr * scale / (1 - b1**t)) * (m / (np.sqrt(v) + scale * self.eps)), m, v


class RMSprop(Optimizer):
    """Steps of about lr in every direction, from a running mean of the squared gradient: c ← ρ·c + (1-ρ)·g², p ← p - lr·g/(√c + ε).

    The book's formula and settings; PyTorch's is the same, where ρ is called alpha and defaults to 0.99, lr to 0.01 and ε to 1e-8. No momentum.
    Source: T. Tieleman and G. Hinton (2012), Neural networks for machine learning, lecture 6.5.

    >>> w = Tensor([1.0], requires_grad=True)
    >>> _ = RMSprop([w], lr=0.1, rho=0.75).minimize((w * w).sum())
    >>> w
    Tensor([0.8], requires_grad=True)
    """

    def __init__(self, params: Iterable[Tensor], lr: float | Schedule = 0.001, rho: float = 0.9, eps: float = 1e-7, decay: float = 0.0) -> None:
        self.rho = checked("RMSprop: rho", rho, least=0.0, below=1.0)
        self.eps = checked("RMSprop: eps", eps, least=0.0)
        super().__init__(params, lr, decay)

    def start(self, p: Any) -> tuple[Any, ...]:
        """The running mean of g², 0."""
        return (np.zeros_like(p),)

    def update(self, p: Any, g: Any, lr: Any, t: Any, *state: Any) -> tuple[Any, ...]:
        """See the class."""
        c = self.rho * state[0] + (1 - self.rho) * (g * g)
        return p - lr * (g / (np.sqrt(c) + self.eps)), c


class Adagrad(Optimizer):
    """Steps that shrink where the gradient has been large: c ← c + g², p ← p - lr·g/(√c + ε).

    The book's formula and settings; PyTorch's is the same, where lr defaults to 0.01, ε to 1e-10, and ``decay`` is called lr_decay.
    Source: J. Duchi, E. Hazan and Y. Singer (2011), Adaptive subgradient methods, figure 1 (with diagonal matrices).

    >>> w = Tensor([1.0], requires_grad=True)
    >>> _ = Adagrad([w], lr=0.1).minimize((w * w).sum())
    >>> w
    Tensor([0.9], requires_grad=True)
    """

    def __init__(self, params: Iterable[Tensor], lr: float | Schedule = 1.0, eps: float = 1e-7, decay: float = 0.0) -> None:
        self.eps = checked("Adagrad: eps", eps, least=0.0)
        super().__init__(params, lr, decay)

    def start(self, p: Any) -> tuple[Any, ...]:
        """The sum of g², 0."""
        return (np.zeros_like(p),)

    def update(self, p: Any, g: Any, lr: Any, t: Any, *state: Any) -> tuple[Any, ...]:
        """See the class."""
        c = state[0] + g * g
        return p - lr * (g / (np.sqrt(c) + self.eps)), c
