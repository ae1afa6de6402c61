"""What an operation is: a forward on arrays, one backward rule per array argument, a description.

    @op(label="tanh", domain=[REAL])
    def tanh(x):
        return np.tanh(x)

    tanh.defvjp(lambda g, out, x: g * (1 - out * out))

The forward sees plain arrays. A rule gets the gradient ``g`` of the result, the result ``out`` and
the inputs, and answers with the gradient of one input. Rules are written in our own operations, so
given arrays they compute, and given Tensors they record: that is where second derivatives and
pictures of gradients come from. Every operation stands in the table ``OPS``.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import partial, update_wrapper
from itertools import count
from typing import Any

import numpy as np

from .domain import REAL, Case, Domain, elementwise_cases

__all__ = ["ALIASES", "EXPRESSIONS", "NUMPY", "OPS", "Expression", "Op", "Parts", "expression", "op"]

OPS: dict[str, Op] = {}  # every op under its own name
ALIASES: dict[str, Any] = {}  # and under its other names
EXPRESSIONS: dict[str, Expression] = {}  # functions written in ops, under their own names
NUMPY: dict[Any, Any] = {}  # both by the NumPy function that they stand for

ELEMENTWISE = "shapes must be equal, or broadcast: aligned from the right, sizes equal or 1"


_PLAIN = frozenset([np.ndarray, np.float64, np.float32, float, int])


def _none(settings: dict[str, Any]) -> Sequence[int]:
    return ()


class _RulePerIndex:
    """The rules of an op of any number of arrays: one function, told by ``index`` which array is meant."""

    def __init__(self, rule: Callable[..., Any]) -> None:
        self.rule = rule

    def __iter__(self) -> Iterator[Callable[..., Any]]:
        return (partial(self.rule, index=i) for i in count())


def _no_gradient(g: Any, out: Any, *inputs: Any, **settings: Any) -> None:
    return None


class Op:
    """An operation: callable on arrays (it computes) and on Tensors (it records).

    Made by the decorator :func:`op`. A forward that returns a tuple has several results: ``out`` and ``g`` of its
    rules are tuples then, g with zeros for results that play no part. Array arguments are those that may be given by position in the
    forward's signature; settings are its keyword-only ones, filled with their defaults before a rule
    sees them.
    """

    def __init__(self, forward: Callable[..., Any], label: str, domain: Sequence[Domain], cases: Sequence[Case], fits: str) -> None:
        update_wrapper(self, forward)
        self.name: str = forward.__name__
        self.forward = forward
        self.label = label
        self.fits = fits
        self.local = fits == ELEMENTWISE  # an element of its input's gradient depends on that element of g only
        parameters = inspect.signature(forward).parameters.values()
        arrays = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)]
        settings = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in arrays)
        self.arity = -1 if self.variadic else len(arrays)
        self.array_names = tuple(p.name for p in arrays)
        if len(domain) not in (1, len(arrays)):
            raise ValueError(
                f"op: {self.name} has {len(arrays)} array arguments {self.array_names} and {len(domain)} domains; give one for each, or one for all."
            )
        self.domain = tuple(domain) * (len(arrays) if len(domain) == 1 else 1)
        self.steep = any(d.low > -np.inf or d.high < np.inf for d in self.domain)  # its slope may be infinite at the end of the domain
        self.optional = any(p.default is None for p in arrays)  # None stands for an array left out, as in clip
        self.array_defaults = tuple(p.default for p in arrays if p.default is not p.empty)
        self.defaults = {p.name: p.default for p in settings if p.default is not p.empty}
        self.setting_names = tuple(p.name for p in settings)
        named = [p for p in (*arrays, *settings) if p.kind is not p.VAR_POSITIONAL]
        self.signature = inspect.Signature([p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in named])
        several = [inspect.Parameter("arrays", inspect.Parameter.POSITIONAL_ONLY)] if self.variadic else []
        self.__signature__ = self.signature.replace(parameters=[*several, *self.signature.parameters.values()])
        self.refuses = False  # it is there for its errors: a check
        self.shaped_by: Callable[[dict[str, Any]], Sequence[int]] = _none  # inputs, by place, on whose numbers the shape of its result depends
        self.keyed: Callable[..., Any] | None = None  # what to do instead, in a captured function, if its setting ``key`` holds Tensors
        self.draws = "rng" in self.setting_names  # random numbers: another result each time
        self.elementwise = not cases and fits == ELEMENTWISE and not self.draws
        self.cases = tuple(cases) or elementwise_cases(2 if self.variadic else self.arity)
        self.rules: Any = ()

    def defvjp(self, *rules: Callable[..., Any] | None) -> None:
        """Set the backward rules, one per array argument; ``None`` where there is never a gradient.

        A rule is called as ``rule(g, out, *inputs, **settings)`` and returns the gradient of its
        input (broadcasting is undone by the caller), or ``None`` for zero. An op of any number
        of arrays has one rule, which is also given ``index``.
        """
        if self.variadic:
            if len(rules) != 1 or rules[0] is None:
                raise ValueError(f"{self.name}.defvjp takes one rule for all arrays, which is told by index= which is meant; got {len(rules)}.")
            self.rules = _RulePerIndex(rules[0])
        elif len(rules) == self.arity:
            self.rules = rules
        else:
            raise ValueError(
                f"{self.name}.defvjp takes one rule per array argument {self.array_names}; got {len(rules)}. Give None where there is no gradient."
            )

    def zero_vjp(self) -> None:
        """Declare that the op is flat wherever it has a slope: every gradient is zero."""
        self.rules = _RulePerIndex(_no_gradient) if self.variadic else (_no_gradient,) * self.arity

    def filled(self, settings: dict[str, Any]) -> dict[str, Any]:
        """``settings`` with the defaults of all others; none that its owner could still change before backward."""
        return {name: _owned(value) for name, value in (self.defaults | settings).items()} if settings else self.defaults

    def no_rule(self, result: Any) -> bool:
        """False for an op that says yes or no or counts; an error for one whose gradient would silently be lost."""
        if isinstance(result, tuple):
            return any(self.no_rule(x) for x in result)
        if result.dtype.kind not in "fc":
            return False
        raise TypeError(
            f"{self.name} has no backward rule, so its gradient would be lost. Give it one, {self.name}.defvjp(lambda g, out, x: …), "
            f"or declare it flat with {self.name}.zero_vjp(); for values alone use it under no_grad()."
        )

    @property
    def differentiable(self) -> bool:
        """Whether any argument has a rule."""
        return bool(self.rules)

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        if len(inputs) != self.arity:
            inputs, settings = self.bind(inputs, settings)
        for x in inputs:
            kind = type(x)
            if kind in _PLAIN:
                continue
            if hasattr(kind, "__record__"):
                return kind.__record__(self, inputs, settings)
            if kind is list:
                arrays = tuple(np.asarray(v) if type(v) is list else v for v in inputs)
                return self(arrays, **settings) if self.variadic else self(*arrays, **settings)
        try:
            return self.forward(*inputs, **settings)
        except (TypeError, ValueError, IndexError) as error:
            raise self.explain(error, inputs, settings) from error

    def bind(self, inputs: tuple[Any, ...], settings: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort settings given by position, and arrays given by name, into their places."""
        if not settings and len(inputs) + len(self.array_defaults) >= self.arity > len(inputs):
            return inputs + self.array_defaults[len(inputs) - self.arity :], settings
        try:
            if self.variadic:
                return self._bind_sequence(*inputs, **settings)
            bound = self.signature.bind(*inputs, **settings)
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}. It is called as {self.name}{self._call_text()}.") from None
        bound.apply_defaults()
        arrays = tuple(bound.arguments.pop(name) for name in self.array_names)
        return arrays, bound.arguments

    def _bind_sequence(self, arrays: Any, *positional: Any, **settings: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        bound = self.signature.bind(*positional, **settings)
        bound.apply_defaults()
        return tuple(arrays), bound.arguments

    def _call_text(self) -> str:
        return str(self.signature) if not self.variadic else f"(arrays, {str(self.signature)[1:]}".replace(", )", ")")

    def explain(self, error: Exception, inputs: Sequence[Any], settings: dict[str, Any], names: Sequence[str | None] = ()) -> Exception:
        """The same error, saying which op was called with what, and what would fit."""
        unknown = [name for name in settings if name not in self.setting_names]
        if isinstance(error, TypeError) and unknown:
            return TypeError(f"{self.name} has no setting {unknown[0]!r}. It is called as {self.name}{self._call_text()}.")
        got = [describe(x, name) for x, name in zip(inputs, (*names, *[None] * len(inputs)), strict=False)]
        got += [f"{key}={value!r}" for key, value in settings.items()]
        return _kind(error)(f"{self.name}: {error}. Got {', '.join(got)}.{_dtypes_of(str(error))} Here {self.fits}.")

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        return (_named, (self.name,))


def _owned(setting: Any) -> Any:
    kind = type(setting)
    if kind in (list, np.ndarray) or (kind is tuple and any(type(part) in (list, np.ndarray) for part in setting)):
        return deepcopy(setting)
    return setting


def _kind(error: Exception) -> type[Exception]:
    """The class of error to raise in its stead: one that is made from a text."""
    kinds = (np.linalg.LinAlgError, np.exceptions.AxisError, TypeError, ValueError)  # the first two are ValueErrors too, the second an IndexError
    return next((kind for kind in kinds if isinstance(error, kind)), IndexError)


_KINDS = {"b": "bools", "i": "whole numbers", "f": "floats", "c": "complex numbers"}


def _dtypes_of(text: str) -> str:
    """A sentence on what a function of NumPy or SciPy takes, if the text of an error says that it took offence at a dtype."""
    if "unsupported in linalg" in text:
        return " It takes float32, float64, complex64 and complex128."
    found = re.match(r"ufunc '(\w+)' (not supported for|did not contain)", text)
    ufunc = next(filter(None, (getattr(sys.modules.get(module), found[1], None) for module in ("numpy", "scipy.special"))), None) if found else None
    kinds = {np.dtype(types[0]).kind for types in getattr(ufunc, "types", ())}
    return f" It takes {', '.join(word for kind, word in _KINDS.items() if kind in kinds)}." if kinds else ""


def _named(name: str) -> Op:
    return OPS[name]


def describe(x: Any, name: str | None = None) -> str:
    """An argument in a few words, for error messages.

    >>> describe(np.zeros((2, 3)), "weight")
    "float64 of shape (2, 3) 'weight'"
    """
    text = f"{x.dtype} of shape {x.shape}" if hasattr(type(x), "shape") and hasattr(type(x), "dtype") else f"{type(x).__name__} {x!r}"
    return f"{text} {name!r}" if name else text


def op(
    *,
    label: str | None = None,
    domain: Sequence[Domain] = (REAL,),
    cases: Sequence[Case] = (),
    fits: str = ELEMENTWISE,
    aliases: Sequence[str] = (),
) -> Callable[[Callable[..., Any]], Op]:
    """Make a function on arrays an operation that Tensors record.

    ``label`` is what a drawing shows (default: the name). ``domain`` says where each array argument
    may lie; one entry serves all. ``cases`` are shapes and settings to test with (elementwise ops
    need none). ``fits`` ends error messages: what the arguments must satisfy. ``aliases`` are
    further names. NumPy's function of the same name, if there is one, dispatches to the op.

    Raises ``ValueError`` if the name is taken.

    >>> @op(label="x³", domain=[REAL])
    ... def cubed(x):
    ...     return x * x * x
    >>> cubed.defvjp(lambda g, out, x: g * (3 * x * x))
    >>> cubed(Tensor([2.0]))
    Tensor([8.])
    """

    def register(forward: Callable[..., Any]) -> Op:
        made = Op(forward, label or forward.__name__, domain, cases, fits)
        for name in (made.name, *aliases):
            known = OPS.get(name) or EXPRESSIONS.get(name) or ALIASES.get(name)
            if known is not None and known.__module__.startswith(f"{__package__}."):
                raise ValueError(f"op: {name!r} is an op of {__package__} itself; give yours another name.")
        _publish(made, OPS, aliases)
        return made

    return register


_IN_PLACE = (np.put_along_axis, np.fill_diagonal)  # NumPy's functions of these names write into their argument


def _publish(made: Any, table: dict[str, Any], aliases: Sequence[str]) -> None:
    table[made.name] = made
    ALIASES.update(dict.fromkeys(aliases, made))
    functions = (getattr(np, name, None) for name in (made.name, *aliases))
    NUMPY.update((function, made) for function in functions if callable(function) and function not in _IN_PLACE)


class Expression:
    """A function written in ops: it stands in the documentation, in NumPy's dispatch and in the tests as an op does."""

    def __init__(self, function: Callable[..., Any], domain: Sequence[Domain], cases: Sequence[Case], sequence: bool) -> None:
        update_wrapper(self, function)
        self.name: str = function.__name__
        self.function = function
        self.variadic = sequence  # its arrays come as one sequence, as in vstack
        self.domain = tuple(domain)
        self.cases = tuple(cases)
        self.signature = inspect.signature(function)
        self.array_names = tuple(self.signature.parameters)

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        try:
            return self.function(*inputs, **settings)
        except (TypeError, ValueError, IndexError) as error:
            if str(error).startswith((f"{self.name}:", f"{self.name.removeprefix('linalg_')}:")):
                raise
            raise self.explain(error, inputs, settings) from error

    def explain(self, error: Exception, inputs: Sequence[Any], settings: dict[str, Any]) -> Exception:
        """The same error, saying which expression was called; and with what, if the op where it happened did not say so."""
        text = f"{self.name}: {error}"
        if "Got " not in text:
            got = [describe(getattr(x, "_data", x)) for x in inputs] + [f"{key}={value!r}" for key, value in settings.items()]
            text = f"{text.rstrip('.')}. Got {', '.join(got)}."
        return _kind(error)(text)

    def __repr__(self) -> str:
        return f"<expression {self.name}>"


def expression(
    *, domain: Sequence[Domain] = (REAL,), cases: Sequence[Case] = (), aliases: Sequence[str] = (), sequence: bool = False
) -> Callable[[Callable[..., Any]], Expression]:
    """Make a function written in ops public: exported, dispatched to by NumPy's function of that name, and tested.

    ``domain`` and ``cases`` are as for :func:`op`; the cases say how to test it. ``sequence`` says that its arrays come as one list.

    >>> @expression(cases=[])
    ... def twice(x):
    ...     return x + x
    >>> twice(Tensor([1.0]))
    Tensor([2.])
    """

    def register(function: Callable[..., Any]) -> Expression:
        made = Expression(function, domain, cases, sequence)
        _publish(made, EXPRESSIONS, aliases)
        return made

    return register


class Parts(tuple[Any, ...]):
    """The gradients of an op's several results, ``None`` where none came yet; adding two joins them."""

    def __add__(self, other: Any) -> Parts:
        return Parts(b if a is None else a if b is None else a + b for a, b in zip(self, other, strict=True))
