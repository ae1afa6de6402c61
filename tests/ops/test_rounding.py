"""Rounding, remainders, signs, NaN and bits: NumPy's values, PyTorch's slopes, and what Python's operators mean."""

import numpy as np
import pytest
from against_torch import assert_as_torch, drawn

import tinygrad_reg as tg

NAN, INF = np.nan, np.inf
A = np.array([7.0, -7.0, 7.0, -7.0, 0.3, -0.3, 6.0, -6.0])
B = np.array([4.0, 4.0, -4.0, -4.0, 0.1, 0.1, 3.0, 3.0])


def slopes(f, *values):
    """Gradient of Σ f in each value."""
    tensors = [tg.Tensor(v, requires_grad=True) for v in values]
    out = f(*tensors)
    return [g.numpy() for g in tg.grad(out, tensors, np.ones(out.shape))]


# ------------------------------------------------------------------------------------------ rounding


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "fix", "rint", "round", "around"])
def test_rounded_values_are_numpys_and_flat(name):
    x = np.array([-2.5, -1.5, -0.5, -0.0, 0.5, 1.5, 2.7, 1e300, INF])
    np.testing.assert_array_equal(getattr(tg, name)(x), getattr(np, name)(x))
    np.testing.assert_array_equal(getattr(np, name)(tg.Tensor(x)).data, getattr(np, name)(x))
    np.testing.assert_array_equal(slopes(lambda t: getattr(tg, name)(t) + 2 * t, x)[0], np.full(9, 2.0))


def test_whole_numbers_stay_whole_when_rounded():
    t = tg.Tensor([1, -2])
    for f in (tg.floor, tg.ceil, tg.trunc, tg.round):
        assert f(t).dtype == np.int64


def test_rounding_to_digits():
    t = tg.Tensor([1.26, 127.0])
    np.testing.assert_allclose(round(t, 1).data, [1.3, 127])
    np.testing.assert_allclose(t.round(-1).data, [0, 130])
    np.testing.assert_allclose(round(t).data, [1, 127])
    np.testing.assert_allclose(np.round(t, decimals=1).data, [1.3, 127])
    np.testing.assert_array_equal((t.floor().data, t.ceil().data), ([1, 127], [2, 127]))


# --------------------------------------------------------------------------------------- remainders


@pytest.mark.parametrize("name", ["remainder", "mod", "fmod", "floor_divide"])
def test_remainders_are_numpys(name):
    np.testing.assert_array_equal(getattr(tg, name)(A, B), getattr(np, name)(A, B))


def test_slopes_of_remainders_count_how_often_was_taken():
    np.testing.assert_array_equal(slopes(tg.remainder, A, B), [np.ones(8), -np.floor_divide(A, B)])
    np.testing.assert_array_equal(slopes(tg.fmod, A, B), [np.ones(8), -np.rint((A - np.fmod(A, B)) / B)])
    assert slopes(tg.remainder, 1.0, 0.1)[1] == -9  # 1.0 // 0.1 is 9, though 1.0 / 0.1 is 10


def test_remainders_of_infinite_divisors_have_slopes():
    a, b = np.array([5.0, -5.0, 0.0, 5.0, -5.0]), np.array([np.inf, np.inf, np.inf, -np.inf, -np.inf])
    np.testing.assert_array_equal(slopes(tg.remainder, a, b), [np.ones(5), -np.floor_divide(a, b)])
    np.testing.assert_array_equal(slopes(tg.fmod, a, b), [np.ones(5), np.zeros(5)])
    assert all(g is None or not g.any() for g in slopes(lambda a, b: tg.floor_divide(a, b) + 0 * a * b, A, B))


@pytest.mark.parametrize("name", ["remainder", "fmod", "copysign"])
def test_as_pytorch(name):
    torch = pytest.importorskip("torch")
    for shapes in ((3, 4), (3, 4)), ((3, 1), (1, 4)), ((), (3,)):
        assert_as_torch(getattr(tg, name), getattr(torch, name), drawn(-3, 3, *shapes))


def test_pythons_operators():
    a = tg.Tensor([7.0, -7.0], requires_grad=True)
    np.testing.assert_array_equal([(a // 4).data, (a % 4).data], [[1, -2], [3, 1]])
    np.testing.assert_array_equal([(9 // a).data, (9 % a).data], [[1, -2], [2, -5]])
    for quotient, rest in (divmod(a, 4), tg.divmod(a, 4), np.divmod(a, 4)):
        np.testing.assert_array_equal([quotient.data, rest.data], [[1, -2], [3, 1]])
    np.testing.assert_array_equal(divmod(9, a)[1].data, [2, -5])
    np.testing.assert_array_equal(tg.grad((a % 4).sum(), a).data, [1, 1])
    with tg.no_grad():
        a %= 4
        a //= 2
    np.testing.assert_array_equal(a.data, [1, 0])
    assert a.requires_grad
    with pytest.raises(RuntimeError, match=r"//=: .* requires a gradient"):
        a //= 2


def test_whole_numbers_divide_as_in_python():
    a = tg.Tensor([7, -7])
    assert (a // 4).dtype == (a % 4).dtype == np.int64
    np.testing.assert_array_equal([(a // 4).data, (a % 4).data], [[1, -2], [3, 1]])


# -------------------------------------------------------------------------------------------- signs


def test_copysign_at_zeros():
    in_a, in_b = slopes(tg.copysign, [2.0, -2.0, 0.0, 3.0], [-0.0, 1.0, -1.0, 0.0])
    np.testing.assert_array_equal(in_a, [-1, -1, 0, 1])
    assert not in_b.any()


def test_heaviside_has_a_slope_in_the_value_that_it_takes():
    in_x, in_value = slopes(tg.heaviside, [-1.0, 0.0, 2.0, -0.0], [5.0, 6.0, 7.0, 8.0])
    assert not in_x.any()
    np.testing.assert_array_equal(in_value, [0, 1, 0, 1])
    np.testing.assert_array_equal(np.heaviside(tg.Tensor([-1.0, 0.0, NAN]), 0.5).data, [0, 0.5, NAN])


def test_signbit_and_positive():
    np.testing.assert_array_equal(tg.signbit(tg.Tensor([-0.0, 0.0, -INF])).data, [True, False, True])
    np.testing.assert_array_equal(slopes(tg.positive, [1.0, 2.0])[0], [1, 1])


def test_nextafter_moves_with_its_first_argument():
    in_a, in_b = slopes(tg.nextafter, [1.0, 1.0], [2.0, 0.0])
    np.testing.assert_array_equal([in_a, in_b], [[1, 1], [0, 0]])
    assert tg.nextafter(1.0, 2.0) == 1 + np.finfo(float).eps


# ---------------------------------------------------------------------------------------------- NaN


@pytest.mark.parametrize(("op", "sign"), [(tg.fmax, 1), (tg.fmin, -1)])
def test_what_is_not_nan_wins_and_ties_are_shared(op, sign):
    a, b = sign * np.array([1.0, NAN, 2.0, 3.0, -INF]), sign * np.array([0.0, 1.0, NAN, 3.0, 0.0])
    np.testing.assert_array_equal(op(a, b), sign * np.array([1.0, 1.0, 2.0, 3.0, 0.0]))
    np.testing.assert_array_equal(slopes(op, a, b), [[1, 0, 1, 0.5, 0], [0, 1, 0, 0.5, 1]])


def test_replaced_numbers_have_no_slope():
    x = [1.0, NAN, INF, -INF]
    np.testing.assert_array_equal(slopes(tg.nan_to_num, x)[0], [1, 0, 0, 0])
    np.testing.assert_array_equal(tg.nan_to_num(tg.Tensor(x), nan=9.0, posinf=8.0, neginf=7.0).data, [1, 9, 8, 7])
    np.testing.assert_array_equal(np.nan_to_num(tg.Tensor(x)).data, np.nan_to_num(x))


def test_nan_to_num_leaves_the_array_alone_even_if_allowed_to_write():
    x = np.array([NAN])
    assert tg.nan_to_num(x, copy=False) == 0
    assert np.isnan(x).all()


# --------------------------------------------------------------------------------------------- bits


def test_bits():
    a = tg.Tensor([6, 5])
    np.testing.assert_array_equal([(a ^ 3).data, (3 ^ a).data, (a << 1).data, (a >> 1).data], [[5, 6], [5, 6], [12, 10], [3, 2]])
    np.testing.assert_array_equal([(1 << a).data, (64 >> a).data], [[64, 32], [1, 2]])
    np.testing.assert_array_equal([np.left_shift(a, 1).data, np.bitwise_xor(a, 3).data], [[12, 10], [5, 6]])
    np.testing.assert_array_equal(np.logical_xor(a > 5, True).data, [False, True])
    np.testing.assert_array_equal(tg.isinf(tg.Tensor([1.0, -INF, NAN])).data, [False, True, False])


def test_bits_of_real_numbers_are_an_error_that_names_the_op():
    with pytest.raises(TypeError, match=r"bitwise_xor: .*float64 of shape"):
        tg.Tensor([1.0]) ^ 1
