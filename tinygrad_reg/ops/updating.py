"""Arrays with a part replaced, in place of ``x[key] = values`` and its like: values never change, so each gives a new array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..domain import BOOLEAN, REAL, case, integers
from ..op import expression, op
from .arranging import ravel
from .choice import where
from .indexing import FITS, KEYS, add_at, getitem, repeats
from .placing import take
from .seen import by_numbers
from .seen import values as values_of
from .shape import as_array, broadcast_to, reshape

_FITS = FITS + ", and values must broadcast to x[key]"
_UPDATES = (
    *(case(c.shapes[0], np.zeros(c.shapes[0])[c.settings["key"]].shape, **c.settings) for c in KEYS),
    case((3, 4), (), key=1),
    case((3, 4), (4,), key=np.array([0, 2, 0])),
)


@op(label="[ ] =", cases=(*_UPDATES, case((3, 4), (1, 4), key=0)), fits=_FITS)
def index_set(x, values, *, key):
    """x with ``values`` at ``key``, as after ``x[key] = values``; of several values for one place the last counts.

    Slope in x: 1 where it stays, 0 where it was replaced; in values: 1 where it counts.

    >>> index_set(Tensor([1.0, 2.0, 3.0]), 9.0, key=1)
    Tensor([1., 9., 3.])
    """
    out = np.array(x, np.result_type(x, values), order="C")
    out[key] = values
    return out


def _set_values(g, out, x, values, key):
    g = getitem(g, key=key)
    return _led(where(_counts(key, x.shape), g, 0) if repeats(key) else g, values)


index_set.defvjp(lambda g, out, x, values, key: index_set(g, 0, key=key), _set_values)


@op(label="[ ] +=", cases=_UPDATES, fits=_FITS)
def index_add(x, values, *, key):
    """x with ``values`` added at ``key``; several values for one place add up. Slope: 1 in x and in values.

    >>> index_add(Tensor([1.0, 2.0, 3.0]), [10.0, 20.0], key=[0, 0])
    Tensor([31.,  2.,  3.])
    """
    out = np.array(x, np.result_type(x, values), order="C")
    if repeats(key):
        add_at(out, key, values)
    else:
        out[key] += values
    return out


index_add.defvjp(lambda g, out, x, values, key: g, lambda g, out, x, values, key: getitem(g, key=key))


def _counts(key: Any, shape: tuple[int, ...]) -> Any:
    """Which of the values for ``key`` is the last for its place."""
    places = np.arange(int(np.prod(shape))).reshape(shape)[key]
    order = np.arange(places.size).reshape(places.shape)
    stamped = np.zeros(shape, np.intp)
    stamped[key] = order
    return stamped[key] == order


def _led(g: Any, values: Any) -> Any:
    """NumPy lets the values have more leading axes of size 1 than the places have."""
    return g if g.ndim >= values.ndim else reshape(g, shape=(1,) * (values.ndim - g.ndim) + g.shape)


# ------------------------------------------------------------------------------------------------ by a mask

_MASKS = (case((2, 3), (2, 3)), case((2, 3), (3,)), case((3,), (2, 1)), case((), ()), case((0,), (0,)))


@expression(domain=[REAL, BOOLEAN, REAL], cases=tuple(case(*c.shapes, ()) for c in _MASKS))
def masked_fill(x, mask, value):
    """x with ``value`` wherever ``mask`` holds. Slopes: 1 in x where ``mask`` does not hold, 1 in value where it does.

    >>> masked_fill(Tensor([1.0, 2.0]), Tensor([True, False]), 0.0)
    Tensor([0., 2.])
    """
    return where(mask, value, x)


@op(domain=[REAL, BOOLEAN], cases=_MASKS, fits="the shapes of x and of mask, of yes and no, must broadcast")
def masked_select(x, mask):
    """The elements of x where ``mask`` holds, along one axis. Slope: 1 for those.

    >>> masked_select(Tensor([1.0, 2.0, 3.0]), [True, False, True])
    Tensor([1., 3.])
    """
    x, mask = np.broadcast_arrays(x, _yes_or_no(mask))
    return x[mask]


@op(
    domain=[REAL, BOOLEAN],
    cases=(case((6,), (2, 3)), case((9,), (2, 3)), case((1,), ())),
    fits="x must be flat, with an element for each yes of mask",
)
def select_back(x, mask):
    """Zeros of the shape of ``mask``, with the elements of x where it holds, as far as they are needed. The mirror of masked_select.

    Slope: 1 for the elements that are used.

    >>> select_back(Tensor([1.0, 3.0]), [True, False, True])
    Tensor([1., 0., 3.])
    """
    x, mask = np.asarray(x), _yes_or_no(mask)
    out, count = np.zeros(mask.shape, x.dtype), np.count_nonzero(mask)
    if x.ndim != 1 or x.size < count:
        raise ValueError(f"the mask holds {count} times")
    out[mask] = x[:count]
    return out


def _yes_or_no(mask: Any) -> Any:
    mask = np.asarray(mask)
    if mask.dtype != np.bool_:
        raise TypeError(f"a mask is made of yes and no (bool), not {mask.dtype}; compare it with something, as in mask > 0")
    return mask


def _selected(g, out, x, mask):
    shape = np.broadcast_shapes(x.shape, mask.shape)
    return select_back(g, mask if mask.shape == shape else broadcast_to(mask, shape=shape))


masked_select.defvjp(_selected, None)
masked_select.shaped_by = lambda settings: (1,)


def _as_needed(g, out, x, mask):
    places, used = _first_places(mask, size=x.size)
    return where(used, take(g, places), 0)


@by_numbers
def _first_places(mask: Any, *, size: int) -> tuple[Any, Any]:
    """The first ``size`` places where a mask holds, and which of these there are."""
    found = np.flatnonzero(mask)[:size]
    return np.pad(found, (0, size - found.size)), np.arange(size) < found.size


select_back.defvjp(_as_needed, None)


@expression(domain=[REAL, BOOLEAN, REAL], cases=(case((2, 3), (2, 3), (7,)), case((2, 3), (3,), (2, 3))))
def masked_scatter(x, mask, source):
    """x with the elements of ``source``, one after the other, wherever ``mask`` holds; those left over are not used.

    Slopes: 1 in x where ``mask`` does not hold, 1 in the elements of ``source`` that are used.

    >>> masked_scatter(Tensor([1.0, 2.0, 3.0]), [True, False, True], Tensor([8.0, 9.0]))
    Tensor([8., 2., 9.])
    """
    x = as_array(x)
    mask = broadcast_to(as_array(mask), shape=x.shape)
    return where(mask, select_back(ravel(source), mask), x)


# ------------------------------------------------------------------------------------- along one axis, and diagonals

_FILLED = (case((3, 2), (2,), (), axis=0), case((2, 3), (2,), (), axis=-1), case((2,), (), (), axis=0))


@expression(domain=[REAL, integers(-2, 2), REAL], cases=_FILLED)
def index_fill(x, indices, value, *, axis):
    """x with the lines ``indices`` along ``axis`` filled with one ``value``. Slopes: 1 in x where it stays; in value 1 for each place filled.

    >>> index_fill(Tensor([1.0, 2.0, 3.0]), [0, 2], 9.0, axis=0)
    Tensor([9., 2., 9.])
    """
    if np.ndim(value):
        raise ValueError(f"index_fill: value has shape {np.shape(value)}; it is one number. For a line of values each use index_copy.")
    return index_set(x, value, key=_along("index_fill", x, indices, axis))


@expression(domain=[REAL, integers(-2, 2), REAL], cases=(case((3, 2), (2,), (2, 2), axis=0), case((2, 3), (3,), (2, 3), axis=-1)))
def index_copy(x, indices, source, *, axis):
    """x with the lines ``indices`` along ``axis`` taken by those of ``source``; of several for one place the last counts.

    Slopes: 1 in x where it stays, and 1 for each element of source that stays, else 0.

    >>> index_copy(Tensor([1.0, 2.0, 3.0]), [2, 0], Tensor([8.0, 9.0]), axis=0)
    Tensor([9., 2., 8.])
    """
    return index_set(x, source, key=_along("index_copy", x, indices, axis))


def _along(name: str, x: Any, indices: Any, axis: int) -> Any:
    """The key for whole lines along an axis."""
    indices = values_of(as_array(indices))
    if indices.ndim > 1 or indices.dtype.kind not in "iu":
        raise ValueError(f"{name}: indices are {indices.dtype} of shape {indices.shape}; give a whole number, or a vector of them.")
    return (slice(None),) * normalize_axis_index(axis, np.ndim(x), name) + (np.atleast_1d(indices),)


@expression(cases=(case((3, 3), ()), case((2, 4), (2,)), case((5, 2), (2,), wrap=True), case((2, 2, 2), ()), case((3, 2), (5,))))
def fill_diagonal(x, values, wrap=False):
    """x with ``values``, as often as they fit, on its main diagonal; with ``wrap`` again and again below it. A new array, unlike NumPy's.

    Slopes: 1 in x off the diagonal, and 1 for each time a value stands on it.

    >>> fill_diagonal(Tensor([[1.0, 2.0], [3.0, 4.0]]), 0.0)
    Tensor([[0., 2.],
            [3., 0.]])
    """
    x, values = as_array(x), as_array(values)
    if x.ndim < 2 or (x.ndim > 2 and len(set(x.shape)) > 1):
        raise ValueError(f"fill_diagonal: x has shape {x.shape}; give a matrix, or an array whose axes are all equal.")
    step = x.shape[1] + 1 if x.ndim == 2 else int(np.sum(np.cumprod((1, *x.shape[:-1]))))
    stop = x.size if x.ndim > 2 or wrap else x.shape[1] * x.shape[1]
    places = np.arange(0, min(stop, x.size), step)
    if values.ndim and places.size:
        values = ravel(values)[np.arange(places.size) % values.size]
    return reshape(index_set(ravel(x), values, key=places), shape=x.shape)
