"""Operations that pick elements by place, and their mirror image, which puts them back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import case
from ..op import op

KEYS = (
    case((3, 4), key=1),
    case((3, 4), key=(slice(None), -1)),
    case((3, 4), key=(slice(None, None, -2), None, slice(1, 3))),
    case((3, 4), key=(Ellipsis, 0)),
    case((3, 4), key=np.array([0, 2, 0, -1])),
    case((3, 4), key=(np.array([[0], [2]]), np.array([1, 1]))),
    case((3, 4), key=(np.array([0, 0]), slice(1, 3))),
    case((3, 4), key=np.array([True, False, True])),
    case((3, 4), key=(slice(None), np.array([True, False, True, True]))),
    case((3,), key=np.zeros(0, int)),
    case((3,), key=np.array([False, False, False])),
    case((), key=()),
    case((), key=None),
    case((2, 3, 2), key=(0, np.array([1, 1]), slice(None))),
)
FITS = "a key is made of ints, slices, None, ..., integer arrays and boolean arrays of the indexed shape"


@op(label="[ ]", cases=KEYS, fits=FITS)
def getitem(x, *, key):
    """Part of x: ``x[key]`` with all of NumPy's indexing. Slope: 1 for each time an element is taken.

    >>> getitem(Tensor([1.0, 2.0, 3.0]), key=[0, 2, 0])
    Tensor([1., 3., 1.])
    """
    return np.asarray(x)[key]


@op(label="[ ] +=", cases=[case(np.zeros(c.shapes[0])[c.settings["key"]].shape, shape=c.shapes[0], **c.settings) for c in KEYS], fits=FITS)
def scatter(x, *, key, shape):
    """Zeros of ``shape`` with x added at ``key``; places named several times add up. The mirror of getitem; slope: ``g[key]``.

    >>> scatter(Tensor([1.0, 2.0, 4.0]), key=[0, 2, 0], shape=(3,))
    Tensor([5., 0., 2.])
    """
    x = np.asarray(x)
    out = np.zeros(shape, x.dtype)
    if repeats(key):
        np.add.at(out, key, x)
    else:
        out[key] = x
    return out


getitem.defvjp(lambda g, out, x, key: scatter(g, key=key, shape=x.shape))
scatter.defvjp(lambda g, out, x, key, shape: getitem(g, key=key))


def repeats(key: Any) -> bool:
    """Whether a key may name one place twice: only whole numbers in arrays can."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(not _once(part) for part in parts)


def _once(part: Any) -> bool:
    if part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice)):
        return True
    return bool(np.asarray(part).dtype == np.bool_)
