"""What is measured op by op: a call for each row, written once for all libraries, and the arrays that it gets.

``m`` is a library: it knows every function by one name, whichever of its modules has it (see ``Library`` in ops.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Row(NamedTuple):
    """A title, the call, and what makes its arrays from a generator and a size."""

    title: str
    call: Callable[..., Any]
    make: Callable[[np.random.Generator, tuple[int, ...]], list[Any]]


def rows(make: Callable[[np.random.Generator, tuple[int, ...]], list[Any]], calls: dict[str, Callable[..., Any]]) -> list[Row]:
    """Rows that get the same kind of arrays."""
    return [Row(title, call, make) for title, call in calls.items()]


def named(make: Callable[[np.random.Generator, tuple[int, ...]], list[Any]], names: str) -> list[Row]:
    """Rows of functions that take the arrays and nothing else."""
    return rows(make, {name: lambda m, *xs, name=name: getattr(m, name)(*xs) for name in names.split()})


def one(rng: Any, size: Any) -> list[Any]:
    return [rng.uniform(0.5, 1.5, size).astype("f4")]


def signed(rng: Any, size: Any) -> list[Any]:
    return [rng.normal(size=size).astype("f4")]


def below_one(rng: Any, size: Any) -> list[Any]:
    return [rng.uniform(0.1, 0.9, size).astype("f4")]


def above_one(rng: Any, size: Any) -> list[Any]:
    return [rng.uniform(1.5, 3.0, size).astype("f4")]


def two(rng: Any, size: Any) -> list[Any]:
    return [*one(rng, size), *one(rng, size)]


def near_one(rng: Any, size: Any) -> list[Any]:
    return [rng.uniform(0.999, 1.001, size).astype("f4")]


def with_row(rng: Any, size: Any) -> list[Any]:
    return [*one(rng, size), *one(rng, size[1:])]


def chained(rng: Any, size: Any) -> list[Any]:
    return [*one(rng, size), *one(rng, size[::-1])]


def definite(rng: Any, size: Any) -> list[Any]:
    n = min(size[0], 100)  # its cube is the cost
    a = rng.normal(size=(n, n))
    return [(a @ a.T / n + np.eye(n)).astype("f4")]


def definite_and_sides(rng: Any, size: Any) -> list[Any]:
    (a,) = definite(rng, size)
    return [a, rng.normal(size=(len(a), 4)).astype("f4")]


ELEMENTWISE = [
    *named(one, "exp exp2 expm1 log log2 log10 log1p sqrt cbrt square reciprocal negative positive abs absolute sign"),
    *named(one, "sin cos tan arctan sinh cosh tanh arcsinh sinc sigmoid floor"),
    *named(below_one, "arcsin arccos arctanh erf erfc erfinv logit gammaln digamma i0 i1"),
    *named(above_one, "arccosh"),
    *named(signed, "relu selu softsign hardtanh"),
    *named(two, "add subtract multiply divide power maximum minimum fmax fmin logaddexp logaddexp2 arctan2 hypot remainder"),
    *rows(with_row, {"x + row": lambda m, x, r: x + r, "x·row": lambda m, x, r: x * r, "x/row": lambda m, x, r: x / r}),
    *rows(with_row, {"maximum(x, row)": lambda m, x, r: m.maximum(x, r), "where(x < 1, x, row)": lambda m, x, r: m.where(x < 1, x, r)}),
    *rows(two, {"where": lambda m, x, y: m.where(x < 1, x, y)}),
    *rows(
        signed,
        {
            "maximum(x, 0)": lambda m, x: m.maximum(x, 0),
            "minimum(x, 1)": lambda m, x: m.minimum(x, 1),
            "clip": lambda m, x: m.clip(x, -0.5, 0.5),
            "leaky_relu": lambda m, x: m.leaky_relu(x, 0.1),
            "elu": lambda m, x: m.elu(x, 1.0),
            "x**2": lambda m, x: x**2,
            "x**3": lambda m, x: x**3,
            "2·x + 1": lambda m, x: 2 * x + 1,
            "1 - x": lambda m, x: 1 - x,
        },
    ),
]


def _folds(name: str, axes: Any = (None, 0, 1, (0, 1), "keepdims")) -> dict[str, Callable[..., Any]]:
    """The fold over each kind of axis."""
    calls: dict[str, Callable[..., Any]] = {}
    for axis in axes:
        settings: dict[str, Any] = {"axis": 1, "keepdims": True} if axis == "keepdims" else {"axis": axis}
        calls[f"{name} {axis}"] = lambda m, x, settings=settings: getattr(m, name)(x, **settings)
    return calls


FOLDS = [
    *(row for name in ["sum", "mean", "max", "min", "var", "std"] for row in rows(one, _folds(name))),
    *rows(near_one, _folds("prod", (None, 0, 1))),
    *rows(one, {"prod overflowing": lambda m, x: m.prod(x + 1)}),
    *rows(signed, _folds("logsumexp", (None, 0, 1, "keepdims"))),
    *rows(one, _folds("cumsum", (None, 0, 1))),
    *rows(near_one, _folds("cumprod", (None, 0, 1))),
    *rows(signed, {f"norm {k}": lambda m, x, k=k: m.norm(x.reshape(-1), k) for k in (1, 2, 3)}),
    *rows(signed, {"norm axis": lambda m, x: m.norm(x, axis=1), "norm ord 1, axis": lambda m, x: m.norm(x, ord=1, axis=0)}),
    *rows(signed, {"norm fro": lambda m, x: m.norm(x), "norm ord 3, axis": lambda m, x: m.norm(x, ord=3, axis=1)}),
]

PLACES = np.arange(24) * 7 % 32  # inside both sizes, some named twice

SHAPES = [
    *named(one, "ravel transpose squeeze fliplr flipud diag trace tril triu rot90 diff diagonal"),
    *rows(
        one,
        {
            "reshape": lambda m, x: m.reshape(x, (x.shape[1], -1)),
            "x.T": lambda m, x: x.T,
            "moveaxis": lambda m, x: m.moveaxis(x, 0, 1),
            "swapaxes": lambda m, x: m.swapaxes(x, 0, 1),
            "flip": lambda m, x: m.flip(x, 0),
            "roll": lambda m, x: m.roll(x, 3, 1),
            "roll flat": lambda m, x: m.roll(x, 3),
            "tile": lambda m, x: m.tile(x, (2, 1)),
            "repeat": lambda m, x: m.repeat(x, 2, 0),
            "pad": lambda m, x: m.pad(x, 1, "constant"),
            "pad pairs": lambda m, x: m.pad(x, ((1, 2), (0, 3)), "constant"),
            "expand_dims": lambda m, x: m.expand_dims(x, 1),
            "broadcast_to": lambda m, x: m.broadcast_to(x[None], (3, *x.shape)),
            "diff axis 0": lambda m, x: m.diff(x, axis=0),
            "sort": lambda m, x: m.sort(x, 0),
            "sort flat": lambda m, x: m.sort(x.reshape(-1)),
            "x[3:20, ::2]": lambda m, x: x[3:20, ::2],
            "x[5]": lambda m, x: x[5],
            "x[:, 2]": lambda m, x: x[:, 2],
            "x[..., None]": lambda m, x: x[..., None],
            "x[places]": lambda m, x: x[PLACES],
            "x[places, places]": lambda m, x: x[PLACES, PLACES % 16],
            "x[::-1]": lambda m, x: x[::-1],
        },
    ),
    *rows(one, {"x[mask]": lambda m, x: x[m.values(x) > 1], "take": lambda m, x: m.take(x, PLACES, 0)}),
    *rows(
        two,
        {
            "concatenate": lambda m, x, y: m.concatenate([x, y], 0),
            "concatenate axis 1": lambda m, x, y: m.concatenate([x, y], 1),
            "stack": lambda m, x, y: m.stack([x, y], 0),
            "stack last": lambda m, x, y: m.stack([x, y], -1),
        },
    ),
]

PRODUCTS = [
    *named(chained, "matmul dot"),
    *rows(
        chained,
        {
            "tensordot": lambda m, x, y: m.tensordot(x, y, 1),
            "einsum ij,jk": lambda m, x, y: m.einsum("ij,jk->ik", x, y),
            "x @ vector": lambda m, x, y: x @ y[:, 0],
        },
    ),
    *rows(two, {"inner": lambda m, x, y: m.inner(x, y), "einsum ij,ij": lambda m, x, y: m.einsum("ij,ij->i", x, y)}),
    *rows(two, {"outer": lambda m, x, y: m.outer(x[0], y[1]), "kron": lambda m, x, y: m.kron(x[:8, :8], y[:8, :8])}),
    *rows(one, {"einsum ij->j": lambda m, x: m.einsum("ij->j", x), "einsum ij->ji": lambda m, x: m.einsum("ij->ji", x)}),
    *rows(definite, {"einsum ii": lambda m, x: m.einsum("ii->i", x), "eigh": lambda m, x: m.eigh(x)[0], "svd": lambda m, x: m.svd(x)[1]}),
    *named(definite, "inv det pinv cholesky"),
    *rows(definite, {"slogdet": lambda m, x: m.slogdet(x)[1]}),
    *rows(definite_and_sides, {"solve": lambda m, a, b: m.solve(a, b)}),
    *rows(signed, {f: lambda m, x, f=f: m.real(getattr(m, f)(x)) for f in ("fft", "ifft", "fft2", "rfft", "rfft2")}),
]


def classes(rng: Any, size: Any) -> list[Any]:
    return [*signed(rng, size), rng.integers(0, size[1], size[0])]


def images(rng: Any, size: Any) -> list[Any]:
    side = 28 if size[0] < 100 else 64
    return [rng.normal(size=(32, 1, side, side)).astype("f4"), rng.normal(size=(8, 1, 3, 3)).astype("f4")]


NEURAL = [
    *rows(signed, {"softmax": lambda m, x: m.softmax(x), "log_softmax": lambda m, x: m.log_softmax(x), "glu": lambda m, x: m.glu(x, 1)}),
    *rows(classes, {"cross_entropy": lambda m, x, labels: m.cross_entropy(x, labels)}),
    *rows(images, {"conv2d": lambda m, x, w: m.conv2d(x, w, None, 1, 0), "conv2d padding 1": lambda m, x, w: m.conv2d(x, w, None, 1, 1)}),
    *rows(images, {"conv2d stride 2": lambda m, x, w: m.conv2d(x, w, None, 2, 1), "max_pool": lambda m, x, w: m.max_pool2d(x * w[0, 0, 0, 0], 2)}),
]

SIZED = {"elementwise": ELEMENTWISE, "folds": FOLDS, "shapes": SHAPES, "products": PRODUCTS, "neural": NEURAL}

# ------------------------------------------------------------------------------------ against PyTorch, at sizes of their own


def arrays(*shapes: tuple[int, ...]) -> Callable[..., list[Any]]:
    """Normal arrays of these shapes."""
    return lambda rng, size: [rng.normal(size=shape).astype("f4") for shape in shapes]


def labelled(*shape: int, places: Any) -> Callable[..., list[Any]]:
    """A normal array, and labels that name its columns."""
    return lambda rng, size: [rng.normal(size=shape).astype("f4"), rng.integers(0, places[0], places[1])]


IMAGE, CHANNELS, LINE, TOKENS = (32, 1, 28, 28), (32, 8, 28, 28), (32, 8, 100), (32, 4, 16, 16)

AGAINST_TORCH = [
    *rows(
        arrays(IMAGE, (8, 1, 3, 3), (8,)),
        {
            "conv2d": lambda m, x, w, b: m.conv2d(x, w, b),
            "conv2d padding 1": lambda m, x, w, b: m.conv2d(x, w, b, padding=1),
            "conv2d stride 2": lambda m, x, w, b: m.conv2d(x, w, b, stride=2, padding=1),
            "conv2d dilation 2": lambda m, x, w, b: m.conv2d(x, w, b, dilation=2),
        },
    ),
    *rows(arrays(CHANNELS, (8, 8, 3, 3), (8,)), {"conv2d 8 to 8": lambda m, x, w, b: m.conv2d(x, w, b, padding=1)}),
    *rows(arrays(CHANNELS, (8, 4, 3, 3), (8,)), {"conv2d groups 2": lambda m, x, w, b: m.conv2d(x, w, b, padding=1, groups=2)}),
    *rows(arrays(CHANNELS, (8, 8, 1, 1), (8,)), {"conv2d 1 × 1": lambda m, x, w, b: m.conv2d(x, w, b)}),
    *rows(arrays(CHANNELS, (8, 4, 3, 3)), {"conv_transpose2d": lambda m, x, w: m.conv_transpose2d(x, w, stride=2)}),
    *rows(arrays(LINE, (8, 8, 3)), {"conv1d": lambda m, x, w: m.conv1d(x, w), "conv1d stride 2": lambda m, x, w: m.conv1d(x, w, None, 2, 1)}),
    *rows(
        arrays(CHANNELS),
        {
            "max_pool2d 2": lambda m, x: m.max_pool2d(x, 2),
            "max_pool2d 3, stride 2": lambda m, x: m.max_pool2d(x, 3, 2, 1),
            "max_pool2d 3, stride 1": lambda m, x: m.max_pool2d(x, 3, 1),
            "avg_pool2d 2": lambda m, x: m.avg_pool2d(x, 2),
            "avg_pool2d 3, stride 2": lambda m, x: m.avg_pool2d(x, 3, 2, 1),
            "adaptive_avg_pool2d": lambda m, x: m.adaptive_avg_pool2d(x, 1),
            "adaptive_max_pool2d": lambda m, x: m.adaptive_max_pool2d(x, 7),
            "relu": lambda m, x: m.relu(x),
            "gelu": lambda m, x: m.gelu(x),
        },
    ),
    *rows(arrays(IMAGE), {"max_pool2d of (32, 1, 28, 28)": lambda m, x: m.max_pool2d(x, 2)}),
    *rows(arrays(IMAGE), {"avg_pool2d of (32, 1, 28, 28)": lambda m, x: m.avg_pool2d(x, 2)}),
    *rows(arrays(CHANNELS, (8,), (8,)), {"batch_norm": lambda m, x, w, b: m.batch_norm(x, None, None, w, b, True)}),
    *rows(arrays((512, 64), (64,), (64,)), {"batch_norm of rows": lambda m, x, w, b: m.batch_norm(x, None, None, w, b, True)}),
    *rows(arrays((512, 64), (64,), (64,)), {"layer_norm": lambda m, x, w, b: m.layer_norm(x, (64,), w, b)}),
    *rows(arrays((32, 16, 64), (64,), (64,)), {"layer_norm of tokens": lambda m, x, w, b: m.layer_norm(x, (64,), w, b)}),
    *rows(arrays(CHANNELS, (8,), (8,)), {"group_norm": lambda m, x, w, b: m.group_norm(x, 2, w, b)}),
    *rows(arrays((512, 64)), {"softmax": lambda m, x: m.softmax(x, -1), "log_softmax": lambda m, x: m.log_softmax(x, -1)}),
    *rows(labelled(512, 10, places=(10, 512)), {"cross_entropy": lambda m, x, labels: m.cross_entropy(x, labels)}),
    *rows(labelled(1000, 64, places=(1000, (32, 16))), {"embedding": lambda m, x, places: m.embedding(places, x)}),
    *rows(arrays(TOKENS, TOKENS, TOKENS), {"attention": lambda m, q, k, v: m.scaled_dot_product_attention(q, k, v)}),
    *rows(arrays((32, 4, 64, 16), (32, 4, 64, 16)), {"attention, longer": lambda m, x, y: m.scaled_dot_product_attention(x, y, y)}),
    *rows(arrays((128, 64), (64, 32)), {"einsum ij,jk->ik": lambda m, x, y: m.einsum("ij,jk->ik", x, y)}),
    *rows(arrays((32, 16, 24), (32, 24, 8)), {"einsum bij,bjk->bik": lambda m, x, y: m.einsum("bij,bjk->bik", x, y)}),
    *rows(arrays(TOKENS, TOKENS), {"einsum bhqd,bhkd->bhqk": lambda m, x, y: m.einsum("bhqd,bhkd->bhqk", x, y)}),
    *rows(arrays(CHANNELS, (8, 8)), {"einsum bchw,oc->bohw": lambda m, x, y: m.einsum("bchw,oc->bohw", x, y)}),
    *rows(arrays((64, 32), (64, 32)), {"einsum ij,ij->i": lambda m, x, y: m.einsum("ij,ij->i", x, y)}),
    *rows(arrays((64, 64)), {"einsum ii->i": lambda m, x: m.einsum("ii->i", x), "einsum ij->ji": lambda m, x: m.einsum("ij->ji", x)}),
    *rows(arrays((40,), (30,)), {"einsum i,j->ij": lambda m, x, y: m.einsum("i,j->ij", x, y)}),
    *rows(arrays((32, 16), (16, 20), (20, 8)), {"einsum ij,jk,kl->il": lambda m, x, y, z: m.einsum("ij,jk,kl->il", x, y, z)}),
]
