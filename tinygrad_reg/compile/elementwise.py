"""Elementwise steps as ufunc calls that write into buffers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .buffers import Buffers
from .program import CONSTANT, Step, Value
from .scalar import Given, Made, Part, astype, form

__all__ = ["Elementwise"]

_POWERS = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal}
_BITS: dict[Any, Any] = {np.dtype("f4"): np.dtype("i4"), np.dtype("f8"): np.dtype("i8")}
_REPEATED = 1 << 18  # bytes up to which a number is rather repeated in an array of the result's shape


class Elementwise(Buffers):
    """Takes an op apart into the ufunc calls of its forward, and writes a line for each."""

    def is_ufuncs(self, step: Step) -> bool:
        """Whether a step is made of ufunc calls, which can write anywhere."""
        return self._parts(step) is not None

    def _call(self, f: Any, operands: list[str], out: Value, *, instead_of: Value | None = None) -> None:
        self._take(out, instead_of)
        keyword = "out=" if f in (np.maximum, np.minimum) else ""  # which NumPy does not want it by position
        self.lines.append(f"{self._function(f, f.__name__)}({', '.join([*operands, keyword + self.names[id(out)]])})")

    def _parts(self, step: Step) -> tuple[Part, ...] | None:
        """The ufunc calls that make up an elementwise step, if they give the result's dtype."""
        if not step.op.elementwise and step.op.name != "astype":
            return None
        found = form(step.op, step.settings, [_kind(x) for x in step.inputs])
        if found is None or type(found.result) is not Made or found.result.place != len(found.parts) - 1:
            return None
        return found.parts if self._kinds(found.parts, step)[-1][1] == step.out.dtype else None

    def _kinds(self, parts: tuple[Part, ...], step: Step) -> list[tuple[tuple[int, ...], Any]]:
        """Shape and dtype of what each part gives."""
        kinds: list[tuple[tuple[int, ...], Any]] = []
        for part in parts:
            shapes, samples = [], []
            for x in part.operands:
                shape, sample = self._sample(x, step, kinds)
                shapes.append(shape)
                samples.append(sample)
            with np.errstate(all="ignore"):
                kinds.append((np.broadcast_shapes(*shapes), np.asarray(part.function(*samples)).dtype))
        return kinds

    def _sample(self, x: Any, step: Step, kinds: list[Any]) -> tuple[tuple[int, ...], Any]:
        if type(x) is Made:
            return kinds[x.place][0], np.ones(1, kinds[x.place][1])
        if type(x) is Given:
            value = step.inputs[x.place]
            weak: Any = value.source if value.kind == CONSTANT else 1.0
            return value.shape, weak if value.weak else np.ones(1, value.dtype)
        return (), x

    def _elementwise(self, i: int, step: Step, parts: tuple[Part, ...]) -> None:
        kinds = self._kinds(parts, step)
        temporaries: list[Value] = []
        for place, (part, (shape, dtype)) in enumerate(zip(parts, kinds, strict=True)):
            last = place == len(parts) - 1
            out = step.out if last else Value(shape, dtype)
            temporaries.append(out)
            dying = self._dying(i, step) if last and len(parts) == 1 and part.name not in ("where", "astype") and id(out) not in self.home else None
            self._part(part, out, [self._operand(x, step, temporaries, kinds, part) for x in part.operands], dying)
        for out in temporaries[:-1]:
            raw = self.memory.pop(id(out))
            self.pool.setdefault(raw.nbytes, []).append(raw)

    def _operand(self, x: Any, step: Step, temporaries: list[Value], kinds: list[Any], part: Part) -> str:
        if type(x) is Made:
            return self.names[id(temporaries[x.place])]
        if type(x) is Given:
            value = step.inputs[x.place]
            if not (value.weak and value.kind == CONSTANT):
                return self.names[id(value)]
            x = value.source
        if isinstance(x, np.dtype):
            return ""  # of astype: it is known from the result
        if part.name in ("where", "power"):
            return self._name(x, "c")  # NumPy treats some numbers in a way of their own
        if part.name in ("maximum", "minimum") and len(step.out.shape) and not np.shape(x):
            shape = step.out.shape if step.out.nbytes <= _REPEATED else step.out.shape[-1:]
            return self._name(np.full(shape, x, step.out.dtype), "c")  # NumPy is several times slower with a single number
        strong = [s for _, s in (self._sample(y, step, kinds) for y in part.operands) if isinstance(s, np.ndarray)]
        return self._name(np.asarray(x, np.result_type(*strong, x)) if strong else x, "c")  # quicker than a Python number

    def _part(self, part: Part, out: Value, operands: list[str], dying: Value | None) -> None:
        f: Any = part.function
        if f is np.where:
            self._choose(out, operands)
        elif f is astype:
            self._take(out)
            self.lines.append(f"{self._function(np.copyto, 'copyto')}({self.names[id(out)]}, {operands[0]}, 'unsafe')")
        elif f is np.power and type(self.bound.get(operands[1])) in (int, float) and (quick := _POWERS.get(self.bound[operands[1]])):
            self._call(quick, operands[:1], out, instead_of=dying)
        else:
            self._call(f, operands, out, instead_of=dying)

    def _choose(self, out: Value, operands: list[str]) -> None:
        condition, a, b = operands
        self._take(out)
        name, copyto = self.names[id(out)], self._function(np.copyto, "copyto")
        zero = next((x for x in (a, b) if type(self.bound.get(x)) is int and self.bound[x] == 0), None)
        if zero is None or not self._mask(out, condition, b if zero == a else a, zero == a):
            self.lines.append(f"{copyto}({name}, {b})")
            self.lines.append(f"{copyto}({name}, {a}, 'same_kind', {condition})")

    def _mask(self, out: Value, condition: str, kept: str, turned: bool) -> bool:
        """Bits of ``kept`` masked by the condition, or by its opposite: without the branch for each element that np.where has."""
        integer = _BITS.get(out.dtype)
        c: Any = self.bound.get(condition)
        x: Any = self.bound.get(kept)
        if integer is None or not _fits(c, out.shape, np.dtype(bool)) or not _fits(x, out.shape, out.dtype):
            return False
        raw = self._raw(out.nbytes)
        mask, bits = self._name(raw.view(integer).reshape(out.shape), "m"), self._name(c.view(np.int8), "m")
        if turned:
            self.lines.append(f"{self._function(np.subtract, 'subtract')}({bits}, {self._name(np.asarray(1, np.int8), 'c')}, {mask})")
        else:
            self.lines.append(f"{self._function(np.negative, 'negative')}({bits}, {mask})")
        kept, result = self._name(x.view(integer), "m"), self._name(self.arrays[id(out)].view(integer), "m")
        self.lines.append(f"{self._function(np.bitwise_and, 'bitwise_and')}({kept}, {mask}, {result})")
        self.pool.setdefault(raw.nbytes, []).append(raw)
        return True


def _fits(x: Any, shape: tuple[int, ...], dtype: Any) -> bool:
    return isinstance(x, np.ndarray) and x.shape == shape and x.dtype == dtype and x.flags.c_contiguous


def _kind(x: Value) -> Any:
    """A value's dtype, or the type of a Python number."""
    return type(x.source) if x.weak and x.kind == CONSTANT else float if x.weak else x.dtype
