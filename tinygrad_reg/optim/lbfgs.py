"""L-BFGS: SciPy's quasi-Newton method on the whole loss, with exact zeros for L1 and exact bounds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..divergence import check_finite
from ..history import needs
from ..mode import capturing, enable_grad, no_grad
from ..penalties import Penalty
from ..tensor import Tensor
from .optimizer import checked
from .proximal import Proximal
from .variables import Variables

__all__ = ["LBFGS", "Outcome"]

_EPS = float(np.finfo(np.float64).eps)
_ROUNDS, _REFINEMENTS, _PRODUCTS = 10, 4, 60


@dataclass(frozen=True)
class Outcome:
    """How a search ended: at the optimum or not, after how many iterations and evaluations of the loss, and what SciPy says.

    ``residual`` is the largest slope that is left (at a zero or a bound: as much of it as would move the weight), and ``objective`` the loss with
    the penalties given by hand.
    """

    converged: bool
    iterations: int
    evaluations: int
    residual: float
    objective: float
    message: str


class LBFGS(Proximal):
    """SciPy's L-BFGS-B: ``minimize(loss_fn)`` runs until the loss is at its lowest, in few evaluations; there is no learning rate.

    For losses that are the same at each call (all rows at once, nothing drawn). L1 and elastic net, found in the loss or given by hand, are exact:
    such a parameter is searched as w = u - v with u ≥ 0 and v ≥ 0, on which λ·Σ|w| is the smooth λ·Σ(u + v); zeros are exactly 0.0.
    Box and NonNegative are bounds. Other penalties with kinks (groups, nuclear norm, L0, MCP …) are a ``ValueError``: FISTA takes them.

    It has converged when no slope that is left is above ``tolerance`` (or above 1e-12 of the largest at the start, as far as rounding lets it).
    It ends, too, after ``max_iter`` iterations; a search that has not converged warns. Near the optimum, where the loss is flat but for rounding,
    Newton's steps on the slopes go on. ``minimize`` returns the loss at the end, and ``outcome`` holds an :class:`Outcome`: ``converged``,
    ``iterations``, ``residual``, ``message`` … All is computed in float64, and parameters get their own dtype back. λ schedules follow the
    number of calls of ``minimize``.

    Raises ``ImportError`` without SciPy, ``TypeError`` for a loss that is no function, ``RuntimeError`` for one that is not finite at the start.
    An error leaves the parameters as they were.

    Sources: R. Byrd, P. Lu, J. Nocedal and C. Zhu (1995), A limited memory algorithm for bound constrained optimization; the split:
    R. Tibshirani (1996), Regression shrinkage and selection via the lasso, section 6.

    >>> w = Tensor([0.0, 0.0], requires_grad=True)
    >>> opt = LBFGS([w])
    >>> opt.minimize(lambda: ((w - np.array([1.0, 0.2])) ** 2).sum() + 1.0 * abs(w).sum())
    Tensor(0.79)
    >>> w, opt.outcome.converged
    (Tensor([0.5, 0. ], requires_grad=True), True)
    """

    outcome: Outcome | None

    def __init__(
        self,
        params: Iterable[Tensor],
        max_iter: int = 1000,
        history_size: int = 20,
        tolerance: float = 1e-10,
        penalties: Sequence[tuple[Tensor, Penalty]] = (),
    ) -> None:
        needs("scipy", "LBFGS", "special")
        self.max_iter = int(checked("LBFGS: max_iter", max_iter, least=1))
        self.history_size = int(checked("LBFGS: history_size", history_size, least=1))
        self.tolerance = checked("LBFGS: tolerance", tolerance, above=0.0, below=1.0)
        self.outcome = None
        super().__init__(params, 1.0, 0.0, penalties)

    def step(self) -> None:
        """There is no single step: a ``RuntimeError`` says so."""
        raise RuntimeError("LBFGS.step: it evaluates the loss many times; write opt.minimize(loss_fn), which runs until it has converged.")

    def minimize(self, loss: Any) -> Tensor:
        """Run to the lowest point; ``loss`` is a function without arguments that makes the loss anew. Returns the loss there."""
        if isinstance(loss, Tensor) or not callable(loss):
            raise TypeError("LBFGS.minimize takes a function that makes the loss, as in opt.minimize(lambda: cross_entropy(model(x), y)).")
        if capturing():
            raise RuntimeError("LBFGS.minimize runs until it has converged, so it cannot be a part of a compiled function; call it as it is.")
        before = [p._data for p in self.params]
        try:
            self.put([np.asarray(data, np.float64) for data in before])
            with enable_grad():
                self.outcome = _Search(self, loss).run()
            self.put([np.asarray(p._data, old.dtype) for p, old in zip(self.params, before, strict=True)])
        except BaseException:
            self.put(before)
            raise
        finally:
            self.zero_grad()
        self._count_all()
        if not self.outcome.converged:
            warnings.warn(f"LBFGS has not converged: {self.outcome}. More max_iter may help, or a loss without kinks.", RuntimeWarning, stacklevel=2)
        with no_grad():
            return loss()

    def put(self, values: Sequence[Any]) -> None:
        """Give the parameters new arrays, of any dtype."""
        for p, value in zip(self.params, values, strict=True):
            p._data = value if value.ndim else value[()]

    def smooth_at(self, loss: Callable[[], Tensor]) -> tuple[Tensor, list[list[Penalty]]]:
        """The smooth rest of the loss where the parameters are, and for each parameter the penalties that are not in it."""
        value = loss()
        if not isinstance(value, Tensor):
            raise TypeError(f"LBFGS.minimize: the function returned a {type(value).__name__}; it must return the loss, a Tensor.")
        smooth, apart = self.split(value)
        self._keep_apart(apart)
        return smooth, [self._apart.get(id(p), []) for p in self.params]


class _Search:
    """One run: the objective and its slopes as functions of one long vector of variables."""

    def __init__(self, owner: LBFGS, loss: Callable[[], Tensor]) -> None:
        self.owner, self.loss, self.evaluations = owner, loss, 0
        penalties = owner.smooth_at(loss)[1]
        self.parts = [Variables("LBFGS", p, own) for p, own in zip(owner.params, penalties, strict=True)]
        self.ends = np.cumsum([part.size for part in self.parts])[:-1]
        limits = [part.limits() for part in self.parts]
        self.low, self.high = (np.concatenate([pair[i] for pair in limits]) for i in (0, 1))
        start = np.concatenate([part.of(p._data) for part, p in zip(self.parts, owner.params, strict=True)])
        self.start = np.clip(start, self.low, self.high)

    def at(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Objective and slopes; infinite where the loss is not finite, so that a search turns back."""
        self.evaluations += 1
        pieces, owner = np.split(x, self.ends), self.owner
        owner.put([part.values(piece) for part, piece in zip(self.parts, pieces, strict=True)])
        owner.zero_grad()
        smooth = owner.smooth_at(self.loss)[0]
        for part, p in zip(self.parts, owner.params, strict=True):
            for penalty in part.smooth:
                smooth = smooth + penalty(p)
        if smooth.requires_grad:
            smooth.backward()
        slopes = [part.slopes(np.zeros(part.shape) if p.grad is None else p.grad.data) for part, p in zip(self.parts, owner.params, strict=True)]
        value, slope = smooth.item() + sum(part.cost(piece) for part, piece in zip(self.parts, pieces, strict=True)), np.concatenate(slopes)
        return (value, slope) if np.isfinite(value) and np.isfinite(slope).all() else (np.inf, np.zeros_like(slope))

    def residual(self, x: np.ndarray, slope: np.ndarray) -> float:
        """The largest slope along which a variable may still move, or how far it may."""
        return float(np.max(np.absolute(x - np.clip(x - slope, self.low, self.high)), initial=0.0))

    def run(self) -> Outcome:
        """SciPy's search, begun again where it stops early, and refined in the end."""
        x, (value, slope) = self.start, self.at(self.start)
        if not np.isfinite(value):
            check_finite(self.loss(), "LBFGS", "at the start")
            raise RuntimeError("LBFGS: the gradient of the loss is not finite at the start. Look for bad values in the data and the parameters.")
        wanted, iterations, message = max(self.owner.tolerance, 1e-12 * self.residual(x, slope)), 0, "already there"
        for _ in range(_ROUNDS):
            before = value
            if self.residual(x, slope) <= wanted or iterations >= self.owner.max_iter:
                break
            found = self._scipy(x, wanted, self.owner.max_iter - iterations)
            iterations, message = iterations + found.nit, str(found.message)
            x = found.x
            value, slope = self.at(x)
            if before - value <= 4 * _EPS * max(abs(value), 1.0):
                break
        if iterations < self.owner.max_iter:
            x, value, slope = self._refined(x, value, slope, wanted)
        self.at(x)
        residual = self.residual(x, slope)
        return Outcome(bool(residual <= wanted), iterations, self.evaluations, residual, value, message)

    def _scipy(self, x: np.ndarray, wanted: float, iterations: int) -> Any:
        from scipy.optimize import Bounds, minimize  # noqa: PLC0415 - an extra

        options = {"maxiter": iterations, "maxcor": self.owner.history_size, "gtol": wanted, "ftol": _EPS, "maxfun": 10**9, "maxls": 50}
        return minimize(self.at, x, jac=True, method="L-BFGS-B", bounds=Bounds(self.low, self.high), options=options)

    def _refined(self, x: np.ndarray, value: float, slope: np.ndarray, wanted: float) -> tuple[np.ndarray, float, np.ndarray]:
        """Newton's steps on the slopes alone: close to the optimum these still say where to go when the loss, rounded, is flat."""
        for _ in range(_REFINEMENTS):
            residual = self.residual(x, slope)
            if residual <= wanted:
                break
            there = np.clip(x + self._newton(x, slope), self.low, self.high)
            value_there, slope_there = self.at(there)
            if not self.residual(there, slope_there) < residual / 2 or value_there > value + 1e-12 * max(abs(value), 1.0):
                break
            x, value, slope = there, value_there, slope_there
        return x, value, slope

    def _newton(self, x: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Newton's step in the variables that are not held by a bound, by conjugate gradients on differences of slopes."""
        from scipy.sparse.linalg import LinearOperator, cg  # noqa: PLC0415 - an extra

        free = ~(((x <= self.low) & (slope > 0)) | ((x >= self.high) & (slope < 0)))
        size = 1e-6 * (1.0 + float(np.max(np.absolute(x), initial=0.0)))

        def product(direction: np.ndarray) -> np.ndarray:
            direction = np.where(free, np.ravel(direction), 0.0)
            h = size / max(float(np.max(np.absolute(direction), initial=0.0)), 1e-300)
            return np.where(free, (self.at(x + h * direction)[1] - self.at(x - h * direction)[1]) / (2 * h), 0.0)

        n = len(x)
        return cg(LinearOperator((n, n), matvec=product, dtype=np.float64), np.where(free, -slope, 0.0), rtol=1e-4, maxiter=min(n, _PRODUCTS))[0]
