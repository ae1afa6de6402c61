"""check_op finds rules that are wrong, and accepts right ones: on ops of a user, and on mutants of our own."""

import random

import numpy as np
import pytest
from cases import DIFFERENTIABLE
from mutants import installed, mutants

import tinygrad_reg as tg
from tinygrad_reg.testing import GradientMismatch, check_gradients, check_op
from tinygrad_reg.testing.expressions import Expression, chainable

# Right rules with every kind of argument: two, a kink, ties, an axis, a sequence, labels.
SOME = ["tanh", "divide", "relu", "maximum", "softmax", "concat", "cross_entropy", "where"]
pytestmark = pytest.mark.usefixtures("own_ops")


def bump(rule, domain=tg.REAL):
    """An op x² with the given rule."""

    @tg.op(label="x²", domain=[domain])
    def bump_op(x):
        return x * x

    bump_op.defvjp(rule)
    return bump_op


def test_an_op_of_a_user_passes():
    report = check_op(bump(lambda g, out, x: g * 2 * x), samples=3)
    assert report.entries > 30


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, out, x: g * 2.002 * x,
        lambda g, out, x: g * x,
        lambda g, out, x: -g * 2 * x,
        lambda g, out, x: None,
        lambda g, out, x: 2 * x,
        lambda g, out, x: g * 2 * out,
        lambda g, out, x: g * 2 * np.asarray(getattr(x, "_data", x)),
        lambda g, out, x: g * 2 * x if np.asarray(getattr(x, "_data", x)).flags.c_contiguous else g * x,
        lambda g, out, x: g * 2 * x if x.dtype == np.float64 else g * x,
    ],
    ids=["0.1 %", "factor", "sign", "nothing", "no g", "out for x", "no second derivative", "another layout", "float32"],
)
def test_wrong_rules_are_found(rule):
    with pytest.raises(GradientMismatch, match="bump_op"):
        check_op(bump(rule))


def test_kinks_and_ties_are_looked_at():
    @tg.op(domain=[tg.REAL.with_kinks(0.0)])
    def size(x):
        return np.absolute(x)

    size.defvjp(lambda g, out, x: g * tg.where(x == 0, 2.0, tg.sign(x)))
    assert check_op(size, kinks=False).entries
    with pytest.raises(GradientMismatch, match="size at kinks: kink"):
        check_op(size)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: check_op(np.tanh), TypeError, "takes an op made with @tg.op"),
        (lambda: check_op("no such op"), TypeError, "got str 'no such op'"),
        (lambda: check_op("isnan"), ValueError, "isnan has no backward rule"),
        (lambda: check_op("tanh", cases=[]), ValueError, "tanh has no cases"),
    ],
)
def test_bad_input(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


@pytest.mark.parametrize("name", SOME)
def test_mutants_of_our_rules_are_found(name):
    """tests/mutations.py does so for the whole table."""
    op = next(f for f in DIFFERENTIABLE if f.name == name)
    i = 1 if name == "where" else 0
    own, found = op.rules, 0
    for what, wrong in mutants(op, i):
        op.rules = installed(op, i, wrong)
        try:
            if what in ("factor 1.001", "sign", "dropped altogether", "off at one index"):
                with pytest.raises(AssertionError):
                    check_op(op)
                found += 1
        finally:
            op.rules = own
    assert found >= 4
    check_op(op)


@pytest.mark.parametrize("seed", range(20))
def test_random_expressions_pass(seed):
    """tests/false_alarms.py does so for ten thousand."""
    draw = random.Random(10**6 + seed)
    f = Expression(draw.choice, draw.randint(1, 5), chainable(), at_kinks=bool(seed % 2))
    if f.inputs:
        check_gradients(f, *f.inputs, order=2)


def test_where_kinks_meet_a_wrong_rule_is_found_all_the_same(monkeypatch):
    def f(x):
        return tg.relu(x) - tg.relu(-x)

    x = np.array([0.0, 1.0, -2.0])
    check_gradients(f, x, order=2)
    own = tg.relu.rules[0]
    monkeypatch.setattr(tg.relu, "rules", (lambda g, out, x: tg.where(x == 0, 1.5, 1.0) * own(g, out, x) + g * 1.5 * (x == 0),))
    with pytest.raises(GradientMismatch):
        check_gradients(f, x)
