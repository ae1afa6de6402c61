"""Padding: NumPy's values for every mode and way to say the widths, and gradients that add up what was copied."""

import numpy as np
import pytest

import tinygrad_reg as tg

X = np.arange(1.0, 7.0).reshape(2, 3)
MODES = ["constant", "reflect", "symmetric", "edge", "wrap"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("width", [1, (2, 1), ((1,), (2,)), ((0, 3), (5, 0)), [[1, 0], [0, 1]], np.array([2]), 0, 9])
def test_numpys_pad_gives_the_same(mode, width):
    np.testing.assert_array_equal(np.pad(tg.Tensor(X), width, mode).data, np.pad(X, width, mode))


def test_widths_of_named_axes():
    np.testing.assert_array_equal(tg.pad(X, {-1: (1, 2)}), np.pad(X, ((0, 0), (1, 2))))


@pytest.mark.parametrize("mode", MODES)
def test_the_mirror_image_folds_every_copy_back(mode):
    x = tg.Tensor(X, requires_grad=True)
    out = tg.pad(x, ((2, 1), (1, 4)), mode)
    weights = np.random.default_rng(0).normal(size=out.shape)
    (out * weights).sum().backward()
    source = np.pad(np.arange(1, 7).reshape(2, 3), ((2, 1), (1, 4)), mode)
    np.testing.assert_allclose(x.grad.data.ravel(), [weights[source == i].sum() for i in range(1, 7)], rtol=1e-13)


def test_a_constant_keeps_the_dtype():
    out = tg.pad(tg.Tensor([1.0], dtype="float32"), 1, constant_values=0.5)
    assert (out.dtype, out.tolist()) == (np.float32, [0.5, 1, 0.5])


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        ({"pad_width": -1}, ValueError, "pad: pad_width must not be negative"),
        ({"pad_width": ((1, -2), (0, 0))}, ValueError, "pad: pad_width must not be negative"),
        ({"pad_width": 0.5}, TypeError, "pad: pad_width must be made of whole numbers, not float64"),
        ({"pad_width": ((1, 1),) * 3}, ValueError, r"pad: .*shape \(2, 3\).*a pair for each axis"),
        ({"pad_width": 1, "mode": "mean"}, ValueError, "pad: mode 'mean' is not known.*constant, reflect, symmetric, edge, wrap"),
    ],
)
def test_errors_say_what_fits(settings, kind, words):
    with pytest.raises(kind, match=words):
        tg.pad(tg.Tensor(X), **settings)


def test_nothing_cannot_be_mirrored():
    with pytest.raises(ValueError, match="pad: .*empty"):
        tg.pad(tg.zeros((0, 2)), 1, mode="reflect")
    with pytest.raises(ValueError, match="unpad: the rim is wider than x"):
        tg.unpad(tg.zeros(3), 2)
