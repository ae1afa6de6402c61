"""Convolution (without mirroring the kernel, as neural networks use the word) over one, two or three axes, and its transpose.

Three bilinear operations are the derivatives of each other: x with weight gives the result, the result's gradient with weight gives
that of x, x with the result's gradient gives that of the weight. Each writes the elements of all windows side by side, by one copy for
each place in the kernel, and is then one matrix product for each group, in portions that fit the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..domain import case
from ..op import describe, expression, op
from .elementwise import as_float
from .reduction import sum
from .shape import reshape
from .windows import Window, batched, per_axis, places, shaped

PORTION = 1 << 20  # how many elements stand side by side at once

_ONE = (Window(5, 3, 5, 1, 1),)
_TWO = (Window(5, 3, 3, 2, 1), Window(6, 2, 4, 1, 0, 2))
_CASES = (
    ((2, 2, 5), (3, 2, 3), (2, 3, 5), _ONE, 1),
    ((2, 4, 5, 6), (2, 2, 3, 2), (2, 2, 3, 4), _TWO, 2),
    ((1, 2, 5, 6), (4, 1, 3, 2), (1, 4, 3, 4), _TWO, 2),
    ((0, 2, 5), (3, 2, 3), (0, 3, 5), _ONE, 1),
)
FITS = "x has the shape (samples, channels, …), the weight (channels out, channels in each group, …), with one axis for each window"


def _portions(samples: int, elements: int) -> Iterator[slice]:
    """Slices of samples, so that ``elements`` for each of them make up no more than a portion."""
    step = max(1, PORTION // max(elements, 1))
    return (slice(i, min(i + step, samples)) for i in range(0, samples, step))


def _sizes(windows: tuple[Window, ...]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Shapes of the spatial axes: of the kernel, of x, of the result."""
    return tuple(w.kernel for w in windows), tuple(w.size for w in windows), tuple(w.count for w in windows)


def _side_by_side(x: Any, windows: tuple[Window, ...], groups: int) -> Any:
    """The elements of all windows: (groups, channels in the group · places, samples · windows)."""
    kernel, _, counts = _sizes(windows)
    padded = any(pair is None or pair[0] != slice(0, w.count) for w in windows for pair in w.slices)
    columns = (np.zeros if padded else np.empty)((x.shape[1], *kernel, x.shape[0], *counts), x.dtype)
    x = x.swapaxes(0, 1)
    for place, here, there in places(windows):
        key: Any = (slice(None), *place, slice(None), *here)
        columns[key] = x[(..., *there)]
    return columns.reshape(groups, x.shape[0] // groups * _product(kernel), -1)


def _product(sizes: tuple[int, ...]) -> int:
    return int(np.prod(sizes, dtype=int))


def _in_groups(y: Any, groups: int) -> Any:
    """(samples, channels, …) as (groups, channels in the group, samples · …)."""
    return y.swapaxes(0, 1).reshape(groups, y.shape[1] // groups, -1)


@op(
    label="conv",
    cases=[case(x, w, (w[0],), windows=windows, groups=groups) for x, w, _, windows, groups in _CASES],
    fits=FITS,
)
def convolution(x, weight, bias=None, *, windows=(), groups=1):
    """Sums of x times weight over windows, plus bias; what conv1d, conv2d and conv3d come down to.

    Slopes: in x the weights, in weight the elements that they meet, in bias 1.

    >>> convolution(Tensor([[[1.0, 2.0, 4.0]]]), Tensor([[[1.0, -1.0]]]), Tensor([0.5]), windows=(Window(size=3, kernel=2, count=2),))
    Tensor([[[-0.5, -1.5]]])
    """
    x, weight = as_float(x), as_float(weight)
    kernel, _, counts = _sizes(windows)
    channels = weight.shape[0]
    matrix = weight.reshape(groups, channels // groups, -1)
    given = (x, weight) if bias is None else (x, weight, as_float(bias))
    out = np.empty((channels, x.shape[0], *counts), np.result_type(*given))
    for some in _portions(x.shape[0], x.shape[1] * _product(kernel + counts)):
        part = matrix @ _side_by_side(x[some], windows, groups)
        out[:, some] = part.reshape(channels, -1, *counts)
    if bias is not None:
        out += bias.reshape(-1, *[1] * (out.ndim - 1))
    return out.swapaxes(0, 1)


@op(
    label="convᵀ",
    cases=[case(y, w, windows=windows, groups=groups) for _, w, y, windows, groups in _CASES],
    fits=FITS,
)
def convolution_to_input(y, weight, *, windows, groups=1):
    """Each element of y times the weight, added up where its window lies: the mirror of convolution in x.

    Slopes: in y the weights, in weight the elements that they meet.

    >>> convolution_to_input(Tensor([[[1.0, 2.0]]]), Tensor([[[1.0, -1.0]]]), windows=(Window(size=3, kernel=2, count=2),))
    Tensor([[[ 1.,  1., -2.]]])
    """
    y, weight = as_float(y), as_float(weight)
    kernel, sizes, counts = _sizes(windows)
    matrix = weight.reshape(groups, weight.shape[0] // groups, -1).swapaxes(1, 2)
    channels = weight.shape[1] * groups
    out = np.zeros((channels, y.shape[0], *sizes), np.result_type(y, weight))
    for some in _portions(y.shape[0], channels * _product(kernel + counts)):
        columns = (matrix @ _in_groups(y[some], groups)).reshape(channels, *kernel, -1, *counts)
        for place, here, there in places(windows):
            out[(slice(None), some, *there)] += columns[(slice(None), *place, slice(None), *here)]
    return out.swapaxes(0, 1)


@op(
    label="conv to weight",
    cases=[case(x, y, windows=windows, groups=groups) for x, _, y, windows, groups in _CASES],
    fits=FITS,
)
def convolution_to_weight(x, y, *, windows, groups=1):
    """For each place in the kernel the sum of y times the elements of x that the place meets: the mirror of convolution in the weight.

    Slopes: in y the elements of x that it meets, in x the elements of y.

    >>> convolution_to_weight(Tensor([[[1.0, 2.0, 4.0]]]), Tensor([[[1.0, 2.0]]]), windows=(Window(size=3, kernel=2, count=2),))
    Tensor([[[ 5., 10.]]])
    """
    x, y = as_float(x), as_float(y)
    kernel, _, counts = _sizes(windows)
    rows = x.shape[1] // groups * _product(kernel)
    total = np.zeros((groups, rows, y.shape[1] // groups), np.result_type(x, y))
    for some in _portions(x.shape[0], x.shape[1] * _product(kernel + counts)):
        total += _side_by_side(x[some], windows, groups) @ _in_groups(y[some], groups).swapaxes(1, 2)
    return total.swapaxes(1, 2).reshape(y.shape[1], x.shape[1] // groups, *kernel)


convolution.defvjp(
    lambda g, out, x, weight, bias, windows, groups: convolution_to_input(g, weight, windows=windows, groups=groups),
    lambda g, out, x, weight, bias, windows, groups: convolution_to_weight(x, g, windows=windows, groups=groups),
    lambda g, out, x, weight, bias, windows, groups: sum(g, axis=(0, *range(2, g.ndim))),
)
convolution_to_input.defvjp(
    lambda g, out, y, weight, windows, groups: convolution(g, weight, None, windows=windows, groups=groups),
    lambda g, out, y, weight, windows, groups: convolution_to_weight(g, y, windows=windows, groups=groups),
)
convolution_to_weight.defvjp(
    lambda g, out, x, y, windows, groups: convolution_to_input(y, g, windows=windows, groups=groups),
    lambda g, out, x, y, windows, groups: convolution(x, g, None, windows=windows, groups=groups),
)


# --------------------------------------------------------------------------------------- for one, two, three axes


@expression(
    cases=[case((2, 2, 5), (3, 2, 3)), case((2, 2, 6), (4, 1, 3), (4,), stride=2, padding=1, groups=2), case((2, 5), (3, 2, 2), padding="same")]
)
def conv1d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution along one axis: x (samples, channels, n) or (channels, n), weight (channels out, channels/groups, k), bias (channels out,).

    out[s, o, i] = bias[o] + Σ_{c,k} weight[o, c, k]·x[s, c, i·stride + k·dilation - padding], with 0 beyond the ends. ``padding`` is a
    number, ``"valid"`` (0), or ``"same"`` (with stride 1: as many windows as elements; an odd one is added behind).

    Slopes: in x the weights, in weight the elements that they meet, in bias 1.

    >>> conv1d(Tensor([[[1.0, 2.0, 4.0]]]), Tensor([[[1.0, -1.0]]]))
    Tensor([[[-1., -2.]]])
    """
    return _convolved("conv1d", 1, x, weight, bias, stride, padding, dilation, groups)


@expression(
    cases=[
        case((2, 1, 4, 5), (2, 1, 3, 3), (2,)),
        case((1, 2, 5, 5), (2, 2, 2, 3), stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
        case((1, 2, 4, 4), (2, 1, 3, 2), padding="same", groups=2),
        case((2, 4, 4), (3, 2, 1, 1)),
    ]
)
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution over two axes: x (samples, channels, h, w), weight (channels out, channels/groups, kh, kw); else as conv1d.

    ``stride``, ``padding`` and ``dilation`` are one number, or one for each axis.

    Slopes: in x the weights, in weight the elements that they meet, in bias 1.

    >>> conv2d(tg.ones((1, 1, 3, 3)), tg.ones((1, 1, 2, 2)), padding=1)[0, 0]
    Tensor([[1., 2., 2., 1.],
            [2., 4., 4., 2.],
            [2., 4., 4., 2.],
            [1., 2., 2., 1.]])
    """
    return _convolved("conv2d", 2, x, weight, bias, stride, padding, dilation, groups)


@expression(cases=[case((1, 2, 3, 4, 3), (2, 2, 2, 2, 2), (2,)), case((1, 2, 3, 3, 3), (2, 1, 3, 1, 2), stride=2, padding=1, groups=2)])
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution over three axes: x (samples, channels, d, h, w), weight (channels out, channels/groups, kd, kh, kw); else as conv1d.

    Slopes: in x the weights, in weight the elements that they meet, in bias 1.

    >>> conv3d(tg.ones((1, 1, 2, 2, 2)), tg.ones((1, 1, 2, 2, 2)))
    Tensor([[[[[8.]]]]])
    """
    return _convolved("conv3d", 3, x, weight, bias, stride, padding, dilation, groups)


@expression(
    cases=[case((2, 2, 4), (2, 3, 3)), case((1, 4, 4), (4, 1, 3), (2,), stride=2, padding=1, output_padding=1, groups=2), case((2, 3), (2, 3, 2))]
)
def conv_transpose1d(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The mirror of conv1d in x: each element times the weight (channels in, channels out/groups, k) is added where its window lies.

    The result has (n - 1)·stride - 2·padding + dilation·(k - 1) + output_padding + 1 elements along the axis.

    Slopes: in x the weights, in weight the elements that they meet, in bias 1.

    >>> conv_transpose1d(Tensor([[[1.0, 2.0]]]), Tensor([[[1.0, -1.0]]]), stride=2)
    Tensor([[[ 1., -1.,  2., -2.]]])
    """
    return _transposed("conv_transpose1d", 1, x, weight, bias, stride, padding, output_padding, groups, dilation)


@expression(cases=[case((1, 2, 3, 3), (2, 2, 2, 3), (2,), stride=(2, 1), dilation=(1, 2)), case((2, 3, 3), (2, 1, 3, 3), padding=1, groups=2)])
def conv_transpose2d(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The mirror of conv2d in x, weight (channels in, channels out/groups, kh, kw); else as conv_transpose1d.

    Slopes: in x the weights, in weight the elements that they meet, in bias 1.

    >>> conv_transpose2d(tg.ones((1, 1, 1, 2)), tg.ones((1, 1, 2, 2)))
    Tensor([[[[1., 2., 1.],
              [1., 2., 1.]]]])
    """
    return _transposed("conv_transpose2d", 2, x, weight, bias, stride, padding, output_padding, groups, dilation)


@expression(cases=[case((1, 2, 2, 2, 2), (2, 2, 2, 1, 2), (2,), stride=2), case((1, 2, 2, 3, 2), (2, 1, 2, 2, 2), padding=1, groups=2)])
def conv_transpose3d(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The mirror of conv3d in x, weight (channels in, channels out/groups, kd, kh, kw); else as conv_transpose1d.

    Slopes: in x the weights, in weight the elements that they meet, in bias 1.

    >>> conv_transpose3d(tg.ones((1, 1, 1, 1, 1)), tg.ones((1, 1, 1, 1, 2)))
    Tensor([[[[[1., 1.]]]]])
    """
    return _transposed("conv_transpose3d", 3, x, weight, bias, stride, padding, output_padding, groups, dilation)


def _convolved(name: str, axes: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    weight, (x, had_samples) = shaped(weight), batched(name, shaped(x), axes)
    _check(name, axes, x, weight, bias, groups, channels=1, bias_size=lambda: weight.shape[0])
    strides, dilations = per_axis(name, "stride", stride, axes, 1), per_axis(name, "dilation", dilation, axes, 1)
    pads = _paddings(name, padding, weight.shape[2:], strides, dilations)
    windows = []
    for n, k, s, d, (low, high) in zip(x.shape[2:], weight.shape[2:], strides, dilations, pads, strict=True):
        count = (n + low + high - d * (k - 1) - 1) // s + 1
        if count < 1 or k < 1:
            raise ValueError(
                f"{name}: a kernel of shape {weight.shape[2:]} with dilation {dilations} does not fit into x of shape {x.shape} with "
                f"padding {padding!r}; it needs at least one place. Pad more, or use a smaller kernel."
            )
        windows.append(Window(n, k, count, s, low, d))
    out = convolution(x, weight, bias, windows=tuple(windows), groups=groups)
    return out if had_samples else out[0]


def _transposed(
    name: str, axes: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any, groups: int, dilation: Any
) -> Any:
    weight, (x, had_samples) = shaped(weight), batched(name, shaped(x), axes)
    _check(name, axes, x, weight, bias, groups, channels=0, bias_size=lambda: weight.shape[1] * groups)
    strides, dilations = per_axis(name, "stride", stride, axes, 1), per_axis(name, "dilation", dilation, axes, 1)
    pads, further = per_axis(name, "padding", padding, axes, 0), per_axis(name, "output_padding", output_padding, axes, 0)
    windows = []
    for n, k, s, d, p, more in zip(x.shape[2:], weight.shape[2:], strides, dilations, pads, further, strict=True):
        if more >= max(s, d):
            raise ValueError(f"{name}: output_padding is {output_padding}; it must be smaller than stride or dilation, {strides} and {dilations}.")
        size = (n - 1) * s - 2 * p + d * (k - 1) + more + 1
        if size < 1 or n < 1:
            raise ValueError(f"{name}: nothing is left of x of shape {x.shape} with a kernel of shape {weight.shape[2:]} and padding {padding}.")
        windows.append(Window(size, k, n, s, p, d))
    out = convolution_to_input(x, weight, windows=tuple(windows), groups=groups)
    if bias is not None:
        out = out + reshape(bias, shape=(-1, *[1] * axes))
    return out if had_samples else out[0]


def _check(name: str, axes: int, x: Any, weight: Any, bias: Any, groups: Any, channels: int, bias_size: Any) -> None:
    """Shapes that fit, or an error; ``channels`` is the weight's axis that belongs to the channels of x."""
    if not isinstance(groups, (int, np.integer)) or groups < 1:
        raise ValueError(f"{name}: groups is {groups!r}; it must be a whole number, at least 1.")
    if weight.ndim != axes + 2:
        raise ValueError(f"{name}: weight has shape {weight.shape}; it needs {axes + 2} axes: two of channels and the kernel.")
    expected = weight.shape[1] * groups if channels else weight.shape[0]
    if x.shape[1] != expected or weight.shape[0] % groups:
        raise ValueError(
            f"{name}: x is {_described(x)} and weight {_described(weight)} with groups={groups}: x must have {expected} channels, "
            f"and groups divide {weight.shape[0]}. The weight's shape is "
            + ("(channels out, channels in / groups, …)." if channels else "(channels in, channels out / groups, …).")
        )
    if bias is not None and shaped(bias).shape != (bias_size(),):
        raise ValueError(f"{name}: bias has shape {shaped(bias).shape}; it needs {(bias_size(),)}, one number for each channel of the result.")


def _described(x: Any) -> str:
    return describe(x if isinstance(x, np.ndarray) else x.data, getattr(x, "name", None))


def _paddings(name: str, padding: Any, kernel: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]) -> list[tuple[int, int]]:
    """How much is added before and behind each axis."""
    if padding == "valid":
        return [(0, 0)] * len(kernel)
    if padding == "same":
        if any(s != 1 for s in strides):
            raise ValueError(f"{name}: padding='same' needs stride 1, not {strides}; give the padding as a number.")
        total = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
        return [(n // 2, n - n // 2) for n in total]
    if isinstance(padding, str):
        raise ValueError(f"{name}: padding is {padding!r}; it must be 'same', 'valid', a whole number, or one for each spatial axis.")
    return [(p, p) for p in per_axis(name, "padding", padding, len(kernel), 0)]
