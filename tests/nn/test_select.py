"""Select: what it takes, where its places are kept, and its errors."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn


@pytest.mark.parametrize("axis", [-1, -2, 1])
def test_it_takes_some_places_along_an_axis(axis, rng, mode):
    layer, x = nn.Select([3, 0], axis), tg.tensor(rng.normal(size=(4, 5, 6)), requires_grad=True)
    np.testing.assert_array_equal(mode.replayed(layer)(x).data, x.data.take([3, 0], axis))
    layer(x).sum().backward()
    assert (x.grad.data != 0).sum() == x.size // x.shape[axis] * 2


def test_places_are_in_the_state_and_are_no_parameter():
    layer, other = nn.Select([1, 2]), nn.Select([0, 0])
    other.load_state_dict(layer.astype("float32").state_dict())
    assert other.indices.tolist() == [1, 2]
    assert layer.parameters() == []


def test_a_long_list_is_shortened_when_printed():
    assert repr(nn.Select(np.arange(20), axis=-3)) == "Select([0, 1, 2, 3, 4, 5, 6, 7, …], axis=-3, 20 in all)"


@pytest.mark.parametrize(("bad", "error"), [([], TypeError), ([0.5], TypeError), ([-1], ValueError), ([[0]], ValueError)])
def test_bad_places_are_refused(bad, error):
    with pytest.raises(error, match="Select: indices must be"):
        nn.Select(bad)
