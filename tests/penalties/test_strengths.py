"""λ as a Tensor, and λ that makes no sense: in penalties, layers and optimisers, eager and compiled."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.optim import FISTA, LBFGS, SGD, Adam, ProximalAdam, ProximalSGD
from tinygrad_reg.penalties import L0, L1, L2, MCP, SCAD, ElasticNet, GroupL2, NonNegative, Nuclear, TotalVariation

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 5))
Y = X @ np.array([1.5, 0.0, -1.0, 0.0, 0.3])
W = RNG.normal(size=(4, 3))
KINDS = {
    "L1": L1,
    "L2": L2,
    "ElasticNet": lambda lam: ElasticNet(lam, lam),
    "L0": L0,
    "MCP": MCP,
    "SCAD": SCAD,
    "GroupL2": GroupL2,
    "GroupL2, rows": lambda lam: GroupL2(lam, axis=1, sizes=True),
    "TotalVariation": TotalVariation,
    "Nuclear": Nuclear,
}
ALL = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@ALL
def test_a_tensor_is_the_number_that_it_holds(kind):
    lam = tg.tensor(0.3, requires_grad=True)
    p, plain = kind(lam), kind(0.3)
    assert float(p(W)) == pytest.approx(float(plain(W)), rel=1e-14)
    grad = RNG.normal(size=W.shape)
    for ours, theirs in ((p.prox(W, 0.5), plain.prox(W, 0.5)), (p.residual(W, grad), plain.residual(W, grad))):
        assert type(ours) is type(theirs)  # arrays, in which nothing is recorded
        np.testing.assert_array_equal(ours, theirs)
    assert p.distance(W, grad) == plain.distance(W, grad)
    assert p.now() == plain
    lam.assign(0.31)
    assert p.distance(W, grad) == kind(0.31).distance(W, grad)


@ALL
def test_the_gradient_with_respect_to_lambda_flows_in_the_value(kind):
    lam, w = tg.tensor(0.3, requires_grad=True), tg.tensor(W, requires_grad=True)
    slope_lam, slope_w = tg.grad(kind(lam)(w), (lam, w)) if kind is not L0 else (tg.grad(kind(lam)(w), lam), None)
    difference = (float(kind(0.3 + 1e-6)(W)) - float(kind(0.3 - 1e-6)(W))) / 2e-6
    assert float(slope_lam) == pytest.approx(difference, rel=1e-6)
    if slope_w is not None:
        np.testing.assert_allclose(slope_w.data, tg.grad(kind(0.3)(w), w).data, rtol=1e-14)


@ALL
@pytest.mark.parametrize("lam", [tg.tensor(0.3), 0.3])
def test_single_precision_stays(kind, lam):
    w = tg.tensor(W, requires_grad=True, dtype="float32")
    assert kind(lam)(w).dtype == np.float32
    assert np.asarray(kind(lam).prox(w.data, 0.5)).dtype == np.float32


@pytest.mark.parametrize("kind", [k for name, k in KINDS.items() if name not in ("TotalVariation", "Nuclear")])
def test_a_compiled_prox_and_value_read_the_tensor_at_each_run(kind, backend):
    lam = tg.tensor(0.3)
    step = tg.compile(lambda x: (kind(lam).prox(x, 0.5), kind(lam)(x)), backend=backend, wait=True)
    for number in (0.3, 0.2, 0.4):
        lam.assign(number)
        near, value = step(W)
        np.testing.assert_allclose(near.data, kind(number).prox(W, 0.5), rtol=1e-12, atol=1e-15)
        assert float(value) == pytest.approx(float(kind(number)(W)), rel=1e-12)
    assert step.stats()["captures"] == 1


def problem():
    w = tg.tensor(np.zeros(5), requires_grad=True, name="w")
    return w, lambda: ((X @ w - Y) ** 2).mean()


MAKERS = {
    "ProximalSGD": lambda p, given: ProximalSGD(p, 0.1, penalties=given),
    "ProximalAdam": lambda p, given: ProximalAdam(p, 0.1, penalties=given),
    "FISTA": lambda p, given: FISTA(p, 0.1, penalties=given),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("wants_gradient", [True, False])
@pytest.mark.parametrize("kind", [L1, GroupL2, lambda lam: ElasticNet(lam, lam)])
def test_given_to_an_optimiser(make, kind, wants_gradient, mode):
    def run(lam, first, then, mode):
        w, loss = problem()
        opt = make([w], [(w, kind(lam))])
        step = mode(lambda: opt.minimize(loss if isinstance(opt, FISTA) else loss()))
        for number in (first, then):
            if isinstance(lam, tg.Tensor):
                lam.assign(number)
            else:
                opt.penalties[0] = (w, kind(number))
            for _ in range(6):
                step()
        return w.data

    found = run(tg.tensor(0.4, requires_grad=wants_gradient), 0.4, 0.2, mode)
    expected = run(0.4, 0.4, 0.2, lambda f: f)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(found == 0, expected == 0)


def test_given_to_searches():
    for make in (LBFGS, FISTA):
        w, loss = problem()
        opt = make([w], penalties=[(w, L1(tg.tensor(0.4, requires_grad=True)))])
        for _ in range(1 if make is LBFGS else 300):
            opt.minimize(loss)
        assert L1(0.4).distance(w.data, tg.grad(loss(), w).data) < 1e-7
        assert (w.data == 0).any()


def test_find_takes_a_tensor_by_its_number_and_leaves_one_that_wants_a_gradient():
    w, loss = problem()
    found = tg.penalties.find(loss() + L1(tg.tensor(0.4))(w))
    assert [term.penalty for term in found.terms] == [L1(0.4)]
    found = tg.penalties.find(loss() + L1(tg.tensor(0.4, requires_grad=True))(w))
    assert found.terms == []
    assert "needs a gradient" in found.reasons[0]


@pytest.mark.parametrize("name", ["weight_lambda_l1", "weight_lambda_l2", "bias_lambda_l1", "bias_lambda_l2"])
def test_of_a_layer(name, mode):
    """It is no parameter and no buffer, trains as the number does, and is read at each run."""
    models = [nn.Linear(5, 2, rng=0, **{name: lam}) for lam in (tg.tensor(0.4, requires_grad=True), 0.4)]
    models[0].bias.assign([0.5, -1.0])
    models[1].bias.assign([0.5, -1.0])
    for model, run in zip(models, (mode, lambda f: f), strict=True):
        opt = Adam(model.parameters(), 0.05)
        step = run(lambda opt=opt, model=model: opt.minimize((model(X) ** 2).mean() + model.regularization_loss()))
        for number in (0.4, 0.2, 0.0, 0.3):
            if model is models[0]:
                getattr(model, name).assign(number)
            else:
                setattr(model, name, number)
            step()
    assert models[0].state_dict().keys() == models[1].state_dict().keys() == {"weight", "bias"}
    for a, b in zip(models[0].parameters(), models[1].parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-10)
    assert [row.lam for row in models[0].penalty_table()] == [0.3]
    assert f"{name}=Tensor(0.3, requires_grad=True)" in repr(models[0])


def test_a_layer_gives_the_gradient_of_its_lambda():
    lam = tg.tensor(0.4, requires_grad=True)
    model = nn.Linear(5, 2, rng=0, weight_lambda_l1=lam)
    model.regularization_loss().backward()
    assert float(lam.grad) == pytest.approx(np.abs(model.weight.data).sum())


# ------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("number", [-0.1, np.nan, np.inf])
@ALL
def test_a_tensor_that_holds_no_strength_is_refused_with_the_name_of_the_parameter(kind, number):
    p, w = kind(tg.tensor(number)), tg.tensor(W, requires_grad=True, name="2.weight")
    for do in (lambda: p(w), lambda: p.prox(w, 0.5), lambda: p.now(w), lambda: ProximalSGD([w], 0.1, penalties=[(w, p)])):
        with pytest.raises(ValueError, match=rf"(lam|l1) of '2.weight' is {number}; a penalty's strength must be finite and at least 0"):
            do()


@pytest.mark.parametrize("number", [-0.1, np.nan])
def test_a_tensor_of_a_layer_that_goes_wrong(number):
    model = nn.Linear(5, 2, rng=0, weight_lambda_l1=tg.tensor(0.1))
    model.weight_lambda_l1.assign(number)
    with pytest.raises(ValueError, match=f"L1: lam of 'weight' is {number}"):
        model.regularization_loss()


def test_a_tensor_given_by_hand_that_goes_wrong_leaves_the_parameter_as_it_was():
    w, loss = problem()
    lam = tg.tensor(0.1)
    opt = ProximalSGD([w], 0.1, penalties=[(w, L1(lam))])
    opt.minimize(loss())
    before = w.numpy()
    lam.assign(-1.0)
    with pytest.raises(ValueError, match=r"L1: lam of 'w' is -1.0"):
        opt.minimize(loss())
    np.testing.assert_array_equal(w.data, before)
    assert opt.steps == 1


TWO = tg.tensor(np.ones((2, 3)), requires_grad=True, name="0.weight")
MADE = TWO * 2


@pytest.mark.parametrize("make", [lambda p, given: ProximalSGD(p, 0.1, penalties=given), lambda p, given: FISTA(p, penalties=given)])
@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ((MADE, L1(0.1)), ValueError, "which multiply has made; only parameters themselves take proximal steps"),
        ((tg.ones(2), L1(0.1)), ValueError, r"a Tensor, of shape \(2,\), which is none of the parameters"),
        ((TWO, GroupL2(0.1, groups=[[0, 1], [2]])), ValueError, r"GroupL2: the groups name 3 places, and 0.weight of shape \(2, 3\) has 6"),
        ((TWO, GroupL2(0.1, axis=2)), ValueError, r"GroupL2: axis is 2, and 0.weight of shape \(2, 3\) has no such axis"),
        ((TWO, 0.1), TypeError, r"pairs of a parameter and a penalty, as in penalties=\[\(w, L1\(0.1\)\)\]"),
        ((np.ones(2), L1(0.1)), TypeError, "pairs of a parameter and a penalty"),
        (L1(0.1), TypeError, "pairs of a parameter and a penalty"),
    ],
)
def test_what_is_given_by_hand_must_fit(make, given, kind, message):
    with pytest.raises(kind, match=message):
        make([TWO], [given])


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: L1(tg.ones(2)), ValueError, r"L1: lam is a Tensor of shape \(2,\); it must be a single number"),
        (lambda: L1("0.1"), TypeError, "L1: lam must be a number, not str; a schedule or a Tensor"),
        (lambda: L1(True), TypeError, "not bool"),
        (lambda: nn.Linear(2, 2, weight_lambda_l1=tg.ones(2)), ValueError, r"Linear: weight_lambda_l1 is a Tensor of shape \(2,\)"),
        (lambda: nn.Linear(2, 2, bias=False, bias_lambda_l1=tg.tensor(0.1)), ValueError, "there is none with bias=False"),
        (lambda: GroupL2(tg.tensor(0.1), groups=[[0, 1], [1]]), ValueError, r"named twice: \[1\]"),
        (lambda: nn.Linear(2, 2, weight_lambda_l2=float("nan")), ValueError, "Linear: weight_lambda_l2 is nan"),
        (lambda: L1(0.1).prox(TWO, 0.0), ValueError, "L1.prox: step is 0.0"),
        (lambda: NonNegative().prox(TWO, -1.0), ValueError, "NonNegative.prox: step is -1.0"),
        (lambda: tg.fit(nn.Linear(2, 1), np.ones((2, 2)), np.ones((2, 1)), epochs=0), ValueError, "epochs and every must be at least 1"),
        (lambda: tg.compile(lambda: TWO * 1).run(times=0), ValueError, "times is 0"),
        (lambda: SGD([MADE], 0.1), TypeError, "must be a leaf Tensor"),
    ],
)
def test_bad_settings(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
