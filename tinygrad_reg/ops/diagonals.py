"""Operations on the diagonals of matrices: taking them, filling them, and what lies on either side."""

from __future__ import annotations

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..domain import case
from ..op import expression, op
from .arranging import ravel
from .joining import atleast_2d
from .padding import pad
from .reduction import sum
from .shape import as_array, concat

FITS = "axis1 and axis2 must name two different axes"
_DIAGONALS = (
    case((3, 3)),
    case((2, 4), offset=1),
    case((4, 2), offset=-2),
    case((2, 3, 4), offset=-1, axis1=2, axis2=0),
    case((2, 3, 3), axis1=-2, axis2=-1),
    case((2, 2), offset=5),
)


@op(cases=_DIAGONALS, fits=FITS)
def diagonal(x, *, offset=0, axis1=0, axis2=1):
    """The diagonal of the matrices along ``axis1`` and ``axis2``, ``offset`` places above the main one, along a new last axis.

    Slope: 1 on that diagonal, else 0.

    >>> diagonal(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([1., 4.])
    """
    return np.diagonal(x, offset, axis1, axis2)


@op(
    cases=tuple(case(np.diagonal(np.zeros(c.shapes[0]), **c.settings).shape, shape=c.shapes[0], **c.settings) for c in _DIAGONALS),
    fits=FITS + ", and x the shape of a diagonal of an array of that shape",
)
def onto_diagonal(x, *, shape, offset=0, axis1=0, axis2=1):
    """Zeros of ``shape`` with x on a diagonal. The mirror of diagonal. Slope: 1 for each element.

    >>> onto_diagonal(Tensor([1.0, 4.0]), shape=(2, 2))
    Tensor([[1., 0.],
            [0., 4.]])
    """
    x = np.asarray(x)
    out = np.zeros(shape, x.dtype)
    view = np.diagonal(out, offset, axis1, axis2)
    view.flags.writeable = True  # a view of an array of our own
    view[...] = x
    return out


diagonal.defvjp(lambda g, out, x, offset, axis1, axis2: onto_diagonal(g, shape=x.shape, offset=offset, axis1=axis1, axis2=axis2))
onto_diagonal.defvjp(lambda g, out, x, shape, offset, axis1, axis2: diagonal(g, offset=offset, axis1=axis1, axis2=axis2))


@expression(cases=(case((2,)), case((2, 3), offset=1), case((2, 3), offset=-1, axis1=0, axis2=2), case((2, 3), axis1=1, axis2=0)))
def diag_embed(x, offset=0, axis1=-2, axis2=-1):
    """Square matrices with the last axis of x on a diagonal, and zeros elsewhere. Slope: 1 for each element, wherever it goes.

    >>> diag_embed(Tensor([[1.0, 2.0]]))
    Tensor([[[1., 0.],
             [0., 2.]]])
    """
    x = as_array(x)
    if x.ndim == 0:
        raise ValueError("diag_embed: a number has no axis to lay on a diagonal; give a vector, or a stack of them.")
    first, second = (normalize_axis_index(axis, x.ndim + 1, "diag_embed") for axis in (axis1, axis2))
    if first == second:
        raise ValueError(f"diag_embed: axis1={axis1} and axis2={axis2} are the same axis; they must differ.")
    shape = list(x.shape[:-1])
    for axis in sorted((first, second)):
        shape.insert(axis, x.shape[-1] + (offset if offset > 0 else -offset))
    return onto_diagonal(x, shape=tuple(shape), offset=offset, axis1=first, axis2=second)


@expression(cases=(case((3,)), case((2,), k=-1), case((2, 3)), case((3, 3), k=1)))
def diag(x, k=0):
    """A square matrix with the vector x on its k-th diagonal; of a matrix x, its k-th diagonal. Slope: 1 for each element of that diagonal, else 0.

    >>> diag(Tensor([1.0, 2.0]))
    Tensor([[1., 0.],
            [0., 2.]])
    """
    x = as_array(x)
    if x.ndim not in (1, 2):
        raise ValueError(f"diag: an array of shape {x.shape} is neither a vector nor a matrix. For stacks use diagonal or diag_embed.")
    return diagonal(x, offset=k) if x.ndim == 2 else diag_embed(x, k)


@expression(cases=(case((2, 2)), case((), k=1)))
def diagflat(x, k=0):
    """A square matrix with all elements of x on its k-th diagonal. Slope: 1 for each element, wherever it goes.

    >>> diagflat(Tensor([[1.0], [2.0]]))
    Tensor([[1., 0.],
            [0., 2.]])
    """
    return diag_embed(ravel(x), k)


@expression(cases=(case((2, 3), (1, 2)), case((), (2,), (2, 1)), case((2, 2)), case((0, 2), (1, 1))))
def block_diag(*arrays):
    """One matrix with the matrices given along its diagonal, and zeros elsewhere; vectors are rows, numbers 1 × 1.

    Slope: 1 for each element, wherever it goes.

    >>> block_diag(Tensor([[1.0, 2.0]]), 3.0)
    Tensor([[1., 2., 0.],
            [0., 0., 3.]])
    """
    blocks = [atleast_2d(x) for x in arrays]
    if any(x.ndim > 2 for x in blocks):
        raise ValueError(f"block_diag: shapes {[x.shape for x in blocks]}; each array must have at most two axes.")
    starts = np.cumsum([0, *(x.shape[1] for x in blocks)]).tolist()
    rows = [pad(x, pad_width=((0, 0), (start, starts[-1] - start - x.shape[1]))) for x, start in zip(blocks, starts, strict=False)]
    return concat(rows, axis=0)


@expression(cases=_DIAGONALS)
def trace(x, offset=0, axis1=0, axis2=1):
    """Sum of a diagonal of the matrices along ``axis1`` and ``axis2``. Slope: 1 on that diagonal, else 0.

    >>> trace(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor(5.)
    """
    return sum(diagonal(x, offset=offset, axis1=axis1, axis2=axis2), axis=-1)


_TRIANGLES = (case((3, 3)), case((2, 4), k=1), case((4, 2), k=-1), case((2, 3, 3)), case((2, 0)), case((3,)))


@op(cases=_TRIANGLES, fits="x must have at least one axis")
def tril(x, *, k=0):
    """The lower triangles of matrices, up to and with the k-th diagonal; zero above. Slope: 1 where x is kept, else 0.

    >>> tril(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[1., 0.],
            [3., 4.]])
    """
    return np.tril(x, k)


tril.defvjp(lambda g, out, x, k: tril(g, k=k))


@op(cases=_TRIANGLES, fits="x must have at least one axis")
def triu(x, *, k=0):
    """The upper triangles of matrices, down to and with the k-th diagonal; zero below. Slope: 1 where x is kept, else 0.

    >>> triu(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[1., 2.],
            [0., 4.]])
    """
    return np.triu(x, k)


triu.defvjp(lambda g, out, x, k: triu(g, k=k))
