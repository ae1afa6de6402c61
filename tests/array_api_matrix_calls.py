"""Drawn calls of the functions of the standard that work on matrices and vectors, and of its extensions ``linalg`` and ``fft``."""

import math

import hypothesis.extra.numpy as hnp
import numpy as np
from array_api_calls import ANY, CALLS, NUMBERS, array, axes, axis, calls, few, on, promoted, shapes_that_fit, some, wider
from hypothesis import strategies as st


def matrices(draw, kinds="fc", square=False, max_dims=4, elements=few):
    x = array(draw, kinds, min_dims=2, max_dims=max_dims, elements=elements)
    side = min(x.shape[-2:])
    return x[..., :side, :side] if square else x


def hermitian(draw):
    x = matrices(draw, square=True)
    return x + np.conj(np.swapaxes(x, -1, -2))


def dominant(draw):
    """Matrices far from singular, and positive definite where they are Hermitian."""
    x = hermitian(draw) if draw(st.booleans()) else matrices(draw, square=True)
    return (x + 40 * np.eye(x.shape[-1])).astype(x.dtype)


def factors(draw, signature):
    shapes = draw(hnp.mutually_broadcastable_shapes(signature=signature, max_dims=2, max_side=3, min_side=0)).input_shapes
    return tuple(array(draw, dtype, shape) for dtype, shape in zip(promoted(draw, NUMBERS), shapes, strict=True))


@calls("matmul", "linalg.matmul")
def _(draw):
    return factors(draw, "(n?,k),(k,m?)->(n?,m?)"), {}


@calls("matrix_transpose", "linalg.matrix_transpose")
def _(draw):
    return (array(draw),), {}


@calls("tensordot", "linalg.tensordot")
def _(draw):
    common = draw(st.lists(st.integers(0, 3), max_size=2))
    rests = [draw(st.lists(st.integers(0, 3), max_size=2)) for _ in range(2)]
    shapes = tuple(rests[0] + common), tuple(common + rests[1])
    arrays = tuple(array(draw, dtype, shape) for dtype, shape in zip(promoted(draw, NUMBERS), shapes, strict=True))
    count = len(common)
    pairs = (tuple(range(-count, 0)), tuple(range(count)))
    return arrays, {"axes": count if draw(st.booleans()) else pairs}


@calls("vecdot", "linalg.vecdot", "linalg.cross")
def _(draw):
    shapes = [list(s) or [1] for s in shapes_that_fit(draw, 2)]
    along = draw(st.integers(-min(map(len, shapes)), -1))
    for shape in shapes:
        shape[along] = draw(st.sampled_from([3, 3, 3, 1]))  # one against three is not broadcast here, but refused
    return tuple(array(draw, d, tuple(s)) for d, s in zip(promoted(draw, NUMBERS), shapes, strict=True)), {"axis": along}


@calls("linalg.cholesky")
def _(draw):
    x = hermitian(draw)
    return on(draw, (x + 40 * np.eye(x.shape[-1])).astype(x.dtype), upper=st.booleans())


@calls("linalg.det", "linalg.slogdet")
def _(draw):
    return (matrices(draw, square=True),), {}


@calls("linalg.inv")
def _(draw):
    return (dominant(draw),), {}


@calls("linalg.solve")
def _(draw):
    x = dominant(draw)
    size = x.shape[-1]
    stack = tuple(draw(st.sampled_from([n, 1])) for n in x.shape[:-2])
    shape = draw(st.sampled_from([(size,), (size, 3), (size, 0), (*stack, size, 2), (3, *stack, size, 1)]))
    return (x, array(draw, "fc", shape)), {}


@calls("linalg.matrix_power")
def _(draw):
    return (dominant(draw) / np.float32(40), draw(st.integers(-4, 6) | st.sampled_from([-100, 0, 1, 100]))), {}


@calls("linalg.diagonal")
def _(draw):
    return on(draw, matrices(draw, ANY), offset=st.integers(-5, 5) | st.sampled_from([-10_000, 10_000]))


@calls("linalg.trace")
def _(draw):
    x = matrices(draw, NUMBERS)
    return on(draw, x, offset=st.integers(-5, 5) | st.just(10_000), dtype=wider(x))


@calls("linalg.eigh", "linalg.eigvalsh")
def _(draw):
    return (hermitian(draw),), {}


@calls("linalg.qr")
def _(draw):
    return on(draw, matrices(draw), mode=st.sampled_from(["reduced", "complete"]))


@calls("linalg.svd")
def _(draw):
    return on(draw, matrices(draw), full_matrices=st.booleans())


@calls("linalg.svdvals")
def _(draw):
    return (matrices(draw),), {}


@calls("linalg.matrix_rank", "linalg.pinv")
def _(draw):
    x = matrices(draw)
    share = st.floats(0.01, 0.5)
    return (x,), {"rtol": draw(share | hnp.arrays("float64", x.shape[:-2], elements=share))}


@calls("linalg.matrix_norm")
def _(draw):
    return on(draw, matrices(draw), keepdims=st.booleans(), ord=st.sampled_from(["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf]))


@calls("linalg.vector_norm")
def _(draw):
    x = array(draw, "fc")
    named = st.sampled_from([0, 1, 2, -1, -2, math.inf, -math.inf, 3, 1.5, -4])
    orders = named | st.integers(-20, 20) | st.floats(0.2, 20) | st.floats(-20, -0.2)  # those beyond overflow in NumPy
    return on(draw, x, axis=axes(x), keepdims=st.booleans(), ord=orders)


@calls("linalg.outer")
def _(draw):
    return tuple(array(draw, dtype, min_dims=1, max_dims=1) for dtype in promoted(draw, NUMBERS)), {}


# ------------------------------------------------------------------------------------------------- Fourier

NORM = st.sampled_from(["backward", "ortho", "forward"])
TAKES = {"rfft": "f", "ihfft": "f", "irfft": "c", "hfft": "c", "rfftn": "f", "irfftn": "c"}


def _along_one(kinds):
    def draw_call(draw):
        x = array(draw, kinds, min_dims=1, min_side=1)
        return on(draw, x, n=st.none() | st.integers(1, 7), axis=axis(x), norm=NORM)

    return draw_call


def _along_several(kinds):
    def draw_call(draw):
        x = array(draw, kinds, min_dims=1, min_side=1)
        along = draw(st.permutations(range(x.ndim)))[: draw(st.integers(1, x.ndim))]
        chosen = {"axes": along} if draw(st.booleans()) else {}
        sizes = st.tuples(*[st.integers(1, 5)] * len(chosen.get("axes", x.shape)))  # without axes, of all of them
        return (x,), {**chosen, **some(draw, s=sizes, norm=NORM)}

    return draw_call


CALLS.update({f"fft.{name}": _along_one(TAKES.get(name, "fc")) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")})
CALLS.update({f"fft.{name}": _along_several(TAKES.get(name, "fc")) for name in ("fftn", "ifftn", "rfftn", "irfftn")})


@calls("fft.fftfreq", "fft.rfftfreq")
def _(draw):
    return on(draw, draw(st.integers(1, 20)), d=st.floats(0.1, 5))


@calls("fft.fftshift", "fft.ifftshift")
def _(draw):
    x = array(draw, "fc")
    return on(draw, x, axes=st.none() | st.permutations(range(x.ndim)).map(list))
