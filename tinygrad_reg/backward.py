"""Reverse mode: walk the record back from the outputs, and apply each op's rules.

The same walk serves two purposes. On arrays it computes gradients. On Tensors the rules record what
they do, so that gradients can be differentiated and drawn. Broadcasting is undone here and nowhere else.
"""

from __future__ import annotations

import cmath
from collections.abc import Container, Mapping
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Any

import numpy as np
from numpy import ndarray

from .mode import captures, capturing, enable_grad, grad_enabled, no_grad
from .op import Parts, describe, op
from .ops.choice import equal, isnan, logical_and, where
from .ops.complexes import conj, real
from .ops.elementwise import abs, astype
from .ops.reduction import restore, sum
from .ops.shape import reshape

__all__ = ["contribution", "pull_back", "unbroadcast"]


def pull_back(outputs: Mapping[Any, Any], needed: Container[int] | None = None, kept: Container[int] = (), recording: bool = False) -> dict[Any, Any]:
    """Gradients of all leaves, of retained nodes and of those whose id is ``kept``, from ``outputs`` and their gradients.

    With ``needed``, only nodes whose id is in it get a gradient. A node is worked off when all that was made
    from it has been: newest first, which a heap of serial numbers gives. With ``recording``, gradients
    are Tensors and have a graph of their own.

    Where a gradient is exactly 0, it stays 0 through any slope of an elementwise op, be it infinite or NaN, and where a whole line
    is 0, through an op along lines, as softmax: so what ``where`` does not choose plays no part. As 0·∞ is rare, this is seen to in
    a second walk, only if NaN came out of the first.
    """
    with np.errstate(all="ignore"):  # 0/0 at a kink is the rule's business, not a warning for the user
        if captures and capturing():
            outputs = {node: capturing().fixed(g) for node, g in outputs.items()}
            return _captured(outputs, needed, kept, recording)
        found = _pulled(outputs, needed, kept, recording, careful=False)
        return _pulled(outputs, needed, kept, recording, careful=True) if any(map(_has_nan, found.values())) else found


def _pulled(outputs: Mapping[Any, Any], needed: Container[int] | None, kept: Container[int], recording: bool, careful: bool) -> dict[Any, Any]:
    gradients = {id(node): _turned(g) for node, g in outputs.items()}
    reached = list(outputs)
    _walk(reached, gradients, needed, kept, recording, careful)
    return {x: _turned(gradients[id(x)]) for x in reached if id(x) in gradients}


def _captured(outputs: Mapping[Any, Any], needed: Container[int] | None, kept: Container[int], recording: bool) -> dict[Any, Any]:
    """The walk for a tape, which wants to see every rule at work. It cannot be asked for NaN: all steep ops are taken with care, and all ops
    of a gradient, as these have the slopes of the steep ones among their numbers.
    """
    with enable_grad() if recording and grad_enabled() else no_grad():
        found = _pulled(outputs, needed, kept, recording=True, careful=True)
    capturing().differentiated |= recording
    return found


def _has_nan(g: Any) -> bool:
    if type(g) is Parts:
        return False
    data = getattr(g, "_data", g)
    if not data.shape:
        return data != data  # noqa: PLR0124 - NaN is the only number that differs from itself; it is the quickest way to ask
    if data.size < 1000:  # a sum of squares is NaN only if one is; for many numbers BLAS may wait for its threads
        flat = data.ravel()
        return cmath.isnan(flat.dot(flat) if data.dtype.kind != "c" else np.vdot(flat, flat))
    if 0 in data.strides:  # each number once, of those that are repeated without a copy
        data = data[tuple(slice(1) if step == 0 else slice(None) for step in data.strides)]
    return cmath.isnan(np.minimum.reduce(data, axis=None))


# Ops of ours whose slope overflows inside their domain, or is NaN along a whole line where one number is infinite.
_WILD = {"exp", "expm1", "exp2", "erfcx", "sinh", "cosh", "i0", "i1", "var", "std", "logsumexp", "logcumsumexp", "softmax", "log_softmax"}
_WILD |= {"cumprod", "prod", "product_of_others", "linalg_vector_norm", "standardise", "rms_scale"}
_OURS = f"{__package__}."


def _may_be_infinite(op: Any) -> bool:
    """Whether a tape should see to 0·∞ in the slope of ``op``, as the others need not be slowed down; of users' own ops nothing is known."""
    return op.steep or op.name in _WILD or not op.forward.__module__.startswith(_OURS)


def _still_nothing(gx: Any, g: Any, op: Any, settings: dict[str, Any]) -> Any:
    """gx, but 0 where it is NaN and each g that it was made from is exactly 0: the same element, or the same line of an op along ``axis``."""
    if type(gx) is Parts or isinstance(g, tuple):
        return gx
    if op.local and np.shape(gx) == g.shape:
        nothing = equal(g, 0)
    elif op.arity == 1 and "axis" in settings and "keepdims" in settings:
        nothing = equal(restore(g, settings["axis"], settings["keepdims"]), 0)
    elif op.arity == 1 and "axis" in settings and type(g) is type(gx) and np.shape(gx) == g.shape:
        nothing = equal(sum(abs(g), axis=settings["axis"], keepdims=True), 0)
    else:
        return gx
    return where(logical_and(isnan(gx), nothing), 0, gx)


def _turned(g: Any) -> Any:
    """Between the gradient as users know it and as the walk uses it: for complex numbers, conjugated (see ops/complexes.py)."""
    return conj(g) if type(g) is not Parts and g.dtype.kind == "c" else g


def _walk(reached: list[Any], gradients: dict[int, Any], needed: Container[int] | None, kept: Container[int], recording: bool, careful: bool) -> None:
    """Work off what is ``reached``, adding what is reached from there, until only leaves are left."""
    tape = capturing() if captures else None
    heap = [(node.serial, node) for node in reached if node.op is not None]
    heapify(heap)
    while heap:
        node = heappop(heap)[1]
        kind, key = type(node), id(node)
        g = gradients[key] if node._retained or key in kept else gradients.pop(key)
        values, settings = node.values, node.settings
        out, operands = (node, _as_recorded(node)) if recording else (node._data, values)
        if type(g) is Parts:
            g, out = _several(g, node, recording)
        for x, value, rule in zip(node.inputs, values, node.op.rules):  # noqa: B905 - rules may be endless
            key = id(x)
            if type(x) is not kind or not x._needs_grad or rule is None or (needed is not None and key not in needed):
                continue
            gx = rule(g, out, *operands, **settings) if settings else rule(g, out, *operands)
            if gx is None:
                continue
            if careful and (tape is None or tape.differentiated or _may_be_infinite(node.op)):
                gx = _still_nothing(gx, g, node.op, settings)
            if type(gx) is not type(value) or (type(gx) is ndarray and (gx.shape != value.shape or gx.dtype is not value.dtype)):
                gx = _fit(gx, value, node)
            if key in gradients:
                gradients[key] = gradients[key] + gx
                continue
            gradients[key] = gx
            reached.append(x)
            if x.op is not None:
                heappush(heap, (x.serial, x))


def contribution(node: Any, place: int, g: Any) -> Any:
    """What the gradient of one input gets through one edge, when the node's own is ``g``: a term of the sum that :func:`pull_back` makes.

    None where there is no rule, or nothing flows. For those who look at single edges, as a drawing does.
    """
    rule = next(islice(node.op.rules, place, None), None)
    if rule is None or isinstance(node._data, tuple):
        return None
    with np.errstate(all="ignore"), no_grad():
        g = _turned(g)
        gx = rule(g, node._data, *node.values, **node.settings)
        if gx is None or type(gx) is Parts:
            return None
        gx = _still_nothing(gx, g, node.op, node.settings) if _has_nan(gx) else gx
        return _turned(_fit(gx, node.values[place], node))


def _as_recorded(node: Any) -> list[Any]:
    """A node's inputs, as Tensors, with the values they had when the node was made."""
    kind = type(node)
    pairs = zip(node.inputs, node.values, strict=True)
    return [value if type(x) is not kind else x if x._data is value else recall(x, value=value) for x, value in pairs]


@op(label="part")
def part(results: Any, *, index: int, count: int) -> Any:
    """One of the several results of an op.

    >>> part((1.0, 2.0), index=1, count=2)
    2.0
    """
    return results[index]


part.defvjp(lambda g, out, results, index, count: Parts(g if i == index else None for i in range(count)))


def _several(g: Parts, node: Any, recording: bool) -> tuple[Any, Any]:
    """Gradients and values of several results, as a rule wants them: all there, zero where no gradient came."""
    values = node._data
    out = tuple(part(node, index=i, count=len(values)) for i in range(len(values))) if recording else values
    return tuple(np.zeros(v.shape, v.dtype) if gi is None else gi for gi, v in zip(g, values, strict=True)), out


@op(label="earlier value")
def recall(x: Any, *, value: Any) -> Any:
    """A parameter's value from before it was given a new one; the gradient goes to the parameter.

    >>> recall(Tensor(2.0), value=np.float64(1.0))
    Tensor(1.)
    """
    return value


recall.defvjp(lambda g, out, x, value: g)


def _fit(g: Any, value: Any, node: Any) -> Any:
    """g in the shape and dtype of the input that it belongs to."""
    if type(g) is Parts:
        return g
    if isinstance(g, (int, float)):
        g = np.asarray(g, value.dtype)
    if g.dtype.kind == "c" and value.dtype.kind == "f":
        g = real(g)  # a real number moves along the real axis only
    if g.shape != value.shape:
        g = unbroadcast(g, value.shape, node.op)
    return g if g.dtype == value.dtype else astype(g, dtype=value.dtype)


def unbroadcast(g: Any, shape: tuple[int, ...], made_by: Any = None) -> Any:
    """Sum g over the axes along which an input of ``shape`` was repeated by broadcasting.

    >>> unbroadcast(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    extra = g.ndim - len(shape)
    if extra == 1 and g.shape[1:] == shape:  # a bias: the usual case, kept quick
        return sum.forward(g, axis=0) if type(g) is ndarray else sum(g, axis=0)
    stretched = [i for i, n in enumerate(shape, extra) if n == 1 != g.shape[i]] if extra >= 0 else []
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, g.shape[extra:], strict=True)):
        raise ValueError(
            f"the backward rule of {getattr(made_by, 'name', 'an op')} returned a gradient of shape {g.shape} for an input of "
            f"shape {shape}. A rule must return the input's shape, or one that the input broadcasts to: add the missing axes in the rule."
        )
    g = sum(g, axis=(*range(extra), *stretched))
    return g if g.shape == shape else reshape(g, shape=shape)


def checked_gradient(gradient: Any, output: Any) -> Any:
    """The gradient to start from at ``output``: ones for a single number, else what was given."""
    shape, dtype = output._data.shape, output._data.dtype
    if gradient is None:
        if output._data.size != 1:
            raise ValueError(
                f"backward from {describe(output._data, output.name)}: only a single number has one gradient. "
                f"Sum it first (.sum() or .mean()), or give the gradient of a later number with gradient=, of shape {shape}."
            )
        return np.ones(shape, dtype) if shape else dtype.type(1)
    if gradient.shape != shape:
        raise ValueError(f"gradient has shape {gradient.shape}, but the output it belongs to has shape {shape}; they must be equal.")
    return gradient
