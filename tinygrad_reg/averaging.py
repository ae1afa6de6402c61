"""WeightAverage: the mean of a model's weights over training, instead of the last ones."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from .history import History
from .mode import no_grad
from .nn import Module
from .ops.choice import equal, where
from .tensor import Tensor

__all__ = ["WeightAverage"]


class WeightAverage:
    """The mean of a model's parameters over all updates of it (SWA), or with ``decay`` d a mean that forgets (EMA).

    At each :meth:`update`: mean ← mean + (w - mean)/n at the n-th, or mean ← d·mean + (1 - d)·w, from the first w on.

    As a callback of ``fit`` it updates after each recorded epoch from number ``start`` on, and in the end the model gets the mean; until then
    it trains and is validated with its own weights. By hand, also inside a compiled step, call :meth:`update` after each step; then
    ``with average.applied():`` evaluates with the mean, and :meth:`finish` keeps it. Only parameters are averaged: the statistics of
    batch normalisation belong to the last weights; run the training data through the model in training mode to renew them.

    Raises ``TypeError`` for what is no model, ``ValueError`` for a decay outside of 0 to 1, a start below 0, or a model without parameters,
    ``RuntimeError`` for the use of a mean of nothing.

    Sources: B. Polyak and A. Juditsky (1992), Acceleration of stochastic approximation by averaging; P. Izmailov et al. (2018), Averaging
    weights leads to wider optima and better generalization, algorithm 1; with decay: A. Tarvainen and H. Valpola (2017), Mean teachers are
    better role models, eq. 1.

    >>> model = tg.nn.Linear(1, 1, init="zeros")
    >>> average = WeightAverage(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = model.weight.assign([[value]])
    ...     average.update()
    >>> with average.applied():
    ...     print(model.weight.item())
    3.0
    >>> model.weight.item()
    6.0
    """

    __slots__ = ("_count", "_decay", "_means", "_model", "_parameters", "_start")  # settings that a compiled step need not watch: they stay

    def __init__(self, model: Module, decay: float | None = None, start: int = 0) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"WeightAverage takes a model, a Module, not a {type(model).__name__}.")
        if decay is not None and not 0 <= decay < 1:
            raise ValueError(
                f"WeightAverage: decay is {decay}; it is the share of the mean that stays, at least 0 and below 1 (None: an equal mean)."
            )
        if not start >= 0:
            raise ValueError(f"WeightAverage: start is {start}; it is the number of the first epoch that counts, from 0.")
        self._model, self._decay, self._start = model, decay, start
        self._parameters = tuple(model.named_parameters())
        if not self._parameters:
            raise ValueError(f"WeightAverage: {type(model).__name__} has no parameters to average.")
        self._count = Tensor(0.0)
        self._means = tuple(Tensor(np.zeros(p.shape), dtype=p.dtype) for _, p in self._parameters)

    @property
    def decay(self) -> float | None:
        """The share of the mean that stays at an update, or None for an equal mean."""
        return self._decay

    @property
    def count(self) -> int:
        """How many updates the mean is of."""
        return int(self._count.item())

    @property
    def means(self) -> dict[str, np.ndarray]:
        """Copies of the means, by the parameters' dotted names. Raises ``RuntimeError`` before the first update."""
        self._refuse_nothing()
        return {name: mean.numpy() for (name, _), mean in zip(self._parameters, self._means, strict=True)}

    def update(self) -> None:
        """Let the parameters as they are now count."""
        with no_grad():
            count = self._count.detach()
            share = 1 / (count + 1) if self._decay is None else where(equal(count, 0), 1.0, 1 - self._decay)
            for (_, p), mean in zip(self._parameters, self._means, strict=True):
                value = p.detach()
                mean.assign(mean.detach() + share.astype(value.dtype) * (value - mean))
            self._count.assign(count + 1)

    @contextmanager
    def applied(self) -> Iterator[Module]:
        """Inside, the model has the means for its parameters; afterwards it has its own again."""
        own = [p.detach() for _, p in self._parameters]
        self._put()
        try:
            yield self._model
        finally:
            for (_, p), value in zip(self._parameters, own, strict=True):
                p.assign(value)

    def _put(self) -> None:
        self._refuse_nothing()
        for (_, p), mean in zip(self._parameters, self._means, strict=True):
            p.assign(mean.detach())

    def _refuse_nothing(self) -> None:
        if not self.count:
            raise RuntimeError("WeightAverage: there is no mean yet. Call update() after steps, or give it to fit as a callback.")

    # ---------------------------------------------------------------------------------------- as a callback

    def before(self, history: History, model: Module) -> None:
        """Start anew with a new run."""
        if model is not self._model:
            raise ValueError(f"WeightAverage was made for another {type(self._model).__name__} than the model that is being trained.")
        if not len(history):
            self._count.assign(0.0)

    def __call__(self, history: History, model: Module) -> bool:
        """Let the epoch's weights count; never stops."""
        if history.last["epoch"] >= self._start:
            self.update()
        return False

    def finish(self, history: History | None = None, model: Module | None = None) -> None:
        """Give the model the means for good. Warns if there are none, for training ended before ``start``."""
        if model is not None and model is not self._model:
            return  # before() has said so
        if history is not None and not self.count:
            warnings.warn(f"WeightAverage: no epoch from {self._start} on was recorded, so the model keeps its last weights.", stacklevel=2)
            return
        self._put()
