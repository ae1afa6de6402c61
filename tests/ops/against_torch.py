"""Values and gradients of both orders, ours held against PyTorch's."""

import numpy as np
import pytest

import tinygrad_reg as tg

WEIGHTS = np.cos(np.arange(1000.0))  # so that each entry of a result counts differently


def drawn(low, high, *shapes):
    """Random numbers between two bounds, the same each time."""
    rng = np.random.default_rng(0)
    return [rng.uniform(low, high, shape) for shape in shapes]


def assert_as_torch(ours, theirs, inputs, rtol=1e-9, orders=2):
    """Compare f(inputs), its gradient, and the gradient of a weighed sum of that."""
    torch = pytest.importorskip("torch", reason="PyTorch, the yardstick here, is not installed")
    mine = [tg.Tensor(x, requires_grad=True) for x in inputs]
    other = [torch.tensor(x, requires_grad=True) for x in inputs]

    def weighed_by(results, numbers, real):
        return sum(real(r * numbers(WEIGHTS[: r.reshape(-1).shape[0]].reshape(tuple(r.shape)))).sum() for r in results)

    def gradient_of_theirs(total):
        return torch.autograd.grad(total, other, create_graph=True, allow_unused=True, materialize_grads=True)

    got, expected = [ours(*mine)], [theirs(*other)]
    for order in range(orders + 1):
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(a.data, b.detach().resolve_conj().numpy(), rtol=rtol, atol=1e-11, err_msg=f"order {order}")
        if order == orders or not any(t.requires_grad for t in expected):
            break
        ours_total = weighed_by(got, np.asarray, tg.real)
        theirs_total = weighed_by(expected, torch.tensor, lambda z: z.real)
        if not ours_total.requires_grad:  # nothing but zeros follow, there too
            assert all(not g.any() for g in gradient_of_theirs(theirs_total))
            break
        got = tg.grad(ours_total, mine, create_graph=True)
        expected = gradient_of_theirs(theirs_total)
