"""Operations that put elements in order, or ask for the order: sorting, largest elements, searching.

Sorting is stable, and the gradient of each sorted element goes to the element that it is: of equal ones, in their order. NaN
counts as larger than every number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..domain import REAL, case, integers
from ..op import expression, op
from .placing import gather_back, take, take_along_axis
from .shape import as_array, expand_dims, reshape

AXIS = "axis must be one existing axis, or None for the flat array"
_SORTS = (
    case((5,)),
    case((3, 4), axis=0),
    case((2, 3, 2), axis=1, descending=True),
    case((2, 3), axis=None),
    case((0, 2), axis=0),
    case((1,), descending=True),
    case((3, 2), stable=False),
)


@op(domain=[REAL.with_ties()], cases=_SORTS, fits=AXIS)
def sort(x, *, axis=-1, kind=None, descending=False, stable=True):
    """The elements along ``axis`` from the smallest to the largest, or in ``descending`` order. Always stable; ``kind`` is NumPy's.

    Slope: 1 for each element, wherever it goes; equal ones keep their order.

    >>> sort(Tensor([3.0, 1.0, 2.0]))
    Tensor([1., 2., 3.])
    """
    x, axis = _line(x, axis)
    x = np.sort(x, axis)  # of equal elements the order cannot be seen in the values
    return np.flip(x, axis) if descending else x


@op(domain=[REAL.with_ties()], cases=_SORTS, fits=AXIS)
def argsort(x, *, axis=-1, kind=None, descending=False, stable=True):
    """The places of the elements along ``axis`` from the smallest to the largest, equal ones in their order. No gradient.

    >>> argsort(Tensor([3.0, 1.0, 2.0]))
    Tensor([1, 2, 0])
    """
    x, axis = _line(x, axis)
    if not descending:
        return _stable_order(x, axis)
    return x.shape[axis] - 1 - np.flip(_stable_order(np.flip(x, axis), axis), axis)


MANY = 1 << 12


def _stable_order(x: Any, axis: int) -> Any:
    """np.argsort that leaves equal elements in their order: of many the quick one, and then a sort of the few that are equal.

    NumPy's own stable sort takes three times as long.
    """
    n = x.shape[axis]
    if x.size < MANY or x.dtype.kind != "f":
        return np.argsort(x, axis, kind="stable")
    lines = np.moveaxis(x, axis, -1)
    order: Any = np.argsort(lines, -1)
    found = np.take_along_axis(lines, order, -1)
    starts: Any = np.ones(found.shape, bool)  # whether an element differs from the one before it; NaN are all the same
    starts[..., 1:] = (found[..., 1:] != found[..., :-1]) & ~np.isnan(found[..., :-1])
    starts, flat = starts.reshape(-1), np.ascontiguousarray(order).reshape(-1)
    tied = ~starts
    tied[:-1] |= ~starts[1:]
    places = np.flatnonzero(tied)
    flat[places] = np.sort(np.cumsum(starts)[places] * n + flat[places]) % n
    return np.moveaxis(flat.reshape(order.shape), -1, axis)


def _line(x: Any, axis: Any) -> tuple[Any, int]:
    x = np.asarray(x)
    if axis is None:
        return x.ravel(), 0
    return x, normalize_axis_index(axis, x.ndim)


def _unsort(g, out, x, axis, kind, descending, stable):
    order = argsort(x, axis=axis, descending=descending)
    if axis is None:
        return reshape(gather_back(g, order, shape=(x.size,), axis=0), shape=x.shape)
    return gather_back(g, order, shape=x.shape, axis=axis)


sort.defvjp(_unsort)


@op(
    cases=(case((5,), k=2), case((3, 4), k=1, axis=0), case((2, 3), k=2, largest=False), case((4,), k=4), case((3,), k=0)),
    fits="axis must be one existing axis, and k whole, from 0 to the size along it",
)
def topk(x, *, k, axis=-1, largest=True, sorted=True):
    """The k largest elements along ``axis`` (or smallest), in order, and their places. Slope: 1 for those taken.

    Which of equal ones are taken is left open; ``sorted`` is PyTorch's: they always are.

    >>> topk(Tensor([3.0, 1.0, 2.0]), 2)
    (Tensor([3., 2.]), Tensor([0, 2]))
    """
    x = np.asarray(x)
    n = x.shape[normalize_axis_index(axis, x.ndim)]
    if not 0 <= k <= n:
        raise ValueError(f"k={k} elements of {n}")
    places = np.argpartition(x, (n - k if largest else k - 1) % n, axis) if 0 < k < n else np.argsort(x, axis, kind="stable")
    places = np.take(places, np.arange(n - k, n) if largest else np.arange(k), axis)
    order = np.argsort(np.take_along_axis(x, places, axis), axis, kind="stable")
    places = np.take_along_axis(places, np.flip(order, axis) if largest else order, axis)
    return np.take_along_axis(x, places, axis), places


topk.defvjp(lambda g, out, x, k, axis, largest, sorted: gather_back(g[0], out[1], shape=x.shape, axis=axis))


@expression(cases=(case((5,), k=2), case((3, 4), k=3, axis=0), case((2, 3), k=1, keepdims=True)))
def kthvalue(x, k, axis=-1, keepdims=False):
    """The k-th smallest element along ``axis``, counted from 1, and its place.

    Slope: 1 for that element; of equal ones, for the one that stable sorting puts there.

    >>> kthvalue(Tensor([3.0, 1.0, 2.0]), 2)
    (Tensor(2.), Tensor(2))
    """
    x = as_array(x)
    axis = normalize_axis_index(axis, x.ndim, "kthvalue")
    if not 1 <= k <= x.shape[axis]:
        raise ValueError(f"kthvalue: k={k} along axis {axis} of shape {x.shape}; k must be from 1 to {x.shape[axis]}.")
    places = take(argsort(x, axis=axis), np.array([k - 1]), axis=axis)
    found = take_along_axis(x, places, axis)
    shape = found.shape if keepdims else (*x.shape[:axis], *x.shape[axis + 1 :])
    return reshape(found, shape=shape), reshape(places, shape=shape)


_PARTS = (case((5,), kth=2), case((3, 4), kth=(0, -1), axis=0), case((2, 3), kth=1, axis=None), case((1,), kth=0))


@op(domain=[REAL.with_ties()], cases=_PARTS, fits=AXIS + ", and kth a place along it, or several")
def argpartition(x, *, kth, axis=-1):
    """The places of the elements in an order that puts the ``kth`` smallest, counted from 0, where sorting does: none behind it is smaller.

    No gradient.

    >>> argpartition(Tensor([3.0, 1.0, 2.0]), 0)[0]
    Tensor(1)
    """
    return np.argpartition(x, kth, axis)


@expression(cases=_PARTS)
def partition(x, kth, axis=-1):
    """The elements along ``axis`` with the ``kth`` smallest, counted from 0, where sorting puts it, no larger one before it, no smaller one behind.

    Slope: 1 for each element, at the place where it now is.

    >>> partition(Tensor([3.0, 1.0, 2.0]), 1)
    Tensor([1., 2., 3.])
    """
    x = as_array(x)
    order = argpartition(x, kth=kth, axis=axis)
    return take_along_axis(x, order, axis)


@op(
    domain=[REAL.with_ties()],
    cases=(case((5,)), case((3, 4), axis=0), case((2, 3), keepdims=True)),
    fits="axis must be one existing axis that is not empty",
)
def mode(x, *, axis=-1, keepdims=False):
    """The element that comes most often along ``axis`` (of several the smallest), and the last place where it stands.

    Slope: 1 at that place. Each NaN is alone.

    >>> mode(Tensor([2.0, 1.0, 2.0]))
    (Tensor(2.), Tensor(2))
    """
    x = np.asarray(x)
    axis = normalize_axis_index(axis, x.ndim)
    if not x.shape[axis]:
        raise ValueError(f"nothing lies along axis {axis}")
    order = np.argsort(x, axis, kind="stable")
    line = np.moveaxis(np.take_along_axis(x, order, axis), axis, -1)
    here = np.arange(line.shape[-1])
    starts = np.ones(line.shape, bool)
    starts[..., 1:] = line[..., 1:] != line[..., :-1]
    so_far = here - np.maximum.accumulate(np.where(starts, here, 0), -1)
    last = np.expand_dims(np.argmax(so_far, -1), axis)  # where the first of the longest runs of equals ends
    places = np.take_along_axis(order, last, axis)
    found = np.take_along_axis(x, places, axis)
    return (found, places) if keepdims else (found.squeeze(axis), places.squeeze(axis))


def _mode(g, out, x, axis, keepdims):
    g, places = (g[0], out[1]) if keepdims else (expand_dims(g[0], axis=axis), expand_dims(out[1], axis=axis))
    return gather_back(g, places, shape=x.shape, axis=axis)


mode.defvjp(_mode)


# ---------------------------------------------------------------------------------------------- searching


@op(domain=[REAL.with_ties()], cases=(case((5,), (2, 3)), case((4,), (), side="right"), case((0,), (2,))), fits="x1 must be sorted, along one axis")
def searchsorted(x1, x2, *, side="left", sorter=None):
    """Where each element of x2 belongs in the sorted x1: before its equals (``"left"``) or behind them (``"right"``). No gradient.

    >>> searchsorted([1.0, 2.0, 3.0], Tensor([2.0, 9.0]))
    Tensor([1, 3])
    """
    places = sorter if sorter is None else np.asarray(sorter)  # a Tensor would send NumPy back here
    return np.searchsorted(x1, x2, side, places)


@op(domain=[integers(0, 2)], cases=(case((2, 3)), case((4,)), case((0,))), fits="x must have at least one axis")
def nonzero(x):
    """The places of the elements that are not 0: an array of whole numbers for each axis. No gradient.

    >>> nonzero(Tensor([1.0, 0.0, 2.0]))
    (Tensor([0, 2]),)
    """
    return np.nonzero(x)


@op(domain=[integers(0, 2)], cases=(case((2, 3)), case((4,)), case(())))
def argwhere(x):
    """The places of the elements that are not 0, one in each row. No gradient.

    >>> argwhere(Tensor([1.0, 0.0, 2.0]))
    Tensor([[0],
            [2]])
    """
    return np.argwhere(x)


@op(domain=[integers(0, 2)], cases=(case((2, 3)), case((4,)), case(())))
def flatnonzero(x):
    """The places of the elements that are not 0, in the flat array. No gradient.

    >>> flatnonzero(Tensor([1.0, 0.0, 2.0]))
    Tensor([0, 2])
    """
    return np.flatnonzero(x)


@op(domain=[integers(0, 4)], cases=(case((2, 3), (2,)), case((), (3,)), case((3,), (2,), invert=True)))
def isin(element, test_elements, *, assume_unique=False, invert=False, kind=None):
    """Whether each element is one of ``test_elements``; with ``invert``, whether not. No gradient.

    >>> isin(Tensor([1, 2, 3]), [1, 3])
    Tensor([ True, False,  True])
    """
    return np.isin(element, test_elements, assume_unique, invert, kind=kind)


@op(domain=[integers(0, 3)], cases=(case((5,), (5,)), case((2, 3), (2, 3), axis=0)), fits="all keys must have one shape")
def lexsort(*keys, axis=-1):
    """The order by several keys along ``axis``: by the last, equal ones by the one before it, and so on. No gradient.

    >>> lexsort([Tensor([2, 1, 0]), Tensor([0, 1, 0])])
    Tensor([2, 0, 1])
    """
    return np.lexsort(keys, axis)


# --------------------------------------------------------------------------------------- different elements

_SETS = (case((2, 3)), case((5,)), case((0,)))


@op(
    domain=[integers(0, 3)],
    cases=(*_SETS, case((5,), return_index=True, return_inverse=True, return_counts=True), case((4, 2), axis=0)),
    fits="axis must be one existing axis, or None",
)
def unique(x, *, return_index=False, return_inverse=False, return_counts=False, axis=None, equal_nan=True):
    """The different elements, sorted; on demand also where each first comes, which of them each element is, and how often. No gradient.

    >>> unique(Tensor([3, 1, 3]))
    Tensor([1, 3])
    """
    return np.unique(x, return_index, return_inverse, return_counts, axis, equal_nan=equal_nan)


@op(domain=[integers(0, 3)], cases=_SETS)
def unique_values(x):
    """The different elements, in any order. No gradient.

    >>> unique_values(Tensor([3, 3]))
    Tensor([3])
    """
    return np.unique_values(x)


@op(domain=[integers(0, 3)], cases=_SETS)
def unique_all(x):
    """The different elements, as ``values, indices, inverse_indices, counts``: with where each first comes, and how often. No gradient.

    >>> unique_all(Tensor([3, 1, 3])).counts
    Tensor([1, 2])
    """
    return np.unique_all(x)


@op(domain=[integers(0, 3)], cases=_SETS)
def unique_counts(x):
    """The different elements, as ``values, counts``: with how often each comes. No gradient.

    >>> unique_counts(Tensor([3, 1, 3])).counts
    Tensor([1, 2])
    """
    return np.unique_counts(x)


@op(domain=[integers(0, 3)], cases=_SETS)
def unique_inverse(x):
    """The different elements, as ``values, inverse_indices``: with which of them each element is. No gradient.

    >>> unique_inverse(Tensor([3, 1, 3])).inverse_indices
    Tensor([1, 0, 1])
    """
    return np.unique_inverse(x)


for _shaped in (nonzero, argwhere, flatnonzero, unique, unique_values, unique_all, unique_counts, unique_inverse):
    _shaped.shaped_by = lambda settings: (0,)
