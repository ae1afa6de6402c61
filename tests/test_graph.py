"""The shape of the record: order, deep chains, shared nodes, and memory that is given back at once."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.graph import history, leading_to


def variable(value=1.0):
    return tg.Tensor(value, requires_grad=True)


@pytest.fixture
def no_collector():
    """Only reference counts free memory here: what a cycle keeps alive stays, and is seen."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# -------------------------------------------------------------------------------------------- order


def test_history_names_each_node_once_newest_first():
    x, c = variable(), tg.Tensor(2.0)
    y = x * c
    z = y + y * x
    nodes = list(history([z]).values())
    assert [n.op and n.op.name for n in nodes] == ["add", "multiply", "multiply", None]
    assert nodes[0] is z
    assert nodes[2] is y
    assert nodes[3] is x


def test_every_node_comes_before_its_inputs():
    x = variable([1.0, 2.0])
    late = variable([3.0, 4.0])
    out = tg.tanh(x * late) + (x + late).sum() * x
    place = {key: i for i, key in enumerate(history([out]))}
    for node in history([out]).values():
        for other in node.inputs if node.op else ():
            if id(other) in place:
                assert place[id(node)] < place[id(other)]


def test_history_of_several_outputs_and_of_a_leaf():
    x, y = variable(), variable()
    a, b = x * 2, y * 3
    assert len(history([a, b])) == 4
    assert list(history([x]).values()) == [x]


def test_leading_to_names_what_lies_between():
    x, y = variable(), variable()
    a = x * 2
    b = y * 3
    out = a + b
    assert leading_to([x], history([out])) == {id(x), id(a), id(out)}
    assert leading_to([a, y], history([out])) == {id(a), id(y), id(b), id(out)}


def test_constants_are_no_nodes():
    x = variable([1.0, 2.0])
    out = (x + tg.Tensor([1.0, 1.0])) * np.array([2.0, 2.0])
    assert len(history([out])) == 3


# ------------------------------------------------------------------------------------- deep and wide


def test_a_chain_of_100000_ops_forward_backward_and_dropped():
    x = variable()
    y = x
    for _ in range(100_000):
        y = y * 1.0
    y.backward()
    assert x.grad.item() == 1
    assert len(history([y])) == 100_001
    assert tg.grad(y, x).item() == 1
    last = weakref.ref(y)
    del y
    assert last() is None


def test_a_deep_chain_can_be_differentiated_twice():
    x = variable(0.5)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    (slope,) = tg.grad(y * y, [x], create_graph=True)
    assert slope.item() == 2 * (0.5 + 20_000)
    assert tg.grad(slope, x).item() == 2


def test_a_rule_is_applied_once_for_each_node_also_where_paths_of_different_length_meet(monkeypatch):
    applied = []
    rule = tg.tanh.rules[0]
    monkeypatch.setattr(tg.tanh, "rules", (lambda g, out, x: (applied.append(1), rule(g, out, x))[1],))
    y = variable(0.1)
    for _ in range(10):
        y = y + tg.tanh(y) * y
    y.backward()
    assert len(applied) == 10


def test_sixty_doublings_visit_each_node_once():
    x = variable()
    y = x
    for _ in range(60):
        y = y + y
    assert len(history([y])) == 61
    y.backward()
    assert x.grad.item() == 2.0**60


def test_sixty_squarings_recorded_visit_each_node_once():
    x = variable()
    y = x
    for _ in range(60):
        y = y * y
    slope = tg.grad(y, x, create_graph=True)
    assert slope.item() == 2.0**60
    assert len(history([slope])) < 1000


def test_a_wide_graph():
    x = variable([1.0, 2.0])
    sum((x * float(i) for i in range(2000)), start=tg.zeros(2)).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [1999 * 1000] * 2)


# ------------------------------------------------------------------------------------------- memory


def test_a_dropped_graph_is_freed_at_once(no_collector):
    x = variable([1.0, 2.0])
    hidden = tg.tanh(x * 3.0)
    loss = (hidden * hidden).sum() + abs(x).sum()
    loss.backward()
    watched = [weakref.ref(hidden), weakref.ref(loss)]
    del hidden, loss
    assert [ref() for ref in watched] == [None, None]


def test_a_graph_of_gradients_is_freed_at_once(no_collector):
    x = variable([1.0, 2.0])
    slope = tg.grad((x**3).sum(), x, create_graph=True)
    second = tg.grad(slope.sum(), x, create_graph=True)
    watched = [weakref.ref(slope), weakref.ref(second)]
    del slope, second
    assert [ref() for ref in watched] == [None, None]


def test_after_an_error_in_a_rule_the_graph_is_freed_at_once(no_collector, own_ops):
    @tg.op()
    def fails_on_the_way_back(x):
        return x * 1

    fails_on_the_way_back.defvjp(lambda g, out, x: 1 // 0)
    loss = fails_on_the_way_back(variable())
    watched = weakref.ref(loss)
    with pytest.raises(ZeroDivisionError):
        loss.backward()
    del loss
    assert watched() is None


def test_the_gradient_does_not_keep_the_graph_alive(no_collector):
    x = variable([1.0, 2.0])
    loss = (x * x).sum()
    loss.backward()
    watched = weakref.ref(loss)
    del loss
    assert watched() is None
    np.testing.assert_array_equal(x.grad.data, [2, 4])


def train(steps):
    rng = np.random.default_rng(0)
    x, y = tg.Tensor(rng.normal(size=(32, 2))), rng.integers(0, 3, 32)
    model = tg.nn.Sequential(tg.nn.Linear(2, 8, 1e-3, 1e-3, rng=0), tg.nn.ReLU(), tg.nn.Linear(8, 3, rng=0))
    optimizer = tg.optim.Adam(model.parameters(), lr=0.01)

    def many(n):
        for _ in range(n):
            optimizer.zero_grad()
            (tg.cross_entropy(model(x), y) + model.regularization_loss()).backward()
            optimizer.step()

    many(20)  # caches fill
    return many, steps


def test_1000_training_steps_leave_no_garbage(no_collector):
    many, steps = train(1000)
    before = len(gc.get_objects())
    many(steps)
    assert len(gc.get_objects()) - before < 50
    assert gc.collect() == 0


def test_1000_training_steps_do_not_grow(no_collector):
    many, steps = train(1000)
    tracemalloc.start()
    many(10)
    before = tracemalloc.get_traced_memory()[0]
    many(steps)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000  # bytes: less than 20 a step; one graph kept alive would be more
