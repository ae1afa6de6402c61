"""Which values are computed in which loops: nodes become kernels, each a nest of loops over one index space.

A value that is cheap is computed anew wherever it is needed (nothing is stored, nothing read). One that is dear, or needed as an
array, is a *root*, and has a kernel; kernels over the same space are joined where one reads the other point by point, or both the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..program import Value
from . import maths
from .nodes import LOOP, PRODUCT, Node, Read, row_major

__all__ = ["Kernel", "Schedule", "aligned", "out_index"]

CHEAP, CHEAP_IN_A_ROW, MANY_READS, LARGEST = 10, 6, 2, 6000
Index = tuple[int, ...]  # for each dimension a fixed place ≥ 0, or ~axis of a kernel


@dataclass(eq=False, slots=True)
class Kernel:
    """Nodes computed in one nest of loops: each with, for each of its dimensions, the loop (or -1: written out)."""

    members: list[tuple[Node, tuple[int, ...]]]
    extents: list[int]
    flat: bool = False  # all in one loop over elements in memory order
    touched: dict[int, set[Index]] = field(default_factory=dict)  # by id of a value, where it is needed
    inputs: dict[int, Value] = field(default_factory=dict)  # those that are read from memory

    @property
    def kind(self) -> str:
        """What sort of nodes these are."""
        return self.members[0][0].kind

    @property
    def place(self) -> int:
        """Where it stands in the program: with its last node."""
        return max(node.place for node, _ in self.members)


def aligned(node: Node, read: Read) -> tuple[tuple[int | None, int], ...] | None:
    """For each dimension of a read's source the node's dimension that runs along it, and where it starts; None if it is not that simple."""
    shape = read.source.shape
    steps = row_major(shape)
    found: list[tuple[int | None, int]] = []
    for size, step in zip(shape, steps, strict=True):
        found.append((None, read.offset // step % size if step else 0))
    for d, stride in enumerate(read.strides):
        if not stride or node.dims[d] == 1:
            continue
        k = next((k for k, step in enumerate(steps) if step == stride and found[k][0] is None), None)
        if k is None or found[k][1] + node.dims[d] > shape[k] or (d in node.loops and node.dims[d] != shape[k]):
            return None
        found[k] = (d, found[k][1])
    return tuple(found)


def source_index(where: tuple[tuple[int | None, int], ...], index: Index) -> Index:
    """Where the source is read when the node is computed at ``index``."""
    return tuple(start if d is None else index[d] + start if index[d] >= 0 else index[d] for d, start in where)


def own_index(node: Node, index: Index, axes: tuple[int, ...] = ()) -> Index:
    """The node's index for that of its result; folded dimensions are at 0, or as ``axes`` say."""
    own = [~a if a >= 0 else 0 for a in axes] if axes else [0] * len(node.dims)
    for k, d in enumerate(node.axes):
        if d is not None:
            own[d] = index[k]
    return tuple(own)


def out_index(node: Node, own: Any) -> Any:
    """The index of the result for that of the node."""
    return tuple(0 if d is None else own[d] for d in node.axes)


def spans(node: Node) -> bool:
    """Whether the node folds along a loop: then its value is there only after the loop."""
    return any(d in node.loops for d in node.folded)


class Schedule:
    """Nodes in kernels, in an order in which they can be computed."""

    def __init__(self, nodes: list[Node], outputs: Iterable[Value]) -> None:
        self.nodes = nodes
        self.made = {id(node.out): node for node in nodes}
        self.outputs = {id(x) for x in outputs}
        self.users: dict[int, list[tuple[Node, Read]]] = {}
        for node in nodes:
            for read in node.reads:
                self.users.setdefault(id(read.source), []).append((node, read))
        looped = [node for node in nodes if node.kind in (LOOP, PRODUCT)]
        self.where = {(id(node), i): aligned(node, read) for node in looped for i, read in enumerate(node.reads)}
        self.roots = self._roots()
        self.kernel_of: dict[int, Kernel] = {}
        self.kernels: list[Kernel] = []
        for node in nodes:
            if id(node.out) in self.roots:
                self._alone(node)
        self._join()
        for kernel in self.kernels:
            kernel.flat = self._flat(kernel)

    # ------------------------------------------------------------------------------------------- roots

    def _roots(self) -> set[int]:
        roots: set[int] = set()
        prices: dict[int, tuple[int, int]] = {}
        for node in self.nodes:
            price, reads = self._price(node, prices)
            if self._is_root(node, price, reads):
                roots.add(id(node.out))
                price, reads = 0, 1
            prices[id(node.out)] = price, reads
        return roots

    def _price(self, node: Node, prices: dict[int, tuple[int, int]]) -> tuple[int, int]:
        """What a node costs at each point, with all that is computed for it, and how many large arrays are read."""
        times = int(np.prod([node.dims[d] for d in node.folded if d not in node.loops], dtype=int))
        price, reads = times * (sum(maths.cost(part.name) for part in node.form.parts) + (1 if node.fold else 0)), 0
        for read in node.reads:
            if id(read.source) in self.made:
                more = prices[id(read.source)]
                price, reads = price + times * more[0], reads + more[1]
            else:
                reads += len(node.loops) > 0 and all(read.strides[d] for d in node.loops)
        return price, reads

    def _is_root(self, node: Node, price: int, reads: int) -> bool:
        uses = self.users.get(id(node.out), [])
        if node.kind != LOOP or not node.loops or id(node.out) in self.outputs or spans(node):
            return True
        if any(user.kind != LOOP or aligned(user, read) is None for user, read in uses):
            return True
        if price > CHEAP_IN_A_ROW and any(len(user.loops) > len(node.loops) for user, _ in uses):
            return True
        return len({id(user) for user, _ in uses}) > 1 and (price > CHEAP or reads > MANY_READS)

    # ----------------------------------------------------------------------------------------- kernels

    def _alone(self, node: Node) -> None:
        loops = node.loops if node.kind == LOOP else ()
        axes = tuple(loops.index(d) if d in loops else -1 for d in range(len(node.dims)))
        kernel = Kernel([(node, axes)], [node.dims[d] for d in loops])
        self.kernels.append(kernel)
        self.kernel_of[id(node.out)] = kernel
        self._look(kernel)

    def _look(self, kernel: Kernel) -> None:
        """Note what a kernel needs, and where."""
        kernel.touched, kernel.inputs = {}, {}
        for node, axes in kernel.members:
            if node.kind != LOOP:
                kernel.inputs |= {id(read.source): read.source for read in node.reads}
                continue
            self._follow(kernel, [(node, tuple(~a if a >= 0 else 0 for a in axes))])

    def _follow(self, kernel: Kernel, stack: list[tuple[Node, Index]]) -> None:
        mine = {id(node.out) for node, _ in kernel.members}
        while stack:
            node, own = stack.pop()
            for i, read in enumerate(node.reads):
                key, where = id(read.source), self.where[id(node), i]
                inside = key in self.made and (key not in self.roots or key in mine)
                if where is None or not inside:
                    kernel.inputs[key] = read.source
                index = source_index(where, own) if where else ()
                seen = kernel.touched.setdefault(key, set())
                if index in seen:
                    continue
                seen.add(index)
                if inside and where is not None:
                    source = self.made[key]
                    stack.append((source, own_index(source, index)))

    def _join(self) -> None:
        """Join kernels where one reads the other point by point, and where both read the same."""
        before = self._before()
        for node in reversed(self.nodes):
            kernel = self.kernel_of.get(id(node.out))
            if kernel is None or kernel.kind != LOOP or _single(kernel) or spans(node):
                continue
            for other in self._others(kernel, id(node.out)):
                match = self._match(node, kernel, other)
                if match is not None:
                    kernel = self._joined(other, kernel, match, before) or kernel
        shared: dict[int, list[Kernel]] = {}
        for kernel in self.kernels:
            if kernel.kind == LOOP and not _single(kernel):
                for key in kernel.touched:
                    shared.setdefault(key, []).append(kernel)
        for key, kernels in shared.items():
            for a, b in zip(kernels, kernels[1:], strict=False):
                first, second = self._now(a), self._now(b)
                match = self._shared(key, first, second) if first is not second else None
                if match is not None:
                    self._joined(first, second, match, before)

    def _now(self, kernel: Kernel) -> Kernel:
        return self.kernel_of[id(kernel.members[0][0].out)]

    def _others(self, kernel: Kernel, key: int) -> list[Kernel]:
        found = [other for other in self.kernels if other is not kernel and key in other.inputs and other.kind == LOOP]
        return sorted(found, key=lambda other: other.place)

    def _match(self, node: Node, kernel: Kernel, other: Kernel) -> tuple[int, ...] | None:
        """How the axes of the kernel that makes a node correspond to those of one that reads it; None if not point by point."""
        axes = next(axes for member, axes in kernel.members if member is node)
        return _correspondence(kernel, other, {out_index(node, tuple(~a if a >= 0 else 0 for a in axes))}, other.touched[id(node.out)])

    def _shared(self, key: int, first: Kernel, second: Kernel) -> tuple[int, ...] | None:
        return _correspondence(second, first, second.touched.get(key, set()), first.touched.get(key, set()))

    def _before(self) -> dict[int, int]:
        """For each kernel the set of those that must come before it, as the bits of a number; by id of the kernel."""
        self.bit = {id(kernel): 1 << i for i, kernel in enumerate(self.kernels)}
        before: dict[int, int] = {}
        for kernel in self.kernels:
            bits = 0
            for key in kernel.inputs:
                maker = self.kernel_of.get(key)
                if maker is not None:
                    bits |= before[id(maker)] | self.bit[id(maker)]
            before[id(kernel)] = bits
        return before

    def _joined(self, into: Kernel, kernel: Kernel, match: tuple[int, ...], before: dict[int, int]) -> Kernel | None:
        """Two kernels as one, if none must come between them, and all that goes from one to the other does so point by point."""
        if len(into.members) + len(kernel.members) > 64 or not self._independent(into, kernel, match, before):
            return None
        merged = [(node, tuple(match[a] if a >= 0 else -1 for a in axes)) for node, axes in kernel.members]
        if len(into.extents) > 2 and not _same_folds(into.members, merged):
            return None
        bits = self.bit[id(into)] | self.bit[id(kernel)]
        above = (before[id(into)] | before[id(kernel)]) & ~bits
        into.members = sorted([*into.members, *merged], key=lambda m: m[0].place)
        self.kernels.remove(kernel)
        for node, _ in merged:
            self.kernel_of[id(node.out)] = into
        self._look(into)
        self.bit[id(into)] = bits
        before[id(into)] = above
        for other in self.kernels:
            if before[id(other)] & bits:
                before[id(other)] |= bits | above
        return into

    def _independent(self, a: Kernel, b: Kernel, match: tuple[int, ...], before: dict[int, int]) -> bool:
        for first, second, axes in ((b, a, match), (a, b, _inverse(match))):
            if not before[id(second)] & self.bit[id(first)]:
                continue
            made = {id(node.out): (node, own) for node, own in first.members}
            for key in second.inputs:
                maker = self.kernel_of.get(key)
                if maker is None or maker is second:
                    continue
                if maker is not first:
                    if before[id(maker)] & self.bit[id(first)]:
                        return False
                    continue
                node, own = made[key]
                place = out_index(node, tuple(~axes[x] if x >= 0 else 0 for x in own))
                if spans(node) or any(not _same_place(place, index) for index in second.touched[key]):
                    return False
        return True

    # -------------------------------------------------------------------------------------------- flat

    def _flat(self, kernel: Kernel) -> bool:
        """Whether all of a kernel can be computed element by element in memory order."""
        shape = kernel.members[0][0].dims
        size = int(np.prod(shape, dtype=int))
        if kernel.kind != LOOP or size < 2:
            return False
        mine, seen = {id(node.out) for node, _ in kernel.members}, set()
        stack = [node for node, _ in kernel.members]
        while stack:
            node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            whole = not node.fold or (node in [m for m, _ in kernel.members] and all(node.dims[d] == 1 or d in node.folded for d in range(len(node.dims))))
            if _squeezed(node.dims) != _squeezed(shape) or not whole or (node.fold and node.exact):
                return False
            for read in node.reads:
                key = id(read.source)
                inside = key in self.made and (key not in self.roots or key in mine)
                if not any(read.strides) and not inside:
                    continue
                if read.offset or read.source.size != size or read.strides != row_major(node.dims) or (inside and self.made[key].fold):
                    return False
                if inside:
                    stack.append(self.made[key])
        return True


def _single(kernel: Kernel) -> bool:
    """Whether it computes single numbers: these are at hand in the whole function, wherever they are computed."""
    return not kernel.extents and kernel.members[0][0].out.size == 1


def _squeezed(shape: Iterable[int]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _inverse(match: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(match.index(i) for i in range(len(match)))


def _same_place(a: Index, b: Index) -> bool:
    """Whether two indices run along the same axes; the fixed places, of written-out dimensions, may differ."""
    return len(a) == len(b) and all((x == y) or (x >= 0 and y >= 0) for x, y in zip(a, b, strict=True))


def _correspondence(kernel: Kernel, other: Kernel, mine: set[Index], theirs: set[Index]) -> tuple[int, ...] | None:
    """Which axis of ``other`` each axis of ``kernel`` is, if both need a value at every point, always in the same way."""
    if sorted(kernel.extents) != sorted(other.extents) or not mine or not theirs or _single(kernel) or _single(other):
        return None
    if not kernel.extents and _squeezed(kernel.members[0][0].dims) != _squeezed(other.members[0][0].dims):
        return None
    match: dict[int, int] = {}
    first = next(iter(mine))
    for index in mine:
        if not _same_place(index, first):
            return None
    for index in theirs:
        if len(index) != len(first):
            return None
        for x, y in zip(first, index, strict=True):
            if (x >= 0) != (y >= 0) or (x < 0 and match.setdefault(~x, ~y) != ~y):
                return None
    if len(match) != len(kernel.extents) or len(set(match.values())) != len(match):
        return None
    if any(kernel.extents[a] != other.extents[b] for a, b in match.items()):
        return None
    return tuple(match[a] for a in range(len(match)))


def _same_folds(*groups: list[tuple[Node, tuple[int, ...]]]) -> bool:
    """Whether all folds of these members are along the same axes."""
    kinds = {tuple(sorted(axes[d] for d in node.folded if axes[d] >= 0)) for group in groups for node, axes in group if node.fold}
    return len(kinds - {()}) <= 1


def folded_axes(node: Node, axes: tuple[int, ...]) -> set[int]:
    """The loops along which a member is folded."""
    return {axes[d] for d in node.folded if axes[d] >= 0}


def every_place(node: Node, dims: Iterable[int]) -> Iterator[tuple[int, ...]]:
    """All combinations of places along some dimensions."""
    return iter(np.ndindex(*(node.dims[d] for d in dims)))
