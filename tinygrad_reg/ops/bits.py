"""Operations on bits and on yes and no that Python writes as ^, << and >>, and the test for infinity. None has a gradient."""

from __future__ import annotations

import numpy as np

from ..domain import BOOLEAN, integers
from ..op import op


@op(label="xor", domain=[BOOLEAN])
def logical_xor(a, b):
    """Whether exactly one of two holds, element by element. No gradient.

    >>> logical_xor(Tensor([True, False]), True)
    Tensor([False,  True])
    """
    return np.logical_xor(a, b)


@op(label="xor", domain=[BOOLEAN])
def bitwise_xor(a, b):
    """a ^ b: exactly one holds, or for whole numbers exactly one bit is set. No gradient.

    >>> bitwise_xor(Tensor([6, 5]), 3)
    Tensor([5, 6])
    """
    return np.bitwise_xor(a, b)


@op(label="<<", domain=[integers(0, 8)], aliases=("left_shift",))
def bitwise_left_shift(a, b):
    """a << b: the bits moved b places to the left, which is a·2ᵇ while there is room. No gradient.

    >>> bitwise_left_shift(Tensor([6, 5]), 1)
    Tensor([12, 10])
    """
    return np.left_shift(a, b)


@op(label=">>", domain=[integers(0, 8)], aliases=("right_shift",))
def bitwise_right_shift(a, b):
    """a >> b: the bits moved b places to the right, which is ⌊a/2ᵇ⌋. No gradient.

    >>> bitwise_right_shift(Tensor([6, 5]), 1)
    Tensor([3, 2])
    """
    return np.right_shift(a, b)


@op()
def isinf(x):
    """Whether each element is infinite. No gradient.

    >>> isinf(Tensor([1.0, float("-inf")]))
    Tensor([False,  True])
    """
    return np.isinf(x)
