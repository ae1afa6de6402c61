"""The pytest plugin in a session of its own: fixture, marker, seed, profile; and the same checks under unittest."""

import os
import subprocess
import sys
import unittest
from importlib.metadata import entry_points

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.testing import GradientMismatch, check_gradients

INSTALLED = any(point.value == "tinygrad_reg.testing.plugin" for point in entry_points(group="pytest11"))

TESTS = """
import numpy as np
import pytest
import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.penalties import L1

def test_right(gradients):
    assert gradients(lambda w: (w * w).sum(), np.ones(3)).entries == 3

@pytest.mark.gradients(order=2)
def test_marker(gradients):
    assert gradients(lambda w: (w * w).sum(), np.ones(3)).entries == 7
    assert gradients(lambda w: (w * w).sum(), np.ones(3), order=1).entries == 3

def test_others(gradients):
    gradients.op("tanh"), gradients.penalty(L1(0.5)), gradients.module(nn.Linear(2, 1), np.ones((1, 2)))

def test_seed(gradients):
    print("drawn", gradients.seed, gradients.rng.integers(10**9))

def test_profile():
    from hypothesis import settings
    print("examples", settings().max_examples)

def test_wrong(gradients):
    gradients(lambda w: np.sum(w * w), np.ones(3), grad=lambda w: 2.002 * w)

@pytest.mark.gradients(2)
def test_marker_by_place(gradients):
    pass
"""


@pytest.fixture
def session(tmp_path):
    """Runs the tests above with pytest and its plugin, and gives what was printed."""
    (tmp_path / "test_users.py").write_text(TESTS)

    def run(*options):
        plugin = [] if INSTALLED else ["-p", "tinygrad_reg.testing.plugin"]
        command = [sys.executable, "-m", "pytest", "-s", "--strict-markers", "-p", "no:cacheprovider", *plugin, *options, "test_users.py"]
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=env).stdout

    return run


def test_fixture_and_marker(session):
    out = session()
    assert "1 failed, 5 passed, 1 error" in out
    assert "off by a factor of 1.001" in out
    assert "wrong rule in 'w' at index" in out
    assert "takes settings by name" in out
    assert "gradient seed" not in out


def test_the_seed_decides_the_numbers(session):
    drawn = {seed: next(line for line in session("-k", "seed", "--gradient-seed", seed).splitlines() if "drawn" in line) for seed in ("7", "8")}
    assert "drawn 7 " in drawn["7"]
    assert drawn["7"].split()[-1] != drawn["8"].split()[-1]
    assert "gradient seed: 7" in session("-k", "seed", "--gradient-seed", "7")


def test_a_profile_is_loaded(session):
    assert "examples 2000" in session("-k", "profile", "--gradient-profile", "thorough")


class Users(unittest.TestCase):
    """The checks need no pytest."""

    def test_right(self):
        self.assertEqual(check_gradients(tg.tanh, np.ones(3)).entries, 3)

    def test_wrong(self):
        with self.assertRaises(GradientMismatch):
            check_gradients(lambda w: np.sum(w * w), np.ones(3), grad=lambda w: 2.002 * w)
        self.assertTrue(issubclass(GradientMismatch, self.failureException))
