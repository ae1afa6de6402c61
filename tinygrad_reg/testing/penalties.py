"""check_penalty: the value, the gradient where it is smooth, the proximal step, and the subdifferential that its certificate stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..derivatives import grad
from ..tensor import Tensor
from .checking import check_gradients
from .mismatch import GradientMismatch, Report

__all__ = ["check_penalty"]

GRID = np.concatenate([np.linspace(-4, 4, 161), [0.0]])
STEPS = (0.25, 1.0, 1.5)
ROOM = 1e-9


def check_penalty(p: Any, shape: Sequence[int] = (4, 3), order: int = 2, samples: int = 8, seed: int = 0) -> Report:
    """Check a penalty at random weights of ``shape``; what does not hold raises :class:`GradientMismatch`, which names it.

    - The value is one number, never NaN, and the same for arrays and Tensors; its gradient is right, at weights of 0 too.
    - ``prox(v, step)``, if there is one, is the lowest point of ½·|x - v|²/step + p(x): no other point is lower, be it near, far, or
      with one element moved over a grid from -4 to 4. It keeps the shape and dtype.
    - ``residual`` or ``distance(w, grad)``, if there is one, is 0 where the proximal step ends, and above 0 beside, if ``p.convex``.
    - A convex penalty's proximal step does not expand, and its gradient is a subgradient: p(x) ≥ p(w) + grad·(x - w).

    Raises ``TypeError`` for what cannot be called with weights.

    >>> import tinygrad_reg as tg
    >>> check_penalty(tg.penalties.L1(0.5)).undecided
    0
    """
    if not callable(p):
        raise TypeError(f"check_penalty takes a function of weights, or a penalty such as penalties.L1(0.5); got {type(p).__name__} {p!r}.")
    rng = np.random.default_rng(seed)
    name = repr(p) if type(p).__repr__ is not object.__repr__ and not hasattr(p, "__name__") else getattr(p, "__name__", type(p).__name__)
    report = Report()
    for k in range(samples):
        w = rng.uniform(0.05, 2.5, tuple(shape)) * rng.choice([-1.0, 1.0], tuple(shape)) + 0.5 * (k == 0)
        if k % 2:
            w[rng.random(w.shape) < 0.4] = 0.0
        report += _check_value(p, w, name, order)
        if hasattr(p, "prox"):
            _check_prox(p, w, STEPS[k % len(STEPS)], name, rng)
        if getattr(p, "convex", False):
            _check_convex(p, w, name, rng)
    return report


def _fail(name: str, what: str, detail: str, w: np.ndarray) -> GradientMismatch:
    return GradientMismatch(what, name, detail=detail, inputs={"w": w})


def _value(p: Any, w: np.ndarray) -> float:
    out = p(w)
    return float(np.asarray(out.data if isinstance(out, Tensor) else out))


def _check_value(p: Any, w: np.ndarray, name: str, order: int) -> Report:
    out = p(Tensor(w))
    if np.shape(out) != ():
        raise _fail(name, "wrong shape", f"the value has shape {np.shape(out)}; a penalty is a single number", w)
    plain = _value(p, w)
    if np.isnan(plain) or not np.isclose(plain, float(np.asarray(out.data if isinstance(out, Tensor) else out)), rtol=1e-12, equal_nan=False):
        raise _fail(name, "wrong value", f"{plain!r} for an array and {out!r} for a Tensor of the same numbers", w)
    if not np.isfinite(plain) or out.dtype.kind != "f":
        return Report()  # a bound that is broken: there is no gradient
    return check_gradients(p, w, order=order, name=name)


def _goal(p: Any, x: np.ndarray, v: np.ndarray, step: float) -> float:
    return float(np.sum((x - v) ** 2) / (2 * step)) + _value(p, x)


def _check_prox(p: Any, v: np.ndarray, step: float, name: str, rng: np.random.Generator) -> None:
    x = np.asarray(p.prox(v, step))
    if (x.shape, x.dtype) != (v.shape, v.dtype):
        raise _fail(name, "wrong shape", f"prox of {v.dtype} of shape {v.shape} is {x.dtype} of shape {x.shape}", v)
    lowest = _goal(p, x, v, step)
    for other in _others(x, v, rng):
        if _goal(p, other, v, step) < lowest - ROOM * (1 + abs(lowest)):
            detail = f"prox(v, {step}) has ½|x - v|²/step + p(x) = {lowest!r}, and there is a lower point, with {_goal(p, other, v, step)!r}: {other}"
            raise _fail(name, "wrong prox", detail, v)
    if hasattr(p, "distance"):
        _check_certificate(p, x, v, step, name)


def _others(x: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> Any:
    """Points that must not be lower than x: of no special kind, near, scaled, and with one element anywhere."""
    yield from (v, np.zeros_like(v), 0.99 * x, 1.01 * x, 0.999 * x, 1.001 * x)
    for size in (1e-4, 1e-3, 1e-2, 0.1, 1.0):
        for _ in range(3):
            yield x + size * rng.normal(size=x.shape) * (rng.random(x.shape) < 0.5)
    for k in rng.permutation(x.size)[:4]:
        for value in GRID:
            other = x.copy()
            other.reshape(-1)[k] = value
            yield other


def _check_certificate(p: Any, x: np.ndarray, v: np.ndarray, step: float, name: str) -> None:
    found = p.distance(x, (x - v) / step)
    if not found <= 1e-9:
        raise _fail(name, "wrong residual", f"distance(x, grad) is {found!r} at x = prox(v, {step}), where it must be 0", v)
    beside = x + 0.1
    if getattr(p, "convex", False) and not p.distance(beside, (beside - v) / step) > 1e-6:
        raise _fail(name, "wrong residual", f"distance(x, grad) is 0 at {beside}, which is not the lowest point", v)


def _check_convex(p: Any, w: np.ndarray, name: str, rng: np.random.Generator) -> None:
    t = Tensor(w, requires_grad=True)
    out = p(t)
    if not np.isfinite(float(out)):
        return
    slope = grad(out, t).data if out.requires_grad else np.zeros_like(w)
    for size in (0.01, 0.1, 1.0):
        other = w + size * rng.normal(size=w.shape)
        below = float(out) + float(np.sum(slope * (other - w)))
        if _value(p, other) < below - ROOM * (1 + abs(below)):
            raise _fail(name, "kink", f"the gradient is no subgradient: p(x) = {_value(p, other)!r} lies under p(w) + grad·(x - w) = {below!r}", w)
    if hasattr(p, "prox"):
        other = w + rng.normal(size=w.shape)
        before, after = np.linalg.norm(w - other), np.linalg.norm(np.asarray(p.prox(w, 1.0)) - np.asarray(p.prox(other, 1.0)))
        if after > before * (1 + ROOM):
            raise _fail(name, "wrong prox", f"it expands: two points {before!r} apart come to lie {after!r} apart", w)
