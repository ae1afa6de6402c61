"""Gradients of the package's ops held against numbers: the toolkit for users, in the words of our own tests.

The gradient of a number L by a complex z = x + iy is ∂L/∂x + i·∂L/∂y; the product of gradients and directions is Re(conj(g)·d),
which for real numbers is the usual one.
"""

import numpy as np

import tinygrad_reg as tg
from tinygrad_reg.testing import check_gradients
from tinygrad_reg.testing.inputs import call, domains, end_to_end, is_kinked, sample, sample_at_kinks, seeded, smooth, window

STEP = 1e-5
RTOL, ATOL = 1e-6, 1e-7  # differences at float64 are good to about 1e-9; a rule that is off by 0.1 % must fail

__all__ = ["call", "domains", "end_to_end", "is_kinked", "sample", "sample_at_kinks", "seeded", "smooth", "window"]


def leaves(inputs):
    """Tensors of the inputs; those that can have a gradient want one."""
    return [tg.Tensor(x, requires_grad=x.dtype.kind in "fc") for x in inputs]


def random_like(x, rng):
    """Random numbers of the shape and kind of x, at double precision."""
    values = np.asarray(rng.normal(size=np.shape(x)))
    return values + 1j * rng.normal(size=np.shape(x)) if np.iscomplexobj(x) else values


def gradients(op, inputs, settings, g):
    """What ``backward`` says of Re Σ conj(g)·op(inputs): an array for each input, zeros where no gradient arrived."""
    tensors = leaves(inputs)
    call(op, tensors, settings).backward(g)
    return [np.zeros_like(x) if t.grad is None else t.grad.data for x, t in zip(inputs, tensors, strict=True)]


def moved(inputs, directions, step):
    """The inputs, each moved by ``step`` times its direction (None: not at all)."""
    return [x if d is None else x + step * d for x, d in zip(inputs, directions, strict=True)]


def slope(f, inputs, directions, step=STEP):
    """Slope of f along ``directions`` at ``inputs``, by central differences."""
    return (f(moved(inputs, directions, step)) - f(moved(inputs, directions, -step))) / (2 * step)


def unit(inputs, i, index, one=1.0):
    """The direction that moves entry ``index`` of input i alone, by ``one``."""
    directions = [None] * len(inputs)
    directions[i] = np.zeros_like(inputs[i])
    directions[i][index] = one
    return directions


def differences(f, inputs, i):
    """The gradient of a number f in input i, entry by entry, by central differences."""
    found = np.zeros_like(inputs[i])
    for index in np.ndindex(inputs[i].shape):
        found[index] = slope(f, inputs, unit(inputs, i, index))
        if np.iscomplexobj(found):
            found[index] += 1j * slope(f, inputs, unit(inputs, i, index, 1j))
    return found


def assert_close(got, expected, what, rtol=RTOL, atol=ATOL):
    """Equal up to the error of differences, measured by the largest entry."""
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol * scale, err_msg=str(what))


def check_gradient(op, inputs, settings, rng, order=1):
    """The op's rules against numbers: every entry of every smooth input."""

    def f(*arrays):
        return call(op, arrays, settings)

    return check_gradients(f, *inputs, order=order, seed=int(rng.integers(2**32)), name=f"{op.name} {settings}")


def check_second_derivative(op, inputs, settings, rng):
    """The gradient, and its own gradient, in every input and in g."""
    return check_gradient(op, inputs, settings, rng, order=2)
