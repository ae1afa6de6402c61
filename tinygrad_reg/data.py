"""Small data sets to learn on, and batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .generators import generator
from .ops.neural import one_hot
from .ops.shape import reshape
from .random import beta, permutation
from .tensor import Tensor, asarray

__all__ = ["Mixup", "batches", "linear", "moons", "spiral"]


def spiral(samples: int, classes: int, noise: float = 0.2, rng: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Spiral arms, one a class: x of shape (samples·classes, 2), y the class numbers, class after class.

    Arm c: radius r from 0 to 1, angle t from 4c to 4(c+1) plus ``noise``·N(0,1); x = (r·sin 2.5t, r·cos 2.5t).
    One draw of ``samples`` normals a class and nothing else, so ``rng=np.random.RandomState(seed)``
    repeats, value for value, the set of the source, drawn at float64. Arms overlap: with three classes
    and noise 0.2 the best possible accuracy is 0.9098.

    Source: H. Kinsley and D. Kukieła (2020), Neural Networks from Scratch in Python, chapter 3,
    after A. Karpathy's CS231n notes.

    >>> x, y = spiral(100, 3, rng=np.random.RandomState(0))
    >>> x[1].round(6), y[[0, 100, 200]]
    (array([0.002996, 0.009647]), array([0, 1, 2]))
    """
    _check("spiral", samples=samples, classes=classes)
    rng = generator(rng)
    x = np.zeros((samples * classes, 2))
    for c in range(classes):
        r = np.linspace(0.0, 1.0, samples)
        t = np.linspace(c * 4, (c + 1) * 4, samples) + rng.standard_normal(samples) * noise
        x[c * samples : (c + 1) * samples] = np.c_[r * np.sin(t * 2.5), r * np.cos(t * 2.5)]
    return x, np.repeat(np.arange(classes), samples)


def moons(samples: int, noise: float = 0.1, rng: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles that reach into each other, ``samples`` points each, plus ``noise``·N(0,1).

    Class 0: (cos t, sin t); class 1: (1 - cos t, ½ - sin t); t from 0 to π.

    >>> x, y = moons(50, rng=0)
    >>> x.shape, y.sum()
    ((100, 2), np.int64(50))
    """
    _check("moons", samples=samples)
    t = np.linspace(0.0, np.pi, samples)
    x = np.r_[np.c_[np.cos(t), np.sin(t)], np.c_[1 - np.cos(t), 0.5 - np.sin(t)]]
    return x + noise * generator(rng).standard_normal(x.shape), np.repeat([0, 1], samples)


def linear(samples: int, weights: Any = (1.0, -2.0), bias: float = 0.0, noise: float = 0.1, rng: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """A linear relation to recover: x ~ N(0,1) of shape (samples, k), y = x @ weights + bias + ``noise``·N(0,1).

    Zeros among ``weights`` are inputs that play no part: what an L1 penalty should find.

    >>> x, y = linear(5, noise=0.0, rng=0)
    >>> np.allclose(y, x @ [1.0, -2.0])
    True
    """
    _check("linear", samples=samples)
    rng, weights = generator(rng), np.asarray(weights, float)
    x = rng.standard_normal((samples, weights.size))
    return x, x @ weights + bias + noise * rng.standard_normal(samples)


def batches(x: Any, y: Any, size: int | None = None, rng: Any = None, shuffle: bool = True) -> Iterator[tuple[Tensor, Tensor]]:
    """Pairs of matching parts of x and y, ``size`` rows each, in a new random order at each call; the last may be smaller.

    ``size=None`` is all at once, in the given order.

    >>> [len(part) for part, _ in batches(np.arange(5), np.arange(5), 2, rng=0)]
    [2, 2, 1]
    """
    x, y = asarray(x), asarray(y)
    if len(x) != len(y):
        raise ValueError(f"batches: x has {len(x)} rows and y has {len(y)}; each row of x needs one of y.")
    if size is None:
        return iter([(x, y)])
    _check("batches", size=size)
    order = generator(rng).permutation(len(x)) if shuffle else np.arange(len(x))
    cuts = (order[i : i + size] for i in range(0, len(x), size))
    return ((x[rows], y[rows]) for rows in cuts)


class Mixup:
    """A change of batches: each row is mixed with another one, and so are their targets.

    x̃_i = s_i·x_i + (1 - s_i)·x_j and the same for the targets, with j from a random order of the rows and a share s_i ~ Beta(alpha, alpha) for
    each row, drawn anew at each call from ``rng`` or from the default generator. Integer labels become probabilities for ``classes`` classes, which
    ``cross_entropy`` takes; float targets stay numbers. Use it as ``fit(…, transform=Mixup(…))``, or in a step of your own; not on test data.

    Raises ``ValueError`` for an alpha that is not above 0, for rows that do not match, and for integer labels without ``classes``.

    Source: H. Zhang, M. Cissé, Y. Dauphin and D. Lopez-Paz (2018), mixup: beyond empirical risk minimization.

    >>> x, p = Mixup(0.2, classes=2, rng=0)(np.array([[0.0], [1.0]]), np.array([0, 1]))
    >>> (x[:, 0] - p[:, 1]).tolist(), p.sum(axis=1).tolist()
    ([0.0, 0.0], [1.0, 1.0])
    """

    __slots__ = ("_alpha", "_classes", "_rng")

    def __init__(self, alpha: float = 0.2, classes: int | None = None, rng: Any = None) -> None:
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float, np.integer, np.floating)):
            raise TypeError(f"Mixup: alpha must be a number, not {type(alpha).__name__}.")
        if not 0 < alpha < np.inf:
            raise ValueError(f"Mixup: alpha is {alpha}; it must be finite and above 0 (the larger, the more evenly two rows are mixed).")
        if classes is not None:
            _check("Mixup", classes=classes)
        self._alpha, self._classes, self._rng = float(alpha), classes, rng if rng is None else generator(rng)

    @property
    def alpha(self) -> float:
        """Both exponents of the shares' distribution."""
        return self._alpha

    @property
    def classes(self) -> int | None:
        """How many classes there are."""
        return self._classes

    def __call__(self, x: Any, y: Any) -> tuple[Tensor, Tensor]:
        """A batch, mixed."""
        x, y = asarray(x), self._targets(asarray(y))
        if not x.ndim or not y.ndim or len(x) != len(y):
            raise ValueError(f"Mixup: x has shape {x.shape} and its targets {y.shape}; each row of x needs one target.")
        if x.dtype.kind != "f":
            raise TypeError(f"Mixup: x is {x.dtype}, and means of rows are floats; give x.astype('float64').")
        order = permutation(len(x), rng=self._rng)
        share = beta(self._alpha, self._alpha, len(x), rng=self._rng, dtype=x.dtype)
        return _mixed(x, share, order), _mixed(y, share, order)

    def _targets(self, y: Tensor) -> Tensor:
        if y.dtype.kind == "f":
            return y
        if self._classes is None:
            raise ValueError(f"Mixup: the targets are {y.dtype}, so they are labels; say how many classes there are, as in Mixup(0.2, classes=10).")
        return one_hot(y, num_classes=self._classes)

    def __repr__(self) -> str:
        return f"Mixup({self._alpha:g}, classes={self._classes})"


def _mixed(x: Tensor, share: Tensor, order: Tensor) -> Tensor:
    s = reshape(share, shape=(len(x), *(1,) * (x.ndim - 1))).astype(x.dtype)
    return s * x + (1 - s) * x[order]


def _check(what: str, **sizes: int) -> None:
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{what}: {name} is {value!r}; it must be a whole number of at least 1.")
