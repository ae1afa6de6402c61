"""Operations that join arrays side by side, cut them into parts, and bring several to one shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..domain import case
from ..op import expression, op
from .shape import as_array, broadcast_to, concat, reshape, stack

# ----------------------------------------------------------------------------------------- to one shape


@expression(cases=(case(()), case((2,), ())))
def atleast_1d(*arrays):
    """Each array with at least one axis: one array for one, a tuple for several.

    >>> atleast_1d(Tensor(1.0))
    Tensor([1.])
    """
    return _each(arrays, lambda x: reshape(x, shape=(1,)) if x.ndim == 0 else x)


@expression(cases=(case((3,)), case((2,), ())))
def atleast_2d(*arrays):
    """Each array with at least two axes; new ones come first. One array for one, a tuple for several.

    >>> atleast_2d(Tensor([1.0, 2.0]))
    Tensor([[1., 2.]])
    """
    return _each(arrays, lambda x: reshape(x, shape=(1,) * (2 - x.ndim) + x.shape) if x.ndim < 2 else x)


@expression(cases=(case((2, 3)), case((3,)), case(()), case((2, 1, 1, 2), ())))
def atleast_3d(*arrays):
    """Each array with at least three axes: (n,) becomes (1, n, 1), and (n, m) becomes (n, m, 1).

    >>> atleast_3d(Tensor([1.0, 2.0])).shape
    (1, 2, 1)
    """
    added = {0: lambda x: (1, 1, 1), 1: lambda x: (1, x.size, 1), 2: lambda x: (*x.shape, 1)}
    return _each(arrays, lambda x: reshape(x, shape=added[x.ndim](x)) if x.ndim in added else x)


def _each(arrays: Any, change: Any) -> Any:
    changed = tuple(change(as_array(x)) for x in arrays)
    return changed[0] if len(changed) == 1 else changed


@expression(cases=(case((2, 1), (3,)), case((), (2,), (1, 1)), case((2, 3))))
def broadcast_arrays(*arrays):
    """All arrays repeated to the one shape that they broadcast to, as a tuple; nothing is copied.

    >>> broadcast_arrays(Tensor([1.0, 2.0]), Tensor(3.0))
    (Tensor([1., 2.]), Tensor([3., 3.]))
    """
    arrays = tuple(as_array(x) for x in arrays)
    try:
        shape = np.broadcast_shapes(*(x.shape for x in arrays))
    except ValueError as error:
        raise ValueError(f"broadcast_arrays: {error} Sizes, aligned from the right, must be equal or 1.") from None
    return tuple(x if x.shape == shape else broadcast_to(x, shape=shape) for x in arrays)


@expression(cases=(case((2,), (3,)), case((2,), (3,), (1,), indexing="ij"), case((2,), (), sparse=True), case((2,))))
def meshgrid(*arrays, copy=True, sparse=False, indexing="xy"):
    """Coordinates of a grid: one array for each axis, of the grid's shape (``sparse``: of a shape that broadcasts to it).

    With ``indexing="xy"`` the first array runs along the second axis, as in pictures; with ``"ij"`` along the first.
    ``copy`` is NumPy's and says nothing here.

    >>> meshgrid(Tensor([1.0, 2.0]), Tensor([3.0]))
    (Tensor([[1., 2.]]), Tensor([[3., 3.]]))
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing={indexing!r}; it must be 'xy' or 'ij'.")
    n = len(arrays)
    places = list(range(n))
    if indexing == "xy" and n > 1:
        places[:2] = [1, 0]
    axes = tuple(_along(as_array(x), place, n) for x, place in zip(arrays, places, strict=True))
    return axes if sparse or not axes else broadcast_arrays(*axes)


def _along(x: Any, place: int, ndim: int) -> Any:
    if x.ndim > 1:
        raise ValueError(f"meshgrid: an array of shape {x.shape} has more than one axis; coordinates are vectors or numbers.")
    return reshape(x, shape=(1,) * place + (x.size,) + (1,) * (ndim - place - 1))


# ------------------------------------------------------------------------------------------------ joined


@expression(cases=(case((2, 3), (1, 3)), case((3,), (3,)), case((), ())), sequence=True)
def vstack(arrays):
    """Arrays joined along the first axis, vectors as rows.

    >>> vstack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])])
    Tensor([[1., 2.],
            [3., 4.]])
    """
    return concat([atleast_2d(x) for x in arrays], axis=0)


@expression(cases=(case((2, 3), (2, 1)), case((3,), (2,)), case((), ())), sequence=True)
def hstack(arrays):
    """Arrays joined along the second axis, vectors end to end.

    >>> hstack([Tensor([1.0, 2.0]), Tensor([3.0])])
    Tensor([1., 2., 3.])
    """
    parts = [atleast_1d(x) for x in arrays]
    return concat(parts, axis=0 if parts and parts[0].ndim == 1 else 1)


@expression(cases=(case((2, 3), (2, 3)), case((3,), (3,)), case((2, 3, 1), (2, 3, 2))), sequence=True)
def dstack(arrays):
    """Arrays joined along the third axis.

    >>> dstack([Tensor([1.0]), Tensor([2.0])])
    Tensor([[[1., 2.]]])
    """
    return concat([atleast_3d(x) for x in arrays], axis=2)


@expression(cases=(case((3,), (3, 2)), case((2,), (2,)), case((), ())), sequence=True)
def column_stack(arrays):
    """Arrays joined along the second axis, vectors as columns.

    >>> column_stack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])])
    Tensor([[1., 3.],
            [2., 4.]])
    """
    parts = (as_array(x) for x in arrays)
    return concat([x if x.ndim > 1 else reshape(x, shape=(x.size, 1)) for x in parts], axis=1)


@expression(cases=(case((2, 3), (2,)), case((2, 3), (1, 3), axis=0), case((), ())))
def append(x, values, axis=None):
    """``values`` joined to the end of x along ``axis``; by default, both are flattened.

    >>> append(Tensor([1.0, 2.0]), 3.0)
    Tensor([1., 2., 3.])
    """
    return concat([x, values], axis=axis)


# --------------------------------------------------------------------------------------------------- cut


@op(
    cases=(
        case((4, 3), indices_or_sections=2),
        case((4, 3), indices_or_sections=[1], axis=1),
        case((5,), indices_or_sections=(1, 1, 7)),
        case((4,), indices_or_sections=[-1]),
    ),
    fits="x is cut into equal parts, whose number must divide the size along axis, or at places that do not decrease",
)
def split(x, *, indices_or_sections, axis=0):
    """x cut along ``axis`` into so many equal parts, or at the places given: a tuple of arrays.

    >>> split(Tensor([1.0, 2.0, 3.0]), [1])
    (Tensor([1.]), Tensor([2., 3.]))
    """
    x = np.asarray(x)
    parts = tuple(np.split(x, indices_or_sections, axis))
    if np.add.reduce([part.shape[axis] for part in parts]) != x.shape[axis]:
        raise ValueError("the parts would overlap")
    return parts


split.defvjp(lambda g, out, x, indices_or_sections, axis: concat(g, axis=axis))


@expression(cases=(case((5, 2), indices_or_sections=3), case((2, 4), indices_or_sections=[1, 3], axis=-1), case((2,), indices_or_sections=3)))
def array_split(x, indices_or_sections, axis=0):
    """x cut along ``axis`` into so many parts, of which the first may have one element more, or at the places given.

    >>> array_split(Tensor([1.0, 2.0, 3.0]), 2)
    (Tensor([1., 2.]), Tensor([3.]))
    """
    x = as_array(x)
    if np.ndim(indices_or_sections) == 0:
        count, n = int(indices_or_sections), x.shape[normalize_axis_index(axis, x.ndim, "array_split")]
        if count < 1:
            raise ValueError(f"array_split: {count} parts of shape {x.shape}; there must be at least one.")
        indices_or_sections = [i * (n // count) + min(i, n % count) for i in range(1, count)]
    return split(x, indices_or_sections, axis)


@expression(cases=(case((3, 4), indices_or_sections=2), case((4,), indices_or_sections=[1])))
def hsplit(x, indices_or_sections):
    """x cut along the second axis, a vector along its only one.

    >>> hsplit(Tensor([[1.0, 2.0]]), 2)
    (Tensor([[1.]]), Tensor([[2.]]))
    """
    x = as_array(x)
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


@expression(cases=(case((4, 2), indices_or_sections=2),))
def vsplit(x, indices_or_sections):
    """x cut along the first of at least two axes.

    >>> vsplit(Tensor([[1.0], [2.0]]), 2)
    (Tensor([[1.]]), Tensor([[2.]]))
    """
    return _split_deep(x, indices_or_sections, 0, 2, "vsplit")


@expression(cases=(case((1, 2, 4), indices_or_sections=[1, 2]),))
def dsplit(x, indices_or_sections):
    """x cut along the third axis.

    >>> dsplit(Tensor([[[1.0, 2.0]]]), 2)
    (Tensor([[[1.]]]), Tensor([[[2.]]]))
    """
    return _split_deep(x, indices_or_sections, 2, 3, "dsplit")


def _split_deep(x: Any, places: Any, axis: int, least: int, name: str) -> Any:
    x = as_array(x)
    if x.ndim < least:
        raise ValueError(f"{name}: an array of shape {x.shape} has {x.ndim} axes, and {least} are needed. Use split with axis=.")
    return split(x, places, axis)


@op(cases=(case((2, 3)), case((2, 3, 2), axis=-1), case((3,))), fits="axis must be one existing axis")
def unstack(x, *, axis=0):
    """The parts of x at each place along ``axis``, without that axis: a tuple of arrays. The mirror of stack.

    >>> unstack(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    (Tensor([1., 2.]), Tensor([3., 4.]))
    """
    return tuple(np.moveaxis(x, axis, 0))


unstack.defvjp(lambda g, out, x, axis: stack(g, axis=axis))
