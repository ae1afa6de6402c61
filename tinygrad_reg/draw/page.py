"""The page: one HTML file that holds the graph, its numbers and the programs to look at them. It needs no network and no other file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from string import Template
from typing import Any

import numpy as np

from ..tensor import Tensor
from .dot import LEGEND
from .folding import View
from .nodes import BACKWARD, Cluster, Edge, Fold, Node, above, shape_text
from .recorded import all_gradients
from .steps import Step, spoken, steps
from .summaries import Summary, histogram, number_text, summary
from .themes import LIGHT, THEMES, Theme

__all__ = ["html"]

_MOST = 2000  # nodes, that a browser lays out in a moment
_SCRIPTS = ("layout.js", "view.js", "steps.js")


def html(
    title: str,
    view: View,
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    clusters: Mapping[str, Cluster],
    tensors: dict[str, Any],
    direction: str = "LR",
    theme: str = "light",
) -> str:
    """The text of the page. What is folded in the ``view`` is closed at first; ``tensors`` has the Tensor of each node's id.

    Of a graph of more nodes than a browser likes to draw, the page shows the view alone: its folds cannot be opened, and there are no steps.
    """
    whole = len(nodes) <= _MOST
    groups = _Groups(view, nodes, clusters) if whole else _Groups(view, [box for box in view.boxes if isinstance(box, Node)], clusters)
    shown = [*nodes] if whole else [_as_node(box, i) if isinstance(box, Fold) else box for i, box in enumerate(view.boxes)]
    slopes = _slopes(nodes, tensors) if whole else {}
    walk = steps(nodes, edges, tensors, slopes) if whole and tensors else []
    edges = edges if whole else [edge for edge, _ in view.edges]
    kinds = {_kind(node) for node in shown}
    data = {
        "title": title,
        "hint": view.hint,
        "down": direction in ("TB", "BT"),
        "nodes": [_node(node, groups, slopes.get(id(tensors.get(node.id)))) for node in shown],
        "edges": _edges(edges, walk),
        "groups": groups.listed(),
        "steps": _listed(walk, {edge.id: i for i, edge in enumerate(edges)}),
        "legend": [{"kind": kind, "text": text} for kind, text in LEGEND.items() if kind in kinds],
    }
    return _filled(title, theme, data)


class _Groups:
    """What can be folded: the clusters, and what the view has folded of ops in a row."""

    def __init__(self, view: View, nodes: Sequence[Node], clusters: Mapping[str, Cluster]) -> None:
        self.clusters = dict(clusters)
        self.closed = {key for fold in view.folds for key in fold.clusters}
        self.home = {node.id: node.cluster for node in nodes}
        for fold in view.folds:
            if not fold.clusters and fold.members[0] in self.home:
                self.clusters[fold.id] = Cluster(fold.id, "layer", "", fold.label)
                self.closed.add(fold.id)
                self.home.update(dict.fromkeys(fold.members, fold.id))
        self.sizes: dict[str, int] = {}
        for home in self.home.values():
            for key in above(home, self.clusters):
                self.sizes[key] = self.sizes.get(key, 0) + 1

    def path(self, node: Node) -> str:
        """The names of the layers that a node is in, to be searched for."""
        return " ".join(self.clusters[key].label for key in above(self.home.get(node.id, ""), self.clusters))

    def listed(self) -> list[dict[str, Any]]:
        """The groups that have nodes."""
        return [self._listed(cluster) for key, cluster in self.clusters.items() if key in self.sizes]

    def _listed(self, cluster: Cluster) -> dict[str, Any]:
        title = cluster.label + (f", λ = {cluster.lam}" if cluster.lam and cluster.lam not in cluster.label else "")
        return {
            "id": cluster.id,
            "title": title,
            "parent": cluster.parent,
            "kind": cluster.kind,
            "size": self.sizes[cluster.id],
            "folded": cluster.id in self.closed,
        }


def _as_node(fold: Fold, order: int) -> Node:
    return Node(fold.id, order, "fold", fold.label, note=f"{len(fold.members):,} nodes")


def _filled(title: str, theme: str, data: Any) -> str:
    """The template with everything in its place. What users named stays text: ``<`` cannot end a script, and the title is escaped."""
    parts = {name: _asset(name) for name in ("page.html", "page.css", *_SCRIPTS)}
    safe = json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return Template(parts["page.html"]).substitute(
        title=escape(title), theme=theme, style=_colours() + parts["page.css"], script="\n".join(parts[name] for name in _SCRIPTS), data=safe
    )


def _asset(name: str) -> str:
    from importlib.resources import files  # noqa: PLC0415 - it takes a while to import, and not everybody saves a page

    return files(__package__).joinpath("page", name).read_text(encoding="utf-8").rstrip()


def _slopes(nodes: Sequence[Node], tensors: Mapping[str, Any]) -> dict[int, Any]:
    """Gradients of the output, if there is one and it is a single number; else there is nothing to walk back from."""
    outputs = [tensors.get(node.id) for node in nodes if node.output]
    if len(outputs) == 1 and isinstance(outputs[0], Tensor) and outputs[0].size == 1 and outputs[0].requires_grad and outputs[0].op is not None:
        return {id(x): g for x, g in all_gradients([outputs[0]]).items()}
    return {}


def _colours() -> str:
    """The themes, for the style sheet."""
    return (
        "".join(f"{root} {{{_variables(THEMES[name])}}}\n" for name, root in (("light", ":root"), ("dark", ':root[data-theme="dark"]')))
        + "".join(f".node.{kind} rect {{fill: var(--{kind}); stroke: var(--{kind}-edge)}}\n" for kind in LIGHT.kinds)
        + "".join(f".group.{kind} rect {{fill: var(--{kind}-group); stroke: var(--{kind}-group-edge)}}\n" for kind in LIGHT.clusters)
    )


def _variables(theme: Theme) -> str:
    own = {"paper": theme.paper, "ink": theme.text, "soft": theme.faint, "line": theme.edge, "back": theme.gradient, "strong": theme.strong}
    for kinds, what in ((theme.kinds, ""), (theme.clusters, "-group")):
        for kind, look in kinds.items():
            own |= {f"{kind}{what}": look.fill, f"{kind}{what}-edge": look.line}
    return " ".join(f"--{name}: {colour};" for name, colour in own.items())


def _kind(node: Node) -> str:
    """What decides its colour."""
    kind = "backward" if node.phase == BACKWARD and node.op and node.kind != "penalty" else node.kind
    return kind if kind in LIGHT.kinds else "op"


def _node(node: Node, groups: _Groups, slope: Any) -> dict[str, Any]:
    about = " · ".join(filter(None, ["" if node.name or spoken(node) == node.label else spoken(node), node.op, node.settings, node.note]))
    return {
        "id": node.id,
        "label": node.name or node.label,
        "kind": _kind(node),
        "output": node.output,
        "order": node.order,
        "group": groups.home.get(node.id, ""),
        "op": node.op,
        "shape": shape_text(node.shape, node.dtype) if node.kind != "fold" else "",
        "about": about or node.kind,
        "path": groups.path(node),
        "value": _numbers(node.value, node.array),
        **_gradient(node, slope),
    }


def _gradient(node: Node, slope: Any) -> dict[str, Any]:
    """Its gradient of the output, and what has collected in ``.grad`` where that is something else."""
    collected = _numbers(node.gradient, node.gradient_array)
    if slope is None or isinstance(slope, tuple):
        return {"gradient": collected or ({"text": "not computed"} if node.wants_gradient else None)}
    here = _numbers(summary(slope), slope)
    if collected is None or collected["text"] == here["text"]:  # type: ignore[index]
        return {"gradient": here}
    return {"gradient": here, "collected": collected}


def _numbers(what: Summary | None, array: Any) -> dict[str, Any] | None:
    if what is None:
        return None
    found: dict[str, Any] = {"text": what.text}
    if not what.whole and what.minimum is not None and what.minimum < what.maximum:  # type: ignore[operator]
        bins, low, high = histogram(np.asarray(array))
        found |= {"bins": bins, "low": number_text(low), "high": number_text(high)}
    return found


def _edges(edges: Sequence[Edge], walk: Sequence[Step]) -> list[dict[str, Any]]:
    rules = {key: line for step in walk if step.phase == BACKWARD for key, line in zip(step.edges, step.lines, strict=False)}
    return [
        {
            "from": edge.source,
            "to": edge.target,
            "place": edge.label,
            "phase": edge.phase,
            "assigned": edge.kind == "assigned",
            "rule": rules.get(edge.id, "").split("  =  ")[0],
        }
        for edge in edges
    ]


def _listed(walk: Sequence[Step], places: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {"phase": step.phase, "node": step.node, "text": step.text, "lines": step.lines, "edges": [places[key] for key in step.edges]}
        for step in walk
    ]
