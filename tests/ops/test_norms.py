"""Norms: PyTorch's values and slopes for every order, 0 at 0, sizes at which squares overflow, errors; complex spread and extremes."""

import numpy as np
import pytest

import tinygrad_reg as tg

RNG = np.random.default_rng(0)
START = RNG.bit_generator.state
ORDERS = (0, 1, 2, 3, 1.5, 0.5, -1, -2, np.inf, -np.inf)
MATRIX_ORDERS = ("fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf)


@pytest.fixture(autouse=True)
def the_same_numbers():
    """A test gets the same numbers alone and in the suite."""
    RNG.bit_generator.state = START


def array(shape, dtype):
    x = RNG.normal(size=shape)
    return x + 1j * RNG.normal(size=shape) if dtype == "complex" else x


def slopes(out, x):
    """First and second derivative of Σ out², by the package."""
    first = tg.grad((out * out).sum(), x, create_graph=True)
    return first.data, tg.grad(tg.real(first * tg.conj(first)).sum(), x).data


def torchs(torch, out, x):
    first = torch.autograd.grad((out * out).sum(), x, create_graph=True, allow_unused=True)[0]
    if first is None or not first.requires_grad:
        return np.zeros(x.shape) if first is None else first.numpy(), np.zeros(x.shape)
    return first.detach().resolve_conj().numpy(), torch.autograd.grad((first * first.conj()).real.sum(), x)[0].resolve_conj().numpy()


@pytest.mark.parametrize("dtype", ["real", "complex"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("order", ORDERS)
def test_vector_norm_is_torchs_at_both_orders(order, axis, dtype):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    values = array((3, 4), dtype)
    x, other = tg.Tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    out, expected = tg.linalg.vector_norm(x, ord=order, axis=axis), torch.linalg.vector_norm(other, ord=order, dim=axis)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-12)
    for got, wanted in zip(slopes(out, x), torchs(torch, expected, other), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("dtype", ["real", "complex"])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [(0, 1), (-1, 0), (1, 2)])
@pytest.mark.parametrize("order", MATRIX_ORDERS)
def test_matrix_norm_is_torchs_at_both_orders(order, axis, keepdims, dtype):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    values = array((2, 3, 4), dtype)
    x, other = tg.Tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    out = tg.linalg.norm(x, order, axis=axis, keepdims=keepdims)
    expected = torch.linalg.norm(other, order, dim=axis, keepdim=keepdims)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-12)
    for got, wanted in zip(slopes(out, x), torchs(torch, expected, other), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("order", [*ORDERS, None])
@pytest.mark.parametrize("values", [[0.0, 0.0], [0.0, 3.0]])
def test_slopes_at_0_are_finite_at_both_orders(order, values):
    x = tg.Tensor(values, requires_grad=True)
    out = tg.linalg.norm(x, order)
    first, second = slopes(out, x)
    assert np.all(np.isfinite(first))
    assert np.all(np.isfinite(second))
    assert tg.grad(tg.linalg.norm(x, order), x).data[0] == 0


@pytest.mark.parametrize("order", MATRIX_ORDERS)
def test_the_slope_of_a_matrix_norm_at_0_is_0(order):
    x = tg.Tensor(np.zeros((2, 3)), requires_grad=True)
    np.testing.assert_array_equal(tg.grad(tg.linalg.matrix_norm(x, ord=order), x).data, np.zeros((2, 3)))


@pytest.mark.parametrize("order", [2, 3, 1.5, -3])
@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_sizes_whose_powers_overflow_or_vanish(order, scale):
    x = tg.Tensor(scale * np.array([3.0, 4.0]), requires_grad=True)
    small = tg.Tensor([3.0, 4.0], requires_grad=True)
    for axis in (None, 0):
        out, expected = tg.linalg.vector_norm(x, ord=order, axis=axis), tg.linalg.vector_norm(small, ord=order, axis=axis)
        np.testing.assert_allclose(out.data, scale * expected.data, rtol=1e-12)
        np.testing.assert_allclose(tg.grad(out, x).data, tg.grad(expected, small).data, rtol=1e-12)


def test_ties_share_the_slope():
    x = tg.Tensor([2.0, -2.0, 1.0], requires_grad=True)
    np.testing.assert_array_equal(tg.grad(tg.linalg.norm(x, np.inf), x).data, [0.5, -0.5, 0.0])


def test_nan_passes_through_and_inf_is_inf():
    for order in (2, 3, 0.5):
        assert np.isnan(tg.linalg.norm([np.nan, 1.0], order))
        assert np.isinf(tg.linalg.norm([np.inf, 1.0], order))


def test_small_whole_numbers_do_not_wrap():
    assert tg.linalg.vector_norm(np.array([100, 100], np.int8)) == pytest.approx(np.hypot(100, 100))
    assert tg.linalg.vector_norm(np.array([3, 4], np.float32)).dtype == np.float32


def test_of_no_elements_a_norm_of_negative_order_is_infinite_as_in_numpy():
    for axis, shape in ((None, ()), (1, (2,))):
        np.testing.assert_array_equal(tg.linalg.vector_norm(np.zeros((2, 0)), ord=-1, axis=axis), np.full(shape, np.inf))


@pytest.mark.parametrize("order", ["fro", "nuc", 2, 1, np.inf])
def test_the_norm_of_nothing_is_0(order):
    assert tg.linalg.matrix_norm(np.zeros((0, 3)), ord=order) == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tg.linalg.norm(np.ones((2, 2, 2)), 1), "say by axis= where they lie"),
        (lambda: tg.linalg.norm(np.ones(2), "fro"), "is for matrices"),
        (lambda: tg.linalg.norm(np.ones((2, 2)), 3), "not known for matrices"),
        (lambda: tg.linalg.matrix_norm(np.ones(3)), "no pair of axes"),
        (lambda: tg.linalg.norm(np.ones((2, 2)), axis=(0, 0)), "names one axis twice"),
        (lambda: tg.linalg.norm(np.ones((2, 2)), axis=(0, 5)), "axis 5 is out of bounds"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("correction", [0, 1])
@pytest.mark.parametrize("name", ["var", "std"])
def test_spread_of_complex_numbers_is_torchs_at_both_orders(name, correction):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    values = array((3, 4), "complex")
    x, other = tg.Tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    out = getattr(tg, name)(x, axis=0, correction=correction)
    expected = getattr(torch, name)(other, dim=0, correction=correction)
    assert out.dtype == np.float64
    np.testing.assert_allclose(out.data, getattr(np, name)(values, axis=0, ddof=correction), rtol=1e-12)
    for got, wanted in zip(slopes(out, x), torchs(torch, expected, other), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("op", [tg.max, tg.min, tg.sum_of_squares, tg.sum_of_sizes], ids=str)
def test_what_has_no_meaning_for_complex_numbers_is_refused(op):
    with pytest.raises(TypeError, match=f"{op.name}: x holds complex numbers"):
        op(tg.Tensor([1 + 1j], requires_grad=True))


@pytest.mark.parametrize("order", [2, 1, 3, np.inf])
@pytest.mark.parametrize(("shape", "axis"), [((2, 3), (0, 7)), ((2, 3), (0, 0)), ((2, 3), (1, -1)), ((3,), 7), ((3,), -2)])
def test_an_axis_that_is_not_there_or_is_there_twice(order, shape, axis):
    with pytest.raises(ValueError, match=r"vector_norm: (axis .* is out of bounds|duplicate|repeated)"):
        tg.linalg.vector_norm(tg.ones(shape), axis=axis, ord=order)


def test_nan_is_the_largest_and_gets_the_gradient():
    for order in (np.inf, -np.inf):
        x = tg.Tensor([[1.0, np.nan, 2.0], [3.0, 4.0, 5.0]], requires_grad=True)
        norm = tg.linalg.vector_norm(x, axis=1, ord=order)
        slope = tg.grad(norm.sum(), x).data
        np.testing.assert_array_equal(np.isnan(norm.data), [True, False])
        assert np.isnan(slope[0, 1])
        np.testing.assert_array_equal(slope[0, [0, 2]], [0, 0])


@pytest.mark.parametrize("maxnorm", [0.0, 0.7, 2.0, 100.0])
@pytest.mark.parametrize("p", [1, 2, 3.5, np.inf])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_parts_made_shorter_are_pytorchs(axis, p, maxnorm):
    torch = pytest.importorskip("torch")
    x = RNG.normal(size=(2, 3, 4))
    mine, theirs = tg.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    ours, other = tg.renorm(mine, p, axis, maxnorm), theirs.renorm(p, axis, maxnorm)
    np.testing.assert_allclose(ours.data, other.detach().numpy(), rtol=1e-6)  # PyTorch adds 1e-7 to the norm
    g = RNG.normal(size=x.shape)
    (slope,) = torch.autograd.grad(other, theirs, torch.tensor(g))
    np.testing.assert_allclose(tg.grad(ours, mine, g).data, slope.numpy(), rtol=1e-5, atol=1e-6)


def test_parts_of_size_zero_stay():
    x = tg.Tensor(np.zeros((2, 2)), requires_grad=True)
    assert tg.grad(tg.renorm(x, 2, 0, 0.0).sum(), x).tolist() == [[1, 1], [1, 1]]
    with pytest.raises(ValueError, match="renorm: p is 0 and maxnorm is 1"):
        tg.renorm(x, 0, 0, 1)
