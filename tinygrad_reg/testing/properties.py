"""What every gradient must be, right numbers apart: repeatable, of its input's shape and dtype, linear in g, in memory of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .mismatch import GradientMismatch
from .patterns import guess
from .problems import GradientOf, HandWritten, Problem
from .structures import as_reals, from_reals

__all__ = ["check_properties"]

SAME = 1e-9  # a matrix product on several threads may sum in another order


def check_properties(problem: Problem, g: Sequence[np.ndarray], rng: np.random.Generator, numeric: Any, eps: float) -> None:
    """Raise :class:`GradientMismatch` for the first property that does not hold. ``numeric(i)`` is the gradient in variable i by differences."""
    values, given = [v.copy() for v in problem.values], [part.copy() for part in g]
    first = problem.results(values)
    _finite(problem, first)
    found = problem.pull(values, given)
    _untouched(problem, values, given, g)
    _shapes(problem, found, numeric)
    _own_memory(problem, found, [*values, *given])
    close = SAME * eps / 2.0**-52
    _repeatable(problem, values, g, first, found, close)
    _linear(problem, values, g, found, rng, close)


def _finite(problem: Problem, results: Sequence[np.ndarray]) -> None:
    for out in results:
        if not np.all(np.isfinite(out)):
            index = tuple(int(n) for n in np.argwhere(~np.isfinite(out))[0])
            detail = f"{problem.name} is {out[index]} at index {index} of its result; choose inputs where it is finite"
            raise GradientMismatch("non-finite", problem.name, detail=detail, inputs=_by_name(problem))


def _by_name(problem: Problem) -> dict[str, np.ndarray]:
    return {leaf.name: value for leaf, value in zip(problem.leaves, problem.values, strict=True)}


def _untouched(problem: Problem, values: Sequence[np.ndarray], given: Sequence[np.ndarray], g: Sequence[np.ndarray]) -> None:
    names = [*(leaf.name for leaf in problem.leaves), *["g"] * len(g)]
    for name, now, before in zip(names, [*values, *given], [*problem.values, *g], strict=True):
        if now.tobytes() != before.tobytes():
            detail = f"{name!r} holds other numbers after the call; copy it before changing it"
            raise GradientMismatch("writes to its input", problem.name, name, detail=detail, inputs=_by_name(problem))


def _shapes(problem: Problem, found: Sequence[np.ndarray], numeric: Any) -> None:
    for i, (leaf, gradient) in enumerate(zip(problem.leaves, found, strict=True)):
        if gradient.shape != leaf.value.shape:
            detail = f"the gradient has shape {gradient.shape}, the input {leaf.value.shape}"
            pattern = guess(np.asarray(gradient), numeric(i)) if leaf.value.size <= 1000 else ""
            raise GradientMismatch("wrong shape", problem.name, leaf.name, detail=detail, pattern=pattern, inputs=_by_name(problem))
        if gradient.dtype != leaf.value.dtype:
            detail = f"the gradient is {gradient.dtype}, the input {leaf.value.dtype}: something on the way is cast"
            raise GradientMismatch("wrong dtype", problem.name, leaf.name, detail=detail, inputs=_by_name(problem))


def _own_memory(problem: Problem, found: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> None:
    names = [leaf.name for leaf in problem.leaves]
    for i, gradient in enumerate(found):
        for k, other in enumerate([*others, *found[:i]]):
            if np.shares_memory(gradient, other):
                what = names[k] if k < len(names) else "g" if k < len(others) else f"the gradient in {names[k - len(others)]}"
                detail = f"it is the very memory of {what}: who changes one in place changes the other; return a copy"
                raise GradientMismatch("aliased", problem.name, names[i], detail=detail, inputs=_by_name(problem))


def _repeatable(
    problem: Problem, values: list[np.ndarray], g: Sequence[np.ndarray], first: list[np.ndarray], found: list[np.ndarray], close: float
) -> None:
    again, gradients = problem.results(values), problem.pull(values, g)
    for what, before, now in (("result", first, again), ("gradient", found, gradients)):
        a, b = as_reals(before), as_reals(now)
        if a.shape != b.shape or np.any(np.abs(a - b) > close * (1 + np.max(np.abs(a), initial=0.0))):
            detail = f"two calls with the same inputs give another {what}; fix its random numbers (a seed, model.eval()) or what it keeps"
            raise GradientMismatch("not deterministic", problem.name, detail=detail, inputs=_by_name(problem))


def _linear(
    problem: Problem, values: list[np.ndarray], g: Sequence[np.ndarray], found: list[np.ndarray], rng: np.random.Generator, close: float
) -> None:
    """The gradient for 2g - 3h is twice that for g minus three times that for h."""
    if isinstance(problem, GradientOf) or (isinstance(problem, HandWritten) and not problem.takes_g):
        return
    h = from_reals(rng.uniform(-1, 1, as_reals(g).size), g)
    joint = as_reals(problem.pull(values, [2 * a - 3 * b for a, b in zip(g, h, strict=True)]))
    with np.errstate(invalid="ignore"):
        expected = 2 * as_reals(found) - 3 * as_reals(problem.pull(values, h))
    finite = np.isfinite(expected) & np.isfinite(joint)
    off = np.abs(joint - expected)[finite]
    room = close * (1 + np.max(np.abs(expected[finite]), initial=0.0))
    if np.any(off > room) and np.any(off > room + 100 * _rounding(problem, values, g, found, rng)):
        detail = f"the gradient for 2g - 3h is off by {np.max(off):.3g} from 2·(that for g) - 3·(that for h); a rule multiplies g, and adds nothing"
        raise GradientMismatch("not linear", problem.name, detail=detail, inputs=_by_name(problem))


def _rounding(problem: Problem, values: list[np.ndarray], g: Sequence[np.ndarray], found: list[np.ndarray], rng: np.random.Generator) -> float:
    """How far the gradient moves if the inputs and g do in their last digits: a lot, where large terms cancel."""
    largest = 0.0
    for _ in range(4):
        nearly, near = ([x * (1 + 2.0**-49 * rng.uniform(-1, 1, x.shape)) for x in part] for part in (g, values))
        largest = max(largest, float(np.nanmax(np.abs(as_reals(problem.pull(near, nearly)) - as_reals(found)), initial=0.0)))
    return largest
