"""AdamW, RMSprop and Adagrad: against numbers written out and against PyTorch; where AdamW's decay applies, and when it warns."""

import warnings

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.optim import SGD, Adagrad, Adam, AdamW, ProximalAdam, RMSprop
from tinygrad_reg.schedules import exponential

START = np.array([[1.0, -2.0], [0.5, 3.0]])
OTHER = np.array([0.25, -1.5])


def gradient(w):
    return 3 * w**2 * np.sign(w) + 0.5


def run(mode, make, steps=7, dtype="float64"):
    """A weight and a bias after some steps on Σ|x|³ + ½·Σx of both."""
    w, b = tg.tensor(START, requires_grad=True, dtype=dtype), tg.tensor(OTHER, requires_grad=True, dtype=dtype)
    opt = make([w, b])
    step = mode(lambda: opt.minimize((abs(w) ** 3).sum() + 0.5 * w.sum() + (abs(b) ** 3).sum() + 0.5 * b.sum()))
    for _ in range(steps):
        step()
    return w.numpy(), b.numpy()


def adamw(w, steps, lr, wd, betas=(0.9, 0.999), eps=1e-8):
    """The update as the docstring of AdamW prints it; ``lr`` is a function of the step."""
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t in range(1, steps + 1):
        g, rate = gradient(w), lr(t - 1)
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
        w = w - rate * wd * w - rate * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
    return w


def test_adamw_is_what_its_docstring_prints(mode):
    found = run(mode, lambda p: AdamW(p, lr=0.05, weight_decay=0.3))
    for got, start in zip(found, (START, OTHER), strict=True):
        np.testing.assert_allclose(got, adamw(start, 7, lambda t: 0.05, 0.3), rtol=1e-12)
        assert np.max(abs(got / adamw(start, 7, lambda t: 0.05, 0.3003) - 1)) > 1e-7  # a decay wrong by 0.1 % is noticed


def test_adamw_multiplies_the_decay_by_the_learning_rate_of_the_step(mode):
    found = run(mode, lambda p: AdamW(p, lr=exponential(0.05, 0.8), weight_decay=0.3))
    np.testing.assert_allclose(found[0], adamw(START, 7, lambda t: 0.05 * 0.8**t, 0.3), rtol=1e-12)


def test_only_what_is_named_decays(mode):
    found = run(mode, lambda p: AdamW(p, lr=0.05, weight_decay=0.3, decayed=[x for x in p if x.ndim > 1]))
    np.testing.assert_allclose(found[0], adamw(START, 7, lambda t: 0.05, 0.3), rtol=1e-12)
    np.testing.assert_allclose(found[1], adamw(OTHER, 7, lambda t: 0.05, 0.0), rtol=1e-12)


def test_without_decay_it_is_adam(mode):
    a, b = (run(mode, make) for make in (lambda p: AdamW(p, lr=0.05, weight_decay=0.0), lambda p: Adam(p, lr=0.05, eps=1e-8)))
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


def test_the_decay_may_be_changed_between_compiled_steps(mode):
    w = tg.tensor([1.0], requires_grad=True)
    opt = AdamW([w], lr=0.1, weight_decay=0.0)
    step = mode(lambda: opt.minimize(0.0 * w.sum()))
    expected = 1.0
    for decay in (0.0, 0.5, 0.5, 0.25, 0.0):
        opt.weight_decay = decay
        step()
        expected *= 1 - 0.1 * decay
        np.testing.assert_allclose(w.data, [expected], rtol=1e-14)


def test_rmsprop_as_in_the_book(mode):
    w, cache = START, np.zeros_like(START)
    for t in range(7):
        cache = 0.9 * cache + (1 - 0.9) * gradient(w) ** 2
        w = w - 0.02 / (1 + 0.1 * t) * gradient(w) / (np.sqrt(cache) + 1e-7)
    np.testing.assert_allclose(run(mode, lambda p: RMSprop(p, lr=0.02, decay=0.1))[0], w, rtol=1e-12)
    assert np.max(abs(run(mode, lambda p: RMSprop(p, lr=0.02, decay=0.1, rho=0.9009))[0] / w - 1)) > 1e-6


def test_adagrad_as_in_the_book(mode):
    w, cache = START, np.zeros_like(START)
    for t in range(7):
        cache = cache + gradient(w) ** 2
        w = w - 0.3 / (1 + 0.1 * t) * gradient(w) / (np.sqrt(cache) + 1e-7)
    np.testing.assert_allclose(run(mode, lambda p: Adagrad(p, lr=0.3, decay=0.1))[0], w, rtol=1e-12)
    assert np.max(abs(run(mode, lambda p: Adagrad(p, lr=0.3003, decay=0.1))[0] / w - 1)) > 1e-6


SAME = {
    "AdamW": (lambda p: AdamW(p, 0.01, weight_decay=0.1), lambda o, p: o.AdamW(p, 0.01, weight_decay=0.1)),
    "AdamW, other betas": (lambda p: AdamW(p, 0.02, (0.8, 0.9), 1e-3, 0.2), lambda o, p: o.AdamW(p, 0.02, (0.8, 0.9), 1e-3, 0.2)),
    "RMSprop": (lambda p: RMSprop(p, 0.01, 0.99, 1e-8), lambda o, p: o.RMSprop(p, 0.01)),
    "Adagrad": (lambda p: Adagrad(p, 0.1, 1e-10, 0.01), lambda o, p: o.Adagrad(p, 0.1, lr_decay=0.01)),
}


@pytest.mark.parametrize(("ours", "theirs"), SAME.values(), ids=SAME)
def test_the_same_as_in_pytorch(ours, theirs, mode):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, extra [bench]")
    p = [torch.tensor(x, requires_grad=True) for x in (START, OTHER)]
    opt = theirs(torch.optim, p)
    for _ in range(200):
        opt.zero_grad()
        sum((abs(x) ** 3).sum() + 0.5 * x.sum() for x in p).backward()
        opt.step()
    for got, x in zip(run(mode, ours, steps=200), p, strict=True):
        np.testing.assert_allclose(got, x.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("make", [lambda p: AdamW(p, 0.05), lambda p: RMSprop(p, 0.05), lambda p: Adagrad(p, 0.05)])
def test_float32_stays(make, mode):
    got = run(mode, make, dtype="float32")
    assert {x.dtype for x in got} == {np.dtype("float32")}
    np.testing.assert_allclose(got[0], run(mode, make)[0], rtol=1e-5)


# ------------------------------------------------------------------------------------------- two pulls on one weight


def penalised(**lambdas):
    model = nn.Linear(2, 1, rng=0, **lambdas)
    return model, lambda: tg.mse(model(np.ones((3, 2))), np.zeros((3, 1))) + model.regularization_loss()


def test_l2_in_the_loss_and_a_decay_on_one_parameter_warn_once(mode):
    model, loss = penalised(weight_lambda_l2=0.25)
    opt = AdamW(model.parameters(), weight_decay=0.125)
    step = mode(lambda: opt.minimize(loss()))
    with pytest.warns(UserWarning, match=r"AdamW: weight \(L2\(lam=.*\) is pulled to 0 twice, .* weight_decay=0.125. Leave out one"):
        step()
    for _ in range(3):
        step()  # a further warning would be an error here


@pytest.mark.parametrize(
    ("lambdas", "settings"),
    [
        ({"weight_lambda_l2": 0.25}, {"weight_decay": 0.0}),
        ({"weight_lambda_l2": 0.25}, {"decayed": "bias"}),
        ({"bias_lambda_l2": 0.25}, {"decayed": "weight"}),
        ({"weight_lambda_l1": 0.25}, {}),
        ({}, {}),
    ],
)
def test_no_warning_where_there_is_one_pull(lambdas, settings, mode):
    model, loss = penalised(**lambdas)
    if "decayed" in settings:
        settings = {"decayed": [getattr(model, settings["decayed"])]}
    opt = AdamW(model.parameters(), **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mode(lambda: opt.minimize(loss()))()


def test_the_warning_costs_one_look_and_no_capture(monkeypatch, backend):
    looks = []
    monkeypatch.setattr("tinygrad_reg.optim.adamw.find", lambda loss: looks.append(loss) or tg.penalties.find(loss))
    model, loss = penalised()
    opt = AdamW(model.parameters())
    step = tg.compile(lambda: opt.minimize(loss()), backend=backend, wait=True)
    for lr in (0.1, 0.2, 0.3):
        opt.lr = lr  # the program is looked at again
        step()
    assert (len(looks), step.stats()["captures"]) == (1, 1)


# ------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize("kind", [SGD, Adam, RMSprop, Adagrad, ProximalAdam])
def test_weight_decay_is_no_setting_of_others(kind):
    with pytest.raises(TypeError, match=rf"{kind.__name__} has no weight_decay. For an L2 penalty .* 2λ .* optim.AdamW"):
        kind([tg.ones(1, requires_grad=True)], lr=0.1, weight_decay=0.01)


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        (lambda w: AdamW([w], weight_decay=-0.1), ValueError, "AdamW: weight_decay is -0.1; it must be at least 0"),
        (lambda w: AdamW([w], weight_decay=float("nan")), ValueError, "AdamW: weight_decay is nan"),
        (lambda w: AdamW([w], weight_decay="0.1"), TypeError, "AdamW: weight_decay is a str"),
        (lambda w: AdamW([w], betas=(1.0, 0.9)), ValueError, r"AdamW: betas\[0\] is 1.0"),
        (lambda w: AdamW([w], decayed=w), TypeError, r"for one Tensor write \[w\]"),
        (lambda w: AdamW([w], decayed=[tg.ones(1)]), ValueError, "none of the parameters"),
        (lambda w: RMSprop([w], rho=1.0), ValueError, "RMSprop: rho is 1.0"),
        (lambda w: RMSprop([w], eps=-1.0), ValueError, "RMSprop: eps is -1.0"),
        (lambda w: Adagrad([w], eps=-1.0), ValueError, "Adagrad: eps is -1.0"),
        (lambda w: Adagrad([w], lr=0.0), ValueError, "Adagrad: lr is 0.0"),
    ],
)
def test_settings_that_make_no_sense(do, kind, message):
    with pytest.raises(kind, match=message):
        do(tg.ones(1, requires_grad=True))
