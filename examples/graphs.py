"""Five graphs to look at: a loss with its penalties, the graph of its gradient, both in one, a small convolutional net, a compiled step.

Each is saved as a picture (SVG, by Graphviz) and as a page (HTML, for any browser, no network needed): move, zoom, hover for numbers,
fold layers, and step through the forward and the backward pass.

  lesson    the lesson's network, 2-64-3 with ReLU, cross-entropy, L2 on layer 1 and L1 on layer 3, after one backward pass;
            penalties are a colour and a cluster of their own, with their λ
  gradient  the slope of λ·Σw² + μ·Σ|w|, which is a computation, too: 2·λ·w + μ·sign(w)
  both      a straight line's loss with both penalties, and what computes its gradient in a second colour: the picture of the README
  network   convolutions in blocks; the closed blocks that are alike are one box, ×2
  step      a whole training step, compiled: ops that run together stand in one box, equal colours are the same memory

The table says how large the graphs are, and how much of them is drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import common
import numpy as np
from common import tg

from tinygrad_reg import nn


def lesson(points: int, seed: int) -> tg.Graph:
    """The lesson's loss after a backward pass."""
    x, y = tg.data.spiral(points, 3, rng=np.random.RandomState(seed))
    model = common.lesson_network(64, seed, weight_lambda_l2=5e-4, bias_lambda_l2=5e-4)
    loss = tg.cross_entropy(model(tg.tensor(x, name="points")), y) + model.regularization_loss() + 1e-5 * abs(model[2].weight).sum()
    loss.name = "loss"
    loss.backward()
    return tg.graph(loss, model=model)


def gradient(seed: int) -> tg.Graph:
    """The gradient of two penalties: nothing but products and signs."""
    w = tg.tensor(np.random.default_rng(seed).normal(size=3).round(1), requires_grad=True, name="w")
    slope = tg.grad(0.1 * (w**2).sum() + 0.5 * abs(w).sum(), w, create_graph=True)
    slope.name = "slope"
    return tg.graph(slope)


def both(points: int, seed: int) -> tg.Graph:
    """A loss with two penalties, forward and backward."""
    rng = np.random.default_rng(seed)
    w = tg.tensor([1.5, -0.4, 0.0], requires_grad=True, name="w")
    x = tg.tensor(rng.normal(size=(points, 3)), name="x")
    y = tg.tensor(x.data @ np.array([2.0, 0.0, 0.0]), name="y")
    loss = tg.mse(x @ w, y) + 0.1 * (w**2).sum() + 0.2 * abs(w).sum()
    loss.name = "loss"
    return tg.graph(loss, backward=True, values="none")


class Block(nn.Module):
    """A convolution, a normalisation, a kink, and a way around them."""

    def __init__(self, channels: int, rng: Any) -> None:
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, weight_lambda_l2=1e-4, rng=rng)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Any) -> Any:
        """x, and what the convolution adds to it."""
        return x + tg.relu(self.norm(self.conv(x)))


def network(size: int, seed: int) -> tg.Graph:
    """Images through three blocks: the first one open, the others as one box."""
    rng = np.random.default_rng(seed)
    first = nn.Conv2d(1, 8, 3, padding=1, rng=rng)
    model = nn.Sequential(first, Block(8, rng), Block(8, rng), Block(8, rng), nn.Flatten(), nn.Linear(8 * size * size, 10, rng=rng))
    images = tg.tensor(rng.normal(size=(4, 1, size, size)), name="images")
    loss = tg.cross_entropy(model(images), rng.integers(0, 10, size=4))
    loss.name = "loss"
    return tg.graph(loss, model=model, depth=1, expand="1", direction="TB")


def step(points: int, seed: int, compiled: bool) -> tg.Graph:
    """A training step of a small network as it runs, with momentum."""
    x, y = tg.data.spiral(points, 3, rng=np.random.RandomState(seed))
    model = nn.Sequential(nn.Linear(2, 8, weight_lambda_l2=5e-4, rng=seed), nn.Tanh(), nn.Linear(8, 3, rng=seed))
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    run = tg.compile(lambda x, y: optimizer.minimize(tg.cross_entropy(model(x), y) + model.regularization_loss()), wait=True)
    for _ in range(3):
        run(x, y)
    return tg.graph(run if compiled else run.program)


def saved(graph: tg.Graph, folder: Any, name: str) -> Iterator[Any]:
    """Save the page and the picture, and say where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    yield graph.save_html(folder / f"graphs_{name}.html")
    yield graph.render(folder / f"graphs_{name}.svg")


def main() -> None:
    options = common.parser(__doc__).parse_args()
    points, size = (20, 6) if options.quick else (100, 12)
    graphs = {
        "lesson": lesson(points, options.seed),
        "gradient": gradient(options.seed),
        "both": both(points, options.seed),
        "network": network(size, options.seed),
        "step": step(points, options.seed, options.compile),
    }
    rows = [(name, f"{len(g.nodes):,}", f"{len(g.edges):,}", f"{len(g.clusters):,}", f"{len(g.view.boxes):,}") for name, g in graphs.items()]
    common.print_table(("graph", "nodes", "edges", "layers, penalties, groups", "boxes drawn"), rows)
    print()
    print(graphs["gradient"])
    print()
    try:
        for name, graph in graphs.items():
            for path in saved(graph, options.out, name):
                print(f"saved {path}")
    except RuntimeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
