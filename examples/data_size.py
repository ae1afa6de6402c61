"""More data, and how much regularisation is then best: the spiral with 25 to 400 points in each arm.

Many networks (2-64-3, the book's start and Adam) are trained, for each number of points and each strength lambda of an L2 penalty
on the first layer, with several seeds. A heat map shows their cross-entropy on 30,000 fresh points, with the best lambda of
each row marked; a second picture shows what one seed's networks make of the plane, without a penalty and with the row's best one.

What to see: in each column the last row is far better than the first (neighbouring rows can be level: a strong penalty stops
gaining from more data), boundaries follow the spiral better, and the best lambda falls as data grows. Look at cross-entropy:
accuracy hardly tells lambdas from 1e-5 to 1e-3 apart. The best lambda is chosen on the very points that are reported, so row
minima are a little too good.

The default ends in about a minute: 3 seeds, 5000 updates. With seeds 0-2, 3-5 and 6-8 the best lambda was 0.01 and 0.01 in the first
two rows, 0.001 in the third, 0.001 or 0.0001 in the fourth and 0.0001 in the last. How far it falls depends on the length of
training: with seeds 0-3 the middle rows (50, 100, 200 points) had 0.003, 0.0003 and 0.0001 after 2000 updates, and 0.01, 0.003 and
0.0003 after 10,001. A few hundred updates (--quick) with one seed show no order at all.

--full takes the lesson's 10,001 updates, 8 seeds, up to 1000 points in each arm and nine lambdas, 18 minutes on two cores. The best
lambda was then 0.01, 0.01, 0.003, 0.0003, 0.00003 and, in a row that is flat from 0.00001 to 0.0001, 0.0001.
Training uses float32, as the book does.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from common import RED, draw_regions, fresh_points, judge, lesson_network, mean_sd, parser, plt, print_table, save, watched

import tinygrad_reg as tg


class Job(NamedTuple):
    """One network to train."""

    samples: int
    strength: float
    seed: int
    updates: int
    compile: bool


class Result(NamedTuple):
    """What came of it: accuracy and cross-entropy on fresh points, and the weights."""

    job: Job
    accuracy: float
    loss: float
    state: dict[str, np.ndarray]


def options() -> argparse.Namespace:
    """The command line; --quick and --full replace the grid."""
    asked = parser(__doc__)
    asked.add_argument("--full", action="store_true", help="the large grid: 432 networks, 10,001 updates each")
    sizes, lambdas = [25, 50, 100, 200, 400], [0.0, 1e-5, 1e-4, 1e-3, 1e-2]
    asked.add_argument("--samples", type=int, nargs="+", default=sizes, metavar="N", help="points in each arm (default: 25 50 100 200 400)")
    asked.add_argument("--lambdas", type=float, nargs="+", default=lambdas, metavar="L", help="strengths (default: 0 1e-5 1e-4 1e-3 1e-2)")
    asked.add_argument("--seeds", type=int, default=3, help="networks for each cell: seeds from --seed upwards (default: %(default)s)")
    asked.add_argument("--updates", type=int, default=5000, help="each uses all points (default: %(default)s)")
    asked.add_argument("--workers", type=int, default=os.cpu_count(), help="networks trained at the same time (default: one for each core)")
    chosen = asked.parse_args()
    if chosen.full:
        chosen.samples, chosen.seeds, chosen.updates = [25, 50, 100, 200, 500, 1000], 8, 10_001
        chosen.lambdas = [0.0, 1e-5, 3e-5, 1e-4, 3e-4, 5e-4, 1e-3, 3e-3, 1e-2]
    if chosen.quick:
        chosen.samples, chosen.lambdas, chosen.seeds, chosen.updates = [25, 100], [0.0, 1e-4, 1e-2], 1, 300
    chosen.samples, chosen.lambdas = sorted(set(chosen.samples)), sorted(set(chosen.lambdas))
    return chosen


def network(job: Job) -> tuple[tg.nn.Sequential, np.ndarray, np.ndarray]:
    """The untrained network, and its training points, all from one stream of numbers."""
    rng = np.random.RandomState(job.seed)
    x, y = tg.data.spiral(job.samples, 3, rng=rng)
    return lesson_network(64, rng, weight_lambda_l2=job.strength, bias_lambda_l2=job.strength).astype("float32"), x, y


def train(job: Job) -> Result:
    """Train one network, and try it on fresh points."""
    model, x, y = network(job)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.02, decay=5e-7)
    tg.fit(model, x, y, optimizer=optimizer, epochs=job.updates, every=job.updates, progress=False, compile=job.compile)
    return Result(job, *judge(model, *fresh_points()), model.state_dict())


def train_all(jobs: list[Job], workers: int) -> list[Result]:
    """Train them side by side, the long ones first; one thread each, since the matrices are small."""
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    jobs = sorted(jobs, reverse=True)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(watched(pool.map(train, jobs), "networks", len(jobs)))


def grid(results: list[Result], chosen: argparse.Namespace, what: str) -> np.ndarray:
    """``what`` of the results as an array: points x lambdas x seeds."""
    found = {result.job: getattr(result, what) for result in results}
    seeds = range(chosen.seed, chosen.seed + chosen.seeds)
    return np.array(
        [[[found[Job(n, lam, seed, chosen.updates, chosen.compile)] for seed in seeds] for lam in chosen.lambdas] for n in chosen.samples]
    )


def draw_heat_map(losses: np.ndarray, chosen: argparse.Namespace) -> plt.Figure:
    """Mean loss in each cell, in colour (logarithmic) and as a number; the row's best one in a box."""
    means = losses.mean(axis=2)
    figure, axes = plt.subplots(figsize=(1.6 + 1.05 * len(chosen.lambdas), 1.5 + 0.62 * len(chosen.samples)))
    shades = (np.log(means) - np.log(means).min()) / np.ptp(np.log(means))
    axes.imshow(shades, cmap="Blues", aspect="auto", vmin=-0.15, vmax=1.1)
    best = means.argmin(axis=1)
    for (i, j), value in np.ndenumerate(means):
        style = {"color": "white" if shades[i, j] > 0.55 else "black", "weight": "bold" if j == best[i] else "normal"}
        axes.text(j, i, f"{value:.2f}", ha="center", va="center", **style)
    for i, j in enumerate(best):
        axes.add_patch(plt.Rectangle((j - 0.47, i - 0.45), 0.94, 0.9, fill=False, edgecolor=RED, linewidth=2.5))
    falls = best[0] > best[-1] and (np.diff(best) <= 0).all()
    title = "The more data, the smaller the best penalty" if falls else "Best penalty for each amount of data"
    axes.set_title(f"{title}\ncross-entropy on fresh points")
    axes.set_xticks(range(len(chosen.lambdas)), [f"{lam:g}" for lam in chosen.lambdas])
    axes.set_yticks(range(len(chosen.samples)), chosen.samples)
    axes.set(xlabel="strength of the L2 penalty, lambda (box: best of its row)", ylabel="points in each arm")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def draw_boundaries(results: list[Result], best: list[float], chosen: argparse.Namespace) -> plt.Figure:
    """What the first seed's networks make of the plane: without a penalty above, with the row's best one below."""
    found = {result.job: result for result in results}
    picked = sorted({0, len(chosen.samples) // 2, len(chosen.samples) - 1})
    figure, panels = plt.subplots(2, len(picked), figsize=(3.3 * len(picked), 7.3), squeeze=False)
    for column, i in zip(panels.T, picked, strict=True):
        for axes, strength in zip(column, (min(chosen.lambdas), best[i]), strict=True):
            job = Job(chosen.samples[i], strength, chosen.seed, chosen.updates, chosen.compile)
            model, x, y = network(job)
            model.load_state_dict(found[job].state)
            draw_regions(axes, model, x, y, size=6.0)
            axes.set_title(f"{job.samples} in each arm, lambda {strength:g}\n{found[job].accuracy:.1%} of fresh points right")
    return figure


def main() -> None:
    """Train, tell, draw."""
    chosen = options()
    begin = time.perf_counter()
    seeds = range(chosen.seed, chosen.seed + chosen.seeds)
    results = train_all(
        [Job(n, lam, seed, chosen.updates, chosen.compile) for n in chosen.samples for lam in chosen.lambdas for seed in seeds], chosen.workers
    )
    losses, accuracies = grid(results, chosen, "loss"), grid(results, chosen, "accuracy")
    choice = losses.mean(axis=2).argmin(axis=1)
    best = [chosen.lambdas[j] for j in choice]
    print(f"cross-entropy on 30,000 fresh points, mean ± sd over seeds {seeds[0]} to {seeds[-1]}; {chosen.updates} updates")
    print()
    header = ["points \\ lambda", *(f"{lam:g}" for lam in chosen.lambdas), "best lambda", "accuracy there"]
    rows = zip(chosen.samples, losses, best, (row[j] for row, j in zip(accuracies, choice, strict=True)), strict=True)
    print_table(header, ([str(n), *(mean_sd(cell, 2) for cell in row), f"{lam:g}", mean_sd(there)] for n, row, lam, there in rows))
    print()
    save(draw_heat_map(losses, chosen), chosen.out, "data_size_heat_map.png")
    save(draw_boundaries(results, best, chosen), chosen.out, "data_size_boundaries.png")
    print(f"took {time.perf_counter() - begin:.0f} s: {len(results)} networks, {chosen.workers} at a time")


if __name__ == "__main__":
    main()
