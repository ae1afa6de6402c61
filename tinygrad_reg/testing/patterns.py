"""A guess at what went wrong, from the gradient that a rule gave and the true one: sign, factor, transposed, a missing sum."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

__all__ = ["guess"]

CLOSE = 1e-4
NICE = [2.0, 0.5, 3.0, 4.0, 0.25, np.pi, 1 / np.pi, np.sqrt(2.0), np.sqrt(0.5)]


def guess(rule: np.ndarray, true: np.ndarray, others: Sequence[tuple[str, np.ndarray]] = ()) -> str:
    """In a few words, how ``rule`` could have become of ``true``; empty if it looks like nothing known.

    ``others`` are the true gradients in other inputs, with their names.

    >>> guess(np.array([2.0, 4.0]), np.array([1.0, 2.0]))
    'off by a factor of 2'
    >>> guess(np.array([-1.0, 1.0]), np.array([1.0, -1.0]))
    'sign: it is the negative of the slope'
    """
    if not np.all(np.isfinite(true)):
        return ""
    if rule.shape != true.shape:
        return _of_other_shape(rule, true)
    if not np.all(np.isfinite(rule)):
        bad = int(np.sum(~np.isfinite(rule)))
        return f"{bad} of {rule.size} entries are NaN or infinite: a division by zero, or 0 times infinity, in the rule"
    found = (_same_shape(rule, true), *(f"the gradient of {name!r}, another input" for name, other in others if _alike(rule, other)))
    return next(filter(None, found), "")


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= CLOSE * (np.max(np.abs(b), initial=0.0) + 1e-300))) and bool(np.any(b))


def _same_shape(rule: np.ndarray, true: np.ndarray) -> str:
    if not rule.any():
        return "the rule gives zero: a missing rule, or a value taken out of the graph (.data, .item(), detach)"
    if not true.any():
        return "the function does not depend on this input"
    factor = float(np.vdot(true, rule).real / np.vdot(true, true).real)
    if _alike(rule, factor * true):
        return "sign: it is the negative of the slope" if abs(factor + 1) < CLOSE else _factor(factor, true.size)
    return _permuted(rule, true) or _missing(rule, true)


def _missing(rule: np.ndarray, true: np.ndarray) -> str:
    """A term that is missing, or a single entry that is wrong."""
    gap = rule - true
    if true.size > 2 and _alike(gap, np.full_like(gap, gap.reshape(-1)[0])):
        return f"a term is missing that is the same everywhere: {-gap.reshape(-1)[0]:.6g}"
    if true.size > 2 and np.sum(np.abs(gap) > CLOSE * np.max(np.abs(true))) == 1:
        return "all other entries are right: an index, or a special case"
    axes = [axis for axis in range(true.ndim) if true.ndim > 1 and true.shape[axis] > 1]
    constant = [axis for axis in axes if _alike(gap, np.broadcast_to(np.mean(gap, axis=axis, keepdims=True), gap.shape))]
    return f"a term is missing that is the same along axis {constant[0]}" if constant else ""


def _factor(factor: float, size: int) -> str:
    for name, value in (("the number of entries (mean or sum?)", float(size)), ("1/the number of entries (mean or sum?)", 1.0 / max(size, 1))):
        if size > 2 and abs(factor / value - 1) < CLOSE and value not in NICE:
            return f"off by a factor of {factor:.6g}: {name}"
    nice = next((f"{value:.6g}" for value in NICE if abs(factor / value - 1) < CLOSE), f"{factor:.6g}")
    return f"off by a factor of {nice}"


def _permuted(rule: np.ndarray, true: np.ndarray) -> str:
    if true.ndim >= 2 and true.shape[-1] == true.shape[-2] and _alike(rule, np.swapaxes(true, -1, -2)):
        return "transposed"
    for axis in range(true.ndim):
        if _alike(rule, np.flip(true, axis)):
            return f"turned round along axis {axis}"
    if true.size > 1 and _alike(np.sort(rule, axis=None), np.sort(true, axis=None)):
        return "the right numbers in another order"
    return ""


def _of_other_shape(rule: np.ndarray, true: np.ndarray) -> str:
    """What would bring ``rule`` to the shape of ``true``, with the right numbers."""
    if rule.ndim == true.ndim == 2 and _alike(rule.T, true):
        return "transposed"
    if rule.size == true.size and _alike(rule.reshape(true.shape), true):
        return f"the right numbers in the shape {rule.shape}: reshape to {true.shape}"
    for count in range(1, rule.ndim + 1):
        for axes in combinations(range(rule.ndim), count):
            for keep in (False, True):
                if _alike(np.sum(rule, axis=axes, keepdims=keep), true):
                    return f"missing sum over axis {axes[0] if count == 1 else axes}"
    try:
        if _alike(np.broadcast_to(rule, true.shape), true):
            return f"broadcast it to {true.shape}"
    except ValueError:
        pass
    return ""
