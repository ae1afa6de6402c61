"""Perceptrons and the chain in two other frameworks on NumPy, MyGrad and autograd, with optimisers by hand, for they have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from with_numpy import updates
from workloads import Arrays, Chain, Job, Perceptron, parameters


def perceptron(work: Perceptron, d: Arrays, name: str) -> Job:
    return (mygrad_perceptron if name == "mygrad" else autograd_perceptron)(work, d)


def chain(work: Chain, d: Arrays, name: str) -> Job:
    def value(x: Any, a: Any, b: Any) -> Any:
        for _ in range(work.ops // 2):
            x = x * a
            x = x + b
        return x

    inputs = [d[k] for k in "xab"]
    return mygrad_slopes(value, inputs) if name == "mygrad" else autograd_slopes(value, inputs)


def mygrad_perceptron(work: Perceptron, d: Arrays) -> Job:
    import mygrad as mg
    from mygrad.nnet import relu, softmax_crossentropy

    p = {k: mg.tensor(v) for k, v in parameters(d).items()}
    move = updates(work, {k: x.data for k, x in p.items()})

    def step() -> Any:
        h = d["x"]
        for i in range(len(work.sizes) - 1):
            h = (relu(h) if work.activation == "relu" else mg.tanh(h)) if i else h
            h = mg.matmul(h, p[f"w{i}"]) + p[f"b{i}"]
        total = softmax_crossentropy(h, d["y"]) if work.loss == "cross-entropy" else mg.mean((h - d["y"]) ** 2)
        total = penalised(work, total, p, mg)
        total.backward()
        move({k: x.grad for k, x in p.items()})
        return total.data

    return Job(step)


def autograd_perceptron(work: Perceptron, d: Arrays) -> Job:
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    p, rows = parameters(d), np.arange(work.rows)
    move = updates(work, p)

    def objective(p: Arrays) -> Any:
        h = d["x"]
        for i in range(len(work.sizes) - 1):
            h = (h * (h > 0) if work.activation == "relu" else anp.tanh(h)) if i else h
            h = anp.dot(h, p[f"w{i}"]) + p[f"b{i}"]
        total = anp.mean(logsumexp(h, axis=1) - h[rows, d["y"]]) if work.loss == "cross-entropy" else anp.mean((h - d["y"]) ** 2)
        return penalised(work, total, p, anp)

    both = value_and_grad(objective)

    def step() -> Any:
        value, slopes = both(p)
        move(slopes)
        return value

    return Job(step)


def penalised(work: Perceptron, total: Any, p: Arrays, m: Any) -> Any:
    """The loss with its penalties."""
    for name, value in p.items():
        l1, l2 = map(np.float32, work.penalised(name))
        total = total + l1 * m.sum(m.abs(value)) if l1 else total
        total = total + l2 * m.sum(value * value) if l2 else total
    return total


def mygrad_slopes(value: Callable[..., Any], inputs: list[Any]) -> Job:
    import mygrad as mg

    leaves = [mg.tensor(x) for x in inputs]

    def step() -> Any:
        y = value(*leaves)
        y.backward()
        found = (y.data, *(leaf.grad for leaf in leaves))
        for leaf in leaves:
            leaf.null_grad()
        return found

    return Job(step)


def autograd_slopes(value: Callable[..., Any], inputs: list[Any]) -> Job:
    from autograd import value_and_grad

    both = value_and_grad(value, (0, 1, 2))

    def step() -> Any:
        y, slopes = both(*inputs)
        return y, *slopes

    return Job(step)
