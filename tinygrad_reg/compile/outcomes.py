"""What a compiled function hands out: its nest of results, with new Tensors in it at each run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..domain import REAL
from ..op import Op
from ..tensor import Tensor, constant, made_by
from .calls import rebuilt

__all__ = ["handed_out", "plan_of"]


class _Place:
    """Where a Tensor stands in a function's result."""

    __slots__ = ("needs_grad",)

    def __init__(self, needs_grad: bool) -> None:
        self.needs_grad = needs_grad


def plan_of(result: Any) -> Any:
    """A function's result, with places instead of Tensors."""
    return rebuilt(result, lambda x: _Place(x._needs_grad) if isinstance(x, Tensor) else x)


def handed_out(plan: Any, values: Iterator[Any], name: str) -> Any:
    """The function's result, with Tensors of ``values``, in order, in their places.

    >>> handed_out(plan_of([Tensor(1.0), {"a": 5}]), iter([np.float64(2.0)]), "f")
    [Tensor(2.), {'a': 5}]
    """
    if type(plan) is _Place:
        value = next(values)
        return made_by(_RESULT, (_LEAF,), [_LEAF._data], {"value": value, "name": name}, value) if plan.needs_grad else constant(value)
    if isinstance(plan, dict):
        return {key: handed_out(x, values, name) for key, x in plan.items()}
    if isinstance(plan, tuple) and hasattr(plan, "_fields"):
        return type(plan)(*(handed_out(x, values, name) for x in plan))
    if isinstance(plan, (list, tuple)):
        return type(plan)(handed_out(x, values, name) for x in plan)
    return plan


def compiled_result(leaf: Any, *, value: Any, name: str) -> Any:
    """A result of a compiled function, which no gradient can be pulled back through."""
    return value


def _no_way_back(g: Any, out: Any, leaf: Any, value: Any, name: str) -> None:
    raise RuntimeError(
        f"backward: a gradient is wanted through the compiled function {name}. Do the whole step inside it (loss, backward, update), compile a "
        "function that returns the gradients (tg.grad or tg.value_and_grad inside), or call the function without compile."
    )


_RESULT = Op(compiled_result, "compiled", (REAL,), (), "the function was compiled with its parameters")
_RESULT.defvjp(_no_way_back)
_LEAF = Tensor(0.0, requires_grad=True)  # so that what is handed out is known to need a gradient
