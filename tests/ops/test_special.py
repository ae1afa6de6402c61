"""Special functions: SciPy's values, slopes as PyTorch has them, far tails, and what happens without SciPy."""

import importlib.util
import math
import sys

import numpy as np
import pytest
from against_torch import assert_as_torch, drawn

import tinygrad_reg as tg
from tinygrad_reg.ops import special

INF, NAN = np.inf, np.nan
WITH_SCIPY = pytest.mark.skipif(importlib.util.find_spec("scipy") is None, reason="SciPy, the extra [special], is not installed")
ONE = {
    **dict.fromkeys(["erf", "erfc", "erfcx", "ndtr", "i0", "i0e", "i1", "i1e", "j0", "j1"], (-4, 4)),
    **dict.fromkeys(["gammaln", "digamma", "psi", "gamma", "entr", "xlog1py"], (0.1, 6)),
    **dict.fromkeys(["ndtri", "logit"], (0, 1)),
    "erfinv": (-1, 1),
    "erfcinv": (0, 2),
    "log_ndtr": (-30, 6),
}
OF_ORDER = ["polygamma", "iv", "ive", "kv", "jv", "yv", "zeta", "gammainc", "gammaincc"]
TORCH = {"gammaln": "gammaln", "erf": "erf", "erfc": "erfc", "erfcx": "erfcx", "erfinv": "erfinv", "ndtr": "ndtr", "ndtri": "ndtri", "psi": "psi"}
TORCH |= {"log_ndtr": "log_ndtr", "i0": "i0", "i1": "i1", "i0e": "i0e", "i1e": "i1e"}


def derivative(f, x, order=1):
    """The derivative of f of any order, elementwise."""
    t = tg.Tensor(x, requires_grad=True)
    out = f(t)
    for _ in range(order):
        out = tg.grad(out, t, np.ones(t.shape), create_graph=True)
    return out.numpy()


# --------------------------------------------------------------------------------------- with SciPy


@WITH_SCIPY
@pytest.mark.parametrize("name", [name for name in ONE if name != "xlog1py"])
def test_values_are_scipys(name):
    from scipy import special as scipys

    (x,) = drawn(*ONE[name], (5, 4))
    np.testing.assert_allclose(getattr(tg, name)(x), getattr(scipys, name)(x), rtol=1e-14, atol=1e-15)


@WITH_SCIPY
@pytest.mark.parametrize("name", OF_ORDER)
def test_values_of_functions_with_an_order_are_scipys(name):
    from scipy import special as scipys

    (x,) = drawn(0.1, 9, (5, 3))
    for v in (1, 2, 3, np.array([2, 3, 4])):
        np.testing.assert_allclose(getattr(tg, name)(v, tg.Tensor(x)).data, getattr(scipys, name)(v, x), rtol=1e-13)
    assert getattr(tg, name)(2, x.astype("float32")).dtype == np.float32


@WITH_SCIPY
@pytest.mark.parametrize("name", TORCH)
def test_as_pytorch(name):
    torch = pytest.importorskip("torch")
    assert_as_torch(getattr(tg, name), getattr(torch.special, TORCH[name]), drawn(*ONE[name], (5, 4)), rtol=1e-8)


@WITH_SCIPY
def test_functions_of_an_order_as_pytorch():
    torch = pytest.importorskip("torch")
    for n in range(4):
        assert_as_torch(lambda x, n=n: tg.polygamma(n, x), lambda x, n=n: torch.polygamma(n, x), drawn(0.1, 6, (5, 4)))
    for d in (1, 3, 5):
        assert_as_torch(lambda x, d=d: tg.multigammaln(x, d), lambda x, d=d: torch.mvlgamma(x, d), drawn(2.5, 9, (5, 4)))
    assert_as_torch(lambda q: tg.zeta(3, q), lambda q: torch.special.zeta(3.0, q), drawn(0.1, 6, (5, 4)))
    a = 2.5
    assert_as_torch(lambda x: tg.gammainc(a, x), lambda x: torch.special.gammainc(torch.full_like(x, a), x), drawn(0.1, 6, (5, 4)))
    assert_as_torch(lambda x: tg.gammaincc(a, x), lambda x: torch.special.gammaincc(torch.full_like(x, a), x), drawn(0.1, 6, (5, 4)))


@WITH_SCIPY
def test_gamma_functions_of_negative_numbers():
    x = np.array([-0.5, -1.3, -2.7])
    np.testing.assert_allclose(derivative(tg.gammaln, x), tg.digamma(x))
    np.testing.assert_allclose(derivative(tg.digamma, x), tg.polygamma(1, x))
    step = 1e-5
    np.testing.assert_allclose(tg.polygamma(1, x), (tg.digamma(x + step) - tg.digamma(x - step)) / (2 * step), rtol=1e-7)


@WITH_SCIPY
def test_the_far_tail_of_the_normal_distribution():
    x = np.array([-1e8, -1000.0, -40.0, 40.0, 1000.0])
    np.testing.assert_allclose(derivative(tg.log_ndtr, x), [1e8, 1000.000999998, 40.02496882, 0, 0], rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(derivative(tg.log_ndtr, x[1:], 2), [-0.999999, -0.999377336, 0, 0], rtol=1e-8, atol=1e-300)


@WITH_SCIPY
def test_bessel_functions_at_zero_and_far_out():
    assert derivative(tg.i0e, 0.0) == 0
    assert [derivative(tg.i1, 0.0), derivative(tg.i1e, 0.0), derivative(tg.j1, 0.0)] == [0.5, 0.5, 0.5]
    np.testing.assert_allclose(derivative(tg.i1, [1e-9], 2), [0.375e-9])
    np.testing.assert_allclose(derivative(tg.i1e, [1e10]), [-0.5e-10 * tg.i1e(1e10)], rtol=1e-5)
    x = np.concatenate([np.linspace(-3, 3, 41), [-50.0, 50.0]])
    np.testing.assert_allclose(tg.ive(2, x), tg.ive(np.array(2), x), rtol=1e-14, atol=0)
    np.testing.assert_allclose(tg.iv(2, x), tg.iv(np.array(2), x), rtol=1e-13, atol=0)
    assert tg.iv(2, 1000.0) == INF


@WITH_SCIPY
@pytest.mark.parametrize("name", OF_ORDER)
def test_an_unknown_slope_is_an_error_and_not_lost(name):
    order, x = tg.Tensor(2.0, requires_grad=True), tg.Tensor(1.5, requires_grad=True)
    out = getattr(tg, name)(order, x)
    with pytest.raises(TypeError, match=rf"{name}: no formula is known for its slope in \w\. Give \w as numbers"):
        out.backward()
    getattr(tg, name)(order.detach(), x).backward()
    assert np.isfinite(x.grad.item())


@WITH_SCIPY
def test_negative_orders_are_refused():
    with pytest.raises(ValueError, match="polygamma: the order n must be a whole number ≥ 0"):
        tg.polygamma(-1, tg.Tensor([1.0]))


# ------------------------------------------------------------------------------------ without SciPy


@pytest.fixture
def no_scipy(monkeypatch):
    """As if SciPy were not installed."""
    monkeypatch.setitem(sys.modules, "scipy", None)
    special._scipy.cache_clear()
    yield
    special._scipy.cache_clear()


@pytest.mark.usefixtures("no_scipy")
@pytest.mark.parametrize("name", ["erf", "erfc", "ndtr"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_error_functions_do_without(name, dtype):
    x = np.array([[-40.0, -3.0, -0.5], [0.0, 0.5, 20.0]], dtype)
    python = {"erf": math.erf, "erfc": math.erfc, "ndtr": lambda v: math.erfc(-v / math.sqrt(2)) / 2}[name]
    found = getattr(tg, name)(tg.Tensor(x, requires_grad=True))
    assert found.dtype == dtype
    expected = np.array([[python(v) for v in row] for row in x.tolist()])
    np.testing.assert_allclose(found.data, expected.astype(dtype), rtol=3e-13 if dtype == "float64" else 2e-5)
    assert getattr(tg, name)(x[:0]).shape == (0, 3)
    assert getattr(tg, name)(1.0) == pytest.approx(python(1.0), rel=1e-15)
    assert np.isnan(getattr(tg, name)(np.array([NAN]))).all()


@pytest.mark.usefixtures("no_scipy")
def test_gelu_does_without():
    assert derivative(tg.gelu, [0.0, 1.0]) == pytest.approx([0.5, 1.0833154705876864])
    assert derivative(tg.gelu, [0.0], 2) == pytest.approx([math.sqrt(2 / math.pi)])


@pytest.mark.usefixtures("no_scipy")
@pytest.mark.parametrize("name", ["erfinv", "erfcx", "log_ndtr", "gammaln", "digamma", "i0", "i1e", "j0"])
def test_the_others_say_what_to_install(name):
    with pytest.raises(ImportError, match=r"^\w+ needs SciPy, which is not installed: pip install 'tinygrad_reg\[special\]'$"):
        getattr(tg, name)(tg.Tensor([0.5], requires_grad=True))


def test_second_derivative_of_log_ndtr_at_infinity():
    np.testing.assert_allclose(derivative(tg.log_ndtr, np.array([-np.inf, -1e300, 1e300, np.inf]), 2), [-1, -1, 0, 0], rtol=1e-15)


def test_second_derivative_of_log_ndtr_far_to_the_left():
    pytest.importorskip("scipy")
    x = tg.Tensor([-4.0, -6.0, -20.0, -1e4, -1e8, -1e150, 3.0], requires_grad=True)
    slope = tg.grad(tg.log_ndtr(x).sum(), x, create_graph=True)
    found = tg.grad(slope.sum(), x).data
    expected = [-0.95332716160257737, -0.97601236321083323, -0.99753673838494784, -0.9999999900000006, -1, -1, -0.013333211541740806]
    np.testing.assert_allclose(found, expected, rtol=1e-14)  # expected: with 60 digits
