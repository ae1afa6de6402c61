"""Computing values at points: what a node is at an index, from what is in memory and what has been computed already."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from ..program import CONSTANT, NUMBER, RESULT, Value
from ..scalar import Given, Made, astype
from .code import BOOL, F8, I8, Code, Word, stored_type
from .functions import FUNCTIONS
from .kernels import Kernel, out_index, own_index
from .memory import At, Index, Memory, Written, split
from .nodes import Node, Read, row_major, unchanging
from .schedule import Schedule

__all__ = ["Points"]


class Points:
    """Values at points of one kernel. An index has a fixed place or a place along a loop for each dimension; in a flat kernel it is one place."""

    def __init__(self, code: Code, schedule: Schedule, written: Written, kernel: Kernel, memory: Memory) -> None:
        self.code = code
        self.schedule = schedule
        self.written = written
        self.kernel = kernel
        self.memory = memory
        self.mine = {id(node.out) for node, _ in kernel.members}

    # ------------------------------------------------------------------------------------------ values

    def at(self, node: Node, own: Index) -> Word:
        """The value of a node that does not fold along a loop, at an index of its own dimensions."""
        self._prepare(node, own)
        return self._value(node, own)

    def elements(self, node: Node, own: Index) -> list[Word]:
        """What a node folds, here: one word for each place along its written-out folded dimensions."""
        self._prepare(node, own)
        return [self._element(node, place) for place in self._places(node, own)]

    def _prepare(self, node: Node, own: Index) -> None:
        """Compute all operands that are not there yet, in the order of the program, without recursion."""
        todo: dict[Any, tuple[Node, Index]] = {}
        stack = [(node, place) for place in self._places(node, own)]
        while stack:
            node, own = stack.pop()
            for i, read in enumerate(node.reads):
                if not self._inside(node, i, read):
                    continue
                source, index = self.schedule.made[id(read.source)], self._index(node, i, own)
                key = self._key(read.source, index)
                if key not in todo and self._known(key) is None:
                    todo[key] = (source, index if self.kernel.flat else own_index(source, index))
                    stack += [(source, place) for place in self._places(*todo[key])]
        for node, own in sorted(todo.values(), key=lambda pair: pair[0].place):
            self._value(node, own)

    def _inside(self, node: Node, i: int, read: Read) -> bool:
        """Whether this kernel computes an operand itself."""
        key = id(read.source)
        computed = key in self.schedule.made and (key not in self.schedule.roots or key in self.mine)
        return computed and self.schedule.where[id(node), i] is not None and (any(read.strides) or not self.kernel.flat)

    def _index(self, node: Node, i: int, own: Index) -> Index:
        """Where an operand is read, as an index of its own."""
        where = self.schedule.where[id(node), i]
        assert where is not None
        return own if self.kernel.flat else tuple(start if d is None else self._shifted(own[d], start) for d, start in where)

    def _shifted(self, place: Any, by: int) -> Any:
        if isinstance(place, int):
            return place + by
        return At(self.code.op("add nsw", place.word, self.code.number(by, I8)), place.wide) if by else place

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

    def _key(self, value: Value, index: Index) -> tuple[Any, ...]:
        """What tells a value at a point from all others."""
        return (id(self.kernel), id(value), *(e if isinstance(e, int) else e.word.text for e in index))

    def _known(self, key: Any) -> Word | None:
        return next((level[key] for level in self.code.known if key in level), None)

    def _value(self, node: Node, own: Index) -> Word:
        key = self._key(node.out, own if self.kernel.flat else out_index(node, own))
        found = self._known(key)
        if found is None:
            places = self._places(node, own)
            found = self._element(node, places[0]) if places else self.neutral(node)
            for place in places[1:]:
                found = self._combined(node, found, place)
            self.code.known[found.level][key] = found
        return found

    def _combined(self, node: Node, found: Word, place: Index) -> Word:
        """A written-out fold, one place further."""
        if node.exact:
            return self.code.intrinsic("fma", self._operand(node, 0, place), self._operand(node, 1, place), found)
        return FUNCTIONS[node.fold](self.code, found, self._element(node, place))

    def neutral(self, node: Node, dtype: Any = None) -> Word:
        """What a fold begins with: it changes nothing."""
        dtype = dtype or node.out.dtype
        if node.fold in ("add", "multiply"):
            empty = any(node.dims[d] == 0 for d in node.folded)
            return self.code.number((0.0 if empty else -0.0) if node.fold == "add" else 1, dtype)
        largest = node.fold == "maximum"
        if dtype.kind == "f":
            return self.code.number(-np.inf if largest else np.inf, dtype)
        if dtype.kind == "b":
            return self.code.number(not largest, dtype)
        return self.code.number(np.iinfo(dtype).min if largest else np.iinfo(dtype).max, dtype)

    def _element(self, node: Node, own: Index) -> Word:
        """What a node's form gives at an index, before folding."""
        if node.exact:  # it may be fused with the sum that it goes to: that is computed once only
            return self.code.op("fmul contract", self._operand(node, 0, own), self._operand(node, 1, own))
        made: list[Word] = []

        def operand(x: Any, kind: Any) -> Word:
            if type(x) is Given:
                return self.code.cast(self._operand(node, x.place, own), kind)
            return self.code.cast(made[x.place], kind) if type(x) is Made else self.code.number(x, kind)

        for part, kinds in zip(node.form.parts, node.kinds, strict=True):
            if part.function is astype:
                made.append(self.code.cast(operand(part.operands[0], kinds[0]), kinds[-1]))
            else:
                words = [operand(x, kind) for x, kind in zip(part.operands, kinds, strict=False)]
                made.append(FUNCTIONS[part.name](self.code, *words))
        return operand(node.form.result, np.dtype(node.out.dtype))

    # ---------------------------------------------------------------------------------------- operands

    def _operand(self, node: Node, i: int, own: Index) -> Word:
        """An operand: computed here, at hand as a number, or loaded."""
        read = node.reads[i]
        if self._inside(node, i, read):
            found = self._known(self._key(read.source, self._index(node, i, own)))
            assert found is not None
            return found
        if self.kernel.flat:
            return self.memory.load(read.source, 0, [(1, own[0])]) if any(read.strides) else self._fixed(read)
        if self.schedule.where[id(node), i] is not None:
            return self._stored(read.source, self._index(node, i, own))
        offset, terms = split(read.strides, own)
        return self.memory.load(read.source, read.offset + offset, terms)

    def _fixed(self, read: Read) -> Word:
        """One element, the same at all points."""
        shape = read.source.shape
        steps = row_major(shape)
        return self._stored(read.source, tuple(read.offset // step % size if step else 0 for size, step in zip(shape, steps, strict=True)))

    def _stored(self, source: Value, index: Index) -> Word:
        """A value at an index of its own, at hand or from memory."""
        if all(isinstance(e, int) for e in index):
            found = self.written.words.get((id(source), index)) or self._literal(source, index)
            if found is None and source.size == 1 and source.kind != RESULT:
                found = self.written.words[id(source), index] = self._at_entry(source)
            if found is not None:
                return found
        return self.memory.load(source, *split(self.written.strides(source), index))

    def _at_entry(self, source: Value) -> Word:
        """A single number, loaded at the start of the function, before anything is changed."""
        dtype = F8 if source.kind == NUMBER else np.dtype(source.dtype)
        text = self.code.at_entry(f"load {stored_type(dtype)}, ptr {self.written.pointer(source)}")
        return Word(self.code.at_entry(f"icmp ne i8 {text}, 0") if dtype.kind == "b" else text, dtype)

    def _literal(self, source: Value, index: Index) -> Word | None:
        """A number of a constant that nobody can change."""
        data = source.source
        if source.kind != CONSTANT or (isinstance(data, np.ndarray) and not unchanging(data)):
            return None
        number = data[index] if isinstance(data, np.ndarray) else data
        kind = number.dtype if isinstance(number, np.generic) else {bool: BOOL, int: I8}.get(type(number), F8)
        return self.code.number(number, kind)
