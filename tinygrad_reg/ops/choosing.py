"""One array made of several, or of parts of one, by conditions or by numbers: what NumPy calls select, choose, piecewise, compress."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import REAL, case, integers
from ..op import expression
from .arranging import ravel
from .choice import where
from .joining import broadcast_arrays
from .placing import gather, take
from .seen import by_numbers, values
from .shape import as_array, broadcast_to, stack
from .sorting import flatnonzero
from .updating import masked_select, select_back


@expression(cases=[])
def select(condlist, choicelist, default=0):
    """Of the arrays in ``choicelist`` the elements of the first whose condition in ``condlist`` holds, else ``default``.

    Slope: 1 in the array that is chosen, 0 in all others, never NaN.

    >>> x = Tensor([-1.0, 0.5, 3.0])
    >>> select([x < 0, x < 1], [-x, x * x], 9.0)
    Tensor([1.  , 0.25, 9.  ])
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(f"select: {len(condlist)} conditions and {len(choicelist)} choices were given; there is one choice for each condition.")
    conditions = [as_array(condition) for condition in condlist]
    for i, condition in enumerate(conditions):
        if condition.dtype != np.bool_:
            raise TypeError(f"select: condition {i} is {condition.dtype}; conditions are made of yes and no (bool), as x > 0 is.")
    found, *conditions = broadcast_arrays(default, *conditions)
    for condition, chosen in zip(conditions[::-1], choicelist[::-1], strict=True):
        found = where(condition, chosen, found)
    return found


@expression(domain=[integers(0, 3), REAL, REAL, REAL], cases=[])
def choose(a, choices, mode="raise"):
    """At each place the element of that array in ``choices`` which the whole number in a names; all are brought to one shape.

    A number that names none is an ``IndexError``, or with ``mode="wrap"`` taken modulo their count, or with ``mode="clip"`` the nearest that does.
    Slope: 1 in the array that is chosen, 0 in all others.

    >>> choose([0, 1, 0], [Tensor([1.0, 2.0, 3.0]), Tensor(9.0)])
    Tensor([1., 9., 3.])
    """
    a = as_array(a)
    if a.dtype.kind not in "iu":
        raise TypeError(f"choose: a is {a.dtype}; it holds whole numbers, which name one of the choices.")
    count = len(choices)
    if mode == "raise":
        _refuse_others(a, count=count)
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"choose: mode={mode!r}; it must be 'raise', 'wrap' or 'clip'.")
    places = values(a) % count if mode == "wrap" else np.clip(values(a), 0, count - 1)
    _, *arrays = broadcast_arrays(a, *choices)
    return gather(stack(arrays), np.broadcast_to(places, arrays[0].shape)[None], axis=0)[0]


@by_numbers(refuses=True)
def _refuse_others(a: Any, *, count: int) -> Any:
    if a.size and not (a.min() >= 0 and a.max() < count):
        raise IndexError(f"choose: a holds {a.min()} to {a.max()}, and there are {count} choices; use mode='wrap' or mode='clip'.")
    return a


@expression(cases=[])
def piecewise(x, condlist, funclist, *args, **kw):
    """Functions of x, each where its condition holds (of several that do, the last); where none does, a further function, or 0.

    A function is called with those elements alone, and ``args`` and ``kw``, so that it need not be defined elsewhere; a number stands for
    itself. Slope: that of the function.

    >>> x = Tensor([-4.0, 4.0])
    >>> piecewise(x, [x > 0], [tg.sqrt, -1.0])
    Tensor([-1.,  2.])
    """
    x = as_array(x)
    if isinstance(condlist, (list, tuple)) and all(np.ndim(as_array(c)) or not x.ndim for c in condlist):
        conditions = [as_array(c) for c in condlist]
    else:
        conditions = [as_array(condlist)]  # one condition, not in a list
    if len(funclist) not in (len(conditions), len(conditions) + 1):
        raise ValueError(f"piecewise: {len(funclist)} functions for {len(conditions)} conditions; give as many, or one more, for where none holds.")
    if len(funclist) > len(conditions):
        none = np.ones(x.shape, bool)
        for condition in conditions:
            none = none & ~values(condition)
        conditions = [*conditions, none]
    found: Any = np.zeros(x.shape, x.dtype)
    for condition, function in zip(conditions, funclist, strict=True):
        here = broadcast_to(condition, shape=x.shape)
        piece = select_back(function(masked_select(x, here), *args, **kw), here) if callable(function) else function
        found = where(here, piece, found)
    return found


_PARTS = (case((5,), (5,)), case((2,), (3, 3), axis=0), case((3,), (2, 3), axis=1))


@expression(domain=[integers(0, 2), REAL], cases=_PARTS)
def compress(condition, x, axis=None):
    """The parts of x along ``axis`` for which ``condition``, a vector, holds; by default, of the flat array. Slope: 1 for those taken.

    >>> compress([False, True, True], Tensor([1.0, 2.0, 3.0]))
    Tensor([2., 3.])
    """
    condition = as_array(condition)
    if condition.ndim != 1:
        raise ValueError(f"compress: condition has shape {condition.shape}; it is a vector, with a yes or no for each place along the axis.")
    return take(x, flatnonzero(condition), axis=axis)


@expression(domain=[integers(0, 2), REAL], cases=(case((5,), (5,)), case((2, 3), (2, 3))))
def extract(condition, x):
    """The elements of x where ``condition`` holds, along one axis. Slope: 1 for those taken.

    >>> extract([False, True, True], Tensor([1.0, 2.0, 3.0]))
    Tensor([2., 3.])
    """
    return take(ravel(x), flatnonzero(condition))
