"""The functions that machine code computes: how far they are from the truth, and what they make of special numbers."""

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="llvmlite, which comes with Numba (extra [fast]), is not installed")

import tinygrad_reg as tg
from tinygrad_reg.compile.example import small
from tinygrad_reg.compile.fused.machine import Machine
from tinygrad_reg.compile.fused.replay import FusedReplay

# Function, range of its argument, units in the last place that it may be off in float32 and in float64.
FUNCTIONS = [
    (tg.exp, (-110, 95), 1.5, 1.5),
    (tg.expm1, (-20, 80), 2.5, 2.5),
    (tg.tanh, (-12, 12), 2.5, 2.5),
    (tg.log, (0, 1e4), 1.5, 1.5),
    (tg.log1p, (-1, 50), 2.0, 2.0),
    (tg.sigmoid, (-90, 90), 3.0, 3.0),
]
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-45, -1e-45, 5e-324, -5e-324, 1e-38, 1e-310, 3e38, -3e38, 1.7e308, 88.8, 709.9]
SPECIAL += [-745.2, 1e-8]
NAMES = ["exp", "expm1", "tanh", "log", "log1p", "sigmoid", "softplus", "sqrt", "abs", "sign", "square", "reciprocal", "relu", "sin", "arctan"]
NAMES += [
    "floor",
    "ceil",
    "rint",
    "trunc",
    "isnan",
    "isinf",
    "isfinite",
    "signbit",
    "negative",
    "cbrt",
    "exp2",
    "log2",
    "log10",
    "silu",
    "erf",
    "rsqrt",
]
PAIRS = ["add", "subtract", "multiply", "divide", "maximum", "minimum", "fmax", "fmin", "equal", "not_equal", "less", "less_equal", "greater"]
PAIRS += ["power", "greater_equal", "logical_and", "logical_or", "logical_xor", "copysign", "arctan2", "hypot", "fmod", "nextafter"]


def compiled(f, *arrays):
    """What machine code makes of f of these arrays."""
    with np.errstate(all="ignore"):
        replay = FusedReplay(small(f, *arrays), cache=False)
    assert len(replay.pieces) == 1 and not replay.plan.pieces[0].call, "it is to be computed by a loop"
    return replay.run(list(arrays), [])[0]


@pytest.fixture(params=[None, 32, 16], ids=["widest", "32 bytes", "16 bytes"])
def width(request, monkeypatch):
    """Registers as wide as this processor has them, or narrower ones: other processors get other code."""
    if request.param:
        monkeypatch.setattr(Machine, "width_bytes", property(lambda self: request.param))


def ulps(got, true, dtype):
    with np.errstate(all="ignore"):
        spacing = np.spacing(np.minimum(np.abs(true), np.finfo(dtype).max).astype(dtype)).astype(np.longdouble)
    return float(np.max(np.abs(got.astype(np.longdouble) - true) / spacing))


def true_sigmoid(x):
    return np.where(x < 0, np.exp(x), 1) / (1 + np.exp(-np.abs(x)))


@pytest.mark.parametrize(("f", "span", "single", "double"), FUNCTIONS, ids=lambda x: getattr(x, "name", None))
def test_error(f, span, single, double, width):
    rng = np.random.default_rng(0)
    for dtype, bound in (("f4", single), ("f8", double)):
        low, high = span
        x = np.concatenate([rng.uniform(low, high, 60_000), rng.normal(size=30_000) * min(1, high), rng.normal(size=30_000) * 1e-3]).astype(dtype)
        x = x[(x > low) & (x < high)]
        wider = x.astype(np.longdouble)
        true = true_sigmoid(wider) if f is tg.sigmoid else getattr(np, f.name)(wider)
        normal = (np.abs(true) > np.finfo(dtype).tiny) & (np.abs(true) < np.finfo(dtype).max)
        assert ulps(compiled(f, x)[normal], true[normal], dtype) <= bound


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_special_numbers(name, dtype, width):
    f = getattr(tg, name)
    with np.errstate(all="ignore"):
        x = np.array(SPECIAL).astype(dtype)
        wanted = f(x)
    alike(compiled(f, x), wanted)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_special_pairs(name, dtype):
    f = getattr(tg, name)
    with np.errstate(all="ignore"):
        x = np.array(SPECIAL).astype(dtype)
        wanted = f(x[:, None], x)
    alike(compiled(lambda a, b: f(a.reshape(-1, 1), b), x, x), wanted)


def alike(got, wanted):
    """Equal up to rounding, NaN and infinities in the same places, zeros of the same sign."""
    assert got.dtype == wanted.dtype
    if wanted.dtype.kind == "f":
        np.testing.assert_allclose(got, wanted, rtol=5 * np.finfo(wanted.dtype).eps, atol=2 * np.finfo(wanted.dtype).smallest_subnormal)
        zero = (wanted == 0) & (got == 0)
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(wanted[zero]))
    else:
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("exponent", [0.5, -0.5, 1, -1, 2, -2, 3, 4, 2.5, 0])
def test_known_exponents(exponent):
    x = np.array([0.0, -0.0, 1.5, np.inf, -np.inf, np.nan, 3.0, 1e-3])
    with np.errstate(all="ignore"):
        wanted = x**exponent
    alike(compiled(lambda x: x**exponent, x), wanted)


@pytest.mark.parametrize("dtype", ["i1", "i4", "i8", "u1", "u8", "?"])
def test_whole_numbers(dtype):
    x = np.array([0, 1, 2, 3, 100, 7, 1, 0, 5], dtype)
    y = x[::-1].copy()
    for name in ["add", "multiply", "maximum", "minimum", "equal", "less", "greater_equal", "divide", "bitwise_and", "logical_or"]:
        f = getattr(tg, name)
        with np.errstate(all="ignore"):
            alike(compiled(f, x, y), f(x, y))
    for name in ["abs", "square", "logical_not", "isfinite"]:
        alike(compiled(getattr(tg, name), x), getattr(tg, name)(x))
    for name in ["sum", "max", "min", "prod"]:
        alike(np.asarray(compiled(lambda x, name=name: getattr(tg, name)(x, axis=(0,)), x)), np.asarray(getattr(tg, name)(x, axis=0)))


def test_the_bound_is_no_empty_promise(monkeypatch):
    """With a coefficient off by 0.001 % the error is found."""
    from tinygrad_reg.compile.fused import exponentials

    monkeypatch.setitem(exponentials._EXP, 8, (*exponentials._EXP[8][:-2], exponentials._EXP[8][-2] * 1.00001, exponentials._EXP[8][-1]))
    x = np.linspace(-5, 5, 1000)
    assert ulps(compiled(tg.exp, x), np.exp(x.astype(np.longdouble)), "f8") > 1000
