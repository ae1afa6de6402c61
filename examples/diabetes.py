"""Real data that a network learns by heart, and what an L2 penalty does about it: scikit-learn's diabetes set.

Ten measurements of 442 patients (age, sex, body mass index, blood pressure, six blood values) are to tell how far the disease has
come a year later. A network 10-64-1 with ReLU is trained on half of the patients, without and with an L2 penalty on the weights of
both layers, on ten random halves; R² on the other half says how much of the variation it explains (0: no better than the mean).
Inputs and target are standardised with the mean and standard deviation of the training half.

Without a penalty the network fits its 221 patients nearly perfectly and predicts others worse than their mean does. With it, it
does about as well as a straight line, which is the honest comparison: here regularisation rescues the network from over-fitting,
it does not beat least squares. lambda = 0.1 was chosen on other random halves than those shown.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np
from common import BLUE, GREY, RED, Split, mean_sd, parser, plt, print_table, real_data, save, watched

import tinygrad_reg as tg
from tinygrad_reg import nn

COLORS = {"network, no penalty": RED, "network, L2": BLUE, "straight line": GREY}


class Curve(NamedTuple):
    """R² on both halves, update by update."""

    epochs: np.ndarray
    train: np.ndarray
    test: np.ndarray


def options() -> argparse.Namespace:
    """The command line."""
    asked = parser(__doc__)
    asked.add_argument("--strength", type=float, default=0.1, help="lambda of the L2 penalty on the weights of both layers (default: %(default)s)")
    asked.add_argument("--splits", type=int, default=10, help="random halves (default: %(default)s)")
    asked.add_argument("--epochs", type=int, default=1000, help="updates; each uses all training patients (default: %(default)s)")
    chosen = asked.parse_args()
    if chosen.quick:
        chosen.splits, chosen.epochs = 2, 200
    return chosen


def halves(seed: int) -> Split:
    """A random half to train on and the rest; the target, too, in units of the training half."""
    x, y, x_test, y_test = real_data("diabetes", 221, seed)
    y, y_test = (((part - y.mean()) / y.std()).reshape(-1, 1) for part in (y, y_test))
    return Split(x, y, x_test, y_test)


def train(split: Split, strength: float, epochs: int, rng: np.random.Generator, compile: bool) -> Curve:
    """A network trained on one half; He's starting weights, Adam, all patients at each update."""
    penalty = {"weight_lambda_l2": strength}
    model = nn.Sequential(nn.Linear(10, 64, init="he", rng=rng, **penalty), nn.ReLU(), nn.Linear(64, 1, init="he", rng=rng, **penalty))
    optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
    test = (split.x_test, split.y_test)
    history = tg.fit(model, split.x, split.y, optimizer=optimizer, epochs=epochs, validation=test, every=5, progress=False, compile=compile)
    r2_train = 1 - np.array(history["data loss"]) / split.y.var()
    return Curve(np.array(history["epoch"]), r2_train, 1 - np.array(history["validation loss"]) / split.y_test.var())


def straight_line(split: Split) -> Curve:
    """Least squares: the best linear function of the ten measurements."""
    weights = np.linalg.lstsq(split.x, split.y, rcond=None)[0]
    errors = [np.mean((x @ weights - y) ** 2) / y.var() for x, y in ((split.x, split.y), (split.x_test, split.y_test))]
    return Curve(np.array([0]), 1 - np.array(errors[:1]), 1 - np.array(errors[1:]))


def compare(chosen: argparse.Namespace) -> dict[str, list[Curve]]:
    """All three on each split; both networks start from the same weights."""
    curves: dict[str, list[Curve]] = {name: [] for name in COLORS}
    for seed in watched(range(chosen.seed, chosen.seed + chosen.splits), "splits"):
        split = halves(seed)
        for name, strength in (("network, no penalty", 0.0), ("network, L2", chosen.strength)):
            curves[name].append(train(split, strength, chosen.epochs, np.random.default_rng(seed), chosen.compile))
        curves["straight line"].append(straight_line(split))
    return curves


def row(name: str, curves: list[Curve]) -> list[str]:
    """One line of the table."""
    train, test = ([getattr(curve, half)[-1] for curve in curves] for half in ("train", "test"))
    best = mean_sd([curve.test.max() for curve in curves]) if name != "straight line" else ""
    return [name, mean_sd(train), mean_sd(test), f"{min(test):.3f} to {max(test):.3f}", best]


def draw_training(axes: plt.Axes, curves: dict[str, list[Curve]]) -> None:
    """Mean R² over the splits while training."""
    for name in ("network, no penalty", "network, L2"):
        for half, style in (("train", "--"), ("test", "-")):
            epochs, mean = curves[name][0].epochs, np.mean([getattr(curve, half) for curve in curves[name]], axis=0)
            axes.plot(epochs, mean, style, color=COLORS[name], linewidth=2)
            above = name == "network, L2" and half == "train"
            axes.text(epochs[-1], mean[-1] + (0.05 if above else -0.07), f"{name}, {half}ing half", color=COLORS[name], ha="right", va="center")
    axes.axhline(np.mean([curve.test[-1] for curve in curves["straight line"]]), color=GREY, linewidth=1.2, zorder=0)
    axes.set(xlabel="update", ylabel="R² (mean over splits)", ylim=(-0.4, 1.05))
    axes.set_title("Learnt by heart without a penalty (grey: straight line)")


def draw_splits(axes: plt.Axes, curves: dict[str, list[Curve]]) -> None:
    """R² on the testing half at the end: a dot for each split, a line joins those of one split."""
    ends = np.array([[curve.test[-1] for curve in curves[name]] for name in COLORS])
    axes.plot(ends, color="#CCCCCC", linewidth=0.8, zorder=1)
    for i, (name, values) in enumerate(zip(COLORS, ends, strict=True)):
        axes.scatter(np.full(len(values), i), values, s=32, color=COLORS[name], zorder=2)
        side, align = (-0.1, "right") if i == 0 else (0.1, "left")
        axes.text(i + side, values.mean(), f"{values.mean():.2f}", va="center", ha=align, color=COLORS[name], weight="bold")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.text(2.4, 0.01, "predicting the mean", ha="right", va="bottom", fontsize=9.5)
    helped = int((ends[1] > ends[0]).sum())
    axes.set(xlim=(-0.5, 2.5), title=f"L2 helps the network on {helped} of {len(ends[0])} splits", ylabel="R² on the testing half")
    axes.set_xticks(range(3), [name.replace(", ", ",\n") for name in COLORS])


def main() -> None:
    """Train, tell, draw."""
    chosen = options()
    begin = time.perf_counter()
    curves = compare(chosen)
    last = chosen.seed + chosen.splits - 1
    print(f"diabetes, 10-64-1, {chosen.epochs} updates, L2 {chosen.strength:g}, random halves {chosen.seed} to {last}; R², mean ± sd")
    print()
    print_table(["", "training half", "testing half", "worst to best", "at the best update"], [row(*item) for item in curves.items()])
    print()
    print("at the best update: stopped when the testing half says so, which nobody can know beforehand.")
    print("The straight line is the honest comparison: the penalty rescues the network, it does not beat least squares.")
    print()
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.4))
    draw_training(left, curves)
    draw_splits(right, curves)
    save(figure, chosen.out, "diabetes.png")
    print(f"took {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
