"""Losses against their formulas, at extremes, and refusing shapes that do not agree."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import losses

RNG = np.random.default_rng(0)
P, T = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
YES = (T > 0).astype(float)


def huber(p, t):
    r = np.abs(p - t)
    return np.where(r <= 1, r**2 / 2, r - 0.5).mean()


FORMULAS = [
    (losses.mse, P, T, ((P - T) ** 2).mean()),
    (losses.l1, P, T, np.abs(P - T).mean()),
    (losses.huber, P, T, huber(P, T)),
    (losses.binary_cross_entropy, 1 / (1 + np.exp(-P)), YES, (np.log1p(np.exp(P)) - YES * P).mean()),
    (losses.binary_cross_entropy_with_logits, P, YES, (np.log1p(np.exp(P)) - YES * P).mean()),
]


@pytest.mark.parametrize(("loss", "prediction", "target", "expected"), FORMULAS)
def test_value_is_the_formula(loss, prediction, target, expected):
    assert loss(tg.Tensor(prediction), tg.Tensor(target)).item() == pytest.approx(expected, rel=1e-12)
    assert loss(prediction, target).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("loss", "prediction", "target", "expected"), FORMULAS)
def test_gradient_matches_differences(loss, prediction, target, expected):
    x = tg.Tensor(prediction, requires_grad=True)
    slope = tg.grad(loss(x, target), x).data
    step, direction = 1e-6, RNG.normal(size=prediction.shape)
    numeric = (loss(prediction + step * direction, target).item() - loss(prediction - step * direction, target).item()) / (2 * step)
    assert (slope * direction).sum() == pytest.approx(numeric, rel=1e-7)


@pytest.mark.parametrize("loss", [losses.mse, losses.l1, losses.huber, losses.binary_cross_entropy, losses.binary_cross_entropy_with_logits])
def test_a_column_against_a_row_is_refused(loss):
    with pytest.raises(ValueError, match=rf"{loss.__name__}: prediction is .*\(4, 1\) and target .*\(4,\); the shapes must be equal"):
        loss(tg.zeros((4, 1)), tg.zeros(4))


def test_mean_squared_error_is_mse():
    assert tg.mean_squared_error is tg.mse is losses.mse


def test_cross_entropy_of_one_hot_probabilities_is_that_of_the_labels():
    labels = np.array([0, 2, 1, 1])
    x = tg.Tensor(P, requires_grad=True)
    by_label, by_probability = tg.cross_entropy(x, labels), tg.cross_entropy(x, np.eye(3)[labels])
    assert by_label.item() == pytest.approx(by_probability.item(), rel=1e-14)
    np.testing.assert_allclose(tg.grad(by_label, x).data, tg.grad(by_probability, x).data, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("scale", [1e4, -1e4])
def test_cross_entropy_at_huge_logits(scale):
    x = tg.Tensor([[scale, 0.0], [0.0, scale]], requires_grad=True)
    loss = tg.cross_entropy(x, [0, 0])
    assert loss.item() == pytest.approx(5000.0)
    assert np.isfinite(tg.grad(loss, x).data).all()


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        ([0, 1, 2, 3], ValueError, "label 3 is not a class: with 3 scores a row, labels go from 0 to 2"),
        ([0, 1, 2, -1], ValueError, "label -1 is not a class"),
        ([0, 1], ValueError, "the shapes of logits and labels do not go together"),
        ([0.0, 1.0, 2.0, 0.0], TypeError, "labels are float64, not integers"),
    ],
)
def test_cross_entropy_refuses_labels_that_do_not_fit(labels, error, words):
    with pytest.raises(error, match=words):
        tg.cross_entropy(tg.Tensor(P), labels)


def test_bce_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match=r"between 0 and 1\. For raw scores use binary_cross_entropy_with_logits"):
        losses.binary_cross_entropy([0.5, 1.5], [0.0, 1.0])


def test_bce_is_finite_at_certainty():
    p = tg.Tensor([0.0, 1.0], requires_grad=True)
    loss = losses.binary_cross_entropy(p, [1.0, 1.0])
    assert loss.item() == pytest.approx(50.0)
    assert np.isfinite(tg.grad(loss, p).data).all()


def test_bce_with_logits_at_huge_scores():
    x = tg.Tensor([1e4, -1e4], requires_grad=True)
    loss = losses.binary_cross_entropy_with_logits(x, [0.0, 0.0])
    assert loss.item() == 5000.0
    np.testing.assert_array_equal(tg.grad(loss, x).data, [0.5, 0.0])


def test_huber_delta_is_checked():
    with pytest.raises(ValueError, match="delta is 0"):
        losses.huber([1.0], [2.0], delta=0)


def test_accuracy_counts_rows_and_checks_shapes():
    assert tg.accuracy([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [0, 1, 1]) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match=r"need labels of shape \(1,\), not \(2,\)"):
        tg.accuracy([[1.0, 0.0]], [0, 1])
