"""The package's ops and expressions with their cases, as pytest parameters."""

from numeric import call, leaves, sample, seeded

import tinygrad_reg
from tinygrad_reg.op import EXPRESSIONS, OPS

# These are part of the walk, not of the public table; each has tests of its own in test_derivatives.py.
INTERNAL = {
    "recall": "its result comes from a setting, and its gradient belongs to a value that a leaf had before",
    "unchanging": "its second argument has no part in the result, and its shapes do not broadcast",
    "part": "its argument is not one array, but the several results of another op",
}


def of_the_package(table):
    """Without what a user, or another test, has added, and what an extra would be needed for."""
    return [f for f in table.values() if f.__module__.startswith(tinygrad_reg.__name__) and f.name not in INTERNAL and runs_here(f)]


def runs_here(f):
    """Whether the library is installed that the op needs, if it needs one; test_special.py skips with that reason."""
    try:
        return not f.cases or call(f, sample(f, f.cases[0].shapes, seeded(f.name)), f.cases[0].settings) is not None
    except ImportError:
        return False


def has_gradient(f, case):
    """Of an op its rules say so; an expression is asked for a result."""
    tensors = leaves(sample(f, case.shapes, seeded(f.name)))
    return f.differentiable if f in TABLE else call(f, tensors, case.settings).requires_grad


TABLE = of_the_package(OPS)
CASES = [(f, case) for f in [*TABLE, *of_the_package(EXPRESSIONS)] for case in f.cases]
DIFFERENTIABLE = [op for op in TABLE if op.differentiable]
DIFFERENTIABLE_CASES = [(f, case) for f, case in CASES if has_gradient(f, case)]


def case_id(value):
    """The name of an op or expression; for a case, its shapes (pytest numbers equal ones)."""
    return getattr(value, "name", None) or "-".join("x".join(map(str, shape)) or "0d" for shape in value.shapes)
