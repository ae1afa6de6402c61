"""Functions of the C library that machine code calls."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from functools import cache

__all__ = ["FUNCTIONS", "in_library"]

FUNCTIONS = ["sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "asinh", "acosh", "atanh", "cbrt", "exp2", "log2", "log10"]
FUNCTIONS += ["erf", "erfc", "hypot", "nextafter", "fmod", "pow"]
FUNCTIONS += ["fma", "floor", "ceil", "trunc", "rint"]  # only where the processor has no instruction for them


@cache
def in_library(function: str) -> int:
    """The address of a function of the C library; 0 if it has none of this name."""
    for library in _libraries():
        try:
            return ctypes.cast(getattr(library, function), ctypes.c_void_p).value or 0
        except AttributeError:
            continue
    return 0


@cache
def _libraries() -> tuple[ctypes.CDLL, ...]:
    if sys.platform == "win32":
        return (ctypes.CDLL("ucrtbase"),)
    here = ctypes.CDLL(None)  # what this process has loaded already
    name = None if hasattr(here, "sinf") else ctypes.util.find_library("m")
    return (here, ctypes.CDLL(name)) if name else (here,)
