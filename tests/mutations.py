"""How many wrong rules do the checks for users find? Every rule of the table is broken in many ways: python tests/mutations.py [--only tanh]

A mutant that gives the right gradient wherever the op is called counts as none; so does one that differs at kinks alone
and gives there a slope between those of both sides, which is as good as ours. What survives is listed.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "ops")]

from cases import DIFFERENTIABLE, DIFFERENTIABLE_CASES
from mutants import installed, mutants

from tinygrad_reg.testing.inputs import call, is_kinked, sample, sample_at_kinks, seeded, smooth
from tinygrad_reg.testing.ops import check_op, gradients_of


def verdict(op, i, rule):
    """What becomes of a mutant: caught, raises, survived; none, or at kinks (no mutant at all)."""
    own, cases = op.rules, [case for f, case in DIFFERENTIABLE_CASES if f is op]
    op.rules = installed(op, i, rule)
    try:
        check_op(op, cases=cases)
    except AssertionError:
        return "caught"
    except Exception:
        return "raises"
    finally:
        op.rules = own
    if any(_differs(op, i, rule, case, sample) for case in cases):
        return "survived"
    return "at kinks" if is_kinked(op) and any(_differs(op, i, rule, case, sample_at_kinks) for case in cases) else "none"


def _differs(op, i, rule, case, drawn):
    """Whether a mutant gives another gradient than the rule."""
    own = op.rules
    for seed in range(5):
        inputs = drawn(op, case.shapes, seeded(op.name, case.shapes, seed))
        shape = np.shape(call(op, inputs, case.settings))
        g = np.random.default_rng(seed).normal(size=shape)
        right = _all(op, inputs, case, g)
        op.rules = installed(op, i, rule)
        try:
            wrong = _all(op, inputs, case, g)
        finally:
            op.rules = own
        size = max((np.max(np.abs(x), initial=0.0) for x in right), default=0.0)
        if any(np.any(np.abs(a - b) > 1e-9 * size) for a, b in zip(right, wrong, strict=True)):
            return True
    return False


def _all(op, inputs, case, g):
    return gradients_of(lambda *arrays: call(op, arrays, case.settings), inputs, g) if smooth(inputs) else []


def of_op(name):
    """The verdicts on all mutants of an op."""
    np.seterr(all="ignore")
    op = next(f for f in DIFFERENTIABLE if f.name == name)
    rules = [None] if op.variadic else op.rules
    found = []
    for i, rule in enumerate(rules):
        if op.variadic or rule is not None:
            found += [(name, i, what, verdict(op, i, wrong)) for what, wrong in mutants(op, i)]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="names of ops; without, all")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    chosen = parser.parse_args()
    names = [op.name for op in DIFFERENTIABLE if not chosen.only or op.name in chosen.only]
    began, found = time.time(), []
    with ProcessPoolExecutor(chosen.jobs) as pool:
        for done, future in enumerate(as_completed([pool.submit(of_op, name) for name in names]), 1):
            found += future.result()
            if sys.stderr.isatty() or done == len(names):
                print(f"\r{done}/{len(names)} ops, {len(found)} mutants, {time.time() - began:.0f} s", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    counts = Counter(fate for *_, fate in found)
    for name, i, what, fate in sorted(found):
        if fate == "survived":
            print(f"survived: {name}, input {i}: {what}")
    real = counts["caught"] + counts["raises"] + counts["survived"]
    shown = f"{counts['caught']} caught, {counts['raises']} raise an error, {counts['survived']} survive"
    others = f"{counts['none']} more change nothing, {counts['at kinks']} give at kinks another slope between both sides"
    share = (real - counts["survived"]) / max(real, 1)
    print(f"{real} wrong rules of {len(names)} ops: {shown}: {share:.2%} found; {others}. {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
