"""Several penalties on one parameter: where the proximal step of their sum is that of one after the other, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .base import Penalty
from .grouped import GroupL2, MaxNorm
from .separable import L0, L1, L2, MCP, SCAD, Box, ElasticNet, NonNegative

__all__ = ["ELEMENTWISE", "added_up", "in_order", "nearest"]

ELEMENTWISE = (L1, L2, ElasticNet, L0, MCP, SCAD, Box)  # their proximal steps treat each element alone

# The kinds that may stand beside each other, in the order of their steps. Lengths scale when a penalty does: that is why group lasso comes after what
# has its corner at 0 (L1, "not below 0"), and squares after group lasso.
_SUMS: tuple[tuple[tuple[type, ...], ...], ...] = (
    ((L1,), (L2,), (Box,)),
    ((MCP, SCAD), (Box,)),
    ((L1,), (NonNegative,), (GroupL2,), (L2,)),
    ((L1,), (L2,), (MaxNorm,)),
)


def in_order(who: str, penalties: Sequence[Penalty]) -> list[Penalty]:
    """Penalties on one parameter, in the order in which their proximal steps make that of their sum. Raises ``ValueError`` where there is none.

    >>> in_order("FISTA", [GroupL2(2.0), ElasticNet(1.0, 0.5)])
    [L1(lam=1.0), GroupL2(lam=2.0, axis=None, groups=None, sizes=False), L2(lam=0.5)]
    """
    if len(penalties) == 1:
        return list(penalties)
    parts = [part for p in penalties for part in ((L1(p.l1), L2(p.l2)) if isinstance(p, ElasticNet) else (p,))]
    for kinds in _SUMS:
        places = [next((i for i, kind in enumerate(kinds) if isinstance(p, kind)), -1) for p in parts]
        if -1 not in places and len(set(places)) == len(places):
            return [p for _, p in sorted(zip(places, parts, strict=True), key=lambda pair: pair[0])]
    raise ValueError(
        f"{who}: the proximal step of {' + '.join(type(p).__name__ for p in penalties)} on one parameter is not known. Known are the sums of L1, "
        "L2 and a Box; of MCP or SCAD and a Box; of L1, NonNegative, GroupL2 and L2; of L1, L2 and MaxNorm; each kind once (ElasticNet is L1 and L2)."
    )


def added_up(pairs: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Pairs of a parameter and L1 or GroupL2, where those of one kind on one parameter are one, with the sum of their strengths.

    >>> w = tg.zeros(2)
    >>> [penalty for _, penalty in added_up([(w, L1(0.5)), (w, GroupL2(1.0)), (w, L1(0.25))])]
    [L1(lam=0.75), GroupL2(lam=1.0, axis=None, groups=None, sizes=False)]
    """
    found: dict[Any, tuple[Any, Any]] = {}
    for p, penalty in pairs:
        key = (id(p), replace(penalty, lam=0.0))  # equal for penalties that differ in their strength only
        before = found.get(key)
        found[key] = (p, penalty if before is None else replace(penalty, lam=before[1].lam + penalty.lam))
    return list(found.values())


def nearest(penalties: Sequence[Penalty], target: Any, step: Any) -> Any:
    """The proximal step of the sum of penalties, which are in order."""
    for penalty in penalties:
        target = penalty.prox(target, step)
    return target
