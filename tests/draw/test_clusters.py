"""Layers, penalties, gradients and compiled programs stand in clusters of their own, and fold."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn


class Block(nn.Module):
    """Two layers and a way around them."""

    def __init__(self, size):
        self.a, self.b = nn.Linear(size, size, rng=0), nn.Linear(size, size, rng=1)

    def forward(self, x):
        return x + self.b(tg.relu(self.a(x)))


def deep(count=4):
    model = nn.Sequential(nn.Linear(3, 5, rng=0), *[Block(5) for _ in range(count)], nn.Linear(5, 2, rng=1))
    return model, tg.cross_entropy(model(tg.tensor(np.ones((2, 3)), name="x")), [0, 1])


def cluster_of(drawing, node):
    return drawing.clusters[node.cluster].label if node.cluster else ""


def tree(drawing):
    return {cluster.label: drawing.clusters[cluster.parent].label if cluster.parent else "" for cluster in drawing.clusters.values()}


def test_layers_are_a_tree_with_dotted_names():
    model, loss = deep(1)
    for drawing in (tg.graph(loss, model=model), tg.graph(loss)):
        assert tree(drawing) == {
            "Sequential": "",
            "0 · Linear": "Sequential",
            "1 · Block": "Sequential",
            "1.a · Linear": "1 · Block",
            "1.b · Linear": "1 · Block",
            "2 · Linear": "Sequential",
        }
        homes = {node.name or node.op: cluster_of(drawing, node) for node in drawing.nodes}
        assert homes["1.a.weight"] == "1.a · Linear"
        assert homes["relu"] == homes["add"] == "1 · Block"
        assert homes["x"] == homes["cross_entropy"] == ""


def test_members_and_children_agree_with_parents():
    drawing = tg.graph(deep()[1], backward=True)
    for key, cluster in drawing.clusters.items():
        assert all(drawing.clusters[child].parent == key for child in cluster.children)
        assert [node.id for node in drawing.nodes if node.cluster == key] == sorted(cluster.nodes, key=lambda name: int(name[1:]))


def test_a_module_called_twice_is_two_clusters():
    layer = nn.Linear(3, 3, rng=0)
    drawing = tg.graph(layer(layer(np.ones((1, 3)))).sum())
    assert sorted(tree(drawing)) == ["Linear", "Linear (call 2)"]
    assert all(node.cluster == "" for node in drawing.nodes if node.kind == "parameter"), "shared by both"


def test_a_layer_that_does_nothing_takes_nothing():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Dropout(0.5)).eval()
    drawing = tg.graph(model(np.ones((1, 2))).sum())
    assert sorted(tree(drawing)) == ["0 · Linear", "Sequential"]


def test_depth_and_expand():
    _, loss = deep()
    assert [fold.label for fold in tg.graph(loss, depth=0).folds] == ["Sequential"]
    one = tg.graph(loss, depth=1)
    assert [(fold.label, fold.times) for fold in one.folds] == [("0 · Linear", 1), ("Block ×4", 4), ("5 · Linear", 1)]
    assert len(one.folds[1].members) == 4 * 8
    opened = tg.graph(loss, depth=1, expand="2")
    assert [fold.label for fold in opened.folds] == ["0 · Linear", "1 · Block", "2.a · Linear", "2.b · Linear", "Block ×2", "5 · Linear"]
    assert "Block ×4" in one.source


def test_repeated_patterns_fold_but_not_around_other_ops():
    model = nn.Sequential(*[layer for _ in range(3) for layer in (nn.Linear(4, 4, rng=0), nn.ReLU())])
    drawing = tg.graph(model(tg.ones((1, 4))).sum(), depth=1)
    assert [fold.label for fold in drawing.folds] == ["Linear → ReLU ×3"]
    one, two = nn.Linear(4, 4, rng=0), nn.Linear(4, 4, rng=1)
    apart = tg.graph(two(tg.exp(one(np.ones((1, 4))))).sum(), depth=0)
    assert [fold.times for fold in apart.folds] == [1, 1]


def test_too_many_nodes_fold_and_say_so():
    _, loss = deep(30)
    drawing = tg.graph(loss, max_nodes=50)
    assert len(drawing.view.boxes) <= 50
    assert "nodes, drawn as" in drawing.view.hint
    assert drawing.view.hint in str(drawing)
    inside = [key for fold in drawing.folds for key in fold.members]
    shown = [box.id for box in drawing.view.boxes if box not in drawing.folds]
    assert sorted(inside + shown) == sorted(node.id for node in drawing.nodes), "each node is in one box"


def test_folds_make_no_circle():
    _, loss = deep(6)
    drawing = tg.graph(loss, depth=1)
    place = {box.id: i for i, box in enumerate(drawing.view.boxes)}
    assert all(place[edge.source] < place[edge.target] for edge, _ in drawing.view.edges if not edge.source.startswith("n"))


def test_penalties_have_a_cluster_with_their_lambda():
    w = tg.tensor([1.0, -2.0], requires_grad=True, name="w")
    v = tg.tensor([3.0], requires_grad=True, name="v")
    drawing = tg.graph(((w - 1) ** 2).sum() + 0.25 * abs(w).sum() + 0.5 * (v * v).sum())
    found = {cluster.label: (cluster.lam, cluster.name) for cluster in drawing.clusters.values() if cluster.kind == "penalty"}
    assert found == {"L1 on w": ("0.25", "w"), "L2 on v": ("0.5", "v")}
    inside = {label: [n.op for n in drawing.nodes if n.kind == "penalty" and cluster_of(drawing, n) == label] for label in found}
    assert inside == {"L1 on w": ["abs", "sum", "multiply"], "L2 on v": ["multiply", "sum", "multiply"]}
    assert [node.op for node in drawing.nodes if node.kind == "op"] == ["subtract", "power", "sum", "add", "add"]
    assert "λ = 0.25" in drawing.source
    assert "λ = 0.25" in str(drawing)


def test_penalties_of_layers_are_found():
    model = nn.Sequential(nn.Linear(2, 3, weight_lambda_l1=0.1, bias_lambda_l2=0.2, rng=0))
    loss = model(np.ones((1, 2))).sum() + model.regularization_loss()
    drawing = tg.graph(loss)
    assert {c.label: c.lam for c in drawing.clusters.values() if c.kind == "penalty"} == {"L1 on 0.weight": "0.1", "L2 on 0.bias": "0.2"}
    assert {node.name: cluster_of(drawing, node) for node in drawing.nodes if node.kind == "parameter"} == {
        "0.weight": "0 · Linear",
        "0.bias": "0 · Linear",
    }


def test_several_penalties_and_their_sums_are_together():
    w = tg.tensor([1.0, -2.0], requires_grad=True, name="w")
    penalty = 0.25 * abs(w).sum() + 0.5 * (w * w).sum()
    drawing = tg.graph(tg.exp(w).sum() + penalty)
    assert tree(drawing) == {"L1 on w": "penalties", "L2 on w": "penalties", "penalties": ""}
    joined = [node for node in drawing.nodes if node.op == "add"]
    assert [(node.kind, cluster_of(drawing, node)) for node in joined] == [("penalty", "penalties"), ("op", "")]
    assert joined[0].array == penalty.data


def test_one_penalty_written_twice_is_one_cluster():
    w = tg.tensor([1.0, -2.0], requires_grad=True, name="w")
    drawing = tg.graph(0.25 * abs(w).sum() + tg.exp(w).sum() + 0.5 * abs(w).sum())
    terms = [cluster for cluster in drawing.clusters.values() if cluster.kind == "penalty"]
    assert [(cluster.label, cluster.lam) for cluster in terms] == [("L1 on w", "0.75")]
    assert sum(node.op == "abs" and node.cluster == terms[0].id for node in drawing.nodes) == 2


def test_many_penalties_of_closed_layers_are_one_box():
    model = nn.Sequential(*[nn.Linear(3, 3, weight_lambda_l1=0.1, bias_lambda_l2=0.2, rng=0) for _ in range(3)])
    loss = model(tg.ones((1, 3))).sum() + model.regularization_loss()
    box = tg.graph(loss, depth=1).folds[-1]
    assert (box.label, box.kind) == ("6 penalties\nL1, λ = 0.1: 3\nL2, λ = 0.2: 3", "penalty")
    assert not any(fold.kind == "penalty" for fold in tg.graph(loss).folds)


def test_of_a_penalty_that_begins_beyond_the_inputs_the_rest_is_drawn():
    w = tg.tensor([1.0, -2.0], requires_grad=True, name="w")
    size = abs(w)
    drawing = tg.graph(0.25 * size.sum() + 1.0, inputs={"size": size})
    kinds = [(node.label, node.kind) for node in drawing.nodes if node.kind != "constant"]
    assert kinds == [("size", "input"), ("Σ", "penalty"), ("×", "penalty"), ("+", "op")]
    twice = tg.graph(0.25 * (2.0 * abs(w)).sum() + 1.0, inputs=[2.0 * size])
    assert [cluster.lam for cluster in twice.clusters.values()] == ["0.5"]
    inner = 0.25 * size.sum()
    assert not tg.graph(inner + 1.0, inputs=[inner]).clusters


def test_what_is_no_penalty_is_not_coloured_as_one():
    w = tg.tensor([1.0, -2.0], requires_grad=True, name="w")
    drawing = tg.graph((w * w).sum() - 3 * abs(w).sum() + tg.exp(w).sum())
    assert [c.label for c in drawing.clusters.values()] == ["L2 on w"]
    assert "abs" in [node.op for node in drawing.nodes if node.kind == "op"]


@pytest.mark.parametrize(
    ("penalty", "ops", "numbers"),
    [
        (lambda w: 0.5 * (w**2).sum(), ["multiply", "multiply"], ["0.5", "2"]),
        (lambda w: 0.5 * abs(w).sum(), ["sign", "multiply"], ["0.5"]),
    ],
)
def test_the_gradient_of_a_penalty_is_readable(penalty, ops, numbers):
    w = tg.tensor([1.0, -2.0], requires_grad=True, name="w")
    drawing = tg.graph(tg.grad(penalty(w), w, create_graph=True))
    assert [node.op for node in drawing.nodes if node.op] == ops
    assert {node.phase for node in drawing.nodes if node.op} == {"backward"}
    assert sorted(node.label for node in drawing.nodes if node.kind == "constant") == sorted(numbers)
    assert [node.name for node in drawing.nodes if node.kind == "parameter"] == ["w"]


def test_forward_and_backward_in_one_picture():
    w = tg.tensor([1.0, -2.0], requires_grad=True, name="w")
    loss = tg.tanh(w * 3.0).sum()
    drawing = tg.graph(loss, backward=True)
    forward = [node.op for node in drawing.nodes if node.op and node.phase == "forward"]
    assert forward == ["multiply", "tanh", "sum"]
    slope = next(node for node in drawing.nodes if node.gradient_of)
    assert next(node for node in drawing.nodes if node.id == slope.gradient_of).name == "w"
    np.testing.assert_allclose(slope.array, 3 * (1 - np.tanh([3.0, -6.0]) ** 2))
    assert {edge.phase for edge in drawing.edges} == {"forward", "backward"}
    colours = {line.split('color="')[1][:7] for line in drawing.source.splitlines() if "->" in line and 'color="' in line}
    assert colours == {"#9a74c4"}, "backward edges have a second colour"
    assert w.grad is None


@pytest.mark.parametrize("x", [np.ones((4, 3)), tg.ones((4, 3))])
def test_numbers_of_the_backward_pass_are_no_inputs(x):
    w = tg.tensor([1.0, -2.0, 0.5], requires_grad=True, name="w")
    drawing = tg.graph(tg.tanh(x @ w).sum(), backward=True)
    assert [node.shape for node in drawing.nodes if node.kind == "input"] == [(4, 3)]
    assert [node.shape for node in drawing.nodes if node.kind == "constant" and node.shape] == [(4,), (3, 4)]


def step_of(backend, size=4):
    w = tg.tensor(np.ones(size), requires_grad=True, name='w "of" <b>\\n')
    optimizer = tg.optim.SGD([w], lr=0.5)
    step = tg.compile(lambda x: optimizer.minimize((tg.exp(-w * x) * x).sum()), backend=backend, wait=True)
    for _ in range(3):
        step(np.full(size, 0.1))
    return step


def test_every_step_and_input_of_a_program_is_drawn(backend):
    step = step_of(backend)
    drawing = step.program.picture()
    program = step.program
    assert sum(node.kind == "op" for node in drawing.nodes) == len(program.steps)
    assert sum(node.kind in ("argument", "state", "number") for node in drawing.nodes) == sum(x.kind != "constant" for x in program.inputs)
    data = [edge for edge in drawing.edges if edge.kind == "data"]
    given = [x for step in program.steps for x in step.inputs if x.kind != "constant" or x.source is not None]
    assert len(data) == len(given) + len(program.results)
    assert [edge.kind for edge in drawing.edges].count("assigned") == len(program.assigned) == 1
    assert drawing.source == program.picture().source


def test_a_compiled_function_shows_its_groups_and_its_memory(backend):
    drawing = tg.graph(step_of(backend, size=300_000))
    groups = [cluster for cluster in drawing.clusters.values() if cluster.kind == "fused"]
    assert groups
    assert all(len(group.nodes) > 1 for group in groups)
    assert any(node.buffer for node in drawing.nodes)
    assert [node.note for node in drawing.nodes if node.note] == ['new w "of" <b>\\n']


def test_what_is_worked_out_on_the_way_belongs_to_its_group(backend):
    model = nn.Sequential(nn.Linear(20, 8, rng=0), nn.Tanh(), nn.Linear(8, 3, rng=1))
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    step = tg.compile(lambda x, y: optimizer.minimize(tg.cross_entropy(model(x), y)), backend=backend, wait=True)
    for _ in range(3):
        step(np.ones((20_000, 20)), np.arange(20_000) % 3)
    drawing = tg.graph(step)
    homes = {node.id: node.cluster for node in drawing.nodes}
    users = {}
    for edge in drawing.edges:
        users.setdefault(edge.source, set()).add(homes[edge.target])
    groups = {key for key, cluster in drawing.clusters.items() if cluster.kind == "fused"}
    on_the_way = [node for node in drawing.nodes if node.kind == "op" and len(users[node.id]) == 1 and users[node.id] <= groups]
    assert len(on_the_way) > 5
    assert all(node.cluster for node in on_the_way)


def test_a_function_that_was_not_called_has_no_picture():
    with pytest.raises(RuntimeError, match="call the function first"):
        tg.graph(tg.compile(lambda x: x))
