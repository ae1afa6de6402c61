"""Fourier transforms, under NumPy's names: ``tg.fft.rfft(x)``, and ``np.fft.rfft(x)`` of a Tensor is the same.

``n`` (``s``, one for each axis) is the size that x is first cut or filled up with zeros to. ``norm`` says where the factor 1/n goes:
``"backward"`` to the inverse, ``"forward"`` to the transform, ``"ortho"`` its root to both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .exchange import checked_device
from .op import NUMPY, Expression
from .ops.arranging import roll
from .ops.complexes import conj, is_complex
from .ops.fourier import _OTHER_WAY, along, fft_complex, fft_real, fft_to_real
from .tensor import Tensor

__all__ = ["fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft"]
__all__ += ["irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn"]


def fft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Fourier transform along one axis: Σ x[j]·exp(-2πi·jk/n).

    >>> tg.fft.fft(Tensor([1.0, 2.0]))
    Tensor([ 3.+0.j, -1.+0.j], dtype=complex128)
    """
    return fft_complex(x, axes=(axis,), s=None if n is None else (n,), norm=norm)


def ifft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Inverse Fourier transform along one axis: Σ x[k]·exp(2πi·jk/n)/n.

    >>> tg.fft.ifft(Tensor([3.0, -1.0]))
    Tensor([1.+0.j, 2.+0.j], dtype=complex128)
    """
    return fft_complex(x, axes=(axis,), s=None if n is None else (n,), norm=norm, inverse=True)


def fftn(x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None) -> Any:
    """Fourier transform along several axes, by default all.

    >>> tg.fft.fftn(Tensor([[1.0, 2.0]]))
    Tensor([[ 3.+0.j, -1.+0.j]], dtype=complex128)
    """
    x, axes, s = along("fftn", x, axes, s)
    return fft_complex(x, axes=axes, s=s, norm=norm)


def ifftn(x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None) -> Any:
    """Inverse Fourier transform along several axes, by default all.

    >>> tg.fft.ifftn(Tensor([[3.0, -1.0]]))
    Tensor([[1.+0.j, 2.+0.j]], dtype=complex128)
    """
    x, axes, s = along("ifftn", x, axes, s)
    return fft_complex(x, axes=axes, s=s, norm=norm, inverse=True)


def fft2(x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = (-2, -1), norm: str | None = None) -> Any:
    """Fourier transform along two axes.

    >>> tg.fft.fft2(Tensor([[1.0, 2.0]]))
    Tensor([[ 3.+0.j, -1.+0.j]], dtype=complex128)
    """
    return fftn(x, s, axes, norm)


def ifft2(x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = (-2, -1), norm: str | None = None) -> Any:
    """Inverse Fourier transform along two axes.

    >>> tg.fft.ifft2(Tensor([[3.0, -1.0]]))
    Tensor([[1.+0.j, 2.+0.j]], dtype=complex128)
    """
    return ifftn(x, s, axes, norm)


def rfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Fourier transform of real numbers along one axis: its first n//2 + 1 terms, which say all.

    >>> tg.fft.rfft(Tensor([1.0, 2.0]))
    Tensor([ 3.+0.j, -1.+0.j], dtype=complex128)
    """
    return fft_real(x, n=n, axis=axis, norm=norm)


def irfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The n real numbers whose transform begins with x; n is 2·(size - 1) unless given.

    >>> tg.fft.irfft(Tensor([3.0, -1.0]))
    Tensor([1., 2.])
    """
    return fft_to_real(x, n=n, axis=axis, norm=norm)


def rfftn(x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None) -> Any:
    """Fourier transform of real numbers along several axes: halved along the last one named.

    >>> tg.fft.rfftn(Tensor([[1.0, 2.0]]))
    Tensor([[ 3.+0.j, -1.+0.j]], dtype=complex128)
    """
    x, axes, s = along("rfftn", x, axes, s)
    half = fft_real(x, n=None if s is None else s[-1], axis=axes[-1], norm=norm)
    return fft_complex(half, axes=axes[:-1], s=None if s is None else s[:-1], norm=norm) if len(axes) > 1 else half


def irfftn(x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None) -> Any:
    """The real numbers whose transform along several axes begins with x.

    >>> tg.fft.irfftn(Tensor([[3.0, -1.0]]))
    Tensor([[1., 2.]])
    """
    x, axes, s = along("irfftn", x, axes, s)
    if len(axes) > 1:
        x = fft_complex(x, axes=axes[:-1], s=None if s is None else s[:-1], norm=norm, inverse=True)
    return fft_to_real(x, n=None if s is None else s[-1], axis=axes[-1], norm=norm)


def rfft2(x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = (-2, -1), norm: str | None = None) -> Any:
    """Fourier transform of real numbers along two axes: halved along the second.

    >>> tg.fft.rfft2(Tensor([[1.0, 2.0]]))
    Tensor([[ 3.+0.j, -1.+0.j]], dtype=complex128)
    """
    return rfftn(x, s, axes, norm)


def irfft2(x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = (-2, -1), norm: str | None = None) -> Any:
    """The real numbers whose transform along two axes begins with x.

    >>> tg.fft.irfft2(Tensor([[3.0, -1.0]]))
    Tensor([[1., 2.]])
    """
    return irfftn(x, s, axes, norm)


def hfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Fourier transform of a signal that mirrors itself, conjugated, of which x is the first half: n real numbers.

    >>> tg.fft.hfft(Tensor([1.0, 2.0]))
    Tensor([ 3., -1.])
    """
    return fft_to_real(_conjugated(x), n=n, axis=axis, norm=_other_way("hfft", norm))


def ihfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """Inverse of ``hfft``, from real numbers.

    >>> tg.fft.ihfft(Tensor([3.0, -1.0]))
    Tensor([1.-0.j, 2.-0.j], dtype=complex128)
    """
    return conj(fft_real(x, n=n, axis=axis, norm=_other_way("ihfft", norm)))


def _conjugated(x: Any) -> Any:
    return conj(x) if is_complex(x) else x


def _other_way(name: str, norm: str | None) -> str:
    if norm not in _OTHER_WAY:
        raise ValueError(f"{name}: norm={norm!r} is not known; it is None, 'backward', 'ortho' or 'forward'.")
    return _OTHER_WAY[norm]


def fftshift(x: Any, axes: int | Sequence[int] | None = None) -> Any:
    """Halves swapped along ``axes`` (by default all), so that the frequency 0 comes into the middle.

    >>> tg.fft.fftshift(Tensor([0.0, 1.0, -1.0]))
    Tensor([-1.,  0.,  1.])
    """
    x, axes, _ = along("fftshift", x, (axes,) if isinstance(axes, int) else axes, None)
    return roll(x, shift=tuple(x.shape[k] // 2 for k in axes), axis=axes)


def ifftshift(x: Any, axes: int | Sequence[int] | None = None) -> Any:
    """What undoes ``fftshift``.

    >>> tg.fft.ifftshift(Tensor([-1.0, 0.0, 1.0]))
    Tensor([ 0.,  1., -1.])
    """
    x, axes, _ = along("ifftshift", x, (axes,) if isinstance(axes, int) else axes, None)
    return roll(x, shift=tuple(-(x.shape[k] // 2) for k in axes), axis=axes)


def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies that the terms of ``fft`` belong to, for n samples that lie d apart.

    >>> tg.fft.fftfreq(4)
    Tensor([ 0.  ,  0.25, -0.5 , -0.25])
    """
    checked_device(device, "fftfreq")
    return Tensor(np.fft.fftfreq(n, d), dtype=dtype)


def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies that the terms of ``rfft`` belong to, for n samples that lie d apart.

    >>> tg.fft.rfftfreq(4)
    Tensor([0.  , 0.25, 0.5 ])
    """
    checked_device(device, "rfftfreq")
    return Tensor(np.fft.rfftfreq(n, d), dtype=dtype)


# NumPy's functions, given a Tensor, are these.
NUMPY.update((getattr(np.fft, name), Expression(globals()[name], (), (), False)) for name in __all__ if not name.endswith("freq"))
