"""Kernels, each a nest of loops over one index space, and where its nodes need their operands.

An index here has for each dimension a fixed place (0 or more), or ``~axis`` where it runs along an axis of the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..program import Value
from .nodes import Node, Read, row_major

__all__ = ["Index", "Kernel", "aligned", "correspondence", "folded_axes", "inverse", "out_index", "own_index", "same_folds", "same_place", "single"]
__all__ += ["source_index", "spans", "squeezed"]

Index = tuple[int, ...]


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
        found.append((None, read.offset // step % max(size, 1) if step else 0))
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


def single(kernel: Kernel) -> bool:
    """Whether it computes single numbers: these are at hand in the whole function, wherever they are computed."""
    return not kernel.extents and kernel.members[0][0].out.size == 1


def squeezed(shape: Iterable[int]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def inverse(match: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(match.index(i) for i in range(len(match)))


def same_place(a: Index, b: Index) -> bool:
    """Whether two indices run along the same axes; the fixed places, of written-out dimensions, may differ."""
    return len(a) == len(b) and all((x == y) or (x >= 0 and y >= 0) for x, y in zip(a, b, strict=True))


def correspondence(kernel: Kernel, other: Kernel, mine: set[Index], theirs: set[Index]) -> tuple[int, ...] | None:
    """Which axis of ``other`` each axis of ``kernel`` is, if both need a value at every point, always in the same way."""
    if not mine or not theirs or single(kernel) or single(other) or sorted(kernel.extents) != sorted(other.extents):
        return None
    first = next(iter(mine))
    match: dict[int, int] = {}
    alike = all(same_place(index, first) for index in mine) and all(_matches(first, index, match) for index in theirs)
    whole = len(match) == len(kernel.extents) == len(set(match.values()))
    if not alike or not whole or any(kernel.extents[a] != other.extents[b] for a, b in match.items()):
        return None
    if not kernel.extents and squeezed(kernel.members[0][0].dims) != squeezed(other.members[0][0].dims):
        return None
    return tuple(match[a] for a in range(len(match)))


def _matches(first: Index, index: Index, match: dict[int, int]) -> bool:
    """Whether two indices run along axes at the same dimensions, along the same as those before, which ``match`` remembers."""
    pairs = list(zip(first, index, strict=False))
    return len(first) == len(index) and all((x >= 0) == (y >= 0) and (x >= 0 or match.setdefault(~x, ~y) == ~y) for x, y in pairs)


def same_folds(*groups: list[tuple[Node, tuple[int, ...]]]) -> bool:
    """Whether all folds of these members are along the same axes."""
    kinds = {tuple(sorted(axes[d] for d in node.folded if axes[d] >= 0)) for group in groups for node, axes in group if node.fold}
    return len(kinds - {()}) <= 1


def folded_axes(node: Node, axes: tuple[int, ...]) -> set[int]:
    """The loops along which a member is folded."""
    return {axes[d] for d in node.folded if axes[d] >= 0}
