"""Kernels as loops: which loop is inside, how wide its steps are, how many rows are done at a time.

The innermost loop runs along the axis where most arrays are contiguous, ``width`` elements at a time; what is left at its end is one
step with a mask. The loop around it does several rows at once, so that what all rows need is loaded once, and a sum over rows is
written once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from .code import I8, Code, Word
from .folds import Fold, Places
from .functions import cost
from .kernels import Kernel, folded_axes, out_index, spans
from .memory import At, Index, Memory, Written, split
from .nodes import Node
from .points import Points
from .schedule import Schedule

__all__ = ["write_kernel"]

ROWS, REGISTERS = 4, 16


def write_kernel(code: Code, schedule: Schedule, written: Written, kernel: Kernel, stored: set[int]) -> None:
    """Write the loops of a kernel at the end of the function; ``stored`` are the ids of values that must be in memory."""
    _Nest(code, schedule, written, kernel, stored).write()


class _Nest:
    def __init__(self, code: Code, schedule: Schedule, written: Written, kernel: Kernel, stored: set[int]) -> None:
        self.code, self.schedule, self.kernel, self.stored, self.written = code, schedule, kernel, stored, written
        self.extents = [prod(kernel.members[0][0].dims)] if kernel.flat else list(kernel.extents)
        self.order = self._order()
        self.memory = Memory(code, written, kernel, self.extents[self.order[-1]] if self.order else 1)
        self.points = Points(code, schedule, written, kernel, self.memory)
        self.members = [(node, self._axes(node, axes)) for node, axes in kernel.members]
        looped = [(node, axes) for node, axes in self.members if node.fold and (spans(node) or kernel.flat)]
        self.folds = {id(node): Fold(self.points, node, axes, self.order, self.extents) for node, axes in looped}
        self.rows, self.steps = self._copies()

    def _axes(self, node: Node, axes: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(0 if size > 1 else -1 for size in node.dims) if self.kernel.flat else axes

    # ----------------------------------------------------------------------------------------- choices

    def _order(self) -> list[int]:
        """The axes from the outermost loop to the innermost."""
        axes = list(range(len(self.extents)))
        if len(axes) < 2:
            return axes
        scores = self._scores()
        inner = max(axes, key=lambda a: (scores[a] if self.extents[a] > 1 else -np.inf, a))
        folded = {a for node, own in self.kernel.members if node.fold for a in folded_axes(node, own)}
        rest = [a for a in axes if a != inner]
        if len(axes) > 2 and inner in folded:
            rest.sort(key=lambda a: a in folded)
        return [*rest, inner]

    def _scores(self) -> list[int]:
        """For each axis how many arrays are contiguous along it, less those that have gaps."""
        scores = [0] * len(self.extents)
        for axis, stride in self._strides():
            scores[axis] += 2 if stride == 1 else -1
        return scores

    def _strides(self) -> Iterator[tuple[int, int]]:
        """Of all that is read and written, along which axis it lies with which stride."""
        for key, indices in self.kernel.touched.items():
            value = self.kernel.inputs.get(key)
            if value is None:
                continue
            for index in indices:
                yield from ((~e, stride) for e, stride in zip(index, self.written.strides(value), strict=False) if e < 0 and stride)
        for node, axes in self.kernel.members:
            if id(node.out) in self.stored and not spans(node):
                pairs = zip(node.axes, self.written.strides(node.out), strict=True)
                yield from ((axes[d], stride) for d, stride in pairs if d is not None and axes[d] >= 0 and stride)

    def _copies(self) -> tuple[int, int]:
        """How many rows, and how many steps of the inner loop, are written side by side."""
        if not self.order or not (self.folds or (len(self.order) > 1 and self._rows_share())):
            return 1, 1
        lanes = sum(len(fold.lanes) for fold in self.folds.values() if not fold.kept)
        if len(self.order) > 1:
            rows = ROWS if lanes * ROWS <= REGISTERS else 2 if lanes <= REGISTERS else 1
            return max(1, min(rows, self.extents[self.order[-2]])), 1
        price = sum(cost(part.name) for node, _ in self.members for part in node.form.parts)
        return 1, 4 if price < 30 and lanes <= 4 else 2 if price < 60 and lanes <= 8 else 1

    def _rows_share(self) -> bool:
        """Whether rows read the same: a factor of a matrix product, or what lies along the rows."""
        row, inner = self.order[-2:]
        made = self.schedule.made
        if any(node.exact for node, _ in self.members) or any(made[key].exact for key in self.kernel.touched if key in made):
            return True
        strides = list(self._strides())
        return (row, 1) in strides and any(axis == inner and stride > 1 for axis, stride in strides)

    def _width(self) -> int:
        """As many of the largest floats (else, of the largest numbers) as a register holds; no more than the axis has."""
        if not self.order:
            return 1
        kinds = [np.dtype(kind) for node, _ in self.members for kinds in (*node.kinds, (node.out.dtype,)) for kind in kinds if kind is not None]
        floats = [kind for kind in kinds if kind.kind == "f"]
        width = self.code.width_bytes // max(4, *(kind.itemsize for kind in floats or kinds))
        while width > 1 and width // 2 >= self.extents[self.order[-1]]:
            width //= 2
        return width

    # ------------------------------------------------------------------------------------------- loops

    def write(self) -> None:
        """The whole nest."""
        self.code.width = self._width()
        if not self.order:
            self._body({})
        elif all(self.extents):
            self._loop(0, {})
        else:  # there is nothing to compute but sums of nothing
            for fold in self.folds.values():
                fold.begin({}, self.steps, self.written)
                self._end(fold, {})
        self.code.width, self.code.mask = 1, None

    def _loop(self, position: int, at: Places) -> None:
        starting = [fold for fold in self.folds.values() if fold.start == position]
        for fold in starting:
            fold.begin(at, self.steps, self.written)
        if position == len(self.order) - 1:
            for step in self._inner():
                self._body(at | {self.order[position]: step})
        else:
            self._outer(position, at)
        for fold in starting:
            self._end(fold, at)

    def _outer(self, position: int, at: Places) -> None:
        """A loop over rows, several at a time, and the rows that are left."""
        axis = self.order[position]
        extent, rows, done = self.extents[axis], self.rows if position == len(self.order) - 2 else 1, 0
        if extent >= rows * 2:
            done = extent // rows * rows
            with self.code.loop(extent, rows) as counter:
                self._loop(position + 1, at | {axis: [At(self._plus(counter, r)) for r in range(rows)]})
        for first in range(done, extent, rows):
            self._loop(position + 1, at | {axis: [At(self.code.number(r, I8)) for r in range(first, min(first + rows, extent))]})

    def _plus(self, counter: Word, by: int) -> Word:
        return self.code.op("add nuw nsw", counter, self.code.number(by, I8)) if by else counter

    def _inner(self, copies: int | None = None) -> Iterator[list[At]]:
        """The steps of the innermost loop, each to be written as it comes: a loop, what is left of full steps, the rest with a mask."""
        width, extent, copies = self.code.width, self.memory.extent, copies or self.steps
        full, wide, done = extent // width, width > 1, 0
        if full >= 2 * copies:
            done = full // copies * copies
            with self.code.loop(done * width, copies * width) as counter:
                yield [At(self._plus(counter, u * width), wide) for u in range(copies)]
        for i in range(done, full):
            yield [At(self.code.number(i * width, I8), wide)]
        if extent % width:
            self.code.mask = f"<{', '.join('i1 true' if i < extent % width else 'i1 false' for i in range(width))}>"
            yield [At(self.code.number(full * width, I8), wide)]
            self.code.mask = None

    # -------------------------------------------------------------------------------------------- body

    def _body(self, at: Places) -> None:
        """All members at one step of the loops, or at several side by side. What is stored is stored in the end, when all has been read."""
        stores: list[tuple[Node, Index, Word]] = []
        copies = [dict(zip(at, copy, strict=True)) for copy in product(*(range(len(places)) for places in at.values()))]
        for node, axes in self.members:
            here = [{axis: at[axis][i] for axis, i in copy.items()} for copy in copies]
            indices = [self._indices(node, axes, places) for places in here]
            if id(node) in self.folds:
                self.folds[id(node)].grow(at, list(zip(copies, here, indices, strict=True)))
                continue
            for own in (own for each in indices for own in each):
                word = self.points.at(node, own)
                if not self.order:
                    self.written.words[id(node.out), out_index(node, own)] = word
                if id(node.out) in self.stored:
                    stores.append((node, own, word))
        for node, own, word in stores:
            where = (0, [(1, own[0])]) if self.kernel.flat else split(self.written.strides(node.out), out_index(node, own))
            self._store(node, where, word)

    def _store(self, node: Node, where: tuple[int, Sequence[Any]], word: Word) -> None:
        self.memory.store(self.written.pointer(node.out), np.dtype(node.out.dtype), *where, word)

    def _indices(self, node: Node, axes: tuple[int, ...], places: dict[int, At]) -> list[Index]:
        """The node's own index here, once for each place along kept dimensions that are written out."""
        if self.kernel.flat:
            return [(places[0],)]
        free = [d for d in range(len(node.dims)) if axes[d] < 0 and d not in node.folded]
        found = []
        for combination in product(*(range(node.dims[d]) for d in free)):
            chosen = dict(zip(free, combination, strict=True))
            found.append(tuple(places[axes[d]] if axes[d] >= 0 else chosen.get(d, 0) for d in range(len(node.dims))))
        return found

    # ----------------------------------------------------------------------------------- finished folds

    def _end(self, fold: Fold, at: Places) -> None:
        """A fold that is complete goes where it belongs."""
        if fold.kept:
            self._copy(fold, {axis: places[0] for axis, places in at.items()}, 0, {})
            return
        for places, lane, word in fold.end(at, self.steps):
            self._finished(fold, places, lane, word)

    def _copy(self, fold: Fold, outer: dict[int, At], i: int, kept: dict[int, At]) -> None:
        """The array of a fold, to where the value lives, loop by loop."""
        if i == len(fold.kept):
            for lane, word in fold.finished([kept[a] for a in fold.kept]):
                self._finished(fold, outer | kept, lane, word)
        elif fold.kept[i] == self.order[-1]:
            for step in self._inner(1):
                self._copy(fold, outer, i + 1, kept | {fold.kept[i]: step[0]})
        else:
            with self.code.loop(self.extents[fold.kept[i]], 1) as counter:
                self._copy(fold, outer, i + 1, kept | {fold.kept[i]: At(counter)})

    def _finished(self, fold: Fold, places: dict[int, At], lane: Index, word: Word) -> None:
        node = fold.node
        index = out_index(node, tuple(places[a] if a in places and d not in node.folded else lane[d] for d, a in enumerate(fold.axes)))
        if all(isinstance(e, int) for e in index) and word.level == 0:
            self.written.words[id(node.out), index] = word
        if id(node.out) in self.stored:
            self._store(node, split(self.written.strides(node.out), index), word)
