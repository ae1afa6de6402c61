"""The text of replays with NumPy, and where values live."""

import numpy as np

import tinygrad_reg as tg
from tinygrad_reg.compile.example import small
from tinygrad_reg.compile.numpy_replay import NumpyReplay
from tinygrad_reg.compile.passes import narrowing, splitting, tidy


def lines(f, *arrays):
    return [line.strip() for line in NumpyReplay(tidy(small(f, *arrays))).source.split("\n")[1:]]


def test_what_two_ops_have_in_common_is_computed_once():
    text = lines(lambda x: tg.sigmoid(x) * abs(x) + tg.softplus(x))
    assert sum(line.startswith("absolute(") for line in text) == 1
    assert sum(line.startswith("exp(") for line in text) == 1


def test_buffers_are_used_again():
    replay = NumpyReplay(tidy(small(lambda x: tg.exp(tg.sin(tg.exp(x) + 1)) * 2, np.ones(100))))
    assert replay.bytes == 800


def test_sums_and_transposes_are_left_to_blas():
    assert lines(lambda x: (x.T @ x).sum(), np.ones((2, 2)))[:2] == ["v1 = a0.T", "dot(v1, a0, b0)"]


def test_a_condition_that_is_no_bool():
    x = np.array([0.0, -2.0, np.nan])
    f = tg.compile(lambda x: tg.where(x, x + 1, 5.0), backend="numpy")
    for _ in range(2):
        np.testing.assert_array_equal(f(x).data, np.where(x, x + 1, 5.0))


def test_a_single_number_as_a_state_is_read_at_each_run():
    b, w = tg.tensor(2.0), tg.tensor([1.0, 2.0])
    f = tg.compile(lambda x: x * b + w * b, backend="numpy")
    for value in (2.0, 3.0, -1.0):
        b.assign(value)
        np.testing.assert_array_equal(f(np.ones(2)).data, value + np.array([1.0, 2.0]) * value)


def test_a_state_that_is_only_read_is_read_anew_when_it_was_assigned():
    w = tg.tensor(np.arange(4.0))
    f = tg.compile(lambda: w * 2, backend="numpy")
    for value in (1.0, 2.0, 2.0, 3.0, 1.0):
        w.assign(np.full(4, value))
        for _ in range(2):
            np.testing.assert_array_equal(f().data, np.full(4, 2 * value))


def test_two_programs_share_a_state_that_one_of_them_changes():
    w = tg.tensor(np.zeros(4))
    step, look = tg.compile(lambda: w.assign(w + 1), backend="numpy"), tg.compile(lambda: w * 1.0 + 0, backend="numpy")
    for i in range(1, 5):
        step()
        np.testing.assert_array_equal(look().data, np.full(4, i))


def test_a_step_for_each_call():
    steps = splitting(small(lambda x: tg.silu(abs(x)))).steps
    assert [step.op.name for step in steps[:3]] == ["absolute", "absolute", "negative"]
    assert steps[-1].out.shape == (2, 2)


def test_narrowing_keeps_a_shape_that_nothing_else_gives():
    program = narrowing(small(lambda x: tg.broadcast_to(x, (3, 2, 2)) * 2))
    assert program.results[0].shape == (3, 2, 2)
    assert [step.out.shape for step in program.steps] == [(3, 2, 2), (2, 2), (3, 2, 2)]
