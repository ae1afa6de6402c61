"""Replay with NumPy: the program as one Python function of ufunc calls that write into buffers made beforehand.

Nothing is compiled but a page of Python, so it is there at once. A buffer is used again when its value is no longer needed; the new
value of a state is written into its home where nobody needs the old one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .blocks import Blocked
from .homes import Homes, owned
from .passes import common, grouping, lowered, packing, sharing, splitting
from .program import GRADIENT, NUMBER, STATE, Program, Step

__all__ = ["NumpyReplay"]


class NumpyReplay:
    """Runs a program again and again; ``source`` is the Python text that does it.

    >>> from tinygrad_reg.compile.example import small
    >>> replay = NumpyReplay(small(lambda x: tg.exp(x) + 1))
    >>> print(replay.source)
    def replay(a0):
        exp(a0, b1)
        add(b1, c3, b4)
        return (owned(b4),)
    >>> replay.run([np.zeros((2, 2))], [])[0]
    array([[2., 2.],
           [2., 2.]])
    """

    backend = "numpy"

    def __init__(self, program: Program) -> None:
        asked = [id(x.source) for x in program.of_kind(NUMBER)]
        program, packs = packing(sharing(lowered(program, _is_better_in_parts)))
        self.program, self.runs = grouping(common(splitting(program)))
        assigned = [state for state, _ in self.program.assigned]
        self.homes = Homes(self.program.of_kind(STATE), packs, assigned)
        self._places = [asked.index(id(x.source)) for x in self.program.of_kind(NUMBER)]  # numbers come in the order of the program given
        self._gradients = [x.source for x in self.program.of_kind(GRADIENT)]
        self._assigned = self.homes.places(assigned)
        self._bind()

    def _bind(self) -> None:
        """Write the function for the homes and buffers of now."""
        with np.errstate(all="ignore"):  # views are made of memory that holds anything
            writer = Blocked(self.program, self.homes, self.runs)
        self.source = writer.text()
        self.bytes = writer.bytes
        self.arrays = writer.arrays  # by a value's id, for drawings
        self._run = writer.function(owned=owned)
        del writer
        self.homes.bound()

    def run(self, arguments: list[Any], numbers: list[float]) -> list[Any]:
        """One run: the results, then the gradients; states get their new values."""
        if not self.homes.ready():
            self.homes.renewed()
            self._bind()
            self.homes.ready()
        gradients = [x._grad._data for x in self._gradients]
        with np.errstate(all="ignore"):
            results = self._run(*arguments, *[numbers[i] for i in self._places], *gradients)
        self.homes.handed_over(self._assigned)
        return list(results)


def _is_better_in_parts(step: Step) -> bool:
    """Where what is inside is needed for the slope, too, or one of our calls does it more quickly than the op."""
    return step.op.name in ("logistic_loss", "sum_of_sizes") and step.out.dtype.itemsize > 2
