"""A view as DOT, the language of Graphviz. The same view gives the same text."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .connectors import cut_edges
from .folding import View
from .nodes import BACKWARD, Cluster, Edge, Fold, Node, shape_text
from .themes import Look, Theme

if TYPE_CHECKING:
    import graphviz

__all__ = ["LEGEND", "dot", "plain", "written"]

_FONT = "Helvetica,Arial,sans-serif"
LEGEND = {
    "parameter": "parameter",
    "input": "input",
    "op": "operation",
    "penalty": "penalty",
    "backward": "backward pass",
    "fold": "folded",
    "argument": "argument",
    "state": "state",
    "gradient": "gradient",
    "number": "number",
}
_MANY = 600  # boxes, from which on Graphviz is asked to hurry


def dot(view: View, clusters: Mapping[str, Cluster], theme: Theme, direction: str, title: str = "") -> str:
    """The text: ids of nodes, edges and clusters are those of the records."""
    import graphviz  # noqa: PLC0415 - it takes a while to import, and not everybody draws

    drawing = graphviz.Digraph(title or "graph")
    drawing.attr(rankdir=direction, bgcolor=theme.paper, fontname=_FONT, fontsize="10", fontcolor=theme.faint, **_spacing(view))
    drawing.attr("node", shape="box", style="rounded,filled", fontname=_FONT, fontsize="11", fontcolor=theme.text, margin="0.11,0.06", height="0.3")
    drawing.attr("edge", color=theme.edge, fontname=_FONT, fontsize="8", fontcolor=theme.faint, arrowsize="0.6", penwidth="0.9")
    _Writing(view, clusters, theme).all_into(drawing)
    return drawing.source


def _spacing(view: View) -> dict[str, str]:
    usual = {"nodesep": "0.22", "ranksep": "0.38", "pad": "0.2", "labelloc": "b", "labeljust": "l"}
    if len(view.boxes) > _MANY:
        return usual | {"nslimit": "0.02", "nslimit1": "0.02", "mclimit": "0.1", "splines": "line"}
    return usual | ({"nslimit": "0.5", "nslimit1": "0.5"} if len(view.boxes) > _MANY // 3 else {})


class _Writing:
    def __init__(self, view: View, clusters: Mapping[str, Cluster], theme: Theme) -> None:
        self.view, self.clusters, self.theme = view, clusters, theme
        self.inside: dict[str, list[Node | Fold]] = {}
        for box in view.boxes:
            self.inside.setdefault(view.cluster[box.id], []).append(box)
        self.children: dict[str, list[str]] = {}
        for key in self._open():
            self.children.setdefault(clusters[key].parent, []).append(key)

    def _open(self) -> list[str]:
        """The clusters that have a box in them, outer ones before inner ones."""
        found: dict[str, None] = {}
        for key in self.inside:
            chain = []
            while key and key not in found:
                chain.append(key)
                key = self.clusters[key].parent  # noqa: PLW2901 - climbing
            found.update(dict.fromkeys(reversed(chain)))
        return list(found)

    def all_into(self, drawing: graphviz.Digraph) -> None:
        """Nodes in their clusters, then edges, then the legend."""
        self._cluster_into(drawing, "")
        by_id = {box.id: box for box in self.view.boxes}
        self._tell(by_id)
        cut = cut_edges(self.view)
        for edge, count in (pair for pair in self.view.edges if pair[0].kind == "data"):
            source = edge.source
            if edge.id in cut:
                source = f"{edge.source}_{edge.id}"
                drawing.node(source, **self._sign(by_id[edge.source]))
            drawing.edge(source, edge.target, **self._edge(edge, count, by_id))
        drawing.attr(label=f"<{self._legend()}>")

    def _sign(self, box: Node | Fold) -> dict[str, Any]:
        """A cut edge's small sign, which says from where it comes."""
        text = self._faint(f"{box.name or box.label} ({box.id}) ▸" if isinstance(box, Node) else f"{box.label} ▸")
        return {"label": f"<{text}>", "shape": "plaintext", "style": "", "margin": "0.02,0", "height": "0.15", "width": "0"}

    def _tell(self, by_id: Mapping[str, Node | Fold]) -> None:
        """Which edges need no label: those from something of that name, and what is left over when all others are told."""
        self.told: set[str] = set()
        self.untold: dict[str, int] = {}
        for edge, _ in self.view.edges:
            source = by_id[edge.source]
            if edge.label == "x" or (isinstance(source, Node) and source.label.rpartition(".")[2] == edge.label):
                self.told.add(edge.id)
            elif edge.label:
                self.untold[edge.target] = self.untold.get(edge.target, 0) + 1

    def _cluster_into(self, drawing: graphviz.Digraph, key: str) -> None:
        for box in self.inside.get(key, ()):
            drawing.node(box.id, **(self._node(box) if isinstance(box, Node) else self._fold(box)))
        for child in self.children.get(key, ()):
            cluster = self.clusters[child]
            look = self.theme.clusters[cluster.kind]
            with drawing.subgraph(name=f"cluster_{child}") as part:
                part.attr(label=f"<{self._title(cluster)}>", labelloc="t", labeljust="l", style="rounded,filled")
                part.attr(fillcolor=look.fill, color=look.line, margin="10", tooltip=plain(cluster.label))
                self._cluster_into(part, child)

    def _title(self, cluster: Cluster) -> str:
        if cluster.kind != "penalty":
            return _small(written(cluster.label), self.theme.faint, 10)
        return _small(f"{written(cluster.label)} &nbsp; <b>λ = {written(cluster.lam)}</b>", self.theme.penalty, 10)

    # -------------------------------------------------------------------------------------------- boxes

    def _node(self, node: Node) -> dict[str, Any]:
        backward = node.phase == BACKWARD
        if node.kind == "constant":
            text = _small(written(node.label), self.theme.text, 10)
            if node.shape:
                value = node.value
                told = value is None or value.minimum == value.maximum
                text = f"{text}<br/>{self._faint(shape_text(node.shape, node.dtype))}{'' if told else self._value(node)}"
            size = {"margin": "0.04,0.02", "height": "0.2", "width": "0"}
            return {"label": f"<{text}>", "shape": "plaintext", "style": "", "tooltip": _hint(node), **size}
        look = self._look(node, backward)
        lines = [f"<b>{written(node.label)}</b>" if not node.op else f'<font point-size="13">{written(node.label)}</font>']
        if node.op and node.name:
            lines.insert(0, f"<b>{written(node.name)}</b>")
        if node.gradient_of:
            lines.insert(0, _small(f"<b>{written(node.note)}</b>", self.theme.gradient, 11))
        if node.note and not node.gradient_of:
            lines.insert(0, f"<b>{written(node.note)}</b>" if node.buffer else self._faint(node.note))
        notes = (node.settings, shape_text(node.shape, node.dtype))
        lines += [self._faint(text) for text in notes if text]
        label = "<br/>".join(lines) + self._value(node) + self._gradient(node)
        more = {"color": self.theme.strong, "penwidth": "1.8"} if node.output else {"color": look.line}
        return {"label": f"<{label}>", "fillcolor": look.fill, "tooltip": _hint(node), **more}

    def _look(self, node: Node, backward: bool) -> Look:
        if backward and node.op:
            return self.theme.look("backward")
        if node.buffer and node.buffer != "state":
            return Look(self.theme.buffers[int(node.buffer) % len(self.theme.buffers)], self.theme.look("op").line)
        return self.theme.look(node.buffer or node.kind)

    def _fold(self, box: Fold) -> dict[str, Any]:
        look = self.theme.look(box.kind)
        count = len(box.members)
        lines = [self._faint(text) if i else written(text) for i, text in enumerate(box.label.split("\n"))] + [
            self._faint(f"{count:,} node{'s' * (count != 1)}")
        ] * bool(box.clusters)
        return {"label": f"<{'<br/>'.join(lines)}>", "fillcolor": look.fill, "color": look.line, "shape": "box3d" if box.times > 1 else "box"}

    def _faint(self, text: str) -> str:
        return _small(written(text), self.theme.faint, 9)

    def _value(self, node: Node) -> str:
        value = node.value
        return f"<br/>{_small(_two_lines(value.text), self.theme.text, 9)}" if value is not None else ""

    def _gradient(self, node: Node) -> str:
        gradient = node.gradient
        if gradient is not None:
            return f"<br/>{_small('∇ ' + _two_lines(gradient.text), self.theme.gradient, 9)}"
        missing = node.kind == "parameter" and not node.silent
        return f"<br/>{_small('∇ not computed', self.theme.faint, 9)}" if missing else ""

    # -------------------------------------------------------------------------------- edges and legend

    def _edge(self, edge: Edge, count: int, by_id: Mapping[str, Node | Fold]) -> dict[str, str]:
        more: dict[str, str] = {}
        few = len(self.view.boxes) <= _MANY  # each label takes a column of its own
        if edge.label and few and edge.id not in self.told and self.untold[edge.target] > 1:
            more["label"] = plain(edge.label)
        if count > 1:
            more["label"] = f"×{count}"
        target = by_id[edge.target]
        if edge.phase == BACKWARD:
            more["color"] = self.theme.look("backward").line
        elif target.kind == "penalty":
            more["color"] = self.theme.look("penalty").line
        return more

    def _legend(self) -> str:
        kinds = {box.kind for box in self.view.boxes if not (isinstance(box, Node) and box.phase == BACKWARD)}
        if any(isinstance(box, Node) and box.phase == BACKWARD for box in self.view.boxes):
            kinds.add("backward")
        cells = "".join(self._swatch(kind, text) for kind, text in LEGEND.items() if kind in kinds)
        if any(isinstance(box, Node) and box.output for box in self.view.boxes):
            cells += self._cell(self.theme.paper, self.theme.strong, "output")
        if any(isinstance(box, Node) and box.buffer not in ("", "state") for box in self.view.boxes):
            cells += self._cell(self.theme.buffers[0], self.theme.look("op").line, "same colour: same memory")
        if any(isinstance(box, Node) and box.kind == "parameter" for box in self.view.boxes):
            cells += f'<td><font point-size="9" color="{self.theme.gradient}">∇</font></td><td>{_small("gradient", self.theme.faint, 9)}</td>'
        hint = f'<tr><td colspan="40" align="left">{self._faint(self.view.hint)}</td></tr>' if self.view.hint else ""
        return f'<table border="0" cellborder="0" cellspacing="3" cellpadding="1"><tr>{cells}</tr>{hint}</table>'

    def _swatch(self, kind: str, text: str) -> str:
        look = self.theme.look(kind)
        return self._cell(look.fill, look.line, text)

    def _cell(self, fill: str, line: str, text: str) -> str:
        box = f'<td border="1" color="{line}" bgcolor="{fill}" width="12" height="8" fixedsize="true" style="rounded"></td>'
        return f'{box}<td align="left">{_small(text, self.theme.faint, 9)}&nbsp;</td>'


def _small(text: str, colour: str, size: int) -> str:
    return f'<font point-size="{size}" color="{colour}">{text}</font>'


def _two_lines(text: str) -> str:
    return written(text).replace(" · ", "<br/>")


def _hint(node: Node) -> str:
    """What a browser shows over a node."""
    lines = [node.name or node.op or node.label, shape_text(node.shape, node.dtype)]
    if node.value is not None:
        lines.append(node.value.text)
    return plain(" · ".join(filter(None, lines)))


_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def _printable(text: str) -> str:
    """Without control characters and halves of pairs, which neither XML nor UTF-8 can have."""
    return _UNPRINTABLE.sub(lambda found: chr(0x2400 + ord(found[0])) if ord(found[0]) < 0x20 else "\ufffd", text)


def written(text: str) -> str:
    """Text for a label in Graphviz's HTML: every character stands for itself.

    >>> written('</b> "x" & {|}')
    '&lt;/b&gt; &quot;x&quot; &amp; {|}'
    """
    return html.escape(_printable(text)).replace("]", "&#93;") or "&nbsp;"  # a bracket alone is an error for some versions of Graphviz


def plain(text: str) -> str:
    """Text for an ordinary attribute of DOT, where a backslash starts an escape, and where ``<…>`` would be HTML."""
    import graphviz  # noqa: PLC0415 - as above

    return graphviz.escape(_printable(text))
