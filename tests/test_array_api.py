"""The package as a namespace of the Python array API standard, 2024.12: names, signatures, dtypes, exchange, other libraries.

The consortium's own suite is run by array_api.py in this folder; these tests need nothing but the package.
"""

import inspect
import operator
import os
import subprocess
import sys

import numpy as np
import pytest
from array_api_table import ATTRIBUTES, BINARY, METHODS, OPERATORS, SIGNATURES, UNARY
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg

WHOLE = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOAT, COMPLEX = ["float32", "float64"], ["complex64", "complex128"]
KINDS = {"b": ["bool"], "i": WHOLE, "f": FLOAT, "c": COMPLEX}


def find(name, namespace=tg):
    """A function of the standard, by a name such as "linalg.inv"."""
    return operator.attrgetter(name)(namespace)


# ---------------------------------------------------------------------------------- names and signatures


@pytest.mark.parametrize(("name", "wanted"), SIGNATURES.items(), ids=SIGNATURES)
def test_every_function_is_there_with_the_standards_signature(name, wanted):
    function = find(name)
    own = inspect.signature(function).parameters
    places = [p for p in own.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    any_number = any(p.kind is p.VAR_POSITIONAL for p in own.values())
    by_place = [p for p in wanted.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    for i, p in enumerate(by_place):
        assert i < len(places) or any_number, f"{name} takes {p.name} by position"
        if p.kind is p.POSITIONAL_OR_KEYWORD:
            assert (places[i].name, places[i].kind) == (p.name, p.kind)
    for p in wanted.parameters.values():
        if p.kind is p.VAR_POSITIONAL:
            assert any_number
        elif p.kind is p.KEYWORD_ONLY:
            assert p.name in own, f"{name} takes {p.name}="
            assert own[p.name].kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
            assert own[p.name].default == p.default or own[p.name].default is None or p.name in ("ord", "norm")


@pytest.mark.parametrize("name", ATTRIBUTES + [f"__{name}__" for name in METHODS])
def test_every_attribute_and_method_is_there(name):
    find(name, tg.Tensor([[1.0, 2.0]]))


@pytest.mark.parametrize("name", ["eq", "ge", "getitem", "gt", "le", "lt", "ne", *OPERATORS, *(f"{r}{name}" for r in "ri" for name in OPERATORS)])
def test_an_operator_takes_the_other_array_and_nothing_else(name):
    method = getattr(tg.Tensor([[1.0]]), f"__{name}__", None)
    if method is None:
        assert name[0] == "i"  # then Python uses the operator that is not in place
    else:
        assert len(inspect.signature(method).parameters) == 1


def test_the_namespace_is_the_package_and_says_its_version():
    t = tg.Tensor([1.0])
    assert t.__array_namespace__() is tg
    for version in ("2021.12", "2022.12", "2023.12", "2024.12"):
        assert t.__array_namespace__(api_version=version) is tg
    with pytest.raises(ValueError, match="version '2019.12' of the array API is not known here"):
        t.__array_namespace__(api_version="2019.12")
    assert tg.__array_api_version__ == "2024.12"


def test_constants():
    assert (tg.pi, tg.e, tg.inf, tg.newaxis) == (np.pi, np.e, np.inf, None)
    assert tg.nan != tg.nan


# ------------------------------------------------------------------------------------------------ dtypes


@pytest.mark.parametrize("name", [d for kind in KINDS.values() for d in kind])
def test_dtype_objects(name):
    dtype = getattr(tg, name)
    assert dtype == np.dtype(name)
    assert tg.zeros(2, dtype=dtype).dtype == dtype
    assert tg.asarray(1, dtype=dtype).dtype == dtype
    assert len({dtype, tg.ones(2, dtype=dtype).dtype}) == 1


@pytest.mark.parametrize("name", FLOAT + COMPLEX)
def test_finfo_in_python_numbers(name):
    info, numpys = tg.finfo(getattr(tg, name)), np.finfo(name)
    for field in ("eps", "max", "min", "smallest_normal"):
        assert type(getattr(info, field)) is float
        assert getattr(info, field) == getattr(numpys, field)
    assert (info.bits, info.dtype) == (numpys.bits, numpys.dtype)
    assert tg.finfo(tg.zeros(1, dtype=name)) == info


@pytest.mark.parametrize("name", WHOLE)
def test_iinfo_in_python_numbers(name):
    info, numpys = tg.iinfo(getattr(tg, name)), np.iinfo(name)
    assert (info.bits, info.max, info.min, info.dtype) == (numpys.bits, numpys.max, numpys.min, numpys.dtype)
    assert type(info.max) is int
    assert tg.iinfo(tg.zeros(1, dtype=name)) == info


ANY = [d for kind in KINDS.values() for d in kind]


@given(st.lists(st.sampled_from(ANY), min_size=1, max_size=4), st.lists(st.sampled_from([True, 1, 1.5, 2j]), max_size=2))
def test_result_type_is_numpys_for_dtypes_tensors_and_numbers(names, numbers):
    expected = np.result_type(*names, *numbers)
    assert tg.result_type(*(getattr(tg, n) for n in names), *numbers) == expected
    assert tg.result_type(*numbers, *(tg.zeros((), dtype=n) for n in names)) == expected


@pytest.mark.parametrize("name", ANY)
def test_can_cast_and_isdtype_are_numpys(name):
    for other in ANY:
        assert tg.can_cast(getattr(tg, name), getattr(tg, other)) == np.can_cast(name, other)
        assert tg.can_cast(tg.ones(1, dtype=name), getattr(tg, other)) == np.can_cast(name, other)
    dtype = np.dtype(name)
    kinds = ["bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric", dtype, tg.int8]
    for kind in [*kinds, ("bool", "integral"), (tg.float32, "complex floating")]:
        assert tg.isdtype(dtype, kind) == np.isdtype(dtype, kind)
    with pytest.raises((ValueError, TypeError)):
        tg.isdtype(dtype, "whole")


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: tg.finfo("int8"), ValueError, "finfo: int8 holds no floating-point numbers; for whole numbers there is iinfo"),
        (lambda: tg.iinfo(tg.ones(2)), ValueError, "iinfo: float64 holds no whole numbers; for floating-point ones there is finfo"),
        (lambda: tg.finfo("nonsense"), TypeError, "finfo: 'nonsense' is no dtype, and no array"),
        (lambda: tg.can_cast(3, "int8"), TypeError, "can_cast: 3 is no dtype, and no array"),
        (lambda: tg.result_type("nonsense", 1), TypeError, "result_type: 'nonsense' is no dtype, and no array"),
        (lambda: tg.result_type(), ValueError, "result_type: give at least one array, dtype or number"),
        (
            lambda: tg.isdtype("float32", "real"),
            ValueError,
            "isdtype: there is no kind 'real'; kinds are 'bool', .*'numeric', dtypes, and tuples",
        ),
        (lambda: tg.isdtype("float32", ("bool", 3)), TypeError, "isdtype: there is no kind 3; kinds are"),
        (lambda: tg.isdtype("nonsense", "bool"), TypeError, "isdtype: 'nonsense' is no dtype"),
    ],
)
def test_questions_about_kinds_that_make_no_sense(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


def test_info():
    info, numpys = tg.__array_namespace_info__(), np.__array_namespace_info__()
    assert info.capabilities() == numpys.capabilities()
    assert (info.default_device(), info.devices()) == ("cpu", ["cpu"])
    assert info.default_dtypes() == numpys.default_dtypes()
    for kind in (None, "bool", "integral", "numeric", "real floating", ("bool", "complex floating")):
        assert info.dtypes(kind=kind) == numpys.dtypes(kind=kind)
    with pytest.raises(ValueError, match="there is no kind 'whole'"):
        info.dtypes(kind="whole")
    with pytest.raises(ValueError, match="there is no device 'gpu'"):
        info.dtypes(device="gpu")


def _same(found, expected, atol=0):
    assert isinstance(found, tg.Tensor)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(found.data, expected, rtol=1e-5 if expected.dtype.itemsize < 8 or expected.dtype == "complex64" else 1e-12, atol=atol)


SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -0.5, np.pi, 2.0, -3.0, np.inf, -np.inf, np.nan, np.finfo(float).tiny, np.finfo(float).max])


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize("name", [n for table in (UNARY, BINARY) for n, kinds in table.items() if set(kinds) & set("fc")])
@pytest.mark.parametrize("kind", ["float64", "float32", "complex128"])
def test_special_numbers_come_out_as_numpys(name, kind):
    if kind[0] not in (UNARY | BINARY)[name]:
        return
    with np.errstate(all="ignore"):
        x = SPECIAL.astype(kind)
        if kind == "complex128":
            x = np.array([complex(a, b) for a in SPECIAL for b in SPECIAL])  # a + 1j·b would make NaN of infinity
        arguments = (x,) if name in UNARY else (x[:, None], x)
        found, expected = getattr(tg, name)(*map(tg.Tensor, arguments)), getattr(np, name)(*arguments)
    assert found.dtype == expected.dtype
    for part in (np.real, np.imag) if expected.dtype.kind == "c" else (np.asarray,):
        mine, numpys = part(found.data), part(expected)
        number = ~np.isnan(numpys)
        np.testing.assert_array_equal(np.signbit(mine)[number], np.signbit(numpys)[number])
        np.testing.assert_allclose(mine, numpys, rtol=1e-6 if kind == "float32" else 1e-14)


# ------------------------------------------------------------------------------------------- single numbers


def test_single_numbers_become_pythons():
    assert complex(tg.Tensor(1 + 2j)) == 1 + 2j
    assert complex(tg.Tensor(2.0)) == 2 + 0j
    assert (bool(tg.Tensor(True)), int(tg.Tensor(3)), float(tg.Tensor(2.5)), operator.index(tg.Tensor(3))) == (True, 3, 2.5, 3)
    for f, value in ((float, 1j), (int, 1j), (operator.index, 1.0), (operator.index, True)):
        if value is not True:
            with pytest.raises(TypeError):
                f(tg.Tensor(value))
    for f, value, kind in ((int, np.inf, OverflowError), (int, np.nan, ValueError)):
        with pytest.raises(kind):
            f(tg.Tensor(value))


def test_transposed_matrices():
    x = tg.Tensor(np.arange(24.0).reshape(2, 3, 4))
    assert x.mT.shape == (2, 4, 3)
    np.testing.assert_array_equal(x.mT.data, x.data.mT)
    with pytest.raises(ValueError):
        _ = tg.Tensor([1.0]).mT


# ----------------------------------------------------------------------------------- devices and exchange


def test_there_is_one_device():
    x = tg.Tensor([1.0], requires_grad=True)
    assert x.device == "cpu"
    assert x.to_device("cpu") is x
    with pytest.raises(ValueError, match="to_device: there is no device 'gpu'. Everything is on 'cpu'"):
        x.to_device("gpu")
    with pytest.raises(ValueError, match="has no streams"):
        x.to_device("cpu", stream=1)


MADE = {
    "arange": (3,),
    "asarray": ([1, 2],),
    "empty": (2,),
    "eye": (2,),
    "full": (2, 1.0),
    "linspace": (0, 1, 3),
    "ones": (2,),
    "zeros": (2,),
    **{f"{name}_like": (tg.Tensor([1.0]),) for name in ("empty", "ones", "zeros")},
    "full_like": (tg.Tensor([1.0]), 2.0),
    "from_dlpack": (np.ones(2),),
}


@pytest.mark.parametrize(("name", "arguments"), MADE.items(), ids=MADE)
def test_creation_functions_take_the_device(name, arguments):
    assert getattr(tg, name)(*arguments, device="cpu").device == "cpu"
    with pytest.raises(ValueError, match=f"{name}: there is no device 'gpu'"):
        getattr(tg, name)(*arguments, device="gpu")


def test_asarray_copies_always_never_or_where_it_must():
    array = np.arange(3.0)
    assert not np.shares_memory(tg.asarray(array, copy=True).data, array)
    assert np.shares_memory(tg.asarray(array).data, array)
    assert np.shares_memory(tg.asarray(array, copy=False).data, array)
    assert array.flags.writeable
    t = tg.Tensor([1.0, 2.0], requires_grad=True)
    assert tg.asarray(t) is tg.asarray(t, copy=False) is t
    copied = tg.asarray(t, copy=True)
    assert copied is not t
    (copied * tg.asarray(t, dtype=tg.float32)).sum().backward()
    np.testing.assert_allclose(t.grad.data, [2, 4])
    for data, dtype in ((t, tg.float32), (array, tg.float32), ([1, 2], None)):
        with pytest.raises(ValueError, match="asarray: .* without a copy"):
            tg.asarray(data, dtype, copy=False)
    assert tg.asarray(memoryview(array)).dtype == np.float64
    assert tg.asarray(True).dtype == np.bool_


def test_astype_keeps_the_graph_and_never_drops_an_imaginary_part():
    x = tg.Tensor([1.5, 2.5], requires_grad=True)
    tg.astype(x, tg.float32, copy=False).sum().backward()
    assert x.grad.tolist() == [1, 1]
    assert tg.astype(x, tg.int64).tolist() == [1, 2]
    assert tg.astype(tg.Tensor([0.0, 2.0]), tg.bool).tolist() == [False, True]
    with pytest.raises(TypeError, match="complex numbers do not fit into float64: take their real"):
        tg.astype(tg.Tensor([1j]), tg.float64)
    with pytest.raises(ValueError, match="there is no device 'gpu'"):
        tg.astype(x, tg.float32, device="gpu")


@pytest.mark.parametrize("name", ANY)
def test_dlpack_there_and_back(name):
    x = tg.Tensor(np.arange(6).reshape(2, 3).astype(name))
    there = np.from_dlpack(x)
    assert (there.dtype, there.flags.writeable) == (x.dtype, False)
    assert np.shares_memory(there, x.data)
    _same(tg.from_dlpack(x), x.data)
    _same(tg.from_dlpack(x.data.copy(), copy=True), x.data)
    assert x.__dlpack_device__() == (1, 0)


def test_dlpack_never_gives_away_what_could_be_written_to():
    x = tg.Tensor([1.0, 2.0])
    capsule = type("Old", (), {"__dlpack__": lambda self, **_: x.__dlpack__(), "__dlpack_device__": lambda self: (1, 0)})()
    taken = np.from_dlpack(capsule)
    assert not np.shares_memory(taken, x.data)
    with pytest.raises(BufferError, match="values never change"):
        x.__dlpack__(copy=False)
    assert not np.shares_memory(np.from_dlpack(x, copy=True), x.data)
    assert tg.from_dlpack(tg.Tensor(3.0)).shape == ()


def test_a_gradient_does_not_get_lost_on_the_way_out():
    x = tg.Tensor([1.0], requires_grad=True)
    with pytest.raises(BufferError, match=r"__dlpack__: .*requires a gradient, which another library would lose. Use \.detach\(\)"):
        np.from_dlpack(x)
    with pytest.raises(BufferError, match="buffer: .*requires a gradient"):
        x.__buffer__(0)
    assert bytes(x.detach().__buffer__(0)) == x.data.tobytes()
    if sys.version_info >= (3, 12):
        assert memoryview(x.detach()).tolist() == [1.0]


def test_dlpack_with_pytorch():
    torch = pytest.importorskip("torch", reason="exchange with PyTorch needs PyTorch")
    theirs = torch.arange(3.0)
    x = tg.from_dlpack(theirs)
    assert x.tolist() == [0, 1, 2]
    assert torch.from_dlpack(tg.Tensor([1.0, 2.0])).tolist() == [1, 2]


# ---------------------------------------------------------------------------------------- other libraries


def test_einops_rearranges_reduces_and_repeats_and_the_gradient_comes_back():
    einops = pytest.importorskip("einops", reason="needs einops")
    from tinygrad_reg.einops import register

    register()
    x = tg.Tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)
    y = einops.rearrange(x, "b h (w two) -> (b two) w h", two=2)
    np.testing.assert_array_equal(y.data, einops.rearrange(x.data, "b h (w two) -> (b two) w h", two=2))
    weights = np.arange(24.0).reshape(y.shape)
    (y * y * tg.Tensor(weights)).sum().backward()
    np.testing.assert_array_equal(x.grad.data, 2 * x.data * einops.rearrange(weights, "(b two) w h -> b h (w two)", two=2))
    for how in ("sum", "mean", "max", "min", "prod"):
        _close(einops.reduce(x, "b h w -> h b", how), einops.reduce(x.data, "b h w -> h b", how))
    _close(einops.repeat(x, "b h w -> b (h two) w 1", two=2), einops.repeat(x.data, "b h w -> b (h two) w 1", two=2))
    _close(einops.einsum(x, x, "b h w, b k w -> b h k"), np.einsum("bhw,bkw->bhk", x.data, x.data))


def test_einops_by_the_standard_alone():
    pytest.importorskip("einops", reason="needs einops")
    from einops.array_api import rearrange, reduce, repeat

    x = tg.Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    y = rearrange(x, "a b -> (b a)") * tg.arange(6.0)
    (y.sum() + reduce(x * x, "a b -> b", "sum").sum() + repeat(x, "a b -> a b 2").sum()).backward()
    np.testing.assert_array_equal(x.grad.data, np.arange(6.0).reshape(3, 2).T + 2 * x.data + 2)


def _close(found, expected):
    assert isinstance(found, tg.Tensor)
    assert found.requires_grad
    np.testing.assert_allclose(found.data, expected, rtol=1e-12)


SCIPY = """
import numpy as np, scipy.integrate, scipy.optimize, scipy.special, scipy.stats
import tinygrad_reg as tg
value = np.array([0.5, 2.0, 1.0, 3.0])
for f in ({functions}):
    x = tg.Tensor(value, requires_grad=True)
    y = f(x)
    assert isinstance(y, tg.Tensor) and y.requires_grad, f
    step = 1e-6 * np.eye(4)
    expected = [(f(value + s) - f(value - s)) / 2e-6 for s in step]
    y.backward()
    np.testing.assert_allclose(x.grad.data, expected, rtol=1e-6, atol=1e-8)
print("fine")
"""
FUNCTIONS = """
lambda x: scipy.optimize.rosen(x),
lambda x: scipy.integrate.trapezoid(x * x),
"""


def test_scipys_functions_for_any_array_library_differentiate():
    pytest.importorskip("scipy", reason="needs SciPy")
    code = SCIPY.format(functions=FUNCTIONS)
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "SCIPY_ARRAY_API": "1"}, capture_output=True, text=True, check=False)
    assert done.stdout == "fine\n", done.stderr[-2000:]
