"""Operations that arrange elements anew: axes moved, turned and rolled, elements repeated, sliding windows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..domain import case
from ..op import expression, op
from .indexing import put_back
from .reduction import sum
from .shape import as_array, permute_dims, reshape

# --------------------------------------------------------------------------------------- other orders


@expression(cases=(case((2, 3)), case((2, 3), order="F"), case(()), case((0, 2))))
def ravel(x, order="C"):
    """All elements along one axis, in row-major order (``"C"``) or column-major order (``"F"``). Slope: 1 for each element, wherever it goes.

    >>> ravel(Tensor([[1.0, 2.0], [3.0, 4.0]]), "F")
    Tensor([1., 3., 2., 4.])
    """
    if order not in ("C", "F"):
        raise ValueError(f"ravel: order={order!r}; it must be 'C' or 'F', as the order of a Tensor in memory is left open.")
    x = as_array(x)
    return reshape(x if order == "C" else permute_dims(x), shape=(-1,))


@expression(cases=(case((2, 3, 2)), case((2, 3, 2), start_axis=1), case((2, 3, 2), end_axis=1), case((2, 3), start_axis=-1), case(())))
def flatten(x, start_axis=0, end_axis=-1):
    """The axes from ``start_axis`` up to and including ``end_axis`` as one; by default, all. Slope: 1 for each element, wherever it goes.

    >>> flatten(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([1., 2., 3., 4.])
    """
    x = as_array(x)
    if x.ndim == 0:
        return reshape(x, shape=(1,))
    first, last = (normalize_axis_index(axis, x.ndim, "flatten") for axis in (start_axis, end_axis))
    if first > last:
        raise ValueError(f"flatten: start_axis={start_axis} lies behind end_axis={end_axis} in shape {x.shape}.")
    merged = int(np.prod(x.shape[first : last + 1]))  # not -1, which an empty array leaves open
    return reshape(x, shape=(*x.shape[:first], merged, *x.shape[last + 1 :]))


_MOVES = (case((2, 3, 4), source=0, destination=-1), case((2, 3, 4), source=(0, 2), destination=(2, 1)), case((3,), source=0, destination=0))


@expression(cases=_MOVES, aliases=("movedim",))
def moveaxis(x, source, destination):
    """The axes ``source`` moved to the places ``destination``; the others stay in order. Slope: 1 for each element, wherever it goes.

    >>> moveaxis(Tensor([[1.0, 2.0]]), 0, 1)
    Tensor([[1.],
            [2.]])
    """
    x = as_array(x)
    taken = normalize_axis_tuple(source, x.ndim, "moveaxis: source")
    places = normalize_axis_tuple(destination, x.ndim, "moveaxis: destination")
    if len(taken) != len(places):
        raise ValueError(f"moveaxis: source={source} and destination={destination} must name equally many axes.")
    order = [axis for axis in range(x.ndim) if axis not in taken]
    for place, axis in sorted(zip(places, taken, strict=True)):
        order.insert(place, axis)
    return permute_dims(x, axes=tuple(order))


@expression(cases=(case((2, 3), axis1=0, axis2=1), case((2, 3, 4), axis1=-1, axis2=0)), aliases=("swapdims",))
def swapaxes(x, axis1, axis2):
    """Two axes in each other's place. Slope: 1 for each element, wherever it goes.

    >>> swapaxes(Tensor([[1.0, 2.0]]), 0, 1)
    Tensor([[1.],
            [2.]])
    """
    x = as_array(x)
    order = list(range(x.ndim))
    i, k = (normalize_axis_index(axis, x.ndim, "swapaxes") for axis in (axis1, axis2))
    order[i], order[k] = k, i
    return permute_dims(x, axes=tuple(order))


def as_lines(x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """x with the axes ``axis`` (``None``: all) merged into one, at the end; and the shape that a fold with keepdims leaves."""
    order, n_kept = _folded_last(x.ndim, axis)
    left = tuple(n if i in order[:n_kept] else 1 for i, n in enumerate(x.shape))
    if order != tuple(range(x.ndim)):
        x = permute_dims(x, axes=order)
    shape = (*x.shape[:n_kept], int(np.prod(x.shape[n_kept:])))
    return (x if x.shape == shape else reshape(x, shape=shape)), left


def from_lines(lines: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """What ``as_lines`` made of an array of ``shape``, in its old shape."""
    order, _ = _folded_last(len(shape), axis)
    x = reshape(lines, shape=tuple(shape[i] for i in order))
    return x if order == tuple(range(len(shape))) else permute_dims(x, axes=tuple(np.argsort(order).tolist()))


def _folded_last(ndim: int, axis: Any) -> tuple[tuple[int, ...], int]:
    """All axes, those to be folded behind the others, and how many others there are."""
    folded = tuple(range(ndim)) if axis is None else tuple(sorted(normalize_axis_tuple(axis, ndim)))
    kept = tuple(i for i in range(ndim) if i not in folded)
    return kept + folded, len(kept)


# ----------------------------------------------------------------------------------- turned and rolled


@op(
    cases=(case((2, 3)), case((2, 3), axis=0), case((2, 3, 2), axis=(0, -1)), case(()), case((0, 2), axis=0)),
    fits="axis must name existing axes, each once",
)
def flip(x, *, axis=None):
    """The elements in reverse order along ``axis``; by default, along all. Slope: 1 for each element, wherever it goes.

    >>> flip(Tensor([1.0, 2.0, 3.0]))
    Tensor([3., 2., 1.])
    """
    return np.flip(x, axis)


flip.defvjp(lambda g, out, x, axis: flip(g, axis=axis))


@expression(cases=(case((2, 3)), case((2, 3, 2))))
def fliplr(x):
    """The elements in reverse order along the second axis. Slope: 1 for each element, wherever it goes.

    >>> fliplr(Tensor([[1.0, 2.0]]))
    Tensor([[2., 1.]])
    """
    return flip(x, axis=1)


@expression(cases=(case((2, 3)), case((2,))))
def flipud(x):
    """The elements in reverse order along the first axis. Slope: 1 for each element, wherever it goes.

    >>> flipud(Tensor([1.0, 2.0]))
    Tensor([2., 1.])
    """
    return flip(x, axis=0)


@op(
    cases=(
        case((2, 3), shift=1),
        case((2, 3), shift=-5, axis=1),
        case((2, 3), shift=(1, 2), axis=(0, -1)),
        case((4,), shift=0, axis=0),
        case((0,), shift=1),
        case((), shift=2),
    ),
    fits="axis must name existing axes, with one shift for all or for each",
)
def roll(x, *, shift, axis=None):
    """The elements moved on by ``shift`` places along ``axis``; what falls off comes in at the front. By default, x is rolled as if flat.

    Slope: 1 for each element, wherever it goes.

    >>> roll(Tensor([1.0, 2.0, 3.0]), 1)
    Tensor([3., 1., 2.])
    """
    return np.roll(x, shift, axis)


roll.defvjp(lambda g, out, x, shift, axis: roll(g, shift=-shift if isinstance(shift, int) else np.negative(shift), axis=axis))


@op(
    cases=(case((2, 3)), case((2, 3), k=2), case((2, 3, 4), k=-1, axes=(1, 2)), case((2, 3, 4), k=3, axes=(0, -1)), case((2, 3), k=4)),
    fits="axes must name two different axes",
)
def rot90(x, *, k=1, axes=(0, 1)):
    """Turned by k quarters of a circle, from the first of ``axes`` towards the second. Slope: 1 for each element, wherever it goes.

    >>> rot90(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[2., 4.],
            [1., 3.]])
    """
    return np.rot90(x, k, axes)


rot90.defvjp(lambda g, out, x, k, axes: rot90(g, k=-k, axes=axes))

# -------------------------------------------------------------------------------------------- repeated


@op(
    cases=(
        case((2, 3), reps=2),
        case((2, 3), reps=(2, 1, 2)),
        case((2, 1, 3), reps=(2, 3)),
        case((), reps=3),
        case((2,), reps=0),
        case((0, 2), reps=2),
    ),
    fits="reps must be whole numbers of 0 or more",
)
def tile(x, *, reps):
    """x laid side by side ``reps`` times along each axis; numbers and axes are aligned from the right. Slope: 1 for each copy of an element.

    >>> tile(Tensor([1.0, 2.0]), 2)
    Tensor([1., 2., 1., 2.])
    """
    return np.tile(x, reps)


def _untile(g, out, x, reps):
    reps = tuple(np.atleast_1d(reps).tolist())
    ndim = max(len(reps), x.ndim)
    reps, sizes = (1,) * (ndim - len(reps)) + reps, (1,) * (ndim - x.ndim) + x.shape
    pairs = tuple(size for pair in zip(reps, sizes, strict=True) for size in pair)
    return reshape(sum(reshape(g, shape=pairs), axis=tuple(range(0, 2 * ndim, 2))), shape=x.shape)


tile.defvjp(_untile)


@op(
    cases=(
        case((2, 3), repeats=2),
        case((2, 3), repeats=3, axis=-1),
        case((2, 3), repeats=(1, 0, 2), axis=1),
        case((2, 3), repeats=[2, 3], axis=0),
        case((2, 3), repeats=[3], axis=0),
        case((), repeats=2),
        case((2,), repeats=0),
    ),
    fits="repeats must be one whole number of 0 or more, or one for each place along axis",
    aliases=("repeat_interleave",),
)
def repeat(x, *, repeats, axis=None):
    """Each element ``repeats`` times in a row, along ``axis``; by default, of the flat array. Slope: 1 for each copy of an element.

    >>> repeat(Tensor([1.0, 2.0]), 2)
    Tensor([1., 1., 2., 2.])
    """
    return np.repeat(x, repeats, axis)


def _unrepeat(g, out, x, repeats, axis):
    shape = (x.size,) if axis is None else x.shape
    axis = 0 if axis is None else axis % x.ndim
    if np.size(repeats) == 1:
        pairs = (*shape[: axis + 1], int(np.ravel(repeats)[0]), *shape[axis + 1 :])
        return reshape(sum(reshape(g, shape=pairs), axis=axis + 1), shape=x.shape)
    source = np.repeat(np.arange(shape[axis]), repeats)
    return reshape(put_back(g, key=(slice(None),) * axis + (source,), shape=shape), shape=x.shape)


repeat.defvjp(_unrepeat)

# --------------------------------------------------------------------------------------------- windows

_WINDOWS = (
    case((7,), axis=0, size=3),
    case((7, 2), axis=0, size=3, step=2),
    case((2, 8), axis=-1, size=3, step=3),
    case((2, 5), axis=1, size=2, step=4),
    case((2, 6, 2), axis=1, size=6),
    case((2, 3), axis=1, size=1),
)


@op(cases=_WINDOWS, fits="axis must be one existing axis, of at least `size` elements, and `size` and `step` at least 1")
def unfold(x, *, axis, size, step=1):
    """Windows of ``size`` elements that slide along ``axis`` by ``step``; a window's elements stand along a new last axis.

    Slope: 1 for each window in which an element stands.

    >>> unfold(Tensor([1.0, 2.0, 3.0]), axis=0, size=2)
    Tensor([[1., 2.],
            [2., 3.]])
    """
    x = np.asarray(x)
    if size < 1 or step < 1:
        raise ValueError("windows have at least one element, and move by at least one")
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis)
    return windows[(slice(None),) * (axis % x.ndim) + (slice(None, None, step),)]


def _window_shape(shape: tuple[int, ...], axis: int, size: int, step: int = 1) -> tuple[int, ...]:
    n = (shape[axis] - size) // step + 1
    return (*(n if i == axis % len(shape) else m for i, m in enumerate(shape)), size)


@op(
    cases=tuple(
        case(_window_shape(c.shapes[0], **c.settings), shape=c.shapes[0], axis=c.settings["axis"], step=c.settings.get("step", 1)) for c in _WINDOWS
    ),
    fits="x must hold the windows that slide along axis of an array of that shape",
)
def overlap_add(x, *, shape, axis, step=1):
    """Windows laid back along ``axis`` of zeros of ``shape``, added up where they overlap. The mirror of unfold. Slope: 1 for each element.

    >>> overlap_add(Tensor([[1.0, 2.0], [3.0, 4.0]]), shape=(3,), axis=0)
    Tensor([1., 5., 4.])
    """
    x = np.asarray(x)
    axis = normalize_axis_index(axis, len(shape))
    if x.shape != _window_shape(shape, axis, x.shape[-1], step):
        raise ValueError(f"windows of {x.shape[-1]} along axis {axis} of shape {shape} have shape {_window_shape(shape, axis, x.shape[-1], step)}")
    out = np.zeros(shape, x.dtype)
    n, size = x.shape[axis], x.shape[-1]
    before = (slice(None),) * axis
    if size <= n:
        for i in range(size):  # the elements of one place in all windows never overlap
            out[(*before, slice(i, i + (n - 1) * step + 1, step))] += x[..., i]
    else:
        for i in range(n):
            out[(*before, slice(i * step, i * step + size))] += np.moveaxis(x[(*before, i)], -1, axis)
    return out


unfold.defvjp(lambda g, out, x, axis, size, step: overlap_add(g, shape=x.shape, axis=axis, step=step))
overlap_add.defvjp(lambda g, out, x, shape, axis, step: unfold(g, axis=axis, size=x.shape[-1], step=step))
