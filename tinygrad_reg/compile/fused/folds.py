"""Sums, products and extremes along loops: where they are kept while they grow.

One that is folded along the innermost loops grows in registers. One that is folded along an outer loop only grows in a small array,
one cell for each point of the loops inside, which is copied to its place at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from .code import F4, F8, Word, llvm_type, suffix
from .functions import FUNCTIONS
from .kernels import folded_axes
from .memory import At, Index, Written
from .nodes import Node
from .points import Points

__all__ = ["Fold"]

LONG, LONG_IN_ARRAYS, LONG_PRODUCT = 512, 4096, 1 << 15  # from so many terms on, float32 is added up in float64
STACK = 1 << 17  # bytes for all arrays of a function; further ones lie in the scratch memory
Places = dict[int, list[At]]  # by axis, where the copies that are written side by side are


class Fold:
    """One fold of a kernel. ``start`` is the position of the outermost loop that it is folded along; ``kept`` are axes further in."""

    def __init__(self, points: Points, node: Node, axes: tuple[int, ...], order: Sequence[int], extents: Sequence[int]) -> None:
        self.points, self.code, self.memory = points, points.code, points.memory
        self.node, self.axes, self.order, self.extents = node, axes, order, extents
        self.folded = folded_axes(node, axes)
        self.start = min(order.index(a) for a in self.folded)
        self.kept = [a for a in order[self.start :] if a not in self.folded]
        self.dtype = self._kind()
        self.free = [d for d in range(len(node.dims)) if axes[d] < 0 and d not in node.folded] if not points.kernel.flat else []
        self.lanes: list[Index] = []  # the places along kept dimensions that are written out
        for places in product(*(range(node.dims[d]) for d in self.free)):
            chosen = dict(zip(self.free, places, strict=True))
            self.lanes.append(tuple(chosen.get(d, 0) for d in range(len(node.dims))))
        self.cells: dict[Any, str] = {}  # registers, by lane and copy
        self.array = ""
        self.sizes: tuple[int, ...] = ()

    def _kind(self) -> Any:
        count = prod(self.extents[a] for a in self.folded)
        long = LONG_PRODUCT if self.node.exact else LONG_IN_ARRAYS if self.kept else LONG
        return F8 if self.node.fold == "add" and self.node.out.dtype == F4 and count > long else np.dtype(self.node.out.dtype)

    @property
    def inner(self) -> int:
        """The axis of the innermost loop."""
        return self.order[-1]

    @property
    def wide(self) -> bool:
        """Whether what grows is a wide word: along the inner loop, or one for each of its steps."""
        return self.code.width > 1 and self.inner in (self.kept or self.folded)

    @property
    def type(self) -> str:
        """The type of what grows."""
        return llvm_type(self.dtype, self.code.width if self.wide else 1)

    @property
    def align(self) -> int:
        """At multiples of how many bytes it lies."""
        return min(64, self.dtype.itemsize * (self.code.width if self.wide else 1))

    def rows(self, at: Places) -> int:
        """How many rows are done at once that have a register each."""
        row = self.order[-2] if len(self.order) > 1 else None
        return len(at[row]) if row in at and row not in self.folded else 1

    def combined(self, a: Word, b: Word) -> Word:
        """Two parts of the fold as one."""
        if self.node.fold in ("add", "multiply") and self.dtype.kind == "f":
            return self.code.op(f"f{'add' if self.node.fold == 'add' else 'mul'} contract reassoc", a, b)
        return FUNCTIONS[self.node.fold](self.code, a, b)

    # ------------------------------------------------------------------------------------------- begin

    def begin(self, at: Places, steps: int, written: Written) -> None:
        """Write what comes before the loops."""
        neutral = self.points.neutral(self.node, self.dtype)
        if self.kept:
            self._begin_array(neutral, written)
            return
        level = len(self.code.levels) - 1
        word = self.code.widened(neutral) if self.wide else neutral
        self.cells = {}
        for lane in self.lanes:
            for copy in product(range(self.rows(at)), range(steps)):
                cell = self.cells[lane, copy] = self.code.at_entry(f"alloca {self.type}, align 64", "a")
                self.code.line(level, f"store {self.type} {word.text}, ptr {cell}, align {self.align}")

    def _begin_array(self, neutral: Word, written: Written) -> None:
        width, size = self.code.width, self.dtype.itemsize
        self.sizes = tuple(-(-self.extents[a] // width) * width if a == self.inner else self.extents[a] for a in self.kept)
        count = prod(self.sizes) * len(self.lanes)
        one = llvm_type(self.dtype)
        if self.code.stack + count * size <= STACK:
            self.array = self.code.at_entry(f"alloca [{count} x {one}], align 64", "a")
            self.code.stack += count * size
        else:
            self.array = written.space(count * size)
        step = width if count % width == 0 else 1
        word = self.code.widened(neutral) if step > 1 else neutral
        with self.code.loop(count, step) as counter:
            address = self.code.put(counter.level, f"getelementptr {one}, ptr {self.array}, i64 {counter.text}")
            self.code.line(counter.level, f"store {llvm_type(self.dtype, step)} {word.text}, ptr {address}, align {min(64, size * step)}")

    # -------------------------------------------------------------------------------------------- grow

    def grow(self, at: Places, indices: Sequence[tuple[dict[int, int], dict[int, At], list[Index]]]) -> None:
        """Write one step: for each copy, which it is, where it is, and the node's index for each lane."""
        new: dict[Any, list[Word]] = {}
        where: dict[Any, list[At]] = {}
        for which, places, own in indices:
            kept = [places[a] for a in self.kept]
            row = which[self.order[-2]] if self.rows(at) > 1 else 0
            cell = tuple(e.word.text for e in kept) if kept else (row, which[self.inner])
            for lane, index in zip(self.lanes, own, strict=True):
                words = [self._masked(self.code.cast(word, self.dtype)) for word in self.points.elements(self.node, index)]
                new.setdefault((lane, cell), []).extend(words)
                where[lane, cell] = kept
        level = len(self.code.levels) - 1
        for (lane, cell), words in new.items():
            if not words:  # a written-out dimension of size 0
                continue
            address = self._address(lane, where[lane, cell]) if self.kept else self.cells[lane, cell]
            old = self._loaded(address, level)
            total = self.combined(old, self._all(words))
            self.code.line(level, f"store {self.type} {total.text}, ptr {address}, align {self.align}")

    def _loaded(self, address: str, level: int) -> Word:
        """What has grown so far."""
        return Word(self.code.put(level, f"load {self.type}, ptr {address}, align {self.align}"), self.dtype, self.wide, level)

    def _all(self, words: Sequence[Word]) -> Word:
        total = words[0]
        for word in words[1:]:
            total = self.combined(total, word)
        return total

    def _masked(self, word: Word) -> Word:
        """With what is not there, at the end of an axis, replaced by what changes nothing."""
        if self.code.mask is None or self.inner not in self.folded:
            return word
        word, neutral = self.code.widened(word), self.code.widened(self.points.neutral(self.node, self.dtype))
        level, kind = len(self.code.levels) - 1, self.code.type(word)
        made = self.code.put(level, f"select <{self.code.width} x i1> {self.code.mask}, {kind} {word.text}, {kind} {neutral.text}")
        return Word(made, self.dtype, True, level)

    def _address(self, lane: Index, kept: Sequence[At]) -> str:
        strides = [prod(self.sizes[i + 1 :]) for i in range(len(self.sizes))]
        return self.memory.address(self.array, self.dtype, self.lanes.index(lane) * prod(self.sizes), list(zip(strides, kept, strict=True)))[0]

    # --------------------------------------------------------------------------------------------- end

    def end(self, at: Places, steps: int) -> list[tuple[dict[int, At], Index, Word]]:
        """Write what comes after the loops; gives the finished numbers: where, of which lane."""
        level = len(self.code.levels) - 1
        found = []
        for lane in self.lanes:
            for row in range(self.rows(at)):
                cells = [self.cells[lane, (row, u)] for u in range(steps)]
                words = [self._loaded(cell, level) for cell in cells]
                total = self._across(self._all(words))
                places = {axis: copies[min(row, len(copies) - 1)] for axis, copies in at.items()}
                found.append((places, lane, self.code.cast(total, self.node.out.dtype)))
        return found

    def finished(self, kept: Sequence[At]) -> list[tuple[Index, Word]]:
        """What the array holds at a place, when it has grown: one word for each lane."""
        level = len(self.code.levels) - 1
        addresses = [self._address(lane, kept) for lane in self.lanes]
        words = [self._loaded(address, level) for address in addresses]
        return [(lane, self.code.cast(word, self.node.out.dtype)) for lane, word in zip(self.lanes, words, strict=True)]

    def _across(self, word: Word) -> Word:
        """All numbers of a wide word folded into one."""
        if not word.wide:
            return word
        kind, one = self.code.type(word), llvm_type(self.dtype)
        name = self._reduction()
        start = f"{one} {self.points.neutral(self.node, self.dtype).text}, " if name in ("fadd", "fmul") else ""
        full = f"llvm.vector.reduce.{name}.{suffix(kind)}"
        self.code.declared[full] = f"declare {one} @{full}({f'{one}, ' if start else ''}{kind})"
        text = f"call {'reassoc ' if start else ''}{one} @{full}({start}{kind} {word.text})"
        return Word(self.code.put(word.level, text), self.dtype, False, word.level)

    def _reduction(self) -> str:
        """What LLVM calls the fold of a wide word."""
        kind, fold = self.dtype.kind, self.node.fold
        if kind == "b":
            return "or" if fold == "maximum" else "and"
        if fold in ("maximum", "minimum"):
            return f"f{fold}" if kind == "f" else f"{'s' if kind == 'i' else 'u'}{fold[:3]}"
        return ("f" if kind == "f" else "") + ("add" if fold == "add" else "mul")
