"""Angles, hyperbolas and lengths: against PyTorch, at ends and origins, and where squares would overflow."""

import numpy as np
import pytest
from against_torch import assert_as_torch, drawn

import tinygrad_reg as tg

INF = np.inf
UNARY = {
    **dict.fromkeys(["sin", "cos", "tan", "atan", "sinh", "cosh", "asinh", "deg2rad", "rad2deg", "sinc"], (-3, 3)),
    **dict.fromkeys(["asin", "acos", "atanh"], (-1, 1)),
    "acosh": (1, 9),
}
COMPLEX = ["sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh"]


def slope(f, *values):
    """Gradient of Σ f in each value."""
    tensors = [tg.Tensor(v, requires_grad=True) for v in values]
    found = [g.numpy() for g in tg.grad(f(*tensors).sum(), tensors)]
    return found[0] if len(found) == 1 else found


def derivative(f, x, order):
    """The derivative of f of any order, elementwise."""
    t = tg.Tensor(x, requires_grad=True)
    found = f(t)
    for _ in range(order):
        found = tg.grad(found.sum(), t, create_graph=True)
    return found.numpy()


@pytest.mark.parametrize("shape", [(3, 4), (), (0, 2)], ids=str)
@pytest.mark.parametrize("name", UNARY)
def test_as_pytorch(name, shape):
    torch = pytest.importorskip("torch")
    assert_as_torch(getattr(tg, name), getattr(torch, name), drawn(*UNARY[name], shape))


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_as_pytorch(name):
    torch = pytest.importorskip("torch")
    x, y = drawn(-2, 2, (3, 2), (3, 2))
    assert_as_torch(getattr(tg, name), getattr(torch, name), [x + 1j * y])


@pytest.mark.parametrize("shapes", [((3, 4), (3, 4)), ((3, 1), (1, 4)), ((), (3,)), ((0, 2), (1, 2))], ids=str)
@pytest.mark.parametrize("name", ["atan2", "hypot"])
def test_of_two_as_pytorch(name, shapes):
    torch = pytest.importorskip("torch")
    assert_as_torch(getattr(tg, name), getattr(torch, name), drawn(-3, 3, *shapes))


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("asin", "arcsin"),
        ("acos", "arccos"),
        ("atan", "arctan"),
        ("atan2", "arctan2"),
        ("asinh", "arcsinh"),
        ("acosh", "arccosh"),
        ("atanh", "arctanh"),
        ("radians", "deg2rad"),
        ("degrees", "rad2deg"),
    ],
)
def test_names_of_the_array_api_and_numpys(alias, name):
    assert getattr(tg, alias) is getattr(tg, name)


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (tg.arcsin, [-1.0, 1.0], [INF, INF]),
        (tg.arccos, [-1.0, 1.0], [-INF, -INF]),
        (tg.arccosh, [1.0], [INF]),
        (tg.arctan, [0.0, 1e200, -INF], [1, 0, 0]),
        (tg.tan, [0.0], [1]),
    ],
)
def test_slopes_at_ends(f, at, expected):
    np.testing.assert_array_equal(slope(f, at), expected)


def test_slopes_of_large_numbers_do_not_overflow():
    np.testing.assert_allclose(slope(tg.arcsinh, [1e200, -1e300]), [1e-200, 1e-300], rtol=1e-12)
    np.testing.assert_allclose(slope(tg.arccosh, [1e200]), [1e-200], rtol=1e-12)
    np.testing.assert_allclose(slope(tg.arcsinh, np.array([1e30], np.float32)), [1e-30], rtol=1e-5)


# --------------------------------------------------------------------------------------- two arguments


def test_hypot_of_large_and_small_numbers():
    a, b = tg.Tensor([3e300, 3e-300], requires_grad=True), tg.Tensor([4e300, 4e-300], requires_grad=True)
    out = tg.hypot(a, b)
    np.testing.assert_allclose(out.data, [5e300, 5e-300])
    np.testing.assert_allclose([g.data for g in tg.grad(out.sum(), [a, b])], [[0.6, 0.6], [0.8, 0.8]])


@pytest.mark.parametrize("f", [tg.hypot, tg.arctan2])
def test_at_the_origin_slopes_are_zero_at_both_orders(f):
    a, b = tg.Tensor(0.0, requires_grad=True), tg.Tensor(0.0, requires_grad=True)
    first = tg.grad(f(a, b), [a, b], create_graph=True)
    assert [g.item() for g in first] == [0, 0]
    assert [g.item() for g in tg.grad(first[0] + first[1], [a, b])] == [0, 0]


def test_slopes_of_arctan2_in_all_directions_and_sizes():
    y = np.array([1.0, 0.0, 2.0, 0.0, 1e200, 1e-200, 3e-300])
    x = np.array([0.0, 1.0, 0.0, -2.0, 1e200, 1e-200, 4e300])
    in_y, in_x = slope(tg.arctan2, y, x)
    np.testing.assert_allclose(in_y, [0, 1, 0, -0.5, 0.5e-200, 0.5e200, 0.25e-300])
    np.testing.assert_allclose(in_x, [-1, 0, -0.5, 0, -0.5e-200, -0.5e200, 0])
    for i in range(len(x)):  # each without the others' company, which decides how it is computed
        np.testing.assert_array_equal(np.ravel(slope(tg.arctan2, y[i : i + 1], x[i : i + 1])), [in_y[i], in_x[i]])
    np.testing.assert_allclose(slope(tg.arctan2, np.array([1e-162]), np.array([3e-162])), [[0.3e162], [-0.1e162]], rtol=1e-14)


def test_slopes_of_arctan2_let_nan_through():
    y, x = np.array([np.nan, 0.0, np.nan, 1.0]), np.array([0.0, np.nan, 2.0, 1.0])
    for found in slope(tg.arctan2, y, x):
        np.testing.assert_array_equal(np.isnan(found), [True, True, True, False])


def test_second_derivatives_of_arctan2_on_the_axes():
    y, x = tg.Tensor([2.0, 0.0], requires_grad=True), tg.Tensor([0.0, 2.0], requires_grad=True)
    in_y, in_x = tg.grad(tg.arctan2(y, x).sum(), [y, x], create_graph=True)
    np.testing.assert_allclose([g.data for g in tg.grad(in_y.sum(), [y, x])], [[0, 0], [0.25, -0.25]])
    np.testing.assert_allclose([g.data for g in tg.grad(in_x.sum(), [y, x])], [[0.25, -0.25], [0, 0]])


# ------------------------------------------------------------------------------------------------ sinc


def test_derivatives_of_sinc_at_zero():
    found = [derivative(tg.sinc, 0.0, order) for order in range(5)]
    np.testing.assert_allclose(found, [1, 0, -(np.pi**2) / 3, 0, np.pi**4 / 5], atol=1e-15)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_sinc_fit_together_where_the_series_ends(order):
    edge = (order - 0.7) / np.pi
    before, after = derivative(tg.sinc, [edge * (1 - 1e-13), edge * (1 + 1e-13)], order)
    assert before == pytest.approx(after, rel=2e-12)


def test_slope_of_sinc_keeps_its_digits_near_zero():
    x = np.array([1e-3, 1e-6, 1e-10])
    np.testing.assert_allclose(slope(tg.sinc, x), -(np.pi**2) * x / 3 + np.pi**4 * x**3 / 30, rtol=1e-12)
    assert derivative(tg.sinc, [1e-8], 2)[0] == pytest.approx(-(np.pi**2) / 3, rel=1e-14)


def test_numpys_functions_keep_the_graph():
    x = tg.Tensor([0.5, 1.0], requires_grad=True)
    np.testing.assert_allclose(tg.grad(np.sin(np.hypot(x, x)).sum(), x).data, np.sqrt(2) * np.cos(np.sqrt(2) * x.data))
    np.testing.assert_allclose(tg.grad(np.sinc(x).sum(), x).data, [-4 / np.pi, -1])
    np.testing.assert_allclose((x.sin().square() + x.cos().square()).data, [1, 1])


@pytest.mark.parametrize(("name", "second"), [("arcsin", 1.0), ("arccos", -1.0), ("arctanh", 2.0)])
def test_second_derivatives_of_inverse_functions_at_their_ends_and_near_0(name, second):
    x = tg.Tensor([1.0, -1.0, 1e-12, 1e-300, 0.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        slope = tg.grad(getattr(tg, name)(x), x, tg.ones(5), create_graph=True)
    sign = np.sign(second)
    np.testing.assert_allclose(slope.data, [sign * np.inf, sign * np.inf, sign, sign, sign])
    found = tg.grad(slope, x, tg.ones(5)).data
    np.testing.assert_allclose(found, [sign * np.inf, -sign * np.inf, second * 1e-12, second * 1e-300, 0], rtol=1e-14)
