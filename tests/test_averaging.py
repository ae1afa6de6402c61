"""WeightAverage: the means it keeps, in fit, by hand, and in compiled steps."""

import re

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.optim import SGD


def walk(average, model, values):
    for value in values:
        model.weight.assign(value)
        average.update()


@pytest.fixture
def values(rng):
    return rng.normal(size=(7, 3, 2))


def test_without_decay_it_is_the_mean_of_all(values):
    model = nn.Linear(3, 2, rng=0)
    average = tg.WeightAverage(model)
    walk(average, model, values)
    np.testing.assert_allclose(average.means["weight"], values.mean(axis=0), rtol=1e-13)
    assert average.count == 7


def test_with_decay_it_forgets_and_begins_at_the_first(values):
    model = nn.Linear(3, 2, rng=0)
    average = tg.WeightAverage(model, decay=0.9)
    walk(average, model, values)
    expected = 0.9**6 * values[0] + sum(0.1 * 0.9 ** (6 - i) * values[i] for i in range(1, 7))
    np.testing.assert_allclose(average.means["weight"], expected, rtol=1e-13)


@pytest.mark.parametrize("decay", [None, 0.8])
def test_in_fit_the_model_ends_with_the_mean_of_its_epochs(decay, mode):
    (x, y), seen = tg.data.moons(20, rng=0), []
    model = nn.Sequential(nn.Linear(2, 4, rng=0), nn.Tanh(), nn.Linear(4, 2, rng=1))
    average = tg.WeightAverage(model, decay=decay, start=4)
    look = lambda history, model: seen.append(model[0].weight.numpy()) and None  # noqa: E731
    history = tg.fit(model, x, y, epochs=13, every=2, callbacks=[average, look], compile=mode.compile, progress=False)
    assert history["epoch"] == [0, 2, 4, 6, 8, 10, 12]
    assert average.count == 5
    expected = seen[2]
    for n, weight in enumerate(seen[3:], 2):
        expected = expected + (weight - expected) * (1 / n if decay is None else 1 - decay)
    np.testing.assert_allclose(model[0].weight.data, expected, rtol=1e-12)
    assert not np.allclose(model[0].weight.data, seen[-1])


@pytest.mark.parametrize("decay", [None, 0.8])
def test_inside_a_step_of_ones_own(decay, mode):
    w = nn.Linear(1, 1, rng=0)
    average, optimizer = tg.WeightAverage(w, decay=decay), SGD(w.parameters(), lr=0.1)

    @mode
    def step(x, y):
        loss = optimizer.minimize(tg.mse(w(x), y))
        average.update()
        return loss

    seen = []
    for x in (1.0, 2.0, -1.0, 0.5):
        step(tg.Tensor([[x]]), tg.Tensor([[3.0]]))
        seen.append(w.weight.item())
    expected = seen[0]
    for n, value in enumerate(seen[1:], 2):
        expected += (value - expected) * (1 / n if decay is None else 1 - decay)
    assert average.means["weight"].item() == pytest.approx(expected, rel=1e-13)
    assert average.count == 4


def test_the_mean_of_noisy_steps_is_nearer_to_the_optimum(rng):
    """What it is for: SGD with a constant rate hops around the optimum, its mean does not."""
    x, truth = rng.normal(size=(4000, 5)), np.arange(5.0)[:, None]
    y = x @ truth + rng.normal(size=(4000, 1))
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    model = nn.Linear(5, 1, bias=False, rng=0)
    average, optimizer = tg.WeightAverage(model), SGD(model.parameters(), lr=0.05)
    distances = []
    for i, (xb, yb) in enumerate(tg.data.batches(x, y, 4, rng=0)):
        optimizer.minimize(tg.mse(model(xb), yb))
        if i >= 200:
            average.update()
            distances.append(np.linalg.norm(model.weight.data - best))
    assert np.linalg.norm(average.means["weight"] - best) < 0.3 * np.mean(distances)


def test_applied_gives_the_models_own_weights_back_also_after_an_error(values):
    model = nn.Linear(3, 2, rng=0)
    average = tg.WeightAverage(model)
    walk(average, model, values)
    with average.applied() as inside:
        assert inside is model
        np.testing.assert_allclose(model.weight.data, values.mean(axis=0), rtol=1e-13)
    np.testing.assert_array_equal(model.weight.data, values[-1])
    with pytest.raises(KeyError), average.applied():
        raise KeyError
    np.testing.assert_array_equal(model.weight.data, values[-1])
    average.finish()
    np.testing.assert_allclose(model.weight.data, values.mean(axis=0), rtol=1e-13)


def test_it_may_be_used_for_one_run_after_the_other(mode):
    model = nn.Linear(2, 1, rng=0)
    average = tg.WeightAverage(model)
    for _ in range(2):
        tg.fit(model, np.ones((3, 2)), np.ones((3, 1)), epochs=3, callbacks=[average], compile=mode.compile, progress=False)
        assert average.count == 3


def test_dtype_is_that_of_the_parameters_and_buffers_are_left_alone():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.BatchNorm1d(3)).astype("float32")
    average = tg.WeightAverage(model)
    average.update()
    assert {mean.dtype for mean in average.means.values()} == {np.dtype("float32")}
    assert set(average.means) == {name for name, _ in model.named_parameters()}


def test_a_run_that_ends_too_early_warns_and_keeps_its_weights():
    model = nn.Linear(2, 1, rng=0)
    with pytest.warns(UserWarning, match="no epoch from 10 on was recorded, so the model keeps its last weights"):
        tg.fit(model, np.ones((3, 2)), np.ones((3, 1)), epochs=3, callbacks=[tg.WeightAverage(model, start=10)], progress=False)
    assert np.isfinite(model.weight.data).all()
    assert (model.weight.data != 0).all()


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: tg.WeightAverage(nn.Linear(2, 1), decay=1.0), ValueError, "decay is 1.0; it is the share of the mean that stays"),
        (lambda: tg.WeightAverage(nn.Linear(2, 1), decay=np.nan), ValueError, "decay is nan"),
        (lambda: tg.WeightAverage(nn.Linear(2, 1), start=-1), ValueError, "start is -1"),
        (lambda: tg.WeightAverage(nn.ReLU()), ValueError, "ReLU has no parameters to average"),
        (lambda: tg.WeightAverage([1.0]), TypeError, "takes a model, a Module, not a list"),
        (lambda: tg.WeightAverage(nn.Linear(2, 1)).means, RuntimeError, "there is no mean yet. Call update() after steps"),
        (lambda: tg.WeightAverage(nn.Linear(2, 1)).finish(), RuntimeError, "there is no mean yet"),
        (lambda: tg.WeightAverage(nn.Linear(2, 1)).applied().__enter__(), RuntimeError, "there is no mean yet"),
        (
            lambda: tg.fit(nn.Linear(2, 1), np.ones((3, 2)), np.ones((3, 1)), epochs=1, callbacks=[tg.WeightAverage(nn.Linear(2, 1))]),
            ValueError,
            "WeightAverage was made for another Linear than the model that is being trained",
        ),
    ],
)
def test_refusals(call, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        call()
