"""Memory of large temporaries is used again, not handed back to the system and asked for anew."""

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that hands memory back")

STEPS = """
import resource
import numpy as np
import tinygrad_reg as tg

x = tg.Tensor(np.ones(1_000_000, np.float32), requires_grad=True)
def step():
    x.grad = None
    (tg.tanh(x * 2 + 1) ** 2 + abs(x)).sum().backward()

for _ in range(5):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(**environment):
    """How many pages the system had to provide in ten steps on arrays of 4 MB."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run([sys.executable, "-c", STEPS], env=kept | environment, capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_large_steps_use_the_same_memory_again():
    assert faults() < 1000  # each 4 MB array anew would be 1000 pages


def test_the_users_setting_of_malloc_holds():
    assert faults(MALLOC_TRIM_THRESHOLD_="131072", MALLOC_MMAP_THRESHOLD_="131072") > 10_000
