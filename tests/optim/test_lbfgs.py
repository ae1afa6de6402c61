"""LBFGS: the reference optima of convex problems with exact zeros, bounds, dtypes, how it ends, and what it refuses."""

import sys

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra [special]")
pytest.importorskip("sklearn", reason="the data of the problems come with scikit-learn, extra [examples]")

from convex_problems import PROBLEMS, dataset

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.optim import LBFGS
from tinygrad_reg.optim.variables import Variables
from tinygrad_reg.penalties import L0, L1, L2, MCP, Box, ElasticNet, GroupL2, NonNegative, Nuclear, TotalVariation

SPLIT = {name: problem for name, problem in PROBLEMS.items() if not problem.group}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 8))
Y = X @ np.array([1.5, 0.0, -1.0, 0.0, 0.0, 2.0, 0.0, 0.0]) + 0.1 * RNG.normal(size=60)


@pytest.mark.parametrize("problem", SPLIT.values(), ids=SPLIT)
def test_reference_optima_with_their_zeros(problem):
    started = problem.start()
    opt = LBFGS(started.parameters)
    found = float(opt.minimize(started.loss))
    assert abs(found - problem.objective) / problem.objective <= 1e-10
    np.testing.assert_array_equal(started.weight.data == 0, problem.coef == 0)
    np.testing.assert_array_equal(started.bias.data == 0, problem.bias == 0)
    np.testing.assert_allclose(started.weight.data, problem.coef, rtol=0, atol=problem.coef_tolerance)
    certificate = tg.optimality(started.loss, started.parameters)
    assert certificate.converged
    assert certificate.residual == pytest.approx(opt.outcome.residual, rel=1e-3, abs=1e-12)
    assert certificate.residual <= 1e-9
    assert opt.outcome.converged
    assert opt.outcome.objective == pytest.approx(found, rel=1e-14)
    assert opt.outcome.iterations <= max(problem.fista_steps, 40)  # FISTA's to 1e-6 only


@pytest.mark.filterwarnings("ignore:LBFGS has not converged")
def test_slopes_wrong_by_a_thousandth_are_noticed(monkeypatch):
    """What the test above would say of them."""
    right, problem = Variables.slopes, SPLIT["diabetes_std/lasso_0.1"]
    monkeypatch.setattr(Variables, "slopes", lambda self, g: right(self, 1.001 * g))
    started = problem.start()
    found = float(LBFGS(started.parameters).minimize(started.loss))
    assert (found - problem.objective) / problem.objective > 1e-10


@pytest.mark.parametrize("tolerance", [1e-8, 1e-11])
def test_the_tolerance_is_that_of_the_residuals_also_beyond_what_the_loss_can_tell(tolerance):
    started = SPLIT["breast_cancer_std/l1_0.001"].start()
    opt = LBFGS(started.parameters, tolerance=tolerance)
    opt.minimize(started.loss)
    assert opt.outcome.converged
    assert tg.optimality(started.loss, started.parameters).residual <= tolerance * (1 + 1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_keep_their_dtype_and_are_found_in_double(dtype):
    problem = SPLIT["breast_cancer_std/l1_0.01"]
    x, y = dataset(problem.data)
    x, y = x.astype(dtype), y.reshape(-1, 1).astype(dtype)
    model = nn.Linear(30, 1, weight_lambda_l1=problem.l1, dtype=dtype, rng=0)
    opt = LBFGS(model.parameters())
    value = opt.minimize(lambda: tg.binary_cross_entropy_with_logits(model(x), y) + model.regularization_loss())
    assert model.weight.dtype == model.bias.dtype == value.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(model.weight.data == 0, problem.coef == 0)
    assert opt.outcome.objective == pytest.approx(problem.objective, rel=1e-6)  # the data have been rounded to float32
    assert opt.outcome.converged


def parameter(name="w", size=8):
    return tg.tensor(np.zeros(size), requires_grad=True, name=name)


def squares(w):
    return lambda: ((X @ w - Y) ** 2).mean()


GIVEN = {
    "L1": [L1(0.3)],
    "elastic net": [ElasticNet(0.3, 0.1)],
    "L2": [L2(0.1)],
    "bounds": [Box(-0.5, 0.75)],
    "no negatives": [NonNegative()],
    "L1 in bounds": [L1(0.3), Box(-0.5, 0.75)],
    "L1, all positive": [L1(0.3), Box(0.25, 0.75)],
    "L1, all negative": [L1(0.3), Box(-0.75, -0.25)],
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_penalties_given_by_hand_as_proximal_gradient_descent_finds_them(given):
    w, best, curvature = parameter(), np.zeros(8), 2 * np.linalg.norm(X, 2) ** 2 / len(X)
    for _ in range(5000):
        best = best - 2 * X.T @ (X @ best - Y) / len(X) / curvature
        for penalty in given:
            best = np.asarray(penalty.prox(best, 1 / curvature))
    opt = LBFGS([w], penalties=[(w, penalty) for penalty in given])
    opt.minimize(squares(w))
    np.testing.assert_allclose(w.data, best, atol=1e-8)
    np.testing.assert_array_equal(w.data == 0, best == 0)
    assert opt.outcome.converged
    assert opt.outcome.objective == pytest.approx(float(squares(w)()) + sum(float(p(w)) for p in given), rel=1e-12)


def test_lambdas_of_layers_and_a_net():
    x, y = tg.data.spiral(20, 3, rng=0)
    model = nn.Sequential(nn.Linear(2, 8, weight_lambda_l1=2e-3, rng=0), nn.Tanh(), nn.Linear(8, 3, weight_lambda_l2=1e-2, rng=1))
    opt = LBFGS(model.parameters(), max_iter=3000)
    before = float(tg.cross_entropy(model(x), y) + model.regularization_loss())
    after = float(opt.minimize(lambda: tg.cross_entropy(model(x), y) + model.regularization_loss()))
    assert after < 0.9 * before
    assert opt.outcome.converged
    slope = tg.grad(tg.cross_entropy(model(x), y), model[0].weight)
    assert L1(2e-3).distance(model[0].weight.data, slope.data) <= 1e-8
    assert np.count_nonzero(model[0].weight.data == 0) >= 1


def test_where_the_loss_is_infinite_it_turns_back():
    w = tg.tensor([3.0], requires_grad=True)
    LBFGS([w]).minimize(lambda: (w - 5 * tg.log(w)).sum())
    np.testing.assert_allclose(w.data, [5.0], rtol=1e-8)


def test_a_start_outside_of_the_bounds_and_one_at_the_optimum():
    w = tg.tensor([7.0], requires_grad=True)
    opt = LBFGS([w], penalties=[(w, Box(0.0, 2.0))])
    for _ in range(2):
        opt.minimize(lambda: ((w - 1) ** 2).sum())
        np.testing.assert_allclose(w.data, [1.0], rtol=1e-8)
    assert (opt.outcome.iterations, opt.outcome.message, opt.steps) == (0, "already there", 2)


def test_a_single_number_as_parameter():
    w = tg.tensor(0.0, requires_grad=True)
    LBFGS([w]).minimize(lambda: (w - 2) ** 2 + 0.5 * abs(w))
    assert float(w) == pytest.approx(1.75, abs=1e-8)
    assert w.shape == ()


def test_too_few_iterations_are_told():
    w = parameter()
    opt = LBFGS([w], max_iter=2)
    with pytest.warns(RuntimeWarning, match=r"LBFGS has not converged: Outcome\(converged=False, iterations=2, .* More max_iter may help"):
        opt.minimize(squares(w))
    assert not opt.outcome.converged
    assert opt.outcome.residual > 1e-3


@pytest.mark.parametrize("penalty", [GroupL2(0.1), L0(0.1), MCP(0.1), TotalVariation(0.1)], ids=str)
def test_penalties_that_it_cannot_take_name_fista(penalty):
    w = parameter()
    w.assign(np.arange(8.0))
    with pytest.raises(ValueError, match=rf"LBFGS: {type(penalty).__name__} on w has kinks .* optim.FISTA takes them"):
        LBFGS([w], penalties=[(w, penalty)]).minimize(squares(w))
    np.testing.assert_array_equal(w.data, np.arange(8.0))


def fails():
    raise KeyError("no data")


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        (lambda w: LBFGS([w]).minimize(squares(w)()), TypeError, "takes a function that makes the loss"),
        (lambda w: LBFGS([w]).minimize(lambda: 3.0), TypeError, "returned a float"),
        (lambda w: LBFGS([w]).minimize(fails), KeyError, "no data"),
        (lambda w: LBFGS([w]).minimize(lambda: squares(w)() * np.nan), RuntimeError, "LBFGS: at the start: .* = nan. Scale the data"),
        (lambda w: LBFGS([w]).minimize(lambda: squares(w)() + np.inf * abs(w).sum()), RuntimeError, "LBFGS: at the start: data loss = inf"),
        (lambda w: LBFGS([w]).minimize(lambda: squares(w)() + 0.1 * tg.linalg.vector_norm(w)), ValueError, "GroupL2 on w"),
        (lambda w: LBFGS([w]).step(), RuntimeError, r"write opt.minimize\(loss_fn\)"),
        (lambda w: tg.compile(lambda: LBFGS([w]).minimize(squares(w)))(), RuntimeError, "cannot be a part of a compiled function"),
        (lambda w: LBFGS([w], max_iter=0), ValueError, "max_iter is 0; it must be at least 1"),
        (lambda w: LBFGS([w], history_size=0), ValueError, "history_size is 0"),
        (lambda w: LBFGS([w], tolerance=0.0), ValueError, "tolerance is 0.0; it must be above 0"),
        (lambda w: LBFGS([w], penalties=[(w, Nuclear(0.1))]), ValueError, r"Nuclear: w has shape \(8,\); it must be a matrix"),
    ],
)
def test_bad_input_leaves_everything_as_it_was(do, kind, message):
    w = tg.tensor(np.arange(8.0), requires_grad=True, name="w", dtype="float32")
    with pytest.raises(kind, match=message):
        do(w)
    np.testing.assert_array_equal(w.data, np.arange(8.0))
    assert w.dtype == np.float32


def test_without_scipy_it_says_which_extra_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(ImportError, match=r"LBFGS needs scipy: pip install 'tinygrad_reg\[special\]'"):
        LBFGS([parameter()])
