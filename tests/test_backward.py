"""The reverse walk: what collects where, what stays, and what a failure leaves behind."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.backward import unbroadcast


def variable(value, **settings):
    return tg.Tensor(value, requires_grad=True, **settings)


# --------------------------------------------------------------------------------- what is collected


def test_gradients_add_up_over_uses_and_over_calls():
    x = variable([1.0, 2.0])
    loss = (x * x).sum() + x.sum()
    loss.backward()
    np.testing.assert_array_equal(x.grad.data, [3, 5])
    loss.backward()
    np.testing.assert_array_equal(x.grad.data, [6, 10])
    (3 * x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [9, 13])


def test_an_earlier_gradient_object_does_not_change_when_more_is_added():
    x = variable([1.0, 2.0])
    x.sum().backward()
    first = x.grad
    x.sum().backward()
    np.testing.assert_array_equal(first.data, [1, 1])
    np.testing.assert_array_equal(x.grad.data, [2, 2])


def test_a_leaf_is_its_own_gradient():
    x = variable(2.0)
    x.backward()
    assert x.grad.item() == 1
    y = variable([1.0, 2.0])
    y.backward([3.0, 4.0])
    np.testing.assert_array_equal(y.grad.data, [3, 4])


def test_inner_results_keep_nothing_unless_asked():
    x = variable([1.0, 2.0])
    kept, dropped = x * 2, x * 3
    assert kept.retain_grad() is kept
    (kept * dropped).sum().backward()
    np.testing.assert_array_equal(kept.grad.data, dropped.data)
    assert dropped.grad is None
    np.testing.assert_array_equal(x.grad.data, [12, 24])


def test_an_output_asked_to_keep_its_gradient_keeps_it():
    x = variable([1.0, 2.0])
    y = (x * 2).retain_grad()
    y.backward([1.0, 10.0])
    np.testing.assert_array_equal(y.grad.data, [1, 10])
    np.testing.assert_array_equal(x.grad.data, [2, 20])


def test_asking_a_leaf_to_keep_its_gradient_changes_nothing():
    x = variable(1.0).retain_grad()
    (x * 2).backward()
    assert x.grad.item() == 2


def test_constants_get_no_gradient():
    x, c = variable([1.0]), tg.Tensor([2.0])
    (x * c).sum().backward()
    assert c.grad is None


def test_a_leaf_that_no_longer_wants_a_gradient_gets_none():
    x, w = variable([1.0]), variable([2.0])
    loss = (x * w).sum()
    x.requires_grad = False
    loss.backward()
    assert x.grad is None
    np.testing.assert_array_equal(w.grad.data, [1])


def test_gradients_are_never_shared():
    a, b, g = variable([1.0, 2.0]), variable([3.0, 4.0]), np.array([5.0, 6.0])
    y = (a + b).retain_grad()
    y.backward(g)
    arrays = [t.grad.data for t in (a, b, y)]
    for i, x in enumerate(arrays):
        assert not any(np.shares_memory(x, other) for other in [*arrays[:i], g, a.data, b.data])
    g[:] = 0
    for x in arrays:
        np.testing.assert_array_equal(x, [5, 6])


def test_gradients_are_whole_arrays_and_no_views_of_repeated_entries():
    x = variable(np.ones((2, 3)))
    x.sum().backward()
    assert x.grad.data.strides == (24, 8)


def test_a_gradient_may_be_of_any_kind_of_number():
    for gradient in ([1, 2], (1.0, 2.0), np.array([1, 2], np.float32), tg.Tensor([1, 2])):
        x = variable([1.0, 1.0])
        (x * 3).backward(gradient)
        np.testing.assert_array_equal(x.grad.data, [3, 6])
        assert x.grad.dtype == np.float64


def test_backward_under_no_grad_walks_what_was_recorded():
    x = variable([1.0, 2.0])
    loss = (x * x).sum()
    with tg.no_grad():
        loss.backward()
    np.testing.assert_array_equal(x.grad.data, [2, 4])
    assert not x.grad.requires_grad


# ------------------------------------------------------------------------------------------- dtypes


def test_each_leaf_gets_its_own_dtype():
    a, b = variable([1.0, 2.0], dtype="float32"), variable([3.0, 4.0])
    (a * b).sum().backward()
    assert (a.grad.dtype, b.grad.dtype) == (np.float32, np.float64)
    a.sum().backward()
    assert a.grad.dtype == np.float32


@pytest.mark.parametrize("value", [1.5, [1.5], [[1.5, 2.5]]])
def test_python_numbers_do_not_widen_float32(value):
    x = variable(value, dtype="float32")
    loss = ((2 * x + 1.0) / 3 - 0.5) ** 2
    assert loss.dtype == np.float32
    loss.sum().backward()
    assert x.grad.dtype == np.float32


def test_a_given_gradient_takes_the_dtype_of_what_it_belongs_to():
    x = variable([1.0, 2.0], dtype="float32")
    y = (x * 2).retain_grad()
    y.backward(np.ones(2))
    x.backward(np.ones(2))
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float32)


# -------------------------------------------------------------------------------- undone broadcasting


@pytest.mark.parametrize(
    ("g", "shape"),
    [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 3), (1, 1)), ((2, 3), ()), ((4, 2, 3), (2, 1)), ((0, 3), (3,)), ((2, 0), (2, 1))],
)
def test_unbroadcast_sums_over_what_was_repeated(g, shape, rng):
    values = rng.normal(size=g)
    found = unbroadcast(values, shape)
    assert np.shape(found) == shape
    weight = rng.normal(size=shape)
    assert np.sum(found * weight) == pytest.approx(np.sum(values * np.broadcast_to(weight, g)))


@pytest.mark.parametrize(("g", "shape"), [((2,), (3,)), ((), (3,)), ((3,), (2, 3)), ((2, 3), (2,)), ((1,), (3,))])
def test_unbroadcast_refuses_what_no_broadcasting_gives(g, shape):
    with pytest.raises(ValueError, match="rule of an op returned a gradient of shape"):
        unbroadcast(np.zeros(g), shape)


# --------------------------------------------------------------------------------- rules that misbehave


@pytest.fixture
def op_with_rule(own_ops):
    """Makes an op x ↦ 2x with a rule of the test's own."""

    def make(rule):
        @tg.op()
        def doubled_for_a_test(x):
            return x * 2

        doubled_for_a_test.defvjp(rule)
        return doubled_for_a_test

    return make


def test_a_rule_of_the_wrong_shape_is_named(op_with_rule):
    op = op_with_rule(lambda g, out, x: np.ones(5))
    with pytest.raises(ValueError, match=r"rule of doubled_for_a_test returned a gradient of shape \(5,\) for an input of shape \(2,\)"):
        op(variable([1.0, 2.0])).sum().backward()


def test_a_rule_may_return_a_plain_number_for_a_single_one(op_with_rule):
    x = variable(1.0)
    op_with_rule(lambda g, out, x: 2.0)(x).backward()
    assert x.grad.item() == 2


def test_a_rule_that_returns_none_adds_nothing(op_with_rule):
    op = op_with_rule(lambda g, out, x: None)
    x = variable([1.0, 2.0])
    (op(x) + 3 * x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [3, 3])


def test_a_failed_walk_leaves_every_gradient_as_it_was(op_with_rule):
    def fail(g, out, x):
        raise KeyError("broken on purpose")

    a, b = variable([1.0, 2.0]), variable([3.0, 4.0])
    (a * b).sum().backward()
    before = [a.grad, b.grad]
    with pytest.raises(KeyError, match="on purpose"):
        (b * 2 + op_with_rule(fail)(a)).sum().backward()
    assert a.grad is before[0]
    assert b.grad is before[1]
    np.testing.assert_array_equal(a.grad.data, [3, 4])


def test_a_wrong_gradient_leaves_every_gradient_as_it_was():
    x = variable([1.0, 2.0])
    y = x * 2
    for wrong in ([1.0], np.ones((2, 2)), 1.0):
        with pytest.raises(ValueError, match=r"gradient has shape .* \(2,\); they must be equal"):
            y.backward(wrong)
    assert x.grad is None


def test_rules_raise_no_warnings_of_zero_divided_by_zero():
    x = variable([0.0, 1.0])
    (tg.sqrt(x) * [0.0, 1.0]).sum().backward()  # 0/0 in the rule of sqrt; warnings are errors here
    np.testing.assert_array_equal(x.grad.data, [0, 0.5])  # what is multiplied by 0 plays no part


UNSAFE = {
    "sqrt": (tg.sqrt, 0.0), "log": (tg.log, 0.0), "log1p": (tg.log1p, -1.0), "reciprocal": (tg.reciprocal, 0.0), "rsqrt": (tg.rsqrt, 0.0),
    "cbrt": (tg.cbrt, 0.0), "arcsin": (tg.arcsin, 1.0), "arctanh": (tg.arctanh, -1.0), "arccosh": (tg.arccosh, 1.0), "exp": (tg.exp, 1000.0),
    "sinh": (tg.sinh, 1000.0), "log of -1": (tg.log, -1.0), "nan": (tg.exp, np.nan), "1/x": (lambda x: 1 / x, 0.0), "x/x": (lambda x: x / x, 0.0),
    "x**-2": (lambda x: x**-2, 0.0), "x**0.5": (lambda x: x**0.5, 0.0), "√(2x)·3": (lambda x: 3 * tg.sqrt(2 * x), 0.0),
}  # fmt: skip


@pytest.mark.parametrize(("f", "bad"), UNSAFE.values(), ids=UNSAFE)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the forward's own
def test_a_branch_that_where_does_not_choose_has_no_gradient_of_any_order(f, bad, mode):
    def both(x, safe):
        x.grad = None
        y = tg.where(safe, f(x), 3 * x)
        slope = tg.grad(y.sum(), x, create_graph=True)
        curvature = tg.grad(slope.sum(), x)
        y.sum().backward()
        return slope, curvature

    for values in ([bad, 0.5], [[0.5], [bad]], bad):
        x = tg.Tensor(values, requires_grad=True)
        safe = np.equal(x.data, 0.5)
        slope, curvature = mode.replayed(both)(x, safe)
        single = tg.Tensor(0.5, requires_grad=True)
        first = tg.grad(f(single), single, create_graph=True)
        second = tg.grad(first, single)
        np.testing.assert_allclose(slope.data, np.where(safe, first.data, 3), rtol=1e-14)
        np.testing.assert_allclose(curvature.data, np.where(safe, second.data, 0), rtol=1e-14)
        np.testing.assert_array_equal(x.grad.data, slope.data)


def test_a_gradient_that_is_not_0_meets_an_infinite_slope(mode):
    x = tg.Tensor([0.0, 4.0], requires_grad=True)
    np.testing.assert_array_equal(mode.replayed(lambda x: tg.grad(tg.sqrt(x).sum(), x))(x).data, [np.inf, 0.25])
    np.testing.assert_array_equal(mode.replayed(tg.jacobian(tg.sqrt))(x).data, [[np.inf, 0], [0, 0.25]])
    along = mode.replayed(lambda x, t: tg.jvp(tg.sqrt, (x,), (t,))[1])
    np.testing.assert_array_equal(along(x, np.array([1.0, 1.0])).data, [np.inf, 0.25])
    np.testing.assert_array_equal(along(x, np.array([0.0, 1.0])).data, [0, 0.25])
    slope = mode.replayed(lambda x: tg.grad(tg.sqrt(x * x).sum(), x))(x)
    assert np.isnan(slope.data[0])  # ∞ times the slope 0 of x² is neither


def test_second_derivatives_where_the_first_gradient_is_0(mode):
    def both(x):
        f = (tg.where(tg.greater(x, 0), tg.sqrt(x), 1.0) - 1) ** 2  # its slope at 1 is 0, and its curvature 2·(1/2)²
        slope = tg.grad(f.sum(), x, create_graph=True)
        return slope, tg.grad(slope.sum(), x)

    slope, curvature = mode.replayed(both)(tg.Tensor([0.0, 1.0], requires_grad=True))
    np.testing.assert_array_equal(slope.data, [0, 0])
    np.testing.assert_array_equal(curvature.data, [0, 0.5])


def test_nan_is_seen_in_a_gradient_that_is_a_view():
    x = tg.Tensor([[0.0, 1.0], [4.0, 0.0]], requires_grad=True)
    t = x.T
    assert tg.grad(tg.where(t > 0, tg.sqrt(t), 0).sum(), x).tolist() == [[0, 0.5], [0.25, 0]]
    total = (x - 1.25).sum()  # 0, and its gradient is one number repeated
    assert tg.grad(tg.where(total > 0, tg.sqrt(total), 0), x).tolist() == [[0, 0], [0, 0]]


LINES = {
    "softmax": (lambda x: tg.softmax(x), [-np.inf] * 3),
    "log_softmax": (lambda x: tg.log_softmax(x), [-np.inf] * 3),
    "layer_norm": (lambda x: tg.layer_norm(x, 3), [np.nan, 0.0, 1.0]),
    "var": (lambda x: tg.var(x, axis=-1, keepdims=True), [np.inf, 0.0, 1.0]),
    "norm": (lambda x: tg.linalg.vector_norm(x, axis=-1, keepdims=True, ord=3), [np.nan, 0.0, 1.0]),
    "prod": (lambda x: tg.expand_dims(tg.prod(x, axis=1), axis=1), [np.inf, 0.0, 1.0]),
    "cumsum of log": (lambda x: tg.cumsum(tg.log(x), axis=-1), [0.0, -1.0, 1.0]),
}


@pytest.mark.parametrize(("f", "bad"), LINES.values(), ids=LINES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the forward's own
def test_a_line_that_where_does_not_choose_has_no_gradient_either(f, bad, mode):
    def both(x, chosen, other):
        y = tg.where(chosen, f(x), other)
        slope = tg.grad((y * y).sum(), x, create_graph=True)
        return slope, tg.grad(slope[0, 1], x)

    good = [1.0, 2.0, 4.0]
    x, alone = variable([good, bad]), variable([good])
    for other in (0, -1):
        slope, second = mode.replayed(both)(x, np.array([[True], [False]]), other)
        first, expected = both(alone, [[True]], other)
        np.testing.assert_allclose(slope.data, [first.data[0], [0, 0, 0]], rtol=1e-12)
        np.testing.assert_allclose(second.data, [expected.data[0], [0, 0, 0]], rtol=1e-12, atol=1e-15)
