"""Ops that move elements: NumPy's values, and every way to say an axis."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg


def weighed_slope(f, x, rng):
    """The gradient of Σ w·f(x) for random w: a moved element brings its weight home."""
    t = tg.Tensor(x, requires_grad=True)
    result = f(t)
    weights = rng.normal(size=result.shape)
    (result * weights).sum().backward()
    return t.grad.data, weights


@given(st.permutations(range(4)), st.data())
def test_axes_in_any_order_and_back(axes, data):
    x = np.arange(2.0 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    negative = [a - 4 if data.draw(st.booleans()) else a for a in axes]
    gradient, weights = weighed_slope(lambda t: tg.permute_dims(t, axes=tuple(negative)), x, np.random.default_rng(0))
    np.testing.assert_array_equal(tg.permute_dims(x, tuple(negative)), np.transpose(x, axes))
    np.testing.assert_array_equal(gradient, np.transpose(weights, np.argsort(axes)))


@pytest.mark.parametrize("axes", [None, 0, -1, (0,), (-1,), [0]])
def test_a_vector_is_its_own_transpose_however_it_is_said(axes, rng):
    x = np.array([1.0, 2.0, 3.0])
    gradient, weights = weighed_slope(lambda t: tg.permute_dims(t, axes=axes), x, rng)
    np.testing.assert_array_equal(gradient, weights)
    np.testing.assert_array_equal(tg.Tensor(x).transpose(axes).data, x)


def test_an_axis_too_few_is_an_error():
    for wrong in (0, (0,), (), (0, 0), (0, 1, 2)):
        with pytest.raises(ValueError, match="permute_dims: .*axes must name every axis once"):
            tg.zeros((2, 3)).transpose(wrong)


def test_transposes_of_stacks():
    x = tg.Tensor(np.arange(24.0).reshape(2, 3, 4))
    assert x.T.shape == (4, 3, 2)
    assert x.mT.shape == (2, 4, 3)
    assert x.transpose(1, 0, 2).shape == x.transpose((1, 0, 2)).shape == (3, 2, 4)
    np.testing.assert_array_equal(x.mT.data, np.swapaxes(x.data, 1, 2))


@given(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), st.data())
def test_broadcasting_adds_up_on_the_way_back(shape, data):
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=1, base_shape=shape, min_side=0, max_side=3, max_dims=3))
    (small,), large = shapes.input_shapes, shapes.result_shape
    x = np.random.default_rng(0).normal(size=small)
    gradient, weights = weighed_slope(lambda t: tg.broadcast_to(t, large), x, np.random.default_rng(1))
    extra = weights.ndim - x.ndim
    stretched = tuple(i + extra for i, n in enumerate(small) if n == 1)
    expected = np.sum(weights, axis=(*range(extra), *stretched)).reshape(small)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(tg.broadcast_to(x, large), np.broadcast_to(x, large))


def test_broadcasting_a_single_number_is_read_only_and_of_its_dtype():
    found = tg.broadcast_to(np.float32(3.0), (2, 2))
    np.testing.assert_array_equal(found, np.full((2, 2), 3.0))
    assert found.dtype == np.float32
    assert not found.flags.writeable


@pytest.mark.parametrize("kind", [list, tuple])
def test_joins_take_sequences_of_tensors_arrays_and_lists(kind, rng):
    x = tg.Tensor([[1.0, 2.0]], requires_grad=True)
    parts = kind([x, np.array([[3.0, 4.0]]), [[5.0, 6.0]]])
    np.testing.assert_array_equal(tg.concat(parts).data, [[1, 2], [3, 4], [5, 6]])
    np.testing.assert_array_equal(tg.stack(parts, axis=1).data, [[[1, 2], [3, 4], [5, 6]]])
    tg.concat(parts, axis=1).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [[1, 1]])


def test_joins_of_lists_alone_give_arrays():
    np.testing.assert_array_equal(tg.concat([[1.0, 2.0], [3.0]]), [1, 2, 3])
    np.testing.assert_array_equal(tg.stack([[1.0, 2.0], (3.0, 4.0)], axis=1), [[1, 3], [2, 4]])


def test_joins_give_each_part_its_own_gradient(rng):
    parts = [tg.Tensor(rng.normal(size=(2, n)), requires_grad=True) for n in (1, 0, 3)]
    weights = rng.normal(size=(2, 4))
    (tg.concat(parts, axis=-1) * weights).sum().backward()
    np.testing.assert_array_equal(np.concatenate([p.grad.data for p in parts], axis=1), weights)


def test_one_tensor_joined_with_itself():
    x = tg.Tensor([1.0, 2.0], requires_grad=True)
    (tg.concat([x, x]) * [1.0, 2.0, 10.0, 20.0]).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [11, 22])
    x.grad = None
    (tg.stack([x, x]) * [[1.0, 2.0], [10.0, 20.0]]).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [11, 22])


@pytest.mark.parametrize("place", [0, 1])
def test_flat_joins_take_plain_numbers_too(place):
    x = tg.Tensor([[1.0, 2.0]], requires_grad=True)
    parts = [3.0, x] if place else [x, 3.0]
    weights = np.array([1.0, 2.0, 3.0])
    (tg.concat(parts, axis=None) * weights).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [weights[place : place + 2]])


def test_stack_takes_single_numbers():
    x = tg.Tensor(1.0, requires_grad=True)
    (tg.stack([x, 2.0, x * x]) * [1.0, 10.0, 100.0]).sum().backward()
    assert x.grad.item() == 201


def test_joins_promote_and_give_each_gradient_its_dtype():
    a, b = tg.Tensor([1.0], requires_grad=True, dtype="float32"), tg.Tensor([2.0], requires_grad=True)
    joined = tg.concat([a, b])
    assert joined.dtype == np.float64
    joined.sum().backward()
    assert (a.grad.dtype, b.grad.dtype) == (np.float32, np.float64)


def test_a_list_of_axes_changed_later_does_not_change_the_gradient(rng):
    x, axes = tg.Tensor(rng.normal(size=(1, 2, 3)), requires_grad=True), [2, 0, 1]
    y, weights = tg.permute_dims(x, axes=axes), rng.normal(size=(3, 1, 2))
    axes[:] = [0, 1, 2]
    y.backward(weights)
    np.testing.assert_array_equal(x.grad.data, np.transpose(weights, (1, 2, 0)))
