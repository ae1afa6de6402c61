"""The convention, exactly: λ·Σw² has gradient 2λw and λ·Σ|w| has λ·sign(w), however it is written."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg

LAMBDAS = st.just(0.0) | st.floats(1e-6, 1e3)
# λ times the smallest numbers is subnormal and has lost digits, which one way of writing loses earlier than another.
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -1.0]) | st.floats(1e-100, 1e3) | st.floats(-1e3, -1e-100)
WEIGHTS = hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), elements=NUMBERS)

L2 = {
    "(w * w).sum()": lambda w, lam: lam * (w * w).sum(),
    "(w ** 2).sum()": lambda w, lam: lam * (w**2).sum(),
    "(w ** 2.0).sum()": lambda w, lam: (w**2.0).sum() * lam,
    "square": lambda w, lam: lam * tg.square(w).sum(),
    "method": lambda w, lam: (lam * w.square()).sum(),
    "numpy": lambda w, lam: lam * np.sum(np.square(w)),
    "abs(w) ** 2": lambda w, lam: lam * (abs(w) ** 2).sum(),
    "dot": lambda w, lam: lam * (w.reshape(-1) @ w.reshape(-1)),
    "sum_of_squares": lambda w, lam: lam * tg.sum_of_squares(w),
    "penalties.L2": lambda w, lam: tg.penalties.L2(lam)(w),
}
L1 = {
    "abs(w).sum()": lambda w, lam: lam * abs(w).sum(),
    "tg.abs": lambda w, lam: tg.sum(tg.abs(w)) * lam,
    "method": lambda w, lam: (lam * w.abs()).sum(),
    "numpy": lambda w, lam: lam * np.abs(w).sum(),
    "w * sign(w)": lambda w, lam: lam * (w * tg.sign(w)).sum(),
    "two ramps": lambda w, lam: lam * (tg.relu(w) + tg.relu(-w)).sum(),
    "sum_of_sizes": lambda w, lam: lam * tg.sum_of_sizes(w),
    "penalties.L1": lambda w, lam: tg.penalties.L1(lam)(w),
}
EACH = [pytest.param(way, lambda w, lam: 2 * lam * w, id=f"L2 {name}") for name, way in L2.items()]
EACH += [pytest.param(way, lambda w, lam: lam * np.sign(w), id=f"L1 {name}") for name, way in L1.items()]


def gradient(loss, w):
    loss.backward()
    return w.grad.data


def assert_same(found, expected):
    # Rounding only: the order of the factors is free. What is 0 must be exactly 0.
    np.testing.assert_allclose(found, expected, rtol=4e-15, atol=0)


@pytest.mark.parametrize(("way", "expected"), EACH)
@given(WEIGHTS, LAMBDAS)
def test_alone(way, expected, values, lam):
    w = tg.Tensor(values, requires_grad=True)
    assert_same(gradient(way(w, lam), w), expected(values, lam))


@pytest.mark.parametrize(("way", "expected"), EACH)
@given(WEIGHTS, LAMBDAS)
def test_beside_a_data_loss(way, expected, values, lam):
    w = tg.Tensor(values, requires_grad=True)
    data_gradient = gradient((tg.tanh(w) * 3.0).sum(), w)
    v = tg.Tensor(values, requires_grad=True)
    found = gradient((tg.tanh(v) * 3.0).sum() + way(v, lam), v)
    np.testing.assert_allclose(found, data_gradient + expected(values, lam), rtol=1e-14, atol=1e-14)


@given(WEIGHTS, LAMBDAS, LAMBDAS)
def test_both_at_once_on_one_parameter(values, l1, l2):
    w = tg.Tensor(values, requires_grad=True)
    found = gradient(tg.penalties.L1(l1)(w) + tg.penalties.L2(l2)(w), w)
    np.testing.assert_allclose(found, l1 * np.sign(values) + 2 * l2 * values, rtol=1e-14, atol=0)


@given(WEIGHTS, LAMBDAS)
def test_values_of_the_penalties(values, lam):
    np.testing.assert_allclose(tg.penalties.L1(lam)(tg.Tensor(values)).item(), lam * np.sum(np.abs(values)), rtol=1e-13)
    np.testing.assert_allclose(tg.penalties.L2(lam)(tg.Tensor(values)).item(), lam * np.sum(values**2), rtol=1e-13)


@given(WEIGHTS, LAMBDAS)
def test_second_derivatives(values, lam):
    for penalty, expected in ((tg.penalties.L2(lam), 2 * lam), (tg.penalties.L1(lam), 0.0)):
        w = tg.Tensor(values, requires_grad=True)
        first = tg.grad(penalty(w), w, create_graph=True)
        np.testing.assert_allclose(tg.grad(first.sum(), w).data, np.full(values.shape, expected), rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_of_the_weights_is_kept(dtype):
    w = tg.Tensor([0.0, -2.0, 3.0], requires_grad=True, dtype=dtype)
    loss = tg.penalties.L1(0.5)(w) + tg.penalties.L2(0.25)(w)
    assert loss.dtype == dtype
    np.testing.assert_array_equal(gradient(loss, w), np.array([0, -1.5, 2], dtype))
    assert w.grad.dtype == dtype


# ------------------------------------------------------------------------------- through nn.Linear


@given(st.tuples(LAMBDAS, LAMBDAS, LAMBDAS, LAMBDAS), hnp.arrays(np.float64, (3, 2), elements=NUMBERS), hnp.arrays(np.float64, 2, elements=NUMBERS))
def test_the_four_lambdas_of_a_layer(lambdas, weight, bias):
    layer = tg.nn.Linear(3, 2, *lambdas)
    layer.weight.assign(weight)
    layer.bias.assign(bias)
    loss = layer(tg.ones((1, 3))).sum() + layer.regularization_loss()
    loss.backward()
    w1, w2, b1, b2 = lambdas
    np.testing.assert_allclose(layer.weight.grad.data, 1 + w1 * np.sign(weight) + 2 * w2 * weight, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(layer.bias.grad.data, 1 + b1 * np.sign(bias) + 2 * b2 * bias, rtol=1e-14, atol=1e-14)


# ------------------------------------------------------- a whole net, derived by hand as in the book


def by_hand(x, y, w1, b1, w2, b2, lam):
    """Backpropagation of two layers, written out: softmax and cross-entropy, ReLU, and all eight penalties."""
    z = x @ w1 + b1
    hidden = np.maximum(0, z)
    scores = hidden @ w2 + b2
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    dscores = e / e.sum(axis=1, keepdims=True)
    dscores[range(len(y)), y] -= 1
    dscores /= len(y)
    dz = (dscores @ w2.T) * (z > 0)
    plain = [x.T @ dz, dz.sum(axis=0), hidden.T @ dscores, dscores.sum(axis=0)]
    return [g + l1 * np.sign(p) + 2 * l2 * p for g, p, (l1, l2) in zip(plain, (w1, b1, w2, b2), lam, strict=True)]


@given(st.integers(0, 2**32), st.lists(st.tuples(LAMBDAS, LAMBDAS), min_size=4, max_size=4))
def test_a_whole_net_equals_backpropagation_by_hand(seed, lam):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(7, 2)), rng.integers(0, 3, 7)
    (w1l1, w1l2), (b1l1, b1l2), (w2l1, w2l2), (b2l1, b2l2) = lam
    first, second = tg.nn.Linear(2, 5, w1l1, w1l2, b1l1, b1l2), tg.nn.Linear(5, 3, w2l1, w2l2, b2l1, b2l2)
    model = tg.nn.Sequential(first, tg.nn.ReLU(), second)
    parameters = [first.weight, first.bias, second.weight, second.bias]
    for p in parameters:
        p.assign(rng.normal(size=p.shape) * rng.integers(0, 2, p.shape))  # about half are exactly 0
    (tg.cross_entropy(model(tg.Tensor(x)), y) + model.regularization_loss()).backward()
    expected = by_hand(x, y, *(p.numpy() for p in parameters), lam)
    for p, wanted in zip(parameters, expected, strict=True):
        np.testing.assert_allclose(p.grad.data, wanted, rtol=1e-11, atol=1e-12)
