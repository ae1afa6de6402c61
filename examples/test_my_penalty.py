"""A reader's guide: write a penalty, property-test its gradient, break it, and see what is said.

    python -m pytest examples/test_my_penalty.py        (after pip install "tinygrad_reg[testing]")

The lesson's two gradients, 2λw for L2 and λ·sign(w) for L1, are one line each, and easy to get wrong: a ½ that comes and goes, a mean
where a sum was meant, the kink at 0. A property test tries them at hundreds of weights: small and large, zeros, ties, empty arrays.
"""

from dataclasses import dataclass

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.penalties import L1
from tinygrad_reg.testing import GradientMismatch, check_gradients, check_op, check_penalty, gradients_match

LAMBDA = 0.01

# 1. A function, and the gradient you derived. Two lines make a property test of them.


@gradients_match(lambda w: 2 * LAMBDA * w)
def test_l2(w):
    return LAMBDA * (w * w).sum()


@gradients_match(lambda w: LAMBDA * np.sign(w))
def test_l1(w):
    return LAMBDA * abs(w).sum()


# 2. Your own NumPy code, with the gradient by hand: no Tensor anywhere.


def my_loss(w, x, y):
    """Mean squared error of a straight line, with an L2 penalty."""
    return np.mean((x @ w - y) ** 2) + LAMBDA * np.sum(w**2)


def my_gradient(w, x, y):
    """Its gradient in w, as I derived it."""
    return 2 * x.T @ (x @ w - y) / len(y) + 2 * LAMBDA * w


def test_my_loss():
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(20, 3)), rng.normal(size=20), rng.normal(size=3)
    check_gradients(my_loss, w, x, y, wrt="w", grad=my_gradient)


# 3. Break it, and read what is said: where, by how much, and what it looks like.


def test_a_forgotten_factor_is_named():
    rng = np.random.default_rng(0)
    w = rng.normal(size=(4, 3))
    with pytest.raises(GradientMismatch) as found:
        check_gradients(lambda w: LAMBDA * np.sum(w**2), w, grad=lambda w: LAMBDA * w)
    print(found.value)
    assert found.value.verdict == "wrong rule"
    assert found.value.pattern == "off by a factor of 0.5"


def test_at_zero_any_slope_from_minus_lambda_to_lambda_is_right_and_no_other():
    w = np.array([1.0, 0.0, -2.0])

    def lasso(w):
        return LAMBDA * np.sum(np.abs(w))

    check_gradients(lasso, w, grad=lambda w: LAMBDA * np.where(w == 0, 0.7, np.sign(w)))
    with pytest.raises(GradientMismatch) as found:
        check_gradients(lasso, w, grad=lambda w: LAMBDA * np.where(w == 0, 1.3, np.sign(w)))
    assert (found.value.verdict, found.value.index) == ("kink", (1,))


# 4. A penalty of your own, with its proximal step: the value, the slope, the step and the certificate are held against each other.


@dataclass(frozen=True)
class Huberized(tg.penalties.L2):
    """λ·Σ h(w) with h(w) = w²/2 near 0 and |w| - ½ beyond 1: smooth as L2 there, and as mild as L1 to large weights."""

    def __call__(self, w):
        size = abs(w)
        return self.lam * tg.sum(tg.where(size <= 1, size * size / 2, size - 0.5))

    def prox(self, v, step):
        return np.where(np.abs(v) <= 1 + step * self.lam, v / (1 + step * self.lam), v - step * self.lam * np.sign(v))

    def residual(self, w, grad):
        return grad + self.lam * np.clip(w, -1, 1)


def test_my_penalty():
    check_penalty(Huberized(0.5))
    check_penalty(L1(0.5))


def test_a_proximal_step_that_is_a_little_short_is_found():
    class TooShort(Huberized):
        def prox(self, v, step):
            return super().prox(v, 0.999 * step)

    with pytest.raises(GradientMismatch, match=r"wrong (prox|residual)"):
        check_penalty(TooShort(0.5))


# 5. An op of your own gets all the tests that the package's ops get: second derivatives, kinks, layouts of memory, float32.


def test_my_op():
    @tg.op(label="√ε", domain=[tg.REAL])
    def smooth_size(w):
        """|w| rounded off at 0: √(w² + 0.01)."""
        return np.sqrt(w * w + 0.01)

    smooth_size.defvjp(lambda g, out, w: g * w / out)
    check_op(smooth_size, samples=3)
    del tg.OPS["smooth_size"]  # an op of a program stays; one of a test should not be in the way of others


# 6. A whole model, its penalties included, with pytest's fixture: run again with --gradient-seed 1 for other numbers.


def test_my_model(gradients):
    model = nn.Sequential(nn.Linear(2, 5, weight_lambda_l1=LAMBDA, weight_lambda_l2=LAMBDA, rng=0), nn.Tanh(), nn.Linear(5, 3, rng=1))
    x, y = tg.data.spiral(5, 3, rng=0)
    gradients(lambda model: tg.cross_entropy(model(x), y) + model.regularization_loss(), model, order=2)
