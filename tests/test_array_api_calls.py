"""Every function of the array API standard on drawn arguments: what NumPy answers is what a Tensor gets, in value, dtype and shape.

NumPy 2 is itself a namespace of the standard. Where it refuses, so do we, with an error of the same kind.
"""

import operator
import warnings

import array_api_arranging_calls  # noqa: F401 - it adds its calls
import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from array_api_calls import ANY, CALLS, KINDS, WITH_NUMBER, array
from array_api_matrix_calls import matrices
from array_api_table import BINARY, OPERATORS, SIGNATURES
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.array_api import make_strategies_namespace

import tinygrad_reg as tg

DRAWN = settings(max_examples=settings().max_examples // 3)  # there are many functions
# Not compared with NumPy's: one holds whatever it likes, the others are tested in test_array_api.py.
NOT_DRAWN = {"empty", "empty_like", "from_dlpack", "finfo", "iinfo", "__array_namespace_info__"}


def tensors(x):
    """The same arguments, with Tensors for arrays."""
    if isinstance(x, (tuple, list)):
        return type(x)(map(tensors, x))
    return {k: tensors(v) for k, v in x.items()} if isinstance(x, dict) else tg.Tensor(x) if isinstance(x, np.ndarray) else x


def answer(call):
    """What a call gives, or the error."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # for the mean of nothing, NumPy warns and so do we
        try:
            return call()
        except (ArithmeticError, IndexError, TypeError, ValueError) as error:
            return error


def close(found, expected):
    """Whether numbers are the same: whole ones exactly, others up to rounding, the parts of complex ones by the size of both."""
    if expected.dtype.kind not in "fc":
        return np.array_equal(found, expected)
    tolerance = 1e-4 if expected.dtype in (np.float32, np.complex64) else 1e-9
    with np.errstate(all="ignore"):
        slack = tolerance * (1 + np.where(np.isfinite(expected), np.abs(expected), 0))
        return all(np.isclose(part(found), part(expected), tolerance, slack, equal_nan=True).all() for part in (np.real, np.imag))


def agree(found, expected):
    if isinstance(expected, Exception):
        for kind in (ArithmeticError, IndexError, ValueError, TypeError):  # a wrong axis is an IndexError and a ValueError
            assert isinstance(found, kind) or not isinstance(expected, kind), f"NumPy refuses: {expected!r}, and here it is {found!r}"
        return
    if isinstance(found, Exception):
        raise AssertionError(f"NumPy answers {expected!r}") from found
    if isinstance(expected, (tuple, list)):
        assert isinstance(found, (tuple, list))
        assert len(found) == len(expected)
        for mine, numpys in zip(found, expected, strict=True):
            agree(mine, numpys)
    elif isinstance(expected, (np.ndarray, np.generic)):
        assert isinstance(found, tg.Tensor)
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert close(found.data, expected), f"{found!r} is not NumPy's {expected!r}"
    else:
        assert (type(found), repr(found)) == (type(expected), repr(expected))  # NaN is not equal to itself


def compared(name, arguments, given_by_name):
    expected = answer(lambda: operator.attrgetter(name)(np)(*arguments, **given_by_name))
    agree(answer(lambda: operator.attrgetter(name)(tg)(*tensors(arguments), **tensors(given_by_name))), expected)
    return expected


def test_every_function_of_the_standard_is_drawn():
    assert set(SIGNATURES) - set(CALLS) == NOT_DRAWN


@pytest.mark.parametrize("name", CALLS)
@given(data=st.data())
@DRAWN
def test_what_numpy_answers(name, data):
    compared(name, *CALLS[name](data.draw))


NOT_ONLY_FEW = {
    **dict.fromkeys(("linalg.det", "linalg.slogdet"), (True, {})),
    "linalg.qr": (False, {"mode": ["reduced", "complete"]}),
    "linalg.matrix_power": (True, {"n": [0, 1, 2, 3]}),
    "linalg.vector_norm": (False, {"ord": [0, 1, 2, -1, 3.5, np.inf], "axis": [None, 0, (0, 1)]}),
    "linalg.diagonal": (False, {"offset": [-1, 0, 1]}),
    "linalg.trace": (False, {"offset": [-1, 0, 1]}),
    **dict.fromkeys(("sum", "prod", "mean", "var", "std", "cumulative_sum", "cumulative_prod"), (False, {"axis": [0, -1]})),
    "fft.fft": (False, {}),
}


@pytest.mark.parametrize(("name", "square", "choices"), [(name, *rest) for name, rest in NOT_ONLY_FEW.items()], ids=NOT_ONLY_FEW)
@given(data=st.data())
@DRAWN
def test_nan_infinity_and_large_numbers_are_no_error(name, square, choices, data):
    x = matrices(data.draw, square=square, elements=None)
    given_by_name = {setting: data.draw(st.sampled_from(values)) for setting, values in choices.items()}
    expected = answer(lambda: operator.attrgetter(name)(np)(x, **given_by_name))
    found = answer(lambda: operator.attrgetter(name)(tg)(tg.Tensor(x), **given_by_name))
    if isinstance(expected, Exception):
        agree(found, expected)
    else:
        for mine, numpys in zip(*(r if isinstance(r, tuple) else (r,) for r in (found, expected)), strict=True):
            assert (mine.dtype, mine.shape) == (numpys.dtype, numpys.shape)


@pytest.mark.parametrize("name", WITH_NUMBER)
@given(data=st.data())
@DRAWN
def test_python_numbers_on_either_side(name, data):
    compared(name, *WITH_NUMBER[name](data.draw))


@pytest.mark.parametrize("name", ["sort", "argsort"])
@given(data=st.data())
@DRAWN
def test_descending_order_keeps_equal_elements_as_they_stand(name, data):
    (x,), given_by_name = CALLS[name](data.draw)
    assume(not np.isnan(x).any())
    along = given_by_name.get("axis", -1)
    found = getattr(tg, name)(tg.Tensor(x), descending=True, **given_by_name)
    ranks = np.unique(x, return_inverse=True)[1].reshape(x.shape)
    order = np.argsort(-ranks, axis=along, kind="stable")
    agree(found, order if name == "argsort" else np.take_along_axis(x, order, along))


FIELDS = {
    "unique_all": ("values", "indices", "inverse_indices", "counts"),
    "unique_counts": ("values", "counts"),
    "unique_inverse": ("values", "inverse_indices"),
    "linalg.eigh": ("eigenvalues", "eigenvectors"),
    "linalg.qr": ("Q", "R"),
    "linalg.slogdet": ("sign", "logabsdet"),
    "linalg.svd": ("U", "S", "Vh"),
}


@pytest.mark.parametrize(("name", "fields"), FIELDS.items(), ids=FIELDS)
def test_several_results_have_names(name, fields):
    results = operator.attrgetter(name)(tg)(tg.eye(2))
    assert isinstance(results, tuple)
    assert results._fields == fields
    for field, result in zip(fields, results, strict=True):
        assert getattr(results, field) is result


# ------------------------------------------------------------------------------------------------- operators

_BY_NAME = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide", "mod": "remainder", "pow": "pow"}
_BITS = {"and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift"}
ARITHMETIC = {**_BY_NAME, **_BITS, "matmul": "matmul"}
COMPARISONS = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}


def symbol(name):
    return getattr(operator, {"and": "and_", "or": "or_"}.get(name, name))


def both_ways(apply, arguments):
    expected = answer(lambda: apply(*arguments))
    agree(answer(lambda: apply(*tensors(arguments))), expected)


@pytest.mark.parametrize("name", [*ARITHMETIC, *COMPARISONS])
@given(data=st.data())
@DRAWN
def test_operators_between_tensors_and_with_python_numbers(name, data):
    function = {**ARITHMETIC, **COMPARISONS}[name]
    both_ways(symbol(name), CALLS[function](data.draw)[0])
    if function in WITH_NUMBER:
        both_ways(symbol(name), WITH_NUMBER[function](data.draw)[0])


@pytest.mark.parametrize(("name", "kinds"), {"abs": "ifc", "invert": "bi", "neg": "ifc", "pos": "ifc"}.items())
@given(data=st.data())
@DRAWN
def test_operators_of_one_tensor(name, kinds, data):
    both_ways(symbol(name), (array(data.draw, kinds, elements=None),))


@pytest.mark.parametrize("name", ARITHMETIC)
@given(data=st.data())
@DRAWN
def test_in_place_operators_name_a_new_tensor(name, data):
    left, right = _in_place(name, data.draw)
    expected = answer(lambda: symbol(name)(left, right))
    x = first = tg.Tensor(left)
    x = answer(lambda: getattr(operator, f"i{name}")(x, tensors(right)))
    agree(x, expected)
    np.testing.assert_array_equal(first.data, left)


def _in_place(name, draw):
    """Two operands of which the first has the shape and dtype of the result: the standard asks for no more."""
    if name == "matmul":
        x = matrices(draw)
        return x, array(draw, x.dtype, x.shape[-1:] * 2)
    a, b = (CALLS if draw(st.booleans()) else WITH_NUMBER)[ARITHMETIC[name]](draw)[0]
    a, b = (a, b) if isinstance(a, np.ndarray) else (b, a)
    dtype = np.result_type(a, b) if isinstance(b, np.ndarray) else a.dtype
    return np.broadcast_to(a, np.broadcast_shapes(a.shape, np.shape(b))).astype(dtype), b


def test_operators_are_all_drawn():
    assert set(ARITHMETIC) == set(OPERATORS)
    assert set(ARITHMETIC.values()) - {"matmul"} <= set(BINARY)


# ------------------------------------------------------------------------------------------------- the array


@st.composite
def places(draw, shape):
    """For each of some leading axes a whole number or an array of them, whose shapes fit together."""
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=len(shape), max_dims=2, max_side=3)).input_shapes
    arrays = [hnp.arrays(draw(hnp.integer_dtypes()), s, elements=st.integers(-n, n - 1)) for s, n in zip(shapes, shape, strict=True)]
    key = [draw(a | st.integers(-n, n - 1)) for a, n in zip(arrays, shape, strict=True)]
    return tuple(key[: draw(st.integers(0, len(key)))])


@given(st.data())
def test_parts_of_a_tensor_are_those_of_the_array(data):
    x = array(data.draw, ANY, elements=None)
    masks = hnp.arrays("bool", st.sampled_from([x.shape, x.shape[:1], (), (2,)]) | hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    key = data.draw(st.one_of(hnp.basic_indices(x.shape, allow_newaxis=True), masks, st.integers(-5, 5)))
    agree(answer(lambda: tg.Tensor(x)[tensors(key)]), answer(lambda: x[key]))


@given(st.data())
def test_whole_numbers_and_arrays_of_them_pick_elements(data):
    x = np.arange(24).reshape(data.draw(st.sampled_from([(24,), (6, 4), (2, 3, 4), (1, 24)])))
    key = data.draw(places(x.shape))
    agree(answer(lambda: tg.Tensor(x)[tensors(key)]), answer(lambda: x[key]))


@pytest.mark.parametrize("kind", [bool, int, float, complex, operator.index])
@given(data=st.data())
@DRAWN
def test_single_numbers_become_what_numpys_do(kind, data):
    x = array(data.draw, ANY, (), elements=None)
    agree(answer(lambda: kind(tg.Tensor(x))), answer(lambda: kind(x)))


@given(st.data())
@DRAWN
def test_tensors_in_lists_become_one_tensor(data):
    x = array(data.draw, ANY, elements=None, min_dims=1, min_side=1)
    for nested in (list(tg.Tensor(x)), tuple(tg.Tensor(x)), [list(row) for row in tg.Tensor(x)] if x.ndim > 1 else []):
        if nested:
            agree(tg.asarray(nested, dtype=x.dtype), x)


@given(st.data())
def test_hypothesis_draws_tensors_through_the_namespace(data):
    drawn = make_strategies_namespace(tg, api_version=tg.__array_api_version__)
    x = data.draw(drawn.arrays(drawn.scalar_dtypes(), drawn.array_shapes(min_dims=0, min_side=0)))
    assert isinstance(x, tg.Tensor)
    assert x.dtype.name in {name for kind in KINDS.values() for name in kind}


def test_a_tensor_of_places_sorts_for_searchsorted():
    x = tg.Tensor([3.0, 1.0, 2.0])
    assert tg.searchsorted(x, 2.5, sorter=tg.argsort(x)).item() == 2
    assert tg.searchsorted(x, tg.Tensor([2.5, 9.0]), sorter=tg.argsort(x), side="right").tolist() == [2, 3]
