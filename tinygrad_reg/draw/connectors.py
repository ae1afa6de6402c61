"""Which edges of a large drawing are cut: the longest, where Graphviz would need minutes to lead them past everything else.

A cut edge is drawn as on a circuit diagram: at its target stands a small sign with the name of what comes in.
"""

from __future__ import annotations

from .folding import View
from .nodes import Edge

__all__ = ["cut_edges"]

_FEW = 400  # ranks that all edges together may span; or a quarter of the boxes, where that is more


def cut_edges(view: View) -> set[str]:
    """The ids of the edges to cut, so that the others together do not span too many ranks; none in an ordinary drawing."""
    edges = [edge for edge, _ in view.edges if edge.kind == "data"]
    ranks = _ranks(view, edges)
    spans = sorted(((ranks[edge.target] - ranks[edge.source] - 1, i) for i, edge in enumerate(edges)), reverse=True)
    most = max(_FEW, len(view.boxes) // 4)
    total = sum(span for span, _ in spans)
    cut: set[str] = set()
    for span, i in spans:
        if total <= most or span < 1:
            break
        total -= span
        cut.add(edges[i].id)
    return cut


def _ranks(view: View, edges: list[Edge]) -> dict[str, int]:
    """How many boxes must come before each; what was made from nothing stands just before its first use."""
    ranks = {box.id: 0 for box in view.boxes}
    into: dict[str, list[str]] = {}
    outof: dict[str, list[str]] = {}
    for edge in edges:
        into.setdefault(edge.target, []).append(edge.source)
        outof.setdefault(edge.source, []).append(edge.target)
    for box in view.boxes:
        ranks[box.id] = max((ranks[source] + 1 for source in into.get(box.id, ())), default=0)
    for box in view.boxes:
        if box.id not in into and box.id in outof:
            ranks[box.id] = max(min(ranks[target] for target in outof[box.id]) - 1, 0)
    return ranks
