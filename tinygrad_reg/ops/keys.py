"""Indexing with Tensors in the key while a function is captured: the key is an input then, read anew at each run, and not a setting."""

from __future__ import annotations

from typing import Any

import numpy as np

from .indexing import getitem
from .placing import put_along, take, take_back
from .seen import by_numbers
from .shape import as_array, broadcast_to, reshape
from .updating import index_add, index_set

__all__ = ["part_at", "with_added", "with_part"]


def part_at(x: Any, *, key: Any) -> Any:
    """x[key]."""
    first, *others = key if isinstance(key, tuple) else (key,)
    if not others and getattr(first, "dtype", None) != np.bool_:
        return take(x, first, axis=0)
    return take(reshape(x, shape=(-1,)), _flat_places(key, x.shape))


def with_part(x: Any, values: Any, *, key: Any) -> Any:
    """x with ``values`` at ``key``."""
    places, x = _flat_places(key, np.shape(x)), as_array(x)
    flat = put_along(reshape(x, shape=(-1,)), reshape(places, shape=(-1,)), reshape(_spread(values, places.shape), shape=(-1,)), axis=0)
    return reshape(flat, shape=x.shape)


def with_added(x: Any, values: Any, *, key: Any) -> Any:
    """x with ``values`` added at ``key``."""
    places, x = _flat_places(key, np.shape(x)), as_array(x)
    return x + reshape(take_back(_spread(values, places.shape), places, shape=(x.size,)), shape=x.shape)


def _spread(values: Any, shape: tuple[int, ...]) -> Any:
    values = as_array(values)
    led = values.shape[: max(values.ndim - len(shape), 0)]  # NumPy lets the values have more leading axes, of size 1
    return broadcast_to(reshape(values, shape=values.shape[len(led) :]) if led and set(led) == {1} else values, shape=shape)


def _flat_places(key: Any, shape: tuple[int, ...]) -> Any:
    """The places in the flat array that a key names in one of ``shape``."""
    parts = key if isinstance(key, tuple) else (key,)
    at = tuple(i for i, part in enumerate(parts) if hasattr(part, "__record__"))
    places = _places_by_mask if any(parts[i].dtype == np.bool_ for i in at) else _places
    return places([parts[i] for i in at], parts=tuple(None if i in at else part for i, part in enumerate(parts)), at=at, shape=shape)


def _named(*keys: Any, parts: tuple[Any, ...], at: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    whole = list(parts)
    for i, key in zip(at, keys, strict=True):
        whole[i] = key
    return np.arange(int(np.prod(shape))).reshape(shape)[tuple(whole)]


_places = by_numbers(_named)
_places_by_mask = by_numbers(_named, shaped=True)

getitem.keyed, index_set.keyed, index_add.keyed = part_at, with_part, with_added
