"""Pooling: one number for each window over the spatial axes of (samples, channels, …), the largest or the mean.

Equal largest elements of a window share its gradient evenly. Padding never wins a maximum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import POSITIVE, REAL, case
from ..op import expression
from .choice import greater, where
from .elementwise import as_float, sqrt
from .reduction import max
from .unpooling import window_argmax
from .windows import Window, batched, per_axis, ragged, shaped, window_max, window_sum

TIES = (REAL.with_ties(),)
# -------------------------------------------------------------------------------------------- largest


@expression(domain=TIES, cases=[case((2, 1, 6), kernel_size=2), case((1, 2, 7), kernel_size=3, stride=2, padding=1, ceil_mode=True)])
def max_pool1d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Largest element of each window along the last axis of x (samples, channels, n). Slope: 1 for the winner, shared at a tie.

    Window i starts at i·stride - padding and has ``kernel_size`` places, ``dilation`` apart; with ``ceil_mode`` a last one may
    reach over the end. ``stride`` is the kernel's size unless given. With ``return_indices`` also the winners' places, for max_unpool1d.

    >>> max_pool1d(Tensor([[[1.0, 3.0, 2.0, 5.0]]]), 2)
    Tensor([[[3., 5.]]])
    """
    return _max_pool("max_pool1d", 1, x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@expression(
    domain=TIES,
    cases=[
        case((1, 2, 4, 4), kernel_size=2),
        case((1, 1, 5, 5), kernel_size=3, stride=(1, 2), padding=1),
        case((2, 5, 6), kernel_size=2, stride=1, dilation=2),
    ],
)
def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Largest element of each window over the last two axes; settings are one number or one for each axis, else as max_pool1d.

    Slope: 1 for the winner, shared evenly at a tie.

    >>> max_pool2d(Tensor([[[[1.0, 3.0], [2.0, 5.0]]]]), 2)
    Tensor([[[[5.]]]])
    """
    return _max_pool("max_pool2d", 2, x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@expression(domain=TIES, cases=[case((1, 1, 4, 4, 2), kernel_size=2), case((1, 1, 3, 3, 3), kernel_size=2, stride=1, padding=(1, 0, 1))])
def max_pool3d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Largest element of each window over the last three axes; settings are one number or one for each axis, else as max_pool1d.

    Slope: 1 for the winner, shared evenly at a tie.

    >>> max_pool3d(tg.ones((1, 1, 2, 2, 2)), 2)
    Tensor([[[[[1.]]]]])
    """
    return _max_pool("max_pool3d", 3, x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _max_pool(name: str, axes: int, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, return_indices: bool) -> Any:
    x, had_samples = batched(name, shaped(x), axes)
    windows = _windows(name, x, kernel_size, stride, padding, dilation, ceil_mode)
    found = (window_max(x, windows=windows), *([window_argmax(x, windows=windows)] if return_indices else []))
    found = found if had_samples else tuple(part[0] for part in found)
    return found if return_indices else found[0]


def _windows(name: str, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> tuple[Window, ...]:
    axes = x.ndim - 2
    kernel = per_axis(name, "kernel_size", kernel_size, axes, 1)
    strides = kernel if stride is None else per_axis(name, "stride", stride, axes, 1)
    pads, dilations = per_axis(name, "padding", padding, axes, 0), per_axis(name, "dilation", dilation, axes, 1)
    found = []
    for n, k, s, p, d in zip(x.shape[2:], kernel, strides, pads, dilations, strict=True):
        reach = d * (k - 1) + 1
        if 2 * p > reach:
            raise ValueError(f"{name}: padding {padding} is more than half the window ({reach} elements): some windows would hold nothing.")
        count = -((reach - n - 2 * p) // s) + 1 if ceil_mode else (n + 2 * p - reach) // s + 1
        if ceil_mode and (count - 1) * s >= n + p:
            count -= 1  # a window must start on the axis, not behind it
        if count < 1 or n < 1:
            raise ValueError(f"{name}: a window of {kernel} with padding {padding} and dilation {dilation} does not fit into x of shape {x.shape}.")
        found.append(Window(n, k, count, s, p, d))
    return tuple(found)


# ---------------------------------------------------------------------------------------------- means


@expression(cases=[case((2, 1, 6), kernel_size=2), case((1, 2, 7), kernel_size=3, stride=2, padding=1, count_include_pad=False)])
def avg_pool1d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """Mean of each window along the last axis of x (samples, channels, n). Slope: 1/(elements of the window).

    Windows lie as in max_pool1d. Padding counts as zeros, or with ``count_include_pad=False`` not at all.

    >>> avg_pool1d(Tensor([[[1.0, 3.0, 2.0, 5.0]]]), 2)
    Tensor([[[2. , 3.5]]])
    """
    return _avg_pool("avg_pool1d", 1, x, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


@expression(
    cases=[
        case((1, 2, 4, 4), kernel_size=2),
        case((1, 1, 5, 5), kernel_size=3, stride=(1, 2), padding=1, ceil_mode=True),
        case((2, 5, 6), kernel_size=2, stride=1, divisor_override=3),
    ]
)
def avg_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    """Mean of each window over the last two axes (sum divided by ``divisor_override``, if given); else as avg_pool1d.

    Slope: 1/(elements of the window), or 1/divisor_override.

    >>> avg_pool2d(Tensor([[[[1.0, 3.0], [2.0, 5.0]]]]), 2)
    Tensor([[[[2.75]]]])
    """
    return _avg_pool("avg_pool2d", 2, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@expression(cases=[case((1, 1, 4, 4, 2), kernel_size=2), case((1, 1, 3, 3, 3), kernel_size=2, stride=1, padding=(1, 0, 1))])
def avg_pool3d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    """Mean of each window over the last three axes (sum divided by ``divisor_override``, if given); else as avg_pool1d.

    Slope: 1/(elements of the window), or 1/divisor_override.

    >>> avg_pool3d(tg.ones((1, 1, 2, 2, 2)), 2)
    Tensor([[[[[1.]]]]])
    """
    return _avg_pool("avg_pool3d", 3, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _avg_pool(
    name: str, axes: int, x: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool, divisor: Any
) -> Any:
    x, had_samples = batched(name, _floats(shaped(x)), axes)
    windows = _windows(name, x, kernel_size, stride, padding, 1, ceil_mode)
    if divisor is None:
        divisor = _sizes(windows, x.dtype, count_include_pad)
    elif divisor == 0:
        raise ValueError(f"{name}: divisor_override must not be 0.")
    out = window_sum(x, windows=windows) / divisor
    return out if had_samples else out[0]


def _sizes(windows: tuple[Window, ...], dtype: Any, count_include_pad: bool) -> Any:
    """How many elements each window holds: one number where it is the same for all."""
    total: Any = 1
    for i, w in enumerate(windows):
        starts = np.arange(w.count) * w.stride - w.low
        ends = np.minimum(starts + w.kernel, w.size + (w.low if count_include_pad else 0))
        sizes = ends - (starts if count_include_pad else np.maximum(starts, 0))
        total = total * (int(sizes[0]) if np.all(sizes == sizes[0]) else sizes.reshape(-1, *[1] * (len(windows) - 1 - i)))
    return total if isinstance(total, int) else total.astype(dtype)


def _floats(x: Any) -> Any:
    """x, with whole numbers as floats."""
    return as_float(x) if isinstance(x, np.ndarray) else x


# ---------------------------------------------------------------------------------------------- norms


@expression(domain=[POSITIVE], cases=[case((2, 1, 6), norm_type=2, kernel_size=2), case((1, 2, 7), norm_type=3, kernel_size=3, stride=2)])
def lp_pool1d(x, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(Σ x^p)^(1/p) over each window along the last axis, with p = ``norm_type``; 0 where that sum is not positive. Windows lie as in max_pool1d.

    A window that reaches over the end has fewer elements. Slope: (x/out)^(p - 1), 0 where the sum is not positive.

    >>> lp_pool1d(Tensor([[[3.0, 4.0, 0.0, 0.0]]]), 2, 2)
    Tensor([[[5., 0.]]])
    """
    return _lp_pool("lp_pool1d", 1, x, norm_type, kernel_size, stride, ceil_mode)


@expression(domain=[POSITIVE], cases=[case((1, 2, 4, 4), norm_type=2, kernel_size=2), case((2, 5, 4), norm_type=1.5, kernel_size=(3, 2), stride=2)])
def lp_pool2d(x, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(Σ x^p)^(1/p) over each window of the last two axes; else as lp_pool1d. Slope: (x/out)^(p - 1), 0 where the sum is not positive.

    >>> lp_pool2d(Tensor([[[[3.0], [4.0]]]]), 2, (2, 1))
    Tensor([[[[5.]]]])
    """
    return _lp_pool("lp_pool2d", 2, x, norm_type, kernel_size, stride, ceil_mode)


@expression(domain=[POSITIVE], cases=[case((1, 1, 2, 4, 3), norm_type=2, kernel_size=2)])
def lp_pool3d(x, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(Σ x^p)^(1/p) over each window of the last three axes; else as lp_pool1d. Slope: (x/out)^(p - 1), 0 where the sum is not positive.

    >>> lp_pool3d(Tensor([[[[[3.0, 4.0]]]]]), 2, (1, 1, 2))
    Tensor([[[[[5.]]]]])
    """
    return _lp_pool("lp_pool3d", 3, x, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(name: str, axes: int, x: Any, p: Any, kernel_size: Any, stride: Any, ceil_mode: bool) -> Any:
    if not 0 < p < np.inf:
        raise ValueError(f"{name}: norm_type is {p}; it must be finite and above 0. For the largest element use max_pool{axes}d.")
    x, had_samples = batched(name, _floats(shaped(x)), axes)
    total = window_sum(x * x if p == 2 else x**p, windows=_windows(name, x, kernel_size, stride, 0, 1, ceil_mode))
    some = greater(total, 0)
    safe = where(some, total, 1)
    out = where(some, sqrt(safe) if p == 2 else safe ** (1 / p), 0)
    return out if had_samples else out[0]


# ------------------------------------------------------------------------------------------- adaptive


@expression(cases=[case((2, 1, 6), output_size=3), case((1, 2, 7), output_size=3), case((2, 3), output_size=5)])
def adaptive_avg_pool1d(x, output_size):
    """Means over ``output_size`` windows that cover the last axis: window i goes from ⌊i·n/size⌋ up to ⌈(i+1)·n/size⌉.

    Slope: 1/(elements of the window).

    >>> adaptive_avg_pool1d(Tensor([[[1.0, 3.0, 2.0]]]), 2)
    Tensor([[[2. , 2.5]]])
    """
    return _adaptive_avg("adaptive_avg_pool1d", 1, x, output_size)


@expression(cases=[case((1, 2, 4, 6), output_size=2), case((1, 1, 5, 4), output_size=(3, None)), case((2, 5, 7), output_size=(2, 3))])
def adaptive_avg_pool2d(x, output_size):
    """Means over (h, w) windows that cover the last two axes; ``None`` leaves an axis as it is; else as adaptive_avg_pool1d.

    Slope: 1/(elements of the window).

    >>> adaptive_avg_pool2d(Tensor([[[[1.0, 3.0], [2.0, 5.0]]]]), 1)
    Tensor([[[[2.75]]]])
    """
    return _adaptive_avg("adaptive_avg_pool2d", 2, x, output_size)


@expression(cases=[case((1, 1, 3, 4, 2), output_size=2)])
def adaptive_avg_pool3d(x, output_size):
    """Means over windows that cover the last three axes; else as adaptive_avg_pool2d. Slope: 1/(elements of the window).

    >>> adaptive_avg_pool3d(tg.ones((1, 1, 2, 3, 4)), 1)
    Tensor([[[[[1.]]]]])
    """
    return _adaptive_avg("adaptive_avg_pool3d", 3, x, output_size)


@expression(domain=TIES, cases=[case((2, 1, 6), output_size=3), case((1, 2, 7), output_size=3), case((2, 3), output_size=5)])
def adaptive_max_pool1d(x, output_size):
    """Largest elements of ``output_size`` windows that cover the last axis, placed as in adaptive_avg_pool1d.

    Slope: 1 for the winner, shared evenly at a tie.

    >>> adaptive_max_pool1d(Tensor([[[1.0, 3.0, 2.0]]]), 2)
    Tensor([[[3., 3.]]])
    """
    return _adaptive_max("adaptive_max_pool1d", 1, x, output_size)


@expression(domain=TIES, cases=[case((1, 2, 4, 6), output_size=2), case((1, 1, 5, 4), output_size=(3, None)), case((2, 5, 7), output_size=(2, 3))])
def adaptive_max_pool2d(x, output_size):
    """Largest elements of (h, w) windows that cover the last two axes; ``None`` leaves an axis as it is.

    Slope: 1 for the winner, shared evenly at a tie.

    >>> adaptive_max_pool2d(Tensor([[[[1.0, 3.0], [2.0, 5.0]]]]), 1)
    Tensor([[[[5.]]]])
    """
    return _adaptive_max("adaptive_max_pool2d", 2, x, output_size)


@expression(domain=TIES, cases=[case((1, 1, 3, 4, 2), output_size=2)])
def adaptive_max_pool3d(x, output_size):
    """Largest elements of windows that cover the last three axes; else as adaptive_max_pool2d. Slope: 1 for the winner, shared evenly at a tie.

    >>> adaptive_max_pool3d(tg.ones((1, 1, 2, 3, 4)), 1)
    Tensor([[[[[1.]]]]])
    """
    return _adaptive_max("adaptive_max_pool3d", 3, x, output_size)


def _edges(name: str, x: Any, output_size: Any) -> list[tuple[Any, Any]]:
    """For each spatial axis where its windows start and end."""
    axes = x.ndim - 2
    wanted = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * axes
    sizes = x.shape[2:]
    if 0 in sizes:
        raise ValueError(f"{name}: x of shape {x.shape} has an empty axis, over which there is nothing to pool.")
    if len(wanted) == axes:
        wanted = tuple(n if m is None else m for n, m in zip(sizes, wanted, strict=True))
    counts = per_axis(name, "output_size", wanted, axes, 1)
    return [(np.arange(m) * n // m, -(-(np.arange(1, m + 1) * n) // m)) for n, m in zip(sizes, counts, strict=True)]


def _even(sizes: tuple[int, ...], edges: list[tuple[Any, Any]]) -> tuple[Window, ...] | None:
    """Plain windows, if the axes can be cut into equal parts."""
    if any(n % len(starts) for n, (starts, _) in zip(sizes, edges, strict=True)):
        return None
    return tuple(Window(n, n // len(starts), len(starts), n // len(starts)) for n, (starts, _) in zip(sizes, edges, strict=True))


def _adaptive_avg(name: str, axes: int, x: Any, output_size: Any) -> Any:
    x, had_samples = batched(name, _floats(shaped(x)), axes)
    edges = _edges(name, x, output_size)
    windows: Any = _even(x.shape[2:], edges) or tuple(ragged(n, *ends) for n, ends in zip(x.shape[2:], edges, strict=True))
    out = window_sum(x, windows=windows)
    for i, (starts, ends) in enumerate(edges):
        out = out / (ends - starts).astype(x.dtype).reshape(-1, *[1] * (axes - 1 - i))
    return out if had_samples else out[0]


def _adaptive_max(name: str, axes: int, x: Any, output_size: Any) -> Any:
    x, had_samples = batched(name, shaped(x), axes)
    edges = _edges(name, x, output_size)
    windows = _even(x.shape[2:], edges)
    out = window_max(x, windows=windows) if windows else _largest(x, edges)
    return out if had_samples else out[0]


def _largest(x: Any, edges: list[tuple[Any, Any]]) -> Any:
    """Windows of different lengths, laid side by side with -inf for what the shorter ones lack."""
    inside: Any = True
    for i, (starts, ends) in enumerate(edges):
        steps = starts[:, None] + np.arange(np.max(ends - starts))
        behind = (1,) * (2 * (len(edges) - 1 - i))
        inside = inside & (steps < ends[:, None]).reshape(*steps.shape, *behind)
        x = x[(slice(None),) * (2 + 2 * i) + (np.minimum(steps, x.shape[2 + 2 * i] - 1),)]
    return max(where(inside, x, -np.inf if x.dtype.kind in "fc" else np.iinfo(x.dtype).min), axis=tuple(range(3, x.ndim, 2)))
