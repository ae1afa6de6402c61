"""What all losses share: shapes that must agree, and the mean or sum of each element's loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from .mode import captures, capturing
from .op import describe
from .ops.neural import REDUCTIONS
from .ops.reduction import mean, sum
from .tensor import Tensor, asarray

__all__ = ["floats", "reduced", "same_shape"]


def reduced(loss: str, each: Any, reduction: str) -> Any:
    """The mean or the sum of each element's loss, or all of them."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{loss}: reduction is {reduction!r}; it must be 'mean', 'sum' or 'none'.")
    return mean(each) if reduction == "mean" else sum(each) if reduction == "sum" else each


def floats(x: Any) -> Tensor:
    """x as a Tensor, with whole numbers as floats."""
    x = _as_tensor(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def _as_tensor(x: Any) -> Tensor:
    return x if type(x) is Tensor else asarray(x) if captures and capturing() else Tensor(x)  # a captured step reads an array at each run


def same_shape(loss: str, prediction: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Both as Tensors, the prediction as floats; an error if their shapes differ."""
    prediction, target = _as_tensor(prediction), _as_tensor(target)
    if prediction.shape != target.shape:
        raise ValueError(
            f"{loss}: prediction is {describe(prediction._data)} and target {describe(target._data)}; the shapes must be equal, "
            "nothing is broadcast. Often a column (n, 1) meets a row (n,): use .reshape(-1) or .reshape(-1, 1) on one of them."
        )
    return prediction if prediction.dtype.kind == "f" else prediction.astype(np.float64), target
