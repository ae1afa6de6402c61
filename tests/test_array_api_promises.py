"""What the array API standard, 2024.12, promises, where a comparison with NumPy does not show it: sets, empty arrays, NaN, first and last numbers.

And that code for any array library can do with Tensors what it does with arrays: 0-d Tensors as places, limits and values, exchange.
"""

import cmath
import inspect
import math
import operator

import numpy as np
import pytest
from array_api_calls import ANY, KINDS, array
from array_api_table import BINARY, UNARY
from hypothesis import assume, given
from hypothesis import strategies as st
from test_array_api_calls import ARITHMETIC, COMPARISONS, symbol

import tinygrad_reg as tg

FOLDS = ["max", "mean", "min", "prod", "std", "sum", "var"]
DTYPES = [d for kind in ANY for d in KINDS[kind]]


def same(found, expected):
    """Whether a Tensor is exactly this array: dtype, shape, every bit but that of NaN, the sign of zero too."""
    assert isinstance(found, tg.Tensor)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    for part in (np.real, np.imag):
        mine, numpys = part(found.data), part(expected)
        np.testing.assert_array_equal(mine, numpys)
        if numpys.dtype.kind == "f":
            number = ~np.isnan(numpys)
            np.testing.assert_array_equal(np.signbit(mine)[number], np.signbit(numpys)[number])


# ------------------------------------------------------------------------------------------------------ sets


def often_nan(dtype):
    numbers = st.sampled_from([math.nan, math.nan, -0.0, 0.0, 1.0])
    return numbers if dtype.kind == "f" else st.builds(complex, numbers, numbers)


def with_equal_elements(draw):
    return array(draw, "fc", elements=often_nan, min_dims=1, min_side=1) if draw(st.booleans()) else array(draw)


def counted(x):
    """How often each number is there, and where first in the flat array; every NaN is a number of its own."""
    found = {}
    for place, value in enumerate(x.ravel().tolist()):
        key = ("nan", place) if cmath.isnan(value) else value
        first, count = found.get(key, (place, 0))
        found[key] = (first, count + 1)
    return found


@given(st.data())
def test_unique_counts_every_nan_by_itself(data):
    x = with_equal_elements(data.draw)
    found, expected = tg.unique_all(tg.Tensor(x)), counted(x)
    values, firsts, inverse, counts = (part.data for part in found)
    assert (values.ndim, values.dtype, len(values)) == (1, x.dtype, len(expected))
    for value, first, count in zip(values.tolist(), firsts.tolist(), counts.tolist(), strict=True):
        assert expected[("nan", first) if cmath.isnan(value) else value] == (first, count)
    assert inverse.shape == x.shape
    np.testing.assert_array_equal(values[inverse], x)
    assert {part.dtype for part in found[1:]} == {np.dtype(np.intp)}


@pytest.mark.parametrize("name", ["unique_counts", "unique_inverse", "unique_values"])
@given(st.data())
def test_the_other_unique_functions_agree(name, data):
    x = with_equal_elements(data.draw)
    found = getattr(tg, name)(tg.Tensor(x))
    values = found if name == "unique_values" else found.values
    assert values.dtype == x.dtype
    expected = counted(x)
    assert {v for v in values.tolist() if not cmath.isnan(v)} == {k for k in expected if not isinstance(k, tuple)}
    assert values.shape == (len(expected),)
    if name == "unique_counts":
        assert all(expected.get(v, (0, 1))[1] == n for v, n in zip(values.tolist(), found.counts.tolist(), strict=True))
    if name == "unique_inverse":
        np.testing.assert_array_equal(values.data[found.inverse_indices.data], x)
        assert found.inverse_indices.shape == x.shape


# -------------------------------------------------------------------------------------- sums and the like


@pytest.mark.filterwarnings("ignore:Degrees of freedom|Mean of empty|invalid value encountered:RuntimeWarning")
@pytest.mark.parametrize(("name", "expected"), {"mean": math.nan, "prod": 1.0, "std": math.nan, "sum": 0.0, "var": math.nan}.items())
def test_of_nothing(name, expected):
    same(getattr(tg, name)(tg.asarray([], dtype=tg.float64)), np.asarray(expected))


@pytest.mark.parametrize("name", FOLDS)
@given(st.data())
def test_nan_goes_through(name, data):
    x = array(data.draw, "f", min_side=1)
    where = np.zeros(x.shape, dtype=bool)
    where.ravel()[data.draw(st.integers(0, x.size - 1))] = True
    spoilt = tg.where(tg.Tensor(where), tg.asarray(math.nan), tg.Tensor(x))
    assert spoilt.dtype == np.float64
    found = getattr(tg, name)(spoilt)
    assert found.shape == ()
    assert tg.isnan(found)


@given(st.data())
def test_differences_with_ends_are_those_of_the_joined_array(data):
    x = array(data.draw, "ifc", min_dims=1, min_side=1)
    along = data.draw(st.integers(-x.ndim, x.ndim - 1))
    parts = [tg.Tensor(np.repeat(x, data.draw(st.integers(1, 2)), along)) for _ in range(2)]
    n = data.draw(st.integers(1, 3))
    found = tg.diff(tg.Tensor(x), axis=along, n=n, prepend=parts[0], append=parts[1])
    same(found, tg.diff(tg.concat([parts[0], tg.Tensor(x), parts[1]], axis=along), axis=along, n=n).data)


# --------------------------------------------------------------------------------------------------- creation


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), 3, (2, 0), (2, 3)])
def test_empty_has_its_shape_and_dtype(shape, dtype):
    dtype = getattr(tg, dtype)
    like = tg.zeros(shape, dtype=tg.int8)
    for made in (tg.empty(shape, dtype=dtype), tg.empty_like(like, dtype=dtype), tg.empty_like(tg.zeros(shape, dtype=dtype))):
        assert (made.shape, made.dtype) == (np.zeros(shape).shape, dtype)
    assert tg.empty(shape).dtype == tg.float64


@pytest.mark.parametrize("device", [None, "cpu"])
def test_every_dtype_that_it_names_can_be_had(device):
    info = tg.__array_namespace_info__()
    assert [d.name for d in info.dtypes(device=device).values()] == list(info.dtypes(device=device)) != []
    for dtype in info.dtypes(device=device).values():
        assert tg.empty(1, dtype=dtype, device=device).dtype == dtype


NESTED = {
    "bool": [True, [[True], [False]]],
    "int64": [1, [1, True], [[0, -3], [True, False]]],
    "float64": [1.5, [1, 0.5, True], [[0, 1], [-0.0, math.inf]]],
    "complex128": [1j, [1, 0.5, True, 2j], [[complex(math.nan, 1)], [0]]],
}


@pytest.mark.parametrize(("dtype", "data"), [(dtype, data) for dtype, several in NESTED.items() for data in several])
def test_python_numbers_together_become_the_widest_kind_among_them(dtype, data):
    for made in (tg.asarray(data), tg.asarray(data, copy=True), tg.asarray(data, dtype=dtype)):
        same(made, np.asarray(data, dtype=dtype))


@given(st.data())
def test_linspace_starts_and_ends_where_it_is_told(data):
    dtype = data.draw(st.sampled_from([None, tg.float32, tg.float64]))
    start, stop = (data.draw(st.floats(-(2.0**50), 2.0**50, width=32)) for _ in range(2))
    num = data.draw(st.integers(0, 60))
    found = tg.linspace(start, stop, num, dtype=dtype)
    assert found.dtype == (dtype or tg.float64)
    assert found.tolist()[:1] == [start][:num]
    assert num < 2 or found[-1] == stop
    same(tg.linspace(start, stop, num, dtype=dtype, endpoint=False), tg.linspace(start, stop, num + 1, dtype=dtype).data[:-1])


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
@pytest.mark.parametrize("dtype", [None, "float32", "float64"])
def test_frequencies_have_the_dtype_asked_for(name, dtype):
    found = getattr(tg.fft, name)(7, d=0.3, dtype=dtype and getattr(tg, dtype), device="cpu")
    same(found, getattr(np.fft, name)(7, d=0.3).astype(dtype or "float64"))


# ------------------------------------------------------------------------------------------------- the array


@given(st.data())
def test_0d_tensors_are_numbers_wherever_numbers_go(data):
    x = array(data.draw, min_dims=1, min_side=1, elements=None)
    at, until = (tg.asarray(data.draw(st.integers(0, len(x) - 1)), dtype=getattr(tg, data.draw(st.sampled_from(KINDS["i"])))) for _ in range(2))
    t = tg.Tensor(x)
    i, j = int(at), int(until)
    same(t[at], x[i, ...])
    same(t[at, ...], x[i, ...])
    same(t[at:until], x[i:j])
    same(t[(at, *[slice(None)] * (x.ndim - 1))], x[i, ...])
    one = tg.reshape(t, (-1,))[at]
    same(tg.full((2, int(until)), one, dtype=t.dtype), np.full((2, j), x.ravel()[i], x.dtype))
    assert range(10)[at] == i


@given(st.data())
def test_single_numbers_come_out_of_the_methods_themselves(data):
    for kinds, name, kind in [("b", "bool", bool), ("i", "int", int), ("i", "index", int), ("f", "float", float), ("fc", "complex", complex)]:
        x = array(data.draw, kinds, (), None)
        found = getattr(tg.Tensor(x), f"__{name}__")()
        assert type(found) is kind
        assert repr(found) == repr(kind(x.item()))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, -0.0, complex(0, math.nan), complex(-0.0, 0.0), 1j])
def test_what_is_true(value):
    assert bool(tg.asarray(value)) is (value != 0)


SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, -3.0, math.inf, -math.inf, math.nan])


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize("name", [n for n in [*ARITHMETIC, *COMPARISONS] if n not in ("matmul", "and", "or", "xor", "lshift", "rshift")])
def test_special_numbers_in_operators_are_those_of_the_function(name):
    function = getattr(tg, {**ARITHMETIC, **COMPARISONS}[name])
    left, right = (tg.Tensor(a) for a in np.broadcast_arrays(SPECIAL[:, None], SPECIAL))
    expected = function(left, right).data
    same(symbol(name)(left, right), expected)
    if name in ARITHMETIC:
        same(getattr(operator, f"i{name}")(left, right), expected)
    for number in SPECIAL.tolist():  # x ** 0.5 is not pow(x, 0.5) for -0 and -infinity, for NumPy neither
        same(symbol(name)(tg.Tensor(SPECIAL), number), symbol(name)(SPECIAL, number))


REAL_FLOATS = {n: n in BINARY for n, kinds in (UNARY | BINARY).items() if "f" in kinds}


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize(("name", "two"), REAL_FLOATS.items(), ids=REAL_FLOATS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_single_special_numbers_give_what_arrays_of_them_give(name, two, dtype):
    """A value without axes is a NumPy scalar here, which NumPy computes with by other means than with arrays."""
    x = SPECIAL.astype(dtype)
    arguments = np.broadcast_arrays(x[:, None], x) if two else [x]
    expected = getattr(np, name)(*arguments)
    found = [getattr(tg, name)(*map(tg.Tensor, numbers)) for numbers in zip(*(a.ravel() for a in arguments), strict=True)]
    assert {(t.dtype, t.shape) for t in found} == {(expected.dtype, ())}
    values = np.array([t.data for t in found]).reshape(expected.shape)
    np.testing.assert_allclose(values, expected, rtol=1e-14 if dtype == "float64" else 1e-6)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(values.astype("float64"))[number], np.signbit(expected.astype("float64"))[number])


SEVERAL = {
    "broadcast_arrays": (tg.ones(2), tg.ones(1)),
    "meshgrid": (tg.ones(2), tg.ones(3)),
    "nonzero": (tg.ones((2, 2)),),
    "unstack": (tg.ones((2, 2)),),
}


@pytest.mark.parametrize(("name", "arguments"), SEVERAL.items(), ids=SEVERAL)
def test_several_results_without_names_are_a_tuple(name, arguments):
    assert type(getattr(tg, name)(*arguments)) is tuple


METHODS = {
    "__array_namespace__": "(*, api_version=None)",
    "__dlpack__": "(*, stream=None, max_version=None, dl_device=None, copy=None)",
    "__dlpack_device__": "()",
    "__setitem__": "(key, value)",
    "to_device": "(device, *, stream=None)",
    **dict.fromkeys(("__abs__", "__bool__", "__complex__", "__float__", "__index__", "__int__", "__invert__", "__neg__", "__pos__"), "()"),
}


@pytest.mark.parametrize(("name", "wanted"), METHODS.items(), ids=METHODS)
def test_methods_have_the_standards_arguments(name, wanted):
    own = inspect.signature(getattr(tg.ones((1, 1)), name))
    bare = own.replace(parameters=[p.replace(annotation=p.empty) for p in own.parameters.values()], return_annotation=own.empty)
    assert str(bare).replace(", /", "") == wanted


# ---------------------------------------------------------------------------------------------------- exchange


@given(st.data())
def test_dlpack_takes_what_the_standard_lets_one_ask_for(data):
    x = tg.Tensor(array(data.draw, min_dims=1, elements=None))
    copy = data.draw(st.sampled_from([None, True, False]))
    version = data.draw(st.sampled_from([None, (0, 8), (1, 0), (2, 0)]))
    settings = {"copy": copy, "max_version": version, "dl_device": data.draw(st.sampled_from([None, (1, 0)]))}
    if copy is False and (version or (0, 0)) < (1, 0):
        with pytest.raises(BufferError, match="__dlpack__: values never change, and before DLPack 1.0 nobody can be told so"):
            x.__dlpack__(**settings)
    else:
        assert "dltensor" in repr(x.__dlpack__(**settings))


@given(st.data())
def test_from_dlpack_takes_tensors(data):
    x = tg.Tensor(array(data.draw, elements=None))
    copy = data.draw(st.sampled_from([None, True, False]))
    found = tg.from_dlpack(x, device=data.draw(st.sampled_from([None, "cpu"])), copy=copy)
    same(found, x.data)
    assert found.device == x.device
    assume(x.ndim and x.size)
    assert np.shares_memory(found.data, x.data) is (copy is not True)


@pytest.mark.parametrize("version", [None, (0, 8), (1, 0)])
def test_dlpack_goes_to_no_other_device(version):
    with pytest.raises(BufferError, match=r"__dlpack__: there is no device \(2, 0\). Everything is in main memory"):
        tg.ones(2).__dlpack__(dl_device=(2, 0), max_version=version)
