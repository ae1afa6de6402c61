"""The benchmark measures the same maths everywhere: at a tiny size, every contestant that is installed finds the same numbers."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent / "benchmarks"))

from compare import check
from contestants import CONTESTANTS
from lines import watched
from report import Result, markdown
from workers import Worker
from workloads import WORKLOADS, make_data

SMALL = {
    "lesson": {"rows": 9, "sizes": (2, 5, 3)},
    "lesson-large": {"rows": 12, "sizes": (2, 8, 3)},
    "minibatch": {"rows": 6, "sizes": (7, 5, 4, 3)},
    "tiny": {"rows": 5, "sizes": (4, 3, 1)},
    "logistic": {"rows": 20, "features": 3},
    "elementwise": {"size": 100},
    "chain": {"ops": 10},
    "conv": {"rows": 2, "side": 8},
}
WORKS = {name: replace(work, **SMALL[name]) for name, work in WORKLOADS.items()}
QUICK = {name: contestant for name, contestant in CONTESTANTS.items() if not contestant.slow}


def found(name, contestant, steps=2):
    """What a contestant's first steps find, or why it cannot be known."""
    work = WORKS[name]
    try:
        job = contestant.job(work, make_data(work))
    except ImportError as missing:
        pytest.skip(str(missing))
    if job is None:
        pytest.skip("not among its workloads")
    losses = job.run(steps)
    assert not job.note()  # which says that it was not compiled
    return losses


@pytest.mark.parametrize("name", WORKS)
@pytest.mark.parametrize("contestant", [name for name in QUICK if name != "ours, eager"])
def test_contestants_agree(contestant, name):
    expected = found(name, CONTESTANTS["ours, eager"])
    np.testing.assert_allclose(found(name, CONTESTANTS[contestant]), expected, rtol=1e-9 if name == "logistic" else 1e-4, atol=1e-7)


@pytest.mark.parametrize("name", WORKS)
def test_data_are_the_same_for_the_same_seed(name):
    work = WORKS[name]
    once, again, other = make_data(work), make_data(work), make_data(work, seed=1)
    assert all(np.array_equal(once[k], again[k]) for k in once)
    assert name == "chain" or any(not np.array_equal(once[k], other[k]) for k in once)
    assert {x.dtype for x in map(np.asarray, once.values()) if x.dtype.kind == "f"} == {np.dtype("f8" if name == "logistic" else "f4")}


def test_other_losses_are_refused():
    check({"ours, eager": [[1.0], [0.5]], "PyTorch": [[1.0], [0.5 + 1e-6]]})
    with pytest.raises(SystemExit, match="PyTorch finds other losses than ours, eager"):
        check({"ours, eager": [[1.0], [0.5]], "PyTorch": [[1.0], [0.501]]})
    with pytest.raises(SystemExit, match="finds other losses"):
        check({"ours, eager": [[1.0]], "PyTorch": [[float("nan")]]})


def test_ratios_are_of_the_same_round_and_held_against_their_bars():
    times = {
        "ours, eager": [30.0, 90.0, 60.0],
        "ours, compiled": [2.0, 6.0, 4.0],
        "PyTorch": [100.0, 300.0, 200.0],
        "PyTorch, 2 threads": [900.0] * 3,
    }
    result = Result(WORKLOADS["tiny"], times | {"jax.jit": [5.0, 15.0, 10.0]}, {})
    assert result.base == "PyTorch"
    assert result.ratio("ours, eager", "PyTorch") == 0.3
    lines = [line.split() for line in result.lines()]
    assert ["ours,", "eager", "60.0", "µs", "0.300", "✓", "0.4"] in lines
    assert ["compiled", "÷", "jax.jit", "0.400", "✗", "0.2"] in lines
    assert list(markdown([result]))[2] == "| 32×4, 4-16-1, tanh, SGD, L1+L2 | 200 | 10.0 | – | 60.0 (0.30) | – | 4.00 (0.020) | – | 0.40, bar 0.2 |"


def test_a_worker_answers_and_says_what_went_wrong():
    worker = Worker("NumPy by hand", "tiny", 1)
    try:
        losses = worker.ask(["losses"])
        assert len(losses) == 6
        assert losses[5] < losses[0]
        assert worker.ask(["turn", 1e-4]) > 0
        with pytest.raises(RuntimeError, match="NumPy by hand: TypeError"):
            worker.ask(["turn", "long"])
    finally:
        worker.close()


def test_watched_lines_compute_the_same():
    work = WORKS["tiny"]
    plain, job = (CONTESTANTS["ours, numpy"].job(work, make_data(work)) for _ in range(2))
    expected = plain.run(5)
    assert job.run(2) == expected[:2]
    statements, spent = watched(job.step.func._last.replay)
    assert job.run(3) == expected[2:]
    assert len(statements) == len(spent) > 10
    assert all(len(times) == 3 for times in spent)
