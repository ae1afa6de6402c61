"""The layers of a model one after the other, and which of them are linked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..nn import Embedding, Flatten, LayerNorm, Linear, Module, Select, Sequential
from ..nn.module import _children
from .layers import INPUTS, PASSED, UNITS, is_elementwise, reason_to_stop
from .links import Link

__all__ = ["Part", "front", "links", "parts_of", "put_in_front"]


@dataclass
class Part:
    """A layer, its dotted name, the Sequential that holds it and its name there; ``stop`` says why it is left as it is."""

    name: str
    layer: Any
    home: Sequential
    key: str
    stop: str = ""


def parts_of(model: Sequential) -> list[Part]:
    """The layers of a Sequential, those of Sequentials inside it in their place."""
    found = list(_walk(model))
    times = Counter(id(part.layer) for part in found)
    held = Counter(id(x) for module in model.modules() for _, x in _children(module))
    for part in found:
        own = [part.layer, *(x for _, x in part.layer.named_tensors())]
        shared = times[id(part.layer)] > 1 or any(held[id(x)] > 1 for x in own)
        part.stop = reason_to_stop(part.layer) or ("used more than once" if shared and not _stateless(part.layer) else "")
    return found


def _stateless(layer: Module) -> bool:
    return not list(layer.named_tensors())


def _walk(model: Sequential) -> Iterator[Part]:
    stack = [Part("", model, model, "")]
    while stack:
        part = stack.pop()
        if type(part.layer) is not Sequential:
            yield part
            continue
        inner = [(key, x) for key, x in vars(part.layer).items() if isinstance(x, Module)]
        stack.extend(Part(f"{part.name}.{key}".lstrip("."), x, part.layer, key) for key, x in reversed(inner))


def links(parts: list[Part], flat: bool) -> list[Link]:
    """All pairs of a layer and the one that reads it, with nothing between that is left as it is."""
    found: list[Link] = []
    source: Any = None
    between: list[Module] = []
    source_flat = flat  # a Flatten on the way changes it for what comes later only
    for part in parts:
        layer = part.layer
        flat = isinstance(layer, Flatten) or (flat and _keeps_axes(layer))
        if part.stop:
            source = None
        elif type(layer) in UNITS or isinstance(layer, Select):
            if source is not None and type(layer) in INPUTS:
                found.append(Link(source, between, layer, source_flat))
            source, between, source_flat = layer, [], flat
        else:
            between.append(layer)
    return found


def _keeps_axes(layer: Module) -> bool:
    return is_elementwise(layer) or type(layer) in {*INPUTS, *PASSED, Select, LayerNorm}


def front(parts: list[Part]) -> tuple[Part, int, int] | None:
    """Where the inputs may be selected: before which part, along which axis, out of how many; None where no known layer reads them one by one.

    It is a part with parameters, and so one that is used only once; what comes before works on each input apart.
    """
    place: Part | None = None
    for part in parts:
        if part.stop or isinstance(part.layer, (Embedding, Select)):
            return None
        if isinstance(part.layer, Flatten):
            place = None
        elif place is None and not _stateless(part.layer):
            place = part
        if type(part.layer) in INPUTS:
            weight = part.layer.weight
            return place or part, -1 if isinstance(part.layer, Linear) else 1 - weight.ndim, weight.shape[INPUTS[type(part.layer)]]
    return None


def put_in_front(part: Part, key: str, layer: Module) -> None:
    """Put a layer before a part into the part's Sequential; the names of the others stay."""
    home = vars(part.home)
    items = list(home.items())
    home.clear()
    for name, value in items:
        if name == part.key:
            home[key] = layer
        home[name] = value
