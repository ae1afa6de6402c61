"""Places of the largest elements, and elements put back there: PyTorch's, in any number of axes, and what is refused."""

import numpy as np
import pytest
from against_torch import assert_as_torch

import tinygrad_reg as tg

SIZES = {1: (9,), 2: (7, 8), 3: (5, 4, 6)}
SETTINGS = [{"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1}, {"kernel_size": 2, "stride": 1}, {"kernel_size": 2, "ceil_mode": True}]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_places_of_winners_are_pytorchs(axes, settings, rng):
    torch = pytest.importorskip("torch")
    for x in (rng.normal(size=(2, 2, *SIZES[axes])), rng.integers(0, 3, (2, *SIZES[axes])).astype(float)):
        ours = getattr(tg, f"max_pool{axes}d")(x, **settings, return_indices=True)
        theirs = getattr(torch.nn.functional, f"max_pool{axes}d")(torch.tensor(x), **settings, return_indices=True)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b.numpy())


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_unpooling_is_pytorchs(axes, rng):
    torch = pytest.importorskip("torch")
    x, places = getattr(tg, f"max_pool{axes}d")(rng.normal(size=(2, 2, *SIZES[axes])), 2, return_indices=True)
    name = f"max_unpool{axes}d"
    for size in (None, SIZES[axes], (2, 2, *SIZES[axes])):
        if size is None and any(n % 2 for n in SIZES[axes]):
            continue  # then the places are those of a larger image
        assert_as_torch(
            lambda x, size=size: getattr(tg, name)(x, places, 2, output_size=size),
            lambda x, size=size: getattr(torch.nn.functional, name)(x, torch.tensor(places), 2, output_size=size),
            [x],
        )


def test_unpooling_is_the_mirror_of_poolings_slope(rng):
    x = tg.Tensor(rng.normal(size=(1, 2, 4, 6)), requires_grad=True)
    out, places = tg.max_pool2d(x, 2, return_indices=True)
    g = rng.normal(size=out.shape)
    np.testing.assert_array_equal(tg.grad(out, x, g).data, tg.max_unpool2d(g, places, 2))


def test_nan_wins_its_window():
    assert tg.max_pool1d(np.array([[[1.0, np.nan, 3.0, 4.0]]]), 2, return_indices=True)[1].tolist() == [[[1, 3]]]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"max_unpool1d: x has shape \(1, 1, 2\) and indices have shape \(1, 1, 3\)"):
        tg.max_unpool1d(np.ones((1, 1, 2)), np.zeros((1, 1, 3), int), 2)
    with pytest.raises(IndexError, match="lie outside of axis"):
        tg.max_unpool1d(np.ones((1, 1, 2)), np.array([[[0, 4]]]), 2)
    with pytest.raises(ValueError, match="max_unpool2d: x has shape"):
        tg.max_unpool2d(np.ones(2), np.zeros(2, int), 2)
