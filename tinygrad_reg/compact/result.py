"""What compacting gives back, and how it prints."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..nn import Module
from ..text_table import text_table

__all__ = ["Compacted", "LayerChange"]


class LayerChange(NamedTuple):
    """One layer with parameters: what it was, what it is now, and why it was left as it is, if it was."""

    layer: str
    before: str
    after: str
    left: str


class Compacted(NamedTuple):
    """A smaller model.

    ``difference``: the largest difference of an output on the given data, divided by the largest output; None without data.
    ``kept_inputs``: the places of the inputs that are still read; None where the first layer with inputs was not looked into.
    The numbers of parameters count weights and biases, frozen ones too, but no running means.
    """

    model: Module
    difference: float | None
    kept_inputs: np.ndarray | None
    parameters_before: int
    parameters_after: int
    layers: tuple[LayerChange, ...]

    def __repr__(self) -> str:
        share = self.parameters_after / max(self.parameters_before, 1)
        measured = "not measured: no data was given" if self.difference is None else f"{self.difference:.2g} of the largest output"
        places = self.kept_inputs
        inputs = "all (not looked into)" if places is None else f"{len(places)}: {np.array2string(places, threshold=20)}"
        cells: list[tuple[Any, ...]] = [("layer", "before", "after", "")]
        cells += [(row.layer, row.before, "the same" if row.after == row.before else row.after, row.left) for row in self.layers]
        return "\n".join(
            [
                f"{self.parameters_before:,} → {self.parameters_after:,} parameters ({share:.1%})",
                f"largest difference: {measured}",
                f"inputs kept: {inputs}",
                text_table(cells),
            ]
        )
