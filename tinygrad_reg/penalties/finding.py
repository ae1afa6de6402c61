"""Read the penalties out of a loss's graph, however they were written.

A loss is walked from its end towards its leaves, as long as it is a sum of terms times numbers. On the way each node collects its scale:
how often it counts in the loss. Where a node is Σ|w|, Σw² or Σ‖w_g‖ of a parameter it becomes a term; where it is anything else it stays
in the smooth rest. What is used a second time inside something else stays there, too, so that nothing is ever counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..graph import history
from ..ops.elementwise import add, multiply
from ..ops.reduction import sum as total
from ..tensor import Tensor
from .patterns import Pattern, recognised

__all__ = ["Found", "Term", "find"]


class Term(NamedTuple):
    """One penalty found in a loss: on which parameter, what that is called, and the penalty."""

    parameter: Tensor
    name: str
    penalty: Any


class Found(tuple[Tensor, list[Term]]):
    """The smooth rest and the terms, as a pair; ``reasons`` says of what stayed in the rest why it did.

    ``nodes`` has for each term those nodes of the graph that it was read from.
    """

    reasons: list[str]
    nodes: list[tuple[Tensor, ...]]

    @property
    def smooth(self) -> Tensor:
        """The loss without the terms."""
        return self[0]

    @property
    def terms(self) -> list[Term]:
        """The penalties found."""
        return self[1]


def find(loss: Tensor, model: Any = None) -> Found:
    """The smooth rest of a loss, and its penalties: pairs (rest, [(parameter, name, penalty), …]) with loss = rest + Σ penalty(parameter).

    Found are λ·Σ|w|, λ·Σw² and λ·Σ‖w_g‖ of a parameter, also as means, scaled, negated twice, in nested sums, and as a layer makes them.
    Two of a kind on one parameter are one term. Whatever has a negative scale, is not on a parameter itself, or is used a second time inside
    something else stays in the rest. ``model`` gives the parameters their dotted names.

    Raises ``RuntimeError`` if nothing was recorded, ``ValueError`` if the loss is not a single number.

    >>> w = Tensor([1.0, -2.0], requires_grad=True, name="w")
    >>> rest, terms = find(((w - 1) ** 2).sum() + 0.1 * abs(w).sum() + (w * w).mean())
    >>> rest
    Tensor(9.)
    >>> [(term.name, term.penalty) for term in terms]
    [('w', L1(lam=0.1)), ('w', L2(lam=0.5))]
    """
    if not isinstance(loss, Tensor) or loss.size != 1:
        raise ValueError(f"penalties.find: the loss must be a single number, a Tensor; got {loss!r:.80}.")
    if loss.op is None:
        raise RuntimeError(f"penalties.find: {loss.describe()} was not made from any Tensor with requires_grad=True, so there is nothing to read.")
    walk = _Walk(loss)
    names = {id(x): name for name, x in model.named_tensors()} if model is not None else {}
    merged = walk.merged()
    found = Found((walk.rest(), [Term(p, names.get(id(p)) or p.name or f"parameter {i}", q) for i, (p, q, _) in enumerate(merged)]))
    found.reasons = walk.reasons
    found.nodes = [nodes for _, _, nodes in merged]
    return found


_SCALE = "its scale is {:g}, and a penalty's strength is at least 0"


@dataclass(eq=False)
class _Use:
    """How a node counts in the loss: times ``scale``, summed over all its elements or as the single number that it is."""

    scale: Any
    summed: bool
    blocked: bool = False  # it is used in another way as well


class _Walk:
    def __init__(self, loss: Tensor) -> None:
        self.nodes = history([loss])
        self.uses: dict[int, _Use] = {id(loss): _Use(1.0, False)}
        self.counts: dict[int, int] = {}
        for node in self.nodes.values():
            for x in node.inputs if node.op is not None else ():
                self.counts[id(x)] = self.counts.get(id(x), 0) + 1
        self.pieces: list[tuple[Any, Any, bool]] = []  # of the rest: scale, what, summed
        self.looked: list[tuple[Tensor, Pattern, Any, Tensor, _Use]] = []  # like penalties, of any sign
        self.found: list[tuple[Tensor, Pattern, Any, Tensor]] = []
        self.reasons: list[str] = []
        for node in self.nodes.values():  # newest first: every use of a node is known when it is its turn
            self._visit(node)
        self._sort_out()

    def _visit(self, node: Tensor) -> None:
        use = self.uses.get(id(node))
        if use is None or use.blocked:
            shared = use is not None and use.scale is not None
            self._stays(node, use, "it is used inside something else as well" if shared else "")
            return
        pattern = recognised(node, use.summed, self.counts) if node.op is not None else None
        if pattern is not None and not isinstance(pattern, str):
            self._take(node, pattern, use)
        elif node.op is None or not self._pass_on(node, use):
            self._stays(node, use, pattern or "")

    def _take(self, node: Tensor, pattern: Pattern, use: _Use) -> None:
        lam = use.scale * pattern.factor
        known = _number(lam)
        if known is not None and not np.isfinite(known):
            self._stays(node, use, _SCALE.format(known))
            return
        self.looked.append((pattern.parameter, pattern, lam if known is None else known, node, use))

    def _sort_out(self) -> None:
        """Those of one kind on one parameter count together: where their sum is negative they stay, all of them."""
        sums: dict[Any, Any] = {}
        for parameter, pattern, lam, _, _ in self.looked:
            key = (id(parameter), pattern.kind)
            sums[key] = lam if key not in sums else sums[key] + lam
        for parameter, pattern, lam, node, use in self.looked:
            whole = _number(sums[id(parameter), pattern.kind])
            scale = _number(lam) if whole is None else whole
            if scale is not None and scale < 0:
                self.pieces.append((use.scale, node, use.summed))
                self.reasons.append(f"{node.op.name if node.op else node.name}: {_SCALE.format(scale)}")
            else:
                self.found.append((parameter, pattern, lam, node))

    def _stays(self, node: Tensor, use: _Use | None, reason: str) -> None:
        if use is not None and use.scale is not None:
            self.pieces.append((use.scale, node, use.summed))
        if reason:
            self.reasons.append(f"{node.op.name if node.op else node.name or 'a parameter'}: {reason}")
        for x in node.inputs if node.op is not None else ():
            if id(x) in self.nodes:
                self._block(x)

    def _block(self, x: Tensor) -> None:
        use = self.uses.setdefault(id(x), _Use(None, False))
        use.blocked = True

    def _pass_on(self, node: Tensor, use: _Use) -> bool:
        """Hand the scale on to the inputs, if the node is linear in them; whether it is."""
        shares = _shares(node, use)
        if shares is None:
            return False
        for x, scale, summed in shares:
            if id(x) in self.nodes:
                self._add(x, scale, summed and x.size > 1)
            else:
                self.pieces.append((scale, x, summed))
        return True

    def _add(self, x: Tensor, scale: Any, summed: bool) -> None:
        use = self.uses.setdefault(id(x), _Use(None, summed))
        if use.scale is None:
            use.scale, use.summed = scale, summed
        elif use.summed == summed:
            use.scale = use.scale + scale
        else:
            use.blocked = True
            self.pieces.append((scale, x, summed))

    def merged(self) -> list[tuple[Tensor, Any, tuple[Tensor, ...]]]:
        """Terms in the order of their parameters, those of one kind on one parameter as one: parameter, penalty, what it was read from."""
        sums: dict[Any, tuple[Tensor, Pattern, Any, tuple[Tensor, ...]]] = {}
        for parameter, pattern, lam, node in self.found:
            key = (-parameter.serial, *pattern.kind)
            before = sums.get(key)
            sums[key] = (parameter, pattern, lam, (node,)) if before is None else (parameter, pattern, before[2] + lam, (*before[3], node))
        in_order = sorted(sums.items(), key=lambda pair: str(pair[0]))
        return [(parameter, pattern.penalty(lam), nodes) for _, (parameter, pattern, lam, nodes) in in_order]

    def rest(self) -> Tensor:
        """The pieces that stayed, added up again."""
        whole: Any = None
        for scale, x, summed in self.pieces:
            piece = total(x) if summed or np.ndim(x) else x
            piece = piece if _number(scale) == 1 and isinstance(piece, Tensor) else multiply(scale, piece)
            whole = piece if whole is None else add(whole, piece)
        return whole if isinstance(whole, Tensor) else Tensor(0.0 if whole is None else whole)


def _number(x: Any) -> float | None:
    """x as a Python number, or None where it is one that a program asks for at each run."""
    if isinstance(x, (int, float, np.generic, np.ndarray)):
        return float(x)
    if isinstance(x, Tensor) and isinstance(x._data, (np.ndarray, np.generic)):
        return float(x._data)
    return None


# ---------------------------------------------------------------------------- what a linear op hands on

_Share = tuple[Any, Any, bool]


def _shares(node: Tensor, use: _Use) -> Sequence[_Share] | None:
    """Each input of a linear op, its scale, and whether it is summed; None for an op that is not linear in one input at a time."""
    rule = _LINEAR.get(node.op.name) if node.op is not None else None
    return rule(node, use) if rule else None


def _repeats(node: Tensor, x: Any) -> int:
    """How often broadcasting repeats x in the node."""
    return node.size // max(np.size(x) if not isinstance(x, Tensor) else x.size, 1)


def _sum_of_two(sign: int) -> Callable[[Tensor, _Use], Sequence[_Share]]:
    def rule(node: Tensor, use: _Use) -> Sequence[_Share]:
        a, b = node.inputs
        return [(x, use.scale * factor * _repeats(node, x), use.summed) for x, factor in ((a, 1), (b, sign))]

    return rule


def _product(node: Tensor, use: _Use) -> Sequence[_Share] | None:
    a, b = node.inputs
    for x, number in ((a, b), (b, a)):
        if _is_constant_number(number):
            return [(x, use.scale * number, use.summed)]
    return None


def _quotient(node: Tensor, use: _Use) -> Sequence[_Share] | None:
    x, number = node.inputs
    return [(x, use.scale / number, use.summed)] if _is_constant_number(number) and _number(number) != 0 else None


def _is_constant_number(x: Any) -> bool:
    return np.ndim(x) == 0 and not (isinstance(x, Tensor) and x.requires_grad)


def _same(node: Tensor, use: _Use) -> Sequence[_Share]:
    return [(node.inputs[0], use.scale, use.summed)]


def _summed(node: Tensor, use: _Use) -> Sequence[_Share] | None:
    if node.settings.get("dtype") is not None:
        return None
    return [(node.inputs[0], use.scale, True)]


def _mean(node: Tensor, use: _Use) -> Sequence[_Share] | None:
    x = node.inputs[0]
    return [(x, use.scale / (x.size // node.size), True)] if node.size else None


def _repeated(node: Tensor, use: _Use) -> Sequence[_Share]:
    x = node.inputs[0]
    return [(x, use.scale * _repeats(node, x), use.summed)]


_LINEAR: dict[str, Callable[[Tensor, _Use], Sequence[_Share] | None]] = {
    "add": _sum_of_two(1),
    "subtract": _sum_of_two(-1),
    "negative": lambda node, use: [(node.inputs[0], use.scale * -1, use.summed)],
    "multiply": _product,
    "divide": _quotient,
    "sum": _summed,
    "mean": _mean,
    "broadcast_to": _repeated,
    **dict.fromkeys(["reshape", "permute_dims", "expand_dims", "squeeze", "ravel", "flatten", "argument", "unchanging"], _same),
}
