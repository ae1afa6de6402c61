"""Which functions loops can compute, and about what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import exponentials
from .code import F4
from .library import in_library
from .maths import FUNCTIONS, INVERSES, LIBRARY, Function

__all__ = ["FUNCTIONS", "convertible", "cost", "exponentials", "function"]

_SLOW = {*LIBRARY, *INVERSES}
_COSTS = {"divide": 4, "true_divide": 4, "reciprocal": 4, "sqrt": 4, "exp": 16, "expm1": 20, "tanh": 24, "log": 24, "log1p": 30, "power": 30}
_FLOATS_ONLY = {*_SLOW, *_COSTS, "floor", "ceil", "trunc", "rint", "copysign", "deg2rad", "rad2deg", "radians", "degrees", "signbit"}


def function(name: str, dtypes: Sequence[Any]) -> Function | None:
    """The function of this name for words of these dtypes, or None if loops cannot compute it."""
    if not all(d is None or _plain(d) for d in dtypes):
        return None
    if any(d is not None and d.kind != "f" for d in dtypes[:1]) and name in _FLOATS_ONLY:
        return None
    return FUNCTIONS.get(name) if name not in _SLOW or in_library(f"{INVERSES.get(name, name)}{'f' if dtypes[-1] == F4 else ''}") else None


def convertible(old: Any, new: Any) -> bool:
    """Whether loops can convert numbers: not floats to small whole numbers, which every processor does in its own way where they do not fit."""
    return _plain(old) and _plain(new) and not (old.kind == "f" and new.kind in "iu" and (new.kind == "u" or new.itemsize < 4))


def _plain(dtype: Any) -> bool:
    return dtype.isnative and dtype.kind in "biuf" and dtype.itemsize <= 8 and (dtype.kind != "f" or dtype.itemsize >= 4)


def cost(name: str) -> int:
    """About how many simple instructions a function takes."""
    return _COSTS.get(name, 40 if name in _SLOW else 1)
