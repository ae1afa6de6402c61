"""Which layer made a node: each call of a module leaves a note on its results, from which serial number on all was made inside.

A note says who, of what kind, from where on, and has the note before. Calls inside of calls are ranges inside of ranges, so layers are a tree.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from ..derivatives import BACKWARD
from ..nn.module import Module
from ..tensor import Tensor
from .nodes import Cluster, Node, above
from .reading import Reading

__all__ = ["Calls", "backward_of", "join", "new_cluster", "place_leaves"]

Clusters = dict[str, Cluster]


def _notes(x: Tensor) -> Iterable[tuple[Any, str, int]]:
    note = getattr(x, "_made_in", None)
    while note is not None:
        who, kind, start, note = note
        yield who, kind, start


def backward_of(tensors: Iterable[Tensor]) -> set[int]:
    """The ids of those that computing a gradient has recorded."""
    tensors = list(tensors)
    ranges = sorted((x.serial, start) for x in tensors for who, kind, start in _notes(x) if who is None and kind == BACKWARD)
    found: set[int] = set()
    if not ranges:
        return found
    for x in tensors:
        if x.op is not None and any(end <= x.serial < start for end, start in ranges):
            found.add(id(x))
    return found


class Calls:
    """The calls of modules that made the nodes of a graph, as clusters; ``names`` are the dotted names of all Tensors in these modules, by id."""

    def __init__(self, reading: Reading, model: Module | None) -> None:
        self.model = model
        self.clusters: Clusters = {}
        self.names: dict[int, str] = {}
        self._modules: dict[int, str] = {}
        self._times: dict[int, int] = {}
        if model is not None:
            self._take_names(model)
        self._ranges = self._found(reading)
        self._sweep([(reading.tensors[node.id].serial, node) for node in reading.nodes if node.op])

    def _take_names(self, root: Module) -> None:
        for name, module in root.named_modules():
            self._modules.setdefault(id(module), name)
        for name, x in root.named_tensors():
            self.names.setdefault(id(x), name)

    def _found(self, reading: Reading) -> list[tuple[int, int, Any, str]]:
        """Start, end, module and kind of each call, outermost first, in order of execution; of a module that is gone its kind alone is known."""
        calls: dict[tuple[int, int], tuple[int, Any, str]] = {}
        for node in reading.nodes:
            x = reading.tensors[node.id]
            for who, kind, start in _notes(x) if node.op else ():
                if who is not None:
                    end = min(x.serial, calls.get((start, id(who)), (x.serial,))[0])
                    calls[start, id(who)] = (end, who, kind)
        return sorted(((start, end, who(), kind) for (start, _), (end, who, kind) in calls.items()), key=lambda call: (-call[0], call[1]))

    def _sweep(self, made: list[tuple[int, Node]]) -> None:
        """Give each op's node its innermost call; serial numbers fall."""
        waiting = list(reversed(self._ranges))
        open_calls: list[tuple[int, Cluster]] = []
        for serial, node in made:
            while waiting and waiting[-1][0] > serial:
                start, end, module, kind = waiting.pop()
                while open_calls and open_calls[-1][0] >= start:
                    open_calls.pop()
                if end <= serial:
                    open_calls.append((end, self._cluster(module, kind, open_calls[-1][1].id if open_calls else "")))
            while open_calls and open_calls[-1][0] > serial:
                open_calls.pop()
            if open_calls:
                join(node, open_calls[-1][1])

    def _cluster(self, module: Module | None, kind: str, parent: str) -> Cluster:
        if module is None:
            return new_cluster(self.clusters, "layer", "", kind, parent)
        if id(module) not in self._modules:
            self._take_names(module)
        name = self._modules[id(module)]
        times = self._times[id(module)] = self._times.get(id(module), 0) + 1
        again = f" (call {times})" if times > 1 else ""
        return new_cluster(self.clusters, "layer", name, f"{name} · {kind}{again}" if name else f"{kind}{again}", parent)


def new_cluster(clusters: Clusters, kind: str, name: str, label: str, parent: str = "") -> Cluster:
    """One more cluster, known to the one around it."""
    made = Cluster(f"c{len(clusters)}", kind, name, label, parent)
    clusters[made.id] = made
    if parent:
        clusters[parent].children.append(made.id)
    return made


def join(node: Node, cluster: Cluster) -> None:
    """Put a node into a cluster."""
    node.cluster = cluster.id
    cluster.nodes.append(node.id)


def place_leaves(reading: Reading, clusters: Clusters, names: Container[int]) -> None:
    """Put what was given into the innermost cluster that has all its uses; a penalty, or a gradient, is not a use of a layer's parameter.

    Data stay outside: inputs that are not in a module (``names`` has the ids of all that are) were handed in.
    """
    if not clusters:
        return
    by_id = {node.id: node for node in reading.nodes}
    uses: dict[str, list[Node]] = {}
    for edge in reading.edges:
        uses.setdefault(edge.source, []).append(by_id[edge.target])
    for node in reading.nodes:
        if node.op or not uses.get(node.id):
            continue
        users = uses[node.id]
        if node.kind == "input" and id(reading.tensors[node.id]) not in names:
            continue
        if node.kind == "parameter":
            users = [user for user in users if user.kind != "penalty" and user.phase != BACKWARD] if len(users) > 1 else users
            if any(user.kind == "penalty" for user in users):
                continue  # a parameter stands outside of what is done to it
        if users and (shared := _shared(users, clusters)):
            join(node, clusters[shared])


def _shared(users: list[Node], clusters: Clusters) -> str:
    """The innermost cluster around all of them."""
    common = list(above(users[0].cluster, clusters))
    for user in users[1:]:
        around = set(above(user.cluster, clusters))
        common = [cluster for cluster in common if cluster in around]
    return common[0] if common else ""
