"""Images read between their pixels, at places that have a gradient, too: grids of places, and sampling at them."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np

from ..domain import REAL, case, interval
from ..op import expression
from .choice import where
from .elementwise import abs, astype, clip
from .images import _cubic, _straight
from .linalg import matmul
from .placing import gather
from .seen import values
from .shape import as_array, reshape
from .windows import per_axis

_MODES = ("bilinear", "nearest", "bicubic")
_RIMS = ("zeros", "border", "reflection")
_INSIDE = interval(-0.9, 0.9)


@expression(
    domain=[REAL, _INSIDE],
    cases=(
        case((1, 2, 3, 4), (1, 2, 2, 2)),
        case((2, 1, 3, 3), (2, 1, 3, 2), padding_mode="border", align_corners=True),
        case((1, 1, 4, 3), (1, 2, 2, 2), padding_mode="reflection"),
        case((1, 1, 4, 3), (1, 2, 2, 2), mode="bicubic"),
        case((1, 2, 3, 3), (1, 2, 1, 2), mode="nearest"),
        case((1, 1, 2, 3, 2), (1, 1, 2, 1, 3)),
    ),
)
def grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False):
    """x (samples, channels, h, w) read at the places in ``grid`` (samples, …, 2): pairs (along w, along h), from -1 to 1; with three axes triples.

    -1 and 1 are the outer edges of the outer pixels, or with ``align_corners`` their centres. ``mode`` is ``"bilinear"`` (over all axes),
    ``"nearest"`` or ``"bicubic"``. Places beyond read ``"zeros"``, the ``"border"``, or the image mirrored (``"reflection"``).
    Slopes: in x the weights; in the grid those of the weights, 0 for ``"nearest"``. At a pixel's centre the slope is that to the next one.

    Source: M. Jaderberg et al. (2015), Spatial transformer networks, eq. 5 and 7.

    >>> grid_sample(Tensor([[[[1.0, 3.0]]]]), Tensor([[[[0.0, 0.0]]]]))
    Tensor([[[[2.]]]])
    """
    x, grid = as_array(x), as_array(grid)
    _check(x, grid, mode, padding_mode)
    x = astype(x, dtype=np.result_type(x.dtype, grid.dtype))
    sizes, lines = x.shape[2:], (x.shape[0], 1, math.prod(grid.shape[1:-1]))
    taps = []
    for i, n in enumerate(sizes):
        at = reshape(grid[..., len(sizes) - 1 - i], shape=lines)
        at = (at + 1) * ((n - 1) / 2) if align_corners else (at + 1) * (n / 2) - 0.5
        taps.append(_taps(at, n, mode, padding_mode, align_corners))
    flat = reshape(x, shape=(*x.shape[:2], math.prod(sizes)))
    out: Any = None
    for parts in product(*taps):
        part = _weighed(flat, sizes, parts)
        out = part if out is None else out + part
    return reshape(out, shape=(*x.shape[:2], *grid.shape[1:-1]))


def _check(x: Any, grid: Any, mode: str, padding_mode: str) -> None:
    axes = x.ndim - 2
    if axes not in (2, 3) or grid.ndim != x.ndim or grid.shape[-1] != axes or grid.shape[0] != x.shape[0] or 0 in x.shape[2:]:
        raise ValueError(
            f"grid_sample: x has shape {x.shape} and grid has shape {grid.shape}; x is (samples, channels, h, w) and grid (samples, …, …, 2), "
            "or with three axes (samples, channels, d, h, w) and (samples, …, …, …, 3); x must not be empty."
        )
    if x.dtype.kind != "f" or grid.dtype.kind != "f":
        raise TypeError(f"grid_sample: x is {x.dtype} and grid is {grid.dtype}; both hold real numbers, as .astype('float64') makes them.")
    if mode not in _MODES or padding_mode not in _RIMS or (mode == "bicubic" and axes != 2):
        raise ValueError(
            f"grid_sample: mode={mode!r} and padding_mode={padding_mode!r} for {axes} axes; modes are {', '.join(_MODES)} (with two axes only), "
            f"padding modes {', '.join(_RIMS)}."
        )


def _taps(at: Any, n: int, mode: str, padding_mode: str, align_corners: bool) -> list[tuple[Any, Any, Any]]:
    """What is read along one axis of n pixels: (place, whether it is on the axis, weight) for each neighbour."""
    # Farther out than this nothing changes any more; an infinite place would give NaN on the way, and mirrored it is nowhere.
    at = where(np.isfinite(values(at)), at, np.nan) if padding_mode == "reflection" else clip(at, -3, n + 2)
    if mode != "bicubic":
        at = _kept_inside(at, n, padding_mode, align_corners)
    if mode == "nearest":
        return [_tap(np.rint(values(at)), n, None)]
    low = np.floor(values(at))
    part = at - low
    if mode == "bilinear":
        return [_tap(low + k, n, w) for k, w in enumerate(_straight(part))]
    neighbours = [values(_kept_inside(low + k, n, padding_mode, align_corners)) for k in (-1, 0, 1, 2)]
    return [_tap(place, n, w) for place, w in zip(neighbours, _cubic(part), strict=True)]


def _tap(place: Any, n: int, weight: Any) -> tuple[Any, Any, Any]:
    inside = (place >= 0) & (place <= n - 1)
    return np.where(inside, place, 0).astype(np.intp), inside, weight


def _kept_inside(at: Any, n: int, padding_mode: str, align_corners: bool) -> Any:
    """Places beyond the axis brought back onto it, if they are not to read zeros."""
    if padding_mode == "reflection":
        low, span = (0.0, n - 1) if align_corners else (-0.5, n)
        if span == 0:
            return at * 0
        way = abs(at - low)
        laps = np.floor(values(way) / span)
        rest = way - laps * span
        at = where(laps % 2 == 0, rest, span - rest) + low
    return at if padding_mode == "zeros" else clip(at, 0, n - 1)


def _weighed(flat: Any, sizes: tuple[int, ...], parts: Any) -> Any:
    """The pixels at one corner of every place, times their weights."""
    places: Any = 0
    inside: Any = True
    weight: Any = None
    for n, (place, on_axis, w) in zip(sizes, parts, strict=True):
        places, inside = places * n + place, inside & on_axis
        weight = w if weight is None else weight if w is None else weight * w
    picked = gather(flat, np.broadcast_to(places, (*flat.shape[:2], places.shape[-1])), axis=2)
    picked = where(np.broadcast_to(inside, picked.shape), picked, 0)
    return picked if weight is None else picked * weight


@expression(cases=(case((2, 2, 3), size=(2, 1, 2, 3)), case((1, 2, 3), size=(1, 1, 3, 1), align_corners=True), case((1, 3, 4), size=(1, 2, 2, 1, 2))))
def affine_grid(theta, size, align_corners=False):
    """The grid for grid_sample that reads an image of ``size`` (samples, channels, h, w) moved by matrices theta, (samples, 2, 3).

    Each place is theta @ (along w, along h, 1), for places of pixels from -1 to 1 as in grid_sample; with three axes theta is (samples, 3, 4).
    Slope: those places.

    >>> affine_grid(Tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2))
    Tensor([[[[-0.5,  0. ],
              [ 0.5,  0. ]]]])
    """
    theta = as_array(theta)
    sizes = per_axis("affine_grid", "size", tuple(size), len(size), 1)
    axes = len(sizes) - 2
    if axes not in (2, 3) or theta.shape != (sizes[0], axes, axes + 1):
        raise ValueError(
            f"affine_grid: theta has shape {theta.shape} and size is {sizes}; theta is (n, 2, 3) for (n, c, h, w), (n, 3, 4) for (n, c, d, h, w)."
        )
    lines = [np.linspace(-1, 1, n) * (1.0 if align_corners else (n - 1) / n) if n > 1 else np.zeros(1) for n in sizes[2:]]
    places = [*np.meshgrid(*lines, indexing="ij")[::-1], np.ones(sizes[2:])]
    base = np.stack(places, -1).reshape(-1, axes + 1).astype(theta.dtype if theta.dtype.kind == "f" else np.float64)
    return reshape(matmul(base, theta.mT), shape=(sizes[0], *sizes[2:], axes))
