"""The workloads in tinygrad_reg. ``how``: eager, or compiled with ``numpy`` or ``numba``, or ``loop``: compiled, with the loop inside."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from workloads import EPS, Arrays, Chain, Conv, Elementwise, Job, Logistic, Perceptron

import tinygrad_reg as tg
from tinygrad_reg import nn


def perceptron(work: Perceptron, d: Arrays, how: str) -> Job:
    parts: list[Any] = []
    for i, (a, b) in enumerate(zip(work.sizes, work.sizes[1:], strict=False)):
        layer = nn.Linear(a, b, *work.penalised(f"w{i}"), *work.penalised(f"b{i}"), dtype="f4")
        parts += [layer, nn.ReLU() if work.activation == "relu" else nn.Tanh()]
    model, loss = started(nn.Sequential(*parts[:-1]), d), tg.cross_entropy if work.loss == "cross-entropy" else tg.mse
    parameters = model.parameters()
    adam = work.optimizer == "adam"
    optimizer: Any = tg.optim.Adam(parameters, work.lr, eps=EPS) if adam else tg.optim.SGD(parameters, work.lr, work.momentum)

    def step(x: Any, y: Any) -> Any:
        return optimizer.minimize(loss(model(x), y) + model.regularization_loss())

    return job(step, [tg.Tensor(d["x"]), tg.Tensor(d["y"])], how)


def logistic(work: Logistic, d: Arrays, how: str) -> Job:
    w, b = tg.Tensor(d["w"], requires_grad=True), tg.Tensor(d["b"], requires_grad=True)
    optimizer, l1 = tg.optim.SGD([w, b], work.lr), work.l1

    def step(x: Any, y: Any) -> Any:
        return optimizer.minimize(tg.binary_cross_entropy_with_logits(x @ w + b, y) + l1 * abs(w).sum())

    return job(step, [tg.Tensor(d["x"]), tg.Tensor(d["y"])], how)


def conv(work: Conv, d: Arrays, how: str) -> Job:
    a, b, c = work.channels
    first, second = nn.Conv2d(a, b, 3, padding=1, dtype="f4"), nn.Conv2d(b, c, 3, padding=1, dtype="f4")
    last = nn.Linear(len(d["w2"]), work.classes, dtype="f4")
    model = started(nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), last), d)
    optimizer = tg.optim.SGD(model.parameters(), work.lr)
    return job(lambda x, y: optimizer.minimize(tg.cross_entropy(model(x), y)), [tg.Tensor(d["x"]), tg.Tensor(d["y"])], how)


def elementwise(work: Elementwise, d: Arrays, how: str) -> Job | None:
    return slopes(lambda x: (tg.tanh(2 * x + 1) ** 2 + abs(x) * tg.sigmoid(x)).sum(), [d["x"]], how)


def chain(work: Chain, d: Arrays, how: str) -> Job | None:
    def value(x: Any, a: Any, b: Any) -> Any:
        for _ in range(work.ops // 2):
            x = x * a
            x = x + b
        return x

    return slopes(value, [d[k] for k in "xab"], how)


def started(model: Any, d: Arrays) -> Any:
    """The model with the given weights."""
    layers = [part for part in model if hasattr(part, "weight")]
    for i, part in enumerate(layers):
        part.weight.assign(d[f"w{i}"])
        part.bias.assign(d[f"b{i}"])
    return model


def job(step: Callable[..., Any], inputs: list[Any], how: str) -> Job:
    """The step as it is, or compiled."""
    if how == "eager":
        return Job(partial(step, *inputs))
    compiled = tg.compile(step, backend="numpy" if how == "numpy" else "numba", wait=True)
    loop = (lambda times: compiled.run(*inputs, times=times)) if how == "loop" else None
    return Job(partial(compiled, *inputs), loop, note=lambda: compiled.stats().get("not compiled", ""))


def slopes(value: Callable[..., Any], inputs: list[Any], how: str) -> Job | None:
    """A value and its gradients; there is nothing to loop over, for nothing changes from step to step."""

    def step(*leaves: Any) -> Any:
        for leaf in leaves:
            leaf.grad = None
        y = value(*leaves)
        y.backward()
        return y.detach(), *(leaf.grad for leaf in leaves)

    return None if how == "loop" else job(step, [tg.Tensor(x, requires_grad=True) for x in inputs], how)
