"""Spectra over time: PyTorch's values and derivatives for many settings, the way back, and what is refused."""

import numpy as np
import pytest
from against_torch import assert_as_torch, drawn

import tinygrad_reg as tg

SETTINGS = [
    {},
    {"hop_length": 3},
    {"center": False, "hop_length": 2},
    {"onesided": False, "normalized": True},
    {"win_length": 5},
    {"pad_mode": "replicate", "normalized": True},
]


@pytest.mark.parametrize("with_window", [False, True])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("shape", [(23,), (2, 16)])
def test_spectra_are_pytorchs(shape, settings, with_window):
    torch = pytest.importorskip("torch")
    inputs = drawn(-1, 1, shape) + (drawn(0.5, 1, (settings.get("win_length", 8),)) if with_window else [])
    n_window = settings.get("win_length", 8)
    assert_as_torch(
        lambda x, window=None: tg.stft(x, 8, window=window, **settings),
        lambda x, window=None: torch.stft(
            x, 8, window=torch.ones(n_window, dtype=torch.float64) if window is None else window, return_complex=True, **settings
        ),
        inputs,
    )


@pytest.mark.filterwarnings("ignore:The length of signal is shorter")
@pytest.mark.parametrize("settings", [{}, {"hop_length": 3}, {"normalized": True, "onesided": False}, {"length": 19}, {"length": 60}], ids=str)
def test_the_way_back_is_pytorchs(settings):
    torch = pytest.importorskip("torch")
    bins = 5 if settings.get("onesided", True) else 8
    real, imaginary = drawn(-1, 1, (2, bins, 9), (2, bins, 9))
    window = np.hanning(10)[1:-1].copy()
    assert_as_torch(
        lambda x: tg.istft(x, 8, window=window, **settings),
        lambda x: torch.istft(x, 8, window=torch.tensor(window), **settings),
        [real + 1j * imaginary],
    )


@pytest.mark.parametrize("settings", [{}, {"hop_length": 3, "normalized": True}, {"onesided": False}, {"win_length": 6, "hop_length": 1}])
def test_a_signal_comes_back_with_its_gradient(settings):
    x = tg.Tensor(np.random.default_rng(0).normal(size=(2, 24)), requires_grad=True)
    back = tg.istft(tg.stft(x, 8, **settings), 8, **settings, length=24)
    np.testing.assert_allclose(back.data, x.data, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(tg.grad(back, x, x.data).data, x.data, rtol=1e-10, atol=1e-12)


def test_what_does_not_fit_is_refused():
    x = np.ones(16)
    with pytest.raises(ValueError, match="stft: x has 16 samples; a window of n_fft=20"):
        tg.stft(x, 20, center=False)
    with pytest.raises(ValueError, match=r"stft: x has shape \(1, 1, 16\)"):
        tg.stft(x[None, None], 4)
    with pytest.raises(ValueError, match=r"stft: window has shape \(5,\)"):
        tg.stft(x, 4, window=np.ones(5))
    with pytest.raises(ValueError, match="stft: onesided=True keeps half"):
        tg.stft(x + 1j, 4, onesided=True)
    with pytest.raises(ValueError, match=r"istft: x has shape \(4, 3\); for n_fft=4"):
        tg.istft(np.ones((4, 3), complex), 4)
    with pytest.raises(ValueError, match="istft: the windows leave samples uncovered"):
        tg.istft(np.ones((3, 3), complex), 4, hop_length=8)
