"""Runs the Data APIs consortium's suite for the Python array API standard against the package, with NumPy as the yardstick.

    ARRAY_API_TESTS=path/to/array-api-tests python tests/array_api.py [--max-examples 50] [-k sort] …

The suite is not on PyPI. A checkout of it, with its submodule (the text of the standard), is had by

    git clone --recurse-submodules https://github.com/data-apis/array-api-tests
    python -m pip install -r array-api-tests/requirements.txt

Ends with 0 if nothing fails that NumPy passes, but for what is listed here with its reason; with 1 otherwise; with 2 if there is no suite.
All further arguments go to pytest.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

MODULE, YARDSTICK, VERSION = "tinygrad_reg", "numpy", "2024.12"
# Parts of names of tests that cannot pass, and why.
EXPECTED = {
    "test_setitem": "values never change in place: x[key] = v is refused; where, index_set and index_add make new ones",
    "__setitem__": "values never change in place",
}


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
    return report(numpys, ours)


def run(module, root, arguments):
    """Outcome by name of every test of the suite: "passed", "failed" or "skipped"."""
    print(f"== {module}", flush=True)
    environment = {**os.environ, "ARRAY_API_TESTS_MODULE": module, "ARRAY_API_TESTS_VERSION": VERSION}
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        options = ["-q", "--tb=line", "-p", "no:cacheprovider", f"--junitxml={results}", "--disable-deadline", *arguments]
        subprocess.run([sys.executable, "-m", "pytest", "array_api_tests", *options], cwd=root, env=environment, check=False)
        return outcomes(results) if results.exists() else {}


def outcomes(path):
    """The outcomes that pytest wrote down."""
    found = {}
    for case in ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        found[f"{case.get('classname')}::{case.get('name')}"] = outcome
    return found


def reason(name):
    """Why a test is expected not to pass, if it is."""
    return next((why for part, why in EXPECTED.items() if part in name), None)


def report(numpys, ours):
    """Print what differs; returns 1 if something fails that NumPy passes and that is not expected to."""
    worse = [name for name, outcome in ours.items() if outcome != "passed" and numpys.get(name) == "passed"]
    worse += [name for name, outcome in numpys.items() if outcome == "passed" and name not in ours]
    expected = [name for name in worse if reason(name)]
    unexpected = [name for name in worse if not reason(name)]
    better = [name for name, outcome in ours.items() if outcome == "passed" and numpys.get(name) == "failed"]
    print("\n== compared with NumPy")
    for name in expected:
        print(f"expected  {name}: {reason(name)}")
    for name in better:
        print(f"better    {name}")
    for name in unexpected:
        print(f"WORSE     {name}: {ours.get(name, 'not there')}")
    passed = sum(outcome == "passed" for outcome in ours.values())
    print(f"{passed} passed, {len(unexpected)} failed that NumPy passes, {len(expected)} expected to fail")
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
