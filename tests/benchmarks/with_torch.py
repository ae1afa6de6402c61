"""The workloads in PyTorch, as its users write them; with ``whole``, the loss goes through ``torch.compile`` and the optimiser is its fused one."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from workloads import EPS, Arrays, Chain, Conv, Elementwise, Job, Logistic, Perceptron


def perceptron(work: Perceptron, d: Arrays, whole: bool = False) -> Job:
    parts: list[Any] = []
    for a, b in zip(work.sizes, work.sizes[1:], strict=False):
        parts += [nn.Linear(a, b), nn.ReLU() if work.activation == "relu" else nn.Tanh()]
    model, loss = started(nn.Sequential(*parts[:-1]), d), F.cross_entropy if work.loss == "cross-entropy" else F.mse_loss
    named = {name: p for i, part in enumerate(parts[::2]) for name, p in ((f"w{i}", part.weight), (f"b{i}", part.bias))}
    penalised = [(p, *work.penalised(name)) for name, p in named.items()]
    settings: Any = {"fused": True} if whole else {}
    if work.optimizer == "adam":
        optimizer: Any = torch.optim.Adam(model.parameters(), lr=work.lr, eps=EPS, **settings)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=work.lr, momentum=work.momentum, **settings)

    def objective(x: Any, y: Any) -> Any:
        total = loss(model(x), y)
        for p, l1, l2 in penalised:
            total = total + l1 * p.abs().sum() if l1 else total
            total = total + l2 * p.square().sum() if l2 else total
        return total

    return training(objective, optimizer, d, whole)


def logistic(work: Logistic, d: Arrays, whole: bool = False) -> Job:
    w, b = (torch.tensor(d[k], requires_grad=True) for k in "wb")

    def objective(x: Any, y: Any) -> Any:
        return F.binary_cross_entropy_with_logits(x @ w + b, y) + work.l1 * w.abs().sum()

    return training(objective, torch.optim.SGD([w, b], lr=work.lr), d, whole)


def conv(work: Conv, d: Arrays, whole: bool = False) -> Job:
    a, b, c = work.channels
    first, second, last = nn.Conv2d(a, b, 3, padding=1), nn.Conv2d(b, c, 3, padding=1), nn.Linear(len(d["w2"]), work.classes)
    model = started(nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), last), d)
    return training(lambda x, y: F.cross_entropy(model(x), y), torch.optim.SGD(model.parameters(), lr=work.lr), d, whole)


def elementwise(work: Elementwise, d: Arrays, whole: bool = False) -> Job:
    def value(x: Any) -> Any:
        return (torch.tanh(2 * x + 1) ** 2 + x.abs() * torch.sigmoid(x)).sum()

    return slopes(value, [torch.tensor(d["x"], requires_grad=True)], whole)


def chain(work: Chain, d: Arrays, whole: bool = False) -> Job:
    def value(x: Any, a: Any, b: Any) -> Any:
        for _ in range(work.ops // 2):
            x = x * a
            x = x + b
        return x

    return slopes(value, [torch.tensor(d[k], requires_grad=True) for k in "xab"], whole)


def started(model: Any, d: Arrays) -> Any:
    """The model with the given weights."""
    layers = [part for part in model if hasattr(part, "weight")]
    with torch.no_grad():
        for i, part in enumerate(layers):
            weight = torch.from_numpy(d[f"w{i}"])
            part.weight.copy_(weight.T if weight.ndim == 2 else weight)
            part.bias.copy_(torch.from_numpy(d[f"b{i}"]))
    return model


def training(objective: Any, optimizer: Any, d: Arrays, whole: bool) -> Job:
    """A step of training."""
    x, y = torch.from_numpy(d["x"]), torch.from_numpy(d["y"])
    objective = torch.compile(objective) if whole else objective

    def step() -> Any:
        optimizer.zero_grad()
        loss = objective(x, y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return Job(step)


def slopes(value: Any, leaves: list[Any], whole: bool) -> Job:
    """A value and its gradients."""
    value = torch.compile(value) if whole else value

    def step() -> Any:
        for leaf in leaves:
            leaf.grad = None
        y = value(*leaves)
        y.backward()
        return y.detach(), *(leaf.grad for leaf in leaves)

    return Job(step)
