"""Losses: distances between predictions and targets, as expressions of ops.

``reduction`` is ``"mean"`` (over every element; cross-entropy: over every row), ``"sum"``, or ``"none"``: a value for each. Shapes must agree:
nothing is broadcast silently.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .loss_parts import floats, reduced, same_shape
from .margin_losses import multi_margin, multilabel_margin, multilabel_soft_margin
from .op import describe
from .ops.choice import equal, greater, not_equal, where
from .ops.distance import cosine_similarity, pairwise_distance
from .ops.elementwise import abs, clip, exp, log, minimum, relu, softplus
from .ops.neural import cross_entropy, logistic_loss, shares
from .ops.reduction import sum, sum_of_sizes, sum_of_squares
from .ops.seen import by_numbers, values
from .ops.shape import expand_dims
from .sequence_losses import ctc
from .tensor import asarray

__all__ = ["accuracy", "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding", "cross_entropy", "hinge", "hinge_embedding"]
__all__ += ["huber", "kl_div", "l1", "margin_ranking", "mean_squared_error", "mse", "nll_loss", "poisson_nll", "smooth_l1", "soft_margin"]
__all__ += ["ctc", "gaussian_nll", "multi_margin", "multilabel_margin", "multilabel_soft_margin", "triplet_margin"]

# --------------------------------------------------------------------------------------- of numbers


def mse(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Mean squared error: mean of (prediction - target)², without ½.

    >>> mse(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]))
    Tensor(2.)
    """
    difference = _difference("mse", prediction, target)
    if reduction == "none":
        return difference * difference
    return sum_of_squares(difference, _factor("mse", difference, reduction))


mean_squared_error = mse


def l1(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Mean absolute error: mean of |prediction - target|; slope 0 where they are equal.

    >>> l1(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]))
    Tensor(1.)
    """
    difference = _difference("l1", prediction, target)
    if reduction == "none":
        return abs(difference)
    return sum_of_sizes(difference, _factor("l1", difference, reduction))


def _factor(loss: str, x: Any, reduction: str) -> float:
    """What a sum is multiplied by."""
    if reduction == "sum":
        return 1.0
    if reduction != "mean":
        reduced(loss, x, reduction)
    return 1 / x.size if x.size else math.nan


def huber(prediction: Any, target: Any, delta: float = 1.0, reduction: str = "mean") -> Any:
    """Mean of r²/2 where |r| ≤ delta, else delta·(|r| - delta/2), with r = prediction - target.

    Source: P. J. Huber (1964), Robust estimation of a location parameter, eq. 3.

    >>> huber(Tensor([1.0, 2.0]), Tensor([1.5, 5.0]))
    Tensor(1.3125)
    """
    if not 0 < delta < np.inf:
        raise ValueError(f"huber: delta is {delta}; it must be finite and above 0.")
    difference = _difference("huber", prediction, target)
    near = clip(difference, -delta, delta)
    return reduced("huber", near * (difference - 0.5 * near), reduction)


def smooth_l1(prediction: Any, target: Any, beta: float = 1.0, reduction: str = "mean") -> Any:
    """Mean of r²/(2·beta) where |r| ≤ beta, else |r| - beta/2, with r = prediction - target: huber divided by beta; l1 for beta = 0.

    >>> smooth_l1(Tensor([1.0, 2.0]), Tensor([1.5, 5.0]), beta=0.5)
    Tensor(1.5)
    """
    if not 0 <= beta < np.inf:
        raise ValueError(f"smooth_l1: beta is {beta}; it must be finite and at least 0.")
    return huber(prediction, target, beta, reduction) / beta if beta else l1(prediction, target, reduction)


def poisson_nll(prediction: Any, target: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean") -> Any:
    """Mean of exp(x) - t·x for logarithms x of rates, or with ``log_input=False`` of x - t·log(x + eps) for rates.

    ``full`` adds Stirling's approximation of log t!, t·log t - t + log(2πt)/2, where t > 1.

    >>> poisson_nll(Tensor([0.0, 1.0]), Tensor([1.0, 1.0]))
    Tensor(1.3591)
    """
    x, target = same_shape("poisson_nll", prediction, target)
    each = exp(x) - target * x if log_input else x - target * log(x + eps)
    if full:
        many = greater(target, 1)
        t = where(many, target, 1)
        each = each + where(many, t * log(t) - t + 0.5 * log(2 * math.pi * t), 0)
    return reduced("poisson_nll", each, reduction)


def gaussian_nll(prediction: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> Any:
    """Mean of (log v + (x - t)²/v)/2 for predictions x with variances v, taken as ``eps`` at least, with slope 0 below; ``full`` adds log(2π)/2.

    ``var`` is one number, or has the prediction's shape, or that with the last axis 1 or left out.

    >>> gaussian_nll(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]), Tensor([1.0, 1.0]))
    Tensor(1.)
    """
    difference, var = _difference("gaussian_nll", prediction, target), floats(var)
    shape = difference.shape
    if var.shape == shape[:-1] != shape and var.ndim:
        var = expand_dims(var, axis=-1)
    if var.shape not in (shape, (*shape[:-1], 1), ()):
        raise ValueError(f"gaussian_nll: var has shape {var.shape}; for predictions of shape {shape} it is that, with a last axis of 1, or a number.")
    _refuse_negative(var)
    var = clip(var, eps, None)
    each = 0.5 * (log(var) + difference * difference / var)
    return reduced("gaussian_nll", each + 0.5 * math.log(2 * math.pi) if full else each, reduction)


@by_numbers(refuses=True)
def _refuse_negative(var: Any) -> Any:
    if (var < 0).any():
        raise ValueError("gaussian_nll: a variance is below 0; for logarithms of variances give tg.exp(v).")
    return var


# --------------------------------------------------------------------------------------- of yes and no


def binary_cross_entropy(probability: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """Mean of -t·log p - (1-t)·log(1-p); logarithms are kept at or above -100, with slope 0 below.

    ``weight`` multiplies each element's loss. With raw scores use :func:`binary_cross_entropy_with_logits`, which needs no such bound.

    >>> binary_cross_entropy(Tensor([0.5, 0.5]), Tensor([0.0, 1.0]))
    Tensor(0.6931)
    """
    probability, target = same_shape("binary_cross_entropy", probability, target)
    _refuse_others(probability)
    smallest = math.exp(-100.0)
    yes = log(clip(probability, smallest, None))
    no = log(clip(1 - probability, smallest, None))
    each = target * yes + (1 - target) * no
    return -reduced("binary_cross_entropy", _weighed("binary_cross_entropy", each, weight), reduction)


@by_numbers(refuses=True)
def _refuse_others(probability: Any) -> Any:
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise ValueError("binary_cross_entropy: probabilities must lie between 0 and 1. For raw scores use binary_cross_entropy_with_logits.")
    return probability


def binary_cross_entropy_with_logits(logits: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> Any:
    """Mean of softplus(x) - t·x: the cross-entropy of sigmoid(x), for scores of any size.

    ``weight`` multiplies each element's loss, ``pos_weight`` the part of it that belongs to t; both broadcast to the scores' shape.

    >>> binary_cross_entropy_with_logits(Tensor([0.0, 1000.0]), Tensor([0.0, 1.0]))
    Tensor(0.3466)
    """
    name = "binary_cross_entropy_with_logits"
    logits, target = same_shape(name, logits, target)
    if pos_weight is None and weight is None and reduction == "mean":
        return logistic_loss(logits, target)
    if pos_weight is None:
        each = softplus(logits) - target * logits
    else:
        each = (1 - target) * logits + _weighed(name, target, pos_weight, 1 - target) * softplus(-logits)
    return reduced(name, _weighed(name, each, weight), reduction)


def _weighed(loss: str, x: Any, weight: Any, more: Any = 0) -> Any:
    """x times a weight that broadcasts to it, plus ``more``."""
    if weight is None:
        return x
    weight = asarray(weight)
    try:
        fits = np.broadcast_shapes(weight.shape, x.shape) == x.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{loss}: a weight of shape {weight.shape} does not broadcast to the target's shape {x.shape}.")
    if weight.dtype != x.dtype and x.dtype.kind == "f":
        weight = weight.astype(x.dtype)
    return x * weight + more


def hinge(scores: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    """Mean of max(0, margin - t·s), for targets t of 1 and -1; slope 0 where t·s = margin.

    >>> hinge(Tensor([2.0, 0.5]), Tensor([1.0, -1.0]))
    Tensor(0.75)
    """
    scores, target = same_shape("hinge", scores, target)
    return reduced("hinge", relu(margin - target * scores), reduction)


def soft_margin(scores: Any, target: Any, reduction: str = "mean") -> Any:
    """Mean of log(1 + exp(-t·s)), for targets t of 1 and -1 and scores of any size.

    >>> soft_margin(Tensor([0.0, 1000.0]), Tensor([1.0, 1.0]))
    Tensor(0.3466)
    """
    scores, target = same_shape("soft_margin", scores, target)
    return reduced("soft_margin", softplus(-(target * scores)), reduction)


# -------------------------------------------------------------------------------------- of classes


def nll_loss(log_probabilities: Any, labels: Any, weight: Any = None, ignore_index: int | None = None, reduction: str = "mean") -> Any:
    """Mean of -log_probabilities[label] over all rows, shape (…, classes); ``weight``, ``ignore_index`` as in cross_entropy.

    >>> nll_loss(tg.log_softmax(Tensor([[0.0, 0.0]])), [1])
    Tensor(0.6931)
    """
    log_p = floats(log_probabilities)
    labels = values(asarray(labels))
    try:
        if labels.dtype.kind not in "iu":
            raise TypeError(f"labels are {labels.dtype}, not integers; for class numbers use labels.astype('int64')")
        q, total, empty = shares(log_p, labels, weight, ignore_index, 0.0)
    except (TypeError, ValueError) as error:
        raise type(error)(f"nll_loss: {error}. Got {describe(log_p._data)}, {describe(labels)}; labels have the shape of the rows.") from None
    each = -sum(where(not_equal(q, 0), log_p, 0) * q, axis=-1)
    if reduction == "mean":
        return sum(each) / total + empty
    return reduced("nll_loss", each, reduction)


def kl_div(log_prediction: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """Kullback-Leibler divergence of a prediction, given as logarithms, from target probabilities: mean of t·(log t - x).

    Where t is 0 so is the loss. With ``log_target`` targets are logarithms, too. The mean is over all elements;
    ``reduction="batchmean"`` divides by the size of the first axis instead, as the definition of the divergence has it.

    >>> kl_div(tg.log(Tensor([0.5, 0.5])), Tensor([1.0, 0.0]), "sum")
    Tensor(0.6931)
    """
    x, t = same_shape("kl_div", log_prediction, target)
    if log_target:
        each = exp(t) * (t - x)
    else:
        some = greater(t, 0)
        each = where(some, t * (log(where(some, t, 1)) - where(some, x, 0)), 0)
    if reduction == "batchmean":
        return sum(each) / (x.shape[0] if x.ndim else 1)
    return reduced("kl_div", each, reduction)


def accuracy(scores: Any, labels: Any) -> float:
    """Share of rows whose largest score is at the label.

    >>> accuracy(Tensor([[0.1, 0.9], [0.8, 0.2]]), [1, 1])
    0.5
    """
    scores, labels = asarray(scores).data, asarray(labels).data
    if scores.shape[:-1] != labels.shape:
        raise ValueError(f"accuracy: scores of shape {scores.shape} need labels of shape {scores.shape[:-1]}, not {labels.shape}.")
    return float(np.mean(np.argmax(scores, axis=-1) == labels))


# ------------------------------------------------------------------------------ of pairs and triples


def hinge_embedding(distance: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    """Mean of the distance where t is 1, of max(0, margin - distance) where t is -1.

    >>> hinge_embedding(Tensor([2.0, 0.5]), Tensor([1.0, -1.0]))
    Tensor(1.25)
    """
    distance, target = same_shape("hinge_embedding", distance, target)
    return reduced("hinge_embedding", where(equal(target, 1), distance, relu(margin - distance)), reduction)


def cosine_embedding(a: Any, b: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """Mean of 1 - cos(a, b) where t is 1, of max(0, cos(a, b) - margin) where t is -1; vectors lie along the last axis.

    >>> cosine_embedding(Tensor([[1.0, 0.0], [1.0, 0.0]]), Tensor([[0.0, 1.0], [1.0, 0.0]]), Tensor([1.0, -1.0]))
    Tensor(1.)
    """
    cosine, target = same_shape("cosine_embedding", cosine_similarity(*same_shape("cosine_embedding", a, b)), target)
    return reduced("cosine_embedding", where(equal(target, 1), 1 - cosine, relu(cosine - margin)), reduction)


def margin_ranking(first: Any, second: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """Mean of max(0, margin - t·(first - second)): the first should be larger where t is 1, the second where t is -1.

    >>> margin_ranking(Tensor([2.0]), Tensor([1.5]), Tensor([-1.0]))
    Tensor(0.5)
    """
    gap, target = same_shape("margin_ranking", _difference("margin_ranking", first, second), target)
    return reduced("margin_ranking", relu(margin - target * gap), reduction)


def triplet_margin(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, reduction: str = "mean"
) -> Any:
    """Mean of max(0, margin + d(anchor, positive) - d(anchor, negative)), with d the p-distance along the last axis.

    With ``swap`` d(positive, negative) is taken if it is smaller than d(anchor, negative).

    Source: V. Balntas et al. (2016), Learning local feature descriptors with triplets, eq. 3 and section 3.3.

    >>> triplet_margin(Tensor([0.0, 0.0]), Tensor([0.0, 1.0]), Tensor([0.0, 1.5]))
    Tensor(0.5)
    """
    anchor, positive = same_shape("triplet_margin", anchor, positive)
    anchor, negative = same_shape("triplet_margin", anchor, negative)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced("triplet_margin", relu(margin + pairwise_distance(anchor, positive, p, eps) - far), reduction)


def _difference(loss: str, prediction: Any, target: Any) -> Any:
    prediction, target = same_shape(loss, prediction, target)
    return prediction - target
