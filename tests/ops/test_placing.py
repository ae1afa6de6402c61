"""Taking from and putting to computed places: repeated places, negative ones, broadcasting, and that nothing changes in place."""

import numpy as np
import pytest

import tinygrad_reg as tg

X = np.arange(12.0).reshape(3, 4)


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


def test_take_with_repeated_and_negative_places():
    x = leaf(X)
    np.testing.assert_array_equal(np.take(x, [0, -1, 0], 1).data, np.take(X, [0, -1, 0], 1))
    np.take(x, [0, -1, 0], 1).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [[2, 0, 0, 1]] * 3)
    assert tg.take(X, 5) == 5


def test_gather_leaves_out_lines_but_take_along_axis_broadcasts():
    places = np.array([[0, 1]])
    assert tg.gather(X, places, axis=1).tolist() == [[0, 1]]
    np.testing.assert_array_equal(tg.take_along_axis(X, places, axis=1), np.take_along_axis(X, places, 1))
    np.testing.assert_array_equal(np.take_along_axis(leaf(X), places.T, 0).data, np.take_along_axis(X, places.T, 0))
    np.testing.assert_array_equal(tg.take_along_axis(X, [3, 5], axis=None), [3, 5])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64"])
def test_places_of_any_whole_dtype(dtype):
    x = np.arange(200.0)
    places = np.array([100, 120]).astype(dtype)
    np.testing.assert_array_equal(tg.gather(np.stack([x] * 3), np.stack([places] * 3), axis=1), [[100, 120]] * 3)


def test_of_several_values_for_one_place_the_last_counts_for_value_and_gradient():
    x, values = leaf([1.0, 2.0, 3.0]), leaf([10.0, 20.0, 30.0])
    for out in (tg.scatter(x, [0, 2, 0], values, axis=0), tg.index_set(x, values, key=[0, 2, 0])):
        assert out.tolist() == [30, 2, 20]
        gx, gv = tg.grad(out, [x, values], [1.0, 2.0, 3.0])
        assert gx.tolist() == [0, 2, 0]
        assert gv.tolist() == [0, 3, 1]


def test_sums_of_several_values_for_one_place_add_up():
    x, values = leaf([1.0, 2.0, 3.0]), leaf([10.0, 20.0, 30.0])
    for out in (tg.scatter_add(x, [0, 2, 0], values, axis=0), tg.index_add(x, values, key=[0, 2, 0])):
        assert out.tolist() == [41, 2, 23]
        gx, gv = tg.grad(out, [x, values], [1.0, 2.0, 3.0])
        assert gx.tolist() == [1, 2, 3]
        assert gv.tolist() == [1, 3, 1]


def test_values_larger_than_the_places_are_cut_and_numbers_spread():
    places = np.array([[0], [1]])
    assert tg.scatter(np.zeros((2, 3)), places, np.arange(1.0, 7).reshape(2, 3), axis=1).tolist() == [[1, 0, 0], [0, 4, 0]]
    assert tg.scatter_add(np.zeros((2, 3)), places, 5.0, axis=1).tolist() == [[5, 0, 0], [0, 5, 0]]


def test_put_along_axis_gives_what_numpy_writes():
    places, values = np.array([[0], [2], [1]]), np.array([[7.0], [8.0], [9.0]])
    expected = X.copy()
    np.put_along_axis(expected, places, values, 1)
    x = leaf(X)
    np.testing.assert_array_equal(tg.put_along_axis(x, places, values, 1).data, expected)
    np.testing.assert_array_equal(x.data, X)
    with pytest.raises(TypeError, match="np.put_along_axis is not an op here"):
        np.put_along_axis(x, places, values, 1)


KEYS = [1, (slice(None), -1), (..., slice(1, 3)), [0, 2], (np.array([0, 0]), np.array([1, 1])), X % 2 == 0, (slice(None), [1, 1])]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_updates_give_what_assignment_writes(key):
    x, values = leaf(X), leaf(np.arange(100.0, 100 + X[key].size).reshape(X[key].shape))
    expected = X.copy()
    expected[key] = values.data
    np.testing.assert_array_equal(tg.index_set(x, values, key=key).data, expected)
    expected = X.copy()
    np.add.at(expected, key, values.data)
    np.testing.assert_array_equal(tg.index_add(x, values, key=key).data, expected)
    np.testing.assert_array_equal(x.data, X)


def test_updates_promote_but_python_numbers_are_weak():
    x = tg.Tensor([1.0, 2.0], dtype="float32")
    assert tg.index_set(x, 0.5, key=0).dtype == np.float32
    assert tg.index_set(tg.Tensor([1, 2]), 0.5, key=0).tolist() == [0.5, 2]
    assert tg.masked_fill(x, x > 1, 0.5).dtype == np.float32


def test_a_replaced_element_that_is_not_a_number_has_gradient_zero():
    x = leaf([np.nan, 2.0])
    tg.index_set(x, 1.0, key=0).sum().backward()
    assert x.grad.tolist() == [0, 1]
    assert tg.grad(tg.masked_fill(x, tg.isnan(x), 0.0).sum(), x).tolist() == [0, 1]


def test_masks():
    x, mask = leaf(X), X > 8
    np.testing.assert_array_equal(tg.masked_select(x, mask).data, X[mask])
    np.testing.assert_array_equal(tg.masked_select(x, [[True], [False], [True]]).data, X[[0, 2]].ravel())
    tg.masked_select(x, tg.Tensor(mask)).sum().backward()
    np.testing.assert_array_equal(x.grad.data, mask)
    np.testing.assert_array_equal(tg.masked_scatter(np.zeros(4), [True, False, True, False], [5.0, 6.0, 7.0]), [5, 0, 6, 0])


@pytest.mark.parametrize(
    ("f", "kind", "words"),
    [
        (lambda x: tg.take(x, [4], axis=1), IndexError, "take: index 4 is out of bounds.*inside the axis"),
        (lambda x: tg.gather(x, [[4]], axis=1), IndexError, "gather: some of indices, 4 to 4, lie outside of axis 1 with size 4"),
        (lambda x: tg.gather(x, [[-5]], axis=1), IndexError, "gather: some of indices, -5 to -5"),
        (lambda x: tg.gather(x, [1], axis=1), ValueError, r"gather: indices of shape \(1,\) do not fit an array of shape \(3, 4\)"),
        (lambda x: tg.gather(x, [[0]] * 4, axis=1), ValueError, "along the others no longer than x"),
        (lambda x: tg.gather(x, [[0.5]], axis=1), TypeError, "gather: indices of dtype float64 name no places"),
        (lambda x: tg.gather(x, [[0]], axis=2), ValueError, "gather: axis 2 is out of bounds"),
        (lambda x: tg.take_along_axis(x, [1], axis=1), ValueError, "take_along_axis: .*as many axes"),
        (lambda x: tg.take_along_axis(x, [[0], [1]], axis=1), ValueError, "take_along_axis: .*must broadcast, but for axis 1"),
        (lambda x: tg.scatter(x, [[0, 1]], [1.0, 2.0, 3.0], axis=1), ValueError, "put_along: .*values must broadcast"),
        (lambda x: tg.index_set(x, np.ones(3), key=0), ValueError, r"index_set: .*values must broadcast to x\[key\]"),
        (lambda x: tg.index_add(x, np.ones(3), key=0), ValueError, "index_add: .*values must broadcast"),
        (lambda x: tg.masked_select(x, np.ones(4)), TypeError, "masked_select: a mask is made of yes and no.*mask > 0"),
        (lambda x: tg.masked_select(x, [True] * 3), ValueError, "masked_select: .*must broadcast"),
        (lambda x: tg.masked_scatter(x, x > 5, [1.0]), ValueError, "select_back: the mask holds 6 times"),
    ],
)
def test_errors_say_what_fits(f, kind, words):
    with pytest.raises(kind, match=words):
        f(leaf(X))
