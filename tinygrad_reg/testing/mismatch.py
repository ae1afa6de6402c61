"""What is said when a gradient is wrong: where, by how much, what it looks like, and code that shows it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .numeric import Sides

__all__ = ["GradientMismatch", "Report"]


@dataclass(frozen=True)
class Report:
    """What a check that passed has looked at: how many entries and directions, how many of them at kinks, the largest relative difference.

    ``undecided`` counts those where the error bar of the numbers is more than a hundredth of the slope, so that a wrong rule may have passed.
    """

    entries: int = 0
    directions: int = 0
    kinks: int = 0
    undecided: int = 0
    largest: float = 0.0

    def __add__(self, other: Report) -> Report:
        return Report(
            self.entries + other.entries,
            self.directions + other.directions,
            self.kinks + other.kinks,
            self.undecided + other.undecided,
            max(self.largest, other.largest),
        )

    def __radd__(self, other: int) -> Report:
        return self  # so that sum() adds reports


class GradientMismatch(AssertionError):  # noqa: N818 - it is what a test says, not an error of the program
    """A gradient that is not that of its function.

    ``verdict`` is one of: wrong rule, kink, precision, not deterministic, wrong shape, wrong dtype, non-finite, not linear, aliased,
    writes to its input. ``input`` and ``index`` say where, ``rule`` and ``numeric`` (± ``error``) what, ``left`` and ``right`` are the
    slopes on both sides, ``pattern`` a guess at the cause, ``code`` lines to paste; ``inputs`` the values of all variables by name.

    >>> raise GradientMismatch("wrong rule", "f", "x", index=(0,), rule=2.0, numeric=1.0, error=1e-9)
    Traceback (most recent call last):
    ...
    tinygrad_reg.testing.mismatch.GradientMismatch: f: wrong rule in 'x' at index (0,)
      rule         2.0
      numeric      1.0 ± 1e-09
    """

    def __init__(
        self,
        verdict: str,
        function: str,
        input: str = "",
        *,
        index: tuple[int, ...] | None = None,
        rule: float = np.nan,
        numeric: float = np.nan,
        error: float = np.nan,
        step: float = np.nan,
        sides: Sides | None = None,
        detail: str = "",
        pattern: str = "",
        code: str = "",
        inputs: dict[str, np.ndarray] | None = None,
        note: str = "",
    ) -> None:
        self.verdict, self.function, self.input, self.index = verdict, function, input, index
        self.rule, self.numeric, self.error, self.step = rule, numeric, error, step
        self.left, self.right = (sides.behind, sides.ahead) if sides else (np.nan, np.nan)
        self.detail, self.pattern, self.code, self.inputs, self.note = detail, pattern, code, inputs or {}, note
        super().__init__(self._text())

    def _text(self) -> str:
        where = f" in {self.input!r}" if self.input else ""
        place = f" at index {self.index}" if self.index is not None else ""
        rows: list[tuple[str, Any]] = []
        if self.index is not None:
            rows.append(("rule", f"{self.rule!r}"))
            rows.append(("numeric", f"{self.numeric!r} ± {self.error:.1g}" + (f"  (step {self.step:.1g})" if self.step > 0 else "")))
        if not np.isnan(self.left):
            rows.append(("left, right", f"{self.left!r}, {self.right!r}"))
        rows += [("extent", self.detail)] if self.detail else []
        rows += [("looks like", self.pattern)] if self.pattern else []
        rows += [("note", self.note)] if self.note else []
        lines = [f"{self.function}: {self.verdict}{where}{place}", *(f"  {name:12} {text}" for name, text in rows)]
        if self.code:
            lines += ["To see it again:", *(f"    {line}" for line in self.code.splitlines())]
        return "\n".join(lines)
