"""Whether operations on Tensors are recorded, and for whom. Kept in context variables: each thread and task has its own.

A ``with`` block inside a generator stays in force for the caller between two steps, as context variables do;
decorate the generator function instead, and the mode holds inside its steps only.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["captures", "capturing", "changes", "enable_grad", "grad_enabled", "no_grad", "recording_on"]

_enabled: ContextVar[bool] = ContextVar("grad_enabled", default=True)
_outer: ContextVar[tuple[bool, ...]] = ContextVar("outer_grad_modes", default=())

grad_enabled = _enabled.get

# ------------------------------------------------------------------------------------------------- capture

captures: list[Any] = []  # all that are under way, in any thread: mostly empty, which is quicker to see than a context variable
_tape: ContextVar[Any] = ContextVar("tape", default=None)


def capturing() -> Any:
    """The tape that all ops of this thread or task go to, or None."""
    return _tape.get() if captures else None


@contextmanager
def recording_on(tape: Any) -> Iterator[Any]:
    """Inside, every op goes to ``tape``."""
    captures.append(tape)
    token = _tape.set(tape)
    try:
        yield tape
    finally:
        _tape.reset(token)
        captures.remove(tape)


class _Changes:
    count = 0


changes = _Changes()  # counts how often an attribute of any module or optimiser was set: what was read from them may have changed

# ----------------------------------------------------------------------------------------------- gradients


class _GradMode:
    """Sets the mode in a ``with`` block, or for a function (generators and coroutines too) as a decorator."""

    wanted = True

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        return made if function is None else made(function)  # @no_grad without brackets

    def __enter__(self) -> _GradMode:
        _outer.set((*_outer.get(), _enabled.get()))
        _enabled.set(self.wanted)
        return self

    def __exit__(self, *error: object) -> None:
        *outer, before = _outer.get()
        _outer.set(tuple(outer))
        _enabled.set(before)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        mode = type(self)
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def stepwise(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                return (yield from _each_step(mode, function(*args, **kwargs)))

            return stepwise
        if inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{mode.__name__}: {function.__name__} is an asynchronous generator; write `with {mode.__name__}():` around its computing parts."
            )
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with mode():
                    return await function(*args, **kwargs)

            return awaited

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with mode():
                return function(*args, **kwargs)

        return called


def _each_step(mode: type[_GradMode], generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    # A context variable set inside a generator would still be set for its caller between two steps.
    step: Callable[[], Any] = lambda: next(generator)  # noqa: E731
    while True:
        try:
            with mode():
                item = step()
        except StopIteration as stop:
            return stop.value
        try:
            sent = yield item
        except GeneratorExit:
            with mode():
                generator.close()
            raise
        except BaseException as error:
            step = functools.partial(generator.throw, error)
        else:
            step = functools.partial(generator.send, sent)


class no_grad(_GradMode):
    """Nothing computed inside is recorded: for evaluation and for updates.

    >>> w = Tensor([1.0], requires_grad=True)
    >>> with no_grad():
    ...     w -= 0.5
    >>> w
    Tensor([0.5], requires_grad=True)
    """

    wanted = False


class enable_grad(_GradMode):
    """Record inside, also within ``no_grad()``.

    >>> w = Tensor([1.0], requires_grad=True)
    >>> with no_grad(), enable_grad():
    ...     (w * w).requires_grad
    True
    """

    wanted = True
