"""The lesson step by step: losses of the book's own run, and identities that hold while training."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn

# Data loss before the 1st, 10th, 50th and 100th update: float64, seed 0, spiral of 100 a class and then both
# weights drawn from one legacy stream, 2-64-3, Adam(0.02, decay 5e-7), λ = 5e-4 on weights and biases of layer 1.
# The first and third setting do not depend on sign(0) and are the book's own code; the others take sign(0) = 0.
LOSSES = {
    (0.0, 0.0): (1.0985942613260806, 1.079689211, 0.984458702, 0.774226235),
    (5e-4, 0.0): (1.0985942613260806, 1.082126459, 1.020866324, 0.842058687),
    (0.0, 5e-4): (1.0985942613260806, 1.079700199, 0.989344072, 0.801073171),
    (5e-4, 5e-4): (1.0985942613260806, 1.082488866, 1.026320875, 0.867577137),
}


def lesson(l1, l2, seed=0, dtype="float64"):
    stream = np.random.RandomState(seed)
    x, y = tg.data.spiral(100, 3, rng=stream)
    first = nn.Linear(2, 64, l1, l2, l1, l2, init="book", rng=stream)
    model = nn.Sequential(first, nn.ReLU(), nn.Linear(64, 3, init="book", rng=stream)).astype(dtype)
    return model, x, y, tg.optim.Adam(model.parameters(), lr=0.02, decay=5e-7)


@pytest.mark.parametrize(("l1", "l2"), LOSSES)
def test_losses_of_the_books_run(l1, l2, mode):
    model, x, y, optimizer = lesson(l1, l2)
    history = tg.fit(model, x, y, optimizer=optimizer, epochs=100, compile=mode.compile)
    got = [history["data loss"][epoch] for epoch in (0, 9, 49, 99)]
    np.testing.assert_allclose(got[:2], LOSSES[l1, l2][:2], atol=1e-9)
    np.testing.assert_allclose(got[2:], LOSSES[l1, l2][2:], atol=1e-6)


@pytest.mark.parametrize(("l1", "l2"), LOSSES)
def test_float32_agrees_while_rounding_allows(l1, l2, mode):
    model, x, y, optimizer = lesson(l1, l2, dtype="float32")
    history = tg.fit(model, x, y, optimizer=optimizer, epochs=10, compile=mode.compile)
    assert history["data loss"][9] == pytest.approx(LOSSES[l1, l2][1], abs=1e-5)
    assert {p.dtype for p in model.parameters()} == {np.dtype("float32")}


def test_each_hidden_unit_balances_its_two_sides(mode):
    """A ReLU layer scaled by a and the next by 1/a is the same function: ⟨W1_h, g1_h⟩ + b1_h·gb1_h = ⟨W2_h, g2_h⟩."""
    model, x, y, optimizer = lesson(0, 0)
    tg.fit(model, x, y, optimizer=optimizer, epochs=20, compile=mode.compile)
    first, second = model[0], model[2]

    def differentiate(x, y):
        model.zero_grad()
        tg.cross_entropy(model(x), y).backward()

    mode.replayed(differentiate)(tg.Tensor(x), y)
    incoming = (first.weight.data * first.weight.grad.data).sum(axis=0) + first.bias.data * first.bias.grad.data
    outgoing = (second.weight.data * second.weight.grad.data).sum(axis=1)
    np.testing.assert_allclose(incoming, outgoing, atol=2e-15)


def test_a_penalty_on_layer_one_alone_can_be_scaled_away():
    model, x, y, _ = lesson(0, 5e-4)
    before = tg.cross_entropy(model(tg.Tensor(x)), y).item(), model.regularization_loss().item()
    for p, factor in ((model[0].weight, 0.1), (model[0].bias, 0.1), (model[2].weight, 10.0)):
        p.assign(factor * p.data)
    assert tg.cross_entropy(model(tg.Tensor(x)), y).item() == pytest.approx(before[0], rel=1e-12)
    assert model.regularization_loss().item() == pytest.approx(before[1] / 100)


def test_l1_by_its_subgradient_makes_no_exact_zero(mode):
    model, x, y, optimizer = lesson(5e-4, 0)
    tg.fit(model, x, y, optimizer=optimizer, epochs=200, every=100, compile=mode.compile)
    assert sum(row.zeros for row in model.penalty_table() if row.parameter == "0.weight") == 0


def test_the_penalty_does_not_depend_on_the_batch_size(mode):
    pulls = []
    for rows in (30, 300):
        model, x, y, _ = lesson(1e-3, 2e-3)

        @mode.replayed
        def both(x, y, model=model):
            loss = tg.cross_entropy(model(x), y)
            return tg.grad(loss + model.regularization_loss(), model[0].weight), tg.grad(loss, model[0].weight)

        total, without = both(tg.Tensor(x[:rows]), y[:rows])
        pulls.append(total.data - without.data)
    w = lesson(0, 0)[0][0].weight.data
    np.testing.assert_allclose(pulls[0], 1e-3 * np.sign(w) + 2 * 2e-3 * w, atol=1e-15)
    np.testing.assert_allclose(pulls[0], pulls[1], atol=1e-15)
