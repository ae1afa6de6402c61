"""End to end: a penalty makes whole inputs and units zero, and compacting makes the net small, with the same answers."""

import numpy as np
import pytest
from compacted import outputs, same

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.penalties import GroupL2

MATTER = [3, 7]


def rings(samples, rng):
    """Three rings in two of ten inputs; the others are noise."""
    x = rng.normal(size=(samples, 10))
    return x, np.digitize(np.hypot(*x[:, MATTER].T), [0.8, 1.5])


@pytest.fixture(scope="module", params=["by hand", "in the loss"])
def trained(request):
    """A net of 64 units, of which proximal steps of group penalties on inputs and units leave few."""
    x, y = rings(900, np.random.default_rng(0))
    model = nn.Sequential(nn.Linear(10, 64, rng=0), nn.ReLU(), nn.Linear(64, 3, rng=1))
    pairs = [(model[0].weight, GroupL2(0.08, axis=1)), (model[2].weight, GroupL2(0.005, axis=1))]
    by_hand = request.param == "by hand"
    optimizer = tg.optim.ProximalAdam(model.parameters(), lr=0.02, penalties=pairs if by_hand else ())

    @tg.compile
    def step():
        loss = tg.cross_entropy(model(tg.Tensor(x)), y)
        return optimizer.minimize(loss if by_hand else loss + sum(penalty(w) for w, penalty in pairs))

    step.run(times=2000)
    return model


def accuracy(model, x, y):
    return (outputs(model, x).argmax(axis=1) == y).mean()


def test_a_penalised_net_becomes_small_and_answers_the_same(trained):
    x, y = rings(900, np.random.default_rng(1))
    result = same(trained, x)
    assert result.parameters_before == 10 * 64 + 64 + 64 * 3 + 3
    assert result.parameters_after < 100
    assert set(MATTER) <= set(result.kept_inputs)
    assert len(result.kept_inputs) <= 4
    assert accuracy(trained, x, y) == accuracy(result.model, x, y) > 0.93


def test_the_report_says_what_compacting_then_does(trained):
    report = tg.sparsity_report(trained)
    result = tg.compact(trained)
    hidden, out = report[0], report[2]
    assert 10 - hidden.dead_inputs == len(result.kept_inputs)
    units = ~((trained[2].weight.data == 0).all(axis=1) | (trained[0].weight.data == 0).all(axis=0))
    assert result.model[1].weight.shape == (len(result.kept_inputs), units.sum())
    assert out.dead_inputs >= 64 - units.sum()
    assert report.total.saved == (trained[0].weight.data == 0).sum() + (trained[2].weight.data == 0).sum()
