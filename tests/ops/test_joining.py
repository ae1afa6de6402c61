"""Inserting, deleting, blocks: NumPy's values, gradients, and what is refused."""

import numpy as np
import pytest

import tinygrad_reg as tg

X = np.arange(12.0).reshape(3, 4)


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


INSERTED = [
    (1, 5.0, None),
    (-1, [7.0, 8.0], None),
    ([0, 0, 12], [1.0, 2.0, 3.0], None),
    ([3, 1], 9.0, 0),
    (1, [10.0, 20.0, 30.0], 1),
    ([1], [[10.0], [20.0], [30.0]], 1),
    (2, [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]], 0),
    ([2, 0], [[1.0, 2.0]], 1),
    (slice(0, 3, 2), [[1.0], [2.0]], 0),
    (np.array([True, False, True]), 5.0, 0),
    ([], [], None),
]


@pytest.mark.parametrize(("obj", "values", "axis"), INSERTED)
def test_insert_is_numpys(obj, values, axis):
    x, v = leaf(X), leaf(values)
    out = np.insert(x, obj, v, axis)
    np.testing.assert_array_equal(out.data, np.insert(X, obj, values, axis))
    gx, gv = tg.grad(out.sum(), [x, v])
    assert (gx.data == 1).all()
    assert gx.data.sum() + gv.data.sum() == out.size


def test_insert_keeps_what_whole_numbers_would_cut_off():
    assert tg.insert([1, 2], 1, 0.5).tolist() == [1, 0.5, 2]


@pytest.mark.parametrize(("obj", "axis"), [(1, None), (-1, 0), ([0, 2], 1), (slice(1, None), 0), (np.array([True, False, True]), 0), ([], 1)])
def test_delete_is_numpys(obj, axis):
    x = leaf(X)
    out = np.delete(x, obj, axis)
    np.testing.assert_array_equal(out.data, np.delete(X, obj, axis))
    assert tg.grad(out.sum(), x).data.sum() == out.size


def test_places_that_do_not_exist_are_named():
    with pytest.raises(IndexError, match=r"insert: index 5 is out of bounds.*x of shape \(3, 4\)"):
        tg.insert(X, 5, 0.0, axis=0)
    with pytest.raises(ValueError, match=r"insert: .*values of shape \(2,\)"):
        tg.insert(X, [0, 1, 1], [1.0, 2.0], axis=0)
    with pytest.raises(IndexError, match=r"delete: index 5 is out of bounds.*x of shape \(3, 4\)"):
        tg.delete(X, 5, axis=0)


def test_block_is_numpys():
    a, b, c, d = leaf(np.eye(2)), leaf(np.ones((2, 3))), leaf([7.0, 8.0, 9.0, 9.0, 9.0]), leaf(5.0)
    out = np.block([[a, b], [c]])
    np.testing.assert_array_equal(out.data, np.block([[np.eye(2), np.ones((2, 3))], [np.array([7.0, 8, 9, 9, 9])]]))
    assert [g.data.tolist() for g in tg.grad(out.sum(), [a, c])] == [[[1, 1], [1, 1]], [1] * 5]
    assert tg.block([d, c]).shape == (6,)
    assert tg.block(a).shape == (2, 2)
    assert tg.block([[[d]], [[d]]]).shape == (2, 1, 1)
    with pytest.raises(ValueError, match="block: lists must hold something, and all be nested equally deep"):
        tg.block([[a], c])
