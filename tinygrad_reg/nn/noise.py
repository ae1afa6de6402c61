"""Noise in training, on what a layer gets or on its weights: a model that must not lean on any exact number."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np

from ..generators import generator
from ..random import standard_normal
from ..tensor import Tensor, asarray
from .module import Module

__all__ = ["GaussianNoise", "WeightNoise"]


class GaussianNoise(Module):
    """In training, x + std·N(0,1), drawn anew for each element and call; in evaluation x itself.

    Before a linear model with squared error it is, on average, an L2 penalty of λ = std²/K, K outputs: E‖(x + e)w - y‖² = ‖xw - y‖² + std²·‖w‖².
    Slope: 1. Draws from ``rng``, or from the default generator (``tg.manual_seed``). Raises ``ValueError`` for a std below 0.

    Source: C. Bishop (1995), Training with noise is equivalent to Tikhonov regularization.

    >>> GaussianNoise(0.5).eval()(Tensor([1.0, 2.0]))
    Tensor([1., 2.])
    >>> GaussianNoise(0.5, rng=0)(Tensor([1.0, 2.0]))
    Tensor([1.0629, 1.9339])
    """

    def __init__(self, std: float = 0.1, rng: Any = None) -> None:
        self.std = _checked_std("GaussianNoise", std)
        self.rng = rng if rng is None else generator(rng)

    def forward(self, x: Any) -> Any:
        """x with noise in training, x itself in evaluation."""
        return _noisy(x, self.std, self.rng) if self.training and self.std else x

    def extra_repr(self) -> str:
        """The spread."""
        return f"{self.std:g}"


class WeightNoise(Module):
    """A layer whose weights have noise in training: it computes with w + std·N(0,1), drawn anew at each call; in evaluation with w.

    Gradients arrive at w itself, and penalties and the optimiser see w, as ``.layer.weight``. ``names`` are the attributes of the layer
    that get noise. Draws from ``rng``, or from the default generator. Raises ``TypeError`` for what is no layer, ``ValueError`` for a std
    below 0 and for a name that is no parameter of the layer itself: wrap the layers of a Sequential one by one.

    Source: A. Graves (2011), Practical variational inference for neural networks; G. An (1996), The effects of adding noise during
    backpropagation training on a generalization performance.

    >>> layer = WeightNoise(tg.nn.Linear(2, 1, init="zeros"), std=0.5, rng=0)
    >>> layer(Tensor([[1.0, 0.0]])), layer.eval()(Tensor([[1.0, 0.0]]))
    (Tensor([[0.0629]]), Tensor([[0.]]))
    """

    def __init__(self, layer: Module, std: float = 0.1, rng: Any = None, names: Sequence[str] = ("weight",)) -> None:
        if not isinstance(layer, Module):
            raise TypeError(f"WeightNoise takes a layer, as in WeightNoise(nn.Linear(2, 8)), not a {type(layer).__name__}.")
        if isinstance(names, str):
            raise TypeError(f"WeightNoise: names is a list of attributes; for one write [{names!r}].")
        for name in names:
            p = getattr(layer, name, None)
            if not (isinstance(p, Tensor) and p.requires_grad):
                raise ValueError(
                    f"WeightNoise: {name!r} is no parameter of {type(layer).__name__} itself. Wrap the layers that have one; "
                    "names= says which get noise."
                )
        self.layer = layer
        self.std = _checked_std("WeightNoise", std)
        self.rng = rng if rng is None else generator(rng)
        self.names = tuple(names)

    def forward(self, *inputs: Any) -> Any:
        """The layer, in training with noisy weights."""
        if not (self.training and self.std):
            return self.layer(*inputs)
        noisy = copy(self.layer)  # so that the layer itself never holds anything but its parameters, also in another thread
        for name in self.names:
            noisy.__dict__[name] = _noisy(getattr(self.layer, name), self.std, self.rng)
        return noisy.forward(*inputs)


def _noisy(x: Any, std: float, rng: Any) -> Tensor:
    x = asarray(x)
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
    return x + standard_normal(x.shape, rng=rng, dtype=dtype) * std


def _checked_std(who: str, std: Any) -> float:
    if isinstance(std, bool) or not isinstance(std, (int, float, np.integer, np.floating)):
        raise TypeError(f"{who}: std must be a number, not {type(std).__name__}.")
    if not 0 <= std < np.inf:
        raise ValueError(f"{who}: std is {std}; it is the spread of the noise, finite and at least 0.")
    return float(std)
