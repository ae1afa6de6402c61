"""What was measured, as text: lines for a terminal, and the table of the README."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from workloads import Workload

PYTORCH = ("PyTorch", "PyTorch, 2 threads")
OURS = ("ours, eager", "ours, numpy", "ours, compiled")  # in the order of a workload's bars
LOOP, JAX = "ours, loop inside", "jax.jit"
COLUMNS = {"eager": OURS[0], "compiled, NumPy": OURS[1], "compiled": OURS[2], "loop inside": LOOP}
OTHERS = ("PyTorch", JAX, "NumPy by hand")


@dataclass(frozen=True)
class Result:
    """µs per step of a workload: of each contestant one number a round."""

    work: Workload
    times: dict[str, list[float]]
    notes: dict[str, str]

    @property
    def base(self) -> str | None:
        """PyTorch at its better number of threads."""
        there = [name for name in PYTORCH if name in self.times]
        return min(there, key=self.median, default=None)

    def median(self, name: str) -> float:
        return statistics.median(self.times[name])

    def ratio(self, name: str, to: str | None) -> float | None:
        """The median of the ratios within each round."""
        if to not in self.times or name not in self.times:
            return None
        return statistics.median(a / b for a, b in zip(self.times[name], self.times[to], strict=True))

    def bar(self, name: str) -> float | None:
        """What the ratio of a contestant to PyTorch must not exceed."""
        return self.work.bars[OURS.index(name)] if name in OURS else None

    def lines(self) -> Iterator[str]:
        """For a terminal, a line a contestant."""
        yield self.work.title
        for name in self.times:
            yield f"  {name:20}{self.median(name):12,.1f} µs{verdict(self.ratio(name, self.base), self.bar(name))}"
        if JAX in self.times and OURS[2] in self.times:
            yield f"  {'compiled ÷ jax.jit':35}{verdict(self.ratio(OURS[2], JAX), self.work.bars[3])}"
        for name, note in self.notes.items():
            yield f"  {name}: {note}"

    def row(self) -> str:
        """For the README."""
        base = self.base
        cells = [self.took(base if name == "PyTorch" else name) for name in OTHERS]
        cells += [f"{self.took(name)}{bracket(held(self.ratio(name, base), self.bar(name)))}" for name in COLUMNS.values()]
        return f"| {' | '.join([self.work.title.replace('|', chr(92) + '|'), *cells, held(self.ratio(OURS[2], JAX), self.work.bars[3]) or '–'])} |"

    def took(self, name: str | None) -> str:
        return decimals(self.median(name)) if name in self.times else "–"


def verdict(ratio: float | None, bar: float | None) -> str:
    """A ratio, and whether it passes its bar."""
    if ratio is None:
        return ""
    return f"{ratio:9.3f}" + ("" if bar is None else f"  {'✓' if ratio <= bar else '✗'} {bar}")


def held(ratio: float | None, bar: float | None) -> str:
    """A ratio, with its bar where it is missed."""
    if ratio is None:
        return ""
    return decimals(ratio) + ("" if bar is None or ratio <= bar else f", bar {bar}")


def bracket(text: str) -> str:
    return f" ({text})" if text else ""


def decimals(x: float) -> str:
    """Two digits or more."""
    return f"{x:,.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}" if x >= 0.095 else f"{x:.3f}"


def legend() -> str:
    return "✓ and ✗: the ratio passes its bar, or not. PyTorch is eager; jax.jit compiles the whole step; 'loop inside' is step.run(x, y, times=n)."


def markdown(results: list[Result]) -> Iterator[str]:
    """The table of the README."""
    yield f"| µs per step (ratio to PyTorch) | {' | '.join([*OTHERS, *COLUMNS, 'compiled ÷ jax.jit'])} |"
    yield "|---|" + "--:|" * (len(OTHERS) + len(COLUMNS) + 1)
    for result in results:
        yield result.row()
