"""Convolutions against PyTorch over settings, in portions, and refusing what does not fit."""

import numpy as np
import pytest
from torch_twin import agree

import tinygrad_reg as tg
from tinygrad_reg.ops import convolution

SIZES = {1: (7,), 2: (6, 7), 3: (4, 5, 4)}
KERNELS = {1: [(3,), (2,)], 2: [(3, 3), (2, 3), (1, 1)], 3: [(2, 3, 2)]}
SETTINGS = [
    {},
    {"stride": 2, "padding": 1},
    {"stride": 3},
    {"padding": 2},
    {"padding": "same"},
    {"padding": "same", "dilation": 2},
    {"padding": "valid"},
    {"dilation": 2, "padding": 1},
    {"groups": 2, "padding": 1},
]
TRANSPOSED = [
    {},
    {"stride": 2, "padding": 1, "output_padding": 1},
    {"stride": 3},
    {"padding": 1, "dilation": 2},
    {"stride": 2, "groups": 2},
]
CALLS = [(axes, kernel) for axes, kernels in KERNELS.items() for kernel in kernels]


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("axes", "kernel"), CALLS)
def test_convolution_is_pytorchs(axes, kernel, settings, rng):
    name, groups = f"conv{axes}d", settings.get("groups", 1)
    arrays = rng.normal(size=(2, 4, *SIZES[axes])), rng.normal(size=(2, 4 // groups, *kernel)), rng.normal(size=2)
    agree(lambda *a: getattr(tg, name)(*a, **settings), lambda functional, *a: getattr(functional, name)(*a, **settings), *arrays)
    agree(lambda *a: getattr(tg, name)(*a, **settings), lambda functional, *a: getattr(functional, name)(*a, **settings), *arrays[:2])


@pytest.mark.parametrize("settings", TRANSPOSED, ids=str)
@pytest.mark.parametrize(("axes", "kernel"), CALLS)
def test_transposed_convolution_is_pytorchs(axes, kernel, settings, rng):
    name, groups = f"conv_transpose{axes}d", settings.get("groups", 1)
    arrays = rng.normal(size=(2, 4, *SIZES[axes])), rng.normal(size=(4, 2, *kernel)), rng.normal(size=2 * groups)
    agree(lambda *a: getattr(tg, name)(*a, **settings), lambda functional, *a: getattr(functional, name)(*a, **settings), *arrays)


def test_each_channel_alone(rng):
    arrays = rng.normal(size=(2, 3, 5, 5)), rng.normal(size=(6, 1, 3, 3)), rng.normal(size=6)
    agree(lambda *a: tg.conv2d(*a, groups=3), lambda functional, *a: functional.conv2d(*a, groups=3), *arrays)


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_without_samples_and_with_none(name, rng):
    weight, bias = rng.normal(size=(3, 3, 2, 2)), rng.normal(size=3)
    for shape in ((3, 4, 4), (0, 3, 4, 4)):
        agree(getattr(tg, name), lambda functional, *a: getattr(functional, name)(*a), rng.normal(size=shape), weight, bias)


def test_portions_join_to_the_whole(rng, monkeypatch):
    arrays = rng.normal(size=(5, 2, 5, 5)), rng.normal(size=(4, 1, 3, 3)), rng.normal(size=4)
    tensors = [tg.Tensor(a, requires_grad=True) for a in arrays]
    whole = tg.grad(tg.conv2d(*tensors, padding=1, groups=2), tensors, np.ones((5, 4, 5, 5)))
    monkeypatch.setattr(convolution, "PORTION", 1000)
    for got, expected in zip(tg.grad(tg.conv2d(*tensors, padding=1, groups=2), tensors, np.ones((5, 4, 5, 5))), whole, strict=True):
        np.testing.assert_allclose(got.data, expected.data, rtol=1e-12, atol=1e-12)


def test_whole_numbers_do_not_wrap_round():
    x = np.full((1, 1, 4), 100, np.int8)
    np.testing.assert_array_equal(tg.conv1d(x, np.full((1, 1, 2), 100, np.int8)), np.full((1, 1, 3), 20000.0))


def test_nan_stays_in_its_windows():
    x = np.ones((1, 1, 5))
    x[0, 0, 0] = np.nan
    assert np.isnan(tg.conv1d(x, np.ones((1, 1, 2)))).tolist() == [[[True, False, False, False]]]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: tg.conv2d(np.ones((1, 2, 4, 4)), np.ones((3, 1, 2, 2))), ValueError, r"conv2d: x is .*\(1, 2, 4, 4\).*must have 1 channels"),
        (lambda: tg.conv2d(np.ones((4, 4)), np.ones((3, 1, 2, 2))), ValueError, r"conv2d: x has shape \(4, 4\); it needs 4 axes"),
        (lambda: tg.conv2d(np.ones((1, 1, 4, 4)), np.ones((3, 1, 2))), ValueError, "conv2d: weight has shape .*needs 4 axes"),
        (lambda: tg.conv2d(np.ones((1, 1, 4, 4)), np.ones((3, 1, 5, 2))), ValueError, "conv2d: a kernel of shape .*does not fit.*smaller kernel"),
        (lambda: tg.conv2d(np.ones((1, 1, 4, 4)), np.ones((3, 1, 2, 2)), np.ones(2)), ValueError, r"conv2d: bias has shape \(2,\); it needs \(3,\)"),
        (lambda: tg.conv1d(np.ones((1, 1, 4)), np.ones((3, 1, 2)), stride=0), ValueError, "conv1d: stride is 0; it must be at least 1"),
        (lambda: tg.conv1d(np.ones((1, 1, 4)), np.ones((3, 1, 2)), stride=(1, 2)), TypeError, "conv1d: stride is .*one for each spatial axis"),
        (lambda: tg.conv1d(np.ones((1, 1, 4)), np.ones((3, 1, 2)), stride=1.5), TypeError, "conv1d: stride is 1.5; it must be a whole number"),
        (lambda: tg.conv1d(np.ones((1, 1, 4)), np.ones((3, 1, 2)), padding="full"), ValueError, "padding is 'full'; it must be 'same', 'valid'"),
        (lambda: tg.conv1d(np.ones((1, 1, 4)), np.ones((3, 1, 2)), stride=2, padding="same"), ValueError, "padding='same' needs stride 1"),
        (lambda: tg.conv1d(np.ones((1, 1, 4)), np.ones((3, 1, 2)), groups=0), ValueError, "conv1d: groups is 0"),
        (lambda: tg.conv1d(np.ones((1, 2, 4)), np.ones((3, 1, 2)), groups=2), ValueError, "groups divide 3"),
        (lambda: tg.conv_transpose1d(np.ones((1, 2, 4)), np.ones((3, 1, 2))), ValueError, "conv_transpose1d: x is .*must have 3 channels"),
        (
            lambda: tg.conv_transpose1d(np.ones((1, 1, 4)), np.ones((1, 1, 2)), output_padding=1),
            ValueError,
            "output_padding is 1; it must be smaller",
        ),
        (lambda: tg.conv_transpose1d(np.ones((1, 1, 1)), np.ones((1, 1, 2)), padding=1), ValueError, "conv_transpose1d: nothing is left"),
    ],
)
def test_what_does_not_fit(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
