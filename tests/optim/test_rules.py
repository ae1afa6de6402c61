"""Update rules against the formulas written out, and against the book's code."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.optim import SGD, Adam

START = np.array([[1.0, -2.0], [0.5, 3.0]])


def run(mode, make, steps=7, dtype="float64"):
    w = tg.Tensor(START, requires_grad=True, dtype=dtype)
    opt = make([w])
    step = mode(lambda: opt.minimize((w**3).sum() + 2 * abs(w).sum()))
    for _ in range(steps):
        step()
    return w.numpy()


def gradient(w):
    return 3 * w**2 + 2 * np.sign(w)


def test_sgd(mode):
    w = START.copy()
    for _ in range(7):
        w -= 0.01 * gradient(w)
    np.testing.assert_allclose(run(mode, lambda p: SGD(p, 0.01)), w, rtol=1e-13)


def test_sgd_with_decay_divides_by_one_plus_decay_times_steps(mode):
    w = START.copy()
    for t in range(7):
        w -= 0.01 / (1 + 0.5 * t) * gradient(w)
    np.testing.assert_allclose(run(mode, lambda p: SGD(p, 0.01, decay=0.5)), w, rtol=1e-13)


def test_sgd_with_momentum(mode):
    w, v = START.copy(), np.zeros_like(START)
    for _ in range(7):
        v = 0.9 * v - 0.01 * gradient(w)
        w += v
    np.testing.assert_allclose(run(mode, lambda p: SGD(p, 0.01, momentum=0.9)), w, rtol=1e-13)


def test_sgd_with_nesterov_is_the_gradient_at_the_point_ahead(mode):
    # In the variable y = w - μ·v, Nesterov's method takes the gradient at y + μ·v = w.
    y, v = START.copy(), np.zeros_like(START)
    for _ in range(7):
        v = 0.9 * v - 0.01 * gradient(y + 0.9 * v)
        y += v
    np.testing.assert_allclose(run(mode, lambda p: SGD(p, 0.01, momentum=0.9, nesterov=True)), y + 0.9 * v, rtol=1e-13)


def test_adam_as_in_the_book(mode):
    w = START.copy()
    m, cache = np.zeros_like(w), np.zeros_like(w)
    for iteration in range(7):
        rate = 0.05 * (1.0 / (1.0 + 1e-2 * iteration))
        g = gradient(w)
        m = 0.9 * m + (1 - 0.9) * g
        cache = 0.999 * cache + (1 - 0.999) * g**2
        m_corrected, cache_corrected = m / (1 - 0.9 ** (iteration + 1)), cache / (1 - 0.999 ** (iteration + 1))
        w += -rate * m_corrected / (np.sqrt(cache_corrected) + 1e-7)
    np.testing.assert_allclose(run(mode, lambda p: Adam(p, lr=0.05, decay=1e-2)), w, rtol=1e-12)


@pytest.mark.parametrize("make", [lambda p: SGD(p, 0.01, momentum=0.9), lambda p: Adam(p, lr=0.05)])
def test_float32_stays_float32(make, mode):
    got = run(mode, make, dtype="float32")
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, run(mode, make), rtol=1e-5)


def test_nesterov_needs_momentum():
    with pytest.raises(ValueError, match="nesterov looks ahead along the momentum"):
        SGD([tg.ones(1, requires_grad=True)], 0.1, nesterov=True)


@pytest.mark.parametrize("settings", [{"betas": (1.0, 0.9)}, {"betas": (0.9, -0.1)}, {"eps": -1}, {"lr": 0}, {"lr": float("nan")}, {"decay": -1}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match=r"Adam: .* is .*; it must be"):
        Adam([tg.ones(1, requires_grad=True)], **settings)
