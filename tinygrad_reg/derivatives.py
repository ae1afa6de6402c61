"""Derivatives on demand: ``grad``, and what is built from it (vjp, jvp, Jacobian, Hessian).

Where a function ``f`` is taken, it is a function of Tensors that returns a Tensor. With ``create_graph``
derivatives are recorded themselves, so they can be differentiated again, to any order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .backward import checked_gradient, pull_back
from .graph import history, leading_to
from .mode import capturing, enable_grad
from .op import op
from .ops.shape import reshape, stack
from .tensor import Tensor, asarray, made_within, next_serial, nothing_recorded

__all__ = ["BACKWARD", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

BACKWARD = "backward"  # who made what a gradient's computation has recorded, for drawings


def grad(outputs: Any, inputs: Any, gradient: Any = None, create_graph: bool = False) -> Any:
    """Gradients of ``outputs`` with respect to ``inputs``; ``.grad`` of nobody is touched.

    Both are a Tensor or a sequence of them. For one input the answer is a Tensor, for a sequence a tuple.
    Outputs that are not single numbers need ``gradient`` (one for each output): what a later number's slope in
    them is. An input that has no part in the outputs has gradient 0. With ``create_graph`` the answer
    can be differentiated again.

    Raises ``RuntimeError`` if nothing was recorded, ``ValueError`` for an input without ``requires_grad`` and for
    gradients of another shape.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> slope = grad((x**3).sum(), x, create_graph=True)
    >>> slope
    Tensor([ 3., 12.])
    >>> grad(slope.sum(), x)
    Tensor([ 6., 12.])
    """
    outs, ins = _sequence("grad", outputs), _sequence("grad", inputs)
    for out in outs:
        if not out.requires_grad:
            raise RuntimeError(nothing_recorded("grad", out))
    for i, x in enumerate(ins):
        if not x.requires_grad:
            raise ValueError(
                f"grad: input {i} ({x.describe()}) does not require a gradient, so its part was not recorded. "
                "Make it with requires_grad=True before computing with it."
            )
    given = [None] * len(outs) if gradient is None else [gradient] if isinstance(outputs, Tensor) else list(gradient)
    if len(given) != len(outs):
        raise ValueError(f"grad: {len(outs)} outputs need as many gradients; got {len(given)}.")
    seeds: dict[Tensor, Any] = {}
    for out, g in zip(outs, given, strict=True):
        seed = checked_gradient(g if g is None else asarray(g, None if isinstance(g, Tensor) else out.dtype), out)
        if not capturing():  # a tape makes of a number what it needs
            seed = asarray(seed) if create_graph else getattr(seed, "_data", seed)
        seeds[out] = seeds[out] + seed if out in seeds else seed
    needed = leading_to(ins, history(outs))
    start = next_serial()
    with enable_grad():
        found = pull_back(seeds, needed, needed.intersection(map(id, ins)), recording=create_graph)
        answers = [found.get(x) for x in ins]
        results = [_connected(g, x) if create_graph else _filled(g, x) for g, x in zip(answers, ins, strict=True)]
    made_within(None, BACKWARD, start, results)
    return results[0] if isinstance(inputs, Tensor) else tuple(results)


def _filled(g: Any, x: Tensor) -> Tensor:
    return asarray(np.zeros(x.shape, x.dtype)) if g is None else Tensor(g)


@op(label="constant in", fits="both shapes must be equal")
def unchanging(value: Any, x: Any) -> Any:
    """``value``, which does not depend on x: its gradient in x is recorded as 0.

    >>> unchanging(Tensor(1.0), Tensor(2.0))
    Tensor(1.)
    """
    return value


unchanging.defvjp(lambda g, out, value, x: g, lambda g, out, value, x: None)


def _connected(g: Tensor | None, x: Tensor) -> Tensor:
    """A gradient that can be differentiated again by x, also where it is constant in x."""
    g = asarray(np.zeros(x.shape, x.dtype)) if g is None else g
    return g if g.requires_grad else unchanging(g, x)


def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, create_graph: bool = False) -> Callable[..., tuple[Any, Any]]:
    """A function that gives f's value and its gradient in argument ``argnums`` (or in several, as a tuple).

    >>> value_and_grad(lambda x: (x * x).sum())(Tensor([1.0, 3.0]))
    (Tensor(10.), Tensor([2., 6.]))
    """

    @functools.wraps(f)
    def both(*inputs: Any, **settings: Any) -> tuple[Any, Any]:
        chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        if not all(-len(inputs) <= i < len(inputs) for i in chosen):
            raise TypeError(
                f"value_and_grad: argument {argnums} is to be differentiated by, and {len(inputs)} came by position; pass it by position."
            )
        with enable_grad():
            variables = {i % len(inputs): _variable(inputs[i]) for i in chosen}
            value = _checked_value(f(*(variables.get(i, x) for i, x in enumerate(inputs)), **settings))
        wanted = tuple(variables[i % len(inputs)] for i in chosen)
        slopes = grad(value, wanted, create_graph=create_graph)
        return value, slopes[0] if isinstance(argnums, int) else slopes

    return both


def vjp(f: Callable[..., Any], *primals: Any, create_graph: bool = False) -> tuple[Any, Callable[[Any], Any]]:
    """f's value, and the function that pulls a gradient of it back: v ↦ vᵀ·J, a tuple with one part for each input.

    >>> value, pull = vjp(lambda x: x * x, Tensor([1.0, 3.0]))
    >>> pull(Tensor([1.0, 1.0]))
    (Tensor([2., 6.]),)
    """
    inputs, value = _evaluate(f, primals)
    return value, lambda gradient: grad(value, inputs, gradient, create_graph)


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], create_graph: bool = False) -> tuple[Any, Any]:
    """f's value, and its slope along ``tangents``: J·t, of the value's shape.

    Made of two reverse passes: vᵀ·J is linear in v, and its slope in v is J.

    >>> jvp(lambda x: x * x, (Tensor([1.0, 3.0]),), (Tensor([1.0, 0.0]),))
    (Tensor([1., 9.]), Tensor([2., 0.]))
    """
    if isinstance(primals, Tensor) or len(primals) != len(tangents):
        raise ValueError("jvp: primals and tangents are sequences of the same length; for one input write jvp(f, (x,), (t,)).")
    inputs, value = _evaluate(f, primals)
    v = Tensor(np.ones(value.shape), requires_grad=True, dtype=value.dtype)  # any but 0, which would stay 0 through an infinite slope
    pulled = grad(value, inputs, v, create_graph=True)
    return value, grad(pulled, v, [asarray(t, p.dtype) for t, p in zip(tangents, pulled, strict=True)], create_graph)


def jacobian(f: Callable[..., Any], *inputs: Any, create_graph: bool = False) -> Any:
    """All slopes of all of f's elements: shape (shape of f(x), shape of x); a tuple for several inputs.

    Without inputs: the function that computes it, ``jacobian(f)(x)``.

    >>> jacobian(lambda x: x * x, Tensor([1.0, 3.0]))
    Tensor([[2., 0.],
            [0., 6.]])
    """
    if not inputs:
        return functools.partial(jacobian, f, create_graph=create_graph)
    variables, value = _evaluate(f, inputs)
    rows = _jacobian_of(value, variables, create_graph)
    return rows[0] if len(inputs) == 1 else rows


def hessian(f: Callable[..., Any], *inputs: Any, create_graph: bool = False) -> Any:
    """All second derivatives of a single number f(x): shape (shape of x, shape of x); nested tuples for several inputs.

    Without inputs: the function that computes it, ``hessian(f)(x)``.

    >>> hessian(lambda x: (x**3).sum(), Tensor([1.0, 2.0]))
    Tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    if not inputs:
        return functools.partial(hessian, f, create_graph=create_graph)
    variables, value = _evaluate(f, inputs)
    slopes = grad(value, variables, create_graph=True)
    blocks = tuple(_jacobian_of(slope, variables, create_graph) for slope in slopes)
    return blocks[0][0] if len(inputs) == 1 else blocks


def hvp(f: Callable[..., Any], x: Any, v: Any, create_graph: bool = False) -> Tensor:
    """The Hessian of a single number f(x) times v, without making the Hessian.

    >>> hvp(lambda x: (x**3).sum(), Tensor([1.0, 2.0]), Tensor([1.0, 1.0]))
    Tensor([ 6., 12.])
    """
    (x,), value = _evaluate(f, (x,))
    return grad(grad(value, x, create_graph=True), x, v, create_graph)


def _jacobian_of(value: Tensor, inputs: Sequence[Tensor], create_graph: bool) -> tuple[Tensor, ...]:
    units = np.eye(value.size, dtype=value.dtype).reshape(value.size, *value.shape)
    rows = [grad(value, inputs, asarray(unit), create_graph) for unit in units]
    columns = zip(*rows, strict=True) if rows else ((),) * len(inputs)
    with enable_grad():
        return tuple(_stacked(column, (*value.shape, *x.shape), x) for column, x in zip(columns, inputs, strict=True))


def _stacked(rows: Sequence[Tensor], shape: tuple[int, ...], x: Tensor) -> Tensor:
    return reshape(stack(rows), shape=shape) if rows else asarray(np.zeros(shape, x.dtype))


def _evaluate(f: Callable[..., Any], inputs: Sequence[Any]) -> tuple[tuple[Tensor, ...], Any]:
    with enable_grad():
        variables = tuple(map(_variable, inputs))
        return variables, _checked_value(f(*variables))


def _checked_value(value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise TypeError(
            f"the function to differentiate must return one Tensor, made from its arguments by ops; it returned a {type(value).__name__}."
        )
    return value


@op(label="argument")
def argument(x: Any) -> Any:
    """x, as an argument of a function: a place of its own to differentiate by, however often x is used elsewhere.

    >>> argument(Tensor(1.0))
    Tensor(1.)
    """
    return x


argument.defvjp(lambda g, out, x: g)


def _variable(x: Any) -> Tensor:
    """A new variable with the value of x: partial derivatives are those by f's arguments."""
    return argument(x) if isinstance(x, Tensor) and x.requires_grad else Tensor(x, requires_grad=True)


def _sequence(what: str, x: Any) -> tuple[Tensor, ...]:
    found = (x,) if isinstance(x, Tensor) else tuple(x) if isinstance(x, (list, tuple)) else (x,)
    for item in found:
        if not isinstance(item, Tensor):
            raise TypeError(f"{what} takes Tensors or sequences of them, not {type(item).__name__}.")
    return found
