"""Every op of the table against finite differences. A new op is tested here by being in the table."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from cases import CASES, DIFFERENTIABLE, DIFFERENTIABLE_CASES, INTERNAL, case_id
from hypothesis import given
from hypothesis import strategies as st
from numeric import assert_close, call, check_gradient, gradients, is_kinked, random_like, sample, sample_at_kinks, seeded

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


def test_the_table_is_not_empty_and_every_exception_is_in_it():
    assert len(CASES) > 300
    assert INTERNAL.keys() <= OPS.keys()


@pytest.mark.parametrize(("op", "case"), DIFFERENTIABLE_CASES, ids=case_id)
def test_gradient_and_its_own_gradient_equal_numbers(op, case):
    rng = seeded(op.name, case.shapes)
    check_gradient(op, sample(op, case.shapes, rng), case.settings, rng, order=2)


@pytest.mark.parametrize(("op", "case"), KINKED_CASES, ids=case_id)
def test_at_a_kink_the_slopes_lie_between_both_sides(op, case):
    rng = seeded(op.name, case.shapes)
    check_gradient(op, sample_at_kinks(op, case.shapes, rng), case.settings, rng, order=2)


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
    check_gradient(op, sample(op, case.shapes, rng), case.settings, rng, order=2)


@pytest.mark.parametrize(("op", "case"), SHARING, ids=case_id)
def test_one_tensor_in_two_places_gets_both_slopes(op, case):
    rng = seeded(op.name)
    same = [sample(op, case.shapes, rng)[0]] * op.arity
    g = random_like(call(op, same, case.settings), rng)
    apart = gradients(op, same, case.settings, g)
    t = tg.Tensor(same[0], requires_grad=True)
    op(*[t] * op.arity, **case.settings).backward(g)
    assert_close(t.grad.data, sum(apart), op.name)
