"""What is measured: eight workloads, each with its data and starting weights, the same for every contestant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

EPS = 1e-7  # Adam's
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A contestant at work: ``step()`` does one step and returns its loss, or a value and gradients."""

    step: Callable[[], Any]
    loop: Callable[[int], Any] | None = None  # so many steps without coming back to Python; returns the losses
    wait: Callable[[], Any] = lambda: None  # until everything begun is done
    note: Callable[[], str] = lambda: ""  # what a reader must know of this measurement

    def run(self, times: int) -> list[list[float]]:
        """So many steps, and what each found, as numbers that can be compared."""
        return [numbers(x) for x in (self.loop(times) if self.loop else (self.step() for _ in range(times)))]


@dataclass(frozen=True)
class Workload:
    """``bars``: what the ratios to PyTorch must not exceed (eager, compiled with NumPy, compiled), and compiled ÷ jax.jit."""

    title: str
    bars: tuple[float | None, ...]

    def data(self, rng: Any) -> Arrays:
        """Inputs, targets and starting weights."""
        raise NotImplementedError

    @property
    def kind(self) -> str:
        """The name of the function that a contestant's file has for it."""
        return type(self).__name__.lower()


@dataclass(frozen=True)
class Perceptron(Workload):
    """A multilayer perceptron with penalties (λ₁, λ₂) on layers: all weights, or weight and bias of the first. Arrays: x, y, w0, b0, w1, …"""

    rows: int
    sizes: tuple[int, ...]
    activation: str = "relu"
    loss: str = "cross-entropy"
    optimizer: str = "adam"
    lr: float = 0.02
    momentum: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    only_first: bool = False

    def penalised(self, name: str) -> tuple[float, float]:
        """λ₁ and λ₂ of a parameter."""
        counts = name[1:] == "0" if self.only_first else name[0] == "w"
        return (self.l1, self.l2) if counts else (0.0, 0.0)

    def data(self, rng: Any) -> Arrays:
        made = dict(zip("xy", spiral(rng, self.rows) if self.sizes[0] == 2 else self._drawn(rng), strict=True))
        for i, (a, b) in enumerate(zip(self.sizes, self.sizes[1:], strict=False)):
            made |= layer(rng, i, (a, b), a)
        return made

    def _drawn(self, rng: Any) -> tuple[Any, Any]:
        x = rng.standard_normal((self.rows, self.sizes[0]), dtype="f4")
        return x, rng.integers(0, self.sizes[-1], self.rows) if self.loss == "cross-entropy" else np.sin(x.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Logistic(Workload):
    """Logistic regression with an L1 penalty on its weights, in float64. Arrays: x, y, w, b."""

    rows: int
    features: int
    lr: float = 0.1
    l1: float = 1e-2

    def data(self, rng: Any) -> Arrays:
        x, w = rng.normal(size=(self.rows, self.features)), rng.normal(size=self.features)
        return {"x": x, "y": (x @ w > rng.normal(size=self.rows)).astype("f8"), "w": 0.1 * w[::-1].copy(), "b": np.zeros(())}


@dataclass(frozen=True)
class Elementwise(Workload):
    """Σ (tanh(2x + 1)² + |x|·σ(x)), and its gradient."""

    size: int

    def data(self, rng: Any) -> Arrays:
        return {"x": rng.standard_normal(self.size, dtype="f4")}


@dataclass(frozen=True)
class Chain(Workload):
    """y·a + b, again and again, on single numbers, and the gradients for x, a and b."""

    ops: int

    def data(self, rng: Any) -> Arrays:
        return {"x": np.float32(0.5), "a": np.float32(0.999), "b": np.float32(0.001)}


@dataclass(frozen=True)
class Conv(Workload):
    """Twice a convolution (3 × 3, padding 1), ReLU and max-pooling, then a linear layer. Arrays: x, y, w0, b0, w1, b1, w2, b2."""

    rows: int
    side: int
    lr: float = 0.05
    channels: tuple[int, ...] = (1, 8, 16)
    classes: int = 10

    def data(self, rng: Any) -> Arrays:
        a, b, c = self.channels
        flat = c * (self.side // 4) ** 2
        made = {"x": rng.standard_normal((self.rows, a, self.side, self.side), dtype="f4"), "y": rng.integers(0, self.classes, self.rows)}
        return made | layer(rng, 0, (b, a, 3, 3), a * 9) | layer(rng, 1, (c, b, 3, 3), b * 9) | layer(rng, 2, (flat, self.classes), flat)


def spiral(rng: Any, rows: int) -> tuple[Any, Any]:
    """The lesson's three arms."""
    arm, radius = np.repeat(np.arange(3), rows // 3), np.tile(np.linspace(0, 1, rows // 3), 3)
    angle = 2.5 * (4 * (arm + radius) + 0.2 * rng.normal(size=len(arm)))
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1).astype("f4"), arm


def layer(rng: Any, number: int, shape: tuple[int, ...], inputs: int) -> Arrays:
    """Weights that keep the variance, and a bias of zeros."""
    outputs = shape[0] if len(shape) == 4 else shape[-1]
    weight = (rng.standard_normal(shape) * np.sqrt(1 / inputs)).astype("f4")
    return {f"w{number}": weight, f"b{number}": np.zeros(outputs, "f4")}


def parameters(data: Arrays) -> Arrays:
    """Copies of the arrays that are trained."""
    return {name: value.copy() for name, value in data.items() if name not in "xy"}


def numbers(found: Any) -> list[float]:
    """A loss, or a value and its gradients, as a few numbers: of each gradient the mean size, and a mean that knows the order."""
    value, gradients = (found[0], found[1:]) if isinstance(found, tuple) else (found, ())
    out = [float(as_array(value))]
    for gradient in gradients:
        g = as_array(gradient).ravel()
        out += [float(abs(g).mean()), float(g @ np.linspace(0, 1, g.size)) / g.size]
    return out


def as_array(x: Any) -> Any:
    """The values of any framework's array."""
    return np.asarray(x.numpy() if hasattr(x, "numpy") else x, "f8")


_FIRST: Any = {"l2": 5e-4, "only_first": True}
_MOMENTUM: Any = {"optimizer": "sgd", "lr": 0.01, "momentum": 0.9, "l1": 1e-5, "l2": 1e-4}

WORKLOADS: dict[str, Workload] = {
    "lesson": Perceptron("lesson: 300×2, 2-64-3, ReLU, Adam, L2", (0.5, 0.25, 0.05, 0.2), 300, (2, 64, 3), **_FIRST),
    "lesson-large": Perceptron("3000×2, 2-512-3, ReLU, Adam, L2", (0.6, 0.4, 0.05, 0.15), 3000, (2, 512, 3), **_FIRST),
    "minibatch": Perceptron(
        "128×784, 784-256-128-10, momentum, L1+L2",
        (1.0, 0.5, 0.33, 1.0),
        128,
        (784, 256, 128, 10),
        optimizer="sgd",
        lr=0.01,
        momentum=0.9,
        l1=1e-5,
        l2=1e-4,
    ),
    "tiny": Perceptron("32×4, 4-16-1, tanh, SGD, L1+L2", (0.4, 0.15, 0.02, 0.2), 32, (4, 16, 1), "tanh", "mse", "sgd", 0.05, l1=1e-4, l2=1e-4),
    "logistic": Logistic("logistic regression, 569×30, float64, L1", (0.5, 0.25, 0.08, 0.35), 569, 30),
    "elementwise": Elementwise("Σ(tanh(2x+1)² + |x|·σ(x)), a million x", (1.3, 0.8, 0.2, 0.8), 1_000_000),
    "chain": Chain("chain of 1000 scalar ops", (0.5, 0.15, 0.02, None), 1000),
    "conv": Conv("32×1×28×28, two convolutions, SGD", (2.5, 2.0, 1.5, 1.0), 32, 28),
}


def make_data(work: Workload, seed: int = 0) -> Arrays:
    """The workload's arrays; the same for the same seed."""
    return work.data(np.random.default_rng(seed))
