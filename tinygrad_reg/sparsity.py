"""How sparse a model is: zeros, dead inputs and units, and what storing and multiplying only the rest would save."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .compact.layers import INPUTS, UNITS, dead_inputs, dead_units
from .nn import Module
from .tensor import Tensor
from .text_table import text_table

__all__ = ["SparsityReport", "SparsityRow", "sparsity_report"]


class SparsityRow(NamedTuple):
    """One parameter.

    ``dead_inputs``, ``dead_units``: how many inputs (rows of a Linear layer's weight, in-channels of a convolution's) and units (columns,
    out-channels) have zeros only; None where the parameter has no such thing. ``sparse_bytes``: as CSR, with 4 bytes for each index, of the
    parameter as a matrix, see ``sparsity_report``. ``multiplications``: by a weight of Linear, for each sample, and of a convolution for each place
    of its output (where padding is read, too); ``saved`` are those by 0. None for others.
    """

    parameter: str
    shape: tuple[int, ...]
    size: int
    nonzeros: int
    dead_inputs: int | None
    dead_units: int | None
    dense_bytes: int
    sparse_bytes: int
    multiplications: int | None
    saved: int | None

    @property
    def zeros(self) -> float:
        """The share of exact zeros; 0 of a parameter without elements."""
        return 1 - self.nonzeros / self.size if self.size else 0.0


class SparsityReport(list[SparsityRow]):
    """One :class:`SparsityRow` for each parameter; prints as a table, with the ``total`` last."""

    @property
    def total(self) -> SparsityRow:
        """The sums over all parameters."""
        sums = [sum(getattr(row, name) or 0 for row in self) for name in SparsityRow._fields[2:]]
        return SparsityRow("total", (), *sums)

    def __str__(self) -> str:
        head = ("parameter", "shape", "non-zeros", "zeros", "dead inputs", "dead units", "bytes", "as CSR", "multiplications", "saved")
        return text_table([head, *map(_cells, self), _cells(self.total)], right=range(2, len(head)))

    __repr__ = __str__


def sparsity_report(model: Module) -> SparsityReport:
    """How many weights are exactly 0, parameter by parameter, and what could be saved by leaving them out.

    Rows are data: ``report[0].nonzeros``, ``report.total.saved``. Every float Tensor of the model is a parameter here, frozen ones too, but no
    running mean or variance. Bytes as CSR count nnz values, nnz column numbers and rows + 1 row starts, 4 bytes each number; a matrix is taken as
    it lies, a convolution's weight as (out_channels, the rest), anything with one axis as one row. CSR is the larger form unless more than
    about half of the weights are 0 (more than a third at float64). ``tg.compact(model)`` drops dead inputs and units.

    Source: Y. Saad (2003), Iterative methods for sparse linear systems, section 3.4.

    >>> model = nn.Sequential(nn.Linear(3, 2, rng=0))
    >>> _ = model[0].weight.assign([[1.0, 0.0], [0.0, 0.0], [2.0, 0.0]])
    >>> sparsity_report(model)
    parameter  shape   non-zeros   zeros  dead inputs  dead units  bytes  as CSR  multiplications  saved
    0.weight   (3, 2)        2/6   66.7%            1           1     48      40                6      4
    0.bias     (2,)          0/2  100.0%            –           –     16       8                –      –
    total                    2/8   75.0%            1           1     64      48                6      4
    """
    if not isinstance(model, Module):
        raise TypeError(f"sparsity_report: the model is a {type(model).__name__}; it must be a Module, as nn.Sequential(…) or nn.Linear(…).")
    modules: list[Any] = [module for module in model.modules() if type(module) in UNITS]
    layers = {id(module.weight): module for module in modules}
    floats = [(name, x) for name, x in model.named_tensors() if x.dtype.kind == "f" and not name.endswith(("running_mean", "running_var"))]
    return SparsityReport([_row(name, x, layers.get(id(x))) for name, x in floats])


def _row(name: str, x: Tensor, layer: Any) -> SparsityRow:
    nonzeros = int(np.count_nonzero(x.data))
    rows = x.shape[0] if x.ndim > 1 else 1
    multiplies = type(layer) in INPUTS
    return SparsityRow(
        name,
        x.shape,
        x.size,
        nonzeros,
        int(dead_inputs(layer).sum()) if multiplies else None,
        None if layer is None else int(dead_units(layer).sum()),
        x.data.nbytes,
        nonzeros * (x.dtype.itemsize + 4) + 4 * (rows + 1),
        x.size if multiplies else None,
        x.size - nonzeros if multiplies else None,
    )


def _cells(row: SparsityRow) -> tuple[str, ...]:
    numbers = ("–" if n is None else f"{n:,}" for n in row[4:])
    return (row.parameter, str(row.shape) if row.shape else "", f"{row.nonzeros:,}/{row.size:,}", f"{row.zeros:.1%}", *numbers)
