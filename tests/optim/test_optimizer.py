"""What all optimisers share: parameters, order of calls, errors, graphs that keep the old value."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.optim import SGD


def parameter():
    return tg.Tensor([1.0, 2.0], requires_grad=True)


def test_minimize_takes_a_loss_or_a_function_and_returns_the_loss():
    w = parameter()
    opt = SGD([w], lr=0.25)
    assert opt.minimize((w * w).sum()).item() == 5.0
    assert opt.minimize((w * w).sum).item() == 1.25
    np.testing.assert_allclose(w.data, [0.25, 0.5])


def test_minimize_forgets_gradients_from_before():
    w = parameter()
    w.sum().backward()
    SGD([w], lr=1.0).minimize(w.sum())
    np.testing.assert_array_equal(w.data, [0.0, 1.0])


def test_step_before_backward_is_an_error():
    with pytest.raises(RuntimeError, match=r"SGD.step: no parameter has a gradient. Call loss.backward\(\)"):
        SGD([parameter()], lr=0.1).step()


def test_a_parameter_without_gradient_stays():
    used, unused = parameter(), parameter()
    SGD([used, unused], lr=0.1).minimize(used.sum())
    np.testing.assert_array_equal(unused.data, [1.0, 2.0])
    assert (used.data != [1.0, 2.0]).all()


def test_a_recorded_graph_keeps_the_value_from_before_the_step():
    w = parameter()
    loss = (w**3).sum()
    SGD([w], lr=0.1).minimize((w * w).sum())
    w.grad = None
    loss.backward()
    np.testing.assert_allclose(w.grad.data, [3.0, 12.0])


def test_an_array_that_the_user_holds_does_not_change():
    w = parameter()
    held = w.data
    SGD([w], lr=0.1).minimize((w * w).sum())
    np.testing.assert_array_equal(held, [1.0, 2.0])


def test_the_learning_rate_may_be_changed_between_steps():
    w = parameter()
    opt = SGD([w], lr=0.1)
    opt.minimize(w.sum())
    opt.lr = 1.0
    opt.minimize(w.sum())
    np.testing.assert_allclose(w.data, [-0.1, 0.9])


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        (lambda w: w, TypeError, r"takes a list of parameters; for one Tensor write \[w\]"),
        (lambda w: [], ValueError, "got no parameters"),
        (lambda w: [w, w], ValueError, "got a parameter twice"),
        (lambda w: [w * 2], TypeError, "parameter 0 is .* must be a leaf Tensor with requires_grad=True"),
        (lambda w: [w, w.detach()], TypeError, "parameter 1"),
        (lambda w: [np.ones(2)], TypeError, "parameter 0"),
    ],
)
def test_parameters_are_checked(params, error, words):
    with pytest.raises(error, match=words):
        SGD(params(parameter()), lr=0.1)


@pytest.mark.parametrize("kind", [lambda p: SGD(p, 0.1, momentum=0.9), lambda p: tg.optim.Adam(p, 0.1)])
def test_a_parameter_keeps_its_dtype(kind):
    w = tg.Tensor([1.0, 2.0], requires_grad=True, dtype="float32")
    opt = kind([w])
    opt.lr = np.float64(0.05)
    opt.minimize((w * w).sum())
    assert w.dtype == np.float32
    w.grad = w.grad * np.float64(0.5)
    assert w.grad.dtype == np.float32


def test_a_model_turned_to_float32_after_the_optimiser_was_made():
    layer = tg.nn.Linear(2, 2, rng=0)
    opt = tg.optim.Adam(layer.parameters(), 0.1)
    layer.astype("float32")
    opt.minimize(layer(tg.ones((1, 2), dtype="float32")).sum())
    assert {p.dtype for p in layer.parameters()} == {np.dtype("float32")}


@pytest.mark.parametrize(("bad", "error"), [(float("nan"), ValueError), (-1.0, ValueError), ("x", TypeError), (np.ones(2), TypeError)])
def test_a_bad_learning_rate_is_refused_also_later(bad, error):
    opt = SGD([parameter()], lr=0.1)
    with pytest.raises(error, match="SGD: lr is"):
        opt.lr = bad
    assert opt.lr == 0.1


def test_adam_counts_the_steps_of_each_parameter():
    early, late = parameter(), parameter()
    opt = tg.optim.Adam([early, late], lr=0.1)
    for _ in range(500):
        opt.minimize(early.sum())
    opt.minimize(late.sum())
    np.testing.assert_allclose(late.data, [0.9, 1.9], atol=1e-6)


def test_momentum_may_be_switched_on_later():
    w = parameter()
    opt = SGD([w], lr=0.1)
    opt.minimize(w.sum())
    opt.momentum = 0.9
    for _ in range(2):
        opt.minimize(w.sum())
    np.testing.assert_allclose(w.data, [1 - 0.1 - 0.1 - 0.19, 2 - 0.1 - 0.1 - 0.19])


def test_a_function_that_returns_no_loss_says_so():
    with pytest.raises(TypeError, match=r"SGD.minimize: the function returned a float"):
        SGD([parameter()], lr=0.1).minimize(lambda: 1.0)
