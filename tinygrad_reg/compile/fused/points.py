"""Computing values at points: what a node is at an index, from what is in memory and what has been computed already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ..program import CONSTANT, NUMBER, RESULT, Value
from ..scalar import Given, Made, astype
from .code import BOOL, F8, I8, Code, Word, llvm_type, stored_type
from .maths import FUNCTIONS
from .nodes import Node, Read, row_major
from .schedule import Kernel, Schedule, out_index, own_index

__all__ = ["At", "Index", "Points", "Written"]


class At(NamedTuple):
    """A place along a loop: the number of its first element in this step; ``wide`` if the step covers several."""

    word: Word
    wide: bool = False


Index = tuple[Any, ...]  # of int and At


class Written(NamedTuple):
    """How values lie in memory: their pointers and strides, and numbers that the function keeps at hand."""

    pointer: Callable[[Value], str]
    strides: Callable[[Value], tuple[int, ...]]
    words: dict[Any, Word]  # single numbers by id of the value and place
    space: Callable[[int], str]  # so many bytes, for as long as the function runs


def key_of(value: Value, index: Index) -> tuple[Any, ...]:
    """What tells a value at a place from all others."""
    return (id(value), *(e if isinstance(e, int) else e.word.text for e in index))


class Points:
    """Values at points of one kernel."""

    def __init__(self, code: Code, schedule: Schedule, written: Written, kernel: Kernel) -> None:
        self.code = code
        self.schedule = schedule
        self.written = written
        self.kernel = kernel
        self.mine = {id(node.out) for node, _ in kernel.members}
        self.kernel_extent = 1  # of the innermost loop

    # ------------------------------------------------------------------------------------------ values

    def inside(self, value: Value) -> bool:
        """Whether this kernel computes the value itself."""
        key = id(value)
        return key in self.schedule.made and (key not in self.schedule.roots or key in self.mine)

    def elements(self, node: Node, own: Index) -> Word:
        """What a node's form gives at an index of its own dimensions, before folding; operands are computed first, without recursion."""
        self._prepare([(node, own)])
        return self._element(node, own)

    def at(self, node: Node, own: Index) -> Word:
        """The value of a node that does not fold along a loop."""
        self._prepare([(node, own)])
        return self._whole(node, own)

    def _prepare(self, wanted: list[tuple[Node, Index]]) -> None:
        """Compute all operands that are not there yet, in the order of the program."""
        todo: dict[Any, tuple[Node, Index]] = {}
        stack = [(node, place) for node, own in wanted for place in self._places(node, own)]
        while stack:
            node, own = stack.pop()
            for i, read in enumerate(node.reads):
                where = self.schedule.where[id(node), i]
                if where is None or not self.inside(read.source) or (self.kernel.flat and not any(read.strides)):
                    continue
                index = self._along(where, own)
                key = key_of(read.source, index)
                if key in todo or self._known(key) is not None:
                    continue
                source = self.schedule.made[id(read.source)]
                todo[key] = (source, self._own(source, index))
                stack += [(source, place) for place in self._places(source, todo[key][1])]
        for node, own in sorted(todo.values(), key=lambda pair: pair[0].place):
            self._whole(node, own)

    def _places(self, node: Node, own: Index) -> list[Index]:
        """The index, once for each place along folded dimensions that are written out."""
        folded = [d for d in node.folded if d not in node.loops]
        if not folded or self.kernel.flat:
            return [own]
        found = []
        for places in product(*(range(node.dims[d]) for d in folded)):
            index = list(own)
            for d, place in zip(folded, places, strict=True):
                index[d] = place
            found.append(tuple(index))
        return found

    def _own(self, node: Node, index: Index) -> Index:
        if self.kernel.flat:
            return index
        return own_index(node, index)

    def _along(self, where: Any, own: Index) -> Index:
        if self.kernel.flat and own and not isinstance(own[0], int):
            return own
        return tuple(start if d is None else self._shifted(own[d], start) for d, start in where)

    def _shifted(self, place: Any, by: int) -> Any:
        if isinstance(place, int):
            return place + by
        if not by:
            return place
        return At(self.code.op("add nsw", place.word, self.code.number(by, I8)), place.wide)

    def _known(self, key: Any) -> Word | None:
        for level in self.code.known:
            found = level.get((id(self.kernel), *key))
            if found is not None:
                return found
        return None

    def _whole(self, node: Node, own: Index) -> Word:
        key = key_of(node.out, own if self.kernel.flat else out_index(node, own))
        found = self._known(key)
        if found is None:
            places = self._places(node, own)
            found = self._element(node, places[0]) if places else self.neutral(node)
            for place in places[1:]:
                if node.exact:
                    found = self.code.intrinsic("fma", self.read(node, 0, place), self.read(node, 1, place), found)
                else:
                    found = FUNCTIONS[node.fold](self.code, found, self._element(node, place))
            self.code.known[found.level][id(self.kernel), *key] = found
        return found

    def neutral(self, node: Node, dtype: Any = None) -> Word:
        """What a fold begins with."""
        dtype = dtype or node.out.dtype
        if node.fold in ("add", "multiply"):
            empty = any(node.dims[d] == 0 for d in node.folded)
            return self.code.number((0.0 if empty else -0.0) if node.fold == "add" else 1, dtype)
        low = node.fold == "maximum"
        if dtype.kind == "f":
            return self.code.number(-np.inf if low else np.inf, dtype)
        if dtype.kind == "b":
            return self.code.number(not low, dtype)
        return self.code.number(np.iinfo(dtype).min if low else np.iinfo(dtype).max, dtype)

    def _element(self, node: Node, own: Index) -> Word:
        given = [None if _left_out(read) else self.read(node, i, own) for i, read in enumerate(node.reads)]
        if node.exact:
            return self.code.op("fmul contract", given[0], given[1])  # type: ignore[arg-type]
        made: list[Word] = []

        def operand(x: Any, kind: Any) -> Word:
            if type(x) is Given:
                return self.code.cast(given[x.place], kind)  # type: ignore[arg-type]
            return self.code.cast(made[x.place], kind) if type(x) is Made else self.code.number(x, kind)

        for part, kinds in zip(node.form.parts, node.kinds, strict=True):
            if part.function is astype:
                made.append(self.code.cast(operand(part.operands[0], kinds[0]), kinds[-1]))
            else:
                words = [operand(x, kind) for x, kind in zip(part.operands, kinds, strict=False)]
                made.append(FUNCTIONS[part.name](self.code, *words))
        return operand(node.form.result, np.dtype(node.out.dtype))

    # ------------------------------------------------------------------------------------------ memory

    def read(self, node: Node, i: int, own: Index) -> Word:
        """An operand: computed here, known as a number, or loaded."""
        read, where = node.reads[i], self.schedule.where[id(node), i]
        source = read.source
        if self.kernel.flat and own and not isinstance(own[0], int):
            if any(read.strides):
                if self.inside(source):
                    found = self._known(key_of(source, own))
                    assert found is not None
                    return found
                return self.load(source, 0, [(1, own[0])])
            return self._fixed(source, read.offset)
        if where is not None:
            index = self._along(where, own)
            if self.inside(source):
                found = self._known(key_of(source, index))
                assert found is not None
                return found
            return self.stored(source, index)
        offset = read.offset + sum(stride * place for stride, place in zip(read.strides, own, strict=True) if isinstance(place, int))
        terms = [(stride, place) for stride, place in zip(read.strides, own, strict=True) if not isinstance(place, int) and stride]
        return self.load(source, offset, terms)

    def _fixed(self, source: Value, offset: int) -> Word:
        steps = row_major(source.shape)
        return self.stored(source, tuple(offset // step % size if step else 0 for size, step in zip(source.shape, steps, strict=True)))

    def stored(self, source: Value, index: Index) -> Word:
        """A value at an index of its own, from memory or as a number at hand."""
        if all(isinstance(e, int) for e in index):
            found = self.written.words.get((id(source), index)) or self._literal(source, index)
            if found is None and source.size == 1 and source.kind != RESULT:
                found = self.written.words[id(source), index] = self._at_entry(source)
            if found is not None:
                return found
        strides = self.written.strides(source)
        offset = sum(stride * e for stride, e in zip(strides, index, strict=True) if isinstance(e, int))
        return self.load(source, offset, [(stride, e) for stride, e in zip(strides, index, strict=True) if not isinstance(e, int) and stride])

    def _at_entry(self, source: Value) -> Word:
        """A single number, loaded at the start of the function, before anything is changed."""
        dtype = F8 if source.kind == NUMBER else np.dtype(source.dtype)
        pointer = self.written.pointer(source)
        text = self.code.at_entry(f"load {stored_type(dtype)}, ptr {pointer}")
        if dtype.kind == "b":
            text = self.code.at_entry(f"icmp ne i8 {text}, 0")
        return Word(text, dtype)

    def _literal(self, source: Value, index: Index) -> Word | None:
        if source.kind != CONSTANT:
            return None
        data = source.source
        if isinstance(data, np.ndarray):
            if data.flags.writeable or data.base is not None:
                return None  # its owner may change it
            data = data[index]
        if isinstance(data, np.generic):
            return self.code.number(data, data.dtype)
        kind = {bool: BOOL, int: I8}.get(type(data), F8)
        return self.code.number(data, kind)

    def load(self, source: Value, offset: int, terms: Sequence[tuple[int, At]]) -> Word:
        """A number, or several side by side, from memory."""
        dtype = F8 if source.kind == NUMBER else np.dtype(source.dtype)
        code = self.code
        step = sum(stride for stride, place in terms if place.wide)
        key = (id(self.kernel), "load", id(source), offset, step and code.mask, *((stride, place.word.text) for stride, place in terms))
        for level in code.known:
            if key in level:
                return level[key]
        if step > 1 and len(terms) == 1 and len(code.levels) > 2:
            return self._packed(source, dtype, offset, terms[0])
        address, level = self.address(self.written.pointer(source), dtype, offset, terms)
        made = self._load_wide(address, dtype, step, level) if step and code.width > 1 else Word(
            code.put(level, f"load {stored_type(dtype)}, ptr {address}"), np.dtype("i1") if dtype.kind == "b" else dtype, False, level
        )  # fmt: skip
        if dtype.kind == "b":
            made = code.cast(made, BOOL)
        code.known[level][key] = made
        return made

    def _packed(self, source: Value, dtype: Any, offset: int, term: tuple[int, At]) -> Word:
        """A load from a copy without gaps, made before the loops: worth it where an outer loop would read the gaps again and again."""
        stride, place = term
        key = (id(self.kernel), "packed", id(source), offset, stride)
        if key not in self.code.known[0]:
            count = -(-self.kernel_extent // self.code.width) * self.code.width
            copy = self.written.space(count * dtype.itemsize)
            with self.code.before_loops():
                self._pack(self.written.pointer(source), copy, dtype, offset, stride)
            self.code.known[0][key] = copy
        address, level = self.address(self.code.known[0][key], dtype, 0, [(1, place)])
        return self._load_wide(address, dtype, 1, level)

    def _pack(self, source: str, copy: str, dtype: Any, offset: int, stride: int) -> None:
        width, self.code.width = self.code.width, 1
        with self.code.loop(self.kernel_extent, 1) as counter:
            level, kind = counter.level, stored_type(dtype)
            address, _ = self.address(source, dtype, offset, [(stride, At(counter))])
            word = self.code.put(level, f"load {kind}, ptr {address}")
            to, _ = self.address(copy, dtype, 0, [(1, At(counter))])
            self.code.line(level, f"store {kind} {word}, ptr {to}")
        self.code.width = width

    def _load_wide(self, address: str, dtype: Any, step: int, level: int) -> Word:
        code = self.code
        kind, one = stored_type(dtype, code.width), stored_type(dtype)
        result = np.dtype("i1") if dtype.kind == "b" else dtype
        if step == 1 and code.mask is None:
            return Word(code.put(level, f"load {kind}, ptr {address}, align {dtype.itemsize}"), result, True, level)
        mask = code.mask or _all_of(code.width)
        name = f"v{code.width}{_short(one)}"
        if step == 1:
            full = f"llvm.masked.load.{name}.p0"
            code.declared[full] = f"declare {kind} @{full}(ptr, i32, <{code.width} x i1>, {kind})"
            text = f"call {kind} @{full}(ptr {address}, i32 {dtype.itemsize}, <{code.width} x i1> {mask}, {kind} zeroinitializer)"
        else:
            full = f"llvm.masked.gather.{name}.v{code.width}p0"
            code.declared[full] = f"declare {kind} @{full}(<{code.width} x ptr>, i32, <{code.width} x i1>, {kind})"
            pointers = self._pointers(address, one, step, level)
            text = f"call {kind} @{full}(<{code.width} x ptr> {pointers}, i32 {dtype.itemsize}, <{code.width} x i1> {mask}, {kind} zeroinitializer)"
        return Word(code.put(level, text), result, True, level)

    def _pointers(self, address: str, one: str, step: int, level: int) -> str:
        places = ", ".join(f"i64 {i * step}" for i in range(self.code.width))
        return self.code.put(level, f"getelementptr {one}, ptr {address}, <{self.code.width} x i64> <{places}>")

    def address(self, pointer: str, dtype: Any, offset: int, terms: Sequence[tuple[int, At]]) -> tuple[str, int]:
        """Where an element is, computed as far outside of the loops as can be; and at which level that is known."""
        code, kind, level = self.code, stored_type(dtype), 0
        where = pointer
        if offset:
            where = self._step(where, kind, str(offset), 0)
        for stride, place in sorted(terms, key=lambda term: term[1].word.level):
            level = max(level, place.word.level)
            if place.word.text == "0":
                continue
            by = place.word if stride == 1 else code.op("mul nsw", place.word, code.number(stride, I8))
            where = self._step(where, kind, by.text, level)
        return where, level

    def _step(self, where: str, kind: str, by: str, level: int) -> str:
        known = self.code.known[level]
        key = ("address", where, kind, by)
        if key not in known:
            known[key] = self.code.put(level, f"getelementptr {kind}, ptr {where}, i64 {by}")
        return known[key]

    def store(self, value: Value, index: Index, word: Word, level: int) -> None:
        """Put a word into memory, at an index of the value."""
        strides = self.written.strides(value)
        if self.kernel.flat and index and not isinstance(index[0], int):
            offset, terms = 0, [(1, index[0])]
        else:
            offset = sum(stride * e for stride, e in zip(strides, index, strict=True) if isinstance(e, int))
            terms = [(stride, e) for stride, e in zip(strides, index, strict=True) if not isinstance(e, int) and stride]
        self.store_at(self.written.pointer(value), np.dtype(value.dtype), offset, terms, word, level)

    def store_at(self, pointer: str, dtype: Any, offset: int, terms: Sequence[tuple[int, At]], word: Word, level: int) -> None:
        """Put a word into memory."""
        code = self.code
        step = sum(stride for stride, place in terms if place.wide)
        word = code.cast(word, dtype)
        address, at = self.address(pointer, dtype, offset, terms)
        level = max(level, at, word.level)
        if step and code.width > 1:
            word = code.widened(word)
        kind, one = stored_type(dtype, code.width if word.wide else 1), stored_type(dtype)
        text = word.text
        if dtype.kind == "b":
            text = code.put(level, f"zext {llvm_type(BOOL, code.width if word.wide else 1)} {text} to {kind}")
        if not word.wide or (step == 1 and code.mask is None):
            code.line(level, f"store {kind} {text}, ptr {address}, align {dtype.itemsize}")
            return
        mask, name = code.mask or _all_of(code.width), f"v{code.width}{_short(one)}"
        where, holds, pointers = "ptr", f"{name}.p0", address
        full = f"llvm.masked.store.{holds}"
        if step != 1:
            where, pointers = f"<{code.width} x ptr>", self._pointers(address, one, step, level)
            full = f"llvm.masked.scatter.{name}.v{code.width}p0"
        code.declared[full] = f"declare void @{full}({kind}, {where}, i32, <{code.width} x i1>)"
        code.line(level, f"call void @{full}({kind} {text}, {where} {pointers}, i32 {dtype.itemsize}, <{code.width} x i1> {mask})")


def _left_out(read: Read) -> bool:
    return read.source.kind == CONSTANT and read.source.source is None


def _all_of(width: int) -> str:
    return f"<{', '.join(['i1 true'] * width)}>"


def _short(one: str) -> str:
    return {"float": "f32", "double": "f64"}.get(one, one)
