"""A second, naive engine, written independently, must agree on random graphs."""

from itertools import count

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg


class Twin:
    """A value, and for each input a closure that turns this node's gradient into the input's."""

    made = count()

    def __init__(self, value, *parents):
        self.value, self.parents, self.number = np.asarray(value, float), parents, next(Twin.made)

    def gradients(self):
        """Gradients of Σ value for all nodes below, by identity: nodes are worked off latest first."""
        found, waiting = {self: np.ones_like(self.value)}, [self]
        while waiting:
            node = max(waiting, key=lambda n: n.number)
            waiting.remove(node)
            for parent, pull in node.parents:
                arrived = _shrunk(pull(found[node]), parent.value.shape)
                if parent not in found:
                    waiting.append(parent)
                found[parent] = found.get(parent, 0) + arrived
        return found


def _shrunk(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


def t_add(a, b):
    return Twin(a.value + b.value, (a, lambda g: g), (b, lambda g: g))


def t_damped(a, b):
    th = np.tanh(b.value)
    return Twin(a.value * th, (a, lambda g: g * th), (b, lambda g: g * a.value * (1 - th**2)))


def t_minus(a, b):
    return Twin(a.value - b.value, (a, lambda g: g), (b, lambda g: -g))


def t_larger(a, b):
    share = (np.sign(a.value - b.value) + 1) / 2
    return Twin(np.maximum(a.value, b.value), (a, lambda g: g * share), (b, lambda g: g * (1 - share)))


def t_size(a):
    return Twin(np.abs(a.value), (a, lambda g: g * np.sign(a.value)))


def t_ramp(a):
    return Twin(a.value * (a.value > 0), (a, lambda g: g * (a.value > 0)))


def t_rows(a):
    return Twin(a.value.sum(axis=-1, keepdims=True), (a, lambda g: g + np.zeros_like(a.value))) if a.value.ndim else a


def t_mean(a):
    return Twin(a.value.mean(), (a, lambda g: g * np.ones_like(a.value) / a.value.size))


BINARY = [
    (tg.add, t_add),
    (lambda a, b: a * tg.tanh(b), t_damped),
    (lambda a, b: a - b, t_minus),
    (tg.maximum, t_larger),
]
UNARY = [
    (abs, t_size),
    (tg.relu, t_ramp),
    (lambda a: tg.sum(a, axis=-1, keepdims=True) if a.ndim else a, t_rows),
    (tg.mean, t_mean),
]
SHAPES = [(2, 3), (3,), (2, 1), (), (1, 3), (4, 1, 1)]  # any two broadcast, and so does what is made of them
STEPS = st.tuples(st.integers(0, 7), st.integers(0, 20), st.integers(0, 20))
VALUES = st.integers(-3, 3).map(lambda n: n / 2)  # few values: ties and zeros come up often


@st.composite
def programs(draw):
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=4))
    values = [np.reshape(draw(st.lists(VALUES, min_size=(n := int(np.prod(s))), max_size=n)), s) for s in shapes]
    return values, draw(st.lists(STEPS, min_size=1, max_size=12))


def run(nodes, steps, side):
    """Each step makes one node of one or two earlier ones; the result hangs on the last node and on a middle one."""
    for which, i, j in steps:
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        nodes.append(BINARY[which][side](a, b) if which < 4 else UNARY[which - 4][side](a))
    return BINARY[0][side](nodes[-1], nodes[len(nodes) // 2])


@given(programs())
def test_both_engines_agree_on_values_and_gradients(mode, program):
    values, steps = program
    leaves = [tg.Tensor(v, requires_grad=True) for v in values]
    twins = [Twin(v) for v in values]
    theirs = run(list(twins), steps, 1)

    def both(*leaves):
        ours = run(list(leaves), steps, 0)
        ours.sum().backward()
        return ours

    np.testing.assert_allclose(mode(both)(*leaves).data, theirs.value, rtol=1e-10, atol=1e-10)
    expected = theirs.gradients()
    for leaf, twin in zip(leaves, twins, strict=True):
        wanted = expected.get(twin, np.zeros(leaf.shape))
        found = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.data
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10)


@given(programs())
def test_recorded_gradients_agree_too(mode, program):
    values, steps = program
    leaves, twins = [tg.Tensor(v, requires_grad=True) for v in values], [Twin(v) for v in values]
    expected = run(list(twins), steps, 1).gradients()

    @mode.replayed
    def slopes(*leaves):
        ours = run(list(leaves), steps, 0)
        return tg.grad(ours, leaves, np.ones(ours.shape), create_graph=True)

    found = slopes(*leaves)
    for leaf, twin, slope in zip(leaves, twins, found, strict=True):
        np.testing.assert_allclose(slope.data, expected.get(twin, np.zeros(leaf.shape)), rtol=1e-10, atol=1e-10)
