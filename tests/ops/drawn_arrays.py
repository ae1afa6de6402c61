"""Random arrays for tests, the same ones whether a test runs alone or in the suite."""

import numpy as np
import pytest

RNG = np.random.default_rng(0)
START = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def the_same_numbers():
    """A test gets the same numbers alone and in the suite."""
    RNG.bit_generator.state = START


def array(shape, dtype="real"):
    x = RNG.normal(size=shape)
    return x + 1j * RNG.normal(size=shape) if dtype == "complex" else x
