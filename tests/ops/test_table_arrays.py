"""What every op of the table does with arrays: memory, strides, dtypes, modes."""

import inspect

import numpy as np
import pytest
from cases import CASES, DIFFERENTIABLE_CASES, TABLE, case_id, has_gradient
from numeric import call, end_to_end, gradients, leaves, random_like, sample, seeded, smooth

import tinygrad_reg as tg
from tinygrad_reg.op import NUMPY
from tinygrad_reg.testing.inputs import LAYOUTS

ALL = pytest.mark.parametrize(("op", "case"), CASES, ids=case_id)
WITH_GRADIENT = pytest.mark.parametrize(("op", "case"), DIFFERENTIABLE_CASES, ids=case_id)
NUMPYS = [(function, op, case) for function, op in NUMPY.items() for case in op.cases if op in TABLE]


def drawn(op, case):
    """Inputs of a case, and a gradient for its result."""
    rng = seeded(op.name, case.shapes)
    inputs = sample(op, case.shapes, rng)
    return inputs, random_like(call(op, inputs, case.settings), rng)


def narrowed(x):
    """The same at single precision, if it is real or complex."""
    return x.astype({"f": np.float32, "c": np.complex64}.get(x.dtype.kind, x.dtype))


@ALL
def test_arrays_and_tensors_give_the_same_values(op, case):
    inputs, _ = drawn(op, case)
    plain, recorded = call(op, inputs, case.settings), call(op, leaves(inputs), case.settings)
    assert not isinstance(plain, tg.Tensor)
    assert isinstance(recorded, tg.Tensor)
    assert (recorded.shape, recorded.dtype) == (np.shape(plain), np.asarray(plain).dtype)
    np.testing.assert_array_equal(recorded.data, plain)


@pytest.mark.parametrize(("function", "op", "case"), NUMPYS, ids=lambda value: getattr(value, "__name__", None) or case_id(value))
def test_numpys_function_of_the_name_gives_the_same_values(function, op, case):
    inputs, _ = drawn(op, case)
    arguments = [inputs] if getattr(op, "variadic", False) else inputs
    if case.settings.keys() <= _taken_by_name(function):
        expected = function(*arguments, **case.settings)
    elif list(case.settings) == list(op.setting_names[:1]):  # NumPy 2.0 calls it newshape, later shape
        expected = function(*arguments, *case.settings.values())
    else:
        pytest.skip(f"NumPy's {function.__name__} does not have all of {list(case.settings)}")
    expected = end_to_end(expected) if isinstance(expected, (tuple, list)) else expected
    np.testing.assert_allclose(call(op, inputs, case.settings), expected, rtol=1e-13)


def _taken_by_name(function):
    """The arguments of NumPy's function that may be given by name; of a ufunc, which does not say so, those of our cases."""
    if isinstance(function, np.ufunc):
        return {"axis"}
    return {name for name, p in inspect.signature(function).parameters.items() if p.kind is not p.POSITIONAL_ONLY}


@ALL
def test_under_no_grad_nothing_is_recorded(op, case):
    inputs, _ = drawn(op, case)
    with tg.no_grad():
        result = call(op, leaves(inputs), case.settings)
    assert result.op is None
    assert not result.requires_grad
    assert not hasattr(result, "inputs")


@ALL
def test_a_result_requires_a_gradient_if_the_op_has_rules_and_an_input_wants_one(op, case):
    inputs, _ = drawn(op, case)
    wanted = has_gradient(op, case) and bool(smooth(inputs))
    assert call(op, leaves(inputs), case.settings).requires_grad is wanted
    assert not call(op, [tg.Tensor(x) for x in inputs], case.settings).requires_grad


@WITH_GRADIENT
def test_inputs_are_not_written_to(op, case):
    inputs, g = drawn(op, case)
    before = [x.tobytes() for x in (*inputs, g)]
    tensors = _recorded_without_copy(inputs)
    call(op, tensors, case.settings).backward(g)
    assert [x.tobytes() for x in (*inputs, g)] == before
    assert [t.data.tobytes() for t in tensors] == before[:-1]


@WITH_GRADIENT
def test_read_only_inputs_work(op, case):
    inputs, g = drawn(op, case)
    expected = gradients(op, inputs, case.settings, g)
    for x in (*inputs, g):
        x.flags.writeable = False
    tensors = _recorded_without_copy(inputs)
    call(op, tensors, case.settings).backward(g)
    _assert_gradients(tensors, expected, rtol=0)


@WITH_GRADIENT
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_layout_in_memory_does_not_matter(op, case, layout):
    inputs, g = drawn(op, case)
    expected = gradients(op, inputs, case.settings, g)
    tensors = _recorded_without_copy([layout(x) for x in inputs])
    result = call(op, tensors, case.settings)
    np.testing.assert_allclose(result.data, call(op, inputs, case.settings), rtol=1e-12)
    result.backward(layout(g))
    _assert_gradients(tensors, expected, rtol=1e-12)


@WITH_GRADIENT
def test_gradients_share_memory_with_nothing(op, case):
    inputs, g = drawn(op, case)
    tensors = _recorded_without_copy(inputs)
    result = call(op, tensors, case.settings)
    result.backward(g)
    found = [t.grad.data for t in tensors if t.grad is not None]
    others = [*inputs, g, result.data]
    for i, gradient in enumerate(found):
        assert not any(np.shares_memory(gradient, other) for other in (*others, *found[:i]))


@WITH_GRADIENT
def test_float32_in_float32_out(op, case):
    inputs, g = drawn(op, case)
    tensors = leaves([narrowed(x) for x in inputs])
    result = call(op, tensors, case.settings)
    assert result.dtype == case.settings.get("dtype", narrowed(g).dtype)
    result.backward(g)
    assert all(t.grad is None or t.grad.dtype == t.dtype for t in tensors)
    _assert_gradients(tensors, gradients(op, inputs, case.settings, g), rtol=1e-3, atol=1e-4)


@WITH_GRADIENT
def test_one_float32_among_float64_is_promoted_and_gets_its_own_dtype_back(op, case):
    inputs, g = drawn(op, case)
    expected = gradients(op, inputs, case.settings, g)
    for i in smooth(inputs) if len(smooth(inputs)) > 1 else []:
        mixed = [narrowed(x) if k == i else x for k, x in enumerate(inputs)]
        tensors = leaves(mixed)
        result = call(op, tensors, case.settings)
        assert result.dtype == np.result_type(*[mixed[k].dtype for k in smooth(inputs)])
        result.backward(g)
        assert all(t.grad is None or t.grad.dtype == t.dtype for t in tensors)
        _assert_gradients(tensors, expected, rtol=1e-3, atol=1e-4)


@WITH_GRADIENT
def test_a_second_backward_adds_the_same_again(op, case):
    inputs, g = drawn(op, case)
    tensors = leaves(inputs)
    result = call(op, tensors, case.settings)
    result.backward(g)
    once = [None if t.grad is None else t.grad.data.copy() for t in tensors]
    result.backward(g)
    for t, first in zip(tensors, once, strict=True):
        assert (t.grad is None) is (first is None)
        if first is not None:
            np.testing.assert_array_equal(t.grad.data, 2 * first)


def _recorded_without_copy(inputs):
    """Leaves that hold the very arrays given, so that a change to them, or a stride, would show."""
    tensors = [tg.asarray(x) for x in inputs]
    for t in tensors:
        t.requires_grad = t.dtype.kind in "fc"
    return tensors


def _assert_gradients(tensors, expected, rtol, atol=1e-14):
    for t, wanted in zip(tensors, expected, strict=True):
        found = np.zeros_like(wanted) if t.grad is None else t.grad.data
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=rtol, atol=atol)


SMALL = {"int8": [100, -27, 120, 1, -90, 3], "uint8": [200, 27, 120, 1, 90, 3], "bool": [True, False, True, True, False]}


@ALL
@pytest.mark.parametrize("dtype", SMALL)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # 1/0 of false is infinite
def test_small_whole_numbers_do_not_wrap_around_on_the_way_to_a_float(op, case, dtype):
    inputs = [np.resize(np.array(SMALL[dtype], dtype), x.shape) if x.dtype.kind == "f" else x for x in sample(op, case.shapes, seeded(op.name))]
    wide = [x.astype(np.float64) if x.dtype == dtype else x for x in inputs]
    try:
        found, expected = call(op, inputs, case.settings), call(op, wide, case.settings)
    except (TypeError, ValueError, ZeroDivisionError):
        return  # what is not for these numbers
    found, expected = np.asarray(found), np.asarray(expected)
    if found.dtype == expected.dtype == np.float64:
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
