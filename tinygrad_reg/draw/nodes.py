"""What a drawing consists of: nodes, edges, clusters and folds. Plain records, made to be walked by anybody.

A :class:`Node` is a parameter, an input, a constant or an op's result; an :class:`Edge` says that one was made from another; a
:class:`Cluster` is a layer, a penalty or a fused group, and clusters are a tree; a :class:`Fold` says which nodes are drawn as one box.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .summaries import Summary, summary

__all__ = ["BACKWARD", "FORWARD", "Cluster", "Edge", "Fold", "Node", "above", "shape_text"]

FORWARD, BACKWARD = "forward", "backward"


@dataclass(eq=False, slots=True)
class Node:
    """One value of the graph, and how it was made.

    ``id``: ``n0``, ``n1``, … in order of execution, so equal in each drawing of the same computation; ``order`` is that number.
    ``kind``: ``parameter`` (a leaf that requires a gradient), ``input`` (a Tensor or array that is given), ``constant`` (a number), ``op``,
    ``penalty`` (an op that belongs to a penalty); of a compiled program also ``argument``, ``state``, ``gradient``, ``number`` and ``result``;
    of a folded drawing ``fold``.
    ``label`` is drawn first: a name, the op's label, a number. ``op`` is the op's name ("" for what no op made), ``settings`` those of its settings
    that are not the usual ones, as text. ``name`` is what the user or the model calls it ("" for nothing).
    ``phase``: ``forward``, or ``backward`` for what computing a gradient has recorded. ``output``: it is one of the drawn outputs.
    ``gradient_of``: the id of the node whose gradient this one is ("" for none).
    ``cluster``: the id of the innermost cluster that it is in ("" for none). ``note``: a remark, as "has a new value since".
    ``buffer``: of a compiled program, the number of the memory it lies in, or ``state`` for that of a state ("" for none).
    ``value``: the summary of its value as it was when it was used; None where values were not wanted. ``gradient``: the summary of its gradient;
    None where it was not computed. ``wants_gradient``: whether gradients flow to it at all. ``silent``: gradients were not wanted in this drawing.
    """

    id: str
    order: int
    kind: str
    label: str
    op: str = ""
    name: str = ""
    settings: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    phase: str = FORWARD
    output: bool = False
    gradient_of: str = ""
    cluster: str = ""
    note: str = ""
    buffer: str = ""
    wants_gradient: bool = False
    silent: bool = False
    array: Any = field(default=None, repr=False)
    gradient_array: Any = field(default=None, repr=False)
    _value: Summary | None = field(default=None, repr=False)
    _gradient: Summary | None = field(default=None, repr=False)

    @property
    def value(self) -> Summary | None:
        """Its value in few words and numbers; worked out when it is first asked for."""
        if self._value is None and self.array is not None:
            self._value = summary(self.array)
        return self._value

    @property
    def gradient(self) -> Summary | None:
        """Its gradient in few words and numbers, or None where it was not computed."""
        if self._gradient is None and self.gradient_array is not None:
            self._gradient = summary(self.gradient_array)
        return self._gradient


@dataclass(eq=False, slots=True)
class Edge:
    """``target`` was made from ``source`` (ids of nodes).

    ``id``: ``e0``, ``e1``, … in order. ``position``: which argument it is, from 0. ``label``: the argument's name where the order matters
    (``a`` and ``b`` of a - b), else "". ``kind``: ``data``; of a compiled program also ``assigned`` (a state gets this value). ``phase``: that
    of its target. x * x has two edges.
    """

    id: str
    source: str
    target: str
    position: int
    label: str = ""
    kind: str = "data"
    phase: str = FORWARD


@dataclass(eq=False, slots=True)
class Cluster:
    """Nodes that belong together: a ``layer``, a ``penalty`` (one found by ``penalties.find``), the ``penalties`` together, a ``fused`` group.

    ``id``: ``c0``, ``c1``, … ``name``: the layer's dotted name, or the parameter's. ``label`` is drawn: ``0 · Linear``, ``L2 on 0.weight``.
    ``parent``: the id of the cluster around it ("" for none); ``children``: ids of the clusters directly inside; ``nodes``: ids of the nodes
    directly inside, in order. ``lam``: λ of a penalty, as text.
    """

    id: str
    kind: str
    name: str
    label: str
    parent: str = ""
    children: list[str] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    lam: str = ""


@dataclass(eq=False, slots=True)
class Fold:
    """Nodes that are drawn as one box: closed layers (``times`` of the same in a row), or ops one after the other.

    ``id``: ``f0``, ``f1``, … ``members``: ids of the nodes inside, in order. ``clusters``: ids of the closed clusters, outermost ones (none for ops).
    ``kind``: ``fold``, or ``penalty`` where all inside are penalties.
    """

    id: str
    label: str
    members: list[str]
    clusters: list[str] = field(default_factory=list)
    times: int = 1
    kind: str = "fold"


def above(cluster: str, clusters: dict[str, Cluster]) -> Iterator[str]:
    """The ids of a cluster and of those around it, innermost first."""
    while cluster:
        yield cluster
        cluster = clusters[cluster].parent


def shape_text(shape: Iterable[int], dtype: str) -> str:
    """Shape and dtype as they are drawn.

    >>> shape_text((300, 64), "float64"), shape_text((), "float32")
    ('300 × 64 float64', 'scalar float32')
    """
    return f"{' × '.join(map(str, shape)) or 'scalar'} {dtype}".rstrip()
