"""Several penalties on one parameter: their steps one after the other reach the lowest point of the sum, or are refused."""

from itertools import permutations

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.optim import ProximalSGD
from tinygrad_reg.penalties import L0, L1, L2, MCP, SCAD, Box, ElasticNet, GroupL2, MaxNorm, NonNegative, Nuclear
from tinygrad_reg.penalties.sums import in_order, nearest

SUMS = [
    (L1(0.3), L2(0.2), Box(-0.4, 0.6)),
    (ElasticNet(0.3, 0.2), Box(0.1, 0.6)),
    (MCP(0.3), Box(-0.4, 0.6)),
    (SCAD(0.3), Box(-0.4, 1.6)),
    (L1(0.3), GroupL2(0.5)),
    (ElasticNet(0.3, 0.2), GroupL2(0.5)),
    (GroupL2(0.5), L2(0.2)),
    (NonNegative(), GroupL2(0.5)),
    (L1(0.3), NonNegative(), GroupL2(0.5), L2(0.2)),
    (ElasticNet(0.3, 0.2), MaxNorm(0.7)),
]


@pytest.mark.parametrize("penalties", SUMS, ids=lambda penalties: " + ".join(type(p).__name__ for p in penalties))
@pytest.mark.parametrize("step", [0.5, 1.5])
def test_one_after_the_other_is_the_lowest_point_of_the_sum(penalties, step):
    axis = np.linspace(-3, 3, 601)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    values = sum(_values(p, grid) for p in penalties)
    for v in ([1.7, -0.9], [2.5, 0.2], [0.4, 0.3], [-1.2, -0.8], [2.9, 2.9]):
        goal = ((grid - v) ** 2).sum(-1) / (2 * step) + values
        x = np.asarray(nearest(in_order("test", penalties), np.array(v), step))
        here = float(((x - v) ** 2).sum() / (2 * step) + sum(_values(p, x) for p in penalties))
        assert here <= goal.min() + 1e-9, (v, x, grid.reshape(-1, 2)[goal.argmin()])


def _values(p, grid):
    """The penalty of each pair of numbers."""
    if isinstance(p, GroupL2):
        return p.lam * np.linalg.norm(grid, axis=-1)
    if isinstance(p, MaxNorm):
        return np.where(np.linalg.norm(grid, axis=-1) <= p.most * (1 + 1e-12), 0.0, np.inf)
    flat = {}
    for x in np.unique(grid):
        flat[x] = float(p(np.array([x])))
    return np.vectorize(flat.get)(grid).sum(-1)


@pytest.mark.parametrize("penalties", SUMS, ids=lambda penalties: " + ".join(type(p).__name__ for p in penalties))
def test_the_order_in_which_they_are_given_does_not_matter(penalties):
    expected = in_order("test", penalties)
    assert all(in_order("test", order) == expected for order in permutations(penalties))


@pytest.mark.parametrize(
    "penalties",
    [
        (L0(0.1), Box(-1, 1)),  # at a bound a weight may not be worth its price
        (MCP(0.1), GroupL2(0.1)),
        (SCAD(0.1), L2(0.1)),
        (GroupL2(0.1), Box(-1, 1)),
        (GroupL2(0.1, axis=0), GroupL2(0.1, axis=1)),
        (GroupL2(0.1), MaxNorm(1.0)),
        (L1(0.1), L1(0.1)),
        (Nuclear(0.1), L1(0.1)),
    ],
    ids=str,
)
def test_what_is_not_known_is_refused(penalties):
    w = tg.tensor(np.ones((2, 2)), requires_grad=True, name="w")
    with pytest.raises(ValueError, match="on one parameter is not known"):
        ProximalSGD([w], 0.1, penalties=[(w, p) for p in penalties])
