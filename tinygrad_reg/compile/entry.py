"""One captured program of a compiled function, with what it takes to run it at a call."""

from __future__ import annotations

import threading
from time import perf_counter
from typing import Any

import numpy as np

from ..mode import grad_enabled
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


class Entry:
    """A program, its guards, its replay, and how results are handed out."""

    def __init__(self, owner: Any, key: Any, guards: Any, tape: Tape, program: Any, result: Any, arrays: list[Any]) -> None:
        self.owner, self.guards, self.key = owner, guards, key
        self.program = tidy(program)
        self.grad_mode = grad_enabled()
        self.effects = tape.effects
        self.grads_met = tape.grads_met
        self.kinds = [(x._data.shape, x._data.dtype, x._needs_grad) if isinstance(x, Tensor) else (x.shape, x.dtype, None) for x in arrays]
        self.flat = isinstance(key[0], tuple) and self._is_flat(key)
        self.plan = plan_of(result)
        self.count = len(self.program.results)
        self.places = {id(t): i for i, t in enumerate(tape.stand_ins)}
        self.stand_ins = tape.stand_ins
        self.gradients = [(self.places.get(id(x)), x, value is not None) for x, value in self.program.gradients]
        self.used = sorted(x.source for x in self.program.of_kind(ARGUMENT))
        self.numbers: list[Any] = [x.source for x in self.program.of_kind(NUMBER)]
        self.runs, self.since = 0, 0.0
        self.replay: Any = None
        self.failure = ""
        self._worker: threading.Thread | None = None

    @staticmethod
    def _is_flat(key: Any) -> bool:
        positional = key[0][1]
        return key[0][2] == ("dict",) and all(part[0] in ("Tensor", "array") for part in positional[1:])

    # ------------------------------------------------------------------------------------------- running

    def fits(self, inputs: tuple[Any, ...]) -> bool:
        """Whether this program serves a call with these arguments, found out as quickly as can be."""
        if not self.flat or len(inputs) != len(self.kinds):
            return False
        for x, (shape, dtype, needs) in zip(inputs, self.kinds, strict=True):
            if type(x) is Tensor:
                if x._data.shape != shape or x._data.dtype is not dtype or x._needs_grad is not needs:
                    return False
            elif type(x) is not np.ndarray or needs is not None or x.shape != shape or x.dtype is not dtype:
                return False
        return self.grad_mode is grad_enabled() and self.guards.hold() and self._grads_as_met(inputs)

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
            self._start()
        return self._handed_out(results)

    def run(self, inputs: tuple[Any, ...]) -> Any:
        """One run for arguments that fit."""
        try:
            return self.run_flat(inputs)
        except StateChanged:
            return self.owner._slowly(inputs, {}, None)

    def run_flat(self, arrays: Any) -> Any:
        """One run for these arrays, in the order of the arguments."""
        if not self._grads_as_met(arrays):
            raise StateChanged
        results = self._ready().run([_array(arrays[i]) for i in self.used], [ask() for ask in self.numbers])
        for effect in self.effects:
            effect()
        if self.gradients:
            self._set_gradients(arrays, results)
        return self._handed_out(results)

    def loop(self, arrays: list[Any], times: int) -> Any:
        """Runs with the same arrays; results with a leading axis."""
        with one_thread_if_small(self.program.largest_product):
            return self._looped(arrays, times)

    def _looped(self, arrays: list[Any], times: int) -> Any:
        replay = self._ready()
        if hasattr(replay, "loop") and all(value is None for _, value in self.program.gradients):
            rows = np.empty((times, len(self.numbers)))
            for i in range(times):
                rows[i] = [ask() for ask in self.numbers]
                for effect in self.effects:
                    effect()
            results = replay.loop([_array(arrays[i]) for i in self.used], rows, times)
            self._set_gradients(arrays, [])
            return self._handed_out(results)
        each = [self.run_flat(arrays) for _ in range(times)]
        stacked = zip(*(_values(result) for result in each), strict=True)
        return self._handed_out([np.stack(values) for values in stacked])

    def _set_gradients(self, arrays: Any, results: list[Any]) -> None:
        values = iter(results[self.count :])
        for place, x, there in self.gradients:
            (x if place is None else arrays[place])._grad = constant(next(values)) if there else None

    def _handed_out(self, results: list[Any]) -> Any:
        return handed_out(self.plan, iter(results), self.owner.__name__)

    # -------------------------------------------------------------------------------------------- replays

    def _ready(self) -> Any:
        if self.replay is None:
            self.replay = NumpyReplay(self.program)
        if self.owner.backend == "numba" and self._worker is None:
            self._be_patient()
        return self.replay

    def _be_patient(self) -> None:
        """Start to compile in the background, once it is likely to pay."""
        self.runs += 1
        if self.runs == 1:
            self.since = perf_counter()
        elif self.runs % 8 == 0 and perf_counter() - self.since > _PATIENCE:
            self._worker = threading.Thread(target=self._start, name=f"compiling {self.owner.__name__}", daemon=True)
            self._worker.start()

    def _start(self) -> None:
        """Compile with Numba; what cannot be compiled goes on with NumPy, and ``stats()`` says why."""
        from .fused.replay import FusedReplay  # noqa: PLC0415 - what it imports is an extra

        try:
            self.replay = FusedReplay(tidy(lowered(self.program)))
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
    data = x._data if type(x) is Tensor else x
    return data if type(data) is not np.ndarray or data.flags.c_contiguous else np.ascontiguousarray(data)


def _values(result: Any) -> list[Any]:
    found: list[Any] = []
    rebuilt(result, lambda t: found.append(t._data) if isinstance(t, Tensor) else None)
    return found
