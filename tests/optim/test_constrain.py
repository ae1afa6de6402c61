"""Bounds on parameters, kept by any optimiser: max-norm above all."""

import re

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn, optim
from tinygrad_reg.penalties import L1, Box, MaxNorm, NonNegative

OPTIMIZERS = {
    "SGD": lambda params: optim.SGD(params, lr=0.5),
    "SGD with momentum": lambda params: optim.SGD(params, lr=0.5, momentum=0.9),
    "Adam": lambda params: optim.Adam(params, lr=0.1),
    "ProximalSGD": lambda params: optim.ProximalSGD(params, lr=0.5),
    "ProximalAdam": lambda params: optim.ProximalAdam(params, lr=0.1),
}


def network(rng=0):
    return nn.Sequential(nn.Linear(2, 16, rng=rng), nn.ReLU(), nn.Linear(16, 2, rng=1))


def norms(layer):
    return np.sqrt((layer.weight.data**2).sum(axis=0))  # of what goes into each unit


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_weights_into_each_unit_never_get_longer_than_the_bound(name, mode):
    (x, y), model = tg.data.moons(30, rng=0), network()
    free = network()
    for trained in (model, free):
        optimizer = OPTIMIZERS[name](trained.parameters())
        if trained is model:
            assert optimizer.constrain(model[0].weight, MaxNorm(0.75, axis=0)) is optimizer
            assert norms(model[0]).max() <= 0.75 * (1 + 1e-12)  # at once
        step = mode(lambda x, y: optimizer.minimize(tg.cross_entropy(trained(x), y)))  # noqa: B023 - used at once
        for _ in range(30):
            step(tg.Tensor(x), tg.Tensor(y))
            if trained is model:
                assert norms(model[0]).max() <= 0.75 * (1 + 1e-12)
    assert norms(model[0]).max() > 0.75 * (1 - 1e-12), "it matters here"
    assert norms(free[0]).max() > 0.9, "without it they grow"


def test_a_step_is_the_free_step_and_then_the_nearest_point(mode):
    w, v = (tg.tensor([3.0, 4.0], requires_grad=True) for _ in range(2))
    bounded, free = optim.SGD([w], lr=0.1).constrain(w, MaxNorm(5.0)), optim.SGD([v], lr=0.1)
    mode(lambda: bounded.minimize(-(w * np.array([1.0, 2.0])).sum()))()
    free.minimize(-(v * np.array([1.0, 2.0])).sum())
    np.testing.assert_allclose(w.data, v.data * 5 / np.linalg.norm(v.data), rtol=1e-14)


def test_it_works_with_fit_and_compiled_as_in_eager_mode():
    x, y = tg.data.moons(30, rng=0)

    def run(compile):
        model = network()
        optimizer = optim.Adam(model.parameters(), lr=0.05).constrain(model[0].weight, MaxNorm(1.0, axis=0))
        history = tg.fit(model, x, y, optimizer=optimizer, epochs=40, batch_size=20, rng=0, compile=compile, progress=False)
        return model[0].weight.numpy(), history["data loss"]

    (weight, losses), (expected, expected_losses) = run(True), run(False)
    np.testing.assert_allclose(weight, expected, rtol=1e-9)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-9)


def test_a_bound_given_between_runs_of_a_compiled_step_takes_effect(backend):
    w = tg.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5)
    step = tg.compile(lambda: optimizer.minimize(-w.sum()), backend=backend, wait=True)
    step()
    step()
    assert w.data == [2.0]
    optimizer.constrain(w, Box(-1.0, 1.25))
    assert w.data == [1.25]
    step()
    assert w.data == [1.25]
    optimizer.constrain(w, Box(-1.0, 1.5))  # in place of the first
    step()
    assert w.data == [1.5]


def test_fista_finds_the_optimum_within_a_bound():
    w = tg.tensor([2.0, -2.0], requires_grad=True)
    optimizer = optim.FISTA([w]).constrain(w, NonNegative())
    for _ in range(50):
        optimizer.minimize(lambda: ((w - np.array([0.5, -1.0])) ** 2).sum())
    np.testing.assert_allclose(w.data, [0.5, 0.0], atol=1e-9)
    assert len(optimizer.constrain(w, Box(0.0, 0.25)).penalties) == 1


@pytest.mark.parametrize("kind", [optim.SGD, optim.ProximalSGD])
def test_refusals_change_nothing(kind):
    w, other = tg.tensor([3.0, 4.0], requires_grad=True), tg.tensor([1.0], requires_grad=True)
    optimizer = kind([w], lr=0.1)
    for call, error, words in (
        (lambda: optimizer.constrain(w, L1(0.1)), TypeError, f"{kind.__name__}.constrain: L1(lam=0.1) is no bound: MaxNorm, Box"),
        (lambda: optimizer.constrain(other, MaxNorm(1.0)), ValueError, "which is none of the parameters"),
        (lambda: optimizer.constrain(w, MaxNorm(1.0, axis=1)), (ValueError, IndexError), "axis"),
    ):
        with pytest.raises(error, match=re.escape(words)):
            call()
    assert w.tolist() == [3.0, 4.0]
    assert not optimizer.bounds
    assert not getattr(optimizer, "penalties", [])
