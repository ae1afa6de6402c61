"""check_gradients accepts what is right, of every kind and at every place, and says where and why a gradient is wrong."""

import time

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.op import OPS
from tinygrad_reg.testing import GradientMismatch, check_gradients


def caught(f, *inputs, **settings):
    """The mismatch that a check raises."""
    with pytest.raises(GradientMismatch) as found:
        check_gradients(f, *inputs, **settings)
    return found.value


@tg.op(label="sin, wrongly", domain=[tg.REAL])
def wrong_sine(x):
    return np.sin(x)


wrong_sine.defvjp(lambda g, out, x: g * tg.cos(x) * 1.001)
del OPS["wrong_sine"]  # other tests look at the whole table


# ------------------------------------------------------------------------------------ what is right


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * x * x,
        lambda x: tg.exp(x).sum(),
        lambda x: tg.softmax(x),
        lambda x: tg.relu(x) + abs(x),
        lambda x: tg.max(x, axis=0),
        lambda x: [x + 1, {"twice": 2 * x}],
        lambda x: tg.fft.fft(x),
        lambda x: 1.0 / (x * x + 1e-2),
        lambda x: tg.tensor(3.0) + 0 * x.data.sum(),
    ],
)
def test_right_gradients_pass(f, order):
    report = check_gradients(f, np.array([[0.3, -1.2], [2.0, 0.7]]), order=order)
    assert report.entries >= 4
    assert report.largest < 1e-5


def test_complex_inputs_and_results():
    z = np.array([1.0 + 2.0j, -0.5 + 0.25j])
    assert check_gradients(lambda z: z * z * tg.conj(z), z, order=2).entries == 12


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (1, 1)])
def test_small_shapes(shape):
    x = np.full(shape, 0.3)
    assert check_gradients(lambda x: tg.tanh(x) * 2, x, order=2).entries == 3 * x.size


@pytest.mark.parametrize("size", [1e-8, 1e-3, 1.0, 1e4, 1e8])
def test_inputs_of_any_size(size):
    x = size * np.array([1.0, -2.0, 3.3])
    check_gradients(lambda x: (tg.tanh(x / size) * size).sum(), x, order=2)
    caught(lambda x: np.sum(np.tanh(x / size) * size), x, grad=lambda x: 1.001 / np.cosh(x / size) ** 2)


def test_a_module_of_any_dtype_is_checked_at_double_precision_and_left_as_it_was():
    model = nn.Sequential(nn.Linear(3, 4, 0.1, 0.2, rng=0), nn.Tanh(), nn.Linear(4, 2, rng=1)).astype("float32")
    before = model.state_dict()
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert check_gradients(lambda m, x: m(x), model, x, order=2).largest < 1e-5
    assert check_gradients(model, x).entries == 26
    assert check_gradients(lambda: model(x).sum() + model.regularization_loss(), wrt=model).entries == 26
    for name, value in model.state_dict().items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, before[name])
    assert all(p.grad is None for p in model.parameters())


def test_a_model_of_323_parameters_takes_no_time():
    model = nn.Sequential(nn.Linear(2, 64, rng=0), nn.ReLU(), nn.Linear(64, 3, rng=1))
    x, y = tg.data.spiral(10, 3, rng=0)
    began = time.process_time()
    assert check_gradients(lambda m: tg.cross_entropy(m(x), y), model).entries == 387
    assert time.process_time() - began < 3.0  # it takes a tenth of a second; this is for a machine under load


def test_structures_and_names():
    params = {"w": np.array([1.0, 2.0]), "b": [tg.tensor([0.5], name="bias"), np.float64(3.0)]}
    assert check_gradients(lambda p: (p["w"] * p["b"][0]).sum() * p["b"][1], params).entries == 4
    error = caught(lambda p: wrong_sine(p["w"]).sum() + p["b"][0].sum(), params)
    assert error.input == "p['w']"
    error = caught(lambda p: wrong_sine(p["b"][0]).sum(), params)
    assert error.input == "bias"


def test_what_requires_a_gradient_is_what_is_checked():
    w, x = tg.tensor([1.0, 2.0], requires_grad=True), np.array([3.0, 4.0])
    assert check_gradients(lambda w, x: tg.tanh(w) @ x, w, x).entries == 2
    assert check_gradients(lambda w, x: tg.tanh(w) @ x, w, x, wrt=["w", "x"]).entries == 4
    assert check_gradients(lambda w, x: tg.tanh(w) @ x, w, x, wrt=1).entries == 2
    assert check_gradients(lambda x: tg.tanh(w) @ x, x, wrt=w).entries == 2


def test_labels_and_settings_are_left_alone():
    logits, labels = np.random.default_rng(0).normal(size=(4, 3)), np.array([0, 2, 1, 1])
    assert check_gradients(tg.cross_entropy, logits, labels, order=2).entries == 25


def test_random_directions_for_many_entries():
    x = np.random.default_rng(0).normal(size=(60, 50))
    report = check_gradients(lambda x: tg.tanh(x).sum(), x, order=2)
    assert report.directions >= 8
    assert report.entries < 2500
    wrong = 2 * x
    wrong[31, 7] += 0.01 * (1 + abs(x[31, 7]))
    error = caught(lambda x: np.sum(x * x), x, grad=lambda x: wrong.copy())
    assert error.index == (31, 7)


# ---------------------------------------------------------------------------------------- at kinks


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "f",
    [
        abs,
        tg.relu,
        lambda x: tg.relu(x) - tg.relu(-x),
        lambda x: tg.sign(x) * x * x,
        lambda x: tg.maximum(x, tg.flip(x)) - tg.minimum(x, 0.0),
        lambda x: tg.floor(x) + tg.sign(x),
        lambda x: tg.sort(x),
        lambda x: tg.linalg.vector_norm(x * 0 * abs(x)),
        lambda x: tg.sqrt(x * x + 1) * abs(tg.sin(x)),
    ],
)
def test_conventions_at_kinks_pass(f, order):
    check_gradients(f, np.array([0.0, 1.0, -1.0, 0.0, 2.0]), order=order)


@pytest.mark.parametrize("slope", [-1.0, -0.3, 0.0, 0.99, 1.0])
def test_at_a_kink_every_slope_between_both_sides_passes(slope):
    x = np.array([1.0, 0.0, -2.0])
    assert check_gradients(lambda x: np.sum(abs(x)), x, grad=lambda x: np.where(x == 0, slope, np.sign(x))).kinks == 1


@pytest.mark.parametrize("slope", [-1.01, 1.01, 5.0])
def test_at_a_kink_other_slopes_do_not(slope):
    error = caught(lambda x: np.sum(abs(x)), np.array([1.0, 0.0, -2.0]), grad=lambda x: np.where(x == 0, slope, np.sign(x)))
    assert (error.verdict, error.index) == ("kink", (1,))
    assert error.left == pytest.approx(-1.0, abs=1e-4)
    assert error.right == pytest.approx(1.0, abs=1e-4)


def test_sorting_equals_by_hand():
    """Of three equals one is in the middle, where no single step brings it."""

    def pull(g, x):
        found = np.zeros_like(x)
        found[np.argsort(x, kind="stable")] = g
        return found

    x = np.array([1.0, 0.5, 1.0, 1.0, -2.0])
    for seed in range(10):
        check_gradients(np.sort, x, vjp=pull, seed=seed)
    assert caught(np.sort, x, vjp=lambda g, x: np.where(x == 1.0, 1.6, 1.0) * pull(g, x)).index in [(0,), (2,), (3,)]


@pytest.mark.parametrize("distance", [1e-2, 1e-4, 1e-6, 1e-8, 1e-10])
def test_near_a_kink_there_is_no_false_alarm_and_nothing_hides(distance):
    x = np.array([distance, -distance])
    check_gradients(lambda x: tg.relu(x) + tg.sin(x), x, order=2)
    error = caught(lambda x: np.sum(np.maximum(x, 0)), x, grad=lambda x: np.where(x > 0, 0.999, 0.0))
    assert error.index == (0,)
    assert caught(lambda x: np.sum(np.maximum(x, 0)), x, grad=lambda x: np.where(x > 0, 0.0, 0.0)).rule == 0.0


def test_infinite_slopes_are_right_where_calculus_says_so_only():
    check_gradients(tg.sqrt, np.array([0.0, 4.0]))
    error = caught(lambda x: np.sum(x), np.array([1.0, 2.0]), grad=lambda x: np.array([1.0, np.inf]))
    assert (error.verdict, error.index) == ("non-finite", (1,))
    error = caught(lambda x: np.sum(x), np.array([1.0, 2.0]), grad=lambda x: np.array([np.nan, 1.0]))
    assert "NaN or infinite" in error.pattern


# ------------------------------------------------------------------------------------ what is wrong


def hand(rule, f=lambda x: np.sum(np.sin(x)), x=None):
    """The mismatch of Σ sin x with a gradient by hand."""
    x = np.random.default_rng(0).normal(size=(3, 3)) if x is None else x
    return caught(f, x, grad=rule)


@pytest.mark.parametrize(
    ("rule", "verdict", "pattern"),
    [
        (lambda x: np.cos(x) * 1.001, "wrong rule", "off by a factor of 1.001"),
        (lambda x: 2 * np.cos(x), "wrong rule", "off by a factor of 2"),
        (lambda x: np.cos(x) / 9, "wrong rule", "mean or sum"),
        (lambda x: -np.cos(x), "wrong rule", "sign"),
        (lambda x: 0 * x, "wrong rule", "gives zero"),
        (lambda x: np.cos(x).T.copy(), "wrong rule", "transposed"),
        (lambda x: np.cos(x)[::-1].copy(), "wrong rule", "turned round along axis 0"),
        (lambda x: np.cos(x) + 0.25, "wrong rule", "missing that is the same everywhere: -0.25"),
        (lambda x: np.cos(x) + np.array([[1.0], [2.0], [3.0]]), "wrong rule", "the same along axis 1"),
        (lambda x: np.where(x == x[1, 2], 0.0, np.cos(x)), "wrong rule", "all other entries are right"),
        (lambda x: np.cos(x).reshape(9), "wrong shape", "reshape to (3, 3)"),
        (lambda x: np.cos(x).astype(np.float32), "wrong dtype", ""),
        (lambda x: x, "aliased", ""),
    ],
)
def test_the_verdict_and_the_guess(rule, verdict, pattern):
    error = hand(rule)
    assert error.verdict == verdict
    assert pattern in error.pattern
    assert error.input == "x"


def test_a_single_entry_that_is_wrong_by_a_thousandth_is_named():
    mask = np.ones((3, 3))
    mask[1, 2] = 1.001
    error = hand(lambda x: np.cos(x) * mask)
    assert error.index == (1, 2)
    assert error.numeric == pytest.approx(np.cos(error.inputs["x"][1, 2]), rel=1e-9)
    assert error.error < 1e-10


def test_a_missing_sum_and_swapped_gradients():
    x, b = np.random.default_rng(0).normal(size=(2, 3)), np.ones(3)
    error = caught(lambda x, b: np.sum((x + b) ** 2), x, b, grad=lambda x, b: (2 * (x + b), 2 * (x + b)))
    assert (error.verdict, error.pattern, error.input) == ("wrong shape", "missing sum over axis 0", "b")
    error = caught(lambda x, y: np.sum(x * x * y), x, x + 1, grad=lambda x, y: (x * x, 2 * x * y))
    assert "another input" in error.pattern


def test_a_function_that_writes_to_its_input_or_is_random_or_is_not_linear():
    def writes(x):
        x *= 2
        return np.sum(x)

    assert caught(writes, np.ones(3), grad=lambda x: 2 * np.ones(3)).verdict == "writes to its input"
    rng = np.random.default_rng(0)
    assert caught(lambda x: tg.sum(x * rng.normal()), np.ones(3)).verdict == "not deterministic"
    assert caught(lambda x: 2 * x, np.ones(3), vjp=lambda g, x: 2 * g + 1).verdict == "not linear"


def test_a_value_taken_out_of_the_graph():
    error = caught(lambda x: x * tg.tensor(x.data), np.array([1.0, 2.0, 3.0]))
    assert error.pattern == "off by a factor of 0.5"


def test_a_wrong_second_derivative_alone(own_ops):
    @tg.op(label="its rule is flat", domain=[tg.REAL])
    def frozen_slope(x):
        return x**3

    frozen_slope.defvjp(lambda g, out, x: g * np.asarray(3 * getattr(x, "_data", x) ** 2))
    x = np.array([1.0, 2.0])
    check_gradients(frozen_slope, x)
    error = caught(frozen_slope, x, order=2)
    assert error.function == "the gradient of frozen_slope"


def test_single_precision_can_be_insisted_on():
    x = np.array([0.3, -1.2, 2.0])
    check_gradients(lambda x: tg.tanh(x) * 3, x, dtype="float32", order=2)
    assert caught(lambda x: np.sum(np.tanh(x)), x, dtype="float32", grad=lambda x: 1.05 * (1 - np.tanh(x) ** 2)).verdict == "wrong rule"


def test_a_function_that_rounds_to_float32_on_the_way_is_no_false_alarm():
    x = np.array([0.3, -1.2, 2.0])

    def f(x):
        return np.sum(np.tanh(x.astype(np.float32)), dtype=np.float64)

    check_gradients(f, x, grad=lambda x: 1 - np.tanh(x) ** 2)
    caught(f, x, grad=lambda x: 1.05 * (1 - np.tanh(x) ** 2))


# ------------------------------------------------------------------------------------- the message


def test_the_code_of_the_message_shows_the_slope():
    def f(x):
        return wrong_sine(x) * 2

    error = caught(f, np.array([[0.5, 1.0]]))
    printed = []
    exec(error.code, {"f": f, "print": printed.append})
    assert printed[0] == pytest.approx(error.numeric, rel=1e-6)
    assert "wrong rule in 'x' at index" in str(error)
    assert "± " in str(error)
    assert "off by a factor of 1.001" in str(error)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: check_gradients(abs, np.ones(2), order=3), ValueError, "order is 3; it must be 1 or 2"),
        (lambda: check_gradients(abs, 3), ValueError, "nothing to differentiate by"),
        (lambda: check_gradients(abs, np.ones(2), dtype="int64"), TypeError, "dtype is int64"),
        (lambda: check_gradients(abs, np.ones(2), wrt="y"), ValueError, "wrt='y' is none of the inputs"),
        (lambda: check_gradients(abs, np.ones(2), wrt=3.5), TypeError, "wrt takes places, names, Tensors and modules"),
        (lambda: check_gradients(lambda x: x > 0, np.ones(2)), TypeError, "only floats have a gradient"),
        (lambda: check_gradients(abs, np.ones(2), grad=np.sign), ValueError, "returns 2 numbers, and grad= is the gradient of one"),
        (lambda: check_gradients(np.sum, np.ones(2), grad=np.ones_like, order=2), ValueError, "order=2 needs a function of Tensors"),
        (lambda: check_gradients(np.sum, np.ones(2), grad=np.ones_like, vjp=np.ones_like), ValueError, "not both"),
        (lambda: check_gradients(lambda x, y: np.sum(x), np.ones(2), np.ones(2), grad=lambda x, y: np.ones(2)), ValueError, "one for each of: x, y"),
    ],
)
def test_bad_input(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_a_function_may_refuse_what_lies_outside_of_its_domain():
    def root(x):
        if np.any(np.asarray(x) < 0.49):
            raise ValueError("too small")
        return np.sum(np.sqrt(x))

    x = np.array([0.5, 2.0])
    check_gradients(root, x, grad=lambda x: 0.5 / np.sqrt(x))
    assert caught(root, x, grad=lambda x: 0.5005 / np.sqrt(x)).verdict == "wrong rule"
    assert check_gradients(lambda x: tg.linalg.cholesky(x), np.array([[2.0, 0.5], [0.5, 1.0]])).entries == 4


def test_where_the_function_is_not_finite_says_so():
    error = caught(tg.log, np.array([1.0, 0.0]))
    assert error.verdict == "non-finite"
    assert "choose inputs where it is finite" in str(error)
