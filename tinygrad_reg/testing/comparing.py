"""The comparison itself: what a rule says of each entry of the inputs, or along random directions, against numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .numeric import AGREE, Line, Sides, Slope
from .problems import ANALYTIC, GradientOf, Problem, Recorded
from .structures import as_reals

__all__ = ["Comparison", "Entry", "Tolerance", "compare"]

DIRECTIONS = 8  # random ones, where there are too many entries to look at each


@dataclass(frozen=True)
class Tolerance:
    """How far a rule may be from the numbers beyond their own error bar: rtol·|slope| + atol; ``eps`` is the precision of the numbers."""

    rtol: float
    atol: float
    eps: float

    @classmethod
    def of(cls, dtype: np.dtype[Any], rtol: float | None, atol: float | None) -> Tolerance:
        """The default for a dtype: 1e-6 at float64, 3e-3 at float32, where differences are no better."""
        eps = float(np.finfo(dtype).eps)
        return cls((1e-6 if eps < 1e-10 else 3e-3) if rtol is None else rtol, atol or 0.0, eps)


@dataclass(frozen=True)
class Entry:
    """What was found at one entry, or along one direction: the rule's value, that of the numbers, and whether they agree."""

    rule: float
    numeric: float
    error: float
    step: float
    fits: bool
    kink: bool = False
    sides: Sides | None = None

    @property
    def off(self) -> float:
        """How far the rule is off, in parts of the true slope."""
        gap = abs(self.rule - self.numeric)
        return gap / max(abs(self.numeric), self.error, 1e-300) if np.isfinite(gap) else np.inf


@dataclass
class Comparison:
    """All that was found for one variable: the entries by their place in the real vector, and directions if it is large."""

    leaf: int
    rule: np.ndarray
    entries: dict[int, Entry] = field(default_factory=dict)
    directions: list[Entry] = field(default_factory=list)

    @property
    def wrong(self) -> dict[int, Entry]:
        """The entries where the rule does not fit."""
        return {k: entry for k, entry in self.entries.items() if not entry.fits}


def compare(problem: Problem, g: Sequence[np.ndarray], tolerance: Tolerance, max_entries: int, rng: np.random.Generator) -> list[Comparison]:
    """Hold the rule of ``problem`` for Re Σ conj(g)·result against numbers, in all variables."""
    return _Comparer(problem, g, tolerance, rng).all(max_entries)


class _Comparer:
    def __init__(self, problem: Problem, g: Sequence[np.ndarray], tolerance: Tolerance, rng: np.random.Generator) -> None:
        self.problem = problem
        self.g = g
        self._spreads: list[np.ndarray] | None = None
        self.weights = as_reals(g)
        self.tolerance = tolerance
        self.rng = rng
        self.values = [np.array(v, order="C") for v in problem.values]
        self.rules = [as_reals([np.asarray(r)]) for r in problem.pull(problem.values, g)]
        finite = [np.abs(r[np.isfinite(r)]) for r in self.rules]
        self.size = max((float(np.max(r, initial=0.0)) for r in finite), default=0.0)
        nodes = problem.nodes()
        self.analytic = _analytic(problem, nodes)
        self.here = problem.evaluate(self.values)
        # A rule has rounding errors too, and a slope that moves no digit of the result is not seen by numbers.
        weighed = float(np.max(np.abs(self.weights * self.here), initial=0.0))
        inside = max((float(np.max(np.abs(x), initial=0.0)) for node in nodes for x in _parts(node._data)), default=0.0)
        self.rounding = self.tolerance.eps * (100 * self.size + 4096 * max(weighed, problem.size) + 16 * inside)

    def all(self, max_entries: int) -> list[Comparison]:
        found = [Comparison(i, rule) for i, rule in enumerate(self.rules)]
        if sum(rule.size for rule in self.rules) <= max_entries:
            for comparison in found:
                for k in range(comparison.rule.size):
                    comparison.entries[k] = self.entry(comparison.leaf, k)
            return found
        for comparison in found:
            self._along_directions(comparison, max_entries)
        return found

    def entry(self, i: int, k: int) -> Entry:
        """Look at entry k of variable i."""
        value = self.values[i]
        x = float(as_reals([value])[k])

        def at(t: Any) -> np.ndarray:
            return self._evaluate(i, _moved(value, k, t))

        return self._examine(at, x, float(self.rules[i][k]), lambda: float(self._spread()[i][k]))

    def _along_directions(self, comparison: Comparison, max_entries: int) -> None:
        """Random directions through all entries; the worst entry of one that does not fit is searched by halving. And some entries."""
        i, size = comparison.leaf, comparison.rule.size
        some = self.rng.permutation(size)[: max(max_entries // (4 * len(self.rules)), 8)]
        for k in {*map(int, some), int(np.argmax(np.abs(comparison.rule)))} if size else ():
            comparison.entries[k] = self.entry(i, k)
        for _ in range(DIRECTIONS if size > len(comparison.entries) else 0):
            direction = self.rng.choice([-1.0, 1.0], size)
            entry = self.direction(i, direction)
            comparison.directions.append(entry)
            if not entry.fits:
                k = self._worst(i, direction)
                comparison.entries[k] = self.entry(i, k)
                return

    def direction(self, i: int, direction: np.ndarray) -> Entry:
        """Look along a direction in variable i."""
        value = self.values[i]
        d = direction.view(value.dtype) if value.dtype.kind == "c" else direction
        d = d.reshape(value.shape)
        largest = float(np.max(np.abs(as_reals([value])), initial=0.0))
        with np.errstate(invalid="ignore"):
            rule = float(self.rules[i] @ direction)
        return self._examine(lambda t: self._evaluate(i, value + t * d), largest, rule, lambda: float(np.linalg.norm(self._spread()[i] * direction)))

    def _spread(self) -> list[np.ndarray]:
        """How far the rule's numbers move if the inputs and g do in their last digits: where terms cancel, that is all they are good for."""
        if self._spreads is None:
            found = []
            for _ in range(4):
                values, g = ([x * (1 + 8 * self.tolerance.eps * self.rng.uniform(-1, 1, x.shape)) for x in part] for part in (self.values, self.g))
                found.append([np.abs(as_reals([np.asarray(r)]) - own) for r, own in zip(self.problem.pull(values, g), self.rules, strict=True)])
            self._spreads = [np.nan_to_num(np.max(parts, axis=0), nan=0.0, posinf=0.0) for parts in zip(*found, strict=True)]
        return self._spreads

    def _worst(self, i: int, direction: np.ndarray) -> int:
        places = np.flatnonzero(direction)
        while places.size > 1:
            halves = np.array_split(places, 2)
            places = max(halves, key=lambda half: self._gap(i, np.where(np.isin(np.arange(direction.size), half), direction, 0.0)))
        return int(places[0])

    def _gap(self, i: int, direction: np.ndarray) -> float:
        entry = self.direction(i, direction)
        gap = abs(entry.rule - entry.numeric)
        return gap if np.isfinite(gap) else np.inf

    def _evaluate(self, i: int, new: np.ndarray) -> np.ndarray:
        """The results with another value of variable i; NaN where the function refuses it, as outside of its domain."""
        values = list(self.values)
        values[i] = new
        if new.dtype.kind == "c" != self.values[i].dtype.kind:
            return self.problem.complex_results(values)
        try:
            return self.problem.evaluate(values)
        except (ValueError, ArithmeticError):
            return np.full_like(self.here, np.nan)

    # ------------------------------------------------------------------------------------------ one line

    def _examine(self, at: Callable[[Any], np.ndarray], x: float, rule: float, spread: Callable[[], float]) -> Entry:
        line = Line(at, self.weights, abs(x), self.tolerance.eps)
        if not np.isfinite(rule):
            return self._steep(line, rule)
        if self.analytic and (slope := self._complex_step(line)) is not None and self._near(rule, slope, 1.0):
            return Entry(rule, slope.value, slope.error, 0.0, fits=True)
        slope, bend = line.quick(self.here)
        if self._near(rule, slope, 1.0):
            kink = bend > 0.01 * max(abs(slope.value), self.size * 1e-3)
            return Entry(rule, slope.value, slope.error, slope.step, fits=True, kink=kink)
        refined = line.refined()
        if refined is not None and self._near(rule, refined, AGREE):
            return Entry(rule, refined.value, refined.error, refined.step, fits=True)
        return self._by_sides(line, rule, refined, spread)

    def _complex_step(self, line: Line) -> Slope | None:
        try:
            return line.complex_step()
        except (TypeError, ValueError):  # something beside the way from this variable does not take complex numbers
            self.analytic = False
            return None

    def _near(self, rule: float, slope: Slope, bars: float) -> bool:
        allowed = self.tolerance.rtol * max(abs(rule), abs(slope.value)) + self.tolerance.atol + bars * slope.error
        return bool(abs(rule - slope.value) <= allowed + self.rounding)

    def _by_sides(self, line: Line, rule: float, refined: Slope | None, spread: Callable[[], float]) -> Entry:
        """At a kink the rule lies between the slopes of both sides. Elsewhere, near one, they are the same, and are the slope.

        Where the function jumps there is none, and any finite number will do.
        """
        sides = line.sides()
        if sides is None:
            return Entry(rule, np.nan, np.inf, 0.0, fits=False)
        if line.jumps(self.here, sides):
            return Entry(rule, (sides.behind + sides.ahead) / 2, sides.error, sides.step, fits=True, kink=True, sides=sides)
        middle = Slope((sides.behind + sides.ahead) / 2, sides.error, sides.step)
        if sides.apart:
            room = self.rounding + AGREE * sides.error + self.tolerance.rtol * max(abs(sides.low), abs(sides.high)) + self.tolerance.atol
            fits = sides.low - room <= rule <= sides.high + room
            return Entry(rule, middle.value, sides.error, sides.step, fits, kink=True, sides=sides)
        if refined is not None and refined.error < sides.error and abs(refined.value - middle.value) <= AGREE * sides.error:
            middle = refined  # the better of two that agree
        fits = self._near(rule, Slope(middle.value, middle.error + spread(), middle.step), AGREE)
        return Entry(rule, middle.value, middle.error, middle.step, fits, sides=sides)

    def _steep(self, line: Line, rule: float) -> Entry:
        """An infinite rule is right where differences grow without end as the step falls; NaN never is."""
        slope = line.sides()
        numbers = np.nan if slope is None else (slope.ahead if abs(slope.ahead) >= abs(slope.behind) else slope.behind)
        error = np.inf if slope is None else slope.error
        growing = False
        if np.isinf(rule):
            # From one side at least, as one of them may lie outside of the domain; half the growth of a square root is enough.
            steep = [[self._secant(line, sign * 2.0**-power) for power in (10, 20, 30)] for sign in (-1, 1)]
            growing = any(np.sign(s[2]) == np.sign(rule) and abs(s[2]) > 4 * abs(s[1]) > 16 * abs(s[0]) > 0 for s in steep)
        return Entry(rule, float(numbers), error, 0.0 if slope is None else slope.step, growing, kink=growing, sides=slope)

    def _secant(self, line: Line, t: float) -> float:
        t *= line.scale
        return float(self.weights @ (line.at(t) - line.at(0.0))) / t


def _moved(value: np.ndarray, k: int, t: Any) -> np.ndarray:
    """A copy of ``value`` with t added to entry k of its real numbers (a complex one is two)."""
    if isinstance(t, complex):
        moved = value.astype(np.complex128)
        moved.reshape(-1)[k] += t
        return moved
    moved = value.copy()
    flat = moved.reshape(-1)
    (flat.view(moved.real.dtype) if moved.dtype.kind == "c" else flat)[k] += t
    return moved


def _parts(data: Any) -> list[np.ndarray]:
    """The float results of an op, which may have several."""
    found = map(np.asarray, data if isinstance(data, tuple) else (data,))
    return [x[np.isfinite(x)] for x in found if x.dtype.kind in "fc"]


def _analytic(problem: Problem, nodes: Sequence[Any]) -> bool:
    """Whether complex steps will do: all variables are real, and so is every op on the way, with a forward that takes complex numbers."""
    if not isinstance(problem, Recorded) or isinstance(problem, GradientOf) or any(v.dtype != np.float64 for v in problem.values):
        return False
    return bool(nodes) and all(node.op.name in ANALYTIC and node._data.dtype == np.float64 for node in nodes)
