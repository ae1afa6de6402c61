"""``where``, and the ops that say yes or no."""

import numpy as np
import pytest

import tinygrad_reg as tg

SPECIAL = np.array([1.5, -0.0, 0.0, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("g", [1.0, np.inf, -np.inf, np.nan])
def test_the_branch_not_taken_gets_zero_whatever_arrives(g):
    a, b = (tg.Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    tg.where([True, False], a, b).backward([g, g])
    np.testing.assert_array_equal(a.grad.data, [g, 0])
    np.testing.assert_array_equal(b.grad.data, [0, g])


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_special_values_in_the_branch_not_taken_do_not_matter(value):
    x = tg.Tensor([1.0, 2.0], requires_grad=True)
    y = tg.where([True, False], x * x, value)
    tg.where([True, False], y, 0.0).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [2, 0])


def test_a_safe_argument_keeps_every_order_finite():
    x = tg.Tensor([0.0, 4.0], requires_grad=True)
    safe = tg.where(x > 0, x, 1.0)
    first = tg.grad(tg.where(x > 0, tg.sqrt(safe), x * x).sum(), x, create_graph=True)
    np.testing.assert_array_equal(first.data, [0, 1 / 4])
    np.testing.assert_array_equal(tg.grad(first.sum(), x).data, [2, -1 / 32])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_choosing_against_zero_gives_exactly_zero_for_special_values(dtype):
    x, yes = SPECIAL.astype(dtype), np.array([True, True, False, True, False, False])
    for kept, found in ((yes, tg.where(yes, x, 0)), (~yes, tg.where(yes, 0, x))):
        np.testing.assert_array_equal(found, np.where(kept, x, dtype(0)))
        np.testing.assert_array_equal(np.signbit(found[~kept]), False)
        np.testing.assert_array_equal(np.signbit(found[kept]), np.signbit(x[kept]))
        assert found.dtype == dtype


@pytest.mark.parametrize("dtype", [">f8", "<f4", np.float16, np.int64])
def test_choosing_against_zero_in_any_dtype_and_shape(dtype):
    x, yes = np.arange(6).reshape(2, 3).astype(dtype), np.array([True, False, True])
    np.testing.assert_array_equal(tg.where(yes, x, 0), np.where(yes, x, 0))
    np.testing.assert_array_equal(tg.where(yes[:, None, None], x[::-1], 0), np.where(yes[:, None, None], x[::-1], 0))


def test_the_condition_may_be_numbers():
    x = tg.Tensor([1.0, 2.0], requires_grad=True)
    tg.where(np.array([0, 3]), x, 5.0).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [0, 1])


def test_a_single_choice():
    x = tg.Tensor(2.0, requires_grad=True)
    tg.where(x > 1, x * x, 0.0).backward()
    assert x.grad.item() == 4


@pytest.mark.parametrize("name", ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"])
def test_comparisons_are_numpys(name):
    a, b = np.array([1.0, 2.0, np.nan, 0.0]), np.array([1.0, 3.0, np.nan, -0.0])
    expected = getattr(np, name)(a, b)
    np.testing.assert_array_equal(getattr(tg, name)(a, b), expected)
    found = getattr(tg, name)(tg.Tensor(a, requires_grad=True), b)
    np.testing.assert_array_equal(found.data, expected)
    assert not found.requires_grad


@pytest.mark.parametrize("name", ["isfinite", "isnan"])
def test_questions_about_special_values(name):
    np.testing.assert_array_equal(getattr(tg, name)(tg.Tensor(SPECIAL)).data, getattr(np, name)(SPECIAL))


def test_logic_is_numpys():
    a, b = np.array([True, True, False, False]), np.array([True, False, True, False])
    for name in ("logical_and", "logical_or"):
        np.testing.assert_array_equal(getattr(tg, name)(tg.Tensor(a), b).data, getattr(np, name)(a, b))
    np.testing.assert_array_equal(tg.logical_not(tg.Tensor(a)).data, ~a)


def test_closeness_is_numpys_and_answers_of_one_bool_are_pythons():
    a, b = np.array([1.0, 2.0, np.nan, np.inf]), np.array([1.0 + 1e-7, 2.1, np.nan, np.inf])
    for settings in ({}, {"rtol": 0.1}, {"equal_nan": True}, {"rtol": 0, "atol": 0.2}):
        np.testing.assert_array_equal(np.isclose(tg.Tensor(a), b, **settings).data, np.isclose(a, b, **settings))
        assert np.allclose(tg.Tensor(a), b, **settings) is np.allclose(a, b, **settings)
    for other in (a, b, a[:2]):
        for equal_nan in (False, True):
            assert tg.array_equal(tg.Tensor(a), other, equal_nan=equal_nan) is np.array_equal(a, other, equal_nan=equal_nan)
    assert tg.allclose(tg.Tensor([1.0], requires_grad=True), [1.0]) is True
    assert tg.array_equal([1.0], [1.0]) is True
