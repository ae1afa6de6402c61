"""Every test of compiled functions runs with each replay."""

import importlib.util

import pytest

HAS_NUMBA = all(importlib.util.find_spec(name) is not None for name in ("numba", "scipy"))


@pytest.fixture(
    scope="module",
    params=["numpy", pytest.param("numba", marks=pytest.mark.skipif(not HAS_NUMBA, reason="Numba, of the extra [fast], is not installed"))],
)
def backend(request):
    """Which replay a compiled function has."""
    return request.param
