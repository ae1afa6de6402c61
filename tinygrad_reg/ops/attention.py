"""Attention, lookup of rows by number, and random dropping."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..domain import REAL, case, integers
from ..generators import generator
from ..op import expression, op
from .choice import equal, where
from .linalg import matmul
from .neural import softmax
from .reduction import all
from .seen import values
from .shape import as_floats
from .windows import shaped

# ------------------------------------------------------------------------------------------ attention


@expression(
    cases=[
        case((2, 3), (4, 3), (4, 5)),
        case((2, 2, 3), (2, 4, 3), (2, 4, 2), is_causal=True),
        case((3, 2), (3, 2), (3, 2), is_causal=True, scale=0.5),
        case((2, 3), (2, 3), (2, 1), attn_mask=np.array([[True, False], [True, True]])),
        case((2, 3), (2, 3), (2, 1), attn_mask=np.array([[False, False], [True, True]])),
        case((1, 4, 2, 3), (1, 2, 3, 3), (1, 2, 3, 1), enable_gqa=True),
    ]
)
def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False, rng=None):
    """Means of value, weighted by how well query and key agree: softmax(query·keyᵀ·scale)·value.

    ``query`` is (…, n, d), ``key`` (…, m, d), ``value`` (…, m, e), the result (…, n, e). ``attn_mask`` broadcasts to (…, n, m): where a
    boolean one is False, nothing is taken; a float one is added to the scores. ``is_causal`` lets row i see columns up to i only.
    A row that may see nothing gives 0. ``scale`` is 1/√d unless given. ``dropout_p`` drops weights (from ``rng``). With ``enable_gqa``
    several heads of the query, on the third axis from the end, share one of key and value.

    Slopes: in value the weights; in query, key and a float mask those of the scores through softmax; 0 where nothing may be seen.

    Source: A. Vaswani et al. (2017), Attention is all you need, eq. 1.

    >>> scaled_dot_product_attention(tg.zeros((1, 2)), tg.zeros((2, 2)), Tensor([[1.0], [3.0]]))
    Tensor([[2.]])
    """
    query, key, value = as_floats(query), as_floats(key), as_floats(value)
    _check_attention(query, key, value, attn_mask, is_causal)
    if enable_gqa:
        key, value = _for_each_head(key, query), _for_each_head(value, query)
    scores = matmul(query, key.mT) * (1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale)
    if is_causal:
        attn_mask = np.tri(*scores.shape[-2:], dtype=bool)
    weights = softmax(scores) if attn_mask is None else _masked_softmax(scores, shaped(attn_mask))
    return matmul(dropout(weights, dropout_p, rng=rng), value)


def _check_attention(query: Any, key: Any, value: Any, attn_mask: Any, is_causal: bool) -> None:
    if is_causal and attn_mask is not None:
        raise ValueError("scaled_dot_product_attention: is_causal makes its own mask; give attn_mask or is_causal, not both.")
    if min(query.ndim, key.ndim, value.ndim) < 2 or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError(
            f"scaled_dot_product_attention: query {query.shape}, key {key.shape} and value {value.shape} must have the shapes "
            "(…, n, d), (…, m, d) and (…, m, e)."
        )


def _for_each_head(x: Any, query: Any) -> Any:
    heads, shared = query.shape[-3], x.shape[-3]
    if not shared or heads % shared:
        raise ValueError(
            f"scaled_dot_product_attention: {shared} heads of key or value cannot be shared by {heads} of the query; they must divide them."
        )
    return x[(..., np.repeat(np.arange(shared), heads // shared), slice(None), slice(None))] if heads != shared else x


def _masked_softmax(scores: Any, mask: Any) -> Any:
    scores = where(mask, scores, -np.inf) if mask.dtype == np.bool_ else scores + mask
    blind = all(equal(scores, -np.inf), axis=-1, keepdims=True)
    return where(blind, 0, softmax(where(blind, 0, scores)))


# --------------------------------------------------------------------------------------------- lookup


@op(
    domain=[integers(0, 3), REAL],
    cases=(case((4,), (3, 2)), case((2, 2), (3, 2)), case((), (3, 2)), case((0,), (3, 2))),
    fits="indices are whole numbers from 0 to the rows of the weight - 1, and the weight has the shape (rows, size)",
)
def embedding(indices, weight, *, padding_idx=None):
    """The rows of the weight by their numbers: (…) and (rows, size) give (…, size). Slope: 1 for each time a row is taken.

    The row ``padding_idx`` is taken as it is, but gets no gradient.

    >>> embedding([1, 0, 1], Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[3., 4.],
            [1., 2.],
            [3., 4.]])
    """
    weight = np.asarray(weight)
    if weight.ndim != 2:
        raise ValueError(f"the weight has {weight.ndim} axes, not 2")
    indices = _row_numbers(indices, weight.shape[0])
    _padding_row(padding_idx, weight.shape[0])
    return np.take(weight, indices, axis=0)


@op(
    label="rows +=",
    domain=[REAL, integers(0, 3)],
    cases=(case((4, 2), (4,), rows=3), case((2, 2, 1), (2, 2), rows=4), case((2,), (), rows=3), case((0, 2), (0,), rows=3)),
    fits="x has the shape (…, size), where (…) is the shape of indices, whole numbers from 0 to rows - 1",
)
def add_rows(x, indices, *, rows, padding_idx=None):
    """Zeros of (rows, size) with every row of x added at its number: the mirror of embedding. Rows for ``padding_idx`` are left out.

    Slope: 1 for each row that is added, 0 for those left out.

    >>> add_rows(Tensor([[1.0], [2.0], [4.0]]), [1, 0, 1], rows=2)
    Tensor([[2.],
            [5.]])
    """
    x, indices = np.asarray(x), _row_numbers(indices, rows).reshape(-1)
    out = np.zeros((rows, x.shape[-1]), x.dtype)
    x = x.reshape(-1, x.shape[-1])
    order = np.argsort(indices, kind="stable")
    if indices.size:  # sorted, the rows for each number are neighbours, and added in one sweep
        ordered = indices[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        out[ordered[starts]] = np.add.reduceat(x[order], starts, axis=0)
    if padding_idx is not None:
        out[_padding_row(padding_idx, rows)] = 0
    return out


def _add_rows_back(g, out, x, indices, rows, padding_idx):
    taken = embedding(indices, g)
    if padding_idx is None:
        return taken
    return where(equal(np.asarray(indices) if isinstance(indices, int) else values(indices), _padding_row(padding_idx, rows))[..., None], 0, taken)


embedding.defvjp(None, lambda g, out, indices, weight, padding_idx: add_rows(g, indices, rows=weight.shape[0], padding_idx=padding_idx))
add_rows.defvjp(_add_rows_back, None)


def _row_numbers(indices: Any, rows: int) -> Any:
    indices = np.asarray(indices)
    if indices.dtype.kind not in "iu" and indices.size:
        raise TypeError(f"indices are {indices.dtype}, not whole numbers; convert them with .astype('int64')")
    if indices.size and not (np.minimum.reduce(indices, axis=None) >= 0 and np.maximum.reduce(indices, axis=None) < rows):
        wrong = indices[(indices < 0) | (indices >= rows)].flat[0]
        raise ValueError(f"index {wrong} is not a row: with {rows} rows they go from 0 to {rows - 1}")
    return indices.astype(np.intp, copy=False)


def _padding_row(padding_idx: int | None, rows: int) -> int | None:
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise ValueError(f"padding_idx is {padding_idx}, and there are {rows} rows")
    return None if padding_idx is None else padding_idx % rows


# ------------------------------------------------------------------------------------------- dropping


@op(label="kept", cases=(case((2, 3), p=0.4, rng=0), case((), p=0.4, rng=0), case((3,), p=1.0, rng=0), case((0,), p=0.4, rng=0)), fits="0 ≤ p ≤ 1")
def dropout_mask(x, *, p, rng=None):
    """Random factors for every element of x: 0 with probability ``p``, else 1/(1 - p). Slope: 0.

    Draws from the generator or seed ``rng``, or from the default one (``tg.manual_seed``).

    >>> dropout_mask(Tensor([5.0, 5.0, 5.0, 5.0]), p=0.5, rng=0)
    Tensor([2., 0., 0., 0.])
    """
    x = np.asarray(x)
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}, and it is the share of elements set to 0")
    kept = np.asarray(generator(rng).random(x.shape) >= p)
    dtype = x.dtype if x.dtype.kind in "fc" else np.dtype(np.float64)
    return kept * dtype.type(1 / (1 - p) if p < 1 else 0)


dropout_mask.zero_vjp()


@expression(cases=[case((2, 3), p=0.4, rng=0), case((), rng=0)])
def dropout(x, p=0.5, training=True, rng=None):
    """x with each element set to 0 with probability ``p``, else divided by 1 - p, so that its mean stays; x itself if not ``training``.

    Draws from the generator or seed ``rng``, or from the default one (``tg.manual_seed``). Slope: 0 or 1/(1 - p).

    Source: N. Srivastava et al. (2014), Dropout, section 10 (scaled while training, as most libraries do).

    >>> dropout(Tensor([5.0, 5.0, 5.0, 5.0]), rng=0)
    Tensor([10.,  0.,  0.,  0.])
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is {p}; it is the share of elements set to 0, from 0 to 1.")
    x = shaped(x)
    return x * dropout_mask(x, p=p, rng=rng) if training and p else x
