"""Strengths in linear models: of scikit-learn, skglm and celer."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ..grouped import GroupL2
from ..separable import L1, L2, ElasticNet
from .objective import alpha_and_ratio, by_ratio, checked_number, from_objective, theirs

__all__ = ["from_skglm_group", "from_skglm_logistic", "from_sklearn_elastic_net", "from_sklearn_logistic", "from_sklearn_multitask"]
__all__ += ["from_sklearn_ridge", "to_skglm_group", "to_skglm_logistic", "to_sklearn_elastic_net", "to_sklearn_logistic"]
__all__ += ["to_sklearn_multitask", "to_sklearn_ridge"]


def from_sklearn_elastic_net(alpha: float, l1_ratio: float = 1.0, outputs: int = 1) -> ElasticNet:
    """Ours for ``Lasso(alpha)`` and ``ElasticNet(alpha, l1_ratio)`` of scikit-learn, skglm and celer.

    λ₁ = 2·alpha·l1_ratio/K, λ₂ = alpha·(1 - l1_ratio)/K.

    There: ‖Y - XW‖²/(2n) + alpha·l1_ratio·Σ|w| + ½·alpha·(1 - l1_ratio)·Σw², K ``outputs``. Ours is with ``tg.mse``.

    >>> from_sklearn_elastic_net(alpha=0.5)
    ElasticNet(l1=1.0, l2=0.0)
    """
    return from_objective(*by_ratio(checked_number(alpha, "alpha"), l1_ratio), "half row mean", outputs=outputs)


def to_sklearn_elastic_net(penalty: L1 | L2 | ElasticNet, outputs: int = 1) -> dict[str, float]:
    """``ElasticNet(**to_sklearn_elastic_net(penalty))``: alpha = K·(λ₁/2 + λ₂), l1_ratio = K·λ₁/(2·alpha); Lasso takes the alpha of an L1.

    >>> to_sklearn_elastic_net(ElasticNet(0.2, 0.3))
    {'alpha': 0.4, 'l1_ratio': 0.25}
    """
    alpha, l1_ratio = alpha_and_ratio(**theirs("to_sklearn_elastic_net", penalty, "half row mean", outputs=outputs))
    return {"alpha": alpha, "l1_ratio": l1_ratio}


def from_sklearn_ridge(alpha: float, samples: int, outputs: int = 1) -> L2:
    """Ours for ``Ridge(alpha)`` of scikit-learn: λ₂ = alpha/(n·K).

    There: ‖Y - XW‖² + alpha·Σw², summed over n rows and K outputs, without ½; so its alpha grows with the data, where ours stays.

    >>> from_sklearn_ridge(alpha=1.0, samples=50)
    L2(lam=0.02)
    """
    return L2(from_objective(0.0, checked_number(alpha, "alpha"), "sum", samples, outputs).l2)


def to_sklearn_ridge(penalty: L2 | ElasticNet, samples: int, outputs: int = 1) -> dict[str, float]:
    """``Ridge(**to_sklearn_ridge(penalty, samples=…))``: alpha = n·K·λ₂. Raises ``ValueError`` for a penalty with an L1 part.

    >>> to_sklearn_ridge(L2(0.02), samples=50)
    {'alpha': 1.0}
    """
    return {"alpha": theirs("to_sklearn_ridge", penalty, "sum", samples, outputs, without="L1")["l2"]}


def from_sklearn_logistic(C: float = 1.0, l1_ratio: float = 0.0, *, samples: int) -> ElasticNet:  # noqa: N803 - it is called so there
    """Ours for ``LogisticRegression(C, l1_ratio)`` of scikit-learn, and of celer (l1_ratio=1): λ₁ = l1_ratio/(n·C), λ₂ = (1 - l1_ratio)/(2·n·C).

    There: C·Σ loss + l1_ratio·Σ|w| + ½·(1 - l1_ratio)·Σw², summed over n rows. Ours is with ``tg.binary_cross_entropy_with_logits`` of one score for
    two classes, ``tg.cross_entropy`` for more. (Two classes with two scores each take twice the λ₂, as the weights are shared out between them.)
    The solver liblinear penalises the bias, too: give it the same lambdas. C=inf is no penalty.

    >>> from_sklearn_logistic(C=0.5, l1_ratio=0.5, samples=100)
    ElasticNet(l1=0.01, l2=0.005)
    """
    if isinstance(C, (bool, np.bool_)) or not isinstance(C, (int, float, np.integer, np.floating)):
        raise TypeError(f"C must be a number, not {type(C).__name__}.")
    if not C > 0:
        raise ValueError(f"C is {C}; it must be above 0: it multiplies the loss, so that a small C is a strong penalty.")
    return from_objective(*by_ratio(1 / C, l1_ratio), "sum", samples)


def to_sklearn_logistic(penalty: L1 | L2 | ElasticNet, samples: int) -> dict[str, float]:
    """``LogisticRegression(**to_sklearn_logistic(penalty, samples=…))``: C = 1/(n·(λ₁ + 2λ₂)), l1_ratio = λ₁/(λ₁ + 2λ₂).

    >>> to_sklearn_logistic(ElasticNet(0.01, 0.005), samples=100)
    {'C': 0.5, 'l1_ratio': 0.5}
    """
    alpha, l1_ratio = alpha_and_ratio(**theirs("to_sklearn_logistic", penalty, "sum", samples))
    return {"C": 1 / alpha if alpha else inf, "l1_ratio": l1_ratio}


def from_skglm_logistic(alpha: float, l1_ratio: float = 1.0) -> ElasticNet:
    """Ours for ``SparseLogisticRegression(alpha, l1_ratio)`` of skglm: λ₁ = alpha·l1_ratio, λ₂ = alpha·(1 - l1_ratio)/2.

    There: mean loss + alpha·l1_ratio·Σ|w| + ½·alpha·(1 - l1_ratio)·Σw², with one score for two classes.

    >>> from_skglm_logistic(alpha=0.02)
    ElasticNet(l1=0.02, l2=0.0)
    """
    return from_objective(*by_ratio(checked_number(alpha, "alpha"), l1_ratio))


def to_skglm_logistic(penalty: L1 | L2 | ElasticNet) -> dict[str, float]:
    """``SparseLogisticRegression(**to_skglm_logistic(penalty))``: alpha = λ₁ + 2λ₂, l1_ratio = λ₁/alpha.

    >>> to_skglm_logistic(L1(0.02))
    {'alpha': 0.02, 'l1_ratio': 1.0}
    """
    alpha, l1_ratio = alpha_and_ratio(**theirs("to_skglm_logistic", penalty))
    return {"alpha": alpha, "l1_ratio": l1_ratio}


def from_sklearn_multitask(alpha: float, outputs: int) -> GroupL2:
    """Ours for ``MultiTaskLasso(alpha)`` of scikit-learn, skglm and celer: groups of all weights of one input, λ = 2·alpha/K.

    There: ‖Y - XW‖²/(2n) + alpha·Σ_j ‖w_j‖₂, K ``outputs``. Ours is with ``tg.mse`` and a weight of shape (inputs, outputs).

    >>> from_sklearn_multitask(alpha=0.5, outputs=2)
    GroupL2(lam=0.5, axis=1, groups=None, sizes=False)
    """
    return GroupL2(from_objective(checked_number(alpha, "alpha"), loss="half row mean", outputs=outputs).l1, axis=1)


def to_sklearn_multitask(penalty: GroupL2, outputs: int) -> dict[str, float]:
    """``MultiTaskLasso(**to_sklearn_multitask(penalty, outputs=…))``: alpha = K·λ/2.

    >>> to_sklearn_multitask(GroupL2(0.5, axis=1), outputs=2)
    {'alpha': 0.5}
    """
    if not isinstance(penalty, GroupL2) or penalty.axis not in (1, -1) or penalty.sizes:
        raise TypeError(f"to_sklearn_multitask takes GroupL2(lam, axis=1), all weights of one input together, not {penalty!r}.")
    return {"alpha": theirs("to_sklearn_multitask", L1(penalty.lam), "half row mean", outputs=outputs)["l1"]}


def from_skglm_group(alpha: float, groups: Any, sizes: bool = False) -> GroupL2:
    """Ours for ``GroupLasso(groups, alpha)`` of skglm and celer, one output: λ = 2·alpha, the same groups.

    There: ‖y - Xw‖²/(2n) + alpha·Σ_g c_g·‖w_g‖₂; ``groups`` are lists of places. ``sizes`` for c_g = √size, which skglm takes as ``weights=``.

    >>> from_skglm_group(alpha=0.1, groups=[[0, 1], [2]]).lam
    0.2
    """
    return GroupL2(from_objective(checked_number(alpha, "alpha"), loss="half row mean").l1, groups=groups, sizes=sizes)


def to_skglm_group(penalty: GroupL2) -> dict[str, Any]:
    """``GroupLasso(**to_skglm_group(penalty))`` of skglm: alpha = λ/2, the groups, and the factors c_g where they are not 1.

    >>> to_skglm_group(GroupL2(0.2, groups=[[0, 1], [2]]))
    {'alpha': 0.1, 'groups': [[0, 1], [2]]}
    """
    if not isinstance(penalty, GroupL2) or penalty.groups is None:
        raise TypeError(f"to_skglm_group takes GroupL2(lam, groups=…), for one output, not {penalty!r}.")
    groups = [list(group) for group in penalty.groups]
    weights = {"weights": np.sqrt([len(group) for group in groups])} if penalty.sizes else {}
    return {"alpha": theirs("to_skglm_group", L1(penalty.lam), "half row mean")["l1"], "groups": groups} | weights
