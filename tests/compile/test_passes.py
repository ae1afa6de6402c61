"""Each pass does what it says, and no pass changes a result."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_random_programs import build, functions

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.compile.example import small
from tinygrad_reg.compile.passes import TIDY, algebra, common, dead, lowered, packing, sharing, tidy
from tinygrad_reg.compile.passes.packing import PACK
from tinygrad_reg.compile.program import CONSTANT, Program
from tinygrad_reg.mode import recording_on

SIMPLE = {"sum", "max", "min", "prod", "matmul", "reshape", "permute_dims", "broadcast_to", "getitem", "class_labels", "part"}


def names(program):
    return [step.op.name for step in program.steps]


def run(program, *arrays):
    """The results of a program, its ops called one by one."""
    values = {id(x): arrays[x.source] if x.kind == "argument" else x.source for x in program.inputs}
    with np.errstate(all="ignore"):
        for step in program.steps:
            given = [values[id(x)] for x in step.inputs]
            values[id(step.out)] = step.op(given, **step.settings) if step.op.variadic else step.op(*given, **step.settings)
    return [np.asarray(values[id(x)]) for x in program.results]


@pytest.mark.parametrize("improve", [*TIDY, tidy, lowered, lambda p: tidy(lowered(p)), sharing])
@given(function=functions(), seed=st.integers(0, 2**32 - 1))
def test_no_pass_changes_a_result(improve, function, seed):
    shapes, plan = function
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape) for shape in shapes]
    program = small(build(plan), *arrays)
    for before, after in zip(run(program, *arrays), run(improve(program), *arrays), strict=True):
        assert before.dtype == after.dtype
        single = before.dtype == np.float32
        np.testing.assert_allclose(after, before, rtol=2e-5 if single else 1e-11, atol=1e-5 if single else 1e-13)


def test_what_is_computed_twice_is_computed_once():
    program = common(small(lambda x: tg.exp(x + 1) * tg.exp(x + 1) + tg.exp(x + 1.0)))
    assert names(program).count("exp") == 2  # 1 and 1.0 are kinds of their own
    assert names(program).count("add") == 3


def test_random_draws_are_neither_the_same_nor_left_out():
    program = tidy(small(lambda x: (tg.dropout(x, 0.5) + tg.dropout(x, 0.5), tg.dropout(x, 0.5))[0]))
    assert names(program).count("dropout_mask") == 3


def test_minus_zero_and_zero_are_two_constants():
    program = common(small(lambda x: [x * 0.0, x * -0.0]))
    assert len(program.steps) == 2


def test_dead_steps_go_and_checks_stay():
    program = dead(lowered(small(lambda x: (tg.cross_entropy(x, np.array([0, 1])), tg.exp(x), x.sum())[2])))
    assert names(program) == ["class_labels", "sum"]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * 1,
        lambda x: x / 1,
        lambda x: x - 0,
        lambda x: x**1,
        lambda x: tg.negative(tg.negative(x)),
        lambda x: x.T.T,
        lambda x: x.reshape(2, 2),
        lambda x: x.astype("f8"),
    ],
)
def test_steps_that_change_nothing(f):
    assert names(dead(algebra(small(f)))) == []


@pytest.mark.parametrize("f", [lambda x: x + 0, lambda x: x * 0, lambda x: x - x, lambda x: x / x, lambda x: x.T])
def test_steps_that_do_change_something(f):
    """x + 0 turns -0.0 into 0.0, x·0 and x - x are NaN where x is infinite."""
    assert len(dead(algebra(small(f))).steps) >= 1


def test_a_product_with_one_that_changes_the_dtype_stays():
    program = dead(algebra(small(lambda x: x * np.float64(1.0), np.ones(3, np.float32))))
    assert names(program) == ["multiply"]


def test_fixed_constants_are_folded_and_a_users_arrays_are_not():
    fixed, own = np.ones(2), np.ones(2)
    fixed.flags.writeable = False
    program = small(lambda x: [x * fixed, x * own])
    for step, array in zip(program.steps, (fixed, own), strict=True):
        step.inputs = (step.inputs[1], step.inputs[1])
        assert step.inputs[0].source is array
    assert len(tidy(program).steps) == 1
    assert tidy(program).results[0].kind == CONSTANT


@pytest.mark.parametrize(
    "f",
    [
        lambda x: tg.softmax(x),
        lambda x: tg.log_softmax(x, axis=0),
        lambda x: tg.logsumexp(x, axis=(0, 1)),
        lambda x: tg.mean(x, axis=-1, keepdims=True),
        lambda x: tg.value_and_grad(lambda z: tg.cross_entropy(z, np.array([1, 0])))(x),
        lambda x: tg.mse(x, x + 1),
        lambda x: 0.5 * tg.sum_of_squares(x) + tg.sum_of_sizes(x, 0.1),
        lambda x: tg.value_and_grad(lambda z: tg.softmax(z)[0, 0])(x),
        lambda x: nn.Sequential(nn.Linear(2, 3, rng=0), nn.ReLU(), nn.Linear(3, 2, rng=1))(x),
    ],
)
def test_lowered_programs_are_made_of_simple_ops(f):
    program = lowered(small(f))
    assert {step.op.name for step in program.steps if not step.op.elementwise and step.op.name not in SIMPLE | {"astype", "put_back"}} == set()


def test_an_unknown_setting_keeps_an_op_whole():
    program = lowered(small(lambda x: tg.cross_entropy(x, np.array([1, 0]), label_smoothing=0.1)))
    assert names(program) == ["cross_entropy"]


def step_program(model, optimizer, x, y):
    from tinygrad_reg.compile.tape import Tape

    tape = Tape()
    with recording_on(tape):
        loss = optimizer.minimize(tg.cross_entropy(model(tape.argument(x, 0)), tape.argument(y, 1)) + model.regularization_loss())
        return tape.program([loss])


def a_step(make=tg.optim.Adam, **lambdas):
    model = nn.Sequential(nn.Linear(2, 4, rng=0, **lambdas), nn.ReLU(), nn.Linear(4, 3, rng=1))
    return tidy(step_program(model, make(model.parameters(), lr=0.1), np.ones((5, 2)), np.zeros(5, int)))


def test_updates_that_are_the_same_are_packed():
    program, packs = packing(a_step())
    assert sorted(len(pack.parts) for pack in packs) == [4, 4, 4]  # value, mean and mean square of four parameters
    assert names(program).count("sqrt") == 1
    assert len(program.steps) < len(a_step().steps) / 1.8


def test_a_penalty_on_some_does_not_keep_updates_apart():
    program, packs = packing(a_step(weight_lambda_l2=0.1))
    assert {len(pack.parts) for pack in packs} == {4}
    assert names(program).count("pack") == 1


def test_one_gradient_for_two_parameters_lies_in_one_place_only(backend):
    a, b = (tg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    optimizer = tg.optim.SGD([a, b], lr=0.1)
    step = tg.compile(lambda x: optimizer.minimize(((a + b) * x).sum()), backend=backend, wait=True)
    for _ in range(4):
        step(np.array([1.0, 3.0]))
    np.testing.assert_allclose(a.data, [0.6, 0.8])
    np.testing.assert_allclose(b.data, [0.6, 0.8])


def test_large_parameters_are_not_packed():
    model = nn.Sequential(nn.Linear(200, 100, rng=0), nn.Linear(100, 100, rng=1))
    program = tidy(step_program(model, tg.optim.SGD(model.parameters(), lr=0.1), np.ones((2, 200)), np.zeros(2, int)))
    assert [len(pack.parts) for pack in packing(program)[1]] == [2]  # the biases


def test_the_text_of_a_program():
    w = tg.tensor([1.0, 2.0], requires_grad=True, name="w")
    step = tg.compile(lambda x: tg.optim.SGD([w], lr=0.5).minimize((w * x).sum()), backend="numpy")
    step(np.ones(2))
    assert str(step.program) == "\n".join(
        [
            "v0 = state w                                   (2,) float64",
            "v1 = argument x0                               (2,) float64",
            "v2 = number learning rate                      number",
            "v3 = multiply(v0, v1)                          (2,) float64",
            "v4 = sum(v3)                                   () float64",
            "v5 = multiply(v2, v1)                          (2,) float64",
            "v6 = subtract(v0, v5)                          (2,) float64",
            "v0 <- v6",
            "gradient of w <- none",
            "return v4",
            "# 4 steps of 6 captured; passes: narrowing, constants, algebra, common, dead",
            "# 56 bytes of results, about 8 flops",
        ]
    )


def test_layers_are_named():
    assert "Sequential.0" in str(a_step())
    assert PACK.name == "pack"
    assert Program([]).outputs == []
