"""Which inputs does a network listen to? Wine, with 100 columns of noise beside the 13 that were measured.

60 wines (of three kinds of grape) to train a network 113-64-3 on, 118 to test it; 13 columns are chemistry, 100 are random numbers.
Without a penalty the network puts most of its first layer's size on the noise and learns it by heart. L2 makes all weights
smaller; L1 takes the weights of useless inputs to nearly zero, and wins where most inputs are useless. The strengths (L2 0.003,
L1 0.0003, on the weights of both layers) were chosen on other random splits than those shown.

By "nearly zero" we mean what is measured: L1 by its slope makes no weight exactly 0, see penalties.py.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np
from common import BLUE, RED, Split, judge, mean_sd, parser, plt, print_table, real_data, save, watched

import tinygrad_reg as tg
from tinygrad_reg import nn

REAL, NOISE = 13, 100
SMALL = 1e-3
PENALTIES = ("no penalty", "L2", "L1")


class Result(NamedTuple):
    """Accuracy of one network on the test part, and its first layer's weights."""

    accuracy: float
    weight: np.ndarray

    @property
    def parts(self) -> np.ndarray:
        """Each input's part of the layer's Σw²."""
        return (self.weight**2).sum(axis=1) / (self.weight**2).sum()


def options() -> argparse.Namespace:
    """The command line."""
    asked = parser(__doc__)
    asked.add_argument("--l2", type=float, default=0.003, help="lambda of the L2 penalty on the weights of both layers (default: %(default)s)")
    asked.add_argument("--l1", type=float, default=0.0003, help="lambda of the L1 penalty on the weights of both layers (default: %(default)s)")
    asked.add_argument("--splits", type=int, default=10, help="random splits, each with its own noise (default: %(default)s)")
    asked.add_argument("--epochs", type=int, default=500, help="updates; each uses all 60 wines (default: %(default)s)")
    chosen = asked.parse_args()
    if chosen.quick:
        chosen.splits, chosen.epochs = 2, 200
    return chosen


def noisy_wine(seed: int) -> Split:
    """A random split of the wines, with columns of noise on the right."""
    rng, (x, y, x_test, y_test) = np.random.default_rng(seed), real_data("wine", 60, seed)
    x, x_test = (np.c_[part, rng.standard_normal((len(part), NOISE))] for part in (x, x_test))
    return Split(x, y, x_test, y_test)


def train(split: Split, penalty: dict[str, float], epochs: int, rng: np.random.Generator, compile: bool) -> Result:
    """A network with He's starting weights, trained with Adam on all training wines at each update."""
    model = nn.Sequential(
        nn.Linear(split.x.shape[1], 64, init="he", rng=rng, **penalty),
        nn.ReLU(),
        nn.Linear(64, 3, init="he", rng=rng, **penalty),
    )
    optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
    tg.fit(model, split.x, split.y, optimizer=optimizer, epochs=epochs, every=epochs, progress=False, compile=compile)
    return Result(judge(model, split.x_test, split.y_test)[0], model[0].weight.numpy())


def compare(chosen: argparse.Namespace) -> tuple[dict[str, list[Result]], list[float]]:
    """All penalties on each split, from the same starting weights; and the accuracies of a network that sees no noise."""
    penalties = {"no penalty": {}, "L2": {"weight_lambda_l2": chosen.l2}, "L1": {"weight_lambda_l1": chosen.l1}}
    results: dict[str, list[Result]] = {name: [] for name in PENALTIES}
    clean = []
    for seed in watched(range(chosen.seed, chosen.seed + chosen.splits), "splits"):
        split = noisy_wine(seed)
        for name, penalty in penalties.items():
            results[name].append(train(split, penalty, chosen.epochs, np.random.default_rng(seed + 1000), chosen.compile))
        without = Split(split.x[:, :REAL], split.y, split.x_test[:, :REAL], split.y_test)
        clean.append(train(without, {}, chosen.epochs, np.random.default_rng(seed + 1000), chosen.compile).accuracy)
    return results, clean


def row(name: str, results: list[Result]) -> list[str]:
    """One line of the table."""
    shares = [result.parts[REAL:].sum() for result in results]
    tiny = [float(np.mean(np.abs(result.weight[REAL:]) < SMALL)) for result in results]
    return [name, *map(mean_sd, ([result.accuracy for result in results], shares, tiny))]


def draw(results: dict[str, list[Result]], clean: list[float]) -> plt.Figure:
    """A bar for each input: its part of the first layer's size, mean over the splits."""
    figure, panels = plt.subplots(3, 1, figsize=(9.5, 5.4), sharex=True, sharey=True)
    for axes, (name, runs) in zip(panels, results.items(), strict=True):
        parts = np.mean([result.parts for result in runs], axis=0)
        axes.bar(range(REAL), parts[:REAL], color=BLUE, width=0.9)
        axes.bar(range(REAL, REAL + NOISE), parts[REAL:], color=RED, width=0.9)
        accuracy = np.mean([result.accuracy for result in runs])
        axes.set_title(f"{name}: {parts[REAL:].sum():.0%} of the size is on noise, {accuracy:.1%} of wines right", loc="left")
        axes.set(xlim=(-1, REAL + NOISE))
        axes.yaxis.set_major_formatter("{x:.0%}")
    for x, label, color in ((REAL / 2 - 0.5, "measured", BLUE), (REAL + NOISE / 2, "noise", RED)):
        panels[0].text(x, panels[0].get_ylim()[1] * 0.35, label, color=color, ha="center")
    panels[2].set_xlabel(f"input: 13 measured, 100 of noise (with the 13 alone, {np.mean(clean):.1%} of wines are right)")
    figure.supylabel("part of the first layer's Σw²", fontsize=11)
    return figure


def main() -> None:
    """Train, tell, draw."""
    chosen = options()
    begin = time.perf_counter()
    results, clean = compare(chosen)
    last = chosen.seed + chosen.splits - 1
    print(f"wine, 60 to train on, {NOISE} noise inputs, L2 {chosen.l2:g}, L1 {chosen.l1:g}, {chosen.epochs} updates, splits {chosen.seed} to {last}")
    print()
    header = ["mean ± sd", "test accuracy", "share on noise", f"noise weights < {SMALL:g}"]
    print_table(header, [*(row(*item) for item in results.items()), ["no penalty, without the noise", mean_sd(clean), "", ""]])
    print()
    print(f"share on noise: part of the first layer's sum of w² that stands on noise inputs; {NOISE / (NOISE + REAL):.2f} if all inputs were alike.")
    print()
    save(draw(results, clean), chosen.out, "noise_features.png")
    print(f"took {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
