"""Images and signals of another size: interpolation along the spatial axes of (samples, channels, …), and shuffling channels into pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..domain import case
from ..op import expression
from .pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .shape import permute_dims, reshape
from .windows import per_axis, ragged, shaped, window_sum

Term = tuple[Any, Any]  # for each new element, the place of an old one and its weight (None: 1)

MODES = {"nearest": 0, "nearest-exact": 0, "linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2, "area": 0}


@expression(
    cases=[
        case((1, 2, 4), size=6),
        case((1, 2, 5), scale_factor=1.7, mode="linear"),
        case((1, 1, 3, 4), size=(5, 2), mode="bilinear"),
        case((1, 1, 3, 4), size=(5, 6), mode="bilinear", align_corners=True),
        case((1, 1, 4, 3), size=(6, 5), mode="bicubic"),
        case((1, 1, 2, 3, 2), scale_factor=2, mode="trilinear"),
        case((1, 2, 5), size=3, mode="area"),
        case((1, 1, 3, 2), scale_factor=(2, 1.5), mode="nearest-exact"),
    ]
)
def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=False, recompute_scale_factor=None):
    """x (samples, channels, …) with its spatial axes brought to ``size``, or to ⌊n·scale_factor⌋; one number, or one for each axis.

    ``mode`` is ``"nearest"`` (the element at ⌊i·n/m⌋), ``"nearest-exact"`` (at ⌊(i + ½)·n/m⌋), ``"linear"``, ``"bilinear"``, ``"trilinear"``,
    ``"bicubic"`` (with -¾ as its constant) or ``"area"`` (means). New element i lies at (i + ½)·n/m - ½, or with ``align_corners`` at
    i·(n - 1)/(m - 1). Slope: the part that each element has in a new one. n/m is 1/scale_factor if that is given, unless ``recompute_scale_factor``.

    >>> interpolate(Tensor([[[1.0, 3.0]]]), size=4, mode="linear")
    Tensor([[[1. , 1.5, 2.5, 3. ]]])
    """
    x = shaped(x)
    axes = x.ndim - 2
    if mode not in MODES or axes not in ((MODES[mode],) if MODES[mode] else (1, 2, 3)):
        raise ValueError(
            f"interpolate: mode {mode!r} does not fit x of shape {x.shape}. 'nearest', 'nearest-exact' and 'area' take one to three spatial axes, "
            "'linear' one, 'bilinear' and 'bicubic' two, 'trilinear' three."
        )
    sizes, steps = _new_sizes(x, size, scale_factor, bool(recompute_scale_factor))
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[axes - 1](x, sizes)
    for i, (n, m, step) in enumerate(zip(x.shape[2:], sizes, steps, strict=True)):
        x = _along(x, i, _terms(mode, n, m, step, bool(align_corners)))
    return x


def _new_sizes(x: Any, size: Any, scale_factor: Any, recompute: bool) -> tuple[tuple[int, ...], list[float]]:
    """The new sizes of the spatial axes, and how far apart new elements lie on the old axes."""
    old, axes = x.shape[2:], x.ndim - 2
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give either size or scale_factor.")
    if 0 in old:
        raise ValueError(f"interpolate: x of shape {x.shape} has an empty axis, on which nothing lies to interpolate.")
    if size is not None:
        sizes = per_axis("interpolate", "size", size, axes, 1)
        return sizes, [n / m for n, m in zip(old, sizes, strict=True)]
    factors = tuple(scale_factor) if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * axes
    if len(factors) != axes or any(not f > 0 for f in factors):
        raise ValueError(f"interpolate: scale_factor is {scale_factor!r}; it must be above 0, one number or {axes}, one for each spatial axis.")
    sizes = per_axis("interpolate", "the size by scale_factor", tuple(int(n * f) for n, f in zip(old, factors, strict=True)), axes, 1)
    return sizes, [n / m if recompute else 1 / f for n, m, f in zip(old, sizes, factors, strict=True)]


def _terms(mode: str, n: int, m: int, step: float, align_corners: bool) -> list[Term]:
    """What each of the m new elements along an axis is the sum of."""
    here = np.arange(m)
    if mode.startswith("nearest"):
        # At single precision, as in other libraries: at double precision 1/scale_factor may fall just short of a whole number.
        half = np.float32(0.5 if mode == "nearest-exact" else 0)
        return [(np.minimum(np.floor((here.astype(np.float32) + half) * np.float32(step)).astype(int), n - 1), None)]
    at = here * ((n - 1) / (m - 1) if m > 1 else 0.0) if align_corners else (here + 0.5) * step - 0.5
    if mode != "bicubic":
        at = np.maximum(at, 0)
    low = np.floor(at).astype(int)
    part = at - low
    weights: Callable[[Any], list[Any]] = _cubic if mode == "bicubic" else _straight
    first = -1 if mode == "bicubic" else 0
    return [(np.clip(low + k, 0, n - 1), w) for k, w in enumerate(weights(part), first)]


def _straight(t: Any) -> list[Any]:
    return [1 - t, t]


def _cubic(t: Any) -> list[Any]:
    """Weights of four neighbours. Source: R. G. Keys (1981), Cubic convolution interpolation, eq. 4 with a = -3/4."""
    a = -0.75

    def near(d: Any) -> Any:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Any) -> Any:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def _along(x: Any, i: int, terms: list[Term]) -> Any:
    """The sum of weighted elements along spatial axis i, each picked by its place."""
    n, behind = x.shape[2 + i], x.ndim - 3 - i
    total = None
    for picked, weight in terms:
        windows = [ragged(m, range(m), range(1, m + 1)) for m in x.shape[2:]]
        windows[i] = ragged(n, picked, picked + 1)
        part = window_sum(x, windows=tuple(windows))
        if weight is not None:
            part = part * weight.astype(x.dtype if x.dtype.kind == "f" else np.float64).reshape(-1, *[1] * behind)
        total = part if total is None else total + part
    return total


# ------------------------------------------------------------------------------------------- shuffling


@expression(cases=[case((2, 8, 2, 3), upscale_factor=2), case((4, 1, 2), upscale_factor=2)])
def pixel_shuffle(x, upscale_factor):
    """Channels turned into pixels: (…, c·r², h, w) becomes (…, c, h·r, w·r), where r is ``upscale_factor``.

    Slope: 1 for each element, wherever it goes.

    Source: W. Shi et al. (2016), Real-time single image and video super-resolution, eq. 4.

    >>> pixel_shuffle(tg.arange(4.0).reshape(4, 1, 1), 2)
    Tensor([[[0., 1.],
             [2., 3.]]])
    """
    x, r = shaped(x), upscale_factor
    if x.ndim < 3 or r < 1 or x.shape[-3] % (r * r):
        raise ValueError(f"pixel_shuffle: x of shape {x.shape} needs a third axis from the end that {r}² divides, (…, channels·r², h, w).")
    *outer, c, h, w = x.shape
    k = len(outer)
    x = reshape(x, shape=(*outer, c // (r * r), r, r, h, w))
    x = permute_dims(x, axes=(*range(k), k, k + 3, k + 1, k + 4, k + 2))
    return reshape(x, shape=(*outer, c // (r * r), h * r, w * r))


@expression(cases=[case((2, 2, 4, 6), downscale_factor=2), case((1, 2, 4), downscale_factor=2)])
def pixel_unshuffle(x, downscale_factor):
    """Pixels turned into channels: (…, c, h·r, w·r) becomes (…, c·r², h, w), where r is ``downscale_factor``; undoes pixel_shuffle.

    Slope: 1 for each element, wherever it goes.

    >>> pixel_unshuffle(Tensor([[[0.0, 1.0], [2.0, 3.0]]]), 2)[:, 0, 0]
    Tensor([0., 1., 2., 3.])
    """
    x, r = shaped(x), downscale_factor
    if x.ndim < 3 or r < 1 or x.shape[-2] % r or x.shape[-1] % r:
        raise ValueError(f"pixel_unshuffle: x of shape {x.shape} needs two last axes that {r} divides, (…, channels, h·r, w·r).")
    *outer, c, h, w = x.shape
    k = len(outer)
    x = reshape(x, shape=(*outer, c, h // r, r, w // r, r))
    x = permute_dims(x, axes=(*range(k), k, k + 2, k + 4, k + 1, k + 3))
    return reshape(x, shape=(*outer, c * r * r, h // r, w // r))


@expression(cases=[case((2, 6, 3), groups=2), case((1, 4, 2, 2), groups=4)])
def channel_shuffle(x, groups):
    """Channels (axis 1), cut into ``groups``, dealt out anew: one of each group, then the next of each. Slope: 1 for each element.

    Source: X. Zhang et al. (2018), ShuffleNet, section 3.1.

    >>> channel_shuffle(tg.arange(4.0).reshape(1, 4, 1), 2).reshape(-1)
    Tensor([0., 2., 1., 3.])
    """
    x = shaped(x)
    if x.ndim < 3 or groups < 1 or x.shape[1] % groups:
        raise ValueError(f"channel_shuffle: x of shape {x.shape} needs an axis 1 that groups={groups} divides, (samples, channels, …).")
    n, c, *sizes = x.shape
    x = reshape(x, shape=(n, groups, c // groups, *sizes))
    return reshape(permute_dims(x, axes=(0, 2, 1, *range(3, x.ndim))), shape=(n, c, *sizes))
