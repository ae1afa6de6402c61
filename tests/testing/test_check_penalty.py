"""check_penalty and check_module accept ours, and find what is wrong with others."""

from dataclasses import dataclass

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.penalties import L1, L2, MCP, SCAD, Box, ElasticNet, GroupL2, NonNegative, Nuclear, TotalVariation
from tinygrad_reg.testing import GradientMismatch, check_module, check_penalty

OURS = [
    L1(0.5),
    L2(0.5),
    ElasticNet(0.5, 0.25),
    MCP(0.5),
    SCAD(0.5),
    Box(-0.5, 1.0),
    NonNegative(),
    GroupL2(0.5, axis=1),
    TotalVariation(0.5),
    Nuclear(0.5),
]


@pytest.mark.parametrize("p", OURS, ids=lambda p: type(p).__name__)
def test_our_penalties_pass(p):
    check_penalty(p, samples=4)


@dataclass(frozen=True)
class Wrong(L1):
    """L1 with one part of it replaced."""

    def __repr__(self):
        return type(self).__name__


def kind(**methods):
    return type("Wrong", (Wrong,), methods)(0.5)


@pytest.mark.parametrize(
    ("p", "verdict"),
    [
        (kind(__call__=lambda self, w: 0.5 * abs(w)), "wrong shape"),
        (kind(prox=lambda self, v, step: L1(0.5005).prox(v, step)), "wrong prox"),
        (kind(prox=lambda self, v, step: v), "wrong prox"),
        (kind(prox=lambda self, v, step: L1(0.5).prox(v, 1.0)), "wrong prox"),
        (kind(prox=lambda self, v, step: L1(0.5).prox(v, step).astype(np.float32)), "wrong shape"),
        (kind(residual=lambda self, w, grad: L1(0.501).residual(w, grad)), "wrong residual"),
        (kind(residual=lambda self, w, grad: 0 * w), "wrong residual"),
        (kind(__call__=lambda self, w: 0.5 * tg.sum(tg.sqrt(abs(w)))), "wrong prox"),
    ],
)
def test_what_is_wrong_is_named(p, verdict):
    with pytest.raises(GradientMismatch) as found:
        check_penalty(p)
    assert found.value.verdict == verdict


def test_a_slope_that_is_no_subgradient_is_found(own_ops):
    @tg.op(domain=[tg.REAL.with_kinks(0.0)])
    def wrong_size(w):
        return np.absolute(w)

    wrong_size.defvjp(lambda g, out, w: g * (tg.sign(w) + 2.0 * (w == 0)))
    with pytest.raises(GradientMismatch, match="kink"):
        check_penalty(lambda w: wrong_size(w).sum())


def test_a_function_will_do():
    assert check_penalty(lambda w: 0.5 * abs(w).sum() + (w * w).sum()).entries > 100
    with pytest.raises(TypeError, match="takes a function of weights"):
        check_penalty(0.5)


class Scaled(nn.Module):
    """A module with a gradient that is wrong where ``honest`` is not set."""

    def __init__(self, honest):
        self.honest = honest
        self.weight = tg.tensor([1.0, 2.0], requires_grad=True)

    def forward(self, x):
        return x * self.weight if self.honest else x * (self.weight + tg.tensor(0.001 * self.weight.data))


def test_modules():
    x = np.random.default_rng(0).normal(size=(3, 2))
    model = nn.Sequential(nn.Linear(2, 3, 0.1, 0.2, 0.3, 0.4, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    assert check_module(model, x, order=2).entries > 30
    assert check_module(Scaled(True), x).entries == 8
    with pytest.raises(GradientMismatch, match="Scaled: wrong rule in 'weight'"):
        check_module(Scaled(False), x)
    with pytest.raises(GradientMismatch, match=r"not deterministic(.|\n)*model.eval\(\)"):
        check_module(nn.Sequential(nn.Linear(2, 2, rng=0), nn.Dropout(0.5)), x)
    check_module(nn.Sequential(nn.Linear(2, 2, rng=0), nn.Dropout(0.5)).eval(), x)
    with pytest.raises(TypeError, match="takes a Module"):
        check_module(np.tanh)
