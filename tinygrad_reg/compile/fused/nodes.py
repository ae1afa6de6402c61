"""A program as nodes: what is computed at each point of an index space, from what, read where.

Views (reshape, permute_dims, broadcast_to, getitem by slices) are not nodes: they only say where in an earlier value an operand is
read, as (source, offset, strides). Every elementwise op is a node over its result's shape, every sum or largest a node over its
operand's shape with some dimensions folded away, and so is a product of matrices: over (rows, inner, columns), with ``inner`` folded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..program import Step, Value
from ..scalar import Form, Given

__all__ = ["CALL", "CHECK", "LOOP", "PRODUCT", "SAME", "TINY", "Declined", "Node", "Read", "loops_of", "row_major", "unchanging"]

LOOP, PRODUCT, CHECK, CALL = "loop", "product", "check", "call"
TINY = 8  # dimensions of at most this size are written out, not looped over
SAME = Form((), Given(0))


def unchanging(x: Any) -> bool:
    """Whether nobody can change an array: neither it nor the one that it is a view of is writeable."""
    while isinstance(x, np.ndarray) and not x.flags.writeable:
        x = x.base
    return x is None or isinstance(x, np.generic)


class Declined(Exception):  # noqa: N818 - it is no error: the program is replayed in another way
    """This replay is not for that program; the message says why."""


class Read(NamedTuple):
    """Where an operand is: in ``source``, as if that were in row-major order, from ``offset`` with ``strides`` for the node's dimensions."""

    source: Value
    offset: int
    strides: tuple[int, ...]


@dataclass(eq=False, slots=True)
class Node:
    """One value and how it is computed; ``place`` is where it stands in the program.

    ``kind`` is LOOP for what loops compute, PRODUCT for a matrix product by BLAS, CHECK for an op that only refuses bad input,
    CALL for an op that is called as it stands. ``axes`` gives for each dimension of the result its dimension here, None for size 1.
    """

    place: int
    kind: str
    step: Step
    out: Value
    dims: tuple[int, ...] = ()
    reads: tuple[Read, ...] = ()
    form: Form = SAME
    kinds: tuple[tuple[Any, ...], ...] = ()  # for each part of the form the dtypes it is computed in
    fold: str = ""
    folded: tuple[int, ...] = ()
    axes: tuple[int | None, ...] = ()
    exact: bool = False  # the sum of a matrix product, added in its own dtype
    loops: tuple[int, ...] = field(default=())  # the dimensions that are looped over; the others are written out


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides of an array in row-major order, in elements; 0 for sizes of 1.

    >>> row_major((2, 1, 3))
    (3, 0, 1)
    """
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(0 if size == 1 else step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def loops_of(dims: Sequence[int], most: int = 16) -> tuple[int, ...]:
    """The dimensions to loop over: those of more than TINY; and the largest of the others while more than ``most`` points would be written out.

    >>> loops_of((300, 2, 64)), loops_of((100, 8, 8))
    ((0, 2), (0, 2))
    """
    loops = [d for d, size in enumerate(dims) if size > TINY]
    rest = sorted((d for d in range(len(dims)) if d not in loops), key=lambda d: dims[d])
    while rest and prod(dims[d] for d in rest) > most:
        loops.append(rest.pop())
    return tuple(sorted(loops))
