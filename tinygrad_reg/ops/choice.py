"""Operations that say yes or no, element by element, and ``where``, which chooses by them.

Answers of yes or no have no gradient; what ``where`` does not choose gets gradient 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import BOOLEAN, REAL
from ..op import expression, op


@op(label="=")
def equal(a, b):
    """Whether elements are equal. No gradient.

    >>> equal(Tensor([1.0, 2.0]), 1)
    Tensor([ True, False])
    """
    return a == b


@op(label="≠")
def not_equal(a, b):
    """Whether elements differ. No gradient.

    >>> not_equal(Tensor([1.0, 2.0]), 1)
    Tensor([False,  True])
    """
    return a != b


@op(label="<")
def less(a, b):
    """Whether a < b, element by element. No gradient.

    >>> less(Tensor([1.0, 2.0]), 2)
    Tensor([ True, False])
    """
    return a < b


@op(label="≤")
def less_equal(a, b):
    """Whether a ≤ b, element by element. No gradient.

    >>> less_equal(Tensor([1.0, 2.0]), 1)
    Tensor([ True, False])
    """
    return a <= b


@op(label=">")
def greater(a, b):
    """Whether a > b, element by element. No gradient.

    >>> greater(Tensor([1.0, 2.0]), 1)
    Tensor([False,  True])
    """
    return a > b


@op(label="≥")
def greater_equal(a, b):
    """Whether a ≥ b, element by element. No gradient.

    >>> greater_equal(Tensor([1.0, 2.0]), 2)
    Tensor([False,  True])
    """
    return a >= b


@op(label="and", domain=[BOOLEAN])
def logical_and(a, b):
    """Whether both hold, element by element. No gradient.

    >>> logical_and(Tensor([True, False]), True)
    Tensor([ True, False])
    """
    return np.logical_and(a, b)


@op(label="or", domain=[BOOLEAN])
def logical_or(a, b):
    """Whether at least one holds, element by element. No gradient.

    >>> logical_or(Tensor([True, False]), False)
    Tensor([ True, False])
    """
    return np.logical_or(a, b)


@op(label="not", domain=[BOOLEAN])
def logical_not(x):
    """Whether each element does not hold. No gradient.

    >>> logical_not(Tensor([True, False]))
    Tensor([False,  True])
    """
    return np.logical_not(x)


@op(label="and", domain=[BOOLEAN])
def bitwise_and(a, b):
    """a & b: both hold, or for whole numbers both bits are set. No gradient.

    >>> bitwise_and(Tensor([6, 5]), 3)
    Tensor([2, 1])
    """
    return np.bitwise_and(a, b)


@op(label="or", domain=[BOOLEAN])
def bitwise_or(a, b):
    """a | b: at least one holds, or for whole numbers at least one bit is set. No gradient.

    >>> bitwise_or(Tensor([6, 5]), 3)
    Tensor([7, 7])
    """
    return np.bitwise_or(a, b)


@op(label="not", domain=[BOOLEAN], aliases=("invert", "bitwise_not"))
def bitwise_invert(x):
    """~x: does not hold, or for whole numbers each bit turned. No gradient.

    >>> bitwise_invert(Tensor([True, False]))
    Tensor([False,  True])
    """
    return np.invert(x)


@op()
def isfinite(x):
    """Whether each element is neither infinite nor NaN. No gradient.

    >>> isfinite(Tensor([1.0, float("inf")]))
    Tensor([ True, False])
    """
    return np.isfinite(x)


@op()
def isnan(x):
    """Whether each element is NaN. No gradient.

    >>> isnan(Tensor([1.0, float("nan")]))
    Tensor([False,  True])
    """
    return np.isnan(x)


@op(domain=[BOOLEAN, REAL, REAL])
def where(condition, a, b):
    """``a`` where ``condition`` holds, else ``b``. Slope: 1 for the branch taken, and 0, never NaN, for the other.

    The 0 stays 0 on its way back through the other branch, even where that has an infinite slope, as √x at 0.

    >>> where(Tensor([True, False]), Tensor([1.0, 2.0]), 0)
    Tensor([1., 0.])
    """
    if type(b) is int and b == 0 and _bits(condition, a):
        return _keep(condition, a)
    if type(a) is int and a == 0 and _bits(condition, b):
        return _keep(np.logical_not(condition), b)
    return np.where(condition, a, b)


where.defvjp(None, lambda g, out, c, a, b: where(c, g, 0), lambda g, out, c, a, b: where(c, 0, g))


def nowhere(condition: Any) -> bool:
    """Whether a condition is known to hold nowhere. Of Tensors nothing is known: what is recorded must not hang on values."""
    return isinstance(condition, (np.ndarray, np.bool_)) and not condition.any()


_SAME_SIZE_INTEGER: dict[Any, Any] = {np.dtype("f4"): np.dtype("i4"), np.dtype("f8"): np.dtype("i8")}


def _bits(condition: Any, x: Any) -> bool:
    return type(condition) is np.ndarray and type(x) is np.ndarray and condition.dtype == np.bool_ and x.dtype in _SAME_SIZE_INTEGER


def _keep(condition: Any, x: Any) -> Any:
    # On random conditions np.where mispredicts a branch per element; times 1 or 0 is several times faster, and
    # on the bits, taken as whole numbers, it turns inf and NaN into 0 too.
    kind = _SAME_SIZE_INTEGER[x.dtype]
    shape = x.shape if condition.shape == x.shape else np.broadcast(condition, x).shape
    kept = np.empty(shape, x.dtype)  # not a view: a gradient that owns its memory is not copied
    bits = kept.view(kind)
    bits[...] = condition
    bits *= x.view(kind)
    return kept


@op(label="≈")
def isclose(a, b, *, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether |a - b| ≤ atol + rtol·|b|, element by element; with ``equal_nan`` also where both are NaN. No gradient.

    >>> isclose(Tensor([1.0, 2.0]), [1.000001, 3.0])
    Tensor([ True, False])
    """
    return np.isclose(a, b, rtol, atol, equal_nan)


@expression(cases=[])
def allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether all elements are close, as isclose says: one Python bool. No gradient.

    >>> allclose(Tensor([1.0, 2.0]), [1.0, 2.000001])
    True
    """
    return bool(isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan).all())


@expression(cases=[])
def array_equal(a, b, equal_nan=False):
    """Whether a and b have one shape and equal elements: one Python bool; with ``equal_nan`` NaN equal each other. No gradient.

    >>> array_equal(Tensor([1.0, 2.0]), [1.0, 2.0])
    True
    """
    a, b = (x if isinstance(x, np.ndarray) else getattr(x, "data", x) for x in (a, b))
    return np.array_equal(a, b, equal_nan)
