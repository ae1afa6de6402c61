"""Random functions of arrays, made of ops of all kinds, for the replays to be compared on."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_reg as tg

SHAPES = [(), (1,), (3,), (20,), (17,), (3, 1), (1, 20), (20, 3), (20, 17), (33, 20), (2, 20, 3), (5, 4), (9, 2, 11), (40, 1), (1, 1), (70, 9)]
UNARY = ["tanh", "sigmoid", "relu", "exp", "abs", "sign", "negative", "sin", "softplus", "square", "arctan", "floor", "isnan", "silu", "logsigmoid"]
BINARY = ["add", "subtract", "multiply", "maximum", "minimum", "greater", "less_equal", "equal", "logical_or", "hypot", "divide", "fmax"]
FOLDS = ["sum", "max", "min", "mean", "prod", "logsumexp", "var"]
OTHERS = ["softmax", "log_softmax", "cumsum", "sort", "flip"]  # some are lowered, the others called

Step = tuple[str, tuple[int, ...], dict[str, Any]]


class Expression:
    """A function of arrays, drawn step by step: each step an op of earlier values; it returns some of them.

    ``choose`` is like ``random.choice``: tests give hypothesis's.
    """

    def __init__(self, choose: Callable[[Any], Any], length: int, dtypes: list[str], special: bool = False) -> None:
        self.choose = choose
        self.special = special  # whether there are NaN, infinities and -0 among the numbers
        rng = np.random.default_rng(choose(range(1000)))
        shapes = [choose(SHAPES) for _ in range(choose(range(1, 4)))]
        self.inputs = [self._numbers(rng, shape, choose(dtypes)) for shape in shapes]
        self.values = [np.asarray(x) for x in self.inputs]
        self.steps: list[Step] = []
        tries = 0
        while len(self.steps) < length and tries < 20 * length:
            tries += 1
            self._grow()
        last = range(len(self.inputs), len(self.values))
        self.returned = sorted({len(self.values) - 1, *(choose(last) for _ in range(choose(range(3))) if len(last))})

    def _numbers(self, rng: Any, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        if dtype == "bool":
            return rng.random(shape) < 0.5
        if dtype.startswith("int"):
            return rng.integers(-3, 4, shape).astype(dtype)
        x = np.asarray(rng.normal(size=shape)).astype(dtype)
        odd = rng.choice([np.nan, np.inf, -np.inf, -0.0, 0.0], size=shape)
        return np.where(rng.random(shape) < 0.1, odd, x).astype(dtype) if self.special else x

    def _grow(self) -> None:
        """Try one more step; what raises, or grows too large, is left out."""
        name, places, settings = getattr(
            self, self.choose(["_unary", "_unary", "_binary", "_binary", "_fold", "_view", "_matmul", "_other", "_where"])
        )()
        if not name:
            return
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(_op(name)(*(self.values[i] for i in places), **settings))
        except (TypeError, ValueError, IndexError):
            return
        if value.size > 20_000 or value.dtype.kind not in "biuf" or (value.dtype.kind == "f" and not self._tame(value)):
            return
        self.steps.append((name, places, settings))
        self.values.append(value)

    def _tame(self, value: np.ndarray) -> bool:
        return bool(np.all((np.abs(value) < 50) | (~np.isfinite(value) & self.special)))

    def _place(self) -> int:
        return self.choose(range(len(self.values)))

    def _unary(self) -> Step:
        return self.choose(UNARY), (self._place(),), {}

    def _binary(self) -> Step:
        return self.choose(BINARY), (self._place(), self._place()), {}

    def _where(self) -> Step:
        return "where", (self._place(), self._place(), self._place()), {}

    def _fold(self) -> Step:
        place = self._place()
        axes = self.values[place].ndim
        axis = self.choose([None, *range(axes), *[(0, axes - 1)] * (axes > 1)])
        return self.choose(FOLDS), (place,), {"axis": axis, "keepdims": self.choose([False, True])}

    def _matmul(self) -> Step:
        a, b = self._place(), self._place()
        return ("matmul", (a, b), {}) if self.values[a].ndim in (1, 2) and self.values[b].ndim in (1, 2) else ("", (), {})

    def _view(self) -> Step:
        place = self._place()
        shape = self.values[place].shape
        kind = self.choose(["permute_dims", "reshape", "expand_dims", "getitem", "broadcast_to"])
        if kind == "permute_dims":
            return kind, (place,), {"axes": tuple(reversed(range(len(shape))))}
        if kind == "reshape":
            return kind, (place,), {"shape": self.choose([(-1,), (1, *shape), (*shape[::-1],)])}
        if kind == "expand_dims":
            return kind, (place,), {"axis": self.choose(range(len(shape) + 1))}
        if kind == "broadcast_to":
            return kind, (place,), {"shape": (2, *shape)}
        return (
            kind,
            (place,),
            {"key": tuple(self.choose([slice(None), slice(1, None), slice(None, None, 2), slice(None, None, -1), 0]) for _ in shape)},
        )

    def _other(self) -> Step:
        return self.choose(OTHERS), (self._place(),), {} if self.choose([True, False]) else {"axis": 0}

    def __call__(self, *arrays: Any) -> list[Any]:
        values = list(arrays)
        for name, places, settings in self.steps:
            values.append(_op(name)(*(values[i] for i in places), **settings))
        return [values[i] for i in self.returned]

    def __repr__(self) -> str:
        lines = [f"v{i} = {x.dtype} {x.shape}" for i, x in enumerate(self.inputs)]
        for i, (name, places, settings) in enumerate(self.steps, len(self.inputs)):
            given = ", ".join([*(f"v{p}" for p in places), *(f"{k}={v!r}" for k, v in settings.items())])
            lines.append(f"v{i} = {name}({given})   {self.values[i].dtype} {self.values[i].shape}")
        return "\n".join([*lines, f"return {', '.join(f'v{i}' for i in self.returned)}"])


def _op(name: str) -> Callable[..., Any]:
    from tinygrad_reg.op import ALIASES, EXPRESSIONS, OPS

    return OPS.get(name) or EXPRESSIONS.get(name) or ALIASES[name]


def at_random(seed: int, length: int, dtypes: list[str], special: bool = False) -> Expression:
    """An expression from a seed, without hypothesis."""
    return Expression(random.Random(seed).choice, length, dtypes, special)


def assert_alike(got: Any, wanted: Any, message: str = "") -> None:
    """The same shape, dtype, NaN and infinities, and numbers up to rounding, measured against the largest, or 1."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape and got.dtype == wanted.dtype, f"{got.dtype} {got.shape} for {wanted.dtype} {wanted.shape}\n{message}"
    if wanted.dtype.kind != "f":
        np.testing.assert_array_equal(got, wanted, err_msg=message)
        return
    finite = wanted[np.isfinite(wanted)]
    scale = np.max(np.abs(finite), initial=1.0)
    eps = np.finfo(wanted.dtype).eps
    np.testing.assert_allclose(got, wanted, rtol=200 * eps, atol=200 * eps * scale, err_msg=message)


__all__ = ["Expression", "assert_alike", "at_random", "tg"]
