"""The package as a namespace of the Python array API standard, 2024.12: names, signatures, dtypes, exchange, other libraries.

The consortium's own suite is run by array_api.py in this folder; these tests need nothing but the package.
"""

import inspect
import operator
import os
import subprocess
import sys

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from array_api_table import ATTRIBUTES, BINARY, METHODS, OPERATORS, SIGNATURES, UNARY
from hypothesis import given, settings
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
            assert places[i].name == p.name
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


@st.composite
def calls(draw, table, count):
    """A function of the table, and arrays of kinds that it takes, which broadcast."""
    name = draw(st.sampled_from(sorted(table)))
    kind = draw(st.sampled_from(table[name]))
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=2, max_side=3, min_side=0)).input_shapes
    seed = draw(st.integers(0, 2**32 - 1))
    return name, [_numbers(np.random.default_rng(seed + i), draw(st.sampled_from(KINDS[kind])), shape) for i, shape in enumerate(shapes)]


def _numbers(rng, dtype, shape):
    values = rng.uniform(0.25, 0.75, shape) if np.dtype(dtype).kind in "fc" else rng.integers(0, 2 if dtype == "bool" else 7, shape)
    return np.asarray(values + 0.5j * values if np.dtype(dtype).kind == "c" else values).astype(dtype)


def _same(found, expected, atol=0):
    assert isinstance(found, tg.Tensor)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(found.data, expected, rtol=1e-5 if expected.dtype.itemsize < 8 or expected.dtype == "complex64" else 1e-12, atol=atol)


@given(st.one_of(calls(UNARY, 1), calls(BINARY, 2)))
def test_elementwise_results_are_numpys_in_value_dtype_and_shape(call):
    name, arrays = call
    with np.errstate(all="ignore"):
        _agree(name, arrays)


def _agree(name, arrays):
    try:
        expected = np.asarray(getattr(np, name)(*arrays))
    except TypeError:  # NumPy has no such loop, as for uint64 with int64; the standard does not ask for it
        return
    if name == "pow" and any(a.dtype.kind == "i" for a in arrays):
        arrays = [np.abs(a) for a in arrays]
    _same(getattr(tg, name)(*map(tg.Tensor, arrays)), expected)


@pytest.mark.parametrize("name", ["sum", "prod", "cumulative_sum", "cumulative_prod"])
@pytest.mark.parametrize("dtype", WHOLE + FLOAT + COMPLEX)
def test_sums_and_products_widen_small_whole_numbers_or_take_a_dtype(name, dtype):
    x = np.arange(1, 5).astype(dtype)
    _same(getattr(tg, name)(tg.Tensor(x)), np.asarray(getattr(np, name)(x)))
    _same(getattr(tg, name)(tg.Tensor(x), dtype=tg.complex128), np.asarray(getattr(np, name)(x, dtype="complex128")))


# What NumPy 2 does with these, itself a namespace of the standard, is to be done with Tensors: same values, dtypes, shapes, or an error.
FLOATING = "fc"
CALLS = {
    "abs": ("if", lambda xp, x: xp.abs(x)),
    "clip": ("if", lambda xp, x: (xp.clip(x, 1, 3), xp.clip(x, min=2), xp.clip(x, max=xp.asarray(2, dtype=x.dtype)))),
    "sum": ("ifc", lambda xp, x: (xp.sum(x), xp.sum(x, axis=-1), xp.sum(x, axis=(0, 1), keepdims=True))),
    "prod": ("ifc", lambda xp, x: (xp.prod(x), xp.prod(x, axis=0, keepdims=True))),
    "max": ("if", lambda xp, x: (xp.max(x), xp.max(x, axis=1))),
    "min": ("if", lambda xp, x: (xp.min(x), xp.min(x, axis=(0, -1), keepdims=True))),
    "mean": (FLOATING, lambda xp, x: (xp.mean(x), xp.mean(x, axis=0, keepdims=True))),
    "var": ("f", lambda xp, x: (xp.var(x), xp.var(x, axis=0, correction=0.5))),
    "std": ("f", lambda xp, x: (xp.std(x), xp.std(x, axis=-1, correction=0.5, keepdims=True))),
    "all": ("bifc", lambda xp, x: (xp.all(x), xp.all(x, axis=0), xp.any(x, axis=1, keepdims=True))),
    "cumulative_sum": ("ifc", lambda xp, x: (xp.cumulative_sum(x, axis=1), xp.cumulative_sum(x, axis=-1, include_initial=True))),
    "cumulative_prod": ("ifc", lambda xp, x: (xp.cumulative_prod(x, axis=1), xp.cumulative_prod(x, axis=0, include_initial=True))),
    "diff": ("ifc", lambda xp, x: (xp.diff(x), xp.diff(x, axis=0, n=2), xp.diff(x, prepend=x[:, :1], append=x[:, :2]), xp.diff(x, n=0, append=x))),
    "count_nonzero": ("bifc", lambda xp, x: (xp.count_nonzero(x, axis=0), xp.count_nonzero(x, axis=1, keepdims=True))),
    "argmax": ("if", lambda xp, x: (xp.argmax(x), xp.argmax(x, axis=0, keepdims=True), xp.argmin(x), xp.argmin(x, axis=-1))),
    "nonzero": ("bifc", lambda xp, x: xp.nonzero(x)),
    "searchsorted": ("if", lambda xp, x: xp.searchsorted(xp.sort(xp.reshape(x, (-1,))), xp.reshape(x, (-1,)), side="right")),
    "where": ("bifc", lambda xp, x: (xp.where(x != 0, x, x[:, :1]), xp.where(x == x[:1], x, 1 if x.dtype.kind != "b" else True))),
    "unique_all": ("bif", lambda xp, x: tuple(xp.unique_all(x))),
    "unique_counts": ("bif", lambda xp, x: tuple(xp.unique_counts(x))),
    "unique_inverse": ("bif", lambda xp, x: tuple(xp.unique_inverse(x))),
    "unique_values": ("bif", lambda xp, x: xp.unique_values(x)),
    "sort": ("if", lambda xp, x: (xp.sort(x), xp.sort(x, axis=0, stable=True), xp.argsort(x, stable=True), xp.argsort(x, axis=0, stable=True))),
    "take": ("bifc", lambda xp, x: (xp.take(x, xp.asarray([1, 0, 1]), axis=0), xp.take(x, xp.asarray([0]), axis=-1))),
    "take_along_axis": ("bifc", lambda xp, x: xp.take_along_axis(x, xp.zeros((1, x.shape[1]), dtype=xp.int64), axis=0)),
    "broadcast": ("bifc", lambda xp, x: (*xp.broadcast_arrays(x, x[:1]), xp.broadcast_to(x, (2, *x.shape)))),
    "joining": ("bifc", lambda xp, x: (xp.concat([x, x[:1]]), xp.concat([x, x], axis=None), xp.stack([x, x], axis=-1), xp.tile(x, (2, 1, 2)))),
    "moving": (
        "bifc",
        lambda xp, x: (xp.moveaxis(x, 0, -1), xp.permute_dims(x, (1, 0)), xp.flip(x), xp.flip(x, axis=(0,)), xp.roll(x, (1, -2), axis=(0, 1))),
    ),
    "shapes": ("bifc", lambda xp, x: (xp.expand_dims(x, axis=1), xp.squeeze(x[:, None, :], axis=1), xp.reshape(x, (-1,), copy=True), *xp.unstack(x))),
    "repeat": ("bifc", lambda xp, x: (xp.repeat(x, 2), xp.repeat(x, xp.asarray([1, 2, 0]), axis=0))),
    "roll": ("bifc", lambda xp, x: (xp.roll(x, 1), xp.roll(x, -2, axis=1))),
    "triangles": ("ifc", lambda xp, x: (xp.tril(x), xp.triu(x, k=1), xp.tril(x, k=-1))),
    "meshgrid": ("ifc", lambda xp, x: (*xp.meshgrid(x[0], x[1]), *xp.meshgrid(x[0], x[1], indexing="ij"))),
    "products": ("ifc", lambda xp, x: (xp.matmul(x, xp.matrix_transpose(x)), xp.tensordot(x, x, axes=((0,), (0,))), xp.vecdot(x, x, axis=0))),
    "like": ("bifc", lambda xp, x: (xp.zeros_like(x), xp.ones_like(x, dtype=xp.float32), xp.full_like(x, 1))),
    "real": (FLOATING, lambda xp, x: (xp.real(x), xp.conj(x), xp.imag(x))),
    "rounding": ("if", lambda xp, x: (xp.floor(x), xp.ceil(x), xp.trunc(x), xp.round(x))),
    "linalg": (
        "f",
        lambda xp, x: (
            xp.linalg.outer(x[0], x[1]),
            xp.linalg.diagonal(x, offset=1),
            xp.linalg.trace(x),
            xp.linalg.vector_norm(x, axis=0, ord=1),
            xp.linalg.matrix_norm(x, keepdims=True),
            xp.linalg.matrix_norm(x, ord="nuc"),
            xp.linalg.matrix_power(x[:, :3], 3),
            xp.linalg.cross(x[:, :3], x[::-1, :3]),
            xp.linalg.svdvals(x),
            xp.linalg.matrix_rank(x),
            xp.linalg.pinv(x),
            xp.linalg.inv(x[:, :3] + 3 * xp.eye(3, dtype=x.dtype)),
            xp.linalg.det(x[:, :3]),
            *xp.linalg.slogdet(x[:, :3]),
            xp.linalg.solve(x[:, :3] + 3 * xp.eye(3, dtype=x.dtype), x),
            xp.linalg.eigvalsh(x @ x.T),
            xp.linalg.cholesky(x @ x.T + xp.eye(3, dtype=x.dtype), upper=True),
        ),
    ),
    "fft": (
        "fc",
        lambda xp, x: (
            *(f(x, n=5, axis=0) for f in (xp.fft.fft, xp.fft.ifft, xp.fft.hfft, xp.fft.irfft)),
            *(f(xp.real(x), norm="ortho") for f in (xp.fft.rfft, xp.fft.ihfft)),
            *(f(x, axes=(0, 1)) for f in (xp.fft.fftn, xp.fft.ifftn, xp.fft.irfftn)),
            *(xp.fft.fftshift(x), xp.fft.ifftshift(x, axes=0), xp.fft.fftfreq(5, d=0.5), xp.fft.rfftfreq(4)),
        ),
    ),
}


def _flat(x):
    return [part for item in x for part in _flat(item)] if isinstance(x, (tuple, list)) else [x]


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, (kinds, _) in CALLS.items() for kind in kinds])
@given(data=st.data())
@settings(max_examples=5)
def test_other_results_are_numpys_in_value_dtype_and_shape(name, kind, data):
    dtype = data.draw(st.sampled_from(KINDS[kind]))
    x = _numbers(np.random.default_rng(data.draw(st.integers(0, 2**32 - 1))), dtype, (3, 4))
    for found, expected in zip(_flat(CALLS[name][1](tg, tg.Tensor(x))), _flat(CALLS[name][1](np, x)), strict=True):
        _same(found, np.asarray(expected), atol=1e-5 if np.finfo(np.result_type(dtype, "f4")).eps > 1e-10 else 1e-10)


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
            x = (x[:, None] + 1j * x[[0, 2, 4, 9, 11]]).ravel()
        arguments = (x,) if name in UNARY else (x[:, None], x)
        found, expected = getattr(tg, name)(*map(tg.Tensor, arguments)), getattr(np, name)(*arguments)
    assert found.dtype == expected.dtype
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(np.real(found.data))[number], np.signbit(np.real(expected))[number])
    np.testing.assert_allclose(found.data, expected, rtol=1e-6 if kind == "float32" else 1e-14)


# --------------------------------------------------------------------------------------------- operators

SYMBOLS = {name: getattr(operator, {"and": "and_", "or": "or_"}.get(name, name)) for name in OPERATORS}
BITS = {"and", "or", "xor", "lshift", "rshift"}


@pytest.mark.parametrize(("name", "symbol"), SYMBOLS.items(), ids=SYMBOLS)
def test_operators_on_whole_numbers_from_both_sides_and_in_place(name, symbol):
    a, b = np.array([[7, 5], [3, 1]]), np.array([[2, 1], [3, 2]])
    for found in (symbol(tg.Tensor(a), tg.Tensor(b)), symbol(tg.Tensor(a), b), symbol(a, tg.Tensor(b))):
        _same(found, symbol(a, b))
    if name != "matmul":
        _same(symbol(tg.Tensor(a), 2), symbol(a, 2))
        _same(symbol(2, tg.Tensor(b)), symbol(2, b))
    _same(getattr(operator, f"i{name}")(tg.Tensor(a), tg.Tensor(b)), symbol(a, b))


@pytest.mark.parametrize("name", sorted(set(OPERATORS) - BITS))
def test_arithmetic_on_floats(name):
    symbol = SYMBOLS[name]
    a, b = np.array([[7.5, 5.0 if name == "pow" else -5.0], [3.0, 1.25]]), np.array([[2.0, 1.5], [3.0, 2.0]])
    _same(symbol(tg.Tensor(a), tg.Tensor(b)), symbol(a, b))
    if name != "matmul":
        _same(symbol(tg.Tensor(a, dtype="float32"), 2.0), symbol(a.astype("f4"), 2.0))


@pytest.mark.parametrize("name", ["and", "or", "xor"])
def test_bits_of_yes_and_no(name):
    _same(SYMBOLS[name](tg.Tensor([True, False]), True), SYMBOLS[name](np.array([True, False]), True))


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


def test_values_do_not_change_in_place_on_purpose():
    with pytest.raises(TypeError, match="Tensors do not change in place"):
        tg.Tensor([1.0])[0] = 2.0


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
