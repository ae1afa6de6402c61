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
def put_back(x, *, key, shape):
    """Zeros of ``shape`` with x added at ``key``; places named several times add up. The mirror of getitem. Slope: 1 for each element.

    >>> put_back(Tensor([1.0, 2.0, 4.0]), key=[0, 2, 0], shape=(3,))
    Tensor([5., 0., 2.])
    """
    x = np.asarray(x)
    out = np.zeros(shape, x.dtype)
    if repeats(key):
        add_at(out, key, x)
    else:
        out[key] = x
    return out


getitem.defvjp(lambda g, out, x, key: put_back(g, key=key, shape=x.shape))
put_back.defvjp(lambda g, out, x, key, shape: getitem(g, key=key))


def add_at(out: np.ndarray, key: Any, values: Any) -> None:
    """Add ``values`` to ``out`` at ``key``, in place; places named several times add up.

    NumPy is several times faster at one flat list of places than at any other key. Counting the places costs about
    as much as making ``out`` did, and so pays where many are named.
    """
    if out.ndim > 1 and 8 * np.size(values) > out.size:
        places = np.arange(out.size).reshape(out.shape)[key]
        np.add.at(out.reshape(-1), places.ravel(), np.broadcast_to(values, places.shape).ravel())
    else:
        np.add.at(out, key, values)


def repeats(key: Any) -> bool:
    """Whether a key may name one place twice: only whole numbers in arrays can."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(not _once(part) for part in parts)


def _once(part: Any) -> bool:
    if part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice)):
        return True
    return bool(np.asarray(part).dtype == np.bool_)
