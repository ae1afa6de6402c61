"""What compacting knows of each kind of layer: where its inputs and units are, and what becomes of a constant in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..mode import no_grad
from ..nn import AvgPool2d, BatchNorm1d, BatchNorm2d, Conv1d, Conv2d, Dropout, Embedding, Flatten, GaussianNoise, Linear, MaxPool2d, Module, Select
from ..tensor import Tensor

__all__ = ["INPUTS", "NORMS", "PASSED", "UNITS", "batch_normed", "dead_inputs", "dead_units", "elementwise", "give", "is_elementwise"]
__all__ += ["keeps_constants", "no_factor", "pads", "reason_to_stop"]

# The axis of the weight along which the inputs lie, and the one along which the units (channels, columns) lie.
INPUTS: dict[type, int] = {Linear: 0, Conv1d: 1, Conv2d: 1}
UNITS: dict[type, int] = {Linear: 1, Conv1d: 0, Conv2d: 0, Embedding: 1}
# Layers that do something to each unit apart, and how many axes may follow that of the units in what they read.
NORMS: dict[type, tuple[int, ...]] = {BatchNorm1d: (0, 1), BatchNorm2d: (2,)}
PASSED: dict[type, tuple[int, ...]] = {Dropout: (0, 1, 2), GaussianNoise: (0, 1, 2), MaxPool2d: (2,), AvgPool2d: (2,), Flatten: (0, 1, 2), **NORMS}


def is_elementwise(layer: Module) -> bool:
    """Whether each output depends on the one input at its place only: activations, and modules that say so by ``elementwise = True``."""
    # A subclass with another forward() must say so itself.
    said = next(kind for kind in type(layer).__mro__ if "elementwise" in vars(kind) or "forward" in vars(kind))
    return "elementwise" in vars(said) and bool(getattr(layer, "elementwise", False)) and all(x.size == 1 for _, x in layer.named_tensors())


def reason_to_stop(layer: Any) -> str:
    """Why compacting neither looks through a layer nor into it; empty where it does."""
    if is_elementwise(layer):
        return ""
    if type(layer) not in {*UNITS, *PASSED, Select}:
        return "not a kind that is looked into"
    if getattr(layer, "groups", 1) != 1:
        return "channels in groups"
    return ""


def _all_zero(weight: Tensor, axis: int) -> np.ndarray:
    others = tuple(i for i in range(weight.ndim) if i != axis)
    return ~np.any(weight.data != 0, axis=others)


def dead_inputs(layer: Any) -> np.ndarray:
    """For each input whether all its weights are 0."""
    groups = getattr(layer, "groups", 1)
    if groups == 1:
        return _all_zero(layer.weight, INPUTS[type(layer)])
    units, inputs = layer.weight.shape[:2]
    return ~np.any(layer.weight.data.reshape(groups, units // groups, inputs, -1) != 0, axis=(1, 3)).ravel()


def dead_units(layer: Any) -> np.ndarray:
    """For each unit whether all its weights are 0."""
    return _all_zero(layer.weight, UNITS[type(layer)])


def pads(layer: Any) -> bool:
    """Whether a layer reads something else beyond the border, so that a constant is none for it there."""
    padding = getattr(layer, "padding", 0)
    if isinstance(padding, str):
        return padding == "same" and any(k > 1 for k in layer.weight.shape[2:])
    return bool(np.any(np.asarray(padding)))


def keeps_constants(layer: Any) -> bool:
    """Whether pooling a constant gives that constant everywhere."""
    if isinstance(layer, MaxPool2d):  # a window with gaps may lie on padding alone
        return not pads(layer) or bool(np.all(np.asarray(layer.dilation) == 1))
    return not layer.count_include_pad or not (pads(layer) or layer.ceil_mode)


def elementwise(layer: Module, values: np.ndarray) -> np.ndarray:
    """What an elementwise layer makes of each number."""
    with no_grad(), np.errstate(all="ignore"):
        return np.asarray(layer(Tensor(values)).data, np.float64)


def batch_normed(layer: Any, values: np.ndarray) -> np.ndarray:
    """What batch norm makes of each feature's number in evaluation."""
    mean, variance = (np.asarray(x.data, np.float64) for x in (layer.running_mean, layer.running_var))
    with np.errstate(all="ignore"):
        scaled = (values - mean) / np.sqrt(variance + layer.eps) * (1.0 if layer.weight is None else layer.weight.data)
    return scaled + (0.0 if layer.bias is None else layer.bias.data)


def no_factor(layer: Any) -> Any:
    """For each feature of batch norm whether its weight is 0, so that its bias alone comes out."""
    return False if layer.weight is None else layer.weight.data == 0


def give(layer: Any, name: str, value: np.ndarray) -> None:
    """A parameter or buffer of another shape, that is else like the one before; no gradient."""
    old = getattr(layer, name)
    setattr(layer, name, Tensor(value, requires_grad=old.requires_grad, dtype=old.dtype, name=old.name))
