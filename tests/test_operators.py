"""Python's operators: NumPy's values, the op's gradient, from either side."""

import operator

import numpy as np
import pytest
from numeric import differences

import tinygrad_reg as tg

A = np.array([[1.5, 2.0], [0.5, 3.0]])
B = np.array([[2.0, 0.5], [1.0, 2.5]])
ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
KINDS = {"tensor": tg.Tensor, "array": np.asarray, "list": np.ndarray.tolist}


def slope(f, value):
    x = tg.Tensor(value, requires_grad=True)
    result = f(x)
    result.sum().backward()
    return result, x.grad.data


@pytest.mark.parametrize("f", ARITHMETIC)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_arithmetic_from_both_sides(f, kind):
    for ours, plain in ((lambda x: f(x, kind(B)), lambda x: f(x, B)), (lambda x: f(kind(B), x), lambda x: f(B, x))):
        result, gradient = slope(ours, A)
        assert isinstance(result, tg.Tensor)
        np.testing.assert_allclose(result.data, plain(A), rtol=1e-14)
        expected = differences(lambda values, plain=plain: np.sum(plain(values[0])), [A], 0)
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("f", ARITHMETIC[:-1])
@pytest.mark.parametrize("number", [2, 2.5, np.float64(2.5), np.float32(2.5), np.int64(2), np.array(2.5)])
def test_arithmetic_with_single_numbers_from_both_sides(f, number):
    for ours in (lambda x: f(x, number), lambda x: f(number, x)):
        result, gradient = slope(ours, A)
        assert isinstance(result, tg.Tensor)
        np.testing.assert_allclose(result.data, ours(A), rtol=1e-14)
        expected = differences(lambda values, ours=ours: np.sum(ours(values[0])), [A], 0)
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("f", [operator.neg, operator.pos, operator.abs])
def test_signs(f):
    result, gradient = slope(f, A - 1.7)
    np.testing.assert_array_equal(result.data, f(A - 1.7))
    np.testing.assert_array_equal(gradient, {"neg": -1.0, "pos": 1.0, "abs": np.sign(A - 1.7)}[f.__name__.strip("_")] * np.ones((2, 2)))


@pytest.mark.parametrize("f", COMPARISONS)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_comparisons_from_both_sides(f, kind):
    x = tg.Tensor([[2.0, 2.0], [0.5, 3.0]], requires_grad=True)
    for found, expected in ((f(x, kind(B)), f(x.data, B)), (f(x, 2.0), f(x.data, 2.0)), (f(2.0, x), f(2.0, x.data))):
        assert isinstance(found, tg.Tensor)
        np.testing.assert_array_equal(found.data, expected)
        assert not found.requires_grad


def test_comparison_with_another_kind_of_thing_is_pythons():
    t = tg.Tensor([1.0])
    for other in (None, "a", {}, object()):
        assert (t == other) is False
        assert (t != other) is True
    with pytest.raises(TypeError):
        assert t < "a"


def test_logic_of_yes_and_no_and_of_bits():
    a, b = np.array([True, True, False]), np.array([True, False, False])
    for f in (operator.and_, operator.or_):
        np.testing.assert_array_equal(f(tg.Tensor(a), b).data, f(a, b))
        np.testing.assert_array_equal(f(b, tg.Tensor(a)).data, f(a, b))
        assert f(tg.Tensor(6), 3).item() == f(6, 3)
        assert f(6, tg.Tensor(3)).item() == f(6, 3)
    np.testing.assert_array_equal((~tg.Tensor(a)).data, ~a)
    assert (~tg.Tensor(5)).item() == ~5


@pytest.mark.parametrize("f", [operator.add, operator.mul, operator.matmul])
@pytest.mark.parametrize("other", ["a", None, object(), ["a"], {}], ids=lambda x: type(x).__name__)
def test_arithmetic_with_what_is_no_number_is_a_type_error(f, other):
    for pair in ((tg.Tensor([1.0]), other), (other, tg.Tensor([1.0]))):
        with pytest.raises(TypeError):
            f(*pair)
