"""Where several kinks meet, as in relu(x) - relu(-x) at 0, the chain rule of their chosen slopes need not lie between the slopes of the
whole. Then each recorded op is looked at alone, with the very numbers it got, and the whole at a point beside.

That this is all that can be asked is shown by S. Kakade and J. Lee (2018), Provably correct automatic subdifferentiation, section 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import Op
from .problems import Problem, Recorded
from .structures import Leaf

__all__ = ["beside", "kinked", "single_ops"]

OF_THE_WALK = ("recall", "unchanging", "part", "argument")  # their arguments are not arrays, or they do nothing


def kinked(node: Any) -> bool:
    """Whether a recorded op stands at a kink that its domain names: a value at one, or a tie."""
    op, values = node.op, [np.asarray(v) for v in _arrays(node.values)]
    domains = op.domain * len(values) if len(op.domain) == 1 else op.domain
    if any(d.kinks and np.isin(v, d.kinks).any() for d, v in zip(domains, values, strict=False)):
        return True
    if not any(d.ties for d in domains):
        return False
    return any(_ties(v) for v in values) if len(values) == 1 else _tied(values)


def _arrays(values: Any) -> list[Any]:
    return [v for v in values if v is not None and not isinstance(v, tuple)]


def _ties(v: np.ndarray) -> bool:
    return bool(np.unique(v).size < v.size)


def _tied(values: list[np.ndarray]) -> bool:
    if any(v.dtype.kind == "f" and _ties(v) for v in values):
        return True
    for i, a in enumerate(values):
        for b in values[:i]:
            try:
                if np.any(np.equal(*np.broadcast_arrays(a, b))):
                    return True
            except ValueError:
                continue
    return False


def single_ops(nodes: list[Any]) -> list[Recorded]:
    """Each recorded op as a problem of its own, at the values that it had."""
    return [_alone(node) for node in nodes if node.op.name not in OF_THE_WALK]


def _alone(node: Any) -> Recorded:
    op: Op = node.op
    values = [np.asarray(v) if isinstance(v, (np.ndarray, np.number)) else v for v in node.values]
    wanted = [i for i, (x, v) in enumerate(zip(node.inputs, node.values, strict=True)) if getattr(x, "_needs_grad", False) and v is not None]
    leaves = [Leaf(_name(op, i), (i,), np.array(values[i])) for i in wanted]

    def f(*arrays: Any) -> Any:
        return op(list(arrays), **node.settings) if op.variadic else op(*arrays, **node.settings)

    return Recorded(f, tuple(values), leaves, [], op.name)


def _name(op: Op, i: int) -> str:
    return op.array_names[i] if not op.variadic and i < len(op.array_names) else f"input {i}"


def beside(problem: Problem, rng: np.random.Generator, size: float = 1e-3) -> list[np.ndarray]:
    """The variables, each number moved a little: a point at which no kink lies, or only by accident."""
    return [v + size * rng.uniform(0.2, 1.0, v.shape) * rng.choice([-1, 1], v.shape) * np.maximum(1, np.abs(v)) for v in problem.values]
