"""Arrays in few words: whole where they are small, else lowest, mean, highest and the share of zeros."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

__all__ = ["WHOLE", "Summary", "histogram", "number_text", "summary"]

WHOLE = 6  # elements, that are written out


@dataclass(frozen=True, slots=True)
class Summary:
    """``text`` is what a drawing shows. The numbers are of the finite elements (None where there are none, and of complex ones), ``zeros`` the
    share of exact zeros, ``wrong`` counts NaN and infinities. ``whole``: the text has every element.
    """

    text: str
    size: int
    whole: bool
    minimum: float | None = None
    mean: float | None = None
    maximum: float | None = None
    zeros: float = 0.0
    wrong: int = 0


def summary(array: Any) -> Summary:
    """An array, or a number, in few words.

    >>> summary(np.array([1.0, -2.0])).text
    '[1, -2]'
    >>> summary(np.arange(10.0)).text
    'mean 4.5 in [0, 9] · 10 % zeros'
    """
    array = np.asarray(array)
    size = array.size
    if not size:
        return Summary("empty", 0, True)
    if array.dtype.kind not in "biuf":
        zeros = float(np.count_nonzero(array == 0) / size)
        return Summary(_whole(array) if size <= WHOLE else f"{size} complex numbers", size, size <= WHOLE, zeros=zeros)
    low, mean, high, wrong = _moments(array)
    zeros = float(1 - np.count_nonzero(array) / size)
    text = _whole(array) if size <= WHOLE else _spread(low, mean, high, zeros, wrong, size)
    return Summary(text, size, size <= WHOLE, low, mean, high, zeros, wrong)


def _moments(array: np.ndarray) -> tuple[float | None, float | None, float | None, int]:
    """Lowest, mean and highest of the finite elements, and how many are not finite."""
    wide = array.astype(np.float64) if array.dtype.kind != "f" or array.dtype.itemsize < 4 else array
    low, high, wrong = float(wide.min()), float(wide.max()), 0
    if not (isfinite(low) and isfinite(high)):
        wide = wide[np.isfinite(wide)]
        wrong = array.size - wide.size
        if not wide.size:
            return None, None, None, wrong
        low, high = float(wide.min()), float(wide.max())
    with np.errstate(over="ignore"):
        mean = float(wide.mean(dtype=np.float64))
        return low, mean if isfinite(mean) else float((wide / wide.size).sum()), high, wrong


def _spread(low: float | None, mean: float | None, high: float | None, zeros: float, wrong: int, size: int) -> str:
    parts = []
    if low is not None:
        same = low == high
        parts.append(f"all {number_text(low)}" if same else f"mean {_short(mean)} in [{_short(low)}, {_short(high)}]")
        if zeros and not same:
            parts.append(f"{_percent(zeros)} zeros")
    if wrong:
        parts.append(f"{wrong} of {size} NaN or infinite")
    return " · ".join(parts)


def _short(x: float | None) -> str:
    return f"{x:.3g}"


def _percent(share: float) -> str:
    return "< 1 %" if share < 0.01 else "> 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def number_text(x: Any) -> str:
    """A number with as many digits as a drawing has room for.

    >>> number_text(0.5), number_text(1e-5), number_text(1234567.0), number_text(True)
    ('0.5', '1e-05', '1.235e+06', 'True')
    """
    if isinstance(x, (bool, np.bool_, complex, np.complexfloating)):
        return str(x) if isinstance(x, (bool, np.bool_)) else f"{complex(x):.4g}"
    if isinstance(x, (int, np.integer)) and abs(int(x)) < 10**9:
        return str(int(x))
    return f"{float(x):.4g}"


def _whole(array: np.ndarray) -> str:
    """Every element, as nested lists."""
    if array.ndim == 0:
        return number_text(array[()])
    return f"[{', '.join(_whole(row) for row in array)}]"


def histogram(array: Any, bins: int = 24) -> tuple[list[int], float, float]:
    """How many finite elements lie in each of ``bins`` equal parts between the lowest and the highest, and these two.

    >>> histogram(np.array([0.0, 1.0, 1.0, 4.0]), bins=2)
    ([3, 1], 0.0, 4.0)
    """
    array = np.asarray(array)
    wide = (np.abs(array) if array.dtype.kind == "c" else array).astype(np.float64).ravel()
    fine = wide[np.isfinite(wide)]
    if not fine.size:
        return [0] * bins, 0.0, 0.0
    low, high = float(fine.min()), float(fine.max())
    scale = max(abs(low), abs(high)) or 1.0  # counted in parts of the largest, so that no difference overflows
    counts, _ = np.histogram(fine / scale, bins=bins)
    return counts.tolist(), low, high
