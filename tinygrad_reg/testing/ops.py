"""check_op: the property tests that ours get, for any op: both orders, kinks, layouts of memory, float32, as its domain and cases say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..derivatives import grad
from ..domain import Case
from ..tensor import Tensor, asarray
from .checking import check_gradients
from .inputs import LAYOUTS, call, find_op, is_kinked, sample, sample_at_kinks, seeded, smooth
from .mismatch import GradientMismatch, Report

__all__ = ["check_op"]


def check_op(op: Any, cases: Sequence[Case] | None = None, order: int = 2, samples: int = 1, kinks: bool = True, seed: int = 0) -> Report:
    """Check an op's backward rules in every one of its cases, at random places of its domain; a wrong one raises :class:`GradientMismatch`.

    In each case: the gradient, and with ``order=2`` its own gradient, as :func:`check_gradients` does it; with ``kinks`` also at the
    kinks and ties that the domain names; the same gradient for arrays in any layout of memory; float32 in, float32 out.
    ``samples`` is how often each case is drawn. An elementwise op without cases is called with shapes that broadcast, 0-d and empty ones.

    Raises ``TypeError`` for what is no op, ``ValueError`` for one without rules or cases.

    >>> import tinygrad_reg as tg
    >>> @tg.op(domain=[tg.REAL])
    ... def cube(x):
    ...     return x * x * x
    >>> cube.defvjp(lambda g, out, x: g * (3 * x * x))
    >>> check_op(cube).kinks
    0
    """
    found = find_op(op)
    chosen = found.cases if cases is None else cases
    if not getattr(found, "differentiable", True):
        raise ValueError(f"check_op: {found.name} has no backward rule; give it one, {found.name}.defvjp(lambda g, out, x: …).")
    if not chosen:
        raise ValueError(f"check_op: {found.name} has no cases; give some: cases=[tg.case((2, 3), axis=0)].")
    return sum((_check_case(found, case, order, kinks, seed + k) for case in chosen for k in range(samples)), Report())


def _check_case(op: Any, case: Case, order: int, kinks: bool, seed: int) -> Report:
    rng = seeded(op.name, case.shapes, seed)
    inputs = sample(op, case.shapes, rng)
    if not smooth(inputs):
        return Report()
    name = f"{op.name}({', '.join(f'{k}={v!r}' for k, v in case.settings.items())})" if case.settings else op.name

    def f(*arrays: Any) -> Any:
        return call(op, arrays, case.settings)

    f.__signature__ = _signature(op, len(inputs))  # type: ignore[attr-defined]
    report = check_gradients(f, *inputs, order=order, seed=seed, name=name)
    if kinks and is_kinked(op):
        report += check_gradients(f, *sample_at_kinks(op, case.shapes, rng), order=order, seed=seed, name=f"{name} at kinks")
    _check_arrays(f, inputs, name, rng)
    return report


def _signature(op: Any, count: int) -> Any:
    import inspect  # noqa: PLC0415

    names = list(op.array_names)[:count] if not op.variadic else []
    names += [f"array{i}" for i in range(len(names), count)]
    return inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names])


def _check_arrays(f: Any, inputs: Sequence[np.ndarray], name: str, rng: np.random.Generator) -> None:
    """Neither the layout in memory nor the precision changes what the gradient is."""
    result = np.asarray(f(*inputs))
    g = rng.normal(size=result.shape) + (1j * rng.normal(size=result.shape) if result.dtype.kind == "c" else 0.0)
    expected = gradients_of(f, inputs, g)
    scale = max((float(np.max(np.abs(x), initial=0.0)) for x in expected), default=0.0)
    for layout, laid in LAYOUTS.items():
        _compare(name, f"with inputs in {layout}", gradients_of(f, [laid(x) for x in inputs], laid(g)), expected, 1e-11 * (1 + scale))
    narrow = [_narrowed(x) for x in inputs]
    out = np.asarray(f(*narrow)).dtype
    _compare(name, "in float32", gradients_of(f, narrow, g.astype(out)), expected, 5e-3 * (1 + scale), [x.dtype for x in narrow])


def _narrowed(x: np.ndarray) -> np.ndarray:
    return x.astype({"f": np.float32, "c": np.complex64}.get(x.dtype.kind, x.dtype))


def gradients_of(f: Any, inputs: Sequence[np.ndarray], g: np.ndarray) -> list[np.ndarray]:
    tensors = [asarray(x) for x in inputs]  # not copied, so that a layout arrives as it is
    for t in tensors:
        t.requires_grad = t.dtype.kind in "fc"
    out: Tensor = f(*tensors)
    wanted = [t for t in tensors if t.requires_grad]
    return [x.data for x in grad(out, wanted, asarray(g))] if out.requires_grad else [np.zeros(t.shape, t.dtype) for t in wanted]


def _compare(
    name: str, how: str, found: Sequence[np.ndarray], expected: Sequence[np.ndarray], room: float, dtypes: Sequence[Any] | None = None
) -> None:
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        if a.shape != b.shape or not np.all(np.abs(a - b) <= room):
            raise GradientMismatch("wrong rule", name, f"input {i}", detail=f"{how} the gradient is another: {a} instead of {b}")
    wanted = [] if dtypes is None else [d for d in dtypes if d.kind in "fc"]
    for i, (a, d) in enumerate(zip(found, wanted, strict=False)):
        if a.dtype != d:
            raise GradientMismatch("wrong dtype", name, f"input {i}", detail=f"{how} the gradient is {a.dtype}, the input {d}")
