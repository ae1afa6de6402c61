"""Normalisation: x brought to mean 0 and variance 1 (or to mean square 1) over some axes, then scaled and moved.

The variance is that of the elements themselves (divided by n), and ``eps`` is added to it, so that equal elements give 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import POSITIVE, REAL, case
from ..op import expression, op
from .arranging import unfold
from .complexes import of_reals
from .elementwise import as_float, sqrt
from .padding import pad
from .reduction import mean, var
from .shape import as_floats, reshape
from .windows import shaped

_CASES = (
    case((3, 4), axis=(1,)),
    case((2, 3, 2), axis=(0, 2)),
    case((2, 3), axis=(-1,), eps=0.5),
    case((4,), axis=(0,)),
    case((0, 3), axis=(1,)),
)
FITS = "axis must name existing axes, each once"


@op(cases=_CASES, fits=FITS)
@of_reals
def standardise(x, *, axis, eps=1e-5):
    """(x - mean)/√(variance + eps) over ``axis``. Slope: (g - mean(g) - out·mean(g·out))/√(variance + eps).

    Source: S. Ioffe and C. Szegedy (2015), Batch normalization, algorithm 1.

    >>> standardise(Tensor([1.0, 2.0, 3.0]), axis=0, eps=0.0)
    Tensor([-1.2247,  0.    ,  1.2247])
    """
    x = as_float(x)
    centred = x - _mean(x, axis)
    centred -= _mean(centred, axis)  # the mean was rounded: equal values must come out as 0
    return _divided(centred, axis, eps)


def _mean(x: Any, axis: Any) -> Any:
    return mean.forward(x, axis=axis, keepdims=True)


def _divided(x: Any, axis: Any, eps: float) -> Any:
    """x, of which a copy has been made, divided by √(mean square + eps)."""
    with np.errstate(invalid="ignore", divide="ignore"):  # 0/0, with eps = 0, is NaN as it should be
        x /= np.sqrt(_mean(x * x, axis) + eps)
    return x


def _standardise(g, out, x, axis, eps):
    along = g - mean(g, axis=axis, keepdims=True) - out * mean(g * out, axis=axis, keepdims=True)
    return along / sqrt(var(x, axis=axis, keepdims=True) + eps)


standardise.defvjp(_standardise)


@op(cases=_CASES, fits=FITS)
@of_reals
def rms_scale(x, *, axis, eps=1e-5):
    """x/√(mean of x² + eps) over ``axis``. Slope: (g - out·mean(g·out))/√(mean of x² + eps).

    Source: B. Zhang and R. Sennrich (2019), Root mean square layer normalization, eq. 4.

    >>> rms_scale(Tensor([3.0, 4.0]), axis=0, eps=0.0)
    Tensor([0.8485, 1.1314])
    """
    return _divided(np.array(as_float(x)), axis, eps)


def _rms_scale(g, out, x, axis, eps):
    return (g - out * mean(g * out, axis=axis, keepdims=True)) / sqrt(mean(x * x, axis=axis, keepdims=True) + eps)


rms_scale.defvjp(_rms_scale)

# ------------------------------------------------------------------------------ over the last axes


@expression(cases=[case((3, 4), normalized_shape=4), case((2, 3, 2), normalized_shape=(3, 2)), case((0, 3), normalized_shape=3)])
def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Each sample brought to mean 0 and variance 1 over its last axes, of ``normalized_shape``; then times weight, plus bias.

    out = weight·(x - mean)/√(variance + eps) + bias, where weight and bias have ``normalized_shape``.

    Slopes: in x that of standardise, times weight; in weight what it is multiplied by; in bias 1.

    Source: J. L. Ba, J. R. Kiros and G. E. Hinton (2016), Layer normalization, eq. 4.

    >>> layer_norm(Tensor([[1.0, 2.0, 3.0]]), 3)
    Tensor([[-1.2247,  0.    ,  1.2247]])
    """
    x = shaped(x)
    shape = _last_axes("layer_norm", x, normalized_shape, weight=weight, bias=bias)
    return _affine(standardise(x, axis=tuple(range(-len(shape), 0)), eps=eps), weight, bias)


@expression(cases=[case((3, 4), normalized_shape=4), case((2, 3, 2), normalized_shape=(3, 2), eps=0.1)])
def rms_norm(x, normalized_shape, weight=None, eps=None):
    """Each sample divided by its root mean square over its last axes, of ``normalized_shape``; then times weight.

    out = weight·x/√(mean of x² + eps); ``eps`` is the smallest step of the dtype at 1 unless given.

    Slopes: in x that of rms_scale, times weight; in weight what it is multiplied by.

    >>> rms_norm(Tensor([[3.0, 4.0]]), 2)
    Tensor([[0.8485, 1.1314]])
    """
    x = shaped(x)
    shape = _last_axes("rms_norm", x, normalized_shape, weight=weight)
    if eps is None:
        eps = float(np.finfo(x.dtype if x.dtype.kind == "f" else np.float64).eps)
    return _affine(rms_scale(x, axis=tuple(range(-len(shape), 0)), eps=eps), weight, None)


def _last_axes(name: str, x: Any, normalized_shape: Any, **parameters: Any) -> tuple[int, ...]:
    shape = (normalized_shape,) if isinstance(normalized_shape, (int, np.integer)) else tuple(normalized_shape)
    if not shape or tuple(x.shape[-len(shape) :]) != shape:
        raise ValueError(f"{name}: normalized_shape is {shape}, and x of shape {x.shape} does not end in it.")
    for what, value in parameters.items():
        if value is not None and shaped(value).shape != shape:
            raise ValueError(f"{name}: {what} has shape {shaped(value).shape}; it needs normalized_shape, {shape}.")
    return shape


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    if weight is not None:
        x = x * weight
    return x if bias is None else x + bias


# ------------------------------------------------------------------------------------- by channel


@expression(
    domain=[REAL, REAL, POSITIVE],
    cases=[case((4, 3), (3,), (3,)), case((2, 3, 4), (3,), (3,), eps=0.1)],
)
def batch_norm(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Each channel of x (samples, channels, …) brought to mean 0 and variance 1 over all other axes; then times weight, plus bias.

    In training mean and variance are those of x itself, and the running ones, if they are Tensors, are given new values: moved towards
    them by ``momentum``, where the variance is divided by n - 1. Otherwise the running ones are used; in training they may be ``None``.

    Slopes: in x that of standardise, times weight (with running ones, weight/√(variance + eps)); in weight what it is multiplied by; in bias 1.

    Raises ``ValueError`` in training if there is only one element a channel.

    Source: S. Ioffe and C. Szegedy (2015), Batch normalization, algorithms 1 and 2.

    >>> batch_norm(Tensor([[1.0], [3.0]]), None, None, training=True, eps=0.0)
    Tensor([[-1.],
            [ 1.]])
    """
    x = as_floats(x)
    _check_channels("batch_norm", x, 2, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    weight, bias = _by_channel(x, weight), _by_channel(x, bias)
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: in evaluation running_mean and running_var are needed; with training=True those of x are taken.")
        scale = 1 / sqrt(_by_channel(x, running_var) + eps)
        return _affine((x - _by_channel(x, running_mean)) * scale, weight, bias)
    axis = (0, *range(2, x.ndim))
    if x.size == x.shape[1]:
        raise ValueError(f"batch_norm: x of shape {x.shape} has one element for each channel, and no variance. Train with more than one sample.")
    _follow(running_mean, running_var, x, axis, momentum)
    return _affine(standardise(x, axis=axis, eps=eps), weight, bias)


@expression(cases=[case((2, 3, 4)), case((2, 2, 3, 2), eps=0.1)])
def instance_norm(x, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5):
    """Each channel of each sample brought to mean 0 and variance 1 over its spatial axes; then times weight, plus bias.

    With ``use_input_stats=False`` the running mean and variance are used, else they are updated as in batch_norm.

    Slopes: in x that of standardise, times weight (with running ones, weight/√(variance + eps)); in weight what it is multiplied by; in bias 1.

    >>> instance_norm(Tensor([[[1.0, 3.0], [5.0, 5.0]]]), eps=0.0001)
    Tensor([[[-1.,  1.],
             [ 0.,  0.]]])
    """
    x = shaped(x)
    _check_channels("instance_norm", x, 3, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if not use_input_stats:
        return batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    axis = tuple(range(2, x.ndim))
    if x.size == x.shape[0] * x.shape[1]:
        raise ValueError(f"instance_norm: x of shape {x.shape} has one element for each channel of a sample, and no variance.")
    _follow(running_mean, running_var, x, axis, momentum)
    return _affine(standardise(x, axis=axis, eps=eps), _by_channel(x, weight), _by_channel(x, bias))


@expression(cases=[case((2, 4, 3), num_groups=2), case((2, 4), num_groups=2), case((1, 2, 3, 2), num_groups=1, eps=0.1)])
def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    """Each group of neighbouring channels of each sample brought to mean 0 and variance 1; then times weight, plus bias, by channel.

    Slopes: in x that of standardise, times weight; in weight what it is multiplied by; in bias 1.

    Source: Y. Wu and K. He (2018), Group normalization, eq. 1 and 7.

    >>> group_norm(Tensor([[1.0, 3.0, 5.0, 5.0]]), 2, eps=0.0001)
    Tensor([[-1.,  1.,  0.,  0.]])
    """
    x = shaped(x)
    _check_channels("group_norm", x, 2, weight=weight, bias=bias)
    if num_groups < 1 or x.shape[1] % num_groups:
        raise ValueError(f"group_norm: num_groups is {num_groups}; it must divide the {x.shape[1]} channels of x of shape {x.shape}.")
    rest = x.size // (x.shape[0] * num_groups) if x.size else 0
    grouped = standardise(reshape(x, shape=(x.shape[0], num_groups, rest)), axis=(2,), eps=eps)
    return _affine(reshape(grouped, shape=tuple(x.shape)), _by_channel(x, weight), _by_channel(x, bias))


def _by_channel(x: Any, parameter: Any) -> Any:
    """A parameter with one number for each channel, shaped so that it meets axis 1 of x."""
    return parameter if parameter is None or x.ndim == 2 else reshape(parameter, shape=(-1, *[1] * (x.ndim - 2)))


def _check_channels(name: str, x: Any, axes: int, **parameters: Any) -> None:
    if x.ndim < axes:
        raise ValueError(f"{name}: x has shape {x.shape}; it needs at least {axes} axes, (samples, channels{', …' if axes > 2 else ''}).")
    for what, value in parameters.items():
        if value is not None and shaped(value).shape != x.shape[1:2]:
            raise ValueError(f"{name}: {what} has shape {shaped(value).shape}; x of shape {x.shape} needs one number for each channel.")


def _follow(running_mean: Any, running_var: Any, x: Any, axis: tuple[int, ...], momentum: float) -> None:
    """Move the running mean and variance towards those of x; over samples, their mean."""
    if running_mean is None and running_var is None:
        return
    values = x.detach() if hasattr(x, "detach") else x
    spare = tuple(range(values.ndim - len(axis) - 1))  # the samples, if they have a mean each
    _move(running_mean, mean(mean(values, axis=axis), axis=spare), momentum)
    _move(running_var, mean(var(values, axis=axis, correction=1), axis=spare), momentum)


def _move(running: Any, new: Any, momentum: float) -> None:
    if hasattr(running, "assign"):  # an array is its owner's, and never changed
        running.assign(running.detach() * (1 - momentum) + new * momentum)


@expression(cases=[case((2, 5, 3), size=3), case((1, 4, 2, 2), size=2, alpha=0.5, beta=0.5, k=2.0), case((2, 3, 1), size=1)])
def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    """x / (k + alpha·m)**beta, where m is the mean of x² over ``size`` neighbouring channels (axis 1), with zeros beyond the ends.

    Slope: by the formula, over all channels in whose mean an element is.

    Source: A. Krizhevsky et al. (2012), ImageNet classification, section 3.3 (with a mean in place of the sum, as most libraries do).

    >>> local_response_norm(tg.ones((1, 1, 1)), 1, alpha=3.0, beta=0.5)
    Tensor([[[0.5]]])
    """
    x = as_floats(x)
    if x.ndim < 3 or size < 1:
        raise ValueError(f"local_response_norm: x has shape {x.shape} and size is {size}; x is (samples, channels, …), and size at least 1.")
    squares = pad(x * x, pad_width=((0, 0), (size // 2, (size - 1) // 2), *((0, 0),) * (x.ndim - 2)))
    means = mean(unfold(squares, axis=1, size=size), axis=-1)
    return x / (means * alpha + k) ** beta
