"""Where the largest elements of pooling windows stand, and elements put back there: max pooling undone, as far as that can be."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import REAL, case, integers
from ..op import expression, op
from .complexes import of_reals
from .placing import put_along
from .shape import as_array, reshape
from .windows import SHAPES, batched, per_axis, places

_FITS = "x has the shape (samples, channels, …) with one axis for each window"


@op(label="place of max", domain=[REAL.with_ties()], cases=[case(shape, windows=windows) for shape, windows in SHAPES], fits=_FITS)
@of_reals
def window_argmax(x, *, windows):
    """The place of the largest element of every window (of several the first) among all elements of its channel. No gradient.

    >>> window_argmax(Tensor([[[1.0, 2.0, 4.0]]]), windows=[tg.ops.windows.Window(size=3, kernel=2, count=2)])
    Tensor([[[1, 2]]])
    """
    numbered = np.arange(int(np.prod(x.shape[2:]))).reshape(x.shape[2:])
    shape = (*x.shape[:2], *(w.count for w in windows))
    top, found, empty = np.zeros(shape, x.dtype), np.zeros(shape, np.int64), np.ones(shape, bool)
    for _, here, there in places(tuple(windows)):
        met: Any = (..., *here)
        element = x[(..., *there)]
        better = empty[met] | (element > top[met]) | (np.isnan(element) & ~np.isnan(top[met]))
        top[met] = np.where(better, element, top[met])
        found[met] = np.where(better, numbered[there], found[met])
        empty[met] = False
    return found


_PLACES = integers(0, 4)


@expression(domain=[REAL, _PLACES], cases=[case((2, 1, 3), (2, 1, 3), kernel_size=2), case((1, 2), (1, 2), kernel_size=2, output_size=(5,))])
def max_unpool1d(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Zeros of ``output_size`` with each element of x at its place in ``indices``, which max_pool1d told: the mirror of its slope.

    The size is (n - 1)·stride - 2·padding + kernel_size unless given. Of several elements for one place the last counts.

    Slope: 1 for those that stay.

    >>> max_unpool1d(Tensor([[[3.0, 5.0]]]), [[[1, 3]]], 2)
    Tensor([[[0., 3., 0., 5.]]])
    """
    return _unpool("max_unpool1d", 1, x, indices, kernel_size, stride, padding, output_size)


@expression(
    domain=[REAL, _PLACES],
    cases=[case((1, 2, 2, 1), (1, 2, 2, 1), kernel_size=2), case((1, 2, 2), (1, 2, 2), kernel_size=3, stride=2, padding=1)],
)
def max_unpool2d(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Zeros of ``output_size`` with each element of x at its place in ``indices``, counted over both axes; else as max_unpool1d.

    Slope: 1 for elements that stay.

    >>> max_unpool2d(Tensor([[[[5.0]]]]), [[[[3]]]], 2)
    Tensor([[[[0., 0.],
              [0., 5.]]]])
    """
    return _unpool("max_unpool2d", 2, x, indices, kernel_size, stride, padding, output_size)


@expression(domain=[REAL, _PLACES], cases=[case((1, 1, 2, 1, 2), (1, 1, 2, 1, 2), kernel_size=2)])
def max_unpool3d(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Zeros of ``output_size`` with each element of x at its place in ``indices``, counted over three axes; else as max_unpool1d.

    Slope: 1 for elements that stay.

    >>> max_unpool3d(Tensor([[[[[5.0]]]]]), [[[[[3]]]]], (1, 2, 2))
    Tensor([[[[[0., 0.],
               [0., 5.]]]]])
    """
    return _unpool("max_unpool3d", 3, x, indices, kernel_size, stride, padding, output_size)


def _unpool(name: str, axes: int, x: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any) -> Any:
    x, indices = as_array(x), as_array(indices)
    if x.shape != indices.shape:
        raise ValueError(f"{name}: x has shape {x.shape} and indices have shape {indices.shape}; there is one place for each element.")
    x, had_samples = batched(name, x, axes)
    kernel = per_axis(name, "kernel_size", kernel_size, axes, 1)
    strides = kernel if stride is None else per_axis(name, "stride", stride, axes, 1)
    pads = per_axis(name, "padding", padding, axes, 0)
    if output_size is None:
        sizes = tuple((n - 1) * s - 2 * p + k for n, s, p, k in zip(x.shape[2:], strides, pads, kernel, strict=True))
    else:
        sizes = per_axis(name, "output_size", tuple(output_size)[-axes:] if isinstance(output_size, (tuple, list)) else output_size, axes, 1)
    lines, count = (*x.shape[:2], int(np.prod(x.shape[2:]))), int(np.prod(sizes))
    flat = put_along(np.zeros((*x.shape[:2], count), x.dtype), reshape(indices, shape=lines), reshape(x, shape=lines), axis=-1)
    out = reshape(flat, shape=(*x.shape[:2], *sizes))
    return out if had_samples else out[0]
