"""Reverse mode: walk the record back from the outputs, and apply each op's rules.

The same walk serves two purposes. On arrays it computes gradients. On Tensors the rules record what
they do, so that gradients can be differentiated and drawn. Broadcasting is undone here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .op import describe, op
from .ops.elementwise import astype
from .ops.reduction import sum
from .ops.shape import reshape

__all__ = ["pull_back", "unbroadcast"]


def pull_back(nodes: Iterable[Any], gradients: dict[int, Any], needed: set[int], kept: set[int], recording: bool) -> dict[int, Any]:
    """Gradients of the leaves and of all that is ``kept``, by id, from the ``gradients`` of the outputs, by id.

    ``nodes`` come newest first; only those in ``needed`` get a gradient. With ``recording``, gradients
    are Tensors and have a graph of their own.
    """
    with np.errstate(all="ignore"):  # 0/0 at a kink is the rule's business, not a warning for the user
        for node in nodes:
            if node.op is None:
                continue
            key = id(node)
            g = gradients.get(key) if key in kept else gradients.pop(key, None)
            if g is None:
                continue
            inputs, rules, settings = node.inputs, node.op.rules, node.settings
            if recording:
                out, operands = node, _as_recorded(node)
            else:
                out, operands = node._data, node.values
            for x, value, rule in zip(inputs, node.values, rules, strict=False):
                if x is None or rule is None or id(x) not in needed:
                    continue
                gx = rule(g, out, *operands, **settings)
                if gx is None:
                    continue
                if gx.shape != value.shape or gx.dtype != value.dtype:
                    gx = _fit(gx, value, node)
                before = gradients.get(id(x))
                gradients[id(x)] = gx if before is None else before + gx
    return gradients


def _as_recorded(node: Any) -> list[Any]:
    """A node's inputs, as Tensors, with the values they had when the node was made."""
    pairs = zip(node.inputs, node.values, strict=True)
    return [value if x is None else x if x._data is value else recall(x, value=value) for x, value in pairs]


@op(label="earlier value")
def recall(x, *, value):
    """A parameter's value from before it was given a new one; the gradient goes to the parameter.

    >>> recall(Tensor(2.0), value=np.float64(1.0))
    Tensor(1.)
    """
    return value


recall.defvjp(lambda g, out, x, value: g)


def _fit(g: Any, value: Any, node: Any) -> Any:
    """g in the shape and dtype of the input that it belongs to."""
    if g.shape != value.shape:
        g = unbroadcast(g, value.shape, node.op)
    return g if g.dtype == value.dtype else astype(g, dtype=value.dtype)


def unbroadcast(g: Any, shape: tuple[int, ...], made_by: Any = None) -> Any:
    """Sum g over the axes along which an input of ``shape`` was repeated by broadcasting.

    >>> unbroadcast(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    extra = len(g.shape) - len(shape)
    stretched = [i for i, n in enumerate(shape, extra) if n == 1 != g.shape[i]] if extra >= 0 else []
    axes = (*range(extra), *stretched)
    if not axes or any(n != 1 and n != m for n, m in zip(shape, g.shape[extra:], strict=True)):
        raise ValueError(
            f"the backward rule of {getattr(made_by, 'name', 'an op')} returned a gradient of shape {g.shape} for an input of "
            f"shape {shape}. A rule must return the input's shape, or one that the input broadcasts to: add the missing axes in the rule."
        )
    g = sum(g, axis=axes[0] if len(axes) == 1 else axes)
    return g if g.shape == shape else reshape(g, shape=shape)


def checked_gradient(gradient: Any, output: Any) -> Any:
    """The gradient to start from at ``output``: ones for a single number, else what was given."""
    shape, dtype = output.shape, output.dtype
    if gradient is None:
        if output.size != 1:
            raise ValueError(
                f"backward from {describe(output._data, output.name)}: only a single number has one gradient. "
                f"Sum it first (.sum() or .mean()), or give the gradient of a later number with gradient=, of shape {shape}."
            )
        return np.ones(shape, dtype)[()]
    if gradient.shape != shape:
        raise ValueError(f"gradient has shape {gradient.shape}, but the output it belongs to has shape {shape}; they must be equal.")
    return gradient
