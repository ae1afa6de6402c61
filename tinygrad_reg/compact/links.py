"""Links: the units of one layer, what they pass on their way, and the layer that reads them. Here units are dropped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..nn import AvgPool2d, Embedding, Flatten, Linear, MaxPool2d, Module, Select
from ..tensor import Tensor
from .layers import (
    INPUTS,
    NORMS,
    PASSED,
    UNITS,
    batch_normed,
    dead_inputs,
    dead_units,
    elementwise,
    give,
    is_elementwise,
    keeps_constants,
    no_factor,
    pads,
)

__all__ = ["Link"]


@dataclass
class Flow:
    """Units on their way: for each feature of what arrives, its unit, what comes if the unit's weights are all 0, and whether they are."""

    unit_of: np.ndarray
    values: np.ndarray
    constant: np.ndarray
    axes: int  # that follow the axis of the units
    flattened: bool = False
    _repeat: bool = False  # flattening put the places of one unit side by side, else all units of one place
    met: list[tuple[Module, np.ndarray]] = field(default_factory=list)  # batch norms, with the unit of each feature

    def flatten(self) -> None:
        """All axes become one; how many features there are then is known from the next layer that has a size."""
        if not self.flattened:
            self.flattened, self._repeat, self.axes = True, self.axes > 0, 0

    def has_size(self, size: int) -> bool:
        """Whether ``size`` features can be these units, which are then laid out over them."""
        units = len(self.unit_of)
        if size % units or (size > units and not self.flattened):
            return False
        lay = np.repeat if self._repeat else np.tile
        self.unit_of, self.values, self.constant = (lay(x, size // units) for x in (self.unit_of, self.values, self.constant))
        return True

    def meets(self, layer: Any) -> bool:
        """Take the units through a layer; whether it treats them one by one."""
        if is_elementwise(layer):
            self.values = elementwise(layer, self.values)
            return True
        if self.axes not in PASSED[type(layer)]:
            return False
        if isinstance(layer, Flatten):
            self.flatten()
        elif isinstance(layer, (MaxPool2d, AvgPool2d)):
            self.constant = self.constant & (keeps_constants(layer) | (self.values == 0))
        elif type(layer) in NORMS:
            return self._normed(layer)
        return True

    def _normed(self, layer: Any) -> bool:
        if not self.has_size(layer.running_mean.size):
            return False
        self.met.append((layer, self.unit_of))
        self.constant = self.constant | no_factor(layer)
        self.values = batch_normed(layer, self.values)
        return True


@dataclass
class Link:
    """``source`` makes the units, ``between`` they pass, ``reader`` reads them. ``flat``: what flows has two axes, samples and units."""

    source: Any
    between: list[Module]
    reader: Any
    flat: bool = True

    def shrink(self) -> None:
        """Drop the units that nobody reads, or that are constant and fit into the reader's bias.

        One unit stays where all could go, as a layer has at least one; it is cut off on both sides.
        """
        flow = self._flow()
        if flow is None:
            return
        read = ~dead_inputs(self.reader)
        foldable = flow.constant & np.isfinite(flow.values) & (~np.bool_(pads(self.reader)) | (flow.values == 0))
        needed = np.bincount(flow.unit_of, weights=read & ~foldable, minlength=self.units) > 0
        if needed.all():
            return
        gone = ~needed[flow.unit_of]
        self._fold(np.where(gone & read, flow.values, 0.0))
        if needed.any():
            self._keep(flow, needed)
        else:
            self._cut(flow)

    @property
    def units(self) -> int:
        """How many units the source has."""
        source = self.source
        return source.indices.size if isinstance(source, Select) else source.weight.shape[UNITS[type(source)]]

    def _flow(self) -> Flow | None:
        """The units as they arrive at the reader; None where they do not arrive one by one."""
        flow = self._start()
        for layer in self.between:
            lost = type(layer) in NORMS and flow.axes == 0 and not (self.flat or flow.flattened)
            if lost or not flow.meets(layer):
                return None
        axis = INPUTS[type(self.reader)]
        arrives = flow.axes == _axes_after(self.reader) and flow.has_size(self.reader.weight.shape[axis])
        return flow if arrives else None

    def _start(self) -> Flow:
        values, constant = np.zeros(self.units), np.zeros(self.units, bool)
        if isinstance(self.source, Select):
            return Flow(np.arange(self.units), values, constant, -1 - self.source.axis)
        if self.source.bias is not None:
            values = self.source.bias.data.astype(np.float64)
        return Flow(np.arange(self.units), values, dead_units(self.source), _axes_after(self.source))

    def _fold(self, constants: np.ndarray) -> None:
        """Add what these inputs bring to the reader's bias; a bias is made where there is none."""
        reader, axis = self.reader, INPUTS[type(self.reader)]
        brought = np.tensordot(constants, reader.weight.data.astype(np.float64), (0, axis))
        brought = brought.reshape(len(brought), -1).sum(axis=1)
        if not brought.any():
            return
        if reader.bias is None:
            reader.bias = Tensor(np.zeros(len(brought)), requires_grad=reader.weight.requires_grad, dtype=reader.weight.dtype, name="bias")
        give(reader, "bias", reader.bias.data + brought)

    def _keep(self, flow: Flow, kept: np.ndarray) -> None:
        give(self.reader, "weight", np.compress(kept[flow.unit_of], self.reader.weight.data, INPUTS[type(self.reader)]))
        for layer, unit_of in flow.met:
            for name in ("weight", "bias", "running_mean", "running_var"):
                if getattr(layer, name) is not None:
                    give(layer, name, getattr(layer, name).data[kept[unit_of]])
        if isinstance(self.source, Select):
            give(self.source, "indices", self.source.indices.data[kept])
            return
        give(self.source, "weight", np.compress(kept, self.source.weight.data, UNITS[type(self.source)]))
        if self.source.bias is not None:
            give(self.source, "bias", self.source.bias.data[kept])

    def _cut(self, flow: Flow) -> None:
        """Keep one unit that does nothing."""
        stays = int(flow.unit_of[0])
        finite = bool(np.isfinite(flow.values[flow.unit_of == stays]).all())  # 0·∞ would not be 0
        give(self.reader, "weight", np.zeros_like(self.reader.weight.data))
        self._keep(flow, np.arange(self.units) == stays)
        if finite and not isinstance(self.source, Select):
            give(self.source, "weight", np.zeros_like(self.source.weight.data))


def _axes_after(layer: Any) -> int:
    """How many axes follow that of the units."""
    return 0 if isinstance(layer, (Linear, Embedding)) else layer.weight.ndim - 2
