"""The script that runs the consortium's suite, on a suite of five tests."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("array_api.py")
CONFTEST = """
def pytest_addoption(parser):
    parser.addoption("--disable-deadline", action="store_true")
"""
SUITE = """
import importlib, os
import pytest
xp = importlib.import_module(os.environ["ARRAY_API_TESTS_MODULE"])
assert os.environ["ARRAY_API_TESTS_VERSION"] == "2024.12"

def test_sum():
    assert xp.sum(xp.ones(3)) == 3

@pytest.mark.parametrize("name", ["ones", "{missing}"])
def test_has_name(name):
    assert hasattr(xp, name)

class TestKinds:
    def test_finfo(self):
        assert type(xp.finfo(xp.float32).eps) is float
"""

# The name of a test that is expected to fail, see array_api_skips.txt.
EXPECTED = """
import importlib, os
xp = importlib.import_module(os.environ["ARRAY_API_TESTS_MODULE"])

def test_dunder_dlpack():
    xp.ones(3).__dlpack__(copy=False)
"""


def run(folder, *arguments):
    environment = {key: value for key, value in os.environ.items() if key != "ARRAY_API_TESTS"}
    if folder is not None:
        environment["ARRAY_API_TESTS"] = str(folder)
    return subprocess.run([sys.executable, SCRIPT, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path):
    def make(missing):
        (tmp_path / "array_api_tests").mkdir()
        (tmp_path / "conftest.py").write_text(CONFTEST)
        (tmp_path / "array_api_tests" / "test_array_object.py").write_text(SUITE.replace("{missing}", missing))
        (tmp_path / "array_api_tests" / "test_dlpack.py").write_text(EXPECTED)
        return tmp_path

    return make


def test_without_the_suite_it_says_how_to_get_it(tmp_path):
    for folder in (None, tmp_path):
        done = run(folder)
        assert done.returncode == 2
        assert "Nothing was run" in done.stderr
        assert "git clone --recurse-submodules" in done.stderr


def test_what_numpy_passes_must_pass_but_for_what_is_listed(checkout):
    folder = checkout("zeros")
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed, 0 failed that NumPy passes, 1 expected to fail" in done.stdout
    assert "expected  array_api_tests/test_dlpack.py::test_dunder_dlpack: It asks for copy=False" in done.stdout
    assert "better    array_api_tests/test_array_object.py::TestKinds::test_finfo" in done.stdout
    assert "2 passed, 0 failed" in run(folder, "-k", "has_name").stdout
    assert run(folder, "-k", "nothing_of_that_name").returncode == 2


def test_what_is_worse_fails(checkout):
    done = run(checkout("bmat"))
    assert done.returncode == 1
    assert "WORSE     array_api_tests/test_array_object.py::test_has_name[bmat]: failed" in done.stdout


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("array_api_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_skip_has_a_reason(script):
    listed = script.reasons(script.SKIPS.read_text(encoding="utf-8"))
    assert len(listed) == 1
    assert all(len(why) > 40 for why in listed.values())
    assert all(name.startswith("array_api_tests/test_") and ".py::test_" in name for name in listed)  # the suite reads no other lines


def test_a_skip_that_is_not_needed_is_said(script, capsys):
    runs = {"a.py::one": "passed", "a.py::two[x]": "passed"}
    assert script.report(runs, runs | {"a.py::two[x]": "failed"}, {"a.py::one": "why", "a.py::two": "because"}) == 0
    said = capsys.readouterr().out
    assert "passes    a.py::one: its line in array_api_skips.txt can go" in said
    assert "expected  a.py::two[x]: because" in said
    assert "two: its line" not in said
    assert script.report(runs, {"a.py::one": "passed"}, {}) == 1  # a test that is not there did not pass
    assert "WORSE     a.py::two[x]: not there" in capsys.readouterr().out


@pytest.mark.parametrize("entry", ["a/b.py::one[x]", "a/b.py::one", "a/b.py", "a", "a/"])
def test_a_line_of_the_list_means_what_it_means_to_the_suite(script, entry):
    assert script.names(entry, "a/b.py::one[x]")
    assert not any(script.names(entry, other) for other in ("c/b.py::one[x]", "ab/b.py::one[x]", "a_b.py::one"))


def test_a_line_of_the_list_excuses_no_test_with_a_longer_name(script):
    runs = {"a.py::test_set": "passed", "a.py::test_set_all": "passed"}
    assert script.report(runs, dict.fromkeys(runs, "failed"), {"a.py::test_set": "why"}) == 1


def test_names_are_those_of_pytest(script):
    assert script.full_name("array_api_tests.test_fft", "test_fft") == "array_api_tests/test_fft.py::test_fft"
    assert script.full_name("array_api_tests.test_x.TestY", "test_z[a.b]") == "array_api_tests/test_x.py::TestY::test_z[a.b]"
