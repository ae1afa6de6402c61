"""Distances of all pairs: PyTorch's values and gradients for any p, none at distance 0, and what is refused."""

import numpy as np
import pytest
from against_torch import assert_as_torch, drawn

import tinygrad_reg as tg


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, np.inf])
def test_distances_of_all_pairs_are_pytorchs(p):
    torch = pytest.importorskip("torch")
    inputs = drawn(-2, 2, (2, 3, 4), (5, 4))
    assert_as_torch(lambda a, b: tg.cdist(a, b, p), lambda a, b: torch.cdist(a, b, p), inputs, orders=1)
    x = drawn(-2, 2, (5, 3))
    assert_as_torch(lambda x: tg.pdist(x, p), lambda x: torch.nn.functional.pdist(x, p), x, orders=1)


def test_the_second_derivative_is_that_of_a_formula():
    torch = pytest.importorskip("torch")
    inputs = drawn(-2, 2, (3, 4), (5, 4))
    for p in (1.5, 2.0, 3.0):
        assert_as_torch(
            lambda a, b, p=p: tg.cdist(a, b, p),
            lambda a, b, p=p: ((a[:, None] - b).abs() ** p).sum(-1) ** (1 / p),
            inputs,
        )
    assert torch is not None


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 1.5, 2.0, 4.0, np.inf])
def test_at_distance_zero_the_slope_is_zero_at_both_orders(p):
    x = leaf([[1.0, 2.0], [1.0, 2.0]])
    out = tg.cdist(x, x, p)
    assert out.tolist() == [[0, 0], [0, 0]]
    if not out.requires_grad:
        return
    first = tg.grad(out.sum(), x, create_graph=True)
    assert first.tolist() == [[0, 0], [0, 0]]
    if first.requires_grad:
        assert np.isfinite(tg.grad(first.sum(), x).data).all()


def test_distances_of_nothing_and_what_is_refused():
    assert tg.cdist(np.ones((2, 0)), np.ones((3, 0))).tolist() == [[0] * 3] * 2
    assert tg.cdist([[0, 0]], [[3, 4]]).tolist() == [[5]]
    assert tg.cdist(np.array([[100]], np.int8), np.array([[-100]], np.int8)).tolist() == [[200]]
    assert tg.pdist(leaf([[1.0]])).shape == (0,)
    with pytest.raises(ValueError, match="cdist: p is -1"):
        tg.cdist(np.ones((2, 2)), np.ones((2, 2)), -1)
    with pytest.raises(ValueError, match=r"cdist: a has shape \(2, 3\) and b has shape \(2, 2\)"):
        tg.cdist(np.ones((2, 3)), np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"pdist: x has shape \(2,\)"):
        tg.pdist(np.ones(2))
    with pytest.raises(TypeError, match="cdist: .*complex128"):
        tg.cdist(np.ones((2, 2)) * 1j, np.ones((2, 2)))


@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-3])
def test_cosine_similarity_of_any_size(scale):
    a, b = tg.Tensor(np.array([3.0, 4.0]) * scale, requires_grad=True), tg.Tensor(np.array([4.0, 3.0]) / scale)
    found = tg.cosine_similarity(a, b, eps=1e-300)
    np.testing.assert_allclose(found.data, 0.96, rtol=1e-14)
    np.testing.assert_allclose(tg.grad(found, a).data * scale, [0.0448, -0.0336], rtol=1e-12)


def test_cosine_similarity_of_nan_has_no_finite_gradient():
    a = tg.Tensor([[1.0, np.nan], [3.0, 4.0]], requires_grad=True)
    found = tg.cosine_similarity(a, [1.0, 1.0])
    np.testing.assert_array_equal(np.isnan(tg.grad(found.sum(), a).data), [[True, True], [False, False]])


def test_far_and_near_points_neither_overflow_nor_vanish():
    a, b = leaf([[1e200, 1e200], [3e-200, 0.0]]), np.array([[-1e200, 1e200], [0.0, 4e-200]])
    np.testing.assert_allclose(np.diag(tg.cdist(a, b).data), [2e200, 5e-200], rtol=1e-14)
    np.testing.assert_allclose(tg.grad(tg.cdist(a, b)[1, 1], a).data[1], [0.6, -0.8], rtol=1e-14)
