"""How weights start, by name. A weight of shape (n_inputs, n_outputs) is drawn from ``rng``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..generators import generator

__all__ = ["INITIALISERS", "initialise"]

Scale = Callable[[int, int], float]


def _normal(scale: Scale) -> Callable[..., np.ndarray]:
    return lambda rng, n_in, n_out: scale(n_in, n_out) * rng.standard_normal((n_in, n_out))


def _uniform(scale: Scale) -> Callable[..., np.ndarray]:
    # A uniform distribution on ±√3·s has the standard deviation s.
    return lambda rng, n_in, n_out: np.sqrt(3.0) * scale(n_in, n_out) * rng.uniform(-1.0, 1.0, (n_in, n_out))


def _book(n_in: int, n_out: int) -> float:
    return 0.01


def _he(n_in: int, n_out: int) -> float:
    return float(np.sqrt(2.0 / max(n_in, 1)))


def _xavier(n_in: int, n_out: int) -> float:
    return float(np.sqrt(2.0 / max(n_in + n_out, 1)))


def _lecun(n_in: int, n_out: int) -> float:
    return float(np.sqrt(1.0 / max(n_in, 1)))


INITIALISERS: dict[str, Callable[..., np.ndarray]] = {
    "book": _normal(_book),  # 0.01·N(0, 1): H. Kinsley and D. Kukieła (2020), Neural Networks from Scratch
    "he": _normal(_he),  # K. He et al. (2015), Delving deep into rectifiers, eq. 10
    "he_uniform": _uniform(_he),
    "xavier": _normal(_xavier),  # X. Glorot and Y. Bengio (2010), Understanding the difficulty…, eq. 16
    "xavier_uniform": _uniform(_xavier),
    "lecun": _normal(_lecun),  # Y. LeCun et al. (1998), Efficient BackProp, eq. 16
    "zeros": lambda rng, n_in, n_out: np.zeros((n_in, n_out)),
}


def initialise(how: str | Callable[..., Any], n_inputs: int, n_outputs: int, rng: Any = None) -> np.ndarray:
    """Starting weights of shape (n_inputs, n_outputs), float64.

    ``how`` is one of ``INITIALISERS`` (``"book"`` 0.01·N(0,1), ``"he"`` √(2/n_inputs)·N(0,1), …) or a
    function of (rng, n_inputs, n_outputs). Raises ``ValueError`` for an unknown name or a wrong shape.

    >>> initialise("zeros", 2, 1)
    array([[0.],
           [0.]])
    """
    draw = INITIALISERS.get(how) if isinstance(how, str) else how
    if draw is None:
        names = ", ".join(map(repr, INITIALISERS))
        raise ValueError(f"init {how!r} is unknown; choose from {names}, or give a function of (rng, n_inputs, n_outputs).")
    weights = np.asarray(draw(generator(rng), n_inputs, n_outputs))
    if weights.shape != (n_inputs, n_outputs):
        raise ValueError(f"init returned weights of shape {weights.shape}; the layer needs {(n_inputs, n_outputs)}.")
    return weights
