"""Passes: small functions from a program to a better one that gives the same numbers.

``tidy`` is the usual order. Nothing here changes results beyond rounding, and NaN and infinity stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable

from ..program import Program
from .algebra import algebra
from .common import common
from .constants import constants
from .dead import dead
from .grouping import grouping
from .lowering import lowered
from .narrowing import narrowing
from .packing import packing
from .sharing import sharing
from .splitting import splitting

__all__ = ["TIDY", "algebra", "common", "constants", "dead", "grouping", "lowered", "narrowing", "packing", "sharing", "splitting", "tidy"]

TIDY: tuple[Callable[[Program], Program], ...] = (narrowing, constants, algebra, common, dead)


def tidy(program: Program) -> Program:
    """All passes that every replay wants."""
    for improve in TIDY:
        program = improve(program)
    return program
