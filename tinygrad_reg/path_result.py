"""What a regularisation path has found: rows, states, the λ that validates best, a picture as users of glmnet know it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import nan
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .text_table import csv_text, text_table

__all__ = ["Best", "RegularizationPath"]


class Best(NamedTuple):
    """A place on a path: λ, its row, and the model's state there, for ``model.load_state_dict``."""

    lam: float
    place: int
    row: dict[str, float]
    state: dict[str, np.ndarray]


class RegularizationPath:
    """One row for each λ, from large to small; ``path["data loss"]`` is a column. Made by :func:`regularization_path`.

    Columns: ``lambda``, ``data loss``, ``validation loss`` and its standard error ``validation se`` (with ``validation`` or ``folds``),
    ``validation accuracy`` (for class labels), ``non-zeros`` of all penalised parameters, ``non-zeros weight`` of each, ``residual`` of the
    optimality conditions, ``steps``. ``states`` holds the model's state at each λ.
    """

    def __init__(self, rows: list[dict[str, float]], states: list[dict[str, np.ndarray]], penalised: Sequence[str], lambda_max: float) -> None:
        self.rows, self.states, self.penalised, self.lambda_max = rows, states, list(penalised), lambda_max

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self.rows[0])

    @property
    def lambdas(self) -> np.ndarray:
        """The column ``lambda``, as an array."""
        return np.array(self["lambda"])

    def __getitem__(self, column: str) -> list[float]:
        if column not in self.columns:
            raise KeyError(f"RegularizationPath has no column {column!r}; it has {', '.join(self.columns)}.")
        return [row.get(column, nan) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, float]]:
        return iter(self.rows)

    def coefficients(self, name: str | None = None) -> np.ndarray:
        """The values of a penalised parameter (the first one, unless named) at each λ, of shape (λs, *its shape)."""
        name = self.penalised[0] if name is None else name
        if name not in self.states[0]:
            raise KeyError(f"RegularizationPath: there is no parameter {name!r}, only {', '.join(self.states[0])}.")
        return np.stack([state[name] for state in self.states])

    @property
    def entered(self) -> dict[str, np.ndarray]:
        """For each penalised parameter: the largest λ at which each of its inputs (its rows) has a weight that is not 0; NaN where none has.

        >>> import tinygrad_reg as tg
        >>> x, y = tg.data.linear(50, noise=0.1, rng=0)
        >>> path = tg.regularization_path(tg.nn.Linear(2, 1, rng=0), (x, y.reshape(-1, 1)), points=20, progress=False)
        >>> path.entered["weight"].shape
        (2,)
        """
        found = {}
        for name in self.penalised:
            used = (self.coefficients(name) != 0).reshape(len(self), len(self.states[0][name]) if self.states[0][name].ndim else 1, -1).any(axis=2)
            found[name] = np.where(used.any(axis=0), self.lambdas[used.argmax(axis=0)], nan)
        return found

    def best(self, rule: str = "min") -> Best:
        """Where the validation loss is lowest, or with ``rule="1se"`` the largest λ whose loss is within one standard error of that.

        The standard error is that of the mean over folds, or over the samples of ``validation``. Source of the rule: L. Breiman et al. (1984),
        Classification and regression trees, section 3.4.3. Raises ``RuntimeError`` for a path without validation.
        """
        if rule not in ("min", "1se"):
            raise ValueError(f"best: rule is {rule!r}; it must be 'min' or '1se'.")
        if "validation loss" not in self.columns:
            raise RuntimeError("best: this path was not validated; make it with validation=(x, y), or with folds=10.")
        losses = np.array(self["validation loss"])
        i = int(np.nanargmin(losses))
        if rule == "1se":
            i = int(np.argmax(losses <= losses[i] + self["validation se"][i]))
        return Best(self.rows[i]["lambda"], i, self.rows[i], self.states[i])

    def __repr__(self) -> str:
        n = len(self)
        shown = range(n) if n <= 12 else [*range(0, n - 1, -(-n // 10)), n - 1]
        cells = [self.columns, *([f"{self.rows[i].get(name, nan):.5g}" for name in self.columns] for i in shown)]
        return f"RegularizationPath of {n} rows\n{text_table(cells, right=range(len(self.columns)))}"

    def to_csv(self, path: str | Path | None = None) -> str:
        """The rows as comma-separated text, also written to ``path`` where one is given."""
        return csv_text(self.columns, self.rows, path)

    def plot(self, path: str | Path | None = None, names: Sequence[str] = ()) -> Any:
        """Weights against log λ with the number of non-zeros on top, and validation with both best λ; a matplotlib figure, saved to ``path``.

        ``names`` are those of the inputs, written beside their curves. Needs matplotlib: ``pip install 'tinygrad_reg[plot]'``.
        """
        from .path_plot import drawn  # noqa: PLC0415 - it needs an extra

        figure = drawn(self, names)
        if path is not None:
            figure.savefig(path, dpi=120)
        return figure
