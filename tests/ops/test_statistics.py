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
