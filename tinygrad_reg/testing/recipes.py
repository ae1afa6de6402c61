"""Lines of code that show a wrong gradient again, with nothing but NumPy and the function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .problems import GradientOf, Problem, Recorded
from .structures import as_reals

__all__ = ["recipe"]


def recipe(problem: Problem, g: Sequence[np.ndarray], leaf: int, k: int, seed: int) -> str:
    """Code that computes the slope at entry ``k`` of a variable by a difference; where the inputs are too many for that, how to check again."""
    inputs = getattr(problem, "inputs", ())
    texts = [_literal(x) for x in inputs]
    path = problem.leaves[leaf].path
    weights = as_reals(g)
    plain = not isinstance(problem, GradientOf) and problem.values[leaf].dtype.kind == "f" and weights.size == sum(part.size for part in g) <= 200
    if not plain or None in texts or len(path) != 1 or not isinstance(path[0], int):
        order = 2 if isinstance(problem, GradientOf) else 1
        return f"check_gradients(f, *inputs, order={order}, seed={seed})  # the values are in this error's .inputs"
    recorded = isinstance(problem, Recorded)
    lines = ["import numpy as np", *(["import tinygrad_reg as tg"] if recorded else [])]
    lines += [f"inputs = [{', '.join(map(str, texts))}]", f"weights = {weights.tolist()!r}  # of the results, whose weighed sum has the slope", ""]
    lines += ["def value(f, t):", f"    moved = inputs[{path[0]}].copy()", f"    moved.reshape(-1)[{k}] += t"]
    arguments = ", ".join(_argument(x, i, path[0], recorded) for i, x in enumerate(inputs))
    lines += [f"    return np.dot(weights, np.ravel(np.asarray(f({arguments}))))", ""]
    return "\n".join([*lines, f"print((value(f, 1e-6) - value(f, -1e-6)) / 2e-6)  # f is {problem.name}"])


def _argument(x: Any, i: int, place: int, recorded: bool) -> str:
    text = "moved" if i == place else f"inputs[{i}]"
    return f"tg.tensor({text})" if recorded and isinstance(x, (Tensor, np.ndarray, np.floating)) else text


def _literal(x: Any) -> str | None:
    """An input as code; None if it is too large, or no array and no number."""
    if isinstance(x, (bool, int, float, str, type(None))):
        return repr(x)
    if not isinstance(x, (Tensor, np.ndarray, np.number)):
        return None
    array = np.asarray(x._data if isinstance(x, Tensor) else x)
    if array.dtype.kind == "c" or not 0 < array.size <= 200 or not np.all(np.isfinite(array)):
        return None
    return f"np.array({array.astype(float).tolist() if array.dtype.kind == 'f' else array.tolist()!r})"
