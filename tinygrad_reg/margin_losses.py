"""Losses by margins between the scores of classes: the right class, or the right ones, should lead all others by so much.

Public as ``tg.losses.multi_margin`` and so on; ``reduction`` is that of losses.py, and means are over rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .loss_parts import floats, reduced, same_shape
from .ops.choice import where
from .ops.elementwise import relu, softplus
from .ops.placing import gather
from .ops.reduction import mean, sum
from .ops.seen import by_numbers, values
from .ops.shape import expand_dims
from .tensor import asarray

__all__ = ["multi_margin", "multilabel_margin", "multilabel_soft_margin"]


def multi_margin(scores: Any, labels: Any, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean") -> Any:
    """Mean over rows of Σ max(0, margin - s[label] + s[i])^p over all other classes i, divided by their number; p is 1 or 2.

    ``weight`` has a factor for each class, which counts for the rows with that label. Slope 0 where the margin is just kept.

    >>> multi_margin(Tensor([[0.0, 0.5, 0.0]]), [1])
    Tensor(0.3333)
    """
    x, labels = floats(scores), values(asarray(labels))
    if p not in (1, 2):
        raise ValueError(f"multi_margin: p is {p}; it must be 1 or 2.")
    labels = labels[0] if x.ndim == 1 and labels.shape == (1,) else labels
    classes = _classes("multi_margin", x, labels, x.shape[:-1])
    right = np.expand_dims(labels, -1)
    short = relu(margin - gather(x, right, axis=-1) + x)
    short = where(right == np.arange(classes), 0, short * short if p == 2 else short)
    if weight is not None:
        short = short * asarray(weight)[right]
    return reduced("multi_margin", sum(short, axis=-1) / classes, reduction)


def multilabel_margin(scores: Any, labels: Any, reduction: str = "mean") -> Any:
    """Mean over rows of Σ max(0, 1 - (s[j] - s[i])) over right classes j and wrong classes i, divided by the number of classes.

    A row of ``labels`` names the right classes, up to the first -1, and is as long as a row of scores.

    >>> multilabel_margin(Tensor([[0.0, 0.5, 0.0]]), [[1, -1, -1]])
    Tensor(0.3333)
    """
    x, labels = floats(scores), values(asarray(labels))
    classes = _classes("multilabel_margin", x, labels, x.shape, lowest=-1)
    named, right = _named(labels, classes=classes)
    short = relu(1 - expand_dims(gather(x, np.where(named, labels, 0), axis=-1), axis=-1) + expand_dims(x, axis=-2))
    short = where(named[..., None] & ~right[..., None, :], short, 0)
    return reduced("multilabel_margin", sum(short, axis=(-2, -1)) / classes, reduction)


@by_numbers
def _named(labels: Any, *, classes: int) -> tuple[Any, Any]:
    """Which labels come before the first -1, and which classes they name."""
    named = np.logical_and.accumulate(labels >= 0, axis=-1)
    return named, np.any((labels[..., None] == np.arange(classes)) & named[..., None], axis=-2)


def multilabel_soft_margin(scores: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """Mean over rows of the mean over classes of softplus(s) - t·s, with t 1 for right classes and 0 for wrong ones; ``weight`` is for each class.

    >>> multilabel_soft_margin(Tensor([[0.0, 1000.0]]), Tensor([[0.0, 1.0]]))
    Tensor(0.3466)
    """
    x, target = same_shape("multilabel_soft_margin", scores, target)
    each = softplus(x) - target * x
    if weight is not None:
        weight = asarray(weight)
        if weight.shape not in ((), x.shape[-1:], x.shape):
            raise ValueError(f"multilabel_soft_margin: weight has shape {weight.shape}; scores of shape {x.shape} need {x.shape[-1:]}.")
        each = each * weight
    return reduced("multilabel_soft_margin", mean(each, axis=-1), reduction)


def _classes(loss: str, x: Any, labels: Any, shape: tuple[int, ...], lowest: int = 0) -> int:
    """The number of classes; an error if labels do not fit the scores."""
    if x.ndim not in (1, 2) or labels.shape != shape:
        raise ValueError(f"{loss}: scores have shape {x.shape} and labels have shape {labels.shape}; for scores (rows, classes) it is {shape}.")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{loss}: labels are {labels.dtype}, not whole numbers; use labels.astype('int64').")
    classes = x.shape[-1]
    _refuse_others(labels, loss=loss, lowest=lowest, classes=int(classes))
    return int(classes)


@by_numbers(refuses=True)
def _refuse_others(labels: Any, *, loss: str, lowest: int, classes: int) -> Any:
    if labels.size and not (lowest <= labels.min() and labels.max() < classes):
        raise ValueError(f"{loss}: labels lie between {labels.min()} and {labels.max()}, and there are {classes} classes, from 0.")
    return labels
