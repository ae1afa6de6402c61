"""Losses against their formulas, at extremes, and refusing shapes that do not agree."""

import numpy as np
import pytest
from torch_twin import agree

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
def test_value_is_the_formula(loss, prediction, target, expected, mode):
    assert mode.replayed(loss)(tg.Tensor(prediction), tg.Tensor(target)).item() == pytest.approx(expected, rel=1e-12)
    assert mode.replayed(loss)(prediction, target).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("loss", "prediction", "target", "expected"), FORMULAS)
def test_gradient_matches_differences(loss, prediction, target, expected, mode):
    x = tg.Tensor(prediction, requires_grad=True)
    slope = mode.replayed(lambda x, target: tg.grad(loss(x, target), x))(x, target).data
    step, direction = 1e-6, RNG.normal(size=prediction.shape)
    numeric = (loss(prediction + step * direction, target).item() - loss(prediction - step * direction, target).item()) / (2 * step)
    assert (slope * direction).sum() == pytest.approx(numeric, rel=1e-7)


@pytest.mark.parametrize("loss", [losses.mse, losses.l1, losses.huber, losses.binary_cross_entropy, losses.binary_cross_entropy_with_logits])
def test_a_column_against_a_row_is_refused(loss):
    with pytest.raises(ValueError, match=rf"{loss.__name__}: prediction is .*\(4, 1\) and target .*\(4,\); the shapes must be equal"):
        loss(tg.zeros((4, 1)), tg.zeros(4))


def test_mean_squared_error_is_mse():
    assert tg.mean_squared_error is tg.mse is losses.mse


def test_cross_entropy_of_one_hot_probabilities_is_that_of_the_labels(mode):
    labels = np.array([0, 2, 1, 1])
    both = mode.replayed(tg.value_and_grad(tg.cross_entropy))
    (by_label, slope), (by_probability, other) = both(P, labels), both(P, np.eye(3)[labels])
    assert by_label.item() == pytest.approx(by_probability.item(), rel=1e-14)
    np.testing.assert_allclose(slope.data, other.data, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("scale", [1e4, -1e4])
def test_cross_entropy_at_huge_logits(scale, mode):
    loss, slope = mode.replayed(tg.value_and_grad(lambda x: tg.cross_entropy(x, [0, 0])))(np.array([[scale, 0.0], [0.0, scale]]))
    assert loss.item() == pytest.approx(5000.0)
    assert np.isfinite(slope.data).all()


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


# ------------------------------------------------------------------------------- PyTorch's semantics

REDUCTIONS = ("mean", "sum", "none")
POSITIVE = RNG.uniform(0.05, 0.95, (4, 3))
SHARES = RNG.uniform(0.05, 0.95, (4, 3))
SIGNS = np.where(RNG.random((4, 3)) < 0.5, 1.0, -1.0)
# Ours, PyTorch's name, its settings there, arrays, and those without a gradient.
SAME = [
    (losses.mse, "mse_loss", {}, (P, T), ()),
    (losses.l1, "l1_loss", {}, (P, T), ()),
    (losses.huber, "huber_loss", {"delta": 0.5}, (P, T), ()),
    (losses.smooth_l1, "smooth_l1_loss", {"beta": 0.5}, (P, T), ()),
    (losses.smooth_l1, "smooth_l1_loss", {"beta": 0.0}, (P, T), ()),
    (losses.binary_cross_entropy, "binary_cross_entropy", {}, (POSITIVE, SHARES), (1,)),
    (losses.binary_cross_entropy, "binary_cross_entropy", {"weight": SHARES}, (POSITIVE, YES), (1,)),
    (losses.binary_cross_entropy_with_logits, "binary_cross_entropy_with_logits", {}, (P, SHARES), ()),
    (losses.binary_cross_entropy_with_logits, "binary_cross_entropy_with_logits", {"weight": SHARES, "pos_weight": 3 * SHARES[0]}, (P, SHARES), ()),
    (losses.poisson_nll, "poisson_nll_loss", {}, (P, 4 * SHARES), (1,)),
    (losses.poisson_nll, "poisson_nll_loss", {"log_input": False, "full": True}, (POSITIVE, 4 * SHARES), (1,)),
    (losses.kl_div, "kl_div", {}, (P, SHARES), ()),
    (losses.kl_div, "kl_div", {"log_target": True}, (P, T), ()),
    (losses.soft_margin, "soft_margin_loss", {}, (P, SIGNS), (1,)),
    (losses.hinge_embedding, "hinge_embedding_loss", {"margin": 0.7}, (P, SIGNS), (1,)),
    (losses.margin_ranking, "margin_ranking_loss", {"margin": 0.3}, (P, T, SIGNS), (2,)),
    (losses.cosine_embedding, "cosine_embedding_loss", {"margin": 0.1}, (P, T, SIGNS[:, 0]), (2,)),
    (losses.triplet_margin, "triplet_margin_loss", {}, (P, T, SHARES), ()),
    (losses.triplet_margin, "triplet_margin_loss", {"p": 3.0, "swap": True}, (P, T, SHARES), ()),
]


def in_torch(settings):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    return {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()}


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("loss", "name", "settings", "arrays", "constant"), SAME, ids=lambda x: getattr(x, "__name__", None) or str(x)[:30])
def test_losses_are_pytorchs(loss, name, settings, arrays, constant, reduction):
    def theirs(functional, *a):
        return getattr(functional, name)(*a, **in_torch(settings), reduction=reduction)

    agree(lambda *a: loss(*a, **settings, reduction=reduction), theirs, *arrays, constant=constant)


def classes_second(x):
    return x.movedim(-1, 1) if x.ndim > 1 else x


WEIGHTS = RNG.uniform(0.2, 2.0, 4)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weight", [None, WEIGHTS], ids=["even", "weighted"])
@pytest.mark.parametrize("rows", [(5,), (), (2, 3)], ids=str)
def test_cross_entropy_is_pytorchs_with_classes_last(rows, weight, smoothing, reduction, rng):
    x, labels, p = rng.normal(size=(*rows, 4)), rng.integers(0, 4, rows), rng.uniform(size=(*rows, 4))
    settings = {"weight": weight, "label_smoothing": smoothing, "reduction": reduction}
    for ignored in (None, 1):
        ours = settings | {"ignore_index": ignored}
        theirs = in_torch(settings | {"ignore_index": -100 if ignored is None else ignored, "labels": np.asarray(labels)})
        target = theirs.pop("labels")
        agree(
            lambda x, ours=ours: tg.cross_entropy(x, labels, **ours), lambda f, x, t=target, s=theirs: f.cross_entropy(classes_second(x), t, **s), x
        )
    agree(
        lambda *a: tg.cross_entropy(*a, **settings),
        lambda functional, *a: functional.cross_entropy(*map(classes_second, a), **in_torch(settings)),
        *(x, p),
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignored", [None, 2])
def test_nll_of_log_softmax_is_cross_entropy(reduction, ignored, rng):
    x, labels = tg.Tensor(rng.normal(size=(6, 4)), requires_grad=True), rng.integers(0, 4, 6)
    settings = {"weight": WEIGHTS, "ignore_index": ignored, "reduction": reduction}
    one, other = tg.cross_entropy(x, labels, **settings), losses.nll_loss(tg.log_softmax(x), labels, **settings)
    np.testing.assert_allclose(one.data, other.data, rtol=1e-13)
    np.testing.assert_allclose(tg.grad(one.sum(), x).data, tg.grad(other.sum(), x).data, rtol=1e-11, atol=1e-14)


def test_a_mean_over_no_rows_is_nan_with_slope_zero():
    for loss in (tg.cross_entropy, losses.nll_loss):
        x = tg.Tensor(np.zeros((2, 3)), requires_grad=True)
        value = loss(x, [0, 0], ignore_index=0)
        value.backward()
        assert np.isnan(value.item())
        np.testing.assert_array_equal(x.grad.data, np.zeros((2, 3)))


def test_an_impossible_class_that_is_not_meant_costs_nothing():
    x = tg.Tensor([[0.0, -np.inf, 1.0]], requires_grad=True)
    loss = tg.cross_entropy(x, [0], weight=[1.0, 1.0, 1.0])
    loss.backward()
    assert loss.item() == pytest.approx(np.log1p(np.e))
    assert np.isfinite(x.grad.data).all()


def test_huber_has_the_second_slope_of_a_square_at_zero():
    x = tg.Tensor([1.0], requires_grad=True)
    first = tg.grad(losses.huber(x, [1.0]), x, create_graph=True)
    assert first.item() == 0
    assert tg.grad(first.sum(), x).item() == 1


def test_hinge_is_flat_at_its_margin():
    x = tg.Tensor([2.0, 1.0, 0.5], requires_grad=True)
    loss = losses.hinge(x, [1.0, 1.0, 1.0], reduction="sum")
    loss.backward()
    assert loss.item() == 0.5
    np.testing.assert_array_equal(x.grad.data, [0, 0, -1])


def test_the_batch_mean_of_a_divergence():
    assert losses.kl_div(P, SHARES, "batchmean").item() == pytest.approx(losses.kl_div(P, SHARES, "sum").item() / 4)
    assert losses.kl_div([0.0], [0.0], "sum").item() == 0


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: losses.mse(P, T, reduction="average"), ValueError, "mse: reduction is 'average'; it must be 'mean', 'sum' or 'none'"),
        (lambda: losses.huber(P, T, reduction="average"), ValueError, "huber: reduction is 'average'"),
        (lambda: tg.cross_entropy(P, [0] * 4, reduction="average"), ValueError, "cross_entropy: reduction is 'average'"),
        (lambda: tg.cross_entropy(P, [0] * 4, weight=[1.0]), ValueError, r"cross_entropy: weight has shape \(1,\), and there are 3 classes"),
        (lambda: tg.cross_entropy(P, [0] * 4, label_smoothing=2), ValueError, "label_smoothing is 2; it is a share"),
        (lambda: tg.cross_entropy(P, SHARES, ignore_index=1), ValueError, "ignore_index is a label, and these are probabilities"),
        (lambda: tg.cross_entropy(P, [0, 0, 0, 3], ignore_index=1), ValueError, "label 3 is not a class"),
        (lambda: losses.nll_loss(P, [0.0] * 4), TypeError, "nll_loss: labels are float64, not integers"),
        (lambda: losses.nll_loss(P, [0, 1]), ValueError, "nll_loss: the shapes of logits and labels do not go together"),
        (lambda: losses.smooth_l1(P, T, beta=-1), ValueError, "smooth_l1: beta is -1"),
        (lambda: losses.binary_cross_entropy_with_logits(P, YES, pos_weight=np.ones(2)), ValueError, r"a weight of shape \(2,\) does not broadcast"),
    ],
)
def test_settings_that_do_not_fit(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_label_smoothing_is_a_mixture_and_lowest_at_the_softened_labels(share, rng):
    """(1 - share)·loss + share·mean of the losses of all labels; the best probabilities are 1 - share + share/K and share/K, not 1 and 0."""
    logits, labels = rng.normal(size=(6, 4)), rng.integers(0, 4, 6)
    found = tg.cross_entropy(tg.Tensor(logits), labels, label_smoothing=share).item()
    of_all = np.mean([tg.cross_entropy(tg.Tensor(logits), np.full(6, c)).item() for c in range(4)])
    assert found == pytest.approx((1 - share) * tg.cross_entropy(tg.Tensor(logits), labels).item() + share * of_all, rel=1e-13)
    best = np.log(np.eye(4)[labels] * (1 - share) + share / 4)
    slope = tg.grad(tg.cross_entropy(x := tg.Tensor(best, requires_grad=True), labels, label_smoothing=share), x)
    np.testing.assert_allclose(slope.data, 0, atol=1e-16)
