"""Penalties are read out of a loss however it was written, and never wrongly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.penalties import L1, L2, ElasticNet, GroupL2, find

WAYS = {
    "L1": [
        lambda w, lam: lam * abs(w).sum(),
        lambda w, lam: lam * tg.sum(tg.abs(w)),
        lambda w, lam: (lam * abs(w)).sum(),
        lambda w, lam: -(-lam * abs(w).sum()),
        lambda w, lam: abs(w).mean() * (lam * w.size),
        lambda w, lam: abs(-2 * w).sum() * (lam / 2),
        lambda w, lam: abs(w).sum(0).sum() * lam,
        lambda w, lam: abs(w).mean(axis=1).sum() * (lam * w.shape[1]),
        lambda w, lam: np.abs(w.T).sum() * lam,
        lambda w, lam: L1(lam)(w),
        lambda w, lam: tg.linalg.vector_norm(w, ord=1) * lam,
        lambda w, lam: tg.tensor(lam) * abs(w.reshape(-1)).sum(),
        lambda w, lam: abs(w).sum() / (1 / lam),
        lambda w, lam: sum([lam * 0.25 * abs(w).sum() for _ in range(4)]),
    ],
    "L2": [
        lambda w, lam: lam * (w * w).sum(),
        lambda w, lam: lam * (w**2).sum(),
        lambda w, lam: tg.square(w).sum() * lam,
        lambda w, lam: L2(lam)(w),
        lambda w, lam: lam * (abs(w) ** 2).sum(),
        lambda w, lam: lam * (w.reshape(-1) @ w.reshape(-1)),
        lambda w, lam: lam / 4 * ((2 * w) * (2 * w)).sum(),
        lambda w, lam: (w * w).mean() * (w.size * lam),
        lambda w, lam: lam * np.sum(np.square(w)),
        lambda w, lam: tg.sum_of_squares(w.T, lam),
        lambda w, lam: (-w * -w).sum() * lam,
    ],
    "GroupL2": [
        lambda w, lam: lam * tg.sqrt((w * w).sum(axis=1)).sum(),
        lambda w, lam: lam * tg.linalg.vector_norm(w, axis=1).sum(),
        lambda w, lam: lam * tg.sqrt(tg.square(w).sum(axis=-1, keepdims=True)).sum(),
        lambda w, lam: tg.linalg.vector_norm(-w, axis=-1).mean() * (lam * w.shape[0]),
        lambda w, lam: GroupL2(lam, axis=1)(w),
    ],
}
KINDS = {"L1": L1, "L2": L2, "GroupL2": lambda lam: GroupL2(lam, axis=1)}
LAMBDAS = st.sampled_from([0.0, 1e-5, 0.1, 0.5, 3.0])
TOTALS = [
    lambda data, terms: sum(terms, data),
    lambda data, terms: sum(terms[::-1]) + data,
    lambda data, terms: data - sum(-t for t in terms),
    lambda data, terms: 0.5 * (2 * data + sum(2 * t for t in terms)),
    lambda data, terms: sum([data, *terms], tg.tensor(0.0)),
    lambda data, terms: (sum(terms, data) / 4) * 4,
]


def parameters():
    rng = np.random.default_rng(0)
    w = tg.tensor(rng.normal(size=(3, 2)), requires_grad=True, name="w")
    v = tg.tensor(rng.normal(size=(2, 4)), requires_grad=True, name="v")
    return w, v


def data_loss(w, v):
    x = np.random.default_rng(1).normal(size=(5, 3))
    return (tg.tanh(x @ w) @ v).square().mean()


def value_of(found):
    return float(found.smooth) + sum(float(p(w)) for w, _, p in found.terms)


def assert_whole(found, loss):
    """The rest and the terms are the loss, and so are their gradients."""
    np.testing.assert_allclose(value_of(found), float(loss), rtol=1e-12)
    leaves = parameters_of(loss)
    whole = found.smooth + sum((p(w) for w, _, p in found.terms), tg.tensor(0.0))
    for a, b in zip(tg.grad(whole, leaves), tg.grad(loss, leaves), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-11, atol=1e-12)


def parameters_of(loss):
    from tinygrad_reg.graph import history

    return [x for x in history([loss]).values() if x.op is None]


@given(kind=st.sampled_from(list(WAYS)), data=st.data(), lam=LAMBDAS.filter(bool), total=st.sampled_from(TOTALS))
def test_one_penalty_however_it_is_written(kind, data, lam, total):
    w, v = parameters()
    way = data.draw(st.sampled_from(WAYS[kind]))
    loss = total(data_loss(w, v), [way(w, lam)])
    found = find(loss)
    assert [(term.parameter is w, term.name) for term in found.terms] == [(True, "w")]
    penalty = found.terms[0].penalty
    np.testing.assert_allclose(penalty.lam, lam, rtol=1e-14)
    assert type(penalty) is type(KINDS[kind](lam))
    assert getattr(penalty, "axis", None) == getattr(KINDS[kind](lam), "axis", None)
    assert_whole(found, loss)


@given(
    chosen=st.lists(st.tuples(st.sampled_from(list(WAYS)), st.integers(0, 20), st.integers(0, 1), LAMBDAS.filter(bool)), min_size=1, max_size=5),
    total=st.sampled_from(TOTALS),
)
def test_several_on_several_parameters(chosen, total):
    w, v = parameters()
    expected = {}
    for kind, _, place, lam in chosen:
        expected[place, kind] = expected.get((place, kind), 0.0) + lam
    terms = [WAYS[kind][which % len(WAYS[kind])]((w, v)[place], lam) for kind, which, place, lam in chosen]
    loss = total(data_loss(w, v), terms)
    found = find(loss)
    got = {((w, v).index(term.parameter) if term.parameter is w else 1, type(term.penalty).__name__): term.penalty.lam for term in found.terms}
    assert got.keys() == expected.keys()
    for key, lam in expected.items():
        np.testing.assert_allclose(got[key], lam, rtol=1e-13)
    assert_whole(found, loss)


def test_the_lambdas_of_layers_and_dotted_names():
    settings = {"weight_lambda_l1": 0.1, "weight_lambda_l2": 0.2, "bias_lambda_l1": 0.3, "bias_lambda_l2": 0.4}
    model = nn.Sequential(nn.Linear(3, 4, rng=0, **settings), nn.ReLU(), nn.Linear(4, 2, rng=1, weight_lambda_l1=0.5))
    loss = tg.cross_entropy(model(np.ones((5, 3))), np.zeros(5, int)) + model.regularization_loss()
    found = find(loss, model)
    assert [(term.name, term.penalty) for term in found.terms] == [
        ("0.weight", L1(0.1)),
        ("0.weight", L2(0.2)),
        ("0.bias", L1(0.3)),
        ("0.bias", L2(0.4)),
        ("2.weight", L1(0.5)),
    ]
    assert_whole(found, loss)


@pytest.mark.parametrize("make", [lambda w: abs(w).sum(), lambda w: (w * w).sum(), lambda w: tg.linalg.vector_norm(w, axis=1).sum()])
def test_terms_of_one_kind_count_together_whatever_their_signs(make):
    """1.0·Σ|w| - 0.4·Σ|w| makes zeros as 0.6·Σ|w| does; with the second part in the rest it would as 1.0·Σ|w|."""
    w, v = parameters()
    loss = data_loss(w, v) + make(w) - 0.4 * make(w)
    found = find(loss)
    assert [term.penalty.lam for term in found.terms] == [pytest.approx(0.6, rel=1e-14)]
    assert_whole(found, loss)
    loss = data_loss(w, v) + 0.4 * make(w) - make(w)
    found = find(loss)
    assert found.terms == []
    assert len([reason for reason in found.reasons if "its scale is -0.6" in reason]) == 2
    assert_whole(found, loss)


def test_an_elastic_net_is_two_terms():
    w, v = parameters()
    found = find(data_loss(w, v) + ElasticNet(0.1, 0.2)(w))
    assert [term.penalty for term in found.terms] == [L1(0.1), L2(0.2)]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda w: -0.1 * abs(w).sum(), "its scale is -0.1"),
        (lambda w: 0.1 * (w.sum() - 2 * (w * w).sum()), "its scale is -0.2"),
        (lambda w: np.nan * abs(w).sum(), "its scale is nan"),
        (lambda w: 0.1 * abs(w @ np.ones(2)).sum(), "matmul is inside"),
        (lambda w: 0.1 * abs(w[0]).sum(), "getitem is inside"),
        (lambda w: 0.1 * abs(w + 1).sum(), "add is inside"),
        (lambda w: (lambda s: s + s * s)(abs(w).sum()), "used elsewhere|something else as well"),
        (lambda w: (lambda a: a.sum() + tg.exp(a).sum())(abs(w)), "used|something else"),
        (lambda w: tg.exp(abs(w).sum()), ""),
        (lambda w: tg.sqrt(abs(w)).sum(), ""),
        (lambda w: tg.sqrt((w * w).sum(axis=1) + 1e-6).sum(), ""),
        (lambda w: tg.sqrt(2 * (w * w).sum(axis=1)).sum(), ""),
        (lambda w: (np.arange(6.0).reshape(3, 2) * abs(w)).sum(), ""),
        (lambda w: (w[:, None] * w[None]).sum(), ""),
        (lambda w: tg.expand_dims(w[:, 0], 0).sum() * 0.1, ""),
        (lambda w: (w * w.T.T * w).sum(), ""),
        (lambda w: w.reshape(-1) @ w.T.reshape(-1), ""),
        (lambda w: (w**3).sum() + (w**1.5).mean() * 0, ""),
        (lambda w: abs(w).max(), ""),
        (lambda w: tg.log1p(abs(w)).sum(), ""),
        (lambda w: tg.minimum(abs(w), 1).sum(), ""),
        (lambda w: (abs(w) * tg.tensor(0.1, requires_grad=True)).sum(), ""),
        (lambda w: tg.linalg.vector_norm(w.T, axis=1).sum() * 0.1, "permute_dims is inside"),
        (lambda w: w.sum() * 0.5, ""),
    ],
)
def test_what_is_none_stays_in_the_rest(make, reason):
    w, v = parameters()
    values = np.abs(w.data) + 0.1
    w.assign(values)
    with np.errstate(invalid="ignore"):
        loss = data_loss(w, v) + make(w)
        found = find(loss)
    assert found.terms == []
    np.testing.assert_allclose(float(found.smooth), float(loss), rtol=1e-12)
    import re

    assert re.search(reason, " ".join(found.reasons))


def test_a_parameter_with_a_new_value_stays():
    w, v = parameters()
    loss = data_loss(w, v) + 0.1 * abs(w).sum()
    w.assign(np.zeros((3, 2)))
    found = find(loss)
    assert found.terms == []
    assert "new value" in " ".join(found.reasons)
    np.testing.assert_allclose(float(found.smooth), float(loss))


def test_a_loss_of_penalties_only():
    w, _ = parameters()
    found = find(0.1 * abs(w).sum() + 3.0)
    assert float(found.smooth) == 3.0
    assert found.terms[0].penalty == L1(0.1)


def test_the_rest_can_be_differentiated_again():
    w, v = parameters()
    rest = find(data_loss(w, v) + abs(w).sum()).smooth
    slope = tg.grad(rest, w, create_graph=True)
    assert tg.grad((slope * slope).sum(), w).data.any()


def test_bad_input():
    w, _ = parameters()
    with pytest.raises(ValueError, match="single number"):
        find(w * 2)
    with pytest.raises(ValueError, match="single number"):
        find(3.0)
    with pytest.raises(RuntimeError, match="nothing to read"):
        find(tg.tensor(1.0))


def test_a_long_loss_is_read_without_recursion():
    w, _ = parameters()
    loss = data_loss(*parameters())
    for _ in range(20_000):
        loss = loss + 0.0001 * abs(w).sum()
    found = find(loss)
    np.testing.assert_allclose(found.terms[0].penalty.lam, 2.0)


@pytest.mark.parametrize(
    "write", [lambda w: abs(w / 0).sum(), lambda w: (w / 0).sum(), lambda w: abs(w).sum() / 0, lambda w: ((w / np.float64(0)) ** 2).sum()]
)
def test_what_is_divided_by_zero_stays(write):
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        found = tg.penalties.find(write(w) + 0.5 * abs(w).sum())
    assert [term.penalty for term in found.terms] == [L1(0.5)]
    assert not np.isfinite(found.smooth.item())


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (2,)])
def test_the_rest_is_a_single_number_whatever_the_shape(shape):
    w = tg.ones(shape, requires_grad=True)
    assert find(w.sum() + 3 * w.mean() + abs(w).sum()).smooth.shape == ()
