"""Convolution, correlation, reading between samples, unwrapping: NumPy's values, their gradients, and what is refused."""

import numpy as np
import pytest
from numeric import differences

import tinygrad_reg as tg

RNG = np.random.default_rng(0)
VECTORS = [RNG.normal(size=n) for n in (1, 2, 3, 4, 7)]
XP, FP = np.array([-1.0, 0.5, 1.0, 4.0]), np.array([2.0, -1.0, 3.0, 0.0])


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_products_that_overlap_are_numpys_for_all_lengths(name, mode):
    function = getattr(np, name)
    for a in VECTORS:
        for v in VECTORS:
            np.testing.assert_allclose(function(leaf(a), v, mode).data, function(a, v, mode), rtol=1e-12, atol=1e-14)
            for one, other in ((a + 1j * a[::-1], v), (a, v - 2j * v), (a + 1j, v * 1j)):
                np.testing.assert_allclose(function(leaf(one), other, mode).data, function(one, other, mode), rtol=1e-12, atol=1e-14)


def test_convolution_of_complex_numbers_has_pytorchs_gradient():
    torch = pytest.importorskip("torch")
    a, v = VECTORS[3] + 1j * VECTORS[3][::-1], VECTORS[2] - 1j
    ours, theirs = [leaf(a), leaf(v)], [torch.tensor(x, requires_grad=True) for x in (a, v)]
    tg.real(tg.convolve(*ours) * np.arange(6)).sum().backward()
    rows = torch.nn.functional.conv1d(theirs[0][None, None], theirs[1].flip(0)[None, None], padding=2)[0, 0]
    (rows * torch.arange(6)).real.sum().backward()
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.grad.data, other.grad.numpy(), rtol=1e-12)


def test_what_cannot_be_convolved_is_said():
    with pytest.raises(ValueError, match=r"convolve: mode='half' is not known.*\"full\", \"same\" or \"valid\""):
        tg.convolve(leaf([1.0]), leaf([1.0]), mode="half")
    with pytest.raises(ValueError, match="convolve: arrays of 2 and 1 axes were given.*vectors"):
        tg.convolve(tg.ones((2, 2)), tg.ones(2))
    with pytest.raises(ValueError, match="convolve: v cannot be empty"):
        tg.convolve(tg.ones(2), tg.ones(0))


@pytest.mark.parametrize("settings", [{}, {"left": -7.0}, {"right": 9.0}, {"left": 0, "right": 1}, {"period": 2.3}, {"period": -3.3}])
def test_interp_is_numpys(settings):
    x = np.array([[-3.0, -1.0, -0.2, 0.5], [0.7, 3.9, 4.0, 11.0]])
    np.testing.assert_allclose(np.interp(leaf(x), XP, FP, **settings).data, np.interp(x, XP, FP, **settings), rtol=1e-14)
    np.testing.assert_allclose(tg.interp(x, list(XP), list(FP), **settings), np.interp(x, XP, FP, **settings), rtol=1e-14)
    assert tg.interp(0.75, XP, FP, **settings) == pytest.approx(np.interp(0.75, XP, FP, **settings))


def test_interp_has_a_gradient_in_x_and_in_the_samples():
    inputs = [np.array([-2.0, -0.3, 0.7, 3.0, 9.0]), XP, FP]
    weights = np.array([5.0, 1.0, -2.0, 3.0, 7.0])
    tensors = [leaf(x) for x in inputs]
    (tg.interp(*tensors) * weights).sum().backward()
    for i, t in enumerate(tensors):
        expected = differences(lambda values: float((np.interp(*values) * weights).sum()), inputs, i)
        np.testing.assert_allclose(t.grad.data, expected, rtol=1e-6, atol=1e-8)
    assert tensors[0].grad[0] == 0


def test_interp_at_a_sample_takes_the_line_behind_it_and_far_outside_gives_no_nan():
    x, fp = leaf([0.5, 4.0, np.inf, -np.inf, np.nan]), leaf(FP)
    out = tg.interp(x, XP, fp)
    np.testing.assert_array_equal(out.data, [-1, 0, 0, 2, np.nan])
    out[:4].sum().backward()
    assert x.grad.tolist() == [8, -1, 0, 0, 0]
    assert fp.grad.tolist() == [1, 1, 0, 2]


def test_interp_with_one_sample():
    assert tg.interp(leaf([0.0, 1.0, 2.0]), [1.0], [5.0], left=-1.0).tolist() == [-1, 5, 5]


def test_interp_refuses_places_that_do_not_increase():
    with pytest.raises(ValueError, match="interp: xp must increase.*sort xp"):
        tg.interp(leaf([0.0]), [0.0, 2.0, 1.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"interp: xp has shape \(2,\) and fp has shape \(3,\)"):
        tg.interp(leaf([0.0]), [0.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="interp: period is 0"):
        tg.interp(leaf([0.0]), [0.0, 2.0], [1.0, 2.0], period=0)


@pytest.mark.parametrize("settings", [{}, {"axis": 0}, {"discont": 4.0}, {"period": 2.0}])
def test_unwrap_is_numpys_with_slope_one(settings):
    x = leaf(RNG.uniform(-5, 5, (4, 6)))
    out = np.unwrap(x, **settings)
    np.testing.assert_array_equal(out.data, np.unwrap(x.data, **settings))
    np.testing.assert_array_equal(tg.grad(out, x, np.arange(24.0).reshape(4, 6)).data, np.arange(24.0).reshape(4, 6))
