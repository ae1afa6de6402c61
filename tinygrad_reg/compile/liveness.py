"""Which memory each value of a program lies in, and until when it is needed."""

from __future__ import annotations

from collections.abc import Sequence

from ..op import Op
from .passes.packing import Pack
from .program import Program, Value

__all__ = ["FRESH", "VIEWS", "Liveness"]

# What these give may lie in the memory of their first input.
VIEWS = frozenset(["reshape", "permute_dims", "broadcast_to", "expand_dims", "squeeze", "matrix_transpose", "flatten", "ravel", "getitem"])
VIEWS |= {"argument", "unchanging", "astype", "class_labels"}
FRESH = frozenset(
    ["matmul", "sum", "max", "min", "prod", "mean", "cross_entropy", "softmax", "log_softmax", "sum_of_squares", "sum_of_sizes", "one_hot"]
)
FOREVER = 1 << 62


class Liveness:
    """By a value's id: the values in whose memory it may lie, and the last step that reads that memory."""

    def __init__(self, program: Program, packs: Sequence[Pack] = ()) -> None:
        self.lies_in: dict[int, frozenset[int]] = {id(x): frozenset([id(x)]) for x in program.inputs}
        for pack in packs:
            self.lies_in.update({id(part): frozenset([id(part), id(pack.whole)]) for part in pack.parts})
        self.last_use: dict[int, int] = {}
        for i, step in enumerate(program.steps):
            for x in step.inputs:
                self._used(x, i)
            own = frozenset([id(step.out)])
            self.lies_in[id(step.out)] = own if _is_fresh(step.op) else own.union(*(self.lies_in[id(x)] for x in step.inputs if x.shape or x.parts))
        for x in program.outputs:
            self._used(x, FOREVER)

    def _used(self, x: Value, when: int) -> None:
        for root in self.lies_in[id(x)]:
            self.last_use[root] = when

    def ends(self, x: Value) -> int:
        """The last step that reads x's own memory, also through views of it; -1 if there is none."""
        return self.last_use.get(id(x), -1)


def _is_fresh(op: Op) -> bool:
    return op.name in FRESH or (op.elementwise and op.name not in VIEWS)
