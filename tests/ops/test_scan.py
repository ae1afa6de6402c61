"""Running sums, products and extremes, differences and areas: zeros, ties, NaN, and sizes at which naive formulas fail."""

import numpy as np
import pytest

import tinygrad_reg as tg


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


def slope(f, values):
    """The gradient of Σ f(x)."""
    out = f(x := leaf(values))
    return tg.grad(out, x, np.ones(out.shape)).tolist()


def hessian_of_sum(f, values):
    return tg.hessian(lambda x: f(x).sum(), leaf(values)).data


def products_by_hand(x):
    """First and second derivatives of Σ cumprod(x), multiplied out."""
    n = len(x)
    first, second = np.zeros(n), np.zeros((n, n))
    for end in range(1, n + 1):
        for i in range(end):
            first[i] += np.prod(np.delete(x[:end], i))
            for k in range(end):
                if k != i:
                    second[i, k] += np.prod(np.delete(x[:end], [i, k]))
    return first, second


@pytest.mark.parametrize("x", [[2.0, 3.0, 4.0, 5.0], [2.0, 0.0, 4.0, 5.0], [0.0, 3.0, 0.0, 5.0], [0.0, 0.0, 0.0, 1.0], [-1.0, 0.5, 0.0, -0.0]])
def test_products_with_zeros_have_the_right_derivatives_of_both_orders(x):
    first, second = products_by_hand(np.array(x))
    np.testing.assert_allclose(slope(tg.cumprod, x), first, atol=1e-15)
    np.testing.assert_allclose(hessian_of_sum(tg.cumprod, x), second, atol=1e-15)


def test_products_longer_than_a_block():
    x = np.random.default_rng(0).uniform(0.8, 1.2, 130)
    x[[40, 90]] = 0.0
    np.testing.assert_allclose(slope(tg.cumprod, x), products_by_hand(x)[0], rtol=1e-11, atol=1e-14)


def test_products_that_overflow_before_a_zero_keep_their_gradient():
    assert slope(tg.cumprod, [0.0, 1e200, 1e200]) == [np.inf, 0, 0]
    assert slope(lambda x: tg.cumprod(x)[:2], [0.0, 1e200, 1e200]) == [1e200 + 1, 0, 0]


@pytest.mark.parametrize("n", [0, 1, 2, 63, 64, 65, 100, 1000])
def test_a_recurrence_of_any_length_is_the_loop(n):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, n, 3)) * 0.5
    expected = b.copy()
    for i in range(1, n):
        expected[i] += a[i] * expected[i - 1]
    np.testing.assert_allclose(tg.linear_recurrence(a, b, axis=0), expected, rtol=1e-11, atol=1e-13)


def test_a_discounted_sum_differentiates_in_the_discount():
    gamma = leaf(0.5)
    out = tg.linear_recurrence(gamma, [1.0, 1.0, 1.0])
    assert out.tolist() == [1, 1.5, 1.75]
    assert tg.grad(out[2], gamma).item() == 2.0  # 1 + γ + γ²: 1 + 2γ


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_running_functions_are_numpys(axis):
    x = np.random.default_rng(0).normal(size=(3, 4))
    for ours, numpys in [(tg.cumsum, np.cumsum), (tg.cumprod, np.cumprod)]:
        np.testing.assert_allclose(numpys(leaf(x), axis).data, numpys(x, axis), rtol=1e-14)
        assert ours(np.array([200, 100], np.uint8)).tolist() == numpys([200, 100]).tolist()
    flat, line = (x.ravel(), 0) if axis is None else (x, axis)
    np.testing.assert_array_equal(tg.cummax(leaf(x), axis=axis).data, np.maximum.accumulate(flat, line))
    np.testing.assert_array_equal(tg.cummin(leaf(x), axis=axis).data, np.minimum.accumulate(flat, line))
    np.testing.assert_allclose(tg.logcumsumexp(leaf(x), axis=axis).data, np.log(np.cumsum(np.exp(flat), line)), rtol=1e-13)


def test_a_start_with_nothing():
    assert tg.cumulative_sum(leaf([1.0, 2.0]), include_initial=True).tolist() == [0, 1, 3]
    assert tg.cumulative_prod(tg.Tensor([[2, 3]]), axis=1, include_initial=True).tolist() == [[1, 2, 6]]
    assert tg.cumulative_sum(tg.zeros(0), include_initial=True).tolist() == [0]


def test_a_running_extreme_gives_its_gradient_to_the_latest_of_equals():
    assert slope(tg.cummax, [1.0, 3.0, 3.0, 2.0]) == [1, 1, 2, 0]
    assert slope(tg.cummin, [3.0, 1.0, 1.0, 2.0]) == [1, 1, 2, 0]


def test_a_running_extreme_stays_nan():
    x = leaf([1.0, np.nan, 3.0])
    out = tg.cummax(x)
    np.testing.assert_array_equal(out.data, [1, np.nan, np.nan])
    assert tg.grad(out, x, np.ones(3)).tolist() == [1, 2, 0]


def test_logcumsumexp_at_sizes_where_exp_fails():
    inf = np.inf
    np.testing.assert_allclose(tg.logcumsumexp([1000.0, 1000.0, -1000.0]), [1000, 1000 + np.log(2), 1000 + np.log(2)])
    np.testing.assert_array_equal(tg.logcumsumexp([-inf, -inf, 0.0]), [-inf, -inf, 0])
    assert slope(tg.logcumsumexp, [-1000.0, 1000.0, 0.0]) == [1, 2, 0]
    assert slope(tg.logcumsumexp, [-inf, -inf, 0.0]) == [0, 0, 1]
    for x in ([-inf, -inf, 0.0], [-1e4, 1e4, 0.0], [-inf, 5.0, -inf]):
        assert np.isfinite(hessian_of_sum(tg.logcumsumexp, x)).all()


def test_logcumsumexp_of_infinite_numbers_has_the_slopes_of_its_limit():
    inf = np.inf
    assert slope(tg.logcumsumexp, [0.0, inf, 1.0]) == [1, 2, 0]
    assert slope(tg.logcumsumexp, [-inf, inf, 0.0]) == [0, 2, 0]
    assert slope(tg.logcumsumexp, [0.0, inf, 1.0, inf, 2.0]) == [1, 3, 0, 1, 0]  # two that grow alike share evenly
    assert hessian_of_sum(tg.logcumsumexp, [0.0, 1.0, inf]).tolist() == hessian_of_sum(tg.logcumsumexp, [0.0, 1.0, 1e9]).tolist()


@pytest.mark.parametrize(
    "settings", [{}, {"n": 2}, {"n": 0}, {"axis": 0}, {"n": 3, "axis": 0}, {"prepend": 1.0}, {"axis": 0, "append": np.ones((2, 3))}]
)
def test_differences_are_numpys(settings):
    x = np.random.default_rng(0).normal(size=(3, 3))
    np.testing.assert_array_equal(np.diff(leaf(x), **settings).data, np.diff(x, **settings))


def test_differences_flow_into_what_is_joined():
    start = leaf(1.0)
    assert tg.grad(tg.diff(tg.Tensor([3.0, 4.0]), prepend=start).sum(), start).item() == -1
    assert np.diff(tg.Tensor([True, True, False])).tolist() == [False, True]


def test_areas():
    y, x = leaf([1.0, 2.0, 4.0]), leaf([0.0, 1.0, 3.0])
    assert tg.trapezoid(y, x).item() == 7.5
    gy, gx = tg.grad(tg.trapezoid(y, x), [y, x])
    assert gy.tolist() == [0.5, 1.5, 1]
    assert gx.tolist() == [-1.5, -1.5, 3]
    assert tg.cumulative_trapezoid(y, x).tolist() == [1.5, 7.5]
    assert tg.trapezoid(np.ones((2, 5)), dx=0.25).tolist() == [1, 1]
    assert tg.trapezoid(np.ones((5, 2)), np.arange(5.0), axis=0).tolist() == [4, 4]


@pytest.mark.parametrize(
    ("f", "kind", "words"),
    [
        (lambda x: tg.cumsum(x, axis=2), ValueError, "cumsum: axis 2 is out of bounds.*or None for the flat"),
        (lambda x: tg.cummax(x, axis=-3), ValueError, "cummax: axis -3 is out of bounds"),
        (lambda x: tg.cumulative_sum(x), ValueError, r"cumulative_sum: x of shape \(2, 3\) has 2 axes; say along which.*cumsum"),
        (lambda x: tg.linear_recurrence(np.ones(2), x), ValueError, "linear_recurrence: .*must broadcast"),
        (lambda x: tg.diff(x, n=-1), ValueError, "differences: .*n must be 0 or more"),
        (lambda x: tg.diff(x, axis=2, prepend=0), ValueError, "diff: axis 2 is out of bounds"),
        (lambda x: tg.trapezoid(x, np.ones(2)), ValueError, r"trapezoid: x has 2 places, and y of shape \(2, 3\) has 3 samples along axis 1"),
    ],
)
def test_errors_say_what_fits(f, kind, words):
    with pytest.raises(kind, match=words):
        f(leaf(np.ones((2, 3))))


@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("name", ["nancumsum", "nancumprod"])
def test_running_sums_and_products_skip_nan(name, axis):
    x = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, 2.0]])
    t = leaf(x)
    out = getattr(np, name)(t, axis)
    np.testing.assert_array_equal(out.data, getattr(np, name)(x, axis))
    first = tg.grad(out.sum(), t, create_graph=True)
    second = tg.grad(first.sum(), t) if first.requires_grad else first
    for g in (first, second):
        assert np.isfinite(g.data).all()
        assert (g.data[np.isnan(x)] == 0).all()


@pytest.mark.parametrize("x", [[2.0, -3.0, 0.5, 4.0], [2.0, 0.0, 0.5, 4.0], [1e30, 1e30, 1e-30, 2.0], [1e-30, 1e-30, 1e30, 2.0]])
def test_products_are_divided_only_where_that_is_right(x):
    x = tg.Tensor(np.array(x, "f4"), requires_grad=True)
    for function in (tg.prod, tg.cumprod):
        with np.errstate(all="ignore"):
            y = function(x)
            g = tg.Tensor(np.linspace(1, 2, y.size, dtype="f4").reshape(y.shape))
            np.testing.assert_allclose(tg.grad(y, x, g).data, tg.grad(y, x, g, create_graph=True).data, rtol=1e-6)
