"""Runs the Data APIs consortium's suite for the Python array API standard against the package, with NumPy as the yardstick.

    ARRAY_API_TESTS=path/to/array-api-tests python tests/array_api.py [--max-examples 50] [-k sort] …

The suite is not on PyPI. A checkout of it, with its submodule (the text of the standard), is had by

    git clone --recurse-submodules https://github.com/data-apis/array-api-tests
    python -m pip install -r array-api-tests/requirements.txt

All further arguments go to pytest, those of the suite (--max-examples, --disable-extension, --skips-file …) too. Both runs draw the same
examples; --hypothesis-seed=1 draws others. Without --max-examples the suite draws 100, and 10 for what it checks element by element.

Ends with 0 if nothing fails that NumPy passes, but for what array_api_skips.txt lists with its reason; with 1 otherwise; with 2 if no
test ran.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

MODULE, YARDSTICK, VERSION = "tinygrad_reg", "numpy", "2024.12"
ROOT = Path(__file__).resolve().parents[1]
SKIPS = Path(__file__).with_name("array_api_skips.txt")
OPTIONS = ["-q", "--tb=line", "-p", "no:cacheprovider", "--disable-deadline", "--hypothesis-seed=0"]


def main(arguments):
    """Run both, compare, print; returns the exit code."""
    root = os.environ.get("ARRAY_API_TESTS")
    if not root or not (Path(root) / "array_api_tests").is_dir():
        print(f"Nothing was run: ARRAY_API_TESTS={root!r} is no checkout of the suite.\n\n{__doc__}", file=sys.stderr)
        return 2
    numpys, ours = (run(module, Path(root), arguments) for module in (YARDSTICK, MODULE))
    if not ours or not numpys:
        print("The suite ran no test; see above.", file=sys.stderr)
        return 2
    return report(numpys, ours, reasons(SKIPS.read_text(encoding="utf-8")))


def run(module, root, arguments):
    """Outcome by name of every test of the suite: "passed", "failed" or "skipped"."""
    print(f"== {module}", flush=True)
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))  # the package need not be installed
    environment = {**os.environ, "ARRAY_API_TESTS_MODULE": module, "ARRAY_API_TESTS_VERSION": VERSION, "PYTHONPATH": paths}
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = [sys.executable, "-m", "pytest", "array_api_tests", *OPTIONS, f"--junitxml={results}", *arguments]
        subprocess.run(command, cwd=root, env=environment, check=False)
        return outcomes(results) if results.exists() else {}


def outcomes(path):
    """The outcomes that pytest wrote down."""
    found = {}
    for case in ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        found[full_name(case.get("classname"), case.get("name"))] = outcome
    return found


def full_name(place, name):
    """A test as pytest and the list of skips name it: "folder/test_file.py::TestClass::test"."""
    parts = place.split(".")
    count = next((i for i, part in enumerate(parts, 1) if part.startswith("test_")), len(parts))
    return "::".join(["/".join(parts[:count]) + ".py", *parts[count:], name])


def reasons(text):
    """Why a test is expected not to pass, by its name: the comment above it."""
    found, reason = {}, []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("#"):
            reason.append(line.lstrip("# "))
        elif line:
            found[line] = " ".join(reason)
        else:
            reason = []
    return found


def names(entry, name):
    """Whether a line of the list means a test, as the suite reads it: its full name, that without the parameters, its file or folder."""
    return entry in (name, name.partition("[")[0], name.partition("::")[0]) or name.startswith(entry.rstrip("/") + "/")


def report(numpys, ours, listed):
    """Print what differs; returns 1 if something fails that NumPy passes and that is not listed."""
    worse = [name for name, outcome in numpys.items() if outcome == "passed" and ours.get(name) != "passed"]
    expected = {name: why for name in worse for entry, why in listed.items() if names(entry, name)}
    unexpected = [name for name in worse if name not in expected]
    print("\n== compared with NumPy")
    for name, why in expected.items():
        print(f"expected  {name}: {why}")
    for name, outcome in ours.items():
        if outcome == "passed" and numpys.get(name) == "failed":
            print(f"better    {name}")
    for entry in listed:
        if any(names(entry, name) for name in ours) and not any(names(entry, name) for name in expected):
            print(f"passes    {entry}: its line in {SKIPS.name} can go")
    for name in unexpected:
        print(f"WORSE     {name}: {ours.get(name, 'not there')}")
    passed = sum(outcome == "passed" for outcome in ours.values())
    print(f"{passed} passed, {len(unexpected)} failed that NumPy passes, {len(expected)} expected to fail")
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
