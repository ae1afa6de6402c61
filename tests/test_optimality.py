"""Certificates: 0 at the optimum, not 0 beside it, for every kind of penalty; nothing is changed; and sentences that say why a weight is 0."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.optim import FISTA, SGD
from tinygrad_reg.penalties import L0, L1, L2, MCP, Box, ElasticNet, GroupL2, NonNegative, TotalVariation

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6))
Y = X @ np.array([1.5, 0.0, -1.0, 0.0, 0.05, 2.0]) + 0.1 * RNG.normal(size=40)


def fitted(*penalties, steps=600):
    """A parameter at the optimum of least squares under these penalties, given by hand, and its loss."""
    w = tg.tensor(np.zeros(6), requires_grad=True, name="w")
    optimizer = FISTA([w], penalties=[(w, p) for p in penalties if not isinstance(p, L2)])
    smooth = [p for p in penalties if isinstance(p, L2)]
    loss = lambda: ((X @ w - Y) ** 2).mean() + sum(p(w) for p in smooth)  # noqa: E731
    for _ in range(steps):
        optimizer.minimize(loss)
    return w, loss, [(w, p) for p in penalties if not isinstance(p, L2)]


def slope(w):
    return 2 * X.T @ (X @ w - Y) / len(X)


KINDS = {
    "none": [],
    "L1": [L1(0.2)],
    "L2": [L2(0.2)],
    "L1 and L2": [L1(0.2), L2(0.1)],
    "elastic net": [ElasticNet(0.2, 0.1)],
    "groups": [GroupL2(0.5, groups=((0, 5), (1, 3), (2, 4)))],
    "L1 and groups": [L1(0.2), GroupL2(0.5, groups=((0, 5), (1, 3), (2, 4)))],
    "elastic net and groups": [ElasticNet(0.2, 0.1), GroupL2(0.5, groups=((0, 5), (1, 3), (2, 4)))],
    "bounds": [Box(-0.5, 1.0)],
    "L1 and bounds": [L1(0.2), NonNegative()],
    "differences": [TotalVariation(0.5)],
    "MCP": [MCP(0.2)],
}


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
def test_at_the_optimum_it_has_converged_and_beside_it_not(kinds):
    w, loss, given = fitted(*kinds)
    best = w.data
    found = tg.optimality(loss, [w], given)
    assert found.converged
    assert found.residual < 1e-6
    for place in np.flatnonzero(best):
        if not any(isinstance(p, Box) and best[place] in (p.low, p.high) for p in kinds):
            w.assign(best * np.where(np.arange(6) == place, 1.001, 1.0))
            assert tg.optimality(loss, [w], given)[0].verdict == "still moving"


@pytest.mark.parametrize("kinds", [KINDS["L1 and groups"], KINDS["elastic net and groups"]], ids=["L1", "elastic net"])
@pytest.mark.parametrize("seed", range(5))
def test_of_a_sum_it_is_what_short_proximal_steps_approach(kinds, seed):
    rng = np.random.default_rng(seed)
    start = rng.normal(size=6) * (rng.random(6) < 0.5)
    start[[1, 3]] *= seed % 2
    w = tg.tensor(start, requires_grad=True)
    found = tg.optimality(lambda: ((X @ w - Y) ** 2).mean(), [w], [(w, p) for p in kinds]).parts[0]
    step = 1e-7
    moved = start - step * slope(start)
    for p in kinds:
        moved = np.asarray(p.prox(moved, step))
    moves = np.absolute(start - moved) / step
    zero = [g for g in kinds[1].groups if not start[list(g)].any()]
    expected = [np.linalg.norm(moves[list(g)]) for g in zero] + [moves[i] for g in kinds[1].groups if g not in zero for i in g]
    assert found.residual() == pytest.approx(max(expected), rel=1e-5)


def test_each_residual_is_what_the_formula_says():
    w = tg.tensor([0.5, 0.0, -1.0, 0.0, 0.0, 2.0], requires_grad=True, name="w")
    row = tg.optimality(lambda: ((X @ w - Y) ** 2).mean() + 0.2 * abs(w).sum() + 0.1 * (w * w).sum(), [w])[0]
    g = slope(w.data) + 0.2 * w.data
    expected = np.where(w.data == 0, np.maximum(abs(g) - 0.2, 0), g + 0.2 * np.sign(w.data)).__abs__().max()
    assert row.residual == pytest.approx(expected, rel=1e-12)
    assert row.relative == pytest.approx(expected / abs(slope(np.zeros(6))).max(), rel=1e-12)
    assert row.share == pytest.approx(0.2 / abs(slope(np.zeros(6))).max(), rel=1e-12)
    assert (row.zeros, row.size, row.penalty) == (3, 6, "L1(lam=0.2) + L2(lam=0.1)")


def test_steps_along_the_subgradient_have_not_arrived():
    w = tg.tensor(np.zeros(6), requires_grad=True)
    loss = lambda: ((X @ w - Y) ** 2).mean() + 0.2 * abs(w).sum()  # noqa: E731
    optimizer = SGD([w], lr=0.05)
    for _ in range(2000):
        optimizer.minimize(loss())
    assert tg.optimality(loss, [w])[0].verdict == "still moving"


def test_a_lambda_without_effect_is_called_too_small():
    w, _, _ = fitted(L1(0.001))
    assert tg.optimality(lambda: ((X @ w - Y) ** 2).mean(), [w], [(w, L1(0.001))])[0].verdict == "λ too small"
    w, _, _ = fitted(L1(0.2))
    assert tg.optimality(lambda: ((X @ w - Y) ** 2).mean(), [w], [(w, L1(0.2))])[0].verdict == "converged"


def test_a_lambda_that_is_a_tensor_counts_with_its_number():
    w, loss, _ = fitted(L1(0.2))
    lam = tg.tensor(0.2)
    assert tg.optimality(lambda: loss() + lam * abs(w).sum(), [w])[0].penalty == "L1(lam=0.2)"


def test_a_symmetric_start_does_not_make_rounding_look_like_a_gradient():
    """A bias whose gradient is 0 at 0: its scale is that of the others."""
    model = nn.Linear(6, 1, weight_lambda_l1=0.2, rng=0)
    x, y = X - X.mean(axis=0), (Y - Y.mean())[:, None]
    loss = lambda: tg.mse(model(x), y) + model.regularization_loss()  # noqa: E731
    optimizer = FISTA(model.parameters())
    for _ in range(600):
        optimizer.minimize(loss)
    assert [row.verdict for row in tg.optimality(loss, model)] == ["converged", "converged"]


def test_nothing_is_changed():
    model = nn.Sequential(nn.Linear(6, 4, rng=0), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1, weight_lambda_l1=0.1, rng=1))
    loss = lambda: tg.mse(model(X), Y[:, None]) + model.regularization_loss()  # noqa: E731
    loss().backward()
    before = {name: (x, x._data, x._grad) for name, x in model.named_tensors()}
    found = tg.optimality(loss, model)
    assert not found.converged
    assert [row.name for row in found] == [name for name, _ in model.named_parameters()]
    for name, x in model.named_tensors():
        assert before[name] == (x, x._data, x._grad) or (before[name][1] is x._data and before[name][2] is x._grad)


def test_nothing_is_changed_when_the_loss_fails_on_the_way():
    w = tg.tensor(np.ones(6), requires_grad=True)

    def fails():
        if not w.data.any():
            raise KeyError("no data")
        return (w * w).sum() + ((X @ w - Y) ** 2).sum()

    with pytest.raises(KeyError):
        tg.optimality(fails, [w])
    np.testing.assert_array_equal(w.data, np.ones(6))


def test_it_prints_as_a_table():
    w, loss, given = fitted(L1(0.2))
    lines = str(tg.optimality(loss, [w], given)).splitlines()
    assert lines[0].split() == ["parameter", "penalty", "exact", "zeros", "λ/λ_max", "residual", "relative", "verdict"]
    assert lines[1].startswith("w          L1(lam=0.2)  ")
    assert lines[1].endswith("converged")
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        (lambda w, loss: tg.optimality(loss(), [w]), TypeError, "takes a function that makes the loss"),
        (lambda w, loss: tg.optimality(loss, [w * 2]), TypeError, "is no parameter"),
        (lambda w, loss: tg.optimality(lambda: loss() * np.nan, [w]), ValueError, "the loss is nan"),
        (lambda w, loss: tg.optimality(lambda: loss() + abs(w).sum(), [w], [(w, L1(0.1))]), ValueError, "L1 on w is in the loss and given by hand"),
        (lambda w, loss: tg.optimality(loss, [w], [(tg.tensor(1.0), L1(0.1))]), ValueError, "none of the parameters"),
        (lambda w, loss: tg.optimality(loss, [w], tolerance=0.0), ValueError, "tolerance is 0.0"),
        (lambda w, loss: tg.optimality(loss, [w], [(w, L1(0.1)), (w, L0(0.1))]), ValueError, r"L1 \+ L0 on one parameter"),
        (lambda w, loss: tg.why(loss, [w], "v", 0), KeyError, "there is no parameter 'v', only w"),
        (lambda w, loss: tg.why(loss, [w], "w", (0, 1)), IndexError, r"\(0, 1\) is no place in w of shape \(6,\)"),
        (lambda w, loss: tg.why(loss, [w], "w", 6), IndexError, "6 is no place in w"),
    ],
)
def test_bad_input(do, kind, message):
    w, loss, _ = fitted(steps=1)
    before = w.data
    with pytest.raises(kind, match=message):
        do(w, loss)
    assert w.data is before


# ------------------------------------------------------------------------------------------------- sentences


def test_why_a_weight_is_zero_and_another_is_not():
    w, loss, given = fitted(L1(0.2))
    pull = -slope(w.data)
    assert tg.why(loss, [w], "w", 1, given) == f"w[1] is 0: the data pull with {abs(pull[1]):.3g}, less than λ = 0.2."
    expected = f"w[0] is {w.data[0]:.4g}: the data pull away from 0 with 0.2, and L1 holds against it with 0.2; the two balance."
    assert tg.why(loss, [w], "w", (0,), given) == expected
    assert tg.why(loss, [w], "w", -6, given) == expected


@pytest.mark.parametrize(
    ("kinds", "values", "place", "words"),
    [
        ([L1(0.2)], np.zeros(6), 5, ["is 0, and will not stay: the data pull with", "more than λ = 0.2"]),
        ([L1(0.2)], np.full(6, 9.0), 5, ["the data pull towards 0", "is left over, so it still moves towards 0"]),
        ([L2(0.2)], None, 5, ["L2 pulls back with 2·λ·|w| = ", "nothing is left over"]),
        ([L2(0.2)], np.zeros(6), 5, ["L2 does not hold weights at 0", "still moves away"]),
        ([], None, 0, ["it has no penalty; the data pull with", "nothing is left over"]),
        ([L1(0.2), L2(0.1)], None, 5, ["L1 and L2 hold against it", "the two balance"]),
        ([ElasticNet(0.2, 0.1)], None, 1, ["is 0: the data pull with", "less than λ = 0.2"]),
        ([MCP(0.2)], None, 5, ["MCP holds against it with 0;", "the two balance"]),
        ([GroupL2(0.5, groups=((0, 5), (1, 3), (2, 4)))], None, 3, ["with all its group of 2: together the data pull it with", "less than λ = 0.5"]),
        ([GroupL2(0.5, groups=((0, 5), (1, 3), (2, 4)))], None, 5, ["its group of 2 has norm", "against λ = 0.5; the two balance"]),
        ([GroupL2(0.5, sizes=True)], None, 5, ["its group of 6 has norm", "λ·√size = 1.22; the two balance"]),
        ([GroupL2(0.1)], np.array([0, 1.0, 0, 0, 0, 0]), 0, ["a group is 0 as a whole or not at all", "is left over"]),
        ([NonNegative()], None, 2, ["is 0, which is its lowest value: the data pull down", "converged"]),
        ([Box(-0.5, 1.0)], None, 5, ["is 1, which is its highest value: the data pull up"]),
        ([L0(0.1)], np.zeros(6), 5, ["which L0 does not charge"]),
    ],
)
def test_each_kind_has_its_words(kinds, values, place, words):
    w, loss, given = fitted(*kinds, steps=600 if values is None else 1)
    if values is not None:
        w.assign(values)
    said = tg.why(loss, [w], "w", place, given)
    for part in words:
        assert part in said, said
    assert said.startswith(f"w[{place}] is ")
    assert said.endswith(".")


def test_of_a_matrix_the_group_is_its_line():
    model = nn.Linear(6, 3, rng=0)
    loss = lambda: tg.mse(model(X), np.outer(Y, [1.0, 2.0, 3.0])) + 2.0 * tg.linalg.vector_norm(model.weight, axis=1).sum()  # noqa: E731
    optimizer = FISTA(model.parameters())
    for _ in range(400):
        optimizer.minimize(loss)
    found = tg.optimality(loss, model)
    row = next(i for i in range(6) if not model.weight.data[i].any())
    with tg.no_grad():
        residuals = model(X).data - np.outer(Y, [1.0, 2.0, 3.0])
    pull = np.linalg.norm(2 * X[:, row] @ residuals / residuals.size)
    expected = f"weight[{row}, 2] is 0 with all its group of 3: together the data pull it with {pull:.3g}, less than λ = 2."
    assert found.why("weight", (row, 2)) == expected
