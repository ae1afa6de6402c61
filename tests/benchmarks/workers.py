"""A process for each contestant, so that threads, memory and imports of one do not disturb another; they are asked in turn, the others wait."""

from __future__ import annotations

import multiprocessing
import os
import time
from contextlib import contextmanager, suppress
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SAME = ("OPENBLAS_CORETYPE",)  # where it is set, OpenBLAS does not choose its code for this processor, as it does for users
STEPS = 6  # compared before anything is timed: losses after 0 to 5 updates


class Worker:
    """A contestant with a workload, at work in its own process."""

    def __init__(self, name: str, workload: str, threads: int, **environment: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = name
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, name, workload), daemon=True)
        with surroundings({key: str(threads) for key in THREADS} | environment):
            self.process.start()
        other.close()

    def ask(self, question: Any) -> Any:
        """Its answer; raises RuntimeError with what went wrong there."""
        try:
            self.pipe.send(question)
            kind, answer = self.pipe.recv()
        except (EOFError, BrokenPipeError):
            raise RuntimeError(f"{self.name}: its process ended") from None
        if kind == "error":
            raise RuntimeError(f"{self.name}: {answer}")
        return answer

    def close(self) -> None:
        """End its process."""
        self.pipe.close()
        self.process.join(5)
        if self.process.is_alive():
            self.process.terminate()


@contextmanager
def surroundings(changed: dict[str, str]) -> Any:
    """Inside, these environment variables, for a process that starts there."""
    before = dict(os.environ)
    os.environ.update(changed)
    for key in SAME:
        os.environ.pop(key, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def serve(pipe: Any, name: str, workload: str) -> None:
    """In the process: build the job, then answer until nobody asks any more."""
    try:
        job = build(name, workload)
        answers = Answers(job) if job else None
    except ImportError:
        answers = None
    except Exception as error:
        reply(pipe, "error", f"{type(error).__name__}: {error}")
        return
    while True:
        try:
            question, *settings = pipe.recv()
        except EOFError:
            return
        try:
            reply(pipe, "answer", answers and getattr(answers, question)(*settings))
        except Exception as error:
            reply(pipe, "error", f"{type(error).__name__}: {error}")


def reply(pipe: Any, kind: str, what: Any) -> None:
    """Nobody may be there to read it."""
    with suppress(BrokenPipeError):
        pipe.send((kind, what))


def build(name: str, workload: str) -> Any:
    """The contestant's job, or None for a workload that it does not do."""
    from contestants import CONTESTANTS
    from workloads import WORKLOADS, make_data

    work = WORKLOADS[workload]
    return CONTESTANTS[name].job(work, make_data(work))


class Answers:
    """What a worker can be asked."""

    def __init__(self, job: Any) -> None:
        self.job = job
        self.count = 1  # steps of a turn

    def first(self) -> list[float]:
        """Seconds that each of the first three steps takes."""
        return [self._seconds(1) for _ in range(3)]

    def losses(self) -> list[list[float]]:
        """What the first steps find."""
        return self.job.run(STEPS)

    def note(self) -> str:
        """What a reader must know."""
        return self.job.note()

    def turn(self, budget: float) -> float:
        """µs per step, over about that many seconds, after a few steps to warm up."""
        seconds = self._seconds(max(1, self.count // 20))
        while (seconds := self._seconds(self.count)) < budget / 2:
            self.count = max(2 * self.count, int(self.count * budget / max(seconds, 1e-6) / 2))
        taken, self.count = seconds / self.count * 1e6, max(1, int(self.count * budget / seconds))
        return taken

    def _seconds(self, times: int) -> float:
        job, start = self.job, time.perf_counter()
        if job.loop:
            job.loop(times)
        else:
            step = job.step
            for _ in range(times):
                step()
        job.wait()
        return time.perf_counter() - start
