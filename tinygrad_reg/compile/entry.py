"""One captured program of a compiled function, with what it takes to run it at a call."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from ..mode import changes, grad_enabled
from ..tensor import Tensor, constant
from ..threads import one_thread_if_small
from .calls import rebuilt
from .homes import StateChanged
from .numpy_replay import NumpyReplay
from .outcomes import handed_out, plan_of
from .passes import lowered, tidy
from .program import ARGUMENT, NUMBER
from .tape import Tape, own

__all__ = ["Entry"]

_PATIENCE = 0.25  # seconds spent in a program before Numba is asked: many functions are called a few times only


_AT_ONCE = 64  # runs with NumPy before it is looked whether there is something faster by now


class Entry:
    """A program, its guards, its replay, and how results are handed out."""

    def __init__(self, owner: Any, key: Any, guards: Any, tape: Tape, program: Any, result: Any, arrays: list[Any]) -> None:
        self.owner, self.guards = owner, guards
        self.program = tidy(program)
        self.grad_mode = grad_enabled()
        self.effects = tape.effects
        self.grads_met = tape.grads_met
        self.kinds = [(x._data.shape, x._data.dtype, x._needs_grad) if isinstance(x, Tensor) else (x.shape, x.dtype, None) for x in arrays]
        self.flat = isinstance(key[0], tuple) and self._is_flat(key)
        self.plan = plan_of(result)
        self.count = len(self.program.results)
        self.places = {id(t): i for i, t in enumerate(tape.stand_ins)}
        self.stand_ins = tape.stand_ins  # kept, so that their ids stay their own
        self.gradients = [(self.places.get(id(x)), x, value is not None) for x, value in self.program.gradients]
        self.used = sorted(x.source for x in self.program.of_kind(ARGUMENT))
        self.steady = tape.steady
        self.runs, self.since, self.compiling = 0, 0.0, False
        self.replay: Any = None
        self.numbers_of = -1  # the count of changes when the numbers were asked for last
        self.given = [0.0]
        self.better: Any = None  # a replay and its program, made in the background and not yet in use
        self.failure = ""

    @staticmethod
    def _is_flat(key: Any) -> bool:
        positional = key[0][1]
        return key[0][2] == ("dict",) and all(part[0] in ("Tensor", "array") for part in positional[1:])

    # ------------------------------------------------------------------------------------------- running

    def fitting(self, inputs: tuple[Any, ...]) -> list[Any] | None:
        """The arrays in these arguments, if this program serves a call with them; found out as quickly as can be."""
        if not self.flat or len(inputs) != len(self.kinds):
            return None
        found = []
        for x, (shape, dtype, needs) in zip(inputs, self.kinds):  # noqa: B905 - they are equally many
            if type(x) is Tensor:
                data = x._data
                if x._needs_grad is not needs:
                    return None
            elif type(x) is np.ndarray and needs is None:
                data = x
            else:
                return None
            if data.shape != shape or data.dtype is not dtype:
                return None
            found.append(data)
        return found if self.grad_mode is grad_enabled() and self.guards.hold() else None

    def _grads_as_met(self, arrays: Any) -> bool:
        for x, was_there in self.grads_met:
            if (place := self.places.get(id(x))) is not None:
                x._grad = arrays[place]._grad if isinstance(arrays[place], Tensor) else None
            if (getattr(x, "_grad", None) is not None) is not was_there:
                return False
        return True

    def first(self, tape: Tape) -> Any:
        """The capture was a run itself: make its changes, and hand out its results."""
        results = [own(tape.traced(x).array) for x in tape.results]
        tape.commit()
        if self.owner.wait and self.owner.backend == "numba":
            self.compiling = True
            self._start()
        return handed_out(self.plan, iter(results), self.owner.__name__)

    def run(self, given: Sequence[Any], arrays: list[Any]) -> Any:
        """One run for ``arrays``, which are those of the arguments ``given``."""
        if self.grads_met and not self._grads_as_met(given):
            raise StateChanged
        results = self._ready().run(arrays if len(self.used) == len(arrays) else [arrays[i] for i in self.used], self._numbers())
        for effect in self.effects:
            effect()
        if self.gradients:
            self._set_gradients(given, results)
        return handed_out(self.plan, iter(results), self.owner.__name__)

    def call(self, given: list[Any]) -> Any:
        """One run for these arguments, in order."""
        return self.run(given, [_array(x) for x in given])

    def _numbers(self) -> list[float]:
        """All numbers; the steady ones are asked for only when some attribute was set since."""
        if self.numbers_of != changes.count:
            self.numbers_of = changes.count
            self.given = [ask() for ask in self.asks]
        else:
            for i in self.varying:
                self.given[i] = self.asks[i]()
        return self.given

    def loop(self, given: list[Any], times: int) -> Any:
        """Runs with the same arrays; results with a leading axis."""
        with one_thread_if_small(self.program.largest_product):
            return self._looped(given, times)

    def _looped(self, given: list[Any], times: int) -> Any:
        parts: list[list[Any]] = []
        done = 0
        while done < times:
            replay = self._ready()
            inside = hasattr(replay, "loop") and all(value is None for _, value in self.program.gradients)
            n = times - done if inside else min(times - done, _AT_ONCE)
            parts.append(self._loop_inside(replay, given, n) if inside else self._loop_outside(given, n))
            done += n
        results = parts[0] if len(parts) == 1 else [np.concatenate(values) for values in zip(*parts, strict=True)]
        return handed_out(self.plan, iter(results), self.owner.__name__)

    def _loop_inside(self, replay: Any, given: list[Any], times: int) -> list[Any]:
        """All runs in compiled code, which gets the numbers of every run beforehand."""
        if self.grads_met and not self._grads_as_met(given):
            raise StateChanged
        rows, counted = np.empty((times, len(self.asks))), 0
        try:
            for part in (rows[i : i + 1] for i in range(times)) if self.varying else (rows,):  # all at once where no number depends on the run
                part[:] = self._numbers()
                for effect in self.effects:
                    effect(len(part))
                counted += len(part)
            results = replay.loop([_array(given[i]) for i in self.used], rows, times)
        except BaseException:
            for effect in self.effects:
                effect(-counted)  # nothing was done
            raise
        self._set_gradients(given, [])
        return results[: self.count]

    def _loop_outside(self, given: list[Any], times: int) -> list[Any]:
        each = [self.call(given) for _ in range(times)]
        return [np.stack(values) for values in zip(*map(_values, each), strict=True)]

    def _set_gradients(self, arrays: Any, results: list[Any]) -> None:
        values = iter(results[self.count :])
        for place, x, there in self.gradients:
            (x if place is None else arrays[place])._grad = constant(next(values)) if there else None

    # -------------------------------------------------------------------------------------------- replays

    def _ready(self) -> Any:
        if self.better is not None:
            self._use(*self.better)
            self.better = None
        elif self.replay is None:
            self._use(NumpyReplay(self.program), self.program)
        if self.owner.backend == "numba" and not self.compiling:
            self._be_patient()
        return self.replay

    def _use(self, replay: Any, program: Any) -> None:
        """From now on this replay, which wants its numbers in the order of this program."""
        self.replay = replay
        self.asks: list[Any] = [x.source for x in program.of_kind(NUMBER)]
        self.varying = [i for i, ask in enumerate(self.asks) if ask not in self.steady]
        self.numbers_of, self.given = -1, [0.0]

    def _be_patient(self) -> None:
        """Start to compile in the background, once it is likely to pay."""
        self.runs += 1
        if self.runs == 1:
            self.since = perf_counter()
        elif self.runs % 8 == 0 and perf_counter() - self.since > _PATIENCE:
            self.compiling = True
            threading.Thread(target=self._start, name=f"compiling {self.owner.__name__}", daemon=True).start()

    def _start(self) -> None:
        """Compile with Numba; what cannot be compiled goes on with NumPy, and ``stats()`` says why."""
        from .fused.replay import FusedReplay  # noqa: PLC0415 - what it imports is an extra

        try:
            program = tidy(lowered(self.program))
            self.better = FusedReplay(program, arguments=self.used), program
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"

    def stats(self) -> dict[str, Any]:
        """Of this program: steps, memory, arithmetic, and what replays it."""
        found = {
            "steps": len(self.program.steps),
            "captured steps": self.program.captured,
            "flops": self.program.flops,
            "backend": getattr(self.replay, "backend", "none yet"),
            "buffer bytes": getattr(self.replay, "bytes", 0),
        }
        return found | ({"not compiled": self.failure} if self.failure else {})


def _array(x: Any) -> Any:
    return x._data if type(x) is Tensor else x


def _values(result: Any) -> list[Any]:
    found: list[Any] = []
    rebuilt(result, lambda t: found.append(t._data) if isinstance(t, Tensor) else None)
    return found
