"""Products, counts, what skips NaN, weighted means, covariance: NumPy's values, zeros and NaN at both orders."""

import numpy as np
import pytest

import tinygrad_reg as tg

NAN = np.array([[3.0, np.nan, 1.0], [np.nan, np.nan, np.nan], [4.0, 1.0, 3.0]])
X = np.random.default_rng(0).normal(size=(3, 5))
SETTINGS = [{}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 1)}]


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


def product_of_all_but(x, *left_out):
    return np.prod(np.delete(x, left_out))


@pytest.mark.parametrize("x", [[2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0], [-1.0, -0.0, 2.0], [5.0]])
def test_products_with_zeros_have_the_right_derivatives_of_both_orders(x):
    x = np.array(x)
    n = range(len(x))
    np.testing.assert_array_equal(tg.grad(tg.prod(t := leaf(x)), t).data, [product_of_all_but(x, i) for i in n])
    expected = [[0 if i == k else product_of_all_but(x, i, k) for k in n] for i in n]
    np.testing.assert_allclose(tg.hessian(tg.prod, leaf(x)).data, expected, rtol=1e-15)


def test_a_third_derivative_of_a_product_with_zeros():
    x = leaf([0.0, 0.0, 0.0])
    first = tg.grad(tg.prod(x), x, create_graph=True)
    second = tg.grad(first[0], x, create_graph=True)
    assert tg.grad(second[1], x).tolist() == [0, 0, 1]


def test_products_that_overflow_or_vanish_keep_their_gradient():
    with np.errstate(over="ignore"):
        assert tg.grad(tg.prod(x := leaf([1e200, 1e200])), x).tolist() == [1e200, 1e200]
    assert tg.grad(tg.prod(x := leaf([1e-200, 1e-200])), x).tolist() == [1e-200, 1e-200]
    assert tg.prod(np.array([200, 2], np.uint8)) == 400


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("low", [0.01, 0.3, 0.99, 1.5])
def test_long_products_and_their_gradients_are_those_that_logarithms_give(low, dtype):
    x = np.random.default_rng(0).uniform(low, 1.01 * max(low, 1 / low), 5003).astype(dtype)
    x[::7] *= -1
    limits, sign = np.finfo(dtype), np.prod(np.sign(x))
    with np.errstate(all="ignore"):
        logs = np.log2(abs(x.astype(np.longdouble)))
        for whole, found in ((logs.sum(), tg.prod(x)), (logs.sum() - logs, tg.grad(tg.prod(t := leaf(x)), t).data * np.sign(x))):
            assert limits.minexp < np.max(whole) < limits.maxexp or np.min(whole) > limits.maxexp + 9 or np.max(whole) < limits.minexp - 99
            np.testing.assert_allclose(found, (sign * np.exp2(whole)).astype(dtype), rtol=5e3 * limits.eps)


def test_a_product_that_leaves_the_range_on_the_way_is_numpys():
    up, down = np.full(3000, 1e30), np.full(3000, 1e-30)
    columns, too_small = np.ones((32, 70)), np.ones((32, 70))
    columns[:, :4] = 10 ** np.array([9.5, 9.5, -9.5, -9.5])
    too_small[:, :2] = [10**9.5, 1e-10]
    for x in (columns, too_small, np.stack([up, down], -1), np.concatenate([up[:20], down[:20], np.ones(5000)]), np.stack([up, down])):
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(tg.prod(x), np.prod(x), rtol=1e-10)


def test_one_factor_may_bring_a_product_back_into_range():
    x = np.concatenate([np.full(1030, 2.0), np.ones(2000), [2.0**30]])  # 2¹⁰⁶⁰, but 2¹⁰³⁰ without the last: both too large
    with np.errstate(over="ignore"):
        assert np.isinf(tg.grad(tg.prod(t := leaf(x)), t).data).all()
        x[-1] = 2.0**60  # and now 2¹⁰³⁰ without it, still too large
        x[:20] = 1.0  # 2¹⁰¹⁰ without it
        found = tg.grad(tg.prod(t := leaf(x)), t).data
        back = tg.grad(tg.prod(t := leaf([1e-200, 1e-200, 1e200, 1e200, 1e200, 1e200, 1e200])), t)
    assert found[-1] == 2.0**1010
    assert np.isinf(found[:-1]).all()
    assert back[0].item() == np.inf  # though the product itself was 0 too early


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("name", ["nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd", "prod", "ptp", "count_nonzero", "average"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_numpys_function_gives_the_same(name, settings):
    for x in (X, NAN) if name.startswith("nan") else (X,):
        np.testing.assert_allclose(getattr(np, name)(leaf(x), **settings).data, getattr(np, name)(x, **settings), rtol=1e-13)


@pytest.mark.parametrize("name", ["nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd"])
def test_what_skips_nan_gives_it_gradient_zero_without_a_warning(name):
    x = leaf(NAN)
    first = tg.grad(getattr(tg, name)(x, axis=1).sum(), x, create_graph=True)
    second = tg.grad(first.sum(), x) if first.requires_grad else first
    for found in (first.data, second.data):
        assert np.isfinite(found[0]).all()
        assert found[0, 1] == 0
        assert np.isfinite(found[2]).all()


def test_extremes_that_skip_nan_share_their_gradient_evenly():
    assert tg.grad(tg.nanmax(x := leaf([1.0, np.nan, 1.0])), x).tolist() == [0.5, 0, 0.5]
    assert np.isnan(tg.nanmax([np.nan, np.nan]))
    assert tg.nanmin([np.inf, np.nan]) == np.inf


def test_spread_of_equal_values_has_slope_zero():
    assert tg.grad(tg.nanstd(x := leaf([2.0, 2.0, np.nan])), x).tolist() == [0, 0, 0]
    assert tg.grad(tg.ptp(x := leaf([2.0, 2.0])), x).tolist() == [0, 0]


def test_counts():
    assert tg.count_nonzero(leaf([1.0, 0.0, 2.0])).item() == 2
    assert tg.count_nonzero(tg.zeros((0, 2)), axis=0).tolist() == [0, 0]


def test_weighted_means():
    x, w = leaf([1.0, 2.0, 4.0]), leaf([1.0, 1.0, 2.0])
    found, total = np.average(x, weights=w, returned=True)
    assert (found.item(), total.item()) == (2.75, 4)
    gx, gw = tg.grad(found, [x, w])
    assert gx.tolist() == [0.25, 0.25, 0.5]
    np.testing.assert_allclose(gw.data, (x.data - 2.75) / 4)
    weights = np.arange(1.0, 6.0)
    np.testing.assert_allclose(np.average(leaf(X), 1, weights).data, np.average(X, 1, weights))
    np.testing.assert_allclose(tg.average(leaf(X), weights=X**2, keepdims=True).data, np.average(X, weights=X**2, keepdims=True))
    assert [t.item() for t in tg.average(leaf([1.0, 3.0]), returned=True)] == [2, 2]


WEIGHTS = {"fweights": np.array([1, 2, 0, 1, 3]), "aweights": np.array([0.1, 0.2, 0.3, 0.4, 0.5])}


@pytest.mark.parametrize(
    "settings",
    [
        *({}, {"bias": True}, {"ddof": 0}, {"rowvar": False}, {"y": X[:1]}, {"fweights": WEIGHTS["fweights"]}),
        *({"aweights": WEIGHTS["aweights"]}, WEIGHTS, {**WEIGHTS, "ddof": 2}, {**WEIGHTS, "bias": True}),
    ],
)
def test_covariances_are_numpys(settings):
    np.testing.assert_allclose(np.cov(leaf(X), **settings).data, np.cov(X, **settings), rtol=1e-13)


def test_correlations_are_numpys_and_stay_within_one():
    for arguments in ((X,), (X, X[0] * 2), (X, None, False), (X[0],)):
        found = np.corrcoef(*(leaf(a) if isinstance(a, np.ndarray) else a for a in arguments))
        np.testing.assert_allclose(found.data, np.corrcoef(*arguments), rtol=1e-12, atol=1e-14)
        assert np.abs(found.data).max() <= 1
    line = leaf([[1.0, 2.0, 3.5], [2.0, 4.0, 7.0]])
    np.testing.assert_allclose(tg.grad(tg.corrcoef(line)[0, 1], line).data, 0, atol=1e-15)


@pytest.mark.parametrize(
    ("f", "kind", "words"),
    [
        (lambda x: tg.prod(x, axis=2), ValueError, "prod: axis 2 is out of bounds.*existing axes"),
        (lambda x: tg.average(x, weights=np.zeros((3, 5))), ZeroDivisionError, "average: the weights sum up to 0"),
        (lambda x: tg.average(x, weights=np.ones(5)), ValueError, r"average: weights of shape \(5,\) for x of shape \(3, 5\) with axis=None"),
        (lambda x: tg.average(x, axis=0, weights=np.ones(5)), ValueError, "average: .*a vector along axis"),
        (lambda x: tg.cov(x[None]), ValueError, r"cov: an array of shape \(1, 3, 5\) has 3 axes"),
    ],
)
def test_errors_say_what_fits(f, kind, words):
    with pytest.raises(kind, match=words):
        f(leaf(X))


@pytest.mark.parametrize("settings", [{}, {"axis": 1}, {"axis": 0, "keepdims": True}])
@pytest.mark.parametrize("name", ["nanargmax", "nanargmin"])
def test_places_of_extremes_skip_nan(name, settings):
    x = NAN[[0, 2]]
    np.testing.assert_array_equal(getattr(np, name)(leaf(x), **settings).data, getattr(np, name)(x, **settings))
    with pytest.raises(ValueError, match=f"{name}: All-NaN slice.*hold a number"):
        getattr(tg, name)(NAN, axis=1)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # 0/0 in the forward, as NumPy's
def test_a_correlation_that_does_not_exist_has_no_gradient_either():
    x = tg.Tensor([[1.0, 1.0, 1.0], [3.0, 2.0, 4.0]], requires_grad=True)
    found = tg.corrcoef(x)
    np.testing.assert_array_equal(np.isnan(found.data), [[True, True], [True, False]])
    assert np.isnan(tg.grad(found[0, 1], x).data).any()
