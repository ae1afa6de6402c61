import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import Tensor
from tinygrad_reg.draw.words import formula, rule_formula

sys.path.insert(0, str(Path(__file__).parent.parent / "ops"))
from cases import DIFFERENTIABLE_CASES, TABLE, case_id
from numeric import call, leaves, sample, seeded

ONE_OF_EACH = list({op: (op, case) for op, case in reversed(DIFFERENTIABLE_CASES) if op in TABLE}.values())  # the first case of each op


def leaf(*shape, name=None):
    return Tensor(np.random.default_rng(0).uniform(0.5, 1.5, shape), requires_grad=True, name=name)


X, Y, A, B = leaf(3, name="x"), leaf(3, name="y"), leaf(2, 3, name="a"), leaf(3, 2, name="b")


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (X + Y, "x + y"),
        (X - (Y - X), "x - (y - x)"),
        ((X - Y) - X, "x - y - x"),
        (X - (Y + X), "x - (y + x)"),
        (X + (Y + X), "x + y + x"),
        ((X + Y) * X, "(x + y) × x"),
        (X * Y * X, "x × y × x"),
        (X / (Y * X), "x ÷ (y × x)"),
        (X * Y / X, "x × y ÷ x"),
        (-(X + Y), "-(x + y)"),
        (-X * Y, "-x × y"),
        (A @ (B @ A), "a @ (b @ a)"),
        ((A @ B) @ A, "(a @ b) @ a"),
        (2.5 * abs(X - Y), "2.5 × |x - y|"),
        (tg.square(X + Y), "(x + y)²"),
        (tg.exp(X) * tg.tanh(Y), "exp(x) × tanh(y)"),
        (X + np.ones(3), "x + array 3"),
    ],
)
def test_formula(made, text):
    assert formula(made, {}) == text


def test_formula_stops_at_what_has_a_name():
    inner = X * Y
    assert formula(inner + X, {id(inner): "v2"}) == "v2 + x"


def test_long_formulas_are_cut():
    long = X
    for _ in range(100):
        long = long + Y
    text = formula(long, {})
    assert text.endswith("…")
    assert len(text) < 100


def test_a_chain_of_a_hundred_thousand_ops_is_no_recursion():
    y = X
    for _ in range(100_000):
        y = y + 1.0
    assert formula(y, {}).endswith("…")


@pytest.mark.parametrize(
    ("made", "place", "text"),
    [
        (X * Y, 0, "g × b"),
        (X * Y, 1, "g × a"),
        (A @ B, 0, "g @ transpose(b)"),
        (A @ B, 1, "transpose(a) @ g"),
        (X + Y, 0, "g"),
        (X - Y, 1, "-g"),
        (abs(X), 0, "g × sign(x)"),
        (tg.tanh(X), 0, "g × (1 - out × out)"),
        (A + X, 1, "Σ g, over what was repeated"),
        (tg.exp(X), 0, "g × out"),
    ],
)
def test_rules(made, place, text):
    assert rule_formula(made, place) == text


def test_rules_with_the_names_that_the_inputs_have():
    assert rule_formula(A @ B, 1, ["data", "weight"]) == "transpose(data) @ g"


@pytest.mark.parametrize(("op", "case"), ONE_OF_EACH, ids=case_id)
def test_every_rule_of_the_table_has_words(op, case):
    made = call(op, leaves(sample(op, case.shapes, seeded(op.name))), case.settings)
    if not isinstance(made, Tensor) or made.op is not op:
        return
    for place, x in enumerate(made.inputs):
        if isinstance(x, Tensor) and x.requires_grad:
            assert "object at" not in rule_formula(made, place)
