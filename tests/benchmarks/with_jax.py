"""The workloads in JAX: ``jax.jit`` of the whole step, with the old state's memory given back."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from workloads import EPS, Arrays, Chain, Conv, Elementwise, Job, Logistic, Perceptron, parameters


def perceptron(work: Perceptron, d: Arrays) -> Job:
    activation = jax.nn.relu if work.activation == "relu" else jnp.tanh

    def objective(p: Arrays, x: Any, y: Any) -> Any:
        h = x
        for i in range(len(work.sizes) - 1):
            h = (activation(h) if i else h) @ p[f"w{i}"] + p[f"b{i}"]
        total = cross_entropy(h, y) if work.loss == "cross-entropy" else jnp.mean((h - y) ** 2)
        for name, value in p.items():
            l1, l2 = work.penalised(name)
            total = total + l1 * jnp.abs(value).sum() if l1 else total
            total = total + l2 * jnp.square(value).sum() if l2 else total
        return total

    return training(objective, d, adam if work.optimizer == "adam" else sgd, work.lr, work.momentum)


def logistic(work: Logistic, d: Arrays) -> Job:
    def objective(p: Arrays, x: Any, y: Any) -> Any:
        z = x @ p["w"] + p["b"]
        return jnp.mean(jnp.logaddexp(0, z) - y * z) + work.l1 * jnp.abs(p["w"]).sum()

    return training(objective, d, sgd, work.lr)


def conv(work: Conv, d: Arrays) -> Job:
    def block(x: Any, w: Any, b: Any) -> Any:
        h = jax.nn.relu(jax.lax.conv_general_dilated(x, w, (1, 1), "SAME") + b[:, None, None])
        rows, channels, high, wide = h.shape
        return h.reshape(rows, channels, high // 2, 2, wide // 2, 2).max((3, 5))  # quicker here than the gradient of reduce_window

    def objective(p: Arrays, x: Any, y: Any) -> Any:
        h = block(block(x, p["w0"], p["b0"]), p["w1"], p["b1"])
        return cross_entropy(h.reshape(work.rows, -1) @ p["w2"] + p["b2"], y)

    return training(objective, d, sgd, work.lr)


def elementwise(work: Elementwise, d: Arrays) -> Job:
    return slopes(lambda x: (jnp.tanh(2 * x + 1) ** 2 + jnp.abs(x) * jax.nn.sigmoid(x)).sum(), [d["x"]])


def chain(work: Chain, d: Arrays) -> Job:
    def value(x: Any, a: Any, b: Any) -> Any:
        for _ in range(work.ops // 2):
            x = x * a
            x = x + b
        return x

    return slopes(value, [d[k] for k in "xab"])


def cross_entropy(scores: Any, labels: Any) -> Any:
    return -jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], axis=1).mean()


def adam(p: Arrays, g: Arrays, state: Arrays, lr: float, _: float) -> tuple[Arrays, Arrays]:
    t = state["t"] + 1
    m = {k: 0.9 * state["m"][k] + 0.1 * g[k] for k in p}
    v = {k: 0.999 * state["v"][k] + 0.001 * g[k] ** 2 for k in p}
    moved = {k: p[k] - lr * (m[k] / (1 - 0.9**t)) / (jnp.sqrt(v[k] / (1 - 0.999**t)) + EPS) for k in p}
    return moved, {"t": t, "m": m, "v": v}


def sgd(p: Arrays, g: Arrays, state: Arrays, lr: float, momentum: float) -> tuple[Arrays, Arrays]:
    if not momentum:
        return {k: p[k] - lr * g[k] for k in p}, state
    m = {k: momentum * state["m"][k] + g[k] for k in p}
    return {k: p[k] - lr * m[k] for k in p}, {"m": m}


def training(objective: Any, d: Arrays, update: Any, lr: float, momentum: float = 0.0) -> Job:
    """A step of training; the state goes in and comes out."""
    jax.config.update("jax_enable_x64", d["x"].dtype == "f8")

    def whole(now: Any, x: Any, y: Any) -> Any:
        p, state = now
        loss, slope = jax.value_and_grad(objective)(p, x, y)
        return update(p, slope, state, lr, momentum), loss

    start = jax.tree.map(jnp.array, parameters(d))
    state: Arrays = {k: jax.tree.map(jnp.zeros_like, start) for k in ("mv" if update is adam else "m" if momentum else "")}
    now: Any = (start, state | {"t": jnp.zeros(())} if update is adam else state)
    jitted, x, y = jax.jit(whole, donate_argnums=0), jnp.asarray(d["x"]), jnp.asarray(d["y"])

    def step() -> Any:
        nonlocal now
        now, loss = jitted(now, x, y)
        return loss

    return Job(step, wait=lambda: jax.block_until_ready(now))


def slopes(value: Any, inputs: list[Any]) -> Job:
    """A value and its gradients."""
    jax.config.update("jax_enable_x64", False)
    leaves = [jnp.asarray(x) for x in inputs]
    jitted = jax.jit(jax.value_and_grad(value, argnums=tuple(range(len(leaves)))))
    last: Any = None

    def step() -> Any:
        nonlocal last
        y, found = last = jitted(*leaves)
        return y, *found

    return Job(step, wait=lambda: jax.block_until_ready(last))
