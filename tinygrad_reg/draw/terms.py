"""Penalties in a drawing: each term that ``penalties.find`` reads out of a loss is a cluster with its λ on it."""

from __future__ import annotations

from typing import Any

from ..mode import no_grad
from ..penalties import find
from ..tensor import Tensor
from .layers import Clusters, join, new_cluster
from .nodes import Cluster, Edge, Node
from .reading import Reading
from .summaries import number_text

__all__ = ["mark_penalties"]


def mark_penalties(outputs: list[Tensor], reading: Reading, clusters: Clusters, names: dict[int, str]) -> None:
    """Give the nodes of each penalty among the outputs' terms its kind and its cluster."""
    terms: list[tuple[Any, tuple[Tensor, ...]]] = []
    for loss in outputs:
        if loss.size != 1 or loss.op is None or loss._data.dtype.kind != "f":
            continue
        with no_grad():  # the rest is added up again, and nobody wants it here
            found = find(loss)
        terms += zip(found.terms, found.nodes, strict=True)
    if not terms:
        return
    marking = _Marking(reading, clusters)
    for term, made in terms:
        name = names.get(id(term.parameter)) or term.name
        marking.term(f"{type(term.penalty).__name__} on {name}", name, _strength(term.penalty), made)
    marking.together()


def _strength(penalty: Any) -> str:
    return number_text(float(penalty.lam))


class _Marking:
    def __init__(self, reading: Reading, clusters: Clusters) -> None:
        self.reading, self.clusters = reading, clusters
        self.nodes = {node.id: node for node in reading.nodes}
        self.into: dict[str, list[Edge]] = {}
        self.outof: dict[str, list[Edge]] = {}
        for edge in reading.edges:
            self.into.setdefault(edge.target, []).append(edge)
            self.outof.setdefault(edge.source, []).append(edge)
        self.terms: list[Cluster] = []

    def term(self, label: str, name: str, lam: str, made: tuple[Tensor, ...]) -> None:
        """The cluster of one term; the nodes in ``made`` are the Σ|w| and Σw² that it was read from."""
        inside = [node for x in made if id(x) in self.reading.of for node in self._inside(self.reading.of[id(x)][0]) if node.kind == "op"]
        if not inside:
            return
        cluster = new_cluster(self.clusters, "penalty", name, label)
        cluster.lam = lam
        self.terms.append(cluster)
        for node in {node.id: node for node in inside}.values():
            self._take(node, cluster)

    def _inside(self, node: Node) -> list[Node]:
        """What a term is made of, from its parameter to where it is added: below the node all ops, above it what only scales and sums it."""
        found, stack = {node.id: node}, [node]
        while stack:
            for edge in self.into.get(stack.pop().id, ()):
                below = self.nodes[edge.source]
                if below.op and below.id not in found and all(use.target in found for use in self._uses(below)):
                    found[below.id] = below
                    stack.append(below)
        while len(uses := self._uses(node)) == 1 and self._only_scales(uses[0]):
            node = self.nodes[uses[0].target]
            found[node.id] = node
        return list(found.values())

    def _uses(self, node: Node) -> list[Edge]:
        return [edge for edge in self.outof.get(node.id, ()) if self.nodes[edge.target].phase == node.phase]

    def _only_scales(self, edge: Edge) -> bool:
        """Whether all else that the edge's target is made of are numbers, and none of them is added."""
        return self.nodes[edge.target].op not in ("add", "subtract") and all(
            x is edge or not self.nodes[x.source].wants_gradient for x in self.into[edge.target]
        )

    def _take(self, node: Node, cluster: Cluster) -> None:
        if node.cluster:
            self.clusters[node.cluster].nodes.remove(node.id)
        node.kind = "penalty"
        join(node, cluster)

    def together(self) -> None:
        """Several terms are in one cluster, with the sums of penalties alone."""
        if len(self.terms) < 2:
            return
        around = new_cluster(self.clusters, "penalties", "", "penalties")
        for cluster in self.terms:
            cluster.parent = around.id
            around.children.append(cluster.id)
        for node in self.reading.nodes:
            sources = [self.nodes[edge.source] for edge in self.into.get(node.id, ())]
            flowing = [x for x in sources if x.wants_gradient]
            if node.kind == "op" and node.op == "add" and flowing and all(x.kind == "penalty" for x in flowing) and not node.output:
                self._take(node, around)
