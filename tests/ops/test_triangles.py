"""LU: PyTorch's factors and derivatives for square, tall, wide, stacked, real and complex matrices, and where there are none."""

import numpy as np
import pytest
from against_torch import assert_as_torch

import tinygrad_reg as tg

SHAPES = [(3, 3), (4, 2), (2, 4), (2, 3, 3), (2, 2, 5, 3), (1, 1)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("unit", [1, 1 + 1j])
def test_factors_are_pytorchs(shape, unit, rng):
    torch = pytest.importorskip("torch")
    x = rng.normal(size=shape) + (0 if unit == 1 else 1j * rng.normal(size=shape))
    for i in (1, 2):
        assert_as_torch(lambda x, i=i: tg.linalg.lu(x)[i], lambda x, i=i: torch.linalg.lu(x)[i], [x], rtol=1e-8)
    p, lower, upper = tg.linalg.lu(x)
    np.testing.assert_allclose(p @ lower @ upper, x, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(p.sum(axis=-1).real, np.ones(p.shape[:-1]))
    assert (np.abs(lower) <= np.sqrt(2) + 1e-15).all()


@pytest.mark.parametrize("shape", [(2, 2), (0, 3), (3, 0), (0, 2, 2)])
def test_zeros_and_nothing_have_factors(shape):
    p, lower, upper = tg.linalg.lu(np.zeros(shape))
    np.testing.assert_array_equal(p @ lower @ upper, np.zeros(shape))


def test_a_pivot_of_zero_has_no_derivative():
    x = tg.Tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    with pytest.raises(np.linalg.LinAlgError, match="lu: a pivot is 0"):
        tg.linalg.lu(x).U.sum().backward()
    with pytest.raises(ValueError, match=r"linalg_lu: an array of shape \(2,\) holds no matrices"):
        tg.linalg.lu(np.ones(2))
