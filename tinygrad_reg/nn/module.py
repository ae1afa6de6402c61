"""Module: something with parameters, possibly made of other modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from reprlib import recursive_repr
from typing import Any, TypeVar
from weakref import ref

import numpy as np

from ..mode import captures, capturing, changes, no_grad
from ..penalties import L1, L2
from ..tensor import Tensor, asarray, made_within, next_serial
from ..text_table import text_table

__all__ = ["Module", "PenaltyRow", "PenaltyTable"]

Self = TypeVar("Self", bound="Module")


_ATOMS = frozenset([Tensor, bool, int, float, str, type(None)])


class Module:
    """Base of all models. Write ``__init__`` that sets Tensors and Modules as attributes, and ``forward``.

    Every Tensor with ``requires_grad`` is a parameter, every other Tensor a buffer. Lists, tuples and
    dicts of Tensors and Modules are looked into.

    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Tensor([2.0], requires_grad=True)
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(Tensor([1.0, 3.0]))
    Tensor([2., 6.])
    >>> [name for name, _ in Scale().named_parameters()]
    ['factor']
    """

    training: bool = True
    not_held: tuple[str, ...] = ()  # attributes in which a Tensor is a setting, no parameter and no buffer

    def __setattr__(self, name: str, value: Any) -> None:
        changes.count += 1
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        changes.count += 1
        super().__delattr__(name)

    def forward(self, *inputs: Any) -> Any:
        """What the module computes; to be written by each kind of module."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(); write one that returns what the module computes.")

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        if captures and (tape := capturing()):
            with tape.within(self):
                return self.forward(*inputs, **settings)
        start = next_serial()
        out = self.forward(*inputs, **settings)
        if type(out) is not Tensor:
            made_within(ref(self), type(self).__name__, start, out)
        elif out.op is not None and out.serial < start:
            out._made_in = (ref(self), type(self).__name__, start, out._made_in)  # as made_within does, but quicker
        return out

    # ------------------------------------------------------------------------------ what is inside

    def modules(self) -> Iterator[Module]:
        """This module and all inside it, each once."""
        found: dict[int, Module] = {}
        stack: list[Any] = [self]
        while stack:
            x = stack.pop()
            if type(x) in _ATOMS:
                continue
            if isinstance(x, Module):
                if id(x) not in found:
                    found[id(x)] = x
                    stack.extend(x.__dict__.values())
            elif isinstance(x, (list, tuple)):
                stack.extend(x)
            elif isinstance(x, dict):
                stack.extend(x.values())
        return iter(found.values())

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module and all inside it, each once, with dotted names, outside in."""
        seen: set[int] = set()
        stack: list[tuple[str, Any]] = [("", self)]
        while stack:
            name, module = stack.pop()
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module
                inner = [(f"{name}.{key}" if name else key, x) for key, x in _children(module) if isinstance(x, Module)]
                stack.extend(reversed(inner))

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """All parameters and buffers, each once, with dotted names; results of ops kept in an attribute are neither."""
        seen: set[int] = set()
        for name, module in self.named_modules():
            for key, x in _children(module):
                if isinstance(x, Tensor) and x.op is None and id(x) not in seen:
                    seen.add(id(x))
                    yield f"{name}.{key}" if name else key, x

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """All Tensors that require a gradient, with dotted names."""
        return ((name, x) for name, x in self.named_tensors() if x.requires_grad)

    def parameters(self) -> list[Tensor]:
        """All Tensors that require a gradient, for an optimiser."""
        return [x for _, x in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for _, x in self.named_tensors():
            x.grad = None

    # ------------------------------------------------------------------------------------ penalties

    def penalties(self) -> Iterable[tuple[str, L1 | L2]]:
        """This module's own penalties: pairs of a parameter's attribute name and the penalty on it."""
        return ()

    def named_penalties(self) -> Iterator[tuple[str, Tensor, L1 | L2]]:
        """Every penalty of this module and all inside it: the parameter's dotted name, the parameter, the penalty."""
        for name, module in self.named_modules():
            for key, penalty in module.penalties():
                yield f"{name}.{key}" if name else key, getattr(module, key), penalty

    def regularization_loss(self) -> Tensor:
        """Sum of all penalties, λ·Σ|w| and λ·Σw², as an expression to add to the data loss; 0 without any.

        Penalties are read anew at each call, so a changed λ takes effect at once.
        """
        total: Any = None
        for module in self.modules():
            for key, penalty in module.penalties():
                term = penalty(getattr(module, key))
                total = term if total is None else total + term
        return Tensor(0.0, dtype=self.float_dtype()) if total is None else total

    def float_dtype(self) -> Any:
        """The dtype of the parameters: of the first one, float64 without any."""
        return next((p.dtype for p in self.parameters()), np.dtype(np.float64))

    def penalty_table(self) -> PenaltyTable:
        """One row for each penalty: parameter, kind, λ, value, and how many entries are exactly zero."""
        with no_grad():
            return PenaltyTable([_penalty_row(*found) for found in self.named_penalties()])

    # ---------------------------------------------------------------------------------------- modes

    def train(self: Self, mode: bool = True) -> Self:
        """Put all modules inside into training mode (``False``: evaluation)."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self: Self) -> Self:
        """Put all modules inside into evaluation mode: dropout does nothing."""
        return self.train(False)

    def astype(self: Self, dtype: Any) -> Self:
        """Turn all float parameters and buffers into the float ``dtype``, in place; gradients are forgotten."""
        if np.dtype(dtype).kind != "f":
            raise TypeError(f"astype: parameters must stay float, and {np.dtype(dtype)} is not; use float32 or float64.")
        for _, x in self.named_tensors():
            if x.dtype.kind == "f":
                x._data = x._data.astype(dtype)
                x.grad = None
        return self

    # -------------------------------------------------------------------------------- state and print

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters and buffers, by dotted name."""
        return {name: x.numpy() for name, x in self.named_tensors()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Give all parameters and buffers the values of ``state``: all of them, or (after an error) none.

        Raises ``ValueError`` that lists missing and unknown names, or a shape that does not fit.
        """
        own = dict(self.named_tensors())
        missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        if missing or unknown:
            raise ValueError(f"load_state_dict: missing {missing}, unknown {unknown}. The state must come from a model of the same layers.")
        new = {name: asarray(value) for name, value in state.items()}
        for name, value in new.items():
            if value.shape != own[name].shape or not np.can_cast(value.dtype, own[name].dtype, "same_kind"):
                raise ValueError(f"load_state_dict: {name!r} is {own[name].describe()}, the state has {value.describe()}.")
        for name, value in new.items():
            own[name].assign(value)

    def extra_repr(self) -> str:
        """What stands in the brackets when the module is printed."""
        return ""

    @recursive_repr()
    def __repr__(self) -> str:
        inner = [(key, x) for key, x in _children(self) if isinstance(x, Module)]
        if not inner:
            return f"{type(self).__name__}({self.extra_repr()})"
        lines = [f"  ({key}): " + repr(x).replace("\n", "\n  ") for key, x in inner]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])


def _children(module: Module) -> Iterator[tuple[str, Any]]:
    """Tensors and Modules among a module's attributes, also inside lists, tuples and dicts, in order."""
    stack: list[tuple[str, Any]] = [item for item in reversed(vars(module).items()) if item[0] not in module.not_held]
    while stack:
        key, value = stack.pop()
        if isinstance(value, (Tensor, Module)):
            yield key, value
        elif isinstance(value, (list, tuple, dict)):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            stack.extend(reversed([(f"{key}.{i}", x) for i, x in items]))


@dataclass(frozen=True)
class PenaltyRow:
    """One penalty on one parameter: ``value`` is what it adds to the loss, ``zeros`` counts exact zeros."""

    parameter: str
    kind: str
    lam: float
    value: float
    zeros: int
    size: int


class PenaltyTable(list[PenaltyRow]):
    """Penalties of a model, one :class:`PenaltyRow` each; prints as a table. ``total`` is their sum."""

    @property
    def total(self) -> float:
        """What all penalties together add to the loss."""
        return float(sum(row.value for row in self))

    def __str__(self) -> str:
        cells = [("parameter", "penalty", "λ", "value", "exact zeros")]
        cells += [(r.parameter, r.kind, f"{r.lam:g}", f"{r.value:.6g}", f"{r.zeros}/{r.size}") for r in self]
        cells.append(("total", "", "", f"{self.total:.6g}", ""))
        return text_table(cells)

    __repr__ = __str__


def _penalty_row(name: str, parameter: Tensor, penalty: L1 | L2) -> PenaltyRow:
    zeros = int(np.count_nonzero(parameter.data == 0))
    return PenaltyRow(name, type(penalty).__name__, float(penalty.number(parameter)), float(penalty(parameter)), zeros, parameter.size)
