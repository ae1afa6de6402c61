"""What a check looks at: a function of some arrays, and what a rule says of its gradient.

A problem has ``leaves``, the variables; ``evaluate(values)``, all numbers of the function's results as one real vector; and
``pull(values, g)``, the gradients that the rule gives for Re Σ conj(g)·result. What the values are made of, be it Tensors, a module's
parameters or plain arrays, only this module knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..derivatives import grad
from ..graph import history
from ..mode import enable_grad, no_grad
from ..nn import Module
from ..tensor import Tensor, asarray
from .structures import Leaf, as_reals, leaves_of, replaced

__all__ = ["ANALYTIC", "GradientOf", "HandWritten", "Problem", "Recorded", "results_of", "variables_of"]

# Ops whose forward, as it stands, is right for complex numbers near the real axis. A test holds each of them against its rule.
ANALYTIC = {"add", "subtract", "multiply", "divide", "negative", "square", "exp", "expm1", "sin", "cos", "sinh", "cosh", "tanh", "sqrt", "log"}
ANALYTIC |= {"reciprocal", "sum", "mean", "matmul", "reshape", "permute_dims", "expand_dims", "squeeze", "broadcast_to", "getitem", "concat", "stack"}
ANALYTIC |= {"flip", "roll", "cumulative_sum", "tile", "argument", "diagonal", "outer", "trace"}


def results_of(out: Any) -> list[Any]:
    """The results of a user's function, be it one or nested lists and dicts of them, in order."""
    if isinstance(out, dict):
        return [x for part in out.values() for x in results_of(part)]
    if isinstance(out, (list, tuple)):
        return [x for part in out for x in results_of(part)]
    return [out]


def floats_among(results: list[Any], name: str) -> list[Any]:
    """Those results that can have a gradient; a TypeError if none can."""
    found = [x for x in results if x.dtype.kind in "fc"]
    if not found:
        kinds = ", ".join(f"{x.dtype} of shape {x.shape}" for x in results) or "nothing"
        raise TypeError(f"check_gradients: {name} returns {kinds}; only floats have a gradient. Return floats.")
    return found


class Problem:
    """Base of the three kinds; ``leaves`` are the variables, and ``size`` is that of numbers whose rounding errors must be reckoned with."""

    size = 0.0

    def __init__(self, leaves: Sequence[Leaf], name: str) -> None:
        self.leaves = list(leaves)
        self.name = name
        self.values = [leaf.value for leaf in leaves]

    def evaluate(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """All results of the function, as one real vector."""
        return as_reals(self.results(values))

    def results(self, values: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The results of the function, as arrays."""
        raise NotImplementedError

    def complex_results(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """The results at complex values, for complex steps."""
        return np.concatenate([np.ravel(x) for x in self.results(values)])

    def pull(self, values: Sequence[np.ndarray], g: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The gradient by the rule in each variable."""
        raise NotImplementedError

    def nodes(self) -> list[Any]:
        """The recorded ops on the way of the function itself, newest first; none for what is not recorded."""
        return []

    @contextmanager
    def installed(self) -> Iterator[None]:
        """While it is open the variables may be changed in place; afterwards all is as it was."""
        yield


class Recorded(Problem):
    """A function of Tensors: its rule is the package's ``grad``."""

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...], leaves: Sequence[Leaf], others: Sequence[Leaf], name: str) -> None:
        super().__init__(leaves, name)
        self.f = f
        self.inputs = inputs
        self.constants = {leaf.key: asarray(leaf.value) for leaf in others if not leaf.owned}
        self.owned = [(i, leaf.tensor) for i, leaf in enumerate(leaves) if leaf.owned and leaf.tensor is not None]
        modules = [x for x in (f, *inputs) if isinstance(x, Module)]
        self.still = {id(t): (t, t._data) for module in modules for _, t in module.named_tensors()}
        for leaf in leaves:
            if leaf.owned and leaf.tensor is not None:
                self.still[id(leaf.tensor)] = (leaf.tensor, leaf.tensor._data)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Gives the Tensors of modules back what they had, be it changed by the check or by the model itself."""
        dtype = np.result_type(*(v.real.dtype for v in self.values)) if self.values else np.dtype("float64")
        before = [(t, t._data, t._grad) for t, _ in self.still.values()]
        self.still = {key: (t, old.astype(dtype) if old.dtype.kind == "f" else old) for key, (t, old) in self.still.items()}
        try:
            yield
        finally:
            for t, old, g in before:
                t._data, t._grad = old, g

    def run(self, values: Sequence[np.ndarray], record: bool) -> tuple[list[Tensor], list[Tensor]]:
        """The results and the variables, as Tensors."""
        for t, data in self.still.values():
            t._data = data
        variables = [asarray(value) for value in values]
        for i, t in self.owned:
            t._data = values[i][()]
            variables[i] = t
        new = dict(self.constants)
        for leaf, variable in zip(self.leaves, variables, strict=True):
            if record and not leaf.owned:
                variable.requires_grad = True
            new[leaf.key] = variable
        with enable_grad() if record else no_grad():
            out = self.f(*(replaced(x, new, (i,)) for i, x in enumerate(self.inputs)))
        return floats_among([asarray(x) for x in results_of(out)], self.name), variables

    def results(self, values: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [x._data for x in self.run(values, record=False)[0]]

    def pull(self, values: Sequence[np.ndarray], g: Sequence[np.ndarray]) -> list[np.ndarray]:
        results, variables = self.run(values, record=True)
        pairs = [(out, asarray(part)) for out, part in zip(results, g, strict=True) if out.requires_grad]
        if not pairs:
            return [np.zeros_like(v) for v in values]
        outs, parts = zip(*pairs, strict=True)
        return [found.data for found in grad(outs, variables, parts)]

    def nodes(self) -> list[Any]:
        return _ops_of(self.run(self.values, record=True)[0])


def _ops_of(results: Sequence[Tensor]) -> list[Any]:
    return [node for node in history(x for x in results if x.requires_grad).values() if node.op is not None]


class HandWritten(Problem):
    """A function of plain arrays with a gradient that somebody derived by hand."""

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...], leaves: Sequence[Leaf], others: Sequence[Leaf], name: str, rule: Any) -> None:
        super().__init__(leaves, name)
        self.f = f
        self.inputs = inputs
        self.rule, self.takes_g = rule
        self.constants = {leaf.key: leaf.value for leaf in others}

    def _arguments(self, values: Sequence[np.ndarray]) -> list[Any]:
        new = self.constants | {leaf.key: value for leaf, value in zip(self.leaves, values, strict=True)}
        return [replaced(x, new, (i,)) for i, x in enumerate(self.inputs)]

    def results(self, values: Sequence[np.ndarray]) -> list[np.ndarray]:
        return floats_among([np.asarray(x) for x in results_of(self.f(*self._arguments(values)))], self.name)

    def pull(self, values: Sequence[np.ndarray], g: Sequence[np.ndarray]) -> list[np.ndarray]:
        arguments = self._arguments(values)
        if self.takes_g:
            given = self.rule(g[0] if len(g) == 1 else tuple(g), *arguments)
        else:
            if sum(part.size for part in g) != 1:
                raise ValueError(
                    f"check_gradients: {self.name} returns {sum(part.size for part in g)} numbers, and grad= is the gradient of one. "
                    "Sum them in the function, or give vjp=, a function of (g, *inputs)."
                )
            given = self.rule(*arguments)
        found = [np.asarray(x._data if isinstance(x, Tensor) else x) for x in results_of(given)]
        if len(found) != len(self.leaves):
            names = ", ".join(leaf.name for leaf in self.leaves)
            raise ValueError(f"check_gradients: the gradient of {self.name} has {len(found)} parts; it needs one for each of: {names}.")
        return found if self.takes_g else [x * g[0].reshape(()) if np.any(g[0] != 1) else x for x in found]


class GradientOf(Problem):
    """The gradient of a recorded function, as a function of the variables and of g: what second derivatives are checked on."""

    def __init__(self, problem: Recorded, g: Sequence[np.ndarray]) -> None:
        ends = ["g"] if len(g) == 1 else [f"g[{i}]" for i in range(len(g))]
        super().__init__([*problem.leaves, *(Leaf(end, (end,), part) for end, part in zip(ends, g, strict=True))], f"the gradient of {problem.name}")
        self.problem = problem
        self.count = len(problem.leaves)
        pairs = zip(g, problem.results(problem.values), strict=True)
        self.size = max((float(np.max(np.abs(part * out), initial=0.0)) for part, out in pairs), default=0.0)

    def installed(self) -> Any:
        return self.problem.installed()

    def results(self, values: Sequence[np.ndarray]) -> list[np.ndarray]:
        return self.problem.pull(values[: self.count], values[self.count :])

    def _recorded(self, values: Sequence[np.ndarray]) -> tuple[list[Tensor], list[Tensor]]:
        results, variables = self.problem.run(values[: self.count], record=True)
        ends = [Tensor(part, requires_grad=True) for part in values[self.count :]]
        pairs = [(out, end) for out, end in zip(results, ends, strict=True) if out.requires_grad]
        outs, parts = [out for out, _ in pairs], [end for _, end in pairs]
        firsts = list(grad(outs, variables, parts, create_graph=True)) if pairs else []
        return firsts, [*variables, *ends]

    def pull(self, values: Sequence[np.ndarray], g: Sequence[np.ndarray]) -> list[np.ndarray]:
        firsts, variables = self._recorded(values)
        if not firsts:
            return [np.zeros_like(v) for v in values]
        return [found.data for found in grad(firsts, variables, [asarray(part) for part in g])]

    def nodes(self) -> list[Any]:
        return self.problem.nodes()


def variables_of(f: Any, inputs: tuple[Any, ...], names: Sequence[str], wrt: Any, dtype: np.dtype[Any]) -> tuple[list[Leaf], list[Leaf]]:
    """The variables, and the other floats among the inputs.

    Without ``wrt``: what says ``requires_grad``, or if nothing does, every float.
    """
    found = [leaf for i, x in enumerate(inputs) for leaf in leaves_of(x, names[i], (i,), dtype)]
    if isinstance(f, Module):
        found = [*leaves_of(f, "", ("f",), dtype), *found]
    found = list({leaf.key: leaf for leaf in found}.values())
    if wrt is None:
        wanted = [leaf for leaf in found if leaf.wants] or found
    else:
        wanted = list({leaf.key: leaf for item in _items(wrt) for leaf in _chosen(item, found, names, dtype)}.values())
    if not wanted:
        raise ValueError(
            "check_gradients: there is nothing to differentiate by: no float array, Tensor or module among the inputs. "
            "Give one (for a number np.float64(3), not 3), or name what the function closes over with wrt=."
        )
    chosen = {leaf.key for leaf in wanted}
    return wanted, [leaf for leaf in found if leaf.key not in chosen]


def _items(wrt: Any) -> list[Any]:
    return list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]


def _chosen(item: Any, found: Sequence[Leaf], names: Sequence[str], dtype: np.dtype[Any]) -> list[Leaf]:
    if isinstance(item, (int, str)):
        place = names.index(item) if isinstance(item, str) and item in names else item
        chosen = [leaf for leaf in found if leaf.path[0] == place or leaf.name == item]
        if not chosen:
            raise ValueError(f"check_gradients: wrt={item!r} is none of the inputs; there are {', '.join(leaf.name for leaf in found) or 'none'}.")
        return chosen
    own = {id(leaf.tensor): leaf for leaf in found if leaf.tensor is not None}
    outside = list(leaves_of(item, "w", ("wrt", id(item)), dtype, owned=True))
    if not outside:
        raise TypeError(f"check_gradients: wrt takes places, names, Tensors and modules, not {type(item).__name__} {item!r}.")
    return [own.get(id(leaf.tensor), leaf) for leaf in outside]
