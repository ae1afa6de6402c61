"""Reductions: NumPy's values over any axes, ties shared, spread of equal values, extremes of nothing."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg

INF = np.inf
SMALL = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3)


def slope(f, at):
    x = tg.Tensor(at, requires_grad=True)
    f(x).sum().backward()
    return x.grad.numpy()


@st.composite
def arrays_and_axes(draw):
    x = draw(hnp.arrays(np.float64, SMALL, elements=st.floats(-100, 100, width=32)))
    axes = st.none() if x.ndim == 0 else st.none() | st.integers(-x.ndim, x.ndim - 1) | hnp.valid_tuple_axes(x.ndim)
    return x, draw(axes), draw(st.booleans())


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "var", "std", "all", "any"])
@given(arrays_and_axes())
def test_values_are_numpys_for_any_axes(name, drawn):
    x, axis, keepdims = drawn
    expected = getattr(np, name)(x, axis=axis, keepdims=keepdims)
    for found in (getattr(tg, name)(tg.Tensor(x), axis=axis, keepdims=keepdims).data, getattr(tg, name)(x, axis=axis, keepdims=keepdims)):
        assert np.shape(found) == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@given(arrays_and_axes())
def test_gradients_of_sum_mean_and_extremes_add_up(drawn):
    x, axis, keepdims = drawn
    results = np.sum(x, axis=axis, keepdims=keepdims).size
    np.testing.assert_array_equal(slope(lambda t: tg.sum(t, axis=axis, keepdims=keepdims), x), np.ones_like(x))
    for f in (tg.mean, tg.max, tg.min):
        assert np.sum(slope(lambda t, f=f: f(t, axis=axis, keepdims=keepdims), x)) == pytest.approx(results)


@pytest.mark.parametrize(("f", "tied"), [(tg.max, 3.0), (tg.min, -3.0)])
def test_ties_are_shared_evenly(f, tied):
    x = np.array([[tied, 0.0, tied], [tied, tied, tied]])
    np.testing.assert_allclose(slope(f, x), np.where(x == tied, 1 / 5, 0))
    np.testing.assert_allclose(slope(lambda t: f(t, axis=1), x), [[1 / 2, 0, 1 / 2], [1 / 3] * 3])
    np.testing.assert_allclose(slope(lambda t: f(t, axis=0, keepdims=True), x), [[1 / 2, 0, 1 / 2], [1 / 2, 1, 1 / 2]])


@pytest.mark.parametrize("f", [tg.max, tg.min])
@pytest.mark.parametrize("settings", [{}, {"axis": 0}, {"axis": 1}, {"axis": -1, "keepdims": True}, {"axis": (0, 1), "keepdims": True}], ids=str)
@pytest.mark.parametrize(
    "turned", [lambda x: x, lambda x: x.T, lambda x: x[::-1, ::-1], lambda x: x[:, ::2]], ids=["rows", "columns", "back", "gaps"]
)
@given(x=hnp.arrays(np.float64, (3, 4), elements=st.sampled_from([-1.0, -0.0, 0.0, 2.0, INF, -INF, np.nan]) | st.floats(-9, 9)))
def test_winners_share_the_gradient_wherever_they_stand(f, settings, turned, x):
    x = turned(x)
    best = f(x, **{**settings, "keepdims": True})
    winners = (x == best) | np.isnan(x)
    expected = winners / np.sum(winners, axis=settings.get("axis"), keepdims=True)
    out = f(t := tg.Tensor(x, requires_grad=True), **settings)
    np.testing.assert_allclose(tg.grad(out, t, np.full(out.shape, 3.0)).data, 3 * expected)


@pytest.mark.parametrize("settings", [{}, {"axis": 0}, {"axis": 1, "keepdims": True}, {"axis": 1, "correction": 1}])
@pytest.mark.parametrize("value", [0.0, 0.7, -1e6 / 3, 1e-300], ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_equal_values_have_no_spread_and_no_slope_also_where_their_mean_is_rounded(settings, value, dtype):
    x = np.full((6, 7), value, dtype)
    np.testing.assert_array_equal(tg.std(x, **settings), 0)
    np.testing.assert_array_equal(slope(lambda t: tg.std(t, **settings), x), 0)
    np.testing.assert_allclose(slope(lambda t: tg.var(t, **settings), x), 0, atol=4 * np.spacing(np.abs(x)).max())


def test_std_of_equal_rows_beside_others():
    found = slope(lambda t: tg.std(t, axis=1), [[2.0, 2.0], [1.0, 3.0]])
    np.testing.assert_allclose(found, [[0, 0], [-0.5, 0.5]])


def test_std_of_equal_values_has_a_finite_second_derivative():
    x = tg.Tensor([2.0, 2.0], requires_grad=True)
    first = tg.grad(tg.std(x), x, create_graph=True)
    assert np.all(np.isfinite(tg.grad(first.sum(), x).data))


@pytest.mark.parametrize("correction", [0, 1, 1.5])
def test_correction_is_numpys_ddof(correction):
    x = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(tg.var(x, correction=correction), np.var(x, ddof=correction))
    np.testing.assert_allclose(tg.std(x, correction=correction), np.std(x, ddof=correction))


# ------------------------------------------------------------------------------------------- logsumexp


@pytest.mark.parametrize(
    ("x", "value", "expected"),
    [
        ([-INF, -INF], -INF, [0, 0]),
        ([-INF, 2.0], 2.0, [0, 1]),
        ([1e4, 1e4], 1e4 + np.log(2), [0.5, 0.5]),
        ([-1e4, -1e4], -1e4 + np.log(2), [0.5, 0.5]),
        ([1e4, -1e4], 1e4, [1, 0]),
    ],
)
def test_logsumexp_of_infinite_and_large_numbers(x, value, expected):
    assert tg.logsumexp(np.array(x)) == pytest.approx(value)
    np.testing.assert_allclose(slope(tg.logsumexp, x), expected)


def test_logsumexp_with_a_row_of_nothing_possible():
    found = slope(lambda t: tg.logsumexp(t, axis=1), [[-INF, -INF], [0.0, 0.0]])
    np.testing.assert_array_equal(found, [[0, 0], [0.5, 0.5]])


# ---------------------------------------------------------------------------- sums in one pass; nothing


@given(hnp.arrays(np.float64, SMALL, elements=st.floats(-100, 100, width=32)))
def test_sums_of_squares_and_of_sizes(x):
    np.testing.assert_allclose(tg.sum_of_squares(x), np.sum(x * x), rtol=1e-12)
    np.testing.assert_allclose(tg.sum_of_sizes(x), np.sum(np.abs(x)), rtol=1e-12)
    np.testing.assert_array_equal(slope(tg.sum_of_squares, x), 2 * x)
    np.testing.assert_array_equal(slope(tg.sum_of_sizes, x), np.sign(x))


def test_the_quick_sum_of_rows_is_the_same_sum(rng):
    for x in (rng.normal(size=(7, 5)), rng.normal(size=(5, 7)).T, rng.normal(size=(7, 10))[::-2, ::2], np.ones((1, 1)), np.ones((3, 0))):
        np.testing.assert_allclose(tg.sum(x, axis=0), np.sum(x, axis=0), rtol=1e-13)


def test_the_quick_sum_keeps_working_when_many_sizes_were_seen():
    for n in range(1, 150):
        np.testing.assert_array_equal(tg.sum(np.ones((n, 2)), axis=0), [n, n])


def test_the_sum_of_nothing_is_zero_and_an_extreme_of_nothing_an_error():
    assert tg.sum(tg.zeros((0,))).item() == 0
    np.testing.assert_array_equal(tg.sum(tg.zeros((0, 2)), axis=0).data, [0, 0])
    with pytest.raises(ValueError, match="max: .*extreme of nothing does not exist"):
        tg.max(tg.zeros((0,)))


@pytest.mark.parametrize("name", ["mean", "var", "std", "sum", "max", "logsumexp", "sum_of_squares", "sum_of_sizes"])
def test_a_python_number_is_an_array_without_axes(name):
    op = getattr(tg, name)
    assert op(2.0) == op(np.float64(2.0))


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_places_of_extremes_are_numpys_first_at_a_tie(name):
    x = np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 2.0]])
    for settings in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}):
        found = getattr(tg, name)(tg.Tensor(x, requires_grad=True), **settings)
        np.testing.assert_array_equal(found.data, getattr(np, name)(x, **settings))
        assert not found.requires_grad


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "var", "std", "logsumexp"])
def test_a_single_number_may_be_folded_along_an_axis_that_it_has_not(name, axis):
    x = tg.Tensor(2.0, requires_grad=True)
    out = getattr(tg, name)(x, axis=axis)
    assert out.shape == ()
    assert tg.grad(out, x).item() == (0.0 if name in ("var", "std") else 1.0)
