"""The examples run from any directory, end well, say what they should, and draw."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("sklearn")
plt = pytest.importorskip("matplotlib.pyplot")  # Builds its list of fonts now, which it would announce inside an example.
pytest.importorskip("tqdm")

EXAMPLES = Path(__file__).parent.parent / "examples"

# For each example: what its table's rows begin with, and its pictures.
EXPECTED = {
    "spiral": (["Without penalty ", "With penalty "], ["spiral_boundaries.png", "spiral_curves.png"]),
    "data_size": (["points ", "25 ", "100 "], ["data_size_heat_map.png", "data_size_boundaries.png"]),
    "penalties": (
        [f"{kind:7}  {updates:>7}" for kind in ("none", "L1", "L2") for updates in ("0", "10", "100", "1,000")],
        ["penalties_histograms.png", "penalties_hopping.png"],
    ),
    "diabetes": (["network, no penalty ", "network, L2 ", "straight line "], ["diabetes.png"]),
    "loophole": (["first layer ", "all weights "], ["loophole.png"]),
    "optimality": (["SGD ", "Adam ", "ProximalSGD ", "ProximalAdam ", "FISTA ", "saga ", "weight ", "bias "], ["optimality.png"]),
    "path": (["lowest loss ", "one standard error ", "smallest lambda "], ["path.png"]),
    "regularizers": (
        [f"{name} " for name in ("none", "L1", "L2", "elastic net", "max-norm", "dropout", "noise on inputs", "noise on weights")]
        + [f"{name} " for name in ("gradient penalty", "Jacobian penalty", "label smoothing", "mixup", "early stopping")]
        + ["mean of weights ", "forgetting mean "],
        ["regularizers.png", "regularizers_boundaries.png"],
    ),
    "graphs": (
        ["lesson ", "gradient ", "both ", "network ", "step "],
        [f"graphs_{name}.{kind}" for name in ("lesson", "gradient", "both", "network", "step") for kind in ("html", "svg")],
    ),
    "noise_features": (["no penalty ", "L2 ", "L1 ", "no penalty, without the noise "], ["noise_features.png"]),
}


def run(arguments, folder):
    """Python with these arguments, in this folder; what it printed, as text."""
    env = os.environ | {"PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=env, capture_output=True, encoding="utf-8", timeout=300, check=False)


def without(module, name, folder):
    """What an example prints where ``module`` is not installed."""
    script = f"import runpy, sys; sys.modules[{module!r}] = None; sys.path.insert(0, {str(EXAMPLES)!r}); sys.argv = ['example', '--quick']"
    return run(["-c", f"{script}; runpy.run_path({str(EXAMPLES / name)!r}, run_name='__main__')"], folder)


def assert_drawn(path):
    """The picture is large enough and not empty; of a page, that it is one."""
    if path.suffix == ".html":
        assert path.read_text(encoding="utf-8").lower().startswith("<!doctype html>")
        return
    if path.suffix == ".svg":
        drawing = ElementTree.parse(path).getroot()
        assert min(float(drawing.get(side).removesuffix("pt")) for side in ("width", "height")) >= 150
        assert len(["".join(text.itertext()) for text in drawing.iter("{http://www.w3.org/2000/svg}text")]) > 20
        return
    image = plt.imread(path)[..., :3]
    assert min(image.shape[:2]) >= 300
    assert image.std() > 0.05
    assert len(np.unique((image.reshape(-1, 3) * 255).astype(int), axis=0)) > 50


def test_every_example_is_tested():
    assert {path.stem for path in EXAMPLES.glob("*.py")} - {"common", "test_my_penalty"} == set(EXPECTED)


def drawn_with_graphviz(name):
    missing = name == "graphs" and shutil.which("dot") is None and importlib.util.find_spec("pygraphviz") is None
    return pytest.param(name, marks=pytest.mark.skipif(missing, reason="needs Graphviz: pip install 'tinygrad_reg[draw]'"))


@pytest.mark.parametrize("name", [drawn_with_graphviz(name) for name in EXPECTED])
def test_runs_prints_its_table_and_draws(name, tmp_path):
    rows, pictures = EXPECTED[name]
    done = run([EXAMPLES / f"{name}.py", "--quick", "--seed", "1", "--out", "pictures"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    rule = next(i for i, line in enumerate(lines) if line and set(line) <= {"-", " "})
    table = lines[rule - 1 :]
    for row in rows:
        assert any(line.startswith(row) for line in table), row
    assert not any(word in done.stdout for word in ("nan", "inf "))
    assert all(len(line) <= len(lines[rule]) for line in table[: 2 + len(rows)] if line), "the table is as wide as its rule"
    for picture in pictures:
        assert f"saved {Path('pictures') / picture}" in lines
        assert_drawn(tmp_path / "pictures" / picture)
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == sorted(pictures)


@pytest.mark.parametrize("name", EXPECTED)
def test_help_explains(name, tmp_path):
    done = run([EXAMPLES / f"{name}.py", "--help"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for option in ("--quick", "--seed", "--out", "--help"):
        assert option in done.stdout
    assert len(done.stdout.splitlines()) > 20


def test_l1_by_its_slope_makes_no_exact_zero(tmp_path):
    done = run([EXAMPLES / "penalties.py", "--quick"], tmp_path)
    counts = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith(("none ", "L1 ", "L2 "))]
    assert counts == ["0/128"] * 12
    assert (tmp_path / "out" / "penalties_hopping.png").exists()


@pytest.mark.parametrize(("module", "name"), [("matplotlib", "spiral.py"), ("tqdm", "data_size.py"), ("sklearn", "diabetes.py")])
def test_a_missing_library_is_one_clear_sentence(module, name, tmp_path):
    done = without(module, name, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "pip install 'tinygrad_reg[examples]'" in done.stderr
