"""The benchmark of convex problems compares the same objective: rivals' solutions are judged by ours, and ours gets as low."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

sys.path.append(str(Path(__file__).parent / "benchmarks"))

from convex import Ours, measure, rivals, saga
from convex_problems import PROBLEMS


def test_ours_reaches_an_objective_from_zeros_again_and_again():
    problem = PROBLEMS["diabetes_std/lasso_0.1"]
    ours = Ours(problem)
    assert ours.curvature() == pytest.approx(problem.curvature, rel=1e-12)
    for excess in (1e-3, 1e-9, 1e-3):
        assert ours.reach(problem.objective * (1 + excess)) > 0
        now = ours.objective_of([p.data for p in ours.started.parameters])
        assert 0 <= now / problem.objective - 1 <= excess
    ours.begin()
    assert not np.any(ours.started.weight.data)


def test_sagas_solution_is_one_of_the_same_problem():
    for name in ("wine_std/enet_0.01_0.01", "breast_cancer_std/l2_0.1"):
        problem = PROBLEMS[name]
        assert list(rivals(problem)) == ["saga"]
        excess = Ours(problem).objective_of(saga(problem, 1e-6)()) / problem.objective - 1
        assert 0 <= excess < 1e-7


def test_a_row_of_the_table():
    ((rival, tolerance, excess, theirs, own),) = measure(PROBLEMS["wine_std/l1_0.05"], 2, (1e-2,))
    assert (rival, tolerance, len(theirs), len(own)) == ("saga", 1e-2, 2, 2)
    assert 1e-12 < excess < 1e-1
    assert min(theirs + own) > 0
