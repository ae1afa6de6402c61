"""Complex numbers: gradients are ∂L/∂x + i·∂L/∂y, at both orders, through every op that takes them."""

import numpy as np
import pytest

import tinygrad_reg as tg

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(3, 2)) + 1j * RNG.normal(size=(3, 2))
C = RNG.normal(size=(3, 2)) + 1j * RNG.normal(size=(3, 2))

FUNCTIONS = {
    "product": lambda z: z * C * z,
    "quotient": lambda z: C / z,
    "power": lambda z: z**3,
    "exp": tg.exp,
    "log": tg.log,
    "sqrt": tg.sqrt,
    "tanh": tg.tanh,
    "abs": abs,
    "sign": tg.sign,
    "conj": lambda z: tg.conj(z) * z,
    "parts": lambda z: tg.real(z) * tg.imag(z) ** 2,
    "angle": tg.angle,
    "matmul": lambda z: z @ C.T @ z,
    "sum": lambda z: z.sum(axis=0) * z,
    "mean": lambda z: z.mean(axis=1, keepdims=True) * z,
}


def number(f, z):
    """A real number that depends on every part of f(z)."""
    out = f(z)
    weights = np.cos(np.arange(out.size)).reshape(out.shape)
    return (tg.real(out) * weights).sum() + (tg.imag(out) * weights[::-1]).sum()


def differences(f, z, step=1e-6):
    """∂L/∂x + i·∂L/∂y, entry by entry."""
    found = np.zeros_like(z)
    for i in np.ndindex(z.shape):
        for unit in (1, 1j):
            d = np.zeros_like(z)
            d[i] = step * unit
            found[i] += unit * (float(number(f, tg.Tensor(z + d))) - float(number(f, tg.Tensor(z - d)))) / (2 * step)
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient(name):
    z = tg.Tensor(Z, requires_grad=True)
    number(FUNCTIONS[name], z).backward()
    np.testing.assert_allclose(z.grad.data, differences(FUNCTIONS[name], Z), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_derivative(name):
    def slope(z):
        z = z if z.requires_grad else tg.Tensor(z, requires_grad=True)
        return tg.grad(number(FUNCTIONS[name], z), z, create_graph=True)

    z = tg.Tensor(Z, requires_grad=True)
    number(slope, z).backward()
    np.testing.assert_allclose(z.grad.data, differences(slope, Z), rtol=1e-5, atol=1e-6)


def test_a_real_parameter_has_a_real_gradient():
    w = tg.Tensor([1.0, 2.0], requires_grad=True)
    z = w * np.array([1j, 1 + 1j])
    (tg.real(z * z)).sum().backward()
    np.testing.assert_allclose(w.grad.data, [-2.0, 0.0])
    assert w.grad.dtype == np.float64


def test_kinks_at_zero():
    z = tg.Tensor([0j], requires_grad=True)
    for f in (abs, tg.angle):
        np.testing.assert_array_equal(tg.grad(f(z).sum(), z).data, [0])


ONLY_REAL = [
    "relu",
    "leaky_relu",
    "elu",
    "celu",
    "selu",
    "silu",
    "mish",
    "logsigmoid",
    "softsign",
    "softshrink",
    "hardshrink",
    "hardtanh",
    "hardswish",
]
ONLY_REAL += ["hardsigmoid", "relu6", "sigmoid", "softplus", "entr"]
MORE_ARGUMENTS = {
    "prelu": lambda z: tg.prelu(z, 0.5), "glu": tg.glu, "threshold": lambda z: tg.threshold(z, 0.5, 0.0), "logaddexp": lambda z: tg.logaddexp(1.0, z),
    "logaddexp2": lambda z: tg.logaddexp2(z, 1.0), "layer_norm": lambda z: tg.layer_norm(z, 2), "rms_norm": lambda z: tg.rms_norm(z, 2),
    "cosine_similarity": lambda z: tg.cosine_similarity(z, z), "max_pool1d": lambda z: tg.max_pool1d(z[None], 2),
    "adaptive_max_pool1d": lambda z: tg.adaptive_max_pool1d(tg.concat([z.T] * 2)[None], 2),
}  # fmt: skip


@pytest.mark.parametrize("f", [getattr(tg, name) for name in ONLY_REAL] + list(MORE_ARGUMENTS.values()), ids=[*ONLY_REAL, *MORE_ARGUMENTS])
def test_what_is_made_for_real_numbers_refuses_complex_ones(f):
    for z in (tg.Tensor(Z, requires_grad=True), tg.Tensor(Z.astype(np.complex64))):
        with pytest.raises(TypeError, match=r": (it takes real numbers|x holds complex numbers).*Got .*complex"):
            f(z)
