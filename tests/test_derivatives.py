"""Derivatives on demand: against formulas, of any order, and of functions of several arguments."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.backward import recall
from tinygrad_reg.derivatives import unchanging

A = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0], [4.0, 0.0, -2.0]])
X = np.array([1.0, 2.0, -3.0])


def variable(value, **settings):
    return tg.Tensor(value, requires_grad=True, **settings)


def quadratic(x):
    """xᵀ·A·x, with gradient (A + Aᵀ)·x and Hessian A + Aᵀ."""
    return x @ A @ x


# --------------------------------------------------------------------------------------------- grad


def test_grad_touches_nobodys_grad():
    x = variable(X)
    loss = quadratic(x)
    np.testing.assert_allclose(tg.grad(loss, x).data, (A + A.T) @ X)
    assert x.grad is None
    loss.backward()
    tg.grad(loss, x)
    np.testing.assert_allclose(x.grad.data, (A + A.T) @ X)


def test_one_input_gives_a_tensor_and_a_sequence_a_tuple():
    x, y = variable(2.0), variable(3.0)
    loss = x * y
    assert tg.grad(loss, x).item() == 3
    assert [g.item() for g in tg.grad(loss, [x, y])] == [3, 2]
    assert isinstance(tg.grad(loss, (x,)), tuple)


def test_grad_of_several_outputs_adds_up():
    x = variable([1.0, 2.0])
    assert tg.grad([x.sum(), (x * x).sum()], x).tolist() == [3, 5]
    assert tg.grad([x * 2, x.sum()], x, gradient=[np.array([1.0, 10.0]), None]).tolist() == [3, 21]
    y = x.sum()
    assert tg.grad([y, y], x).tolist() == [2, 2]


def test_grad_of_an_inner_result_and_of_the_output_itself():
    x = variable([1.0, 2.0])
    y = x * 3
    loss = (y * y).sum()
    assert tg.grad(loss, y).tolist() == [6, 12]
    assert [g.tolist() for g in tg.grad(loss, [y, x])] == [[6, 12], [18, 36]]
    assert tg.grad(loss, loss).item() == 1
    assert y.grad is None


def test_an_input_without_a_part_has_gradient_zero():
    x, y = variable([1.0, 2.0]), variable(np.ones((2, 2)), dtype="float32")
    found = tg.grad(x.sum(), y)
    np.testing.assert_array_equal(found.data, np.zeros((2, 2)))
    assert found.dtype == np.float32
    assert tg.grad(tg.sign(x).sum(), x).tolist() == [0, 0]


def test_gradients_are_constants_unless_the_graph_is_asked_for():
    x = variable(X)
    assert not tg.grad(quadratic(x), x).requires_grad
    assert tg.grad(quadratic(x), x, create_graph=True).requires_grad


def test_grad_records_also_under_no_grad():
    x = variable(2.0)
    y = x**3
    with tg.no_grad():
        slope = tg.grad(y, x, create_graph=True)
    assert tg.grad(slope, x).item() == 12


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_derivatives_of_any_order(order, mode):
    @mode.replayed
    def derivative(x):
        found = tg.exp(2 * x)
        for _ in range(order):
            found = tg.grad(found.sum(), x, create_graph=True)
        return found

    x = variable([0.3, -0.7])
    np.testing.assert_allclose(derivative(x).data, 2.0**order * np.exp(2 * x.data), rtol=1e-12)


@pytest.mark.parametrize("f", [lambda x: x, lambda x: 3 * x, tg.relu, tg.sign, lambda x: x.sum(), lambda x: tg.where(x > 0, x, 0)])
def test_where_the_slope_is_constant_the_second_derivative_is_zero(f, mode):
    @mode.replayed
    def higher(x):
        first = tg.grad(f(x).sum(), x, create_graph=True)
        second = tg.grad(first.sum(), x, create_graph=True)
        return second, tg.grad(second.sum(), x)

    assert [found.tolist() for found in higher(variable([1.0, -2.0]))] == [[0, 0], [0, 0]]


def test_a_gradient_penalty(mode):
    w, x = variable([0.5, -1.0]), variable([2.0, 3.0])

    def step():
        w.grad = None
        slope = tg.grad(tg.tanh(w * x).sum(), x, create_graph=True)
        (slope * slope).sum().backward()

    mode.replayed(step)()
    t = np.tanh(w.data * x.data)
    expected = 2 * w.data * (1 - t**2) ** 2 + w.data**2 * 2 * (1 - t**2) * (-2 * t * (1 - t**2) * x.data)
    np.testing.assert_allclose(w.grad.data, expected, rtol=1e-12)


# ---------------------------------------------------------------------------- value_and_grad, vjp, jvp


def test_value_and_grad_of_chosen_arguments():
    def f(a, b, scale=1.0):
        return (a * b * scale).sum()

    a, b = tg.Tensor([1.0, 2.0]), tg.Tensor([3.0, 4.0])
    value, slope = tg.value_and_grad(f)(a, b)
    assert (value.item(), slope.tolist()) == (11, [3, 4])
    assert tg.value_and_grad(f, argnums=1)(a, b)[1].tolist() == [1, 2]
    assert tg.value_and_grad(f, argnums=-1)(a, b, scale=2.0)[1].tolist() == [2, 4]
    assert [g.tolist() for g in tg.value_and_grad(f, argnums=(0, 1))(a, b)[1]] == [[3, 4], [1, 2]]
    assert a.grad is None


def test_value_and_grad_keeps_the_name_of_the_function_and_takes_arrays():
    def energy(x):
        """Half of Σx²."""
        return 0.5 * (x * x).sum()

    both = tg.value_and_grad(energy)
    assert (both.__name__, both.__doc__) == ("energy", "Half of Σx².")
    assert both(np.array([1.0, 3.0]))[1].tolist() == [1, 3]


def test_vjp_pulls_gradients_back():
    value, pull = tg.vjp(lambda x, y: tg.concat([x * y, x]), X, 2.0)
    g = np.arange(6.0)
    gx, gy = pull(g)
    np.testing.assert_allclose(value.data, [*(X * 2), *X])
    np.testing.assert_allclose(gx.data, 2 * g[:3] + g[3:])
    np.testing.assert_allclose(gy.data, X @ g[:3])
    assert pull(tg.Tensor(2 * g))[1].item() == 2 * gy.item()


def test_jvp_is_the_slope_along_tangents(mode):
    value, slope = mode.replayed(lambda x, y: tg.jvp(lambda x, y: A @ x * y, (x, y), ([1.0, 0.0, 2.0], 0.5)))(X, 2.0)
    np.testing.assert_allclose(value.data, A @ X * 2)
    np.testing.assert_allclose(slope.data, A @ [1.0, 0.0, 2.0] * 2 + A @ X * 0.5)
    _, flat = tg.jvp(lambda x, y: tg.sign(x) + 0 * y, (X, 1.0), (X, 1.0))
    np.testing.assert_array_equal(flat.data, 0)


# ------------------------------------------------------------------------------- Jacobians and Hessians


def test_jacobian_of_one_and_of_several_arguments(mode):
    np.testing.assert_allclose(tg.jacobian(lambda x: A @ x, X).data, A)
    np.testing.assert_allclose(mode.replayed(tg.jacobian(lambda x: A @ x))(X).data, A)
    in_x, in_m = mode.replayed(tg.jacobian(lambda x, m: m @ x))(X, A)
    np.testing.assert_allclose(in_x.data, A)
    np.testing.assert_allclose(in_m.data, np.einsum("ij,k->ijk", np.eye(3), X))


def test_jacobian_shapes_also_of_single_numbers_and_of_nothing():
    assert tg.jacobian(lambda x: x * x, 3.0).item() == 6
    assert tg.jacobian(lambda x: x.sum(), np.ones((2, 3))).shape == (2, 3)
    assert tg.jacobian(lambda x: x * 2, np.ones((0, 2))).shape == (0, 2, 0, 2)
    assert tg.jacobian(lambda x: x[:0], np.ones(3)).shape == (0, 3)


def test_hessian_is_symmetric_and_right(mode):
    np.testing.assert_allclose(tg.hessian(quadratic, X).data, A + A.T)
    np.testing.assert_allclose(mode.replayed(tg.hessian(quadratic))(X).data, A + A.T)
    found = mode.replayed(tg.hessian(tg.logsumexp))(X).data
    p = np.exp(X) / np.exp(X).sum()
    np.testing.assert_allclose(found, np.diag(p) - np.outer(p, p), atol=1e-15)
    np.testing.assert_allclose(found, found.T, atol=1e-15)


def test_hessian_blocks_of_several_arguments(mode):
    (aa, ab), (ba, bb) = mode.replayed(tg.hessian(lambda a, b: (a * a).sum() * b))(X, np.float64(2.0))
    np.testing.assert_allclose(aa.data, 4 * np.eye(3))
    np.testing.assert_allclose(ab.data, 2 * X)
    np.testing.assert_allclose(ba.data, 2 * X)
    assert bb.item() == 0


def test_hvp_is_the_hessian_times_a_vector(mode):
    v = np.array([1.0, -1.0, 2.0])
    np.testing.assert_allclose(mode.replayed(lambda x, v: tg.hvp(quadratic, x, v))(X, v).data, (A + A.T) @ v)
    np.testing.assert_array_equal(mode.replayed(lambda x, v: tg.hvp(lambda x: x.sum(), x, v))(X, v).data, 0)


def test_a_jacobian_can_be_differentiated(mode):
    slope = mode.replayed(lambda x: tg.grad(tg.jacobian(lambda x: x**3, x, create_graph=True).sum(), x))(variable(X))
    np.testing.assert_allclose(slope.data, 6 * X)


def test_the_partial_derivative_is_by_the_argument_also_where_a_closure_uses_the_same_tensor():
    x = variable(3.0)
    assert tg.jacobian(lambda a: a * x, x).item() == 3
    assert tg.value_and_grad(lambda a: a * a * x)(x)[1].item() == 18


# ------------------------------------------------------------------------------ the ops behind the scenes


def test_recall_gives_the_setting_and_sends_the_gradient_to_the_parameter():
    x = variable([1.0, 2.0])
    y = recall(x, value=np.array([5.0, 6.0]))
    assert y.tolist() == [5, 6]
    assert tg.grad((y * y).sum(), x).tolist() == [10, 12]
    first = tg.grad((y * y).sum(), x, create_graph=True)
    assert tg.grad(first.sum(), x).tolist() == [2, 2]


def test_unchanging_is_its_first_argument_and_knows_nothing_of_the_second():
    value, x = variable([1.0, 2.0]), variable([3.0, 4.0])
    y = unchanging(value, x)
    assert y.tolist() == [1, 2]
    assert [g.tolist() for g in tg.grad((y * y).sum(), [value, x])] == [[2, 4], [0, 0]]
