"""Tensors for einops: after ``register()`` its rearrange, reduce, repeat and einsum take Tensors and keep the graph.

``einops.array_api`` needs no registration.
"""

from __future__ import annotations

from typing import Any

from . import ops
from .creation import arange
from .op import EXPRESSIONS, OPS
from .tensor import Tensor, asarray

__all__ = ["register"]


def register() -> type:
    """Make einops know Tensors; returns the backend. Needs the package einops.

    Importing einops is left until here, so that this module can be had without it.
    """
    from einops._backends import AbstractBackend  # noqa: PLC0415

    for known in AbstractBackend.__subclasses__():
        if known.framework_name == __package__:
            return known
    return type("TinygradRegBackend", (_Methods, AbstractBackend), {"framework_name": __package__})


class _Methods:
    """What einops asks of a backend, in ops."""

    def is_appropriate_type(self, x: Any) -> bool:
        return isinstance(x, Tensor)

    def from_numpy(self, x: Any) -> Tensor:
        return asarray(x)

    def to_numpy(self, x: Any) -> Any:
        return x.numpy()

    def arange(self, start: int, stop: int) -> Tensor:
        return arange(start, stop)

    def reshape(self, x: Tensor, shape: Any) -> Tensor:
        return ops.shape.reshape(x, shape=tuple(shape))

    def transpose(self, x: Tensor, axes: Any) -> Tensor:
        return ops.shape.permute_dims(x, axes=tuple(axes))

    def reduce(self, x: Tensor, operation: str, axes: Any) -> Tensor:
        return _named(operation)(x, axis=tuple(axes))

    def stack_on_zeroth_dimension(self, tensors: Any) -> Tensor:
        return ops.shape.stack(tensors)

    def add_axis(self, x: Tensor, new_position: int) -> Tensor:
        return ops.shape.expand_dims(x, axis=new_position)

    def add_axes(self, x: Tensor, n_axes: int, pos2len: dict[int, int]) -> Tensor:
        for place in sorted(pos2len):
            x = self.add_axis(x, place)
        sizes = tuple(pos2len.get(i, n) for i, n in enumerate(x.shape))
        return ops.shape.broadcast_to(x, shape=sizes)

    def tile(self, x: Tensor, repeats: Any) -> Tensor:
        return _named("tile")(x, tuple(repeats))

    def concat(self, tensors: Any, axis: int) -> Tensor:
        return ops.shape.concat(tensors, axis=axis)

    def is_float_type(self, x: Tensor) -> bool:
        return x.dtype.kind == "f"

    def einsum(self, pattern: str, *x: Tensor) -> Tensor:
        return _named("einsum")(pattern, *x)


def _named(name: str) -> Any:
    return OPS.get(name) or EXPRESSIONS[name]
