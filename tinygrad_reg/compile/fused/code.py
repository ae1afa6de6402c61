"""Writing machine-independent code (LLVM's text form), one instruction at a time.

A :class:`Word` is the result of an instruction: one number, or, where it differs along the axis that is computed side by side, ``width``
numbers at once. Code is written at levels: level 0 is straight through the function, level 1 inside the first loop, and so on; an
instruction goes to the deepest level of its operands, so that nothing is computed in a loop that could be computed before it.

    c = Code()
    c.op("fadd", c.number(1.0, F8), x)        %v3 = fadd double 0x3FF0000000000000, %v2
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from .nodes import Declined

__all__ = ["BOOL", "F4", "F8", "I4", "I8", "Code", "Word", "llvm_type", "stored_type"]

LONGEST = 60_000
BOOL, F4, F8, I4, I8 = (np.dtype(name) for name in ("?", "f4", "f8", "i4", "i8"))

_FLOATS = {4: "float", 8: "double"}


def llvm_type(dtype: np.dtype[Any], width: int = 1) -> str:
    """The type of a word: ``float``, or ``<16 x float>``.

    >>> llvm_type(np.dtype("f4"), 16)
    '<16 x float>'
    """
    one = "i1" if dtype.kind == "b" else _FLOATS[dtype.itemsize] if dtype.kind == "f" else f"i{8 * dtype.itemsize}"
    return one if width == 1 else f"<{width} x {one}>"


def stored_type(dtype: np.dtype[Any], width: int = 1) -> str:
    """The type in memory: as NumPy has it, yes or no takes a byte."""
    return llvm_type(np.dtype("i1") if dtype.kind == "b" else dtype, width)


def suffix(kind: str) -> str:
    """A type in the name of an intrinsic: ``<16 x float>`` is ``v16f32``."""
    if kind.startswith("<"):
        count, one = kind[1:-1].split(" x ")
        return f"v{count}{suffix(one)}"
    return {"float": "f32", "double": "f64", "ptr": "p0"}.get(kind, kind)


class Word(NamedTuple):
    """A computed number, or several side by side (``wide``); ``level`` says in which loop it was computed."""

    text: str
    dtype: Any
    wide: bool = False
    level: int = 0


def literal(value: Any, dtype: np.dtype[Any]) -> str:
    """A number as LLVM writes it; floats by their bits, so that nothing is rounded twice.

    >>> literal(0.1, np.dtype("f4"))
    '0x3FB99999A0000000'
    """
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            bits = struct.pack(">d", float(dtype.type(value)))
        return f"0x{bits.hex().upper()}"
    return ("false", "true")[bool(value)] if dtype.kind == "b" else str(int(value))


class Code:
    """One function, as it is being written."""

    def __init__(self, width_bytes: int) -> None:
        self.width_bytes = width_bytes  # of the machine's registers
        self.width = 1  # how many numbers a wide word has, in the loops being written
        self.mask: str | None = None  # which of them are there, in the last step along an axis
        self.levels: list[list[str]] = [[]]
        self.known: list[dict[Any, Any]] = [{}]  # what has been computed already, by level
        self.entry: list[str] = []  # the start of the function: constants, pointers, space on the stack
        self.declared: dict[str, str] = {}
        self.stack = 0  # bytes taken by arrays on it
        self._count = 0

    # ------------------------------------------------------------------------------------- lines

    def name(self, prefix: str = "v") -> str:
        """A name not used before. Raises Declined when there are too many: LLVM would take many seconds."""
        self._count += 1
        if self._count > LONGEST:
            raise Declined(f"a piece of the program takes more than {LONGEST} instructions")
        return f"%{prefix}{self._count}"

    def line(self, level: int, text: str) -> None:
        """A line that computes nothing, as a store."""
        self.levels[level].append(f"  {text}")

    def put(self, level: int, text: str) -> str:
        """A line that computes something; returns its name."""
        made = self.name()
        self.levels[level].append(f"  {made} = {text}")
        return made

    def at_entry(self, text: str, prefix: str = "e") -> str:
        """A line at the start of the function."""
        made = self.name(prefix)
        self.entry.append(f"  {made} = {text}")
        return made

    @contextmanager
    def loop(self, count: int, step: int) -> Iterator[Word]:
        """A loop from 0 by ``step``, as long as all of a step fits below ``count``; gives the counter."""
        label, counter = self.name("L")[1:], self.name("i")
        self.levels.append([])
        self.known.append({})
        yield Word(counter, I8, False, len(self.levels) - 1)
        self.known.pop()
        body = self.levels.pop()
        self.levels[-1] += [
            f"  br label %{label}.pre",
            f"{label}.pre:",
            f"  br label %{label}",
            f"{label}:",
            f"  {counter} = phi i64 [0, %{label}.pre], [{counter}.next, %{label}.end]",
            *body,
            f"  br label %{label}.end",
            f"{label}.end:",
            f"  {counter}.next = add nuw nsw i64 {counter}, {step}",
            f"  {counter}.more = icmp ult i64 {counter}.next, {count // step * step}",
            f"  br i1 {counter}.more, label %{label}, label %{label}.out",
            f"{label}.out:",
        ]

    @contextmanager
    def before_loops(self) -> Iterator[None]:
        """Write before all loops that are open."""
        levels, known, mask = self.levels, self.known, self.mask
        self.levels, self.known, self.mask = levels[:1], known[:1], None
        yield
        self.levels, self.known, self.mask = levels, known, mask

    # ------------------------------------------------------------------------------------- words

    def type(self, word: Word) -> str:
        """The type of a word."""
        return llvm_type(word.dtype, self.width if word.wide else 1)

    def number(self, value: Any, dtype: Any) -> Word:
        """A number known beforehand."""
        return Word(literal(value, np.dtype(dtype)), np.dtype(dtype))

    def widened(self, x: Word) -> Word:
        """The same number at every place of a wide word."""
        if x.wide or self.width == 1:
            return x
        key = ("wide", x.text, x.dtype, self.width)
        if key not in self.known[x.level]:
            self.known[x.level][key] = self._spread(x)
        return self.known[x.level][key]

    def _spread(self, x: Word) -> Word:
        kind, one = llvm_type(x.dtype, self.width), llvm_type(x.dtype)
        put = self.at_entry if x.text[0] != "%" else lambda text: self.put(x.level, text)
        first = put(f"insertelement {kind} poison, {one} {x.text}, i64 0")
        everywhere = put(f"shufflevector {kind} {first}, {kind} poison, <{self.width} x i32> zeroinitializer")
        return Word(everywhere, x.dtype, True, x.level)

    def alike(self, words: Iterable[Word]) -> tuple[list[Word], bool, int]:
        """Words made all wide if one is; whether they are; their deepest level."""
        words = list(words)
        wide = any(x.wide for x in words)
        return [self.widened(x) for x in words] if wide else words, wide, max((x.level for x in words), default=0)

    def op(self, instruction: str, *words: Word, dtype: Any = None) -> Word:
        """An instruction on words of one dtype; ``dtype`` is that of the result, where it differs."""
        alike, wide, level = self.alike(words)
        made = self.put(level, f"{instruction} {self.type(alike[0])} {', '.join(x.text for x in alike)}")
        return Word(made, words[0].dtype if dtype is None else dtype, wide, level)

    def choose(self, condition: Word, a: Word, b: Word) -> Word:
        """a where the condition holds, else b."""
        (condition, a, b), wide, level = self.alike((condition, a, b))
        kind = self.type(a)
        made = self.put(level, f"select {self.type(condition)} {condition.text}, {kind} {a.text}, {kind} {b.text}")
        return Word(made, a.dtype, wide, level)

    def intrinsic(self, name: str, *words: Word, dtype: Any = None, flags: str = "", more: str = "") -> Word:
        """A function that LLVM knows, as ``sqrt``: of the same type as its first operand; ``more`` are types that its name also shows."""
        alike, wide, level = self.alike(words)
        result = llvm_type(words[0].dtype if dtype is None else dtype, self.width if wide else 1)
        full = f"llvm.{name}.{suffix(result)}" + (f".{suffix(self.type(alike[-1]))}" if more else "")
        text = self._call(full, result, [(self.type(x), x.text) for x in alike], flags)
        return Word(self.put(level, text), words[0].dtype if dtype is None else dtype, wide, level)

    def _call(self, function: str, result: str, operands: list[tuple[str, str]], flags: str = "") -> str:
        self.declared[function] = f"declare {result} @{function}({', '.join(kind for kind, _ in operands)})"
        return f"call {flags + ' ' if flags else ''}{result} @{function}({', '.join(f'{kind} {text}' for kind, text in operands)})"

    def library(self, function: str, *words: Word) -> Word:
        """A function of the C library; of wide words one number at a time."""
        alike, wide, level = self.alike(words)
        dtype = words[0].dtype
        one = llvm_type(dtype)
        if not wide or self.width == 1:
            return Word(self.put(level, self._call(function, one, [(one, x.text) for x in alike])), dtype, wide, level)
        kind, out = llvm_type(dtype, self.width), "poison"
        for i in range(self.width):
            parts = [(one, self.put(level, f"extractelement {kind} {x.text}, i64 {i}")) for x in alike]
            out = self.put(level, f"insertelement {kind} {out}, {one} {self.put(level, self._call(function, one, parts))}, i64 {i}")
        return Word(out, dtype, True, level)

    def bits(self, x: Word, dtype: Any) -> Word:
        """The same bits, read as another dtype of the same size."""
        kind = llvm_type(np.dtype(dtype), self.width if x.wide else 1)
        return Word(self.put(x.level, f"bitcast {self.type(x)} {x.text} to {kind}"), np.dtype(dtype), x.wide, x.level)

    def cast(self, x: Word, dtype: Any) -> Word:
        """The same number in another dtype, as NumPy's astype; a literal stays one."""
        dtype = np.dtype(dtype)
        if x.dtype == dtype:
            return x
        old, new = x.dtype.kind, dtype.kind
        if new == "b":
            zero = self.number(0, x.dtype)
            return self.op("fcmp une", x, zero, dtype=BOOL) if old == "f" else self.op("icmp ne", x, zero, dtype=BOOL)
        if old == "f" and new in "iu":
            return self.intrinsic("fptosi.sat" if new == "i" else "fptoui.sat", x, dtype=dtype, more="from")
        if old == "f":
            how = "fpext" if dtype.itemsize > x.dtype.itemsize else "fptrunc"
        elif new == "f":
            how = "sitofp" if old == "i" else "uitofp"
        elif dtype.itemsize == x.dtype.itemsize and old != "b":
            return x._replace(dtype=dtype)
        else:
            how = "trunc" if old != "b" and dtype.itemsize < x.dtype.itemsize else "sext" if old == "i" else "zext"
        kind = llvm_type(dtype, self.width if x.wide else 1)
        return Word(self.put(x.level, f"{how} {self.type(x)} {x.text} to {kind}"), dtype, x.wide, x.level)
