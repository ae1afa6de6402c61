"""Polynomials and matrices of powers: NumPy's values, and derivatives known by hand."""

import numpy as np
import pytest

import tinygrad_reg as tg


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


@pytest.mark.parametrize("p", [[], [3.0], [1.0, -2.0, 0.0, 4.0], [1, 2]])
def test_polyval_is_numpys_and_has_its_derivatives(p):
    x = np.array([[-1.5, 0.0], [2.0, 3.0]])
    np.testing.assert_allclose(np.polyval(leaf(np.array(p, float)), x).data, np.polyval(p, x), rtol=1e-14)
    t = leaf(x)
    out = tg.polyval(p, t)
    np.testing.assert_allclose(out.data, np.polyval(p, x), rtol=1e-14)
    if len(p) > 1:
        slope = tg.grad(out.sum(), t, create_graph=True)
        np.testing.assert_allclose(slope.data, np.polyval(np.polyder(p), x), rtol=1e-14)
    if len(p) > 2:
        np.testing.assert_allclose(tg.grad(slope.sum(), t).data, np.polyval(np.polyder(p, 2), x), rtol=1e-14)


@pytest.mark.parametrize("settings", [{}, {"N": 2}, {"N": 5, "increasing": True}, {"N": 0}])
@pytest.mark.parametrize("x", [np.array([-1.0, 0.0, 2.0]), np.array([1, 2, 3]), np.array([100, -3], np.int8), np.array([0.5, -0.0], np.float32)])
def test_vander_is_numpys(x, settings):
    ours = np.vander(tg.Tensor(x), **settings)
    np.testing.assert_array_equal(ours.data, np.vander(x, **settings))
    assert ours.dtype == (np.float32 if x.dtype == np.float32 else np.vander(x).dtype)


def test_vander_has_its_derivatives_at_zero():
    x = leaf([0.0])
    first = tg.grad((tg.vander(x, 4) * np.array([1.0, 10.0, 100.0, 1000.0])).sum(), x, create_graph=True)
    assert first.tolist() == [100]
    assert tg.grad(first.sum(), x).tolist() == [20]


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"polyval: p has shape \(2, 2\)"):
        tg.polyval(tg.ones((2, 2)), 1.0)
    with pytest.raises(ValueError, match=r"vander: x has shape \(2, 2\)"):
        tg.vander(tg.ones((2, 2)))
