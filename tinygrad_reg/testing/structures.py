"""What a user's function may take: arrays, Tensors, modules, and lists and dicts of these. Here they are found, named and replaced."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..nn import Module
from ..tensor import Tensor

__all__ = ["Leaf", "argument_names", "as_reals", "from_reals", "leaves_of", "replaced", "wide"]


@dataclass(frozen=True)
class Leaf:
    """One array among the inputs: its name, where it stands, and its value at the precision of the check.

    ``tensor`` is the Tensor that it belongs to, if any; ``owner`` says that this Tensor is part of a module (or of a closure) and
    is given its values in place.
    """

    name: str
    path: tuple[Any, ...]
    value: np.ndarray
    tensor: Tensor | None = None
    owned: bool = False

    @property
    def key(self) -> Any:
        """Two leaves of one Tensor are one variable; two arrays are two, even if they are one object."""
        return self.path if self.tensor is None else id(self.tensor)

    @property
    def wants(self) -> bool:
        """Whether its Tensor says that it is to be differentiated by."""
        return self.tensor is not None and self.tensor.requires_grad


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """Names for the inputs of f: those of its parameters where they can be seen.

    >>> argument_names(lambda w, x: w * x, 2)
    ['w', 'x']
    """
    try:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [p.name for p in inspect.signature(f).parameters.values() if p.kind in kinds]
    except (TypeError, ValueError):
        names = []
    return [*names, *(f"input {i}" for i in range(len(names), count))][:count]


def wide(value: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """A copy of float or complex numbers at the precision of ``dtype``; others as they are.

    >>> wide(np.float32(1.0), np.dtype("float64")).dtype
    dtype('float64')
    """
    array = np.asarray(value)
    if array.dtype.kind == "f":
        return np.array(array, dtype)
    return np.array(array, np.result_type(dtype, np.complex64)) if array.dtype.kind == "c" else array


def leaves_of(tree: Any, name: str, path: tuple[Any, ...], dtype: np.dtype[Any], owned: bool = False) -> Iterator[Leaf]:
    """Every float or complex array among ``tree``, with a name such as ``params['w']`` or ``model.0.weight``."""
    if isinstance(tree, Tensor):
        if tree.dtype.kind in "fc":
            yield Leaf(tree.name or name, path, wide(tree.data, dtype), tree, owned)
    elif isinstance(tree, Module):
        for key, x in tree.named_tensors():
            if x.requires_grad:
                yield Leaf(f"{name}.{key}" if name else key, (*path, key), wide(x.data, dtype), x, owned=True)
    elif isinstance(tree, (np.ndarray, np.floating, np.complexfloating)):
        if tree.dtype.kind in "fc":
            yield Leaf(name, path, wide(tree, dtype))
    elif isinstance(tree, Mapping):
        for key, x in tree.items():
            yield from leaves_of(x, f"{name}[{key!r}]", (*path, key), dtype, owned)
    elif isinstance(tree, (list, tuple)):
        for i, x in enumerate(tree):
            yield from leaves_of(x, f"{name}[{i}]", (*path, i), dtype, owned)


def replaced(tree: Any, new: Mapping[Any, Any], path: tuple[Any, ...] = ()) -> Any:
    """``tree`` with other values: those of ``new``, by the Tensor that stood there or by the place."""
    if isinstance(tree, Tensor):
        return new.get(id(tree), tree)
    if isinstance(tree, Mapping):
        return {key: replaced(x, new, (*path, key)) for key, x in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [replaced(x, new, (*path, i)) for i, x in enumerate(tree)]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return new.get(path, tree)


def as_reals(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """All numbers one after the other; a complex one is two.

    >>> as_reals([np.array([1.0, 2.0]), np.array([3 + 4j])])
    array([1., 2., 3., 4.])
    """
    flat = [np.ascontiguousarray(a).reshape(-1) for a in arrays]
    parts = [a.view(a.real.dtype) if a.dtype.kind == "c" else a for a in flat]
    return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0)


def from_reals(reals: np.ndarray, like: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The arrays that :func:`as_reals` made one vector of."""
    found, start = [], 0
    for a in like:
        end = start + a.size * (2 if a.dtype.kind == "c" else 1)
        part = np.ascontiguousarray(reals[start:end], dtype=a.real.dtype)
        found.append((part.view(a.dtype) if a.dtype.kind == "c" else part).reshape(a.shape))
        start = end
    return found
