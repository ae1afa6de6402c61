"""The functions of NumPy that loops compute, on words: arithmetic as instructions, exp, log and tanh by polynomials, others by the C library.

Nothing here may be computed in two ways: a value that is needed in two loops is computed in both, and must come out the same, or a maximum
would not be found again where it is looked for. So products and sums are fused only where it is written (``fma``).

Polynomials keep all numbers of a wide word busy; a call of the C library takes them one at a time. Errors, measured on many numbers:
exp, log, expm1, log1p and tanh are within 2 units in the last place. NaN, infinities and signed zeros are as in NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .code import BOOL, F4, I4, I8, Code, Word, llvm_type

__all__ = ["FUNCTIONS", "cost", "function"]

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


def function(name: str, dtypes: Sequence[Any]) -> Function | None:
    """The function of this name for words of these dtypes, or None if loops cannot compute it."""
    if any(d is not None and (d.kind not in "biuf" or d.itemsize > 8 or (d.kind == "f" and d.itemsize < 4)) for d in dtypes):
        return None
    if any(d is not None and d.kind != "f" for d in dtypes[:1]) and name in _FLOATS_ONLY:
        return None
    return FUNCTIONS.get(name)


def cost(name: str) -> int:
    """About how many simple instructions a function takes."""
    return _COSTS.get(name, 40 if name in _SLOW else 1)


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
    if abs(exponent) == 0.5:
        root = sqrt(c, add(c, a, c.number(0, a.dtype)))  # the power of -0 is +0
        root = c.choose(c.op("fcmp oeq", a, c.number(-math.inf, a.dtype), dtype=BOOL), c.number(math.inf, a.dtype), root)
        return root if exponent > 0 else reciprocal(c, root)
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
        for x, bound in ((a, b), (b, a)):
            if _literal_value(bound) is not None:  # of a known number only the other can be NaN: one instruction
                return c.choose(c.op(f"fcmp o{compare}", bound, x, dtype=BOOL), bound, x)
        return c.intrinsic(instruction, a, b, flags="nsz")

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


# ------------------------------------------------------------------------- exponentials and logarithms


def fused(c: Code, a: Word, b: Word, plus: Word) -> Word:
    """a·b + plus, rounded once."""
    return c.intrinsic("fma", a, b, plus)


def polynomial(c: Code, x: Word, coefficients: Sequence[float]) -> Word:
    """The polynomial with these coefficients, that of the highest power first."""
    out = c.number(coefficients[0], x.dtype)
    for coefficient in coefficients[1:]:
        out = fused(c, out, x, c.number(coefficient, x.dtype))
    return out


# ln 2 in two parts: n times the first is exact for all n that occur.
_LN2 = {4: (0.693145751953125, 1.42860682030941723212e-6), 8: (6.93147180369123816490e-01, 1.90821492927058770002e-10)}
# (exp(r) - 1 - r)/r² for |r| ≤ ln(2)/2, by interpolation at Chebyshev's points, to 8e-9 and 1.3e-17; highest power first.
_EXP = {
    4: (0.0013926250831497611, 0.008363232883682618, 0.04166655421298415, 0.16666576666119928, 0.5),
    8: (
        *(2.5100472505694996e-08, 2.7620201591031547e-07, 2.7557268276905696e-06, 2.4801521057868204e-05, 0.00019841269863171557),
        *(0.0013888888917367081, 0.008333333333330039, 0.041666666666623824, 0.16666666666666669, 0.5000000000000001),
    ),
}
# 2·(atanh(s)/s - 1)/s² as a polynomial of s², for |s| ≤ 3 - 2·√2, to 6e-9 and 9e-18.
_LOG = {
    4: (0.29580985929974424, 0.39988757716604845, 0.6666668509542907),
    8: (
        *(0.14617807153417325, 0.15331611722055008, 0.1818289243253687, 0.22222211089379496, 0.28571428626253836, 0.3999999999989889),
        0.666666666666667,
    ),
}


def _powers_of_two(c: Code, x: Word) -> tuple[Word, Word]:
    """n and r with x = n·ln 2 + r, n whole, |r| ≤ ln(2)/2."""
    high, low = _LN2[x.dtype.itemsize]
    n = c.intrinsic("rint", c.op("fmul", x, c.number(1 / math.log(2), x.dtype)))
    r = fused(c, n, c.number(-high, x.dtype), x)
    return n, fused(c, n, c.number(-low, x.dtype), r)


def _scaled(c: Code, x: Word, n: Word) -> Word:
    """x·2ⁿ, for any whole n up to a few thousand: too large is inf, too small 0. Where n is NaN, x must be, too."""
    whole, mantissa, bias = (I4, 23, 127) if x.dtype == F4 else (I8, 52, 1023)
    wide = x.wide or n.wide
    n, x = (c.widened(n), c.widened(x)) if wide else (n, x)
    kind = llvm_type(I4 if c.width_bytes == 64 else whole, c.width if wide else 1)
    made = c.put(n.level, f"freeze {kind} {c.put(n.level, f'fptosi {c.type(n)} {n.text} to {kind}')}")
    if c.width_bytes == 64:  # one instruction there
        return c.intrinsic("ldexp", x, Word(made, I4, wide, n.level), more="exponent")
    power = Word(made, whole, wide, n.level)
    half = c.op("ashr", power, c.number(1, whole))  # 2ⁿ itself may be too large or too small
    for part in (half, c.op("sub", power, half)):
        x = c.op("fmul", x, c.bits(c.op("shl", c.op("add", part, c.number(bias, whole)), c.number(mantissa, whole)), x.dtype))
    return x


def _between(c: Code, x: Word, low: float, high: float) -> Word:
    """x kept between two numbers; NaN stays."""
    return FUNCTIONS["minimum"](c, FUNCTIONS["maximum"](c, x, c.number(low, x.dtype)), c.number(high, x.dtype))


@known("exp")
def exp(c: Code, x: Word) -> Word:
    """eˣ = 2ⁿ·eʳ."""
    x = _between(c, x, *((-110.0, 95.0) if x.dtype == F4 else (-760.0, 720.0)))
    n, r = _powers_of_two(c, x)
    tail = fused(c, c.op("fmul", r, r), polynomial(c, r, _EXP[x.dtype.itemsize]), r)
    return _scaled(c, c.op("fadd", tail, c.number(1, x.dtype)), n)


@known("expm1")
def expm1(c: Code, x: Word) -> Word:
    """eˣ - 1 = 2ⁿ·(eʳ - 1) + (2ⁿ - 1)."""
    near = _between(c, x, *((-30.0, 88.5) if x.dtype == F4 else (-50.0, 709.5)))
    n, r = _powers_of_two(c, near)
    tail = fused(c, c.op("fmul", r, r), polynomial(c, r, _EXP[x.dtype.itemsize]), r)
    half = _scaled(c, c.number(0.5, x.dtype), n)  # 2ⁿ itself may be too large
    out = fused(c, half, tail, c.op("fsub", half, c.number(0.5, x.dtype)))
    out = c.op("fadd", out, out)
    out = c.choose(c.op("fcmp ogt", x, near, dtype=BOOL), exp(c, x), out)
    return c.choose(c.op("fcmp oeq", x, c.number(0, x.dtype), dtype=BOOL), x, out)


@known("tanh")
def tanh(c: Code, x: Word) -> Word:
    """t/(t + 2) with t = e^(2|x|) - 1, and the sign of x."""
    size = FUNCTIONS["minimum"](c, absolute(c, x), c.number(10.0 if x.dtype == F4 else 22.0, x.dtype))
    n, r = _powers_of_two(c, c.op("fadd", size, size))
    tail = fused(c, c.op("fmul", r, r), polynomial(c, r, _EXP[x.dtype.itemsize]), r)
    power = _scaled(c, c.number(1, x.dtype), n)
    t = fused(c, power, tail, c.op("fsub", power, c.number(1, x.dtype)))
    return c.intrinsic("copysign", c.op("fdiv", t, c.op("fadd", t, c.number(2, x.dtype))), x)


@known("log")
def log(c: Code, x: Word) -> Word:
    """n·ln 2 + log(m) for x = 2ⁿ·m, √½ ≤ m < √2; log(m) = 2·atanh((m - 1)/(m + 1))."""
    whole, mantissa = (I4, 23) if x.dtype == F4 else (I8, 52)
    tiny = c.op("fcmp olt", x, c.number(np.finfo(x.dtype).tiny, x.dtype), dtype=BOOL)
    scaled = c.choose(tiny, c.op("fmul", x, c.number(2.0 ** (mantissa + 1), x.dtype)), x)
    bits = c.bits(scaled, whole)
    root_half = int(np.array(math.sqrt(0.5), x.dtype).view(whole))
    shifted = c.op("sub", bits, c.number(root_half, whole))
    n = c.op("ashr", shifted, c.number(mantissa, whole))
    m = c.bits(c.op("sub", bits, c.op("shl", n, c.number(mantissa, whole))), x.dtype)
    n = c.choose(tiny, c.op("sub", n, c.number(mantissa + 1, whole)), n)
    out = _log_of(c, c.op("fsub", m, c.number(1, x.dtype)), c.cast(n, x.dtype))
    zero, inf, nan = (c.number(v, x.dtype) for v in (0.0, math.inf, math.nan))
    out = c.choose(c.op("fcmp olt", x, inf, dtype=BOOL), out, x)  # of inf and NaN they themselves
    out = c.choose(c.op("fcmp oeq", x, zero, dtype=BOOL), c.number(-math.inf, x.dtype), out)
    return c.choose(c.op("fcmp olt", x, zero, dtype=BOOL), nan, out)


def _log_of(c: Code, f: Word, n: Word) -> Word:
    """log(1 + f) + n·ln 2, with f²/2 apart, which keeps the rounding errors small."""
    high, low = _LN2[f.dtype.itemsize]
    s = c.op("fdiv", f, c.op("fadd", f, c.number(2, f.dtype)))
    z = c.op("fmul", s, s)
    rest = c.op("fmul", z, polynomial(c, z, _LOG[f.dtype.itemsize]))
    half_square = c.op("fmul", c.op("fmul", f, f), c.number(0.5, f.dtype))
    inner = fused(c, n, c.number(low, f.dtype), c.op("fmul", s, c.op("fadd", half_square, rest)))
    return fused(c, n, c.number(high, f.dtype), c.op("fsub", f, c.op("fsub", half_square, inner)))


@known("log1p")
def log1p(c: Code, x: Word) -> Word:
    """log(u) + (x - (u - 1))/u with u = 1 + x rounded: the second term is what the rounding lost."""
    u = c.op("fadd", x, c.number(1, x.dtype))
    lost = c.op("fdiv", c.op("fsub", x, c.op("fsub", u, c.number(1, x.dtype))), u)
    good = c.op("fcmp olt", absolute(c, lost), c.number(1, x.dtype), dtype=BOOL)  # not at 0 and inf
    out = c.op("fadd", log(c, u), c.choose(good, lost, c.number(0, x.dtype)))
    return c.choose(c.op("fcmp oeq", x, c.number(0, x.dtype), dtype=BOOL), x, out)


_SLOW = {*LIBRARY, *INVERSES}
_COSTS = {"divide": 4, "true_divide": 4, "reciprocal": 4, "sqrt": 4, "exp": 16, "expm1": 20, "tanh": 24, "log": 24, "log1p": 30, "power": 30}
_FLOATS_ONLY = {*_SLOW, *_COSTS, "floor", "ceil", "trunc", "rint", "copysign", "deg2rad", "rad2deg", "radians", "degrees", "signbit"}
