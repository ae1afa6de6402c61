"""Penalties on slopes in the inputs: against derivatives taken one by one, against formulas, and their own gradients."""

import re

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.penalties import gradient_penalty, jacobian_penalty


def network(outputs=3):
    return nn.Sequential(nn.Linear(4, 6, rng=0), nn.Tanh(), nn.Linear(6, outputs, rng=1))


@pytest.fixture
def x(rng):
    return rng.normal(size=(5, 4))


def rows_of_slopes(model, x):
    """The Jacobian of each row, taken alone, by central differences."""
    step = 1e-6 * np.eye(4)

    def at(row):
        return model(tg.Tensor(row[None])).data[0]

    return np.array([[(at(row + e) - at(row - e)) / 2e-6 for e in step] for row in x])


def test_the_jacobian_penalty_is_the_mean_of_squared_slopes(x, mode):
    model = network()
    found = mode.replayed(lambda x: jacobian_penalty(model, x))(tg.Tensor(x)).item()
    assert found == pytest.approx((rows_of_slopes(model, x) ** 2).sum() / 5, rel=1e-8)


@pytest.mark.parametrize("center", [0.0, 1.0])
def test_the_gradient_penalty_is_the_mean_squared_distance_of_norms(x, center, mode):
    model = network(1)
    lengths = np.linalg.norm(rows_of_slopes(model, x).reshape(5, 4), axis=1)
    for f in (model, lambda x: model(x)[:, 0]):
        found = mode.replayed(lambda x: gradient_penalty(f, x, center=center))(tg.Tensor(x)).item()  # noqa: B023 - used at once
        assert found == pytest.approx(((lengths - center) ** 2).mean(), rel=1e-8)


PENALTIES = {
    "Jacobian": lambda model, x: jacobian_penalty(model, x),
    "Jacobian, projected": lambda model, x: jacobian_penalty(model, x, projections=2, rng=7),
    "gradient": lambda model, x: gradient_penalty(lambda x: model(x)[:, 0], x),
    "gradient, centred": lambda model, x: gradient_penalty(lambda x: model(x)[:, 0], x, center=1.0),
    "of the loss": lambda model, x: gradient_penalty(lambda x: tg.cross_entropy(model(x), np.array([0, 1, 2, 0, 1]), reduction="none"), x),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_gradients_in_the_weights(name, x, mode):
    """Double backpropagation, against differences of the penalty."""
    model = network()
    weights = [model[0].weight, model[2].weight, model[0].bias]
    slopes = mode.replayed(lambda x: tg.grad(PENALTIES[name](model, x), weights))(tg.Tensor(x))
    rng = np.random.default_rng(0)
    for w, slope in zip(weights, slopes, strict=True):
        direction, start = rng.normal(size=w.shape), w.numpy()
        ends = []
        for sign in (1, -1):
            w.assign(start + sign * 1e-5 * direction)
            ends.append(PENALTIES[name](model, x).item())
        w.assign(start)
        assert (slope.data * direction).sum() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6, abs=1e-8)


def test_of_a_linear_model_it_is_a_penalty_on_the_weights(x):
    model = nn.Linear(4, 3, rng=0)
    penalty = jacobian_penalty(model, x)
    assert penalty.item() == pytest.approx(tg.penalties.L2(1.0)(model.weight).item(), rel=1e-14)
    np.testing.assert_allclose(tg.grad(penalty, model.weight).data, 2 * model.weight.data, rtol=1e-14)


def test_projections_are_right_on_average_and_exact_where_outputs_do_not_share_slopes(x, rng):
    model = network()
    exact = jacobian_penalty(model, x).item()
    draws = [jacobian_penalty(model, x, projections=1, rng=rng).item() for _ in range(2000)]
    error = np.std(draws) / np.sqrt(len(draws))
    assert error < 0.02 * exact
    assert abs(np.mean(draws) - exact) < 4 * error
    few = [jacobian_penalty(model, x, projections=20, rng=rng).item() for _ in range(100)]
    assert np.var(few) == pytest.approx(np.var(draws) / 20, rel=0.5)
    assert jacobian_penalty(lambda x: 3.0 * x, x, projections=1).item() == pytest.approx(36.0, rel=1e-14)


def test_a_compiled_step_draws_anew(x, backend):
    model = network()
    step = tg.compile(lambda x: jacobian_penalty(model, x, projections=1, rng=None), backend=backend, wait=True)
    assert len({step(x).item() for _ in range(4)}) == 4


def test_rows_and_outputs_may_have_any_axes(rng):
    conv = nn.Conv2d(1, 2, 3, rng=0)
    images = rng.normal(size=(2, 1, 5, 5))
    slopes = tg.jacobian(conv, tg.Tensor(images)).data
    assert jacobian_penalty(conv, images).item() == pytest.approx((slopes**2).sum() / 2, rel=1e-12)
    critic = lambda x: conv(x).sum(axis=(1, 2, 3))  # noqa: E731
    lengths = [np.linalg.norm(tg.jacobian(critic, tg.Tensor(images)).data[i, i]) for i in range(2)]
    assert gradient_penalty(critic, images, center=1.0).item() == pytest.approx(np.mean((np.array(lengths) - 1) ** 2), rel=1e-12)


def test_at_a_slope_of_zero_the_gradient_is_finite(x):
    w = tg.tensor(np.zeros(4), requires_grad=True)
    np.testing.assert_array_equal(tg.grad(gradient_penalty(lambda x: x @ w, x, center=1.0), w).data, 0.0)


def test_single_precision_stays(x):
    model = network().astype("float32")
    for penalty in (jacobian_penalty(model, x.astype("float32")), jacobian_penalty(model, x.astype("float32"), projections=2)):
        assert penalty.dtype == np.float32
    assert gradient_penalty(lambda x: model(x)[:, 0], x.astype("float32"), center=1.0).dtype == np.float32


def test_it_does_what_it_is_for(x):
    """Training with it makes slopes smaller; and it is recorded under no_grad(), too, as derivatives are."""
    x, y = tg.data.moons(30, noise=0.2, rng=0)
    slopes = []
    for strength in (0.0, 0.1):
        model = nn.Sequential(nn.Linear(2, 16, rng=0), nn.Tanh(), nn.Linear(16, 2, rng=1))
        optimizer = tg.optim.Adam(model.parameters(), lr=0.02)
        step = tg.compile(lambda x, y: optimizer.minimize(tg.cross_entropy(model(x), y) + strength * jacobian_penalty(model, x)))  # noqa: B023
        for _ in range(200):
            step(x, y)
        with tg.no_grad():
            slopes.append(jacobian_penalty(model, x).item())
    assert slopes[1] < 0.2 * slopes[0]


def refusals():
    model, x = network(), np.ones((5, 4))
    yield lambda: gradient_penalty(model, x), ValueError, "f gave shape (5, 3) for 5 rows; it must give one number a row"
    yield lambda: gradient_penalty(lambda x: model(x).sum(), x), ValueError, "for a loss reduction='none'"
    yield lambda: gradient_penalty(model, x, center=-1), ValueError, "center is -1"
    yield lambda: gradient_penalty(model, x, center=np.nan), ValueError, "center is nan"
    yield lambda: gradient_penalty(model, 1.0), ValueError, "gradient_penalty: x has shape (); it needs a first axis"
    yield lambda: jacobian_penalty(model, np.ones((0, 4))), ValueError, "jacobian_penalty: x has shape (0, 4); it needs"
    yield lambda: jacobian_penalty(model, np.ones((5, 4), int)), TypeError, "x is int64, and slopes are taken in floats"
    yield lambda: jacobian_penalty(lambda x: model(x).sum(axis=0), x), ValueError, "f gave shape (3,) for 5 rows"
    yield lambda: jacobian_penalty(model, x, projections=0), ValueError, "projections is 0; it must be a whole number"
    yield lambda: jacobian_penalty(model, x, projections=1.5), ValueError, "projections is 1.5"
    yield lambda: jacobian_penalty(lambda x: 1.0, x), TypeError, "must return one Tensor"


@pytest.mark.parametrize(("call", "kind", "words"), list(refusals()))
def test_refusals(call, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        call()
