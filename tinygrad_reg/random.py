"""Random numbers: one default generator, or the one you pass, never NumPy's global state; and Tensors drawn from it.

Names and settings are NumPy's; ``rng`` is a seed, a ``Generator`` or ``None`` for the default one. Without ``size`` there is
one draw for each element of the parameters, broadcast. What is drawn as a formula of its parameters and of noise that
does not depend on them (location and scale families) differentiates in them, to any order. What chooses or counts has no gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .domain import REAL
from .generators import generator, manual_seed
from .mode import capturing
from .op import Op
from .ops.elementwise import add, divide, exp, multiply, power, subtract
from .ops.seen import by_numbers, values
from .tensor import Tensor, asarray

__all__ = ["bernoulli", "beta", "binomial", "choice", "exponential", "gamma", "generator", "gumbel", "integers", "laplace", "logistic", "lognormal"]
__all__ += ["manual_seed", "normal", "permutation", "poisson", "rayleigh", "standard_normal", "uniform", "weibull"]

# --------------------------------------------------------------- drawn as a formula of their parameters


def normal(loc: Any = 0.0, scale: Any = 1.0, size: Any = None, *, rng: Any = None, dtype: Any = None) -> Tensor:
    """Normal numbers: loc + scale·noise. Slopes: 1 and the noise.

    >>> scale = Tensor([1.0, 2.0], requires_grad=True)
    >>> x = normal(3.0, scale, rng=0)
    >>> x.sum().backward()
    >>> abs(scale.grad * scale + 3.0 - x).max() < 1e-12
    Tensor(True)
    """
    _not_negative("normal", "scale", scale)
    noise = _noise("normal", "standard_normal", rng, size, dtype, loc, scale)
    return _in_dtype(add(loc, multiply(scale, noise)), dtype)


def standard_normal(size: Any = None, *, rng: Any = None, dtype: Any = None) -> Tensor:
    """Normal numbers of mean 0 and spread 1.

    >>> standard_normal(3, rng=0)
    Tensor([ 0.1257, -0.1321,  0.6404])
    """
    return asarray(_noise("standard_normal", "standard_normal", rng, size, dtype))


def uniform(low: Any = 0.0, high: Any = 1.0, size: Any = None, *, rng: Any = None, dtype: Any = None) -> Tensor:
    """Numbers anywhere from ``low`` to ``high``: low + (high - low)·noise. Slopes: 1 - noise and noise.

    >>> uniform(0, 10, 2, rng=0)
    Tensor([6.3696, 2.6979])
    """
    noise = _noise("uniform", "uniform", rng, size, dtype, low, high)
    return _in_dtype(add(low, multiply(subtract(high, low), noise)), dtype)


def exponential(scale: Any = 1.0, size: Any = None, *, rng: Any = None, dtype: Any = None) -> Tensor:
    """Waiting times of mean ``scale``: scale·noise. Slope: the noise.

    >>> exponential(2.0, 2, rng=0)
    Tensor([1.3599, 2.0392])
    """
    _not_negative("exponential", "scale", scale)
    return _in_dtype(multiply(scale, _noise("exponential", "standard_exponential", rng, size, dtype, scale)), dtype)


def laplace(loc: Any = 0.0, scale: Any = 1.0, size: Any = None, *, rng: Any = None, dtype: Any = None) -> Tensor:
    """Double exponential numbers: loc + scale·noise, the distribution whose log density is an L1 penalty.

    >>> laplace(size=2, rng=0)
    Tensor([ 0.3201, -0.617 ])
    """
    _not_negative("laplace", "scale", scale)
    return _in_dtype(add(loc, multiply(scale, _noise("laplace", "laplace", rng, size, dtype, loc, scale))), dtype)


def logistic(loc: Any = 0.0, scale: Any = 1.0, size: Any = None, *, rng: Any = None, dtype: Any = None) -> Tensor:
    """Logistic numbers: loc + scale·noise.

    >>> logistic(size=2, rng=0)
    Tensor([ 0.5622, -0.9957])
    """
    _not_negative("logistic", "scale", scale)
    return _in_dtype(add(loc, multiply(scale, _noise("logistic", "logistic", rng, size, dtype, loc, scale))), dtype)


def gumbel(loc: Any = 0.0, scale: Any = 1.0, size: Any = None, *, rng: Any = None, dtype: Any = None) -> Tensor:
    """Numbers distributed like a largest one: loc + scale·noise. The place of the largest logits + gumbel() is a draw from softmax.

    >>> gumbel(size=2, rng=0)
    Tensor([-0.0132,  1.157 ])
    """
    _not_negative("gumbel", "scale", scale)
    return _in_dtype(add(loc, multiply(scale, _noise("gumbel", "gumbel", rng, size, dtype, loc, scale))), dtype)


def lognormal(mean: Any = 0.0, sigma: Any = 1.0, size: Any = None, *, rng: Any = None, dtype: Any = None) -> Tensor:
    """Numbers whose logarithm is normal: exp(mean + sigma·noise).

    >>> lognormal(size=2, rng=0)
    Tensor([1.134 , 0.8762])
    """
    _not_negative("lognormal", "sigma", sigma)
    return _in_dtype(exp(add(mean, multiply(sigma, _noise("lognormal", "standard_normal", rng, size, dtype, mean, sigma)))), dtype)


def rayleigh(scale: Any = 1.0, size: Any = None, *, rng: Any = None, dtype: Any = None) -> Tensor:
    """Lengths of vectors of two normal numbers: scale·noise.

    >>> rayleigh(2.0, 2, rng=0)
    Tensor([2.3323, 2.856 ])
    """
    _not_negative("rayleigh", "scale", scale)
    return _in_dtype(multiply(scale, _noise("rayleigh", "rayleigh", rng, size, dtype, scale)), dtype)


def weibull(a: Any, size: Any = None, *, rng: Any = None, dtype: Any = None) -> Tensor:
    """Lifetimes of shape ``a`` (> 0): noise**(1/a), where the noise is exponential.

    >>> weibull(2.0, 2, rng=0)
    Tensor([0.8246, 1.0098])
    """
    _positive("weibull", "a", a)
    noise = _noise("weibull", "standard_exponential", rng, size, dtype, a)
    return _in_dtype(power(noise, divide(1, asarray(a))), dtype)


def gamma(shape: Any, scale: Any = 1.0, size: Any = None, *, rng: Any = None, dtype: Any = None) -> Tensor:
    """Sums of waiting times: scale·noise, where the noise depends on ``shape`` (> 0). Slope in scale: the noise; none in shape.

    Raises ``TypeError`` for a ``shape`` that requires a gradient, for there is no formula of it.

    >>> gamma(2.0, 3.0, 2, rng=0)
    Tensor([5.5029, 7.9131])
    """
    _positive("gamma", "shape", shape)
    _not_negative("gamma", "scale", scale)
    alpha = _constant_parameter("gamma", "shape", shape)
    size = _size("gamma", size, alpha, scale)
    noise = _in_kind(_drawn([alpha], of="standard_gamma", size=size, rng=rng), dtype, shape, scale)
    return _in_dtype(multiply(scale, noise), dtype)


def beta(a: Any, b: Any, size: Any = None, *, rng: Any = None, dtype: Any = None) -> Tensor:
    """Shares: numbers between 0 and 1 with exponents ``a`` and ``b`` (> 0). No gradient.

    Raises ``TypeError`` for an exponent that requires one.

    >>> beta(2.0, 3.0, 2, rng=0)
    Tensor([0.3224, 0.1646])
    """
    _positive("beta", "a", a)
    _positive("beta", "b", b)
    first, second = _constant_parameter("beta", "a", a), _constant_parameter("beta", "b", b)
    return _in_kind(_drawn([first, second], of="beta", size=_size("beta", size, first, second), rng=rng), dtype, a, b)


# ------------------------------------------------------------------------------------ choices and counts


def bernoulli(p: Any = 0.5, size: Any = None, *, rng: Any = None) -> Tensor:
    """Yes with probability ``p``, element by element. No gradient.

    >>> bernoulli(0.5, 4, rng=0)
    Tensor([False,  True,  True,  True])
    """
    return asarray(_yes_or_no(_value(p), size=_size("bernoulli", size, p), rng=rng))


@by_numbers(refuses=True)
def _yes_or_no(p: Any, *, size: tuple[int, ...], rng: Any) -> Any:
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"bernoulli: p is a probability, from 0 to 1; got {_shown(p)}.")
    return generator(rng).random(size) < p


def binomial(n: Any, p: Any, size: Any = None, *, rng: Any = None) -> Tensor:
    """How many of ``n`` tries succeed, each with probability ``p``. No gradient.

    >>> binomial(10, 0.5, 3, rng=0)
    Tensor([6, 4, 2])
    """
    return asarray(_drawn([_value(n), _value(p)], of="binomial", size=_size("binomial", size, n, p), rng=rng))


def poisson(lam: Any = 1.0, size: Any = None, *, rng: Any = None) -> Tensor:
    """How often something happens that happens ``lam`` times on average. No gradient.

    >>> poisson(3.0, 3, rng=0)
    Tensor([2, 0, 7])
    """
    return asarray(_drawn([_value(lam)], of="poisson", size=_size("poisson", size, lam), rng=rng))


def integers(low: Any, high: Any = None, size: Any = None, *, rng: Any = None, dtype: Any = np.int64, endpoint: bool = False) -> Tensor:
    """Whole numbers from ``low`` up to, not including, ``high`` (with ``endpoint``, including); with one bound, from 0.

    >>> integers(10, size=3, rng=0)
    Tensor([8, 6, 5])
    """
    first, last = (0, low) if high is None else (low, high)
    first, last = _value(first), _value(last)
    return asarray(_between(first, last, size=_size("integers", size, first, last), dtype=np.dtype(dtype), more=int(endpoint), rng=rng))


@by_numbers
def _between(first: Any, last: Any, *, size: tuple[int, ...], dtype: Any, more: int, rng: Any) -> Any:
    source = generator(rng)
    draw = source.randint if isinstance(source, np.random.RandomState) else source.integers
    return draw(first, last + more, size, dtype=dtype)


def permutation(x: Any, axis: int = 0, *, rng: Any = None) -> Tensor:
    """The parts of x along ``axis`` in random order, or the numbers up to x in random order. Gradients go back to their places.

    >>> permutation(4, rng=0)
    Tensor([2, 0, 1, 3])
    """
    if isinstance(x, (int, np.integer)):
        return asarray(_order(n=int(x), rng=rng))
    x = asarray(x)
    if not -x.ndim <= axis < x.ndim:
        raise IndexError(f"permutation: there is no axis {axis} in {x.describe()}, which has {x.ndim}.")
    return x[(slice(None),) * (axis % x.ndim) + (_order(n=x.shape[axis], rng=rng),)]


@by_numbers
def _order(*, n: int, rng: Any) -> Any:
    return generator(rng).permutation(n)


def choice(a: Any, size: Any = None, replace: bool = True, p: Any = None, axis: int = 0, *, rng: Any = None) -> Tensor:
    """Parts of ``a`` along ``axis`` chosen at random, or numbers below ``a``, with probabilities ``p``. Gradients go back to ``a``.

    >>> choice([10.0, 20.0, 30.0], 4, rng=0)
    Tensor([30., 20., 20., 10.])
    """
    settings = {"size": size, "replace": replace, "rng": rng}
    if isinstance(a, (int, np.integer)):
        return asarray(_chosen(None if p is None else _value(p), n=int(a), **settings))
    a = asarray(a)
    if not -a.ndim <= axis < a.ndim:
        raise IndexError(f"choice: there is no axis {axis} in {a.describe()}, which has {a.ndim}.")
    places = _chosen(None if p is None else _value(p), n=a.shape[axis], **settings)
    return a[(slice(None),) * (axis % a.ndim) + (places,)]


@by_numbers
def _chosen(p: Any, *, n: int, size: Any, replace: bool, rng: Any) -> Any:
    return generator(rng).choice(n, size, replace, p)


randint = integers

# ------------------------------------------------------------------------------------------- parameters


def _value(x: Any) -> Any:
    """The numbers of a parameter, whatever it is."""
    return values(x) if hasattr(x, "shape") else np.asarray(x)


@by_numbers
def _drawn(*parameters: Any, of: str, size: tuple[int, ...], rng: Any) -> Any:
    return getattr(generator(rng), of)(*parameters, size=size)


def _size(who: str, size: Any, *parameters: Any) -> tuple[int, ...]:
    """The shape to draw: that of the parameters together, or ``size``, to which they must broadcast."""
    shapes = [np.shape(p) for p in parameters]
    common = np.broadcast_shapes(*shapes)
    if size is None:
        return common
    wanted = (int(size),) if isinstance(size, (int, np.integer)) else tuple(size)
    try:
        fits = np.broadcast_shapes(common, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{who}: parameters of shapes {', '.join(map(str, shapes))} do not broadcast to size {wanted}. Leave size= away, or reshape them."
        )
    return wanted


def _noise(who: str, kind: str, rng: Any, size: Any, dtype: Any, *parameters: Any) -> Tensor:
    """Numbers that do not depend on the parameters, of the shape and dtype of the result."""
    settings = {"kind": kind, "size": _size(who, size, *parameters), "dtype": _kind(dtype, *parameters), "rng": rng}
    tape = capturing()
    return asarray(draw.forward(**settings)) if tape is None else tape.record(draw, (), settings)


def drawn(*, kind: str, size: tuple[int, ...], dtype: Any, rng: Any = None) -> Any:
    """Random numbers of one kind, the name of a method of NumPy's generators."""
    return np.asarray(getattr(generator(rng), kind)(size=size)).astype(dtype, copy=False)


draw = Op(drawn, "draw", (REAL,), (), "it has no arrays")  # not in the table, as there is nothing to differentiate


def _in_kind(drawn: Any, dtype: Any, *parameters: Any) -> Tensor:
    """What was drawn, in ``dtype``, or in that of the parameters; Python numbers are weak."""
    return asarray(drawn, _kind(dtype, *parameters))


def _kind(dtype: Any, *parameters: Any) -> Any:
    kinds = [p.dtype for p in parameters if getattr(p, "dtype", np.dtype(int)).kind == "f"]
    return np.dtype(dtype if dtype is not None else np.result_type(*kinds) if kinds else np.float64)


def _in_dtype(drawn: Tensor, dtype: Any) -> Tensor:
    return drawn if dtype is None or drawn.dtype == dtype else drawn.astype(dtype)


def _not_negative(who: str, name: str, x: Any) -> None:
    _refuse_others(_value(x), who=who, name=name, zero=True)


def _positive(who: str, name: str, x: Any) -> None:
    _refuse_others(_value(x), who=who, name=name, zero=False)


@by_numbers(refuses=True)
def _refuse_others(x: Any, *, who: str, name: str, zero: bool) -> Any:
    if not np.all((x >= 0) if zero else (x > 0)):
        raise ValueError(f"{who}: {name} must {'not be negative' if zero else 'be greater than 0'}; got {_shown(x)}.")
    return x


def _shown(values: Any) -> str:
    return np.array2string(np.asarray(values), threshold=6, precision=4)


def _constant_parameter(who: str, name: str, x: Any) -> Any:
    if getattr(x, "requires_grad", False):
        raise TypeError(f"{who}: {name} requires a gradient, and what is drawn has none in it. Use {name}.detach().")
    return _value(x)
