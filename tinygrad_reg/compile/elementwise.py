"""Elementwise steps as ufunc calls that write into buffers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .buffers import Buffers
from .program import CONSTANT, Step, Value
from .scalar import Given, Part, astype
from .ufuncs import parts_of, sample_of

__all__ = ["Elementwise"]

_POWERS = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal}
_BITS: dict[Any, Any] = {np.dtype("f4"): np.dtype("i4"), np.dtype("f8"): np.dtype("i8")}
_REPEATED = 1 << 18  # bytes up to which a number is rather repeated in an array of the result's shape


class Elementwise(Buffers):
    """Writes a line for each ufunc call; steps of several calls have been split before."""

    def is_ufuncs(self, step: Step) -> bool:
        """Whether a step is made of ufunc calls, which can write anywhere."""
        return len(parts_of(step) or ()) == 1

    def _call(self, f: Any, operands: list[str], out: Value, *, instead_of: Value | None = None) -> None:
        self._take(out, instead_of)
        keyword = "out=" if f in (np.maximum, np.minimum) else ""  # which NumPy does not want it by position
        self.lines.append(f"{self._function(f, f.__name__)}({', '.join([*operands, keyword + self.names[id(out)]])})")

    def _elementwise(self, i: int, step: Step, part: Part) -> None:
        operands = [self._operand(x, step, part) for x in part.operands if not isinstance(x, np.dtype)]
        anew = part.name in ("where", "astype") or id(step.out) in self.home
        self._part(part, step.out, operands, None if anew else self._dying(i, step))

    def _operand(self, x: Any, step: Step, part: Part) -> str:
        as_it_is = part.name in ("where", "power")  # NumPy treats some numbers in a way of their own
        if type(x) is Given:
            value = step.inputs[x.place]
            if not (value.weak and value.kind == CONSTANT):
                single = value.kind != CONSTANT and not value.shape and step.out.shape and not as_it_is
                return self._as_array(value, x, step, part) if single else self.names[id(value)]
            x = value.source
        if as_it_is:
            return self._name(x, "c")
        if part.name in ("maximum", "minimum") and len(step.out.shape) and not np.shape(x):
            shape = step.out.shape if step.out.nbytes <= _REPEATED else step.out.shape[-1:]
            return self._name(np.full(shape, x, step.out.dtype), "c")  # NumPy is several times slower with a single number
        strong = _strong(step, part)
        return self._name(np.asarray(x, np.result_type(*strong, x)) if strong else x, "c")  # quicker than a Python number

    def _as_array(self, value: Value, given: Given, step: Step, part: Part) -> str:
        """A single number as an array of one element: it is made once, and quicker in NumPy than its own conversion at each use."""
        if id(value) in self.arrays:
            return self.places.get(id(value), self.names[id(value)])
        strong = _strong(step, part)
        dtype = np.result_type(*strong, sample_of(given, step, [])[1]) if value.weak else value.dtype
        return self._number(value, dtype) if strong else self.names[id(value)]

    def _number(self, x: Value, dtype: Any) -> str:
        if (id(x), dtype) not in self.numbers:
            name = self.numbers[id(x), dtype] = self._name(np.empty((), dtype), "k")
            self.lines.append(f"{name}[()] = {self.names[id(x)]}")
        return self.numbers[id(x), dtype]

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
        wanted = ((condition, np.dtype(bool), np.int8), (kept, out.dtype, integer), (self.names[id(out)], out.dtype, integer))
        if integer is None or not all(self._fits(name, out.shape, dtype) for name, dtype, _ in wanted):
            return False
        flags, bits, result = (self._viewed(name, as_dtype) for name, _, as_dtype in wanted)
        raw = self._raw(out.nbytes)
        mask = self._name(raw.view(integer).reshape(out.shape), "m")
        if turned:
            self.lines.append(f"{self._function(np.subtract, 'subtract')}({flags}, {self._name(np.asarray(1, np.int8), 'c')}, {mask})")
        else:
            self.lines.append(f"{self._function(np.negative, 'negative')}({flags}, {mask})")
        self.lines.append(f"{self._function(np.bitwise_and, 'bitwise_and')}({bits}, {mask}, {result})")
        self.pool.setdefault(raw.nbytes, []).append(raw)
        return True

    def _fits(self, name: str, shape: tuple[int, ...], dtype: Any) -> bool:
        """Whether the memory of this name stays, and can be looked at as numbers of another dtype."""
        x = self.bound.get(name)
        return isinstance(x, np.ndarray) and x.shape == shape and x.dtype == dtype and x.flags.c_contiguous

    def _viewed(self, name: str, dtype: Any) -> str:
        return self._name(self.bound[name].view(dtype), "m")


def _strong(step: Step, part: Part) -> list[Any]:
    """Samples of the operands that are not Python numbers."""
    samples = (sample_of(x, step, [])[1] for x in part.operands)
    return [x for x in samples if isinstance(x, np.ndarray)]
