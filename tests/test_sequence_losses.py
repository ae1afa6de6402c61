"""The loss of sequences: all alignments counted one by one, PyTorch's values and derivatives, lengths, and what is refused."""

from itertools import groupby, product

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import losses

RNG = np.random.default_rng(0)


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


def by_hand(log_p, labels, blank=0):
    """-log Σ over all sequences of classes that read as the labels."""
    time, classes = log_p.shape
    ways = [way for way in product(range(classes), repeat=time) if [k for k, _ in groupby(way) if k != blank] == list(labels)]
    return -np.log(sum(np.exp(sum(log_p[t, k] for t, k in enumerate(way))) for way in ways))


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_all_alignments_are_counted(count, blank):
    others = [k for k in range(3) if k != blank]
    log_p = tg.log_softmax(RNG.normal(size=(5, 3)), axis=1)
    for labels in product(others, repeat=count):
        found = losses.ctc(log_p, np.array([labels], int).reshape(1, count), [5], [count], blank, reduction="none")
        assert found.item() == pytest.approx(by_hand(log_p, labels, blank), rel=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("flat", [False, True])
def test_loss_and_gradient_are_pytorchs(reduction, flat):
    torch = pytest.importorskip("torch")
    x = RNG.normal(size=(8, 3, 5))
    labels, steps, counts = np.array([[1, 2, 2, 4], [3, 1, 0, 0], [4, 4, 4, 0]]), np.array([8, 5, 6]), np.array([4, 2, 3])
    given = np.concatenate([row[:n] for row, n in zip(labels, counts, strict=True)]) if flat else labels
    mine, theirs = leaf(x), torch.tensor(x, requires_grad=True)
    ours = losses.ctc(tg.log_softmax(mine, axis=2), given, steps, counts, reduction=reduction)
    other = torch.nn.functional.ctc_loss(theirs.log_softmax(2), *map(torch.tensor, (given, steps, counts)), reduction=reduction)
    np.testing.assert_allclose(ours.data, other.detach().numpy(), rtol=1e-10)
    (ours.sum() * 2).backward()
    (other.sum() * 2).backward()
    np.testing.assert_allclose(mine.grad.data, theirs.grad.numpy(), rtol=1e-8, atol=1e-12)


def test_the_second_derivative_is_that_of_the_count_of_alignments():
    x = leaf(RNG.normal(size=(4, 1, 3)))

    def loss(x):
        return losses.ctc(tg.log_softmax(x, axis=2), [[1, 2]], [4], [2])

    direction = RNG.normal(size=x.shape)
    found = tg.grad((tg.grad(loss(x), x, create_graph=True) * direction).sum(), x).data
    step = 1e-5
    ahead, behind = (tg.grad(loss(t), t).data for t in (leaf(x.data + step * direction), leaf(x.data - step * direction)))
    np.testing.assert_allclose(found, (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("zero_infinity", [False, True])
def test_labels_that_do_not_fit_give_inf_or_zero_and_no_gradient(zero_infinity):
    x = leaf(RNG.normal(size=(2, 2, 3)))
    each = losses.ctc(tg.log_softmax(x, axis=2), [[1, 1], [1, 2]], [2, 2], [2, 2], reduction="none", zero_infinity=zero_infinity)
    assert each.tolist()[0] == (0 if zero_infinity else np.inf)
    assert np.isfinite(each.data[1])
    found = tg.grad(each.sum(), x).data
    assert (found[:, 0] == 0).all()
    assert np.isfinite(found).all()
    assert found[:, 1].any()


def test_steps_beyond_a_samples_length_do_not_count():
    x = leaf(RNG.normal(size=(6, 1, 3)))
    short = losses.ctc(tg.log_softmax(x, axis=2), [[1]], [4], [1])
    assert short.item() == pytest.approx(losses.ctc(tg.log_softmax(x.data[:4], axis=2), [[1]], [4], [1]).item())
    assert (tg.grad(short, x).data[4:] == 0).all()


def test_what_does_not_fit_is_refused():
    x = np.log(np.full((4, 2, 3), 1 / 3))
    with pytest.raises(ValueError, match=r"ctc: targets have shape \(2, 1\); they are \(2, 2 or more\)"):
        losses.ctc(x, [[1], [2]], [4, 4], [2, 1])
    with pytest.raises(ValueError, match="ctc: input_lengths must lie between 0 and 4"):
        losses.ctc(x, [[1], [2]], [5, 4], [1, 1])
    with pytest.raises(ValueError, match="ctc: labels lie between 0 and 2; .* not the blank, 0"):
        losses.ctc(x, [[0], [2]], [4, 4], [1, 1])
    with pytest.raises(ValueError, match="ctc: blank is 3"):
        losses.ctc(x, [[1], [2]], [4, 4], [1, 1], blank=3)
    with pytest.raises(TypeError, match="ctc: targets, input_lengths and target_lengths are whole numbers"):
        losses.ctc(x, [[1.0], [2.0]], [4, 4], [1, 1])
    with pytest.raises(ValueError, match="ctc: reduction is 'most'"):
        losses.ctc(x, [[1], [2]], [4, 4], [1, 1], reduction="most")
