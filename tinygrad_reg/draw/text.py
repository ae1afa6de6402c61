"""A view as a tree of text, from the outputs down: for terminals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .folding import View
from .nodes import BACKWARD, Cluster, Edge, Fold, Node, shape_text

__all__ = ["tree"]

_WIDTH = 120  # columns, from which on lines are cut
_PLACE = 36  # the column of shapes, where labels are short enough


def tree(view: View, clusters: Mapping[str, Cluster]) -> str:
    """Each box on a line, what it was made from under it; a box that is used twice is drawn out once and then named by its id.

    What was made from one op only goes straight down, so that long chains do not run out of the page.
    """
    return "\n".join(_Tree(view, clusters).lines())


class _Tree:
    def __init__(self, view: View, clusters: Mapping[str, Cluster]) -> None:
        self.view, self.clusters = view, clusters
        self.boxes = {box.id: box for box in view.boxes}
        self.into: dict[str, list[Edge]] = {}
        self.uses: dict[str, int] = {}
        for edge, _ in view.edges:
            if edge.kind == "data":
                self.into.setdefault(edge.target, []).append(edge)
                self.uses[edge.source] = self.uses.get(edge.source, 0) + 1

    def lines(self) -> Iterator[str]:
        """All lines."""
        seen: set[str] = set()
        stack: list[tuple[str, str, str, str]] = [("", "", key, "") for key in reversed(self._roots())]
        while stack:
            first, rest, key, argument = stack.pop()
            again = key in seen and bool(self.into.get(key))
            yield _cut((first + self._name(key, argument)).ljust(_PLACE) + "  " + (f"see {key} above" if again else self._facts(key)))
            if key not in seen:
                seen.add(key)
                stack.extend(reversed(list(self._below(key, rest))))
        if self.view.hint:
            yield f"({self.view.hint})"

    def _roots(self) -> list[str]:
        """The outputs, and then whatever else nothing was made from."""
        outputs = [box.id for box in self.view.boxes if isinstance(box, Node) and box.output]
        return [*outputs, *(box.id for box in self.view.boxes if not self.uses.get(box.id) and box.id not in outputs)]

    def _below(self, key: str, prefix: str) -> Iterator[tuple[str, str, str, str]]:
        """What a box was made from: given things and branches first, indented; a single op straight below."""
        edges = self.into.get(key, [])
        ops = [edge for edge in edges if self.into.get(edge.source)]
        straight = ops[-1] if len(ops) == 1 else None
        branches = [edge for edge in edges if edge is not straight]
        for i, edge in enumerate(branches):
            last = i == len(branches) - 1 and straight is None
            yield prefix + ("└─ " if last else "├─ "), prefix + ("   " if last else "│  "), edge.source, edge.label
        if straight is not None:
            yield prefix, prefix, straight.source, straight.label

    def _name(self, key: str, argument: str) -> str:
        box = self.boxes[key]
        label = f"{box.label} ({box.settings})" if isinstance(box, Node) and box.settings else box.label
        if isinstance(box, Node) and box.op and box.name:
            label = f"{box.name} = {label}"
        told = argument in ("", "x", label, label.rpartition(".")[2])
        shared = f"{key}: " if self.uses.get(key, 0) > 1 and self.into.get(key) else ""
        return " ".join(f"{shared}{label if told else f'{argument} ← {label}'}".splitlines())

    def _facts(self, key: str) -> str:
        return "  ".join(filter(None, self._remarks(self.boxes[key])))

    def _remarks(self, box: Node | Fold) -> Iterator[Any]:
        if isinstance(box, Fold):
            yield f"[{len(box.members):,} nodes]"
            return
        if box.kind != "constant" or box.shape:
            yield shape_text(box.shape, box.dtype)
            yield box.value.text if box.value is not None else ""
        if box.gradient is not None:
            yield f"∇ {box.gradient.text}"
        elif box.kind == "parameter" and not box.silent:
            yield "∇ not computed"
        yield box.note
        yield "backward" if box.phase == BACKWARD and box.op else ""
        cluster = self.view.cluster[box.id]
        if cluster and not (isinstance(box, Node) and box.kind == "constant"):
            lam = self.clusters[cluster].lam
            yield f"‹{self.clusters[cluster].label}{f', λ = {lam}' if lam else ''}›"


def _cut(line: str) -> str:
    line = line.rstrip()
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"
