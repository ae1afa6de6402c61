"""Lasso, ridge, elastic net, group lasso, logistic and softmax regression on real data: known optima are reached and certified, with their zeros."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from convex_problems import LAMBDA_MAX, PROBLEMS, dataset

import tinygrad_reg as tg
from tinygrad_reg.optim import FISTA

ALL = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
CHUNK = 500


def solved(problem, started, residual):
    """FISTA with step 1/L until the certificate's residual is small enough; the objective after each step."""
    optimizer = FISTA(started.parameters, lr=1 / problem.curvature, penalties=started.given)

    def step():
        optimizer.minimize(started.loss)
        return started.objective()

    compiled, seen = tg.compile(step), []
    for _ in range(60):
        seen.append(compiled.run(times=CHUNK).data)
        if (certificate := tg.optimality(started.loss, started.parameters, started.given)).residual <= residual:
            return np.concatenate(seen), certificate
    raise AssertionError(f"after {60 * CHUNK} steps:\n{certificate}")


@ALL
def test_the_optimum_is_reached_and_certified(problem):
    started = problem.start()
    seen, certificate = solved(problem, started, 1e-9)
    excess = (seen - problem.objective) / problem.objective
    assert abs(excess[-1]) <= 1e-12
    assert certificate.converged
    np.testing.assert_array_equal(started.weight.data == 0, problem.coef == 0)
    np.testing.assert_allclose(started.weight.data, problem.coef, rtol=0, atol=problem.coef_tolerance)
    np.testing.assert_allclose(started.bias.data, problem.bias, rtol=0, atol=problem.coef_tolerance)
    arrived = int(np.argmax(excess <= 1e-6)) + 1
    assert arrived <= 1.3 * problem.fista_steps, f"{arrived} steps for {problem.fista_steps}"


@ALL
def test_the_certificate_knows_the_reference_optimum_and_its_neighbours(problem):
    started = problem.start()
    started.weight.assign(problem.coef)
    started.bias.assign(problem.bias)
    assert float(started.objective()) == pytest.approx(problem.objective, rel=1e-13)
    assert tg.optimality(started.loss, started.parameters, started.given, tolerance=1e-8).converged
    started.weight.assign(problem.coef * 1.001)
    assert not tg.optimality(started.loss, started.parameters, started.given).converged


@pytest.mark.parametrize("name", ["diabetes_std/lasso_0.1", "diabetes_raw/lasso_2", "breast_cancer_std/l1_0.01", "wine_std/l1_0.01"])
def test_above_lambda_max_all_is_zero_and_just_below_one_is_not(name):
    problem = PROBLEMS[name]
    most = LAMBDA_MAX[problem.data]
    for share, count in ((1.001, 0), (0.99, 1)):
        started = problem.start(l1=share * most)
        solved(problem, started, 1e-8 * most)
        assert np.count_nonzero(started.weight.data) == count
    started.weight.assign(np.zeros(problem.coef.shape))
    row = tg.optimality(started.loss, started.parameters)[0]
    assert row.share == pytest.approx(0.99, rel=1e-6)


def test_a_solver_that_says_converged_is_contradicted():
    """scikit-learn's saga ends 0.4 % above the optimum at its tolerance of 1e-4, without a warning."""
    from sklearn.linear_model import LogisticRegression

    problem = PROBLEMS["breast_cancer_std/l1_0.001"]
    x, y = dataset(problem.data)
    saga = LogisticRegression(C=1 / (len(x) * problem.l1), l1_ratio=1.0, solver="saga", tol=1e-4, max_iter=100_000, random_state=0).fit(x, y)
    started = problem.start()
    started.weight.assign(saga.coef_.T)
    started.bias.assign(saga.intercept_)
    assert (float(started.objective()) - problem.objective) / problem.objective > 1e-3
    certificate = tg.optimality(started.loss, started.parameters)
    assert certificate[0].verdict == "still moving"


@pytest.mark.parametrize("name", ["breast_cancer_std/l1_0.01", "wine_std/enet_0.01_0.01", "diabetes_std/lasso_0.1"])
def test_the_pull_of_a_penalty_does_not_change_with_the_batch(name):
    """Each row twice, or half of the rows twice: the mean loss is the same, so the optimum must be."""
    problem = PROBLEMS[name]
    x, y = dataset(problem.data)
    started = problem.start(data=(np.tile(x, (2, 1)), np.tile(y, 2)))
    started.weight.assign(problem.coef)
    started.bias.assign(problem.bias)
    assert float(started.objective()) == pytest.approx(problem.objective, rel=1e-13)
    assert tg.optimality(started.loss, started.parameters, tolerance=1e-8).converged
