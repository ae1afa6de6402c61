"""Products: NumPy's and PyTorch's values and slopes over settings, einsum's ways of writing, errors."""

import numpy as np
import pytest
from drawn_arrays import RNG, array, the_same_numbers  # noqa: F401 - the fixture is used by being here

import tinygrad_reg as tg

SUBSCRIPTS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ji", (2, 3)),
    ("ii", (3, 3)),
    ("...ii->...i", (2, 3, 3)),
    ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)),
    ("i...,...j", (2, 3, 4), (3, 4, 5)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("iij,jk->ik", (3, 3, 2), (2, 4)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ij,k->", (2, 3), (4,)),
    (",i->i", (), (3,)),
    ("ij,ij->ij", (1, 3), (2, 3)),
    ("ij,jk->ik", (2, 1), (3, 4)),
    ("ij,kj->ki", (2, 0), (3, 0)),
    ("b i, b j -> b i j", (4, 2), (4, 3)),
    ("bhid,bhjd->bhij", (2, 3, 4, 5), (2, 3, 6, 5)),
    ("bi,bi->b", (7, 3), (7, 3)),
    ("ijk,ilm,njm,nlk,abc->", (2, 3, 4), (2, 5, 2), (6, 3, 2), (6, 5, 4), (1, 2, 3)),
]


@pytest.mark.parametrize("dtype", ["real", "complex"])
@pytest.mark.parametrize("optimize", [True, False, "optimal"])
@pytest.mark.parametrize(("subscripts", "shapes"), [(s, shapes) for s, *shapes in SUBSCRIPTS])
def test_einsum_has_numpys_values_and_torchs_slopes(subscripts, shapes, optimize, dtype):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    arrays = [array(shape, dtype) for shape in shapes]
    tensors = [tg.Tensor(x, requires_grad=True) for x in arrays]
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    out, expected = tg.einsum(subscripts, *tensors, optimize=optimize), torch.einsum(subscripts, *theirs)
    np.testing.assert_allclose(out.data, np.einsum(subscripts, *arrays), rtol=1e-12, atol=1e-12)
    g = array(out.shape, dtype)
    out.backward(g)
    expected.backward(torch.tensor(g))
    for ours, other in zip(tensors, theirs, strict=True):
        np.testing.assert_allclose(ours.grad.data, other.grad.resolve_conj().numpy(), rtol=1e-10, atol=1e-12)


def test_einsum_by_numbers_and_by_numpys_name():
    a, b = tg.Tensor(array((2, 3)), requires_grad=True), tg.Tensor(array((3, 4)))
    by_letters = tg.einsum("ij,jk->ik", a, b)
    for same in (tg.einsum(a, [0, 1], b, [1, 2], [0, 2]), tg.einsum(a, [0, 1], b, [1, 2]), np.einsum("ij,jk->ik", a, b)):
        assert same.requires_grad
        np.testing.assert_array_equal(same.data, by_letters.data)
    np.testing.assert_array_equal(tg.einsum(a, [..., 0], [...]).data, np.einsum(a.data, [..., 0], [...]))


def test_einsum_takes_a_path():
    arrays = [array((2, 3)), array((3, 4)), array((4, 5))]
    path, _ = np.einsum_path("ij,jk,kl->il", *arrays, optimize="optimal")
    for given in (path, ["einsum_path", (0, 1, 2)]):
        np.testing.assert_allclose(tg.einsum("ij,jk,kl->il", *arrays, optimize=given), np.linalg.multi_dot(arrays), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tg.einsum("ij,jk", np.ones((2, 3)), np.ones((2, 3))), "the letter 'j' names axes of sizes 3 and 2"),
        (lambda: tg.einsum("ij", np.ones(3)), "belong to an array with 1 axes"),
        (lambda: tg.einsum("ij->k", np.ones((3, 3))), "the result 'k'"),
        (lambda: tg.einsum("ij,jk", np.ones((3, 3))), "names 2 arrays, and 1 came"),
        (lambda: tg.tensordot(np.ones((2, 3)), np.ones((2, 3)), 1), r"shapes \(2, 3\) and \(2, 3\) do not fit"),
        (lambda: tg.tensordot(np.ones(3), np.ones((3, 3)), 2), "must name axes of arrays"),
        (lambda: tg.tensordot(np.ones(3), np.ones(3), ((0, 0), (0, 0))), "each once"),
        (lambda: tg.vdot(np.ones(3), np.ones(2)), "3 and 2 elements"),
        (lambda: tg.vecdot(np.ones((2, 3)), np.ones(3), axis=0), "count it from the end"),
        (lambda: tg.cross(np.ones(2), np.ones(2)), "not 3"),
        (lambda: tg.matrix_transpose(np.ones(2)), "at least two"),
        (lambda: tg.linalg.multi_dot([np.ones((2, 2))]), "at least two arrays"),
        (lambda: tg.linalg.multi_dot([np.ones((2, 2)), np.ones(2), np.ones((2, 2))]), "array 1 has shape"),
        (lambda: tg.linalg.matrix_power(np.ones((2, 3)), 2), "holds no square matrices"),
        (lambda: tg.linalg.outer(np.ones((2, 3)), np.ones(3)), "takes two vectors"),
    ],
)
def test_errors_say_what_fits(call, words):
    with pytest.raises(ValueError, match=words):
        call()


PRODUCTS = [
    (lambda xp, a, b: xp.dot(a, b), (2, 3, 4), (5, 4, 2)),
    (lambda xp, a, b: xp.inner(a, b), (2, 3), (5, 3)),
    (lambda xp, a, b: xp.vdot(a, b), (2, 3), (3, 2)),
    (lambda xp, a, b: xp.outer(a, b), (2, 2), (3,)),
    (lambda xp, a, b: xp.kron(a, b), (2, 1, 2), (3,)),
    (lambda xp, a, b: xp.tensordot(a, b, axes=([0, 2], [1, 0])), (2, 3, 4), (4, 2, 5)),
    (lambda xp, a, b: xp.vecdot(a, b), (4, 1, 3), (2, 3)),
    (lambda xp, a, b: xp.cross(a, b, axisa=0, axisc=0), (3, 2), (4, 1, 3)),
    (lambda xp, a, b: xp.linalg.vecdot(a, b, axis=-2), (3, 2), (4, 3, 2)),
    (lambda xp, a, b: xp.linalg.cross(a, b, axis=0), (3, 2), (3, 2)),
    (lambda xp, a, b: xp.linalg.multi_dot([a, b, a]), (3, 2), (2, 3)),
    (lambda xp, a, b: xp.linalg.tensorsolve(a, b), (2, 3, 6), (2, 3)),
]


@pytest.mark.parametrize("dtype", ["real", "complex"])
@pytest.mark.parametrize("case", PRODUCTS)
def test_products_are_numpys(case, dtype):
    product, *shapes = case
    arrays = [array(shape, dtype) for shape in shapes]
    tensors = [tg.Tensor(x, requires_grad=True) for x in arrays]
    expected = product(np, *arrays)
    for got in (product(tg, *tensors), product(np, *tensors)):
        assert got.requires_grad
        np.testing.assert_allclose(got.data, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("ours", [tg.vecdot, tg.vdot, tg.vecmat])
def test_the_first_factor_is_conjugated(ours):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    a, b = array((3,), "complex"), array((3, 1) if ours is tg.vecmat else (3,), "complex")
    tensors = [tg.Tensor(x, requires_grad=True) for x in (a, b)]
    theirs = [torch.tensor(x, requires_grad=True) for x in (a, b)]
    tg.real(ours(*tensors)).sum().backward()
    (theirs[0].conj() @ theirs[1]).real.sum().backward()
    for x, other in zip(tensors, theirs, strict=True):
        np.testing.assert_allclose(x.grad.data, other.grad.resolve_conj().numpy(), rtol=1e-12)


@pytest.mark.parametrize("n", [-2, -1, 0, 1, 5])
def test_matrix_power_is_repeated_multiplication(n):
    x = array((2, 3, 3)) + 2 * np.eye(3)
    t = tg.Tensor(x, requires_grad=True)
    power = tg.linalg.matrix_power(t, n)
    np.testing.assert_allclose(power.data, np.linalg.matrix_power(x, n), rtol=1e-10)
    assert tg.grad(power.sum(), t).shape == x.shape


def test_lists_and_numbers_are_taken():
    np.testing.assert_array_equal(tg.dot([1.0, 2.0], [3.0, 4.0]), 11.0)
    np.testing.assert_array_equal(tg.inner(2.0, [3.0, 4.0]), [6.0, 8.0])
    np.testing.assert_array_equal(tg.dot(tg.Tensor([1.0, 2.0]), 3.0).data, [3.0, 6.0])
    np.testing.assert_array_equal(tg.kron(2.0, 3.0), 6.0)


@pytest.mark.parametrize("axes", [-1, 3])
def test_tensordot_over_a_number_of_axes_that_are_not_there(axes):
    with pytest.raises(ValueError, match=rf"tensordot: axes={axes} must .*\(2, 3\) and \(2, 3\)"):
        tg.tensordot(tg.ones((2, 3)), tg.ones((2, 3)), axes)


def test_bilinear_is_pytorchs():
    torch = pytest.importorskip("torch")
    inputs = [RNG.normal(size=shape) for shape in ((2, 3, 4), (2, 3, 5), (6, 4, 5), (6,))]
    for count in (3, 4):
        mine = [tg.Tensor(x, requires_grad=True) for x in inputs[:count]]
        theirs = [torch.tensor(x, requires_grad=True) for x in inputs[:count]]
        ours, other = tg.bilinear(*mine), torch.nn.functional.bilinear(*theirs)
        np.testing.assert_allclose(ours.data, other.detach().numpy(), rtol=1e-12)
        g = RNG.normal(size=ours.shape)
        slopes = torch.autograd.grad(other, theirs, torch.tensor(g))
        for a, b in zip(tg.grad(ours, mine, g), slopes, strict=True):
            np.testing.assert_allclose(a.data, b.numpy(), rtol=1e-12)
    with pytest.raises(ValueError, match=r"bilinear: a has shape \(3,\), b has shape \(2,\) and weight has shape \(2, 2, 3\)"):
        tg.bilinear(np.ones(3), np.ones(2), np.ones((2, 2, 3)))
