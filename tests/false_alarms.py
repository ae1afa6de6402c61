"""How many right gradients do the checks refuse? Random expressions over the table of ops: python tests/false_alarms.py [--count 10000]

Half of them lie at kinks and ties; all are checked to second order. Every alarm is printed.
"""

import argparse
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from tinygrad_reg.testing import Report, check_gradients
from tinygrad_reg.testing.expressions import Expression, chainable


def expression(seed):
    """The expression of a seed."""
    draw = random.Random(seed)
    return Expression(draw.choice, draw.randint(1, 5), chainable(), at_kinks=bool(seed % 2))


def run(seeds):
    """What was looked at, and the alarms: seeds and what was said."""
    total, alarms = Report(), []
    for seed in seeds:
        f = expression(seed)
        if not f.inputs:
            continue
        try:
            total += check_gradients(f, *f.inputs, order=2, seed=seed, name=f"expression {seed}")
        except AssertionError as error:
            alarms.append((seed, f"{f}\n{error}"))
        except Exception as error:
            alarms.append((seed, f"{f}\n{type(error).__name__}: {error}"))
    return total, alarms


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    chosen = parser.parse_args()
    seeds = range(chosen.first, chosen.first + chosen.count)
    blocks = [seeds[i : i + 25] for i in range(0, len(seeds), 25)]
    total, alarms, began = Report(), [], time.time()
    with ProcessPoolExecutor(chosen.jobs) as pool:
        for done, future in enumerate(as_completed([pool.submit(run, block) for block in blocks]), 1):
            report, found = future.result()
            total, alarms = total + report, alarms + found
            for seed, text in found:
                print(f"seed {seed}:\n{text}\n", flush=True)
            if sys.stderr.isatty() or done == len(blocks):
                print(f"\r{25 * done} expressions, {len(alarms)} alarms, {time.time() - began:.0f} s", end="", file=sys.stderr, flush=True)
    print(f"\n{len(seeds)} expressions, both orders: {len(alarms)} false alarms. {total}. {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
