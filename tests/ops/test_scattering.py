"""Values folded at places: PyTorch's values and derivatives of both orders, zeros, ties, NaN, and what is refused."""

import numpy as np
import pytest
from against_torch import assert_as_torch

import tinygrad_reg as tg

REDUCTIONS = ["sum", "prod", "mean", "amax", "amin"]
PLACES = np.array([[0, 2, 2, 0], [1, 1, 1, 1]])


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("axis", [0, 1])
def test_scatter_reduce_is_pytorchs(axis, reduce, include_self):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, source = rng.normal(size=(3, 4)), rng.normal(size=(2, 4))
    settings = {"reduce": reduce, "include_self": include_self}
    assert_as_torch(
        lambda x, source: tg.scatter_reduce(x, PLACES, source, axis=axis, **settings),
        lambda x, source: torch.scatter_reduce(x, axis, torch.tensor(PLACES), source, **settings),
        [x, source],
    )


def test_products_with_zeros_keep_their_derivatives_of_both_orders():
    values = leaf([0.0, 3.0, 0.0, 5.0, 2.0])
    out = tg.scatter_reduce(leaf([2.0, 7.0]), [0, 0, 1, 1, 0], values, axis=0, reduce="prod")
    assert out.tolist() == [0, 0]
    first = tg.grad(out.sum(), values, create_graph=True)
    assert first.tolist() == [12, 0, 35, 0, 0]
    assert tg.grad(first[0], values).tolist() == [0, 4, 0, 0, 6]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 65])
def test_products_of_any_number_of_factors(count):
    rng = np.random.default_rng(count)
    values, places = rng.uniform(0.5, 1.5, count), rng.integers(0, 3, count)
    out = tg.scatter_reduce(np.ones(3), places, values, axis=0, reduce="prod")
    np.testing.assert_allclose(out, [np.prod(values[places == k]) for k in range(3)], rtol=1e-13)


def test_equal_extremes_share_evenly_with_x_if_it_counts():
    for include_self, expected in ((True, [[0.25, 1], [0.25, 0.25, 0, 0.25]]), (False, [[0, 1], [1 / 3, 1 / 3, 0, 1 / 3]])):
        x, values = leaf([5.0, 1.0]), leaf([5.0, 5.0, 2.0, 5.0])
        out = tg.scatter_reduce(x, [0, 0, 0, 0], values, axis=0, reduce="amax", include_self=include_self)
        assert out.tolist() == [5, 1]
        assert [g.tolist() for g in tg.grad(out.sum(), [x, values])] == expected


def test_extremes_with_nan_and_of_whole_numbers():
    x = leaf([np.nan, 1.0])
    out = tg.scatter_reduce(x, [0, 1], leaf([3.0, np.nan]), axis=0, reduce="amin")
    assert np.isnan(out.data).all()
    assert tg.grad(out.sum(), x).tolist() == [1, 0]
    assert tg.scatter_reduce([9, 9], [0, 0], [4, 5], axis=0, reduce="amax", include_self=False).tolist() == [5, 9]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="scatter_reduce: reduce='min' is not known.*amin"):
        tg.scatter_reduce([1.0], [0], [1.0], axis=0, reduce="min")
    with pytest.raises(ValueError, match=r"scatter_reduce: values have shape \(1,\) and indices \(2,\)"):
        tg.scatter_reduce([1.0], [0, 0], [1.0], axis=0, reduce="sum")
    with pytest.raises(TypeError, match="scatter_reduce: a mean of int64"):
        tg.scatter_reduce([1], [0], [1], axis=0, reduce="mean")
    with pytest.raises(IndexError, match="lie outside of axis 0"):
        tg.scatter_reduce([1.0], [1], [1.0], axis=0, reduce="prod")
