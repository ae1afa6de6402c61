"""Replay with NumPy in blocks of rows: the same numbers, with blocks made so small that all steps that can be are done in them."""

import sys

import numpy as np
import pytest
from expressions import Expression, assert_alike
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_reg as tg
from tinygrad_reg import nn, optim
from tinygrad_reg.compile import blocks
from tinygrad_reg.compile.example import small
from tinygrad_reg.compile.numpy_replay import NumpyReplay
from tinygrad_reg.compile.passes import grouping, tidy

PASS = sys.modules["tinygrad_reg.compile.passes.grouping"]


@pytest.fixture(params=[1, 8, 50], ids="blocks of {}".format)
def tiny(request, monkeypatch):
    """Everything is large, and a block holds a few elements."""
    monkeypatch.setattr(PASS, "LARGE", 1)
    monkeypatch.setattr(blocks, "_BLOCK", request.param)


def replayed(f, *arrays):
    """What a program of f gives at the second run, and its replay."""
    program = tidy(small(f, *arrays))
    replay, used = NumpyReplay(program), [arrays[i] for i in sorted(x.source for x in program.of_kind("argument"))]
    replay.run([np.zeros_like(x) for x in used], [])
    return replay.run(used, []), replay


@settings(deadline=None)
@given(st.data(), st.sampled_from([1, 8, 50]))
def test_random_expressions(data, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PASS, "LARGE", 1)
        patch.setattr(blocks, "_BLOCK", block)
        check_an_expression(data)


def check_an_expression(data):
    e = Expression(lambda options: data.draw(st.sampled_from(list(options))), data.draw(st.integers(1, 25)), ["float64", "float32", "int64", "bool"])
    with np.errstate(all="ignore"):
        wanted = [np.asarray(x) for x in e(*e.inputs)]
        got, _ = replayed(lambda *tensors: [tg.asarray(x) if isinstance(x, np.ndarray) else x for x in e(*tensors)], *e.inputs)
    coarse = any(x.dtype in (np.float16, np.float32) for x in e.values)  # its rounding is seen in float64 results as well
    for a, b in zip(got, wanted, strict=True):
        assert a.dtype == b.dtype
        assert_alike(*(np.asarray(x, np.float32) for x in (a, b)) if coarse else (a, b), repr(e))


@pytest.mark.parametrize("rule", ["SGD", "momentum", "Adam"])
@pytest.mark.parametrize("n", [2, 7, 30])
def test_training(tiny, rule, n):
    make = {"SGD": optim.SGD, "momentum": lambda p, lr: optim.SGD(p, lr, momentum=0.9), "Adam": optim.Adam}[rule]

    def own():
        model = nn.Sequential(
            nn.Linear(3, 20, 1e-3, 1e-2, rng=0), nn.ReLU(), nn.Linear(20, 17, 0, 1e-2, rng=1), nn.Tanh(), nn.Linear(17, 2, 2e-3, rng=2)
        )
        optimizer = make(model.parameters(), lr=0.02)
        return model, lambda x, y: optimizer.minimize(tg.cross_entropy(model(x), y) + model.regularization_loss())

    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, 3)), rng.integers(0, 2, n)
    (model, step), (other, eager) = own(), own()
    compiled = tg.compile(step, backend="numpy")
    for _ in range(5):
        np.testing.assert_allclose(compiled(x, y).data, eager(x, y).data, rtol=1e-12)
    assert "for " in compiled._last.replay.source
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-10, atol=1e-13)


def test_what_it_looks_like():
    x = np.zeros(300_000)
    got, replay = replayed(lambda x: (tg.exp(x) + 1).sum(), x)
    assert got[0] == 600_000
    assert replay.source.split("\n") == [
        "def replay(a0):",
        "    for rows, x8 in blocks9:",
        "        x1 = a0[rows]",
        "        exp(x1, b2)",
        "        add(b2, c4, b5)",
        "        v1 = sum_(b5)",
        "        x8[0] = v1",
        "    v2 = sum_(p10)",
        "    return (owned(v2),)",
    ]


@pytest.mark.parametrize("size", [2**17, 2**17 + 1, 262_147])
def test_sizes_that_are_no_multiple_of_a_block(size):
    x = np.random.default_rng(0).normal(size=size)
    (total, each), _ = replayed(lambda x: [tg.mean(tg.tanh(x) * x), tg.where(x > 0, x, tg.sin(x))], x)
    np.testing.assert_allclose(total, np.mean(np.tanh(x) * x), rtol=1e-12)
    np.testing.assert_allclose(each, np.where(x > 0, x, np.sin(x)), rtol=1e-15)


def test_nan_and_infinity_stay_where_they_are():
    x = np.zeros(2**17)
    x[[5, 70_000]], x[9] = np.nan, np.inf
    (each, total), _ = replayed(lambda x: [tg.relu(x) * 0.5, (x * x).sum()], x)
    np.testing.assert_array_equal(each, np.maximum(x, 0) * 0.5)
    assert np.isnan(total)


def test_columns_and_rows_meet(tiny):
    a, b, c = np.arange(12.0).reshape(6, 2), np.arange(6.0).reshape(6, 1), np.array([10.0, 20.0])
    (got,), _ = replayed(lambda a, b, c: a * b + c, a, b, c)
    np.testing.assert_array_equal(got, a * b + c)


def test_a_square_is_not_mixed_up_with_its_transpose(tiny):
    a = np.arange(9.0).reshape(3, 3)
    (got,), _ = replayed(lambda a: tg.exp(-a) + tg.exp(-a).T, a)
    np.testing.assert_array_equal(got, np.exp(-a) + np.exp(-a).T)
    (got,), _ = replayed(lambda a: (a + 1) * tg.sum(a + 1, axis=0), a)
    np.testing.assert_array_equal(got, (a + 1) * (a + 1).sum(axis=0))


def test_a_state_that_other_rows_still_need_is_not_written_early(tiny):
    w, expected = tg.tensor(np.arange(9.0).reshape(3, 3) / 9), np.arange(9.0).reshape(3, 3) / 9

    @tg.compile(backend="numpy")
    def step():
        w.assign(w.T + w * 0.5 + w @ w.T)

    for _ in range(4):
        step()
        expected = expected.T + expected * 0.5 + expected @ expected.T
        np.testing.assert_allclose(w.data, expected, rtol=1e-12)


def test_states_that_swap_values(tiny):
    a, b = tg.tensor(np.arange(6.0)), tg.tensor(np.ones(6))

    @tg.compile(backend="numpy")
    def step():
        old = a + 0
        a.assign(b * 2)
        b.assign(old)

    for expected in ([2.0] * 6, np.arange(6.0) * 2, [4.0] * 6):
        step()
        np.testing.assert_array_equal(a.data, expected)


def test_an_error_after_the_updates_leaves_states_unchanged(tiny):
    w = tg.tensor(np.arange(40.0).reshape(20, 2), requires_grad=True)

    @tg.compile(backend="numpy")
    def step(labels):
        w.assign(w * 0.5)
        return tg.cross_entropy(w * 1.0, labels)

    labels = np.zeros(20, int)
    step(labels), step(labels)
    before = w.data.copy()
    with pytest.raises(ValueError, match="label"):
        step(labels + 9)
    np.testing.assert_array_equal(w.data, before)
    step(labels)
    np.testing.assert_array_equal(w.data, before * 0.5)


def test_draws_keep_their_order(tiny):
    """The second draw depends on nothing, the first on a step that is done in blocks: still it comes second."""
    x = np.ones((8, 3))
    program, _ = grouping(tidy(small(lambda x: [tg.dropout(tg.exp(x), 0.5), tg.dropout(x, 0.5)], x)))
    places = [tuple(y.kind for y in step.inputs) for step in program.steps if step.op.draws]
    assert places == [
        tuple(y.kind for y in step.inputs) for step in small(lambda x: [tg.dropout(tg.exp(x), 0.5), tg.dropout(x, 0.5)], x).steps if step.op.draws
    ]


def test_a_wrong_slice_is_noticed(tiny, monkeypatch):
    """The checks above can fail: a last block that is left out gives another sum."""
    right = blocks._slices
    monkeypatch.setattr(blocks, "_slices", lambda run: right(run)[:-1] or right(run))
    x = np.ones((200, 2))
    (total,), _ = replayed(lambda x: (x + 1).sum(), x)
    assert total != 800
