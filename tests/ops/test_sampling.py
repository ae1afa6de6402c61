"""Images read at places of a grid: PyTorch's values and derivatives of both orders in every mode, and what is refused."""

import numpy as np
import pytest
from against_torch import assert_as_torch

import tinygrad_reg as tg


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize(("image", "grid"), [((2, 3, 4, 5), (2, 3, 2, 2)), ((2, 1, 1, 3), (2, 1, 4, 2)), ((1, 2, 3, 4, 2), (1, 2, 1, 3, 3))])
def test_sampling_is_pytorchs(image, grid, mode, padding_mode, align_corners, rng):
    torch = pytest.importorskip("torch")
    if mode == "bicubic" and len(image) == 5:
        pytest.skip("bicubic is for two axes")
    settings = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    inputs = [rng.normal(size=image), rng.uniform(-2.5, 2.5, grid)]  # beyond the rim, and more than once round it
    assert_as_torch(
        lambda x, grid: tg.grid_sample(x, grid, **settings),
        lambda x, grid: torch.nn.functional.grid_sample(x, grid, **settings),
        inputs,
        orders=1,  # PyTorch's second derivative is missing for most; ours is tested by differences in the table
    )


@pytest.mark.filterwarnings("ignore:Since version 1.3.0")
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("size", [(2, 1, 3, 4), (2, 1, 1, 2), (2, 1, 2, 3, 1)])
def test_affine_grids_are_pytorchs(size, align_corners, rng):
    torch = pytest.importorskip("torch")
    axes = len(size) - 2
    assert_as_torch(
        lambda theta: tg.affine_grid(theta, size, align_corners),
        lambda theta: torch.nn.functional.affine_grid(theta, size, align_corners),
        [rng.normal(size=(2, axes, axes + 1))],
    )


def test_the_grid_that_moves_nothing_gives_the_image_back(rng):
    x = rng.normal(size=(1, 2, 4, 5))
    grid = tg.affine_grid(np.eye(2, 3)[None], x.shape)
    np.testing.assert_allclose(tg.grid_sample(x, grid), x, rtol=1e-13)


def test_what_does_not_fit_is_refused(rng):
    x, grid = rng.normal(size=(1, 1, 2, 2)), rng.normal(size=(1, 2, 2, 2))
    with pytest.raises(ValueError, match=r"grid_sample: x has shape \(1, 1, 2, 2\) and grid has shape \(1, 2, 2, 3\)"):
        tg.grid_sample(x, rng.normal(size=(1, 2, 2, 3)))
    with pytest.raises(ValueError, match="grid_sample: mode='cubic'"):
        tg.grid_sample(x, grid, mode="cubic")
    with pytest.raises(ValueError, match="padding_mode='wrap'"):
        tg.grid_sample(x, grid, padding_mode="wrap")
    with pytest.raises(TypeError, match="grid_sample: x is int64"):
        tg.grid_sample(x.astype(int), grid)
    with pytest.raises(ValueError, match=r"affine_grid: theta has shape \(1, 2, 2\)"):
        tg.affine_grid(np.ones((1, 2, 2)), (1, 1, 2, 2))


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_places_at_infinity_read_zeros_or_the_border_and_nan_goes_through(mode):
    x = tg.Tensor(np.arange(1.0, 7.0).reshape(1, 1, 2, 3), requires_grad=True)
    grid = tg.Tensor([[[[np.inf, np.inf], [-np.inf, 0.5], [1e300, 1e300]]]], requires_grad=True)
    zeros = tg.grid_sample(x, grid, mode=mode)
    assert zeros.tolist() == [[[[0, 0, 0]]]]
    assert not tg.grad(zeros.sum(), grid).data.any()
    border = tg.grid_sample(x, grid, mode=mode, padding_mode="border")
    assert border.data[0, 0, 0, 0] == border.data[0, 0, 0, 2] == 6
    if mode != "nearest":
        assert np.isnan(tg.grid_sample(x, grid * np.nan, mode=mode).data).all()
        assert np.isnan(tg.grid_sample(x, grid, mode=mode, padding_mode="reflection").data[0, 0, 0, :2]).all()
