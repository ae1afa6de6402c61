"""What Python's operators stand for: each is one op.

``__record__`` is the protocol of op.py: whoever inherits from this says there what calling an op means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .mode import captures, capturing
from .ops import bits, choice, elementwise, indexing, linalg, rounding

if TYPE_CHECKING:
    from collections.abc import Callable

    from .tensor import Tensor

__all__ = ["Operators"]


class Operators:
    """Arithmetic, comparisons and indexing, in terms of ops."""

    __slots__ = ()
    __record__: Callable[..., Any]
    _take: Callable[..., Any]

    def __add__(self, other: Any) -> Tensor:
        return self.__record__(elementwise.add, (self, other))

    def __radd__(self, other: Any) -> Tensor:
        return self.__record__(elementwise.add, (other, self))

    def __iadd__(self, other: Any) -> Tensor:
        return self._take(self.__record__(elementwise.add, (self, other)), "+=")

    def __sub__(self, other: Any) -> Tensor:
        return self.__record__(elementwise.subtract, (self, other))

    def __rsub__(self, other: Any) -> Tensor:
        return self.__record__(elementwise.subtract, (other, self))

    def __isub__(self, other: Any) -> Tensor:
        return self._take(self.__record__(elementwise.subtract, (self, other)), "-=")

    def __mul__(self, other: Any) -> Tensor:
        return self.__record__(elementwise.multiply, (self, other))

    def __rmul__(self, other: Any) -> Tensor:
        return self.__record__(elementwise.multiply, (other, self))

    def __imul__(self, other: Any) -> Tensor:
        return self._take(self.__record__(elementwise.multiply, (self, other)), "*=")

    def __truediv__(self, other: Any) -> Tensor:
        return self.__record__(elementwise.divide, (self, other))

    def __rtruediv__(self, other: Any) -> Tensor:
        return self.__record__(elementwise.divide, (other, self))

    def __itruediv__(self, other: Any) -> Tensor:
        return self._take(self.__record__(elementwise.divide, (self, other)), "/=")

    def __floordiv__(self, other: Any) -> Tensor:
        return self.__record__(rounding.floor_divide, (self, other))

    def __rfloordiv__(self, other: Any) -> Tensor:
        return self.__record__(rounding.floor_divide, (other, self))

    def __ifloordiv__(self, other: Any) -> Tensor:
        return self._take(self.__record__(rounding.floor_divide, (self, other)), "//=")

    def __mod__(self, other: Any) -> Tensor:
        return self.__record__(rounding.remainder, (self, other))

    def __rmod__(self, other: Any) -> Tensor:
        return self.__record__(rounding.remainder, (other, self))

    def __imod__(self, other: Any) -> Tensor:
        return self._take(self.__record__(rounding.remainder, (self, other)), "%=")

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return rounding.divmod(self, other)

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return rounding.divmod(other, self)

    def __pow__(self, other: Any) -> Tensor:
        return self.__record__(elementwise.power, (self, other))

    def __rpow__(self, other: Any) -> Tensor:
        return self.__record__(elementwise.power, (other, self))

    def __ipow__(self, other: Any) -> Tensor:
        return self._take(self.__record__(elementwise.power, (self, other)), "**=")

    def __matmul__(self, other: Any) -> Tensor:
        return self.__record__(linalg.matmul, (self, other))

    def __rmatmul__(self, other: Any) -> Tensor:
        return self.__record__(linalg.matmul, (other, self))

    def __imatmul__(self, other: Any) -> Tensor:
        return self._take(self.__record__(linalg.matmul, (self, other)), "@=")

    def __pos__(self) -> Any:
        return self

    def __neg__(self) -> Tensor:
        return self.__record__(elementwise.negative, (self,))

    def __abs__(self) -> Tensor:
        return self.__record__(elementwise.abs, (self,))

    def __invert__(self) -> Tensor:
        return self.__record__(choice.bitwise_invert, (self,))

    def __eq__(self, other: Any) -> Any:
        return NotImplemented if not isinstance(other, _COMPARABLE) else self.__record__(choice.equal, (self, other))

    def __ne__(self, other: Any) -> Any:
        return NotImplemented if not isinstance(other, _COMPARABLE) else self.__record__(choice.not_equal, (self, other))

    def __lt__(self, other: Any) -> Tensor:
        return self.__record__(choice.less, (self, other))

    def __le__(self, other: Any) -> Tensor:
        return self.__record__(choice.less_equal, (self, other))

    def __gt__(self, other: Any) -> Tensor:
        return self.__record__(choice.greater, (self, other))

    def __ge__(self, other: Any) -> Tensor:
        return self.__record__(choice.greater_equal, (self, other))

    __hash__ = object.__hash__  # by identity: == compares element by element

    def __and__(self, other: Any) -> Tensor:
        return self.__record__(choice.bitwise_and, (self, other))

    __rand__ = __and__

    def __or__(self, other: Any) -> Tensor:
        return self.__record__(choice.bitwise_or, (self, other))

    __ror__ = __or__

    def __xor__(self, other: Any) -> Tensor:
        return self.__record__(bits.bitwise_xor, (self, other))

    __rxor__ = __xor__

    def __lshift__(self, other: Any) -> Tensor:
        return self.__record__(bits.bitwise_left_shift, (self, other))

    def __rlshift__(self, other: Any) -> Tensor:
        return self.__record__(bits.bitwise_left_shift, (other, self))

    def __rshift__(self, other: Any) -> Tensor:
        return self.__record__(bits.bitwise_right_shift, (self, other))

    def __rrshift__(self, other: Any) -> Tensor:
        return self.__record__(bits.bitwise_right_shift, (other, self))

    def __getitem__(self, key: Any) -> Tensor:
        return self.__record__(indexing.getitem, (self,), {"key": _owned(key)})

    def __round__(self, decimals: int | None = None) -> Tensor:
        return self.__record__(rounding.round, (self,), {"decimals": decimals or 0})


# What == compares element by element; with anything else Python answers that it differs.
_COMPARABLE = (Operators, np.ndarray, np.generic, int, float, complex, list, tuple)


def _owned(key: Any) -> Any:
    """A key that nobody can change later: what is inside, Tensors, lists, tuples or arrays, becomes arrays of its own."""
    return tuple(_owned_part(part) for part in key) if isinstance(key, tuple) else _owned_part(key)


def _owned_part(part: Any) -> Any:
    if isinstance(part, (int, slice)) or part is None or part is Ellipsis:
        return part
    if captures and (tape := capturing()):
        if hasattr(part, "_data"):
            return part  # an input of the step, see ops/keys.py
        tape.hold(part)
    array = np.array(getattr(part, "_data", part))
    return array.astype(np.int64) if array.size == 0 and isinstance(part, (list, tuple)) else array
