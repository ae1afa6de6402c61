"""``compact``: copies a model, links its layers, drops what does nothing until nothing changes, and measures."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np

from ..mode import no_grad
from ..nn import Module, Select, Sequential
from ..tensor import asarray
from .chain import Part, front, links, parts_of, put_in_front
from .layers import UNITS
from .links import Link
from .result import Compacted, LayerChange

__all__ = ["compact"]


def compact(model: Module, x: Any = None, select: bool = True) -> Compacted:
    """A smaller model with the same outputs in evaluation: without the inputs, units and channels that do nothing.

    Dropped are units whose outgoing weights are all 0, units whose incoming weights are all 0 (what they put out is constant, and is folded into
    the next layer's bias, which is made where there is none), and inputs whose weights are all 0; then nothing more can be dropped. That is
    exact but for rounding: ``difference`` is the largest difference of an output on the data ``x``, divided by the largest output. Without ``x``
    it is not measured. NaN or infinity in an input that is dropped no longer comes out as NaN.

    ``model`` is a Sequential (others inside it are looked into), or a single layer; it stays as it is. Units are followed through elementwise
    activations (modules of your own say ``elementwise = True``), Dropout, GaussianNoise, BatchNorm, pooling and Flatten into Linear, Conv1d and
    Conv2d. Left as they are: LayerNorm and modules of other kinds, layers used more than once or that share a parameter, convolutions with
    groups, constants that meet a padded border, and the model's outputs. A BatchNorm1d after Linear counts its features on the last axis, so
    samples must be rows there (with ``x`` of more axes such units stay). A layer keeps at least one unit.

    Dtype, names, lambdas, ``requires_grad`` and training modes stay, so that training can go on (the penalty falls by that of dropped weights).
    If inputs were dropped, a layer ``Select`` in front, named ``select``, takes the others out of the same x as before (so model[1] is then the
    layer named 0); with ``select=False`` the model wants x with the inputs ``kept_inputs`` only.

    Raises ``TypeError`` for a model that is no Sequential of layers.

    >>> model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.ReLU(), nn.Linear(2, 1, rng=1))
    >>> _ = model[0].weight.assign([[1.0, 0.0], [0.0, 0.0], [2.0, 0.0]])  # input 1 is not read, unit 1 is constant
    >>> _ = model[0].bias.assign([0.0, 0.5])
    >>> result = tg.compact(model, x=np.eye(3))
    >>> result
    11 → 5 parameters (45.5%)
    largest difference: 0 of the largest output
    inputs kept: 2: [0 2]
    layer  before        after
    0      Linear(3, 2)  Linear(2, 1)
    2      Linear(2, 1)  Linear(1, 1)
    >>> result.model
    Sequential(
      (select): Select([0, 2])
      (0): Linear(2, 1)
      (1): ReLU()
      (2): Linear(1, 1)
    )
    """
    small = deepcopy(_checked(model)).eval()
    copies = [module for _, module in small.named_modules()]
    chain = small if isinstance(small, Sequential) else Sequential(small).eval()
    parts = [part for part in parts_of(chain) if list(part.layer.named_tensors())]
    before = [repr(part.layer) for part in parts]
    chooser, size = _chooser(chain)
    _shrink(links(parts_of(chain), flat=x is None or np.ndim(x) == 2))
    difference = None if x is None else _difference(model, chain, x)
    kept = chooser.layer.indices.numpy() if chooser else None
    if chooser and (not select or chooser.layer.indices.size == size):
        del vars(chooser.home)[chooser.key]
    made = chain if len(chain) > 1 or isinstance(small, Sequential) else small
    made.train(model.training)
    for copy, (_, module) in zip(copies, model.named_modules(), strict=True):
        copy.training = module.training
    changes = [LayerChange(part.name, kind, repr(part.layer), part.stop) for part, kind in zip(parts, before, strict=True)]
    return Compacted(made, difference, kept, _count(model), _count(made), tuple(changes))


def _checked(model: Any) -> Module:
    kind = type(model)
    if kind is Sequential or kind in UNITS:
        return model
    if isinstance(model, Module):
        raise TypeError(
            f"compact: what {kind.__name__}.forward() does with its parts is not known, so nothing can be dropped. Compact its Sequential parts one "
            "by one, as in model.body = tg.compact(model.body).model."
        )
    raise TypeError(f"compact: the model is a {kind.__name__}; it must be a Sequential, or a Linear or convolution alone.")


def _chooser(chain: Sequential) -> tuple[Part | None, int]:
    """The Select that takes the inputs, and how many there are: a new one, or the model's own (then 0, as it is to stay in any case)."""
    parts = parts_of(chain)
    first = next((part for part in parts if part.stop or type(part.layer) in {*UNITS, Select}), None)
    if first and isinstance(first.layer, Select) and not first.stop:
        return first, 0
    found = front(parts)
    if found is None:
        return None, 0
    place, axis, size = found
    key = "select" if "select" not in vars(place.home) else "select_inputs"
    layer = Select(np.arange(size), axis).eval()
    put_in_front(place, key, layer)
    return Part(key, layer, place.home, key), size


def _shrink(pairs: list[Link]) -> None:
    """Once to and fro: constants go forwards, what nobody reads goes backwards, and neither makes new ones of the other kind."""
    for link in [*pairs, *reversed(pairs)]:
        link.shrink()


def _difference(model: Module, small: Module, x: Any) -> float:
    """The largest difference of two models' outputs, divided by the first one's largest output where that is not 0."""
    x = asarray(x)
    with no_grad():
        old, new = (np.asarray(asarray(m(x)).data, np.float64) for m in (deepcopy(model).eval(), small))
    if old.shape != new.shape:
        raise RuntimeError(
            f"compact: outputs for x of shape {x.shape} now have shape {new.shape}, not {old.shape}. Does the first axis of x hold the samples?"
        )
    largest = float(np.max(np.abs(old), initial=0.0))
    return float(np.max(np.abs(new - old), initial=0.0)) / (largest or 1.0)


def _count(model: Module) -> int:
    floats = [(name, x) for name, x in model.named_tensors() if x.dtype.kind == "f"]
    return sum(x.size for name, x in floats if name.rpartition(".")[2] not in ("running_mean", "running_var"))
