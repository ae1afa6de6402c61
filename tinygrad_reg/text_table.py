"""Rows of text as a table with even columns."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["text_table"]


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
