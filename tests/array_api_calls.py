"""A drawn call of every function of the Python array API standard: NumPy arrays and settings, as the standard allows them, and a little beyond.

``CALLS[name](draw)`` gives the arguments by position and the settings by name. Elementwise functions get every float there is; sums,
products and matrices get few small numbers, so that rounding does not hide what is wrong.
"""

import hypothesis.extra.numpy as hnp
import numpy as np
from array_api_table import BINARY, UNARY
from hypothesis import strategies as st

SIGNED, UNSIGNED = ["int8", "int16", "int32", "int64"], ["uint8", "uint16", "uint32", "uint64"]
KINDS = {"b": ["bool"], "i": SIGNED + UNSIGNED, "f": ["float32", "float64"], "c": ["complex64", "complex128"]}
WHOLE, REAL, NUMBERS, ANY = KINDS["i"], "if", "ifc", "bifc"
CALLS = {}


def calls(*names):
    """Say which functions are called with what the function below draws."""

    def register(draw_call):
        CALLS.update(dict.fromkeys(names, draw_call))
        return draw_call

    return register


# ------------------------------------------------------------------------------------- arrays and settings


def dtype_of(draw, kinds):
    """A dtype of one of the kinds."""
    return np.dtype(draw(st.sampled_from([d for kind in kinds for d in KINDS[kind]])))


def shape_of(draw, min_dims=0, min_side=0, max_dims=3):
    return draw(hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=4))


def few(dtype):
    """Small numbers that floats hold exactly."""
    quarters = st.integers(-8, 8).map(lambda n: n / 4)
    by_kind = {"f": quarters, "c": st.builds(complex, quarters, quarters), "b": st.booleans()}
    return by_kind.get(dtype.kind, st.integers(0 if dtype.kind == "u" else -4, 5))


def array(draw, kinds=ANY, shape=None, elements=few, **limits):
    """An array of one of the kinds; ``elements=None`` draws every number there is, NaN and infinities too."""
    dtype = dtype_of(draw, kinds) if isinstance(kinds, str) else kinds
    shape = shape_of(draw, **limits) if shape is None else shape
    return draw(hnp.arrays(dtype, shape, elements=elements and elements(dtype)))


def promoted(draw, kinds):
    """Two dtypes of one kind or of floats and complex numbers: the standard says what becomes of these."""
    first = dtype_of(draw, kinds)
    group = KINDS["f"] + KINDS["c"] if first.kind in "fc" else KINDS["i" if first.kind in "iu" else "b"]
    apart = {"u": SIGNED, "i": ["uint64"]}.get(first.kind, []) if first.kind == "i" or first == "uint64" else []
    return first, np.dtype(draw(st.sampled_from([d for d in group if d not in apart and np.dtype(d).kind in kinds.replace("i", "iu")])))


def shapes_that_fit(draw, count, **limits):
    return draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, max_side=3, min_side=0, **limits)).input_shapes


def pair(draw, kinds, elements=None):
    """Two arrays whose shapes and dtypes go together."""
    return tuple(array(draw, d, s, elements) for d, s in zip(promoted(draw, kinds), shapes_that_fit(draw, 2), strict=True))


def number(draw, dtype):
    """A Python number that goes with an array of a dtype."""
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return draw(st.integers(int(limits.min), int(limits.max)))
    floats = st.floats(width=32)
    return draw({"b": st.booleans(), "f": floats | st.integers(-5, 5), "c": st.complex_numbers(max_magnitude=100) | floats}[dtype.kind])


def some(draw, **settings):
    """Some of the settings; the others keep their defaults."""
    return {name: draw(strategy) for name, strategy in settings.items() if draw(st.booleans())}


def axis(x):
    return st.integers(-x.ndim, x.ndim - 1) if x.ndim else st.none()


def axes(x):
    return st.none() | axis(x) | hnp.valid_tuple_axes(x.ndim) if x.ndim else st.none()


def on(draw, x, *arguments, **settings):
    return (x, *arguments), some(draw, **settings)


def dtypes(kinds=ANY, default=True):
    named = st.sampled_from([np.dtype(d) for kind in kinds for d in KINDS[kind]])
    return named | st.none() if default else named


def wider(x):
    return st.none() | st.sampled_from([np.dtype(d) for kind in NUMBERS for d in KINDS[kind] if np.can_cast(x.dtype, d)])


# ------------------------------------------------------------------------------------------ element by element


def _unary(kinds):
    return lambda draw: on(draw, array(draw, kinds, elements=None))


def _tame(name, x):
    """Shifts and powers of whole numbers that mean something."""
    if "shift" in name:
        return np.asarray(x & np.iinfo(x.dtype).max, dtype=x.dtype)  # by as many bits as there are and more, but never backwards
    return np.asarray(np.abs(x) % 7, dtype=x.dtype) if name == "pow" and x.dtype.kind in "iu" else x


def _binary(name, kinds):
    def draw_call(draw):
        a, b = pair(draw, kinds)
        return (a, _tame(name, b)), {}

    return draw_call


def _with_number(name, kinds):
    def draw_call(draw):
        x = array(draw, kinds, elements=None)
        n = number(draw, x.dtype)
        if "shift" in name or (name == "pow" and x.dtype.kind in "iu"):
            return (x, abs(n) % 5), {}
        return ((x, n) if draw(st.booleans()) else (n, x)), {}

    return draw_call


CALLS.update({name: _unary(kinds) for name, kinds in UNARY.items()})
CALLS.update({name: _binary(name, kinds) for name, kinds in BINARY.items()})
WITH_NUMBER = {name: _with_number(name, kinds) for name, kinds in BINARY.items()}


@calls("clip")
def _(draw):
    x = array(draw, REAL, elements=None)
    low, high = (draw(st.none() | few(x.dtype) | hnp.arrays(x.dtype, draw(st.sampled_from([(), x.shape])))) for _ in range(2))
    return ((x, low, high), {}) if draw(st.booleans()) else ((x,), {"min": low, "max": high})


# --------------------------------------------------------------------------------------------------- creation


@calls("zeros", "ones")
def _(draw):
    return on(draw, draw(st.integers(0, 4)) if draw(st.booleans()) else shape_of(draw), dtype=dtypes(), device=st.none() | st.just("cpu"))


@calls("zeros_like", "ones_like")
def _(draw):
    return on(draw, array(draw), dtype=dtypes(), device=st.none() | st.just("cpu"))


@calls("full")
def _(draw):
    value = array(draw, shape=(), elements=None)
    dtype = st.just(value.dtype)
    return on(draw, shape_of(draw), value if draw(st.booleans()) else value.item(), dtype=dtype)


@calls("full_like")
def _(draw):
    x = array(draw)
    return on(draw, x, array(draw, x.dtype, (), None).item(), dtype=st.none() | st.just(x.dtype))


@calls("arange")
def _(draw):
    whole = draw(st.booleans())
    one = st.integers(-20, 20) if whole else st.integers(-80, 80).map(lambda n: n / 4)
    first, last, step = draw(one), draw(one), draw(one) or 1
    names = KINDS["f"] + (SIGNED + UNSIGNED * (min(first, last, step) >= 0) if whole else [])
    by_place = draw(st.integers(1, 3))
    by_name = {"stop": last, "step": step} if by_place == 1 else {"step": step} if by_place == 2 else {}
    settings = by_name if draw(st.booleans()) else {}
    return (first, last, step)[:by_place], settings | some(draw, dtype=st.sampled_from(names).map(np.dtype))


@calls("linspace")
def _(draw):
    first, last = (draw(st.floats(-9, 9) | st.integers(-9, 9) | st.complex_numbers(max_magnitude=9)) for _ in range(2))
    return (first, last), {"num": draw(st.integers(0, 6)), **some(draw, endpoint=st.booleans(), dtype=dtypes("c"))}


@calls("eye")
def _(draw):
    sizes = draw(st.tuples(st.integers(0, 4)) | st.tuples(st.integers(0, 4), st.none() | st.integers(0, 4)))
    return sizes, some(draw, k=st.integers(-6, 6) | st.sampled_from([-(10**30), 10**30]), dtype=dtypes())


@calls("asarray")
def _(draw):
    x = array(draw, elements=None)
    copy = st.none() | st.booleans()
    if draw(st.booleans()):
        return on(draw, x, dtype=st.none() | st.sampled_from([d for kind in ANY for d in KINDS[kind] if np.can_cast(x.dtype, d)]), copy=copy)
    return (x.tolist(),), {"dtype": x.dtype, **some(draw, copy=st.none() | st.just(True))}


@calls("meshgrid")
def _(draw):
    dtype = dtype_of(draw, ANY)
    return tuple(array(draw, dtype, min_dims=1, max_dims=1) for _ in range(draw(st.integers(0, 3)))), some(
        draw, indexing=st.sampled_from(["xy", "ij"])
    )


@calls("tril", "triu")
def _(draw):
    return on(draw, array(draw, min_dims=2, max_dims=4), k=st.integers(-6, 6))


# ----------------------------------------------------------------------------------------------------- kinds


@calls("astype")
def _(draw):
    x = array(draw, elements=few if draw(st.booleans()) else None)
    into_whole = x.dtype.kind in "biu" or np.all(np.abs(x) < 100)  # what a larger number becomes is nobody's promise
    kinds = "c" if x.dtype.kind == "c" else ANY if into_whole else "bfc"
    return (x, draw(dtypes(kinds, default=False))), some(draw, copy=st.booleans(), device=st.none())


@calls("result_type")
def _(draw):
    one = st.one_of(
        dtypes(default=False), st.sampled_from([True, 3, 2.5, 1j]), st.builds(np.zeros, st.sampled_from([(), (2,)]), dtypes(default=False))
    )
    return tuple(draw(st.lists(one, min_size=1, max_size=4))), {}


@calls("can_cast")
def _(draw):
    one = array(draw)
    return (one if draw(st.booleans()) else one.dtype, draw(dtypes(default=False))), {}


@calls("isdtype")
def _(draw):
    names = ["bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric"]
    kind = st.sampled_from(names) | dtypes(default=False)
    return (draw(dtypes(default=False)), draw(kind | st.lists(kind, max_size=3).map(tuple))), {}
