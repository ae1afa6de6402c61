"""Measure training steps against PyTorch, MyGrad and autograd, side by side.

    python tests/benchmarks/compare.py                      # all workloads, one thread
    python tests/benchmarks/compare.py --threads 2 --rounds 20 lesson tiny

All contestants start from the same weights and must report the same losses. Then they run in turn, in a new random order each
round, about 40 ms each; a ratio is the median over rounds of the ratio within the round, which cancels the drift of a
noisy machine. Peers that are not installed are left out (``pip install '.[bench]'``).
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

BUDGET = 0.04  # seconds a turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", help="names of workloads (default: all)")
    parser.add_argument("--threads", type=int, default=1, help="threads for BLAS and PyTorch (default: 1)")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(arguments.threads)
    from workloads import WORKLOADS  # NumPy reads the number of threads when it is first imported

    print(f"median µs per step, and ratio of tinygrad_reg to each; {arguments.threads} thread(s), {arguments.rounds} rounds")
    for name in arguments.workloads or WORKLOADS:
        work = WORKLOADS[name]
        print(f"\n{work.title}")
        for row in table(measure(work, arguments.rounds, arguments.threads)):
            print("  " + row)


def measure(work: Any, rounds: int, threads: int) -> dict[str, list[float]]:
    """µs per step of every contestant, one number a round."""
    steps = dict(contestants(work, threads))
    check(steps)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in bar(range(rounds)):
        for name in random.sample(list(steps), len(steps)):
            times[name].append(turn(steps[name]))
    return times


def contestants(work: Any, threads: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The contestants that are installed, each with its step."""
    from contestants import CONTESTANTS
    from workloads import make_data

    for name, build in CONTESTANTS.items():
        try:
            step = build(work, make_data(work))
        except ImportError:
            continue
        if name == "torch":
            sys.modules["torch"].set_num_threads(threads)
        yield name, step


def check(steps: dict[str, Callable[[], Any]]) -> None:
    """The first five losses must agree: else somebody computes something else."""
    losses = {name: [float(step()) for _ in range(5)] for name, step in steps.items()}
    expected = losses["tinygrad_reg"]
    for name, got in losses.items():
        if any(abs(a - b) > 1e-4 * abs(b) for a, b in zip(got, expected, strict=True)):
            raise SystemExit(f"{name} reports other losses than tinygrad_reg: {got} and {expected}")


def turn(step: Callable[[], Any]) -> float:
    """µs per step, over about BUDGET seconds, after one step to warm up."""
    step()
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < BUDGET:
        step()
        done += 1
    return (time.perf_counter() - start) / done * 1e6


def table(times: dict[str, list[float]]) -> Iterator[str]:
    """A line a contestant."""
    for name, values in times.items():
        ratios = [a / b for a, b in zip(times["tinygrad_reg"], values, strict=True)]
        yield f"{name:14}{statistics.median(values):10.1f} µs   ours ÷ {name}: {statistics.median(ratios):.2f}"


def bar(rounds: range) -> Any:
    """A progress bar on terminals, if tqdm is there."""
    try:
        from tqdm import tqdm
    except ImportError:
        return rounds
    return tqdm(rounds, leave=False, disable=None)


if __name__ == "__main__":
    main()
