"""Why penalise all layers: a penalty on the first layer alone has a loophole.

A ReLU unit computes the same with its incoming weights (and bias) times a and its outgoing ones divided by a. A penalty on the first layer only
asks for small a: it can be made as small as one likes without the function changing at all. With L2 on all weights there is a best a, the one
where both sides of a unit are equally long, and at a minimum every unit is there.

The lesson's network on the spiral (2-64-3), once with the book's L2 on the first layer (5e-4, weights and biases) and once with L2 on all weights
(5e-5). The table scales the trained first layer: the loss of the data stays, the first penalty vanishes, the other one rises. The picture
shows each unit's length before and behind it.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from common import BLUE, ORANGE, parser, plt, print_table, save

import tinygrad_reg as tg
from tinygrad_reg import nn

FACTORS = (1.0, 0.1, 0.01)


def options() -> argparse.Namespace:
    """The command line."""
    asked = parser(__doc__)
    asked.add_argument("--epochs", type=int, default=10_000, help="updates; each uses all 300 points (default: %(default)s)")
    chosen = asked.parse_args()
    if chosen.quick:
        chosen.epochs = min(chosen.epochs, 500)
    return chosen


def network(kind: str, seed: int) -> nn.Sequential:
    """2-64-3 with L2 on the first layer, or on the weights of both."""
    if kind == "first layer":
        first, second = {"weight_lambda_l2": 5e-4, "bias_lambda_l2": 5e-4}, {}
    else:
        first = second = {"weight_lambda_l2": 5e-5}
    return nn.Sequential(nn.Linear(2, 64, rng=seed, **first), nn.ReLU(), nn.Linear(64, 3, rng=seed + 1, **second))


def scaled(model: nn.Sequential, factor: float) -> dict[str, np.ndarray]:
    """The state with the first layer ``factor`` times as large, and the second as much smaller."""
    state = model.state_dict()
    return state | {name: state[name] * factor for name in ("0.weight", "0.bias")} | {"2.weight": state["2.weight"] / factor}


def rows(kind: str, model: nn.Sequential, x: np.ndarray, y: np.ndarray) -> list[list[str]]:
    """Data loss and penalty of the model at each scale."""
    found, before = [], model.state_dict()
    for factor in FACTORS:
        model.load_state_dict(scaled(model, factor))
        with tg.no_grad():
            values = tg.cross_entropy(model(x), y).item(), model.regularization_loss().item()
        found.append([kind, f"{factor:g}", f"{values[0]:.8f}", f"{values[1]:.2e}"])
        model.load_state_dict(before)
    return found


def lengths(model: nn.Sequential) -> tuple[np.ndarray, np.ndarray]:
    """Of each unit: the length of its incoming and of its outgoing weights."""
    return np.linalg.norm(model[0].weight.numpy(), axis=0), np.linalg.norm(model[2].weight.numpy(), axis=1)


def draw(trained: dict[str, nn.Sequential]) -> plt.Figure:
    """Each unit as a point."""
    figure, axes = plt.subplots(figsize=(6.5, 5.2))
    for (kind, model), colour in zip(trained.items(), (ORANGE, BLUE), strict=True):
        before, behind = lengths(model)
        axes.scatter(before, behind, s=18, color=colour, label=f"L2 on the {kind}" if kind == "first layer" else f"L2 on {kind}")
    edges = np.array([0.05, 60.0])  # a unit that L2 has put to sleep is left out
    axes.plot(edges, edges, color="black", linewidth=0.8, linestyle=":", label="equally long")
    axes.set(
        xscale="log", yscale="log", xlim=edges, ylim=edges, xlabel="length of a unit's incoming weights", ylabel="length of its outgoing weights"
    )
    axes.set_title("With L2 on all weights, units are as long before as behind")
    axes.legend()
    return figure


def main() -> None:
    """Train, scale, tell, draw."""
    chosen = options()
    begin = time.perf_counter()
    x, y = tg.data.spiral(100, 3, rng=np.random.RandomState(chosen.seed))
    trained = {kind: network(kind, chosen.seed) for kind in ("first layer", "all weights")}
    for model in trained.values():
        optimizer = tg.optim.Adam(model.parameters(), lr=0.02, decay=1e-3)
        tg.fit(model, x, y, optimizer=optimizer, epochs=chosen.epochs, every=chosen.epochs, compile=chosen.compile)
    print(f"2-64-3 on the spiral, {chosen.epochs} updates, seed {chosen.seed}; the first layer times a, the second divided by a")
    print()
    print_table(["L2 on", "a", "data loss", "penalty"], [row for kind, model in trained.items() for row in rows(kind, model, x, y)])
    print()
    for kind, model in trained.items():
        before, behind = lengths(model)
        ratios = behind / np.maximum(before, 1e-12)
        print(f"L2 on {kind}: outgoing weights are {np.median(ratios):.2f} times as long as incoming ones (median of 64 units)")
    print()
    save(draw(trained), chosen.out, "loophole.png")
    print(f"took {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
