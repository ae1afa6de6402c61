"""gradients_match: a function and the gradient that somebody says it has, held against each other by hypothesis."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..derivatives import grad
from ..domain import REAL, Domain
from ..tensor import Tensor
from .checking import check_gradients
from .mismatch import GradientMismatch

__all__ = ["gradients_match"]

CLOSE = 1e-9


def gradients_match(rule: Callable[..., Any], *, domain: Domain = REAL, max_examples: int | None = None, at_kinks: bool = True) -> Any:
    """Decorator that makes a test of a function of one array: its gradient is ``rule(w)``, says hypothesis, and so do numbers.

    The function returns a single number, made by ops (then our gradient is compared too) or by NumPy. Arrays come from ``domain``, in
    shapes of up to three axes, with zeros, ties and empty ones among them unless ``at_kinks=False``. The result is a test without
    arguments: pytest and unittest collect it by its name.

    Raises ``ImportError`` without hypothesis (extra ``testing``).

    >>> @gradients_match(lambda w: 0.2 * w, max_examples=5)
    ... def test_ridge(w):
    ...     return 0.1 * (w * w).sum()
    >>> test_ridge()
    """

    def decorate(f: Callable[..., Any]) -> Any:
        from hypothesis import HealthCheck, given, settings  # noqa: PLC0415 - an extra

        from .strategies import arrays  # noqa: PLC0415

        @given(arrays(domain=domain, at_kinks=None if at_kinks else False))
        def run(w: np.ndarray) -> None:
            match(f, rule, w)

        quick = {} if max_examples is None else {"max_examples": max_examples}
        run = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], **quick)(run)  # type: ignore[arg-type]

        @functools.wraps(f)
        def test() -> None:
            run()

        del test.__wrapped__  # or pytest would look for a fixture named as the argument
        return test

    return decorate


def match(f: Callable[..., Any], rule: Callable[..., Any], w: np.ndarray) -> None:
    """Raise :class:`GradientMismatch` if ``rule(w)`` is not the gradient of f at w."""
    name = getattr(f, "__name__", "f")
    check_gradients(lambda w: _plain(f(w)), w, grad=lambda w: np.array(rule(w)), name=name)
    t = Tensor(w, requires_grad=True)
    out = f(t)
    if not isinstance(out, Tensor):
        return
    ours = grad(out, t).data if out.requires_grad else np.zeros_like(w)
    theirs = np.broadcast_to(np.asarray(rule(w)), w.shape)
    off = np.abs(ours - theirs)
    if np.any(off > CLOSE * (1 + np.abs(theirs))):
        index = tuple(int(n) for n in np.unravel_index(int(np.argmax(off)), off.shape))
        detail = f"at index {index} the rule says {theirs[index]}, the recorded graph {ours[index]}; both may lie between the slopes of a kink"
        raise GradientMismatch("wrong rule", name, "w", detail=detail, inputs={"w": w})


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, Tensor) else x
