"""Select: some of the inputs, by their places."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.placing import take
from ..tensor import Tensor
from .module import Module

__all__ = ["Select"]


class Select(Module):
    """The inputs at the places ``indices`` along ``axis``, by default the last: ``tg.compact`` puts it in front of a model that reads only some.

    ``indices`` is a buffer of whole numbers: it is in the state, and gets no gradient. Raises ``TypeError`` for what are no whole numbers,
    ``ValueError`` for none, or for negative ones.

    >>> Select([0, 2])(Tensor([[1.0, 2.0, 3.0]]))
    Tensor([[1., 3.]])
    """

    def __init__(self, indices: Any, axis: int = -1) -> None:
        places = np.asarray(indices)
        if places.dtype.kind not in "iu":
            raise TypeError(f"Select: indices must be whole numbers, as in Select([0, 2]); got {places.dtype}.")
        if places.ndim != 1 or places.size == 0 or places.min() < 0:
            raise ValueError(f"Select: indices must be a list of at least one place, counted from 0; got {indices!r}.")
        self.indices = Tensor(places.astype(np.int64), name="indices")
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """x with fewer elements along the axis."""
        return take(x, self.indices, axis=self.axis)

    def extra_repr(self) -> str:
        """How many inputs, the axis if it is not the last, and the first places."""
        shown = ", ".join(map(str, self.indices.tolist()[:8]))
        more = ", …" if self.indices.size > 8 else ""
        return f"[{shown}{more}]" + ("" if self.axis == -1 else f", axis={self.axis}") + (f", {self.indices.size} in all" if more else "")
