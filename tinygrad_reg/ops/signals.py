"""Samples on a line as a signal: convolved, correlated, read between the samples, freed of jumps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..domain import INCREASING, REAL, case
from ..op import expression, op
from .arranging import flip
from .choice import greater, less, logical_or, where
from .complexes import conj, is_complex, refuse_complex
from .elementwise import as_float, astype
from .padding import pad
from .placing import take
from .rounding import remainder
from .seen import by_numbers
from .shape import as_array, concat
from .sorting import argsort

_MODES = ("full", "same", "valid")
_PAIRS = (
    case((5,), (3,)),
    case((4,), (4,), mode="same"),
    case((2,), (5,), mode="same"),
    case((6,), (2,), mode="same"),
    case((3,), (5,), mode="valid"),
    case((4,), (1,), mode="valid"),
)


@op(label="∗", cases=_PAIRS, fits='a and v must be vectors of at least one number, and mode "full", "same" or "valid"')
def convolve(a, v, *, mode="full"):
    """Each sum of products that a and v reversed have where they overlap: Σ a[n]·v[k - n].

    ``mode="full"`` keeps all, ``"same"`` as many as the longer one has, from the middle, ``"valid"`` those where the shorter one lies inside.
    Slopes: in a, g correlated with v; in v, g correlated with a.

    >>> convolve(Tensor([1.0, 2.0, 3.0]), Tensor([1.0, 10.0]))
    Tensor([ 1., 12., 23., 30.])
    """
    if mode not in _MODES:
        raise ValueError(f"mode={mode!r} is not known")
    if np.ndim(a) != 1 or np.ndim(v) != 1:
        raise ValueError(f"arrays of {np.ndim(a)} and {np.ndim(v)} axes were given")
    return np.convolve(a, v, mode)


def _at_all_places(g: Any, a: Any, v: Any, mode: str) -> Any:
    """g among zeros, as if all places had been kept."""
    shorter = min(a.size, v.size)
    first = {"full": 0, "same": (shorter - 1) // 2, "valid": shorter - 1}[mode]
    return g if mode == "full" else pad(g, pad_width=((first, a.size + v.size - 1 - first - g.size),))


def _mirrored(v: Any) -> Any:
    return flip(v, axis=0)


convolve.defvjp(
    lambda g, out, a, v, mode: convolve(_at_all_places(g, a, v, mode), _mirrored(v), mode="valid"),
    lambda g, out, a, v, mode: convolve(_at_all_places(g, a, v, mode), _mirrored(a), mode="valid"),
)


@expression(cases=[case(*c.shapes, **{"mode": "full", **c.settings}) for c in _PAIRS])
def correlate(a, v, mode="valid"):
    """Each sum of products that a and v have where they overlap: Σ a[n + k]·v[n], with v conjugated. ``mode`` is that of convolve.

    Slopes: in a, g convolved with v; in v, a correlated with g.

    >>> correlate(Tensor([1.0, 2.0, 3.0]), Tensor([1.0, 10.0]))
    Tensor([21., 32.])
    """
    a, v = as_array(a), as_array(v)
    if a.ndim == v.ndim == 1 and a.size < v.size:  # the longer one decides which places are in the middle
        return _mirrored(_conjugated(correlate(v, a, mode)))
    return convolve(a, _mirrored(_conjugated(v)) if v.ndim == 1 else v, mode=mode)


def _conjugated(v: Any) -> Any:
    return conj(v) if is_complex(v) else v


# ---------------------------------------------------------------------------------------- between samples


@expression(domain=[REAL, INCREASING, REAL], cases=[case((6,), (4,), (4,)), case((2, 3), (2,), (2,)), case((), (3,), (3,)), case((4,), (1,), (1,))])
def interp(x, xp, fp, left=None, right=None, period=None):
    """The straight line through samples fp at the increasing places xp, read at x; beyond them ``left`` and ``right``, else fp's ends.

    With ``period`` xp and x are taken modulo it. Slopes: in x that of the line, at a sample the one behind it; in fp the two weights; in xp
    minus the line's slope times these. Raises ``ValueError`` for xp that do not increase.

    >>> interp(Tensor([0.5, 5.0]), [0.0, 1.0], Tensor([10.0, 20.0]))
    Tensor([15., 20.])
    """
    x, xp, fp = _floating(x), _floating(xp), _floating(fp)
    refuse_complex("interp", x, xp)
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ValueError(f"interp: xp has shape {xp.shape} and fp has shape {fp.shape}; give two vectors of one length, at least 1.")
    if period is not None:
        x, xp, fp = _wrapped(x, xp, fp, period)
        left = right = None
    _refuse_disorder(xp)
    return _read(x, xp, fp, fp[0] if left is None else left, fp[-1] if right is None else right)


def _read(x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    last = xp.size - 1
    low = _places_below(xp, x)
    high = np.minimum(low + 1, last)
    (x0, x1), (y0, y1) = (take(xp, low), take(xp, high)), (take(fp, low), take(fp, high))
    before, behind = less(x, xp[0]), greater(x, xp[-1])
    way = where(logical_or(before, behind), 0, x - x0)
    line = y0 + (y1 - y0) / where(low == high, 1, x1 - x0) * way
    return where(before, left, where(behind, right, line))


@by_numbers(refuses=True)
def _refuse_disorder(xp: Any) -> Any:
    if not np.all(xp[1:] > xp[:-1]):
        raise ValueError("interp: xp must increase from one place to the next; sort xp, and fp with it, and leave out repeated places.")
    return xp


@by_numbers
def _places_below(xp: Any, x: Any) -> Any:
    """Of each x, where in xp the stretch begins that it lies on."""
    return np.clip(np.searchsorted(xp, x, "right") - 1, 0, max(xp.size - 2, 0))


def _wrapped(x: Any, xp: Any, fp: Any, period: Any) -> Any:
    """x within one period, and the samples in order, with the last one before and the first one behind it."""
    if not period:
        raise ValueError("interp: period is 0; it must be another number.")
    period = abs(period)
    x, xp = remainder(x, period), remainder(xp, period)
    order = argsort(xp)
    xp, fp = take(xp, order), take(fp, order)
    return x, concat([xp[-1:] - period, xp, xp[:1] + period]), concat([fp[-1:], fp, fp[:1]])


def _floating(x: Any) -> Any:
    x = as_array(x)
    return x if x.dtype.kind in "fc" else astype(x, dtype="float64")


# ------------------------------------------------------------------------------------------------- jumps


@op(
    cases=(case((6,)), case((3, 4), axis=0), case((5,), period=1.5), case((5,), discont=3.5), case((1,)), case((0, 2), axis=0)),
    fits="axis must be one existing axis",
)
def unwrap(x, *, discont=None, axis=-1, period=2 * math.pi):
    """x with multiples of ``period`` added along ``axis``, so that no step is larger than half of it (or than ``discont``, if that is more).

    Slope: 1.

    >>> unwrap(Tensor([0.0, 3.0, -3.0]))
    Tensor([0.    , 3.    , 3.2832])
    """
    normalize_axis_index(axis, np.ndim(x))
    return np.unwrap(as_float(x), discont, axis, period=period)


unwrap.defvjp(lambda g, out, x, discont, axis, period: g)
