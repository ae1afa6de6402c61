"""A program as a picture: values in, ops, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphviz

from .program import CONSTANT, Program, Value, names

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["picture"]

_ORDERED = {"subtract", "divide", "power", "matmul", "where"}  # whose inputs cannot change places: their edges are numbered
_COLOURS = {"argument": "#cfe8fc", "state": "#d9f2d9", "gradient": "#fce4cf", "number": "#fff6cc"}


def picture(program: Program) -> graphviz.Digraph:
    """The program for Graphviz: boxes are ops, with the shape they give; round are arguments, states and numbers; dashed is what states get.

    ``.source`` is its text in DOT; ``.render()`` and notebooks need the program ``dot``.

    >>> from tinygrad_reg.compile.example import small
    >>> "v0 -> v1" in picture(small(tg.exp)).source
    True
    """
    drawn = graphviz.Digraph(
        "program", node_attr={"fontname": "Helvetica", "fontsize": "10"}, edge_attr={"fontsize": "8"}, graph_attr={"rankdir": "LR"}
    )
    name = names(program)
    for x in program.inputs:
        if x.kind != CONSTANT:
            drawn.node(name(x), _text(x.name or x.kind, x), style="filled", fillcolor=_COLOURS[x.kind])
    for step in program.steps:
        drawn.node(name(step.out), _text(step.op.label, step.out), shape="box", tooltip=step.where or step.op.name)
        for place, x in enumerate(step.inputs):
            if x.kind != CONSTANT:
                drawn.edge(name(x), name(step.out), headlabel=str(place) if step.op.name in _ORDERED else "")
    _ends(drawn, program, name)
    return drawn


def _text(what: str, x: Value) -> str:
    kind: Any = "number" if x.weak else "several" if x.parts else f"{x.shape} {x.dtype}"
    return f"{graphviz.escape(what)}\n{kind}"


def _ends(drawn: graphviz.Digraph, program: Program, name: Callable[[Value], str]) -> None:
    for state, new in program.assigned:
        if new.kind != CONSTANT:
            drawn.edge(name(new), name(state), style="dashed", constraint="false")
    for i, x in enumerate(program.results):
        drawn.node(f"result{i}", f"result {i}", shape="plaintext")
        if x.kind != CONSTANT:
            drawn.edge(name(x), f"result{i}")
