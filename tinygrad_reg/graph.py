"""The shape of a computation: which recorded results hang on which. Knows no arithmetic.

A node is anything with ``op`` (``None`` for a leaf), ``inputs`` (nodes, or ``None`` for constants),
``requires_grad`` and ``serial``, a number that grows with every node made. An input is always made
before its result, so sorting by ``serial`` is a topological order: no recursion, and a
shared node is visited once.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

__all__ = ["history", "leading_to"]

_by_serial = attrgetter("serial")


def history(outputs: Iterable[Any]) -> list[Any]:
    """Every node that needs a gradient and has a part in ``outputs``, these included; newest first."""
    found = {id(node): node for node in outputs}
    stack = list(found.values())
    while stack:
        node = stack.pop()
        if node.op is None:
            continue
        for x in node.inputs:
            if x is not None and x._needs_grad and id(x) not in found:
                found[id(x)] = x
                stack.append(x)
    return sorted(found.values(), key=_by_serial, reverse=True)


def leading_to(targets: Iterable[Any], nodes: Iterable[Any]) -> set[int]:
    """The ids of those ``nodes`` (newest first) that have one of ``targets`` in their history, targets included."""
    wanted = {id(node) for node in targets}
    for node in reversed(list(nodes)):
        if node.op is not None and any(x is not None and id(x) in wanted for x in node.inputs):
            wanted.add(id(node))
    return wanted
