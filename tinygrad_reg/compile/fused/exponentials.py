"""exp, log and their relatives on words, by polynomials: these keep all numbers of a wide word busy, where the C library takes one at a time.

Errors, in units in the last place, float32 and float64 alike: exp and log at most 1.5, log1p 2, expm1 and tanh 2.5; tests measure them.
NaN, infinities, signed zeros and the smallest numbers are as they should be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal, localcontext

import numpy as np

from .code import BOOL, F4, I4, I8, Code, Word, llvm_type
from .maths import FUNCTIONS, absolute, known


def fused(c: Code, a: Word, b: Word, plus: Word) -> Word:
    """a·b + plus, rounded once."""
    return c.intrinsic("fma", a, b, plus)


def polynomial(c: Code, x: Word, coefficients: Sequence[float]) -> Word:
    """The polynomial with these coefficients, that of the highest power first."""
    out = c.number(coefficients[0], x.dtype)
    for coefficient in coefficients[1:]:
        out = fused(c, out, x, c.number(coefficient, x.dtype))
    return out


def _two_parts(bits: int) -> tuple[float, float]:
    """ln 2 as a number of so many bits, of which whole multiples are exact, and the rest."""
    with localcontext() as context:
        context.prec = 50
        log_of_2 = Decimal(2).ln()
        high = math.floor(log_of_2 * 2**bits) / 2**bits
        return high, float(log_of_2 - Decimal(high))


_LN2 = {4: _two_parts(14), 8: _two_parts(32)}
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
