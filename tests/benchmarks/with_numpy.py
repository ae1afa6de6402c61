"""The workloads by hand in NumPy: slopes worked out on paper, fresh arrays, no framework at all."""

from __future__ import annotations

from typing import Any

import numpy as np
from workloads import EPS, Arrays, Chain, Elementwise, Job, Logistic, Perceptron, parameters


def perceptron(work: Perceptron, d: Arrays) -> Job:
    x, y, p = d["x"], d["y"], parameters(d)
    last, relu, move = len(work.sizes) - 2, work.activation == "relu", updates(work, p)
    data_loss = cross_entropy(y) if work.loss == "cross-entropy" else squared_error(y)
    penalised = {name: work.penalised(name) for name in p if any(work.penalised(name))}

    def step() -> Any:
        inputs = [x]
        for i in range(last):
            z = inputs[-1] @ p[f"w{i}"] + p[f"b{i}"]
            inputs.append(np.maximum(z, 0) if relu else np.tanh(z))
        loss, g = data_loss(inputs[-1] @ p[f"w{last}"] + p[f"b{last}"])
        slopes = {}
        for i in range(last, -1, -1):
            h = inputs[i]
            slopes[f"w{i}"], slopes[f"b{i}"] = h.T @ g, g.sum(axis=0)
            if i:
                g = (g @ p[f"w{i}"].T) * ((h > 0) if relu else 1 - h * h)
        for name, (l1, l2) in penalised.items():
            w = p[name]
            if l1:
                loss += l1 * abs(w).sum()
                slopes[name] += l1 * np.sign(w)
            if l2:
                loss += l2 * (w * w).sum()
                slopes[name] += 2 * l2 * w
        move(slopes)
        return loss

    return Job(step)


def cross_entropy(labels: Any) -> Any:
    """Of scores: the loss and its slope."""
    n, rows = len(labels), np.arange(len(labels))

    def loss(scores: Any) -> tuple[Any, Any]:
        shifted = scores - scores.max(axis=1, keepdims=True)
        e = np.exp(shifted)
        total = e.sum(axis=1, keepdims=True)
        value = (np.log(total[:, 0]) - shifted[rows, labels]).mean()
        e /= total
        e[rows, labels] -= 1
        e /= n
        return value, e

    return loss


def squared_error(target: Any) -> Any:
    """Of predictions: the loss and its slope."""

    def loss(prediction: Any) -> tuple[Any, Any]:
        difference = prediction - target
        return (difference * difference).mean(), difference * (2 / difference.size)

    return loss


def updates(work: Perceptron, p: Arrays) -> Any:
    """Adam or SGD, in place."""
    m, v = ({k: np.zeros_like(x) for k, x in p.items()} for _ in range(2))
    t = 0

    def adam(slopes: Arrays) -> None:
        nonlocal t
        t += 1
        for k, x in p.items():
            m[k] = 0.9 * m[k] + 0.1 * slopes[k]
            v[k] = 0.999 * v[k] + 0.001 * slopes[k] ** 2
            x[...] -= work.lr * (m[k] / (1 - 0.9**t)) / (np.sqrt(v[k] / (1 - 0.999**t)) + EPS)

    def sgd(slopes: Arrays) -> None:
        for k, x in p.items():
            m[k] = work.momentum * m[k] - work.lr * slopes[k] if work.momentum else -work.lr * slopes[k]
            x[...] += m[k]

    return adam if work.optimizer == "adam" else sgd


def logistic(work: Logistic, d: Arrays) -> Job:
    x, y, w, b = d["x"], d["y"], d["w"].copy(), 0.0

    def step() -> Any:
        nonlocal w, b
        z = x @ w + b
        loss = (np.logaddexp(0, z) - y * z).mean() + work.l1 * abs(w).sum()
        g = (1 / (1 + np.exp(-z)) - y) / work.rows
        w = w - work.lr * (g @ x + work.l1 * np.sign(w))
        b = b - work.lr * g.sum()
        return loss

    return Job(step)


def elementwise(work: Elementwise, d: Arrays) -> Job:
    x = d["x"]

    def step() -> Any:
        t, s, size = np.tanh(2 * x + 1), 1 / (1 + np.exp(-x)), abs(x)
        return (t * t + size * s).sum(), 4 * t * (1 - t * t) + np.sign(x) * s + size * s * (1 - s)

    return Job(step)


def chain(work: Chain, d: Arrays) -> Job:
    x, a, b = (d[k] for k in "xab")

    def step() -> Any:
        y, seen = x, []
        for _ in range(work.ops // 2):
            seen.append(y)
            y = y * a
            y = y + b
        g, ga, gb = np.float32(1), np.float32(0), np.float32(0)
        for before in reversed(seen):
            gb = gb + g
            ga = ga + g * before
            g = g * a
        return y, g, ga, gb

    return Job(step)
