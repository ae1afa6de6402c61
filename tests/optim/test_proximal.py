"""Proximal optimisers: they stay at the optimum, reach it, with exact zeros, eager and compiled; and refuse what cannot be right."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.optim import FISTA, ProximalAdam, ProximalSGD
from tinygrad_reg.penalties import L0, L1, L2, Box, ElasticNet, GroupL2, NonNegative, Nuclear, TotalVariation

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 8)) @ np.diag([1, 1, 2, 0.5, 1, 1, 1, 1])
TRUE = np.array([1.5, 0.0, -1.0, 0.0, 0.0, 2.0, 0.0, 0.0])
Y = X @ TRUE + 0.1 * RNG.normal(size=40)
CURVATURE = 2 * np.linalg.norm(X, 2) ** 2 / len(X)
GROUPS = ((0, 5), (1, 2), (3, 4), (6, 7))
MATRIX = tg.ones((2, 2), requires_grad=True)

PENALTIES = {
    "L1": (lambda w: 0.3 * abs(w).sum(), [L1(0.3)]),
    "elastic net": (lambda w: 0.3 * abs(w).sum() + 0.1 * (w * w).sum(), [ElasticNet(0.3, 0.1)]),
    "L2": (lambda w: 0.1 * (w * w).sum(), [L2(0.1)]),
    "groups": (lambda w: 0.5 * tg.linalg.vector_norm(w.reshape(4, 2), axis=1).sum() * 0 + GroupL2(0.5)(w), [GroupL2(0.5)]),
}


def problem(penalty=None):
    """A least-squares loss of a fresh parameter, with a penalty in it."""
    w = tg.tensor(np.zeros(8), requires_grad=True, name="w")
    return w, lambda: ((X @ w - Y) ** 2).mean() + (penalty(w) if penalty else 0.0)


def smooth_gradient(values):
    return 2 * X.T @ (X @ values - Y) / len(X)


def optimum(penalty):
    """The lowest point, found by many plain proximal steps and certified."""
    w = np.zeros(8)
    for _ in range(20_000):
        w = np.asarray(penalty.prox(w - smooth_gradient(w) / CURVATURE, 1 / CURVATURE))
    assert penalty.distance(w, smooth_gradient(w)) < 1e-12
    return w


MAKERS = {
    "ProximalSGD": lambda p: ProximalSGD(p, lr=1 / CURVATURE),
    "ProximalSGD with momentum": lambda p: ProximalSGD(p, lr=0.1 / CURVATURE, momentum=0.9),
    "ProximalAdam": lambda p: ProximalAdam(p, lr=1e-3),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize(("term", "kinds"), PENALTIES.values(), ids=PENALTIES)
def test_started_at_the_optimum_it_stays_there(make, term, kinds, backend):
    best = optimum(kinds[0])
    w, loss = problem(term)
    w.assign(best)
    lowest = float(loss())
    optimizer = make([w])
    tg.compile(lambda: optimizer.minimize(loss()), backend=backend, wait=True).run(times=2000)
    assert (float(loss()) - lowest) / lowest < 1e-7
    np.testing.assert_array_equal(w.data == 0, best == 0)


@pytest.mark.parametrize("make", [MAKERS["ProximalSGD"], lambda p: ProximalAdam(p, lr=0.02), FISTA, lambda p: FISTA(p, lr=1 / CURVATURE)])
def test_it_reaches_the_optimum_with_exact_zeros(make):
    best = optimum(L1(0.3))
    w, loss = problem(lambda w: 0.3 * abs(w).sum())
    optimizer = make([w])
    for _ in range(1500):
        optimizer.minimize(loss)
    np.testing.assert_allclose(w.data, best, atol=1e-4)
    np.testing.assert_array_equal(w.data == 0, best == 0)
    assert (best == 0).sum() >= 3


@pytest.mark.parametrize("penalty", [lambda w: 0.3 * abs(w).sum(), GroupL2(0.5)], ids=["L1", "one group"])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_loss_in_two_parts_moves_as_the_whole_one_does(make, penalty, mode):
    """Gradients of several backward calls add up, and so must the penalties that were read with them."""
    whole, parts = (_moved(make, penalty, mode, shares) for shares in ([1.0], [0.75, 0.25]))
    np.testing.assert_allclose(parts, whole, rtol=1e-12)
    assert whole.any()


def _moved(make, penalty, mode, shares):
    w, loss = problem(penalty)
    optimizer = make([w])

    @mode
    def step():
        optimizer.zero_grad()
        for share in shares:
            optimizer.backward(share * loss())
        optimizer.step()

    for _ in range(20):
        step()
    return w.numpy()


def test_penalties_in_two_backward_calls_may_differ():
    w, loss = problem()
    optimizer = ProximalSGD([w], lr=1.0)
    w.assign(np.arange(8.0) - 3.5)
    for penalty in (L1(0.5), GroupL2(0.25), L1(0.25), GroupL2(0.5)):
        optimizer.backward(0.0 * loss() + penalty(w))
    optimizer.step()
    expected = GroupL2(0.75).prox(L1(0.75).prox(np.arange(8.0) - 3.5, 1.0), 1.0)
    np.testing.assert_allclose(w.data, expected, rtol=1e-14)


@pytest.mark.parametrize("forget", [lambda optimizer, w: optimizer.zero_grad(), lambda optimizer, w: setattr(w, "grad", None)])
def test_what_was_read_before_is_not_applied_again(forget):
    """A step on gradients that the user has made has them of all terms; to apply those of an earlier loss, too, would count them twice."""
    w, loss = problem(lambda w: 0.3 * abs(w).sum())
    optimizer = ProximalSGD([w], lr=0.01)
    optimizer.minimize(loss())
    before = w.numpy()
    forget(optimizer, w)
    loss().backward()
    optimizer.step()
    np.testing.assert_allclose(w.data, before - 0.01 * (smooth_gradient(before) + 0.3 * np.sign(before)), rtol=1e-12, atol=1e-15)


def test_a_subgradient_step_reaches_no_zero():
    """What the tests above would find without a proximal step."""
    w, loss = problem(lambda w: 0.3 * abs(w).sum())
    optimizer = tg.optim.SGD([w], lr=0.5 / CURVATURE)
    for _ in range(1000):
        optimizer.minimize(loss())
    assert np.count_nonzero(w.data == 0) == 0


def test_the_threshold_that_is_common_with_adam_is_far_off():
    """lr·λ instead of lr·λ/(√v̂ + ε): the check above must notice."""

    class Common(ProximalAdam):
        def smooth_step(self, p, g, lr, t, penalties, *state):
            target, _, *rest = super().smooth_step(p, g, lr, t, penalties, *state)
            return (target, lr, *rest)

    w, loss = problem(lambda w: 0.3 * abs(w).sum())
    w.assign(optimum(L1(0.3)))
    lowest = float(loss())
    optimizer = Common([w], lr=1e-3)
    for _ in range(2000):
        optimizer.minimize(loss())
    assert (float(loss()) - lowest) / lowest > 1e-3


@pytest.mark.parametrize("make", [*MAKERS.values(), lambda p: FISTA(p, lr=0.5 / CURVATURE)])
def test_compiled_is_the_same_as_eager(make, backend):
    def run(compiled):
        w, loss = problem(lambda w: 0.2 * abs(w).sum() + 0.05 * tg.sqrt((w * w).sum()))
        optimizer = make([w])
        step = lambda: optimizer.minimize(loss if isinstance(optimizer, FISTA) else loss())  # noqa: E731
        if compiled:
            step = tg.compile(step, backend=backend, wait=True)
        losses = []
        for i in range(30):
            optimizer.lr = optimizer.lr * (0.5 if i == 20 else 1.0)  # a new learning rate counts, too
            losses.append(float(step()))
        if compiled:
            assert step.stats()["captures"] == 1
        return losses, w.data, optimizer.steps

    for a, b in zip(run(True), run(False), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_whole_inputs_of_a_layer_become_zero():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(100, 6))
    y = (x[:, :2] @ rng.normal(size=(2, 3))).argmax(axis=1)
    model = nn.Linear(6, 3, rng=0)
    optimizer = ProximalAdam(model.parameters(), lr=0.01)
    for _ in range(600):
        optimizer.minimize(tg.cross_entropy(model(x), y) + 0.1 * tg.linalg.vector_norm(model.weight, axis=1).sum())
    np.testing.assert_array_equal((model.weight.data == 0).all(axis=1), [False, False, True, True, True, True])


def test_the_lambdas_of_layers_make_zeros():
    model = nn.Linear(8, 1, weight_lambda_l1=0.3, bias=False, rng=0)
    optimizer = FISTA(model.parameters())
    for _ in range(100):
        optimizer.minimize(lambda: tg.mse(model(X), Y[:, None]) + model.regularization_loss())
    np.testing.assert_allclose(model.weight.data[:, 0], optimum(L1(0.3)), atol=1e-6)


@pytest.mark.parametrize(
    ("given", "check"),
    [
        ([NonNegative()], lambda w: (w >= 0).all() and (w == 0).any()),
        ([Box(-0.5, 0.75)], lambda w: w.max() == 0.75 and w.min() == -0.5),
        ([L1(0.3), Box(-0.5, 0.75)], lambda w: w.max() == 0.75 and (w == 0).sum() >= 2),
        ([L0(0.05)], lambda w: (w == 0).sum() >= 3 and abs(w[0] - 1.5) < 0.1),
        ([TotalVariation(2.0)], lambda w: (np.diff(w) == 0).any()),
        ([L1(0.1), GroupL2(0.2, groups=GROUPS)], lambda w: (w == 0).sum() >= 4),
    ],
)
def test_penalties_given_by_hand(given, check):
    w, loss = problem()
    optimizer = ProximalSGD([w], lr=1 / CURVATURE, penalties=[(w, p) for p in given])
    for _ in range(2000):
        optimizer.minimize(loss())
    assert check(w.data)


def test_a_penalty_alone_moves_its_parameter():
    w = tg.tensor([1.0, -0.05], requires_grad=True)
    ProximalSGD([w], lr=0.1).minimize(abs(w).sum())
    np.testing.assert_allclose(w.data, [0.9, 0.0])


def test_terms_on_what_is_not_optimised_change_nothing():
    w, loss = problem()
    v = tg.tensor([1.0], requires_grad=True)
    ProximalSGD([w], lr=0.1 / CURVATURE).minimize(loss() + abs(v).sum())
    np.testing.assert_array_equal(v.data, [1.0])


def test_fista_leaves_everything_as_it_was_when_the_loss_fails():
    w, _ = problem()
    optimizer = FISTA([w])

    def fails():
        raise KeyError("no data")

    with pytest.raises(KeyError):
        optimizer.minimize(fails)
    np.testing.assert_array_equal(w.data, np.zeros(8))
    assert optimizer.steps == 0


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        (
            lambda w, loss: ProximalSGD([w], 0.1, penalties=[(w, L1(0.1))]).minimize(loss() + abs(w).sum()),
            ValueError,
            "L1 on w is in the loss and given by hand",
        ),
        (lambda w, loss: ProximalSGD([w], 0.1, penalties=[(tg.tensor(1.0), L1(0.1))]), ValueError, "none of the parameters"),
        (lambda w, loss: ProximalSGD([w], 0.1, penalties=[(w, L1(0.1)), (w, L0(0.1))]), ValueError, r"L1 \+ L0 on one parameter is not known"),
        (lambda w, loss: ProximalSGD([MATRIX], 0.1, penalties=[(MATRIX, Nuclear(0.1)), (MATRIX, L1(0.1))]), ValueError, r"Nuclear \+ L1"),
        (lambda w, loss: FISTA([w]).minimize(loss()), TypeError, "takes a function that makes the loss"),
        (lambda w, loss: FISTA([w]).minimize(lambda: 3.0), TypeError, "returned a float"),
        (lambda w, loss: FISTA([w]).minimize(lambda: loss() * np.nan), RuntimeError, "no step is short enough"),
    ],
)
def test_bad_input(do, kind, message):
    w, loss = problem()
    with pytest.raises(kind, match=message):
        do(w, loss)
    np.testing.assert_array_equal(w.data, np.zeros(8))


def test_fista_forgets_its_momentum_when_it_is_restarted():
    def steps_of(w, opt):
        for _ in range(5):
            opt.minimize(lambda: ((w - np.array([1.0, 0.2])) ** 2 * np.array([1.0, 0.01])).sum() + 0.01 * abs(w).sum())
        return w.numpy()

    w = tg.Tensor([0.0, 0.0], requires_grad=True)
    opt = tg.optim.FISTA([w], lr=0.05)
    first = steps_of(w, opt)
    w.data = [0.0, 0.0]
    opt.restart()
    np.testing.assert_array_equal(steps_of(w, opt), first)
