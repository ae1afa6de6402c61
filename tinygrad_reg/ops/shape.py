"""Operations that move elements without changing them: other shapes, orders, repetitions, joins."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import case
from ..op import op
from .elementwise import astype


@op(
    cases=(case((2, 3), shape=(3, 2)), case((2, 3), shape=-1), case((), shape=(1, 1)), case((2, 0), shape=(0, 5)), case((4, 3), shape=(2, -1))),
    fits="the new shape must hold as many elements as the old; one size may be -1",
)
def reshape(x, *, shape, copy=None):
    """The same elements, in the same row-major order, in another shape; one size may be -1. Slope: 1 for each element, wherever it goes.

    ``copy`` is the array API's; values never change, so it makes no difference.

    >>> reshape(Tensor([1.0, 2.0, 3.0, 4.0]), (2, 2))
    Tensor([[1., 2.],
            [3., 4.]])
    """
    return x.reshape(shape) if type(x) is np.ndarray else np.reshape(x, shape)  # the method is twice as quick


reshape.defvjp(lambda g, out, x, shape, copy=None: reshape(g, shape=x.shape))


@op(
    label="transpose",
    cases=(case((2, 3)), case((2, 3, 4), axes=(1, 2, 0)), case((2, 3, 4), axes=(-1, 0, 1)), case(()), case((0, 2))),
    fits="axes must name every axis once",
    aliases=("transpose",),
)
def permute_dims(x, *, axes=None):
    """The axes in another order; by default, reversed. Slope: 1 for each element, wherever it goes.

    >>> permute_dims(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[1., 3.],
            [2., 4.]])
    """
    return np.transpose(x, axes)


def _permute_back(g, out, x, axes):
    if axes is None:
        return permute_dims(g)
    return permute_dims(g, axes=tuple(int(i) for i in np.argsort([a % x.ndim for a in np.ravel(axes)])))


permute_dims.defvjp(_permute_back)


@op(
    label="broadcast",
    cases=(case((3,), shape=(2, 3)), case((2, 1), shape=(4, 2, 3)), case((), shape=(2,)), case((2, 3), shape=(2, 3)), case((1,), shape=(0,))),
    fits="every size of x must be 1 or equal to the new size, aligned from the right",
)
def broadcast_to(x, *, shape):
    """x repeated along new axes and axes of size 1 until it has ``shape``; nothing is copied. Slope: 1 for each copy of an element.

    >>> broadcast_to(Tensor([1.0, 2.0]), (2, 2))
    Tensor([[1., 2.],
            [1., 2.]])
    """
    if isinstance(x, np.generic) and type(shape) is tuple:
        # A view of one element with strides of 0, as np.broadcast_to makes it, several times faster.
        return np.ndarray(shape, x.dtype, x, strides=(0,) * len(shape))
    return np.broadcast_to(x, shape)


broadcast_to.defvjp(lambda g, out, x, shape: g)


@op(
    cases=(case((2, 3), axis=0), case((2, 3), axis=-1), case((2, 3), axis=(0, 2)), case((), axis=(0, 1))),
    fits="axis must name places of the result, each once",
)
def expand_dims(x, *, axis=0):
    """New axes of size 1, at the places ``axis`` of the result. Slope: 1 for each element, wherever it goes.

    >>> expand_dims(Tensor([1.0, 2.0]), axis=1)
    Tensor([[1.],
            [2.]])
    """
    return np.expand_dims(x, axis)


expand_dims.defvjp(lambda g, out, x, axis: reshape(g, shape=x.shape))


@op(
    cases=(case((2, 1, 3, 1)), case((2, 1, 3, 1), axis=1), case((2, 1, 3, 1), axis=(1, -1)), case(())),
    fits="only axes of size 1 can be squeezed",
)
def squeeze(x, *, axis=None):
    """x without its axes of size 1: all of them, or those named. Slope: 1 for each element, wherever it goes.

    >>> squeeze(Tensor([[1.0, 2.0]]))
    Tensor([1., 2.])
    """
    return np.squeeze(x, axis=axis)


squeeze.defvjp(lambda g, out, x, axis: reshape(g, shape=x.shape))


@op(
    label="concat",
    cases=(case((2, 3), (1, 3)), case((2, 1), (2, 0), (2, 3), axis=-1), case((2,), (3, 1), axis=None), case((2,))),
    fits="shapes must agree but for the size along axis",
    aliases=("concatenate",),
)
def concat(*arrays, axis=0):
    """Arrays joined end to end along an existing ``axis``; ``None`` flattens them first. Slope: 1 for each element, wherever it goes.

    >>> concat([Tensor([1.0, 2.0]), Tensor([3.0])])
    Tensor([1., 2., 3.])
    """
    return np.concatenate(arrays, axis=axis)


def _cut(g, out, *arrays, axis, index):
    if axis is None:
        start = _total(getattr(x, "size", 1) for x in arrays[:index])
        return reshape(g[start : start + arrays[index].size], shape=arrays[index].shape)
    start = _total(x.shape[axis] for x in arrays[:index])
    along = slice(start, start + arrays[index].shape[axis])
    return g[(slice(None),) * (axis % out.ndim) + (along,)]


def _total(sizes: Any) -> int:
    return int(np.add.reduce(list(sizes), initial=0))


concat.defvjp(_cut)


@op(
    cases=(case((2, 3), (2, 3)), case((2, 3), (2, 3), axis=-1), case((), (), (), axis=0)),
    fits="all shapes must be equal",
)
def stack(*arrays, axis=0):
    """Arrays of one shape joined along a new ``axis``. Slope: 1 for each element, wherever it goes.

    >>> stack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])], axis=1)
    Tensor([[1., 3.],
            [2., 4.]])
    """
    return np.stack(arrays, axis=axis)


stack.defvjp(lambda g, out, *arrays, axis, index: g[(slice(None),) * (axis % out.ndim) + (index,)])


def as_floats(x: Any) -> Any:
    """x as an array or Tensor of floats: small whole numbers would wrap around on the way to a result that is one."""
    x = as_array(x)
    return x if x.dtype.kind in "fc" else astype(x, dtype="float64")


def as_array(x: Any) -> Any:
    """x if it has a shape, as arrays and Tensors do; a number or a list as an array."""
    return x if hasattr(x, "shape") else np.asarray(x)
