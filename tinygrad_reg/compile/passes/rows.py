"""What a step does to the rows of its inputs: work on each by itself, or add up over them. Anything else needs all rows at once."""

from __future__ import annotations

from typing import NamedTuple

from ..program import Step, Value
from ..ufuncs import parts_of

__all__ = ["LARGE", "Role", "axis_of_rows", "role_of"]

LARGE = 1 << 17  # elements of an array that is worth working on in blocks
_THIN = 8  # a matrix product with a side of at most this moves more numbers than it computes
_SMALL = 1 << 13  # elements of a sum of matrix products


class Role(NamedTuple):
    """How many rows there are, and whether the result is a sum over them."""

    rows: int
    adds: bool


def role_of(step: Step) -> Role | None:
    """The role of a step, if it has one.

    >>> from tinygrad_reg.compile.example import small
    >>> [role_of(step) for step in small(lambda x: tg.softmax(tg.exp(x)).sum()).steps]
    [Role(rows=2, adds=False), None, Role(rows=2, adds=True)]
    """
    if step.out.parts:
        return None
    if step.op.name == "matmul":
        return _product(step)
    if step.op.name in ("sum", "mean", "sum_of_squares", "sum_of_sizes"):
        return Role(step.inputs[0].shape[0], True) if _is_sum(step) else None
    if step.out.shape and step.out.shape[0] > 1 and parts_of(step) is not None:
        return Role(step.out.shape[0], False)
    return None


def axis_of_rows(step: Step, role: Role, place: int) -> int | None:
    """Along which axis the input at this place has the rows; None for one that is needed whole."""
    x = step.inputs[place]
    if step.op.name == "matmul":
        return (1, 0)[place] if role.adds else (0, None)[place]
    if role.adds:
        return 0 if place == 0 else None
    return 0 if len(x.shape) == len(step.out.shape) and x.shape[0] == role.rows else None


def _product(step: Step) -> Role | None:
    """Only of thin matrices: for others BLAS has blocks of its own."""
    a, b = step.inputs
    if not (len(a.shape) == len(b.shape) == 2 and _is_float(a, b, step.out)):
        return None
    (n, k), m = a.shape, b.shape[1]
    if k >= n and min(n, m) <= _THIN and n * m <= _SMALL:
        return Role(k, True)
    return Role(n, False) if min(k, m) <= _THIN and n > 1 else None


def _is_sum(step: Step) -> bool:
    x, settings = step.inputs[0], step.settings
    if not x.shape or x.shape[0] < 2 or not _is_float(x, step.out):
        return False
    if step.op.name in ("sum_of_squares", "sum_of_sizes"):
        return step.inputs[1].shape == ()
    if settings["keepdims"] or settings.get("dtype") is not None:
        return False
    everything = settings["axis"] in (None, tuple(range(len(x.shape)))) or (len(x.shape) == 1 and settings["axis"] == 0)
    return everything or (step.op.name == "sum" and len(x.shape) == 2 and settings["axis"] in (0, (0,)))


def _is_float(*values: Value) -> bool:
    return all(x.dtype == values[0].dtype and x.dtype.kind == "f" and x.dtype.itemsize > 2 for x in values)
