"""Operations that draw while they compute: seeds, bounds, distributions, and gradients by the drawn numbers."""

import numpy as np
import pytest

import tinygrad_reg as tg


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


def test_hard_choices_are_one_hot_with_the_soft_gradient_and_the_right_shares():
    logits = leaf(np.log(np.broadcast_to([0.2, 0.3, 0.5], (20000, 3))))
    hard, soft = tg.gumbel_softmax(logits, hard=True, rng=0), tg.gumbel_softmax(logits, rng=0)
    np.testing.assert_allclose(hard.data.sum(axis=1), 1)
    assert set(np.unique(hard.data.round(12))) == {0, 1}
    np.testing.assert_allclose(hard.data.mean(axis=0), [0.2, 0.3, 0.5], atol=0.015)
    weights = np.random.default_rng(0).normal(size=logits.shape)
    np.testing.assert_array_equal(tg.grad(hard, logits, weights).data, tg.grad(soft, logits, weights).data)


def test_small_tau_is_hard_and_seeds_repeat():
    x = leaf([[0.0, 1.0], [2.0, 0.0]])
    assert ((tg.gumbel_softmax(x, tau=1e-3, rng=3).data > 0.999).sum(axis=1) == 1).all()
    np.testing.assert_array_equal(tg.gumbel_softmax(x, rng=1).data, tg.gumbel_softmax(x, rng=1).data)
    tg.manual_seed(7)
    first = tg.gumbel_softmax(x).data
    tg.manual_seed(7)
    np.testing.assert_array_equal(tg.gumbel_softmax(x).data, first)
    with pytest.raises(ValueError, match="gumbel_softmax: tau is 0"):
        tg.gumbel_softmax(x, tau=0)


def test_random_slopes_lie_between_their_bounds_and_are_the_gradient():
    x = leaf(np.linspace(-2, 1, 1000))
    out = tg.rrelu(x, 0.1, 0.3, rng=0)
    slope = tg.grad(out.sum(), x).data
    np.testing.assert_allclose(slope * x.data, out.data, rtol=1e-14)
    negative = x.data < 0
    assert (slope[~negative] == 1).all()
    assert slope[negative].min() >= 0.1
    assert slope[negative].max() <= 0.3
    assert abs(slope[negative].mean() - 0.2) < 0.01
    assert tg.rrelu(leaf([-6.0, 3.0]), 0.25, 0.75, training=False).tolist() == [-3, 3]
    with pytest.raises(ValueError, match="random_slopes: slopes from 0.5 to 0.1.*lower no larger than upper"):
        tg.rrelu(x, 0.5, 0.1)
    with pytest.raises(TypeError, match="rrelu: .*complex128"):
        tg.rrelu(np.array([1j]))
