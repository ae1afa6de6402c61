"""The loss of a sequence whose alignment is not known: connectionist temporal classification, in logarithms, by our ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from .loss_parts import floats
from .mode import capturing
from .ops.choice import where
from .ops.neural import REDUCTIONS
from .ops.placing import gather
from .ops.reduction import logsumexp, mean, sum
from .ops.seen import by_numbers, values
from .ops.shape import concat, stack
from .tensor import asarray

__all__ = ["ctc"]


def ctc(
    log_probabilities: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """-log of the probability that the labels of ``targets`` come in their order, over all ways to spread them over the time steps.

    ``log_probabilities`` is (time, samples, classes), or (time, classes) for one sample, as log_softmax makes it; the class ``blank`` stands for
    nothing, and a label may last for several steps. ``targets`` is (samples, longest), or all labels end to end. The lengths say how many
    steps and labels each sample has. ``"mean"`` divides each loss by its number of labels first. Where the labels do not fit into the steps
    the loss is inf, or 0 with ``zero_infinity``; its gradient is 0. The slope is that in log_probabilities, each by itself.

    Source: A. Graves et al. (2006), Connectionist temporal classification, eq. 6 to 8.

    >>> ctc(tg.log(tg.full((2, 1, 2), 0.5)), [[1]], [2], [1])
    Tensor(0.2877)
    """
    x = floats(log_probabilities)
    one = x.ndim == 2
    x = x[:, None] if one else x
    steps, labels, counts = _checked(x, targets, input_lengths, target_lengths, blank)
    if reduction not in REDUCTIONS:
        raise ValueError(f"ctc: reduction is {reduction!r}; it must be 'mean', 'sum' or 'none'.")
    each = -_log_probability(x, labels, steps, counts, blank)
    lost = np.isinf(values(each))
    each = where(lost, 0 if zero_infinity else np.inf, each)
    if reduction == "mean":
        return mean(each / np.maximum(counts, 1).astype(x.dtype))
    return sum(each) if reduction == "sum" else each[0] if one else each


def _log_probability(x: Any, labels: Any, steps: Any, counts: Any, blank: int) -> Any:
    """Forward variables, one step of time after the other, over labels with blanks between them."""
    n = labels.shape[0]
    states, may_skip = _states(labels, blank=blank)
    at_start = np.arange(states.shape[1]) < 2
    never = np.full((n, 2), -np.inf, x.dtype)
    alpha = where(np.broadcast_to(at_start, states.shape), gather(x[0], states, axis=1), -np.inf)
    for t in range(1, x.shape[0]):
        shifted = concat([never, alpha], axis=1)
        ways = stack([alpha, shifted[:, 1:-1], where(may_skip, shifted[:, :-2], -np.inf)], axis=-1)
        moved = logsumexp(ways, axis=-1) + gather(x[t], states, axis=1)
        alpha = where((t < steps)[:, None], moved, alpha)
    ends = np.stack([2 * counts, np.maximum(2 * counts - 1, 0)], axis=1)
    last = where(np.stack([counts >= 0, counts > 0], axis=1), gather(alpha, ends, axis=1), -np.inf)
    return where(steps > 0, logsumexp(last, axis=1), np.where(counts == 0, 0.0, -np.inf))


@by_numbers
def _states(labels: Any, *, blank: int) -> tuple[Any, Any]:
    """Labels with blanks around them, and to which one may come straight from the label before: where they differ."""
    states = np.full((labels.shape[0], 2 * labels.shape[1] + 1), blank)
    states[:, 1::2] = labels
    may_skip = np.zeros(states.shape, bool)
    may_skip[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    return states, may_skip


def _checked(x: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int) -> tuple[Any, Any, Any]:
    """Steps, labels (samples, longest) and numbers of labels of each sample."""
    if x.ndim != 3:
        raise ValueError(f"ctc: log_probabilities have shape {x.shape}; they are (time, samples, classes), or (time, classes) for one sample.")
    time, n, classes = x.shape
    labels, steps, counts = (values(asarray(v)) for v in (targets, input_lengths, target_lengths))
    steps, counts = (np.broadcast_to(v.reshape(-1), (n,)) if v.size in (1, n) else v for v in (steps, counts))
    if any(v.dtype.kind not in "iu" for v in (labels, steps, counts) if v.size):
        raise TypeError("ctc: targets, input_lengths and target_lengths are whole numbers; use .astype('int64').")
    if steps.shape != (n,) or counts.shape != (n,):
        raise ValueError(f"ctc: input_lengths have shape {steps.shape} and target_lengths {counts.shape}; there is one of each for {n} samples.")
    if not 0 <= blank < classes:
        raise ValueError(f"ctc: blank is {blank}, and there are {classes} classes, from 0.")
    longest = (labels.shape[-1] if labels.ndim else 0) if capturing() else int(counts.max(initial=0))
    return _aligned(labels, steps, counts, time=time, classes=classes, blank=blank, longest=longest)


@by_numbers(refuses=True)
def _aligned(labels: Any, steps: Any, counts: Any, *, time: int, classes: int, blank: int, longest: int) -> tuple[Any, Any, Any]:
    """The three as they are worked with, labels as (samples, longest) with blanks behind; an error if they do not go together."""
    n = counts.size
    if time == 0 or np.any((steps < 0) | (steps > time)) or np.any(counts < 0):
        raise ValueError(f"ctc: input_lengths must lie between 0 and {time}, the steps of log_probabilities, and target_lengths be 0 or more.")
    most = int(counts.max(initial=0))
    if labels.ndim == 1 and labels.size == counts.sum():
        starts = np.cumsum(counts) - counts
        places = np.minimum(starts[:, None] + np.arange(longest), max(labels.size - 1, 0))
        labels = labels[places] if labels.size else np.zeros((n, longest), int)
    elif labels.ndim == 2 and labels.shape[0] == n and labels.shape[1] >= most:
        labels = labels[:, :longest]
    else:
        raise ValueError(f"ctc: targets have shape {labels.shape}; they are ({n}, {most} or more), or {counts.sum()} labels end to end.")
    meant = labels[np.arange(longest) < counts[:, None]]
    if meant.size and (meant.min() < 0 or meant.max() >= classes or np.any(meant == blank)):
        raise ValueError(
            f"ctc: labels lie between {meant.min()} and {meant.max()}; they are classes below {classes}, from 0, and not the blank, {blank}."
        )
    return steps, np.where(np.arange(longest) < counts[:, None], labels, blank), counts.astype(np.int64)
