"""Kernels as loops: which loop is inside, how many rows at a time, where sums are kept while they grow.

The innermost loop runs along the axis where most arrays are contiguous, ``width`` elements at a time; what is left at its end is one
step with a mask. The loop around it does several rows at once, so that what all rows need is loaded once, and a sum over rows is
written once for all of them. A sum along the inner loop grows in a register; one along an outer loop in a small array on the stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from ..program import Value
from . import maths
from .code import F4, F8, I8, Code, Word, llvm_type
from .maths import FUNCTIONS
from .nodes import Node
from .points import At, Index, Points, Written
from .schedule import Kernel, Schedule, folded_axes, out_index, spans

__all__ = ["write_kernel"]

ROWS, MANY, STACK = 4, 512, 1 << 15


@dataclass(eq=False, slots=True)
class Fold:
    """A sum, product or extreme along loops, while it grows."""

    node: Node
    axes: tuple[int, ...]
    dtype: Any
    start: int  # the position of the outermost loop it is folded along
    kept: list[int]  # axes inside of that which it is not folded along: then it is an array
    cells: dict[Any, str] = field(default_factory=dict)  # registers by place, as space on the stack
    array: str = ""
    sizes: tuple[int, ...] = ()


def write_kernel(code: Code, schedule: Schedule, written: Written, kernel: Kernel, stored: set[int]) -> None:
    """Write the loops of a kernel at the end of the function; ``stored`` are the ids of values that must be in memory."""
    _Nest(code, schedule, written, kernel, stored).write()


class _Nest:
    def __init__(self, code: Code, schedule: Schedule, written: Written, kernel: Kernel, stored: set[int]) -> None:
        self.code = code
        self.kernel = kernel
        self.stored = stored
        self.written = written
        self.points = Points(code, schedule, written, kernel)
        self.schedule = schedule
        self.extents = list(kernel.extents)
        if kernel.flat:
            self.extents = [int(np.prod(kernel.members[0][0].dims, dtype=int))]
        self.order = self._order()
        self.members = [(node, self._axes(node, axes)) for node, axes in kernel.members]
        self.folds = [self._fold(node, axes) for node, axes in self.members if node.fold and (spans(node) or kernel.flat)]
        self.rows, self.steps = self._copies()

    def _axes(self, node: Node, axes: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(0 if size > 1 else -1 for size in node.dims) if self.kernel.flat else axes

    # ------------------------------------------------------------------------------------------ choices

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
        """For each axis how many arrays are contiguous along it, less those that are strided."""
        scores = [0] * len(self.extents)
        for key, indices in self.kernel.touched.items():
            value = self.kernel.inputs.get(key)
            if value is None:
                continue
            strides = self.written.strides(value)
            for index in indices:
                for e, stride in zip(index, strides, strict=False):
                    if e < 0 and stride:
                        scores[~e] += 2 if stride == 1 else -1
        for node, axes in self.kernel.members:
            if id(node.out) in self.stored and not spans(node):
                for d, stride in zip(node.axes, self.written.strides(node.out), strict=True):
                    if d is not None and axes[d] >= 0 and stride:
                        scores[axes[d]] += 2 if stride == 1 else -1
        return scores

    def _copies(self) -> tuple[int, int]:
        """How many rows, and how many steps of the inner loop, are written side by side."""
        if not self.order or not self.folds:
            return 1, 1
        lanes = sum(self._lanes(fold) for fold in self.folds if not fold.kept)
        if len(self.order) > 1:
            rows = ROWS if lanes * ROWS <= 16 else 2 if lanes <= 16 else 1
            return max(1, min(rows, self.extents[self.order[-2]])), 1
        price = sum(maths.cost(part.name) for node, _ in self.members for part in node.form.parts)
        return 1, 4 if price < 30 and lanes <= 4 else 2 if price < 60 and lanes <= 8 else 1

    def _lanes(self, fold: Fold) -> int:
        return int(np.prod([fold.node.dims[d] for d in self._written_out(fold.node, fold.axes)], dtype=int))

    def _written_out(self, node: Node, axes: tuple[int, ...]) -> list[int]:
        return [d for d in range(len(node.dims)) if axes[d] < 0 and d not in node.folded]

    def _width(self) -> int:
        if not self.order:
            return 1
        sizes = [np.dtype(kind).itemsize for node, _ in self.members for kinds in (*node.kinds, (node.out.dtype,)) for kind in kinds if kind is not None]
        floats = [np.dtype(kind).itemsize for node, _ in self.members for kinds in (*node.kinds, (node.out.dtype,)) for kind in kinds if kind is not None and np.dtype(kind).kind == "f"]
        width = self.code.width_bytes // max(4, max(floats or sizes))
        while width > 1 and width // 2 >= self.extents[self.order[-1]]:
            width //= 2
        return width

    # ------------------------------------------------------------------------------------------ loops

    def write(self) -> None:
        """The whole nest."""
        self.code.width = self._width()
        self.points.kernel_extent = self.extents[self.order[-1]] if self.order else 1
        if not self.order:
            self._body({})
        elif all(self.extents):
            self._loop(0, {})
        else:
            self._nothing()
        self.code.width, self.code.mask = 1, None

    def _nothing(self) -> None:
        """Sums of nothing."""
        self.code.width = 1
        for fold in self.folds:
            self._begin(fold, {})
            self._end(fold, {})

    def _loop(self, position: int, at: dict[int, list[At]]) -> None:
        starting = [fold for fold in self.folds if fold.start == position]
        for fold in starting:
            self._begin(fold, at)
        if position == len(self.order) - 1:
            self._inner(at)
        else:
            self._outer(position, at)
        for fold in starting:
            self._end(fold, at)

    def _outer(self, position: int, at: dict[int, list[At]]) -> None:
        axis = self.order[position]
        extent, rows = self.extents[axis], self.rows if position == len(self.order) - 2 else 1
        if extent >= rows * 2:
            with self.code.loop(extent, rows) as counter:
                places = [self._plus(counter, r) for r in range(rows)]
                self._loop(position + 1, at | {axis: [At(word) for word in places]})
            rest = range(extent // rows * rows, extent)
        else:
            rest = range(extent)
        for first in range(rest.start, rest.stop, rows):
            places = [self.code.number(r, I8) for r in range(first, min(first + rows, rest.stop))]
            self._loop(position + 1, at | {axis: [At(word) for word in places]})

    def _plus(self, counter: Word, by: int) -> Word:
        return self.code.op("add nuw nsw", counter, self.code.number(by, I8)) if by else counter

    def _inner(self, at: dict[int, list[At]]) -> None:
        """The innermost loop: full steps, then what is left with a mask."""
        axis, width = self.order[-1], self.code.width
        extent, wide = self.extents[axis], self.code.width > 1
        full, step = extent // width, self.steps
        if full >= 2 * step:
            with self.code.loop(full // step * step * width, step * width) as counter:
                self._body(at | {axis: [At(self._plus(counter, u * width), wide) for u in range(step)]})
            done = full // step * step
        else:
            done = 0
        for i in range(done, full):
            self._body(at | {axis: [At(self.code.number(i * width, I8), wide)]})
        if extent % width:
            self.code.mask = f"<{', '.join('i1 true' if i < extent % width else 'i1 false' for i in range(width))}>"
            self._body(at | {axis: [At(self.code.number(full * width, I8), wide)]})
            self.code.mask = None

    # ------------------------------------------------------------------------------------------- body

    def _body(self, at: dict[int, list[At]]) -> None:
        """All members at one step of the loops, or at several side by side."""
        stores: list[tuple[Value, Index, Word]] = []
        level = len(self.code.levels) - 1
        axes = list(at)
        copies = list(product(*(range(len(places)) for places in at.values())))
        for node, own_axes in self.members:
            fold = next((f for f in self.folds if f.node is node), None)
            if fold is not None:
                self._grow(fold, at, copies)
                continue
            for copy in copies:
                places = {axis: at[axis][i] for axis, i in zip(axes, copy, strict=True)}
                for own in self._indices(node, own_axes, places):
                    word = self.points.at(node, own)
                    index = own if self.kernel.flat else out_index(node, own)
                    if not self.order:
                        self.written.words[id(node.out), index] = word
                    if id(node.out) in self.stored:
                        stores.append((node.out, index, word))
        for value, index, word in stores:
            self.points.store(value, index, word, level)

    def _indices(self, node: Node, axes: tuple[int, ...], places: dict[int, At]) -> list[Index]:
        """The node's own index here, once for each place along kept dimensions that are written out."""
        if self.kernel.flat:
            return [(places[0],)]
        free = self._written_out(node, axes)
        found = []
        for combination in product(*(range(node.dims[d]) for d in free)):
            chosen = dict(zip(free, combination, strict=True))
            found.append(tuple(places[axes[d]] if axes[d] >= 0 else chosen.get(d, 0) for d in range(len(node.dims))))
        return found

    # ------------------------------------------------------------------------------------------ folds

    def _fold(self, node: Node, axes: tuple[int, ...]) -> Fold:
        folded = folded_axes(node, axes)
        start = min(self.order.index(a) for a in folded)
        kept = [a for a in self.order[start:] if a not in folded]
        count = int(np.prod([self.extents[a] for a in folded], dtype=int))
        precise = node.fold == "add" and not node.exact and node.out.dtype == F4 and count > MANY and not kept
        return Fold(node, axes, F8 if precise else np.dtype(node.out.dtype), start, kept)

    def _places(self, fold: Fold) -> list[Index]:
        free = [] if self.kernel.flat else self._written_out(fold.node, fold.axes)
        found = []
        for combination in product(*(range(fold.node.dims[d]) for d in free)):
            chosen = dict(zip(free, combination, strict=True))
            found.append(tuple(chosen.get(d, 0) for d in range(len(fold.node.dims))))
        return found

    def _rows_of(self, fold: Fold, at: dict[int, list[At]]) -> int:
        """How many rows at once have a register each."""
        row = self.order[-2] if len(self.order) > 1 else None
        return len(at[row]) if row in at and row not in folded_axes(fold.node, fold.axes) else 1

    def _begin(self, fold: Fold, at: dict[int, list[At]]) -> None:
        neutral = self.points.neutral(fold.node, fold.dtype)
        level = len(self.code.levels) - 1
        if fold.kept:
            self._begin_array(fold, neutral)
            return
        fold.cells = {}
        wide = self._wide(fold)
        kind = llvm_type(fold.dtype, self.code.width if wide else 1)
        word = self.code.widened(neutral) if wide else neutral
        for place in self._places(fold):
            for copy in product(range(self._rows_of(fold, at)), range(self.steps)):
                cell = self.code.at_entry(f"alloca {kind}, align 64", "a")
                fold.cells[place, copy] = cell
                self.code.line(level, f"store {kind} {word.text}, ptr {cell}")

    def _begin_array(self, fold: Fold, neutral: Word) -> None:
        """Space on the stack, one plane for each written-out place, filled with what the fold begins with."""
        width = self.code.width
        fold.sizes = tuple(-(-self.extents[a] // width) * width if a == self.order[-1] else self.extents[a] for a in fold.kept)
        count = int(np.prod(fold.sizes, dtype=int)) * len(self._places(fold))
        kind = llvm_type(fold.dtype)
        if count * fold.dtype.itemsize <= STACK:
            fold.array = self.code.at_entry(f"alloca [{count} x {kind}], align 64", "a")
        else:
            fold.array = self.written.space(count * fold.dtype.itemsize)
        step = width if count % width == 0 else 1
        text = (self.code.widened(neutral) if step > 1 else neutral).text
        whole = llvm_type(fold.dtype, step)
        with self.code.loop(count, step) as counter:
            address = self.code.put(counter.level, f"getelementptr {kind}, ptr {fold.array}, i64 {counter.text}")
            self.code.line(counter.level, f"store {whole} {text}, ptr {address}, align {fold.dtype.itemsize * step}")

    def _grow(self, fold: Fold, at: dict[int, list[At]], copies: Sequence[tuple[int, ...]]) -> None:
        """Add this step's elements to the fold."""
        new: dict[Any, list[Word]] = {}
        where: dict[Any, list[At]] = {}
        for copy in copies:
            which = dict(zip(at, copy, strict=True))
            places = {axis: at[axis][i] for axis, i in which.items()}
            kept = [places[a] for a in fold.kept]
            row = which[self.order[-2]] if self._rows_of(fold, at) > 1 else 0
            cell = tuple(e.word.text for e in kept) if kept else (row, which[self.order[-1]])
            for own, place in zip(self._indices(fold.node, fold.axes, places), self._places(fold), strict=True):
                for whole in self.points._places(fold.node, own):
                    word = self.code.cast(self.points.elements(fold.node, whole), fold.dtype)
                    new.setdefault((place, cell), []).append(self._masked(fold, word))
                    where[place, cell] = kept
        for (place, cell), words in new.items():
            total = words[0]
            for word in words[1:]:
                total = self._combined(fold, total, word)
            address = self._cell(fold, place, where[place, cell]) if fold.kept else fold.cells[place, cell]
            self._add(fold, address, total)

    def _masked(self, fold: Fold, word: Word) -> Word:
        """With what is not there replaced by what changes nothing."""
        if self.code.mask is None or self.order[-1] not in folded_axes(fold.node, fold.axes):
            return word
        word, neutral = self.code.widened(word), self.code.widened(self.points.neutral(fold.node, fold.dtype))
        level = len(self.code.levels) - 1
        kind = llvm_type(fold.dtype, self.code.width)
        made = self.code.put(level, f"select <{self.code.width} x i1> {self.code.mask}, {kind} {word.text}, {kind} {neutral.text}")
        return Word(made, fold.dtype, True, level)

    def _combined(self, fold: Fold, a: Word, b: Word) -> Word:
        if fold.node.fold in ("add", "multiply") and fold.dtype.kind == "f":
            return self.code.op(f"f{'add' if fold.node.fold == 'add' else 'mul'} contract reassoc", a, b)
        return FUNCTIONS[fold.node.fold](self.code, a, b)

    def _add(self, fold: Fold, address: str, word: Word) -> None:
        level, wide = len(self.code.levels) - 1, self._wide(fold)
        kind = llvm_type(fold.dtype, self.code.width if wide else 1)
        old = Word(self.code.put(level, f"load {kind}, ptr {address}"), fold.dtype, wide, level)
        new = self._combined(fold, old, word)
        self.code.line(level, f"store {kind} {new.text}, ptr {address}")

    def _wide(self, fold: Fold) -> bool:
        """Whether what grows is a wide word: along the inner loop, or one for each of its steps."""
        inner = self.order[-1]
        return self.code.width > 1 and (inner in fold.kept if fold.kept else inner in folded_axes(fold.node, fold.axes))

    def _cell(self, fold: Fold, place: Index, kept: Sequence[At]) -> str:
        plane = self._places(fold).index(place) * int(np.prod(fold.sizes, dtype=int))
        strides = [int(np.prod(fold.sizes[i + 1 :], dtype=int)) for i in range(len(fold.sizes))]
        return self.points.address(fold.array, fold.dtype, plane, list(zip(strides, kept, strict=True)))[0]

    def _end(self, fold: Fold, at: dict[int, list[At]]) -> None:
        """The finished fold, to where it belongs."""
        if fold.kept:
            self._end_array(fold, at, 0, {})
            return
        level = len(self.code.levels) - 1
        wide = self._wide(fold)
        kind = llvm_type(fold.dtype, self.code.width if wide else 1)
        for place in self._places(fold):
            for row in range(self._rows_of(fold, at)):
                words = [
                    Word(self.code.put(level, f"load {kind}, ptr {fold.cells[place, (row, u)]}"), fold.dtype, wide, level) for u in range(self.steps)
                ]
                total = words[0]
                for word in words[1:]:
                    total = self._combined(fold, total, word)
                total = self.code.cast(self._across(fold, total) if wide else total, fold.node.out.dtype)
                places = {axis: found[min(row, len(found) - 1)] for axis, found in at.items()}
                self._finished(fold, place, places, total)

    def _finished(self, fold: Fold, place: Index, places: dict[int, At], word: Word) -> None:
        own = tuple(places[a] if a in places and d not in fold.node.folded else place[d] for d, a in enumerate(fold.axes))
        index = out_index(fold.node, own)
        if all(isinstance(e, int) for e in index) and word.level == 0 and not word.wide:
            self.written.words[id(fold.node.out), index] = word
        if id(fold.node.out) in self.stored:
            flat, self.kernel.flat = self.kernel.flat, False
            self.points.store(fold.node.out, index, word, len(self.code.levels) - 1)
            self.kernel.flat = flat

    def _across(self, fold: Fold, word: Word) -> Word:
        """All numbers of a wide word folded into one."""
        floats = fold.dtype.kind == "f"
        kind, one = llvm_type(fold.dtype, self.code.width), llvm_type(fold.dtype)
        name = {"add": "add", "multiply": "mul", "maximum": "max", "minimum": "min"}[fold.node.fold]
        if fold.dtype.kind == "b":
            name = "or" if fold.node.fold == "maximum" else "and"
        elif fold.node.fold in ("maximum", "minimum"):
            name = f"f{fold.node.fold}" if floats else {"i": "s", "u": "u"}[fold.dtype.kind] + name
        elif floats:
            name = f"f{name}"
        short = llvm_type(fold.dtype).replace("float", "f32").replace("double", "f64")
        full = f"llvm.vector.reduce.{name}.v{self.code.width}{short}"
        start = f"{one} {self.points.neutral(fold.node, fold.dtype).text}, " if name in ("fadd", "fmul") else ""
        self.code.declared[full] = f"declare {one} @{full}({f'{one}, ' if start else ''}{kind})"
        flags = "reassoc " if start else ""
        return Word(self.code.put(word.level, f"call {flags}{one} @{full}({start}{kind} {word.text})"), fold.dtype, False, word.level)

    def _end_array(self, fold: Fold, at: dict[int, list[At]], i: int, kept: dict[int, At]) -> None:
        """Copy the array to where the value belongs, loop by loop."""
        if i == len(fold.kept):
            level = len(self.code.levels) - 1
            for place in self._places(fold):
                address = self._cell(fold, place, [kept[a] for a in fold.kept])
                wide = self._wide(fold)
                kind = llvm_type(fold.dtype, self.code.width if wide else 1)
                word = Word(self.code.put(level, f"load {kind}, ptr {address}"), fold.dtype, wide, level)
                places = {axis: found[0] for axis, found in at.items()} | kept
                self._finished(fold, place, places, self.code.cast(word, fold.node.out.dtype))
            return
        axis = fold.kept[i]
        if axis != self.order[-1]:
            with self.code.loop(self.extents[axis], 1) as counter:
                self._end_array(fold, at, i + 1, kept | {axis: At(counter)})
            return
        width, extent, wide = self.code.width, self.extents[axis], self.code.width > 1
        if extent >= width:
            with self.code.loop(extent, width) as counter:
                self._end_array(fold, at, i + 1, kept | {axis: At(counter, wide)})
        if extent % width:
            self.code.mask = f"<{', '.join('i1 true' if j < extent % width else 'i1 false' for j in range(width))}>"
            self._end_array(fold, at, i + 1, kept | {axis: At(self.code.number(extent // width * width, I8), wide)})
            self.code.mask = None
