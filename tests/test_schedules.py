"""Schedules: their shapes, as learning rates and as λ, eager and compiled, and what they say when they cannot be right."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import Schedule, nn
from tinygrad_reg.optim import FISTA, LBFGS, SGD, Adam, ProximalAdam, ProximalSGD
from tinygrad_reg.penalties import L1, L2, ElasticNet, GroupL2
from tinygrad_reg.schedules import cosine, exponential, linear, one_cycle, staircase, warm_up

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 5))
Y = X @ np.array([1.5, 0.0, -1.0, 0.0, 0.3])

SHAPES = {
    "cosine": (cosine(0.3, 20, end=0.01), lambda s, o: s.CosineAnnealingLR(o, 20, eta_min=0.01), 20),
    "staircase": (staircase(0.3, 7, 0.5), lambda s, o: s.StepLR(o, 7, 0.5), 30),
    "exponential": (exponential(0.3, 0.9), lambda s, o: s.ExponentialLR(o, 0.9), 30),
    "linear": (linear(0.3, 0.03, 20), lambda s, o: s.LinearLR(o, 1.0, 0.1, 20), 30),
    "one_cycle": (one_cycle(0.3, 25), lambda s, o: s.OneCycleLR(o, 0.3, 25), 24),
    "one_cycle, other": (
        one_cycle(0.3, 40, 0.5, 0.1, 0.02),
        lambda s, o: s.OneCycleLR(o, 0.3, 40, pct_start=0.5, div_factor=3, final_div_factor=5),
        39,
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "steps"), SHAPES.values(), ids=SHAPES)
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_shapes_as_in_pytorch(ours, theirs, steps):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, extra [bench]")
    optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.3)
    schedule = theirs(torch.optim.lr_scheduler, optimizer)
    for t in range(steps):
        assert ours(t) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        schedule.step()


def test_after_their_end_they_stay():
    assert cosine(1.0, 5, end=0.1)(5) == cosine(1.0, 5, end=0.1)(500) == 0.1
    assert linear(1.0, 0.1, 5)(500) == pytest.approx(0.1, rel=1e-15)
    assert one_cycle(1.0, 5)(4) == one_cycle(1.0, 5)(500) == 1 / 25 / 1e4


def test_warm_up_multiplies_what_comes_then():
    schedule = warm_up(exponential(1.0, 0.5), 4)
    assert [schedule(t) for t in range(6)] == [0.25, 0.25, 0.1875, 0.125, 0.0625, 0.03125]
    assert repr(schedule) == "warm_up(exponential(1, 0.5), steps=4)"


# ------------------------------------------------------------------------------------------------- learning rates


def parameter(values=(1.0, -2.0), dtype="float64"):
    return tg.tensor(list(values), requires_grad=True, name="w", dtype=dtype)


def test_a_learning_rate_follows_the_steps(mode):
    w, expected = parameter(), np.array([1.0, -2.0])
    opt = SGD([w], lr=exponential(0.1, 0.5))
    step = mode(lambda: opt.minimize((w * w).sum()))
    for t in range(6):
        assert opt.current_lr == 0.1 * 0.5**t
        step()
        expected = expected - 0.1 * 0.5**t * 2 * expected
        np.testing.assert_allclose(w.data, expected, rtol=1e-14)


def test_a_learning_rate_in_a_compiled_loop(backend):
    w, expected = parameter(), np.array([1.0, -2.0])
    opt = Adam([w], lr=linear(0.1, 0.0, 40))
    step = tg.compile(lambda: opt.minimize((w * w).sum()), backend=backend, wait=True)
    step.run(times=50)  # no step from 40 on moves anything
    other = parameter(expected)
    plain = Adam([other], lr=0.1)
    for t in range(40):
        plain.lr = 0.1 - 0.1 * t / 40
        plain.minimize((other * other).sum())
    np.testing.assert_allclose(w.data, other.data, rtol=1e-10)
    assert (opt.steps, step.stats()["captures"]) == (50, 1)


def test_a_schedule_may_take_the_place_of_a_number_and_give_it_back(mode):
    w, expected = parameter(), np.array([1.0, -2.0])
    opt = SGD([w], lr=0.1)
    step = mode(lambda: opt.minimize((w * w).sum()))
    for lr, used in (
        (0.1, [0.1, 0.1, 0.1]),
        (Schedule(lambda t: 0.01 * t), [0.03, 0.04, 0.05]),
        (0.2, [0.2, 0.2]),
        (exponential(1, 0.5), [0.5**8, 0.5**9]),
    ):
        opt.lr = lr
        for rate in used:
            step()
            expected = expected - rate * 2 * expected
            np.testing.assert_allclose(w.data, expected, rtol=1e-13)


def test_decay_divides_a_schedule_too(mode):
    w = parameter((1.0,))
    opt = SGD([w], lr=exponential(0.1, 0.5), decay=1.0)
    step = mode(lambda: opt.minimize(w.sum()))
    for _ in range(3):
        step()
    np.testing.assert_allclose(w.data, 1 - 0.1 - 0.05 / 2 - 0.025 / 3, rtol=1e-14)


def test_a_learning_rate_of_zero_moves_nothing(mode):
    w = parameter()
    opt = ProximalSGD([w], lr=Schedule(lambda t: 0.1 if t else 0.0))
    step = mode(lambda: opt.minimize(abs(w).sum()))
    step()
    np.testing.assert_array_equal(w.data, [1.0, -2.0])
    step()
    np.testing.assert_allclose(w.data, [0.9, -1.9])


# --------------------------------------------------------------------------------------------------------- lambdas

FALLING = [0.5 * 0.8**t for t in range(12)]


def by_numbers(make, kind, steps=12):
    """What a schedule must amount to: λ is set by hand before each step. The numbers go into the loss, so that none is left out."""
    w = parameter(np.zeros(5))
    opt = make([w], ())
    for t in range(steps):
        penalty = kind(FALLING[t])
        loss = lambda penalty=penalty: ((X @ w - Y) ** 2).mean() + penalty(w)  # noqa: E731
        opt.minimize(loss if isinstance(opt, FISTA) else loss())
    return w.data


OPTIMIZERS = {
    "ProximalSGD": lambda p, penalties: ProximalSGD(p, 0.1, momentum=0.5, penalties=penalties),
    "ProximalAdam": lambda p, penalties: ProximalAdam(p, 0.1, penalties=penalties),
    "FISTA": lambda p, penalties: FISTA(p, 0.1, penalties=penalties),
}
KINDS = {"L1": L1, "ElasticNet": lambda lam: ElasticNet(lam, 0.0), "GroupL2": GroupL2}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("given", [True, False], ids=["by hand", "in the loss"])
def test_lambda_follows_the_steps_of_a_proximal_optimiser(make, kind, given, mode):
    w, schedule = parameter(np.zeros(5)), exponential(0.5, 0.8)
    opt = make([w], [(w, kind(schedule))] if given else ())
    schedule.follow(opt)
    loss = lambda: ((X @ w - Y) ** 2).mean() + (0.0 if given else kind(schedule)(w))  # noqa: E731
    step = mode(lambda: opt.minimize(loss if isinstance(opt, FISTA) else loss()))
    for _ in range(12):
        step()
    expected = by_numbers(make, kind)
    np.testing.assert_allclose(w.data, expected, rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(w.data == 0, expected == 0)


def test_lambda_in_the_line_search_of_fista():
    w = parameter(np.zeros(5))
    opt = FISTA([w], penalties=[(w, L1(linear(1.0, 0.2, 30)))])
    for _ in range(300):
        opt.minimize(lambda: ((X @ w - Y) ** 2).mean())
    slope = tg.grad(((X @ w - Y) ** 2).mean(), w)
    assert L1(0.2).distance(w.data, slope.data) < 1e-6
    assert L1(0.2002).distance(w.data, slope.data) > 1e-4


def test_lambda_of_lbfgs_follows_its_searches():
    w = parameter(np.zeros(5))
    opt = LBFGS([w], penalties=[(w, L1(Schedule(lambda t: [1.0, 0.2][t])))])
    for lam in (1.0, 0.2):
        opt.minimize(lambda: ((X @ w - Y) ** 2).mean())
        assert L1(lam).distance(w.data, tg.grad(((X @ w - Y) ** 2).mean(), w).data) < 1e-7


def net(**lambdas):
    return nn.Sequential(nn.Linear(5, 3, rng=0, **lambdas), nn.Tanh(), nn.Linear(3, 1, rng=1))


@pytest.mark.parametrize("name", ["weight_lambda_l1", "weight_lambda_l2", "bias_lambda_l1", "bias_lambda_l2"])
def test_lambda_of_a_layer_follows_fit(name, mode):
    model = net(**{name: exponential(0.5, 0.9)})
    history = tg.fit(model, X, Y[:, None], epochs=12, optimizer=SGD(model.parameters(), 0.05), progress=False, compile=mode.compile)
    other = net()
    opt = SGD(other.parameters(), 0.05)
    values = []
    for t in range(12):
        setattr(other[0], name, 0.5 * 0.9**t)
        values.append(float(other.regularization_loss()))
        opt.minimize(tg.mse(other(X), Y[:, None]) + other.regularization_loss())
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-10, atol=1e-14)
    kind, which = name[-2:].upper(), name.split("_")[0]
    np.testing.assert_allclose(history[f"0.{which} {kind}"], values, rtol=1e-10)
    assert f"{name}=exponential(0.5, 0.9)" in repr(model)
    assert model.penalty_table()[0].lam == pytest.approx(0.5 * 0.9**12)


def test_fit_without_looking_runs_the_schedule_inside_the_loop(backend):
    model, looked_at = net(weight_lambda_l1=exponential(0.5, 0.9)), net(weight_lambda_l1=exponential(0.5, 0.9))
    for x, every in ((model, 50), (looked_at, 1)):
        tg.fit(x, X, Y[:, None], epochs=50, every=every, optimizer=SGD(x.parameters(), lr=cosine(0.1, 50)), progress=False, compile=backend)
    for a, b in zip(model.parameters(), looked_at.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-9, atol=1e-13)


def test_a_second_fit_starts_the_schedule_anew():
    model = net(weight_lambda_l2=(schedule := exponential(0.5, 0.5)))
    first = Adam(model.parameters())
    tg.fit(model, X, Y[:, None], epochs=5, optimizer=first, progress=False)
    assert schedule.now() == 0.5 * 0.5**5
    history = tg.fit(model, X, Y[:, None], epochs=1, progress=False)
    assert history["0.weight L2"][0] > 0
    assert schedule.optimizer is not first
    assert schedule.now() == 0.25


def test_a_schedule_may_take_the_place_of_a_lambda(mode):
    layer = nn.Linear(2, 1, weight_lambda_l2=0.5, bias=False, rng=0)
    opt = SGD(layer.parameters(), 0.1)
    step = mode(lambda: opt.minimize(layer.regularization_loss() + 0.0 * layer.weight.sum()))
    expected = layer.weight.numpy()
    other = exponential(1.0, 0.5).follow(opt)
    for lam, used in ((0.5, [0.5] * 3), (other, [0.125, 0.0625]), (0.25, [0.25]), (exponential(1.0, 0.1).follow(opt), [1e-6, 1e-7]), (0.0, [0.0])):
        layer.weight_lambda_l2 = lam
        for number in used:
            step()
            expected = expected - 0.1 * 2 * number * expected
            np.testing.assert_allclose(layer.weight.data, expected, rtol=1e-13)


def test_find_reads_the_number_of_now():
    w = parameter()
    opt = SGD([w], 0.1)
    schedule = exponential(0.5, 0.5).follow(opt)
    for expected in (0.5, 0.25):
        (term,) = tg.penalties.find((w * 2).sum() + L1(schedule)(w)).terms
        assert term.penalty == L1(expected)
        opt.minimize(w.sum())


def test_in_an_expression_of_ones_own(mode):
    w, expected = parameter(), np.array([1.0, -2.0])
    opt = SGD([w], 0.1)
    lam = exponential(0.5, 0.5).follow(opt)
    step = mode(lambda: opt.minimize(lam.now() * (w * w).sum()))
    for t in range(4):
        step()
        expected = expected - 0.1 * 0.5 * 0.5**t * 2 * expected
        np.testing.assert_allclose(w.data, expected, rtol=1e-14)


def test_single_precision_stays(mode):
    w = parameter(dtype="float32")
    opt = ProximalSGD([w], lr=cosine(0.1, 10), penalties=[(w, L1(exponential(0.5, 0.5)))])
    step = mode(lambda: opt.minimize((w * w).sum()))
    assert step().dtype == w.dtype == np.float32


# ------------------------------------------------------------------------------------------------------- bad input


def test_a_lambda_that_follows_nobody():
    w, model = parameter(), net(weight_lambda_l1=exponential(0.5, 0.5))
    for do in (lambda: L1(linear(1, 0, 3))(w), lambda: model.regularization_loss(), lambda: L2(linear(1, 0, 3)).prox(np.ones(2), 0.1)):
        with pytest.raises(RuntimeError, match=r"lam.* is the schedule .*, which does not know whose steps .*: call schedule.follow\(optimizer\)"):
            do()


BAD = {"nan": (np.nan, ValueError), "negative": (-0.1, ValueError), "infinite": (np.inf, ValueError), "text": ("0.1", TypeError)}


@pytest.mark.parametrize(("value", "kind"), BAD.values(), ids=BAD)
def test_a_schedule_that_goes_wrong_names_step_and_parameter_and_changes_nothing(value, kind, mode):
    bad = Schedule(lambda t: 0.1 if t < 2 else value, "mine")
    cases = (
        (lambda w: SGD([w], lr=bad), lambda w: (w * w).sum(), "SGD: lr at step 2 is .* schedule mine must give"),
        (lambda w: ProximalSGD([w], 0.1, penalties=[(w, L1(bad))]), lambda w: (w * w).sum(), "L1: lam of 'w' at step 2 is"),
        (lambda w: Adam([w], 0.1), lambda w: (w * w).sum() + L2(bad)(w), "L2: lam of 'w' at step 2 is"),
    )
    for make, loss, message in cases:
        w = parameter()
        opt = make(w)
        bad.follow(opt)
        step = mode(lambda opt=opt, loss=loss, w=w: opt.minimize(loss(w)))
        step(), step()
        before = w.numpy()
        with pytest.raises(kind, match=message):
            step()
        np.testing.assert_array_equal(w.data, before)
        assert opt.steps == 2


def test_a_loop_that_would_go_wrong_is_not_begun(backend):
    w = parameter()
    opt = SGD([w], lr=Schedule(lambda t: 0.1 if t < 10 else np.nan))
    step = tg.compile(lambda: opt.minimize((w * w).sum()), backend=backend, wait=True)
    step(), step()
    before = w.numpy()
    with pytest.raises(ValueError, match="SGD: lr at step 10 is nan"):
        step.run(times=20)
    if backend == "numba":  # NumPy makes the steps one by one
        np.testing.assert_array_equal(w.data, before)
        assert opt.steps == 2
    else:
        assert opt.steps == 10


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        (lambda: Schedule(0.1), TypeError, "takes a function of the step"),
        (lambda: exponential(0.1, 0.5).follow(3), TypeError, "takes an optimiser"),
        (lambda: cosine(0.1, 0), ValueError, "cosine: steps is 0; it must be at least 1"),
        (lambda: cosine(0.1, -5), ValueError, "cosine: steps is -5"),
        (lambda: linear(0.1, 0.2, 2.5), TypeError, "linear: steps is a float; it must be a whole number"),
        (lambda: linear(-0.1, 0.2, 2), ValueError, "linear: start is -0.1; it must be finite and at least 0"),
        (lambda: linear(0.1, np.nan, 2), ValueError, "linear: end is nan"),
        (lambda: staircase(0.1, 0), ValueError, "staircase: every is 0"),
        (lambda: staircase(0.1, 2, 0.0), ValueError, "staircase: factor is 0.0; it must be finite and above 0"),
        (lambda: exponential("a", 0.5), TypeError, "exponential: start is a str"),
        (lambda: warm_up(-1.0, 3), ValueError, "warm_up: then is -1.0"),
        (lambda: warm_up(1.0, 0), ValueError, "warm_up: steps is 0"),
        (lambda: one_cycle(1.0, 5, rising=1.0), ValueError, "one_cycle: rising is 1.0 of 5 steps"),
        (lambda: one_cycle(1.0, 2), ValueError, "the peak must come after the first step"),
    ],
)
def test_bad_settings(do, kind, message):
    with pytest.raises(kind, match=message):
        do()
