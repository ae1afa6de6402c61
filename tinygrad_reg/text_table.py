"""Rows as a table with even columns, and as comma-separated text."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path

__all__ = ["csv_text", "text_table"]


def text_table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Lines with two spaces between columns as wide as their widest cell; the columns ``right`` are set flush right.

    >>> print(text_table([("name", "size"), ("a", "12")], right=[1]))
    name  size
    a       12
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(_set(cell, widths[i], i in right) for i, cell in enumerate(row)).rstrip() for row in rows)


def _set(cell: str, width: int, right: bool) -> str:
    return cell.rjust(width) if right else cell.ljust(width)


def csv_text(columns: Sequence[str], rows: Sequence[Mapping[str, float]], path: str | Path | None = None) -> str:
    """The rows as comma-separated text, NaN where one has nothing in a column; also written to ``path`` where one is given.

    >>> csv_text(["a", "b"], [{"a": 1.0}])
    'a,b\\n1.0,nan\\n'
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval=nan, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    if path is not None:
        Path(path).write_text(text.getvalue(), encoding="utf-8")
    return text.getvalue()
