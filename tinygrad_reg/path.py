"""Regularisation paths: the model at every λ, from where all is zero downwards."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .losses import cross_entropy, mse
from .nn import Module
from .path_result import RegularizationPath
from .path_scores import Scorer
from .path_search import Penalised, Search, is_linear
from .penalties import L1, Penalty
from .tensor import Tensor
from .training import progress_bar

__all__ = ["regularization_path"]


def regularization_path(
    model: Module,
    data: tuple[Any, Any],
    lambdas: Sequence[float] | None = None,
    validation: tuple[Any, Any] | None = None,
    *,
    penalty: Callable[[float], Penalty] = L1,
    parameters: Sequence[str] | None = None,
    loss: Callable[[Any, Any], Tensor] | None = None,
    folds: int = 0,
    points: int = 50,
    ratio: float = 1e-3,
    convex: bool | None = None,
    optimizer: Callable[[list[Tensor], list[tuple[Tensor, Penalty]]], Any] | None = None,
    steps: int | None = None,
    tolerance: float = 1e-6,
    rng: Any = 0,
    progress: bool = True,
    compile: bool | str = True,
) -> RegularizationPath:
    """The model at every λ: mean ``loss`` + ``penalty(λ)`` of each of the ``parameters``, minimised from λ to λ, each from where the last one ended.

    ``data`` and ``validation`` are pairs (x, y). ``loss`` defaults to cross-entropy for integer labels, else to mean squared error. ``parameters``
    are the names of those that are penalised: by default those to which the model itself gives an L1 penalty (with its strengths in proportion,
    the largest of them being λ), else all with two axes or more. All other penalties of the model stay as they are. ``penalty`` makes a penalty of λ:
    ``L1``, or ``lambda lam: GroupL2(lam, axis=1)``, ``lambda lam: ElasticNet(0.9 * lam, 0.05 * lam)``, …

    ``lambdas`` default to ``points`` of them, evenly on a log scale from λ_max, the smallest with which all is 0 (all else being at its
    optimum), down to ``ratio`` times it. ``folds`` validates by cross-validation: the same λs once more for each fold, shuffled by ``rng``.

    A model that is one Linear layer (``convex``) starts at 0, goes down from the largest λ, and is solved by FISTA until the residual of the
    optimality conditions is below ``tolerance``·λ_max, or (with a warning) for ``steps`` (100,000). Any other starts as it is and goes up from the
    smallest λ, as all 0 is where a network cannot leave: so many ``steps`` (1,000) at each λ of ProximalAdam, or of what ``optimizer`` makes of
    parameters and penalties. There λ_max is that of each parameter alone at the start, and rows are local optima. The model is afterwards as it
    was; ``path.best().state`` is for ``model.load_state_dict``.

    Raises ``ValueError`` for λs that make no sense and for penalties that make no zeros when λs are missing, ``RuntimeError`` when the loss is no
    longer finite, with λ, term and step.

    Source: J. Friedman, T. Hastie and R. Tibshirani (2010), Regularization paths for generalized linear models via coordinate descent, section 2.5.

    >>> import tinygrad_reg as tg
    >>> x, y = tg.data.linear(50, noise=0.1, rng=0)
    >>> path = regularization_path(tg.nn.Linear(2, 1, rng=0), (x, y.reshape(-1, 1)), points=3, ratio=0.01, progress=False)
    >>> path["non-zeros"]
    [0, 2, 2]
    """
    _check_settings(points, ratio, folds, tolerance, steps)
    linear = is_linear(model) if convex is None else convex
    setting = _Setting(model, data, penalty, parameters, loss, linear, optimizer, steps or (100_000 if linear else 1000), tolerance, compile)
    before, was_training = model.state_dict(), model.training
    try:
        return setting.path(lambdas, points, ratio, validation, folds, np.random.default_rng(rng), progress)
    finally:
        model.load_state_dict(before)
        model.zero_grad()
        model.train(was_training)


def _check_settings(points: int, ratio: float, folds: int, tolerance: float, steps: int | None) -> None:
    for name, value, fine in (
        ("points", points, points >= 1),
        ("ratio", ratio, 0 < ratio < 1),
        ("folds", folds, folds == 0 or folds >= 2),
        ("tolerance", tolerance, 0 < tolerance < 1),
        ("steps", steps, steps is None or steps >= 1),
    ):
        if not fine:
            wanted = {"points": "at least 1", "ratio": "between 0 and 1", "folds": "0 or at least 2", "tolerance": "between 0 and 1"}
            raise ValueError(f"regularization_path: {name} is {value}; it must be {wanted.get(name, 'at least 1')}.")


class _Setting:
    """What stays the same for all λs and folds."""

    def __init__(
        self,
        model: Module,
        data: tuple[Any, Any],
        penalty: Callable[[float], Penalty],
        parameters: Sequence[str] | None,
        loss: Any,
        convex: bool,
        optimizer: Any,
        steps: int,
        tolerance: float,
        compile: bool | str,
    ) -> None:
        self.model, self.convex, self.optimizer, self.steps, self.compile = model, convex, optimizer, steps, compile
        self.tolerance = max(tolerance, 100 * float(np.finfo(model.float_dtype()).eps))
        self.x, self.y = self._pair("data", data)
        self.labels = self.y.dtype.kind in "iu"
        self.loss = loss or (cross_entropy if self.labels else mse)
        self.penalised = _penalised(model, penalty, parameters)
        taken = {x.name for x in self.penalised}
        self.kept = [(name, kind) for name, _, p in model.named_penalties() if not (isinstance(p, L1) and name in taken) for kind in (type(p),)]
        self.start = model.state_dict()

    def _pair(self, what: str, pair: Any) -> tuple[Any, Any]:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(f"regularization_path: {what} must be a pair (x, y), not {type(pair).__name__}.")
        x, y = (np.asarray(part.detach() if isinstance(part, Tensor) else part) for part in pair)
        if len(x) != len(y) or not len(x):
            raise ValueError(f"regularization_path: {what} has {len(x)} inputs and {len(y)} targets; there must be as many, and at least one.")
        dtype = self.model.float_dtype()
        return tuple(part.astype(dtype, copy=False) if part.dtype.kind == "f" else part for part in (x, y))  # type: ignore[return-value]

    def search(self) -> Search:
        """What solves the problem at one λ after the other."""
        model, loss, kept = self.model, self.loss, self.kept

        def smooth(x: Any, y: Any) -> Tensor:
            value = loss(model(x), y)
            for name, p, penalty in model.named_penalties():
                if (name, type(penalty)) in kept:
                    value = value + penalty(p)
            return value

        return Search(model, smooth, self.penalised, self.convex, self.steps, self.optimizer, self.compile)

    def begin(self, search: Search, x: np.ndarray, y: np.ndarray) -> None:
        """Go where paths start, with these samples."""
        self.model.load_state_dict(self.start)
        self.model.train()
        search.use(x, y)
        if self.convex:
            search.to_zero()
        search.check()

    def path(
        self, lambdas: Any, points: int, ratio: float, validation: Any, folds: int, rng: np.random.Generator, progress: bool
    ) -> RegularizationPath:
        search = self.search()
        self.begin(search, self.x, self.y)
        most = search.lambda_max()
        grid = _checked_grid(lambdas) if lambdas is not None else self._grid(most, points, ratio)
        splits = self._splits(folds, rng)
        scorer = Scorer(self.model, self.loss, self.labels)
        bar = iter(progress_bar(range(len(grid) * (1 + len(splits))), progress, " λs"))
        held = None if validation is None else self._pair("validation", validation)
        rows, states = self._follow(search, grid, most, lambda: scorer.row(self.x, self.y, held), bar)
        each = [self._fold(search, grid, most, split, scorer, bar) for split in splits]
        for i, row in enumerate(rows):
            row.update(scorer.over_folds([fold[i] for fold in each]) if each else {})
        next(bar, None)
        ordered = [_ordered(row) for row in rows]
        return RegularizationPath(ordered, states, [x.name for x in self.penalised], most)

    def _grid(self, most: float, points: int, ratio: float) -> np.ndarray:
        if not 0 < most < np.inf:
            kind = type(self.penalised[0].now).__name__
            why = f"{kind} makes no zeros at any λ" if most else "at 0 the loss has no slope, so that all stays 0 at any λ"
            raise ValueError(f"regularization_path: there is no λ to begin with: {why}. Give lambdas=, as in np.logspace(2, -4, 50).")
        return np.geomspace(most, most * ratio, points) if points > 1 else np.array([most])

    def _splits(self, folds: int, rng: np.random.Generator) -> list[np.ndarray]:
        if folds > len(self.x):
            raise ValueError(f"regularization_path: folds is {folds}, and there are {len(self.x)} samples only.")
        return np.array_split(rng.permutation(len(self.x)), folds) if folds else []

    def _fold(self, search: Search, grid: np.ndarray, most: float, out: np.ndarray, scorer: Scorer, bar: Iterator[Any]) -> list[dict[str, float]]:
        """The path without the samples ``out``, judged by them."""
        rest = np.setdiff1d(np.arange(len(self.x)), out)
        self.begin(search, self.x[rest], self.y[rest])
        return self._follow(search, grid, most, lambda: scorer.validated(self.x[out], self.y[out]), bar)[0]

    def _follow(self, search: Search, grid: np.ndarray, most: float, score: Callable[[], Any], bar: Iterator[Any]) -> tuple[list[Any], list[Any]]:
        """Rows and states, in the order of the grid, which goes down; networks go up."""
        rows, states = [], []
        for lam in grid if self.convex else grid[::-1]:
            next(bar, None)
            steps = search.solve(float(lam), self.tolerance * (most if 0 < most < np.inf else 1.0))
            row = {"lambda": float(lam)} | score()
            counts = {f"non-zeros {x.name}": int(np.count_nonzero(x.parameter.data)) for x in self.penalised}
            rows.append(row | {"non-zeros": sum(counts.values())} | counts | {"residual": search.residual, "steps": steps})
            states.append(self.model.state_dict())
        self._warn_of_late_rows(rows, most)
        return (rows, states) if self.convex else (rows[::-1], states[::-1])

    def _warn_of_late_rows(self, rows: list[dict[str, float]], most: float) -> None:
        late = [row["lambda"] for row in rows if row["steps"] >= self.steps and row["residual"] > self.tolerance * most]
        if late and self.convex:
            warnings.warn(
                f"regularization_path: at {len(late)} of {len(rows)} λs, the largest {late[0]:g}, the residual is above tolerance·λ_max after "
                f"{self.steps} steps; their weights are near the optimum, not at it. Standardise the inputs, or give steps= or tolerance= more.",
                RuntimeWarning,
                stacklevel=5,
            )


_FIRST = ("lambda", "data loss", "validation loss", "validation se", "validation accuracy")


def _ordered(row: dict[str, float]) -> dict[str, float]:
    return {name: row[name] for name in _FIRST if name in row} | {name: value for name, value in row.items() if name not in _FIRST}


def _checked_grid(lambdas: Any) -> np.ndarray:
    grid = np.unique(np.asarray(lambdas, float))[::-1]
    if not grid.size or not np.isfinite(grid).all() or grid[-1] < 0:
        shown = f"{np.asarray(lambdas)!r:.100}"
        raise ValueError(f"regularization_path: lambdas are {shown}; they must be finite numbers of at least 0, and at least one.")
    return grid


def _penalised(model: Module, penalty: Callable[[float], Penalty], names: Sequence[str] | None) -> list[Penalised]:
    known = dict(model.named_parameters())
    own = {name: float(p.now().lam) for name, _, p in model.named_penalties() if isinstance(p, L1) and p.now().lam}
    chosen = list(names) if names is not None else list(own) or [name for name, p in known.items() if p.ndim >= 2]
    if unknown := [name for name in chosen if name not in known]:
        raise ValueError(f"regularization_path: there is no parameter {unknown[0]!r}, only {', '.join(known)}.")
    if not chosen:
        raise ValueError("regularization_path: the model has no parameter of two axes or more; name those to penalise: parameters=['w'].")
    most = max((own[name] for name in chosen if name in own), default=1.0)
    shares = {name: own.get(name, most) / most for name in chosen}
    return [Penalised(name, known[name], lambda lam, share=shares[name]: penalty(lam * share)) for name in chosen]  # type: ignore[misc]
