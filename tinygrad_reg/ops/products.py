"""Products of vectors, matrices and arrays with more axes: dot, tensordot, cross, kron.

Products are bilinear: the slope in one factor is the product of g and the other. Only vdot, vecdot and vecmat conjugate, the first factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from string import ascii_letters
from typing import Any

import numpy as np

from ..domain import case
from ..op import expression, op
from .complexes import conj, is_complex
from .einsum import einsum, einsum_pair
from .linalg import matmul
from .shape import as_array, expand_dims, permute_dims, reshape


def _conjugated(x: Any) -> Any:
    return conj(x) if is_complex(x) else x


# ------------------------------------------------------------------------------------------------- vectors


@expression(cases=[case((3,), (3,)), case((2, 3), (3,)), case((2, 3), (3, 4)), case((5, 2, 3), (4, 3, 2)), case((), (2, 3)), case((3,), (5, 3, 4))])
def dot(a, b):
    """Product of two arrays: of vectors their inner product, of matrices the matrix product, with a number element by element.

    With more axes: summed over the last axis of a and the last but one of b, and the result has all others, a's first.

    Slopes: for each element those of the other array that it is multiplied by.

    >>> dot(Tensor([1.0, 2.0]), Tensor([3.0, 4.0]))
    Tensor(11.)
    """
    a, b = as_array(a), as_array(b)
    if not a.ndim or not b.ndim:
        return a * b
    return matmul(a, b) if a.ndim <= 2 and b.ndim <= 2 else tensordot(a, b, ((-1,), (-min(b.ndim, 2),)))


@expression(cases=[case((3,), (3,)), case((2, 3), (3, 2)), case((), ())])
def vdot(a, b):
    """Inner product of all elements, row by row: Σ conj(a)·b. Slopes: b and a.

    >>> vdot(Tensor([1.0, 2.0]), Tensor([3.0, 4.0]))
    Tensor(11.)
    """
    a, b = as_array(a), as_array(b)
    if a.size != b.size:
        raise ValueError(f"vdot: arrays of shapes {a.shape} and {b.shape} have {a.size} and {b.size} elements; it takes equally many.")
    return matmul(_conjugated(reshape(a, shape=(-1,))), reshape(b, shape=(-1,)))


@expression(cases=[case((3,), (3,)), case((2, 3), (4, 3)), case((2, 1, 3), (4, 3)), case((), (2,))])
def inner(a, b):
    """Inner product over the last axis of both arrays; the result has all other axes, a's first.

    Slopes: for each element those of the other array that it is multiplied by.

    >>> inner(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 1.0]))
    Tensor([3., 7.])
    """
    a, b = as_array(a), as_array(b)
    if not a.ndim or not b.ndim:
        return a * b
    return matmul(a, b) if a.ndim == b.ndim == 1 else tensordot(a, b, ((-1,), (-1,)))


@expression(cases=[case((2,), (3,)), case((2, 2), (3,)), case((), (0,))])
def outer(a, b):
    """Every element of a times every element of b: a matrix. Arrays with more axes are flattened.

    Slopes: for each element those of the other array that it is multiplied by.

    >>> outer(Tensor([1.0, 2.0]), Tensor([3.0, 4.0]))
    Tensor([[3., 4.],
            [6., 8.]])
    """
    return reshape(as_array(a), shape=(-1, 1)) * reshape(as_array(b), shape=(1, -1))


@op(
    label="·",
    cases=(case((3,), (3,)), case((2, 3), (3,)), case((3, 2), (3, 1), axis=0), case((4, 1, 3), (2, 3)), case((0,), (0,))),
    fits="both arrays need equally many elements along axis, and their other axes broadcast",
)
def vecdot(a, b, *, axis=-1):
    """Inner product along ``axis``: Σ conj(a)·b; the other axes broadcast. Slopes: b and a.

    >>> vecdot(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 1.0]))
    Tensor([3., 7.])
    """
    a, b = np.asarray(a), np.asarray(b)
    axis = _from_the_end(axis, a, b)
    if a.shape[axis] != b.shape[axis]:
        raise ValueError(f"along axis {axis} there are {a.shape[axis]} and {b.shape[axis]} elements")
    if axis != -1:
        a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    return np.einsum("...i,...i->...", _conjugated(a), b)


def _from_the_end(axis: Any, a: Any, b: Any) -> int:
    """The axis counted from the end, where it is the same for both arrays."""
    ends = {axis - x.ndim if axis >= 0 else axis for x in (a, b)}
    if len(ends) > 1 or not all(0 <= end + x.ndim < x.ndim for end in ends for x in (a, b)):
        raise ValueError(f"axis {axis} is not one and the same axis of arrays with {a.ndim} and {b.ndim} axes; count it from the end")
    return ends.pop()


def _vecdot_a(g, out, a, b, axis):
    return _conjugated(expand_dims(g, axis=_from_the_end(axis, a, b)) * b)


def _vecdot_b(g, out, a, b, axis):
    return expand_dims(g, axis=_from_the_end(axis, a, b)) * _conjugated(a)


vecdot.defvjp(_vecdot_a, _vecdot_b)


@expression(cases=[case((2, 3), (3,)), case((4, 2, 3), (1, 3))])
def matvec(a, b):
    """Matrix times vector over the last axes: (..., n, k) with (..., k) gives (..., n).

    Slopes: for each element those of the other array that it is multiplied by.

    >>> matvec(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 1.0]))
    Tensor([3., 7.])
    """
    return matmul(as_array(a), expand_dims(as_array(b), axis=-1))[..., 0]


@expression(cases=[case((2,), (2, 3)), case((1, 2), (4, 2, 3))])
def vecmat(a, b):
    """Vector, conjugated, times matrix over the last axes: (..., n) with (..., n, k) gives (..., k).

    Slopes: for each element those of the other array that it is multiplied by.

    >>> vecmat(Tensor([1.0, 1.0]), Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([4., 6.])
    """
    return matmul(expand_dims(_conjugated(as_array(a)), axis=-2), as_array(b))[..., 0, :]


@op(
    label="×",
    cases=(
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3, 2), (4, 1, 3), axisa=0, axisb=-1, axisc=1),
        case((3, 2), (3, 2), axis=0),
        case((4, 3, 1), (2, 3), axisa=1),
    ),
    fits="both arrays need three elements along their axis, and their other axes broadcast",
)
def cross(a, b, *, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """Vector product of three-dimensional vectors, which stand along ``axisa`` and ``axisb``, or both along ``axis``.

    The result's vectors stand along ``axisc``. Slopes: the vector products of b with g, and of g with a.

    >>> cross(Tensor([1.0, 0.0, 0.0]), Tensor([0.0, 1.0, 0.0]))
    Tensor([0., 0., 1.])
    """
    a, b = np.asarray(a), np.asarray(b)
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    if a.shape[axisa] != 3 or b.shape[axisb] != 3:
        raise ValueError(f"vectors have {a.shape[axisa]} and {b.shape[axisb]} elements, not 3")
    return np.cross(a, b, axisa=axisa, axisb=axisb, axisc=axisc)


def _vector_axes(out, a, b, axisa, axisb, axisc, axis):
    chosen = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    return tuple(k - x.ndim if k >= 0 else k for k, x in zip(chosen, (a, b, out), strict=True))


def _cross_a(g, out, a, b, **axes):
    ka, kb, kc = _vector_axes(out, a, b, **axes)
    return cross(b, g, axisa=kb, axisb=kc, axisc=ka)


def _cross_b(g, out, a, b, **axes):
    ka, kb, kc = _vector_axes(out, a, b, **axes)
    return cross(g, a, axisa=kc, axisb=ka, axisc=kb)


cross.defvjp(_cross_a, _cross_b)

# -------------------------------------------------------------------------------------------- more axes


@expression(
    cases=[
        case((2, 3), (3, 4), axes=1),
        case((2, 3), (2, 3)),
        case((2, 3), (4,), axes=0),
        case((2, 3, 4), (4, 3), axes=((1, 2), (1, 0))),
        case((2, 3, 4), (5, 2), axes=((0,), (-1,))),
        case((2, 0), (0, 3), axes=1),
    ]
)
def tensordot(a, b, axes=2):
    """Sum of products over several axes at once; the result has all other axes, a's first.

    ``axes`` is how many: the last of a with the first of b; or a pair, which axes of a meet which of b.

    Slopes: for each element those of the other array that it is multiplied by.

    >>> tensordot(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[1.0, 0.0], [0.0, 1.0]]))
    Tensor(5.)
    """
    a, b = as_array(a), as_array(b)
    of_a, of_b = _axis_pairs(a, b, axes)
    a_term = ascii_letters[: a.ndim]
    free = iter(ascii_letters[a.ndim :])
    b_term = "".join(a_term[of_a[of_b.index(k)]] if k in of_b else next(free) for k in range(b.ndim))
    result = "".join(x for x in a_term if x not in b_term) + "".join(x for x in b_term if x not in a_term)
    return einsum_pair(a, b, subscripts=f"{a_term},{b_term}->{result}")


def _axis_pairs(a: Any, b: Any, axes: Any) -> tuple[list[int], list[int]]:
    """The axes of a and of b that are summed over together."""
    if isinstance(axes, Sequence):
        pairs = tuple([k] if isinstance(k, int) else list(k) for k in axes)
    else:
        n = index(axes)
        if n < 0:
            raise ValueError(f"tensordot: axes={axes} must be a number of axes, 0 or more, of arrays with shapes {a.shape} and {b.shape}.")
        pairs = list(range(a.ndim - n, a.ndim)), list(range(n))
    if len(pairs) != 2 or len(pairs[0]) != len(pairs[1]):
        raise ValueError(f"tensordot: axes={axes!r} must be a number, or a pair: equally many axes of a and of b.")
    for axes_of, x in zip(pairs, (a, b), strict=True):
        if any(not -x.ndim <= k < x.ndim for k in axes_of) or len({k % x.ndim for k in axes_of}) < len(axes_of):
            raise ValueError(f"tensordot: axes={axes!r} must name axes of arrays with shapes {a.shape} and {b.shape}, each once; {axes_of} do not.")
    of_a, of_b = ([k % x.ndim for k in axes_of] for axes_of, x in zip(pairs, (a, b), strict=True))
    if any(a.shape[i] != b.shape[k] for i, k in zip(of_a, of_b, strict=True)):
        raise ValueError(f"tensordot: shapes {a.shape} and {b.shape} do not fit along axes={axes!r}: the sizes that meet must be equal.")
    return of_a, of_b


@expression(cases=[case((2, 3), (3, 2)), case((3,), (2, 2)), case((), (2,)), case((2, 1, 2), (2,))])
def kron(a, b):
    """Kronecker product: b, once for each element of a and multiplied by it, in blocks.

    Slopes: for each element those of the other array that it is multiplied by.

    >>> kron(Tensor([1.0, 2.0]), Tensor([1.0, 10.0]))
    Tensor([ 1., 10.,  2., 20.])
    """
    a, b = as_array(a), as_array(b)
    n = max(a.ndim, b.ndim)
    if not n:
        return a * b
    shapes = [(1,) * (n - x.ndim) + tuple(x.shape) for x in (a, b)]
    rows = reshape(a, shape=tuple(m for size in shapes[0] for m in (size, 1)))
    columns = reshape(b, shape=tuple(m for size in shapes[1] for m in (1, size)))
    return reshape(rows * columns, shape=tuple(p * q for p, q in zip(*shapes, strict=True)))


@expression(cases=[case((2, 3)), case((2, 3, 4))])
def matrix_transpose(x):
    """Each matrix of a stack transposed: the last two axes swapped. Slope: 1 for each element, wherever it goes.

    >>> matrix_transpose(Tensor([[1.0, 2.0]]))
    Tensor([[1.],
            [2.]])
    """
    x = as_array(x)
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose: an array of shape {x.shape} has no last two axes to swap; it needs at least two.")
    return permute_dims(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


@expression(cases=(case((2, 3), (2, 4), (2, 3, 4)), case((3,), (2,), (2, 3, 2), (2,)), case((2, 1, 2), (2, 1, 3), (1, 2, 3))))
def bilinear(a, b, weight, bias=None):
    """Σ a[i]·weight[k, i, j]·b[j] for each k, of vectors along the last axes of a and b, plus ``bias``.

    Slopes: in each of the three the product of the others; in bias 1.

    >>> bilinear(Tensor([1.0, 2.0]), Tensor([3.0]), Tensor([[[1.0], [10.0]]]))
    Tensor([63.])
    """
    a, b, weight = as_array(a), as_array(b), as_array(weight)
    if not a.ndim or a.shape[:-1] != b.shape[:-1] or weight.ndim != 3 or weight.shape[1:] != (a.shape[-1], b.shape[-1] if b.ndim else -1):
        raise ValueError(
            f"bilinear: a has shape {a.shape}, b has shape {b.shape} and weight has shape {weight.shape}; they are (…, m), (…, n) and (k, m, n)."
        )
    out = einsum("...i,kij,...j->...k", a, weight, b)
    return out if bias is None else out + bias
