"""Windows of images laid out as columns, and columns laid back to where they came from: what PyTorch's Unfold and Fold do."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import case
from ..op import expression, op
from .shape import reshape
from .windows import Window, batched, per_axis, places, shaped

_IMAGES = (
    ((1, 2, 4, 5), (Window(4, 2, 3), Window(5, 3, 2, 2, 0))),
    ((2, 1, 3, 3), (Window(3, 2, 2, 2, 1), Window(3, 3, 3, 1, 1))),
    ((1, 1, 5, 4), (Window(5, 2, 3, 1, 0, 2), Window(4, 2, 2, 2))),
)
_FITS = "x has the shape (samples, channels, …) with one axis for each window"


def _laid_out(shape: tuple[int, ...], windows: tuple[Window, ...]) -> tuple[int, ...]:
    return (*shape[:2], *(w.kernel for w in windows), *(w.count for w in windows))


@op(label="to columns", cases=tuple(case(shape, windows=windows) for shape, windows in _IMAGES), fits=_FITS)
def windows_apart(x, *, windows):
    """The elements of every window, (samples, channels, places in a window…, windows…); padding is 0. Slope: 1 for each time one comes out.

    >>> windows_apart(Tensor([[[1.0, 2.0, 4.0]]]), windows=[Window(size=3, kernel=2, count=2)])
    Tensor([[[[1., 2.],
              [2., 4.]]]])
    """
    out = np.zeros(_laid_out(x.shape, windows), x.dtype)
    for k, here, there in places(tuple(windows)):
        out[(slice(None), slice(None), *k, *here)] = x[(..., *there)]
    return out


@op(label="from columns", cases=tuple(case(_laid_out(shape, windows), windows=windows) for shape, windows in _IMAGES), fits=_FITS)
def windows_together(x, *, windows):
    """The elements of every window added up where they came from: the mirror of windows_apart. Slope: 1 for each, 0 for padding.

    >>> windows_together(Tensor([[[[1.0, 2.0], [2.0, 4.0]]]]), windows=[Window(size=3, kernel=2, count=2)])
    Tensor([[[1., 4., 4.]]])
    """
    out = np.zeros((*x.shape[:2], *(w.size for w in windows)), x.dtype)
    for k, here, there in places(tuple(windows)):
        out[(..., *there)] += x[(slice(None), slice(None), *k, *here)]
    return out


windows_apart.defvjp(lambda g, out, x, windows: windows_together(g, windows=windows))
windows_together.defvjp(lambda g, out, x, windows: windows_apart(g, windows=windows))


@expression(
    cases=(
        case((1, 2, 4, 5), kernel_size=2),
        case((2, 3, 4), kernel_size=(2, 3), stride=2, padding=1),
        case((1, 1, 5, 4), kernel_size=2, dilation=2),
    )
)
def im2col(x, kernel_size, dilation=1, padding=0, stride=1):
    """Every window over the last two axes of x (samples, channels, h, w) as a column: (samples, channels·kernel's size, windows).

    Settings are one number or one for each axis; padding is 0. PyTorch calls it ``nn.functional.unfold``.

    Slope: 1 for each time an element comes out.

    >>> im2col(Tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), (1, 2))
    Tensor([[[1., 3.],
             [2., 4.]]])
    """
    x, had_samples = batched("im2col", shaped(x), 2)
    windows = _windows("im2col", x.shape[2:], kernel_size, dilation, padding, stride)
    out = windows_apart(x, windows=windows)
    out = reshape(out, shape=(x.shape[0], x.shape[1] * _product(w.kernel for w in windows), _product(w.count for w in windows)))
    return out if had_samples else out[0]


@expression(
    cases=(
        case((1, 8, 12), output_size=(4, 5), kernel_size=2),
        case((18, 6), output_size=(4, 4), kernel_size=(2, 3), stride=(2, 2), padding=(1, 1)),
        case((1, 4, 6), output_size=(5, 4), kernel_size=2, dilation=2),
    ),
    aliases=("col2im",),
)
def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns (samples, channels·kernel's size, windows) laid back as windows of an image of ``output_size``, added up where they overlap.

    It is the mirror of im2col, whose inverse it is for windows that do not overlap. Slope: 1 for each element, 0 for what falls on padding.

    >>> fold(Tensor([[[1.0, 3.0], [2.0, 4.0]]]), (2, 2), (1, 2))
    Tensor([[[[1., 2.],
              [3., 4.]]]])
    """
    x = shaped(x)
    if x.ndim not in (2, 3):
        raise ValueError(f"fold: x has shape {x.shape}; it needs 3 axes, (samples, channels·kernel's size, windows), or 2 without samples.")
    columns = x if x.ndim == 3 else x[None]
    sizes = per_axis("fold", "output_size", output_size, 2, 1)
    windows = _windows("fold", sizes, kernel_size, dilation, padding, stride)
    inside, count = _product(w.kernel for w in windows), _product(w.count for w in windows)
    if columns.shape[1] % inside or columns.shape[2] != count:
        raise ValueError(
            f"fold: x has shape {x.shape}; windows of {inside} places over an image of {sizes} make {count} columns of {inside} numbers each, "
            "or a multiple of that."
        )
    shape = (columns.shape[0], columns.shape[1] // inside, *(w.kernel for w in windows), *(w.count for w in windows))
    out = windows_together(reshape(columns, shape=shape), windows=windows)
    return out if x.ndim == 3 else out[0]


def _windows(name: str, sizes: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple[Window, ...]:
    kernel, strides = per_axis(name, "kernel_size", kernel_size, 2, 1), per_axis(name, "stride", stride, 2, 1)
    pads, dilations = per_axis(name, "padding", padding, 2, 0), per_axis(name, "dilation", dilation, 2, 1)
    found = []
    for n, k, s, p, d in zip(sizes, kernel, strides, pads, dilations, strict=True):
        count = (n + 2 * p - d * (k - 1) - 1) // s + 1
        if count < 1:
            raise ValueError(f"{name}: a window of {kernel}, padding {padding}, dilation {dilation} does not fit into an image of {tuple(sizes)}.")
        found.append(Window(n, k, count, s, p, d))
    return tuple(found)


def _product(sizes: Any) -> int:
    return int(np.prod(list(sizes)))
