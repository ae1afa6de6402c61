"""Linear algebra: NumPy's values, PyTorch's slopes at both orders, and an error wherever a derivative does not exist.

What is computed from vectors here does not depend on their sign or phase, which every library may choose as it likes.
"""

import numpy as np
import pytest
from drawn_arrays import RNG, array, the_same_numbers  # noqa: F401 - the fixture is used by being here
from numeric import assert_close, check_gradient, check_second_derivative, seeded

import tinygrad_reg as tg

SQUARE = ((3, 3), (2, 4, 4), (1, 1), (0, 2, 2))
ANY = ((3, 3), (4, 2), (2, 4), (2, 3, 2), (2, 2, 3), (0, 3, 2))
EYE = np.eye(3)


def adjoint(x):
    return x.mH if hasattr(x, "mH") else tg.conj(x.mT) if isinstance(x, tg.Tensor) else np.conj(x.mT)


def definite(x):
    return x @ adjoint(x) + np.eye(x.shape[-1]) if isinstance(x, tg.Tensor) else x @ adjoint(x) + x.new_tensor(np.eye(x.shape[-1]))


def weights(n):
    return np.cos(np.arange(n))


def projected(v):
    """Something made of vectors that does not change with their phase."""
    w = weights(v.shape[-1])
    return (v * (w if isinstance(v, tg.Tensor) else v.real.new_tensor(w))) @ adjoint(v)


def of_svd(parts):
    u, s, vh = parts
    w = weights(s.shape[-1])
    return (s, (u * (w if isinstance(s, tg.Tensor) else s.new_tensor(w))) @ vh, abs(u), abs(vh))


def of_eigh(parts):
    return parts[0], projected(parts[1])


def of_eig(parts):
    return (abs(parts[1]) * abs(parts[0])[..., None, :]).sum(-1)


UNARY = {
    "inv": lambda la, x: la.inv(x),
    "det": lambda la, x: la.det(x),
    "slogdet": lambda la, x: la.slogdet(x),
    "cholesky": lambda la, x: la.cholesky(definite(x)),
    "cholesky upper": lambda la, x: la.cholesky(definite(x), upper=True),
    "eigvalsh": lambda la, x: la.eigvalsh(definite(x)),
    "eigh": lambda la, x: of_eigh(la.eigh(definite(x))),
    "eigvals": lambda la, x: (la.eigvals(x) ** 3).sum(-1),
    "eig": lambda la, x: of_eig(la.eig(x)),
    "power": lambda la, x: la.matrix_power(x, 3),
    "inverse power": lambda la, x: la.matrix_power(x, -2),
    "condition": lambda la, x: la.cond(x) if x.shape[0] else x,
}
RECTANGULAR = {
    "qr": lambda la, x: la.qr(x),
    "svd": lambda la, x: of_svd(la.svd(x, full_matrices=False)),
    "svdvals": lambda la, x: la.svdvals(x),
    "pinv": lambda la, x: la.pinv(x),
    "pinv of less rank": lambda la, x: la.pinv(x[..., :1] @ x[..., :1, :], rtol=1e-8),
}


def parts(out):
    return list(out) if isinstance(out, tuple) else [out]


def total(outs, real):
    """A real number that depends on all parts of all results, not linearly."""
    sum_ = 0
    for out in outs:
        w = np.cos(np.arange(int(np.prod(out.shape)))).reshape(out.shape)
        w = w if isinstance(out, tg.Tensor) else out.real.new_tensor(w)
        if "complex" in str(out.dtype):
            sum_ = sum_ + (real.real(out) * w).sum() + (real.imag(out) * real.real(out)).sum()
        else:
            sum_ = sum_ + (out * w).sum() + (out * out).sum()
    return sum_


def numbers(x):
    return x.detach().resolve_conj().resolve_neg().numpy()


def compare(f, *arrays, second=True):
    """Values, gradients and gradients of gradients of f(linalg, arrays) here and in PyTorch."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    ours = [tg.Tensor(x, requires_grad=True) for x in arrays]
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    out, expected = parts(f(tg.linalg, *ours)), parts(f(torch.linalg, *theirs))
    for a, b in zip(out, expected, strict=True):
        assert_close(a.data, numbers(b), "value", rtol=1e-9)
    first = tg.grad(total(out, tg), ours, create_graph=True)
    first_theirs = torch.autograd.grad(total(expected, torch), theirs, create_graph=True)
    for a, b in zip(first, first_theirs, strict=True):
        assert_close(a.data, numbers(b), "gradient", rtol=1e-8)
    if second and first_theirs[0].requires_grad:
        seconds = tg.grad(total(first, tg), ours)
        seconds_theirs = torch.autograd.grad(total(first_theirs, torch), theirs)
        for a, b in zip(seconds, seconds_theirs, strict=True):
            assert_close(a.data, numbers(b), "second derivative", rtol=1e-6)


@pytest.mark.parametrize("dtype", ["real", "complex"])
@pytest.mark.parametrize("shape", SQUARE)
@pytest.mark.parametrize("name", UNARY)
def test_square_matrices_as_torch(name, shape, dtype):
    compare(UNARY[name], array(shape, dtype) + np.eye(shape[-1]))


@pytest.mark.parametrize("dtype", ["real", "complex"])
@pytest.mark.parametrize("shape", ANY)
@pytest.mark.parametrize("name", RECTANGULAR)
def test_any_matrices_as_torch(name, shape, dtype):
    if name != "pinv of less rank" or shape[0]:
        compare(RECTANGULAR[name], array(shape, dtype))


@pytest.mark.parametrize("dtype", ["real", "complex"])
@pytest.mark.parametrize(("a", "b"), [((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3, 1)), ((3, 3), (2, 3, 1)), ((2, 2, 2), (2, 2, 3))])
def test_solve_as_torch(a, b, dtype):
    compare(lambda la, a, b: la.solve(a, b), array(a, dtype) + 2 * np.eye(a[-1]), array(b, dtype))


@pytest.mark.parametrize("dtype", ["real", "complex"])
@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("unitriangular", [True, False])
def test_solve_triangular_as_torch(upper, left, unitriangular, dtype):
    def solved(linalg, a, b):
        a = (tg.triu(a) if upper else tg.tril(a)) if isinstance(a, tg.Tensor) else a.triu() if upper else a.tril()
        return linalg.solve_triangular(a, b, upper=upper, left=left, unitriangular=unitriangular)

    compare(solved, array((2, 3, 3), dtype) + 2 * np.eye(3), array((3, 2) if left else (2, 3), dtype))


@pytest.mark.parametrize("upper", [True, False])
def test_solve_triangular_of_many_equations(upper):
    a = (np.triu if upper else np.tril)(array((2, 150, 150)) / 20) + 2 * np.eye(150)
    b = array((2, 150, 3))
    noise = np.tril(np.ones((150, 150)), -1) if upper else np.triu(np.ones((150, 150)), 1)
    np.testing.assert_allclose(tg.linalg.solve_triangular(a + noise, b, upper=upper), np.linalg.solve(a, b), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", ["real", "complex"])
@pytest.mark.parametrize(("a", "b"), [((4, 2), (4,)), ((4, 2), (4, 3)), ((2, 4), (2, 2)), ((3, 3), (3,)), ((2, 4, 2), (2, 4, 1))])
def test_least_squares_as_torchs_pseudo_inverse(a, b, dtype):
    def solved(linalg, a, b):
        return linalg.lstsq(a, b)[0] if isinstance(a, tg.Tensor) else linalg.pinv(a) @ b

    compare(solved, array(a, dtype), array(b, dtype))


def test_least_squares_gives_remainder_rank_and_singular_values_as_numpy():
    a, b = array((4, 2)), array((4, 3))
    for got, expected in zip(tg.linalg.lstsq(tg.Tensor(a, requires_grad=True), b), np.linalg.lstsq(a, b), strict=True):
        np.testing.assert_allclose(got.data, expected, rtol=1e-12)
    assert tg.linalg.lstsq(a[:2], b[:2])[1].shape == (0,)


@pytest.mark.parametrize("scale", [0.1, 1, 3])
@pytest.mark.parametrize("dtype", ["real", "complex"])
def test_expm_as_torch(dtype, scale):
    def exponential(linalg, x):
        if linalg is tg.linalg:
            return linalg.expm(x * scale)
        import torch

        return torch.matrix_exp(x * scale)

    compare(exponential, array((2, 3, 3), dtype) / 2)


def test_expm_of_large_and_of_mixed_sizes():
    linalg = pytest.importorskip("scipy.linalg", reason="compares with SciPy")
    x = array((4, 5, 5)) * np.array([1e-8, 0.3, 4.0, 20.0])[:, None, None]
    for got, matrix in zip(tg.linalg.expm(x), x, strict=True):
        expected = linalg.expm(matrix)
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-11 * np.abs(expected).max())


def test_complex_vectors_whose_phase_is_fixed_have_every_slope():
    rng = seeded("qr")
    x = array((3, 3), "complex")
    check_gradient(tg.linalg_qr, [x], {"mode": "reduced"}, rng)
    check_second_derivative(tg.linalg_qr, [x], {"mode": "reduced"}, rng)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_the_slopes_of_a_determinant_do_not_need_an_inverse(rank):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    x = array((4, rank)) @ array((rank, 4)) if rank else np.zeros((4, 4))
    t = tg.Tensor(x, requires_grad=True)
    first = tg.grad(tg.linalg.det(t), t, create_graph=True)
    cofactors = [[(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x, i, 0), j, 1)) for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(first.data, cofactors, atol=1e-11)
    w = array((4, 4))
    second = tg.grad((first * w).sum(), t)

    def by_minors(x):
        minors = [
            [(-1) ** (i + j) * torch.linalg.det(x[[k for k in range(4) if k != i]][:, [k for k in range(4) if k != j]]) for j in range(4)]
            for i in range(4)
        ]
        return (torch.stack([torch.stack(row) for row in minors]) * torch.tensor(w)).sum()

    other = torch.tensor(x + 1e-9 * RNG.normal(size=(4, 4)), requires_grad=True)
    by_minors(other).backward()
    np.testing.assert_allclose(second.data, other.grad.numpy(), atol=1e-6)


NUMPYS = {
    "cholesky": lambda la, x: la.cholesky(x @ x.mT + np.eye(3)),
    "cond": lambda la, x: [la.cond(x, p) for p in (None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc")],
    "cross": lambda la, x: la.cross(x[0], x[1]),
    "det": lambda la, x: la.det(x),
    "diagonal": lambda la, x: la.diagonal(x, offset=1),
    "eig": lambda la, x: la.eig(x + x.mT),
    "eigh": lambda la, x: la.eigh(x + x.mT, "U"),
    "eigvals": lambda la, x: la.eigvals(x),
    "eigvalsh": lambda la, x: la.eigvalsh(x + x.mT, UPLO="L"),
    "inv": lambda la, x: la.inv(x),
    "lstsq": lambda la, x: la.lstsq(x[:, :2], x[:, 2], rcond=None)[:2],
    "matmul": lambda la, x: la.matmul(x, x),
    "matrix_norm": lambda la, x: la.matrix_norm(x, ord=1, keepdims=True),
    "matrix_power": lambda la, x: la.matrix_power(x, 3),
    "matrix_transpose": lambda la, x: la.matrix_transpose(x),
    "multi_dot": lambda la, x: la.multi_dot([x, x, x]),
    "norm": lambda la, x: [la.norm(x), la.norm(x, 1), la.norm(x, axis=1), la.norm(x, "nuc", keepdims=True), la.norm(x[0], 3)],
    "outer": lambda la, x: la.outer(x[0], x[1]),
    "pinv": lambda la, x: [la.pinv(x), la.pinv(x, 1e-3), la.pinv(x, rtol=1e-3)],
    "qr": lambda la, x: [*la.qr(x), *la.qr(x[:, :2], mode="complete"), la.qr(x, "r")],
    "slogdet": lambda la, x: la.slogdet(x),
    "solve": lambda la, x: [la.solve(x, x), la.solve(x, x[0])],
    "svd": lambda la, x: [*la.svd(x), *la.svd(x[:2]), *la.svd(x[:2], full_matrices=False), la.svd(x, compute_uv=False)],
    "svdvals": lambda la, x: la.svdvals(x),
    "tensordot": lambda la, x: la.tensordot(x, x, axes=1),
    "tensorinv": lambda la, x: la.tensorinv(x, ind=1),
    "tensorsolve": lambda la, x: la.tensorsolve(x, x[0]),
    "trace": lambda la, x: la.trace(x, offset=1),
    "vecdot": lambda la, x: la.vecdot(x, x),
    "vector_norm": lambda la, x: la.vector_norm(x, axis=0, ord=3),
}


@pytest.mark.parametrize("name", NUMPYS)
def test_numpys_functions_are_ours_for_tensors(name):
    x = array((3, 3)) + 2 * EYE
    t = tg.Tensor(x, requires_grad=True)
    expected = NUMPYS[name](np.linalg, x)
    for linalg in (np.linalg, tg.linalg):
        got = NUMPYS[name](linalg, t)
        pairs = [(got, expected)] if isinstance(got, tg.Tensor) else zip(got, expected, strict=True)
        for one, other in pairs:
            assert one.requires_grad
            np.testing.assert_allclose(one.data, other, rtol=1e-10, atol=1e-12)


def test_numpys_names_of_arguments_are_taken():
    t = tg.Tensor(2 * EYE, requires_grad=True)
    np.testing.assert_array_equal(np.linalg.inv(a=t).data, EYE / 2)
    np.testing.assert_array_equal(np.linalg.norm(x=t, ord=1).data, 2.0)


def test_ranks_are_numpys():
    x = np.ones((2, 3, 3)) * [[[1.0]], [[0.0]]]
    for got in (tg.linalg.matrix_rank(tg.Tensor(x)), np.linalg.matrix_rank(tg.Tensor(x))):
        np.testing.assert_array_equal(got.data, [1, 0])
    assert tg.linalg.matrix_rank(np.diag([1.0, 0.1]), rtol=0.5) == 1


def test_results_have_names():
    x = tg.Tensor(EYE * [1.0, 2.0, 3.0])
    assert tg.linalg.svd(x)._fields == ("U", "S", "Vh")
    assert tg.linalg.qr(x)._fields == ("Q", "R")
    assert tg.linalg.slogdet(x)._fields == ("sign", "logabsdet")
    assert tg.linalg.eigh(x)._fields == tg.linalg.eig(x)._fields == ("eigenvalues", "eigenvectors")


def backward(f, x):
    f(tg.Tensor(x, requires_grad=True)).sum().backward()


NOT_DIFFERENTIABLE = [
    (lambda x: tg.linalg.eigh(x)[1], EYE, "eigenvalues 0 and 1 are equal"),
    (lambda x: tg.linalg.eigh(x)[1][..., 1:, :], np.stack([EYE * [1.0, 2.0, 3.0], EYE * [1.0, 2.0, 2.0]]), r"eigenvalues 1 and 2 are equal \(2\)"),
    (lambda x: tg.linalg.eig(x)[1], EYE, "eigenvalues 0 and 1 are equal"),
    (lambda x: tg.linalg.svd(x)[0], EYE, "singular values 0 and 1 are equal"),
    (lambda x: tg.linalg.svd(x, full_matrices=False)[2], np.ones((3, 2)), "a singular value is 0"),
    (lambda x: tg.linalg.svd(x)[0], np.arange(8.0).reshape(4, 2), "columns of U from 2 on"),
    (lambda x: tg.linalg.svd(x)[2], np.arange(8.0).reshape(2, 4), "rows of Vh from 2 on"),
    (lambda x: tg.linalg.qr(x, "complete")[0], np.arange(8.0).reshape(4, 2), "columns 2 to 3 of Q"),
    (lambda x: tg.linalg.qr(x)[0], np.ones((3, 2)), "not independent"),
    (lambda x: tg.linalg.slogdet(x)[1], np.ones((2, 2)), "Singular"),
    (lambda x: tg.real(tg.linalg.eig(x)[1]), np.array([[1.0, 2.0], [-3.0, 1.0]]), "multiplied by a number of size 1"),
    (lambda x: tg.real(tg.linalg.eigh(x)[1]), np.array([[1, 2j], [-2j, 1]]), "multiplied by a number of size 1"),
    (lambda x: tg.real(tg.linalg.svd(x)[0]), np.array([[1, 2j], [2, 1]]), "multiplied by a number of size 1"),
]


@pytest.mark.parametrize(("f", "x", "words"), NOT_DIFFERENTIABLE, ids=lambda value: value if isinstance(value, str) else "")
def test_where_there_is_no_derivative_an_error_says_why(f, x, words):
    with pytest.raises(ValueError, match=words):
        backward(f, x)


def test_values_and_vectors_apart_from_equal_ones_still_have_slopes():
    x = np.diag([1.0, 2.0, 2.0])
    t = tg.Tensor(x, requires_grad=True)
    np.testing.assert_allclose(tg.grad(tg.linalg.eigvalsh(t).sum(), t).data, EYE)
    np.testing.assert_allclose(tg.grad(tg.linalg.eigh(t)[0].sum(), t).data, EYE)
    np.testing.assert_allclose(tg.grad(tg.linalg.svdvals(t).sum(), t).data, EYE)
    assert np.all(np.isfinite(tg.grad(tg.linalg.eigh(t)[1][:, 0].sum(), t).data))


def test_a_forward_derivative_notices_equal_values_too():
    with pytest.raises(ValueError, match="eigenvalues 0 and 1 are equal"):
        tg.jvp(lambda x: tg.linalg.eigh(x)[1], (tg.Tensor(EYE),), (tg.Tensor(EYE),))
    _, slope = tg.jvp(lambda x: tg.linalg.eigh(x)[0], (tg.Tensor(EYE),), (tg.Tensor(EYE),))
    np.testing.assert_allclose(slope.data, np.ones(3))


@pytest.mark.parametrize("name", ["cholesky", "eigh", "eigvalsh"])
def test_a_matrix_that_is_not_symmetric_is_refused(name):
    with pytest.raises(ValueError, match=r"differs from its \(conjugate\) transpose by 2 at \(0, 1\)"):
        getattr(tg.linalg, name)(np.array([[4.0, 2.0], [0.0, 4.0]]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tg.linalg.inv(np.zeros((2, 2))), "inv: Singular matrix"),
        (lambda: tg.linalg.cholesky(-EYE), "not positive definite"),
        (lambda: tg.linalg.solve(np.ones((2, 2)), np.ones(2)), "Singular"),
        (lambda: tg.linalg.inv(np.ones((2, 3))), "must be square"),
        (lambda: tg.linalg.svd(np.ones(3)), "at least two"),
    ],
)
def test_errors_are_numpys_linear_algebra_errors(call, words):
    with pytest.raises(np.linalg.LinAlgError, match=words):
        call()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tg.linalg.expm(np.ones((2, 3))), "holds no square matrices"),
        (lambda: tg.linalg.eigh(EYE, "X"), "UPLO='X' is not known"),
        (lambda: tg.linalg.qr(EYE, "raw"), "mode='raw' is not known"),
        (lambda: tg.linalg.tensorinv(EYE, 0), "ind=0"),
        (lambda: tg.linalg.cond(np.ones((2, 3)), 1), "holds no square matrices"),
    ],
)
def test_errors_say_what_fits(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_condition_of_a_matrix_without_inverse_is_infinite():
    for p in (1, np.inf, "fro"):
        assert np.isinf(tg.linalg.cond(np.zeros((2, 2)), p))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_determinant_of_nan_or_infinity_has_gradient_nan(bad):
    x = tg.Tensor([[[1.0, 2.0], [3.0, 4.0]], [[1.0, bad], [3.0, 4.0]]], requires_grad=True)
    with np.errstate(all="ignore"):
        det = tg.linalg.det(x)
    slope = tg.grad(det, x, [1.0, 1.0]).data
    np.testing.assert_allclose(slope[0], [[4, -3], [-2, 1]], rtol=1e-12)
    assert np.isnan(slope[1]).any()
