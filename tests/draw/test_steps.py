import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import Tensor
from tinygrad_reg.backward import contribution
from tinygrad_reg.draw.reading import Reading
from tinygrad_reg.draw.recorded import all_gradients
from tinygrad_reg.draw.steps import steps

sys.path.insert(0, str(Path(__file__).parent.parent / "ops"))
from cases import DIFFERENTIABLE_CASES, TABLE, case_id
from numeric import call, leaves, sample, seeded

ONE_OF_EACH = list({op: (op, case) for op, case in reversed(DIFFERENTIABLE_CASES) if op in TABLE}.values())  # the first case of each op


def walked(loss):
    reading = Reading([loss])
    return steps(reading.nodes, reading.edges, reading.tensors, {id(x): g for x, g in all_gradients([loss]).items()})


@pytest.mark.parametrize(("op", "case"), ONE_OF_EACH, ids=case_id)
def test_the_terms_of_all_edges_add_up_to_the_gradient(op, case):
    made = call(op, leaves(sample(op, case.shapes, seeded(op.name))), case.settings)
    if made.op is not op:
        return  # several results, joined
    g = np.asarray(seeded(op.name, "g").normal(size=made.shape), made.dtype)
    inputs = {id(x): x for x in made.inputs if isinstance(x, Tensor) and x.requires_grad}
    sums = dict.fromkeys(inputs, 0.0)
    for place, x in enumerate(made.inputs):
        if id(x) in inputs and (term := contribution(made, place, g)) is not None:
            assert term.shape == x.shape and term.dtype == x.dtype
            sums[id(x)] = sums[id(x)] + term
    for key, x in inputs.items():
        np.testing.assert_allclose(np.broadcast_to(sums[key], x.shape), tg.grad(made, x, Tensor(g)).data, rtol=1e-13, atol=0)


def test_no_term_where_no_gradient_flows():
    x = Tensor([0.0, 4.0], requires_grad=True)
    root = tg.sqrt(x)  # its slope at 0 is infinite, and 0·∞ is no number
    np.testing.assert_array_equal(contribution(root, 0, np.array([0.0, 1.0])), [0.0, 0.25])
    assert np.isinf(contribution(root, 0, np.array([1.0, 1.0]))[0])


def test_words_and_numbers_of_the_lesson():
    w = Tensor([1.0, -2.0], requires_grad=True, name="w")
    first, *_ = back = [step for step in walked(0.5 * (w * w).sum() + 0.25 * abs(w).sum()) if step.phase == "backward"]
    assert first.lines == ["∂L/∂v4 += g  =  1", "∂L/∂v8 += g  =  1"]
    lines = [line for step in back for line in step.lines if line.startswith("∂L/∂w")]
    assert lines == [
        "∂L/∂w += g × sign(w)  =  [0.25, -0.25]",
        "∂L/∂w += g × w  =  [0.5, -1], in all [0.75, -1.25]",
        "∂L/∂w += g × w  =  [0.5, -1], in all [1.25, -2.25]",
    ]


def test_forward_comes_first_and_in_order():
    w = Tensor([3.0], requires_grad=True, name="w")
    walk = walked((w * 2.0 + 1.0).sum())
    assert [(step.phase, step.node) for step in walk] == [
        ("forward", "n2"), ("forward", "n4"), ("forward", "n5"), ("backward", "n5"), ("backward", "n4"), ("backward", "n2"),
    ]  # fmt: skip
    assert walk[0].lines == ["v2 = w × 2  =  [6]"]


def test_nobodys_gradient_is_touched():
    w = Tensor([3.0], requires_grad=True)
    loss = (w * w).sum()
    walked(loss)
    assert w.grad is None
    loss.backward()
    np.testing.assert_array_equal(w.grad.data, [6.0])


def test_a_leaf_with_a_new_value_shows_the_slope_at_the_old_one():
    w = Tensor([3.0], requires_grad=True, name="w")
    loss = (w * w).sum()
    w.data = [100.0]
    assert [line for step in walked(loss) for line in step.lines if "∂L/∂w" in line][-1].endswith("in all [6]")
