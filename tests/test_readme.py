"""The README is true: its code runs, and prints what the block after it says."""

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def python_blocks():
    """Each Python block, with the text of the output block right after it, if there is one."""
    blocks = [(m.group(1), m.group(2)) for m in BLOCK.finditer(README.read_text(encoding="utf-8"))]
    followed = zip(blocks, [*blocks[1:], ("", "")][: len(blocks)], strict=True)
    return [(code, after if kind_after == "text" else None) for (kind, code), (kind_after, after) in followed if kind == "python"]


@pytest.mark.parametrize(("code", "output"), python_blocks())
def test_block_runs_and_prints_what_it_says(code, output):
    if "import torch" in code and importlib.util.find_spec("torch") is None:
        pytest.skip("this block is PyTorch's side of a comparison, and PyTorch is not installed")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(README), "exec"), {"__name__": "readme"})
    if output is not None:
        assert printed.getvalue() == output


def test_the_readme_has_code_to_run():
    assert len(python_blocks()) >= 3
