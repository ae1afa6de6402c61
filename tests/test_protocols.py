"""Tensors under NumPy's functions and Python's built-ins."""

import numpy as np
import pytest

import tinygrad_reg as tg

X = np.array([[0.5, 2.0, 1.0], [3.0, 0.25, 1.5]])


def variable(value=X):
    return tg.Tensor(value, requires_grad=True)


# -------------------------------------------------------------------------------------------- NumPy

UNARY = ["negative", "absolute", "sign", "square", "sqrt", "exp", "expm1", "log", "log1p", "tanh", "isfinite", "isnan", "logical_not"]
BINARY = ["add", "subtract", "multiply", "divide", "true_divide", "power", "maximum", "minimum", "equal", "less", "greater_equal", "logical_and"]


@pytest.mark.parametrize("name", UNARY)
def test_ufuncs_of_one_argument_are_ops(name):
    found = getattr(np, name)(variable())
    assert isinstance(found, tg.Tensor)
    np.testing.assert_allclose(found.data, getattr(np, name)(X), rtol=1e-14)


@pytest.mark.parametrize("name", BINARY)
def test_ufuncs_of_two_arguments_are_ops_on_either_side(name):
    other = X[::-1] + 0.25
    for found, expected in (
        (getattr(np, name)(variable(), other), getattr(np, name)(X, other)),
        (getattr(np, name)(other, variable()), getattr(np, name)(other, X)),
    ):
        assert isinstance(found, tg.Tensor)
        np.testing.assert_allclose(found.data, expected, rtol=1e-14)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "amax", "amin", "var", "std", "all", "any", "argmax", "argmin"])
@pytest.mark.parametrize("settings", [{}, {"axis": 0}, {"axis": -1, "keepdims": True}])
def test_reductions_are_ops(name, settings):
    found = getattr(np, name)(variable(), **settings)
    assert isinstance(found, tg.Tensor)
    np.testing.assert_allclose(found.data, getattr(np, name)(X, **settings), rtol=1e-14)


def test_functions_of_shape_and_choice_are_ops():
    for f in (
        lambda x: np.reshape(x, (3, 2)),
        lambda x: np.transpose(x),
        lambda x: np.transpose(x, (1, 0)),
        lambda x: np.expand_dims(x, 0),
        lambda x: np.squeeze(np.expand_dims(x, 0)),
        lambda x: np.broadcast_to(x, (2, 2, 3)),
        lambda x: np.concatenate([x, X]),
        lambda x: np.concatenate((X, x), axis=1),
        lambda x: np.stack([X, x], axis=-1),
        lambda x: np.where(X > 1, x, 0.0),
        lambda x: np.clip(x, 0.5, 2.0),
        lambda x: np.clip(x, a_min=0.5, a_max=None),
        lambda x: np.matmul(x, X.T),
        lambda x: X.T @ x,
        lambda x: np.std(x, ddof=1),
        lambda x: np.sum(a=x),
    ):
        x = variable()
        result = f(x)
        assert isinstance(result, tg.Tensor)
        np.testing.assert_allclose(result.data, f(X), rtol=1e-14)
        result.sum().backward()
        assert x.grad is not None


def test_gradients_flow_through_numpys_names():
    x = variable([1.0, 2.0])
    np.sum(np.multiply(x, x) + np.array([1.0, 1.0]) * x).backward()
    assert x.grad.tolist() == [3, 5]


FOLDS = [(np.add, "sum"), (np.maximum, "max"), (np.minimum, "min"), (np.logical_and, "all"), (np.logical_or, "any")]


@pytest.mark.parametrize(("ufunc", "name"), FOLDS)
def test_reduce_is_the_reduction_over_the_first_axis(ufunc, name):
    np.testing.assert_array_equal(ufunc.reduce(variable()).data, ufunc.reduce(X))
    np.testing.assert_array_equal(ufunc.reduce(variable(), axis=1, keepdims=True).data, ufunc.reduce(X, axis=1, keepdims=True))
    assert ufunc.reduce(variable(), axis=None).item() == getattr(np, name)(X)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("np.add.reduceat", lambda x: np.add.reduceat(x, [0, 1])),
        ("np.fmod.outer", lambda x: np.fmod.outer(X, x)),
        ("np.real_if_close", np.real_if_close),
        ("np.ediff1d", lambda x: np.ediff1d(X, to_end=x[0])),
    ],
)
def test_a_function_without_an_op_is_an_error_where_a_gradient_would_get_lost(name, call):
    with pytest.raises(TypeError, match=rf"{name} is not an op here.*\.numpy\(\) or \.detach\(\).*tg\.op"):
        call(variable())
    np.testing.assert_array_equal(call(tg.Tensor(X)), call(X))


def test_results_are_not_written_into_arrays():
    array = np.ones((2, 3))
    with pytest.raises(TypeError, match="np.add with out=: Tensors do not change in place"):
        array += variable()
    with pytest.raises(TypeError, match="out="):
        np.exp(variable(), out=array)
    np.testing.assert_array_equal(array, 1)


def test_functions_that_only_look_take_any_tensor():
    x = variable()
    assert np.shape(x) == (2, 3)
    assert np.ndim(x) == 2
    assert np.size(x) == 6
    assert np.allclose(x, X)
    assert np.array_equal(x, X)
    assert np.result_type(x, np.float32) == np.float64
    np.testing.assert_array_equal(np.isclose(x, X), True)


def test_asarray_of_a_constant_is_its_read_only_value():
    t = tg.Tensor([1.0, 2.0])
    found = np.asarray(t)
    np.testing.assert_array_equal(found, [1, 2])
    assert not found.flags.writeable
    assert np.array(t).flags.writeable
    assert np.asarray(t, dtype=np.float32).dtype == np.float32
    assert np.asarray([tg.Tensor(1.0), tg.Tensor(2.0)]).tolist() == [1, 2]


def test_asarray_of_a_variable_is_an_error_that_says_how():
    with pytest.raises(TypeError, match=r"np\.asarray: .*requires a gradient, which a NumPy array would lose. Use \.numpy\(\)"):
        np.asarray(variable())


# -------------------------------------------------------------------------------------------- Python


def test_len_and_iteration():
    x = variable()
    assert len(x) == 2
    rows = list(x)
    assert [row.shape for row in rows] == [(3,), (3,)]
    (rows[0] * 2).sum().backward()
    assert x.grad.tolist() == [[2, 2, 2], [0, 0, 0]]
    assert 2.0 in tg.Tensor([1.0, 2.0])
    for f in (len, list):
        with pytest.raises(TypeError, match="len: a Tensor without axes has no length"):
            f(tg.Tensor(1.0))


def test_unpacking():
    a, b = variable([1.0, 2.0])
    assert (a.item(), b.item()) == (1, 2)


def test_numbers():
    for t in (tg.Tensor(2.5), tg.Tensor([2.5]), variable([[2.5]])):
        assert (float(t), int(t), t.item(), bool(t)) == (2.5, 2, 2.5, True)
        assert f"{t:.2f}" == "2.50"
    assert not tg.Tensor(0.0)
    assert [10, 20, 30][tg.Tensor(1)] == 20
    assert isinstance(tg.Tensor(1).item(), int)


@pytest.mark.parametrize(
    ("f", "kind", "words"),
    [
        (bool, ValueError, r"bool: .*not one yes or no. Use \.all\(\) or \.any\(\)"),
        (float, ValueError, r"item: .*has 6 elements, not one. Use \.tolist\(\)"),
        (int, ValueError, "item: .*6 elements"),
        (lambda x: f"{x:.2f}", ValueError, "item: .*6 elements"),
        (lambda x: [1, 2][x], TypeError, "index: .*is not a single whole number"),
        (lambda x: [1, 2][x[0, 0]], TypeError, "index: .*is not a single whole number"),
        (lambda x: range(tg.Tensor([1])), TypeError, "index"),
    ],
)
def test_many_numbers_are_not_one(f, kind, words):
    with pytest.raises(kind, match=words):
        f(variable())


@pytest.mark.parametrize(
    ("t", "text"),
    [
        (tg.Tensor([1.0, -0.33333333]), "Tensor([ 1.    , -0.3333])"),
        (tg.Tensor([1, 2]), "Tensor([1, 2])"),
        (tg.Tensor(True), "Tensor(True)"),
        (tg.Tensor(1.5, dtype="float32"), "Tensor(1.5, dtype=float32)"),
        (tg.Tensor([1.0], requires_grad=True, name="w"), "Tensor([1.], requires_grad=True, name='w')"),
        (tg.zeros((0, 3)), "Tensor([], shape=(0, 3))"),
        (tg.Tensor([1.0], requires_grad=True) * 2, "Tensor([2.])"),
        (tg.Tensor([[1.0], [2.0]]), "Tensor([[1.],\n        [2.]])"),
    ],
)
def test_printing(t, text):
    assert repr(t) == str(t) == f"{t}" == text


def test_printing_many_numbers_is_short():
    assert len(repr(tg.zeros((100, 100)))) < 400
