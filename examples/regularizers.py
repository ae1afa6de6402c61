"""The whole family of regularisers side by side, on the spiral and on photographs of digits, with few samples to learn from.

The spiral: 50 points a class, a network 2-64-3. Digits: 100 of scikit-learn's 1797 images, 64-64-10. Each member of the family is
one line below, in FAMILY: its strength on either data set, and what it adds to the network or to the training. All start from the
same weights and make as many updates with Adam; early stopping sets a fifth of its samples aside to know when to stop, as it must.
They are tested on 30,000 new points and on the other 1697 images.

The strengths were chosen on other seeds than those shown, from four or five values for each: the best accuracy, and among accuracies within 0.2
points the best cross-entropy. Nothing was tuned beyond that, so read the table with its spreads: a difference that is not seen on nearly all
seeds may be chance. Cross-entropy says more than accuracy here, for without a penalty the networks are sure of what they have learnt by heart.
Not all help everywhere: on digits mixup costs accuracy, dropout is too much for a small network on the spiral, and the samples that early
stopping sets aside are missed on both.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from common import BLUE, GREY, RED, Split, draw_regions, fresh_points, judge, mean_sd, parser, plt, print_table, real_data, save, watched

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.penalties import MaxNorm, gradient_penalty, jacobian_penalty


class Recipe(NamedTuple):
    """What a member of the family adds to the plain network and its training."""

    lambdas: dict[str, float] | None = None
    before: Callable[[Any], nn.Module] | None = None
    between: Callable[[Any], nn.Module] | None = None
    around: Callable[[nn.Module, Any], nn.Module] | None = None
    bound: MaxNorm | None = None
    loss: Any = tg.cross_entropy
    penalty: Any = None
    mix: Callable[[int, Any], Any] | None = None
    average: Callable[[nn.Module, int], tg.WeightAverage] | None = None
    patience: int = 0


def loss_slope(model: nn.Module, x: Any, y: Any) -> Any:
    """How fast each sample's loss changes with its inputs."""
    return gradient_penalty(lambda x: tg.cross_entropy(model(x), y, reduction="none"), x)


# Name: strength on the spiral, on digits, and what it is.
FAMILY: dict[str, tuple[float, float, Callable[[float], Recipe]]] = {
    "none": (0, 0, lambda s: Recipe()),
    "L1": (3e-4, 1e-4, lambda s: Recipe(lambdas={"weight_lambda_l1": s})),
    "L2": (1e-4, 1e-3, lambda s: Recipe(lambdas={"weight_lambda_l2": s})),
    "elastic net": (1e-4, 1e-4, lambda s: Recipe(lambdas={"weight_lambda_l1": s, "weight_lambda_l2": s})),
    "max-norm": (8.0, 2.0, lambda s: Recipe(bound=MaxNorm(s, axis=0))),
    "dropout": (0.02, 0.2, lambda s: Recipe(between=lambda rng: nn.Dropout(s, rng))),
    "noise on inputs": (0.05, 0.5, lambda s: Recipe(before=lambda rng: nn.GaussianNoise(s, rng))),
    "noise on weights": (0.1, 0.03, lambda s: Recipe(around=lambda layer, rng: nn.WeightNoise(layer, s, rng))),
    "gradient penalty": (0.001, 1.0, lambda s: Recipe(penalty=lambda model, x, y: s * loss_slope(model, x, y))),
    "Jacobian penalty": (1e-5, 0.001, lambda s: Recipe(penalty=lambda model, x, y: s * jacobian_penalty(model, x, projections=1))),
    "label smoothing": (0.2, 0.05, lambda s: Recipe(loss=partial(tg.cross_entropy, label_smoothing=s))),
    "mixup": (0.02, 0.1, lambda s: Recipe(mix=lambda classes, rng: tg.data.Mixup(s, classes, rng))),
    "early stopping": (20, 20, lambda s: Recipe(patience=int(s))),
    "mean of weights": (0.5, 0.1, lambda s: Recipe(average=lambda model, epochs: tg.WeightAverage(model, start=int(s * epochs)))),
    "forgetting mean": (0.9, 0.9, lambda s: Recipe(average=lambda model, epochs: tg.WeightAverage(model, decay=s))),
}
EVERY = 20  # updates from record to record: for means of weights and for early stopping


class Task(NamedTuple):
    """A data set, and the network and the steps for it."""

    name: str
    split: Callable[[int], Split]
    sizes: tuple[int, int, int]
    lr: float
    updates: int


class Result(NamedTuple):
    """How a trained network does on new samples."""

    accuracy: float
    cross_entropy: float
    model: nn.Module


def options() -> argparse.Namespace:
    """The command line."""
    asked = parser(__doc__)
    asked.add_argument("--seeds", type=int, default=4, help="runs of each member, from --seed on (default: %(default)s)")
    asked.add_argument("--spiral-updates", type=int, default=2000, metavar="N", help="updates on the spiral (default: %(default)s)")
    asked.add_argument("--digits-updates", type=int, default=600, metavar="N", help="updates on digits (default: %(default)s)")
    chosen = asked.parse_args()
    if chosen.quick:
        chosen.seeds, chosen.spiral_updates, chosen.digits_updates = 1, 200, 60
    return chosen


def tasks(chosen: argparse.Namespace) -> list[Task]:
    """Both data sets."""
    new = fresh_points()
    spiral = lambda seed: Split(*tg.data.spiral(50, 3, rng=np.random.RandomState(seed)), *new)  # noqa: E731
    return [Task("spiral", spiral, (2, 64, 3), 0.02, chosen.spiral_updates), Task("digits", digits, (64, 64, 10), 0.01, chosen.digits_updates)]


def digits(seed: int) -> Split:
    """100 images to learn from; grey levels from 0 to 1, without the mean of each pixel."""
    x, y, x_test, y_test = real_data("digits", 100, seed, standardise=False)
    return Split(x / 16 - (x / 16).mean(axis=0), y, x_test / 16 - (x / 16).mean(axis=0), y_test)


def network(recipe: Recipe, task: Task, seed: int) -> nn.Sequential:
    """Two layers with ReLU between them, and what the recipe puts before, between and around them."""
    weights, noise = np.random.default_rng(seed), np.random.default_rng(seed + 1000)
    layers = [nn.Linear(n, m, rng=weights, **(recipe.lambdas or {})) for n, m in pairwise(task.sizes)]
    first, last = [recipe.around(layer, noise) for layer in layers] if recipe.around else layers
    before, between = ([make(noise)] if make else [] for make in (recipe.before, recipe.between))
    return nn.Sequential(*before, first, nn.ReLU(), *between, last)


def train(recipe: Recipe, task: Task, split: Split, seed: int, compile: bool) -> Result:
    """A network trained on all of the split's samples at each update, and judged on its new ones."""
    model, rng = network(recipe, task, seed), tg.manual_seed(seed + 2000)
    x, y, validation, optimizer = split.x, split.y, None, tg.optim.Adam(model.parameters(), lr=task.lr)
    callbacks = [recipe.average(model, task.updates)] if recipe.average else []
    for w in model.parameters() if recipe.bound else ():
        if w.ndim == 2:
            optimizer.constrain(w, recipe.bound)
    if recipe.patience:
        aside, kept = np.split(rng.permutation(len(x)), [len(x) // 5])
        x, y, validation = x[kept], y[kept], (x[aside], y[aside])
        callbacks.append(tg.EarlyStopping(recipe.patience, "validation accuracy"))
    ways = {"loss": recipe.loss, "penalty": recipe.penalty, "transform": recipe.mix(task.sizes[-1], rng) if recipe.mix else None}
    ways |= {"validation": validation, "callbacks": callbacks, "compile": compile}
    tg.fit(model, x, y, optimizer=optimizer, epochs=task.updates, every=EVERY, progress=False, **ways)
    return Result(*judge(model.eval(), split.x_test, split.y_test), model)


def compare(all_tasks: list[Task], chosen: argparse.Namespace) -> dict[str, dict[str, list[Result]]]:
    """Each member on each task, once for each seed: results by the task's and the member's name."""
    results: dict[str, dict[str, list[Result]]] = {task.name: {name: [] for name in FAMILY} for task in all_tasks}
    seeds = range(chosen.seed, chosen.seed + chosen.seeds)
    for i, task in enumerate(all_tasks):
        splits = {seed: task.split(seed) for seed in seeds}
        for name, member in watched(FAMILY.items(), task.name):
            recipe = member[-1](member[i])
            results[task.name][name] = [train(recipe, task, split, seed, chosen.compile) for seed, split in splits.items()]
    return results


def row(name: str, results: dict[str, dict[str, list[Result]]]) -> list[str]:
    """One line of the table."""
    cells = [name]
    for i, runs in enumerate(results.values()):
        mine, none = ([result.accuracy for result in runs[key]] for key in (name, "none"))
        wins = "" if name == "none" else f"{sum(a > b for a, b in zip(mine, none, strict=True))}/{len(none)}"
        cells += [f"{FAMILY[name][i]:g}" if FAMILY[name][i] else "", mean_sd(mine), wins, mean_sd([r.cross_entropy for r in runs[name]], 2)]
    return cells


def draw_measures(results: dict[str, dict[str, list[Result]]]) -> plt.Figure:
    """Both measures on both tasks: a dot for each run, a bar at their mean, blue where that is better than without, red where it is worse."""
    figure, panels = plt.subplots(1, 4, figsize=(12, 4.9), sharey=True)
    measures = [(task, name) for task in results for name in ("accuracy", "cross_entropy")]
    for axes, (task, measure) in zip(panels, measures, strict=True):
        values = np.array([[getattr(result, measure) for result in runs] for runs in results[task].values()])
        none, sign = values[0].mean(), 1 if measure == "accuracy" else -1
        axes.axvline(none, color=GREY, linewidth=1.2, zorder=0)
        axes.grid(axis="y", color="#EEEEEE", linewidth=0.8)
        axes.set_axisbelow(True)
        for height, (name, own) in enumerate(zip(FAMILY, values, strict=True)):
            color = GREY if name == "none" else BLUE if sign * (own.mean() - none) > 0 else RED
            axes.plot([none, own.mean()], [height, height], color=color, linewidth=2.5, alpha=0.4, zorder=1)
            axes.scatter(own, np.full(len(own), height), s=13, color=color, alpha=0.5, linewidths=0, zorder=2)
            axes.scatter(own.mean(), height, s=90, marker="|", color=color, linewidths=3, zorder=3)
        if measure == "accuracy":
            axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
        better = "more is better" if sign > 0 else "less is better"
        axes.set(title=f"{task}: {measure.replace('_', '-')}", xlabel=f"on new samples ({better})", yticks=range(len(FAMILY)), yticklabels=FAMILY)
        axes.tick_params(axis="y", length=0)
        axes.spines.left.set_visible(False)
    panels[0].invert_yaxis()
    figure.suptitle("A dot for each seed, a bar at their mean: blue where it is better than without (grey), red where it is worse", fontsize=11)
    return figure


def draw_boundaries(runs: dict[str, list[Result]], split: Split) -> plt.Figure:
    """What each member has made of the same spiral, with the same starting weights."""
    figure, grid = plt.subplots(3, 5, figsize=(11, 7.2))
    for axes, (name, found) in zip(grid.flat, runs.items(), strict=True):
        draw_regions(axes, found[0].model, split.x, split.y, size=3.0)
        axes.set_title(f"{name}: {found[0].accuracy:.1%}", fontsize=10.5)
    return figure


def main() -> None:
    """Train, tell, draw."""
    chosen = options()
    begin = time.perf_counter()
    both = tasks(chosen)
    results = compare(both, chosen)
    last = chosen.seed + chosen.seeds - 1
    print(f"spiral, 150 points, {chosen.spiral_updates} updates; digits, 100 images, {chosen.digits_updates} updates; seeds {chosen.seed} to {last}")
    print()
    header = ["mean ± sd on new samples"]
    for task in results:
        header += ["strength", f"{task}: accuracy", "better", "cross-entropy"]
    print_table(header, [row(name, results) for name in FAMILY])
    print()
    print("better: on how many seeds its accuracy is above that of none, with the same samples and the same starting weights.")
    print("strength: chosen on other seeds; its meaning is each member's own, see FAMILY.")
    print()
    save(draw_measures(results), chosen.out, "regularizers.png")
    save(draw_boundaries(results["spiral"], both[0].split(chosen.seed)), chosen.out, "regularizers_boundaries.png")
    print(f"took {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
