"""Python's operators and a Tensor's methods: NumPy's values, the op's gradient, from either side."""

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


X = np.array([[0.3, 0.9, 0.5], [0.8, 0.2, 0.4]])
METHODS = ["sum", "mean", "max", "min", "logsumexp", "var", "std", "softmax", "log_softmax", "abs", "sign", "square", "sqrt", "exp", "expm1"]
METHODS += ["log", "log1p", "tanh", "sigmoid", "softplus", "relu", "all", "any", "argmax", "argmin", "squeeze"]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_the_function_of_its_name(name):
    method, function = (f(tg.Tensor(X, requires_grad=True)) for f in (operator.methodcaller(name), getattr(tg, name)))
    np.testing.assert_array_equal(method.data, function.data)
    assert (method.op, method.dtype) == (function.op, function.dtype)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "logsumexp", "var", "std", "all", "any", "argmax", "argmin"])
def test_methods_that_reduce_take_axis_and_keepdims(name):
    for settings in ({"axis": 0}, {"axis": -1, "keepdims": True}):
        found = getattr(tg.Tensor(X), name)(**settings)
        np.testing.assert_array_equal(found.data, getattr(tg, name)(X, **settings))
    np.testing.assert_array_equal(getattr(tg.Tensor(X), name)(1, True).data, getattr(tg, name)(X, axis=1, keepdims=True))


def test_other_methods_with_settings():
    t = tg.Tensor(X)
    np.testing.assert_array_equal(t.softmax(0).data, tg.softmax(X, axis=0))
    np.testing.assert_array_equal(t.log_softmax(axis=0).data, tg.log_softmax(X, axis=0))
    np.testing.assert_array_equal(t.clip(0.3, 0.6).data, np.clip(X, 0.3, 0.6))
    np.testing.assert_array_equal(t.clip(max=0.6).data, np.minimum(X, 0.6))
    np.testing.assert_array_equal(t.var(axis=0, correction=1).data, tg.var(X, axis=0, correction=1))
    np.testing.assert_array_equal(t.std(0, False, 1).data, tg.std(X, axis=0, correction=1))


def test_methods_of_shape():
    t = tg.Tensor(X)
    assert t.reshape(3, 2).shape == t.reshape((3, 2)).shape == t.reshape([3, 2]).shape == (3, 2)
    assert t.reshape(-1).shape == t.flatten().shape == t.ravel().shape == (6,)
    assert tg.Tensor([1.0]).reshape(()).shape == tg.Tensor([1.0]).reshape().shape == ()
    assert t.expand_dims(0).shape == (1, 2, 3)
    assert t.expand_dims((0, -1)).squeeze((0, -1)).shape == (2, 3)
    assert t.T.shape == t.mT.shape == t.transpose().shape == (3, 2)


@pytest.mark.parametrize("f", [operator.add, operator.mul, operator.matmul])
@pytest.mark.parametrize("other", ["a", None, object(), ["a"], {}], ids=lambda x: type(x).__name__)
def test_arithmetic_with_what_is_no_number_is_a_type_error(f, other):
    for pair in ((tg.Tensor([1.0]), other), (other, tg.Tensor([1.0]))):
        with pytest.raises(TypeError):
            f(*pair)
