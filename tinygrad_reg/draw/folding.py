"""What of a graph is drawn: closed layers as one box, repeated ones as one box ``×4``, and of long graphs the two ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .nodes import Cluster, Edge, Fold, Node, above

__all__ = ["View", "fold"]

_LONGEST_PERIOD = 4  # layers, of a repeated pattern
_FEW_PENALTIES = 4  # that are drawn one by one where layers are closed


@dataclass(eq=False)
class View:
    """The boxes that are drawn, nodes and folds, in order of execution; the edges between them, and how many each stands for; and a hint.

    ``cluster`` gives for the id of each box the id of the open cluster that it stands in, "" for none.
    """

    boxes: list[Node | Fold]
    edges: list[tuple[Edge, int]]
    cluster: dict[str, str]
    folds: list[Fold] = field(default_factory=list)
    hint: str = ""


def fold(
    nodes: Sequence[Node], edges: Sequence[Edge], clusters: dict[str, Cluster], depth: int | None, expand: Collection[str], max_nodes: int
) -> View:
    """The view with layers open down to ``depth``, those named in ``expand`` in any case, and at most ``max_nodes`` boxes.

    With a ``depth``, many penalties are one box, too.
    """
    folding = _Folding(nodes, clusters, expand)
    folding.close_below(depth)
    folding.close_until(max_nodes)
    boxes = folding.boxes()
    hint = ""
    if len(boxes) > max_nodes:
        boxes = folding.ends(boxes, max_nodes)
    if len(boxes) < len(nodes) and folding.too_many:
        hint = f"{len(nodes):,} nodes, drawn as {len(boxes):,}: raise max_nodes={max_nodes}" + (", or name layers in expand=" if clusters else "")
    folds = [box for box in boxes if isinstance(box, Fold)]
    for i, box in enumerate(folds):
        box.id = f"f{i}"
    return View(boxes, _between(boxes, edges), folding.places(boxes), folds, hint)


class _Folding:
    def __init__(self, nodes: Sequence[Node], clusters: dict[str, Cluster], expand: Collection[str]) -> None:
        self.nodes, self.clusters = nodes, clusters
        self.by_id = {node.id: node for node in nodes}
        self.level = {key: sum(1 for _ in above(key, clusters)) for key in clusters}
        self.opened = self._opened(expand)
        self.closed: set[str] = set()
        self.too_many = False

    def _opened(self, expand: Collection[str]) -> set[str]:
        """The clusters named in ``expand``, and those around them."""
        found: set[str] = set()
        for name in expand:
            fitting = [key for key, cluster in self.clusters.items() if name in (cluster.name, cluster.label)]
            if not fitting:
                known = ", ".join(sorted({repr(c.name or c.label) for c in self.clusters.values()})) or "none"
                raise ValueError(f"graph: expand names {name!r}, and there is no such layer; there are: {known}.")
            found.update(around for key in fitting for around in above(key, self.clusters))
        return found

    def close_below(self, depth: int | None) -> None:
        if depth is not None:
            layers = (key for key, cluster in self.clusters.items() if cluster.kind == "layer")
            sums = (key for key, cluster in self.clusters.items() if cluster.kind == "penalties" and len(cluster.children) > _FEW_PENALTIES)
            self.closed.update(key for key in (*(key for key in layers if self.level[key] > depth), *sums) if key not in self.opened)

    def close_until(self, max_nodes: int) -> None:
        """Close the innermost clusters, and then those around them, until few enough boxes are left."""
        self.too_many = self._count() > max_nodes
        for level in range(max(self.level.values(), default=0), 0, -1):
            if self._count() <= max_nodes:
                return
            self.closed.update(key for key in self.clusters if self.level[key] >= level and key not in self.opened)

    def _count(self) -> int:
        if not self.closed:
            return len(self.nodes)
        outer = self._outermost()
        return len({outer.get(node.cluster) or node.id for node in self.nodes})

    def _outermost(self) -> dict[str, str]:
        """For each cluster the outermost closed one that it is in, "" if all are open."""
        found = {"": ""}
        for key, cluster in self.clusters.items():
            found[key] = next((x for x in reversed(list(above(key, self.clusters))) if x in self.closed), "") if cluster else ""
        return found

    # ------------------------------------------------------------------------------------------- boxes

    def boxes(self) -> list[Node | Fold]:
        """Nodes that are in no closed cluster, and closed clusters, those that repeat together."""
        if not self.closed:
            return list(self.nodes)
        outer = self._outermost()
        members: dict[str, list[Node]] = {}
        for node in self.nodes:
            members.setdefault(outer[node.cluster] or node.id, []).append(node)
        runs = self._runs(members)
        found: list[Node | Fold] = []
        for key, inside in members.items():
            if key not in self.clusters:
                found.append(inside[0])
            else:
                keys, times = runs[key]
                if keys:
                    found.append(self._closed(keys, times, members))
        return found

    def _closed(self, keys: list[str], times: int, members: dict[str, list[Node]]) -> Fold:
        period = len(keys) // times
        label = " → ".join(self.clusters[key].label.rpartition(" · ")[2] for key in keys[:period])
        label = f"{label} ×{times}" if times > 1 else self._label(self.clusters[keys[0]])
        kind = "penalty" if self.clusters[keys[0]].kind in ("penalty", "penalties") else "fold"
        return Fold("", label, [node.id for key in keys for node in members[key]], keys, times, kind)

    def _label(self, cluster: Cluster) -> str:
        """Of penalties with their strengths; of many, how many there are of each kind and strength."""
        if cluster.kind == "penalties":
            terms = [self.clusters[key] for key in cluster.children]
            counts = Counter(f"{term.label.partition(' ')[0]}, λ = {term.lam}" for term in terms)
            return f"{len(terms)} penalties\n" + "\n".join(f"{text}: {count}" for text, count in counts.most_common(3)) + "\n…" * (len(counts) > 3)
        return f"{cluster.label}, λ = {cluster.lam}" if cluster.lam else cluster.label

    def _runs(self, members: dict[str, list[Node]]) -> dict[str, tuple[list[str], int]]:
        """By a closed cluster: the clusters of the box that starts with it, and how often its pattern repeats; none inside of such a box.

        An op between two layers keeps them apart, or there were a way from a box back into it.
        """
        keys = [key for key, inside in members.items() if key in self.clusters or inside[0].op]
        signs = [self._sign(key, members[key]) if key in self.clusters else key for key in keys]
        found: dict[str, tuple[list[str], int]] = {}
        i = 0
        while i < len(keys):
            period, times = _repeats(signs, i)
            run = keys[i : i + period * times] if times > 1 else keys[i : i + 1]
            found[keys[i]] = (run, times)
            found.update({key: ([], 0) for key in run[1:]})
            i += len(run)
        return found

    def _sign(self, key: str, inside: list[Node]) -> Any:
        """Equal for layers that look the same: of one kind, in one place, doing the same."""
        cluster = self.clusters[key]
        kind = cluster.label.rpartition(" · ")[2] if cluster.kind == "layer" else cluster.id
        return (kind, cluster.parent, tuple((node.kind, node.op, node.shape, node.settings) for node in inside))

    def ends(self, boxes: list[Node | Fold], most: int) -> list[Node | Fold]:
        """The first and last boxes, and one for all between: as these are next to each other in order of execution, no path leaves and comes back."""
        first = max((most - 1) // 2, 1)
        last = max(most - 1 - first, 1)
        middle = boxes[first:-last]
        members = [key for box in middle for key in (box.members if isinstance(box, Fold) else [box.id])]
        ops = Counter(self.by_id[key].label for key in members if self.by_id[key].op)
        usual = ", ".join(f"{count:,} × {label}" for label, count in ops.most_common(3))
        more = f", and {len(ops) - 3} other kinds" if len(ops) > 3 else ""
        return [*boxes[:first], Fold("", f"{len(members):,} nodes in between: {usual}{more}", members), *boxes[-last:]]

    def places(self, boxes: Iterable[Node | Fold]) -> dict[str, str]:
        """The open cluster that each box stands in."""
        found = {}
        for box in boxes:
            if isinstance(box, Node):
                found[box.id] = box.cluster
            else:
                found[box.id] = self.clusters[box.clusters[0]].parent if box.clusters else ""
        return found


def _repeats(signs: list[Any], start: int) -> tuple[int, int]:
    """Length and number of the pattern that repeats most from ``start`` on."""
    best = (1, 1)
    for period in range(1, _LONGEST_PERIOD + 1):
        times = 1
        while signs[start : start + period] == signs[start + times * period : start + (times + 1) * period]:
            times += 1
        if times > 1 and times * period > best[0] * best[1]:
            best = (period, times)
    return best


def _between(boxes: Sequence[Node | Fold], edges: Iterable[Edge]) -> list[tuple[Edge, int]]:
    """The edges as they run between boxes: one for several from a box to another, if one of these is a fold; none inside a box."""
    folds = {box.id for box in boxes if isinstance(box, Fold)}
    home = {key: box.id for box in boxes if isinstance(box, Fold) for key in box.members}
    found: list[tuple[Edge, int]] = []
    together: dict[tuple[str, str, str], int] = {}
    for edge in edges:
        if edge.source not in home and edge.target not in home:
            found.append((edge, 1))
            continue
        source, target = home.get(edge.source, edge.source), home.get(edge.target, edge.target)
        key = (source, target, edge.kind)
        if source == target:
            continue
        if key in together:
            place = together[key]
            found[place] = (found[place][0], found[place][1] + 1)
        else:
            together[key] = len(found)
            found.append((Edge(edge.id, source, target, edge.position, "" if target in folds else edge.label, edge.kind, edge.phase), 1))
    return found
