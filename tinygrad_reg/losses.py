"""Losses: mean distances between predictions and targets, as expressions of ops.

All are means over every element (cross-entropy: over every row). Shapes must agree: nothing is broadcast
silently.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .op import describe
from .ops.elementwise import abs, clip, log, minimum, softplus
from .ops.neural import cross_entropy
from .ops.reduction import mean, sum_of_sizes, sum_of_squares
from .tensor import Tensor, asarray

__all__ = ["accuracy", "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "huber", "l1", "mean_squared_error", "mse"]


def mse(prediction: Any, target: Any) -> Any:
    """Mean squared error: mean of (prediction - target)², without ½.

    >>> mse(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]))
    Tensor(2.)
    """
    difference = _difference("mse", prediction, target)
    return sum_of_squares(difference, 1 / difference.size if difference.size else math.nan)


mean_squared_error = mse


def l1(prediction: Any, target: Any) -> Any:
    """Mean absolute error: mean of |prediction - target|; slope 0 where they are equal.

    >>> l1(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]))
    Tensor(1.)
    """
    difference = _difference("l1", prediction, target)
    return sum_of_sizes(difference, 1 / difference.size if difference.size else math.nan)


def huber(prediction: Any, target: Any, delta: float = 1.0) -> Any:
    """Mean of r²/2 where |r| ≤ delta, else delta·(|r| - delta/2), with r = prediction - target.

    Source: P. J. Huber (1964), Robust estimation of a location parameter, eq. 3.

    >>> huber(Tensor([1.0, 2.0]), Tensor([1.5, 5.0]))
    Tensor(1.3125)
    """
    if not 0 < delta < np.inf:
        raise ValueError(f"huber: delta is {delta}; it must be finite and above 0.")
    size = abs(_difference("huber", prediction, target))
    near = minimum(size, delta)
    return mean(near * (size - 0.5 * near))


def binary_cross_entropy(probability: Any, target: Any) -> Any:
    """Mean of -t·log p - (1-t)·log(1-p); logarithms are kept at or above -100, with slope 0 below.

    With raw scores use :func:`binary_cross_entropy_with_logits`, which needs no such bound.

    >>> binary_cross_entropy(Tensor([0.5, 0.5]), Tensor([0.0, 1.0]))
    Tensor(0.6931)
    """
    probability, target = _same_shape("binary_cross_entropy", probability, target)
    values = probability.data
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError("binary_cross_entropy: probabilities must lie between 0 and 1. For raw scores use binary_cross_entropy_with_logits.")
    smallest = math.exp(-100.0)
    yes = log(clip(probability, smallest, None))
    no = log(clip(1 - probability, smallest, None))
    return -mean(target * yes + (1 - target) * no)


def binary_cross_entropy_with_logits(logits: Any, target: Any) -> Any:
    """Mean of softplus(x) - t·x: the cross-entropy of sigmoid(x), for scores of any size.

    >>> binary_cross_entropy_with_logits(Tensor([0.0, 1000.0]), Tensor([0.0, 1.0]))
    Tensor(0.3466)
    """
    logits, target = _same_shape("binary_cross_entropy_with_logits", logits, target)
    return mean(softplus(logits) - target * logits)


def accuracy(scores: Any, labels: Any) -> float:
    """Share of rows whose largest score is at the label.

    >>> accuracy(Tensor([[0.1, 0.9], [0.8, 0.2]]), [1, 1])
    0.5
    """
    scores, labels = asarray(scores).data, asarray(labels).data
    if scores.shape[:-1] != labels.shape:
        raise ValueError(f"accuracy: scores of shape {scores.shape} need labels of shape {scores.shape[:-1]}, not {labels.shape}.")
    return float(np.mean(np.argmax(scores, axis=-1) == labels))


def _difference(loss: str, prediction: Any, target: Any) -> Any:
    prediction, target = _same_shape(loss, prediction, target)
    return prediction - target


def _same_shape(loss: str, prediction: Any, target: Any) -> tuple[Tensor, Tensor]:
    prediction = prediction if type(prediction) is Tensor else Tensor(prediction)
    target = target if type(target) is Tensor else Tensor(target)
    if prediction.shape != target.shape:
        raise ValueError(
            f"{loss}: prediction is {describe(prediction.data)} and target {describe(target.data)}; the shapes must be equal, "
            "nothing is broadcast. Often a column (n, 1) meets a row (n,): use .reshape(-1) or .reshape(-1, 1) on one of them."
        )
    return prediction if prediction.dtype.kind == "f" else prediction.astype(np.float64), target
