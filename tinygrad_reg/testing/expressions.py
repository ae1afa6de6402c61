"""Random small functions, made of ops of the table: what a check of gradients must accept, at kinks too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..domain import REAL, Domain
from ..op import OPS, Op
from .inputs import call, domains, sample, seeded, window

__all__ = ["Expression", "chainable"]

LARGEST, MOST = 10.0, 60  # the size of a number (beyond it curves saturate, and are staircases), and how many of them, that a step may give
COARSE = (-1.0, -0.5, 0.0, 0.5, 1.0)  # of these ties and zeros come by themselves
INSIDE = ("recall", "unchanging", "part", "argument")
# How it jumps is the point of these: a step after one of them may have a slope that no number shows.
JUMPING = ("mode", "copysign", "floor_divide", "remainder", "fmod", "divmod", "arctan2")


def chainable() -> list[Op]:
    """The ops that an expression may be made of: with rules, real, not random, none that jumps between its arguments, and nothing of users'."""
    found = []
    for op in OPS.values():
        ours = op.__module__.startswith("tinygrad_reg.") and op.name not in (*INSIDE, *JUMPING)
        if ours and op.differentiable and not op.draws and not any(d.kind == "complex" for d in op.domain) and _runs(op):
            found.append(op)
    return found


def _runs(op: Op) -> bool:
    """Whether it gives real numbers here, with the libraries that are installed."""
    try:
        out = call(op, sample(op, op.cases[0].shapes, seeded(op.name)), op.cases[0].settings)
    except ImportError:
        return False
    return bool(np.asarray(out).dtype == np.float64)


class Expression:
    """A function of arrays, drawn step by step: each step an op of earlier values and of new inputs.

    ``choose`` takes a sequence and gives one of it, as ``random.choice`` does; tests give hypothesis's, and the function shrinks.
    ``inputs`` are the arrays to call it with. ``at_kinks`` draws them from a few numbers, so that zeros and ties abound.
    """

    def __init__(self, choose: Callable[[Sequence[Any]], Any], length: int, ops: Sequence[Op], at_kinks: bool = False) -> None:
        self.choose = choose
        self.ops = ops
        self.at_kinks = at_kinks
        self.rng = np.random.default_rng(choose(range(1000)))
        self.inputs: list[np.ndarray] = []
        self.steps: list[tuple[Op, list[Any], dict[str, Any]]] = []
        self.values: list[np.ndarray] = []
        for _ in range(8 * length):
            if len(self.steps) < length:
                self._grow()
        if not self.steps:
            self.steps.append((OPS["square"], [self._new(REAL, (2,))], {}))

    def _grow(self) -> None:
        """Try one more step; what raises, grows too large, or is not finite, is left out again."""
        op = self.choose(self.ops)
        case = self.choose(op.cases)
        before = len(self.inputs)
        places = domains(op, len(case.shapes))
        linked = self.choose(range(len(case.shapes))) if case.shapes else 0
        arguments = [self._argument(d, shape, k == linked) for k, (d, shape) in enumerate(zip(places, case.shapes, strict=True))]
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(_apply(op, arguments, case.settings, self.inputs, self.values))
        except (TypeError, ValueError, IndexError, np.linalg.LinAlgError):
            del self.inputs[before:]
            return
        if value.dtype != np.float64 or not 0 < value.size <= MOST or not np.all(np.abs(value) < LARGEST):
            del self.inputs[before:]
            return
        self.steps.append((op, arguments, case.settings))
        self.values.append(value)

    def _argument(self, domain: Domain, shape: tuple[int, ...], linked: bool) -> Any:
        """Where an argument comes from: an earlier value, brought to the shape and into the domain; else a new input, or a constant."""
        if self.values and domain.kind == "real" and not domain.matrix and (linked or self.choose([True, False, False])):
            bounds = window(domain) if np.isfinite(domain.low) or np.isfinite(domain.high) else None
            place = len(self.values) - 1 if linked else self.choose(range(len(self.values)))
            return ("value", place, shape, bounds)
        return self._new(domain, shape)

    def _new(self, domain: Domain, shape: tuple[int, ...]) -> Any:
        op = OPS["negative"]
        x = sample(_Domains(op, domain), [shape], self.rng)[0]
        if domain.kind != "real":
            return ("constant", x)
        bounded = np.isfinite(domain.low) or np.isfinite(domain.high)
        if self.at_kinks and not bounded and not domain.matrix:
            x = self.rng.choice([*COARSE, *domain.kinks], shape)
        self.inputs.append(np.asarray(x))
        return ("input", len(self.inputs) - 1)

    def __call__(self, *arrays: Any) -> Any:
        values: list[Any] = []
        for op, arguments, settings in self.steps:
            values.append(_apply(op, arguments, settings, arrays, values))
        return values[-1]

    def __repr__(self) -> str:
        lines = [f"x{i} = {x.tolist()}" for i, x in enumerate(self.inputs)]
        for i, (op, arguments, settings) in enumerate(self.steps):
            given = [*map(_text, arguments), *(f"{k}={v!r}" for k, v in settings.items())]
            lines.append(f"v{i} = {op.name}({', '.join(given)})")
        return "\n".join(lines)


class _Domains:
    """Stands for an op of one argument of the given domain, where inputs are drawn."""

    def __init__(self, op: Op, domain: Domain) -> None:
        self.name, self.domain = op.name, (domain,)


def _apply(op: Op, arguments: Sequence[Any], settings: dict[str, Any], inputs: Sequence[Any], values: Sequence[Any]) -> Any:
    return call(op, [_read(argument, inputs, values) for argument in arguments], settings)


def _read(argument: Any, inputs: Sequence[Any], values: Sequence[Any]) -> Any:
    if argument[0] == "constant":
        return argument[1]
    if argument[0] == "input":
        return inputs[argument[1]]
    _, place, shape, bounds = argument
    x = _brought(values[place], shape)
    return x if bounds is None else bounds[0] + (bounds[1] - bounds[0]) * OPS["sigmoid"](x)


def _brought(x: Any, shape: tuple[int, ...]) -> Any:
    """x in another shape: its numbers in order, again from the start if they are too few."""
    size = int(np.prod(shape))
    if size == x.size:
        return OPS["reshape"](x, shape=shape)
    return OPS["getitem"](OPS["reshape"](x, shape=(-1,)), key=(np.arange(size) % x.size).reshape(shape))


def _text(argument: Any) -> str:
    if argument[0] == "constant":
        return repr(argument[1].tolist())
    if argument[0] == "input":
        return f"x{argument[1]}"
    _, place, shape, bounds = argument
    text = f"resize(v{place}, {shape})"
    return text if bounds is None else f"{bounds[0]:g} + {bounds[1] - bounds[0]:g}·sigmoid({text})"
