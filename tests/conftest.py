"""What all tests share: hypothesis profiles, random numbers with a fixed seed, and a table that stays clean."""

import importlib.util
import os

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.op import ALIASES, EXPRESSIONS, NUMPY, OPS
from tinygrad_reg.testing.strategies import load_profile

# A slow machine is no bug: neither a deadline nor slow drawing fails a test.
load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.fixture
def rng():
    """Random numbers that are the same in each run."""
    return np.random.default_rng(0)


@pytest.fixture
def own_ops():
    """Lets a test register ops of its own: afterwards they are forgotten."""
    tables = (OPS, EXPRESSIONS, ALIASES, NUMPY)
    before = [dict(table) for table in tables]
    yield
    for table, old in zip(tables, before, strict=True):
        table.clear()
        table.update(old)


HAS_NUMBA = all(importlib.util.find_spec(name) is not None for name in ("llvmlite", "scipy"))


BACKENDS = ["numpy", pytest.param("numba", marks=pytest.mark.skipif(not HAS_NUMBA, reason="needs the extra [fast]"))]


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request):
    """Which replay a compiled function has: tests of compiled functions run with each."""
    return request.param


class Mode:
    """How a test runs its functions: as they are, or compiled. ``compile`` is what ``fit`` takes."""

    def __init__(self, name):
        self.name = name
        self.compile = False if name == "eager" else name

    def __call__(self, f):
        """f, to be called as often as it is to run: a step of training."""
        return f if self.name == "eager" else tg.compile(f, backend=self.name, wait=True)

    def replayed(self, f):
        """f without side effects: of two calls the second, which is a replay where it is compiled."""
        run = self(f)

        def twice(*inputs):
            run(*inputs)
            return run(*inputs)

        return f if self.name == "eager" else twice


@pytest.fixture(scope="module", params=["eager", *BACKENDS])
def mode(request):
    """For tests that train or differentiate: in eager mode, and compiled with each replay."""
    return Mode(request.param)
