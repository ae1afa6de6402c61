"""The lesson end to end: one network on the spiral, without and with regularisation.

The set-up is that of the book (Kinsley and Kukiela, Neural Networks from Scratch in Python, chapter 14): 2-64-3 with
ReLU, weights 0.01 N(0,1), Adam with learning rate 0.02 and decay 5e-7, the whole set at each update, a penalty on the
weights and the biases of the first layer. Everything is drawn from one stream of numbers, RandomState(seed): training
points, weights, validation points. Numbers are float64, so they differ a little from the book's float32 run after some
fifty updates, and a lot later: training amplifies rounding. One seed is one sample; try a few.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np
from common import BLUE, GREY, RED, draw_regions, fresh_points, judge, lesson_network, parser, plt, print_table, save

import tinygrad_reg as tg

LAMBDAS = ("weight_lambda_l1", "weight_lambda_l2", "bias_lambda_l1", "bias_lambda_l2")
BEST_POSSIBLE = 0.9098  # The arms overlap: accuracy of the best rule there is, on fresh points.


class Run(NamedTuple):
    """A trained network and what there is to tell about it."""

    name: str
    color: str
    model: tg.nn.Sequential
    history: tg.History
    points: tuple[np.ndarray, np.ndarray]
    train: tuple[float, float]
    validation: tuple[float, float]
    fresh: tuple[float, float]


def options() -> argparse.Namespace:
    """The command line."""
    asked = parser(__doc__)
    asked.add_argument("--samples", type=int, default=100, help="training points in each of the three arms (default: %(default)s)")
    asked.add_argument("--hidden", type=int, default=64, help="units in the hidden layer (default: %(default)s)")
    asked.add_argument("--epochs", type=int, default=10_000, help="updates; each uses all points (default: %(default)s)")
    for name in LAMBDAS:
        default = 5e-4 if name.endswith("l2") else 0.0
        option = "--" + name.replace("_", "-")
        asked.add_argument(option, type=float, default=default, help="strength of this penalty on layer 1 (default: %(default)s)")
    chosen = asked.parse_args()
    if chosen.quick:
        chosen.epochs = min(chosen.epochs, 500)
    return chosen


def train(name: str, color: str, chosen: argparse.Namespace, lambdas: dict[str, float]) -> Run:
    """Draw points and weights in the book's order, and train."""
    rng = np.random.RandomState(chosen.seed)
    x, y = tg.data.spiral(chosen.samples, 3, rng=rng)
    model = lesson_network(chosen.hidden, rng, **lambdas)
    validation = tg.data.spiral(100, 3, rng=rng)  # The book draws these after training, which itself draws nothing.
    optimizer = tg.optim.Adam(model.parameters(), lr=0.02, decay=5e-7)
    history = tg.fit(model, x, y, optimizer=optimizer, epochs=chosen.epochs, validation=validation, every=50, compile=chosen.compile)
    return Run(name, color, model, history, (x, y), judge(model, x, y), judge(model, *validation), judge(model, *fresh_points()))


def row(run: Run) -> list[str]:
    """One line of the table."""
    accuracies = [f"{part[0]:.3f}" for part in (run.train, run.validation, run.fresh)]
    losses = [f"{part[1]:.3f}" for part in (run.train, run.validation, run.fresh)]
    sizes = [f"{np.linalg.norm(layer.weight.data):.1f}" for layer in (run.model[0], run.model[2])]
    return [run.name, *accuracies, *losses, f"{run.model.regularization_loss().item():.3f}", *sizes]


def draw_boundaries(runs: list[Run]) -> plt.Figure:
    """What each network makes of the plane."""
    figure, panels = plt.subplots(1, len(runs), figsize=(4.4 * len(runs), 4.9))
    for axes, run in zip(np.atleast_1d(panels), runs, strict=True):
        draw_regions(axes, run.model, *run.points)
        axes.set_title(f"{run.name}\n{run.train[0]:.1%} right on these points, {run.fresh[0]:.1%} on fresh ones")
    return figure


def draw_curves(runs: list[Run]) -> plt.Figure:
    """Loss and accuracy while training."""
    figure, panels = plt.subplots(1, 2, figsize=(10.5, 4.2))
    columns = (("data loss", "validation loss"), ("accuracy", "validation accuracy"))
    for axes, (training, validation) in zip(panels, columns, strict=True):
        for run in runs:
            axes.plot(run.history["epoch"], run.history[training], color=run.color, alpha=0.55, linewidth=1.0, label=f"{run.name}, training")
            axes.plot(run.history["epoch"], run.history[validation], color=run.color, linewidth=2.0, label=f"{run.name}, validation")
        ends = ", ".join(f"{run.history.last[validation]:.2f} {run.name.split()[0].lower()}" for run in runs)
        axes.set(xlabel="update", title=f"{validation.capitalize()} at the end: {ends}")
    panels[0].set(ylabel="cross-entropy, penalties not included", ylim=(0, None))
    panels[1].set(ylabel="share classified correctly")
    panels[1].axhline(BEST_POSSIBLE, color=GREY, linestyle=":", label="best possible on fresh points")
    panels[1].legend(loc="lower right")
    return figure


def main() -> None:
    """Train, tell, draw."""
    chosen = options()
    begin = time.perf_counter()
    lambdas = {name: getattr(chosen, name) for name in LAMBDAS}
    runs = [train("Without penalty", RED, chosen, {})]
    if any(lambdas.values()):
        runs.append(train("With penalty", BLUE, chosen, lambdas))
    print(f"{chosen.samples} points in each arm, 2-{chosen.hidden}-3, {chosen.epochs} updates, seed {chosen.seed}")
    print("penalty on layer 1:", ", ".join(f"{name} {value:g}" for name, value in lambdas.items() if value) or "none")
    print()
    header = ["", "train", "validation", "fresh", "loss: train", "validation", "fresh", "penalty", "|W1|", "|W2|"]
    print_table(header, map(row, runs))
    print()
    print("train, validation, fresh: share classified correctly; fresh is 30,000 new points. loss: cross-entropy, without penalties.")
    print(f"The arms overlap: no rule gets more than {BEST_POSSIBLE:.3f} of fresh points right. What is above that in training is learnt noise.")
    print()
    save(draw_boundaries(runs), chosen.out, "spiral_boundaries.png")
    save(draw_curves(runs), chosen.out, "spiral_curves.png")
    print(f"took {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
