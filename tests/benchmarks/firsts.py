"""How long the first calls of a step take: capture, and compiling with an empty and with a filled cache on disk."""

from __future__ import annotations

import statistics
import tempfile

from workers import Worker

REPEATS = 3
CALLS = ("first", "second", "third")


def report(workloads: list[str]) -> None:
    """Print seconds of the first three calls, each time in a fresh process."""
    print(f"ms of the first three calls of a step in a fresh process, medians of {REPEATS}")
    for workload in workloads:
        found: dict[str, list[list[float]]] = {}
        for _ in range(REPEATS):
            for name, seconds in once(workload).items():
                found.setdefault(name, []).append(seconds)
        print(f"\n{workload}")
        medians = {name: [statistics.median(call) for call in zip(*rounds, strict=True)] for name, rounds in found.items()}
        for name, calls in medians.items():
            more = sum(calls[:2]) - sum(medians["eager"][:2])
            print(f"  {name:28}" + "".join(f"{1e3 * seconds:11.2f}" for seconds in calls) + f"    first two: {1e3 * more:+.1f} ms to eager")


def once(workload: str) -> dict[str, list[float]]:
    """Seconds of the first calls, in processes one after the other."""
    with tempfile.TemporaryDirectory() as cache:
        found = {
            "eager": calls("ours, eager", workload, cache),
            "compiled, numpy": calls("ours, numpy", workload, cache),
            "compiled, nothing on disk": calls("ours, compiled", workload, cache),
            "compiled, from the disk": calls("ours, compiled", workload, cache),
        }
    return {name: seconds for name, seconds in found.items() if seconds}


def calls(contestant: str, workload: str, cache: str) -> list[float]:
    """Seconds of the first calls in one process."""
    worker = Worker(contestant, workload, 1, TINYGRAD_REG_CACHE=cache)
    try:
        return worker.ask(["first"])
    finally:
        worker.close()
