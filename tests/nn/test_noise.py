"""Noise on inputs and on weights: what it is on average, when it acts, where gradients go."""

import re

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn


@pytest.mark.parametrize("make", [lambda: nn.GaussianNoise(0.5, rng=0), lambda: nn.WeightNoise(nn.Linear(3, 3, rng=0), 0.5, rng=0)])
def test_it_acts_in_training_only_and_anew_each_time(make, mode):
    model = make()
    x = tg.ones((2, 3))
    step = mode(lambda x: model(x))
    seen = [step(x).data.copy() for _ in range(3)]
    assert len({y.tobytes() for y in seen}) == 3
    model.eval()
    expected = model.layer(x).data if hasattr(model, "layer") else x.data
    for _ in range(2):
        np.testing.assert_array_equal(step(x).data, expected)
    model.train()
    assert not np.array_equal(step(x).data, expected)


def test_noise_has_the_spread_it_says_and_mean_zero():
    noise = nn.GaussianNoise(0.3, rng=0)(tg.zeros((1000, 100))).data
    assert noise.mean() == pytest.approx(0, abs=4 * 0.3 / np.sqrt(1e5))
    assert noise.std() == pytest.approx(0.3, rel=4 / np.sqrt(2e5))
    layer = nn.Linear(300, 300, init="zeros", bias=False)
    noise = nn.WeightNoise(layer, 0.3, rng=0)(tg.eye(300)).data
    assert noise.mean() == pytest.approx(0, abs=4 * 0.3 / np.sqrt(9e4))
    assert noise.std() == pytest.approx(0.3, rel=4 / np.sqrt(18e4))


@pytest.mark.parametrize("outputs", [1, 3])
def test_input_noise_before_a_linear_model_is_an_l2_penalty(outputs, rng):
    """Bishop's theorem, exact where the model is linear: both the loss and its slope, on average over the noise."""
    x, y = rng.normal(size=(20, 4)), rng.normal(size=(20, outputs))
    layer = nn.Linear(4, outputs, rng=0)
    noisy = nn.Sequential(nn.GaussianNoise(0.4, rng=1), layer)
    many = np.tile(x, (20_000, 1)), np.tile(y, (20_000, 1))
    found = tg.mse(noisy(tg.Tensor(many[0])), many[1])
    expected = tg.mse(layer(tg.Tensor(x)), y) + tg.penalties.L2(0.4**2 / outputs)(layer.weight)
    assert found.item() == pytest.approx(expected.item(), rel=0.005)
    slopes = [tg.grad(loss, layer.weight).data for loss in (found, expected)]
    np.testing.assert_allclose(slopes[0], slopes[1], atol=0.01 * np.abs(slopes[1]).max())
    plain = tg.mse(layer(tg.Tensor(x)), y)
    assert expected.item() > 1.02 * plain.item(), "the penalty is large enough to be seen"


def test_weight_noise_costs_a_linear_model_the_size_of_its_inputs(rng):
    """E‖x(w + e) - y‖² = ‖xw - y‖² + std²·‖x‖²: it prefers small inputs to a layer, and leaves w alone."""
    x, y, layer = rng.normal(size=(20, 4)), rng.normal(size=(20, 2)), nn.Linear(4, 2, rng=0)
    noisy = nn.WeightNoise(layer, 0.4, rng=1)
    draws = [tg.mse(noisy(tg.Tensor(x)), y).item() for _ in range(4000)]
    expected = tg.mse(layer(tg.Tensor(x)), y).item() + 0.4**2 * (x**2).sum() / 20
    assert np.mean(draws) == pytest.approx(expected, abs=4 * np.std(draws) / np.sqrt(4000))


def test_gradients_are_those_at_the_noisy_weights_and_arrive_at_the_clean_ones(rng):
    x, y, layer = rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), nn.Linear(3, 2, rng=0)
    layer.bias.assign([1.0, 2.0])
    before = layer.weight.numpy()
    wrapped = nn.WeightNoise(layer, 0.3, rng=5, names=("weight", "bias"))
    tg.mse(wrapped(tg.Tensor(x)), y).backward()
    source = np.random.default_rng(5)
    weight, bias = before + 0.3 * source.standard_normal((3, 2)), layer.bias.data + 0.3 * source.standard_normal(2)
    residual = x @ weight + bias - y
    np.testing.assert_allclose(layer.weight.grad.data, 2 * x.T @ residual / 10, rtol=1e-12)
    np.testing.assert_allclose(layer.bias.grad.data, 2 * residual.sum(axis=0) / 10, rtol=1e-12)
    np.testing.assert_array_equal(layer.weight.data, before)


def test_penalties_and_the_state_are_those_of_the_layer_inside():
    model = nn.Sequential(nn.WeightNoise(nn.Linear(2, 3, weight_lambda_l2=0.5, rng=0), 0.1), nn.GaussianNoise(0.1))
    assert [name for name, _ in model.named_parameters()] == ["0.layer.weight", "0.layer.bias"]
    assert model.regularization_loss().item() == pytest.approx(0.5 * (model[0].layer.weight.data ** 2).sum())


def test_training_compiled_and_eager_draw_the_same(backend):
    def run(compile):
        model = nn.Sequential(nn.GaussianNoise(0.1, rng=3), nn.WeightNoise(nn.Linear(2, 8, rng=0), 0.1, rng=4), nn.Tanh(), nn.Linear(8, 2, rng=1))
        history = tg.fit(model, *tg.data.moons(20, rng=0), epochs=20, compile=compile, progress=False)
        return history["data loss"]

    np.testing.assert_allclose(run(backend), run(False), rtol=1e-9)


def test_another_spread_takes_effect_in_a_compiled_step(backend):
    model = nn.GaussianNoise(0.1, rng=0)
    step = tg.compile(lambda x: model(x), backend=backend, wait=True)
    step(tg.zeros(1000))
    model.std = 10.0
    assert step(tg.zeros(1000)).data.std() > 5


def test_dtype_stays_and_whole_numbers_become_floats():
    assert nn.GaussianNoise(0.1)(tg.ones(3, dtype="float32")).dtype == np.float32
    assert nn.GaussianNoise(0.1)(tg.arange(3)).dtype == np.float64
    assert nn.WeightNoise(nn.Linear(2, 2, dtype="float32"))(tg.ones((1, 2), dtype="float32")).dtype == np.float32


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: nn.GaussianNoise(-0.1), ValueError, "GaussianNoise: std is -0.1; it is the spread"),
        (lambda: nn.GaussianNoise(np.nan), ValueError, "std is nan"),
        (lambda: nn.GaussianNoise("0.1"), TypeError, "std must be a number, not str"),
        (lambda: nn.GaussianNoise(0.1, rng="seed"), TypeError, "rng is a str"),
        (lambda: nn.WeightNoise(nn.Linear(2, 2), np.inf), ValueError, "WeightNoise: std is inf"),
        (lambda: nn.WeightNoise(nn.Sequential(nn.Linear(2, 2))), ValueError, "'weight' is no parameter of Sequential itself. Wrap the layers"),
        (lambda: nn.WeightNoise(nn.Linear(2, 2, bias=False), names=["bias"]), ValueError, "'bias' is no parameter of Linear itself"),
        (lambda: nn.WeightNoise(nn.Linear(2, 2), names="weight"), TypeError, "for one write ['weight']"),
        (lambda: nn.WeightNoise(lambda x: x), TypeError, "takes a layer, as in WeightNoise(nn.Linear(2, 8)), not a function"),
    ],
)
def test_refusals(make, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        make()
