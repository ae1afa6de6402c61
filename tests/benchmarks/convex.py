"""How long until an objective is reached: FISTA of this library, compiled, beside scikit-learn's saga, and skglm and celer on lassos.

Each rival runs first, at each of its tolerances, and says which objective it has reached; then ours is timed from zeros to that objective or
below, the bound on the curvature included. All in turn, round after round, in this process; medians (on a busy
machine the fastest rounds tell more). Machine code is made and kept before: what
Numba (skglm, celer) and this library compile at their first call is not counted, for none of them.

    python tests/benchmarks/convex.py            # after pip install '.[bench,fast]' scikit-learn skglm celer
    python tests/benchmarks/convex.py --only lasso --rounds 11
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

sys.path.append(str(Path(__file__).parent.parent))

from convex_problems import PROBLEMS, Problem, dataset  # noqa: E402

import tinygrad_reg as tg  # noqa: E402
from tinygrad_reg.optim import FISTA  # noqa: E402

TOLERANCES = (1e-4, 1e-6, 1e-8)
_FACTORS = {"mse": 2.0, "bce": 0.25, "softmax": 0.5}  # the largest curvature of a loss in its scores

Solution = tuple[np.ndarray, np.ndarray]


class Ours:
    """FISTA with a step from the largest singular value, compiled; ``reach(objective)`` starts from zeros."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.started = problem, problem.start()
        self.optimizer = optimizer = FISTA(self.started.parameters, lr=1.0, penalties=self.started.given)
        loss = self.started.loss
        self.step = tg.compile(lambda: optimizer.minimize(loss), wait=True)
        self.value = tg.compile(self.started.objective, wait=True)
        self.x = dataset(problem.data)[0]
        with tg.no_grad():
            for _ in range(3):  # capture, then machine code
                self.value()
        for _ in range(3):
            self.step.run(times=2)

    def curvature(self) -> float:
        """A bound on the curvature of the smooth part."""
        x = np.column_stack([self.x, np.ones(len(self.x))])
        top = np.linalg.eigvalsh(x.T @ x)[-1] / len(x)
        return float(_FACTORS[self.problem.loss] * top + 2 * max(self.problem.l2, self.problem.bias_l2))

    def begin(self) -> None:
        """All at zero, at rest."""
        for p, state in zip(self.started.parameters, self.optimizer.state, strict=True):
            p.assign(np.zeros(p.shape))
            state[0].assign(np.zeros(p.shape))
        self.optimizer.t.assign(np.float64(1.0))

    def reach(self, objective: float) -> float:
        """Seconds until the objective is reached."""
        begin = perf_counter()
        self.begin()
        self.optimizer.lr = 1 / self.curvature()
        done, most = 0, 200_000
        with tg.no_grad():
            while done < most:
                times = max(100, done)  # a look costs as much as a hundred steps
                with tg.enable_grad():
                    self.step.run(times=times)
                done += times
                if float(self.value()) <= objective:
                    return perf_counter() - begin
        raise RuntimeError(f"{self.problem.name}: {objective} is not reached in {most} steps")

    def objective_of(self, solution: Solution) -> float:
        """The objective of somebody else's solution."""
        before = [p.data for p in self.started.parameters]
        try:
            for p, value in zip(self.started.parameters, solution, strict=True):
                p.assign(value)
            with tg.no_grad():
                return float(self.value())
        finally:
            for p, value in zip(self.started.parameters, before, strict=True):
                p.assign(value)


def saga(problem: Problem, tolerance: float) -> Callable[[], Solution]:
    """scikit-learn's logistic regression by saga."""
    from sklearn.linear_model import LogisticRegression

    x, y = dataset(problem.data)
    whole = problem.l1 + 2 * problem.l2
    settings = {"C": 1 / (len(x) * whole), "l1_ratio": problem.l1 / whole, "solver": "saga", "tol": tolerance, "max_iter": 20_000}

    def run() -> Solution:
        fitted = LogisticRegression(**settings, random_state=0).fit(x, y)
        return fitted.coef_.T, fitted.intercept_

    return run


def coordinate_descent(module: str) -> Callable[[Problem, float], Callable[[], Solution]]:
    """The lasso of skglm or of celer."""

    def contestant(problem: Problem, tolerance: float) -> Callable[[], Solution]:
        lasso = importlib.import_module(module).Lasso
        x, y = dataset(problem.data)
        x = np.asfortranarray(x)
        targets = y.astype(float)

        def run() -> Solution:
            fitted = lasso(alpha=problem.l1 / 2, tol=tolerance).fit(x, targets)
            return np.asarray(fitted.coef_).reshape(-1, 1), np.atleast_1d(fitted.intercept_)

        run()  # Numba compiles
        return run

    return contestant


def rivals(problem: Problem) -> dict[str, Callable[[Problem, float], Callable[[], Solution]]]:
    """Who can solve this problem, of those that are installed."""
    if problem.group or problem.bias_l1 or problem.bias_l2:
        return {}
    if problem.loss != "mse":
        return {"saga": saga}
    names = ("skglm", "celer") if problem.l1 and not problem.l2 else ()
    return {name: coordinate_descent(name) for name in names if importlib.util.find_spec(name)}


def measure(problem: Problem, rounds: int, tolerances: tuple[float, ...]) -> list[tuple[str, float, float, list[float], list[float]]]:
    """For each rival and tolerance: name, tolerance, its relative excess, its seconds in each round, our seconds to its objective."""
    ours, found = Ours(problem), []
    for name, contestant in rivals(problem).items():
        for tolerance in tolerances:
            run = contestant(problem, tolerance)
            target = max(ours.objective_of(run()), problem.objective * (1 + 1e-12))
            theirs, own = [], []
            for _ in range(rounds):
                begin = perf_counter()
                run()
                theirs.append(perf_counter() - begin)
                own.append(ours.reach(target))
            found.append((name, tolerance, (target - problem.objective) / problem.objective, theirs, own))
    return found


def main() -> None:
    """Measure, and print a table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--only", default="", help="problems whose name holds this")
    asked.add_argument("--rounds", type=int, default=7, help="times that each is measured (default: %(default)s)")
    asked.add_argument("--tolerances", type=float, nargs="*", default=list(TOLERANCES), help="of the rivals (default: %(default)s)")
    chosen = asked.parse_args()
    warnings.simplefilter("ignore")  # a rival that says it has not converged is measured by what it has reached
    print("| problem | rival | its tolerance | relative excess | its ms | our ms | ours ÷ its | of the fastest rounds |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for name, problem in PROBLEMS.items():
        if chosen.only in name:
            for rival, tolerance, excess, theirs, own in measure(problem, chosen.rounds, tuple(chosen.tolerances)):
                its, ours = median(theirs), median(own)
                line = f"| {name} | {rival} | {tolerance:g} | {excess:.1e} | {its * 1e3:.2f} | {ours * 1e3:.2f} | {ours / its:.3f} |"
                print(f"{line} {min(own) / min(theirs):.3f} |", flush=True)


if __name__ == "__main__":
    main()
