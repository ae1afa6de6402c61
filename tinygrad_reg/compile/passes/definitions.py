"""What composite ops are in terms of simple ones: functions of ops, as a user would write them, with the formulas of the ops' forwards.

Each gets a step, its inputs as Tensors and its settings; None is the answer where it has none for these settings. An op without an
entry stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...op import OPS
from ...ops.neural import is_plain
from ..program import Step

__all__ = ["LOWERED"]

_op = OPS.__getitem__


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    return tuple(sorted(i % x.ndim for i in axes)) if x.ndim else ()


def _fold(step: Step, x: Any, axis: Any = None, keepdims: bool = False, **others: Any) -> Any:
    if others.get("dtype") is not None or x.dtype == np.float16 or (step.settings["axis"] == _axes(x, axis)):
        return None
    return step.op(x, axis=_axes(x, axis), keepdims=keepdims)


def _mean(step: Step, x: Any, axis: Any, keepdims: bool) -> Any:
    count = int(np.prod([x.shape[i] for i in _axes(x, axis)], dtype=int))
    if x.dtype.kind != "f" or x.dtype == np.float16:
        return None
    return _op("sum")(x, axis=_axes(x, axis), keepdims=keepdims) / count


def _sum_of_squares(step: Step, x: Any, scale: Any) -> Any:
    return scale * _total(x * x) if x.dtype.kind == "f" else None


def _sum_of_sizes(step: Step, x: Any, scale: Any) -> Any:
    return scale * _total(abs(x)) if x.dtype.kind == "f" else None


def _total(x: Any) -> Any:
    return _op("sum")(x, axis=tuple(range(x.ndim)), keepdims=False)


def _exponents(x: Any, axis: int) -> tuple[Any, Any, Any]:
    """x minus its largest along ``axis``, its exponential, and the sum of that."""
    along = _axes(x, axis)
    shifted = x - _op("max")(x, axis=along, keepdims=True)
    e = _op("exp")(shifted)
    return shifted, e, _op("sum")(e, axis=along, keepdims=True)


def _softmax(step: Step, x: Any, axis: int) -> Any:
    if x.dtype.kind != "f" or not x.size or not x.ndim:
        return None
    _, e, total = _exponents(x, axis)
    return e / total


def _log_softmax(step: Step, x: Any, axis: int) -> Any:
    if x.dtype.kind != "f" or not x.size or not x.ndim:
        return None
    shifted, _, total = _exponents(x, axis)
    return shifted - _op("log")(total)


def _logsumexp(step: Step, x: Any, axis: Any, keepdims: bool) -> Any:
    if x.dtype.kind != "f" or not x.size:
        return None
    along = _axes(x, axis)
    top = _op("max")(x, axis=along, keepdims=True)
    top = _op("where")(_op("isfinite")(top), top, 0)
    total = _op("log")(_op("sum")(_op("exp")(x - top), axis=along, keepdims=True)) + top
    return total if keepdims else _op("reshape")(total, shape=step.out.shape)


def _logistic_loss(step: Step, x: Any, target: Any) -> Any:
    if step.out.dtype.kind != "f" or x.dtype.kind != "f" or step.out.dtype == np.float16 or not x.size:
        return None
    return _total(_op("softplus")(x) - target * x) / x.size


def _is_class(labels: Any, classes: int) -> Any:
    """For every label a row that holds at the label."""
    checked = _op("class_labels")(labels, classes=classes)
    return _op("equal")(_op("reshape")(checked, shape=(*labels.shape, 1)), _fixed(np.arange(classes, dtype=labels.dtype)))


def _fixed(array: Any) -> Any:
    array.flags.writeable = False
    return array


def _one_hot(step: Step, labels: Any, num_classes: int, dtype: Any) -> Any:
    return _op("astype")(_is_class(labels, num_classes), dtype=np.dtype(dtype)) if labels.dtype.kind in "iu" else None


def _cross_entropy(step: Step, logits: Any, labels: Any, **settings: Any) -> Any:
    if not is_plain(**settings) or logits.dtype.kind != "f" or not logits.size or labels.shape != logits.shape[:-1] or labels.dtype.kind not in "iu":
        return None
    shifted, _, total = _exponents(logits, -1)
    picked = _op("where")(_is_class(labels, logits.shape[-1]), shifted, 0)
    each = _op("log")(total) - _op("sum")(picked, axis=(logits.ndim - 1,), keepdims=True)
    return _total(each) / (logits.size // logits.shape[-1])


def _reshaped(step: Step, x: Any, **settings: Any) -> Any:
    return _op("reshape")(x, shape=step.out.shape)


def _shape(step: Step, x: Any, shape: Any, **settings: Any) -> Any:
    return None if shape == step.out.shape else step.op(x, shape=step.out.shape, **settings)


def _permuted(step: Step, x: Any, axes: Any = None) -> Any:
    full = tuple(reversed(range(x.ndim))) if axes is None else tuple(int(i) % x.ndim for i in axes)
    return None if axes == full else _op("permute_dims")(x, axes=full)


def _swapped(step: Step, x: Any) -> Any:
    return _op("permute_dims")(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _softmax_less_one(step: Step, logits: Any, labels: Any) -> Any:
    if logits.dtype.kind != "f" or not logits.size or labels.shape != logits.shape[:-1] or labels.dtype.kind not in "iu":
        return None
    _, e, total = _exponents(logits, -1)
    return e / total - _op("astype")(_is_class(labels, logits.shape[-1]), dtype=logits.dtype)


LOWERED: dict[str, Callable[..., Any]] = {
    "sum": _fold,
    "max": _fold,
    "min": _fold,
    "prod": _fold,
    "mean": _mean,
    "sum_of_squares": _sum_of_squares,
    "sum_of_sizes": _sum_of_sizes,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "one_hot": _one_hot,
    "softmax_less_one": _softmax_less_one,
    "cross_entropy": _cross_entropy,
    "logistic_loss": _logistic_loss,
    "expand_dims": _reshaped,
    "squeeze": _reshaped,
    "flatten": _reshaped,
    "ravel": _reshaped,
    "broadcast_to": _shape,
    "reshape": _shape,
    "permute_dims": _permuted,
    "matrix_transpose": _swapped,
}
