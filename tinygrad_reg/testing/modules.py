"""check_module: a model's gradients in all its parameters and its input, and that its state survives a round trip."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..nn import Module
from .checking import check_gradients
from .mismatch import GradientMismatch, Report

__all__ = ["check_module"]


def check_module(module: Module, *inputs: Any, order: int = 1, seed: int = 0, max_entries: int = 1000) -> Report:
    """Check a module at ``inputs``: the gradient in each parameter and in each float input, and in its penalties.

    All is done at float64, in the mode (train or eval) that the module is in, and the module is left as it was. Also checked: that
    ``state_dict`` holds every parameter and ``load_state_dict`` gives the same result again, and that no parameter is without a part.

    Raises :class:`GradientMismatch`; ``TypeError`` for what is no module.

    >>> from tinygrad_reg import nn
    >>> check_module(nn.Linear(3, 2, weight_lambda_l2=0.1, rng=0), np.ones((4, 3))).undecided
    0
    """
    if not isinstance(module, Module):
        raise TypeError(f"check_module takes a Module, not {type(module).__name__} {module!r}; for functions there is check_gradients.")
    name = type(module).__name__
    report = check_gradients(module, *inputs, order=order, wrt=[module], seed=seed, max_entries=max_entries, name=name)
    floats = [i for i, x in enumerate(inputs) if np.asarray(getattr(x, "_data", x)).dtype.kind in "fc"]
    if floats:
        report += check_gradients(module, *inputs, order=order, wrt=floats, seed=seed, max_entries=max_entries, name=name)
    if any(True for _ in module.named_penalties()):
        report += check_gradients(module.regularization_loss, order=order, wrt=[module], max_entries=max_entries, name=f"{name}.regularization_loss")
    _check_state(module, inputs, name)
    return report


def _check_state(module: Module, inputs: tuple[Any, ...], name: str) -> None:
    state = module.state_dict()
    missing = [key for key, _ in module.named_parameters() if key not in state]
    if missing:
        raise GradientMismatch("wrong state", name, missing[0], detail=f"state_dict() lacks {missing}")
    first = np.asarray(module(*inputs).data)
    module.load_state_dict(state)
    second = np.asarray(module(*inputs).data)
    module.load_state_dict(state)
    if not np.array_equal(first, second, equal_nan=True):
        raise GradientMismatch("not deterministic", name, detail="after load_state_dict(state_dict()) the result is another")
