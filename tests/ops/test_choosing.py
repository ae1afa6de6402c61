"""Select, choose, piecewise, compress and extract: NumPy's values, and gradients only where something was chosen."""

import numpy as np
import pytest

import tinygrad_reg as tg

X = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


def test_select_takes_the_first_that_holds():
    x, y = leaf(X), leaf(3.0)
    out = np.select([x < -1, x < 0.2], [x * x, y], -1.0)
    np.testing.assert_array_equal(out.data, np.select([X < -1, X < 0.2], [X * X, 3.0], -1.0))
    gx, gy = tg.grad(out.sum(), [x, y])
    assert gx.tolist() == [-4, 0, 0, 0, 0]
    assert gy.item() == 2
    assert tg.select([X > 0], [leaf(X)], default=leaf(np.full((2, 5), 7.0))).shape == (2, 5)


def test_a_branch_that_is_not_selected_never_gives_nan():
    x = leaf(X)
    assert tg.grad(tg.select([x > 0], [tg.where(x > 0, x, 1.0) ** 0.5], 0.0).sum(), x).data[:3].tolist() == [0, 0, 0]


def test_select_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="select: 2 conditions and 1 choices"):
        tg.select([X > 0, X < 0], [X])
    with pytest.raises(TypeError, match="select: condition 0 is float64"):
        tg.select([X], [X])


@pytest.mark.parametrize("mode", ["wrap", "clip"])
def test_choose_is_numpys(mode):
    a = np.array([[3, -1, 1], [0, 2, 5]])
    choices = [np.arange(3.0), np.array(10.0), np.array([[100.0], [200.0]])]
    tensors = [leaf(c) for c in choices]
    out = np.choose(a, tensors, mode=mode)
    np.testing.assert_array_equal(out.data, np.choose(a, choices, mode=mode))
    found = tg.grad(out.sum(), tensors)
    assert [g.shape for g in found] == [c.shape for c in choices]
    assert sum(float(g.sum()) for g in found) == 6
    places = a % 3 if mode == "wrap" else a.clip(0, 2)
    assert found[1].item() == (places == 1).sum()
    np.testing.assert_array_equal(found[2].data[:, 0], (places == 2).sum(axis=1))


def test_choose_refuses_numbers_that_name_no_choice():
    with pytest.raises(IndexError, match=r"choose: a holds 0 to 2, and there are 2 choices"):
        tg.choose([0, 2], [leaf(1.0), leaf(2.0)])
    with pytest.raises(TypeError, match="choose: a is float64"):
        tg.choose([0.0], [leaf(1.0)])


def test_piecewise_calls_a_function_only_where_its_condition_holds():
    x = leaf(X)
    out = np.piecewise(x, [x > 0, x < -1], [tg.log, lambda v: v * v, 5.0])
    np.testing.assert_array_equal(out.data, np.piecewise(X, [X > 0, X < -1], [np.log, lambda v: v * v, 5.0]))
    assert tg.grad(out.sum(), x).tolist() == [-4, 0, 0, 2, 0.5]
    assert tg.piecewise(x, x > 0, [1.0]).tolist() == [0, 0, 0, 1, 1]
    assert tg.piecewise(x, [x > 0, x > 1], [1.0, lambda v, k, plus: v * k + plus], 2, plus=1).tolist() == [0, 0, 0, 1, 5]
    with pytest.raises(ValueError, match="piecewise: 3 functions for 1 conditions"):
        tg.piecewise(x, [x > 0], [1.0, 2.0, 3.0])


def test_compress_and_extract_are_numpys():
    x = np.arange(6.0).reshape(2, 3)
    t = leaf(x)
    for condition, axis in (([True, False, True], 1), ([False, True], 0), ([1, 0, 0, 1], None), ([True], 0)):
        np.testing.assert_array_equal(np.compress(condition, t, axis).data, np.compress(condition, x, axis))
    np.testing.assert_array_equal(np.extract(x > 2, t).data, np.extract(x > 2, x))
    assert tg.grad(tg.compress([True, False, True], t, axis=1).sum(), t).tolist() == [[1, 0, 1], [1, 0, 1]]
    with pytest.raises(ValueError, match=r"compress: condition has shape \(1, 1\)"):
        tg.compress([[True]], t)
