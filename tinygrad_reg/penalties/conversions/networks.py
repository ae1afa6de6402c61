"""Strengths in networks: of the book's layer, of Keras, PyTorch, and scikit-learn's MLP."""

from __future__ import annotations

from typing import Any

from ..separable import L1, L2, ElasticNet
from .objective import checked_number, from_objective, theirs, whole

__all__ = ["from_keras", "from_nnfs", "from_sklearn_mlp", "from_torch", "to_keras", "to_nnfs", "to_sklearn_mlp", "to_torch"]


def from_nnfs(
    weight_regularizer_l1: float = 0, weight_regularizer_l2: float = 0, bias_regularizer_l1: float = 0, bias_regularizer_l2: float = 0
) -> dict[str, float]:
    """Settings of ``nn.Linear`` for those of the book's Layer_Dense: the same four numbers, under our names.

    Layer_Dense: l1·Σ|w| + l2·Σw², without ½, added once to the mean loss. One difference: there the slope of |w| at 0 is 1, here 0.

    Source: H. Kinsley and D. Kukieła (2020), Neural Networks from Scratch in Python, chapter 14.

    >>> from_nnfs(weight_regularizer_l2=5e-4)["weight_lambda_l2"]
    0.0005
    """
    return {
        "weight_lambda_l1": checked_number(weight_regularizer_l1, "weight_regularizer_l1"),
        "weight_lambda_l2": checked_number(weight_regularizer_l2, "weight_regularizer_l2"),
        "bias_lambda_l1": checked_number(bias_regularizer_l1, "bias_regularizer_l1"),
        "bias_lambda_l2": checked_number(bias_regularizer_l2, "bias_regularizer_l2"),
    }


def to_nnfs(layer: Any) -> dict[str, float]:
    """Settings of the book's Layer_Dense for the four lambdas of one of our layers.

    >>> to_nnfs(tg.nn.Linear(2, 3, weight_lambda_l2=5e-4))["weight_regularizer_l2"]
    0.0005
    """
    if not hasattr(layer, "weight_lambda_l1"):
        raise TypeError(f"to_nnfs takes a layer with four lambdas, such as nn.Linear, not {type(layer).__name__}.")
    return {f"{part}_regularizer_{kind}": getattr(layer, f"{part}_lambda_{kind}") for part in ("weight", "bias") for kind in ("l1", "l2")}


def from_keras(l1: float = 0.0, l2: float = 0.0) -> ElasticNet:
    """Ours for ``keras.regularizers.L1(l1)``, ``L2(l2)`` or ``L1L2(l1, l2)``: the same numbers.

    Keras: l1·Σ|w| + l2·Σw², without ½, added once to the mean loss (its losses reduce by ``"sum_over_batch_size"``). Not to be mixed up with
    ``weight_decay`` of its optimisers, which is no part of any loss. Its names ``"l1"`` and ``"l2"`` mean 0.01.

    >>> from_keras(l2=0.01)
    ElasticNet(l1=0.0, l2=0.01)
    """
    return from_objective(l1, l2)


def to_keras(penalty: L1 | L2 | ElasticNet) -> dict[str, float]:
    """``keras.regularizers.L1L2(**to_keras(penalty))``: l1 = λ₁, l2 = λ₂.

    >>> to_keras(L1(0.001))
    {'l1': 0.001, 'l2': 0.0}
    """
    return theirs("to_keras", penalty)


def from_torch(weight_decay: float, loss: str = "mean", samples: int | None = None, outputs: int = 1) -> L2:
    """Ours for ``weight_decay`` of PyTorch's SGD (and Adam): λ₂ = weight_decay/(2s).

    PyTorch adds weight_decay·w to the gradient, which is the slope of ½·weight_decay·Σw². ``loss`` says how your data loss is counted
    (:func:`from_objective`); PyTorch's own default is the mean, s = 1. It decays all parameters of the group, biases too: ours only
    those that you name. AdamW's is no penalty: it does not have the same lowest point.

    >>> from_torch(weight_decay=0.001)
    L2(lam=0.0005)
    """
    return L2(from_objective(0.0, checked_number(weight_decay, "weight_decay") / 2, loss, samples, outputs).l2)


def to_torch(penalty: L2 | ElasticNet, loss: str = "mean", samples: int | None = None, outputs: int = 1) -> dict[str, float]:
    """``torch.optim.SGD(…, **to_torch(penalty))``: weight_decay = 2·s·λ₂. Raises ``ValueError`` for L1, which PyTorch does not have.

    >>> to_torch(L2(0.0005))
    {'weight_decay': 0.001}
    """
    return {"weight_decay": 2 * theirs("to_torch", penalty, loss, samples, outputs, without="L1")["l2"]}


def from_sklearn_mlp(alpha: float, batch_size: int, regressor: bool = False, outputs: int = 1) -> L2:
    """Ours for ``alpha`` of scikit-learn's MLPClassifier: λ₂ = alpha/(2·batch_size·K); of MLPRegressor: λ₂ = alpha/(batch_size·K).

    There: loss + alpha/(2·batch size)·Σw² in each batch, of weights without biases; so there the pull changes with the batch size, here not.
    The loss that its steps follow is the mean over rows of the sum over ``outputs``, with a ½ for the regressor (the ``loss_`` that it shows is
    divided by them). Classes that exclude each other count as one output, as with ``tg.cross_entropy``; K labels of their own or K numbers
    as K, with ``tg.binary_cross_entropy_with_logits`` and ``tg.mse``. ``batch_size="auto"`` there is min(200, rows), for ``solver="lbfgs"`` all rows.

    >>> from_sklearn_mlp(alpha=0.02, batch_size=100)
    L2(lam=0.0001)
    """
    l2 = checked_number(alpha, "alpha") / (2 * whole("batch_size", batch_size))
    return L2(from_objective(0.0, l2, "half row mean" if regressor else "row mean", outputs=outputs).l2)


def to_sklearn_mlp(penalty: L2 | ElasticNet, batch_size: int, regressor: bool = False, outputs: int = 1) -> dict[str, float]:
    """``MLPClassifier(**to_sklearn_mlp(penalty, batch_size=…))``: alpha = 2·batch_size·K·λ₂; for the regressor batch_size·K·λ₂.

    >>> to_sklearn_mlp(L2(0.0001), batch_size=100)
    {'alpha': 0.02, 'batch_size': 100}
    """
    l2 = theirs("to_sklearn_mlp", penalty, "half row mean" if regressor else "row mean", outputs=outputs, without="L1")["l2"]
    return {"alpha": l2 * 2 * whole("batch_size", batch_size), "batch_size": batch_size}
