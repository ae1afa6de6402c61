"""Slopes by numbers: their values, and error bars that hold."""

import numpy as np
import pytest
from cases import TABLE

import tinygrad_reg as tg
from tinygrad_reg.testing.inputs import call, sample, seeded
from tinygrad_reg.testing.numeric import Line
from tinygrad_reg.testing.ops import gradients_of
from tinygrad_reg.testing.problems import ANALYTIC

EPS = 2.0**-52
SMOOTH = [
    (np.sin, np.cos),
    (np.exp, np.exp),
    (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    (lambda x: 1 / x, lambda x: -1 / x**2),
    (lambda x: x**9, lambda x: 9 * x**8),
]


def line(f, x):
    return Line(lambda t: np.array([f(x + t)]), np.ones(1), abs(x), EPS)


@pytest.mark.parametrize("x", [0.3, 1.0, 2.7, 40.0])
@pytest.mark.parametrize(("f", "slope"), SMOOTH)
def test_the_error_bar_of_the_refined_slope_holds(f, slope, x):
    found = line(f, x).refined()
    assert abs(found.value - slope(x)) <= 4 * found.error
    assert found.error <= 1e-7 * abs(slope(x)) + 1e-9 * abs(f(x))


@pytest.mark.parametrize("noise", [1e-12, 1e-9, 1e-6])
def test_the_error_bar_grows_with_the_noise_of_the_function(noise):
    rng = np.random.default_rng(0)
    found = line(lambda x: np.sin(x) + noise * rng.normal(), 0.7).refined()
    assert abs(found.value - np.cos(0.7)) <= 10 * found.error
    assert noise <= found.error <= 20 * noise**0.75


@pytest.mark.parametrize("size", [1e-10, 1e-12, 1e-13, 1e-14, 1e-15])
def test_the_error_bars_hold_for_a_staircase(size):
    """Where digits are lost, f stands still for long and then takes a step."""
    stairs = line(lambda x: (1.2 + size * np.exp(-28 * (x - 0.7))) - 1.2, 0.7)
    for found, value in ((stairs.refined(), None), (stairs.sides(), "behind")):
        got = found.value if value is None else (found.behind + found.ahead) / 2
        assert abs(got - -28 * size) <= 4 * found.error
    assert not stairs.sides().apart


def test_the_error_bar_of_both_sides_tells_how_bent_the_function_is():
    bent = line(lambda x: 1e-12 * np.exp(-28 * (x - 0.7)), 0.7)
    sides = bent.sides()
    assert abs(sides.behind + 28e-12) <= 4 * sides.error and abs(sides.ahead + 28e-12) <= 4 * sides.error
    assert sides.error <= 1e-4 * 28e-12
    assert not sides.apart


def test_both_sides_of_a_kink():
    found = line(lambda x: abs(x) + 2 * x + x * x, 0.0).sides()
    assert found.apart
    assert found.behind == pytest.approx(1.0, abs=1e-4)
    assert found.ahead == pytest.approx(3.0, abs=1e-4)
    assert not line(np.sin, 0.3).sides().apart


def test_a_value_at_the_point_alone_plays_no_part():
    found = line(lambda x: np.sign(x) + 2 * x, 0.0).sides()
    assert found.behind == pytest.approx(2.0, abs=1e-4)
    assert not found.apart
    assert line(lambda x: np.sign(x), 0.0).jumps(np.zeros(1), found)


def test_the_end_of_a_domain_has_one_side():
    with np.errstate(invalid="ignore"):
        found = line(lambda x: np.where(x < 0, np.nan, 3 * x), 0.0).sides()
        assert found.behind == found.ahead == pytest.approx(3.0)
        assert line(lambda x: np.nan * x, 0.0).sides() is None


def test_the_kink_of_an_error_bar_can_fail():
    """A bar that is too small is noticed by the tests above."""
    found = line(np.exp, 1.0).refined()
    assert abs(found.value * 1.001 - np.e) > 4 * found.error


@pytest.mark.parametrize("op", [op for op in TABLE if op.name in ANALYTIC], ids=lambda op: op.name)
def test_complex_steps_agree_with_the_rules_of_all_ops_that_are_said_to_be_analytic(op):
    for case in op.cases:
        inputs = sample(op, case.shapes, seeded(op.name))
        g = seeded(op.name, 1).normal(size=np.shape(call(op, inputs, case.settings)))
        rules = gradients_of(lambda *arrays, case=case: call(op, arrays, case.settings), inputs, g)
        for i, x in enumerate(inputs):
            for k in range(x.size):
                moved = [v.astype(complex) if n == i else v for n, v in enumerate(inputs)]
                moved[i].reshape(-1)[k] += 1e-100j
                slope = np.sum(g * np.imag(call(op, moved, case.settings))) * 1e100
                assert slope == pytest.approx(rules[i].reshape(-1)[k], rel=1e-12, abs=1e-13)


def test_no_op_that_is_not_analytic_is_said_to_be():
    x = np.array([0.5 + 1e-100j])
    for name in ("abs", "conj", "real", "sign"):
        assert name not in ANALYTIC
        assert np.asarray(getattr(tg, name)(x)).imag * 1e100 != pytest.approx(1.0) or name in ("conj", "sign")
