"""Everything else in the library, compiled: losses, layers, optimisers, penalties, random numbers, derivatives, indexing, creation."""

import copy
import re

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import losses, nn, optim
from tinygrad_reg.einops import register

RNG = np.random.default_rng(0)


def _tensors(x):
    if isinstance(x, dict):
        x = list(x.values())
    return [y for part in x for y in _tensors(part)] if isinstance(x, (tuple, list)) else [x]


def assert_same(got, expected, rtol=1e-10):
    got, expected = _tensors(got), _tensors(expected)
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a.data, b.data, rtol=rtol, atol=1e-12)


def check(f, make, backend, calls=3, captures=1):
    """f of what ``make`` gives for each call: compiled as in eager mode."""
    compiled = tg.compile(f, backend=backend, wait=True)
    for call in range(calls):
        given = make(np.random.default_rng(call))
        assert_same(compiled(*given), f(*map(_as_tensor, given)))
    assert compiled.stats()["captures"] == captures
    return compiled


def _as_tensor(x):
    return tg.asarray(x) if isinstance(x, np.ndarray) else x


# --------------------------------------------------------------------------------------------- losses


def scores_and(target):
    return lambda rng: (rng.normal(size=(5, 3)), target(rng))


def numbers(rng):
    return rng.normal(size=(5, 3))


def yes_or_no(rng):
    return rng.integers(0, 2, (5, 3)).astype(float)


def signs(rng):
    return rng.choice([-1.0, 1.0], (5, 3))


def labels(rng):
    return rng.integers(0, 3, 5)


def shares(rng):
    p = rng.random((5, 3)) + 0.1
    return p / p.sum(axis=1, keepdims=True)


def vectors(*targets):
    return lambda rng: (rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), *(t(rng) for t in targets))


def pair_signs(rng):
    return rng.choice([-1.0, 1.0], 5)


def named_classes(rng):
    return np.array([[0, -1, 2], [1, 2, -1], [2, -1, 0], [-1, 0, 0], [0, 1, 2]])[rng.permutation(5)]


WEIGHT = np.array([0.5, 2.0, 1.0])

LOSSES = {
    "mse": (losses.mse, scores_and(numbers)),
    "mse of each": (lambda x, t: losses.mse(x, t, reduction="none"), scores_and(numbers)),
    "l1": (losses.l1, scores_and(numbers)),
    "huber": (lambda x, t: losses.huber(x, t, 0.5), scores_and(numbers)),
    "smooth_l1": (lambda x, t: losses.smooth_l1(x, t, 0.5), scores_and(numbers)),
    "poisson_nll": (lambda x, t: losses.poisson_nll(x, t, full=True), scores_and(lambda rng: rng.integers(0, 5, (5, 3)).astype(float))),
    "gaussian_nll": (losses.gaussian_nll, lambda rng: (*vectors()(rng), rng.random((5, 3)) + 0.1)),
    "binary_cross_entropy": (losses.binary_cross_entropy, lambda rng: (shares(rng), yes_or_no(rng))),
    "binary_cross_entropy with weight": (lambda p, t: losses.binary_cross_entropy(p, t, weight=WEIGHT), lambda rng: (shares(rng), yes_or_no(rng))),
    "with logits": (losses.binary_cross_entropy_with_logits, scores_and(yes_or_no)),
    "with logits and weights": (lambda x, t: losses.binary_cross_entropy_with_logits(x, t, WEIGHT, pos_weight=WEIGHT), scores_and(yes_or_no)),
    "hinge": (losses.hinge, scores_and(signs)),
    "soft_margin": (losses.soft_margin, scores_and(signs)),
    "cross_entropy": (losses.cross_entropy, scores_and(labels)),
    "cross_entropy of shares": (losses.cross_entropy, scores_and(shares)),
    "cross_entropy, weighed": (lambda x, t: losses.cross_entropy(x, t, weight=WEIGHT, ignore_index=1, label_smoothing=0.1), scores_and(labels)),
    "cross_entropy of shares, weighed": (lambda x, t: losses.cross_entropy(x, t, weight=WEIGHT, label_smoothing=0.1), scores_and(shares)),
    "nll_loss": (lambda x, t: losses.nll_loss(tg.log_softmax(x), t), scores_and(labels)),
    "nll_loss, weighed": (lambda x, t: losses.nll_loss(tg.log_softmax(x), t, weight=WEIGHT, ignore_index=1), scores_and(labels)),
    "kl_div": (lambda x, t: losses.kl_div(tg.log_softmax(x), t, "batchmean"), scores_and(shares)),
    "hinge_embedding": (losses.hinge_embedding, scores_and(signs)),
    "cosine_embedding": (losses.cosine_embedding, vectors(pair_signs)),
    "margin_ranking": (losses.margin_ranking, vectors(signs)),
    "triplet_margin": (lambda a, p, n: losses.triplet_margin(a, p, n, swap=True), vectors(numbers)),
    "multi_margin": (losses.multi_margin, scores_and(labels)),
    "multi_margin, weighed": (lambda x, t: losses.multi_margin(x, t, p=2, weight=WEIGHT), scores_and(labels)),
    "multilabel_margin": (losses.multilabel_margin, scores_and(named_classes)),
    "multilabel_soft_margin": (losses.multilabel_soft_margin, scores_and(yes_or_no)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_their_gradients(name, backend):
    loss, make = LOSSES[name]

    def both(x, *others):
        each, slope = tg.value_and_grad(lambda x: loss(x, *others).sum())(x)
        return each, slope

    check(both, make, backend)


def sequences(rng):
    return rng.normal(size=(6, 2, 4)), rng.integers(1, 4, (2, 3)), rng.integers(3, 7, 2), rng.integers(1, 4, 2)


def end_to_end(rng):
    counts = np.array([[1, 3], [3, 1], [2, 2]][rng.integers(3)])
    return rng.normal(size=(6, 2, 4)), rng.integers(1, 4, 4), rng.integers(4, 7, 2), counts


@pytest.mark.parametrize("make", [sequences, end_to_end])
def test_ctc(make, backend):
    def both(x, *others):
        return tg.value_and_grad(lambda x: losses.ctc(tg.log_softmax(x), *others, zero_infinity=True))(x)

    check(both, make, backend)


BAD = [
    (losses.binary_cross_entropy, (np.array([0.5]), np.array([1.0])), (np.array([1.5]), np.array([1.0])), "between 0 and 1"),
    (losses.cross_entropy, (np.zeros((1, 3)), np.array([0])), (np.zeros((1, 3)), np.array([3])), "3 is not a class"),
    (losses.nll_loss, (np.zeros((1, 3)), np.array([0])), (np.zeros((1, 3)), np.array([3])), "3 is not a class"),
    (losses.multi_margin, (np.zeros((1, 3)), np.array([0])), (np.zeros((1, 3)), np.array([3])), "lie between 3 and 3"),
    (losses.gaussian_nll, (np.zeros(2), np.zeros(2), np.ones(2)), (np.zeros(2), np.zeros(2), -np.ones(2)), "below 0"),
    (tg.quantile, (np.zeros(3), np.array(0.5)), (np.zeros(3), np.array(1.5)), "between 0 and 1"),
    (tg.interp, (np.zeros(1), np.arange(2.0), np.zeros(2)), (np.zeros(1), -np.arange(2.0), np.zeros(2)), "must increase"),
    (tg.embedding, (np.array([0]), np.ones((3, 2))), (np.array([3]), np.ones((3, 2))), "3 is not a row"),
    (lambda a, b: tg.choose(a, [b, b]), (np.array([0]), np.ones(1)), (np.array([2]), np.ones(1)), "2 choices"),
    (lambda x, i: x[i], (np.ones(3), np.array([0])), (np.ones(3), np.array([3])), "out of bounds"),
    (lambda x: tg.grad(tg.linalg.qr(x + w)[0].sum(), w), (np.eye(2),), (np.zeros((2, 2)),), "not independent"),
]
w = tg.tensor(np.zeros((2, 2)), requires_grad=True)


@pytest.mark.parametrize(("f", "good", "bad", "message"), BAD, ids=range(len(BAD)))
def test_a_replay_refuses_what_eager_mode_refuses_before_anything_changes(f, good, bad, message, backend):
    v = tg.tensor(1.0, requires_grad=True)
    optimizer = optim.SGD([v], lr=0.5)

    def step(*inputs):
        optimizer.minimize(v * v)
        return f(*inputs)

    compiled = tg.compile(step, backend=backend, wait=True)
    for _ in range(2):
        compiled(*good)
    before = float(v)
    with pytest.raises((ValueError, IndexError), match=message):
        compiled(*bad)
    assert (float(v), optimizer.steps) == (before, 2)
    compiled(*good)
    assert optimizer.steps == 3


# --------------------------------------------------------------------------------------------- layers

LAYERS = {
    "Linear": (lambda: nn.Linear(4, 3, rng=0), (5, 4)),
    "Linear of sequences": (lambda: nn.Linear(4, 3, rng=0), (2, 5, 4)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4), (5, 4)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(2), (3, 2, 4, 4)),
    "LayerNorm": (lambda: nn.LayerNorm(4), (5, 4)),
    "Dropout": (lambda: nn.Dropout(0.5, rng=0), (5, 4)),
    "GaussianNoise": (lambda: nn.GaussianNoise(0.5, rng=0), (5, 4)),
    "WeightNoise": (lambda: nn.WeightNoise(nn.Linear(4, 3, rng=0), 0.5, rng=1), (5, 4)),
    "Conv1d": (lambda: nn.Conv1d(2, 3, 3, padding=1, rng=0), (2, 2, 6)),
    "Conv2d": (lambda: nn.Conv2d(2, 3, 3, stride=2, rng=0), (2, 2, 6, 6)),
    "MaxPool2d": (lambda: nn.MaxPool2d(2), (2, 2, 4, 4)),
    "AvgPool2d": (lambda: nn.AvgPool2d(2), (2, 2, 4, 4)),
    "Select": (lambda: nn.Select([0, 2]), (5, 4)),
    "Flatten": (lambda: nn.Flatten(), (2, 2, 3)),
    "ReLU": (lambda: nn.ReLU(), (5, 4)),
    "Tanh": (lambda: nn.Tanh(), (5, 4)),
    "Sigmoid": (lambda: nn.Sigmoid(), (5, 4)),
    "Sequential": (
        lambda: nn.Sequential(nn.Linear(4, 6, rng=0), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.2, rng=1), nn.Linear(6, 2, rng=2)),
        (5, 4),
    ),
}


def test_all_layers_are_here():
    kinds = {re.split(r"\W", name)[0] for name in LAYERS} | {"Embedding", "Module"}
    found = {name for name in nn.__all__ if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Module)} - {"Penalised"}
    assert found <= kinds, found - kinds


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_values_gradients_and_buffers(name, training, backend):
    make, shape = LAYERS[name]
    layer = make().train(training)
    twin = copy.deepcopy(layer)

    def run(layer):
        def f(x):
            out = layer(x)
            weights = layer.parameters()
            return out, tg.grad((out * out).sum(), weights) if weights else ()

        return f

    compiled, eager = tg.compile(run(layer), backend=backend, wait=True), run(twin)
    for call in range(4):
        x = np.random.default_rng(call).normal(size=shape)
        assert_same(compiled(x), eager(tg.tensor(x)))
        assert_same([x for _, x in layer.named_tensors()], [x for _, x in twin.named_tensors()])
    assert compiled.stats()["captures"] == 1


def test_embedding(backend):
    layer = nn.Embedding(5, 3, padding_idx=0, rng=0)
    check(lambda i: tg.grad((layer(i) ** 2).sum(), layer.weight), lambda rng: (rng.integers(0, 5, (2, 3)),), backend)


# ---------------------------------------------------------------------------- optimisers and penalties

OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "SGD with decay": lambda p: optim.SGD(p, lr=0.1, decay=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.5),
    "Nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.5, nesterov=True),
    "Adam": lambda p: optim.Adam(p, lr=0.05),
    "Adam with decay": lambda p: optim.Adam(p, lr=0.05, decay=0.01),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimisers_with_penalties(name, dtype, backend):
    def make():
        settings = {"weight_lambda_l1": 1e-3, "weight_lambda_l2": 1e-2, "bias_lambda_l1": 1e-3, "bias_lambda_l2": 1e-2}
        model = nn.Sequential(nn.Linear(3, 4, rng=0, **settings), nn.Tanh(), nn.Linear(4, 2, rng=1, **settings)).astype(dtype)
        optimizer = OPTIMIZERS[name](model.parameters())

        def step(x, y):
            return optimizer.minimize(tg.mse(model(x), y) + model.regularization_loss())

        return model, optimizer, step

    (model, optimizer, step), (twin, other, eager) = make(), make()
    compiled = tg.compile(step, backend=backend, wait=True)
    rng = np.random.default_rng(0)
    for _ in range(6):
        x, y = rng.normal(size=(5, 3)).astype(dtype), rng.normal(size=(5, 2)).astype(dtype)
        assert_same(compiled(x, y), eager(tg.tensor(x), tg.tensor(y)), rtol=1e-5 if dtype == "float32" else 1e-10)
    assert_same(model.parameters(), twin.parameters(), rtol=1e-3 if dtype == "float32" else 1e-9)
    assert (optimizer.steps, compiled.stats()["captures"]) == (other.steps, 1)


# ------------------------------------------------------------------------------------- random numbers

DRAWS = {
    "normal": lambda p, rng: tg.random.normal(p, 2.0, rng=rng),
    "standard_normal": lambda p, rng: tg.random.standard_normal(3, rng=rng) + p,
    "uniform": lambda p, rng: tg.random.uniform(-p, p, rng=rng),
    "exponential": lambda p, rng: tg.random.exponential(p, rng=rng),
    "laplace": lambda p, rng: tg.random.laplace(p, p, rng=rng),
    "logistic": lambda p, rng: tg.random.logistic(p, p, rng=rng),
    "gumbel": lambda p, rng: tg.random.gumbel(p, p, rng=rng),
    "lognormal": lambda p, rng: tg.random.lognormal(p, p, rng=rng),
    "rayleigh": lambda p, rng: tg.random.rayleigh(p, rng=rng),
    "weibull": lambda p, rng: tg.random.weibull(p, rng=rng),
    "gamma": lambda p, rng: tg.random.gamma(p, p, rng=rng),
    "gamma of a number": lambda p, rng: tg.random.gamma(2.0, p, 3, rng=rng),
    "beta": lambda p, rng: tg.random.beta(p, 2.0, rng=rng),
    "bernoulli": lambda p, rng: tg.random.bernoulli(p / 3, rng=rng),
    "bernoulli of a number": lambda p, rng: tg.random.bernoulli(0.5, 3, rng=rng) * p,
    "binomial": lambda p, rng: tg.random.binomial(10, p / 3, rng=rng),
    "poisson": lambda p, rng: tg.random.poisson(p, rng=rng),
    "poisson of a number": lambda p, rng: tg.random.poisson(3.0, 3, rng=rng) + p,
    "integers": lambda p, rng: tg.random.integers(0, 100, 3, rng=rng) + p,
    "permutation": lambda p, rng: tg.random.permutation(p, rng=rng),
    "permutation of numbers": lambda p, rng: tg.random.permutation(3, rng=rng) + p,
    "choice": lambda p, rng: tg.random.choice(p, 4, rng=rng),
    "choice of numbers": lambda p, rng: tg.random.choice(100, 3, rng=rng) + p,
    "choice with shares": lambda p, rng: tg.random.choice(p, 4, p=p / p.sum(), rng=rng),
    "dropout": lambda p, rng: tg.dropout(p, 0.5, rng=rng),
    "gumbel_softmax": lambda p, rng: tg.gumbel_softmax(p, hard=True, rng=rng),
    "rrelu": lambda p, rng: tg.rrelu(-p, rng=rng),
}


def test_all_draws_are_here():
    others = {"generator", "manual_seed"}
    assert set(tg.random.__all__) - others <= {name.split()[0] for name in DRAWS}


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("default", [True, False])
def test_random_numbers_are_drawn_anew_from_the_same_stream(name, default, backend):
    generator = None if default else np.random.default_rng(7)

    def f(p):
        return DRAWS[name](p, generator)

    def restart():
        nonlocal generator
        tg.manual_seed(7)
        if not default:
            generator.bit_generator.state = np.random.default_rng(7).bit_generator.state

    p = [np.random.default_rng(i).random(3) + 0.5 for i in range(4)]
    restart()
    eager = [f(tg.tensor(x)).data for x in p]
    compiled = tg.compile(f, backend=backend, wait=True)
    restart()
    for x, expected in zip(p, eager, strict=True):
        np.testing.assert_allclose(compiled(x).data, expected, rtol=1e-12)
    assert compiled.stats()["captures"] == 1


# --------------------------------------------------------------------------- indexing, creation, others

I = np.array([0, 2, 2])  # noqa: E741

EXPRESSIONS = {
    "x[i]": lambda x, i: x[i],
    "x[i, :]": lambda x, i: x[i, :],
    "x[:, i]": lambda x, i: x[:, i],
    "x[i, i]": lambda x, i: x[i, i],
    "x[i[0]]": lambda x, i: x[i[0]],
    "x[i, 1:]": lambda x, i: x[i, 1:],
    "x[..., None, i]": lambda x, i: x[..., None, i],
    "x[i][:, i]": lambda x, i: x[i][:, i],
    "x[i, [0, 1, 0]]": lambda x, i: x[i, [0, 1, 0]],
    "x[-i]": lambda x, i: x[-i],
    "x[I]": lambda x, i: x[I] * i[0],
    "x[mask of mine]": lambda x, i: x[np.array([True, False, True])] + i[0],
    "one-hot": lambda x, i: x * tg.one_hot(i, num_classes=3),
    "take": lambda x, i: tg.take(x, i, axis=1),
    "index_set": lambda x, i: tg.index_set(x, 2.0 * x[0], key=i),
    "index_set at pairs": lambda x, i: tg.index_set(x, x[0], key=(i, i)),
    "index_add": lambda x, i: tg.index_add(x, x * x, key=i),
    "index_fill": lambda x, i: tg.index_fill(x, i, x[0, 0], axis=1),
    "index_copy": lambda x, i: tg.index_copy(x, i, x * x, axis=0),
    "scatter": lambda x, i: tg.scatter(x, i[None], x * x, axis=0),
    "scatter_reduce": lambda x, i: tg.scatter_reduce(x, i[None], x, axis=0, reduce="prod"),
    "cumulative": lambda x, i: tg.cumulative_sum(x, axis=0) + i,
    "zeros_like": lambda x, i: tg.zeros_like(x) + tg.ones_like(x) * x + tg.full_like(x, 2.0) * i,
    "arange": lambda x, i: x * tg.arange(3) + tg.eye(3) @ x + tg.linspace(0, 1, 3) + i,
    "tril_indices": lambda x, i: x[tg.tril_indices(3)] * i[0],
    "NumPy's functions": lambda x, i: np.concatenate([np.exp(x), np.take(x, i, axis=0)]).sum(axis=0) + np.where(x > 0, x, 2.0)[0],
    "np.linalg": lambda x, i: np.linalg.norm(x, axis=0) + np.linalg.det(x @ x.T) + i,
    "detach": lambda x, i: x * x.detach() + i,
    "where": lambda x, i: tg.where(i > 1, x, x * x),
    "histogram": lambda x, i: tg.histogram(x, bins=4, weights=x * x)[0].sum() * x + i,
    "bincount": lambda x, i: tg.bincount(i, x[0], length=3) + x,
    "array API": lambda x, i: (
        (xp := x.__array_namespace__()).sum(xp.take(x, i, axis=0), axis=1) + xp.linalg.matrix_norm(x) * xp.asarray(i, dtype=x.dtype)
    ),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_and_their_gradients(name, backend):
    def f(x, i):
        out = EXPRESSIONS[name](x, i)
        return out, tg.grad((tg.sin(out)).sum(), x) if x.requires_grad else out

    def make(rng):
        return tg.tensor(rng.normal(size=(3, 3)), requires_grad=True), rng.permutation(3)

    check(f, make, backend)


@pytest.mark.parametrize("key", [lambda x: x > 0, lambda x: (slice(None), x[0] > 0)])
def test_a_mask_that_is_computed_cannot_be_a_key(key, backend):
    with pytest.raises(tg.CaptureError, match="shape of what .* depends on numbers"):
        tg.compile(lambda x: x[key(x)], backend=backend)(np.ones((3, 3)))


def test_a_metric_that_is_a_number_of_python_is_an_error(backend):
    with pytest.raises(tg.CaptureError, match=r"asked for.*test_library.py"):
        tg.compile(lambda x, y: tg.losses.accuracy(x, y), backend=backend)(np.ones((2, 3)), np.zeros(2, int))


DERIVATIVES = {
    "grad": lambda f, x: tg.grad(f(v := tg.tensor(x, requires_grad=True)), v),
    "value_and_grad": lambda f, x: tg.value_and_grad(f)(x),
    "vjp": lambda f, x: tg.vjp(tg.sin, x)[1](x),
    "jvp": lambda f, x: tg.jvp(f, (x,), (x,)),
    "jacobian": lambda f, x: tg.jacobian(tg.softmax, x),
    "hessian": lambda f, x: tg.hessian(f, x),
    "hvp": lambda f, x: tg.hvp(f, x, x),
    "third": lambda f, x: tg.hessian(lambda y: tg.grad(f(y), y, create_graph=True)[0], x),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives(name, backend):
    check(lambda x: DERIVATIVES[name](lambda y: (tg.exp(y) * y[0]).sum(), x), lambda rng: (rng.normal(size=3),), backend)


def test_einops(backend):
    einops = pytest.importorskip("einops")
    register()
    check(lambda x: einops.rearrange(x, "a (b c) -> c a b", b=2), lambda rng: (rng.normal(size=(3, 4)),), backend)
