"""How good a model of a path is: its data loss, and its loss on samples that it was not fitted to, with a standard error."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from math import nan, sqrt
from typing import Any

import numpy as np

from .losses import accuracy
from .mode import no_grad
from .nn import Module
from .tensor import Tensor, asarray

__all__ = ["Scorer"]


class Scorer:
    """Scores the model as it is now, in evaluation mode."""

    def __init__(self, model: Module, loss: Callable[[Any, Any], Tensor], labels: bool) -> None:
        self.model, self.loss, self.labels = model, loss, labels
        try:
            self._each = "reduction" in inspect.signature(loss).parameters
        except (TypeError, ValueError):
            self._each = False

    def row(self, x: np.ndarray, y: np.ndarray, held: Any) -> dict[str, float]:
        """The data loss, and what ``validated`` says of samples held back, where there are any."""
        with no_grad():
            self.model.eval()
            found = {"data loss": float(self.loss(self.model(asarray(x)), asarray(y)))}
            self.model.train()
        return found | (self.validated(*held) if held is not None else {})

    def validated(self, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
        """The mean loss of these samples, the standard error of that mean, and the accuracy where there are labels."""
        with no_grad():
            self.model.eval()
            scores = self.model(asarray(x))
            each = self._losses(scores, y)
            self.model.train()
            found = {"validation loss": float(each.mean()), "validation se": float(each.std(ddof=1) / sqrt(len(each))) if len(each) > 1 else nan}
            return found | ({"validation accuracy": accuracy(scores, y)} if self.labels and scores.shape[:-1] == y.shape else {})

    def _losses(self, scores: Tensor, y: np.ndarray) -> np.ndarray:
        """The loss of each sample: as the loss itself has it, else asked for one by one."""
        if self._each:
            losses = self.loss(scores, asarray(y), reduction="none").data  # type: ignore[call-arg]
            return losses.reshape(len(y), -1).mean(axis=1)
        return np.array([float(self.loss(scores[i : i + 1], asarray(y[i : i + 1]))) for i in range(len(y))])

    @staticmethod
    def over_folds(found: Sequence[dict[str, float]]) -> dict[str, float]:
        """Means over folds, and the standard error of the mean loss, from how much the folds differ."""
        losses = np.array([fold["validation loss"] for fold in found])
        means = {name: float(np.mean([fold[name] for fold in found])) for name in found[0] if name.startswith("validation")}
        return means | {"validation se": float(losses.std(ddof=1) / sqrt(len(losses)))}
