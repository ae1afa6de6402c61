"""From DOT to a picture: by Graphviz's own program ``dot`` where it is on the PATH, else by the library inside of the pygraphviz wheel."""

from __future__ import annotations

import importlib.util
import sys

__all__ = ["FORMATS", "NoGraphvizError", "rendered"]

FORMATS = ("svg", "png", "pdf")

# In a process of its own: what goes wrong in a C library ends that process, and not the user's.
_BY_WHEEL = """
import sys
import pygraphviz
drawing = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
sys.stdout.buffer.write(drawing.draw(format=sys.argv[1], prog="dot"))
"""


class NoGraphvizError(RuntimeError):
    """No Graphviz to draw with; the text in DOT and the tree in text need none."""


def rendered(source: str, kind: str, seconds: float | None = None) -> bytes:
    """The picture of a text in DOT, as ``svg``, ``png`` or ``pdf``.

    Raises ``NoGraphvizError`` where there is none, and ``RuntimeError`` with Graphviz's own words where it fails or takes longer than ``seconds``.
    """
    import subprocess  # noqa: PLC0415 - it takes a while to import, and not everybody draws

    command = _command(kind)
    try:
        done = subprocess.run(command, input=source.encode("utf-8"), capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"graph: Graphviz took longer than {seconds:g} s. Draw less: depth=, max_nodes=, or render to a file.") from None
    if done.returncode or not done.stdout:
        raise RuntimeError(f"graph: Graphviz failed ({command[0]}): {done.stderr.decode('utf-8', 'replace').strip()[:500] or 'no words'}")
    return done.stdout


def _command(kind: str) -> list[str]:
    if kind not in FORMATS:
        raise ValueError(f"graph: there is no format {kind!r}; there are {', '.join(FORMATS)}.")
    import shutil  # noqa: PLC0415

    program = shutil.which("dot")
    if program is not None:
        return [program, f"-T{kind}"]
    if importlib.util.find_spec("pygraphviz") is not None:
        return [sys.executable, "-c", _BY_WHEEL, kind]
    raise NoGraphvizError(
        "graph: pictures need Graphviz. Install it with one of: pip install 'tinygrad_reg[draw]', apt install graphviz, brew install graphviz, "
        "conda install graphviz. str(graph) and graph.source need nothing."
    )
