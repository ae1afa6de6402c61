"""Sliding windows along the spatial axes of (samples, channels, …): where they lie, and what is folded inside them.

Convolution and pooling are told by one :class:`Window` per spatial axis where their windows lie. All of them walk over the places
inside a window, and take for each place one strided slice of x: a few large copies instead of many small windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

import numpy as np

from ..domain import REAL, case
from ..op import op
from .choice import where
from .complexes import of_reals
from .elementwise import as_float

__all__ = ["Slices", "Window", "places", "ragged", "window_max", "window_pick", "window_share", "window_spread", "window_sum"]

Slices = tuple[slice, slice]


@dataclass(frozen=True)
class Window:
    """``count`` windows of ``kernel`` places along an axis of ``size``: place k of window i is element i·stride + k·dilation - low.

    Places before the axis or behind its end hold nothing (padding).

    >>> Window(size=5, kernel=3, count=3, stride=2, low=1).slices
    ((slice(1, 3, None), slice(1, 4, 2)), (slice(0, 3, None), slice(0, 5, 2)), (slice(0, 2, None), slice(1, 4, 2)))
    """

    size: int
    kernel: int
    count: int
    stride: int = 1
    low: int = 0
    dilation: int = 1

    @cached_property
    def slices(self) -> tuple[Slices | None, ...]:
        """For each place: the windows in which it lies on the axis, and the elements that it then meets."""
        return _slices(self)

    @property
    def disjoint(self) -> bool:
        """Whether no element lies in two windows."""
        return self.dilation == 1 and self.stride >= self.kernel

    @property
    def whole(self) -> bool:
        """Whether the only window is the whole axis."""
        return (self.count, self.low, self.dilation) == (1, 0, 1) and self.kernel == self.size


@lru_cache
def _slices(window: Window) -> tuple[Slices | None, ...]:
    return tuple(_meeting(window, k * window.dilation - window.low) for k in range(window.kernel))


def _meeting(window: Window, shift: int) -> Slices | None:
    first = max(0, -(shift // window.stride))  # the first window whose place is not before the axis
    last = min(window.count - 1, (window.size - 1 - shift) // window.stride)
    if first > last:
        return None
    start, stop = first * window.stride + shift, last * window.stride + shift + 1
    return slice(first, last + 1), slice(start, stop, window.stride) if window.stride > 1 else slice(start, stop)


def places(windows: tuple[Window, ...]) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...], tuple[slice, ...]]]:
    """Every place of an n-dimensional window, the windows in which it is not padding, and the elements it meets there."""
    for k in product(*[range(w.kernel) for w in windows]):
        met = [w.slices[i] for w, i in zip(windows, k, strict=True)]
        found = [pair for pair in met if pair is not None]
        if len(found) == len(met):
            yield k, tuple(pair[0] for pair in found), tuple(pair[1] for pair in found)


@dataclass(frozen=True)
class Ragged:
    """Windows of different lengths along an axis of ``size``: window i holds the elements from starts[i] up to ends[i].

    Neither starts nor ends may fall.
    """

    size: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.starts)

    @cached_property
    def mirror(self) -> Ragged:
        """For each element the windows that hold it, which are neighbours, too."""
        here = np.arange(self.size)
        first = np.searchsorted(self.ends, here, side="right")
        last = np.searchsorted(self.starts, here, side="right")
        return ragged(self.count, first, last)


def ragged(size: int, starts: Any, ends: Any) -> Ragged:
    """:class:`Ragged` of any sequences of whole numbers.

    >>> ragged(3, [0, 1], [2, 3]).mirror
    Ragged(size=2, starts=(0, 0, 1), ends=(1, 2, 2))
    """
    return Ragged(size, tuple(int(i) for i in starts), tuple(int(i) for i in ends))


_PLAIN = Window(5, 2, 2, 2)
_PADDED = Window(5, 3, 3, 2, 1)
_DILATED = Window(6, 2, 4, 1, 0, 2)
_RAGGED = ragged(5, [0, 1, 3], [2, 4, 5])
_PICKING = ragged(5, [0, 0, 2, 4], [1, 1, 3, 5])
SHAPES = (
    ((2, 1, 5), (_PADDED,)),
    ((1, 2, 5, 6), (_PADDED, _DILATED)),
    ((2, 1, 5, 5), (_PLAIN, _PLAIN)),
    ((0, 1, 5), (_PLAIN,)),
    ((1, 1, 5, 6, 5), (_PLAIN, _DILATED, _PADDED)),
)
SUMS = (*SHAPES, ((2, 1, 5, 6), (_RAGGED, _DILATED)), ((1, 2, 5), (_PICKING,)))
FITS = "x has the shape (samples, channels, …) with one axis for each window"


def folded(x: Any, windows: tuple[Any, ...]) -> tuple[int, ...]:
    return (*x.shape[:2], *[w.count for w in windows])


# ----------------------------------------------------------------------------------------------- sums


@op(label="Σ of windows", cases=[case(shape, windows=windows) for shape, windows in SUMS], fits=FITS)
def window_sum(x, *, windows):
    """Sum over every window; padding counts as 0. Slope: 1 for each window that holds the element.

    >>> window_sum(Tensor([[[1.0, 2.0, 4.0]]]), windows=[Window(size=3, kernel=2, count=2)])
    Tensor([[[3., 6.]]])
    """
    if _are_whole(windows):
        return np.add.reduce(x, axis=tuple(range(2, x.ndim)), keepdims=True)
    for axis, window in enumerate(windows, 2):
        x = _runs(x, axis, window) if type(window) is Ragged else _fold(np.add, x, axis, window, 0)
    return x


def _are_whole(windows: Any) -> bool:
    return all(type(window) is Window and window.whole for window in windows)


@op(
    label="to windows",
    cases=[case((*shape[:2], *[w.count for w in windows]), windows=windows) for shape, windows in SUMS],
    fits=FITS,
)
def window_spread(x, *, windows):
    """Each number added to all elements of its window: the mirror of window_sum. Slope: the sum over the window.

    >>> window_spread(Tensor([[[1.0, 2.0]]]), windows=[Window(size=3, kernel=2, count=2)])
    Tensor([[[1., 3., 2.]]])
    """
    if _are_whole(windows):
        return np.broadcast_to(x, (*x.shape[:2], *[window.size for window in windows]))
    for axis, window in enumerate(windows, 2):
        x = _runs(x, axis, window.mirror) if type(window) is Ragged else _unfold(x, axis, window)
    return x


window_sum.defvjp(lambda g, out, x, windows: window_spread(g, windows=windows))
window_spread.defvjp(lambda g, out, x, windows: window_sum(g, windows=windows))


def _fold(ufunc: Any, x: Any, axis: int, window: Window, nothing: Any) -> Any:
    """The places of the windows along one axis, joined by ``ufunc``; a window is separable, so its axes can go one by one."""
    before = (slice(None),) * axis
    pairs = [pair for pair in window.slices if pair is not None]
    whole = [pair for pair in pairs if pair[0] == slice(0, window.count)][:2]  # places that all windows have: there is nothing to fill up
    if len(whole) == 2:
        out = ufunc(x[(*before, whole[0][1])], x[(*before, whole[1][1])])
    elif whole:
        out = x[(*before, whole[0][1])].copy(order="K")
    else:
        out = np.full_like(x, nothing, shape=_with_size(x, axis, window.count))
    for windows, elements in pairs:
        if (windows, elements) in whole:
            continue
        part = out[(*before, windows)]
        ufunc(part, x[(*before, elements)], out=part)
    return out


def _with_size(x: Any, axis: int, size: int) -> tuple[int, ...]:
    return (*x.shape[:axis], size, *x.shape[axis + 1 :])


def _unfold(g: Any, axis: int, window: Window) -> Any:
    before = (slice(None),) * axis
    out = np.zeros_like(g, shape=_with_size(g, axis, window.size))
    for pair in window.slices:
        if pair is not None:
            out[(*before, pair[1])] += g[(*before, pair[0])]
    return out


SMALL = 1 << 16  # a matrix of so many zeros and ones is the quickest way to add up, but 0·inf would be NaN


def _runs(x: Any, axis: int, window: Ragged) -> Any:
    """Sums over runs of neighbours along an axis."""
    starts, ends = np.array(window.starts, int), np.array(window.ends, int)
    lengths = ends - starts
    if np.all(lengths == 1):
        return np.take(x, starts, axis=axis)
    if not x.shape[axis]:
        return np.zeros((*x.shape[:axis], window.count, *x.shape[axis + 1 :]), x.dtype)
    if len(starts) * x.shape[axis] <= SMALL and x.dtype.kind == "f" and np.isfinite(_total(x)):
        here = np.arange(x.shape[axis])
        inside = (starts[:, None] <= here) & (here < ends[:, None])
        return np.moveaxis(np.tensordot(inside.astype(x.dtype), x, (1, axis)), 0, axis)
    # reduceat sums from each place to the next; every second sum is one of ours. A run up to the end has no next place,
    # so one element, which is left out of the last sum by a further place there, keeps all places valid.
    padded = np.concatenate([x, np.zeros_like(x[(slice(None),) * axis + (slice(0, 1),)])], axis=axis)
    out = np.add.reduceat(padded, np.stack([starts, ends], 1).reshape(-1), axis=axis)[(slice(None),) * axis + (slice(None, None, 2),)]
    if np.all(lengths):
        return out
    return out * (lengths > 0).reshape(-1, *[1] * (x.ndim - axis - 1)).astype(x.dtype)


def _total(x: Any) -> Any:
    """The sum of all elements, which is not finite if one of them is not."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.add.reduce(x, axis=None)


# ------------------------------------------------------------------------------------------- extremes


@op(label="max of windows", domain=[REAL.with_ties()], cases=[case(shape, windows=windows) for shape, windows in SHAPES], fits=FITS)
@of_reals
def window_max(x, *, windows):
    """Largest element of every window; padding does not count. Slope: 1 for the winner, shared evenly between equal ones.

    >>> window_max(Tensor([[[1.0, 2.0, 4.0]]]), windows=[Window(size=3, kernel=2, count=2)])
    Tensor([[[2., 4.]]])
    """
    if x.dtype.kind not in "fiu":
        raise TypeError(f"x holds {x.dtype}; it takes floats and whole numbers")
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    for axis, window in enumerate(windows, 2):
        x = _fold(np.maximum, x, axis, window, lowest)
    return x


@op(
    label="to winners",
    domain=[REAL, REAL],  # it jumps where elements of the field are equal: there is no slope there to test
    cases=[case(folded(np.empty(shape), windows), shape, windows=windows) for shape, windows in SHAPES],
    fits=FITS,
)
def window_share(x, field, *, windows):
    """Each number shared evenly between the largest elements of its window in ``field``; a field with NaN gives it to those.

    Slope in x: the mean over the winners; in the field: 0.

    >>> window_share(Tensor([[[6.0]]]), Tensor([[[1.0, 4.0, 4.0]]]), windows=[Window(size=3, kernel=3, count=1)])
    Tensor([[[0., 3., 3.]]])
    """
    x = as_float(x)
    top, number, wins = _winners(field, windows, np.result_type(x, field))
    share = x / number
    out = np.zeros_like(field, share.dtype)  # in the order in memory of what it is added up from: that of the field
    disjoint = all(w.disjoint for w in windows)
    for _, here, there in places(windows):
        won = where.forward(wins(field[(..., *there)], top[(..., *here)]), share[(..., *here)], 0)
        if disjoint:
            out[(..., *there)] = won
        else:
            out[(..., *there)] += won
    return out


@op(
    label="of winners",
    domain=[REAL, REAL],  # it jumps where elements of the field are equal: there is no slope there to test
    cases=[case(shape, shape, windows=windows) for shape, windows in SHAPES],
    fits=FITS,
)
def window_pick(x, field, *, windows):
    """Mean of x over those elements of each window that are largest in ``field``: the mirror of window_share.

    Slope in x: an even share for the winners; in the field: 0.

    >>> window_pick(Tensor([[[1.0, 2.0, 3.0]]]), Tensor([[[4.0, 1.0, 4.0]]]), windows=[Window(size=3, kernel=3, count=1)])
    Tensor([[[2.]]])
    """
    x = as_float(x)
    top, number, wins = _winners(field, windows, np.result_type(x, field))
    out = np.zeros_like(top, number.dtype)
    for _, here, there in places(windows):
        out[(..., *here)] += where.forward(wins(field[(..., *there)], top[(..., *here)]), x[(..., *there)], 0)
    return out / number


def _winners(field: Any, windows: tuple[Window, ...], dtype: Any) -> tuple[Any, Any, Any]:
    """The largest element of each window, how many elements are as large, and the function that says which."""
    top = window_max.forward(field, windows=windows)
    wins: Any = _wins_or_is_nan if np.isnan(_total(top)) else np.equal
    number = np.zeros_like(top, np.int8 if _places(windows) < 128 else np.int64)
    for _, here, there in places(windows):
        met: Any = (..., *here)
        number[met] += wins(field[(..., *there)], top[met])
    return top, number.astype(dtype), wins


def _wins_or_is_nan(element: Any, top: Any) -> Any:
    return (element == top) | np.isnan(element)  # where a NaN wins, it gets the gradient


def _places(windows: tuple[Window, ...]) -> int:
    return int(np.prod([w.kernel for w in windows]))


window_max.defvjp(lambda g, out, x, windows: window_share(g, x, windows=windows))
window_share.defvjp(lambda g, out, x, field, windows: window_pick(g, field, windows=windows), None)
window_pick.defvjp(lambda g, out, x, field, windows: window_share(g, field, windows=windows), None)


# ------------------------------------------------------------------------------------------- settings


def shaped(x: Any) -> Any:
    """x as it is if it has a shape, else (a list, a number) as an array."""
    return x if hasattr(x, "shape") else np.asarray(x)


def per_axis(name: str, what: str, value: Any, axes: int, least: int) -> tuple[int, ...]:
    """A setting that is one whole number, or one for each spatial axis; an error if it is neither or too small.

    >>> per_axis("conv2d", "stride", 2, 2, 1)
    (2, 2)
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(values) == 1:
        values *= axes
    whole = all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in values)
    if not whole or len(values) != axes:
        raise TypeError(f"{name}: {what} is {value!r}; it must be a whole number, or {axes} of them, one for each spatial axis.")
    if any(v < least for v in values):
        raise ValueError(f"{name}: {what} is {value!r}; it must be at least {least}.")
    return tuple(int(v) for v in values)


def batched(name: str, x: Any, axes: int) -> tuple[Any, bool]:
    """x with a samples axis in front, and whether it had one."""
    if x.ndim not in (axes + 1, axes + 2):
        raise ValueError(f"{name}: x has shape {x.shape}; it needs {axes + 2} axes, (samples, channels, …), or {axes + 1} without samples.")
    return (x, True) if x.ndim == axes + 2 else (x[None], False)
