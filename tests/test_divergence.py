"""Loops that run away: which term is named, with the step and the learning rate."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import Schedule, check_finite, nn
from tinygrad_reg.divergence import terms_of
from tinygrad_reg.optim import SGD


def parameter(value=1e200):
    return tg.tensor([value], requires_grad=True, name="w")


@pytest.mark.parametrize(
    ("loss", "named"),
    [
        (lambda w: w.sum() + 0.1 * (w * w).sum(), r"w L2 = inf, at a learning rate of 0.5"),
        (lambda w: tg.exp(w).sum() + 0.1 * abs(w).sum(), r"data loss = inf, at a learning rate of 0.5"),
        (lambda w: tg.log(-w).sum() + 0.1 * (w * w).sum(), r"data loss = nan, w L2 = inf, at"),
        (lambda w: (w - w / 0).sum() + 0.1 * abs(w).sum(), r"data loss = -inf, at"),
        (lambda w: tg.tensor(np.nan), "the loss = nan, at"),
        (lambda w: w.sum() * 1.7e108 + 1.7e308 * abs(w / 1e200).sum(), "the sum of all terms is not finite, at"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_the_term_that_blew_up_is_named(loss, named):
    w = parameter()
    with np.errstate(all="ignore"), pytest.raises(RuntimeError, match=rf"my loop: step 7: {named}.* Lower the learning rate, scale the data"):
        check_finite(loss(w), "my loop", "step 7", rate=0.5)


def test_a_finite_loss_says_nothing():
    assert check_finite((parameter(2.0) ** 2).sum(), "my loop", "step 7") is None


def test_the_terms_add_up_to_the_loss():
    model = nn.Linear(3, 2, weight_lambda_l1=0.1, bias_lambda_l2=0.2, rng=0)
    model.bias.assign([1.0, 2.0])
    loss = (model(np.ones((4, 3))) ** 2).mean() + model.regularization_loss()
    terms = terms_of(loss, model)
    assert set(terms) == {"data loss", "weight L1", "bias L2"}
    assert sum(terms.values()) == pytest.approx(float(loss), rel=1e-14)
    assert terms["bias L2"] == pytest.approx(1.0)


def test_a_loop_of_ones_own_stops():
    w = parameter(1.0)
    opt = SGD([w], lr=3.0)
    with np.errstate(all="ignore"), pytest.raises(RuntimeError, match=r"loop: step \d: data loss = inf, at a learning rate of 3"):
        for step in range(10):
            loss = (w**4).sum() + 0.1 * (w * w).sum()
            check_finite(loss, "loop", f"step {step}", opt.current_lr)
            opt.minimize(loss)


@pytest.mark.parametrize("every", [1, 50])
def test_fit_names_the_epoch_the_term_and_the_learning_rate_of_that_epoch(every, mode):
    """Also where nobody looks, inside of the compiled loop."""
    model = nn.Linear(1, 1, weight_lambda_l2=0.5, bias=False, init="zeros")
    model.weight.assign([[1.0]])
    opt = SGD(model.parameters(), lr=Schedule(lambda t: 0.5 if t < 6 else 1e90))
    x, y = np.zeros((2, 1)), np.zeros((2, 1))  # only the penalty pulls
    message = r"fit: epoch 8: 0.weight L2 = inf, at a learning rate of 1e\+90. Lower the learning rate"
    with np.errstate(all="ignore"), pytest.raises(RuntimeError, match=message):
        tg.fit(nn.Sequential(model), x, y, epochs=40, every=every, optimizer=opt, progress=False, compile=mode.compile)
