"""``graph``: the picture of a computation, and what to do with it."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from ..compile import Compiled, Program
from ..nn.module import Module
from ..tensor import Tensor, nothing_recorded
from .folding import View, fold
from .nodes import Cluster, Edge, Fold, Node
from .programs import read_program
from .recorded import read_recorded
from .rendering import FORMATS, rendered
from .text import tree
from .themes import THEMES

__all__ = ["Graph", "graph"]

_PATIENCE = 60.0  # seconds, that a notebook waits for a picture


def graph(
    *outputs: Any,
    inputs: Any = None,
    model: Module | None = None,
    values: str = "auto",
    grads: str = "auto",
    backward: bool = False,
    depth: int | None = None,
    expand: str | Iterable[str] = (),
    max_nodes: int = 400,
    direction: str = "LR",
    theme: str = "light",
) -> Graph:
    """The graph that ``outputs`` were made by, to look at, to save, and to walk. Changes nothing.

    Outputs are Tensors: a loss, or gradients made with ``create_graph=True``, whose own computation is drawn then; or one compiled function, or
    its program. ``inputs`` (Tensors, or a dict that names them) is where the drawing starts: what they were made from is left out. ``model``
    gives parameters and layers their dotted names; without it, they are those in the outermost module that was called.

    ``values``: ``"auto"`` (whole if small, else mean and range) or ``"none"``. ``grads``: ``"auto"`` (those that ``backward()`` left in ``.grad``),
    ``"all"`` (worked out for each node, for the drawing only) or ``"none"``. ``backward=True`` draws the backward pass, too: the ops that
    compute the gradients of all parameters, in a colour of their own.

    ``depth`` is how many levels of layers are open (None: all; 0: none), ``expand`` names layers that are open in any case. Closed layers that repeat
    are one box, ``×4``, and so are many penalties. More than ``max_nodes`` boxes are folded until they are no more, and the drawing says so.
    ``direction`` is ``"LR"`` or ``"TB"``, ``theme`` ``"light"`` or ``"dark"``.

    Raises ``TypeError`` for what is no Tensor, ``RuntimeError`` if nothing was recorded, ``ValueError`` for an unknown setting or layer.

    >>> w = Tensor([1.0, -2.0], requires_grad=True, name="w")
    >>> print(graph(0.1 * (w * w).sum()))
    ×                                     scalar float64  0.5  ‹L2 on w, λ = 0.1›
    ├─ 0.1
    Σ                                     scalar float64  5  ‹L2 on w, λ = 0.1›
    ×                                     2 float64  [1, 4]  ‹L2 on w, λ = 0.1›
    ├─ w                                  2 float64  [1, -2]  ∇ not computed
    └─ w                                  2 float64  [1, -2]  ∇ not computed
    """
    _check("values", values, ("auto", "none"))
    _check("grads", grads, ("auto", "all", "none"))
    _check("direction", direction, ("LR", "TB", "RL", "BT"))
    _check("theme", theme, tuple(THEMES))
    if isinstance(max_nodes, bool) or not isinstance(max_nodes, int) or max_nodes < 3:
        raise ValueError(f"graph: max_nodes is {max_nodes!r}; it must be a whole number, at least 3.")
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 0):
        raise ValueError(f"graph: depth is {depth!r}; it must be None or a whole number, at least 0.")
    expand = (expand,) if isinstance(expand, str) else tuple(expand)
    with _collecting_later():
        if len(outputs) == 1 and isinstance(outputs[0], (Compiled, Program)):
            nodes, edges, clusters = read_program(outputs[0])
            tensors: dict[str, Any] = {}
        else:
            nodes, edges, clusters, tensors = read_recorded(_tensors(outputs), inputs, model, grads, backward)
        if values == "none":
            for node in nodes:
                node.array = None
        view = fold(nodes, edges, clusters, depth, expand, max_nodes)
    return Graph(nodes, edges, clusters, view, direction, theme, tensors)


class Graph:
    """A drawing. Made by :func:`graph`.

    ``nodes`` and ``edges`` are all of the computation, in order of execution, ``clusters`` its layers, penalties and groups by their ids, a tree
    (see :mod:`tinygrad_reg.draw.nodes`). ``view`` is what of it is drawn: boxes, which are nodes and folds, and edges between them.

    >>> w = Tensor([1.0, -2.0], requires_grad=True, name="w")
    >>> drawing = graph((w * w).sum())
    >>> [(node.id, node.label, node.shape) for node in drawing.nodes]
    [('n0', 'w', (2,)), ('n1', '×', (2,)), ('n2', 'Σ', ())]
    >>> [(edge.source, edge.target) for edge in drawing.edges]
    [('n0', 'n1'), ('n0', 'n1'), ('n1', 'n2')]
    """

    def __init__(
        self,
        nodes: list[Node],
        edges: list[Edge],
        clusters: dict[str, Cluster],
        view: View,
        direction: str,
        theme: str,
        tensors: dict[str, Any],
    ) -> None:
        self.nodes, self.edges, self.clusters, self.view = nodes, edges, clusters, view
        self.direction, self.theme = direction, theme
        self._tensors = tensors

    @property
    def folds(self) -> list[Fold]:
        """The boxes that stand for several nodes."""
        return self.view.folds

    @cached_property
    def source(self) -> str:
        """The drawing as text in DOT, Graphviz's language; the same computation gives the same text."""
        from .dot import dot  # noqa: PLC0415 - as for the page: it takes a while to import, and not everybody draws

        return dot(self.view, self.clusters, THEMES[self.theme], self.direction)

    def render(self, path: str | Path) -> Path:
        """Save the picture; the ending of ``path`` says as what: ``.svg``, ``.png``, ``.pdf``, or ``.dot`` for the text.

        Needs Graphviz for all but the text: the program ``dot``, or ``pip install 'tinygrad_reg[draw]'``.
        """
        path = Path(path)
        kind = path.suffix.lower().lstrip(".")
        if kind not in (*FORMATS, "dot"):
            raise ValueError(f"graph: {path.name!r} should end in {', '.join(f'.{x}' for x in FORMATS)} or .dot.")
        path.write_bytes(self.source.encode("utf-8") if kind == "dot" else rendered(self.source, kind))
        return path

    def save_html(self, path: str | Path, title: str = "") -> Path:
        """Save the drawing as a page: one file that any browser opens from the disk, without a network and without Graphviz.

        One can move and zoom, search, hover for numbers and histograms, fold layers, and go through the forward pass and the backward pass of a
        single number node by node, with the chain rule on each edge in words and numbers. ``title`` is what the page is called.
        """
        from .page import html  # noqa: PLC0415

        path = Path(path)
        outputs = ", ".join(node.name or node.label for node in self.nodes if node.output)
        text = html(title or f"graph of {outputs}", self.view, self.nodes, self.edges, self.clusters, self._tensors, self.direction, self.theme)
        path.write_text(text, encoding="utf-8")
        return path

    def __str__(self) -> str:
        return tree(self.view, self.clusters)

    def __repr__(self) -> str:
        return f"<Graph of {len(self.nodes):,} nodes and {len(self.edges):,} edges>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """For notebooks: the picture where Graphviz is there, and the tree in any case."""
        shown: dict[str, str] = {}
        try:
            shown["text/plain"] = str(self)
            shown["image/svg+xml"] = rendered(self.source, "svg", _PATIENCE).decode("utf-8")
        except Exception as error:  # a notebook that cannot show a picture must still show the rest
            shown.setdefault("text/plain", repr(self))
            shown["text/plain"] += f"\n({error})"
        return shown


def _check(what: str, got: Any, known: tuple[str, ...]) -> None:
    if got not in known:
        raise ValueError(f"graph: {what} is {got!r}; it must be one of {', '.join(map(repr, known))}.")


def _tensors(outputs: Iterable[Any]) -> list[Tensor]:
    """The outputs, also those in lists."""
    found: list[Tensor] = []
    for x in outputs:
        found += _tensors(x) if isinstance(x, (list, tuple)) else [x]
    for x in found:
        if not isinstance(x, Tensor):
            raise TypeError(f"graph draws Tensors, lists of them, and compiled functions, not {type(x).__name__}.")
        if not x.requires_grad:
            raise RuntimeError(nothing_recorded("graph", x) + " (A gradient draws if it was made with create_graph=True.)")
    if not found:
        raise TypeError("graph takes at least one Tensor.")
    return found


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Makes many small objects without the garbage collector walking over all of them again and again; none is in a cycle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
