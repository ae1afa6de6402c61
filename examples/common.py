"""What the examples share: their options, the lesson's network, tables, pictures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

try:
    import matplotlib
    import matplotlib.pyplot as plt
    import numpy as np
    from matplotlib.colors import to_rgb
    from tqdm import tqdm

    import tinygrad_reg as tg
    from tinygrad_reg import nn
except ImportError as missing:
    sys.exit(f"The examples need {missing.name or 'more'}: pip install 'tinygrad_reg[examples]'")

matplotlib.use("Agg")
matplotlib.rcParams.update(
    {
        "font.size": 11,
        "axes.titlesize": 11.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.h_pad": 0.1,
        "figure.constrained_layout.w_pad": 0.1,
        "savefig.dpi": 120,
    }
)

# Colours that also people with a colour-vision deficiency tell apart (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8A8A8A"
CLASSES = (BLUE, ORANGE, GREEN)


def parser(doc: str | None) -> argparse.ArgumentParser:
    """A command line that has --quick, --seed and --out, and shows the program's own description."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="a small version that ends in a few seconds; its numbers mean little")
    made.add_argument("--seed", type=int, default=0, help="where the random numbers start (default: %(default)s)")
    made.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True, help="compile the training step (default: %(default)s)")
    made.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="folder for the pictures (default: %(default)s)")
    return made


class Split(NamedTuple):
    """Samples to train on and others to test on."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def real_data(name: str, train_size: int, seed: int, standardise: bool = True) -> Split:
    """One of scikit-learn's data sets (they come with it), split at random, inputs standardised by the training part (or as they are).

    Class labels are whole numbers and are shared out evenly.
    """
    try:
        from sklearn import datasets, model_selection  # noqa: PLC0415 - only some of the examples need it
    except ImportError:
        sys.exit("This example needs scikit-learn: pip install 'tinygrad_reg[examples]'")
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    labels = y if y.dtype.kind == "i" else None
    x, x_test, y, y_test = model_selection.train_test_split(x, y, train_size=train_size, random_state=seed, stratify=labels)
    mean, spread = (x.mean(axis=0), x.std(axis=0)) if standardise else (0.0, 1.0)
    return Split((x - mean) / spread, y, (x_test - mean) / spread, y_test)


def lesson_network(hidden: int, rng: Any, **lambdas: float) -> nn.Sequential:
    """The book's network for the spiral, 2-hidden-3 with ReLU; ``lambdas`` penalise its first layer."""
    first = nn.Linear(2, hidden, init="book", rng=rng, **lambdas)
    return nn.Sequential(first, nn.ReLU(), nn.Linear(hidden, 3, init="book", rng=rng))


def fresh_points(samples: int = 10_000, seed: int = 987_654) -> tuple[np.ndarray, np.ndarray]:
    """30,000 new points of the spiral, the same ones each time: enough to tell 83.0 % from 83.5 %."""
    return tg.data.spiral(samples, 3, rng=np.random.RandomState(seed))


def judge(model: nn.Module, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Accuracy and cross-entropy of the model on x and y."""
    with tg.no_grad():
        scores = model(tg.asarray(x, model.float_dtype()))
        return tg.accuracy(scores, y), tg.cross_entropy(scores, y).item()


def watched(steps: Iterable[Any], what: str, total: int | None = None) -> Iterable[Any]:
    """``steps`` with a progress bar if somebody is looking at the terminal."""
    return tqdm(steps, desc=what, total=total, leave=False, disable=not sys.stderr.isatty())


def mean_sd(values: Sequence[float], digits: int = 3) -> str:
    """Mean ± standard deviation, as text."""
    spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return f"{np.mean(values):.{digits}f} ± {spread:.{digits}f}"


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns side by side: the first one flush left, numbers flush right."""
    cells = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for i, row in enumerate(cells):
        first, *others = (cell.ljust(width) if not j else cell.rjust(width) for j, (cell, width) in enumerate(zip(row, widths, strict=True)))
        print("  ".join([first, *others]).rstrip())
        if i == 0:
            print("  ".join("-" * width for width in widths))


def save(figure: Any, folder: Path, name: str) -> None:
    """Write the picture, and say where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / name)
    plt.close(figure)
    print(f"saved {folder / name}")


def draw_regions(axes: Any, model: nn.Module, x: np.ndarray, y: np.ndarray, size: float = 9.0) -> None:
    """The plane in the colour of the class that the model would choose, paler where it is less sure, and points on it."""
    edge = np.linspace(-1.1, 1.1, 300)
    plane = np.stack(np.meshgrid(edge, edge), axis=-1).reshape(-1, 2)
    with tg.no_grad():
        shares = tg.softmax(model(tg.asarray(plane, model.float_dtype())), axis=-1).numpy()
    tints = 1 - 0.45 * (1 - np.array([to_rgb(colour) for colour in CLASSES]))
    axes.imshow((shares @ tints).clip(0, 1).reshape(300, 300, 3), extent=(-1.1, 1.1, -1.1, 1.1), origin="lower", interpolation="bilinear")
    winners = shares.argmax(axis=1).reshape(300, 300)
    for c in range(3):
        axes.contour(edge, edge, winners == c, levels=[0.5], colors="white", linewidths=1.0)
    axes.scatter(x[:, 0], x[:, 1], s=size, c=[CLASSES[label] for label in y], edgecolors="black", linewidths=0.3)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
