"""Where random numbers come from: one default generator, or the one you pass. Never NumPy's global state."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["generator", "manual_seed"]

_default = np.random.default_rng()


def manual_seed(n: int) -> np.random.Generator:
    """Seed the default generator, from which everything draws that is given no ``rng``; returns it.

    >>> first = manual_seed(0).normal()
    >>> first == manual_seed(0).normal()
    True
    """
    global _default  # noqa: PLW0603
    _default = np.random.default_rng(n)
    return _default


def generator(rng: Any = None) -> Any:
    """The generator meant by ``rng``: itself, a new one for a seed, or the default one for ``None``.

    A legacy ``RandomState`` is taken as it is, so that published streams can be repeated.

    >>> generator(0).random() == generator(0).random()
    True
    """
    if rng is None:
        return _default
    if isinstance(rng, (np.random.Generator, np.random.RandomState)):
        return rng
    if isinstance(rng, (int, np.integer)):
        return np.random.default_rng(rng)
    raise TypeError(f"rng is a {type(rng).__name__}; it must be a seed, None, a NumPy RandomState or a Generator: np.random.default_rng(seed).")
