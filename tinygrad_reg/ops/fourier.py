"""Discrete Fourier transforms: all of ``numpy.fft``, reached as ``fft.*``.

Three ops do the work: of complex numbers along any axes, from real numbers, and back to real numbers; the others are made of them.
The matrix of a transform is symmetric, so the gradient of a transform is a transform, with the same factor, of the gradient.
``norm`` says where the factor 1/n goes: ``"backward"`` to the inverse, ``"forward"`` to the transform, ``"ortho"`` a root of it to both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..domain import REAL, Domain, case
from ..op import op
from .complexes import conj, is_complex
from .indexing import put_back
from .shape import as_array

FITS = "axes must name existing axes, n and s are sizes of 1 or more, and norm is None, 'backward', 'ortho' or 'forward'"
COMPLEX = Domain(kind="complex")
_OTHER_WAY = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def _fitted(g: Any, shape: tuple[int, ...]) -> Any:
    """g cut, or filled up with zeros, to a shape: the mirror of what a transform of a given size does first."""
    if g.shape == shape:
        return g
    part = tuple(slice(min(n, m)) for n, m in zip(g.shape, shape, strict=True))
    g = g[part]
    return g if g.shape == shape else put_back(g, key=part, shape=shape)


def _check_axes(x: Any, axes: Any) -> None:
    ndim = np.ndim(x)
    for axis in axes:
        if not -ndim <= axis < ndim:
            raise IndexError(f"axis {axis} does not exist in an array with {ndim} axes")


@op(
    label="FFT",
    domain=[COMPLEX],
    cases=(
        case((4,), axes=(0,)),
        case((5,), axes=(0,), inverse=True),
        case((2, 3), axes=(0, 1), norm="ortho"),
        case((2, 3), axes=(1,), s=(5,), norm="forward"),
        case((2, 4), axes=(-1,), s=(3,), inverse=True),
        case((2, 3), axes=(0, 1), s=(3, 2), inverse=True),
    ),
    fits=FITS,
)
def fft_complex(x, *, axes, s=None, norm=None, inverse=False):
    """Fourier transform along ``axes``, or its inverse, of x cut or filled up with zeros to sizes ``s``: Σ x[j]·exp(∓2πi·jk/n).

    Slope: the same transform of g, cut or filled up to x's sizes.

    >>> fft_complex(Tensor([1.0, 0.0, 0.0]), axes=(0,))
    Tensor([1.+0.j, 1.+0.j, 1.+0.j], dtype=complex128)
    """
    _check_axes(x, axes)
    if len(axes) == 1:
        one = np.fft.ifft if inverse else np.fft.fft
        return one(x, None if s is None else s[0], axes[0], norm)
    return (np.fft.ifftn if inverse else np.fft.fftn)(x, s, axes, norm)


fft_complex.defvjp(lambda g, out, x, **settings: _fitted(fft_complex(g, **{**settings, "s": _sizes(out, settings["axes"])}), x.shape))


def _sizes(x: Any, axes: Any) -> tuple[int, ...]:
    return tuple(x.shape[k] for k in axes)


def _halves(n: int, axis: int, ndim: int, dtype: Any, one: float, two: float) -> Any:
    """Weights along an axis of n//2 + 1: those terms of a real transform that stand for themselves, and those that stand for two."""
    weights = np.full(n // 2 + 1, two, dtype)
    weights[0] = one
    if n % 2 == 0:
        weights[-1] = one
    return weights.reshape([-1 if k == axis % ndim else 1 for k in range(ndim)])


@op(
    label="FFT",
    domain=[REAL],
    cases=(
        case((4,)),
        case((5,), norm="ortho"),
        case((3, 2), axis=0, norm="forward"),
        case((2, 4), n=6),
        case((2, 4), n=3),
        case((1,)),
    ),
    fits=FITS + "; x must be real",
)
def fft_real(x, *, n=None, axis=-1, norm=None):
    """Fourier transform of real numbers along ``axis``: its first n//2 + 1 terms, which say all.

    Slope: the real part of the sum of g times each term's wave, computed as a transform back.

    >>> fft_real(Tensor([1.0, 0.0, 0.0]))
    Tensor([1.+0.j, 1.+0.j], dtype=complex128)
    """
    if is_complex(x):
        raise TypeError("a transform for real numbers was given complex ones; use fft, or transform .real and .imag")
    _check_axes(x, (axis,))
    return np.fft.rfft(x, n, axis, norm)


def _fft_real(g, out, x, n, axis, norm):
    n = x.shape[axis] if n is None else n
    weights = _halves(n, axis, g.ndim, x.dtype, 1.0, 0.5)
    return _fitted(fft_to_real(conj(g) * weights, n=n, axis=axis, norm=_OTHER_WAY[norm]), x.shape)


fft_real.defvjp(_fft_real)


@op(
    label="FFT⁻¹",
    domain=[COMPLEX],
    cases=(
        case((4,)),
        case((3,), n=5, norm="ortho"),
        case((3, 2), axis=0, norm="forward"),
        case((2, 4), n=4),
        case((2, 3), n=8),
        case((2,), n=1),
    ),
    fits=FITS,
)
def fft_to_real(x, *, n=None, axis=-1, norm=None):
    """The n real numbers whose transform begins with x: the inverse of ``rfft``; n is 2·(size - 1) unless given.

    Slope: the transform of g, conjugated, with a factor of 2 for all terms that stand for two.

    >>> fft_to_real(Tensor([1.0, 1.0]), n=3)
    Tensor([1., 0., 0.])
    """
    _check_axes(x, (axis,))
    if n is not None and x.shape[axis] == 0:
        x = _fitted(x, (*x.shape[: axis % x.ndim], 1, *x.shape[axis % x.ndim + 1 :]))  # NumPy would read what lies behind x
    return np.fft.irfft(x, n, axis, norm)


def _fft_to_real(g, out, x, n, axis, norm):
    weights = _halves(out.shape[axis], axis, g.ndim, g.dtype, 1.0, 2.0)
    return _fitted(conj(fft_real(g, axis=axis, norm=_OTHER_WAY[norm])) * weights, x.shape)


fft_to_real.defvjp(_fft_to_real)


# ---------------------------------------------------------------------------- what the functions of fft.py share


def along(name: str, x: Any, axes: Any, s: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...] | None]:
    """x as an array or Tensor, the axes counted from 0, and their sizes, where an s of None, or -1 in it, stands for x's own."""
    x = as_array(x)
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    axes = tuple(normalize_axis_index(k, x.ndim, name) for k in axes)
    if s is not None and len(s) != len(axes):
        raise ValueError(f"{name}: s={tuple(s)} gives {len(s)} sizes for {len(axes)} axes; give one for each.")
    return x, axes, None if s is None else tuple(x.shape[k] if n == -1 else n for n, k in zip(s, axes, strict=True))
