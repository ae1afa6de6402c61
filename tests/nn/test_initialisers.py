"""Initialisers: scale, names, errors."""

import numpy as np
import pytest

from tinygrad_reg import nn

SCALES = {
    "book": 0.01,
    "he": np.sqrt(2 / 300),
    "he_uniform": np.sqrt(2 / 300),
    "xavier": np.sqrt(2 / 500),
    "xavier_uniform": np.sqrt(2 / 500),
    "lecun": np.sqrt(1 / 300),
    "zeros": 0.0,
}


@pytest.mark.parametrize("name", nn.INITIALISERS)
def test_scale_of_each_initialiser(name):
    weights = nn.initialise(name, 300, 200, rng=0)
    assert weights.shape == (300, 200)
    assert weights.std() == pytest.approx(SCALES[name], rel=0.02)
    assert abs(weights.mean()) <= 0.02 * max(SCALES[name], 1e-3)


def test_the_book_draws_from_a_legacy_stream_as_the_book_does():
    weights = nn.initialise("book", 2, 64, rng=np.random.RandomState(0))
    np.testing.assert_array_equal(weights, 0.01 * np.random.RandomState(0).randn(2, 64))


def test_a_function_may_initialise():
    layer = nn.Linear(2, 3, init=lambda rng, n_in, n_out: np.full((n_in, n_out), 7.0))
    assert (layer.weight.data == 7).all()


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="init 'hee' is unknown; choose from 'book', 'he'"):
        nn.Linear(2, 3, init="hee")


def test_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"weights of shape \(3, 2\); the layer needs \(2, 3\)"):
        nn.Linear(2, 3, init=lambda rng, n_in, n_out: np.zeros((n_out, n_in)))
