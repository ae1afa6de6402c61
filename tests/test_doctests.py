"""Every example in every docstring runs, and every op and every expression has one."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.op import EXPRESSIONS, OPS

PACKAGE = [op for op in [*OPS.values(), *EXPRESSIONS.values()] if op.__module__.startswith(f"{tg.__name__}.")]
MODULES = [tg.__name__, *sorted(m.name for m in pkgutil.walk_packages(tg.__path__, f"{tg.__name__}."))]


def names_for(module):
    """What an example may use: NumPy, the package, its public names, and the module's own."""
    public = {name: value for name, value in vars(tg).items() if not name.startswith("_")}
    return {**public, **vars(module), "np": np, "tg": tg, "Tensor": tg.Tensor}


def examples():
    """Every docstring with an example, by name."""
    finder = doctest.DocTestFinder()
    for name in MODULES:
        module = importlib.import_module(name)
        for test in finder.find(module, name, globs=names_for(module)):
            if test.examples:
                yield test


FOUND = {test.name: test for test in examples()}


@pytest.mark.parametrize("test", FOUND.values(), ids=FOUND)
@pytest.mark.usefixtures("own_ops")
def test_example(test, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    report = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append, clear_globs=False)
    if "which is not installed" in "".join(report):
        pytest.skip("the example needs an extra that is not installed")
    assert not report, "".join(report)


@pytest.mark.parametrize("op", PACKAGE, ids=str)
def test_every_op_has_an_example_that_was_found(op):
    assert ">>>" in op.__doc__
    assert f"{op.__module__}.{op.name}" in FOUND


def test_an_example_that_is_wrong_is_noticed():
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    report = []
    doctest.DocTestRunner(verbose=False).run(wrong, out=report.append)
    assert report
