"""The same computation here and in PyTorch: value, gradient, and the derivative of a random combination of gradients."""

import numpy as np
import pytest

import tinygrad_reg as tg

TIGHT = {"rtol": 1e-9, "atol": 1e-10}


def agree(ours, theirs, *arrays, constant=()):
    """``ours`` of Tensors and ``theirs`` of (torch.nn.functional, tensors) agree to the second order, at float64; skips without PyTorch.

    Whole numbers, and the arrays at places ``constant``, get no gradient.
    """
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    wanted = [a.dtype.kind == "f" and i not in constant for i, a in enumerate(arrays)]
    mine = [tg.Tensor(a, requires_grad=w) for a, w in zip(arrays, wanted, strict=True)]
    other = [torch.tensor(a, requires_grad=w) for a, w in zip(arrays, wanted, strict=True)]
    y, their_y = ours(*mine), theirs(torch.nn.functional, *other)
    np.testing.assert_allclose(y.data, their_y.detach().numpy(), err_msg="value", **TIGHT)
    rng = np.random.default_rng(0)
    g = rng.normal(size=y.shape)
    variables, their_variables = ([t for t, w in zip(ts, wanted, strict=True) if w] for ts in (mine, other))
    first = tg.grad(y, variables, tg.Tensor(g), create_graph=True)
    their_first = torch.autograd.grad(their_y, their_variables, torch.tensor(g), create_graph=True)
    _all_close(first, their_first, "gradient")
    directions = [rng.normal(size=t.shape) for t in variables]
    slope = sum((f * d).sum() for f, d in zip(first, directions, strict=True))
    their_slope = sum((f * torch.tensor(d)).sum() for f, d in zip(their_first, directions, strict=True))
    if their_slope.requires_grad:
        second = torch.autograd.grad(their_slope, their_variables, allow_unused=True, materialize_grads=True)
        _all_close(tg.grad(slope, variables), second, "second derivative")


def _all_close(mine, theirs, what):
    for m, t in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(m.data, t.detach().numpy(force=True), err_msg=what, **TIGHT)
