"""Which lines of a NumPy replay take how long."""

from __future__ import annotations

import ast
import statistics
import textwrap
import time
from typing import Any

from workers import build

RUNS = 200


def profile(workloads: list[str]) -> None:
    """Print each line of the replay's source with the median of its µs."""
    for workload in workloads:
        step = build("ours, numpy", workload).step
        step(), step()
        replay = step.func._last.replay
        statements, spent = watched(replay)
        for _ in range(RUNS):
            step()
        took = [statistics.median(times) for times in spent]
        print(f"\n{workload}: {sum(took):,.1f} µs in {len(took)} lines of the replay, medians of {RUNS}")
        for text, micros in zip(statements, took, strict=True):
            print(f"{micros:10.2f} µs {micros / sum(took):6.1%}  " + text.replace("\n", "\n" + " " * 22))


def watched(replay: Any) -> tuple[list[str], list[list[float]]]:
    """Make a replay write down its times: its lines, and for each the list that its µs will be in."""
    function: Any = ast.parse(replay.source).body[0]
    statements = [ast.unparse(statement) for statement in function.body[:-1]]
    spent: list[list[float]] = [[] for _ in statements]
    text = ["before = clock()"]
    for i, statement in enumerate(statements):
        text += [statement, "after = clock()", f"spent[{i}].append((after - before) * 1e6)", "before = clock()"]
    text.append(ast.unparse(function.body[-1]))
    space = replay._run.__globals__  # not a copy: the replay counts who holds its arrays
    space |= {"clock": time.perf_counter, "spent": spent}
    exec(f"def replay({ast.unparse(function.args)}):\n" + textwrap.indent("\n".join(text), "    "), space)
    replay._run = space["replay"]
    return statements, spent
