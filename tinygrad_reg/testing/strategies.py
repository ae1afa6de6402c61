"""Hypothesis strategies for gradients: numbers and arrays that respect kinks and ties, or ask for them; models, expressions, calls of ops.

They shrink to readable examples: few, small, round numbers, small shapes, short expressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..domain import REAL, Domain
from ..nn import Linear
from ..op import Op
from ..tensor import Tensor
from . import expressions as _expressions
from .inputs import LAYOUTS, domains, find_op, is_kinked, sample, sample_at_kinks, window

try:
    from hypothesis import settings
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as hnp
except ImportError as error:
    raise ImportError("tinygrad_reg.testing.strategies needs hypothesis, which is not installed: pip install 'tinygrad_reg[testing]'.") from error

__all__ = [
    "arrays",
    "broadcastable",
    "calls",
    "expressions",
    "floats_away_from",
    "lambdas",
    "linear_models",
    "load_profile",
    "shapes",
    "tensors",
]

AWAY = 0.05
PROFILES = {"dev": {"max_examples": 50}, "ci": {"max_examples": 100, "derandomize": True}, "thorough": {"max_examples": 2000}}


def load_profile(name: str = "dev") -> None:
    """Load one of three settings of hypothesis: ``dev`` (50 examples), ``ci`` (100, the same each time), ``thorough`` (2000). None has a deadline.

    Raises ``ValueError`` for another name.

    >>> load_profile("dev")
    """
    from hypothesis import HealthCheck  # noqa: PLC0415

    if name not in PROFILES:
        raise ValueError(f"load_profile: {name!r} is none of the profiles {', '.join(PROFILES)}.")
    for key, values in PROFILES.items():
        settings.register_profile(f"gradients-{key}", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow], **values)  # type: ignore[arg-type]
    settings.load_profile(f"gradients-{name}")


def floats_away_from(kinks: Sequence[float] = (0.0,), *, low: float = -4.0, high: float = 4.0, away: float = AWAY) -> st.SearchStrategy[float]:
    """Floats of at most three digits between ``low`` and ``high``, none nearer than ``away`` to a kink.

    Raises ``ValueError`` if nothing is left.

    >>> strategy = floats_away_from([0.0, 1.0])
    """
    if not low < high:
        raise ValueError(f"floats_away_from: low is {low} and high {high}; low must be smaller.")
    ends = sorted(k for k in kinks if low - away < k < high + away)
    gaps = list(zip([low, *(k + away for k in ends)], [*(k - away for k in ends), high], strict=True))
    parts = [_rounded(a, b) for a, b in gaps if a <= b]
    if not parts:
        raise ValueError(f"floats_away_from: nothing between {low} and {high} is {away} away from all of {list(kinks)}; make away smaller.")
    return st.one_of(parts[::-1])  # a number above the kinks is the simplest


def _rounded(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high).map(lambda x: min(max(round(x, 3), low), high))


def shapes(*, max_dims: int = 3, max_side: int = 4, min_dims: int = 0, min_side: int = 0) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes, small ones first; 0-d, empty and size-1 ones among them.

    >>> strategy = shapes(max_dims=2)
    """
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def broadcastable(n: int, *, max_dims: int = 3, max_side: int = 3, min_side: int = 0) -> st.SearchStrategy[tuple[tuple[int, ...], ...]]:
    """``n`` shapes that broadcast with one another.

    >>> strategy = broadcastable(2)
    """
    found = hnp.mutually_broadcastable_shapes(num_shapes=n, min_side=min_side, max_side=max_side, max_dims=max_dims)
    return found.map(lambda drawn: drawn.input_shapes)


def arrays(
    shape: Any = None, *, domain: Domain = REAL, at_kinks: bool | None = False, dtype: Any = np.float64, layouts: bool = True
) -> st.SearchStrategy[np.ndarray]:
    """Arrays of ``shape`` (a tuple, a number, a strategy; None: any small one) with numbers from ``domain``.

    They are away from its kinks, and all different where ties are one; ``at_kinks=True`` asks for kinks and ties instead, ``None`` allows
    them. With ``layouts`` some are not contiguous in memory.

    >>> strategy = arrays((2, 3), domain=REAL.with_kinks(0.0))
    """
    wanted = (
        shapes()
        if shape is None
        else shape
        if isinstance(shape, st.SearchStrategy)
        else st.just((shape,) if isinstance(shape, int) else tuple(shape))
    )
    elements = _elements(domain, at_kinks)
    unique = domain.ties and at_kinks is False
    made = wanted.flatmap(lambda s: _filled(s, elements, unique)).map(lambda x: np.asarray(x, dtype))
    if not layouts:
        return made
    return st.builds(lambda x, layout: layout(x), made, st.sampled_from([np.array, *LAYOUTS.values()]))


def _filled(shape: tuple[int, ...], elements: st.SearchStrategy[float], unique: bool) -> st.SearchStrategy[np.ndarray]:
    size = int(np.prod(shape))
    if unique:  # a number for each place, spread so that all are different however they shrink
        places = st.permutations(range(size))
        return st.builds(lambda order, start: (start + 0.25 * np.array(order, float)).reshape(shape), places, st.sampled_from([-0.3, -1.7, 0.4]))
    return hnp.arrays(np.float64, shape, elements=elements, fill=st.nothing())


def _elements(domain: Domain, at_kinks: bool | None) -> st.SearchStrategy[float]:
    low, high = window(domain)
    if domain.kind == "integer":
        return st.integers(int(domain.low), int(domain.high) - 1).map(float)
    if domain.kind == "boolean":
        return st.sampled_from([0.0, 1.0])
    away = (
        floats_away_from(domain.kinks, low=low, high=high)
        if at_kinks is False
        else st.floats(low, high).map(lambda x: min(max(round(x, 3), low), high))
    )
    if at_kinks is False:
        return away
    inside = [k for k in domain.kinks or (0.0,) if domain.low <= k <= domain.high and not (domain.open_low and k == domain.low)]
    points = st.sampled_from([*inside, *([-1.0, 1.0] if domain.low < -1 else [1.0])] or [low])
    return points if at_kinks else points | away


def tensors(shape: Any = None, *, requires_grad: bool = True, **settings: Any) -> st.SearchStrategy[Tensor]:
    """Tensors with the numbers of :func:`arrays`, which takes the other settings.

    >>> strategy = tensors((3,), at_kinks=True)
    """
    return arrays(shape, **settings).map(lambda x: Tensor(x, requires_grad=requires_grad))


def lambdas(*, largest: float = 10.0) -> st.SearchStrategy[float]:
    """Strengths of penalties: 0, which switches one off, round ones, and any up to ``largest``.

    >>> strategy = lambdas()
    """
    return st.sampled_from([0.0, 0.1, 0.5, 1.0]).filter(lambda x: x <= largest) | st.floats(1e-6, largest)


@st.composite
def linear_models(draw: Any, *, max_inputs: int = 4, max_outputs: int = 3, at_kinks: bool = False) -> Linear:
    """Linear layers with any of the four lambdas, and weights away from 0 (or, ``at_kinks``, with many zeros).

    >>> strategy = linear_models()
    """
    n, m = draw(st.integers(1, max_inputs)), draw(st.integers(1, max_outputs))
    bias = draw(st.booleans())
    strengths = [draw(lambdas()) for _ in range(4 if bias else 2)]
    names = ("weight_lambda_l1", "weight_lambda_l2", "bias_lambda_l1", "bias_lambda_l2")
    layer = Linear(n, m, bias=bias, rng=0, **dict(zip(names, strengths, strict=False)))
    for parameter in layer.parameters():
        parameter.assign(draw(arrays(parameter.shape, domain=REAL.with_kinks(0.0), at_kinks=at_kinks, layouts=False)))
    return layer


@st.composite
def expressions(draw: Any, *, max_steps: int = 4, ops: Sequence[Op | str] | None = None, at_kinks: bool = False) -> _expressions.Expression:
    """Random small graphs over the table of ops (or over ``ops``): functions, with ``.inputs`` to call them with.

    >>> strategy = expressions(ops=["tanh", "sum", "maximum"])
    """
    chosen = _expressions.chainable() if ops is None else [find_op(op) for op in ops]
    return _expressions.Expression(lambda of: draw(st.sampled_from(of)), draw(st.integers(1, max_steps)), chosen, at_kinks)


@st.composite
def calls(draw: Any, op: Op | str, *, at_kinks: bool = False) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Ways to call an op: inputs of one of its cases, inside of its domain, and settings.

    >>> strategy = calls("softmax")
    """
    found = find_op(op)
    case = draw(st.sampled_from(list(found.cases)))
    elementwise = getattr(found, "elementwise", False) and found.arity > 0
    sizes = draw(broadcastable(found.arity)) if elementwise else case.shapes
    if elementwise and not any(d.ties for d in found.domain):
        pairs = zip(domains(found, len(sizes)), sizes, strict=True)
        return [draw(arrays(shape, domain=d, at_kinks=at_kinks and bool(d.kinks))) for d, shape in pairs], case.settings
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    drawn = sample_at_kinks if at_kinks and is_kinked(found) else sample
    return drawn(found, sizes, rng), case.settings
