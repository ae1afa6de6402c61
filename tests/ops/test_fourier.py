"""Fourier transforms: NumPy's values, and PyTorch's slopes at both orders, over sizes, axes and norms."""

import numpy as np
import pytest
from drawn_arrays import RNG, array, the_same_numbers  # noqa: F401 - the fixture is used by being here

import tinygrad_reg as tg

NORMS = (None, "backward", "ortho", "forward")
FROM_REAL = {"rfft", "ihfft", "rfft2", "rfftn"}
ONE_AXIS = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
SEVERAL = ("fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2")


def total(out, xp, as_own):
    """A number that depends on real and imaginary parts, not linearly."""
    weights = as_own(np.cos(np.arange(np.prod(out.shape))).reshape(out.shape))
    if not np.issubdtype(np.asarray(weights).dtype, np.floating) or "complex" not in str(out.dtype):
        return (out * out * weights).sum()
    return (xp.real(out) * xp.imag(out)).sum() + (xp.real(out) * weights).sum()


def compare(name, x, *arguments, torch_arguments=None, **settings):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    t, other = tg.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    out = getattr(tg.fft, name)(t, *arguments, **settings)
    expected = getattr(torch.fft, name)(other, *(arguments if torch_arguments is None else torch_arguments))
    np.testing.assert_allclose(out.data, expected.detach().resolve_conj().numpy(), rtol=1e-10, atol=1e-12)
    first = tg.grad(total(out, tg, np.asarray), t, create_graph=True)
    theirs = torch.autograd.grad(total(expected, torch, torch.tensor), other, create_graph=True)[0]
    np.testing.assert_allclose(first.data, theirs.detach().resolve_conj().numpy(), rtol=1e-9, atol=1e-11)
    second = tg.grad(total(first * first, tg, np.asarray), t)
    theirs = torch.autograd.grad(total(theirs * theirs, torch, torch.tensor), other)[0]
    np.testing.assert_allclose(second.data, theirs.resolve_conj().numpy(), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [None, 1, 3, 6])
@pytest.mark.parametrize("name", ONE_AXIS)
def test_one_axis(name, n, norm):
    for dtype in ("real",) if name in FROM_REAL else ("real", "complex"):
        for shape, axis in (((4,), -1), ((5,), 0), ((2, 3, 4), 1)):
            compare(name, array(shape, dtype), n, axis, norm)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("s", "axes"), [(None, (0, 1)), ((3, 5), (2, 0)), ((2, 6), (-2, -1)), ((-1, 3), (0, 1))])
@pytest.mark.parametrize("name", SEVERAL)
def test_several_axes(name, s, axes, norm):
    for dtype in ("real",) if name in FROM_REAL else ("real", "complex"):
        compare(name, array((2, 3, 4), dtype), s, axes, norm)


@pytest.mark.parametrize("axes", [None, 0, (0, 2), (-1,)])
@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shifts(name, axes):
    compare(name, array((2, 3, 5)), axes)


@pytest.mark.parametrize("name", [*ONE_AXIS, *SEVERAL, "fftshift", "ifftshift"])
def test_numpys_functions_are_ours_for_tensors(name):
    x = array((4, 6), "real" if name in FROM_REAL else "complex")
    t = tg.Tensor(x, requires_grad=True)
    for got in (getattr(np.fft, name)(t), getattr(np.fft, name)(a=t) if "shift" not in name else getattr(np.fft, name)(x=t)):
        assert got.requires_grad
        np.testing.assert_allclose(got.data, getattr(np.fft, name)(x), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies(name):
    for n, d in ((4, 1.0), (5, 0.5)):
        np.testing.assert_array_equal(getattr(tg.fft, name)(n, d).data, getattr(np.fft, name)(n, d))
    assert getattr(tg.fft, name)(4, dtype="float32").dtype == np.float32


def test_a_transform_there_and_back_changes_nothing():
    x = tg.Tensor(array((3, 5)), requires_grad=True)
    back = tg.fft.irfft(tg.fft.rfft(x), 5)
    np.testing.assert_allclose(back.data, x.data, rtol=1e-12)
    np.testing.assert_allclose(tg.grad(back.sum(), x).data, np.ones((3, 5)), rtol=1e-12)


@pytest.mark.parametrize("name", ["irfft", "hfft", "irfftn"])
def test_the_transform_of_nothing_is_made_of_zeros(name):
    nothing = np.full((2, 8), 5 + 1j)[:, :0]  # NumPy reads the number that lies behind it
    size = {"s": (2, 3)} if name == "irfftn" else {"n": 3}
    np.testing.assert_array_equal(getattr(tg.fft, name)(nothing, **size), np.zeros((2, 3)))
    x = tg.Tensor(nothing, requires_grad=True)
    assert tg.grad(getattr(tg.fft, name)(x, **size).sum(), x).shape == (2, 0)


def test_single_precision_stays():
    t = tg.Tensor(array((4,)).astype(np.float32), requires_grad=True)
    out = tg.fft.rfft(t)
    assert out.dtype == np.complex64
    assert tg.grad(abs(out).sum(), t).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: tg.fft.rfft(np.ones(3) + 0j), TypeError, "for real numbers was given complex ones"),
        (lambda: tg.fft.fft(np.ones(3), axis=2), IndexError, "axis 2 does not exist in an array with 1 axes"),
        (lambda: tg.fft.irfft(np.ones(3), axis=2), IndexError, "axis 2 does not exist"),
        (lambda: tg.fft.fftn(np.ones(3), axes=(1,)), IndexError, "axis 1 is out of bounds"),
        (lambda: tg.fft.fft(np.ones(3), norm="own"), ValueError, "norm is None, 'backward', 'ortho' or 'forward'"),
        (lambda: tg.fft.hfft(np.ones(3), norm="own"), ValueError, "norm='own' is not known"),
        (lambda: tg.fft.fft(np.ones(3), n=0), ValueError, "sizes of 1 or more"),
        (lambda: tg.fft.fftn(np.ones((3, 3)), s=(2,), axes=(0, 1)), ValueError, "gives 1 sizes for 2 axes"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
