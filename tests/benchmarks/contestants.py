"""The same step in each framework, written as its users write it. ``build(name, work, data)`` returns the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from workloads import Workload

Step = Callable[[], Any]
EPS = 1e-7


def ours(work: Workload, d: dict[str, Any]) -> Step:
    import tinygrad_reg as tg
    from tinygrad_reg import nn

    if work.kind == "chain":
        return _chain([tg.Tensor(np.float32(v), requires_grad=True) for v in (0.5, 0.999, 0.001)], work.rows)
    parts: list[Any] = []
    for i, (a, b) in enumerate(zip(work.sizes, work.sizes[1:], strict=False)):
        layer = nn.Linear(a, b, *work.penalised(i, bias=False), *work.penalised(i, bias=True), dtype="f4")
        layer.weight.assign(d[f"w{i}"])
        parts += [layer, nn.ReLU() if work.activation == "relu" else nn.Tanh()]
    model, loss = nn.Sequential(*parts[:-1]), tg.cross_entropy if work.loss == "cross-entropy" else tg.mse
    x, y, params = tg.Tensor(d["x"]), tg.Tensor(d["y"]), model.parameters()
    adam = work.optimizer == "adam"
    opt = tg.optim.Adam(params, work.lr, eps=EPS) if adam else tg.optim.SGD(params, work.lr, work.momentum)
    return lambda: opt.minimize(loss(model(x), y) + model.regularization_loss())


def torch(work: Workload, d: dict[str, Any]) -> Step:
    import torch
    from torch.nn import functional as F  # noqa: N812

    if work.kind == "chain":
        return _chain([torch.tensor(v, requires_grad=True) for v in (0.5, 0.999, 0.001)], work.rows)
    parts: list[Any] = []
    for i, (a, b) in enumerate(zip(work.sizes, work.sizes[1:], strict=False)):
        layer = torch.nn.Linear(a, b)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(d[f"w{i}"].T.copy()))
            layer.bias.zero_()
        parts += [layer, torch.nn.ReLU() if work.activation == "relu" else torch.nn.Tanh()]
    model, loss = torch.nn.Sequential(*parts[:-1]), F.cross_entropy if work.loss == "cross-entropy" else F.mse_loss
    x, y, layers = torch.from_numpy(d["x"]), torch.from_numpy(d["y"]), parts[::2]
    penalised = [(p, *work.penalised(i, bias)) for i, m in enumerate(layers) for p, bias in ((m.weight, False), (m.bias, True))]
    if work.optimizer == "adam":
        opt: Any = torch.optim.Adam(model.parameters(), lr=work.lr, eps=EPS)
    else:
        opt = torch.optim.SGD(model.parameters(), lr=work.lr, momentum=work.momentum)

    def step() -> Any:
        total = loss(model(x), y)
        for p, l1, l2 in penalised:
            total = total + l1 * p.abs().sum() if l1 else total
            total = total + l2 * p.square().sum() if l2 else total
        opt.zero_grad()
        total.backward()
        opt.step()
        return total.detach()

    return step


def mygrad(work: Workload, d: dict[str, Any]) -> Step:
    import mygrad as mg
    from mygrad.nnet import relu, softmax_crossentropy

    if work.kind == "chain":
        return _chain([mg.tensor(np.float32(v)) for v in (0.5, 0.999, 0.001)], work.rows)
    params = {k: mg.tensor(v) for k, v in d.items() if k not in "xy"}
    move = _updates(work, {k: p.data for k, p in params.items()})

    def step() -> Any:
        h = d["x"]
        for i in range(len(work.sizes) - 1):
            h = mg.matmul(h, params[f"w{i}"]) + params[f"b{i}"]
            if i < len(work.sizes) - 2:
                h = relu(h) if work.activation == "relu" else mg.tanh(h)
        total = softmax_crossentropy(h, d["y"]) if work.loss == "cross-entropy" else mg.mean((h - d["y"]) ** 2)
        for k, p in params.items():
            l1, l2 = work.penalised(int(k[1:]), k[0] == "b")
            total = total + np.float32(l1) * mg.sum(mg.abs(p)) if l1 else total
            total = total + np.float32(l2) * mg.sum(p * p) if l2 else total
        total.backward()
        move({k: p.grad for k, p in params.items()})
        return total

    return step


def autograd(work: Workload, d: dict[str, Any]) -> Step:
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    if work.kind == "chain":
        return _autograd_chain(value_and_grad, work.rows)
    params, rows = {k: v.copy() for k, v in d.items() if k not in "xy"}, np.arange(work.rows)
    move = _updates(work, params)

    def objective(p: dict[str, Any]) -> Any:
        h = d["x"]
        for i in range(len(work.sizes) - 1):
            h = anp.dot(h, p[f"w{i}"]) + p[f"b{i}"]
            if i < len(work.sizes) - 2:
                h = anp.maximum(h, 0) if work.activation == "relu" else anp.tanh(h)
        total = anp.mean(logsumexp(h, axis=1) - h[rows, d["y"]]) if work.loss == "cross-entropy" else anp.mean((h - d["y"]) ** 2)
        for k, v in p.items():
            l1, l2 = work.penalised(int(k[1:]), k[0] == "b")
            total = total + l1 * anp.sum(anp.abs(v)) if l1 else total
            total = total + l2 * anp.sum(v * v) if l2 else total
        return total

    both = value_and_grad(objective)

    def step() -> Any:
        value, slopes = both(params)
        move(slopes)
        return value

    return step


def _updates(work: Workload, params: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """Adam or SGD by hand, in place, for the frameworks that have no optimisers."""
    m, v = ({k: np.zeros_like(p) for k, p in params.items()} for _ in range(2))
    t = 0

    def adam(slopes: dict[str, Any]) -> None:
        nonlocal t
        t += 1
        for k, p in params.items():
            m[k] = 0.9 * m[k] + 0.1 * slopes[k]
            v[k] = 0.999 * v[k] + 0.001 * slopes[k] ** 2
            p[...] -= work.lr * (m[k] / (1 - 0.9**t)) / (np.sqrt(v[k] / (1 - 0.999**t)) + EPS)

    def sgd(slopes: dict[str, Any]) -> None:
        for k, p in params.items():
            m[k] = work.momentum * m[k] - work.lr * slopes[k] if work.momentum else -work.lr * slopes[k]
            p[...] += m[k]

    return adam if work.optimizer == "adam" else sgd


def _chain(leaves: list[Any], n: int) -> Step:
    x, a, b = leaves

    def step() -> Any:
        y = x
        for _ in range(n // 2):
            y = y * a
            y = y + b
        y.backward()
        value = float(y.detach()) if hasattr(y, "detach") else float(y)
        for leaf in leaves:
            if hasattr(leaf, "null_grad"):
                leaf.null_grad()
            else:
                leaf.grad = None
        return value

    return step


def _autograd_chain(value_and_grad: Any, n: int) -> Step:
    def f(x: Any, a: Any, b: Any) -> Any:
        for _ in range(n // 2):
            x = x * a
            x = x + b
        return x

    both = value_and_grad(f, (0, 1, 2))
    return lambda: both(np.float32(0.5), np.float32(0.999), np.float32(0.001))[0]


CONTESTANTS = {"tinygrad_reg": ours, "torch": torch, "mygrad": mygrad, "autograd": autograd}
