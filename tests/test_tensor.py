"""Tensor: its value, what may change it, and its gradient's bookkeeping."""

import copy
import pickle

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given

import tinygrad_reg as tg


def variable(value, **settings):
    return tg.Tensor(value, requires_grad=True, **settings)


# ------------------------------------------------------------------------------------------- making


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, "float64"),
        (1, "int64"),
        (True, "bool"),
        ([1.0, 2], "float64"),
        ([[1, 2], [3, 4]], "int64"),
        (np.float32(1), "float32"),
        (np.zeros(2, np.float32), "float32"),
        (np.zeros(2, np.uint8), "uint8"),
        ([], "float64"),
    ],
)
def test_the_dtype_is_that_of_the_data(data, dtype):
    assert tg.Tensor(data).dtype == dtype
    assert tg.Tensor(data, dtype="float32").dtype == "float32"


@given(hnp.arrays(hnp.floating_dtypes(sizes=(32, 64), endianness="="), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)))
def test_shape_size_and_values_are_the_arrays(array):
    t = tg.Tensor(array)
    assert (t.shape, t.ndim, t.size, t.dtype) == (array.shape, array.ndim, array.size, array.dtype)
    np.testing.assert_array_equal(t.data, array)
    np.testing.assert_array_equal(t.numpy(), array)
    assert np.array_equal(t.tolist(), array.tolist(), equal_nan=True)


def test_data_is_copied_and_asarray_does_not():
    array = np.array([1.0, 2.0])
    copied, shared = tg.tensor(array), tg.asarray(array)
    assert not np.shares_memory(copied.data, array)
    assert np.shares_memory(shared.data, array)
    assert array.flags.writeable
    array[0] = 5
    assert copied.tolist() == [1, 2]


def test_asarray_returns_a_tensor_as_it_is():
    t = variable([1.0])
    assert tg.asarray(t) is t
    assert tg.asarray(t, dtype="float64") is t
    assert tg.asarray(t, dtype="float32").dtype == "float32"


def test_lists_of_tensors_make_a_tensor_if_no_gradient_gets_lost():
    assert tg.Tensor([tg.Tensor(1.0), 2.0, [3.0][0]]).tolist() == [1, 2, 3]
    assert tg.Tensor([[tg.Tensor(1.0)], (2.0,)]).tolist() == [[1], [2]]
    for items in ([variable(1.0), 2.0], [[variable(1.0)], [2.0]], (2.0, variable(1.0))):
        with pytest.raises(TypeError, match=r"stands in a list and requires a gradient.*tg\.stack or tg\.concat"):
            tg.Tensor(items)


# ------------------------------------------------------------------------------------------- the value


@pytest.mark.parametrize("kind", ["array", "single number", "result", "shared"])
def test_the_value_is_read_only(kind):
    t = {"array": tg.Tensor([1.0]), "single number": tg.Tensor(1.0), "result": tg.Tensor([1.0]) * 2, "shared": tg.asarray(np.ones(1))}[kind]
    with pytest.raises(ValueError, match="read-only"):
        t.data[...] = 5.0


def test_items_are_set_as_in_numpy():
    x, expected = tg.zeros((3, 4)), np.zeros((3, 4))
    for key, value in ((0, 1.0), ((1, slice(2, None)), [5.0, 6.0]), (expected > 9, -1.0), (([0, 2], [3, 3]), 7.0), (..., 2.0), (0, 3)):
        x[key] = tg.asarray(value) if isinstance(value, list) else value
        expected[key] = value
        np.testing.assert_array_equal(x.data, expected)
    x[0, 0] += 0.5
    assert x[0, 0].item() == 3.5
    half = tg.ones(2, dtype="float32")
    half[0] = np.float64(2.0)
    assert half.dtype == np.float32


def test_an_item_that_is_set_shows_in_no_other_tensor_and_no_array():
    source = np.zeros(2)
    x = tg.asarray(source)
    row, copy = x[:1], x * 1
    x[0] = 5.0
    assert (row.tolist(), copy.tolist(), source.tolist()) == ([0.0], [0.0, 0.0], [0.0, 0.0])


def test_setting_an_item_of_a_leaf_leaves_recorded_gradients_right():
    w = tg.Tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    with tg.no_grad():
        w[0] = 10.0
    loss.backward()
    np.testing.assert_array_equal(w.grad.data, [2.0, 4.0])


def test_setting_items_never_loses_a_gradient():
    w = tg.Tensor([1.0, 2.0], requires_grad=True, name="w")
    x = tg.zeros(2)
    for target, value, text in ((w, 1.0, "requires a gradient.*no_grad"), (w * 2, 1.0, "result of multiply"), (x, w[0], "would be lost.*index_set")):
        before = target.tolist()
        with pytest.raises(RuntimeError, match=text):
            target[0] = value
        assert target.tolist() == before
    with pytest.raises(TypeError, match="cannot take float64 values"):
        tg.arange(3)[0] = 1.5
    with pytest.raises(IndexError, match="out of bounds"):
        x[5] = 1.0
    with pytest.raises(ValueError, match="broadcast"):
        x[0] = [1.0, 2.0]


def test_numpy_gives_a_copy_to_do_with_as_one_likes():
    t = tg.Tensor([1.0, 2.0])
    t.numpy()[:] = 5
    assert t.tolist() == [1, 2]


def test_a_leaf_takes_a_new_value():
    w = variable([1.0, 2.0], dtype="float32")
    new = np.array([3.0, 4.0])
    assert w.assign(new) is w
    new[:] = 0
    assert w.tolist() == [3, 4]
    assert w.dtype == np.float32
    w.data = tg.Tensor([5, 6])
    assert w.tolist() == [5, 6]
    assert w.requires_grad


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        ([1.0, 2.0, 3.0], ValueError, r"assign: .*'weight' cannot take a value of shape \(3,\); the shapes must be equal"),
        (1.0, ValueError, r"assign: .*shape \(\)"),
        ([1j, 2j], TypeError, r"assign: .*cannot take complex128 values; .*astype\('float64'\)"),
        (["a", "b"], TypeError, "a Tensor holds numbers, not list"),
        (None, TypeError, "a Tensor holds numbers, not NoneType"),
    ],
)
def test_a_failed_assignment_leaves_the_value(value, kind, words):
    w = variable([1.0, 2.0], name="weight")
    with pytest.raises(kind, match=words):
        w.assign(value)
    with pytest.raises(kind, match=words):
        w.data = value
    assert w.tolist() == [1, 2]


def test_whole_numbers_take_no_fractions():
    n = tg.Tensor([1, 2])
    with pytest.raises(TypeError, match=r"cannot take float64 values; convert them with \.astype\('int64'\)"):
        n.assign([1.5, 2.5])
    assert n.assign([3, 4]).tolist() == [3, 4]


def test_results_take_no_new_value():
    y = variable([1.0]) * 2
    with pytest.raises(RuntimeError, match="assign: .*is the result of multiply, and results do not change"):
        y.assign([3.0])


@pytest.mark.parametrize(("operator", "expected"), [("+=", 5), ("-=", 1), ("*=", 6), ("/=", 1.5), ("**=", 9)])
def test_updates_change_a_parameter_under_no_grad_only(operator, expected):
    w = before = variable([3.0], name="w")
    scope = {"w": w}
    with pytest.raises(RuntimeError, match=rf"^{operator.replace('*', '[*]').replace('+', '[+]')}: .*'w'.*while recording.*with tg.no_grad"):
        exec(f"w {operator} 2.0", scope)
    assert w.tolist() == [3]
    with tg.no_grad():
        exec(f"w {operator} 2.0", scope)
    assert scope["w"] is before
    assert w.tolist() == [expected]


def test_an_update_of_a_matrix():
    w = variable([[1.0, 2.0], [3.0, 4.0]])
    with tg.no_grad():
        w @= [[0.0, 1.0], [1.0, 0.0]]
    assert w.tolist() == [[2, 1], [4, 3]]


def test_an_update_that_would_change_the_shape_leaves_the_value():
    w = variable([1.0, 2.0])
    with tg.no_grad(), pytest.raises(ValueError, match="the shapes must be equal"):
        w += np.ones((3, 2))
    assert w.tolist() == [1, 2]


def test_an_update_of_a_constant_or_of_a_result_makes_a_new_tensor():
    x = variable([1.0])
    y = before = x * 2
    y += 1
    assert y is not before
    assert before.tolist() == [2]
    y.backward([1.0])
    assert x.grad.tolist() == [2]
    c = other = tg.Tensor([1.0])
    c += 1
    assert other.tolist() == [1]


# -------------------------------------------------------------------------------------- the gradient


def test_requires_grad_can_be_switched_for_leaves():
    x = tg.Tensor([1.0])
    assert not (x * 2).requires_grad
    x.requires_grad = True
    y = x * 2
    assert y.requires_grad
    with pytest.raises(RuntimeError, match=r"is the result of multiply; .*use \.detach\(\)"):
        y.requires_grad = False
    x.requires_grad = False
    assert not (x * 2).requires_grad


@pytest.mark.parametrize("data", [[1, 2], True, np.zeros(2, np.uint8)])
def test_only_float_data_may_require_a_gradient(data):
    with pytest.raises(TypeError, match=r"requires_grad: .*whole numbers.*Tensor\(data, dtype='float64', requires_grad=True\)"):
        variable(data)
    assert variable(data, dtype="float64").requires_grad


def test_a_gradient_can_be_set_and_cleared():
    x = variable([1.0, 2.0], name="x", dtype="float32")
    x.grad = [3, 4]
    assert isinstance(x.grad, tg.Tensor)
    assert x.grad.dtype == np.float32
    (x * 2).sum().backward()
    assert x.grad.tolist() == [5, 6]
    with pytest.raises(ValueError, match=r"grad: .*'x' cannot have a gradient of shape \(3,\)"):
        x.grad = [1.0, 2.0, 3.0]
    assert x.grad.tolist() == [5, 6]
    x.grad = None
    assert x.grad is None


def test_detach_shares_the_value_and_forgets_the_history():
    x = variable([1.0, 2.0])
    y = (x * 2).detach()
    assert not y.requires_grad
    (x * y).sum().backward()
    assert x.grad.tolist() == [2, 4]


# ------------------------------------------------------------------------------------- being an object


def test_a_new_tensor_has_no_gradient_name_or_history():
    for t in (tg.Tensor(1.0), tg.Tensor(1.0) * 2, tg.asarray(1.0)):
        assert (t.grad, t.name, t.op, t.requires_grad) == (None, None, None, False)


def test_names_can_be_given_later():
    t = tg.Tensor(1.0) * 2
    t.name = "total"
    assert t.name == "total"
    assert tg.tensor([1.0], name="w").name == "w"


def test_tensors_are_told_apart_by_identity_in_sets_and_dicts():
    a, b = tg.Tensor(1.0), tg.Tensor(1.0)
    assert len({a, b, a}) == 2
    assert {a: 1}[a] == 1


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))], ids=["copy", "deepcopy", "pickle"])
def test_leaves_can_be_copied_and_pickled(again):
    for t in (variable([1.0, 2.0], name="w"), tg.Tensor(3, dtype="float32"), tg.zeros((0, 2))):
        found = again(t)
        assert (found.tolist(), found.dtype, found.shape) == (t.tolist(), t.dtype, t.shape)
        assert (found.requires_grad, found.name, found.grad) == (t.requires_grad, t.name, None)
        assert found is not t


def test_results_cannot_be_copied_and_pickled():
    y = variable([1.0]) * 2
    for again in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(RuntimeError, match=r"is the result of multiply and hangs on its history. Use \.detach\(\) first"):
            again(y)
    assert copy.copy(y.detach()).tolist() == [2]


def test_tensor_cannot_be_subclassed():
    with pytest.raises(TypeError, match="Tensor cannot be subclassed"):
        type("Mine", (tg.Tensor,), {})
