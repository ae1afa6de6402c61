"""A Tensor's methods: each is the function of its name."""

import operator

import numpy as np
import pytest

import tinygrad_reg as tg

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
