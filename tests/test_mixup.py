"""Mixup: rows and targets are mixed alike; in fit it changes each batch."""

import re

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.data import Mixup


def between(rows, x):
    """For each mixed row the two rows that it lies between: distance from the line between them, their numbers, the share of the first."""
    for mixed in x:
        found = []
        for i, a in enumerate(rows):
            for j, b in enumerate(rows):
                share = _share(a, b, mixed)
                found.append((np.linalg.norm(share * a + (1 - share) * b - mixed), i, j, share))
        yield min(found)


def _share(a, b, mixed):
    length = ((a - b) ** 2).sum()
    return float(np.clip(((mixed - b) * (a - b)).sum() / length, 0, 1)) if length else 1.0


def test_each_row_lies_between_its_own_and_another_and_its_target_at_the_same_share(rng):
    x, y = rng.normal(size=(6, 5)), np.array([0, 1, 2, 3, 4, 5])
    mixed, targets = Mixup(1.0, classes=6, rng=0)(x, y)
    partners = set()
    for k, (distance, i, j, share) in enumerate(between(x, mixed.data)):
        assert distance < 1e-12
        expected = np.zeros(6)
        np.add.at(expected, [i, j], [share, 1 - share])
        np.testing.assert_allclose(targets.data[k], expected, atol=1e-9)
        assert k in (i, j)
        partners.add(j if k == i else i)
    assert partners == set(range(6)), "every row is somebody's partner once"
    np.testing.assert_allclose(targets.data.sum(axis=1), 1, rtol=1e-15)


def test_the_loss_of_mixed_labels_is_the_mixed_loss(rng):
    """Cross-entropy is linear in the probabilities: share·loss(own label) + (1 - share)·loss(the other's)."""
    x, y = rng.normal(size=(50, 3)), rng.integers(0, 4, 50)
    _, targets = Mixup(0.5, classes=4, rng=1)(x, y)
    logits = rng.normal(size=(50, 4))
    own = targets.data[np.arange(50), y]
    other = np.array([np.argmax(np.where(np.arange(4) == label, -1, row)) for label, row in zip(y, targets.data, strict=True)])
    each = [tg.cross_entropy(tg.Tensor(logits), labels, reduction="none").data for labels in (y, other)]
    expected = np.where(own == 1, each[0], own * each[0] + (1 - own) * each[1])
    assert tg.cross_entropy(tg.Tensor(logits), targets).item() == pytest.approx(expected.mean(), rel=1e-12)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 4.0])
def test_shares_have_their_distribution(alpha):
    """Beta(alpha, alpha): mean ½ and variance 1/(4·(2·alpha + 1)) of each row's own share."""
    n, mixup = 1000, Mixup(alpha, classes=1000, rng=0)
    own = np.concatenate([np.diag(mixup(np.zeros((n, 1)), np.arange(n))[1].data) for _ in range(20)])
    own = own[own < 1]  # a row that has met itself is all its own; so is one that Beta leaves so, and as many have 0
    zeros = np.count_nonzero(own == 0)
    assert zeros < 0.2 * len(own)
    own = own[own > 0]
    assert own.mean() == pytest.approx(0.5, abs=4 * own.std() / np.sqrt(len(own)))
    assert own.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.05)


def test_numbers_as_targets_stay_numbers_and_images_keep_their_axes(rng):
    images, y = rng.normal(size=(4, 1, 3, 3)).astype("float32"), rng.normal(size=(4, 2)).astype("float32")
    x, t = Mixup(0.2, rng=0)(images, y)
    assert (x.shape, x.dtype, t.shape, t.dtype) == (images.shape, np.float32, y.shape, np.float32)
    joined = np.concatenate([images.reshape(4, -1), y], axis=1)
    for distance, *_ in between(joined, np.concatenate([x.data.reshape(4, -1), t.data], axis=1)):
        assert distance < 1e-5


def test_a_seed_is_a_stream_and_no_call_is_like_the_one_before():
    x, y = np.arange(8.0)[:, None], np.arange(8)
    mixup, again = Mixup(0.4, classes=8, rng=3), Mixup(0.4, classes=8, rng=3)
    first, second = mixup(x, y)[0].data, mixup(x, y)[0].data
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, again(x, y)[0].data)


@pytest.mark.parametrize("batch_size", [None, 15])
def test_in_fit_each_batch_is_mixed_also_compiled(batch_size, backend):
    x, y = tg.data.moons(30, rng=0)

    def run(compile, transform):
        model = nn.Sequential(nn.Linear(2, 8, rng=0), nn.Tanh(), nn.Linear(8, 2, rng=1))
        return tg.fit(model, x, y, epochs=20, batch_size=batch_size, rng=0, validation=(x, y), transform=transform, compile=compile, progress=False)

    found, expected = run(backend, Mixup(0.4, classes=2, rng=0)), run(False, Mixup(0.4, classes=2, rng=0))
    np.testing.assert_allclose(found["data loss"], expected["data loss"], rtol=1e-9)
    assert "accuracy" not in found, "it would be that of other rows"
    assert found.last["validation accuracy"] > 0.5
    assert found["data loss"] != run(False, None)["data loss"]


def test_any_function_may_change_the_batches():
    seen = []

    def flipped(x, y):
        seen.append(len(x))
        return -x, y

    model = nn.Linear(2, 1, init="zeros", bias=False)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    tg.fit(model, np.ones((4, 2)), np.ones((4, 1)), optimizer=optimizer, epochs=1, transform=flipped, compile=False, progress=False)
    assert seen == [4]
    assert (model.weight.data < 0).all(), "it has learnt from -x"


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: Mixup(0.0), ValueError, "Mixup: alpha is 0.0; it must be finite and above 0"),
        (lambda: Mixup(np.nan), ValueError, "alpha is nan"),
        (lambda: Mixup("0.2"), TypeError, "alpha must be a number, not str"),
        (lambda: Mixup(0.2, classes=0), ValueError, "Mixup: classes is 0"),
        (lambda: Mixup(0.2)(np.ones((3, 2)), np.array([0, 1, 2])), ValueError, "so they are labels; say how many classes there are"),
        (lambda: Mixup(0.2, classes=2)(np.ones((3, 2)), np.array([0, 1, 2])), ValueError, "label 2 is not a class"),
        (lambda: Mixup(0.2, classes=3)(np.ones((2, 2)), np.array([0, 1, 2])), ValueError, "x has shape (2, 2) and its targets (3, 3)"),
        (lambda: Mixup(0.2, classes=3)(np.ones((3, 2), int), np.array([0, 1, 2])), TypeError, "x is int64, and means of rows are floats"),
        (lambda: setattr(Mixup(0.2), "alpha", 1.0), AttributeError, "alpha"),
    ],
)
def test_refusals(call, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        call()
