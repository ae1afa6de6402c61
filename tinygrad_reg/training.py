"""fit: the usual training loop, with everything recorded; early stopping; a progress bar."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .compile import CaptureError
from .compile import compile as compiled
from .data import batches
from .divergence import diverged
from .generators import generator
from .history import History
from .losses import accuracy, cross_entropy, mse
from .mode import no_grad
from .nn import Module
from .optim import Adam, Optimizer
from .tensor import Tensor, asarray
from .threads import one_thread_if_small

__all__ = ["EarlyStopping", "fit", "progress_bar"]

_AT_ONCE = 500  # epochs in one run of the compiled loop: the progress bar and Ctrl-C wait for its end

Loss = Callable[[Any, Any], Tensor]
Callback = Callable[[History, Module], Any]
Transform = Callable[[Any, Any], tuple[Any, Any]]


def fit(
    model: Module,
    x: Any,
    y: Any,
    loss: Loss | None = None,
    optimizer: Optimizer | None = None,
    epochs: int = 100,
    batch_size: int | None = None,
    validation: tuple[Any, Any] | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
    every: int = 1,
    rng: Any = None,
    compile: bool | str = True,
    transform: Transform | None = None,
    penalty: Callable[[Module, Any, Any], Any] | None = None,
) -> History:
    """Train ``model`` on x and y; minimise the mean ``loss`` plus ``model.regularization_loss()``, once a batch.

    ``loss`` defaults to cross-entropy for integer labels, else to mean squared error; ``optimizer`` to ``Adam(model.parameters(),
    lr=0.01)``, and λ schedules of the layers follow its steps; ``batch_size=None`` uses all rows at once. Float data is cast to the model's
    dtype. Every ``every``-th epoch, and the last, is recorded. ``validation=(x, y)`` is evaluated after such an epoch, without penalties.
    ``transform`` changes each batch in training, as ``x, y = transform(x, y)`` (:class:`tinygrad_reg.data.Mixup`); with it no accuracy is
    recorded in training, for the rows are other ones. ``penalty(model, x, y)`` is one more term of the loss, for what looks at the inputs
    (as :func:`tinygrad_reg.penalties.jacobian_penalty`); its column is "penalty". A callback is called as ``callback(history, model)``
    after each recorded epoch, and training stops if it returns true; methods ``before`` and ``finish`` of a callback, where it has them,
    are called before each recorded epoch and at the end, with the same arguments. The bar is shown on terminals only.

    The step is compiled (:func:`tinygrad_reg.compile`; ``compile`` may name its backend): the numbers are the same, sooner. A model or loss that
    looks at numbers on the way cannot be compiled: a warning says so, and training goes on without; ``compile=False`` does so from the start.

    Raises ``RuntimeError`` when the loss is no longer finite, with the epoch, the term and the learning rate.

    >>> from tinygrad_reg import data, nn
    >>> x, y = data.linear(50, noise=0.0, rng=0)
    >>> history = fit(nn.Linear(2, 1, rng=0), x, y.reshape(-1, 1), epochs=500, progress=False)
    >>> history.last["data loss"] < 1e-3
    True
    """
    if epochs < 1 or every < 1:
        raise ValueError(f"fit: epochs and every must be at least 1; got epochs={epochs}, every={every}.")
    run = _Run(model, x, y, loss, optimizer, validation, batch_size, rng, compile, transform, penalty)
    history, was_training = History(), model.training
    try:
        with one_thread_if_small(run.largest_product):
            _epochs(run, range(epochs), every, history, callbacks, progress)
    finally:
        _each(callbacks, "finish", history, model)
        model.train(was_training)
    return history


def _epochs(run: _Run, epochs: range, every: int, history: History, callbacks: Sequence[Callback], progress: bool) -> None:
    done = 0
    for epoch in progress_bar(epochs, progress):
        if epoch < done:
            continue
        record = epoch % every == 0 or epoch == epochs[-1]
        if not record:
            done = epoch + run.unrecorded(epoch, min(every - epoch % every, epochs[-1] - epoch))
            continue
        _each(callbacks, "before", history, run.model)
        history.append(run.epoch(epoch, record))
        if any([callback(history, run.model) for callback in callbacks]):  # noqa: C419 - all of them are called
            history.stopped = history.stopped or f"stopped after epoch {epoch}"
            return


def _each(callbacks: Sequence[Callback], method: str, history: History, model: Module) -> None:
    for callback in callbacks:
        if hasattr(callback, method):
            getattr(callback, method)(history, model)


class _Run:
    """What stays the same from epoch to epoch."""

    def __init__(
        self,
        model: Module,
        x: Any,
        y: Any,
        loss: Loss | None,
        optimizer: Optimizer | None,
        validation: Any,
        batch_size: int | None,
        rng: Any,
        compile: bool | str,
        transform: Transform | None,
        penalty: Callable[[Module, Any, Any], Any] | None,
    ) -> None:
        self.model = model
        self.x, self.y = _as_data(model, x), _as_data(model, y)
        self.labels = self.y.dtype.kind in "iu"
        self.loss = loss or (cross_entropy if self.labels else mse)
        self.optimizer = optimizer or Adam(model.parameters(), lr=0.01)
        for _, _, own in model.named_penalties():
            own.follow(self.optimizer)
        self.validation = None if validation is None else tuple(_as_data(model, part) for part in validation)
        self.transform, self.penalty = transform, penalty
        self.batch_size = batch_size
        self.rng = None if rng is None else generator(rng)
        how: dict[str, Any] = {"backend": compile, "wait": True} if isinstance(compile, str) else {}
        self.step = compiled(self.eager_step, **how) if compile else self.eager_step
        self.quiet: Any = compiled(self.quiet_step, **how) if compile else None
        if len(self.x) != len(self.y) or not len(self.x):
            raise ValueError(f"fit: x has {len(self.x)} rows and y has {len(self.y)}; there must be as many, and at least one.")

    @property
    def largest_product(self) -> float:
        """About how many flops the largest matrix product of a step takes."""
        rows = min(len(self.x), self.batch_size or len(self.x))
        return 2.0 * rows * max((p.size for p in self.model.parameters()), default=0)

    def unrecorded(self, number: int, most: int) -> int:
        """One epoch, or up to ``most`` at once where all rows are used in their order; returns how many."""
        if self.quiet is None or (self.batch_size or len(self.x)) < len(self.x) or self.rng is not None or most == 1:
            self.epoch(number, False)
            return 1
        self.model.train()
        most, start = min(most, _AT_ONCE), self.optimizer.steps
        try:
            data_losses, penalties, totals = self.quiet.run(self.x, self.y, times=most)
        except CaptureError:
            self.quiet = None
            return self.unrecorded(number, 1)
        if not np.isfinite(totals.data).all():
            first = int(np.argmin(np.isfinite(totals.data)))
            terms = {name: float(values.data[first]) for name, values in ({"data loss": data_losses} | penalties).items()}
            raise RuntimeError(diverged("fit", f"epoch {number + first}", terms, self.optimizer.lr_at(start + first)))
        return most

    def epoch(self, number: int, record: bool) -> dict[str, float]:
        """One pass over the data; returns the row for the history, empty unless ``record``."""
        self.model.train()
        rate, parts = self.optimizer.current_lr, []
        for xb, yb in batches(self.x, self.y, self.batch_size, self.rng):
            scores, data_loss, penalties, total = self._stepped(xb, yb)
            if not np.isfinite(total.data):
                terms = {"data loss": data_loss.item()} | {name: value.item() for name, value in penalties.items()}
                raise RuntimeError(diverged("fit", f"epoch {number}", terms, rate))
            if record:
                parts.append((len(xb), self._measures(scores, yb, data_loss, penalties, total)))
        return {"epoch": number} | _means(parts) | self._validate() | {"learning rate": rate} if record else {}

    def eager_step(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor], Tensor]:
        """Scores, data loss, each penalty and their total, before the update that this makes (unless the total is not finite)."""
        if self.transform is not None:
            x, y = self.transform(x, y)
        scores = self.model(x)
        data_loss = self.loss(scores, y)
        penalties: dict[str, Any] = {}
        for name, parameter, own in self.model.named_penalties():
            penalties[f"{name} {type(own).__name__}"] = own(parameter)
        total = data_loss + self.model.regularization_loss()
        if self.penalty is not None:
            penalties["penalty"] = self.penalty(self.model, x, y)
            total = total + penalties["penalty"]
        self.optimizer.minimize(total)
        return scores, data_loss, penalties, total

    def quiet_step(self, x: Tensor, y: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        """The same step where nobody looks: without the scores, of which there are many."""
        return self.eager_step(x, y)[1:]

    def _stepped(self, x: Tensor, y: Tensor) -> Any:
        try:
            return self.step(x, y)
        except CaptureError as error:
            warnings.warn(f"fit: the step cannot be compiled, and runs without; compile=False says so without a word. {error}", stacklevel=4)
            self.step = self.eager_step
            return self.step(x, y)

    def _measures(self, scores: Tensor, labels: Tensor, data_loss: Tensor, penalties: dict[str, Tensor], total: Tensor) -> dict[str, float]:
        row = {"data loss": data_loss.item()} | {name: value.item() for name, value in penalties.items()}
        row["total"] = total.item()
        return row | ({"accuracy": accuracy(scores, labels)} if self.transform is None and self._classes(scores, labels) else {})

    def _classes(self, scores: Tensor, labels: Tensor) -> bool:
        return self.labels and scores.shape[:-1] == labels.shape

    def _validate(self) -> dict[str, float]:
        if self.validation is None:
            return {}
        self.model.eval()
        with no_grad():
            scores = self.model(self.validation[0])
            row = {"validation loss": self.loss(scores, self.validation[1]).item()}
        return row | ({"validation accuracy": accuracy(scores, self.validation[1])} if self._classes(scores, self.validation[1]) else {})


def _as_data(model: Module, x: Any) -> Tensor:
    x = x.detach() if isinstance(x, Tensor) else asarray(x)
    return asarray(x, model.float_dtype()) if x.dtype.kind == "f" else x


def _means(parts: list[tuple[int, dict[str, float]]]) -> dict[str, float]:
    """Means over batches, weighted by their sizes."""
    rows = sum(n for n, _ in parts)
    return {name: sum(n * part[name] for n, part in parts) / rows for name in parts[0][1]}


def progress_bar(steps: Iterable[int], progress: bool, unit: str = " epochs") -> Iterable[int]:
    """``steps`` with a progress bar, where somebody is looking and tqdm is installed."""
    if not progress or not sys.stderr.isatty():
        return steps
    try:
        from tqdm import tqdm  # noqa: PLC0415
    except ImportError:
        print("For a progress bar: pip install 'tinygrad_reg[progress]'", file=sys.stderr)
        return steps
    return tqdm(steps, unit=unit, leave=False, delay=1.0)


class EarlyStopping:
    """A callback that stops when ``metric`` has not improved for ``patience`` records, and always restores the best weights.

    ``metric`` is a column of the History; names that hold "accuracy" count as better when larger. An improvement is one by
    more than ``min_delta``. Columns of the training data are measured before an epoch's updates, and so are the weights that belong
    to them; it may be used for one run after the other.

    >>> EarlyStopping(patience=3).metric
    'validation loss'
    """

    def __init__(self, patience: int = 10, metric: str = "validation loss", min_delta: float = 0.0) -> None:
        if patience < 1 or not min_delta >= 0:
            raise ValueError(f"EarlyStopping: patience must be at least 1 and min_delta at least 0; got {patience} and {min_delta}.")
        self.patience = patience
        self.metric = metric
        self.min_delta = min_delta
        self._start()

    def _start(self) -> None:
        self.best: float | None = None
        self.best_epoch: int | None = None
        self._state: dict[str, np.ndarray] = {}
        self._before: dict[str, np.ndarray] | None = None
        self._waited = 0

    def before(self, history: History, model: Module) -> None:
        """Note the weights that an epoch's training measures will belong to."""
        if not len(history):
            self._start()
        if not self.metric.startswith("validation"):
            self._before = model.state_dict()

    def __call__(self, history: History, model: Module) -> bool:
        """Look at the newest row; true to stop."""
        if self.metric not in history:
            raise ValueError(f"EarlyStopping: there is no {self.metric!r} to watch, only {', '.join(history.columns)}. Is validation=(x, y) missing?")
        value = history.last[self.metric]
        sign = 1 if "accuracy" in self.metric else -1
        if self.best is None or np.isnan(self.best) or sign * (value - self.best) > self.min_delta:
            self.best, self.best_epoch, self._waited = value, int(history.last["epoch"]), 0
            self._state = model.state_dict() if self._before is None else self._before
            return False
        self._waited += 1
        return self._waited >= self.patience

    def finish(self, history: History, model: Module) -> None:
        """Give the model its best weights back."""
        if self._state:
            model.load_state_dict(self._state)
            history.stopped = f"best {self.metric} {self.best:.5g} at epoch {self.best_epoch}, its weights restored"
