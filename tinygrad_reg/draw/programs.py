"""A compiled program as nodes, edges and clusters: values in, ops in groups that run together, values out.

Ops that share a colour share memory, one after the other; those without one are never in memory: their numbers are used at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..compile import Compiled, Program
from ..op import OPS
from .layers import Clusters, join, new_cluster
from .nodes import Edge, Node
from .reading import edge_label, op_label, settings_text
from .summaries import number_text

__all__ = ["read_program"]

Records = tuple[list[Node], list[Edge], Clusters]


def read_program(what: Compiled | Program) -> Records:
    """The nodes, edges and clusters of a program; of a compiled function those of the replay that it has now.

    Raises ``RuntimeError`` for a function that was not called yet.
    """
    replay = what.replay if isinstance(what, Compiled) else None
    program = replay.program if replay is not None else what.program if isinstance(what, Compiled) else what
    reader = _Reader(program)
    reader.read()
    groups, kind = list(_groups(replay)), "fused"
    if not groups:
        groups, kind = _layers(program), "layer"
    clusters: Clusters = {}
    for label, outs in groups:
        inside = [reader.known[key] for key in outs if key in reader.known and not reader.known[key].cluster]
        if inside:
            cluster = new_cluster(clusters, kind, label, label)
            for node in inside:
                join(node, cluster)
    if kind == "fused":
        _take_in(reader, clusters)
    if replay is not None:
        _colour(reader, _places(replay))
    return reader.nodes, reader.edges, clusters


class _Reader:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.known: dict[int, Node] = {}

    def read(self) -> None:
        """Inputs, steps, and what becomes of their results."""
        for x in self.program.inputs:
            if x.kind != "constant":
                self._add(x, x.kind, x.name or x.kind)
        for step in self.program.steps:
            given = ((i, x) for i, x in enumerate(step.inputs) if x.kind != "constant" or x.source is not None)
            sources = [(i, self._constant(x) if x.kind == "constant" else self.known[id(x)]) for i, x in given]
            op = OPS.get(step.op.name, step.op)  # a lowered op is known by its name only
            node = self._add(step.out, "op", op_label(op), op=step.op.name, settings=settings_text(step.op, step.settings))
            for i, source in sources:
                self._edge(source, node, i, edge_label(op, i))
        for state, new in self.program.assigned:
            if id(new) in self.known:
                self._edge(self.known[id(new)], self.known[id(state)], 0, "", "assigned")
                self.known[id(new)].note = f"new {state.name or 'state'}"
        for i, x in enumerate(self.program.results):
            node = self._add(x, "result", f"result {i}" if len(self.program.results) > 1 else "result", key=("result", i))
            node.output = True
            self._edge(self._constant(x) if x.kind == "constant" else self.known[id(x)], node, 0, "")

    def _constant(self, x: Any) -> Node:
        array = np.asarray(x.source)
        label = number_text(array.reshape(-1)[0]) if array.size == 1 else "constant"
        node = self._add(x, "constant", label)
        node.array = array
        return node

    def _add(self, x: Any, kind: str, label: str, key: Any = None, **more: Any) -> Node:
        order = len(self.nodes)
        dtype = " and ".join(f"{shape} {np.dtype(dtype)}" for shape, dtype in x.parts) if x.parts else "number" if x.weak else str(x.dtype)
        node = Node(f"n{order}", order, kind, label, name=x.name, shape=x.shape, dtype=dtype, **more)
        self.nodes.append(node)
        self.known[key or id(x)] = node
        return node

    def _edge(self, source: Node, target: Node, position: int, label: str, kind: str = "data") -> None:
        self.edges.append(Edge(f"e{len(self.edges)}", source.id, target.id, position, label, kind))


def _layers(program: Program) -> list[tuple[str, list[int]]]:
    """The layers that the steps were captured in."""
    found: dict[str, list[int]] = {}
    for step in program.steps:
        if step.where:
            found.setdefault(step.where, []).append(id(step.out))
    return list(found.items())


def _groups(replay: Any) -> Iterator[tuple[str, list[int]]]:
    """The steps that run together: one nest of loops in machine code, or block by block with NumPy."""
    if replay is None:
        return
    if hasattr(replay, "plan"):
        for piece in replay.plan.pieces:
            for kernel in piece.kernels:
                outs = [id(node.out) for node, _ in kernel.members]
                if len(outs) > 1:
                    yield f"one loop over {' × '.join(map(str, kernel.extents))}" if kernel.extents else "written out, no loop", outs
    for run in getattr(replay, "runs", ()):
        yield f"{run.rows:,} rows, block by block", [id(step.out) for step in run.steps]


def _take_in(reader: _Reader, clusters: Clusters) -> None:
    """What is worked out on the way, for one group only, belongs to it."""
    users: dict[str, set[str]] = {}
    by_id = {node.id: node for node in reader.nodes}
    for edge in reader.edges:
        users.setdefault(edge.source, set()).add(edge.target)
    for node in reversed(reader.nodes):
        homes = {by_id[user].cluster for user in users.get(node.id, ())}
        if node.kind in ("op", "constant") and not node.cluster and len(homes) == 1 and "" not in homes:
            join(node, clusters[homes.pop()])
    for cluster in clusters.values():
        cluster.nodes.sort(key=lambda key: by_id[key].order)


def _places(replay: Any) -> dict[int, Any]:
    """By a value's id: where in memory it lies."""
    if hasattr(replay, "plan"):
        return {key: (home.slot, home.offset) for key, home in replay.plan.homes.items()}
    return {key: array.__array_interface__["data"][0] for key, array in replay.arrays.items() if array.size}


def _colour(reader: _Reader, places: dict[int, Any]) -> None:
    """Number the memory in the order in which it is written to; the new value of a state may lie in the state's own."""
    homes = {places[id(x)] for x in reader.program.of_kind("state") if id(x) in places}
    numbers: dict[Any, int] = {}
    for out in _made(reader.program):
        place = places.get(id(out))
        if place is not None:
            node = reader.known[id(out)]
            node.buffer = "state" if place in homes else str(numbers.setdefault(place, len(numbers)))


def _made(program: Program) -> Iterable[Any]:
    return (step.out for step in program.steps)
