"""Convex problems with known optima: data of scikit-learn, a loss, penalties, and what is to be found.

The loss is the mean over all entries, without ½ (mean squared error, cross-entropy of a sigmoid or of a softmax), plus l1·Σ|w| + l2·Σw² +
group·Σ c_g·‖w_g‖ and the same of the bias where it is named. Reference optima: found by FISTA and Newton's method on the support, with residuals
of optimality below 3e-14, and agreed on by SciPy's L-BFGS-B, skglm and celer. ``fista_steps`` is what another FISTA with restart took from 0 with
step 1/L to a relative excess of 1e-6; ``coef_tolerance`` how far coefficients may be off where the objective is right to 1e-10.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

import tinygrad_reg as tg
from tinygrad_reg.penalties import GroupL2

_TABLE = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
LAMBDA_MAX = _TABLE["lambda_max"]


@dataclass(frozen=True)
class Problem:
    """One problem; ``coef`` and ``bias`` are the reference optimum."""

    name: str
    data: str
    loss: str
    objective: float
    curvature: float
    fista_steps: int
    coef_tolerance: float
    coef: np.ndarray
    bias: np.ndarray
    l1: float = 0.0
    l2: float = 0.0
    group: float = 0.0
    bias_l1: float = 0.0
    bias_l2: float = 0.0
    groups: tuple = ()
    sizes: bool = False

    def start(self, data=None, **lambdas: float) -> Started:
        """Parameters at 0 and the loss; ``lambdas`` are used in place of its own, ``data`` as well."""
        x, y = data or dataset(self.data)
        weight = tg.tensor(np.zeros(self.coef.shape), requires_grad=True, name="weight")
        bias = tg.tensor(np.zeros(self.bias.shape), requires_grad=True, name="bias")
        lam = {name: lambdas.get(name, getattr(self, name)) for name in ("l1", "l2", "bias_l1", "bias_l2")}

        def loss():
            whole = data_loss(self.loss, x @ weight + bias, y)
            for strength, penalty in (
                (lam["l1"], lambda: abs(weight).sum()),
                (lam["l2"], lambda: (weight * weight).sum()),
                (lam["bias_l1"], lambda: abs(bias).sum()),
                (lam["bias_l2"], lambda: (bias * bias).sum()),
            ):
                whole = whole + strength * penalty() if strength else whole
            return whole

        given = [(weight, GroupL2(self.group, groups=self.groups, sizes=self.sizes))] if self.group else []
        return Started(weight, bias, loss, given)


@dataclass(frozen=True)
class Started:
    """A problem at work; ``given`` are penalties that are not in the loss."""

    weight: tg.Tensor
    bias: tg.Tensor
    loss: Callable[[], tg.Tensor]
    given: list

    @property
    def parameters(self) -> list[tg.Tensor]:
        return [self.weight, self.bias]

    def objective(self) -> tg.Tensor:
        """The loss with all penalties."""
        whole = self.loss()
        for parameter, penalty in self.given:
            whole = whole + penalty(parameter)
        return whole


def data_loss(kind: str, scores: tg.Tensor, y: np.ndarray) -> tg.Tensor:
    """The mean loss of scores, of shape (n, outputs)."""
    if kind == "softmax":
        return tg.cross_entropy(scores, y)
    loss = tg.mse if kind == "mse" else tg.binary_cross_entropy_with_logits
    return loss(scores, y.reshape(-1, 1).astype(float))


@cache
def dataset(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets; ``_std`` has inputs (and the target of a regression) of mean 0 and variance 1, ``_raw`` is as shipped."""
    from sklearn import datasets

    base, _, how = name.rpartition("_")
    x, y = getattr(datasets, f"load_{base}")(return_X_y=True)
    if how == "raw":
        return x, y
    standardised = lambda z: (z - z.mean(axis=0)) / z.std(axis=0)  # noqa: E731
    return standardised(x), standardised(y) if base == "diabetes" else y


def _problem(row: dict) -> Problem:
    groups = tuple(map(tuple, row.get("groups", ())))
    return Problem(**{**row, "coef": np.array(row["coef"]), "bias": np.array(row["bias"]), "groups": groups})


PROBLEMS = {row["name"]: _problem(row) for row in _TABLE["problems"]}
