"""Inputs for an op, drawn from its domain with NumPy alone: away from every kink, or at many of them, in any layout of memory."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..domain import Domain
from ..op import EXPRESSIONS, OPS

__all__ = ["LAYOUTS", "call", "domains", "end_to_end", "is_kinked", "sample", "sample_at_kinks", "seeded", "smooth", "window"]

AWAY = 0.05  # how far from a kink inputs are kept


def seeded(*words: Any) -> np.random.Generator:
    """A generator that depends on nothing but ``words``: the same numbers alone and in a suite."""
    return np.random.default_rng(zlib.crc32(repr(words).encode()))


def call(op: Any, inputs: Sequence[Any], settings: dict[str, Any]) -> Any:
    """The op of ``inputs``, one by one, or as one sequence if it takes any number; several results end to end as one."""
    out = op(list(inputs), **settings) if getattr(op, "variadic", False) else op(*inputs, **settings)
    return end_to_end(out) if isinstance(out, tuple) else out


def end_to_end(parts: Sequence[Any]) -> Any:
    """Several results as one array: those that can have a gradient, or if there are none, all."""
    return OPS["concat"]([part for part in parts if part.dtype.kind in "fc"] or list(parts), axis=None)


def domains(op: Any, count: int) -> Sequence[Domain]:
    """One domain for each of ``count`` inputs."""
    return op.domain * count if len(op.domain) == 1 else op.domain


def window(domain: Domain) -> tuple[float, float]:
    """A stretch of about 4 inside a domain, off its ends (an end is a kink, or a pole).

    >>> window(Domain(0.0))
    (0.4, 4.0)
    """
    low = domain.low if np.isfinite(domain.low) else min(-2.0, domain.high - 4.0, *(kink - 1 for kink in domain.kinks))
    high = domain.high if np.isfinite(domain.high) else max(2.0, low + 4.0, *(kink + 1 for kink in domain.kinks))
    margin = 0.1 * (high - low)
    return float(low + margin * np.isfinite(domain.low)), float(high - margin * np.isfinite(domain.high))


def sample(op: Any, shapes: Sequence[tuple[int, ...]], rng: np.random.Generator) -> list[np.ndarray]:
    """Inputs of ``shapes`` inside the op's domains, away from every kink; real values are all different."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    places = (rng.permutation(sum(sizes)) + rng.uniform(0.2, 0.8, sum(sizes))) / max(sum(sizes), 1)
    parts = np.split(places, np.cumsum(sizes)[:-1])
    return [_as_matrix(d, _placed(d, p, rng).reshape(shape)) for d, p, shape in zip(domains(op, len(shapes)), parts, shapes, strict=True)]


def _as_matrix(domain: Domain, x: np.ndarray) -> np.ndarray:
    """x as a matrix of the kind that the domain names: entries off the diagonal are small, those on it far apart."""
    if not domain.matrix:
        return x
    if domain.matrix == "increasing":
        return np.sort(x, axis=-1) if x.ndim else x
    if domain.matrix in ("symmetric", "positive definite"):
        x = (x + x.mT) / 2
    m, n = x.shape[-2:]
    return x / 4 + 2.0 * np.eye(m, n) * np.arange(0 if domain.matrix == "symmetric" else 1, n + 1)[:n]


def _placed(domain: Domain, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if domain.kind == "boolean":
        return rng.random(places.shape) < 0.5
    if domain.kind == "integer":
        return rng.integers(int(domain.low), int(domain.high), places.shape)
    low, high = window(domain)
    values = low + (high - low) * places
    if domain.kind == "complex":
        return values + 1j * rng.permutation(values)
    if domain.kinks:
        kinks = np.array(domain.kinks)
        nearest = kinks[np.argmin(np.abs(values[..., None] - kinks), axis=-1)]
        values = values + np.copysign(AWAY, values - nearest)
    return values


def sample_at_kinks(op: Any, shapes: Sequence[tuple[int, ...]], rng: np.random.Generator) -> list[np.ndarray]:
    """Inputs of which more than half lie at a kink, or are equal to others where that is one."""
    found = sample(op, shapes, rng)
    for x, domain in zip(found, domains(op, len(shapes)), strict=True):
        points = domain.kinks or ((-1.0, 1.0) if domain.ties else ())
        if points:
            chosen = rng.random(x.shape) < 0.6
            x[chosen] = rng.choice(points, int(chosen.sum()))
    return found


def is_kinked(op: Any) -> bool:
    """Whether some real argument has a kink."""
    return any((d.kinks or d.ties) and d.kind == "real" for d in op.domain)


def smooth(inputs: Sequence[np.ndarray]) -> list[int]:
    """The places of the inputs that can have a gradient."""
    return [i for i, x in enumerate(inputs) if x.dtype.kind in "fc"]


def _column_order(x: np.ndarray) -> np.ndarray:
    return np.array(x, order="F")


def _backwards(x: np.ndarray) -> np.ndarray:
    """The same values in memory from last to first: every stride is negative."""
    turned = (slice(None, None, -1),) * x.ndim
    return np.array(x[turned], order="C")[turned]


def _every_second(x: np.ndarray) -> np.ndarray:
    wide = np.zeros((*x.shape, 2), x.dtype)
    wide[..., 0] = x
    return wide[..., 0]


LAYOUTS = {"column order": _column_order, "negative strides": _backwards, "every second number": _every_second}


def find_op(op: Any) -> Any:
    """An op or expression, also by name."""
    found = OPS.get(op) or EXPRESSIONS.get(op) if isinstance(op, str) else op
    if found is None or not hasattr(found, "cases"):
        raise TypeError(f"check_op takes an op made with @tg.op, or its name; got {type(op).__name__} {op!r}.")
    return found


__all__ += ["find_op"]
