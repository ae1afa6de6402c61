"""Convolution and pooling layers: what they compute, their lambdas, how their weights start, their errors."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn

LAMBDAS = ("weight_lambda_l1", "weight_lambda_l2", "bias_lambda_l1", "bias_lambda_l2")


@pytest.mark.parametrize(("made", "function", "shape"), [(nn.Conv1d, tg.conv1d, (2, 4, 7)), (nn.Conv2d, tg.conv2d, (2, 4, 7, 6))])
def test_a_layer_is_its_op(made, function, shape, rng, mode):
    layer, x = made(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, rng=0), rng.normal(size=shape)
    layer.bias.assign(rng.normal(size=6))
    np.testing.assert_array_equal(mode.replayed(layer)(tg.Tensor(x)).data, function(x, layer.weight.data, layer.bias.data, 2, 1, 2, 2))


@pytest.mark.parametrize("name", LAMBDAS)
def test_each_lambda_adds_its_own_term_and_gradient(name, rng):
    layer = nn.Conv2d(1, 2, 3, rng=0, **{name: 0.25})
    layer.bias.assign(rng.normal(size=2))
    parameter = getattr(layer, name.partition("_")[0])
    loss, w = layer.regularization_loss(), parameter.numpy()
    value, slope = (np.abs(w).sum(), np.sign(w)) if name.endswith("l1") else ((w * w).sum(), 2 * w)
    assert loss.item() == pytest.approx(0.25 * value, rel=1e-14)
    loss.backward()
    np.testing.assert_allclose(parameter.grad.data, 0.25 * slope, rtol=1e-14)


@pytest.mark.parametrize("name", LAMBDAS)
def test_bad_lambdas_are_refused(name):
    with pytest.raises(ValueError, match=f"Conv2d: {name} is -1; .*finite and at least 0"):
        nn.Conv2d(1, 2, 3, **{name: -1})


def test_without_bias():
    assert [name for name, _ in nn.Conv2d(1, 2, 3, bias=False).named_parameters()] == ["weight"]
    with pytest.raises(ValueError, match="Conv2d: .*none with bias=False"):
        nn.Conv2d(1, 2, 3, bias=False, bias_lambda_l1=0.1)


def test_weights_start_as_their_number_of_inputs_says():
    layer = nn.Conv2d(8, 500, 3, groups=2, rng=0)
    assert layer.weight.shape == (500, 4, 3, 3)
    assert layer.weight.data.std() == pytest.approx(np.sqrt(2 / 36), rel=0.05)
    assert not nn.Conv1d(1, 1, 2, init="zeros").weight.data.any()


def test_float32_stays(rng):
    layer = nn.Conv2d(1, 2, 3, dtype="float32")
    y = layer(tg.Tensor(rng.normal(size=(1, 1, 4, 4)), dtype="float32"))
    y.sum().backward()
    assert y.dtype == layer.weight.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"in_channels": 0, "out_channels": 1, "kernel_size": 3}, "sizes must be at least 1"),
        ({"in_channels": 3, "out_channels": 2, "kernel_size": 3, "groups": 2}, "groups must divide both numbers of channels"),
        ({"in_channels": 1, "out_channels": 1, "kernel_size": 0}, "Conv2d: kernel_size is 0"),
    ],
)
def test_sizes_that_do_not_fit(settings, words):
    with pytest.raises(ValueError, match=words):
        nn.Conv2d(**settings)


def test_pooling_layers_are_their_ops(rng):
    x = rng.normal(size=(2, 3, 7, 6))
    np.testing.assert_array_equal(nn.MaxPool2d(3, 2, 1, 1, True)(tg.Tensor(x)).data, tg.max_pool2d(x, 3, 2, 1, 1, True))
    np.testing.assert_array_equal(nn.AvgPool2d(3, 2, 1, True, False)(tg.Tensor(x)).data, tg.avg_pool2d(x, 3, 2, 1, True, False))
    assert repr(nn.MaxPool2d(2)) == "MaxPool2d(2)"
    assert repr(nn.AvgPool2d(3, stride=2)) == "AvgPool2d(3, stride=2)"


def test_a_small_network_learns_images(rng, mode):
    y = rng.integers(0, 2, 32)
    x = 0.1 * rng.normal(size=(32, 1, 8, 8))
    x[np.arange(32), 0, 1 + 4 * y, 3] += 3  # a bright pixel, high or low
    model = nn.Sequential(nn.Conv2d(1, 4, 3, rng=0), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 2, rng=1))
    optimizer = tg.optim.Adam(model.parameters(), lr=0.02)
    step = mode(lambda x, y: optimizer.minimize(tg.cross_entropy(model(x), y)))
    for _ in range(30):
        step(tg.Tensor(x), y)
    assert tg.accuracy(model.eval()(tg.Tensor(x)), y) == 1.0
