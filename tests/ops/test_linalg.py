"""Products of matrices and vectors in every pairing of shapes."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numeric import check_gradient

import tinygrad_reg as tg

SHAPES = hnp.mutually_broadcastable_shapes(signature="(n?,k),(k,m?)->(n?,m?)", min_side=0, max_side=3, max_dims=2)


@given(SHAPES, st.integers(0, 2**32))
def test_values_and_gradients_for_any_shapes(shapes, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=shape) for shape in shapes.input_shapes)
    np.testing.assert_allclose(tg.matmul(a, b), np.matmul(a, b), rtol=1e-12, atol=1e-12)
    assert np.shape(tg.matmul(a, b)) == shapes.result_shape
    check_gradient(tg.matmul, [a, b], {}, rng)


@pytest.mark.parametrize("kind", [np.array, list, tg.Tensor])
def test_a_tensor_meets_arrays_and_lists_on_both_sides(kind):
    x, other = tg.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True), kind([[0.0, 1.0], [2.0, 0.0]])
    np.testing.assert_array_equal((x @ other).data, [[4, 1], [8, 3]])
    np.testing.assert_array_equal((other @ x).data, [[3, 4], [2, 4]])
    ((x @ other).sum() + (other @ x).sum()).backward()
    np.testing.assert_array_equal(x.grad.data, [[3, 4], [2, 3]])


def test_one_matrix_squared():
    x = tg.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    (x @ x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [[7, 11], [9, 13]])


@pytest.mark.parametrize(("a", "b"), [((2, 3), (2, 3)), ((3,), (2,)), ((2, 3), ()), ((), ()), ((2, 2, 3), (3, 3, 2))])
def test_sizes_that_do_not_agree(a, b):
    with pytest.raises(ValueError, match=r"matmul: .*the inner sizes must agree.*element by element use \*"):
        tg.ones(a) @ tg.ones(b)


def test_whole_numbers_multiply_exactly():
    found = tg.Tensor([[1, 2]]) @ tg.Tensor([[3], [2**60]])
    assert found.item() == 3 + 2**61
    assert found.dtype == np.int64


def test_affine_is_the_product_plus_the_bias_in_the_wider_dtype():
    x, w = np.array([[1.0, 2.0]], np.float32), np.array([[1.0, 0.0], [0.0, 3.0]], np.float32)
    found = tg.affine(tg.Tensor(x), w, np.array([0.5, 0.25], np.float32))
    np.testing.assert_array_equal(found.data, [[1.5, 6.25]])
    assert found.dtype == np.float32
    assert tg.affine(tg.Tensor(x), w, np.array([0.5, 0.25])).dtype == np.float64


@pytest.mark.parametrize("bias", [(), (1,), (3,), (2, 2)])
def test_a_bias_that_does_not_fit_is_refused(bias):
    with pytest.raises(ValueError, match=r"affine: .*bias has shape .*product"):
        tg.affine(tg.ones((2, 4)), tg.ones((4, 2)), tg.ones(bias))
