"""Operations that take elements from computed places, or give back an array with elements put at places.

Values never change in place, so what NumPy and PyTorch write into an array is here a new array. Places are whole numbers, without
a gradient; negative ones count from the end. Where one place is named several times, sums add up, and of plain
assignments the last one counts, for the value as for the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..domain import REAL, case, integers
from ..op import expression, op
from .arranging import ravel
from .choice import where
from .indexing import getitem, put_back
from .shape import as_array, broadcast_to, reshape

PLACES = integers(-2, 2)

# ----------------------------------------------------------------------------------- along one axis, whole

_TAKEN = (
    case((2, 3), (4,)),
    case((2, 3), (2, 2), axis=0),
    case((2, 3, 2), (4,), axis=-2),
    case((3, 2), (), axis=0),
    case((2,), (0,), axis=0),
    case((3,), ()),
)


@op(
    domain=[REAL, PLACES],
    cases=_TAKEN,
    fits="indices must be whole numbers inside the axis, and axis an existing axis or None",
    aliases=("index_select",),
)
def take(x, indices, *, axis=None):
    """The elements of x at the places ``indices`` along ``axis``; by default, of the flat array. Slope: 1 for each time one is taken.

    >>> take(Tensor([1.0, 2.0, 4.0]), [2, 0, 2])
    Tensor([4., 1., 4.])
    """
    return np.take(x, indices, axis)


def _taken(shape: tuple[int, ...], places: tuple[int, ...], axis: Any = None) -> tuple[int, ...]:
    return np.take(np.zeros(shape), np.zeros(places, int), axis).shape


@op(
    domain=[REAL, PLACES],
    cases=tuple(case(_taken(c.shapes[0], c.shapes[1], **c.settings), c.shapes[1], shape=c.shapes[0], **c.settings) for c in _TAKEN),
    fits="x must have the shape of what is taken at indices from an array of that shape",
)
def take_back(x, indices, *, shape, axis=None):
    """Zeros of ``shape`` with x added at the places ``indices`` along ``axis``. The mirror of take. Slope: 1 for each element.

    >>> take_back(Tensor([1.0, 2.0, 4.0]), [2, 0, 2], shape=(3,))
    Tensor([2., 0., 5.])
    """
    if axis is None:
        return np.reshape(put_back.forward(x, key=np.asarray(indices), shape=(int(np.prod(shape)),)), shape)
    axis = normalize_axis_index(axis, len(shape))
    return put_back.forward(x, key=(slice(None),) * axis + (np.asarray(indices),), shape=shape)


take.defvjp(lambda g, out, x, indices, axis: take_back(g, indices, shape=x.shape, axis=axis), None)
take_back.defvjp(lambda g, out, x, indices, shape, axis: take(g, indices, axis=axis), None)

# ------------------------------------------------------------------------- along one axis, each its own place

ALONG = "indices must be whole numbers inside the axis, with as many axes as x, and along the others no longer than x"
_GATHERED = (
    case((2, 3), (2, 3), axis=0),
    case((3, 2), (2, 4), axis=-1),
    case((2, 3), (1, 2), axis=0),
    case((3,), (0,), axis=0),
    case((2, 2, 2), (2, 1, 2), axis=1),
)


def _flat(indices: Any, shape: tuple[int, ...], axis: int) -> Any:
    """Places in the flat array, for places along one axis of an array of ``shape``."""
    indices = np.asarray(indices)
    axis = normalize_axis_index(axis, len(shape) or 1)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"indices of dtype {indices.dtype} name no places")
    if indices.ndim != len(shape) or any(m > n for i, (m, n) in enumerate(zip(indices.shape, shape, strict=True)) if i != axis):
        raise ValueError(f"indices of shape {indices.shape} do not fit an array of shape {shape}")
    n = shape[axis] if shape else 1
    if indices.size and (indices.min() < -n or indices.max() >= n):
        raise IndexError(f"some of indices, {indices.min()} to {indices.max()}, lie outside of axis {axis} with size {n}")
    steps = [int(np.prod(shape[i + 1 :])) for i in range(len(shape))]
    indices = indices.astype(np.intp)
    places = (indices + n * (indices < 0)) * (steps[axis] if shape else 1)
    for i, m in enumerate(indices.shape):
        if i != axis:
            places = places + (np.arange(m) * steps[i]).reshape(-1, *(1,) * (len(shape) - i - 1))
    return places


@op(domain=[REAL, PLACES], cases=_GATHERED, fits=ALONG)
def gather(x, indices, *, axis):
    """Of each line of x along ``axis``, the elements at the places that the same line of ``indices`` names.

    As ``torch.gather``: lines of x beyond those of ``indices`` are left out. Slope: 1 for each time an element is taken.

    >>> gather(Tensor([[1.0, 2.0], [3.0, 4.0]]), [[1], [0]], axis=1)
    Tensor([[2.],
            [3.]])
    """
    x = np.asarray(x)
    return x.reshape(-1)[_flat(indices, x.shape, axis)]


@op(domain=[REAL, PLACES], cases=tuple(case(c.shapes[1], c.shapes[1], shape=c.shapes[0], **c.settings) for c in _GATHERED), fits=ALONG)
def gather_back(x, indices, *, shape, axis):
    """Zeros of ``shape`` with x added at the places ``indices`` along ``axis``. The mirror of gather. Slope: 1 for each element.

    >>> gather_back(Tensor([[1.0, 2.0]]), [[2, 2]], shape=(1, 3), axis=1)
    Tensor([[0., 0., 3.]])
    """
    x, places = np.asarray(x), _flat(indices, shape, axis)
    out = np.zeros(shape, x.dtype)
    np.add.at(out.reshape(-1), places.reshape(-1), np.broadcast_to(x, places.shape).reshape(-1))
    return out


gather.defvjp(lambda g, out, x, indices, axis: gather_back(g, indices, shape=x.shape, axis=axis), None)
gather_back.defvjp(lambda g, out, x, indices, shape, axis: gather(g, indices, axis=axis), None)

_PUT = tuple(case(*c.shapes, c.shapes[1], **c.settings) for c in _GATHERED)


@op(domain=[REAL, PLACES, REAL], cases=(*_PUT, case((2, 3), (2, 2), (), axis=1)), fits=ALONG + "; values must broadcast to the shape of indices")
def put_along(x, indices, values, *, axis):
    """x with the places ``indices`` along ``axis`` taken by ``values``: what scatter and put_along_axis are made of.

    Slopes: 1 in x where nothing is put, and 1 for each value that stays, else 0.

    >>> put_along(Tensor([1.0, 2.0, 3.0]), [2, 0], Tensor([8.0, 9.0]), axis=0)
    Tensor([9., 2., 8.])
    """
    places = _flat(indices, np.shape(x), axis)
    out = np.array(x, np.result_type(x, values), order="C")
    out.reshape(-1)[places] = values
    return out


@op(domain=[PLACES], cases=tuple(case(c.shapes[1], shape=c.shapes[0], **c.settings) for c in _GATHERED), fits=ALONG)
def last_write(indices, *, shape, axis):
    """Whether each of ``indices`` is the last that names its place along ``axis`` of an array of ``shape``. No gradient.

    >>> last_write([2, 0, 2], shape=(3,), axis=0)
    array([False,  True,  True])
    """
    return _lasting(_flat(indices, shape, axis), shape)


def _lasting(places: Any, shape: tuple[int, ...]) -> Any:
    order = np.arange(np.size(places)).reshape(np.shape(places))
    stamped = np.zeros(int(np.prod(shape)), np.intp)
    stamped[places] = order
    return stamped[places] == order


put_along.defvjp(
    lambda g, out, x, indices, values, axis: put_along(g, indices, 0, axis=axis),
    None,
    lambda g, out, x, indices, values, axis: where(last_write(indices, shape=x.shape, axis=axis), gather(g, indices, axis=axis), 0),
)


def _cut(values: Any, indices: Any) -> Any:
    """Values beyond those of ``indices`` are left out, as in PyTorch."""
    shape, wanted = np.shape(values), indices.shape
    if len(shape) != len(wanted) or shape == wanted or any(m < n for m, n in zip(shape, wanted, strict=True)):
        return values
    return getitem(values, key=tuple(slice(n) for n in wanted))


@expression(domain=[REAL, PLACES, REAL], cases=(*_PUT, case((2, 3), (2, 2), (3, 3), axis=1), case((2, 3), (2, 2), (), axis=1)))
def scatter(x, indices, values, *, axis):
    """x with, in each line along ``axis``, the places that ``indices`` names taken by ``values``. The opposite of gather.

    ``values`` is a number, or at least as large as ``indices``. Of several for one place the last counts.

    Slopes: 1 in x where nothing is put, and 1 for each value that stays, else 0.

    >>> scatter(Tensor([[1.0, 2.0], [3.0, 4.0]]), [[1], [0]], 9.0, axis=1)
    Tensor([[1., 9.],
            [9., 4.]])
    """
    indices = as_array(indices)
    return put_along(x, indices, _cut(values, indices), axis=axis)


@expression(domain=[REAL, PLACES, REAL], cases=(*_PUT, case((2, 3), (2, 2), (3, 3), axis=1), case((2, 3), (2, 2), (), axis=1)))
def scatter_add(x, indices, values, *, axis):
    """x with ``values`` added, in each line along ``axis``, at the places that ``indices`` names; several for one place add up.

    Slopes: 1 in x and in values.

    >>> scatter_add(Tensor([1.0, 2.0]), [0, 0, 1], Tensor([1.0, 2.0, 3.0]), axis=0)
    Tensor([4., 5.])
    """
    x, indices = as_array(x), as_array(indices)
    values = broadcast_to(as_array(_cut(values, indices)), shape=indices.shape)
    return x + gather_back(values, indices, shape=x.shape, axis=axis)


_NUMPYS = (case((2, 3), (2, 2), axis=1), case((2, 3), (1, 3), axis=0), case((2, 3), (4, 1), axis=0), case((2, 3), (5,), axis=None))


@expression(domain=[REAL, PLACES], cases=_NUMPYS, aliases=("take_along_dim",))
def take_along_axis(x, indices, axis=-1):
    """Of each line of x along ``axis``, the elements at the places in ``indices``, which broadcasts along the other axes.

    Slope: 1 for each time an element is taken.

    >>> take_along_axis(Tensor([[1.0, 2.0], [3.0, 4.0]]), [[1]], axis=1)
    Tensor([[2.],
            [4.]])
    """
    x, indices, axis = _lines(x, indices, axis, "take_along_axis")
    return gather(x, indices, axis=axis)


@expression(domain=[REAL, PLACES, REAL], cases=tuple(case(*c.shapes, (), **c.settings) for c in _NUMPYS[:3]))
def put_along_axis(x, indices, values, axis=-1):
    """x with the places ``indices`` along ``axis`` taken by ``values``; both broadcast along the other axes. A new array, unlike NumPy's.

    Slopes: 1 in x where nothing is put, and 1 for each value that stays, else 0.

    >>> put_along_axis(Tensor([[1.0, 2.0], [3.0, 4.0]]), [[1]], 0.0, axis=1)
    Tensor([[1., 0.],
            [3., 0.]])
    """
    shape = np.shape(x)
    x, indices, axis = _lines(x, indices, axis, "put_along_axis")
    return reshape(put_along(x, indices, values, axis=axis), shape=shape)


def _lines(x: Any, indices: Any, axis: Any, name: str) -> tuple[Any, Any, int]:
    """x and indices with as many lines along axis."""
    x, indices = as_array(x), as_array(indices)
    if axis is None:
        return ravel(x), indices, 0
    axis = normalize_axis_index(axis, x.ndim, name)
    if indices.ndim != x.ndim:
        raise ValueError(f"{name}: x has shape {x.shape} and indices have shape {indices.shape}; they must have as many axes.")
    sizes = [1 if i == axis else n for i, n in enumerate(x.shape)], [1 if i == axis else n for i, n in enumerate(indices.shape)]
    try:
        shape = list(np.broadcast_shapes(*map(tuple, sizes)))
    except ValueError:
        raise ValueError(f"{name}: shapes {x.shape} of x and {indices.shape} of indices must broadcast, but for axis {axis}.") from None
    spread = [[*shape[:axis], y.shape[axis], *shape[axis + 1 :]] for y in (x, indices)]
    return broadcast_to(x, shape=tuple(spread[0])), broadcast_to(indices, shape=tuple(spread[1])), axis
