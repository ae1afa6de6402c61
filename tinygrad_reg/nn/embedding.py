"""Embedding: a row of numbers for each of a set of things, found by training."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..generators import generator
from ..ops.attention import embedding
from ..tensor import Tensor
from .layers import Penalised, Strength

__all__ = ["Embedding"]


class Embedding(Penalised):
    """Rows of ``weight``, of shape (num_embeddings, embedding_dim), by whole numbers of any shape.

    Rows start from N(0, 1). The row ``padding_idx`` starts at 0 and gets no gradient. The two lambdas are those of ``Linear``.

    >>> Embedding(10, 3, padding_idx=0, rng=0)([[0, 1]]).shape
    (1, 2, 3)
    """

    weight: Tensor

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        weight_lambda_l1: Strength = 0,
        weight_lambda_l2: Strength = 0,
        rng: Any = None,
        dtype: Any = None,
    ) -> None:
        if num_embeddings < 1 or embedding_dim < 1:
            raise ValueError(f"Embedding: sizes must be at least 1; got num_embeddings={num_embeddings}, embedding_dim={embedding_dim}.")
        start = generator(rng).standard_normal((num_embeddings, embedding_dim))
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(f"Embedding: padding_idx is {padding_idx}, and there are {num_embeddings} rows.")
            start[padding_idx] = 0
        self.padding_idx = padding_idx
        self.weight = Tensor(start, requires_grad=True, dtype=np.dtype(dtype or np.float64), name="weight")
        self.bias = None
        self.set_lambdas(weight_lambda_l1, weight_lambda_l2)

    def forward(self, indices: Any) -> Any:
        """The rows with the numbers ``indices``: (…) gives (…, embedding_dim)."""
        return embedding(indices, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Sizes, and the lambdas that are set."""
        padding = [] if self.padding_idx is None else [f"padding_idx={self.padding_idx}"]
        return ", ".join([*map(str, self.weight.shape), *padding, *self.lambdas_set()])
