"""Differences of neighbours along an axis, slopes and areas by them: calculus on samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..domain import REAL, Domain, case
from ..op import expression, op
from .padding import pad
from .reduction import sum
from .scan import cumsum
from .shape import as_array, as_floats, broadcast_to, concat, reshape

_STEPS = (case((5,)), case((2, 4), n=2), case((3, 2), axis=0), case((4,), n=0), case((2, 2), n=2), case((4, 0)), case((5, 2), axis=-2, n=3))


@op(label="Δ", cases=_STEPS, fits="n must be 0 or more, and axis one existing axis")
def differences(x, *, n=1, axis=-1):
    """Each element minus the one before it along ``axis``, n times over: what diff is made of. Slope: 1 and -1.

    >>> differences(Tensor([1.0, 4.0, 9.0]))
    Tensor([3., 5.])
    """
    return np.diff(x, n, axis)


def _differences(g, out, x, n, axis):
    if out.size == 0:
        return None
    width = [(0, 0)] * x.ndim
    width[axis] = (n, n)
    return differences(pad(g, pad_width=tuple(width)), n=n, axis=axis) * (-1) ** n


differences.defvjp(_differences)


@expression(cases=_STEPS)
def diff(x, n=1, axis=-1, prepend=None, append=None):
    """Each element minus the one before it along ``axis``, n times over; ``prepend`` and ``append`` are joined to x first.

    Slope: 1 for the element, -1 for the one before it; so n times over.

    >>> diff(Tensor([1.0, 4.0, 9.0]), prepend=0.0)
    Tensor([1., 3., 5.])
    """
    x = as_array(x)
    if n == 0 or (prepend is None and append is None):  # no differences, no ends: as NumPy has it
        return differences(x, n=n, axis=axis)
    one = tuple(1 if i == normalize_axis_index(axis, x.ndim, "diff") else m for i, m in enumerate(x.shape))
    ends = [None if end is None else as_array(end) for end in (prepend, append)]
    ends = [broadcast_to(end, shape=one) if end is not None and end.ndim == 0 else end for end in ends]
    return differences(concat([part for part in (ends[0], x, ends[1]) if part is not None], axis=axis), n=n, axis=axis)


_AREAS = (case((5,)), case((2, 3), axis=0, dx=0.5), case((4,), (4,)), case((2, 3), (3,)), case((3, 2), (3, 2), axis=0), case((1,)))


@expression(cases=_AREAS)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """Area under the samples y along ``axis``, at the places x or ``dx`` apart, by trapezoids. Slopes in y and in x.

    >>> trapezoid(Tensor([1.0, 2.0, 3.0]))
    Tensor(4.)
    """
    y = as_floats(y)
    axis = normalize_axis_index(axis, y.ndim, "trapezoid")
    return sum(_slices(y, x, dx, axis, "trapezoid"), axis=axis)


@expression(cases=_AREAS)
def cumulative_trapezoid(y, x=None, dx=1.0, axis=-1):
    """Area under the samples y up to each one but the first, along ``axis``, by trapezoids.

    Slopes: in y half of each step at its side that is in the area; in x the mean heights, plus and minus.

    >>> cumulative_trapezoid(Tensor([1.0, 2.0, 3.0]))
    Tensor([1.5, 4. ])
    """
    y = as_floats(y)
    axis = normalize_axis_index(axis, y.ndim, "cumulative_trapezoid")
    return cumsum(_slices(y, x, dx, axis, "cumulative_trapezoid"), axis=axis)


def _slices(y: Any, x: Any, dx: Any, axis: int, name: str) -> Any:
    """The areas between neighbours."""
    before = (slice(None),) * axis
    heights = (y[(*before, slice(1, None))] + y[(*before, slice(None, -1))]) * 0.5
    if x is None:
        return heights * dx
    x = as_floats(x)
    if x.ndim == 1:
        if x.size != y.shape[axis]:
            raise ValueError(f"{name}: x has {x.size} places, and y of shape {y.shape} has {y.shape[axis]} samples along axis {axis}.")
        return heights * reshape(differences(x), shape=(-1, *(1,) * (y.ndim - axis - 1)))
    return heights * differences(x, axis=axis - y.ndim)


_SLOPES = (
    case((5,), ()),
    case((3, 4), ()),
    case((3, 4), (), axis=1, edge_order=2),
    case((2, 3, 2), (), axis=(0, -1)),
    case((5,), (5,)),
    case((2, 4), (4,), axis=1, edge_order=2),
)
_STEP_OR_PLACES = Domain(0.0, open_low=True, matrix="increasing")


@expression(domain=[REAL, _STEP_OR_PLACES], cases=_SLOPES)
def gradient(f, *spacing, axis=None, edge_order=1):
    """Slopes of the samples f along each axis, or along ``axis``: by both neighbours, at the ends by one, or with ``edge_order=2`` by two.

    ``spacing`` is how far apart samples lie, or at which places; one for all axes or one for each. For several axes a tuple.
    Slopes: in f by the formula, Δf/Δx with weights for uneven steps; in the spacing by that formula, too.

    >>> gradient(Tensor([1.0, 4.0, 9.0]))
    Tensor([3., 4., 5.])
    """
    f = as_floats(f)
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: edge_order={edge_order}; it must be 1 or 2.")
    axes = normalize_axis_tuple(range(f.ndim) if axis is None else axis, f.ndim, "gradient")
    if len(spacing) not in (0, 1, len(axes)):
        raise TypeError(f"gradient: {len(spacing)} spacings for {len(axes)} axes; give none, one for all, or one for each.")
    spacing = (*(spacing or (1.0,)),) * (len(axes) if len(spacing) < 2 else 1)
    found = tuple(_slopes(f, k, _spaced(f, step), edge_order) for k, step in zip(axes, spacing, strict=True))
    return found if len(found) != 1 else found[0]


def _spaced(f: Any, step: Any) -> Any:
    """The spacing; a plain number in the dtype of f."""
    return np.asarray(step, f.dtype) if isinstance(step, (int, float)) else as_floats(step)


def _slopes(f: Any, axis: int, step: Any, edge_order: int) -> Any:
    n = f.shape[axis]
    if n <= edge_order:
        raise ValueError(f"gradient: f of shape {f.shape} has {n} samples along axis {axis}; edge_order={edge_order} needs {edge_order + 1}.")
    if step.ndim and step.shape != (n,):
        raise ValueError(f"gradient: spacing of shape {step.shape} for axis {axis} of f of shape {f.shape}; give a number, or {n} places.")
    wide = differences(step) if step.ndim else broadcast_to(step, shape=(n - 1,))
    wide = reshape(wide, shape=(-1, *(1,) * (f.ndim - axis - 1)))
    before = (slice(None),) * axis
    rise = differences(f, axis=axis - f.ndim) / wide  # the slope of each step
    first, last = rise[(*before, slice(1))], rise[(*before, slice(-1, None))]
    if n == 2:
        return concat([first, last], axis=axis)
    w0, w1 = wide[:-1], wide[1:]
    r0, r1 = rise[(*before, slice(None, -1))], rise[(*before, slice(1, None))]
    inner = (r0 * w1 + r1 * w0) / (w0 + w1)
    if edge_order == 2:
        bend = (r1 - r0) / (w0 + w1)  # half of the second derivative
        first = first - bend[(*before, slice(1))] * w0[:1]
        last = last + bend[(*before, slice(-1, None))] * w1[-1:]
    return concat([first, inner, last], axis=axis)
