"""Operations of classifiers: softmax and its logarithm, one-hot codes, cross-entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import REAL, case, integers
from ..op import op
from .elementwise import as_float, exp
from .reduction import sum

SOFTMAX = (case((2, 3)), case((2, 3), axis=0), case((2, 3, 2), axis=1), case((3,)), case((0, 3)), case((2, 1)))
FITS_SOFTMAX = "axis must be one existing axis that is not empty"


def _exponents(x: Any, axis: int) -> tuple[Any, Any]:
    """x minus its largest along ``axis``, with that axis in front, where NumPy folds it fastest."""
    x = as_float(x)
    x = np.ascontiguousarray(x.T if x.ndim == 2 and axis in (1, -1) else np.moveaxis(x, axis, 0))
    shifted = x - np.maximum.reduce(x, axis=0)
    return shifted, np.exp(shifted)


def _back(y: Any, axis: int) -> Any:
    return y.T if y.ndim == 2 and axis in (1, -1) else np.moveaxis(y, 0, axis)


@op(cases=SOFTMAX, fits=FITS_SOFTMAX)
def softmax(x, *, axis=-1):
    """exp(x)/Σ exp(x) along ``axis``, for any size of x. Slope of entry i in x_j: p_i·(δ_ij - p_j).

    >>> softmax(Tensor([0.0, 10000.0]))
    Tensor([0., 1.])
    """
    _, e = _exponents(x, axis)
    e /= np.add.reduce(e, axis=0)
    return _back(e, axis)


softmax.defvjp(lambda g, out, x, axis: out * (g - sum(g * out, axis=axis, keepdims=True)))


@op(label="log softmax", cases=SOFTMAX, fits=FITS_SOFTMAX)
def log_softmax(x, *, axis=-1):
    """log(softmax(x)) along ``axis``, for any size of x. Slope of entry i in x_j: δ_ij - p_j.

    >>> log_softmax(Tensor([0.0, 10000.0]))
    Tensor([-10000.,      0.])
    """
    shifted, e = _exponents(x, axis)
    shifted -= np.log(np.add.reduce(e, axis=0))
    return _back(shifted, axis)


log_softmax.defvjp(lambda g, out, x, axis: g - exp(out) * sum(g, axis=axis, keepdims=True))


@op(
    label="one-hot",
    domain=[integers(0, 3)],
    cases=(case((4,), num_classes=3), case((2, 2), num_classes=4), case((), num_classes=3)),
    fits="labels must be integers from 0 to num_classes - 1",
)
def one_hot(labels, *, num_classes, dtype=np.float64):
    """A row of zeros with a 1 at the label, for every label. No gradient.

    >>> one_hot(Tensor([2, 0]), num_classes=3)
    Tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    labels = checked_labels(labels, num_classes)
    out = np.zeros((labels.size, num_classes), dtype)
    out[np.arange(labels.size), labels.reshape(-1)] = 1
    return out.reshape(*labels.shape, num_classes)


def checked_labels(labels: Any, classes: int) -> Any:
    """Labels as an integer array, all of them from 0 to ``classes`` - 1, or an error that says which is not."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels are {labels.dtype}, not integers; for class numbers use labels.astype('int64')")
    if labels.size and (np.minimum.reduce(labels, axis=None) < 0 or np.maximum.reduce(labels, axis=None) >= classes):
        wrong = labels[(labels < 0) | (labels >= classes)].flat[0]
        raise ValueError(f"label {wrong} is not a class: with {classes} scores a row, labels go from 0 to {classes - 1}")
    return labels


@op(
    label="cross-entropy",
    domain=[REAL, integers(0, 3)],
    cases=(case((4, 3), (4,)), case((3,), ()), case((2, 2, 4), (2, 2)), case((1, 5), (1,))),
    fits="logits have shape (..., classes), and labels hold one integer class for each row, shape (...), or one probability for each logit",
)
def cross_entropy(logits, labels):
    """Mean of -log softmax(logits)[label] over all rows; stable for logits of any size.

    ``logits`` has shape (..., classes). ``labels`` are integers of shape (...), or probabilities of
    the logits' shape (then the mean of -Σ p·log softmax). Slope in the logits: (softmax - p)/rows.

    >>> cross_entropy(Tensor([[0.0, 10000.0], [0.0, 0.0]]), Tensor([1, 0]))
    Tensor(0.3466)
    """
    labels = np.asarray(labels)
    if labels.shape == logits.shape and labels.dtype.kind == "f":
        return -np.add.reduce(labels * log_softmax.forward(logits), axis=None) / rows(logits)
    if labels.shape != logits.shape[:-1]:
        raise ValueError("the shapes of logits and labels do not go together")
    columns = logits.reshape(-1, logits.shape[-1])
    labels = checked_labels(labels, logits.shape[-1]).reshape(-1)
    shifted, e = _exponents(columns, 1)
    each = np.log(np.add.reduce(e, axis=0)) - shifted[labels, np.arange(labels.size)]
    return np.add.reduce(each) / rows(logits)


def rows(logits: Any) -> int:
    """How many rows of scores there are."""
    return logits.size // logits.shape[-1]


def _are_probabilities(labels: Any) -> bool:
    return getattr(labels, "dtype", np.dtype(int)).kind == "f"


def _cross_entropy_logits(g, out, logits, labels):
    p = softmax(logits)
    if _are_probabilities(labels):
        return (g / rows(logits)) * (p * sum(labels, axis=-1, keepdims=True) - labels)
    return (g / rows(logits)) * (p - one_hot(labels, num_classes=logits.shape[-1], dtype=logits.dtype))


def _cross_entropy_labels(g, out, logits, labels):
    return None if not _are_probabilities(labels) else -(g / rows(logits)) * log_softmax(logits)


cross_entropy.defvjp(_cross_entropy_logits, _cross_entropy_labels)
