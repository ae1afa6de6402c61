"""Values that change between recording and walking: a gradient is that of the values that were computed with."""

import numpy as np
import pytest

import tinygrad_reg as tg


def variable(value):
    return tg.Tensor(value, requires_grad=True)


def test_an_array_changed_by_its_owner_does_not_change_the_gradient():
    x, array = variable([1.0, 2.0]), np.array([3.0, 4.0])
    y = (x * array).sum()
    array[:] = 100.0
    y.backward()
    np.testing.assert_array_equal(x.grad.data, [3, 4])


@pytest.mark.parametrize("view", [lambda a: a[:], lambda a: np.broadcast_to(a, (3, 2)), lambda a: a[::-1], lambda a: a.reshape(1, 2)])
def test_a_read_only_view_of_an_array_that_changes_does_not_change_the_gradient(view):
    array = np.array([3.0, 4.0])
    seen = view(array)
    seen.flags.writeable = False
    x = variable([1.0, 2.0])
    y, expected = (x * seen).sum(), np.sum(np.atleast_2d(seen), axis=0)
    array[:] = 100.0
    y.backward()
    np.testing.assert_array_equal(x.grad.data, expected)


def test_an_array_under_a_name_of_numpy_is_as_safe():
    x, array = variable([1.0, 2.0]), np.array([3.0, 4.0])
    y = np.multiply(array, x).sum()
    array[:] = 100.0
    y.backward()
    np.testing.assert_array_equal(x.grad.data, [3, 4])


def test_new_values_of_leaves_leave_recorded_graphs_with_the_old():
    x, w = variable([1.0, 2.0]), variable([3.0, 4.0])
    loss = (x * w * w).sum()
    w.data = [30.0, 40.0]
    x.assign([10.0, 20.0])
    loss.backward()
    np.testing.assert_array_equal(x.grad.data, [9, 16])
    np.testing.assert_array_equal(w.grad.data, [6, 16])
    np.testing.assert_array_equal(w.data, [30, 40])


def test_new_values_leave_recorded_graphs_with_the_old_also_at_second_order():
    w = variable([3.0, 4.0])
    loss = (w**3).sum()
    w.data = [30.0, 40.0]
    first = tg.grad(loss, w, create_graph=True)
    np.testing.assert_array_equal(first.data, [27, 48])
    w.data = [300.0, 400.0]
    np.testing.assert_array_equal(tg.grad(first.sum(), w).data, [18, 24])
    np.testing.assert_array_equal(w.data, [300, 400])


def test_a_constant_that_changes_between_recording_and_walking_keeps_its_old_value_at_second_order():
    x, c = variable([3.0, 4.0]), tg.Tensor([2.0, 3.0])
    loss = (x * x * c).sum()
    c.assign([20.0, 30.0])
    first = tg.grad(loss, x, create_graph=True)
    np.testing.assert_array_equal(first.data, [12, 24])
    np.testing.assert_array_equal(tg.grad(first.sum(), x).data, [4, 6])
