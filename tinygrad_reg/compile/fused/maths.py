"""The functions of NumPy that loops compute, on words: arithmetic, comparisons, and what the C library does one number at a time.

NaN, infinities and signed zeros are as in NumPy. Nothing may be computed in two ways: a value that is needed in two loops is computed in both,
and must come out the same, or a maximum would not be found again where it is looked for. So a product and a sum are never fused
here behind one's back.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .code import BOOL, F4, I4, I8, Code, Word

__all__ = ["FUNCTIONS", "INVERSES", "LIBRARY", "absolute", "isnan", "known"]

Function = Callable[..., Word]
FUNCTIONS: dict[str, Function] = {}  # by NumPy's name: (code, *words of the dtypes that NumPy computes in) -> word
LIBRARY = ["sin", "cos", "tan", "sinh", "cosh", "cbrt", "exp2", "log2", "log10", "erf", "erfc", "hypot", "nextafter", "fmod"]
INVERSES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh"}


def known(*names: str) -> Callable[[Function], Function]:
    """Enter a function under NumPy's names."""

    def enter(f: Function) -> Function:
        FUNCTIONS.update(dict.fromkeys(names, f))
        return f

    return enter


# ------------------------------------------------------------------------------------------ arithmetic


def _floating(x: Word) -> bool:
    return x.dtype.kind == "f"


@known("add")
def add(c: Code, a: Word, b: Word) -> Word:
    """a + b; of yes and no, or."""
    return c.op("fadd" if _floating(a) else "or" if a.dtype.kind == "b" else "add", a, b)


@known("subtract")
def subtract(c: Code, a: Word, b: Word) -> Word:
    """a - b."""
    return c.op("fsub" if _floating(a) else "sub", a, b)


@known("multiply")
def multiply(c: Code, a: Word, b: Word) -> Word:
    """a · b; of yes and no, and."""
    return c.op("fmul" if _floating(a) else "and" if a.dtype.kind == "b" else "mul", a, b)


@known("divide", "true_divide")
def divide(c: Code, a: Word, b: Word) -> Word:
    """a / b of floats."""
    return c.op("fdiv", a, b)


@known("negative")
def negative(c: Code, x: Word) -> Word:
    """-x."""
    return c.op("fneg", x) if _floating(x) else c.op("sub", c.number(0, x.dtype), x)


@known("positive", "conjugate")
def positive(c: Code, x: Word) -> Word:
    """x."""
    return x


@known("absolute", "fabs")
def absolute(c: Code, x: Word) -> Word:
    """|x|."""
    if _floating(x):
        return c.intrinsic("fabs", x)
    return c.choose(c.op("icmp slt", x, c.number(0, x.dtype), dtype=BOOL), negative(c, x), x) if x.dtype.kind == "i" else x


@known("square")
def square(c: Code, x: Word) -> Word:
    """x²."""
    return multiply(c, x, x)


@known("reciprocal")
def reciprocal(c: Code, x: Word) -> Word:
    """1/x."""
    return divide(c, c.number(1, x.dtype), x)


@known("sqrt")
def sqrt(c: Code, x: Word) -> Word:
    """√x."""
    return c.intrinsic("sqrt", x)


@known("power")
def power(c: Code, a: Word, b: Word) -> Word:
    """a to the power b; whole and half powers that are known beforehand by products and roots."""
    exponent = _literal_value(b)
    if exponent is None or abs(exponent) not in (0.5, 1, 2, 3, 4):
        return c.library("powf" if a.dtype == F4 else "pow", a, b)
    if exponent == 0.5:
        return sqrt(c, a)  # as NumPy does for arrays
    if exponent == -0.5:
        root = sqrt(c, add(c, a, c.number(0, a.dtype)))  # the power of -0 is +inf, that of -inf 0
        return c.choose(c.op("fcmp oeq", a, c.number(-math.inf, a.dtype), dtype=BOOL), c.number(0, a.dtype), reciprocal(c, root))
    out = a
    for _ in range(int(abs(exponent)) - 1):
        out = multiply(c, out, a)
    return out if exponent > 0 else reciprocal(c, out)


def _literal_value(x: Word) -> float | None:
    if not x.text.startswith("0x"):
        return None
    return float(np.frombuffer(bytes.fromhex(x.text[2:]), ">f8")[0])


def _extreme(instruction: str, compare: str) -> Function:
    def extreme(c: Code, a: Word, b: Word) -> Word:
        """The larger or smaller; NaN if one is."""
        if a.dtype.kind == "b":
            return c.op("or" if instruction == "maximum" else "and", a, b)
        if not _floating(a):
            sign = "s" if a.dtype.kind == "i" else "u"
            return c.choose(c.op(f"icmp {sign}{compare}", a, b, dtype=BOOL), a, b)
        better = c.choose(c.op(f"fcmp o{compare}", a, b, dtype=BOOL), a, b)  # of +0 and -0, as NumPy, the second
        if _literal_value(a) is not None:
            return better  # only b can be NaN
        if _literal_value(b) is not None:
            return c.choose(c.op(f"fcmp u{compare}", a, b, dtype=BOOL), a, b)
        return c.choose(isnan(c, a), a, better)

    return extreme


FUNCTIONS["maximum"], FUNCTIONS["minimum"] = _extreme("maximum", "gt"), _extreme("minimum", "lt")


def _number_wins(name: str) -> Function:
    def extreme(c: Code, a: Word, b: Word) -> Word:
        """The larger or smaller; a number wins over NaN."""
        if not _floating(a):
            return FUNCTIONS[name](c, a, b)
        return c.choose(isnan(c, a), b, c.choose(isnan(c, b), a, FUNCTIONS[name](c, a, b)))

    return extreme


FUNCTIONS["fmax"], FUNCTIONS["fmin"] = _number_wins("maximum"), _number_wins("minimum")


@known("sign")
def sign(c: Code, x: Word) -> Word:
    """-1, 0 or 1; NaN of NaN."""
    one, zero, minus = (c.number(v, x.dtype) for v in (1, 0, -1 if x.dtype.kind != "u" else 1))
    if not _floating(x):
        positive_or_zero = c.choose(c.op("icmp eq", x, zero, dtype=BOOL), zero, one)
        return c.choose(c.op("icmp slt", x, zero, dtype=BOOL), minus, positive_or_zero) if x.dtype.kind == "i" else positive_or_zero
    rest = c.choose(c.op("fcmp oeq", x, zero, dtype=BOOL), zero, x)  # 0 or NaN
    return c.choose(c.op("fcmp ogt", x, zero, dtype=BOOL), one, c.choose(c.op("fcmp olt", x, zero, dtype=BOOL), minus, rest))


for _name, _intrinsic in {"floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "rint", "copysign": "copysign"}.items():
    FUNCTIONS[_name] = lambda c, *x, _intrinsic=_intrinsic: c.intrinsic(_intrinsic, *x)
for _name in LIBRARY:
    FUNCTIONS[_name] = lambda c, *x, _name=_name: c.library(_name + ("f" if x[0].dtype == F4 else ""), *x)
for _name, _other in INVERSES.items():
    FUNCTIONS[_name] = lambda c, *x, _other=_other: c.library(_other + ("f" if x[0].dtype == F4 else ""), *x)


@known("deg2rad", "radians")
def deg2rad(c: Code, x: Word) -> Word:
    """x·π/180."""
    return multiply(c, x, c.number(math.pi / 180, x.dtype))


@known("rad2deg", "degrees")
def rad2deg(c: Code, x: Word) -> Word:
    """x·180/π."""
    return multiply(c, x, c.number(180 / math.pi, x.dtype))


# ------------------------------------------------------------------------------------------ yes and no


def _comparison(ordered: str, whole: str) -> Function:
    def compare(c: Code, a: Word, b: Word) -> Word:
        """Whether it holds; of NaN only ≠ does."""
        if _floating(a):
            return c.op(f"fcmp {ordered}", a, b, dtype=BOOL)
        sign = "" if whole in ("eq", "ne") else "s" if a.dtype.kind == "i" else "u"
        return c.op(f"icmp {sign}{whole}", a, b, dtype=BOOL)

    return compare


for _name, _ordered, _whole in [
    *(("equal", "oeq", "eq"), ("not_equal", "une", "ne"), ("less", "olt", "lt")),
    *(("less_equal", "ole", "le"), ("greater", "ogt", "gt"), ("greater_equal", "oge", "ge")),
]:
    FUNCTIONS[_name] = _comparison(_ordered, _whole)


def _logical(instruction: str) -> Function:
    return lambda c, *x: c.op(instruction, *(c.cast(v, BOOL) for v in x))


FUNCTIONS["logical_and"], FUNCTIONS["logical_or"], FUNCTIONS["logical_xor"] = _logical("and"), _logical("or"), _logical("xor")
FUNCTIONS["bitwise_and"] = lambda c, a, b: c.op("and", a, b)
FUNCTIONS["bitwise_or"] = lambda c, a, b: c.op("or", a, b)
FUNCTIONS["bitwise_xor"] = lambda c, a, b: c.op("xor", a, b)
FUNCTIONS["logical_not"] = lambda c, x: c.op("xor", c.cast(x, BOOL), c.number(1, BOOL))
FUNCTIONS["invert"] = lambda c, x: c.op("xor", x, c.number(1 if x.dtype.kind == "b" else -1, x.dtype))
FUNCTIONS["where"] = lambda c, condition, a, b: c.choose(condition, a, b)


@known("isnan")
def isnan(c: Code, x: Word) -> Word:
    """Whether x is NaN."""
    return c.op("fcmp uno", x, x, dtype=BOOL) if _floating(x) else c.number(0, BOOL)


@known("isinf")
def isinf(c: Code, x: Word) -> Word:
    """Whether x is infinite."""
    return c.op("fcmp oeq", absolute(c, x), c.number(math.inf, x.dtype), dtype=BOOL) if _floating(x) else c.number(0, BOOL)


@known("isfinite")
def isfinite(c: Code, x: Word) -> Word:
    """Whether x is neither infinite nor NaN."""
    return c.op("fcmp olt", absolute(c, x), c.number(math.inf, x.dtype), dtype=BOOL) if _floating(x) else c.number(1, BOOL)


@known("signbit")
def signbit(c: Code, x: Word) -> Word:
    """Whether the sign is minus, also of -0."""
    whole = I4 if x.dtype == F4 else I8
    return c.op("icmp slt", c.bits(x, whole), c.number(0, whole), dtype=BOOL)
