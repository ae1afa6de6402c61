"""What follows a regularisation path: one problem, solved at one λ after the other from where the last one ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .compile import CaptureError
from .compile import compile as compiled
from .divergence import diverged
from .mode import no_grad
from .nn import Linear, Module, Sequential
from .optim import FISTA, ProximalAdam
from .optimality import Part, parts_of, slope_at_zero, unchanged
from .penalties import Penalty
from .tensor import Tensor, asarray
from .threads import one_thread_if_small

__all__ = ["Penalised", "Search", "is_linear"]

_CHUNKS = (20, 50, 100, 200, 500)  # steps between two looks at the residual
_HALVINGS = 40
_FRESH = 5  # λs between two looks at the curvature


class Penalised:
    """A parameter, and how its penalty follows from λ. ``live`` is the penalty with Tensors as strengths, so that compiled steps read them anew."""

    def __init__(self, name: str, parameter: Tensor, penalty: Callable[[float], Penalty]) -> None:
        self.name, self.parameter, self.make = name, parameter, penalty
        self.now: Any = penalty(1.0)
        self._strengths = [key for key in ("lam", "l1", "l2") if hasattr(self.now, key)]
        if not isinstance(self.now, Penalty) or not self._strengths:
            raise TypeError(f"regularization_path: penalty must make a penalty of λ, as in lambda lam: L1(lam); it made {self.now!r:.80}.")
        self._tensors = {key: Tensor(getattr(self.now, key)) for key in self._strengths}
        settings = {key: value for key, value in vars(self.now).items() if key not in self._strengths}
        self.live = type(self.now)(**self._tensors, **settings)

    def set(self, lam: float) -> None:
        """From now on with this λ."""
        self.now = self.make(lam)
        for key, tensor in self._tensors.items():
            tensor.assign(np.float64(getattr(self.now, key)))

    def lambda_max(self, grad: np.ndarray) -> float:
        """The λ that makes all of the parameter 0, given the gradient there."""
        one: Any = self.make(1.0)
        strength = one.l1 if hasattr(one, "l1") else one.lam
        return one.lambda_max(grad) / strength if strength else np.inf


def is_linear(model: Module) -> bool:
    """Whether the model is one Linear layer: then a convex loss is convex in the parameters."""
    layers = [module for module in model.modules() if not isinstance(module, Sequential)]
    return len(layers) == 1 and isinstance(layers[0], Linear)


Smooth = Callable[[Any, Any], Tensor]


def _stepping(optimizer: Any, smooth: Smooth) -> Callable[[Any, Any], Tensor]:
    """One step. From it nothing can be reached that changes from λ to λ but Tensors: it is compiled once for all of a shape."""
    if isinstance(optimizer, FISTA):
        return lambda x, y: optimizer.minimize(lambda: smooth(x, y))
    return lambda x, y: optimizer.minimize(smooth(x, y))


class Search:
    """Minimises ``smooth(x, y) + Σ penalties`` over all parameters of the model at a λ; keeps everything that is worth keeping from λ to λ.

    Convex: FISTA, with a step that follows from the curvature where it starts and is halved whenever the objective rises, until the residual of
    optimality is below ``residual``. Otherwise: so many steps of ProximalAdam, or of the ``optimizer`` that is given.
    """

    def __init__(
        self, model: Module, smooth: Smooth, penalised: Sequence[Penalised], convex: bool, steps: int, optimizer: Any, compile: bool | str
    ) -> None:
        self.model, self._smooth, self.penalised, self.convex, self.steps = model, smooth, penalised, convex, steps
        self.parameters = model.parameters()
        given = [(x.parameter, x.live) for x in penalised]
        make = optimizer or ((lambda p, q: FISTA(p, lr=1.0, penalties=q)) if convex else (lambda p, q: ProximalAdam(p, lr=0.01, penalties=q)))
        self.optimizer = make(self.parameters, given)
        how: dict[str, Any] = {"backend": compile} if isinstance(compile, str) else {}
        self._step = _stepping(self.optimizer, smooth)
        self._compiled: Any = compiled(self._step, **how) if compile else None
        self._direction = [np.random.default_rng(0).normal(size=p.shape) for p in self.parameters]
        self.residual = 0.0
        self._data: tuple[Any, Any] = (None, None)
        self._count, self._bend = 0, 1.0

    def use(self, x: np.ndarray, y: np.ndarray) -> None:
        """From now on with these samples."""
        self._data, self._count = (asarray(x), asarray(y)), 0

    def smooth(self) -> Tensor:
        """The loss without the penalties of the path."""
        return self._smooth(*self._data)

    def _run(self, times: int) -> None:
        if self._compiled is not None:
            try:
                self._compiled.run(*self._data, times=times)
                return
            except CaptureError:
                self._compiled = None  # a model that looks at numbers on the way
        for _ in range(times):
            self._step(*self._data)

    # ------------------------------------------------------------------------------------------ one λ

    def solve(self, lam: float, residual: float) -> int:
        """Go to the optimum at λ, or as near as ``steps`` lead; returns how many were taken, and leaves the residual in ``residual``."""
        for x in self.penalised:
            x.set(lam)
        with one_thread_if_small(2.0 * max(p.size for p in self.parameters) * 1000):
            return self._descend(lam, residual) if self.convex else self._train(lam)

    def _train(self, lam: float) -> int:
        self._run(self.steps)
        self._check_finite(lam, self.steps, self._terms())
        self.residual = self._parts_residual()
        return self.steps

    def _descend(self, lam: float, residual: float) -> int:
        done, halvings, terms = 0, 0, self._terms()
        self._check_finite(lam, 0, terms)
        height = sum(terms.values())
        if self._count % _FRESH == 0:
            self._bend = self._curvature()
        self._count += 1
        self._begin(1.0 / self._bend)
        self.residual = self._parts_residual()
        while self.residual > residual and done < self.steps:
            before = [p.data for p in self.parameters]
            times = min(_CHUNKS[min(done // 100, len(_CHUNKS) - 1)], self.steps - done)
            with np.errstate(all="ignore"):
                self._run(times)
            done += times
            terms = self._terms()
            if not sum(terms.values()) <= height * (1 + 1e-12 * np.sign(height)) + 1e-300:
                halvings += 1
                if halvings > _HALVINGS:
                    self._check_finite(lam, done, terms)
                    break
                self._put(before)
                self._begin(self.optimizer.lr / 2)
            self.residual = self._parts_residual()
        return done

    def _begin(self, lr: float) -> None:
        """Start from rest, where the parameters are."""
        if isinstance(self.optimizer, FISTA):
            self.optimizer.lr = lr
            self.optimizer.t.assign(np.float64(1.0))
            for state, p in zip(self.optimizer.state, self.parameters, strict=True):
                state[0].assign(p.detach())

    def _put(self, values: Sequence[np.ndarray]) -> None:
        for p, value in zip(self.parameters, values, strict=True):
            p.assign(value)

    # ------------------------------------------------------------------------------------- what is there

    def parts(self) -> list[Part]:
        """The parameters with their gradients and penalties of now."""
        return parts_of(self.smooth, self.model, [(x.parameter, x.now) for x in self.penalised])[0]

    def _parts_residual(self) -> float:
        return max(part.residual() for part in self.parts())

    def _terms(self) -> dict[str, float]:
        with no_grad(), np.errstate(all="ignore"):
            found = {"the smooth part of the loss": float(self.smooth())}
            return found | {f"{type(x.now).__name__} on {x.name}": float(x.now(x.parameter)) for x in self.penalised}

    def _check_finite(self, lam: float, step: int, terms: dict[str, float]) -> None:
        if not np.isfinite(sum(terms.values())):
            raise RuntimeError(diverged("regularization_path", f"λ = {lam:g}, step {step}", terms, self.optimizer.current_lr))

    def check(self) -> None:
        """Raise ``RuntimeError`` if the loss is not finite where the path starts."""
        terms = self._terms()
        if not np.isfinite(sum(terms.values())):
            raise RuntimeError(diverged("regularization_path", "at the start", terms))

    def _gradients(self) -> list[np.ndarray]:
        return [part.slope for part in parts_of(self.smooth, self.model)[0]]

    def _curvature(self) -> float:
        """The largest curvature of the smooth rest here, found by power iteration on differences of gradients; a little more, to be safe."""
        start, here, found = [p.data for p in self.parameters], self._gradients(), 0.0
        size = 1e-4 * max(1.0, *(float(np.abs(x).max(initial=0.0)) for x in start))
        try:
            for _ in range(30):
                norm = np.sqrt(sum(float((v * v).sum()) for v in self._direction))
                self._put([x + (size / norm) * v for x, v in zip(start, self._direction, strict=True)])
                bent = [(b - a) / size for a, b in zip(here, self._gradients(), strict=True)]
                last, found = found, float(np.sqrt(sum((v * v).sum() for v in bent)))
                if not found > 0 or not np.isfinite(found):
                    break
                self._direction = bent
                if found <= last * 1.01:
                    break
        finally:
            self._put(start)
        return 1.1 * found if found > 0 and np.isfinite(found) else 1.0

    # --------------------------------------------------------------------------------------- where to begin

    def to_zero(self) -> None:
        """Put all penalised parameters to 0, where a convex path begins."""
        for x in self.penalised:
            x.parameter.assign(np.zeros_like(x.parameter.data))

    def lambda_max(self) -> float:
        """The λ above which all penalised parameters are 0; of a model that is not convex: each alone, the others as they are."""
        if not self.convex:
            return max(x.lambda_max(g) for x, g in zip(self.penalised, self._slopes_alone(), strict=True))
        own = {id(x.parameter) for x in self.penalised}
        others = [p for p in self.parameters if id(p) not in own]
        self._settle(others)
        slopes = {id(part.parameter): part.slope for part in parts_of(self.smooth, self.model)[0]}
        return max(x.lambda_max(slopes[id(x.parameter)]) for x in self.penalised)

    def _settle(self, others: Sequence[Tensor]) -> None:
        """Bring what has no penalty to its optimum."""
        if not others:
            return
        optimizer = FISTA(others)
        for _ in range(500):
            parts = parts_of(self.smooth, self.model)[0]
            own = {id(p) for p in others}
            left = max(part.residual() for part in parts if id(part.parameter) in own)
            if left <= 1e-9 * max(float(np.abs(part.slope).max(initial=0.0)) for part in parts):
                return
            optimizer.minimize(self.smooth)

    def _slopes_alone(self) -> list[np.ndarray]:
        with unchanged(self.model):
            parts = {id(part.parameter): part for part in parts_of(self.smooth, self.model)[0]}
            return [slope_at_zero(self.smooth, parts[id(x.parameter)]) for x in self.penalised]
