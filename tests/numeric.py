"""Inputs for every op, drawn from its domain, and gradients by finite differences to hold its rules against.

The gradient of a number L by a complex z = x + iy is ∂L/∂x + i·∂L/∂y; the product of gradients and directions is Re(conj(g)·d),
which for real numbers is the usual one.
"""

import zlib

import numpy as np

import tinygrad_reg as tg

STEP = 1e-5
RTOL, ATOL = 1e-6, 1e-7  # differences at float64 are good to about 1e-9; a rule that is off by 0.1 % must fail
AWAY = 0.05  # how far from a kink inputs are kept, many times STEP


def seeded(*words):
    """A generator that depends on nothing but ``words``: a test gets the same numbers alone and in the suite."""
    return np.random.default_rng(zlib.crc32(repr(words).encode()))


def call(op, inputs, settings):
    """The op of ``inputs``, one by one, or as one sequence if it takes any number; several results end to end as one."""
    out = op(list(inputs), **settings) if getattr(op, "variadic", False) else op(*inputs, **settings)
    return end_to_end(out) if isinstance(out, tuple) else out


def end_to_end(parts):
    """Several results as one array: those that can have a gradient, or if there are none, all."""
    return tg.concat([part for part in parts if part.dtype.kind in "fc"] or list(parts), axis=None)


def domains(op, count):
    """One domain for each of ``count`` inputs."""
    return op.domain * count if len(op.domain) == 1 else op.domain


def window(domain):
    """A stretch of about 4 inside a domain, off its ends (an end is a kink, or a pole)."""
    low = domain.low if np.isfinite(domain.low) else min(-2.0, domain.high - 4.0, *(kink - 1 for kink in domain.kinks))
    high = domain.high if np.isfinite(domain.high) else max(2.0, low + 4.0, *(kink + 1 for kink in domain.kinks))
    margin = 0.1 * (high - low)
    return low + margin * np.isfinite(domain.low), high - margin * np.isfinite(domain.high)


def sample(op, shapes, rng):
    """Inputs of ``shapes`` inside the op's domains, away from every kink; real values are all different."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    places = (rng.permutation(sum(sizes)) + rng.uniform(0.2, 0.8, sum(sizes))) / max(sum(sizes), 1)
    parts = np.split(places, np.cumsum(sizes)[:-1])
    return [_as_matrix(d, _placed(d, p, rng).reshape(shape)) for d, p, shape in zip(domains(op, len(shapes)), parts, shapes, strict=True)]


def _as_matrix(domain, x):
    """x as a matrix of the kind that the domain names: entries off the diagonal are small, those on it far apart."""
    if not domain.matrix:
        return x
    if domain.matrix == "increasing":
        return np.sort(x, axis=-1) if x.ndim else x
    if domain.matrix in ("symmetric", "positive definite"):
        x = (x + x.mT) / 2
    m, n = x.shape[-2:]
    return x / 4 + 2.0 * np.eye(m, n) * np.arange(0 if domain.matrix == "symmetric" else 1, n + 1)[:n]


def _placed(domain, places, rng):
    if domain.kind == "boolean":
        return rng.random(places.shape) < 0.5
    if domain.kind == "integer":
        return rng.integers(int(domain.low), int(domain.high), places.shape)
    low, high = window(domain)
    values = low + (high - low) * places
    if domain.kind == "complex":
        return values + 1j * rng.permutation(values)
    if domain.kinks:
        kinks = np.array(domain.kinks)
        nearest = kinks[np.argmin(np.abs(values[..., None] - kinks), axis=-1)]
        values = values + np.copysign(AWAY, values - nearest)
    return values


def sample_at_kinks(op, shapes, rng):
    """Inputs of which more than half lie at a kink, or are equal to others where that is one."""
    found = sample(op, shapes, rng)
    for x, domain in zip(found, domains(op, len(shapes)), strict=True):
        points = domain.kinks or ((-1.0, 1.0) if domain.ties else ())
        if points:
            chosen = rng.random(x.shape) < 0.6
            x[chosen] = rng.choice(points, int(chosen.sum()))
    return found


def is_kinked(op):
    """Whether some real argument has a kink."""
    return any((d.kinks or d.ties) and d.kind == "real" for d in op.domain)


def smooth(inputs):
    """The places of the inputs that can have a gradient."""
    return [i for i, x in enumerate(inputs) if x.dtype.kind in "fc"]


def leaves(inputs):
    """Tensors of the inputs; those that can have a gradient want one."""
    return [tg.Tensor(x, requires_grad=x.dtype.kind in "fc") for x in inputs]


def random_like(x, rng):
    """Random numbers of the shape and kind of x, at double precision."""
    values = np.asarray(rng.normal(size=np.shape(x)))
    return values + 1j * rng.normal(size=np.shape(x)) if np.iscomplexobj(x) else values


def gradients(op, inputs, settings, g):
    """What ``backward`` says of Re Σ conj(g)·op(inputs): an array for each input, zeros where no gradient arrived."""
    tensors = leaves(inputs)
    call(op, tensors, settings).backward(g)
    return [np.zeros_like(x) if t.grad is None else t.grad.data for x, t in zip(inputs, tensors, strict=True)]


def moved(inputs, directions, step):
    """The inputs, each moved by ``step`` times its direction (None: not at all)."""
    return [x if d is None else x + step * d for x, d in zip(inputs, directions, strict=True)]


def slope(f, inputs, directions, step=STEP):
    """Slope of f along ``directions`` at ``inputs``, by central differences."""
    return (f(moved(inputs, directions, step)) - f(moved(inputs, directions, -step))) / (2 * step)


def one_sided(f, inputs, directions, step=STEP):
    """Both slopes of f along ``directions``: from behind and ahead."""
    here = f(inputs)
    return (here - f(moved(inputs, directions, -step))) / step, (f(moved(inputs, directions, step)) - here) / step


def unit(inputs, i, index, one=1.0):
    """The direction that moves entry ``index`` of input i alone, by ``one``."""
    directions = [None] * len(inputs)
    directions[i] = np.zeros_like(inputs[i])
    directions[i][index] = one
    return directions


def differences(f, inputs, i):
    """The gradient of a number f in input i, entry by entry, by central differences."""
    found = np.zeros_like(inputs[i])
    for index in np.ndindex(inputs[i].shape):
        found[index] = slope(f, inputs, unit(inputs, i, index))
        if np.iscomplexobj(found):
            found[index] += 1j * slope(f, inputs, unit(inputs, i, index, 1j))
    return found


def random_directions(inputs, rng):
    """A random direction for each input that can have a gradient."""
    return [random_like(x, rng) if x.dtype.kind in "fc" else None for x in inputs]


def dot(left, right):
    """Re Σ conj(a)·b of all that belongs together; None counts as zero."""
    return sum(float(np.sum(np.conj(a) * b).real) for a, b in zip(left, right, strict=True) if a is not None and b is not None)


def assert_close(got, expected, what, rtol=RTOL, atol=ATOL):
    """Equal up to the error of differences, measured by the largest entry."""
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol * scale, err_msg=str(what))


def check_gradient(op, inputs, settings, rng):
    """The op's rules against differences: every entry of every smooth input, and one random direction."""
    g = random_like(call(op, inputs, settings), rng)
    found = gradients(op, inputs, settings, g)

    def weighed(values):
        return dot([g], [call(op, values, settings)])

    for i in smooth(inputs):
        assert (found[i].shape, found[i].dtype) == (inputs[i].shape, inputs[i].dtype)
        assert_close(found[i], differences(weighed, inputs, i), f"{op.name}, gradient in input {i}, settings {settings}")
    directions = random_directions(inputs, rng)
    assert_close(dot(found, directions), slope(weighed, inputs, directions), f"{op.name}, along a direction")


def check_second_derivative(op, inputs, settings, rng):
    """Derivatives of Re Σ conj(g2)·gradient, in every input and in g, against differences of the first gradient."""
    g = random_like(call(op, inputs, settings), rng)
    g2 = random_directions(inputs, rng)
    tensors, upstream = leaves(inputs), tg.Tensor(g, requires_grad=True)
    variables = [tensors[i] for i in smooth(inputs)]
    firsts = tg.grad(call(op, tensors, settings), variables, upstream, create_graph=True)
    total = sum((tg.Tensor(np.conj(g2[i])) * first).sum() for i, first in zip(smooth(inputs), firsts, strict=True))
    *seconds, in_g = tg.grad(tg.real(total) if total.dtype.kind == "c" else total, [*variables, upstream])

    def weighed(values):
        return dot(g2, gradients(op, values, settings, g))

    for i, second in zip(smooth(inputs), seconds, strict=True):
        assert_close(second.data, differences(weighed, inputs, i), f"{op.name}, second derivative in input {i}, settings {settings}")
    assert_close(in_g.data, slope(lambda values: call(op, values, settings), inputs, g2), f"{op.name}, gradient as a function of g")
