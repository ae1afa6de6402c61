"""The nodes and edges of a drawing are those of the computation, in order, as often as they are used."""

import gc
import sys
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg
from tinygrad_reg import nn


def leaf(*values, name="w"):
    return tg.tensor(values, requires_grad=True, name=name)


def ends(drawing):
    return [(edge.source, edge.target) for edge in drawing.edges]


def node_of(drawing, name):
    return next(node for node in drawing.nodes if node.name == name)


def test_a_product_with_itself_has_two_edges():
    x = leaf(1.0, 2.0)
    drawing = tg.graph((x * x).sum())
    assert [(node.kind, node.label) for node in drawing.nodes] == [("parameter", "w"), ("penalty", "×"), ("penalty", "Σ")]
    assert ends(drawing) == [("n0", "n1"), ("n0", "n1"), ("n1", "n2")]
    assert [edge.position for edge in drawing.edges] == [0, 1, 0]


def test_the_order_of_arguments_is_on_the_edges():
    a, b = leaf(1.0, name="p"), leaf(2.0, name="q")
    drawing = tg.graph(b - a)
    by_id = {node.id: node.name for node in drawing.nodes}
    assert {by_id[edge.source]: (edge.position, edge.label) for edge in drawing.edges} == {"q": (0, "a"), "p": (1, "b")}
    assert drawing.nodes[-1].label == "a − b"
    assert [edge.label for edge in tg.graph(a + b).edges] == ["", ""]


def test_what_a_node_says():
    w = tg.tensor(np.arange(8.0).reshape(2, 4), requires_grad=True, name="w")
    loss = tg.exp(w / 10).sum(axis=0).mean()
    before = node_of(tg.graph(loss), "w")
    assert (before.shape, before.dtype, before.kind) == ((2, 4), "float64", "parameter")
    assert (before.value.minimum, before.value.mean, before.value.maximum, before.value.zeros) == (0.0, 3.5, 7.0, 1 / 8)
    assert before.gradient is None
    assert "not computed" in str(tg.graph(loss))
    loss.backward()
    after = node_of(tg.graph(loss), "w")
    np.testing.assert_array_equal(after.gradient_array, w.grad.data)
    assert after.gradient.mean == pytest.approx(w.grad.data.mean())
    total = next(node for node in tg.graph(loss).nodes if node.op == "sum")
    assert total.settings == "axis=0"


def test_all_gradients_are_those_of_backward():
    w = leaf(1.0, -2.0)
    middle = tg.tanh(w).retain_grad()
    loss = (middle * middle).sum()
    drawing = tg.graph(loss, grads="all")
    loss.backward()
    shown = {node.op or node.name: node.gradient_array for node in drawing.nodes}
    np.testing.assert_allclose(shown["tanh"], middle.grad.data)
    np.testing.assert_allclose(shown["w"], w.grad.data)
    assert shown["sum"] == 1.0


def test_a_leaf_that_changed_is_shown_as_it_was_used():
    w = leaf(1.0)
    first = w * 2
    w.assign([5.0])
    drawing = tg.graph(first + w)
    values = [node.array[0] for node in drawing.nodes if node.name == "w"]
    assert values == [1.0, 5.0]
    assert [node.note for node in drawing.nodes if node.name == "w"] == ["has a new value since", ""]


def test_inputs_cut_the_graph_and_may_be_named():
    w = leaf(1.0, 2.0)
    hidden = tg.tanh(w)
    drawing = tg.graph(tg.exp(hidden).sum(), inputs={"hidden": hidden})
    assert [(node.label, node.kind) for node in drawing.nodes] == [("hidden", "input"), ("exp", "op"), ("Σ", "op")]


def test_several_outputs_share_what_they_share():
    w = leaf(1.0, 2.0)
    hidden = tg.tanh(w)
    drawing = tg.graph([hidden.sum(), hidden.mean()])
    assert [node.op for node in drawing.nodes] == ["", "tanh", "sum", "mean"]
    assert [node.output for node in drawing.nodes] == [False, False, True, True]


@st.composite
def programs(draw):
    """A random computation: for each op its name and the places of its inputs among all before."""
    count = draw(st.integers(1, 12))
    ops = st.sampled_from(["add", "multiply", "subtract", "tanh"])
    return [(draw(ops), draw(st.integers(0, i + 1)), draw(st.integers(0, i + 1))) for i in range(count)]


@given(programs())
def test_random_graphs_have_their_nodes_and_edges(program):
    values, made = [leaf(0.5, name="p0"), leaf(-0.25, name="p1")], {}
    for name, i, j in program:
        inputs = (values[i],) if name == "tanh" else (values[i], values[j])
        values.append(getattr(tg, name)(*inputs))
        values[-1].name = f"v{len(values)}"
        made[values[-1].name] = (name, [x.name for x in inputs])
    drawing = tg.graph(values[-1])
    needed, stack = set(), [values[-1].name]
    while stack:
        name = stack.pop()
        if name not in needed:
            needed.add(name)
            stack.extend(made.get(name, ("", []))[1])
    names = {node.id: node.name for node in drawing.nodes}
    assert sorted(names.values()) == sorted(needed)
    place = {node.id: i for i, node in enumerate(drawing.nodes)}
    assert all(place[edge.source] < place[edge.target] for edge in drawing.edges)
    for node in drawing.nodes:
        if node.op:
            into = sorted((edge.position, names[edge.source]) for edge in drawing.edges if edge.target == node.id)
            assert (node.op, [name for _, name in into]) == made[node.name]
    assert drawing.source == tg.graph(values[-1]).source


def test_drawing_changes_nothing():
    model = nn.Sequential(nn.Linear(3, 4, weight_lambda_l1=0.1, rng=0), nn.Dropout(0.5, rng=1), nn.Linear(4, 1, rng=2))
    loss = model(np.ones((2, 3))).sum() + model.regularization_loss()
    loss.backward()
    grads = [p.grad for p in model.parameters()]
    tg.manual_seed(0)
    expected = tg.random.normal(size=3).data if hasattr(tg.random, "normal") else None
    tg.manual_seed(0)
    for settings in ({}, {"grads": "all"}, {"backward": True}, {"depth": 0}):
        drawing = tg.graph(loss, model=model, **settings)
        _ = drawing.source, str(drawing), drawing._repr_mimebundle_()
    assert all(p.grad is g for p, g in zip(model.parameters(), grads, strict=True))
    if expected is not None:
        np.testing.assert_array_equal(tg.random.normal(size=3).data, expected)
    assert loss.op.name == "add"


@pytest.mark.parametrize("settings", [{}, {"grads": "all"}, {"backward": True}])
def test_nothing_lives_longer_than_the_drawing(settings):
    model = nn.Sequential(nn.Linear(3, 2, weight_lambda_l2=0.1, rng=0), nn.ReLU())
    loss = model(np.ones((2, 3))).sum() + model.regularization_loss()
    inner, module = weakref.ref(loss.inputs[0]), weakref.ref(model)
    gc.disable()
    try:
        drawing = tg.graph(loss, **settings)
        _ = drawing.source, str(drawing)
        del loss, model
        assert inner() is not None, "the page may still be asked for"
        del drawing, _
        assert inner() is None
        assert module() is None
    finally:
        gc.enable()


def test_a_result_kept_by_its_module_is_freed_at_once():
    class Keeps(nn.Module):
        def forward(self, x):
            self.last = x * 2.0
            return self.last

    model = Keeps()
    model(leaf(1.0))
    died = weakref.ref(model)
    gc.disable()
    try:
        del model
        assert died() is None
    finally:
        gc.enable()


def test_a_long_chain_is_folded_without_recursion():
    x = leaf(1.0, 2.0)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        drawing = tg.graph(y)
        text = str(drawing)
    finally:
        sys.setrecursionlimit(limit)
    assert len(drawing.nodes) == 40_001
    assert len(drawing.view.boxes) == 400
    assert len(drawing.folds) == 1
    assert "40,001 nodes, drawn as 400: raise max_nodes=400" in text
    assert sum(len(fold.members) for fold in drawing.folds) + 399 == 40_001


def test_doublings_are_drawn_once():
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    drawing = tg.graph(y)
    assert (len(drawing.nodes), len(drawing.edges)) == (61, 120)
    assert len(str(drawing).splitlines()) <= 181


def test_ops_of_several_results_and_odd_values():
    a = tg.tensor(np.diag([2.0, 1.0]), requires_grad=True, name="a")
    drawing = tg.graph(sum(part.sum() for part in tg.linalg.qr(a)), grads="all")
    assert [node.dtype for node in drawing.nodes if node.op == "linalg_qr"] == ["several"]
    assert str(drawing).count("part") == 2
    z = tg.tensor([1.0 + 2.0j], requires_grad=True, name="z")
    assert "[1+2j]" in str(tg.graph(abs(z).sum()))
    only = tg.graph(a)
    assert [(node.name, node.output) for node in only.nodes] == [("a", True)]
    assert not only.edges


def test_a_module_with_several_results_is_one_cluster():
    class Two(nn.Module):
        def forward(self, x):
            return tg.tanh(x), tg.exp(x)

    assert [cluster.label for cluster in tg.graph(Two()(leaf(1.0))).clusters.values()] == ["Two"], "the module is gone"
    model = Two()
    first, second = model(leaf(1.0))
    for out in (first + second, second * 2.0):
        drawing = tg.graph(out)
        assert [cluster.label for cluster in drawing.clusters.values()] == ["Two"]
        assert all(bool(node.cluster) == (node.op in ("tanh", "exp")) for node in drawing.nodes if node.op)


def test_a_compiled_function_cannot_draw_what_it_is_made_of():
    w = leaf(1.0)
    with pytest.raises(tg.CaptureError):
        tg.compile(lambda x: str(tg.graph(w * x)), backend="numpy")(np.ones(1))


def test_errors_say_what_is_wrong():
    w = leaf(1.0)
    for call, error, words in [
        (lambda: tg.graph(), TypeError, "at least one Tensor"),
        (lambda: tg.graph(3.0), TypeError, "draws Tensors.*not float"),
        (lambda: tg.graph(tg.tensor([1.0])), RuntimeError, "not made from any Tensor with requires_grad.*create_graph"),
        (lambda: tg.graph(w, theme="pink"), ValueError, "theme is 'pink'.*'light', 'dark'"),
        (lambda: tg.graph(w, direction="up"), ValueError, "direction is 'up'"),
        (lambda: tg.graph(w, values="all"), ValueError, "values is 'all'"),
        (lambda: tg.graph(w, grads=True), ValueError, "grads is True"),
        (lambda: tg.graph(w, max_nodes=0), ValueError, "max_nodes is 0"),
        (lambda: tg.graph(w, depth=-1), ValueError, "depth is -1"),
        (lambda: tg.graph(w * 2, expand="nowhere"), ValueError, "expand names 'nowhere'"),
        (lambda: tg.graph(w * 2, inputs=[3]), TypeError, "inputs are Tensors"),
        (lambda: tg.graph(w * 2).render("x.bmp"), ValueError, "'x.bmp' should end in .svg"),
    ]:
        with pytest.raises(error, match=words):
            call()
