"""Functions of PyTorch and autograd through the adapters, and what torch.autograd.gradcheck says of the same ones: who finds what."""

import sys

import numpy as np
import pytest

from tinygrad_reg.testing import GradientMismatch, check_gradients
from tinygrad_reg.testing.adapters import from_autograd, from_torch

X = np.array([[0.5, -1.25, 2.0], [1.5, 0.75, -0.3]])


def torch_or_skip():
    return pytest.importorskip("torch", reason="compares with PyTorch, of the extra [bench]")


def with_rule(forward, backward):
    """A PyTorch function with a backward rule by hand."""
    torch = torch_or_skip()

    class ByHand(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(torch, x)

        @staticmethod
        def backward(ctx, g):
            return backward(torch, g, *ctx.saved_tensors)

    return ByHand.apply


def wrong_at_one_index(torch, g, x):
    found = 2 * x * g
    return torch.cat([found.reshape(-1)[:-1], found.reshape(-1)[-1:] * 1.001]).reshape(x.shape)


def noisy(torch, g, x):
    return 2 * x * g * (1 + 1e-3 * torch.rand(()))


# name: (function, its input, what we say, what gradcheck says at its defaults)
CASES = {
    "right": (lambda torch: torch.tanh, X, "right", "right"),
    "right, broadcast": (lambda torch: lambda x: x * x[0] + x[:, :1], X, "right", "right"),
    "kink, slope between both sides": (lambda torch: torch.relu, np.array([0.0, 1.0, -2.0]), "right", "wrong"),
    "kink, right in the middle": (lambda torch: torch.abs, np.array([0.0, 1.0, -2.0]), "right", "right"),
    "kink, beyond both sides": (
        lambda torch: with_rule(lambda t, x: x.abs(), lambda t, g, x: g * (x.sign() + 1.5 * (x == 0))),
        np.array([0.0, 1.0]),
        "kink",
        "wrong",
    ),
    "near a kink, right": (lambda torch: torch.relu, np.array([1e-9, 1.0]), "right", "wrong"),
    "near a kink, wrong": (
        lambda torch: with_rule(lambda t, x: t.relu(x), lambda t, g, x: g * 0.5 * (1 + x.sign()) * (1 - 0.5 * (x.abs() < 1e-6))),
        np.array([1e-9, 1.0]),
        "wrong rule",
        "right",  # half of the slope is just what a step across the kink gives
    ),
    "0.1 % off": (lambda torch: with_rule(lambda t, x: x * x, lambda t, g, x: g * 2.002 * x), X, "wrong rule", "right"),
    "0.1 % off at one index": (lambda torch: with_rule(lambda t, x: x * x, wrong_at_one_index), X, "wrong rule", "right"),
    "sign": (lambda torch: with_rule(lambda t, x: x * x, lambda t, g, x: -g * 2 * x), X, "wrong rule", "wrong"),
    "not deterministic": (lambda torch: with_rule(lambda t, x: x * x, noisy), X, "not deterministic", "wrong"),
    "float32": (lambda torch: torch.tanh, X.astype(np.float32), "right", "wrong"),
    "small numbers, 10 % off": (
        lambda torch: with_rule(lambda t, x: 1e-4 * x * x, lambda t, g, x: g * 2.2e-4 * x),
        X,
        "wrong rule",
        "wrong",
    ),
    "small numbers, all off": (
        lambda torch: with_rule(lambda t, x: 1e-6 * x * x, lambda t, g, x: g * 3e-6 * x),
        X,
        "wrong rule",
        "right",  # its absolute tolerance is 1e-5
    ),
}


def ours(f, x):
    """Our verdict: right, or that of the mismatch."""
    adapted = from_torch(f)
    try:
        check_gradients(adapted, x, vjp=adapted.vjp)
    except GradientMismatch as error:
        return error.verdict
    return "right"


def theirs(f, x):
    """gradcheck's verdict: right or wrong; it says no more in a form that can be asked for."""
    torch = torch_or_skip()
    try:
        torch.autograd.gradcheck(f, torch.tensor(x, requires_grad=True))
    except RuntimeError:  # a GradcheckError, whose name is not public
        return "wrong"
    return "right"


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:Input #0 requires gradient and is not a double precision")
def test_who_says_what(name):
    make, x, our_verdict, their_verdict = CASES[name]
    f = make(torch_or_skip())
    assert (ours(f, x), theirs(f, x)) == (our_verdict, their_verdict)


def test_several_inputs_of_torch():
    torch = torch_or_skip()
    adapted = from_torch(lambda x, w: torch.tanh(x @ w).sum())
    assert check_gradients(adapted, X, np.ones((3, 2)), vjp=adapted.vjp).entries == 12
    unused = from_torch(lambda x, w: x * 2)
    assert check_gradients(unused, X, X, vjp=unused.vjp).entries == 12


def test_autograd():
    anp = pytest.importorskip("autograd.numpy", reason="compares with autograd, of the extra [bench]")
    adapted = from_autograd(lambda x, w: anp.tanh(anp.dot(x, w)))
    assert check_gradients(adapted, X, np.ones((3, 2)), vjp=adapted.vjp).entries == 12
    total = from_autograd(lambda x: anp.sum(anp.abs(x)))
    assert check_gradients(total, np.array([0.0, 2.0]), vjp=total.vjp).kinks == 1
    detached = from_autograd(lambda x: x * np.asarray(getattr(x, "_value", x)))
    with pytest.raises(GradientMismatch, match="off by a factor of 0.5"):
        check_gradients(detached, X, vjp=detached.vjp)


@pytest.mark.parametrize(("adapter", "library"), [(from_torch, "torch"), (from_autograd, "autograd")])
def test_without_the_library_one_sentence_says_so(adapter, library, monkeypatch):
    for name in [n for n in sys.modules if n == library or n.startswith(f"{library}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=f"needs {library}, which is not installed: pip install {library}"):
        adapter(np.tanh)
