"""The shape of a computation: which recorded results hang on which. Knows no arithmetic.

A node has ``op`` (``None`` for a leaf), ``inputs`` (other nodes, and constants, which are of another type) and
``serial``, a number that falls with every node made. An input is always made before its result, so
sorting by ``serial`` is a topological order, newest first: no recursion, and a shared node is visited once.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

__all__ = ["history", "leading_to"]

_by_serial = attrgetter("serial")


def history(outputs: Iterable[Any]) -> dict[int, Any]:
    """Every node that needs a gradient and has a part in ``outputs``, these included, by id; newest first."""
    found = {id(node): node for node in outputs}
    stack = list(found.values())
    while stack:
        node = stack.pop()
        if node.op is None:
            continue
        kind = type(node)
        for x in node.inputs:
            if type(x) is kind and id(x) not in found and x._needs_grad:
                found[id(x)] = x
                stack.append(x)
    return {id(node): node for node in sorted(found.values(), key=_by_serial)}


def leading_to(targets: Iterable[Any], nodes: dict[int, Any]) -> set[int]:
    """The ids of those ``nodes`` (newest first) that have one of ``targets`` in their history, and of the targets."""
    wanted = {id(node) for node in targets}
    for key, node in reversed(nodes.items()):
        if node.op is not None and any(id(x) in wanted for x in node.inputs):
            wanted.add(key)
    return wanted
