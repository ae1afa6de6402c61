"""Layers that normalise: LayerNorm over the last axes of each sample, BatchNorm over the samples."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..ops.normalisation import batch_norm, layer_norm
from ..tensor import Tensor
from .layers import Penalised, Strength

__all__ = ["BatchNorm1d", "BatchNorm2d", "LayerNorm"]


class _Normalisation(Penalised):
    def start(self, shape: tuple[int, ...], affine: bool, bias: bool, dtype: Any, lambdas: tuple[Strength, Strength, Strength, Strength]) -> None:
        """Weights of 1 and biases of 0, if there are to be any, and their lambdas."""
        if any(n < 1 for n in shape):
            raise ValueError(f"{type(self).__name__}: sizes must be at least 1; got {shape}.")
        dtype = np.dtype(dtype or np.float64)
        self.weight = Tensor(np.ones(shape), requires_grad=True, dtype=dtype, name="weight") if affine else None
        self.bias = Tensor(np.zeros(shape), requires_grad=True, dtype=dtype, name="bias") if affine and bias else None
        self.set_lambdas(*lambdas)


class LayerNorm(_Normalisation):
    """Each sample brought to mean 0 and variance 1 over its last axes, of ``normalized_shape``; then times weight, plus bias.

    ``weight`` starts at 1 and ``bias`` at 0, both of ``normalized_shape``; with ``affine=False`` there is neither. The four lambdas are
    those of ``Linear``. Source: see ``tg.layer_norm``.

    >>> LayerNorm(3)(Tensor([[1.0, 2.0, 3.0]]))
    Tensor([[-1.2247,  0.    ,  1.2247]])
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        weight_lambda_l1: Strength = 0,
        weight_lambda_l2: Strength = 0,
        bias_lambda_l1: Strength = 0,
        bias_lambda_l2: Strength = 0,
        affine: bool = True,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, (int, np.integer)) else tuple(normalized_shape)
        self.eps = eps
        lambdas = (weight_lambda_l1, weight_lambda_l2, bias_lambda_l1, bias_lambda_l2)
        self.start(self.normalized_shape, affine, bias, dtype, lambdas)

    def forward(self, x: Any) -> Any:
        """x of shape (…, *normalized_shape), normalised."""
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The shape, and the lambdas that are set."""
        return ", ".join([str(self.normalized_shape), *self.lambdas_set()])


class _BatchNorm(_Normalisation):
    shapes: ClassVar[dict[int, str]]  # that x may have, by their number of axes

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        weight_lambda_l1: Strength = 0,
        weight_lambda_l2: Strength = 0,
        bias_lambda_l1: Strength = 0,
        bias_lambda_l2: Strength = 0,
        affine: bool = True,
        dtype: Any = None,
    ) -> None:
        self.eps, self.momentum = eps, momentum
        self.running_mean = Tensor(np.zeros(num_features), dtype=dtype, name="running_mean")
        self.running_var = Tensor(np.ones(num_features), dtype=dtype, name="running_var")
        self.start((num_features,), affine, True, dtype, (weight_lambda_l1, weight_lambda_l2, bias_lambda_l1, bias_lambda_l2))

    def forward(self, x: Any) -> Any:
        """x of shape (samples, num_features, …), normalised."""
        if np.ndim(x) not in self.shapes:
            raise ValueError(f"{self!r} got x of shape {np.shape(x)}; it needs {' or '.join(self.shapes.values())}.")
        return batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.momentum, self.eps)

    def extra_repr(self) -> str:
        """The number of features, and the lambdas that are set."""
        return ", ".join([str(self.running_mean.size), *self.lambdas_set()])


class BatchNorm1d(_BatchNorm):
    """Each feature of x, (samples, num_features) or (samples, num_features, n), brought to mean 0 and variance 1 over all samples.

    In training by the batch's own mean and variance, towards which ``running_mean`` and ``running_var`` (buffers, in the state but no
    parameters) move by ``momentum``; in evaluation by those two. Then times ``weight`` (starts at 1), plus ``bias`` (starts at 0), unless
    ``affine=False``. The four lambdas are those of ``Linear``. Source: see ``tg.batch_norm``.

    >>> layer = BatchNorm1d(1, eps=0.0)
    >>> layer(Tensor([[1.0], [3.0]]))
    Tensor([[-1.],
            [ 1.]])
    >>> layer.running_mean
    Tensor([0.2], name='running_mean')
    """

    shapes: ClassVar = {2: "(samples, num_features)", 3: "(samples, num_features, n)"}


class BatchNorm2d(_BatchNorm):
    """Each channel of images, (samples, num_features, h, w), brought to mean 0 and variance 1; else as BatchNorm1d.

    >>> BatchNorm2d(3)(tg.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    shapes: ClassVar = {4: "(samples, num_features, h, w)"}
