"""Lines and diagonals replaced: NumPy's and PyTorch's values, nothing changed in place, and what is refused."""

import numpy as np
import pytest

import tinygrad_reg as tg

X = np.arange(12.0).reshape(3, 4)


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


def test_index_fill_and_index_copy():
    x, value, source = leaf(X), leaf(-1.0), leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    filled = tg.index_fill(x, [0, -1, 0], value, axis=0)
    assert filled.tolist() == [[-1] * 4, [4, 5, 6, 7], [-1] * 4]
    gx, gv = tg.grad(filled.sum(), [x, value])
    assert gx.data.sum(axis=1).tolist() == [0, 4, 0]
    assert gv.item() == 8
    copied = tg.index_copy(x, [2, 0, 2], source, axis=1)
    np.testing.assert_array_equal(copied.data, [[2, 1, 3, 3], [5, 5, 6, 7], [8, 9, 9, 11]])
    assert tg.grad(copied.sum(), source).tolist() == [[0, 1, 1]] * 3
    np.testing.assert_array_equal(x.data, X)


def test_lines_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"index_fill: value has shape \(2,\).*index_copy"):
        tg.index_fill(X, [0], [1.0, 2.0], axis=0)
    with pytest.raises(ValueError, match="index_copy: indices are float64"):
        tg.index_copy(X, [0.0], X[:1], axis=0)
    with pytest.raises(ValueError, match="index_copy: axis 2 is out of bounds"):
        tg.index_copy(X, [0], X[:1], axis=2)
    with pytest.raises((ValueError, IndexError), match="index_set: .*7"):
        tg.index_fill(X, [7], 0.0, axis=0)


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("values", [5.0, [1.0, 2.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]])
@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (7, 2), (7, 3), (2, 2, 2), (1, 1), (4, 1)])
def test_fill_diagonal_is_numpys_in_a_new_array(shape, values, wrap):
    x = np.arange(float(np.prod(shape))).reshape(shape)
    expected = x.copy()
    np.fill_diagonal(expected, values, wrap=wrap)
    t, v = leaf(x), leaf(values)
    out = tg.fill_diagonal(t, v, wrap=wrap)
    np.testing.assert_array_equal(out.data, expected)
    gx, gv = tg.grad(out.sum(), [t, v])
    marked = np.zeros(shape)
    np.fill_diagonal(marked, 1, wrap=wrap)
    np.testing.assert_array_equal(gx.data, 1 - marked)
    assert gv.data.sum() == marked.sum()


def test_numpys_fill_diagonal_which_writes_in_place_is_not_ours():
    with pytest.raises(TypeError, match="np.fill_diagonal is not an op here"):
        np.fill_diagonal(leaf(np.eye(2)), 0.0)
    with pytest.raises(ValueError, match=r"fill_diagonal: x has shape \(2, 3, 2\)"):
        tg.fill_diagonal(tg.ones((2, 3, 2)), 0.0)
