"""Operations on complex numbers: their parts, conjugates and angles.

Convention (PyTorch's): the gradient of a real number L by z = x + iy is ∂L/∂x + i·∂L/∂y, the direction of steepest ascent.
Inside the walk gradients are the conjugates of that, ∂L/∂x - i·∂L/∂y: then dL = Re(g·dz), and a rule of an analytic function is the
same as for real numbers. They are turned round where they enter and leave the walk.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from ..domain import REAL
from ..op import op
from .choice import equal, where


def is_complex(z: Any) -> bool:
    """Whether z, an array or a Tensor, holds complex numbers."""
    return getattr(z, "dtype", np.dtype(float)).kind == "c"


_ONLY_REALS = "it takes real numbers; of complex ones give real(x), imag(x) or abs(x)"


def of_reals(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The forward, for real numbers only: its formula compares or takes sizes, and complex ones would give some number that is wrong."""

    @wraps(forward)
    def checked(*inputs: Any, **settings: Any) -> Any:
        for x in inputs:  # np.iscomplexobj asks the same, but takes longer than a small array's op
            if type(x) is not float and (x.dtype.kind == "c" if hasattr(x, "dtype") else np.iscomplexobj(x)):
                raise TypeError(_ONLY_REALS)
        return forward(*inputs, **settings)

    return checked


def refuse_complex(name: str, *inputs: Any) -> None:
    """The same for an expression, which is called with Tensors, too."""
    for x in filter(is_complex, inputs):
        raise TypeError(f"{name}: {_ONLY_REALS}. Got {x.dtype} of shape {x.shape}.")


@op(domain=[REAL], aliases=("conjugate",))
def conj(z):
    """Complex conjugate of each element; real numbers as they are. Slope: 1 for real numbers; of complex ones the gradient is conjugated.

    >>> conj(Tensor([1 + 2j]))
    Tensor([1.-2.j], dtype=complex128)
    """
    return np.conj(z) if is_complex(z) else z


conj.defvjp(lambda g, out, z: conj(g))


@op(domain=[REAL])
def real(z):
    """Real part of each element. Slope: 1 along the real axis, 0 along the imaginary one.

    >>> real(Tensor([1 + 2j]))
    Tensor([1.])
    """
    return np.real(z)


real.defvjp(lambda g, out, z: g)


@op(domain=[REAL])
def imag(z):
    """Imaginary part of each element; 0 for real numbers. Slope: 1 along the imaginary axis, 0 along the real one.

    >>> imag(Tensor([1 + 2j]))
    Tensor([2.])
    """
    return np.imag(z)


imag.defvjp(lambda g, out, z: g * -1j if is_complex(z) else None)


@op(domain=[REAL.with_kinks(0.0)])
def angle(z):
    """Angle of each element in the complex plane, from -π to π. Slope: Im(dz/z), 0 at 0 and for real numbers.

    >>> angle(Tensor([1j]))
    Tensor([1.5708])
    """
    return np.angle(z)


def _angle(g, out, z):
    if not is_complex(z):
        return None
    return where(equal(z, 0), 0, g * -1j / where(equal(z, 0), 1, z))


angle.defvjp(_angle)
