"""Measure whole training steps against PyTorch, JAX, MyGrad, autograd and NumPy by hand, side by side.

    python tests/benchmarks/compare.py                             # all workloads
    python tests/benchmarks/compare.py --rounds 20 lesson tiny     # some
    python tests/benchmarks/compare.py --only eager,PyTorch        # contestants with these words in their names
    python tests/benchmarks/compare.py --torch-compile             # torch.compile, too, which takes a while to begin
    python tests/benchmarks/compare.py --markdown                  # and the table of the README at the end
    python tests/benchmarks/compare.py --first                     # how long the first calls take

All contestants start from the same weights, and their losses after 0 to 5 updates must agree. Each has a process of its own. They run in turn,
in a new random order each round, about 40 ms each; a ratio is the median over rounds of the ratio within the round, which cancels
the drift of a noisy machine. PyTorch runs with one thread and with two; the better counts. Those that are not installed are left out
(``pip install '.[bench,fast]'``).
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import sys
from typing import Any

from workers import THREADS, Worker

BUDGET = 0.04  # seconds a turn
REFERENCE = "ours, eager"


def main() -> None:
    for name in THREADS:
        os.environ.setdefault(name, "1")  # NumPy reads it when it is first imported; workers have their own
    from contestants import CONTESTANTS
    from workloads import WORKLOADS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="workload", help=f"some of {', '.join(WORKLOADS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1, help="threads for NumPy's matrix products (default: 1)")
    parser.add_argument("--only", default="", help="contestants whose name contains one of these words, with commas in between")
    parser.add_argument("--torch-compile", action="store_true", help="also torch.compile")
    parser.add_argument("--markdown", action="store_true", help="print the table of the README, too")
    parser.add_argument("--first", action="store_true", help="measure first calls instead")
    parser.add_argument("--profile", action="store_true", help="measure the lines of the NumPy replay instead")
    arguments = parser.parse_args()
    if unknown := set(arguments.workloads) - set(WORKLOADS):
        parser.error(f"there is no workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    if arguments.first or arguments.profile:
        module, function = ("firsts", "report") if arguments.first else ("lines", "profile")
        getattr(importlib.import_module(module), function)(arguments.workloads or ["lesson"])
        return
    words = arguments.only.split(",")
    names = [name for name, c in CONTESTANTS.items() if any(w in name for w in words) and (arguments.torch_compile or not c.slow)]
    print(f"median µs per step, and its ratio to PyTorch's better; {arguments.rounds} rounds, {os.cpu_count()} processors, {load()}")
    compare(arguments.workloads or list(WORKLOADS), names, arguments)


def load() -> str:
    """How busy the machine is already."""
    return f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"


def compare(workloads: list[str], names: list[str], arguments: Any) -> None:
    """Measure and print."""
    from report import Result, legend, markdown
    from workloads import WORKLOADS

    results = []
    for workload in workloads:
        times, notes = measure(workload, names, arguments.rounds, arguments.threads)
        results.append(Result(WORKLOADS[workload], times, notes))
        print("\n" + "\n".join(results[-1].lines()), flush=True)
    print("\n" + legend())
    if arguments.markdown:
        print("\n" + "\n".join(markdown(results)))


def measure(workload: str, names: list[str], rounds: int, threads: int) -> tuple[dict[str, list[float]], dict[str, str]]:
    """µs per step of every contestant, one number a round, and notes."""
    from contestants import CONTESTANTS

    workers = {name: Worker(name, workload, CONTESTANTS[name].threads or threads) for name in names}
    try:
        losses = {name: worker.ask(["losses"]) for name, worker in workers.items()}
        there = [name for name, found in losses.items() if found]
        check({name: losses[name] for name in there})
        times: dict[str, list[float]] = {name: [] for name in there}
        for _ in bar(range(rounds)):
            for name in random.sample(there, len(there)):
                times[name].append(workers[name].ask(["turn", BUDGET]))
        return times, {name: note for name in there if (note := workers[name].ask(["note"]))}
    finally:
        for worker in workers.values():
            worker.close()


def check(losses: dict[str, list[list[float]]]) -> None:
    """What all find must agree: else somebody computes something else."""
    reference = REFERENCE if REFERENCE in losses else next(iter(losses), "")
    for name, found in losses.items():
        pairs = [(a, b) for x, y in zip(found, losses[reference], strict=True) for a, b in zip(x, y, strict=True)]
        if any(not abs(a - b) <= 1e-4 * abs(b) for a, b in pairs):
            sys.exit(f"{name} finds other losses than {reference}: {found} and {losses[reference]}")


def bar(rounds: range) -> Any:
    """A progress bar on terminals, if tqdm is there."""
    try:
        from tqdm import tqdm
    except ImportError:
        return rounds
    return tqdm(rounds, leave=False, disable=None)


if __name__ == "__main__":
    main()
