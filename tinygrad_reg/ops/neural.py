"""Operations of classifiers: softmax and its logarithm, one-hot codes, cross-entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import REAL, case, integers
from ..op import expression, op
from .choice import where
from .elementwise import as_float, exp, negative, sigmoid, softplus
from .reduction import mean, sum
from .seen import by_numbers
from .shape import expand_dims

SOFTMAX = (case((2, 3)), case((2, 3), axis=0), case((2, 3, 2), axis=1), case((3,)), case((0, 3)), case((2, 1)), case((3, 0)))
FITS_SOFTMAX = "axis must be one existing axis"


LONG = 128  # NumPy folds shorter lines faster when their axis comes first, even though they must be moved


def _shifted(x: Any, axis: int) -> tuple[Any, int]:
    """x minus its largest along ``axis``, and where that axis now is: in front, or behind, for long lines that were there."""
    x = as_float(x)
    along = -1 if x.ndim and axis in (-1, x.ndim - 1) and x.shape[-1] >= LONG else 0
    if not along:
        x = np.ascontiguousarray(x.T if x.ndim == 2 and axis in (1, -1) else np.moveaxis(x, axis, 0))
    return (x - np.maximum.reduce(x, axis=along, keepdims=True) if x.size else x.copy()), along


def _back(y: Any, axis: int, along: int) -> Any:
    return y if along else y.T if y.ndim == 2 and axis in (1, -1) else np.moveaxis(y, 0, axis)


@op(cases=SOFTMAX, fits=FITS_SOFTMAX)
def softmax(x, *, axis=-1):
    """exp(x)/Σ exp(x) along ``axis``, for any size of x. Slope of entry i in x_j: p_i·(δ_ij - p_j).

    >>> softmax(Tensor([0.0, 10000.0]))
    Tensor([0., 1.])
    """
    shifted, along = _shifted(x, axis)
    e = np.exp(shifted, out=shifted)
    e /= np.add.reduce(e, axis=along, keepdims=True)
    return _back(e, axis, along)


softmax.defvjp(lambda g, out, x, axis: out * (g - sum(g * out, axis=axis, keepdims=True)))


@expression(cases=SOFTMAX)
def softmin(x, axis=-1):
    """softmax(-x) along ``axis``: the smallest gets most. Slope: out·(Σ g·out - g).

    >>> softmin(Tensor([0.0, 10000.0]))
    Tensor([1., 0.])
    """
    return softmax(negative(x), axis=axis)


@op(label="log softmax", cases=SOFTMAX, fits=FITS_SOFTMAX)
def log_softmax(x, *, axis=-1):
    """log(softmax(x)) along ``axis``, for any size of x. Slope of entry i in x_j: δ_ij - p_j.

    >>> log_softmax(Tensor([0.0, 10000.0]))
    Tensor([-10000.,      0.])
    """
    shifted, along = _shifted(x, axis)
    if shifted.size:
        shifted -= np.log(np.add.reduce(np.exp(shifted), axis=along, keepdims=True))
    return _back(shifted, axis, along)


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


_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def checked_labels(labels: Any, classes: int) -> Any:
    """Labels as an integer array, all of them from 0 to ``classes`` - 1, or an error that says which is not."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels are {labels.dtype}, not integers; for class numbers use labels.astype('int64')")
    seen = labels.view(_UNSIGNED[labels.dtype.itemsize])  # so that those below 0 are too large: one pass instead of two
    if labels.size and np.maximum.reduce(seen, axis=None) >= classes:
        wrong = labels[(labels < 0) | (labels >= classes)].flat[0]
        raise ValueError(f"label {wrong} is not a class: with {classes} scores a row, labels go from 0 to {classes - 1}")
    return labels


@op(domain=[integers(0, 3)], cases=(case((4,), classes=3), case((), classes=3)), fits="labels must be integers from 0 to classes - 1")
def class_labels(labels, *, classes):
    """Labels as they are, or an error if one of them is no class. No gradient.

    >>> class_labels(Tensor([2, 0]), classes=3)
    Tensor([2, 0])
    """
    return checked_labels(labels, classes)


class_labels.refuses = True

REDUCTIONS = ("mean", "sum", "none")


@op(
    label="cross-entropy",
    domain=[REAL, integers(0, 3)],
    cases=(
        case((4, 3), (4,)),
        case((3,), ()),
        case((2, 2, 4), (2, 2)),
        case((1, 5), (1,)),
        case((4, 3), (4,), weight=np.array([0.5, 1.0, 2.0]), label_smoothing=0.2),
        case((4, 3), (4,), weight=np.array([0.5, 1.0, 2.0]), ignore_index=1),
        case((2, 2, 3), (2, 2), reduction="none", ignore_index=0),
        case((4, 3), (4,), reduction="sum", label_smoothing=1.0),
    ),
    fits="logits have shape (..., classes), and labels hold one integer class for each row, shape (...), or one probability for each logit",
)
def cross_entropy(logits, labels, *, weight=None, ignore_index=None, label_smoothing=0.0, reduction="mean"):
    """Mean of -log softmax(logits)[label] over all rows; stable for logits of any size.

    ``logits`` has shape (..., classes). ``labels`` are integers of shape (...), or probabilities of
    the logits' shape (then the mean of -Σ p·log softmax). Slope in the logits: (softmax - p)/rows.

    ``weight`` holds a factor for each class; the mean is then divided by the sum of the labels' weights (for probabilities, by the
    rows). Rows with the label ``ignore_index`` do not count. ``label_smoothing`` takes that share of each label and spreads it evenly
    over all classes. ``reduction`` is ``"mean"``, ``"sum"``, or ``"none"``: a loss for each row.

    >>> cross_entropy(Tensor([[0.0, 10000.0], [0.0, 0.0]]), Tensor([1, 0]))
    Tensor(0.3466)
    """
    labels = np.asarray(labels)
    if not is_plain(weight, ignore_index, label_smoothing, reduction):
        return _weighed(log_softmax.forward(logits), *targets(logits, labels, weight, ignore_index, label_smoothing), checked_reduction(reduction))
    if labels.shape == logits.shape and labels.dtype.kind == "f":
        return -np.add.reduce(labels * log_softmax.forward(logits), axis=None) / rows(logits)
    labels = _label_for_each_row(logits, labels)
    shifted, along = _shifted(logits.reshape(-1, logits.shape[-1]), 1)
    picked = shifted.reshape(-1).take(_places(labels, logits.shape[-1], along))
    each = np.log(np.add.reduce(np.exp(shifted, out=shifted), axis=along)) - picked
    return np.add.reduce(each) / rows(logits)


def _places(labels: Any, classes: int, along: int) -> Any:
    """Where each row's label stands among all numbers of what _shifted makes: one index is twice as quick as one for each axis."""
    labels = labels.reshape(-1).astype(np.intp, copy=False)
    return np.arange(labels.size) * classes + labels if along else labels * labels.size + np.arange(labels.size)


def is_plain(weight: Any, ignore_index: int | None, label_smoothing: float, reduction: str) -> bool:
    """Whether it is the mean over all rows, each with one sure label."""
    return weight is None and ignore_index is None and label_smoothing == 0 and reduction == "mean"


def rows(logits: Any) -> int:
    """How many rows of scores there are."""
    return logits.size // logits.shape[-1]


def checked_reduction(reduction: str) -> str:
    """``reduction`` if it is one, else an error that says which there are."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}; it must be 'mean', 'sum' or 'none'")
    return reduction


def targets(logits: Any, labels: Any, weight: Any, ignore_index: int | None, label_smoothing: float) -> tuple[Any, Any]:
    """The factor of each -log probability in the loss, of the logits' shape, and what a mean is divided by."""
    classes, dtype = logits.shape[-1], logits.dtype if logits.dtype.kind == "f" else np.dtype(np.float64)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing is {label_smoothing}; it is a share, from 0 to 1")
    if weight is not None:
        weight = np.asarray(weight).astype(dtype)
        if weight.shape != (classes,):
            raise ValueError(f"weight has shape {weight.shape}, and there are {classes} classes")
    if _are_probabilities(labels) and labels.shape == logits.shape:
        if ignore_index is not None:
            raise ValueError("ignore_index is a label, and these are probabilities")
        return _smoothed(labels, classes, label_smoothing, weight), rows(logits)
    labels = labels if isinstance(labels, (np.ndarray, np.generic)) else np.asarray(labels)
    kept = np.ones(labels.shape, bool) if ignore_index is None else labels != ignore_index
    labels = _label_for_each_row(logits, np.where(kept, labels, np.zeros_like(labels)))
    sure = one_hot.forward(labels, num_classes=classes, dtype=dtype)
    total = np.add.reduce(kept if weight is None else weight[labels] * kept, axis=None)
    return _smoothed(sure, classes, label_smoothing, weight) * kept[..., None].astype(dtype), dtype.type(total)


def shares(logits: Any, labels: Any, weight: Any, ignore_index: int | None, label_smoothing: float) -> tuple[Any, Any, Any]:
    """The factors as from ``targets``; what a mean is divided by, or 1 for a mean over no rows; and what is added to that: NaN there, else 0."""
    if _are_probabilities(labels):  # they may have a gradient
        q, total = targets(logits, labels, weight, ignore_index, label_smoothing)
        return q, total or 1, 0 if total else np.nan
    return _shares_of_labels(logits, labels, weight=weight, ignore_index=ignore_index, label_smoothing=label_smoothing)


@by_numbers(refuses=True)
def _shares_of_labels(logits: Any, labels: Any, *, weight: Any, ignore_index: int | None, label_smoothing: float) -> tuple[Any, Any, Any]:
    q, total = targets(logits, labels, weight, ignore_index, label_smoothing)
    total = q.dtype.type(total)
    return q, total if total else q.dtype.type(1), q.dtype.type(0 if total else np.nan)


def _label_for_each_row(logits: Any, labels: Any) -> Any:
    if labels.shape != logits.shape[:-1]:
        raise ValueError("the shapes of logits and labels do not go together")
    return checked_labels(labels, logits.shape[-1])


def _smoothed(p: Any, classes: int, share: float, weight: Any) -> Any:
    if share:
        p = p * (1 - share) + share / classes
    return p if weight is None else p * weight


def _weighed(log_p: Any, q: Any, total: Any, reduction: str) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):  # 0·-inf is not taken; a mean over no rows is NaN
        each = -np.add.reduce(where.forward(q != 0, q * log_p, 0), axis=-1)
        return each if reduction == "none" else np.add.reduce(each, axis=None) / (total if reduction == "mean" else 1)


def _are_probabilities(labels: Any) -> bool:
    return getattr(labels, "dtype", np.dtype(int)).kind == "f"


@op(
    label="softmax - 1",
    domain=[REAL, integers(0, 3)],
    cases=(case((4, 3), (4,)), case((3,), ()), case((2, 2, 4), (2, 2))),
    fits="logits have shape (..., classes), and labels hold one integer class for each row",
)
def softmax_less_one(logits, labels):
    """softmax(logits), with 1 taken from the label's place in each row: the slope of cross-entropy. Slope: that of softmax.

    >>> softmax_less_one(Tensor([[0.0, 0.0]]), [1])
    Tensor([[ 0.5, -0.5]])
    """
    labels = _label_for_each_row(logits, np.asarray(labels))
    e, along = _shifted(logits.reshape(-1, logits.shape[-1]), 1)
    np.exp(e, out=e)
    e /= np.add.reduce(e, axis=along, keepdims=True)
    p, places = e.reshape(-1), _places(labels, logits.shape[-1], along)  # p is e in one row, not a copy
    p[places] = p.take(places) - 1
    return _back(e, 1, along).reshape(logits.shape)


def _softmax_back(g, p):
    return p * (g - sum(g * p, axis=-1, keepdims=True))


softmax_less_one.defvjp(lambda g, out, logits, labels: _softmax_back(g, softmax(logits)), None)


def _for_each_row(g: Any, total: Any, reduction: str) -> Any:
    if reduction == "none":
        return expand_dims(g, axis=-1)
    return g / total if reduction == "mean" else g


def _cross_entropy_logits(g, out, logits, labels, weight, ignore_index, label_smoothing, reduction):
    plain = is_plain(weight, ignore_index, label_smoothing, reduction)
    if plain and not _are_probabilities(labels):
        return (g / rows(logits)) * softmax_less_one(logits, labels)
    p = softmax(logits)
    if not plain:
        q, total, _ = shares(logits, labels, weight, ignore_index, label_smoothing)
        return _for_each_row(g, total, reduction) * (p * sum(q, axis=-1, keepdims=True) - q)
    return (g / rows(logits)) * (p * sum(labels, axis=-1, keepdims=True) - labels)


def _cross_entropy_labels(g, out, logits, labels, weight, ignore_index, label_smoothing, reduction):
    if not _are_probabilities(labels):
        return None
    each = -_for_each_row(g, rows(logits) or 1, reduction) * log_softmax(logits)
    if label_smoothing:
        each = each * (1 - label_smoothing)
    return each if weight is None else each * np.asarray(weight).astype(logits.dtype)


cross_entropy.defvjp(_cross_entropy_logits, _cross_entropy_labels)


# ------------------------------------------------------------------------------------------ of two classes


@op(
    label="logistic loss",
    cases=(case((3,), (3,)), case((2, 3), (2, 3)), case((), ())),
    fits="logits and targets have one shape",
)
def logistic_loss(logits, target):
    """Mean of softplus(x) - t·x over all elements: the cross-entropy of σ(x) with t, stable for scores of any size.

    Slopes: (σ(x) - t)/n and -x/n, with n elements.

    >>> logistic_loss(Tensor([0.0, 1000.0]), Tensor([0.0, 1.0]))
    Tensor(0.3466)
    """
    if np.shape(logits) != np.shape(target):
        raise ValueError("the shapes of logits and targets differ")
    x, t = as_float(logits), as_float(target)
    return mean.forward(softplus.forward(x) - t * x)


def _size(x: Any) -> Any:
    return x.size if x.size else np.nan


logistic_loss.defvjp(
    lambda g, out, logits, target: (g / _size(logits)) * (sigmoid(logits) - target),
    lambda g, out, logits, target: (g / -_size(logits)) * logits,
)
