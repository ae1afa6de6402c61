"""Every op of the table against finite differences. A new op is tested here by being in the table."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from cases import CASES, DIFFERENTIABLE, DIFFERENTIABLE_CASES, INTERNAL, case_id
from hypothesis import given
from hypothesis import strategies as st
from numeric import (
    STEP,
    assert_close,
    call,
    check_gradient,
    check_second_derivative,
    gradients,
    is_kinked,
    one_sided,
    random_like,
    sample,
    sample_at_kinks,
    seeded,
    smooth,
    unit,
)

import tinygrad_reg as tg
from tinygrad_reg.op import ELEMENTWISE, OPS

KINKED_CASES = [(op, case) for op, case in DIFFERENTIABLE_CASES if is_kinked(op)]
BROADCASTING = [op for op in DIFFERENTIABLE if op.fits == ELEMENTWISE and op.arity > 0 and not op.setting_names]
SHARING = [
    (op, case)
    for op in DIFFERENTIABLE
    for case in op.cases
    if op.arity > 1 and len(set(op.domain)) == 1 and not op.domain[0].ties and len(set(case.shapes)) == 1
]
JUMP = 0.01 / STEP


def test_the_table_is_not_empty_and_every_exception_is_in_it():
    assert len(CASES) > 300
    assert INTERNAL.keys() <= OPS.keys()


@pytest.mark.parametrize(("op", "case"), DIFFERENTIABLE_CASES, ids=case_id)
def test_gradient_equals_finite_differences(op, case):
    rng = seeded(op.name, case.shapes)
    check_gradient(op, sample(op, case.shapes, rng), case.settings, rng)


@pytest.mark.parametrize(("op", "case"), DIFFERENTIABLE_CASES, ids=case_id)
def test_second_derivative_equals_finite_differences_of_the_gradient(op, case):
    rng = seeded(op.name, case.shapes, 2)
    check_second_derivative(op, sample(op, case.shapes, rng), case.settings, rng)


@pytest.mark.parametrize(("op", "case"), DIFFERENTIABLE_CASES, ids=case_id)
def test_gradient_is_linear_in_g(op, case):
    rng = seeded(op.name, case.shapes)
    inputs = sample(op, case.shapes, rng)
    g, h = (random_like(call(op, inputs, case.settings), rng) for _ in range(2))
    joint = gradients(op, inputs, case.settings, 2.0 * g - 3.0 * h)
    apart = zip(gradients(op, inputs, case.settings, g), gradients(op, inputs, case.settings, h), strict=True)
    for i, (from_g, from_h) in enumerate(apart):
        if i in smooth(inputs):
            np.testing.assert_allclose(joint[i], 2.0 * from_g - 3.0 * from_h, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("op", "case"), KINKED_CASES, ids=case_id)
def test_at_a_kink_the_slope_lies_between_both_sides(op, case):
    rng = seeded(op.name, case.shapes)
    inputs = sample_at_kinks(op, case.shapes, rng)
    for i in smooth(inputs):
        rule = _jacobian(op, inputs, case.settings, i)
        for index in np.ndindex(inputs[i].shape):
            behind, ahead = one_sided(lambda values: call(op, values, case.settings), inputs, unit(inputs, i, index))
            assert_between(rule[(..., *index)], behind, ahead)


def assert_between(slope, behind, ahead):
    """Where the function jumps (as sign does) differences are no slopes: there the rule only has to be finite."""
    low, high = np.minimum(behind, ahead), np.maximum(behind, ahead)
    jumps = np.maximum(np.abs(low), np.abs(high)) > JUMP
    assert np.all(np.isfinite(slope))
    assert np.all(jumps | ((slope >= low - 1e-4) & (slope <= high + 1e-4))), (slope, low, high)


def _jacobian(op, inputs, settings, i):
    """All slopes by the rule: (shape of the result, shape of input i)."""
    shape = np.shape(call(op, inputs, settings))
    found = np.zeros((*shape, *inputs[i].shape))
    for place in np.ndindex(shape):
        g = np.zeros(shape)
        g[place] = 1.0
        found[place] = gradients(op, inputs, settings, g)[i]
    return found


@given(st.data())
def test_elementwise_ops_with_any_shapes_that_broadcast(data):
    op = data.draw(st.sampled_from(BROADCASTING))
    shapes = hnp.mutually_broadcastable_shapes(num_shapes=op.arity, min_side=0, max_side=3, max_dims=3)
    shapes = data.draw(shapes).input_shapes
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    check_gradient(op, sample(op, shapes, rng), {}, rng)


@given(st.data())
def test_gradient_and_second_derivative_at_any_place_of_the_domain(data):
    op, case = data.draw(st.sampled_from(DIFFERENTIABLE_CASES))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    inputs = sample(op, case.shapes, rng)
    check_gradient(op, inputs, case.settings, rng)
    check_second_derivative(op, inputs, case.settings, rng)


@pytest.mark.parametrize(("op", "case"), SHARING, ids=case_id)
def test_one_tensor_in_two_places_gets_both_slopes(op, case):
    rng = seeded(op.name)
    same = [sample(op, case.shapes, rng)[0]] * op.arity
    g = random_like(call(op, same, case.settings), rng)
    apart = gradients(op, same, case.settings, g)
    t = tg.Tensor(same[0], requires_grad=True)
    op(*[t] * op.arity, **case.settings).backward(g)
    assert_close(t.grad.data, sum(apart), op.name)
