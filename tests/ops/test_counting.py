"""Counts of whole numbers and in bins: NumPy's values, and the gradient of weights."""

import numpy as np
import pytest

import tinygrad_reg as tg

X = np.random.default_rng(0).normal(size=(3, 7))
PLACES = np.array([0, 3, 3, 1, 0])


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


def test_bincount_is_numpys_and_weights_have_a_gradient():
    assert np.bincount(tg.Tensor(PLACES)).tolist() == [2, 1, 0, 2]
    assert tg.bincount(PLACES, minlength=6).tolist() == [2, 1, 0, 2, 0, 0]
    weights = leaf([1.0, 2.0, 3.0, 4.0, 5.0])
    out = np.bincount(PLACES, weights, 5)
    assert out.tolist() == [6, 4, 0, 5, 0]
    assert tg.grad(out, weights, [10.0, 20.0, 30.0, 40.0, 50.0]).tolist() == [10, 40, 40, 20, 10]
    assert tg.bincount(PLACES, leaf(np.full(5, 1 + 2j))).tolist() == [2 + 4j, 1 + 2j, 0, 2 + 4j]


def test_bincount_refuses_what_is_no_count():
    with pytest.raises(TypeError, match="bincount: .*whole numbers"):
        tg.bincount(np.array([0.5]))
    with pytest.raises(ValueError, match="bincount: .*negative.*none below 0"):
        tg.bincount(np.array([-1]))
    with pytest.raises(ValueError, match="bincount: .*same length.*as many"):
        tg.bincount(PLACES, leaf([1.0]))


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("bins", [[-1.0, 0.0, 1.0], [1.0, 0.0, -1.0], [0.0]])
def test_digitize_is_numpys(bins, right):
    x = np.array([-2.0, -1.0, 0.0, 0.5, 1.0, 2.0])
    np.testing.assert_array_equal(np.digitize(leaf(x), bins, right).data, np.digitize(x, bins, right))


@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("settings", [{}, {"bins": 3}, {"bins": [-1.0, 0.0, 0.25, 1.0]}, {"bins": 4, "range": (-1, 1)}, {"bins": "sturges"}])
@pytest.mark.parametrize("x", [X, np.array([0, 1, 1, 4, 4, 4])])
def test_histogram_is_numpys(x, settings, density):
    for ours, theirs in zip(np.histogram(tg.Tensor(x), density=density, **settings), np.histogram(x, density=density, **settings), strict=True):
        assert isinstance(ours, tg.Tensor)
        np.testing.assert_allclose(ours.data, theirs, rtol=1e-13)


def test_weights_of_a_histogram_have_a_gradient():
    x, bins = np.array([0.1, 0.9, 1.0, 2.0, 5.0]), [0.0, 1.0, 2.0]
    weights = leaf([1.0, 2.0, 4.0, 8.0, 16.0])
    counts, _ = tg.histogram(x, bins, weights=weights)
    assert counts.tolist() == [3, 12]
    assert tg.grad(counts, weights, [1.0, 10.0]).tolist() == [1, 1, 10, 10, 0]
    density, _ = tg.histogram(x, bins, density=True, weights=weights)
    np.testing.assert_allclose(tg.grad(density[0], weights).data, np.array([12, 12, -3, -3, 0]) / 15**2, rtol=1e-14)
    with pytest.raises(ValueError, match="histogram: x has 5 elements and weights has 2"):
        tg.histogram(x, bins, weights=[1.0, 2.0])


def test_edges_follow_the_extremes():
    x = leaf([0.0, 4.0, 1.0, 4.0])
    edges = tg.histogram_bin_edges(x, bins=2)
    assert edges.tolist() == [0, 2, 4]
    assert tg.grad(edges, x, [1.0, 10.0, 100.0]).tolist() == [6, 52.5, 0, 52.5]
