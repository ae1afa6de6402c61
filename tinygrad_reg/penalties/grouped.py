"""Penalties on groups of elements: whole rows, columns or sets of indices become zero together, or keep a bounded norm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Any

import numpy as np

from ..linalg import vector_norm
from ..ops.choice import equal, less_equal, where
from ..ops.elementwise import maximum
from ..ops.reduction import sum
from ..ops.shape import concat
from .base import Penalty, checked_lambda, checked_step

__all__ = ["GroupL2", "MaxNorm"]


@dataclass(frozen=True)
class GroupL2(Penalty):
    """Group lasso: λ·Σ_g c_g·‖w_g‖₂. Gradient: λ·c_g·w_g/‖w_g‖, 0 where a group is 0. Its proximal step makes whole groups exactly 0.

    Groups are the lines along ``axis`` (of a Linear layer's weight, axis=1 makes a group of each input, axis=0 of each unit), or
    ``groups``: lists of places in w laid flat, which together name each place once. c_g is 1, or with ``sizes=True`` the square
    root of the group's size. Without axis and groups all of w is one group.

    Raises ``ValueError`` for groups that overlap or leave places out.

    Source: M. Yuan and Y. Lin (2006), Model selection and estimation in regression with grouped variables, eq. 2.

    >>> GroupL2(1.0, axis=1).prox(np.array([[3.0, 4.0], [0.3, 0.4]]), 1.0)
    array([[2.4, 3.2],
           [0. , 0. ]])
    """

    lam: Any
    axis: int | tuple[int, ...] | None = None
    groups: tuple[tuple[int, ...], ...] | None = None
    sizes: bool = False

    def __init__(
        self, lam: Any, axis: int | tuple[int, ...] | None = None, groups: Sequence[Sequence[int]] | None = None, sizes: bool = False
    ) -> None:
        if axis is not None and groups is not None:
            raise ValueError("GroupL2: groups are named by axis= or by groups=, not by both.")
        named = None if groups is None else tuple(tuple(int(i) for i in group) for group in groups)
        for field, value in (("lam", checked_lambda(lam, "GroupL2: lam")), ("axis", axis), ("groups", named), ("sizes", bool(sizes))):
            object.__setattr__(self, field, value)
        if named is not None:
            self._check()

    def _check(self) -> None:
        places = [i for group in self.groups or () for i in group]
        if sorted(places) != list(range(len(places))):
            twice = sorted({i for i in places if places.count(i) > 1})
            raise ValueError(
                f"GroupL2: the groups must name each place from 0 to {len(places) - 1} once; named twice: {twice or 'none, so some are missing'}."
            )

    def __call__(self, w: Any) -> Any:
        return self.strength(w) * sum(self._norms(w) * self._factors(w))

    def prox(self, v: Any, step: Any) -> Any:
        """Each group times max(0, 1 - step·λ·c_g/‖v_g‖)."""
        threshold = checked_step(step, "GroupL2") * self.number(v) * self._factors(v)
        norms = self._norms(v)
        kept = where(less_equal(norms, threshold), 0.0, 1 - threshold / where(equal(norms, 0), 1.0, norms))
        return v * self._spread(kept, np.shape(v))

    def residual(self, w: Any, grad: Any) -> Any:
        """Of each group: ‖grad + λ·c_g·w_g/‖w_g‖‖, or where it is 0 how far ‖grad_g‖ is above λ·c_g."""
        norms, strength = self._norms(w), self.number(w) * self._factors(w)
        direction = w / self._spread(where(equal(norms, 0), 1.0, norms), np.shape(w))
        moved = self._norms(grad + self._spread(strength, np.shape(w)) * direction)
        return where(equal(norms, 0), maximum(self._norms(grad) - strength, 0), moved)

    def lambda_max(self, grad: Any) -> float:
        """max ‖grad_g‖/c_g."""
        return float(np.max(np.asarray(self._norms(np.asarray(grad))) / self._factors(np.asarray(grad)), initial=0.0))

    def _norms(self, w: Any) -> Any:
        """The norm of each group; with groups given, one for each in their order."""
        if self.groups is None:
            return vector_norm(w, axis=self.axis, keepdims=True)
        self._fits(w)
        order, starts = self._order()
        flat = w.reshape(-1)[order]
        return concat([vector_norm(flat[a:b], keepdims=True) for a, b in pairwise(starts)])

    def _order(self) -> tuple[np.ndarray, list[int]]:
        groups = self.groups or ()
        starts = np.cumsum([0, *map(len, groups)]).tolist()
        return np.array([i for group in groups for i in group]), starts

    def check(self, w: Any) -> None:
        """Raise ``ValueError`` if the groups are not those of w."""
        super().check(w)
        if self.groups is not None:
            self._fits(w)
        else:
            _has_axes("GroupL2", self.axis, w)

    def _fits(self, w: Any) -> None:
        named, size = self._order()[1][-1], int(np.prod(w.shape))
        if named != size:
            raise ValueError(f"GroupL2: the groups name {named} places, and {getattr(w, 'name', None) or 'w'} of shape {w.shape} has {size}.")

    def _factors(self, w: Any) -> Any:
        """c_g, a number, or one for each group in w's dtype."""
        if self.groups is not None:
            return np.array([sqrt(len(group)) if self.sizes else 1.0 for group in self.groups], w.dtype)
        axes = range(w.ndim) if self.axis is None else (self.axis,) if isinstance(self.axis, int) else self.axis
        return sqrt(np.prod([w.shape[i] for i in axes])) if self.sizes else 1.0

    def _spread(self, each: Any, shape: tuple[int, ...]) -> Any:
        """A number for each group, at every place of the group."""
        if self.groups is None:
            return each
        group_of = np.empty(int(np.prod(shape)), int)
        for g, group in enumerate(self.groups):
            group_of[list(group)] = g
        return each[group_of].reshape(shape)


def _has_axes(who: str, axis: Any, w: Any) -> None:
    axes = () if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if not all(isinstance(i, int) and -w.ndim <= i < w.ndim for i in axes):
        raise ValueError(f"{who}: axis is {axis}, and {getattr(w, 'name', None) or 'w'} of shape {w.shape} has no such axis.")


@dataclass(frozen=True)
class MaxNorm(Penalty):
    """The bound ‖w_g‖₂ ≤ ``most`` for the lines along ``axis``: 0 inside, infinite outside. Its proximal step shortens those that are too long.

    Source: N. Srivastava et al. (2014), Dropout, section 5.1.

    >>> MaxNorm(1.0, axis=1).prox(np.array([[3.0, 4.0], [0.3, 0.4]]), 1.0)
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """

    most: float
    axis: int | tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.most < np.inf:
            raise ValueError(f"MaxNorm: most is {self.most}; it must be finite and above 0.")

    def check(self, w: Any) -> None:
        """Raise ``ValueError`` if w has no such axis."""
        _has_axes("MaxNorm", self.axis, w)

    def __call__(self, w: Any) -> Any:
        outside = sum(where(less_equal(vector_norm(w, axis=self.axis), self.most * (1 + 1e-12)), 0.0, 1.0))
        return where(equal(outside, 0), sum(w) * 0, np.inf)

    def prox(self, v: Any, step: Any) -> Any:
        """Each line that is too long, shortened to ``most``."""
        checked_step(step, "MaxNorm")
        norms = vector_norm(v, axis=self.axis, keepdims=True)
        return v * where(less_equal(norms, self.most), 1.0, self.most / where(equal(norms, 0), 1.0, norms))

    def residual(self, w: Any, grad: Any) -> Any:
        """Of each line: ‖grad‖ inside; on the bound, of the gradient what is not straight outwards."""
        norms = vector_norm(w, axis=self.axis, keepdims=True)
        outwards = w / where(equal(norms, 0), 1.0, norms)
        along = -sum(grad * outwards, axis=self.axis, keepdims=True)
        on_bound = np.logical_and(np.absolute(norms - self.most) <= 1e-12 * self.most, np.asarray(along) > 0)
        return vector_norm(grad + where(on_bound, along, 0.0) * outwards, axis=self.axis)
