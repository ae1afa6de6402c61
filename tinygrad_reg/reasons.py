"""Why one weight is zero, or is not: a certificate's numbers in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .nn import Module
from .optimality import Certificate, Given, Part, Row, optimality
from .penalties import L0, L1, MCP, SCAD, Box, ElasticNet, GroupL2, Penalty
from .tensor import Tensor

__all__ = ["sentence", "why"]


def why(loss: Callable[[], Tensor], model: Module | Iterable[Tensor], name: str, index: Any = (), penalties: Given = ()) -> str:
    """In one sentence with numbers: why the weight at ``index`` of the parameter called ``name`` is 0, or why it is not.

    ``loss`` and ``penalties`` are those of :func:`tinygrad_reg.optimality`; where there is a certificate already, ask
    ``certificate.why(name, index)``. "The data pull" is minus the gradient of all of the loss but its penalties. Raises ``KeyError`` for an
    unknown name, ``IndexError`` for a place that is not there.

    >>> w = Tensor([0.5, 0.0], requires_grad=True, name="w")
    >>> loss = lambda: ((w - np.array([1.0, 0.2])) ** 2).sum() + 1.0 * abs(w).sum()
    >>> why(loss, [w], "w", 1)
    'w[1] is 0: the data pull with 0.4, less than λ = 1.'
    >>> why(loss, [w], "w", 0)
    'w[0] is 0.5: the data pull away from 0 with 1, and L1 holds against it with 1; the two balance.'
    """
    return optimality(loss, model, penalties).why(name, index)


def sentence(certificate: Certificate, name: str, index: Any) -> str:
    """What :func:`why` says."""
    rows = {row.name: (row, part) for row, part in zip(certificate, certificate.parts, strict=True)}
    if name not in rows:
        raise KeyError(f"why: there is no parameter {name!r}, only {', '.join(rows)}.")
    row, part = rows[name]
    place = _checked_place(part, index)
    w = float(part.parameter.data[place])
    where = f"{name}[{', '.join(map(str, place))}]" if place else name
    return f"{where} is {w:.4g}{_reason(row, part, place, w, certificate.tolerance)}"


def _checked_place(part: Part, index: Any) -> tuple[int, ...]:
    shape = part.parameter.shape
    place = tuple(index) if isinstance(index, (tuple, list)) else (index,)
    if len(place) != len(shape) or not all(isinstance(i, (int, np.integer)) and -n <= i < n for i, n in zip(place, shape, strict=False)):
        raise IndexError(f"why: {index!r} is no place in {part.name} of shape {shape}; give one whole number for each of its {len(shape)} axes.")
    return tuple(int(i) % n for i, n in zip(place, shape, strict=True))


def _reason(row: Row, part: Part, place: tuple[int, ...], w: float, tolerance: float) -> str:
    corners = part.corners
    allowed = tolerance * row.residual / row.relative if row.relative else 0.0
    if not corners:
        return _smooth(part, place, w, allowed)
    if len(corners) == 1 and isinstance(corners[0], GroupL2):
        return _grouped(part, corners[0], place, w, allowed)
    if len(corners) == 1 and isinstance(corners[0], (L1, ElasticNet, MCP, SCAD)):
        return _single(part, corners[0], place, w, allowed)
    return _other(row, part, corners, place)


def _smooth(part: Part, place: tuple[int, ...], w: float, allowed: float) -> str:
    """Without a penalty, or with L2 only."""
    pull, left = -float(part.grad[place]), float(part.slope[place])
    if not part.penalties:
        return f": it has no penalty; the data pull with {abs(pull):.3g}{_rest(left, allowed, w)}"
    if w == 0:
        return f": L2 does not hold weights at 0; the data pull with {abs(pull):.3g}{_rest(left, allowed, w)}"
    back = f"L2 pulls back with 2·λ·|w| = {abs(left + pull):.3g}"
    return f": the data pull {_direction(pull, w)} with {abs(pull):.3g}, and {back}{_rest(left, allowed, w)}"


def _single(part: Part, p: Penalty, place: tuple[int, ...], w: float, allowed: float) -> str:
    """A penalty that treats each weight alone, with or without L2 beside it."""
    pull = -float(part.grad[place])
    if w == 0:
        strength: Any = p.l1 if isinstance(p, ElasticNet) else p.lam  # type: ignore[attr-defined]
        return _at_zero(abs(pull), float(strength), "λ", allowed)
    left = float(np.asarray(p.residual(part.parameter.data, part.slope))[place])
    also = " and L2" if len(part.penalties) > 1 else ""
    held = f"{type(p).__name__}{also} hold{'' if also else 's'} against it with {abs(left + pull):.3g}"
    return f": the data pull {_direction(pull, w)} with {abs(pull):.3g}, and {held}{_rest(left, allowed, w, 'the two balance')}"


def _at_zero(pull: float, hold: float, called: str, allowed: float, who: str = "the data pull") -> str:
    if pull <= hold + allowed:
        return f": {who} with {pull:.3g}, {'less than' if pull < hold else 'as much as'} {called} = {hold:.3g}."
    return f", and will not stay: {who} with {pull:.3g}, more than {called} = {hold:.3g}."


def _grouped(part: Part, p: GroupL2, place: tuple[int, ...], w: float, allowed: float) -> str:
    members = _members(part.parameter.data, p, place)
    values, pull = part.parameter.data.ravel()[members], -part.slope.ravel()[members]
    strength = float(p.lam) * (np.sqrt(len(members)) if p.sizes else 1.0)
    called = "λ·√size" if p.sizes else "λ"
    if not values.any():
        text = _at_zero(float(np.linalg.norm(pull)), strength, called, allowed, "together the data pull it")
        return f" with all its group of {len(members)}{text}"
    norm = float(np.linalg.norm(values))
    left = float(np.linalg.norm(pull - strength * values / norm))
    alone = "a group is 0 as a whole or not at all, and this one" if w == 0 else "its group"
    text = f": {alone} of {len(members)} has norm {norm:.3g}; the data pull it with {np.linalg.norm(pull):.3g} against {called} = {strength:.3g}"
    return text + ("; the two balance." if left <= allowed else f"; {left:.3g} is left over, so it still moves.")


def _members(w: np.ndarray, p: GroupL2, place: tuple[int, ...]) -> list[int]:
    """The places, in w laid flat, of the group that holds this one."""
    flat = int(np.ravel_multi_index(place, w.shape)) if place else 0
    if p.groups is not None:
        return next(list(group) for group in p.groups if flat in group)
    axes = range(w.ndim) if p.axis is None else [i % w.ndim for i in (p.axis if isinstance(p.axis, tuple) else (p.axis,))]
    line = tuple(slice(None) if i in axes else j for i, j in enumerate(place))
    return [int(i) for i in np.arange(w.size).reshape(w.shape)[line].ravel()]


def _other(row: Row, part: Part, corners: list[Penalty], place: tuple[int, ...]) -> str:
    """Bounds, sums of penalties and those that look at many weights together."""
    pull, w = -float(part.grad[place]), part.parameter.data[place]
    bound = next((p for p in corners if isinstance(p, Box)), None)
    at = f", which is its {'lowest' if w == bound.low else 'highest'} value" if bound is not None and w in (bound.low, bound.high) else ""
    kept = ", which L0 does not charge" if w == 0 and isinstance(corners[0], L0) else ""
    pulled = f"the data pull {'up' if pull > 0 else 'down'} with {abs(pull):.3g}"
    return f"{at}{kept}: {pulled}, under {row.penalty}; {row.verdict}, residual {row.residual:.1e}."


def _direction(pull: float, w: float) -> str:
    return "away from 0" if pull * w > 0 else "towards 0"


def _rest(left: float, allowed: float, w: float, balanced: str = "nothing is left over") -> str:
    if abs(left) <= allowed:
        return f"; {balanced}."
    return f"; {abs(left):.3g} is left over, so it still moves {_direction(-left, w) if w else 'away'}."
