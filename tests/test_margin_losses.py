"""Losses by margins between classes: PyTorch's values and gradients, and what is refused. (PyTorch has no second derivative of most.)"""

import numpy as np
import pytest
from torch_twin import agree

import tinygrad_reg as tg
from tinygrad_reg import losses

RNG = np.random.default_rng(0)
SCORES, LABELS = RNG.normal(size=(5, 4)), np.array([0, 3, 1, 1, 2])
SEVERAL = np.array([[3, 0, -1, 1], [-1, 0, 1, 2], [0, 1, 2, 3], [2, 2, -1, -1], [1, -1, -1, 2]])
WEIGHT = np.array([0.5, 2.0, 0.0, 1.0])


def assert_first_order(ours, theirs):
    torch = pytest.importorskip("torch")
    mine, other = tg.Tensor(SCORES, requires_grad=True), torch.tensor(SCORES, requires_grad=True)
    got, expected = ours(mine), theirs(other)
    np.testing.assert_allclose(got.data, expected.detach().numpy(), rtol=1e-12)
    g = RNG.normal(size=got.shape)
    (other_slope,) = torch.autograd.grad(expected, other, torch.tensor(g))
    np.testing.assert_allclose(tg.grad(got, mine, g).data, other_slope.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("settings", [{}, {"p": 2}, {"margin": 0.3}, {"weight": WEIGHT, "p": 2}])
def test_multi_margin_is_pytorchs(settings, reduction):
    torch = pytest.importorskip("torch")
    theirs = {k: torch.tensor(v) if k == "weight" else v for k, v in settings.items()}
    assert_first_order(
        lambda x: losses.multi_margin(x, LABELS, **settings, reduction=reduction),
        lambda x: torch.nn.functional.multi_margin_loss(x, torch.tensor(LABELS), **theirs, reduction=reduction),
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_margins_of_several_right_classes_are_pytorchs(reduction):
    torch = pytest.importorskip("torch")
    assert_first_order(
        lambda x: losses.multilabel_margin(x, SEVERAL, reduction=reduction),
        lambda x: torch.nn.functional.multilabel_margin_loss(x, torch.tensor(SEVERAL), reduction=reduction),
    )
    targets = (SCORES > 0.3).astype(float)
    for weight in (np.ones(4), WEIGHT):
        assert_first_order(
            lambda x, weight=weight: losses.multilabel_soft_margin(x, targets, weight, reduction=reduction),
            lambda x, weight=weight: torch.nn.functional.multilabel_soft_margin_loss(
                x, torch.tensor(targets), torch.tensor(weight), reduction=reduction
            ),
        )


def test_a_single_row():
    assert losses.multi_margin(SCORES[0], 0).item() == pytest.approx(losses.multi_margin(SCORES[:1], [0]).item())
    assert losses.multilabel_margin(SCORES[0], SEVERAL[0]).item() == pytest.approx(losses.multilabel_margin(SCORES[:1], SEVERAL[:1]).item())


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"multi_margin: scores have shape \(5, 4\) and labels have shape \(3,\)"):
        losses.multi_margin(SCORES, LABELS[:3])
    with pytest.raises(ValueError, match="multi_margin: labels lie between 0 and 4, and there are 4 classes"):
        losses.multi_margin(SCORES, LABELS + (LABELS == 3))
    with pytest.raises(TypeError, match="multi_margin: labels are float64"):
        losses.multi_margin(SCORES, LABELS.astype(float))
    with pytest.raises(ValueError, match="multi_margin: p is 3"):
        losses.multi_margin(SCORES, LABELS, p=3)
    with pytest.raises(ValueError, match=r"multilabel_soft_margin: weight has shape \(3,\)"):
        losses.multilabel_soft_margin(SCORES, SCORES, WEIGHT[:3])
    with pytest.raises(ValueError, match="multilabel_margin: labels lie between -2"):
        losses.multilabel_margin(SCORES, SEVERAL - (SEVERAL == -1))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(5, 4), (5, 1), (5,), ()])
def test_gaussian_nll_is_pytorchs(shape, reduction):
    t, v = RNG.normal(size=(5, 4)), RNG.uniform(0.5, 2, shape)
    for full in (False, True):
        agree(
            lambda x, t, v, full=full: losses.gaussian_nll(x, t, v, full, reduction=reduction),
            lambda functional, x, t, v, full=full: functional.gaussian_nll_loss(
                x, t, v if v.ndim else v.expand(5, 4), full=full, reduction=reduction
            ),
            SCORES,
            t,
            v,
        )


def test_gaussian_nll_keeps_variances_above_eps_and_refuses_others():
    assert losses.gaussian_nll([1.0], [1.0], [0.0], eps=1.0).item() == 0
    with pytest.raises(ValueError, match="gaussian_nll: a variance is below 0"):
        losses.gaussian_nll([1.0], [1.0], [-1.0])
    with pytest.raises(ValueError, match=r"gaussian_nll: var has shape \(3,\)"):
        losses.gaussian_nll(SCORES, SCORES, np.ones(3))
