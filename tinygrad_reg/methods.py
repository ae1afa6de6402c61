"""A Tensor's methods that stand for ops; Python's operators are in operators.py.

``__record__`` is the protocol of op.py: whoever inherits from this says there what calling an op means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .ops import arranging, diagonals, elementwise, neural, placing, reduction, rounding, scan, shape, sorting, statistics, trigonometry

if TYPE_CHECKING:
    from collections.abc import Callable

    from .tensor import Tensor

__all__ = ["Methods"]


class Methods:
    """What NumPy's arrays can do and more, in terms of ops."""

    __slots__ = ()
    __record__: Callable[..., Any]

    # ---------------------------------------------------------------------------- shapes and kinds

    @property
    def T(self) -> Tensor:
        """The axes reversed."""
        return self.__record__(shape.permute_dims, (self,))

    @property
    def mT(self) -> Tensor:
        """The last two axes swapped: the transpose of each matrix in a stack."""
        n = self.ndim  # type: ignore[attr-defined]
        return self.__record__(shape.permute_dims, (self,), {"axes": (*range(n - 2), n - 1, n - 2) if n > 1 else (0, 1)})

    def reshape(self, *shape_: Any) -> Tensor:
        """The same elements in another shape, given as one tuple or as separate sizes."""
        return shape.reshape(self, shape=shape_[0] if len(shape_) == 1 else shape_)

    def flatten(self) -> Tensor:
        """All elements along one axis, in row-major order."""
        return shape.reshape(self, shape=(-1,))

    ravel = flatten

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order, given as one tuple or one by one; by default, reversed."""
        return shape.permute_dims(self, axes=axes[0] if len(axes) == 1 else axes or None)

    def squeeze(self, axis: Any = None) -> Tensor:
        """Without its axes of size 1, or those named."""
        return shape.squeeze(self, axis=axis)

    def expand_dims(self, axis: Any) -> Tensor:
        """With new axes of size 1 at the places ``axis``."""
        return shape.expand_dims(self, axis=axis)

    def astype(self, dtype: Any) -> Tensor:
        """The same numbers in another dtype; float dtypes keep the graph, others have no gradient."""
        source = self if np.dtype(dtype).kind in "fc" else self.detach()  # type: ignore[attr-defined]
        return elementwise.astype(source, dtype=dtype)

    # ------------------------------------------------------------------------------------ reductions

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Sum over ``axis``."""
        if axis is None and not keepdims:
            return self.__record__(reduction.sum, (self,))  # settings that are given have to be looked at
        return self.__record__(reduction.sum, (self,), {"axis": axis, "keepdims": keepdims})

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Mean over ``axis``."""
        return self.__record__(reduction.mean, (self,), {"axis": axis, "keepdims": keepdims})

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Largest element over ``axis``."""
        return self.__record__(reduction.max, (self,), {"axis": axis, "keepdims": keepdims})

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Smallest element over ``axis``."""
        return self.__record__(reduction.min, (self,), {"axis": axis, "keepdims": keepdims})

    def logsumexp(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """log Σ exp over ``axis``."""
        return self.__record__(reduction.logsumexp, (self,), {"axis": axis, "keepdims": keepdims})

    def argmax(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Place of the largest element along ``axis``."""
        return self.__record__(reduction.argmax, (self,), {"axis": axis, "keepdims": keepdims})

    def argmin(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Place of the smallest element along ``axis``."""
        return self.__record__(reduction.argmin, (self,), {"axis": axis, "keepdims": keepdims})

    def all(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Whether all hold over ``axis``."""
        return self.__record__(reduction.all, (self,), {"axis": axis, "keepdims": keepdims})

    def any(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Whether some hold over ``axis``."""
        return self.__record__(reduction.any, (self,), {"axis": axis, "keepdims": keepdims})

    def var(self, axis: Any = None, keepdims: bool = False, correction: float = 0) -> Tensor:
        """Variance over ``axis``."""
        return reduction.var(self, axis=axis, keepdims=keepdims, correction=correction)

    def std(self, axis: Any = None, keepdims: bool = False, correction: float = 0) -> Tensor:
        """Standard deviation over ``axis``."""
        return reduction.std(self, axis=axis, keepdims=keepdims, correction=correction)

    def softmax(self, axis: int = -1) -> Tensor:
        """Softmax along ``axis``."""
        return neural.softmax(self, axis=axis)

    def log_softmax(self, axis: int = -1) -> Tensor:
        """Logarithm of the softmax along ``axis``."""
        return neural.log_softmax(self, axis=axis)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Product over ``axis``."""
        return statistics.prod(self, axis=axis, keepdims=keepdims)

    # ------------------------------------------------------------------- order, steps and arrangement

    def sort(self, axis: Any = -1, descending: bool = False) -> Tensor:
        """The elements in order along ``axis``: a new Tensor, as values never change."""
        return sorting.sort(self, axis=axis, descending=descending)

    def argsort(self, axis: Any = -1, descending: bool = False) -> Tensor:
        """The places of the elements in order along ``axis``."""
        return sorting.argsort(self, axis=axis, descending=descending)

    def nonzero(self) -> tuple[Tensor, ...]:
        """The places of the elements that are not 0, an array for each axis."""
        return sorting.nonzero(self)

    def cumsum(self, axis: Any = None) -> Tensor:
        """Running sum along ``axis``."""
        return scan.cumsum(self, axis=axis)

    def cumprod(self, axis: Any = None) -> Tensor:
        """Running product along ``axis``."""
        return scan.cumprod(self, axis=axis)

    def take(self, indices: Any, axis: Any = None) -> Tensor:
        """The elements at the places ``indices`` along ``axis``."""
        return placing.take(self, indices, axis=axis)

    def repeat(self, repeats: Any, axis: Any = None) -> Tensor:
        """Each element ``repeats`` times in a row along ``axis``."""
        return arranging.repeat(self, repeats=repeats, axis=axis)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Two axes in each other's place."""
        return arranging.swapaxes(self, axis1, axis2)

    def moveaxis(self, source: Any, destination: Any) -> Tensor:
        """The axes ``source`` moved to the places ``destination``."""
        return arranging.moveaxis(self, source, destination)

    def flip(self, axis: Any = None) -> Tensor:
        """The elements in reverse order along ``axis``."""
        return arranging.flip(self, axis=axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """The diagonal of the matrices along two axes."""
        return diagonals.diagonal(self, offset=offset, axis1=axis1, axis2=axis2)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """Sum of a diagonal."""
        return diagonals.trace(self, offset, axis1, axis2)

    def tril(self, k: int = 0) -> Tensor:
        """The lower triangles of matrices."""
        return diagonals.tril(self, k=k)

    def triu(self, k: int = 0) -> Tensor:
        """The upper triangles of matrices."""
        return diagonals.triu(self, k=k)

    # --------------------------------------------------------------------------------- elementwise

    def abs(self) -> Tensor:
        """Size of each element; slope 0 at 0."""
        return self.__record__(elementwise.abs, (self,))

    def sign(self) -> Tensor:
        """-1, 0 or 1."""
        return self.__record__(elementwise.sign, (self,))

    def square(self) -> Tensor:
        """Each element times itself."""
        return self.__record__(elementwise.square, (self,))

    def sin(self) -> Tensor:
        """Sine."""
        return self.__record__(trigonometry.sin, (self,))

    def cos(self) -> Tensor:
        """Cosine."""
        return self.__record__(trigonometry.cos, (self,))

    def floor(self) -> Tensor:
        """Rounded down; slope 0."""
        return self.__record__(rounding.floor, (self,))

    def ceil(self) -> Tensor:
        """Rounded up; slope 0."""
        return self.__record__(rounding.ceil, (self,))

    def round(self, decimals: int = 0) -> Tensor:
        """Rounded to ``decimals`` digits after the point; slope 0."""
        return self.__record__(rounding.round, (self,), {"decimals": decimals})

    def sqrt(self) -> Tensor:
        """Square root."""
        return self.__record__(elementwise.sqrt, (self,))

    def exp(self) -> Tensor:
        """e to the power of each element."""
        return self.__record__(elementwise.exp, (self,))

    def expm1(self) -> Tensor:
        """exp(x) - 1."""
        return self.__record__(elementwise.expm1, (self,))

    def log(self) -> Tensor:
        """Natural logarithm."""
        return self.__record__(elementwise.log, (self,))

    def log1p(self) -> Tensor:
        """log(1 + x)."""
        return self.__record__(elementwise.log1p, (self,))

    def tanh(self) -> Tensor:
        """Hyperbolic tangent."""
        return self.__record__(elementwise.tanh, (self,))

    def sigmoid(self) -> Tensor:
        """Logistic function."""
        return self.__record__(elementwise.sigmoid, (self,))

    def softplus(self) -> Tensor:
        """log(1 + exp(x))."""
        return self.__record__(elementwise.softplus, (self,))

    def relu(self) -> Tensor:
        """x where positive, else 0; slope 0 at 0."""
        return self.__record__(elementwise.relu, (self,))

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """Kept between ``min`` and ``max``."""
        return elementwise.clip(self, min, max)
