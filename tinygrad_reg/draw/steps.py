"""The computation node by node: first the values, then the gradients with the chain rule on each edge, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..backward import contribution
from ..tensor import Tensor
from .nodes import BACKWARD, FORWARD, Edge, Node
from .summaries import summary
from .words import formula, rule_formula

__all__ = ["Step", "spoken", "steps"]


@dataclass(frozen=True)
class Step:
    """One step: the ``phase``, the ``node`` that is worked off (its id), what happens in ``text``, and a line for each edge (ids in ``edges``).

    A forward step computes the node's value. A backward step hands its gradient on to its inputs; each line is one term of an input's gradient.
    """

    phase: str
    node: str
    text: str
    lines: list[str]
    edges: list[str] = field(default_factory=list)


def spoken(node: Node) -> str:
    """What a node is called in formulas: its name, its number, or ``v`` and its place in the order.

    >>> spoken(Node("n0", 0, "parameter", "w", name="w")), spoken(Node("n7", 7, "op", "×", op="multiply"))
    ('w', 'v7')
    """
    return node.name or (node.label if node.kind == "constant" and node.label != "constant" else f"v{node.order}")


def steps(nodes: Sequence[Node], edges: Sequence[Edge], tensors: dict[str, Any], slopes: dict[int, Any]) -> list[Step]:
    """All steps: each op's node in order, then back again, as far as there are gradients in ``slopes`` (by id of the Tensor)."""
    made = [node for node in nodes if node.op]
    entering: dict[str, list[Edge]] = {}
    for edge in edges:
        entering.setdefault(edge.target, []).append(edge)
    called = {node.id: spoken(node) for node in nodes}
    forward = [_forward(node, entering.get(node.id, []), tensors, called) for node in made]
    walk = _Back(tensors, slopes, called, entering)
    return forward + [walk.step(node) for node in reversed(made) if id(tensors[node.id]) in slopes]


def _forward(node: Node, entering: Sequence[Edge], tensors: dict[str, Any], called: dict[str, str]) -> Step:
    made, value = tensors[node.id], node.value
    names = {id(made.inputs[edge.position]): called[edge.source] for edge in entering}
    numbers = f"  =  {value.text}" if value is not None else ""
    return Step(FORWARD, node.id, f"{node.op} is computed", [f"{called[node.id]} = {formula(made, names)}{numbers}"], [edge.id for edge in entering])


class _Back:
    """The walk back, with the sums so far."""

    def __init__(self, tensors: dict[str, Any], slopes: dict[int, Any], called: dict[str, str], entering: dict[str, list[Edge]]) -> None:
        self.tensors, self.slopes, self.called, self.entering = tensors, slopes, called, entering
        self.sums: dict[str, Any] = {}

    def step(self, node: Node) -> Step:
        """Hand the gradient of a node on."""
        made = self.tensors[node.id]
        g = self.slopes[id(made)]
        lines, passed = [], []
        for edge in self.entering.get(node.id, []):
            term = contribution(made, edge.position, g) if self._flows(made, edge) else None
            if term is not None:
                lines.append(self._line(made, edge, term))
                passed.append(edge.id)
        text = f"hands on its gradient, g = ∂L/∂{self.called[node.id]} = {_text(g)}"
        return Step(BACKWARD, node.id, text, lines or ["no gradient flows on from here"], passed)

    def _flows(self, made: Tensor, edge: Edge) -> bool:
        x = made.inputs[edge.position]
        return isinstance(x, Tensor) and x._needs_grad

    def _line(self, made: Tensor, edge: Edge, term: Any) -> str:
        labels = [""] * len(made.inputs)
        for other in self.entering[edge.target]:
            labels[other.position] = self.called[other.source]
        text = rule_formula(made, edge.position, labels)
        before = self.sums.get(edge.source)
        total = self.sums[edge.source] = term if before is None else before + term
        so_far = "" if before is None else f", in all {_text(total)}"
        name = self.called[edge.source]
        return f"∂L/∂{name} += {text}  =  {_text(term)}{so_far}" if text else f"∂L/∂{name} += {_text(term)}{so_far}"


def _text(g: Any) -> str:
    return summary(g).text if not isinstance(g, tuple) else "several"
