"""States, gradients and results of compiled steps: who may hold what, what is changed when, and many runs in one call."""

import gc
import threading

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="llvmlite, which comes with Numba (extra [fast]), is not installed")

import tinygrad_reg as tg
from tinygrad_reg.compile.fused.replay import FusedReplay
from tinygrad_reg.compile.fused.states import Fresh, States, address_of
from tinygrad_reg.compile.homes import StateChanged
from tinygrad_reg.compile.program import STATE, Program, Step, Value
from tinygrad_reg.op import OPS

F8 = np.dtype(float)


def doubling(*tensors, also=()):
    """A program that doubles each Tensor, and returns the first one's old value."""
    states = [Value(t.shape, t.dtype, STATE, t) for t in tensors]
    steps = [Step(OPS["add"], (s, s), {}, Value(s.shape, s.dtype)) for s in states]
    assigned = list(zip(states, (step.out for step in steps), strict=True))
    return Program(steps, results=[states[0], *also], assigned=assigned)


def test_states_get_their_new_values():
    w, n = tg.Tensor([1.0, 2.0]), tg.Tensor(3.0)
    replay = FusedReplay(doubling(w, n), cache=False)
    for times in (1, 2, 3):
        np.testing.assert_array_equal(replay.run([], [])[0], np.array([1.0, 2.0]) * 2 ** (times - 1))
        np.testing.assert_array_equal(w.data, np.array([1.0, 2.0]) * 2**times)
        assert n.item() == 3.0 * 2**times


def test_a_value_assigned_in_between_counts():
    w = tg.Tensor([1.0, 2.0])
    replay = FusedReplay(doubling(w), cache=False)
    replay.run([], [])
    w.data = np.array([10.0, 20.0])
    replay.run([], [])
    np.testing.assert_array_equal(w.data, [20.0, 40.0])


def test_what_somebody_holds_does_not_change():
    w = tg.Tensor([1.0, 2.0], requires_grad=True)
    replay = FusedReplay(doubling(w), cache=False)
    replay.run([], [])
    data, raw, part = w.data, w._data, w._data[1:]
    detached, loss = w.detach(), (w * w).sum()
    replay.run([], [])
    replay.run([], [])
    for held in (data, raw, detached.data):
        np.testing.assert_array_equal(held, [2.0, 4.0])
    np.testing.assert_array_equal(part, [4.0])
    loss.backward()
    np.testing.assert_array_equal(w.grad.data, [4.0, 8.0])
    np.testing.assert_array_equal(w.data, [8.0, 16.0])


def test_a_home_is_kept_while_nobody_holds_it(monkeypatch):
    w = tg.Tensor(np.ones(5))
    replay = FusedReplay(doubling(w), cache=False)
    home = id(replay.table.states.arrays[0])
    replay.run([], [])
    assert id(w._data) == home
    monkeypatch.setitem(replay.table.names, "ready", None)  # the quick way is taken from now on
    for _ in range(5):
        replay.run([], [])
        assert id(w._data) == home


def test_another_shape_is_refused_and_nothing_changes():
    w, v = tg.Tensor([1.0, 2.0]), tg.Tensor([5.0])
    replay = FusedReplay(doubling(w, v), cache=False)
    replay.run([], [])
    v._data = np.ones((2, 2))
    with pytest.raises(StateChanged):
        replay.run([], [])
    np.testing.assert_array_equal(w.data, [2.0, 4.0])


def test_states_swapped():
    a, b = tg.Tensor(np.arange(20.0)), tg.Tensor(-np.arange(20.0))
    va, vb = (Value((20,), F8, STATE, t) for t in (a, b))
    replay = FusedReplay(Program([], assigned=[(va, vb), (vb, va)]), cache=False)
    replay.run([], [])
    np.testing.assert_array_equal(a.data, -np.arange(20.0))
    np.testing.assert_array_equal(b.data, np.arange(20.0))


def test_an_old_value_that_others_need():
    """w ← reversed w + w: the new value cannot be written over the old one."""
    w = tg.Tensor(np.arange(50.0))
    old = Value((50,), F8, STATE, w)
    turned, new = Value((50,), F8), Value((50,), F8)
    steps = [Step(OPS["getitem"], (old,), {"key": slice(None, None, -1)}, turned), Step(OPS["add"], (turned, old), {}, new)]
    total = Value((), F8)
    steps.append(Step(OPS["sum"], (old,), {"axis": (0,), "keepdims": False}, total))
    replay = FusedReplay(Program(steps, results=[total], assigned=[(old, new)]), cache=False)
    assert replay.run([], [])[0] == np.arange(50.0).sum()
    np.testing.assert_array_equal(w.data, np.full(50, 49.0))


def test_an_op_that_fails_leaves_states_alone():
    w = tg.Tensor([1.0, 2.0])
    program = doubling(w)
    failing = Value((2,), F8)
    program.steps.append(Step(OPS["linalg_inv"], (program.steps[0].out,), {}, failing))
    program.results.append(failing)
    replay = FusedReplay(program, cache=False)
    with pytest.raises((ValueError, np.linalg.LinAlgError)):
        replay.run([], [])
    np.testing.assert_array_equal(w.data, [1.0, 2.0])


def test_a_parameter_that_is_an_argument_too():
    w = tg.Tensor(np.arange(30.0), requires_grad=True)

    def step(x):
        w.assign((w + 1).detach())
        return (x * 2).sum(), tg.flip(x) * 1.0

    compiled = tg.compile(step, wait=True)
    for _ in range(3):
        before = w.data
        total, turned = compiled(w.detach())
        assert total.item() == before.sum() * 2
        np.testing.assert_array_equal(turned.data, before[::-1])


def training(seed=0):
    rng = np.random.default_rng(seed)
    model = tg.nn.Sequential(tg.nn.Linear(2, 16, rng=0, weight_lambda_l2=1e-3), tg.nn.Tanh(), tg.nn.Linear(16, 3, rng=1, weight_lambda_l2=1e-3))
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, decay=1e-3)
    x, y = rng.normal(size=(60, 2)), rng.integers(0, 3, 60)

    def step(x, y):
        loss = tg.cross_entropy(model(x), y) + model.regularization_loss()
        optimizer.minimize(loss)
        return loss

    return model, step, (x, y)


def test_a_thousand_steps_as_in_eager_mode():
    model, step, data = training()
    twin, plain, _ = training()
    compiled = tg.compile(step, wait=True)
    losses = [(compiled(*data).item(), plain(*data).item()) for _ in range(1000)]
    np.testing.assert_allclose(*np.array(losses).T, rtol=1e-12)
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-9, atol=1e-12)


def test_the_loop_inside_is_the_same_as_outside():
    model, step, data = training()
    twin, again, _ = training()
    inside, outside = tg.compile(step, wait=True), tg.compile(again, wait=True)
    losses = inside.run(*data, times=50)
    np.testing.assert_array_equal(losses.data, [outside(*data).item() for _ in range(50)])
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
    assert inside(*data).item() == outside(*data).item()  # and on from there


def test_the_loop_inside_gives_arrays_too():
    w = tg.Tensor(np.ones((3, 4)))
    replay = FusedReplay(doubling(w), cache=False)
    (out,) = replay.loop([], np.empty((4, 0)), 4)
    np.testing.assert_array_equal(out, np.multiply.outer(2.0 ** np.arange(4), np.ones((3, 4))))
    np.testing.assert_array_equal(w.data, np.full((3, 4), 16.0))


def test_memory_of_many_runs_is_flat():
    _, step, data = training()
    compiled = tg.compile(step, wait=True)
    for _ in range(3):
        compiled(*data)
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(2000):
        compiled(*data)
    gc.collect()
    assert len(gc.get_objects()) - before < 50


def test_two_threads():
    w = tg.Tensor(np.zeros(100))
    old, new = Value((100,), F8, STATE, w), Value((100,), F8)
    one = Value((), F8, "constant", 1.0, weak=True)
    replay = FusedReplay(Program([Step(OPS["add"], (old, one), {}, new)], results=[new], assigned=[(old, new)]), cache=False)
    seen = []

    def work():
        for _ in range(500):
            out = replay.run([], [])[0]
            seen.append((out.min(), out.max()))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(low for low, _ in seen) == [float(i) for i in range(1, 1001)]
    assert all(low == high for low, high in seen)


def test_results_are_used_again_only_when_all_have_let_go():
    fresh = Fresh((10,), F8)
    a = fresh.take()[0]
    b = fresh.take()[0]
    view, kept = a[2:], id(a)
    del a
    assert id(fresh.take()[0]) not in (kept, id(b))
    del view
    assert any(id(fresh.take()[0]) == kept for _ in range(3))


def test_addresses():
    for x in (np.zeros(3), np.zeros((2, 0)), np.zeros(()), np.arange(10)[3:], np.zeros(4, "f4")):
        assert address_of(x) == x.ctypes.data


def test_homes_are_counted_right():
    tensors = [tg.Tensor(np.ones(3)) for _ in range(3)]
    states = States([Value((3,), F8, STATE, t) for t in tensors], lambda i, address: None, {})
    states.ready()
    states.done()
    homes = [id(x) for x in states.arrays]
    held = tensors[1]._data
    states.ready()
    assert [id(x) == home for x, home in zip(states.arrays, homes, strict=True)] == [True, False, True]
    assert held is not states.arrays[1]
