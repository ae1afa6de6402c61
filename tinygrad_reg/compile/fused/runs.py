"""What is done at each run besides the machine code, written out as one Python function: less than a microsecond for a small model."""

from __future__ import annotations

from collections.abc import Sequence

from ..program import CONSTANT, STATE, Value

__all__ = ["run_text"]


def run_text(
    large: Sequence[int],
    single: Sequence[int],
    arguments: Sequence[tuple[int, int]],
    others: Sequence[tuple[int, Value]],
    fresh: Sequence[tuple[int, int]],
    scalars: Sequence[int],
    results: int,
    numbers: bool,
    whole: bool,
) -> str:
    """The text of ``run(arguments, numbers)``.

    ``large`` and ``single`` are states of arrays and of single numbers; ``arguments`` pairs of an entry of the table and a place,
    ``fresh`` of an entry and a result, ``scalars`` the results that are single numbers; ``whole`` says that there is one piece only.

    >>> print(run_text([0], [], [(2, 0)], [], [], [0], 1, True, True))
    def run(arguments, numbers):
        with lock:
            quick = t0._data is h0 and count(h0) <= most
            if not quick:
                ready()
            x = arguments[0]
            if x is not last[2]:
                look(2, x)
            pack(buffer, 0, *numbers)
            out = [None] * 1
            failed = code(table_address)
            if failed:
                refuse(failed, arguments)
            out[0] = r0[()]
            if not quick:
                done()
            return out
    """
    held = [f"t{i}._data is h{i} and count(h{i}) <= most" for i in large]
    same = [f"t{i}._data is given[{place}]" for place, i in enumerate(single)]
    lines = [f"quick = {' and '.join([*held, *same]) or 'True'}", "if not quick:", "    ready()"]
    for slot, place in arguments:
        lines += [f"x = arguments[{place}]", f"if x is not last[{slot}]:", f"    look({slot}, x)"]
    for slot, value in others:
        path = {CONSTANT: "", STATE: "._data"}.get(value.kind, "._grad._data")
        lines += [f"x = o{slot}{path}", f"if x is not last[{slot}]:", f"    look({slot}, x, v{slot})"]
    lines += ["pack(buffer, 0, *numbers)"] if numbers else []
    lines += [f"out = [None] * {results}"]
    lines += [f"out[{i}], table[{slot}] = f{i}()" for slot, i in fresh]
    lines += ["failed = code(table_address)" if whole else "failed = piecewise(arguments, out)", "if failed:", "    refuse(failed, arguments)"]
    lines += [f"out[{i}] = r{i}[()]" for i in scalars]
    lines += ["if not quick:", "    done()"]
    if single:
        lines += ["else:", *(f"    given[{place}] = t{i}._data = h{i}[()]" for place, i in enumerate(single))]
    return "\n".join(["def run(arguments, numbers):", "    with lock:", *(f"        {line}" for line in [*lines, "return out"])])
