import json
import re

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import Tensor, nn

NASTY = '</script><b>"><|{}&\u2028'


def data_of(graph, path):
    text = graph.save_html(path / "page.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return text, json.loads(found[1])


def small():
    w = Tensor([1.0, -2.0], requires_grad=True, name="w")
    return w, 0.5 * (w * w).sum()


def test_one_file_without_any_address(tmp_path):
    text, _ = data_of(tg.graph(small()[1]), tmp_path)
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:)|@import|url\(|https?://(?!www\.w3\.org/2000/svg)""", text)
    assert text.count("<script") == 2


def test_names_cannot_end_the_script(tmp_path):
    w = Tensor([1.0], requires_grad=True, name=NASTY)
    text, data = data_of(tg.graph((w * w).sum()), tmp_path)
    assert text.count("</script>") == 2
    assert data["nodes"][0]["label"] == NASTY
    assert "\u2028" not in text
    titled = tg.graph((w * w).sum()).save_html(tmp_path / "titled.html", title=NASTY).read_text(encoding="utf-8")
    assert titled.count("</script>") == 2
    assert "<b>" not in titled


def test_numbers_and_gradients(tmp_path):
    _, loss = small()
    _, data = data_of(tg.graph(loss), tmp_path)
    node = data["nodes"][0]
    assert (node["value"]["text"], node["gradient"]["text"]) == ("[1, -2]", "[1, -2]")
    assert "collected" not in node
    loss.backward()
    loss.backward()
    _, data = data_of(tg.graph(loss), tmp_path)
    assert data["nodes"][0]["collected"]["text"] == "[2, -4]"


def test_a_gradient_that_nobody_computed_is_not_zero(tmp_path):
    w, _ = small()
    _, data = data_of(tg.graph(w * w), tmp_path)  # not a single number: there is nothing to walk back from
    assert data["nodes"][0]["gradient"] == {"text": "not computed"}
    assert {step["phase"] for step in data["steps"]} == {"forward"}


def test_nothing_is_changed(tmp_path):
    w, loss = small()
    tg.graph(loss).save_html(tmp_path / "page.html")
    assert w.grad is None
    loss.backward()
    np.testing.assert_array_equal(w.grad.data, w.data)


def test_the_same_computation_gives_the_same_page(tmp_path):
    first, second = (tg.graph(small()[1]).save_html(tmp_path / f"{i}.html").read_text(encoding="utf-8") for i in range(2))
    assert first == second


def test_nan_and_infinity_do_not_break_the_data(tmp_path):
    w = Tensor(np.array([np.nan, np.inf, 1.0] + [2.0] * 20), requires_grad=True, name="w")
    _, data = data_of(tg.graph((w * w).sum()), tmp_path)
    assert "NaN or infinite" in data["nodes"][0]["value"]["text"]


def test_closed_layers_are_groups_that_are_folded(tmp_path):
    model = nn.Sequential(nn.Linear(2, 3, weight_lambda_l2=1e-3, rng=0), nn.ReLU(), nn.Linear(3, 1, rng=1))
    loss = tg.mse(model(np.ones((4, 2))), np.zeros((4, 1))) + model.regularization_loss()
    _, data = data_of(tg.graph(loss, model=model, depth=0), tmp_path)
    assert any(group["folded"] for group in data["groups"] if group["kind"] == "layer")
    _, data = data_of(tg.graph(loss, model=model), tmp_path)
    assert not any(group["folded"] for group in data["groups"])
    sizes = {group["title"]: group["size"] for group in data["groups"]}
    assert any("λ = 0.001" in title for title in sizes)
    nodes = {node["id"] for node in data["nodes"]}
    assert all(edge["from"] in nodes and edge["to"] in nodes for edge in data["edges"])
    homes = {group["id"] for group in data["groups"]} | {""}
    assert all(node["group"] in homes for node in data["nodes"])
    assert all(group["parent"] in homes for group in data["groups"])


@pytest.mark.parametrize(("length", "whole"), [(500, True), (5000, False)])
def test_long_graphs(tmp_path, length, whole):
    y = Tensor([1.0], requires_grad=True)
    for _ in range(length):
        y = tg.tanh(y)
    _, data = data_of(tg.graph(y.sum()), tmp_path)
    assert bool(data["steps"]) == whole
    assert data["hint"]
    shown = {node["id"] for node in data["nodes"]}
    assert all(edge["from"] in shown and edge["to"] in shown for edge in data["edges"])
    assert (len(shown) == length + 2) == whole
    assert any(group["folded"] for group in data["groups"]) == whole


def test_a_compiled_function_has_a_page_without_steps(tmp_path):
    w = Tensor([1.0, 2.0], requires_grad=True, name="w")
    f = tg.compile(lambda x: (w * x).sum(), backend="numpy")
    f(np.ones(2))
    _, data = data_of(tg.graph(f), tmp_path)
    assert data["nodes"] and data["edges"] and not data["steps"]


def test_a_gradients_own_graph(tmp_path):
    w = Tensor([1.0, -2.0], requires_grad=True, name="w")
    slope = tg.grad(0.1 * (w**2).sum(), w, create_graph=True)
    _, data = data_of(tg.graph(slope), tmp_path)
    assert {node["kind"] for node in data["nodes"] if node["op"]} == {"backward"}
