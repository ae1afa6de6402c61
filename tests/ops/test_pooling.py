"""Pooling against PyTorch over settings, at ties, NaN and infinities, and refusing what does not fit."""

from itertools import product

import numpy as np
import pytest
from torch_twin import agree

import tinygrad_reg as tg

SIZES = {1: (9,), 2: (7, 8), 3: (5, 4, 6)}
WINDOWS = [
    {"kernel_size": k, "stride": s, "padding": p, "ceil_mode": c}
    for k, s, p, c in product((1, 2, 3), (None, 1, 2, 3), (0, 1), (False, True))
    if 2 * p <= k
]


@pytest.mark.parametrize("settings", WINDOWS, ids=lambda s: "-".join(map(str, s.values())))
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_pooling_is_pytorchs(axes, settings, rng):
    x = rng.normal(size=(2, 2, *SIZES[axes]))
    average, largest = f"avg_pool{axes}d", f"max_pool{axes}d"
    agree(lambda x: getattr(tg, largest)(x, **settings), lambda functional, x: getattr(functional, largest)(x, **settings), x)
    agree(lambda x: getattr(tg, average)(x, **settings), lambda functional, x: getattr(functional, average)(x, **settings), x)
    inside = settings | {"count_include_pad": False}
    agree(lambda x: getattr(tg, average)(x, **inside), lambda functional, x: getattr(functional, average)(x, **inside), x)


@pytest.mark.parametrize("settings", [{"dilation": 2}, {"stride": 1, "dilation": (1, 2), "padding": 1}, {"stride": (2, 1)}], ids=str)
def test_windows_with_gaps(settings, rng):
    agree(lambda x: tg.max_pool2d(x, 3, **settings), lambda functional, x: functional.max_pool2d(x, 3, **settings), rng.normal(size=(2, 7, 8)))


def test_another_divisor(rng):
    x = rng.normal(size=(2, 2, 5, 5))
    agree(lambda x: tg.avg_pool2d(x, 2, divisor_override=3), lambda functional, x: functional.avg_pool2d(x, 2, divisor_override=3), x)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11])
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", ["avg", "max"])
def test_adaptive_pooling_is_pytorchs(kind, axes, size, rng):
    name = f"adaptive_{kind}_pool{axes}d"
    x = rng.normal(size=(1, 2, *SIZES[axes]))
    agree(lambda x: getattr(tg, name)(x, size), lambda functional, x: getattr(functional, name)(x, size), x)


def test_adaptive_pooling_leaves_an_axis(rng):
    x = rng.normal(size=(2, 2, 5, 6))
    agree(lambda x: tg.adaptive_avg_pool2d(x, (None, 4)), lambda functional, x: functional.adaptive_avg_pool2d(x, (None, 4)), x)


def gradient(function, x, g):
    t = tg.Tensor(x, requires_grad=True)
    function(t).backward(g)
    return t.grad.data


def test_equal_elements_share_evenly():
    x = np.array([[[1.0, 1.0, 0.0, 1.0, 2.0]]])
    np.testing.assert_array_equal(gradient(lambda t: tg.max_pool1d(t, 2), x, [[[4.0, 3.0]]]), [[[2, 2, 0, 3, 0]]])
    np.testing.assert_array_equal(gradient(lambda t: tg.max_pool1d(t, 3, 1), x, [[[6.0, 4.0, 1.0]]]), [[[3, 5, 0, 2, 1]]])
    square = np.array([[[[1.0, 1.0], [1.0, 0.0]]]])
    for function in (lambda t: tg.max_pool2d(t, 2), lambda t: tg.adaptive_max_pool2d(t, 1)):
        np.testing.assert_array_equal(gradient(function, square, [[[[3.0]]]]), [[[[1, 1], [1, 0]]]])
    np.testing.assert_array_equal(gradient(lambda t: tg.adaptive_max_pool1d(t, 2), x[..., :3], [[[4.0, 3.0]]]), [[[2, 5, 0]]])


def test_nan_wins_and_gets_the_gradient():
    x = np.array([[[1.0, np.nan, 2.0, -np.inf]]])
    np.testing.assert_array_equal(tg.max_pool1d(x, 2), [[[np.nan, 2]]])
    np.testing.assert_array_equal(gradient(lambda t: tg.max_pool1d(t, 2), x, [[[3.0, 5.0]]]), [[[0, 3, 5, 0]]])


def test_padding_never_wins():
    np.testing.assert_array_equal(tg.max_pool1d(np.array([[[-3, -2, -1]]]), 3, 2, 1), [[[-2, -1]]])
    lowest = np.full((1, 1, 3), -np.inf)
    np.testing.assert_allclose(gradient(lambda t: tg.max_pool1d(t, 3, 1, 1), lowest, np.full((1, 1, 3), 6.0)), [[[5, 8, 5]]])


def test_an_infinity_stays_in_its_windows():
    x = np.array([[[np.inf, 1.0, 2.0, 3.0, 4.0]]])
    np.testing.assert_array_equal(tg.avg_pool1d(x, 2), [[[np.inf, 2.5]]])
    np.testing.assert_array_equal(tg.adaptive_avg_pool1d(x, 3), [[[np.inf, 2, 3.5]]])


def test_whole_numbers_do_not_wrap_round():
    x = np.full((1, 1, 4), 100, np.int8)
    np.testing.assert_array_equal(tg.avg_pool1d(x, 2), [[[100.0, 100.0]]])
    np.testing.assert_array_equal(tg.adaptive_avg_pool1d(x, 3), [[[100.0] * 3]])
    assert tg.max_pool1d(x, 2).dtype == np.int8


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: tg.max_pool2d(x, 2), r"max_pool2d: x has shape \(1, 5\); it needs 4 axes, .* or 3 without samples"),
        (lambda x: tg.max_pool1d(x, 2, padding=2), "max_pool1d: padding 2 is more than half the window"),
        (lambda x: tg.max_pool1d(x, 6), "max_pool1d: a window of .* does not fit"),
        (lambda x: tg.max_pool1d(x, 0), "max_pool1d: kernel_size is 0; it must be at least 1"),
        (lambda x: tg.avg_pool2d(np.ones((1, 1, 2, 2)), 2, divisor_override=0), "divisor_override must not be 0"),
        (lambda x: tg.adaptive_avg_pool1d(x, 0), "adaptive_avg_pool1d: output_size is .* at least 1"),
        (lambda x: tg.adaptive_max_pool1d(np.ones((1, 1, 0)), 1), "has an empty axis"),
    ],
)
def test_what_does_not_fit(call, words):
    with pytest.raises(ValueError, match=words):
        call(np.ones((1, 5)))


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 1, 1, 1), (0, 2, 3, 3)])
def test_one_window_over_everything_is_the_mean(shape, rng):
    x = tg.Tensor(rng.normal(size=shape), requires_grad=True)
    for pooled in (tg.adaptive_avg_pool2d(x, 1), tg.avg_pool2d(x, shape[2:])):
        np.testing.assert_allclose(pooled.data, x.data.mean((2, 3), keepdims=True))
        np.testing.assert_allclose(tg.grad(pooled.sum(), x).data, np.full(shape, 1 / (shape[2] * shape[3])))


@pytest.mark.parametrize(("p", "settings"), [(2, {}), (2.0, {"stride": 1}), (1, {"stride": 2}), (3.5, {})])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_norms_of_windows_are_pytorchs(axes, p, settings, rng):
    name = f"lp_pool{axes}d"
    x = rng.uniform(0.5, 2, (2, 2, *SIZES[axes]))
    agree(lambda x: getattr(tg, name)(x, p, 2, **settings), lambda functional, x: getattr(functional, name)(x, p, 2, **settings), x)


def test_norms_of_windows_have_slope_zero_at_zero_and_need_a_norm():
    x = tg.Tensor(np.zeros((1, 1, 4)), requires_grad=True)
    assert tg.grad(tg.lp_pool1d(x, 2, 2).sum(), x).tolist() == [[[0, 0, 0, 0]]]
    assert tg.lp_pool1d(np.array([[[3.0, 4.0, 5.0]]]), 2, 2, ceil_mode=True).tolist() == [[[5, 5]]]
    with pytest.raises(ValueError, match="lp_pool1d: norm_type is 0.*max_pool1d"):
        tg.lp_pool1d(x, 0, 2)
