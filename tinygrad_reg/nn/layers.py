"""Layers: Linear with its four lambdas, activations, dropout, and Sequential, which joins them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from ..generators import generator
from ..mode import captures, capturing, changes
from ..op import Op
from ..ops.attention import dropout
from ..ops.elementwise import relu, sigmoid, tanh
from ..ops.linalg import affine
from ..penalties import L1, L2, checked_lambda
from ..schedules import Schedule
from ..tensor import Tensor
from .initialisers import initialise
from .module import Module

__all__ = ["Dropout", "Flatten", "Linear", "ReLU", "Sequential", "Sigmoid", "Tanh"]


Strength = float | Schedule | Tensor


class Lambda:
    """An attribute that holds the strength of a penalty, a number, a schedule or a Tensor: a negative or NaN one is refused when it is set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __set__(self, layer: Any, value: Any) -> None:
        # Without __get__, reading finds the plain number in the layer's own __dict__.
        layer.__dict__[self.name] = checked_lambda(value, f"{type(layer).__name__}: {self.name}")
        changes.count += 1


_FOUR = (("weight_lambda_l1", "weight", L1), ("weight_lambda_l2", "weight", L2), ("bias_lambda_l1", "bias", L1), ("bias_lambda_l2", "bias", L2))
_made: Any = lru_cache(lambda kind, lam: kind(lam))


class Penalised(Module):
    """Base of layers with a weight and perhaps a bias, each of which may be penalised.

    Each of the four lambdas adds λ·Σ|·| (L1) or λ·Σ(·)² (L2, without ½) of weight or bias to ``regularization_loss()``; they are read at
    each call and may be changed at any time. A lambda is a number, a :class:`~tinygrad_reg.Schedule` or a Tensor of a single number, which is
    no parameter of the layer and not in its state. A negative or NaN lambda is a ``ValueError``.
    """

    not_held = ("weight_lambda_l1", "weight_lambda_l2", "bias_lambda_l1", "bias_lambda_l2")
    weight: Tensor | None
    bias: Tensor | None
    weight_lambda_l1 = Lambda()
    weight_lambda_l2 = Lambda()
    bias_lambda_l1 = Lambda()
    bias_lambda_l2 = Lambda()

    def set_lambdas(
        self, weight_lambda_l1: Strength = 0, weight_lambda_l2: Strength = 0, bias_lambda_l1: Strength = 0, bias_lambda_l2: Strength = 0
    ) -> None:
        """Set all four, after weight and bias."""
        self.weight_lambda_l1 = weight_lambda_l1
        self.weight_lambda_l2 = weight_lambda_l2
        self.bias_lambda_l1 = bias_lambda_l1
        self.bias_lambda_l2 = bias_lambda_l2
        name = type(self).__name__
        if self.weight is None and (self._is_set("weight_lambda_l1") or self._is_set("weight_lambda_l2")):
            raise ValueError(f"{name}: weight_lambda_l1 and weight_lambda_l2 penalise a weight, and there is none with affine=False.")
        if self.bias is None and (self._is_set("bias_lambda_l1") or self._is_set("bias_lambda_l2")):
            raise ValueError(f"{name}: bias_lambda_l1 and bias_lambda_l2 penalise a bias, and there is none with bias=False.")

    def penalties(self) -> list[tuple[str, L1 | L2]]:
        """The penalties whose λ is above 0, each with the name of its parameter."""
        return [(key, self._penalty(kind, name)) for name, key, kind in _FOUR if self._is_set(name) and getattr(self, key) is not None]

    def _is_set(self, name: str) -> bool:
        """Whether there is a penalty: a schedule or a Tensor may be 0 for a while, a number that is 0 switches it off."""
        lam = self.__dict__[name]
        return type(lam) is not float or lam != 0

    def _penalty(self, kind: type[L1 | L2], name: str) -> L1 | L2:
        if type(self.__dict__[name]) is not float:
            return kind(self.__dict__[name])
        if captures and (tape := capturing()):  # the strength is asked for at each run
            return kind(tape.number((name, id(self)), lambda: self.__dict__[name], steady=True))
        return _made(kind, self.__dict__[name])

    def lambdas_set(self) -> list[str]:
        """The lambdas that are not 0, for printing."""
        names = ("weight_lambda_l1", "weight_lambda_l2", "bias_lambda_l1", "bias_lambda_l2")
        lams = {name: getattr(self, name) for name in names if self._is_set(name)}
        return [f"{name}={lam:g}" if type(lam) is float else f"{name}={lam!r}" for name, lam in lams.items()]


class Linear(Penalised):
    """Fully connected layer: y = x @ weight + bias.

    ``weight`` has shape (n_inputs, n_outputs), ``bias`` (n_outputs,), starting at 0. Each of the four lambdas adds
    λ·Σ|·| (L1) or λ·Σ(·)² (L2, without ½) of weight or bias to ``regularization_loss()``; they are read at each
    call and may be changed at any time. ``init`` names how the weight starts (``nn.INITIALISERS``; ``"book"`` is
    0.01·N(0,1)). x has shape (..., n_inputs).

    Raises ``ValueError`` for a negative or NaN lambda, and for sizes below 1.

    Source: H. Kinsley and D. Kukieła (2020), Neural Networks from Scratch in Python, chapter 14.

    >>> layer = Linear(2, 3, weight_lambda_l2=0.1, init="zeros")
    >>> layer(Tensor([[1.0, 2.0]]))
    Tensor([[0., 0., 0.]])
    >>> layer.weight_lambda_l2 = -1
    Traceback (most recent call last):
    ValueError: Linear: weight_lambda_l2 is -1; a penalty's strength must be finite and at least 0 (0 switches it off).
    """

    weight: Tensor

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        weight_lambda_l1: Strength = 0,
        weight_lambda_l2: Strength = 0,
        bias_lambda_l1: Strength = 0,
        bias_lambda_l2: Strength = 0,
        bias: bool = True,
        rng: Any = None,
        dtype: Any = None,
        init: str | Callable[..., Any] = "he",
    ) -> None:
        if n_inputs < 1 or n_outputs < 1:
            raise ValueError(f"Linear: sizes must be at least 1; got n_inputs={n_inputs}, n_outputs={n_outputs}.")
        dtype = np.dtype(dtype or np.float64)
        self.weight = Tensor(initialise(init, n_inputs, n_outputs, rng), requires_grad=True, dtype=dtype, name="weight")
        self.bias = Tensor(np.zeros(n_outputs), requires_grad=True, dtype=dtype, name="bias") if bias else None
        self.set_lambdas(weight_lambda_l1, weight_lambda_l2, bias_lambda_l1, bias_lambda_l2)

    def forward(self, x: Any) -> Tensor:
        """x @ weight + bias, for x of shape (..., n_inputs)."""
        try:
            if self.bias is not None and not captures and type(x) is Tensor:
                return affine(x, self.weight, self.bias)  # quicker; a compiled function gets rid of the array between by itself
            y = x @ self.weight
        except ValueError as error:
            raise ValueError(
                f"{self!r} got x of shape {np.shape(x)}: its last axis must have size {self.weight.shape[0]}, one for each input of the layer. "
                "Is the sample axis first, and does the layer before have as many outputs?"
            ) from error
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        """Sizes, and the lambdas that are set."""
        return ", ".join([*map(str, self.weight.shape), *self.lambdas_set(), *(["bias=False"] if self.bias is None else [])])


class _Activation(Module):
    op: Op

    @property
    def elementwise(self) -> bool:
        """Whether each output depends on the one input at its place only. Modules of your own may say ``elementwise = True``."""
        return getattr(self.op, "elementwise", False)

    def forward(self, x: Any) -> Any:
        """The op, element by element."""
        return self.op(x)


class ReLU(_Activation):
    """max(x, 0), element by element; slope 0 at 0.

    >>> ReLU()(Tensor([-1.0, 2.0]))
    Tensor([0., 2.])
    """

    op = relu


class Tanh(_Activation):
    """tanh(x), element by element.

    >>> Tanh()(Tensor([0.0]))
    Tensor([0.])
    """

    op = tanh


class Sigmoid(_Activation):
    """1/(1 + exp(-x)), element by element.

    >>> Sigmoid()(Tensor([0.0]))
    Tensor([0.5])
    """

    op = sigmoid


class Dropout(Module):
    """In training, each element is 0 with probability ``rate``, else divided by 1 - rate; in evaluation, nothing happens.

    So the mean stays the same. Draws from ``rng``, or from the default generator (``tg.manual_seed``). Raises
    ``ValueError`` unless 0 ≤ rate < 1.

    Source: N. Srivastava et al. (2014), Dropout, section 10 (scaled while training, as most libraries do).

    >>> Dropout(0.5).eval()(Tensor([1.0, 2.0]))
    Tensor([1., 2.])
    """

    def __init__(self, rate: float = 0.5, rng: Any = None) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"Dropout: rate is {rate}; it is the share of elements set to 0, at least 0 and below 1.")
        self.rate = rate
        self.rng = rng if rng is None else generator(rng)

    def forward(self, x: Any) -> Any:
        """x with elements dropped in training, x itself in evaluation."""
        return dropout(x, self.rate, self.training, self.rng)

    def extra_repr(self) -> str:
        """The rate."""
        return f"{self.rate:g}"


class Flatten(Module):
    """All axes but the first joined into one.

    >>> Flatten()(Tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    Tensor([[1., 2., 3., 4.]])
    """

    def forward(self, x: Any) -> Any:
        """x of shape (n, ...) in shape (n, rest)."""
        return x.reshape(x.shape[0], -1)


class Sequential(Module):
    """Modules one after the other.

    >>> model = Sequential(Linear(2, 8), ReLU(), Linear(8, 3))
    >>> [name for name, _ in model.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *modules: Module) -> None:
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                raise TypeError(
                    f"Sequential: part {i} is a {type(module).__name__}, not a Module; pass the parts one by one, "
                    "as in Sequential(Linear(2, 8), ReLU())."
                )
            vars(self)[str(i)] = module

    def forward(self, x: Any) -> Any:
        """The last module's result."""
        for module in self:
            x = module(x)
        return x

    def __iter__(self) -> Iterator[Module]:
        return iter([x for x in vars(self).values() if isinstance(x, Module)])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, index: int) -> Module:
        return list(self)[index]
