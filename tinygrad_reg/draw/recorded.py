"""From recorded Tensors to all that a drawing is made of: nodes with names and gradients, edges, clusters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..backward import checked_gradient, pull_back
from ..derivatives import grad
from ..graph import history
from ..nn.module import Module
from ..tensor import Tensor
from .layers import Calls, backward_of, place_leaves
from .nodes import Cluster, Edge, Node
from .reading import Reading
from .terms import mark_penalties

__all__ = ["all_gradients", "read_recorded"]


def read_recorded(
    outputs: list[Tensor], inputs: Any, model: Module | None, grads: str, backward: bool
) -> tuple[list[Node], list[Edge], dict[str, Cluster], dict[str, Any]]:
    """Nodes, edges and clusters of recorded Tensors, and the Tensors by the ids of their nodes."""
    starts = list(_named_inputs(inputs))
    slopes = _slopes(outputs) if backward else {}
    drawn = [*outputs, *slopes.values()]
    reading = Reading(drawn, [x for _, x in starts], backward_of(history(drawn).values()))
    calls = Calls(reading, model)
    _name(reading, calls.names, starts)
    mark_penalties(outputs, reading, calls.clusters, calls.names)
    place_leaves(reading, calls.clusters, calls.names)
    _set_gradients(reading, outputs, grads, slopes)
    return reading.nodes, reading.edges, calls.clusters, reading.tensors


def _named_inputs(inputs: Any) -> Iterator[tuple[str, Tensor]]:
    if isinstance(inputs, Mapping):
        pairs: Iterable[tuple[str, Any]] = inputs.items()
    else:
        pairs = (("", x) for x in ((inputs,) if isinstance(inputs, Tensor) else inputs or ()))
    for name, x in pairs:
        if not isinstance(x, Tensor):
            raise TypeError(f"graph: inputs are Tensors, or a dict of them by name, not {type(x).__name__}.")
        yield str(name), x


def _slopes(outputs: list[Tensor]) -> dict[Tensor, Tensor]:
    """The recorded gradients of all leaves."""
    leaves = [x for x in history(outputs).values() if x.op is None]
    return dict(zip(leaves, grad(outputs, leaves, create_graph=True), strict=True))


def _name(reading: Reading, names: Mapping[int, str], starts: Iterable[tuple[str, Tensor]]) -> None:
    given = {**names, **{id(x): name for name, x in starts if name}}
    for key, name in given.items():
        for node in reading.of.get(key, ()):
            node.name = node.label = name
            node.kind = "input" if node.kind == "constant" else node.kind


def _set_gradients(reading: Reading, outputs: list[Tensor], grads: str, slopes: Mapping[Tensor, Tensor]) -> None:
    """Give the nodes their gradients: those that are there, or all."""
    for x, slope in slopes.items():
        for node in reading.of[id(slope)]:
            node.gradient_of = reading.of[id(x)][0].id
            node.note = f"∇ {reading.of[id(x)][0].label}"
            node.output = False
    if grads == "none":
        for node in reading.nodes:
            node.silent = True
        return
    found = {x: slope._data for x, slope in slopes.items()} if grads == "auto" else all_gradients(outputs)
    for node in reading.nodes:
        x = reading.tensors[node.id]
        if isinstance(x, Tensor) and x._needs_grad:
            kept = getattr(x, "_grad", None)
            node.gradient_array = found.get(x, None if kept is None else kept._data)


def all_gradients(outputs: list[Tensor]) -> dict[Tensor, Any]:
    """The gradient of every node, by a backward pass that leaves nothing behind."""
    seeds: dict[Tensor, Any] = {}
    for x in outputs:
        seed = checked_gradient(None, x)
        seeds[x] = seeds[x] + seed if x in seeds else seed
    found = pull_back(seeds, kept=set(history(outputs)))
    return {x: g for x, g in found.items() if hasattr(g, "dtype")}
