"""Where the arguments of an op may lie, and how it may be called: plain data for tests, documentation and errors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["BOOLEAN", "NONNEGATIVE", "POSITIVE", "REAL", "Case", "Domain", "case", "elementwise_cases", "integers", "interval"]


@dataclass(frozen=True)
class Domain:
    """Where one array argument of an op may lie: plain data for tests and for error messages.

    ``kinks`` are the points where the function has no slope; ``ties`` says that equal values
    (among several arguments, or along an axis) are such points too. ``open_low`` leaves out ``low``.
    ``matrix`` names what the last two axes must be together.

    >>> REAL.with_kinks(0.0).kinks
    (0.0,)
    """

    low: float = -np.inf
    high: float = np.inf
    kinks: tuple[float, ...] = ()
    ties: bool = False
    open_low: bool = False
    kind: str = "real"
    matrix: str = ""

    def with_kinks(self, *points: float) -> Domain:
        """The same domain with kinks at ``points``."""
        return replace(self, kinks=points)

    def with_ties(self) -> Domain:
        """The same domain, where equal values are a kink."""
        return replace(self, ties=True)


def interval(low: float, high: float, open_low: bool = False) -> Domain:
    """The reals from ``low`` to ``high``.

    >>> interval(-1, 1).high
    1
    """
    return Domain(low, high, open_low=open_low)


def integers(low: int, high: int) -> Domain:
    """The integers from ``low`` up to, not including, ``high``; such an argument has no gradient.

    >>> integers(0, 3).kind
    'integer'
    """
    return Domain(low, high, kind="integer")


REAL = Domain()
POSITIVE = Domain(0.0, open_low=True)
NONNEGATIVE = Domain(0.0)
BOOLEAN = Domain(0, 2, kind="boolean")
# Matrices along the last two axes: tests make such ones of any numbers.
INVERTIBLE = Domain(matrix="invertible")
SYMMETRIC = Domain(matrix="symmetric")  # and eigenvalues all different
POSITIVE_DEFINITE = Domain(matrix="positive definite")
DISTINCT = Domain(matrix="distinct")  # real eigenvalues, all different
INCREASING = Domain(matrix="increasing")  # numbers that increase along the last axis, as places of samples do


@dataclass(frozen=True)
class Case:
    """One way to call an op: a shape per array argument, and settings. Tests run every case."""

    shapes: tuple[tuple[int, ...], ...]
    settings: dict[str, Any]


def case(*shapes: tuple[int, ...], **settings: Any) -> Case:
    """Shorthand for :class:`Case`: ``case((3, 4), axis=0)``."""
    return Case(shapes, settings)


def elementwise_cases(arity: int) -> tuple[Case, ...]:
    if arity == 1:
        return (case((2, 3)), case(()), case((0, 2)), case((1,)))
    if arity == 2:
        return (case((2, 3), (2, 3)), case((2, 3), (3,)), case((2, 1), (1, 3)), case((), (2,)), case((2,), ()), case((), ()), case((0, 2), (1, 2)))
    return (case(*[(2, 3)] * arity), case(*[()] * arity), case((2, 1), *[(3,)] * (arity - 1)), case((3,), (2, 1), *[()] * (arity - 2)))
