"""The picture of a regularisation path: weights against λ, how many are not 0, and the validation loss."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np

from .history import needs

__all__ = ["drawn"]

_NAMED = 12  # inputs, at most, whose curves are labelled


def drawn(path: Any, names: Sequence[str] = ()) -> Any:
    """A matplotlib figure: weights of the first penalised parameter, and validation where there was any."""
    plt = needs("matplotlib.pyplot", "RegularizationPath.plot", "plot")
    validated = "validation loss" in path.columns
    figure, axes = plt.subplots(1, 1 + validated, figsize=(6.2 * (1 + validated), 4.6), squeeze=False, layout="constrained")
    shown = [i for i, lam in enumerate(path.lambdas) if lam > 0]  # 0 has no place on a logarithmic axis
    _weights(axes[0, 0], path, shown, names)
    if validated:
        _validation(axes[0, 1], path, shown)
    for each in axes[0]:
        each.set(xscale="log", xlabel="λ")
        _counts_on_top(each, path, shown)
    return figure


def _weights(axes: Any, path: Any, shown: Sequence[int], names: Sequence[str]) -> None:
    """One curve for each weight; those of one input have one colour."""
    name = path.penalised[0]
    lambdas, values = path.lambdas[shown], path.coefficients(name)[shown]
    by_input = values.reshape(len(values), values.shape[1] if values.ndim > 1 else 1, -1)
    if names and len(names) != by_input.shape[1]:
        raise ValueError(f"plot: there are {len(names)} names for {by_input.shape[1]} inputs of {name}; give one for each.")
    for i in range(by_input.shape[1]):
        axes.plot(lambdas, by_input[:, i], color=f"C{i % 10}", linewidth=1.3)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set(ylabel="weight", title=f"{name}: {np.prod(values.shape[1:], dtype=int)} weights")
    if names:
        _labels(axes, lambdas[-1], by_input[-1], names)


def _labels(axes: Any, at: float, last: np.ndarray, names: Sequence[str]) -> None:
    """The names of the inputs with the largest weights at the smallest λ, each at its curve; those that would cover another are left out."""
    low, high = axes.get_ylim()
    places: list[float] = []
    for i in np.argsort(-np.abs(last).max(axis=1)):
        place = float(last[i, np.abs(last[i]).argmax()])
        if place and len(places) < _NAMED and all(abs(place - other) > (high - low) / 30 for other in places):
            places.append(place)
            axes.annotate(names[i], (at, place), (-4, 0), textcoords="offset points", ha="right", va="center", fontsize=8, color=f"C{i % 10}")
    axes.margins(x=0.16)


def _validation(axes: Any, path: Any, shown: Sequence[int]) -> None:
    """Mean and standard error, with the λ of the lowest loss and that of the one-standard-error rule."""
    losses, errors = np.array(path["validation loss"])[shown], np.array(path["validation se"])[shown]
    errors = np.where(np.isfinite(errors), errors, 0.0)
    axes.errorbar(path.lambdas[shown], losses, errors, fmt="o", markersize=3.5, color="#D55E00", ecolor="#B0B0B0", elinewidth=1, capsize=2)
    for rule, style in (("min", "--"), ("1se", ":")):
        best = path.best(rule)
        if best.lam > 0 and isfinite(best.lam):
            label = f"{rule}: λ = {best.lam:.3g}, {best.row['non-zeros']} non-zeros"
            axes.axvline(best.lam, color="black", linewidth=1, linestyle=style, label=label)
    axes.set(ylabel="validation loss", title="Validation")
    axes.legend(fontsize=9, loc="upper left", framealpha=1.0, edgecolor="none")


def _counts_on_top(axes: Any, path: Any, shown: Sequence[int]) -> None:
    """An axis on top that says how many weights are not 0."""
    top = axes.secondary_xaxis("top")
    counts = path["non-zeros"]
    chosen = [shown[i] for i in np.unique(np.linspace(0, len(shown) - 1, 9).round().astype(int))]
    top.set_xticks([path.lambdas[i] for i in chosen], [str(counts[i]) for i in chosen])
    top.minorticks_off()
    top.set_xlabel("non-zeros")
