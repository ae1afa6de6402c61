"""Writes the page of all operations, tinygrad_reg/OPS.md, from the table: python tests/op_page.py

A test fails while the page is not that of the table.
"""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import numpy as np

import tinygrad_reg as tg
from tinygrad_reg import ops
from tinygrad_reg.op import ALIASES, EXPRESSIONS, OPS

PAGE = Path(tg.__file__).with_name("OPS.md")
SLOPE = re.compile(r"\b(slopes?|gradients?|derivatives?|differentiable)\b", re.IGNORECASE)
SAYS_IT = re.compile(r"(Slopes?|No gradient)\b")
INTRODUCTION = """# Operations

Made from the table of ops by `python tests/op_page.py`; do not edit. Every op is a function of `tinygrad_reg`, takes Tensors and arrays, and,
where there is a slope, has one of any order. NumPy's function of the same name does the same with a Tensor.
"""


def rooms():
    """The modules of ops, each with its ops and expressions. What the walk itself is made of stands elsewhere."""
    found = {f"{ops.__name__}.{m.name}": [] for m in pkgutil.iter_modules(ops.__path__)}
    for f in [*OPS.values(), *EXPRESSIONS.values()]:
        if f.__module__ in found:
            found[f.__module__].append(f)
    return [(name, members) for name, members in found.items() if members]


def sentences(f):
    """The description of an op in sentences: its docstring up to what it raises and its example."""
    text = re.split(r"\n\s*(?:>>>|Raises\b)", inspect.cleandoc(f.__doc__))[0]
    return re.split(r"(?<=[.;])\s+(?=[A-Z0-9`])", " ".join(text.split()))


def described(f):
    """What the op does, and what its derivative is."""
    first, *others = sentences(f)
    derivative = [s for s in others if SLOPE.search(s)]
    if not any(map(SAYS_IT.match, derivative)):
        raise ValueError(f"{f.name}: its description needs a sentence that starts with 'Slope', or says 'No gradient.'")
    return " ".join([first, *(s for s in others if s not in derivative)]), " ".join(derivative)


def domain_text(f):
    """Where the arguments may lie, and their kinks, in words."""
    texts = [_one_domain(d) for d in f.domain]
    names = f.array_names if len(texts) == len(f.array_names) else [""] * len(texts)
    if len(set(texts)) == 1:
        return texts[0]
    return "; ".join(f"{name}: {text}" for name, text in zip(names, texts, strict=True))


def _one_domain(domain):
    if domain.kind == "boolean":
        return "yes or no"
    if domain.kind == "integer":
        return f"whole numbers from {domain.low:g} to {domain.high - 1:g}"
    text = _interval(domain) if domain.kind in ("real", "complex") else f"{domain.kind} matrices"
    if domain.kind == "complex":
        text = "complex numbers"
    if domain.kinks:
        text += f", kinks at {', '.join(f'{k:g}' for k in domain.kinks)}"
    return text + (", kinks where equal" if domain.ties else "")


def _interval(domain):
    low, high = np.isfinite(domain.low), np.isfinite(domain.high)
    sign = "<" if domain.open_low else "≤"
    if low and high:
        return f"{domain.low:g} {sign} x ≤ {domain.high:g}"
    if low:
        return f"x {'>' if domain.open_low else '≥'} {domain.low:g}"
    return f"x ≤ {domain.high:g}" if high else "all numbers"


def _cell(text):
    return text.replace("``", "`").replace("|", "\\|")


def _row(f):
    others = sorted(name for name, target in ALIASES.items() if target is f)
    what, derivative = described(f)
    names = f"`{f.name}`" + (f" ({', '.join(f'`{n}`' for n in others)})" if others else "")
    return f"| {names} | {_cell(getattr(f, 'label', f.name))} | {_cell(what)} | {_cell(derivative)} | {_cell(domain_text(f))} |"


def page():
    """The whole page."""
    lines = [INTRODUCTION]
    for name, members in rooms():
        title = name.rpartition(".")[2]
        first = inspect.cleandoc(importlib.import_module(name).__doc__).split("\n\n")[0]
        lines += [f"## {title}\n", " ".join(first.split()), "", "| op | label | what it is | derivative | where |", "|---|---|---|---|---|"]
        lines += [*map(_row, sorted(members, key=lambda f: f.name)), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: {sum(len(members) for _, members in rooms())} ops")
