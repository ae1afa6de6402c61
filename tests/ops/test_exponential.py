"""Powers, logarithms and weighted means: against PyTorch, at 0, at infinity, and where naive formulas overflow."""

import numpy as np
import pytest
from against_torch import assert_as_torch, drawn

import tinygrad_reg as tg

INF, NAN = np.inf, np.nan
LN2 = np.log(2)
UNARY = {
    **dict.fromkeys(["exp2"], (-3, 3)),
    **dict.fromkeys(["log2", "log10", "rsqrt", "reciprocal"], (0.1, 9)),
    "logit": (0, 1),
}
BINARY = {**dict.fromkeys(["logaddexp", "logaddexp2"], (-3, 3)), **dict.fromkeys(["xlogy", "float_power"], (0.1, 3))}


def slopes(f, *values, order=1):
    """Gradient of Σ f in each value, or the gradient of the sum of these."""
    tensors = [tg.Tensor(v, requires_grad=True) for v in values]
    out = f(*tensors)
    for _ in range(order):
        found = tg.grad(out, tensors, np.ones(out.shape), create_graph=True)
        out = sum(g.sum() for g in found) if order > 1 else None
    return [g.numpy() for g in found]


@pytest.mark.parametrize("shape", [(3, 4), (), (0, 2)], ids=str)
@pytest.mark.parametrize("name", UNARY)
def test_as_pytorch(name, shape):
    torch = pytest.importorskip("torch")
    assert_as_torch(getattr(tg, name), getattr(torch, name), drawn(*UNARY[name], shape))


@pytest.mark.parametrize("shapes", [((3, 4), (3, 4)), ((3, 1), (1, 4)), ((), (3,)), ((0, 2), (1, 2))], ids=str)
@pytest.mark.parametrize("name", BINARY)
def test_of_two_as_pytorch(name, shapes):
    torch = pytest.importorskip("torch")
    assert_as_torch(getattr(tg, name), getattr(torch, name), drawn(*BINARY[name], *shapes))


def test_others_as_pytorch():
    torch = pytest.importorskip("torch")
    assert_as_torch(tg.entr, torch.special.entr, drawn(0, 3, (3, 4)))
    assert_as_torch(tg.xlog1py, torch.special.xlog1py, drawn(-0.9, 3, (3, 4), (4,)))
    assert_as_torch(lambda x: tg.logit(x, eps=0.2), lambda x: torch.logit(x, eps=0.2), drawn(0, 1, (3, 4)))
    assert_as_torch(tg.lerp, torch.lerp, drawn(-2, 2, (3, 4), (3, 4), (3, 4)))
    for weight in (0.3, 0.8):
        assert_as_torch(lambda a, b, w=weight: tg.lerp(a, b, w), lambda a, b, w=weight: torch.lerp(a, b, w), drawn(-2, 2, (3, 4), (3, 4)))


@pytest.mark.parametrize("name", ["exp2", "log2", "log10", "reciprocal", "rsqrt"])
def test_complex_as_pytorch(name):
    torch = pytest.importorskip("torch")
    x, y = drawn(0.5, 2, (3, 2), (3, 2))
    assert_as_torch(getattr(tg, name), getattr(torch, name), [x - 1j * y])


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (tg.cbrt, [0.0, -8.0, 27.0], [INF, 1 / 12, 1 / 27]),
        (tg.reciprocal, [0.0, -2.0, 1e-160, 1e200], [-INF, -0.25, -INF, 0]),
        (tg.rsqrt, [0.0, 4.0, INF], [-INF, -1 / 16, 0]),
        (tg.entr, [0.0, 1.0], [INF, -1]),
        (tg.logit, [0.0, 0.5, 1.0], [INF, 4, INF]),
        (tg.exp2, [-2000.0, 0.0, 3.0], [0, LN2, 8 * LN2]),
    ],
)
def test_slopes_at_ends(f, at, expected):
    np.testing.assert_allclose(slopes(f, at)[0], expected, rtol=1e-14)


def test_second_derivative_of_cube_roots_of_negative_numbers():
    np.testing.assert_allclose(slopes(tg.cbrt, [-8.0, 8.0], order=2)[0], [2 / 9 / 32, -2 / 9 / 32], rtol=1e-14)


def test_reciprocals_of_whole_numbers_are_fractions():
    np.testing.assert_array_equal(tg.reciprocal(tg.Tensor([2, 4])).data, [0.5, 0.25])


# ------------------------------------------------------------------------------------------ logarithms


@pytest.mark.parametrize(("ours", "numpys"), [(tg.logaddexp, np.logaddexp), (tg.logaddexp2, np.logaddexp2)])
def test_logarithms_of_sums_are_numpys_for_any_size(ours, numpys):
    a, b = (m.ravel() for m in np.meshgrid(*[[0.0, 1.0, -1.5, 1e4, -1e4, 1e308, INF, -INF, NAN]] * 2))
    with np.errstate(over="ignore", invalid="ignore"):
        expected = numpys(a, b)
    np.testing.assert_allclose(ours(a, b), expected, rtol=1e-15)
    assert ours(np.ones(2, np.float32), 1.0).dtype == np.float32
    assert ours(np.uint8(3), np.uint8(5)) == pytest.approx(numpys(3, 5))


@pytest.mark.parametrize("f", [tg.logaddexp, tg.logaddexp2])
def test_slopes_of_logarithms_of_sums(f):
    a, b = [1e4, 3.0, -INF, -INF, INF], [-1e4, 3.0, 0.0, -INF, 0.0]
    np.testing.assert_allclose(slopes(f, a, b), [[1, 0.5, 0, 0, 1], [0, 0.5, 1, 0, 0]])
    assert np.isfinite(slopes(f, a, b, order=2)).all()


def test_logit_keeps_its_digits_at_small_numbers_and_near_a_half():
    assert tg.logit(1e-12) == pytest.approx(np.log(1e-12), rel=1e-12)
    assert tg.logit(0.5 + 2.0**-40) == pytest.approx(2.0**-38, rel=1e-15)
    np.testing.assert_array_equal(tg.logit(np.array([0.0, 1.0, -1.0, NAN])), [-INF, INF, NAN, NAN])
    np.testing.assert_array_equal(slopes(lambda x: tg.logit(x, eps=0.25), [0.0, 0.25, 0.5, 1.0])[0] > 0, [False, True, True, False])


@pytest.mark.parametrize(("f", "void"), [(tg.xlogy, 0.0), (tg.xlog1py, -1.0)])
def test_a_factor_of_zero_wins(f, void):
    np.testing.assert_array_equal(f(np.zeros(4), np.array([void, INF, -5.0, NAN])), [0, 0, 0, NAN])
    for order in (1, 2):
        np.testing.assert_array_equal(slopes(f, [0.0], [void], order=order), [[0], [0]])
    in_x, in_y = slopes(f, [0.0], [3.0 + void])
    assert (in_x[0], in_y[0]) == (pytest.approx(np.log(3)), 0)
    assert slopes(f, [0.0], [3.0 + void], order=2)[1] == pytest.approx(1 / 3)  # of the slope in x, by y
    assert f(np.ones(2, np.float32), 2.0).dtype == f(2.0, np.ones(2, np.float32)).dtype == np.float32


def test_entropy_outside_of_its_domain():
    np.testing.assert_array_equal(tg.entr(np.array([0.0, 1.0, -1.0, NAN, INF])), [0, 0, -INF, NAN, -INF])


def test_float_power_is_at_double_precision():
    x = tg.Tensor(np.array([2.0, 3.0], np.float32), requires_grad=True)
    out = np.float_power(x, 2)
    assert out.dtype == np.float64
    np.testing.assert_array_equal(tg.grad(out.sum(), x).data, np.array([4, 6], np.float32))
    assert tg.float_power(2, -2) == 0.25
    assert tg.float_power(tg.Tensor([1j]), 2).dtype == np.complex128


def test_lerp_hits_both_ends():
    a, b = np.array([0.1, 1e16]), np.array([0.3, -1.0])
    for weight, end in ((0, a), (1, b), (0.0, a), (1.0, b), (np.zeros(2), a), (np.ones(2), b)):
        np.testing.assert_array_equal(tg.lerp(a, b, weight), end)
    assert tg.lerp(np.uint8(10), np.uint8(4), 0.5) == 7


def test_mantissas_and_exponents_are_numpys_and_go_together():
    x = np.array([0.0, -0.0, 1.0, -3.0, 1e-310, 1e300, np.inf, -np.inf, np.nan])
    t = tg.Tensor(x, requires_grad=True)
    mantissa, exponent = np.frexp(t)
    for ours, theirs in zip((mantissa, exponent), np.frexp(x), strict=True):
        np.testing.assert_array_equal(ours.data, theirs)
    np.testing.assert_array_equal(np.ldexp(mantissa, exponent).data, x)
    assert tg.grad(np.ldexp(*np.frexp(t[2:4])).sum(), t).data[2:4].tolist() == [1, 1]
    assert tg.grad(tg.frexp(t)[0][3], t).data[3] == 0.25
    with pytest.raises(TypeError, match="ldexp"):
        tg.ldexp(1.0, 0.5)
