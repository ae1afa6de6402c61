"""Kinks, ends of domains, and very large numbers, as the documented conventions say."""

import numpy as np
import pytest

import tinygrad_reg as tg

INF = np.inf


def slope(f, *values):
    """Gradient of Σ f(values) in each value; zeros where none arrived."""
    tensors = [tg.Tensor(v, requires_grad=True, dtype=np.float64) for v in values]
    f(*tensors).sum().backward()
    found = [np.zeros(t.shape) if t.grad is None else t.grad.numpy() for t in tensors]
    return found[0] if len(found) == 1 else found


def second(f, value):
    """Second derivative of f, elementwise."""
    x = tg.Tensor(value, requires_grad=True)
    return tg.grad(tg.grad(f(x).sum(), x, create_graph=True).sum(), x).numpy()


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (tg.abs, [-2.0, 0.0, -0.0, 3.0], [-1, 0, 0, 1]),
        (tg.sign, [-2.0, 0.0, 3.0], [0, 0, 0]),
        (tg.relu, [-2.0, 0.0, -0.0, 3.0], [0, 0, 0, 1]),
        (tg.sqrt, [0.0, 4.0], [INF, 0.25]),
        (tg.square, [0.0, -3.0], [0, -6]),
        (tg.softplus, [-1e4, 0.0, 1e4], [0, 0.5, 1]),
        (tg.sigmoid, [-1e3, 0.0, 1e3], [0, 0.25, 0]),
        (tg.tanh, [-1e3, 0.0, 1e3], [0, 1, 0]),
        (tg.log, [0.0, 2.0], [INF, 0.5]),
        (lambda x: tg.clip(x, -1.0, 1.0), [-2.0, -1.0, 0.0, 1.0, 2.0], [0, 1, 1, 1, 0]),
        (lambda x: tg.clip(x, min=0.0), [-1.0, 0.0, 1.0], [0, 1, 1]),
        (lambda x: tg.clip(x, max=0.0), [-1.0, 0.0, 1.0], [1, 1, 0]),
        (lambda x: tg.clip(x), [-1.0, 0.0], [1, 1]),
        (lambda x: tg.clip(x, 2.0, 1.0), [0.0, 1.5, 3.0], [0, 0, 0]),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero encountered in log")
def test_slope_at_kinks_and_ends(f, at, expected):
    np.testing.assert_array_equal(slope(f, at), expected)


@pytest.mark.parametrize(("op", "loser"), [(tg.maximum, -5.0), (tg.minimum, 5.0)])
def test_ties_are_shared_evenly(op, loser):
    a, b = slope(op, [1.0, 0.0, -loser, loser], [1.0, -0.0, loser, -loser])
    np.testing.assert_array_equal(a, [0.5, 0.5, 1.0, 0.0])
    np.testing.assert_array_equal(b, [0.5, 0.5, 0.0, 1.0])


@pytest.mark.parametrize("op", [tg.maximum, tg.minimum])
def test_a_tensor_tied_with_itself_keeps_slope_one(op):
    np.testing.assert_array_equal(slope(lambda x: op(x, x), [1.0, -2.0, 0.0]), [1, 1, 1])


@pytest.mark.parametrize(
    ("x", "low", "high", "expected"),
    [
        (0.0, 1.0, 2.0, (0, 1, 0)),
        (1.5, 1.0, 2.0, (1, 0, 0)),
        (3.0, 1.0, 2.0, (0, 0, 1)),
        (1.0, 1.0, 2.0, (1, 0, 0)),
        (2.0, 1.0, 2.0, (1, 0, 0)),
        (0.0, 2.0, 1.0, (0, 0, 1)),
        (3.0, 2.0, 1.0, (0, 0, 1)),
        (0.0, 1.0, 1.0, (0, 1, 0)),
    ],
)
def test_of_clip_only_what_comes_out_has_slope_one(x, low, high, expected):
    assert tuple(slope(tg.clip, x, low, high)) == expected


# --------------------------------------------------------------------------------------------- power


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [(0, [0, 0, 0]), (1, [1, 1, 1]), (2, [0, -4, 6]), (3, [0, 12, 27]), (0.0, [0, 0, 0]), (2.0, [0, -4, 6])],
)
@pytest.mark.parametrize(
    "kind", [lambda b: b, np.float64, np.float32, np.asarray, tg.Tensor], ids=["number", "float64", "float32", "array", "tensor"]
)
def test_slope_of_powers_of_zero_and_of_negative_numbers(exponent, expected, kind):
    found = slope(lambda a: a ** kind(exponent), [0.0, -2.0, 3.0])
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_slope_of_small_powers_at_zero_is_infinite():
    assert slope(lambda a: a**0.5, 0.0) == INF


@pytest.mark.parametrize(("b", "expected"), [(0.0, 0), (1.0, 0), (2.5, 0)])
def test_slope_in_the_exponent_at_zero_is_zero(b, expected):
    assert slope(lambda b: 0.0**b, b) == expected
    assert slope(tg.power, 0.0, b)[1] == expected


def test_slope_in_the_exponent():
    np.testing.assert_allclose(slope(lambda b: 2**b, [0.0, 3.0]), np.log(2) * np.array([1.0, 8.0]))


@pytest.mark.parametrize(("exponent", "expected"), [(1, [0, 0]), (2, [2, 2]), (3, [0, -12])])
def test_second_derivative_of_powers(exponent, expected):
    np.testing.assert_array_equal(second(lambda x: x**exponent, [0.0, -2.0]), expected)


def test_the_mixed_derivative_of_powers_at_exponent_zero():
    """∂²(a**b)/∂a∂b = a**(b-1)·(1 + b·log a), which at b = 0 is 1/a."""
    a, b = tg.Tensor([2.0, 5.0], requires_grad=True), tg.Tensor([0.0, 0.0], requires_grad=True)
    in_a = tg.grad((a**b).sum(), a, create_graph=True)
    np.testing.assert_array_equal(in_a.data, [0, 0])
    np.testing.assert_allclose(tg.grad(in_a.sum(), b).data, [0.5, 0.2])


def test_cubes_have_a_third_derivative():
    x = tg.Tensor([0.0, 2.0], requires_grad=True)
    found = x**3
    for _ in range(3):
        found = tg.grad(found.sum(), x, create_graph=True)
    np.testing.assert_array_equal(found.data, [6, 6])


# --------------------------------------------------------------------------------- large and small


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sigmoid_and_softplus_take_any_number(dtype):
    x = np.array([-INF, -1e4, -1000.0, 1000.0, 1e4, INF], dtype)
    np.testing.assert_array_equal(tg.sigmoid(x), [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(tg.softplus(x), [0, 0, 0, 1000, 1e4, INF])
    assert tg.sigmoid(x).dtype == tg.softplus(x).dtype == dtype


@pytest.mark.parametrize("beta", [0.25, 2, 30.0])
def test_softplus_with_another_bend(beta):
    x = np.array([-1e4, -30.0, -0.5, 0.0, 0.5, 30.0, 1e4])
    np.testing.assert_allclose(tg.softplus(x, beta=beta), tg.softplus(beta * x) / beta, rtol=1e-14)
    t = tg.Tensor(x, requires_grad=True)
    slope = tg.grad(tg.softplus(t, beta=beta).sum(), t, create_graph=True)
    np.testing.assert_allclose(slope.data, tg.sigmoid(beta * x), rtol=1e-14)
    np.testing.assert_allclose(tg.grad(slope.sum(), t).data, beta * tg.sigmoid(beta * x) * tg.sigmoid(-beta * x), rtol=1e-12, atol=1e-14)
    assert tg.softplus(x.astype(np.float32), beta=beta).dtype == np.float32


@pytest.mark.parametrize("beta", [0, -1.0, float("nan")])
def test_softplus_refuses_a_bend_that_is_none(beta):
    with pytest.raises(ValueError, match=r"softplus: beta is .*must be > 0.*Got float64 of shape \(2,\)"):
        tg.softplus(tg.ones(2), beta=beta)


def test_small_results_keep_their_digits():
    np.testing.assert_allclose(tg.sigmoid(-700.0), np.exp(-700.0), rtol=1e-13)
    np.testing.assert_allclose(tg.softplus(-700.0), np.exp(-700.0), rtol=1e-13)
    np.testing.assert_allclose(tg.expm1(1e-18), 1e-18)
    np.testing.assert_allclose(tg.log1p(1e-18), 1e-18)


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "tanh", "abs", "relu"])
def test_slopes_of_very_large_numbers_are_finite_also_the_second(name):
    at = [-1e4, -1e3, 1e3, 1e4]
    assert np.all(np.isfinite(slope(getattr(tg, name), at)))
    assert np.all(np.isfinite(second(getattr(tg, name), at)))


def test_nan_passes_through_and_does_not_spread():
    x = tg.Tensor([np.nan, 2.0], requires_grad=True)
    (x * x).sum().backward()
    assert np.isnan(x.grad.data[0])
    assert x.grad.data[1] == 4


def test_astype_gives_the_gradient_back_in_the_dtype_of_the_input():
    x = tg.Tensor([1.0, 2.0], requires_grad=True)
    y = x.astype("float32")
    assert y.dtype == np.float32
    (y * y).sum().backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_array_equal(x.grad.data, [2, 4])


def test_astype_to_integers_cuts_the_gradient():
    assert not tg.Tensor([1.5], requires_grad=True).astype("int64").requires_grad


def test_nan_in_maximum_and_minimum_gets_the_gradient():
    for f in (tg.maximum, tg.minimum):
        a = tg.Tensor([np.nan, 1.0, np.nan, 2.0], requires_grad=True)
        b = tg.Tensor([1.0, np.nan, np.nan, 2.0], requires_grad=True)
        out = f(a, b)
        np.testing.assert_array_equal(np.isnan(out.data), [True, True, True, False])
        for gradient in tg.grad(out.sum(), (a, b)):  # PyTorch's: where the two cannot be compared, both
            np.testing.assert_array_equal(gradient.data, [1, 1, 1, 0.5])
    x = tg.Tensor([np.nan, 0.0, 1.0], requires_grad=True)
    np.testing.assert_array_equal(tg.grad(tg.relu(x).sum(), x).data, [1, 0, 1])


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64, np.uint8, np.bool_])
def test_the_smallest_whole_number_has_a_size_that_does_not_wrap_around(dtype):
    low = np.array([0 if np.dtype(dtype).kind in "ub" else np.iinfo(dtype).min, 1], dtype)
    for f in (tg.sigmoid, tg.softplus, tg.logsigmoid, tg.softsign, tg.silu, tg.mish, tg.softshrink, tg.hardshrink):
        np.testing.assert_allclose(f(low), f(low.astype(np.float64)), rtol=1e-12, atol=1e-300)


def test_the_negative_of_a_repeated_number_is_one():
    for x in (np.broadcast_to(np.float32(2), (3, 4)), np.broadcast_to([1.0, -2.0], (3, 2)), np.broadcast_to(1.0, (0, 2))):
        found = tg.negative(x)
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(found, -np.array(x))


@pytest.mark.parametrize("shape", [(), (3,), (300, 64), (70_000,), (600, 1, 100), (40_000, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8])
def test_relu_of_any_size_and_order_in_memory(shape, dtype, rng):
    x = (rng.normal(size=shape) * 10).astype(dtype)
    for each in (x, x.T, x[..., ::-1] if shape else x):
        found = tg.relu(each)
        np.testing.assert_array_equal(found, np.maximum(each, 0))
        assert found.dtype == dtype


def test_relu_lets_nan_and_inf_through_in_large_arrays():
    x = np.zeros((200, 400))
    x[3, :3] = INF, -INF, np.nan
    x = tg.Tensor(x, requires_grad=True)
    out = tg.relu(x)
    np.testing.assert_array_equal(out.data[3, :4], [INF, 0, np.nan, 0])
    out.backward(np.full((200, 400), INF))
    np.testing.assert_array_equal(x.grad.data[3, :4], [INF, 0, INF, 0])
