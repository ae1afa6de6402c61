"""Spectra over time: Fourier transforms of windows that slide along a signal, and the signal back from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import REAL, case
from ..op import expression
from .arranging import overlap_add, unfold
from .complexes import is_complex
from .fourier import COMPLEX, fft_complex, fft_real, fft_to_real
from .padding import pad
from .seen import by_numbers
from .shape import as_array

_SPECTRA = (
    case((12,), n_fft=4),
    case((2, 9), n_fft=5, hop_length=2, center=False),
    case((8,), n_fft=4, win_length=3, window=np.array([0.5, 1.0, 0.25], np.float32), normalized=True, onesided=False),
)


@expression(domain=[REAL], cases=_SPECTRA)
def stft(x, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode="reflect", normalized=False, onesided=None):
    """Fourier transforms of windows of ``n_fft`` samples along x, (time) or (signals, time): complex, (…, frequencies, windows).

    Windows start ``hop_length`` apart (n_fft // 4 unless given), and are multiplied by ``window``, ``win_length`` numbers (ones unless given) with
    zeros on both sides. With ``center`` x is first padded, by ``pad_mode``, so that window i lies around sample i·hop_length. ``normalized``
    divides by √n_fft. Of a real x only the first n_fft // 2 + 1 frequencies are kept, which say all, unless ``onesided`` is False.
    Slope: linear in x and in the window, as all its parts are.

    >>> stft(Tensor([1.0, 1.0, 1.0, 1.0]), 2, 2, center=False)
    Tensor([[2.+0.j, 2.+0.j],
            [0.+0.j, 0.+0.j]], dtype=complex128)
    """
    x = as_array(x)
    if x.ndim not in (1, 2):
        raise ValueError(f"stft: x has shape {x.shape}; it is a signal, (time), or several, (signals, time).")
    hop, window = _settings("stft", n_fft, hop_length, win_length, window)
    if center:
        mode = {"replicate": "edge", "circular": "wrap"}.get(pad_mode, pad_mode)
        x = pad(x, pad_width=((0, 0),) * (x.ndim - 1) + ((n_fft // 2, n_fft // 2),), mode=mode)
    if x.shape[-1] < n_fft:
        raise ValueError(f"stft: x has {x.shape[-1]} samples{' with its padding' if center else ''}; a window of n_fft={n_fft} does not fit.")
    frames = unfold(x, axis=-1, size=n_fft, step=hop)
    frames = frames if window is None else frames * window
    norm = "ortho" if normalized else None
    complex_needed = is_complex(frames)
    if onesided and complex_needed:
        raise ValueError("stft: onesided=True keeps half of the frequencies, which says all for real numbers only; x or window is complex.")
    if complex_needed or onesided is False:
        return fft_complex(frames, axes=(-1,), norm=norm).mT
    return fft_real(frames, norm=norm).mT


@expression(
    domain=[COMPLEX],
    cases=(case((3, 4), n_fft=4), case((2, 3, 5), n_fft=5, hop_length=2), case((4, 5), n_fft=4, onesided=False, normalized=True, length=3)),
)
def istft(x, n_fft, hop_length=None, win_length=None, window=None, center=True, normalized=False, onesided=None, length=None):
    """The real signal whose stft with the same settings is x, (…, frequencies, windows): windows added up, divided by the sum of squared windows.

    If not ``onesided`` the first n_fft // 2 + 1 of all frequencies are read, which say all of a real signal. The result has ``length`` samples, if
    given: it is cut, or filled up with zeros. Raises ``ValueError`` where the windows leave a sample uncovered.
    Slope: linear in x.

    >>> x = Tensor([1.0, 2.0, 3.0, 4.0])
    >>> istft(stft(x, 2, 1), 2, 1)
    Tensor([1., 2., 3., 4.])
    """
    x = as_array(x)
    onesided = onesided is None or onesided
    bins = n_fft // 2 + 1 if onesided else n_fft
    if x.ndim not in (2, 3) or x.shape[-2] != bins or not x.shape[-1]:
        raise ValueError(
            f"istft: x has shape {x.shape}; for n_fft={n_fft}, onesided={onesided} it is ({bins}, windows), or (signals, {bins}, windows)."
        )
    hop, window = _settings("istft", n_fft, hop_length, win_length, window)
    norm = "ortho" if normalized else None
    turned = x.mT
    frames = fft_to_real(turned if onesided else turned[..., : n_fft // 2 + 1], n=n_fft, norm=norm)
    window = np.ones(n_fft, frames.dtype) if window is None else window
    count = frames.shape[-2]
    size = (count - 1) * hop + n_fft
    signal = overlap_add(frames * window, shape=(*frames.shape[:-2], size), axis=-1, step=hop)
    squares = (window * window) * np.ones((count, 1), frames.dtype)
    cover = overlap_add(squares, shape=(size,), axis=0, step=hop)
    start = n_fft // 2 if center else 0
    stop = size - start if length is None else min(size, start + length)
    _refuse_holes(cover[start:stop])
    signal = signal[..., start:stop] / cover[start:stop]
    missing = 0 if length is None else length - (stop - start)
    return pad(signal, pad_width=((0, 0),) * (signal.ndim - 1) + ((0, missing),)) if missing else signal


@by_numbers(refuses=True)
def _refuse_holes(cover: Any) -> Any:
    if np.any(np.absolute(cover) < 1e-11):
        raise ValueError("istft: the windows leave samples uncovered, or are 0 there; give a smaller hop_length, or another window.")
    return cover


def _settings(name: str, n_fft: int, hop_length: Any, win_length: Any, window: Any) -> tuple[int, Any]:
    """How far apart windows start, and the window, of n_fft numbers."""
    hop = max(n_fft // 4, 1) if hop_length is None else hop_length
    if n_fft < 1 or hop < 1:
        raise ValueError(f"{name}: n_fft={n_fft} and hop_length={hop}; both must be at least 1.")
    if window is None and win_length in (None, n_fft):
        return hop, None
    window = np.ones(win_length) if window is None else as_array(window)
    size = window.shape[0] if window.ndim else 0
    if window.ndim != 1 or size not in (win_length, *([n_fft, size] if win_length is None else [])) or size > n_fft:
        raise ValueError(f"{name}: window has shape {window.shape} and win_length={win_length}; it is a vector of that length, {n_fft} at most.")
    left = (n_fft - size) // 2
    return hop, pad(window, pad_width=((left, n_fft - size - left),)) if size < n_fft else window
