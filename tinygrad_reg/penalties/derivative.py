"""Penalties on the slope of a model in its inputs: a function that changes little where its inputs do (double backpropagation).

They are ordinary expressions, made of gradients that are recorded: ``loss + 0.1 * penalties.jacobian_penalty(model, x)``. Rows must not
look at each other (as with batch normalisation in training): each row's output is differentiated in that row's inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..derivatives import vjp
from ..linalg import vector_norm
from ..mode import enable_grad
from ..ops.reduction import sum_of_squares
from ..random import bernoulli
from ..tensor import Tensor, asarray

__all__ = ["gradient_penalty", "jacobian_penalty"]


def gradient_penalty(f: Callable[[Any], Any], x: Any, center: float = 0.0) -> Tensor:
    """Mean over the rows of (‖∇f(x_i)‖₂ - center)², for a function f with one number for each row of x.

    With ``center`` 0 it flattens f around the data; of a loss for each row (``reduction="none"``) it is double backpropagation. With 1 it keeps
    a critic's slope at 1. The norm is over all axes of a row; its slope at a gradient of 0 is 0. f gives shape (n,) or (n, 1).

    Raises ``TypeError`` for an f that returns no Tensor, ``ValueError`` for an x without rows, for another shape of f(x), and for a
    ``center`` below 0.

    Sources: H. Drucker and Y. LeCun (1992), Improving generalization performance using double backpropagation;
    I. Gulrajani et al. (2017), Improved training of Wasserstein GANs, eq. 3 (center 1); L. Mescheder et al. (2018), Which training
    methods for GANs do actually converge, eq. 9 (center 0).

    >>> w = Tensor([3.0, 4.0], requires_grad=True)
    >>> penalty = gradient_penalty(lambda x: x @ w, np.ones((5, 2)))
    >>> penalty, tg.grad(penalty, w)
    (Tensor(25.), Tensor([6., 8.]))
    """
    if not 0 <= center < np.inf:
        raise ValueError(f"gradient_penalty: center is {center}; it is the norm that slopes should have, finite and at least 0.")
    x = _rows("gradient_penalty", x)
    value, pull = vjp(f, x, create_graph=True)
    if value.shape not in ((len(x),), (len(x), 1)):
        raise ValueError(
            f"gradient_penalty: f gave shape {value.shape} for {len(x)} rows; it must give one number a row, ({len(x)},) or ({len(x)}, 1). "
            "For several outputs take jacobian_penalty, for a loss reduction='none'."
        )
    (slopes,) = pull(np.ones(value.shape, value.dtype))
    with enable_grad():
        if not center:
            return sum_of_squares(slopes, 1 / len(x))
        return sum_of_squares(vector_norm(slopes.reshape(len(x), -1), axis=1) - center, 1 / len(x))


def jacobian_penalty(f: Callable[[Any], Any], x: Any, projections: int | None = None, rng: Any = None) -> Tensor:
    """Mean over the rows of ‖J_i‖², the sum of all squared slopes of f(x_i)'s K outputs in x_i.

    Exact by default: K backward passes. With ``projections`` an estimate from so many passes whatever K is, right on average:
    the mean of ‖vᵀJ_i‖² over random vectors v of signs, drawn anew for each row and pass from ``rng``. f gives shape (n, …).

    Raises ``TypeError`` for an f that returns no Tensor, ``ValueError`` for an x without rows, an f(x) with other rows, and ``projections`` below 1.

    Sources: J. Hoffman, D. Roberts and S. Yaida (2019), Robust learning with Jacobian regularization, algorithm 1;
    signs in place of points on a sphere: M. F. Hutchinson (1990), A stochastic estimator of the trace of the influence matrix.

    >>> w = Tensor([[1.0, 2.0], [3.0, 0.0]], requires_grad=True)
    >>> penalty = jacobian_penalty(lambda x: x @ w, np.ones((5, 2)))
    >>> penalty, tg.grad(penalty, w)
    (Tensor(14.), Tensor([[2., 4.],
            [6., 0.]]))
    """
    x = _rows("jacobian_penalty", x)
    if projections is not None and (isinstance(projections, bool) or not isinstance(projections, (int, np.integer)) or projections < 1):
        raise ValueError(f"jacobian_penalty: projections is {projections!r}; it must be a whole number of at least 1, or None for the exact value.")
    value, pull = vjp(f, x, create_graph=True)
    if not value.ndim or len(value) != len(x):
        raise ValueError(f"jacobian_penalty: f gave shape {value.shape} for {len(x)} rows; its first axis must be the rows of x.")
    directions = _units(value) if projections is None else (_signs(value, rng) for _ in range(projections))
    total: Any = None
    for direction in directions:
        (slopes,) = pull(direction)
        with enable_grad():
            term = sum_of_squares(slopes, 1 / (len(x) * (projections or 1)))
            total = term if total is None else total + term
    return Tensor(0.0, dtype=value.dtype) if total is None else total


def _units(value: Tensor) -> Any:
    """For each output the direction that picks it out in all rows."""
    outputs = value.size // len(value)
    for unit in np.eye(outputs, dtype=value.dtype).reshape(outputs, *value.shape[1:]):
        yield np.ascontiguousarray(np.broadcast_to(unit, value.shape))


def _signs(value: Tensor, rng: Any) -> Any:
    return bernoulli(0.5, value.shape, rng=rng).astype(value.dtype) * 2 - 1


def _rows(who: str, x: Any) -> Tensor:
    x = asarray(x)
    if not x.ndim or not len(x):
        raise ValueError(f"{who}: x has shape {x.shape}; it needs a first axis of at least one row.")
    if x.dtype.kind != "f":
        raise TypeError(f"{who}: x is {x.dtype}, and slopes are taken in floats; give x.astype('float64').")
    return x
