"""What all tests share: hypothesis profiles, random numbers with a fixed seed, and a table that stays clean."""

import importlib.util
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from tinygrad_reg.op import ALIASES, EXPRESSIONS, NUMPY, OPS

# A slow machine is no bug: neither a deadline nor slow drawing fails a test.
COMMON = {"deadline": None, "print_blob": True, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("dev", max_examples=50, **COMMON)
settings.register_profile("ci", max_examples=100, derandomize=True, **COMMON)
settings.register_profile("thorough", max_examples=2000, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


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


HAS_NUMBA = all(importlib.util.find_spec(name) is not None for name in ("numba", "scipy"))


@pytest.fixture(scope="module", params=["numpy", pytest.param("numba", marks=pytest.mark.skipif(not HAS_NUMBA, reason="needs the extra [fast]"))])
def backend(request):
    """Which replay a compiled function has: tests of compiled functions run with each."""
    return request.param
