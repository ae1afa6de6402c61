"""Random Tensors: NumPy's distributions, one stream, gradients in the parameters."""

import numpy as np
import pytest
from numeric import differences

import tinygrad_reg as tg

random = tg.random
PAIR = np.array([[0.5], [2.0]]), np.array([1.0, 2.0, 3.0])
FORMULAS = {
    "normal": PAIR,
    "uniform": (PAIR[0], PAIR[0] + PAIR[1]),
    "exponential": PAIR[:1],
    "laplace": PAIR,
    "logistic": PAIR,
    "gumbel": PAIR,
    "lognormal": PAIR,
    "rayleigh": PAIR[:1],
    "weibull": PAIR[1:],
}
ALL = {**FORMULAS, "gamma": PAIR, "beta": PAIR}
DISCRETE = {"bernoulli": (PAIR[0] / 3,), "binomial": (5, PAIR[0] / 3), "poisson": PAIR[1:]}
LAWS = {
    "normal": lambda s: s.norm(1.0, 2.0),
    "uniform": lambda s: s.uniform(1.0, 1.0),
    "exponential": lambda s: s.expon(scale=1.0),
    "laplace": lambda s: s.laplace(1.0, 2.0),
    "logistic": lambda s: s.logistic(1.0, 2.0),
    "gumbel": lambda s: s.gumbel_r(1.0, 2.0),
    "lognormal": lambda s: s.lognorm(2.0, scale=np.e),
    "rayleigh": lambda s: s.rayleigh(scale=1.0),
    "weibull": lambda s: s.weibull_min(1.0),
    "gamma": lambda s: s.gamma(1.0, scale=2.0),
    "beta": lambda s: s.beta(1.0, 2.0),
}


@pytest.mark.parametrize(("name", "law"), LAWS.items(), ids=LAWS)
def test_draws_follow_the_law(name, law):
    stats = pytest.importorskip("scipy.stats", reason="the laws are SciPy's")
    drawn = getattr(random, name)(*(1.0, 2.0)[: len(ALL[name])], 20_000, rng=3)
    assert stats.kstest(drawn.data, law(stats).cdf).pvalue > 1e-3


@pytest.mark.parametrize(("name", "parameters"), (ALL | DISCRETE).items(), ids=ALL | DISCRETE)
def test_size_seed_and_broadcasting(name, parameters):
    draw = getattr(random, name)
    shape = np.broadcast_shapes(*map(np.shape, parameters))
    first = draw(*parameters, rng=0)
    assert first.shape == shape
    np.testing.assert_array_equal(first.data, draw(*parameters, rng=np.random.default_rng(0)).data)
    assert draw(*parameters, (4, *shape), rng=0).shape == (4, *shape)
    tg.manual_seed(0)
    np.testing.assert_array_equal(draw(*parameters).data, first.data)
    assert draw(*(p if np.ndim(p) == 0 else np.ravel(p)[0] for p in parameters), rng=0).shape == ()
    assert draw(*parameters, (0, *shape), rng=0).size == 0
    with pytest.raises(ValueError, match=f"{name}: parameters of shapes .* do not broadcast to size"):
        draw(*parameters, (7,), rng=0)
    with pytest.raises(TypeError, match="rng is a str"):
        draw(*parameters, rng="seed")


@pytest.mark.parametrize(("name", "parameters"), FORMULAS.items(), ids=FORMULAS)
def test_formulas_differentiate_twice_in_their_parameters(name, parameters):
    def total(values):
        return np.sum(np.sin(getattr(random, name)(*values, rng=1).data))

    def slopes(values):
        tensors = [tg.Tensor(v, requires_grad=True) for v in values]
        x = getattr(random, name)(*tensors, rng=1)
        total = (x * x * x).sum()
        return tensors, tg.grad(total, tensors, create_graph=True)

    tensors = [tg.Tensor(v, requires_grad=True) for v in parameters]
    x = getattr(random, name)(*tensors, rng=1)
    cosine = tg.Tensor(np.cos(x.data))
    for i, found in enumerate(tg.grad(x, tensors, cosine)):
        np.testing.assert_allclose(found.data, differences(total, list(parameters), i), rtol=1e-6, atol=1e-8)
    tensors, firsts = slopes(parameters)
    seconds = tg.grad(sum(f.sum() for f in firsts), tensors)
    for i, second in enumerate(seconds):
        expected = differences(lambda values: sum(np.sum(f.data) for f in slopes(values)[1]), list(parameters), i)
        np.testing.assert_allclose(second.data, expected, rtol=1e-5, atol=1e-6)


def test_gamma_differentiates_in_scale_alone():
    scale = tg.Tensor([1.0, 2.0], requires_grad=True)
    x = random.gamma(2.0, scale, rng=0)
    x.sum().backward()
    np.testing.assert_allclose(scale.grad.data, x.data / scale.data)
    for call in (lambda: random.gamma(scale, 1.0), lambda: random.beta(scale, 1.0)):
        with pytest.raises(TypeError, match=r"requires a gradient, and what is drawn has none in it. Use .*\.detach\(\)"):
            call()


@pytest.mark.parametrize("name", ALL)
def test_float32_parameters_give_float32(name):
    parameters = [tg.Tensor(p, dtype="float32") for p in ALL[name]]
    assert getattr(random, name)(*parameters, rng=0).dtype == np.float32
    assert getattr(random, name)(*(1.0, 2.0)[: len(parameters)], 3, dtype="float32").dtype == np.float32
    assert random.standard_normal(3, dtype="float32").dtype == np.float32


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: random.normal(0.0, -1.0), "normal: scale must not be negative; got -1"),
        (lambda: random.weibull(0.0), "weibull: a must be greater than 0"),
        (lambda: random.gamma(-1.0), "gamma: shape must be greater than 0"),
        (lambda: random.bernoulli([0.5, 1.5]), "bernoulli: p is a probability"),
        (lambda: random.bernoulli(np.nan), "bernoulli: p is a probability"),
    ],
)
def test_parameters_that_do_not_fit(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_bernoulli_says_yes_as_often_as_it_should():
    assert random.bernoulli(0.0, 100).data.sum() == 0
    assert random.bernoulli(1.0, 100).data.all()
    found = random.bernoulli(tg.Tensor([0.2, 0.7], requires_grad=True), (10_000, 2), rng=0)
    assert not found.requires_grad
    assert found.dtype == np.bool_
    np.testing.assert_allclose(found.data.mean(axis=0), [0.2, 0.7], atol=0.02)


def test_integers_as_numpys_and_from_a_legacy_state():
    np.testing.assert_array_equal(random.integers(3, 9, 20, rng=0).data, np.random.default_rng(0).integers(3, 9, 20))
    np.testing.assert_array_equal(random.randint(9, size=20, rng=0).data, np.random.default_rng(0).integers(9, size=20))
    assert set(random.integers(0, 1, 100, endpoint=True, rng=0).data) == {0, 1}
    assert random.integers(5, size=3, dtype=tg.int32).dtype == np.int32
    legacy = random.integers(5, size=(2, 3), rng=np.random.RandomState(0))
    np.testing.assert_array_equal(legacy.data, np.random.RandomState(0).randint(0, 5, (2, 3), dtype=np.int64))


def test_permutation_and_choice_keep_the_graph():
    x = tg.Tensor(np.arange(12.0).reshape(3, 4), requires_grad=True)
    mixed = random.permutation(x, axis=1, rng=0)
    assert sorted(mixed.data[0]) == [0, 1, 2, 3]
    np.testing.assert_array_equal(mixed.data[1] - mixed.data[0], 4)
    (mixed * mixed).sum().backward()
    np.testing.assert_array_equal(x.grad.data, 2 * x.data)
    x.grad = None
    picked = random.choice(x, 5, axis=-1, p=[0, 0, 1, 0], rng=0)
    np.testing.assert_array_equal(picked.data, x.data[:, [2] * 5])
    picked.sum().backward()
    assert x.grad.data[:, 2].tolist() == [5, 5, 5]
    assert random.choice(4, 4, replace=False, rng=0).data.tolist() == np.random.default_rng(0).choice(4, 4, replace=False).tolist()
    assert sorted(random.permutation(5).tolist()) == [0, 1, 2, 3, 4]
    for call in (random.permutation, random.choice):
        with pytest.raises(IndexError, match="there is no axis 2"):
            call(x, axis=2)
