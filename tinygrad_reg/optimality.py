"""Certificates: how far each parameter is from the optimum of its loss with all its penalties, and what that means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from .derivatives import grad
from .mode import enable_grad
from .nn import Module
from .penalties import L0, L1, L2, MCP, SCAD, ElasticNet, GroupL2, Penalty, find
from .penalties.sums import in_order, nearest
from .tensor import Tensor
from .text_table import text_table

__all__ = ["Certificate", "Given", "Part", "Row", "optimality", "parts_of", "slope_at_zero", "unchanged"]

_MAKES_ZEROS = (L1, ElasticNet, L0, MCP, SCAD, GroupL2)
_SMALL_SHARE = 0.01  # of λ_max: below it a penalty that has made no zero is called too small
_LEAST_SCALE = 1e-3  # of the largest scale of any parameter: a gradient may be 0 at w = 0 by symmetry


@dataclass(frozen=True)
class Part:
    """A parameter, the gradient of the loss's smooth rest (without L2) at it, and its penalties."""

    name: str
    parameter: Tensor
    grad: np.ndarray
    penalties: tuple[Penalty, ...]

    @property
    def slope(self) -> np.ndarray:
        """The gradient with that of the L2 terms, which are smooth."""
        return _with_squares(self.grad, self.parameter.data, [p for p in self.penalties if isinstance(p, L2)])

    @property
    def corners(self) -> list[Penalty]:
        """The penalties that are not smooth, in the order of their proximal steps."""
        found = [p for p in self.penalties if not isinstance(p, L2)]
        return in_order("optimality", found) if found else []

    def residuals(self) -> np.ndarray:
        """How far -slope is from the slopes of the penalties, for each element or group; of sums, see :func:`optimality`."""
        w, slope, corners = self.parameter.data, self.slope, self.corners
        if not corners:
            return np.absolute(slope)
        if len(corners) == 1:
            return np.absolute(np.asarray(corners[0].residual(w, slope)))
        squares = [p for p in corners if isinstance(p, L2)]
        slope, kinds = _with_squares(slope, w, squares), [p for p in corners if p not in squares]
        if [type(p) for p in kinds] == [L1, GroupL2]:
            return _in_zero_and_other_groups(w, slope, *kinds)  # type: ignore[arg-type]
        return np.absolute(w - np.asarray(nearest(kinds, w - slope, 1.0)))

    def residual(self) -> float:
        """The largest of them."""
        return float(np.max(self.residuals(), initial=0.0))


def _with_squares(slope: np.ndarray, w: np.ndarray, squares: Sequence[Any]) -> np.ndarray:
    return slope + 2 * sum(p.lam for p in squares) * w if squares else slope


def _in_zero_and_other_groups(w: np.ndarray, slope: np.ndarray, l1: L1, group: GroupL2) -> np.ndarray:
    """Of L1 and group lasso together: a group is 0 as long as what is left of the slope above λ is not longer than the group's own λ."""
    held = np.asarray(group.residual(w, l1.prox(slope, 1.0)))
    norms = np.asarray(group._norms(w))
    leaf = Tensor(w, requires_grad=True)
    inside = np.absolute(np.asarray(l1.residual(w, slope + grad(group(leaf), leaf).data)))
    return np.append(np.where(np.asarray(group._spread(norms, w.shape)) == 0, 0.0, inside), np.where(norms == 0, held, 0.0))


@dataclass(frozen=True)
class Row:
    """One parameter: ``residual`` is the worst of its elements or groups, ``relative`` that over the scale of its gradient.

    ``share`` is λ/λ_max, where there is one: λ_max makes all of the parameter 0, the others being as they are.
    """

    name: str
    penalty: str
    size: int
    zeros: int
    share: float | None
    residual: float
    relative: float
    verdict: str


class Certificate(list[Row]):
    """One :class:`Row` for each parameter; prints as a table. Made by :func:`optimality`.

    ``reasons`` says of what looks like a penalty in the loss, and was taken for a part of the smooth rest, why it was.
    """

    def __init__(self, rows: Iterable[Row], parts: Sequence[Part], tolerance: float, reasons: Sequence[str]) -> None:
        super().__init__(rows)
        self.parts, self.tolerance, self.reasons = list(parts), tolerance, list(reasons)

    @property
    def converged(self) -> bool:
        """Whether no parameter is still moving."""
        return all(row.verdict != "still moving" for row in self)

    @property
    def residual(self) -> float:
        """The worst residual of all."""
        return max((row.residual for row in self), default=0.0)

    def why(self, name: str, index: Any = ()) -> str:
        """In one sentence with numbers: why this weight is 0, or why it is not. See :func:`tinygrad_reg.why`."""
        from .reasons import sentence  # noqa: PLC0415 - it is made of what is here

        return sentence(self, name, index)

    def __str__(self) -> str:
        cells = [("parameter", "penalty", "exact zeros", "λ/λ_max", "residual", "relative", "verdict")]
        for row in self:
            share = "" if row.share is None else f"{row.share:.2g}"
            cells.append((row.name, row.penalty, f"{row.zeros}/{row.size}", share, f"{row.residual:.1e}", f"{row.relative:.1e}", row.verdict))
        return text_table(cells)

    __repr__ = __str__


Given = Sequence[tuple[Tensor, Penalty]]


def optimality(loss: Callable[[], Tensor], model: Module | Iterable[Tensor], penalties: Given = (), tolerance: float = 1e-6) -> Certificate:
    """How far each parameter is from the optimum of ``loss``, a function without arguments that makes it, penalties and all.

    The penalties are read out of the loss (:func:`tinygrad_reg.penalties.find`); ``penalties`` are further ones, not in the loss, as pairs
    (parameter, penalty). The residual is the distance of -gradient from the slopes of the penalties: |gradient| for a smooth parameter,
    how far |gradient| is above λ for an exact 0 under L1. It is 0 exactly at the optimum (of what is not convex: where it is stationary). For a bound
    together with another penalty it is the length of a proximal step of 1, which is 0 there, too.

    Verdicts, for each parameter:

    - ``still moving``: the residual is above ``tolerance`` times the gradient's scale, the largest |gradient| that the parameter has when it is 0
      (but at least its largest now, and a thousandth of any other parameter's scale);
    - ``λ too small``: it has arrived, and a penalty that makes zeros has made none although its λ is below 1 % of λ_max;
    - ``converged``: all else.

    Model, gradients and buffers are as before afterwards. The loss is called once, and once more for each parameter. Call ``model.eval()`` first
    if it has dropout. Raises ``TypeError`` for a loss that is no function, ``ValueError`` if it is not finite or a penalty is given twice.

    Source of the conditions: F. Bach et al. (2012), Optimization with sparsity-inducing penalties, section 1.2.

    >>> w = Tensor([0.5, 0.0], requires_grad=True, name="w")
    >>> loss = lambda: ((w - np.array([1.0, 0.2])) ** 2).sum() + 1.0 * abs(w).sum()
    >>> print(optimality(loss, [w]))
    parameter  penalty      exact zeros  λ/λ_max  residual  relative  verdict
    w          L1(lam=1.0)  1/2          0.5      0.0e+00   0.0e+00   converged
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"optimality: tolerance is {tolerance}; it is a share of the gradient's scale, above 0 and below 1, as in 1e-6.")
    with unchanged(model):
        parts, reasons = parts_of(loss, model, penalties)
        at_zero = [slope_at_zero(loss, part) for part in parts]
    return Certificate(_rows(parts, at_zero, tolerance), parts, tolerance, reasons)


def _rows(parts: Sequence[Part], at_zero: Sequence[np.ndarray], tolerance: float) -> list[Row]:
    scales = [max(_largest(zero), _largest(part.slope)) for part, zero in zip(parts, at_zero, strict=True)]
    least = _LEAST_SCALE * max(scales, default=0.0)
    return [_row(part, zero, max(scale, least), tolerance) for part, zero, scale in zip(parts, at_zero, scales, strict=True)]


def _row(part: Part, at_zero: np.ndarray, scale: float, tolerance: float) -> Row:
    w, residual = part.parameter.data, part.residual()
    relative = residual / scale if scale else residual
    zeros, share = int(np.count_nonzero(w == 0)), _share(part.corners, at_zero)
    unused = share is not None and share < _SMALL_SHARE and not zeros and w.size > 1
    verdict = "still moving" if not relative <= tolerance else "λ too small" if unused else "converged"
    return Row(part.name, " + ".join(map(_short, part.penalties)) or "none", w.size, zeros, share, residual, relative, verdict)


def _share(corners: Sequence[Penalty], at_zero: np.ndarray) -> float | None:
    """λ/λ_max of the first penalty that makes zeros."""
    for p in corners:
        if isinstance(p, _MAKES_ZEROS) and 0 < (most := p.lambda_max(at_zero)) < np.inf:
            return float(p.l1 if isinstance(p, ElasticNet) else p.lam) / most
    return None


def _short(p: Penalty) -> str:
    """A penalty as text, without settings that are not set; long lists of groups are counted."""
    settings = [(f.name, getattr(p, f.name)) for f in fields(p)]  # type: ignore[arg-type]
    shown = [f"{name}={len(x)} groups" if name == "groups" else f"{name}={x}" for name, x in settings if x is not None and x is not False]
    return f"{type(p).__name__}({', '.join(shown)})"


def _largest(x: np.ndarray) -> float:
    finite = np.absolute(x[np.isfinite(x)])
    return float(np.max(finite, initial=0.0))


# ------------------------------------------------------------------------------------ reading the loss


def parts_of(loss: Callable[[], Tensor], model: Module | Iterable[Tensor], penalties: Given = ()) -> tuple[list[Part], list[str]]:
    """Each parameter with its smooth gradient and its penalties, and the reasons for what was not recognised."""
    names = _named(model)
    value = _value(loss)
    found = find(value, model if isinstance(model, Module) else None)
    gradients = grad(found.smooth, [p for _, p in names]) if found.smooth.requires_grad else [Tensor(np.zeros(p.shape)) for _, p in names]
    pairs = [(term.parameter, term.penalty) for term in found.terms]
    _refuse_twice(pairs, penalties, names)
    parts = []
    for (name, p), slope in zip(names, gradients, strict=True):
        parts.append(Part(name, p, slope.data, tuple(q.now(p) for x, q in [*pairs, *penalties] if x is p)))
    return parts, found.reasons


def _value(loss: Callable[[], Tensor]) -> Tensor:
    if isinstance(loss, Tensor) or not callable(loss):
        raise TypeError("optimality takes a function that makes the loss, as in optimality(lambda: cross_entropy(model(x), y), model).")
    with enable_grad():
        value = loss()
    if isinstance(value, Tensor) and not np.isfinite(value.data).all():
        raise ValueError(f"optimality: the loss is {value.data}; there is no telling where an optimum is. Look for bad values in data and weights.")
    return value


def _named(model: Module | Iterable[Tensor]) -> list[tuple[str, Tensor]]:
    if isinstance(model, Module):
        return list(model.named_parameters())
    listed = list(model)
    for p in listed:
        if not isinstance(p, Tensor) or p.op is not None or not p.requires_grad:
            raise TypeError(f"optimality: {p!r:.60} is no parameter; give a model, or Tensors made with requires_grad=True.")
    return [(p.name or f"parameter {i}", p) for i, p in enumerate(listed)]


def _refuse_twice(found: Given, given: Given, names: Sequence[tuple[str, Tensor]]) -> None:
    own, known = {id(p): name for name, p in names}, {(id(p), type(q)) for p, q in found}
    for p, q in given:
        if id(p) not in own:
            raise ValueError(f"optimality: {q} is given for {p!r:.60}, which is none of the parameters.")
        if (id(p), type(q)) in known:
            raise ValueError(f"optimality: {type(q).__name__} on {own[id(p)]} is in the loss and given by hand, too. Leave one of them away.")


@contextmanager
def unchanged(model: Module | Iterable[Tensor]) -> Iterator[None]:
    """Inside, values may be given to parameters and buffers; afterwards all are as they were."""
    tensors = [x for _, x in (model.named_tensors() if isinstance(model, Module) else _named(model))]
    before = [(x, x._data, x._grad) for x in tensors]
    try:
        yield
    finally:
        for x, value, gradient in before:
            x._data, x._grad = value, gradient


def slope_at_zero(loss: Callable[[], Tensor], part: Part) -> np.ndarray:
    """The smooth gradient of one parameter where it is 0 and all others are as they are."""
    p, value = part.parameter, part.parameter._data
    if not value.any():
        return part.grad
    try:
        p._data = np.zeros_like(value)
        with np.errstate(all="ignore"), enable_grad():
            smooth = find(loss()).smooth
            return grad(smooth, p).data if smooth.requires_grad else np.zeros(p.shape)
    finally:
        p._data = value
