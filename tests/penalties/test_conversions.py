"""Strengths as others count them: their objective, written down as they document it, is the same multiple of ours at every point."""

import re
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg
from tinygrad_reg import penalties
from tinygrad_reg.penalties import L1, L2, MCP, ElasticNet, GroupL2
from tinygrad_reg.penalties.conversions import LOSSES

STRENGTHS = st.floats(1e-4, 10.0)
N, D, K = 7, 4, 3
GROUPS = [[0, 2], [1, 3]]


def squares(x, w, y):
    return ((y - x @ w) ** 2).sum()


def logistic(x, w, labels):
    return np.logaddexp(0, np.where(labels == 1, -1, 1) * (x @ w)).sum()


def softmax_loss(x, w, labels):
    scores = x @ w
    return (np.logaddexp.reduce(scores, axis=1) - scores[np.arange(len(x)), labels]).sum()


def elastic(a, r, w):
    return a * r * abs(w).sum() + a * (1 - r) / 2 * (w**2).sum()


def row_norms(w):
    return np.sqrt((w**2).sum(axis=1)).sum()


# Name: our penalty from (strength a, ratio r), their objective of (x, w, y), our data loss, how many times ours theirs is, columns of w.
CONVENTIONS = {
    "Lasso": (
        lambda a, r: penalties.from_sklearn_elastic_net(a),
        lambda x, w, y, a, r: squares(x, w, y) / (2 * N) + a * abs(w).sum(),
        *(tg.mse, 1 / 2, 1),
    ),
    "ElasticNet": (
        lambda a, r: penalties.from_sklearn_elastic_net(a, r, outputs=K),
        lambda x, w, y, a, r: squares(x, w, y) / (2 * N) + elastic(a, r, w),
        *(tg.mse, K / 2, K),
    ),
    "Ridge": (
        lambda a, r: penalties.from_sklearn_ridge(a, samples=N, outputs=K),
        lambda x, w, y, a, r: squares(x, w, y) + a * (w**2).sum(),
        *(tg.mse, N * K, K),
    ),
    "MultiTaskLasso": (
        lambda a, r: penalties.from_sklearn_multitask(a, outputs=K),
        lambda x, w, y, a, r: squares(x, w, y) / (2 * N) + a * row_norms(w),
        *(tg.mse, K / 2, K),
    ),
    "LogisticRegression": (
        lambda a, r: penalties.from_sklearn_logistic(a, r, samples=N),
        lambda x, w, y, a, r: a * logistic(x, w, y) + elastic(1, r, w),
        lambda s, y: tg.binary_cross_entropy_with_logits(s, y.astype(float)),
        *(lambda a: N * a, 1),
    ),
    "LogisticRegression, many classes": (
        lambda a, r: penalties.from_sklearn_logistic(a, r, samples=N),
        lambda x, w, y, a, r: a * softmax_loss(x, w, y) + elastic(1, r, w),
        *(tg.cross_entropy, lambda a: N * a, K),
    ),
    "SparseLogisticRegression": (
        lambda a, r: penalties.from_skglm_logistic(a, r),
        lambda x, w, y, a, r: logistic(x, w, y) / N + elastic(a, r, w),
        lambda s, y: tg.binary_cross_entropy_with_logits(s, y.astype(float)),
        *(1, 1),
    ),
    "GroupLasso": (
        lambda a, r: penalties.from_skglm_group(a, GROUPS, sizes=True),
        lambda x, w, y, a, r: squares(x, w, y) / (2 * N) + a * sum(np.sqrt(2) * np.linalg.norm(w[g]) for g in GROUPS),
        *(tg.mse, 1 / 2, 1),
    ),
    "MLPClassifier": (
        lambda a, r: penalties.from_sklearn_mlp(a, batch_size=N),
        lambda x, w, y, a, r: softmax_loss(x, w, y) / N + a / (2 * N) * (w**2).sum(),
        *(tg.cross_entropy, 1, K),
    ),
    "MLPRegressor": (
        lambda a, r: penalties.from_sklearn_mlp(a, batch_size=N, regressor=True, outputs=K),
        lambda x, w, y, a, r: squares(x, w, y) / (2 * N) + a / (2 * N) * (w**2).sum(),
        *(tg.mse, K / 2, K),
    ),
    "Keras": (
        lambda a, r: penalties.from_keras(a, r),
        lambda x, w, y, a, r: squares(x, w, y) / (N * K) + a * abs(w).sum() + r * (w**2).sum(),
        *(tg.mse, 1, K),
    ),
    "PyTorch": (
        lambda a, r: penalties.from_torch(a),
        lambda x, w, y, a, r: squares(x, w, y) / (N * K) + a / 2 * (w**2).sum(),
        *(tg.mse, 1, K),
    ),
    "PyTorch, half the sum": (
        lambda a, r: penalties.from_torch(a, loss="half sum", samples=N, outputs=K),
        lambda x, w, y, a, r: squares(x, w, y) / 2 + a / 2 * (w**2).sum(),
        *(tg.mse, N * K / 2, K),
    ),
}


@pytest.mark.parametrize("name", CONVENTIONS)
@given(a=STRENGTHS, r=st.floats(0, 1), seed=st.integers(0, 1000))
def test_their_objective_is_a_multiple_of_ours(name, a, r, seed):
    ours, theirs, loss, scale, columns = CONVENTIONS[name]
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(N, D)), rng.normal(size=(D, columns))
    y = rng.normal(size=(N, columns)) if loss is tg.mse else rng.integers(0, max(2, columns), (N, columns) if columns == 1 else N)
    penalty = ours(a, r)
    total = loss(tg.Tensor(x) @ w, y).item() + float(penalty(w.reshape(-1) if getattr(penalty, "groups", None) else w))
    assert theirs(x, w, y, a, r) == pytest.approx((scale(a) if callable(scale) else scale) * total, rel=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
@given(l1=STRENGTHS, l2=STRENGTHS)
def test_every_way_to_count_a_loss_and_back(loss, l1, l2):
    made = penalties.from_objective(l1, l2, loss, samples=N, outputs=K)
    scale = (0.5 if "half" in loss else 1) * {"mean": 1, "row mean": K, "sum": N * K}[loss.removeprefix("half ")]
    assert (made.l1, made.l2) == (pytest.approx(l1 / scale, rel=1e-14), pytest.approx(l2 / scale, rel=1e-14))
    assert penalties.to_objective(made, loss, samples=N, outputs=K) == pytest.approx({"l1": l1, "l2": l2}, rel=1e-14)


PAIRS = {
    "elastic net": (penalties.from_sklearn_elastic_net, penalties.to_sklearn_elastic_net, {"outputs": 3}),
    "logistic": (penalties.from_sklearn_logistic, penalties.to_sklearn_logistic, {"samples": 569}),
    "skglm logistic": (penalties.from_skglm_logistic, penalties.to_skglm_logistic, {}),
    "keras": (penalties.from_keras, penalties.to_keras, {}),
    "ridge": (penalties.from_sklearn_ridge, penalties.to_sklearn_ridge, {"samples": 442, "outputs": 2}),
    "torch": (penalties.from_torch, penalties.to_torch, {"loss": "half sum", "samples": 11, "outputs": 2}),
    "mlp": (penalties.from_sklearn_mlp, penalties.to_sklearn_mlp, {"batch_size": 200}),
    "mlp regressor": (penalties.from_sklearn_mlp, penalties.to_sklearn_mlp, {"batch_size": 200, "regressor": True, "outputs": 3}),
    "multitask": (penalties.from_sklearn_multitask, penalties.to_sklearn_multitask, {"outputs": 3}),
}


@pytest.mark.parametrize("name", PAIRS)
@given(l1=STRENGTHS, l2=STRENGTHS)
def test_there_and_back_again(name, l1, l2):
    back, there, known = PAIRS[name]
    kind = {"ridge": L2(l2), "torch": L2(l2), "mlp": L2(l2), "mlp regressor": L2(l2), "multitask": GroupL2(l1, axis=1)}
    penalty = kind.get(name, ElasticNet(l1, l2))
    found = back(**(there(penalty, **known) | known))
    assert type(found) is type(penalty)
    for field in ("lam", "l1", "l2"):
        if hasattr(penalty, field):
            assert getattr(found, field) == pytest.approx(getattr(penalty, field), rel=1e-12)


def test_l1_and_l2_alone_are_elastic_nets_with_one_part():
    assert penalties.to_sklearn_elastic_net(L1(0.2)) == {"alpha": 0.1, "l1_ratio": 1.0}
    assert penalties.to_sklearn_elastic_net(L2(0.2)) == {"alpha": 0.2, "l1_ratio": 0.0}
    assert penalties.to_sklearn_logistic(L2(0.005), samples=100) == {"C": 1.0, "l1_ratio": 0.0}


def test_no_penalty_is_an_infinite_c():
    assert penalties.to_sklearn_logistic(L1(0.0), samples=10) == {"C": inf, "l1_ratio": 0.0}
    assert penalties.from_sklearn_logistic(C=inf, samples=10) == ElasticNet(0.0, 0.0)


def test_the_books_layer_and_ours_have_the_same_four_lambdas():
    theirs = {"weight_regularizer_l1": 0.1, "weight_regularizer_l2": 0.2, "bias_regularizer_l1": 0.3, "bias_regularizer_l2": 0.4}
    layer = tg.nn.Linear(2, 3, **penalties.from_nnfs(**theirs))
    assert penalties.to_nnfs(layer) == theirs
    assert (layer.weight_lambda_l1, layer.weight_lambda_l2, layer.bias_lambda_l1, layer.bias_lambda_l2) == (0.1, 0.2, 0.3, 0.4)


def test_groups_keep_their_places_and_sizes():
    penalty = GroupL2(0.2, groups=GROUPS, sizes=True)
    theirs = penalties.to_skglm_group(penalty)
    assert (theirs["alpha"], theirs["groups"]) == (0.1, GROUPS)
    np.testing.assert_array_equal(theirs["weights"], np.sqrt([2, 2]))
    assert penalties.from_skglm_group(0.1, GROUPS, sizes=True) == penalty


@pytest.mark.parametrize("rows", [1, 50])
def test_two_scores_for_two_classes_take_twice_the_l2_and_the_same_l1(rows, rng):
    """As from_sklearn_logistic says: with scores (-w/2, w/2)·x the squares are halved; with (0, w)·x the sizes are those of w."""
    x, w, y = rng.normal(size=(rows, D)), rng.normal(size=(D, 1)), rng.integers(0, 2, rows)
    one = tg.binary_cross_entropy_with_logits(x @ tg.Tensor(w), y[:, None].astype(float)).item()
    for columns, penalty, twice in ((np.c_[-w / 2, w / 2], L2(0.1), L2(0.2)), (np.c_[0 * w, w], L1(0.1), L1(0.1))):
        assert tg.cross_entropy(x @ tg.Tensor(columns), y).item() + twice(columns) == pytest.approx(one + penalty(w), rel=1e-12)


def refusals():
    yield lambda: penalties.from_sklearn_logistic(C=0, samples=5), ValueError, "C is 0; it must be above 0: it multiplies the loss"
    yield lambda: penalties.from_sklearn_logistic(C=np.nan, samples=5), ValueError, "C is nan; it must be above 0"
    yield lambda: penalties.from_sklearn_logistic(C="1", samples=5), TypeError, "C must be a number, not str"
    yield lambda: penalties.from_sklearn_logistic(samples=0), ValueError, "samples is 0; it must be at least 1"
    yield lambda: penalties.from_sklearn_logistic(samples=5.0), TypeError, "samples is 5.0; it must be a whole number"
    yield lambda: penalties.from_sklearn_logistic(l1_ratio=1.1, samples=5), ValueError, "l1_ratio is 1.1; it is the share of L1, from 0"
    yield lambda: penalties.from_sklearn_elastic_net(-1), ValueError, "alpha is -1; a penalty's strength must be finite and at least 0"
    yield lambda: penalties.from_sklearn_ridge(np.nan, 5), ValueError, "alpha is nan"
    yield lambda: penalties.from_sklearn_mlp(1e-4, True), TypeError, "batch_size is True; it must be a whole number"
    yield lambda: penalties.from_keras(l1="0.1"), TypeError, "l1 must be a number, not str"
    yield lambda: penalties.from_keras(l1=tg.Tensor(0.1)), TypeError, "l1 is a Tensor; what is converted must be a number"
    yield lambda: penalties.from_torch(-0.1), ValueError, "weight_decay is -0.1"
    yield lambda: penalties.from_torch(0.1, loss="total"), ValueError, "loss is 'total'; it must be one of 'mean', 'half mean', 'row mean'"
    yield lambda: penalties.from_torch(0.1, loss="sum"), ValueError, "samples is missing: the other library sums over them"
    yield lambda: penalties.to_torch(ElasticNet(0.1, 0.2)), ValueError, "to_torch: ElasticNet(l1=0.1, l2=0.2) has an L1 part"
    yield lambda: penalties.to_sklearn_ridge(L1(0.1), 5), ValueError, "to_sklearn_ridge: L1(lam=0.1) has an L1 part"
    yield lambda: penalties.to_sklearn_mlp(L1(0.1), 5), ValueError, "to_sklearn_mlp: L1(lam=0.1) has an L1 part"
    yield lambda: penalties.to_keras(MCP(0.1)), TypeError, "to_keras takes an L1, an L2 or an ElasticNet, not MCP(lam=0.1, gamma=3.0)"
    yield lambda: penalties.to_sklearn_logistic(0.1, 5), TypeError, "to_sklearn_logistic takes an L1, an L2 or an ElasticNet, not float"
    yield lambda: penalties.to_keras(L1(tg.Tensor(0.1))), TypeError, "has a strength that is no number but a Tensor"
    yield lambda: penalties.to_sklearn_multitask(GroupL2(0.1, axis=0), 2), TypeError, "takes GroupL2(lam, axis=1), all weights of one input"
    yield lambda: penalties.to_sklearn_multitask(L2(0.1), 2), TypeError, "not L2(lam=0.1)"
    yield lambda: penalties.to_skglm_group(GroupL2(0.1, axis=1)), TypeError, "takes GroupL2(lam, groups=…)"
    yield lambda: penalties.to_nnfs(tg.nn.ReLU()), TypeError, "to_nnfs takes a layer with four lambdas, such as nn.Linear, not ReLU"
    yield lambda: penalties.from_nnfs(bias_regularizer_l1=-1), ValueError, "bias_regularizer_l1 is -1"


@pytest.mark.parametrize(("call", "kind", "words"), list(refusals()))
def test_refusals_say_what_fits(call, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        call()
