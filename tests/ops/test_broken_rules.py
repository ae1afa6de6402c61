"""A check must be seen to fail: each rule of the table is broken on purpose, and the checker must notice."""

import numpy as np
import pytest
from cases import DIFFERENTIABLE
from numeric import call, check_gradient, differences, sample, seeded, smooth

import tinygrad_reg as tg


def drawn(op, case):
    """The same inputs each time, so that a rule is checked where it was found to have a slope."""
    rng = seeded(op.name, case.shapes)
    return sample(op, case.shapes, rng), rng


def case_with_slope(op, i):
    """The first case in which input i has a gradient other than 0; None if there is none."""
    for case in op.cases:
        inputs, _ = drawn(op, case)
        if i in smooth(inputs) and np.any(differences(lambda v, c=case: np.real(np.sum(call(op, v, c.settings))), inputs, i)):
            return case
    return None


def places(op):
    """The inputs to try: of an op of any number of arrays, the first."""
    return range(1 if op.variadic else op.arity)


def broken(op, i, change):
    """The op's rules, with ``change`` applied to what the rule of input i gives."""

    def wrong(rule):
        return lambda *inputs, **settings: change(rule(*inputs, **settings))

    if op.variadic:
        return type(op.rules)(wrong(op.rules.rule))
    return tuple(wrong(rule) if k == i else rule for k, rule in enumerate(op.rules))


SLOPES = [(op, i, case) for op in DIFFERENTIABLE for i in places(op) if (case := case_with_slope(op, i)) is not None]
STEEP = pytest.mark.parametrize(("op", "i", "case"), SLOPES, ids=lambda value: getattr(value, "name", None))


@STEEP
@pytest.mark.parametrize("factor", [1.001, 0.999, -1.0])
def test_a_rule_off_by_a_thousandth_or_of_wrong_sign_is_noticed(op, i, case, factor, monkeypatch):
    inputs, rng = drawn(op, case)
    check_gradient(op, inputs, case.settings, rng)
    monkeypatch.setattr(op, "rules", broken(op, i, lambda g: g * factor))
    with pytest.raises(AssertionError, match=op.name):
        check_gradient(op, inputs, case.settings, rng)


@STEEP
def test_a_rule_that_gives_nothing_is_noticed(op, i, case, monkeypatch):
    inputs, rng = drawn(op, case)
    monkeypatch.setattr(op, "rules", broken(op, i, lambda g: None))
    with pytest.raises(AssertionError, match=op.name):
        check_gradient(op, inputs, case.settings, rng)


def test_only_flat_ops_escape():
    steep = {op.name for op, _, _ in SLOPES}
    flat = [op for op in DIFFERENTIABLE if op.name not in steep]
    assert flat
    for op in flat:
        assert all(rule(*[np.ones(2)] * (2 + op.arity)) is None for rule in op.rules), f"{op.name} has rules, but no case in which they matter"


# Each of these forgets one term of the true rule.
DROPPED = {
    "softmax": (lambda g, out, x, axis: g * out,),
    "log_softmax": (lambda g, out, x, axis: g,),
    "var": (lambda g, out, x, axis, keepdims, correction: tg.sum(g) * 2 * x / x.size,),
    "tanh": (lambda g, out, x: g * (1 - out),),
    "sigmoid": (lambda g, out, x: g * out,),
    "power": (lambda g, out, a, b: g * b * a**b, lambda g, out, a, b: g * out * tg.log(a)),
    "divide": (lambda g, out, a, b: g / b, lambda g, out, a, b: -(g * out)),
    "clip": (lambda g, out, x, min, max: g, None, None),
    "cross_entropy": (
        lambda g, out, logits, *rest, **settings: g * tg.softmax(logits) / (logits.size // logits.shape[-1]),
        *[None] * (tg.cross_entropy.arity - 1),
    ),
}


@pytest.mark.parametrize("name", DROPPED)
def test_a_dropped_term_is_noticed(name, monkeypatch):
    op = getattr(tg, name)
    inputs, rng = drawn(op, op.cases[0])
    monkeypatch.setattr(op, "rules", DROPPED[name])
    with pytest.raises(AssertionError, match=name):
        check_gradient(op, inputs, op.cases[0].settings, rng)
