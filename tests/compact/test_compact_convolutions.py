"""Smaller convolutional models: channels go, and a constant that meets a padded border stays."""

from itertools import pairwise

import numpy as np
import pytest
from compacted import assigned, normalised, same, sizes
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg
from tinygrad_reg import nn


def zeroed(layer, rng, units=(), inputs=()):
    """The layer with channels of zeros, and biases that are none."""
    weight = layer.weight.numpy()
    weight[list(units)] = 0
    weight[:, list(inputs)] = 0
    return assigned(layer, weight, rng.normal(size=len(weight)) if layer.bias is not None else None)


@pytest.mark.parametrize(
    ("settings", "folds"),
    [
        ({}, True),
        ({"padding": "valid"}, True),
        ({"padding": 0, "stride": 2}, True),
        ({"dilation": 2}, True),
        ({"padding": 1}, False),
        ({"padding": (0, 1)}, False),
        ({"padding": "same"}, False),
        ({"kernel_size": 1, "padding": "same"}, True),
        ({"bias": False}, True),
    ],
)
@pytest.mark.parametrize("act", [nn.Tanh, nn.Sigmoid])
def test_a_constant_channel_is_folded_unless_it_meets_a_border(settings, folds, act, rng):
    first = zeroed(nn.Conv2d(2, 3, 3, rng=0), rng, units=[1])
    second = zeroed(nn.Conv2d(3, 2, **{"kernel_size": 3, "rng": 1, **settings}), rng)
    result = same(nn.Sequential(first, act(), second), rng.normal(size=(2, 2, 8, 9)))
    assert result.model[0].weight.shape[0] == (2 if folds else 3)


def test_a_channel_of_zeros_goes_whatever_the_border(rng):
    first = zeroed(nn.Conv2d(2, 3, 3, rng=0), rng, units=[1])
    first.bias.assign([0.5, -0.7, 0.1])
    model = nn.Sequential(first, nn.ReLU(), nn.AvgPool2d(3, 1, 1), nn.Conv2d(3, 2, 3, padding=1, rng=0))
    assert sizes(same(model, rng.normal(size=(2, 2, 6, 6))).model) == [(2, 2, 3, 3), (2, 2, 3, 3)]


@pytest.mark.parametrize(
    ("pool", "folds"),
    [
        (nn.MaxPool2d(2), True),
        (nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True), True),
        (nn.MaxPool2d(2, stride=1, padding=1, dilation=2), False),
        (nn.AvgPool2d(2), True),
        (nn.AvgPool2d(3, stride=2, padding=1), False),
        (nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), True),
        (nn.AvgPool2d(2, ceil_mode=True), False),
    ],
)
def test_a_constant_through_pooling(pool, folds, rng):
    first = zeroed(nn.Conv2d(2, 3, 3, rng=0), rng, units=[1])
    model = nn.Sequential(first, nn.Tanh(), pool, nn.Conv2d(3, 2, 2, rng=0))
    result = same(model, rng.normal(size=(2, 2, 9, 9)))
    assert result.model[0].weight.shape[0] == (2 if folds else 3)


def test_a_pooling_window_may_lie_on_padding_alone():
    """Why a constant does not go through max-pooling with gaps and padding."""
    layer = nn.MaxPool2d(2, stride=1, padding=1, dilation=2)
    assert np.isneginf(layer(tg.ones((1, 1, 1, 1))).data).all()


def test_through_flatten_each_channel_is_a_block_of_inputs(rng):
    first = zeroed(nn.Conv2d(1, 4, 3, rng=0), rng, units=[2])
    last = nn.Linear(4 * 12, 5, rng=0)
    last.weight.assign(last.weight.data * (np.arange(48) // 12 != 0)[:, None])  # nobody reads channel 0
    result = same(nn.Sequential(first, nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(), last), rng.normal(size=(3, 1, 8, 10)))
    assert sizes(result.model) == [(2, 1, 3, 3), (24, 5)]


def test_a_channel_with_one_living_place_stays(rng):
    last = nn.Linear(8, 2, init="zeros")
    last.weight.assign(np.eye(8)[:, [1, 3]] * 2.0)
    model = nn.Sequential(nn.Conv2d(1, 2, 1, rng=0), nn.Flatten(), last)
    assert sizes(same(model, rng.normal(size=(3, 1, 2, 2))).model) == [(1, 1, 1, 1), (4, 2)]


def test_batch_norm_before_and_after_flattening(rng):
    first, norm = zeroed(nn.Conv2d(1, 3, 1, rng=0), rng, units=[0]), normalised(3, rng, nn.BatchNorm2d)
    norm.weight.assign([1.0, 0.0, 2.0])
    model = nn.Sequential(first, norm, nn.ReLU(), nn.Flatten(), normalised(12, rng), nn.Linear(12, 2, rng=0))
    assert sizes(same(model, rng.normal(size=(3, 1, 2, 2))).model) == [(1, 1, 1, 1), (1,), (4,), (4, 2)]


def test_groups_are_left(rng):
    grouped = zeroed(nn.Conv2d(4, 4, 3, groups=2, rng=0), rng, units=[0, 1])
    model = nn.Sequential(zeroed(nn.Conv2d(2, 4, 1, rng=0), rng, units=[0]), grouped, nn.Conv2d(4, 1, 1, rng=0))
    result = same(model, rng.normal(size=(2, 2, 5, 5)))
    assert sizes(result.model) == sizes(model)
    assert result.layers[1].left == "channels in groups"


def test_input_channels_are_selected(rng):
    model = nn.Sequential(nn.MaxPool2d(2), zeroed(nn.Conv2d(4, 2, 3, rng=0), rng, inputs=[0, 2]), nn.Flatten(), nn.Linear(8, 1, rng=0))
    x = rng.normal(size=(2, 4, 9, 8))
    result = same(model, x)
    assert result.kept_inputs.tolist() == [1, 3]
    assert repr(result.model[1]) == "Select([1, 3], axis=-3)"
    assert sizes(same(model, x, select=False).model)[0] == (2, 2, 3, 3)


def test_pixels_are_selected_behind_flatten(rng):
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(12), nn.Linear(12, 2, rng=0))
    model[2].weight.assign(model[2].weight.data * (np.arange(12) % 3 == 0)[:, None])
    result = same(model, rng.normal(size=(2, 3, 4)))
    assert result.kept_inputs.tolist() == [0, 3, 6, 9]
    assert [name for name, _ in result.model.named_modules()] == ["", "0", "select", "1", "2"]
    narrow = tg.compact(model, select=False).model
    x = rng.normal(size=(2, 12))
    np.testing.assert_allclose(narrow.eval()(tg.Tensor(x[:, ::3])).data, model.eval()(tg.Tensor(x)).data, rtol=1e-12)


def test_linear_after_a_convolution_without_flatten_reads_places_and_not_channels(rng):
    model = nn.Sequential(zeroed(nn.Conv1d(2, 4, 1, rng=0), rng, units=[1]), nn.Tanh(), nn.Linear(4, 3, rng=0), nn.Conv1d(4, 2, 1, rng=0))
    model[2].weight.assign(model[2].weight.data * [[1.0], [0.0], [1.0], [1.0]])
    result = same(model, rng.normal(size=(3, 2, 4)))
    assert sizes(result.model) == sizes(model)


@st.composite
def image_nets(draw):
    """Convolutions with random zeros and settings, activations, norms and pools, and at the end a Linear layer."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    one = draw(st.booleans())
    kind, norm = (nn.Conv1d, nn.BatchNorm1d) if one else (nn.Conv2d, nn.BatchNorm2d)
    channels, parts = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)), []
    x = rng.normal(size=(2, channels[0], *[11] * (1 if one else 2)))
    for n, m in pairwise(channels):
        kernel = draw(st.integers(1, 3))
        layer = kind(n, m, kernel, padding=draw(st.sampled_from([0, 1, "same", "valid"])), bias=draw(st.booleans()), rng=rng)
        parts.append(zeroed(layer, rng, np.flatnonzero(rng.random(m) < 0.3), np.flatnonzero(rng.random(n) < 0.3)))
        parts += draw(st.lists(st.sampled_from([nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.Dropout(0.5)]), max_size=1))
        parts += [normalised(m, rng, norm)] if draw(st.integers(0, 2)) == 0 else []
        if not one and draw(st.booleans()):
            parts.append(draw(st.sampled_from([nn.MaxPool2d(2, 1, 1), nn.AvgPool2d(2, 1, 1), nn.AvgPool2d(2, 1, 1, count_include_pad=False)])))
    body = nn.Sequential(*parts)
    features = int(np.prod(body.eval()(tg.Tensor(x)).shape[1:]))
    body.train()
    return nn.Sequential(body, nn.Flatten(), nn.Linear(features, 2, rng=rng)), x


@given(image_nets())
def test_any_convolutional_net_keeps_its_outputs(drawn):
    model, x = drawn
    result = same(model, x)
    assert tg.compact(result.model, x).parameters_after == result.parameters_after
