"""DOT and pictures: exact text for small graphs, every character stands for itself, real Graphviz takes it, notebooks never fail."""

import html
import importlib.util
import re
import shutil
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import tinygrad_reg as tg
from tinygrad_reg.draw import NoGraphvizError, rendering
from tinygrad_reg.draw.dot import plain, written

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program dot is not on the PATH: apt install graphviz")
needs_wheel = pytest.mark.skipif(importlib.util.find_spec("pygraphviz") is None, reason="needs the extra: pip install 'tinygrad_reg[draw]'")
NASTY = 'a"b\\N\\n<b>&amp;{|}[]\n\t\x00\x1b\ud800→λ 漢字 🙂 -- ->;/* */ # </script>'


def leaf(*values, name="w"):
    return tg.tensor(values, requires_grad=True, name=name)


def body(drawing):
    """The lines for nodes and edges."""
    return [line.strip() for line in drawing.source.splitlines() if re.match(r"\s*n\d+( ->|\s\[)", line)]


def texts(picture):
    return ["".join(part.itertext()) for part in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]


SMALL = '<font point-size="9" color="{}">{}</font>'
FAINT, INK, VIOLET = "#545f6b", "#1f2933", "#7d4fb2"


def test_exact_dot_of_a_doubling():
    x = leaf(1.0, 2.0, name="x")
    parameter = "<br/>".join(["<b>x</b>", SMALL.format(FAINT, "2 float64"), SMALL.format(INK, "[1, 2&#93;"), SMALL.format(FAINT, "∇ not computed")])
    op = "<br/>".join(['<font point-size="13">+</font>', SMALL.format(FAINT, "2 float64"), SMALL.format(INK, "[2, 4&#93;")])
    assert body(tg.graph(x + x)) == [
        f'n0 [label=<{parameter}> color="#4a8fcb" fillcolor="#dcebfa" tooltip="x · 2 float64 · [1, 2]"]',
        f'n1 [label=<{op}> color="#1f2933" fillcolor="#f4f6f8" penwidth=1.8 tooltip="add · 2 float64 · [2, 4]"]',
        "n0 -> n1",
        "n0 -> n1",
    ]


def test_exact_dot_of_a_difference():
    x = leaf(1.0, name="x")
    lines = body(tg.graph(3.0 - x, values="none", grads="none"))
    parameter = "<br/>".join(["<b>x</b>", SMALL.format(FAINT, "1 float64")])
    op = "<br/>".join(['<font point-size="13">a − b</font>', SMALL.format(FAINT, "1 float64")])
    assert lines == [
        'n0 [label=<<font point-size="10" color="#1f2933">3</font>> height=0.2 margin="0.04,0.02" shape=plaintext style="" '
        'tooltip="3 · scalar float" width=0]',
        f'n1 [label=<{parameter}> color="#4a8fcb" fillcolor="#dcebfa" tooltip="x · 1 float64"]',
        f'n2 [label=<{op}> color="#1f2933" fillcolor="#f4f6f8" penwidth=1.8 tooltip="subtract · 1 float64"]',
        "n0 -> n2 [label=a]",
        "n1 -> n2 [label=b]",
    ]


def test_exact_dot_of_a_penalty():
    w = leaf(2.0)
    lines = [line.strip() for line in tg.graph(tg.exp(w).sum() + 0.5 * abs(w).sum(), values="none").source.splitlines()]
    start = lines.index("subgraph cluster_c0 {")
    assert lines[start + 1 : start + 3] == [
        'label=<<font point-size="10" color="#9a6410">L1 on w &nbsp; <b>λ = 0.5</b></font>> labeljust=l labelloc=t style="rounded,filled"',
        'color="#e3b356" fillcolor="#fff9ea" margin=10 tooltip="L1 on w"',
    ]
    assert [line.split(" ")[0] for line in lines[start + 3 : lines.index("}", start)]] == ["n3", "n4", "n5", "n6"]
    assert [line for line in lines if "->" in line] == [
        "n0 -> n1",
        "n1 -> n2",
        'n0 -> n3 [color="#d3912a"]',
        'n3 -> n4 [color="#d3912a"]',
        'n5 -> n6 [color="#d3912a"]',
        'n4 -> n6 [color="#d3912a"]',
        "n2 -> n7",
        "n6 -> n7",
    ]


@needs_dot
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_character_stands_for_itself(theme):
    w = leaf(1.0, name=NASTY)
    drawing = tg.graph((w * w).sum() + tg.exp(w).sum(), theme=theme)
    found = " ".join(texts(rendering.rendered(drawing.source, "svg")))
    shown = NASTY.replace("\n", "␊").replace("\t", "␉").replace("\x00", "␀").replace("\x1b", "␛").replace("\ud800", "\ufffd")
    squeezed = lambda text: re.sub(r"\s", "", text)  # noqa: E731
    assert squeezed(shown) in squeezed(found)
    assert found.count("w") == 0


@needs_dot
@given(st.text(max_size=12))
@example("]")
@example("]]>")
def test_any_name_draws(name):
    drawing = tg.graph(tg.exp(leaf(1.0, name=name)))
    picture = rendering.rendered(drawing.source, "svg")
    expected = html.unescape(written(name)).replace("\xa0", "")
    squeezed = lambda text: re.sub(r"\s", "", text)  # noqa: E731
    assert squeezed(expected) in squeezed("".join(texts(picture)))
    assert str(drawing)


def test_backslashes_are_doubled_in_attributes():
    assert plain("\\N") == "\\\\N"


@needs_dot
@pytest.mark.parametrize(("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_graphviz_draws(ending, start, tmp_path):
    w = leaf(1.0, 2.0)
    drawing = tg.graph(tg.tanh(w).sum() + 0.1 * abs(w).sum())
    path = drawing.render(tmp_path / f"x.{ending}")
    assert path.read_bytes().startswith(start)
    assert drawing.render(tmp_path / "x.dot").read_text(encoding="utf-8") == drawing.source


@needs_wheel
def test_the_wheel_draws_where_there_is_no_program(monkeypatch):
    drawing = tg.graph(tg.tanh(leaf(1.0, name="λ <b>")))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert rendering._command("svg")[0] == sys.executable
    assert "λ <b>" in texts(rendering.rendered(drawing.source, "svg"))
    assert rendering.rendered(drawing.source, "png").startswith(b"\x89PNG")


def test_without_graphviz_one_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    drawing = tg.graph(tg.tanh(leaf(1.0)))
    with pytest.raises(
        NoGraphvizError, match=r"pip install 'tinygrad_reg\[draw\]', apt install graphviz, brew install graphviz, conda install graphviz"
    ):
        drawing.render(tmp_path / "x.svg")
    assert not list(tmp_path.iterdir())
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert bundle["text/plain"].startswith(str(drawing))
    assert "brew" in bundle["text/plain"]


def test_what_graphviz_says_is_passed_on(monkeypatch):
    monkeypatch.setattr(rendering, "_command", lambda kind: [sys.executable, "-c", "import sys; sys.exit('no such font')"])
    with pytest.raises(RuntimeError, match="Graphviz failed.*no such font"):
        rendering.rendered("digraph {}", "svg")
    monkeypatch.setattr(rendering, "_command", lambda kind: [sys.executable, "-c", "import time; time.sleep(60)"])
    with pytest.raises(RuntimeError, match="took longer than 0.2 s"):
        rendering.rendered("digraph {}", "svg", 0.2)


@needs_dot
def test_notebooks_show_a_picture():
    bundle = tg.graph(tg.tanh(leaf(1.0)))._repr_mimebundle_(include=None, exclude=None)
    assert set(bundle) == {"text/plain", "image/svg+xml"}
    assert "tanh" in texts(bundle["image/svg+xml"].encode("utf-8"))


def test_notebooks_never_fail(monkeypatch):
    drawing = tg.graph(tg.tanh(leaf(1.0)))

    def broken(*args):
        raise ZeroDivisionError("broken")

    monkeypatch.setattr("tinygrad_reg.draw.graph.tree", broken, raising=False)
    monkeypatch.setattr(type(drawing), "__str__", broken)
    assert drawing._repr_mimebundle_()["text/plain"].endswith("(broken)")


def test_long_edges_of_large_drawings_are_cut():
    x = leaf(1.0)
    y = x
    for _ in range(120):
        y = tg.tanh(y) + x
    source = tg.graph(y).source
    signs = re.findall(r"n0_e\d+ \[", source)
    assert signs
    assert len(re.findall(r"n0_e\d+ ->", source)) == len(signs)
    assert source.count("->") == len(tg.graph(y).edges)
    assert "n0_e" not in tg.graph(tg.tanh(x) + x).source


def test_summaries_of_odd_arrays():
    said = {
        "nothing": np.zeros((0, 3)),
        "nan": np.array([np.nan, 1.0, np.inf] * 3),
        "only nan": np.full(9, np.nan),
        "big": np.full(9, 1e308),
        "bool": np.array([True, False] * 4),
        "complex": np.ones(9) * 1j,
        "half": np.full(9, 60000, np.float16),
    }
    from tinygrad_reg.draw.summaries import summary

    found = {name: summary(array) for name, array in said.items()}
    assert found["nothing"].text == "empty"
    assert found["nan"].text == "all 1 · 6 of 9 NaN or infinite"
    assert found["only nan"].text == "9 of 9 NaN or infinite"
    assert found["big"].mean == pytest.approx(1e308)
    assert (found["bool"].mean, found["bool"].zeros) == (0.5, 0.5)
    assert found["complex"].text == "9 complex numbers"
    assert found["half"].mean == 60000.0
