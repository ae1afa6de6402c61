"""Slopes by numbers alone: complex steps, differences with an error bar, and the slopes on both sides of a point.

All look at a function along one line, t ↦ f(x + t·d), whose values are vectors; the slope that is asked for is that of w·f.
Differences are taken of each element of f and weighed then, so that elements which do not move bring no rounding error with them.
Steps are powers of two: x + t is then exact for most x.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Line", "Sides", "Slope", "quick_step"]

FIRST, RATIO = 2.0**-3, 4.0  # of the steps of the refined slope
PRECISE = 2e-5  # a slope whose error bar is this part of its size is good enough to tell a rule that is off by a thousandth
AGREE = 4.0  # error bars within which two numbers count as equal
# Where a function is looked at for its noise, in units: at uneven places, as a staircase looks smooth at even ones.
PLACES = np.arange(1, 13) + np.array([0, 3, -2, 1, -3, 2, -1, 3, 0, -3, 1, -2]) / 8


@dataclass(frozen=True)
class Slope:
    """A slope, how far off it may be, and the step that it was taken with."""

    value: float
    error: float
    step: float


@dataclass(frozen=True)
class Sides:
    """The slopes from behind and ahead, with their error bar; ``low`` and ``high`` bound every mixture of them, element by element."""

    behind: float
    ahead: float
    low: float
    high: float
    error: float
    step: float

    @property
    def apart(self) -> bool:
        """Whether the two sides differ by more than their error: a kink."""
        return self.high - self.low > AGREE * self.error


def quick_step(eps: float) -> float:
    """The step, for numbers of size 1, at which rounding and curvature spoil a central difference about equally; a power of two.

    >>> quick_step(2.0**-52) == 2.0**-17
    True
    """
    return float(2.0 ** np.round(np.log2(eps) / 3))


def _divided(order: int) -> np.ndarray:
    """Divided differences of that order between neighbouring places, as a matrix; noise of size 1 gives numbers of size 1."""
    table = np.zeros((PLACES.size - order, PLACES.size))
    for i, row in enumerate(table):
        near = PLACES[i : i + order + 1]
        gaps = near[:, None] - near + np.eye(order + 1)
        weights = 1 / np.prod(gaps, axis=1)
        row[i : i + order + 1] = weights / np.linalg.norm(weights)
    return table


_TABLES = _divided(3), _divided(5)


class Line:
    """A function along a line: ``at(t)`` is its values there, as one real vector; ``weights`` says which slope is asked for.

    ``size`` is that of the largest number that is moved, ``eps`` the precision of the numbers.
    """

    def __init__(self, at: Callable[[Any], np.ndarray], weights: np.ndarray, size: float, eps: float) -> None:
        self.at = at
        self.weights = weights
        self.scale = float(2.0 ** np.ceil(np.log2(max(size, 1.0)))) if np.isfinite(size) else 1.0
        self.eps = eps
        self.blur = eps * size  # x + t is not known better
        self._noise: np.ndarray | None = None

    # ------------------------------------------------------------------------------------------ the quick way

    def quick(self, here: np.ndarray) -> tuple[Slope, float]:
        """A central difference of one step, with the error that rounding in the last digits brings; and how far the two sides differ."""
        step = self.scale * quick_step(self.eps)
        ahead, behind = self.at(step), self.at(-step)
        moved = ahead - behind
        value = float(self.weights @ moved) / (2 * step)
        rounding = np.abs(self.weights) @ np.where(moved != 0, np.abs(ahead) + np.abs(behind), 0)
        bend = float(np.abs(self.weights) @ np.abs(ahead - 2 * here + behind)) / step
        return Slope(value, self.eps * float(rounding) / step, step), bend

    # ------------------------------------------------------------------------------------------ the careful way

    def noise(self) -> np.ndarray:
        """How uncertain each element of f is: third and fifth differences over short ways, which of a smooth function are 0.

        Several lengths are tried, as f may be a staircase whose steps are longer than the last digits of x. The median leaves out a kink.
        """
        if self._noise is None:
            units = [64 * self.eps * self.scale * 2.0**k for k in (0, 12, 24)] if self.eps < 1e-10 else [64 * self.eps * self.scale]
            here = self.at(units[0])
            ways = [side * self.scale * way for way in (quick_step(self.eps), 2.0**-8, FIRST) for side in (-1, 1)]
            moves = np.any([self.at(way) != here for way in ways], axis=0)
            floor = np.where(moves, 0.5 * self.eps * np.abs(here), 0.0)
            self._noise = np.max([floor, self._stair(units[0], moves), *(self._shaking(unit) for unit in units)], axis=0)
        return self._noise

    def _stair(self, way: float, moves: np.ndarray) -> np.ndarray:
        """For each element that stands still near x, and moves further off, half of its first change: of a staircase, half a step.

        Both ends of a stretch lie on one side, so a jump at x is none.
        """
        found = np.zeros(moves.shape)
        still = moves & (self._change(way) == 0)
        while way < FIRST * self.scale and np.any(still):
            way *= 4
            change = self._change(way)
            now = still & np.isfinite(change) & (change > 0)
            found[now], still = 0.5 * change[now], still & ~now
        return found

    def _change(self, way: float) -> np.ndarray:
        """How far each element moves between ``way`` and twice that, on the side where it moves less."""
        change: np.ndarray = np.min([np.abs(self.at(2 * end) - self.at(end)) for end in (-way, way)], axis=0)
        return change

    def _shaking(self, unit: float) -> np.ndarray:
        values = np.array([self.at(place * unit) for place in PLACES])
        third, fifth = (np.median(np.abs(table @ values), axis=0) for table in _TABLES)
        return np.nan_to_num(np.minimum(third, fifth) / 0.6745, nan=0.0, posinf=0.0)  # that is the median of noise of size 1

    def refined(self) -> Slope | None:
        """Richardson's two steps, at many lengths: of those that agree with the shortest precise one, that with the smallest error bar.

        None if f is not finite on both sides. Source: L. F. Richardson (1911), The approximate arithmetical solution by finite
        differences, section 2.2.
        """
        found = self._by_length()
        precise = [slope for slope in found if slope.error <= PRECISE * abs(slope.value)]
        if precise:  # the slope is a limit: what longer steps say counts only if the shortest agree
            last = precise[-1]
            found = [slope for slope in found if abs(slope.value - last.value) <= AGREE * (slope.error + last.error)]
        return min(found, key=lambda slope: slope.error, default=None)

    def _by_length(self) -> list[Slope]:
        """The slope by ever shorter steps; the error bar is how far it is from the one before, and what noise brings."""
        noise = float(np.abs(self.weights) @ self.noise())
        found: list[Slope] = []
        step, older, before = self.scale * FIRST, np.nan, np.nan
        while step > 64 * self.eps * self.scale:
            central = float(self.weights @ (self.at(step) - self.at(-step))) / (2 * step)
            now = central + (central - older) / (RATIO**2 - 1)
            error = abs(now - before) + 2 * noise / step + self.blur / step * abs(now)
            if np.isfinite(error):
                found.append(Slope(now, error, step))
            older, before = central, now
            step /= RATIO
        return found

    # ------------------------------------------------------------------------------------------ both sides

    def sides(self) -> Sides | None:
        """The slopes from behind and ahead, at the shortest step that still is precise; None if f is finite on neither.

        They are taken from points off x, so a value that f has at x alone plays no part.
        """
        before: tuple[np.ndarray, np.ndarray] | None = None
        best: Sides | None = None
        step = self.scale * 2.0**-8
        while step > 8 * self.eps * self.scale:
            pair = self._one_sided(-step), self._one_sided(step)
            found = None if before is None else self._bounds(pair, before, step)  # one length alone does not tell how good it is
            if found is not None and np.isfinite(found.error):
                size = max(abs(found.behind), abs(found.ahead), found.high - found.low)
                if best is None or found.error <= max(PRECISE * size, best.error):
                    best = found
            before = pair
            step /= 16
        return best

    def jumps(self, here: np.ndarray, sides: Sides) -> bool:
        """Whether f at x is the limit from neither side, as sign(0) is not: there it has no slope at all."""
        t = 64 * self.eps * self.scale
        room = 100 * (t * max(abs(sides.behind), abs(sides.ahead), sides.high - sides.low) + float(np.abs(self.weights) @ self.noise()))
        return all(float(np.abs(self.weights) @ np.abs(self.at(side) - here)) > room for side in (-t, t))

    def _one_sided(self, step: float) -> np.ndarray:
        """The slope of the parabola through three points ahead (for a step below 0: behind), at x itself."""
        near, middle, far = (self.at(k * step) for k in (1, 2, 3))
        return (-2.5 * near + 4 * middle - 1.5 * far) / step

    def _bounds(self, pair: tuple[np.ndarray, np.ndarray], before: tuple[np.ndarray, np.ndarray], step: float) -> Sides | None:
        behind, ahead = pair
        seen = [bool(np.all(np.isfinite(side))) for side in pair]
        if not any(seen):
            return None
        if not all(seen):  # at the end of the domain there is one side only
            behind, ahead = (behind, behind) if seen[0] else (ahead, ahead)
        weighed = self.weights * np.array([behind, ahead])
        steepest = float(np.max(np.abs(np.sum(weighed, axis=1)), initial=0.0))
        error = float(np.abs(self.weights) @ self.noise()) * 8 / abs(step) + self.blur / abs(step) * steepest
        changes = [abs(float(self.weights @ (a - b))) for a, b in zip(pair, before, strict=True)]
        error += min([c for c in changes if np.isfinite(c)], default=np.inf) / 100
        low, high = np.sum(np.min(weighed, axis=0)), np.sum(np.max(weighed, axis=0))
        return Sides(float(self.weights @ behind), float(self.weights @ ahead), float(low), float(high), error, abs(step))

    def complex_step(self) -> Slope | None:
        """Im f(x + ih)/h, which has no rounding error of differences, for functions that are analytic; None if f does not take it.

        Source: W. Squire and G. Trapp (1998), Using complex variables to estimate derivatives of real functions, eq. 6.
        """
        step = self.scale * 2.0**-100
        values = self.at(1j * step)
        if not np.iscomplexobj(values) or not np.all(np.isfinite(values)):
            return None
        parts = self.weights * values.imag / step
        return Slope(float(np.sum(parts)), 64 * self.eps * float(np.sum(np.abs(parts))), step)
