"""Activations: PyTorch's values and slopes of both orders, kinks, large numbers, and refused settings."""

import numpy as np
import pytest
from against_torch import assert_as_torch, drawn

import tinygrad_reg as tg

INF, NAN = np.inf, np.nan
SETTINGS = {
    "leaky_relu": [{}, {"negative_slope": 0.3}, {"negative_slope": 2.0}, {"negative_slope": -0.5}],
    "elu": [{}, {"alpha": 2.5}],
    "celu": [{}, {"alpha": 2.5}],
    "selu": [{}],
    "gelu": [{}, {"approximate": "tanh"}],
    "silu": [{}],
    "mish": [{}],
    "hardtanh": [{}, {"min_val": -2.0, "max_val": 0.5}],
    "hardswish": [{}],
    "relu6": [{}],
    "softsign": [{}],
    "logsigmoid": [{}],
    "tanhshrink": [{}],
    "softshrink": [{}, {"lambd": 1.5}, {"lambd": 0.0}],
    "hardshrink": [{}, {"lambd": 1.5}, {"lambd": 0.0}],
    "threshold": [{"threshold": 0.3, "value": 2.0}],
}
CASES = [(name, settings) for name, several in SETTINGS.items() for settings in several]


def slope(f, x, order=1):
    """The derivative of f of any order, elementwise."""
    t = tg.Tensor(x, requires_grad=True)
    out = f(t)
    for _ in range(order):
        out = tg.grad(out, t, np.ones(t.shape, t.dtype), create_graph=True)
    return out.numpy()


@pytest.mark.parametrize("shape", [(4, 5), (), (0, 2)], ids=str)
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_as_pytorch(name, settings, shape):
    functional = pytest.importorskip("torch").nn.functional
    ours, theirs = getattr(tg, name), getattr(functional, name)
    assert_as_torch(lambda x: ours(x, **settings), lambda x: theirs(x, **settings), drawn(-7, 7, shape))


def test_hardsigmoid_as_pytorch():
    torch = pytest.importorskip("torch")
    # PyTorch's slope of 1/6 has single precision, and no derivative.
    assert_as_torch(tg.hardsigmoid, torch.nn.functional.hardsigmoid, drawn(-5, 5, (4, 5)), rtol=1e-6, orders=1)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_of_large_numbers_values_and_both_slopes_are_finite(name):
    settings = SETTINGS[name][-1]
    for dtype, largest in (("float64", 1e300), ("float32", 1e38)):
        x = np.array([-largest, -1e15, -1e4, -100, 100, 1e4, 1e15, largest], dtype)
        for order in range(3):
            found = slope(lambda t: getattr(tg, name)(t, **settings), x, order)
            assert np.isfinite(found).all()
            assert found.dtype == dtype


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_nan_passes_through(name):
    assert np.isnan(getattr(tg, name)(np.array([NAN, 1.0]), **SETTINGS[name][0])[0])


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (lambda x: tg.leaky_relu(x, 0.1), [0.0], [0.1]),
        (lambda x: tg.elu(x, 2.0), [0.0], [2]),
        (tg.celu, [0.0], [1]),
        (tg.hardtanh, [-1.0, 0.0, 1.0], [0, 1, 0]),
        (tg.relu6, [0.0, 3.0, 6.0], [0, 1, 0]),
        (tg.hardsigmoid, [-3.0, 0.0, 3.0], [0, 1 / 6, 0]),
        (tg.hardswish, [-3.0, 0.0, 3.0], [0, 0.5, 1]),
        (tg.softshrink, [-0.5, 0.0, 0.5], [0, 0, 0]),
        (tg.hardshrink, [-0.5, 0.0, 0.5], [0, 0, 0]),
        (lambda x: tg.threshold(x, 1.0, 5.0), [0.0, 1.0, 2.0], [0, 0, 1]),
        (tg.softsign, [0.0], [1]),
    ],
)
def test_slopes_at_kinks(f, at, expected):
    np.testing.assert_array_equal(slope(f, at), expected)


def test_small_results_keep_their_digits():
    assert tg.silu(-700.0) == pytest.approx(-700 * np.exp(-700.0), rel=1e-13)
    assert tg.logsigmoid(700.0) == pytest.approx(-np.exp(-700.0), rel=1e-13)
    assert tg.gelu(-30.0) == pytest.approx(-1.4720080137e-196, rel=1e-9)  # -30·Φ(-30), Φ(-30) = 4.906713927148187e-198
    assert tg.gelu(-5.0, approximate="tanh") == pytest.approx(-2.2917961972623e-07, rel=1e-12)
    assert tg.elu(-1e-18) == -1e-18


def test_other_names():
    assert tg.swish is tg.silu
    assert tg.log_sigmoid is tg.log_expit is tg.logsigmoid
    assert tg.expit is tg.sigmoid


def test_softshrink_is_the_proximal_step_of_the_sum_of_sizes():
    (x,) = drawn(-2, 2, (9,))
    candidates = np.linspace(-2, 2, 4001)
    best = candidates[np.argmin((candidates - x[:, None]) ** 2 / 2 + 0.7 * np.abs(candidates), axis=1)]
    np.testing.assert_allclose(tg.softshrink(x, 0.7), best, atol=1e-3)


# ------------------------------------------------------------------------------------------ prelu, glu


@pytest.mark.parametrize(
    "shapes", [((2, 3), (3,)), ((2, 3, 4), (3,)), ((2, 3, 4, 2), (3,)), ((2, 3), (1,)), ((5,), (1,)), ((2, 3), ()), ((0, 3), (3,))], ids=str
)
def test_prelu_as_pytorch(shapes):
    functional = pytest.importorskip("torch").nn.functional
    assert_as_torch(tg.prelu, functional.prelu, drawn(-2, 2, *shapes))


@pytest.mark.parametrize(("shape", "axis"), [((4, 6), -1), ((4, 6), 0), ((2, 4, 3), 1), ((2,), 0), ((0, 2), 1)])
def test_glu_as_pytorch(shape, axis):
    functional = pytest.importorskip("torch").nn.functional
    assert_as_torch(lambda x: tg.glu(x, axis), lambda x: functional.glu(x, axis), drawn(-4, 4, shape))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tg.gelu(tg.ones(2), approximate="erf"), "gelu: there is no approximation 'erf'.*'none' or 'tanh'"),
        (lambda: tg.glu(tg.ones((2, 3))), r"glu: axis -1 has 3 entries, which cannot be halved.*shape \(2, 3\)"),
        (lambda: tg.glu(tg.ones((2, 4)), axis=2), "glu: there is no axis 2 in an array of 2 axes"),
        (lambda: tg.glu(tg.ones(())), "glu: there is no axis -1 in an array of 0 axes"),
        (lambda: tg.prelu(tg.ones((2, 3)), tg.ones(2)), r"prelu: weight of shape \(2,\) and x of shape \(2, 3\): give one weight, or one for each"),
        (lambda: tg.prelu(tg.ones(3), tg.ones(3)), r"prelu: weight of shape \(3,\) and x of shape \(3,\)"),
        (lambda: tg.softshrink(tg.ones(2), -1.0), "softshrink: lambd is -1.0; it is a width and must be ≥ 0"),
        (lambda: tg.hardshrink(tg.ones(2), lambd=-1), "hardshrink: lambd is -1"),
        (lambda: tg.hardtanh(tg.ones(2), 1.0, -1.0), "hardtanh: min_val is 1.0 and max_val is -1.0.*min_val must be smaller"),
        (lambda: tg.celu(tg.ones(2), alpha=0), "celu: alpha is 0; it is a width and must be > 0"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "silu", "gelu", "logsigmoid", "softsign", "hardswish", "mish"])
def test_small_whole_numbers_do_not_wrap_around(name):
    for dtype in ("uint8", "int8"):
        x = np.array([0, 3, 100]).astype(dtype)
        np.testing.assert_allclose(getattr(tg, name)(tg.Tensor(x)).data, getattr(tg, name)(x.astype(float)), rtol=1e-3)
