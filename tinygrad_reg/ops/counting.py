"""How often numbers come: counts of whole numbers, and of numbers in bins. Only the weights that are counted with have a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import INCREASING, REAL, case, integers
from ..op import expression, op
from .arranging import ravel
from .choice import equal, greater_equal, less_equal, logical_and, where
from .complexes import of_reals
from .differences import differences
from .elementwise import astype
from .placing import take
from .reduction import max, min, sum
from .shape import as_array
from .sorting import searchsorted
from .statistics import count_nonzero


@op(
    label="count",
    domain=[integers(0, 5), REAL],
    cases=(case((6,), (6,)), case((3,), (3,), minlength=7), case((3,), (3,), length=6), case((0,), (0,), minlength=2)),
    fits="x is a vector of whole numbers, none below 0, and weights are as many",
)
def bincount(x, weights=None, *, minlength=0, length=None):
    """How often each of 0, 1, 2, … comes in x, or the sum of the ``weights`` of those places; for ``minlength`` numbers at least.

    ``length`` says for how many numbers exactly: x must be below it. A compiled function needs that, to know the shape beforehand.
    Slope in weights: 1.

    >>> bincount([0, 2, 2], Tensor([1.0, 2.0, 3.0]))
    Tensor([1., 0., 5.])
    """
    if length is not None:
        if np.size(x) and np.max(x) >= length:
            raise ValueError(f"x holds {np.max(x)}, and length is {length}")
        minlength = length
    if weights is None:
        return np.bincount(x, None, minlength)
    weights = np.asarray(weights)
    if weights.dtype.kind == "c":
        return bincount.forward(x, weights.real, minlength=minlength) + 1j * bincount.forward(x, weights.imag, minlength=minlength)
    return np.bincount(x, weights, minlength).astype(np.result_type(weights, np.float32) if weights.dtype.kind == "f" else np.float64)


bincount.defvjp(None, lambda g, out, x, weights, minlength, length: take(g, x))
bincount.shaped_by = lambda settings: () if settings["length"] is not None else (0,)


@op(
    domain=[REAL, INCREASING],
    cases=(case((2, 3), (4,)), case((3,), (1,), right=True), case((), (2,))),
    fits="bins must rise, or fall, along one axis",
)
@of_reals
def digitize(x, bins, *, right=False):
    """The number of the bin in which each element lies: i for bins[i-1] ≤ x < bins[i], or with ``right`` for bins[i-1] < x ≤ bins[i].

    No gradient.

    >>> digitize(Tensor([0.5, 2.0]), [0.0, 1.0, 2.0])
    Tensor([1, 3])
    """
    return np.digitize(x, bins, right)


_BINS = (case((6,)), case((2, 3), bins=3, range=(-1.0, 1.0)), case((1,), bins=3), case((0,), bins=2))


@op(
    domain=[REAL.with_ties()],
    cases=_BINS,
    fits="bins is a number of bins, or the rising edges of bins, or a rule of NumPy's by name, and range (low, high)",
)
@of_reals
def histogram_bin_edges(x, *, bins=10, range=None):
    """The edges of ``bins`` bins, equally wide, from the smallest to the largest element, or over ``range``.

    Slope: 1 - i/bins in the smallest and i/bins in the largest element for edge i, shared evenly between equal ones; 0 for given edges.

    >>> histogram_bin_edges(Tensor([0.0, 1.0, 4.0]), bins=2)
    Tensor([0., 2., 4.])
    """
    return np.histogram_bin_edges(x, bins, range)


def _edges(g, out, x, bins, range):
    if np.ndim(bins) or range is not None or not x.size:
        return None
    way = np.linspace(0, 1, out.size, dtype=g.dtype)
    return _shared(sum(g * (1 - way)), equal(x, min(x))) + _shared(sum(g * way), equal(x, max(x)))


def _shared(g: Any, winners: Any) -> Any:
    return where(winners, g / count_nonzero(winners), 0)


histogram_bin_edges.defvjp(_edges)


@expression(cases=(*_BINS[:2], case((5,), bins=2, density=True)))
def histogram(x, bins=10, range=None, density=None, weights=None):
    """How many elements lie in each bin (the sum of their ``weights``, if given), and the bins' edges, which are those of histogram_bin_edges.

    A bin holds its lower edge, the last one its upper edge, too. With ``density`` counts are divided by the bin's width and by their sum.
    Slopes: in weights 1, or by that formula; in x 0 for the counts.

    >>> histogram(Tensor([0.5, 1.5, 1.0]), bins=[0.0, 1.0, 2.0])
    (Tensor([1, 2]), Tensor([0., 1., 2.]))
    """
    x = ravel(as_array(x))
    edges = histogram_bin_edges(x, bins=bins, range=range)
    last = edges.size - 2
    places = where(equal(x, edges[-1]), last, searchsorted(edges, x, side="right") - 1)
    places = where(logical_and(greater_equal(places, 0), less_equal(places, last)), places, last + 1)  # what lies outside is counted apart
    if weights is not None:
        weights = ravel(as_array(weights))
        if weights.size != x.size:
            raise ValueError(f"histogram: x has {x.size} elements and weights has {weights.size}; give one weight for each.")
    counts = bincount(places, weights, length=last + 2)[: last + 1]
    if density:
        counts = counts if counts.dtype.kind == "f" else astype(counts, dtype=edges.dtype)
        counts = counts / sum(counts) / differences(edges)
    return (counts, edges)
