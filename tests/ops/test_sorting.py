"""Sorting, searching and quantiles: order and gradient at ties and NaN, NumPy's values over settings."""

import numpy as np
import pytest

import tinygrad_reg as tg

TIED = np.array([2.0, 1.0, 2.0, 1.0, 2.0])
NAN = np.array([[3.0, np.nan, 1.0, 2.0], [np.nan, np.nan, np.nan, np.nan], [4.0, 1.0, 3.0, 2.0]])


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


def slope(f, values):
    """The gradient of Σ w·f(x), w = 1, 2, 3 …"""
    x = leaf(values)
    out = f(x)
    return tg.grad(out, x, np.arange(1.0, 1 + out.size).reshape(out.shape)).tolist()


def test_the_gradient_of_equal_elements_follows_the_stable_order():
    assert slope(tg.sort, TIED) == [3, 1, 4, 2, 5]
    assert slope(lambda x: tg.sort(x, descending=True), TIED) == [1, 4, 2, 5, 3]
    assert tg.argsort(TIED).tolist() == [1, 3, 0, 2, 4]
    assert tg.argsort(TIED, descending=True).tolist() == [0, 2, 4, 1, 3]


def test_nan_is_sorted_behind_every_number():
    np.testing.assert_array_equal(tg.sort(leaf(NAN[0])).data, [1, 2, 3, np.nan])
    np.testing.assert_array_equal(tg.sort(NAN[0], descending=True), [np.nan, 3, 2, 1])
    assert tg.argsort(NAN[0]).tolist() == [2, 3, 0, 1]


def test_numpys_way_to_say_how_to_sort_changes_nothing():
    np.testing.assert_array_equal(np.sort(leaf(NAN), 0, "stable").data, np.sort(NAN, 0))
    np.testing.assert_array_equal(np.argsort(tg.Tensor(TIED), kind="heapsort").data, [1, 3, 0, 2, 4])
    np.testing.assert_array_equal(np.sort(leaf(NAN), None).data, np.sort(NAN, None))
    assert leaf(TIED).sort(descending=True).tolist() == [2, 2, 2, 1, 1]


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("k", [0, 1, 3, 5])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_topk_is_the_end_of_the_sorted(k, axis, largest):
    x = np.random.default_rng(0).normal(size=(5, 5))
    values, places = tg.topk(leaf(x), k, axis, largest)
    expected = tg.sort(x, axis=axis, descending=largest)
    np.testing.assert_array_equal(values.data, np.take(expected, np.arange(k), axis))
    np.testing.assert_array_equal(np.take_along_axis(x, places.data, axis), values.data)
    assert not places.requires_grad


def test_topk_of_equal_elements_takes_each_once():
    x = leaf(TIED)
    values, places = tg.topk(x, 2)
    values.sum().backward()
    assert values.tolist() == [2, 2]
    assert sorted(x.grad.data[places.data].tolist()) == [1, 1]
    assert x.grad.data.sum() == 2


@pytest.mark.parametrize("settings", [{}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 1)}, {"axis": (-1, 0), "keepdims": True}])
def test_medians_and_quantiles_are_numpys(settings):
    with np.errstate(all="ignore"):
        for x in (NAN, np.random.default_rng(0).normal(size=(3, 4)), np.arange(12).reshape(3, 4), np.ones((2, 3), "float32")):
            _same(tg.median(leaf_or_not(x), **settings), np.median(x, **settings))
            for q in (0.0, 0.3, 1.0, np.array([0.25, 0.5]), np.array([[0.1], [0.9]])):
                _same(tg.quantile(leaf_or_not(x), q, **settings), np.quantile(x, q, **settings))
                _same(tg.percentile(leaf_or_not(x), 100 * q, **settings), np.percentile(x, 100 * q, **settings))


def leaf_or_not(x):
    return tg.Tensor(x, requires_grad=x.dtype.kind == "f")


def _same(found, expected):
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found.data, expected, rtol=1e-6 if found.dtype == np.float32 else 1e-13)


@pytest.mark.parametrize("method", ["linear", "hazen", "weibull", "median_unbiased", "normal_unbiased", "interpolated_inverted_cdf"])
@pytest.mark.parametrize("discrete", ["", "lower", "higher", "nearest", "midpoint"])
def test_methods_of_quantiles(method, discrete):
    x, q = np.random.default_rng(0).normal(size=11), np.linspace(0, 1, 41)
    _same(tg.quantile(leaf(x), q, method=discrete or method), np.quantile(x, q, method=discrete or method))


@pytest.mark.filterwarnings("ignore:All-NaN")
def test_those_that_skip_nan():
    for axis in (0, 1, None):
        np.testing.assert_allclose(np.nanmedian(leaf(NAN), axis=axis).data, np.nanmedian(NAN, axis=axis))
        np.testing.assert_allclose(np.nanquantile(leaf(NAN), [0.1, 0.6], axis=axis).data, np.nanquantile(NAN, [0.1, 0.6], axis=axis))
        np.testing.assert_allclose(np.nanpercentile(leaf(NAN), 30, axis=axis).data, np.nanpercentile(NAN, 30, axis=axis))
    assert slope(lambda x: tg.nanmedian(x), NAN[0]) == [0, 0, 0, 1]


def test_the_gradient_of_a_median_goes_to_the_middle():
    assert slope(tg.median, [5.0, 1.0, 3.0]) == [0, 0, 1]
    assert slope(tg.median, [5.0, 1.0, 3.0, 4.0]) == [0, 0, 0.5, 0.5]
    assert slope(tg.median, [7.0, 7.0, 7.0]) == [0, 1, 0]
    assert slope(lambda x: tg.quantile(x, 0.25), [4.0, 0.0, 8.0]) == [0.5, 0.5, 0]


def test_quantiles_between_and_beside_infinite_elements():
    inf = np.inf
    assert tg.quantile([inf, inf], 0.5) == inf
    assert tg.quantile([1.0, inf], 0.0) == 1
    assert tg.quantile([1.0, inf], 0.3) == inf
    assert tg.median([-inf, 1.0, inf, inf]) == inf
    assert tg.median([1e308, 1.5e308]) == 1.25e308


def test_the_gradient_in_q_is_the_distance_of_the_neighbours():
    q = leaf([0.1, 0.6])
    assert tg.grad(tg.quantile(np.array([0.0, 1.0, 5.0]), q), q, [1.0, 1.0]).tolist() == [2, 8]


def test_different_elements():
    x = np.array([3, 1, 3, 2])
    values, first, inverse, counts = np.unique(tg.Tensor(x), return_index=True, return_inverse=True, return_counts=True)
    assert [t.tolist() for t in (values, first, inverse, counts)] == [[1, 2, 3], [1, 3, 0], [2, 0, 2, 1], [1, 1, 2]]
    assert tg.unique_all(tg.Tensor(x)).inverse_indices.tolist() == [2, 0, 2, 1]
    with pytest.raises(TypeError, match="unique has no backward rule.*no_grad"):
        tg.unique(leaf([1.0, 1.0]))
    assert tg.unique(leaf([1.0, 1.0]).detach()).tolist() == [1]


def test_places():
    x = tg.Tensor([[1.0, 0.0], [0.0, 2.0]], requires_grad=True)
    rows, columns = np.nonzero(x)
    assert x[rows, columns].tolist() == [1, 2]
    assert [t.tolist() for t in x.nonzero()] == [[0, 1], [0, 1]]
    assert np.argwhere(x).tolist() == [[0, 0], [1, 1]]
    assert np.flatnonzero(x).tolist() == [0, 3]
    assert np.searchsorted(tg.Tensor([1.0, 2.0, 2.0, 3.0]), tg.Tensor(2.0), "right").item() == 3
    assert np.isin(x, [1.0, 2.0], invert=True).tolist() == [[False, True], [True, False]]
    assert np.lexsort((tg.Tensor([2, 1, 0]), tg.Tensor([0, 1, 0]))).tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("f", "kind", "words"),
    [
        (lambda x: tg.sort(x, axis=2), ValueError, "sort: axis 2 is out of bounds.*dimension 2.*one existing axis, or None"),
        (lambda x: tg.topk(x, 5), ValueError, "topk: k=5 elements of 4.*from 0 to the size"),
        (lambda x: tg.kthvalue(x, 0), ValueError, r"kthvalue: k=0 along axis 1 of shape \(3, 4\); k must be from 1 to 4"),
        (lambda x: tg.quantile(x, 1.5), ValueError, "quantile: q must lie between 0 and 1"),
        (lambda x: tg.percentile(x, -1), ValueError, "percentile: q must lie between 0 and 100"),
        (lambda x: tg.quantile(x, 0.5, method="odd"), ValueError, "quantile: method='odd'.*linear.*midpoint"),
        (lambda x: tg.quantile(tg.zeros((0, 2)), 0.5, axis=0), ValueError, r"quantile: x of shape \(0, 2\) has no elements over axis=0"),
        (lambda x: tg.median(x, axis=5), ValueError, "axis 5 is out of bounds"),
        (lambda x: tg.nonzero(1.0), ValueError, "nonzero: .*at least one axis"),
    ],
)
def test_errors_say_what_fits(f, kind, words):
    with pytest.raises(kind, match=words):
        f(leaf(NAN))


@pytest.mark.parametrize("axis", [-1, 0, None])
@pytest.mark.parametrize("kth", [1, (0, 2), -1])
def test_partition_puts_the_kth_where_sorting_does(kth, axis):
    x = np.array([[3.0, 1.0, 2.0, 2.0], [0.0, 5.0, 4.0, 1.0], [9.0, 8.0, 7.0, 6.0]])
    t = tg.Tensor(x, requires_grad=True)
    found = np.partition(t, kth, axis)
    np.testing.assert_array_equal(np.sort(found.data, axis), np.sort(x, axis))
    lines = found.data if axis != 0 else found.data.T
    ordered = np.sort(x, axis) if axis != 0 else np.sort(x, axis).T
    for k in np.atleast_1d(kth) % lines.shape[-1]:
        np.testing.assert_array_equal(lines[..., k], ordered[..., k])
        assert (lines[..., :k] <= lines[..., k : k + 1]).all()
        assert (lines[..., k + 1 :] >= lines[..., k : k + 1]).all()
    weights = np.arange(found.size, dtype=float).reshape(found.shape)
    slope = tg.grad(found, t, weights).data
    assert (slope * x).sum() == (weights * found.data).sum()
    np.testing.assert_array_equal(np.argpartition(t, kth, axis).data, np.argpartition(x, kth, axis))


def test_mode_is_the_smallest_of_the_most_frequent_and_its_last_place():
    x = tg.Tensor([[2.0, 1.0, 2.0, 1.0, 3.0], [5.0, 4.0, 3.0, 3.0, 3.0], [4.0, 3.0, 2.0, 1.0, 0.0]], requires_grad=True)
    values, places = tg.mode(x)
    assert values.tolist() == [1, 3, 0]
    assert places.tolist() == [3, 4, 4]
    assert tg.grad(values, x, [1.0, 2.0, 3.0]).tolist() == [[0, 0, 0, 1, 0], [0, 0, 0, 0, 2], [0, 0, 0, 0, 3]]
    assert tg.mode(x, axis=0, keepdims=True)[0].shape == (1, 5)
    assert np.isnan(tg.mode(np.array([np.nan, np.nan]))[0])
    with pytest.raises(ValueError, match="mode: nothing lies along axis 0"):
        tg.mode(tg.zeros((0, 2)), axis=0)


def test_mode_is_pytorchs():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).integers(0, 4, (5, 9, 4)).astype(float)
    for axis in (0, 1, -1):
        np.testing.assert_array_equal(tg.mode(x, axis=axis)[0], torch.mode(torch.tensor(x), dim=axis).values.numpy())


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("kind", ["few values", "all differ", "NaN", "signed zeros"])
def test_many_equal_elements_are_ordered_by_place(kind, axis, rng):
    shape = (20, 30, 25)  # many enough for the quick way
    x = {
        "few values": rng.integers(0, 3, shape).astype("f4"),
        "all differ": rng.permutation(20 * 30 * 25).reshape(shape).astype("f8"),
        "NaN": np.where(rng.random(shape) < 0.2, np.nan, rng.integers(0, 3, shape)),
        "signed zeros": np.where(rng.random(shape) < 0.5, -0.0, 0.0),
    }[kind]
    for y in (x, np.flip(x, axis), np.asfortranarray(x)):
        np.testing.assert_array_equal(tg.argsort(y, axis=axis), np.argsort(y, axis, kind="stable"))
