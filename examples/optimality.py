"""Has it arrived? A certificate for every way of training with L1, and one sentence that says why a weight is 0.

Logistic regression with L1 on breast cancer (569 samples, 30 inputs, standardised), from 0, with 2,000 updates each of SGD and Adam along the slope
of the L1 term, of proximal SGD and Adam, and of FISTA; and scikit-learn's saga at its default tolerance, which ends without a warning. At the
optimum the data pull with exactly lambda on every weight that is not 0, and with less on all others: how far that is from true is the
residual.

All losses look alike: the worst is 0.8 % above the lowest. The residual tells them apart, and so do the zeros: at the optimum 21 of 30 weights
are exactly 0; along the slope of L1 none is.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from common import BLUE, GREEN, GREY, ORANGE, RED, parser, plt, print_table, save

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.optim import FISTA, SGD, Adam, ProximalAdam, ProximalSGD

KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "SGD": (lambda p: SGD(p, lr=0.3), GREY),
    "Adam": (lambda p: Adam(p, lr=0.01), RED),
    "ProximalSGD": (lambda p: ProximalSGD(p, lr=0.3), ORANGE),
    "ProximalAdam": (lambda p: ProximalAdam(p, lr=0.01), GREEN),
    "FISTA": (lambda p: FISTA(p, lr=0.3), BLUE),
}


def options() -> argparse.Namespace:
    """The command line."""
    asked = parser(__doc__)
    asked.add_argument("--strength", type=float, default=0.01, help="lambda of L1 (default: %(default)s)")
    asked.add_argument("--updates", type=int, default=2000, help="of each optimiser (default: %(default)s)")
    chosen = asked.parse_args()
    if chosen.quick:
        chosen.updates = min(chosen.updates, 200)
    return chosen


class Task:
    """The data, a model at 0, and its loss."""

    def __init__(self, strength: float) -> None:
        try:
            from sklearn.datasets import load_breast_cancer  # noqa: PLC0415 - as in common.py
        except ImportError:
            sys.exit("This example needs scikit-learn: pip install 'tinygrad_reg[examples]'")
        found = load_breast_cancer()
        self.names, self.labels = found.feature_names, found.target
        self.x = (found.data - found.data.mean(axis=0)) / found.data.std(axis=0)
        self.y = found.target[:, None].astype(float)
        self.model = nn.Linear(30, 1, weight_lambda_l1=strength)
        self.strength = strength
        self.model.load_state_dict({"weight": np.zeros((30, 1)), "bias": np.zeros(1)})

    def loss(self) -> tg.Tensor:
        """Cross-entropy and the penalty."""
        return tg.binary_cross_entropy_with_logits(self.model(self.x), self.y) + self.model.regularization_loss()


def train(kind: str, chosen: argparse.Namespace) -> tuple[Task, list[int], list[float]]:
    """The task after training, and the residual on the way."""
    task = Task(chosen.strength)
    optimizer, loss = KINDS[kind][0](task.model.parameters()), task.loss
    step = (lambda: optimizer.minimize(loss)) if isinstance(optimizer, FISTA) else (lambda: optimizer.minimize(loss()))
    step = tg.compile(step) if chosen.compile else step
    seen = sorted({round(update) for update in np.geomspace(1, chosen.updates, 40).tolist()})
    residuals, done = [], 0
    for update in seen:
        for _ in range(update - done):
            step()
        done = update
        residuals.append(tg.optimality(loss, task.model).residual)
    return task, seen, residuals


def saga(strength: float) -> Task:
    """scikit-learn's answer."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - Task has looked whether it is there

    task = Task(strength)
    solver = LogisticRegression(C=1 / (len(task.x) * strength), l1_ratio=1.0, solver="saga", max_iter=10_000, random_state=0)
    fitted = solver.fit(task.x, task.labels)
    task.model.load_state_dict({"weight": fitted.coef_.T, "bias": fitted.intercept_})
    return task


def row(what: str, task: Task, lowest: float) -> list[str]:
    """One line of the table."""
    found = tg.optimality(task.loss, task.model)
    excess = task.loss().item() / lowest - 1
    return [what, f"{excess:.1e}", f"{found[0].zeros}/30", f"{found.residual:.1e}", found[0].verdict]


def draw(curves: dict[str, tuple[list[int], list[float]]]) -> plt.Figure:
    """The residual over the updates."""
    figure, axes = plt.subplots(figsize=(7.5, 4.2))
    for kind, (updates, residuals) in curves.items():
        axes.plot(updates, residuals, color=KINDS[kind][1], label=kind)
    axes.set(xscale="log", yscale="log", xlabel="update", ylabel="residual", title="How far from optimal: along the slope of L1 it never arrives")
    axes.legend()
    return figure


def main() -> None:
    """Train, certify, explain, draw."""
    chosen = options()
    begin = time.perf_counter()
    trained = {kind: train(kind, chosen) for kind in KINDS}
    best = Task(chosen.strength)
    optimizer = FISTA(best.model.parameters())
    while optimizer.steps < 3000 and not tg.optimality(best.loss, best.model, tolerance=1e-8).converged:
        optimizer.minimize(best.loss)
    lowest = min(task.loss().item() for task in [best, *(task for task, _, _ in trained.values())])
    print(f"logistic regression with L1 of {chosen.strength:g} on breast cancer, {chosen.updates} updates")
    print()
    rows = [row(kind, task, lowest) for kind, (task, _, _) in trained.items()]
    print_table(["optimiser", "loss above lowest", "exact zeros", "residual", "verdict"], [*rows, row("saga", saga(chosen.strength), lowest)])
    print()
    print("The certificate at the optimum:")
    certificate = tg.optimality(best.loss, best.model)
    print(certificate)
    print()
    weights = np.abs(best.model.weight.numpy()[:, 0])
    for i in (int(np.argmax(weights)), int(np.argmin(weights))):
        print(f"{best.names[i]}: {certificate.why('weight', (i, 0))}")
    print()
    save(draw({kind: (updates, residuals) for kind, (_, updates, residuals) in trained.items()}), chosen.out, "optimality.png")
    print(f"took {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
