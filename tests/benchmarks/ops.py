"""Measure single ops, forward and backward, against the same op of autograd and MyGrad.

    python tests/benchmarks/ops.py                    # all ops below, on 32×16 and 1000×1000, float32
    python tests/benchmarks/ops.py --rounds 15 exp matmul

Rounds in turn; the number is the median over rounds of ours ÷ theirs within the round: above 1 we are slower.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402 - it reads the number of threads when it is first imported
from compare import bar, turn  # noqa: E402

SMOOTH = ["exp", "log", "log1p", "expm1", "sqrt", "square", "tanh", "sin", "cos", "arctan", "sinh", "cosh", "abs"]
FOLDS = ["negative", "cumsum", "sum", "mean", "max", "min", "prod", "var", "std", "transpose", "ravel"]
TWO = ["add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "matmul", "logaddexp", "arctan2"]
SETTINGS: dict[str, dict[str, Any]] = {"cumsum": {"axis": 0}, "max": {"axis": 0}, "sum": {"axis": 0}, "mean": {"axis": 1}}

Step = Callable[[], Any]


def inputs(name: str, size: tuple[int, int]) -> list[np.ndarray]:
    """One or two positive arrays; a matrix product gets square ones from the larger side on."""
    rng = np.random.default_rng(0)
    made = [rng.uniform(0.5, 1.5, size).astype("f4") for _ in range(2 if name in TWO else 1)]
    return [made[0], made[1].T.copy()] if name == "matmul" else made


def ours(name: str, arrays: list[np.ndarray]) -> Step:
    import tinygrad_reg as tg

    leaves = [tg.Tensor(a, requires_grad=True) for a in arrays]
    function, settings = getattr(tg, name), SETTINGS.get(name, {})

    def step() -> None:
        for leaf in leaves:
            leaf.grad = None
        function(*leaves, **settings).sum().backward()

    return step


def autograd(name: str, arrays: list[np.ndarray]) -> Step:
    import autograd.numpy as anp
    from autograd import grad

    function, settings = getattr(anp, name), SETTINGS.get(name, {})
    slope = grad(lambda *xs: anp.sum(function(*xs, **settings)), tuple(range(len(arrays))))
    return lambda: slope(*arrays)


def mygrad(name: str, arrays: list[np.ndarray]) -> Step:
    import mygrad as mg

    leaves = [mg.tensor(a) for a in arrays]
    function, settings = getattr(mg, name), SETTINGS.get(name, {})
    return lambda: function(*leaves, **settings).sum().backward()


def contestants(name: str, arrays: list[np.ndarray]) -> dict[str, Step]:
    """Us, and the peers that are installed and can do it."""
    made: dict[str, Step] = {"ours": ours(name, arrays)}
    for peer in (autograd, mygrad):
        try:
            step = peer(name, arrays)
            step()
        except (ImportError, AttributeError, NotImplementedError, TypeError, ValueError):  # it cannot do this op
            continue
        made[peer.__name__] = step
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ops", nargs="*", help="names of ops (default: all)")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    for size in ((32, 16), (1000, 1000)):
        print(f"\n{size[0]}×{size[1]} float32, forward and backward: µs of ours, and ours ÷ peer")
        for name in bar(asked.ops or [*SMOOTH, *FOLDS, *TWO]):
            steps = contestants(name, inputs(name, size))
            rounds = [{who: turn(step) for who, step in steps.items()} for _ in range(asked.rounds)]
            ratios = [f"÷ {who} {statistics.median(r['ours'] / r[who] for r in rounds):.2f}" for who in steps if who != "ours"]
            print(f"  {name:10}{statistics.median(r['ours'] for r in rounds):12.1f}   {'   '.join(ratios)}")


if __name__ == "__main__":
    main()
