"""What is measured: whole training steps of small models, from the same starting weights for every contestant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Workload:
    """A multilayer perceptron with penalties (λ₁, λ₂) on layers: all weights, or weight and bias of the first."""

    title: str
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
    kind: str = "mlp"

    def penalised(self, layer: int, bias: bool) -> tuple[float, float]:
        """λ₁ and λ₂ of a layer's weight or bias."""
        counts = layer == 0 if self.only_first else not bias
        return (self.l1, self.l2) if counts else (0.0, 0.0)


WORKLOADS = {
    "lesson": Workload("lesson: 300×2, 2-64-3, ReLU, cross-entropy, L2, Adam", 300, (2, 64, 3), l2=5e-4, only_first=True),
    "lesson-large": Workload("3000×2, 2-512-3, ReLU, cross-entropy, L2, Adam", 3000, (2, 512, 3), l2=5e-4, only_first=True),
    "minibatch": Workload(
        "128×784, 784-256-128-10, ReLU, L1+L2, momentum", 128, (784, 256, 128, 10), optimizer="sgd", lr=0.01, momentum=0.9, l1=1e-5, l2=1e-4
    ),
    "tiny": Workload("32×4, 4-16-1, tanh, squared error, L1+L2, SGD", 32, (4, 16, 1), "tanh", "mse", "sgd", 0.05, l1=1e-4, l2=1e-4),
    "chain": Workload("chain of 1000 scalar ops, forward and backward", 1000, (), kind="chain"),
}


def make_data(work: Workload, seed: int = 0) -> dict[str, Any]:
    """Inputs, targets and starting weights, float32: x, y, w0, b0, w1, …"""
    rng = np.random.default_rng(seed)
    if work.kind == "chain":
        return {}
    n, k = work.sizes[0], work.sizes[-1]
    x = rng.standard_normal((work.rows, n), dtype="f4")
    y = rng.integers(0, k, work.rows) if work.loss == "cross-entropy" else np.sin(x.sum(axis=1, keepdims=True))
    made: dict[str, Any] = {"x": x, "y": y}
    for i, (a, b) in enumerate(zip(work.sizes, work.sizes[1:], strict=False)):
        made[f"w{i}"] = (rng.standard_normal((a, b)) * np.sqrt(1 / a)).astype("f4")
        made[f"b{i}"] = np.zeros(b, "f4")
    return made
