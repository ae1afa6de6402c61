"""Penalties and scale: a ReLU layer can hand its size on to the next one, and the batch does not count."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.penalties import L1, L2

X, Y = tg.data.spiral(30, 3, rng=np.random.RandomState(0))


def network(hidden=16, seed=0, **lambdas):
    return nn.Sequential(nn.Linear(2, hidden, rng=seed, **lambdas), nn.ReLU(), nn.Linear(hidden, 3, rng=seed + 1, **lambdas))


def scaled(model, factor):
    """The same function with the first layer ``factor`` times as large."""
    model[0].weight.assign(model[0].weight.data * factor)
    model[0].bias.assign(model[0].bias.data * factor)
    model[2].weight.assign(model[2].weight.data / factor)


@pytest.mark.parametrize(("kind", "power"), [(L1, 1), (L2, 2)])
@pytest.mark.parametrize("factor", [0.1, 0.01])
def test_a_penalty_on_the_first_layer_alone_has_a_loophole(kind, power, factor):
    """The function stays as it is, and the penalty goes to 0: alone it asks for nothing."""
    model = network()
    penalty = lambda: float(kind(5e-4)(model[0].weight) + kind(5e-4)(model[0].bias))  # noqa: E731
    loss, before = float(tg.cross_entropy(model(X), Y)), penalty()
    scaled(model, factor)
    assert float(tg.cross_entropy(model(X), Y)) == pytest.approx(loss, rel=1e-10)
    assert penalty() == pytest.approx(before * factor**power, rel=1e-12)


def test_a_penalty_on_all_weights_has_none():
    """Of all scales there is a best one: where each unit's weights are as long before as behind it."""
    model = network()
    first, second = (np.linalg.norm(w, axis=axis) for w, axis in ((model[0].weight.data, 0), (model[2].weight.data, 1)))
    balance = np.sqrt(second / first)
    model[0].weight.assign(model[0].weight.data * balance)
    model[2].weight.assign(model[2].weight.data / balance[:, None])
    penalty = lambda: float((model[0].weight ** 2).sum() + (model[2].weight ** 2).sum())  # noqa: E731
    lowest = penalty()
    for factor in (0.9, 1.1):
        scaled(model, factor)
        assert penalty() > lowest * 1.001
        scaled(model, 1 / factor)


def test_slopes_before_and_behind_a_unit_belong_together():
    """Of the data loss, for every ReLU unit: ⟨w, ∂w⟩ of what comes in, bias and all, is ⟨w, ∂w⟩ of what goes out."""
    model = network()
    tg.cross_entropy(model(X), Y).backward()
    first, second = model[0], model[2]
    inwards = (first.weight.data * first.weight.grad.data).sum(axis=0) + first.bias.data * first.bias.grad.data
    outwards = (second.weight.data * second.weight.grad.data).sum(axis=1)
    np.testing.assert_allclose(inwards, outwards, rtol=0, atol=1e-14)
    assert np.abs(outwards).max() > 1e-3


def test_at_a_minimum_with_l2_on_all_weights_both_sides_are_as_long():
    model = network(hidden=6, weight_lambda_l2=2e-3)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.02, decay=1e-3)
    step = tg.compile(lambda: optimizer.minimize(tg.cross_entropy(model(X), Y) + model.regularization_loss()))
    before = np.linalg.norm(model[0].weight.data, axis=0) / np.linalg.norm(model[2].weight.data, axis=1)
    step.run(times=30_000)
    first, second = np.linalg.norm(model[0].weight.data, axis=0), np.linalg.norm(model[2].weight.data, axis=1)
    assert np.abs(before - 1).max() > 0.2
    np.testing.assert_allclose(first, second, rtol=0, atol=2e-3 * first.max())
    assert first.max() > 0.5


@pytest.mark.parametrize("rows", [1, 7, 90])
def test_the_pull_of_a_penalty_does_not_change_with_the_batch_size(rows):
    model = network(weight_lambda_l1=1e-3, weight_lambda_l2=1e-2)
    data = lambda: tg.cross_entropy(model(X[:rows]), Y[:rows])  # noqa: E731
    whole = tg.grad(data() + model.regularization_loss(), model[0].weight).data
    pull = whole - tg.grad(data(), model[0].weight).data
    w = model[0].weight.data
    np.testing.assert_allclose(pull, 1e-3 * np.sign(w) + 2e-2 * w, rtol=1e-9, atol=1e-15)
