"""Which values are computed in which loops.

A value that is cheap is computed anew wherever it is needed (nothing is stored, nothing read). One that is dear, or needed as an
array, is a *root*, and has a kernel; kernels over the same space are joined where one reads the other point by point, or both the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from math import prod

from ..program import Value
from .functions import cost
from .kernels import (
    Index,
    Kernel,
    aligned,
    correspondence,
    inverse,
    out_index,
    own_index,
    same_folds,
    same_place,
    single,
    source_index,
    spans,
    squeezed,
)
from .nodes import CALL, LOOP, PRODUCT, Node, Read, row_major

__all__ = ["Schedule"]

CHEAP, CHEAP_IN_A_ROW, MANY_READS = 10, 6, 2  # instructions, instructions, large arrays
MOST_MEMBERS = 64


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
        times = prod([node.dims[d] for d in node.folded if d not in node.loops])
        price, reads = times * (sum(cost(part.name) for part in node.form.parts) + (1 if node.fold else 0)), 0
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
        """Note what a kernel of one node needs, and where."""
        ((node, axes),) = kernel.members
        if node.kind == LOOP:
            self._follow(kernel, [(node, tuple(~a if a >= 0 else 0 for a in axes))])
        else:
            kernel.inputs = {id(read.source): read.source for read in node.reads}

    def _take_over(self, into: Kernel, other: Kernel, match: tuple[int, ...]) -> None:
        """Note what a kernel needs that another has been joined to: what one made for the other is now computed inside."""
        for key, indices in other.touched.items():
            into.touched.setdefault(key, set()).update(tuple(e if e >= 0 else ~match[~e] for e in index) for index in indices)
        into.inputs |= other.inputs
        stack: list[tuple[Node, Index]] = []
        for node, _ in into.members:
            key = id(node.out)
            if key in into.inputs:
                del into.inputs[key]
                stack += [(node, own_index(node, index)) for index in into.touched[key]]
        self._follow(into, stack)

    def _follow(self, kernel: Kernel, stack: list[tuple[Node, Index]]) -> None:
        """From nodes at an index to all that is computed for them, down to what is read from memory."""
        mine = {id(node.out) for node, _ in kernel.members}
        while stack:
            node, own = stack.pop()
            for i, read in enumerate(node.reads):
                key, where = id(read.source), self.where[id(node), i]
                inside = where is not None and key in self.made and (key not in self.roots or key in mine)
                if not inside:
                    kernel.inputs[key] = read.source
                index = source_index(where, own) if where else ()
                seen = kernel.touched.setdefault(key, set())
                if index not in seen:
                    seen.add(index)
                    if inside:
                        stack.append((self.made[key], own_index(self.made[key], index)))

    def _join(self) -> None:
        """Join kernels where one reads the other point by point, and where both read the same."""
        before = self._before()
        for node in reversed(self.nodes):
            kernel = self.kernel_of.get(id(node.out))
            if kernel is None or kernel.kind != LOOP or single(kernel) or spans(node):
                continue
            for other in self._others(kernel, id(node.out)):
                match = self._match(node, kernel, other)
                if match is not None:
                    kernel = self._joined(other, kernel, match, before) or kernel
        shared: dict[int, list[Kernel]] = {}
        for kernel in self.kernels:
            if kernel.kind == LOOP and not single(kernel):
                for key in kernel.touched:
                    shared.setdefault(key, []).append(kernel)
        for key, kernels in shared.items():
            for a, b in pairwise(kernels):
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
        return correspondence(kernel, other, {out_index(node, tuple(~a if a >= 0 else 0 for a in axes))}, other.touched[id(node.out)])

    def _shared(self, key: int, first: Kernel, second: Kernel) -> tuple[int, ...] | None:
        return correspondence(second, first, second.touched.get(key, set()), first.touched.get(key, set()))

    def _before(self) -> dict[int, int]:
        """For each kernel the set of those that must come before it, as the bits of a number; by id of the kernel."""
        self.bit = {id(kernel): 1 << i for i, kernel in enumerate(self.kernels)}
        before: dict[int, int] = {}
        called = 0  # ops that are called stay in the order of the program, for the sake of random generators
        for kernel in self.kernels:
            bits = called if kernel.kind == CALL else 0
            for key in kernel.inputs:
                maker = self.kernel_of.get(key)
                if maker is not None:
                    bits |= before[id(maker)] | self.bit[id(maker)]
            before[id(kernel)] = bits
            if kernel.kind == CALL:
                called = bits | self.bit[id(kernel)]
        return before

    def _joined(self, into: Kernel, kernel: Kernel, match: tuple[int, ...], before: dict[int, int]) -> Kernel | None:
        """Two kernels as one, if none must come between them, and all that goes from one to the other does so point by point."""
        if len(into.members) + len(kernel.members) > MOST_MEMBERS or not self._independent(into, kernel, match, before):
            return None
        merged = [(node, tuple(match[a] if a >= 0 else -1 for a in axes)) for node, axes in kernel.members]
        if len(into.extents) > 2 and not same_folds(into.members, merged):
            return None
        bits = self.bit[id(into)] | self.bit[id(kernel)]
        above = (before[id(into)] | before[id(kernel)]) & ~bits
        into.members = sorted([*into.members, *merged], key=lambda m: m[0].place)
        self.kernels.remove(kernel)
        for node, _ in merged:
            self.kernel_of[id(node.out)] = into
        self._take_over(into, kernel, match)
        self.bit[id(into)] = bits
        before[id(into)] = above
        for other in self.kernels:
            if before[id(other)] & bits:
                before[id(other)] |= bits | above
        return into

    def _independent(self, a: Kernel, b: Kernel, match: tuple[int, ...], before: dict[int, int]) -> bool:
        for first, second, axes in ((b, a, match), (a, b, inverse(match))):
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
                if spans(node) or any(not same_place(place, index) for index in second.touched[key]):
                    return False
        return True

    # -------------------------------------------------------------------------------------------- flat

    def _flat(self, kernel: Kernel) -> bool:
        """Whether all of a kernel can be computed element by element in memory order."""
        shape = kernel.members[0][0].dims
        size = prod(shape)
        if kernel.kind != LOOP or size < 2:
            return False
        mine, seen = {id(node.out) for node, _ in kernel.members}, set()
        roots = [node for node, _ in kernel.members]
        stack = list(roots)
        while stack:
            node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            all_folded = node in roots and not node.exact and all(size == 1 or d in node.folded for d, size in enumerate(node.dims))
            whole = not node.fold or all_folded
            if squeezed(node.dims) != squeezed(shape) or not whole:
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
