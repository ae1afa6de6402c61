"""Layers for signals and images, (samples, channels, …): convolutions with the four lambdas of Linear, and pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops.convolution import conv1d, conv2d
from ..ops.pooling import avg_pool2d, max_pool2d
from ..ops.windows import per_axis
from ..tensor import Tensor
from .initialisers import initialise
from .layers import Penalised, Strength
from .module import Module

__all__ = ["AvgPool2d", "Conv1d", "Conv2d", "MaxPool2d"]


class _Convolution(Penalised):
    weight: Tensor
    axes: int
    op: Callable[..., Any]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        weight_lambda_l1: Strength = 0,
        weight_lambda_l2: Strength = 0,
        bias_lambda_l1: Strength = 0,
        bias_lambda_l2: Strength = 0,
        bias: bool = True,
        rng: Any = None,
        dtype: Any = None,
        init: str | Callable[..., Any] = "he",
    ) -> None:
        name = type(self).__name__
        kernel = per_axis(name, "kernel_size", kernel_size, self.axes, 1)
        if in_channels < 1 or out_channels < 1 or groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: sizes must be at least 1, and groups must divide both numbers of channels; "
                f"got in_channels={in_channels}, out_channels={out_channels}, groups={groups}."
            )
        dtype = np.dtype(dtype or np.float64)
        shape = (out_channels, in_channels // groups, *kernel)
        start = initialise(init, int(np.prod(shape[1:])), out_channels, rng)
        self.weight = Tensor(start.T.reshape(shape), requires_grad=True, dtype=dtype, name="weight")
        self.bias = Tensor(np.zeros(out_channels), requires_grad=True, dtype=dtype, name="bias") if bias else None
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.set_lambdas(weight_lambda_l1, weight_lambda_l2, bias_lambda_l1, bias_lambda_l2)

    def forward(self, x: Any) -> Any:
        """The convolution of x, (samples, in_channels, …), with the weight, plus bias."""
        return type(self).op(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        """Channels, kernel, what is not as usual, and the lambdas that are set."""
        out, inputs, *kernel = self.weight.shape
        usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
        settings = [f"{name}={getattr(self, name)!r}" for name, value in usual.items() if getattr(self, name) != value]
        bias = ["bias=False"] if self.bias is None else []
        return ", ".join([str(inputs * self.groups), str(out), f"kernel_size={tuple(kernel)}", *settings, *self.lambdas_set(), *bias])


class Conv1d(_Convolution):
    """Convolution of signals, (samples, in_channels, n), as ``tg.conv1d`` computes it.

    ``weight`` has shape (out_channels, in_channels/groups, k), ``bias`` (out_channels,), starting at 0. The four lambdas are those of
    ``Linear``; ``init`` names how the weight starts, with in_channels/groups·k inputs (``nn.INITIALISERS``).

    >>> Conv1d(2, 4, kernel_size=3, padding="same", rng=0)(tg.ones((1, 2, 5))).shape
    (1, 4, 5)
    """

    axes = 1
    op = conv1d


class Conv2d(_Convolution):
    """Convolution of images, (samples, in_channels, h, w), as ``tg.conv2d`` computes it.

    ``weight`` has shape (out_channels, in_channels/groups, kh, kw), ``bias`` (out_channels,), starting at 0. The four lambdas are those
    of ``Linear``; ``init`` names how the weight starts, with in_channels/groups·kh·kw inputs (``nn.INITIALISERS``).

    >>> layer = Conv2d(1, 8, kernel_size=3, weight_lambda_l2=0.1, rng=0)
    >>> layer
    Conv2d(1, 8, kernel_size=(3, 3), weight_lambda_l2=0.1)
    >>> layer(tg.ones((2, 1, 28, 28))).shape
    (2, 8, 26, 26)
    """

    axes = 2
    op = conv2d


class MaxPool2d(Module):
    """Largest element of each window of images, (samples, channels, h, w), as ``tg.max_pool2d`` takes it.

    >>> MaxPool2d(2)(Tensor([[[[1.0, 3.0], [2.0, 5.0]]]]))
    Tensor([[[[5.]]]])
    """

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False) -> None:
        self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode = kernel_size, stride, padding, dilation, ceil_mode

    def forward(self, x: Any) -> Any:
        """One number for each window."""
        return max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def extra_repr(self) -> str:
        """The kernel, and the stride if it differs."""
        return f"{self.kernel_size}" + ("" if self.stride is None else f", stride={self.stride}")


class AvgPool2d(Module):
    """Mean of each window of images, (samples, channels, h, w), as ``tg.avg_pool2d`` takes it.

    >>> AvgPool2d(2)(Tensor([[[[1.0, 3.0], [2.0, 5.0]]]]))
    Tensor([[[[2.75]]]])
    """

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, count_include_pad: bool = True) -> None:
        self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad = (
            kernel_size,
            stride,
            padding,
            ceil_mode,
            count_include_pad,
        )

    def forward(self, x: Any) -> Any:
        """One number for each window."""
        return avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        """The kernel, and the stride if it differs."""
        return f"{self.kernel_size}" + ("" if self.stride is None else f", stride={self.stride}")
