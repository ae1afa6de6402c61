"""Measure single ops, forward and backward, against the same op of autograd and MyGrad, and neural ones against PyTorch.

    python tests/benchmarks/ops.py                         # all rows of rows.py, on 32×16 and 1000×1000, float32, one thread
    python tests/benchmarks/ops.py --rounds 15 exp matmul  # those whose title starts with one of these
    python tests/benchmarks/ops.py --slow 1                # only those where we are slower than a peer

Rounds in turn; the number is the quickest call of ours ÷ the quickest of theirs, which a busy machine disturbs least: above 1 we are slower.
"""

from __future__ import annotations

import argparse
import importlib
import os
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402 - it reads the number of threads when it is first imported
from compare import BUDGET, bar  # noqa: E402
from rows import AGAINST_TORCH, SIZED, Row  # noqa: E402

Step = Callable[[], Any]
SIZES = ((32, 16), (1000, 1000))


class Library:
    """All functions of a library by one name, whichever of its modules has them; ``others`` are those that it calls or spells differently."""

    def __init__(self, *modules: str, **others: Any) -> None:
        self.modules = [importlib.import_module(module) for module in modules]
        self.others = others

    def __getattr__(self, name: str) -> Any:
        other = self.others.get(name, name)
        if callable(other):
            return other
        found = next((getattr(module, other) for module in self.modules if callable(getattr(module, other, None))), None)
        if found is None:
            raise NotImplementedError(name)
        setattr(self, name, found)  # next time without a search
        return found


def ours(row: Row, arrays: list[Any]) -> Step:
    import tinygrad_reg as tg

    m = Library("tinygrad_reg", "tinygrad_reg.linalg", "tinygrad_reg.fft", values=lambda x: x.data)
    leaves = [tg.Tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]

    def step() -> None:
        for leaf in leaves:
            leaf.grad = None
        row.call(m, *leaves).sum().backward()

    return step


def autograd(row: Row, arrays: list[Any]) -> Step:
    import autograd.numpy as anp
    from autograd import grad
    from autograd.tracer import getval

    modules = ("autograd.numpy", "autograd.numpy.linalg", "autograd.numpy.fft", "autograd.scipy.special")
    m = Library(*modules, sigmoid="expit", values=getval)
    slope = grad(lambda *xs: anp.sum(row.call(m, *xs)), tuple(i for i, a in enumerate(arrays) if a.dtype.kind == "f"))
    return lambda: slope(*arrays)


def mygrad(row: Row, arrays: list[Any]) -> Step:
    import mygrad as mg
    from mygrad.nnet.layers import conv_nd, max_pool

    m = Library(
        *("mygrad", "mygrad.linalg", "mygrad.nnet.activations", "mygrad.nnet.losses"),
        **{"softsign": "soft_sign", "hardtanh": "hard_tanh", "log_softmax": "logsoftmax", "cross_entropy": "softmax_crossentropy"},
        conv2d=lambda x, w, bias, stride, padding: conv_nd(x, w, stride=stride, padding=padding),
        max_pool2d=lambda x, size: max_pool(x, (size, size), size),
        values=lambda x: x.data,
    )
    leaves = [mg.tensor(a) if a.dtype.kind == "f" else a for a in arrays]
    return lambda: row.call(m, *leaves).sum().backward()


def torch(row: Row, arrays: list[Any]) -> Step:
    import torch

    torch.set_num_threads(1)
    m = Library("torch.nn.functional", "torch")
    leaves = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]

    def step() -> None:
        for leaf in leaves:
            leaf.grad = None
        row.call(m, *leaves).sum().backward()

    return step


def contestants(row: Row, arrays: list[Any], peers: Any) -> dict[str, Step]:
    """Us, and the peers that are installed and can do it."""
    made: dict[str, Step] = {"ours": ours(row, arrays)}
    for peer in peers:
        try:
            step = peer(row, arrays)
            step()
        except Exception:  # not installed, or it cannot do this op: each says so in its own way
            continue
        made[peer.__name__] = step
    return made


def quickest(step: Step) -> float:
    """µs of the quickest of all calls in about BUDGET seconds, and of at least three."""
    found, start = [], time.perf_counter()
    while len(found) < 3 or time.perf_counter() - start < BUDGET:
        begin = time.perf_counter()
        step()
        found.append(time.perf_counter() - begin)
    return min(found) * 1e6


def table(rows: list[Row], size: tuple[int, int], peers: Any, asked: argparse.Namespace) -> Iterator[str]:
    """A line a row: µs of ours, and the ratio to each peer."""
    for row in bar([row for row in rows if not asked.ops or row.title.startswith(tuple(asked.ops))]):
        steps = contestants(row, row.make(np.random.default_rng(0), size), peers)
        rounds = [{who: quickest(step) for who, step in steps.items()} for _ in range(asked.rounds)]
        best = {who: min(r[who] for r in rounds) for who in steps}
        ratios = {who: best["ours"] / best[who] for who in steps if who != "ours"}
        if max(ratios.values(), default=0.0) >= asked.slow:
            text = "   ".join(f"÷ {who} {ratio:.2f}" for who, ratio in ratios.items())
            yield f"  {row.title:32}{best['ours']:12.1f}   {text}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ops", nargs="*", help="starts of titles (default: all rows)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow", type=float, default=0.0, help="show only rows whose ratio to some peer is at least this")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # peers divide by zero now and then
    np.empty(31 << 20, np.int8)  # freed at once: from now on, as in any longer program, the allocator keeps memory instead of asking for it anew
    against = [(f"{n}×{m} {kind}", rows, (n, m), (autograd, mygrad)) for n, m in SIZES for kind, rows in SIZED.items()]
    for title, rows, size, peers in [*against, ("neural, at sizes of their own", AGAINST_TORCH, SIZES[0], (torch,))]:
        print(f"\n{title}, float32, forward and backward: µs of ours, and ours ÷ peer", flush=True)
        for line in table(rows, size, peers, asked):
            print(line, flush=True)


if __name__ == "__main__":
    main()
