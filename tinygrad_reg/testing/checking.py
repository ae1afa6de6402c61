"""check_gradients: a function's gradient against numbers, to first and second order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np

from .comparing import Comparison, Entry, Tolerance, compare
from .kinks import beside, kinked, single_ops
from .mismatch import GradientMismatch, Report
from .patterns import guess
from .problems import GradientOf, HandWritten, Problem, Recorded, variables_of
from .properties import check_properties
from .recipes import recipe
from .structures import argument_names, as_reals, from_reals

__all__ = ["check_gradients"]

NEIGHBOURS = 48  # points around a kink at which the rule is asked for its slopes


def check_gradients(
    f: Callable[..., Any],
    *inputs: Any,
    order: int = 1,
    wrt: Any = None,
    grad: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    dtype: Any = "float64",
    seed: int = 0,
    max_entries: int = 1000,
    name: str | None = None,
) -> Report:
    """Check the gradient of ``f`` at ``inputs`` against numbers; a wrong one raises :class:`GradientMismatch`, which says where and what.

    ``f`` is a function of Tensors, or a module; its inputs are arrays, Tensors, modules (all parameters), and lists and dicts of them.
    Checked is the gradient in all that say ``requires_grad``, or if nothing does in all floats; ``wrt`` chooses others: places, names,
    and Tensors or modules that f closes over. Results need not be single numbers: they are weighed at random, as by a later layer.
    With ``order=2`` the gradient's own gradient is checked too.

    For a NumPy function with a gradient derived by hand give ``grad(*inputs)``, if f returns a single number, or ``vjp(g, *inputs)``;
    several inputs need as many gradients, in their order.

    The slopes are complex steps where every op on the way is analytic; else differences with an error bar, by which and by
    ``rtol``·|slope| + ``atol`` the rule may be off. At a kink it must lie between the slopes of both sides. Also checked: same results
    again, inputs not written to, shape, dtype, linear in g, memory of its own. All is done at ``dtype``, whatever the model's own.
    Up to ``max_entries`` numbers each is looked at; of more, some and random directions.

    Raises ``TypeError`` or ``ValueError`` for what cannot be checked. Returns a :class:`Report`.

    >>> check_gradients(lambda w: (w * w).sum() + abs(w).sum(), np.array([1.0, 0.0, -2.0])).kinks
    1
    >>> check_gradients(lambda w: np.sum(w**2), np.array([1.0, 3.0]), grad=lambda w: w + w).entries
    2
    """
    if order not in (1, 2):
        raise ValueError(f"check_gradients: order is {order!r}; it must be 1 or 2.")
    kind = np.dtype(dtype)
    if kind.kind != "f" or kind.itemsize < 4:
        raise TypeError(f"check_gradients: dtype is {kind}; differences need float64 or float32.")
    name = name or getattr(f, "name", None) or getattr(f, "__name__", type(f).__name__)
    problem = _problem(f, inputs, wrt, kind, grad, vjp, str(name))
    if order == 2 and not isinstance(problem, Recorded):
        raise ValueError("check_gradients: order=2 needs a function of Tensors; of a gradient by hand, check its own gradient: f=grad.")
    check = _Check(Tolerance.of(kind, rtol, atol), seed, max_entries)
    with problem.installed(), np.errstate(all="ignore"):
        report = check(problem)
        if order == 2:
            report += check(GradientOf(problem, check.weights(problem)))  # type: ignore[arg-type]
    return report


def _problem(f: Any, inputs: tuple[Any, ...], wrt: Any, dtype: np.dtype[Any], grad: Any, vjp: Any, name: str) -> Problem:
    names = argument_names(f.forward if hasattr(f, "forward") else f, len(inputs))
    leaves, others = variables_of(f, inputs, names, wrt, dtype)
    if grad is not None and vjp is not None:
        raise ValueError("check_gradients: give grad= or vjp=, not both.")
    if grad is None and vjp is None:
        return Recorded(f, inputs, leaves, others, name)
    return HandWritten(f, inputs, leaves, others, name, (grad, False) if vjp is None else (vjp, True))


class _Check:
    """The settings of a check, to be applied to a problem and to those that come of it."""

    def __init__(self, tolerance: Tolerance, seed: int, max_entries: int) -> None:
        self.tolerance = tolerance
        self.seed = seed
        self.max_entries = max_entries

    def weights(self, problem: Problem) -> list[np.ndarray]:
        """A weight for each result: 1 for a single number, else of size ½ to 1½ and any sign."""
        results = problem.results(problem.values)
        if sum(out.size for out in results) == 1:
            return [np.ones_like(out) for out in results]
        rng = np.random.default_rng(self.seed)
        count = as_reals(results).size
        return from_reals(rng.uniform(0.5, 1.5, count) * rng.choice([-1.0, 1.0], count), results)

    def __call__(self, problem: Problem, alone: bool = False, smooth: bool = False) -> Report:
        """``alone`` is said of a single op among others, ``smooth`` of a point where there is no second opinion about kinks."""
        rng = np.random.default_rng(self.seed)
        g = self.weights(problem)
        check_properties(problem, g, rng, lambda i: self._numeric(problem, g, i), self.tolerance.eps)
        found = compare(problem, g, self.tolerance, self.max_entries, rng)
        wrong = any(c.wrong or not all(e.fits for e in c.directions) for c in found)
        if wrong and (smooth or not self._kinks_explain(problem, found, rng, alone)):
            raise self._mismatch(problem, g, found)
        return _report(found)

    def _kinks_explain(self, problem: Problem, found: Sequence[Comparison], rng: np.random.Generator, alone: bool) -> bool:
        """Whether there are kinks and all is as well as can be: right beside them, and the rule's slopes are among those it has around;
        or, where kinks meet, so it is for each op alone.
        """
        nodes = problem.nodes()
        if not any(e.kink for c in found for e in c.wrong.values()) and not any(map(kinked, nodes)):
            return False
        try:
            self(_moved(problem, beside(problem, rng)), smooth=True)
            if self._like_around(problem, found, rng):
                return True
            for one in single_ops(nodes) if not alone and len(nodes) > 1 else ():
                self(GradientOf(one, self.weights(one)) if isinstance(problem, GradientOf) else one, alone=True)
        except GradientMismatch:
            return False
        return not alone and len(nodes) > 1

    def _like_around(self, problem: Problem, found: Sequence[Comparison], rng: np.random.Generator) -> bool:
        """Whether every slope that does not fit lies between those of the rule at points around: as sorting of three equals has it."""
        g = self.weights(problem)
        around = [[as_reals([r]) for r in problem.pull(beside(problem, rng, 1e-6), g)] for _ in range(NEIGHBOURS)]
        for c in found:
            rules = np.array([point[c.leaf] for point in around])
            sizes = np.max(np.abs(rules), axis=0, initial=0.0)
            room = 1e-4 * sizes + 1e-9 * np.max(sizes, initial=0.0)
            low, high = np.min(rules, axis=0) - room, np.max(rules, axis=0) + room
            if any(not low[k] <= entry.rule <= high[k] for k, entry in c.wrong.items()) or not all(e.fits for e in c.directions):
                return False
        return True

    def _numeric(self, problem: Problem, g: Sequence[np.ndarray], i: int) -> np.ndarray:
        """The gradient in variable i by numbers, whatever the rule says."""
        silent = copy(problem)
        silent.pull = lambda values, g: [np.zeros_like(v) for v in values]  # type: ignore[method-assign]
        comparison = compare(silent, g, self.tolerance, self.max_entries, np.random.default_rng(self.seed))[i]
        return _gradient(comparison, problem)

    def _mismatch(self, problem: Problem, g: Sequence[np.ndarray], found: Sequence[Comparison]) -> GradientMismatch:
        worst = max(found, key=lambda c: max((e.off for e in c.wrong.values()), default=-1.0))
        leaf = problem.leaves[worst.leaf]
        inputs = {leaf.name: value for leaf, value in zip(problem.leaves, problem.values, strict=True)}
        if not worst.wrong:  # a direction did not fit, and no single entry shows why
            entry = next(e for c in found for e in c.directions if not e.fits)
            detail = f"along a random direction: rule {entry.rule!r}, numeric {entry.numeric!r} ± {entry.error:.1g}"
            return GradientMismatch("wrong rule", problem.name, leaf.name, detail=detail, inputs=inputs)
        k, entry = max(worst.wrong.items(), key=lambda item: item[1].off)
        complete = len(worst.entries) == worst.rule.size
        others = [(problem.leaves[c.leaf].name, _gradient(c, problem)) for c in found if c is not worst and len(c.entries) == c.rule.size]
        rule = from_reals(worst.rule, [leaf.value])[0]
        return GradientMismatch(
            _verdict(entry),
            problem.name,
            leaf.name,
            index=_index(leaf.value, k),
            rule=entry.rule,
            numeric=entry.numeric,
            error=entry.error,
            step=entry.step,
            sides=entry.sides,
            detail=f"{len(worst.wrong)} of {len(worst.entries)} entries are wrong; the input there is {leaf.value[_index(leaf.value, k)]!s}",
            pattern=guess(rule, _gradient(worst, problem), others) if complete else "",
            code=recipe(problem, g, worst.leaf, k, self.seed),
            inputs=inputs,
        )


def _moved(problem: Problem, values: list[np.ndarray]) -> Problem:
    """The problem at another place."""
    shifted = copy(problem)
    shifted.values = values
    return shifted


def _verdict(entry: Entry) -> str:
    if not np.isfinite(entry.rule) or not np.isfinite(entry.numeric):
        return "non-finite"
    if entry.kink:
        return "kink"
    return "precision" if entry.error > 0.1 * max(abs(entry.numeric), abs(entry.rule)) else "wrong rule"


def _index(value: np.ndarray, k: int) -> tuple[int, ...]:
    """The index of entry k of the real numbers of ``value``."""
    return tuple(int(n) for n in np.unravel_index(k // (2 if value.dtype.kind == "c" else 1), value.shape))


def _gradient(comparison: Comparison, problem: Problem) -> np.ndarray:
    """The true gradient as far as is known: where the rule fits, the rule; else the number."""
    numbers = [comparison.entries[k].numeric for k in sorted(comparison.entries)]
    like = problem.leaves[comparison.leaf].value
    return from_reals(np.array(numbers), [like])[0] if len(numbers) == comparison.rule.size else np.full(like.shape, np.nan)


def _report(found: Sequence[Comparison]) -> Report:
    entries = [e for c in found for e in c.entries.values()]
    every = [*entries, *(e for c in found for e in c.directions)]
    steepest = max((abs(e.rule) for e in every if np.isfinite(e.rule)), default=0.0)
    smooth = [e for e in every if not e.kink and e.numeric and abs(e.rule) > 1e-6 * steepest]
    decided = [e for e in smooth if e.error <= 0.01 * abs(e.numeric)]
    return Report(
        entries=len(entries),
        directions=len(every) - len(entries),
        kinks=sum(e.kink for e in every),
        undecided=len(smooth) - len(decided),
        largest=max((abs(e.rule - e.numeric) / abs(e.numeric) for e in decided), default=0.0),
    )
