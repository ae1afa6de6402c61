"""History: what happened while training, epoch by epoch; to print, to plot, to save."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan
from pathlib import Path
from typing import Any

from .text_table import csv_text, text_table

__all__ = ["History", "needs"]


class History:
    """One row for each recorded epoch; ``history["data loss"]`` is a column.

    Columns: ``epoch`` (from 0), ``data loss``, one for each penalty (``0.weight L2``, or ``penalty``; NaN where it was off), ``total``,
    ``accuracy`` (for class labels), ``validation loss`` (without penalties), ``validation accuracy``, ``learning rate``. Losses are
    means over the epoch's samples, before each update.

    >>> history = History()
    >>> history.append({"epoch": 0, "data loss": 1.5})
    >>> history["data loss"]
    [1.5]
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []
        self.stopped: str = ""

    def append(self, row: dict[str, float]) -> None:
        """Add a row."""
        self.rows.append(row)

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    @property
    def penalties(self) -> list[str]:
        """Names of the columns that hold a penalty."""
        names = self.columns
        return [name for name in names if name.endswith((" L1", " L2"))]

    def __getitem__(self, column: str) -> list[float]:
        if column not in self.columns:
            raise KeyError(f"History has no column {column!r}; it has {', '.join(self.columns)}.")
        return [row.get(column, nan) for row in self.rows]

    def __contains__(self, column: object) -> bool:
        return column in self.columns

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, float]]:
        return iter(self.rows)

    @property
    def last(self) -> dict[str, float]:
        """The last row."""
        return self.rows[-1]

    def __repr__(self) -> str:
        if not self.rows:
            return "History(empty)"
        shown = self.rows if len(self.rows) <= 5 else [*self.rows[:2], *self.rows[-2:]]
        cells = [self.columns, *([f"{row.get(name, nan):.5g}" for name in self.columns] for row in shown)]
        lines = text_table(cells, right=range(len(self.columns))).split("\n")
        if len(shown) < len(self.rows):
            lines.insert(3, f"… {len(self.rows) - 4} more")
        return "\n".join([f"History of {len(self.rows)} rows{': ' + self.stopped if self.stopped else ''}", *lines])

    def to_csv(self, path: str | Path | None = None) -> str:
        """The rows as comma-separated text, also written to ``path`` where one is given."""
        return csv_text(self.columns, self.rows, path)

    def plot(self, path: str | Path | None = None) -> Any:
        """Curves of losses, penalties and accuracies over the epochs; a matplotlib figure, saved to ``path`` if given.

        Needs matplotlib: ``pip install 'tinygrad_reg[plot]'``.
        """
        plt = needs("matplotlib.pyplot", "History.plot", "plot")
        accuracies = [name for name in ("accuracy", "validation accuracy") if name in self]
        figure, axes = plt.subplots(1, 1 + bool(accuracies), figsize=(5.5 * (1 + bool(accuracies)), 4), squeeze=False, layout="constrained")
        losses = axes[0, 0]
        for name in ("data loss", "validation loss", "total"):
            if name in self and not (name == "total" and not self.penalties):
                losses.plot(self["epoch"], self[name], label=name)
        for name in self.penalties:
            losses.plot(self["epoch"], self[name], label=name, linestyle=":")
        losses.set(xlabel="epoch", ylabel="loss", yscale="log", title="Loss and penalties")
        losses.legend()
        for name in accuracies:
            axes[0, 1].plot(self["epoch"], self[name], label=name)
        if accuracies:
            axes[0, 1].set(xlabel="epoch", ylabel="accuracy", title="Accuracy")
            axes[0, 1].legend()
        if path is not None:
            figure.savefig(path, dpi=120)
        return figure


def needs(module: str, what: str, extra: str) -> Any:
    """Import an optional library, or say in one sentence which extra brings it."""
    import importlib  # noqa: PLC0415

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{what} needs {module.partition('.')[0]}: pip install 'tinygrad_reg[{extra}]'") from error
