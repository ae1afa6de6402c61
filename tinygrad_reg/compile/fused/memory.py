"""Loads and stores of a kernel: single numbers, or ``width`` of them side by side, wherever they lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..program import NUMBER, Value
from .code import BOOL, F8, I8, Code, Word, stored_type, suffix

__all__ = ["At", "Index", "Memory", "Term", "Written"]


class At(NamedTuple):
    """A place along a loop: the number of its first element in this step; ``wide`` if the step covers several."""

    word: Word
    wide: bool = False


Index = tuple[Any, ...]  # of int and At, one for each dimension
Term = tuple[int, At]  # a stride, and the place along it


class Written(NamedTuple):
    """How values lie in memory: their pointers and strides; and the single numbers that the function has at hand."""

    pointer: Callable[[Value], str]
    strides: Callable[[Value], tuple[int, ...]]
    words: dict[Any, Word]  # by id of the value and place
    space: Callable[[int], str]  # so many bytes, for as long as the function runs


def split(strides: Sequence[int], index: Index) -> tuple[int, list[Term]]:
    """An index as a fixed offset and terms that depend on loops."""
    pairs = list(zip(strides, index, strict=True))
    offset = sum(stride * place for stride, place in pairs if isinstance(place, int))
    return offset, [(stride, place) for stride, place in pairs if stride and not isinstance(place, int)]


class Memory:
    """What one kernel loads and stores. A load is done once, in the outermost loop that it can be done in."""

    def __init__(self, code: Code, written: Written, kernel: Any, extent: int) -> None:
        self.code = code
        self.written = written
        self.kernel = id(kernel)
        self.extent = extent  # of the innermost loop

    # ------------------------------------------------------------------------------------------- loads

    def load(self, source: Value, offset: int, terms: Sequence[Term]) -> Word:
        """The element at an offset, and those next to it along a wide place."""
        dtype = F8 if source.kind == NUMBER else np.dtype(source.dtype)
        step = sum(stride for stride, place in terms if place.wide) if self.code.width > 1 else 0
        key = (self.kernel, "load", id(source), offset, step and self.code.mask, *((stride, place.word.text) for stride, place in terms))
        for level in self.code.known:
            if key in level:
                return level[key]
        if step > 1 and len(terms) == 1 and len(self.code.levels) > 2:
            pointer, offset, terms, step = self._packed(source, dtype, offset, step), 0, [(1, terms[0][1])], 1
        else:
            pointer = self.written.pointer(source)
        address, depth = self.address(pointer, dtype, offset, terms)
        bits = np.dtype("i1") if dtype.kind == "b" else dtype
        made = Word(self._loaded(address, dtype, step, depth), bits, bool(step), depth)
        made = self.code.cast(made, BOOL) if dtype.kind == "b" else made
        self.code.known[depth][key] = made
        return made

    def _loaded(self, address: str, dtype: Any, step: int, level: int) -> str:
        code, width = self.code, self.code.width if step else 1
        kind, size = stored_type(dtype, width), dtype.itemsize
        if not step or (step == 1 and code.mask is None):
            return code.put(level, f"load {kind}, ptr {address}, align {size}")
        mask = f"<{width} x i1> {code.mask or _all_of(width)}"
        if step == 1:
            name, pointer = f"llvm.masked.load.{suffix(kind)}.p0", f"ptr {address}"
        else:
            name, pointer = f"llvm.masked.gather.{suffix(kind)}.v{width}p0", self._pointers(address, dtype, step, level)
        code.declared[name] = f"declare {kind} @{name}({_kind(pointer)}, i32, <{width} x i1>, {kind})"
        return code.put(level, f"call {kind} @{name}({pointer}, i32 {size}, {mask}, {kind} zeroinitializer)")

    def _packed(self, source: Value, dtype: Any, offset: int, stride: int) -> str:
        """A copy without gaps, made before the loops: an outer loop would read over the gaps again and again."""
        key = (self.kernel, "packed", id(source), offset, stride)
        if key not in self.code.known[0]:
            width = self.code.width
            copy = self.written.space(-(-self.extent // width) * width * dtype.itemsize)
            with self.code.before_loops(), self.code.loop(self.extent, 1) as counter:
                place, kind = At(counter), stored_type(dtype)
                address, level = self.address(self.written.pointer(source), dtype, offset, [(stride, place)])
                number = self.code.put(level, f"load {kind}, ptr {address}, align {dtype.itemsize}")
                address, level = self.address(copy, dtype, 0, [(1, place)])
                self.code.line(level, f"store {kind} {number}, ptr {address}, align {dtype.itemsize}")
            self.code.known[0][key] = copy
        return str(self.code.known[0][key])

    def _pointers(self, address: str, dtype: Any, step: int, level: int) -> str:
        width = self.code.width
        places = ", ".join(f"i64 {i * step}" for i in range(width))
        return f"<{width} x ptr> {self.code.put(level, f'getelementptr {stored_type(dtype)}, ptr {address}, <{width} x i64> <{places}>')}"

    # ------------------------------------------------------------------------------------------ stores

    def store(self, pointer: str, dtype: Any, offset: int, terms: Sequence[Term], word: Word) -> None:
        """Put a word to an offset, and along a wide place; at the level that is being written."""
        code = self.code
        step = sum(stride for stride, place in terms if place.wide) if code.width > 1 else 0
        word = code.cast(word, dtype)
        word = code.widened(word) if step else word
        address, _ = self.address(pointer, dtype, offset, terms)
        level, width, size = len(code.levels) - 1, code.width if step else 1, dtype.itemsize
        kind, text = stored_type(dtype, width), word.text
        if dtype.kind == "b":
            text = code.put(level, f"zext {code.type(word)} {text} to {kind}")
        if not step or (step == 1 and code.mask is None):
            code.line(level, f"store {kind} {text}, ptr {address}, align {size}")
            return
        mask = f"<{width} x i1> {code.mask or _all_of(width)}"
        if step == 1:
            name, where = f"llvm.masked.store.{suffix(kind)}.p0", f"ptr {address}"
        else:
            name, where = f"llvm.masked.scatter.{suffix(kind)}.v{width}p0", self._pointers(address, dtype, step, level)
        code.declared[name] = f"declare void @{name}({kind}, {_kind(where)}, i32, <{width} x i1>)"
        code.line(level, f"call void @{name}({kind} {text}, {where}, i32 {size}, {mask})")

    # --------------------------------------------------------------------------------------- addresses

    def address(self, pointer: str, dtype: Any, offset: int, terms: Sequence[Term]) -> tuple[str, int]:
        """Where an element is, worked out as far outside of the loops as can be; and at which level that is known."""
        kind, level = stored_type(dtype), 0
        where = self._moved(pointer, kind, str(offset), 0) if offset else pointer
        for stride, place in sorted(terms, key=lambda term: term[1].word.level):
            level = max(level, place.word.level)
            if place.word.text != "0":
                by = place.word if stride == 1 else self.code.op("mul nsw", place.word, self.code.number(stride, I8))
                where = self._moved(where, kind, by.text, level)
        return where, level

    def _moved(self, where: str, kind: str, by: str, level: int) -> str:
        known, key = self.code.known[level], ("address", where, kind, by)
        if key not in known:
            known[key] = self.code.put(level, f"getelementptr {kind}, ptr {where}, i64 {by}")
        return str(known[key])


def _all_of(width: int) -> str:
    return f"<{', '.join(['i1 true'] * width)}>"


def _kind(operand: str) -> str:
    """The type of an operand written as ``type name``."""
    return operand.rsplit(" ", 1)[0]
