"""Operations that join arrays side by side, cut them into parts, and bring several to one shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..domain import REAL, case, integers
from ..op import expression, op
from .arranging import moveaxis
from .placing import take
from .seen import by_numbers
from .seen import values as numbers
from .shape import as_array, broadcast_to, concat, reshape, stack

# ----------------------------------------------------------------------------------------- to one shape


@expression(cases=(case(()), case((2,), ())))
def atleast_1d(*arrays):
    """Each array with at least one axis: one array for one, a tuple for several. Slope: 1 for each element, wherever it goes.

    >>> atleast_1d(Tensor(1.0))
    Tensor([1.])
    """
    return _each(arrays, lambda x: reshape(x, shape=(1,)) if x.ndim == 0 else x)


@expression(cases=(case((3,)), case((2,), ())))
def atleast_2d(*arrays):
    """Each array with at least two axes; new ones come first. One array for one, a tuple for several. Slope: 1 for each element, wherever it goes.

    >>> atleast_2d(Tensor([1.0, 2.0]))
    Tensor([[1., 2.]])
    """
    return _each(arrays, lambda x: reshape(x, shape=(1,) * (2 - x.ndim) + x.shape) if x.ndim < 2 else x)


@expression(cases=(case((2, 3)), case((3,)), case(()), case((2, 1, 1, 2), ())))
def atleast_3d(*arrays):
    """Each array with at least three axes: (n,) becomes (1, n, 1), and (n, m) becomes (n, m, 1). Slope: 1 for each element, wherever it goes.

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
    """All arrays repeated to the one shape that they broadcast to, as a tuple; nothing is copied. Slope: 1 for each copy of an element.

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

    Slope: 1 for each copy of an element.

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
    """Arrays joined along the first axis, vectors as rows. Slope: 1 for each element, wherever it goes.

    >>> vstack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])])
    Tensor([[1., 2.],
            [3., 4.]])
    """
    return concat([atleast_2d(x) for x in arrays], axis=0)


@expression(cases=(case((2, 3), (2, 1)), case((3,), (2,)), case((), ())), sequence=True)
def hstack(arrays):
    """Arrays joined along the second axis, vectors end to end. Slope: 1 for each element, wherever it goes.

    >>> hstack([Tensor([1.0, 2.0]), Tensor([3.0])])
    Tensor([1., 2., 3.])
    """
    parts = [atleast_1d(x) for x in arrays]
    return concat(parts, axis=0 if parts and parts[0].ndim == 1 else 1)


@expression(cases=(case((2, 3), (2, 3)), case((3,), (3,)), case((2, 3, 1), (2, 3, 2))), sequence=True)
def dstack(arrays):
    """Arrays joined along the third axis. Slope: 1 for each element, wherever it goes.

    >>> dstack([Tensor([1.0]), Tensor([2.0])])
    Tensor([[[1., 2.]]])
    """
    return concat([atleast_3d(x) for x in arrays], axis=2)


@expression(cases=(case((3,), (3, 2)), case((2,), (2,)), case((), ())), sequence=True)
def column_stack(arrays):
    """Arrays joined along the second axis, vectors as columns. Slope: 1 for each element, wherever it goes.

    >>> column_stack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])])
    Tensor([[1., 3.],
            [2., 4.]])
    """
    parts = (as_array(x) for x in arrays)
    return concat([x if x.ndim > 1 else reshape(x, shape=(x.size, 1)) for x in parts], axis=1)


@expression(cases=(case((2, 3), (2,)), case((2, 3), (1, 3), axis=0), case((), ())))
def append(x, values, axis=None):
    """``values`` joined to the end of x along ``axis``; by default, both are flattened. Slope: 1 for each element, wherever it goes.

    >>> append(Tensor([1.0, 2.0]), 3.0)
    Tensor([1., 2., 3.])
    """
    return concat([x, values], axis=axis)


_INSERTED = (case((5,), (), ()), case((4,), (2,), (2,)), case((2, 3), (), (2,), axis=1), case((3, 2), (2,), (2, 2), axis=0))


@expression(domain=[REAL, integers(0, 3), REAL], cases=_INSERTED)
def insert(x, obj, values, axis=None):
    """x with ``values`` put in along ``axis`` (by default, of the flat array) before the places ``obj``: one, several, a slice or a mask.

    Places are those of x as it was. The result has a dtype that holds both. Slopes: 1 for each element, at the place where it now is.

    >>> insert(Tensor([1.0, 2.0]), 1, Tensor([8.0, 9.0]))
    Tensor([1., 8., 9., 2.])
    """
    x, values = as_array(x), as_array(values)
    x, axis = (reshape(x, shape=(-1,)), 0) if axis is None else (x, normalize_axis_index(axis, x.ndim, "insert"))
    n = x.shape[axis]
    places = np.arange(n)[obj] if isinstance(obj, slice) else numbers(as_array(obj))
    places = np.flatnonzero(places) if places.dtype == np.bool_ else places
    count = places.size
    if count == 1:  # then any number of values goes there
        values = reshape(values, shape=(1,) * (x.ndim - values.ndim) + values.shape)
        if places.ndim == 0:
            values = moveaxis(values, 0, axis)
        count = values.shape[axis]
    try:
        order = _order(places, n=n, count=count)
        values = broadcast_to(values, shape=(*x.shape[:axis], count, *x.shape[axis + 1 :]))
    except (IndexError, ValueError) as error:
        raise type(error)(f"insert: {error}. Got x of shape {x.shape}, values of shape {values.shape}, axis={axis}, obj={obj!r}.") from None
    return take(concat([x, values], axis=axis), order, axis=axis)


@by_numbers
def _order(places: Any, *, n: int, count: int) -> Any:
    """Numbers from 0 to n, with ``count`` further ones before ``places``."""
    return np.insert(np.arange(n), places if places.size else [], np.arange(n, n + count))


@expression(cases=(case((5,), obj=1), case((2, 4), obj=[0, -1], axis=1), case((3, 2), obj=slice(None, 2), axis=0), case((2, 2), obj=3)))
def delete(x, obj, axis=None):
    """x without the places ``obj`` along ``axis`` (by default, of the flat array): one, several, a slice or a mask. Slope: 1 for what stays.

    >>> delete(Tensor([1.0, 2.0, 3.0]), 1)
    Tensor([1., 3.])
    """
    x = as_array(x)
    n = x.size if axis is None else x.shape[normalize_axis_index(axis, x.ndim, "delete")]
    try:
        kept = np.delete(np.arange(n), obj)
    except (IndexError, ValueError) as error:
        raise type(error)(f"delete: {error}. Got x of shape {x.shape}, axis={axis}, obj={obj!r}.") from None
    return take(x, kept, axis=axis)


@expression(cases=[])
def block(arrays):
    """Arrays in nested lists laid side by side: the innermost lists along the last axis, those around them along the one before, and so on.

    Slope: 1 for each element.

    >>> block([[Tensor([1.0]), Tensor([2.0])], [Tensor([3.0, 4.0])]])
    Tensor([[1., 2.],
            [3., 4.]])
    """
    depth, ndim = _nested(arrays)
    return _joined(arrays, depth, max(depth, ndim))


def _nested(arrays: Any) -> tuple[int, int]:
    """How deep the lists are, and how many axes an array in them has at most."""
    if not isinstance(arrays, list):
        return 0, as_array(arrays).ndim
    found = [_nested(part) for part in arrays]
    if not found or len({depth for depth, _ in found}) > 1:
        raise ValueError("block: lists must hold something, and all be nested equally deep.")
    return found[0][0] + 1, max(ndim for _, ndim in found)


def _joined(arrays: Any, depth: int, ndim: int) -> Any:
    if depth == 0:
        x = as_array(arrays)
        return reshape(x, shape=(1,) * (ndim - x.ndim) + x.shape)
    return concat([_joined(part, depth - 1, ndim) for part in arrays], axis=-depth)


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
    """x cut along ``axis`` into so many equal parts, or at the places given: a tuple of arrays. Slope: 1 for each element, wherever it goes.

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

    Slope: 1 for each element, wherever it goes.

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
    """x cut along the second axis, a vector along its only one. Slope: 1 for each element, wherever it goes.

    >>> hsplit(Tensor([[1.0, 2.0]]), 2)
    (Tensor([[1.]]), Tensor([[2.]]))
    """
    x = as_array(x)
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


@expression(cases=(case((4, 2), indices_or_sections=2),))
def vsplit(x, indices_or_sections):
    """x cut along the first of at least two axes. Slope: 1 for each element, wherever it goes.

    >>> vsplit(Tensor([[1.0], [2.0]]), 2)
    (Tensor([[1.]]), Tensor([[2.]]))
    """
    return _split_deep(x, indices_or_sections, 0, 2, "vsplit")


@expression(cases=(case((1, 2, 4), indices_or_sections=[1, 2]),))
def dsplit(x, indices_or_sections):
    """x cut along the third axis. Slope: 1 for each element, wherever it goes.

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

    Slope: 1 for each element, wherever it goes.

    >>> unstack(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    (Tensor([1., 2.]), Tensor([3., 4.]))
    """
    return tuple(np.moveaxis(x, axis, 0))


unstack.defvjp(lambda g, out, x, axis: stack(g, axis=axis))
