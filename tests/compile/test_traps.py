"""What could surprise somebody who compiles an ordinary step, a test for each surprise."""

import copy
import gc
import pickle
import threading
import tracemalloc
from collections import namedtuple

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn, optim


class Twin:
    """The same model, data and step twice: one compiled, one eager."""

    def __init__(self, backend, make_optimizer=lambda p: optim.SGD(p, lr=0.1), hidden=4, layers=(), **lambdas):
        self.model = nn.Sequential(nn.Linear(2, hidden, rng=0, **lambdas), nn.Tanh(), *layers, nn.Linear(hidden, 3, rng=1, **lambdas))
        self.eager_model = copy.deepcopy(self.model)
        self.optimizer, self.eager_optimizer = make_optimizer(self.model.parameters()), make_optimizer(self.eager_model.parameters())
        rng = np.random.default_rng(0)
        self.x, self.y = rng.normal(size=(6, 2)), rng.integers(0, 3, 6)
        self.compiled = tg.compile(self.step_of(self.model, self.optimizer), backend=backend, wait=True)
        self.eager = self.step_of(self.eager_model, self.eager_optimizer)

    @staticmethod
    def step_of(model, optimizer):
        def step(x, y):
            return optimizer.minimize(tg.cross_entropy(model(x), y) + model.regularization_loss())

        return step

    def check(self, times=3, x=None, y=None):
        x, y = self.x if x is None else x, self.y if y is None else y
        for _ in range(times):
            np.testing.assert_allclose(self.compiled(x, y).data, self.eager(x, y).data, rtol=1e-12)
        for (name, a), (_, b) in zip(self.model.named_tensors(), self.eager_model.named_tensors(), strict=True):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-11, atol=1e-14, err_msg=name)

    def both(self, change):
        change(self.model, self.optimizer)
        change(self.eager_model, self.eager_optimizer)


def test_a_step_is_captured_once_and_replayed(backend):
    twin = Twin(backend)
    twin.check(times=10)
    assert twin.compiled.stats()["captures"] == 1
    assert twin.compiled.stats()["backend"] == backend


def test_states_are_called_as_the_whole_model_calls_them():
    twin = Twin("numpy")
    twin.check(1)
    assert [x.name for x in twin.compiled.program.of_kind("state")][:4] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_weights_loaded_between_calls(backend):
    twin = Twin(backend)
    twin.check()
    state = {name: value + 0.5 for name, value in twin.model.state_dict().items()}
    twin.both(lambda model, _: model.load_state_dict(state))
    twin.check()
    assert twin.compiled.stats()["captures"] == 1


def test_weights_assigned_and_changed_in_eager_mode_between_calls(backend):
    def change(model, _):
        model[0].weight.assign(np.ones((2, 4)))
        with tg.no_grad():
            w = model[2].weight
            w -= 0.25

    twin = Twin(backend)
    twin.check()
    twin.both(change)
    twin.check()


def test_an_eager_step_between_compiled_ones(backend):
    twin = Twin(backend, lambda p: optim.Adam(p, lr=0.05))
    twin.check()
    twin.both(lambda model, optimizer: optimizer.minimize((model(twin.x) ** 2).sum()))
    twin.check()


def test_learning_rate_schedule(backend):
    twin = Twin(backend, lambda p: optim.Adam(p, lr=0.1, decay=0.1))
    for lr in (0.1, 0.05, 0.2):
        twin.both(lambda _, optimizer, lr=lr: setattr(optimizer, "lr", lr))
        twin.check()
    assert twin.compiled.stats()["captures"] == 1


def test_lambda_changed(backend):
    twin = Twin(backend, weight_lambda_l2=0.1, bias_lambda_l1=0.01)
    twin.check()
    twin.both(lambda model, _: setattr(model[0], "weight_lambda_l2", 0.7))
    twin.check()
    assert twin.compiled.stats()["captures"] == 1


def test_each_lambda_stays_with_its_layer_where_steps_of_large_layers_are_grouped(backend):
    def own_step():
        model = nn.Sequential(nn.Linear(520, 256, 1e-3, 1e-2, rng=0), nn.ReLU(), nn.Linear(256, 3, 2e-3, 3e-2, rng=1))
        optimizer = optim.SGD(model.parameters(), lr=0.01)
        return lambda x, y: optimizer.minimize(tg.cross_entropy(model(x), y) + model.regularization_loss())

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 520)), rng.integers(0, 3, 4)
    compiled, eager = tg.compile(own_step(), backend=backend, wait=True), own_step()
    for _ in range(3):
        np.testing.assert_allclose(compiled(x, y).data, eager(x, y).data, rtol=1e-10)


def test_lambda_switched_on_and_off(backend):
    twin = Twin(backend)
    twin.check()
    for lam in (0.5, 0.0, 0.25):
        twin.both(lambda model, _, lam=lam: setattr(model[0], "weight_lambda_l1", lam))
        twin.check()
    assert twin.compiled.stats()["captures"] == 2


def test_other_settings_of_the_optimiser_changed(backend):
    twin = Twin(backend, lambda p: optim.Adam(p, lr=0.05))
    twin.check()
    twin.both(lambda _, optimizer: setattr(optimizer, "betas", (0.5, 0.9)))
    twin.check()


def test_train_and_eval_switched(backend):
    layer = nn.Sequential(nn.Dropout(0.5, rng=0), nn.BatchNorm1d(4))
    x = np.random.default_rng(0).normal(size=(5, 4))
    compiled, twin = tg.compile(layer, backend=backend, wait=True), copy.deepcopy(layer)
    for training in (True, False, True, False):
        layer.train(training)
        twin.train(training)
        for _ in range(2):
            np.testing.assert_allclose(compiled(x).data, twin(x).data, rtol=1e-12)
    assert compiled.stats()["captures"] == 2


def test_dropout_is_drawn_anew_and_can_be_seeded(backend):
    draw = tg.compile(lambda x: tg.dropout(x, 0.5), backend=backend, wait=True)
    x = np.ones(1000)
    first, second = draw(x).data, draw(x).data
    assert (first != second).any()
    tg.manual_seed(3)
    again = [draw(x).data for _ in range(3)]
    tg.manual_seed(3)
    for expected in again:
        np.testing.assert_array_equal(tg.dropout(tg.tensor(x), 0.5).data, expected)


def test_random_numbers_are_drawn_anew(backend):
    f = tg.compile(lambda x: x + tg.random.normal(0.0, 2.0, (4,), rng=rng), backend=backend, wait=True)
    rng = np.random.default_rng(5)
    compiled = [f(np.zeros(4)).data for _ in range(3)]
    rng = np.random.default_rng(5)
    np.testing.assert_allclose(compiled, [tg.random.normal(0.0, 2.0, (4,), rng=rng).data for _ in range(3)])


# ------------------------------------------------------------------------------- looking at numbers


@pytest.mark.parametrize(
    "look",
    [
        lambda t: 1 if t > 0 else 2,
        float,
        bool,
        int,
        lambda t: t.item(),
        lambda t: t.numpy(),
        lambda t: t.tolist(),
        lambda t: t.data + 1,
        lambda t: np.asarray(t.detach()),
        lambda t: f"{t:.3f}",
        lambda t: [0, 1, 2][t.astype("int64")],
        lambda t: max(t, t + 1),
    ],
)
def test_looking_at_a_number_is_an_error_that_names_the_line(look, backend):
    def step(x):
        return tg.sum(x) * look(tg.sum(x))  # this line

    with pytest.raises(tg.CaptureError, match=r"test_traps.py:\d+: (.*this line|.*look.*|.*lambda.*)"):
        tg.compile(step, backend=backend)(np.ones(2))


def test_looking_at_a_parameter_is_an_error(backend):
    w = tg.tensor([1.0], requires_grad=True)
    with pytest.raises(tg.CaptureError, match="asked for"):
        tg.compile(lambda: w * float(w), backend=backend)()
    assert w.grad is None


def test_the_cure_for_an_if(backend):
    f = tg.compile(lambda x: tg.where(x > 0, x, -2 * x), backend=backend, wait=True)
    for x in ([1.0, -1.0], [-3.0, 0.0]):
        np.testing.assert_array_equal(f(np.array(x)).data, np.where(np.array(x) > 0, x, -2 * np.array(x)))


def test_printing_shows_a_placeholder(backend, capsys):
    f = tg.compile(lambda x: (print(x), x + 1)[1], backend=backend)
    f(np.ones(3))
    f(np.ones(3))
    assert capsys.readouterr().out.count("traced float64 of shape (3,)") == 1


# ------------------------------------------------------------------------------------ what may change


def test_a_number_in_a_closure_that_changes(backend):
    factor = 2.0
    f = tg.compile(lambda x: x * factor, backend=backend, wait=True)
    for factor in (2.0, 3.0, 2.0, -0.0):
        np.testing.assert_array_equal(f(np.ones(2)).data, np.ones(2) * factor)


SCALE = 1.0


def _scaled(x):
    return x * SCALE


def test_a_global_number_that_changes_also_behind_a_helper(backend, monkeypatch):
    f = tg.compile(lambda x: _scaled(x), backend=backend, wait=True)
    assert float(f(np.ones(()))) == 1.0
    monkeypatch.setitem(globals(), "SCALE", 5.0)
    assert float(f(np.ones(()))) == 5.0


def test_a_mutable_default_and_containers(backend):
    def f(x, settings={"scale": 2.0}):  # noqa: B006 - that is what is tested
        return x * settings["scale"] * weights[0]

    weights = [1.0]
    compiled = tg.compile(f, backend=backend, wait=True)
    assert float(compiled(np.ones(()))) == 2.0
    f.__defaults__[0]["scale"] = 3.0
    assert float(compiled(np.ones(()))) == 3.0
    weights[0] = 10.0
    assert float(compiled(np.ones(()))) == 30.0


def test_an_attribute_of_a_users_own_object(backend):
    class Settings:
        lam = 0.0

        def __init__(self):
            self.lam = 1.0

    settings = Settings()
    f = tg.compile(lambda x: x * settings.lam, backend=backend, wait=True)
    assert float(f(np.ones(()))) == 1.0
    settings.lam = 4.0
    assert float(f(np.ones(()))) == 4.0


def test_an_attribute_of_a_users_own_module(backend):
    class Scaled(nn.Module):
        def __init__(self):
            self.factor = 2.0

        def forward(self, x):
            return x * self.factor

    model = Scaled()
    compiled = tg.compile(model, backend=backend, wait=True)
    assert float(compiled(np.ones(()))) == 2.0
    model.factor = 7.0
    assert float(compiled(np.ones(()))) == 7.0


def test_an_array_in_a_closure_that_changes_in_place(backend):
    scale = np.array([1.0, 2.0])
    f = tg.compile(lambda x: x * scale, backend=backend, wait=True)
    np.testing.assert_array_equal(f(np.ones(2)).data, [1.0, 2.0])
    scale[0] = 9.0
    np.testing.assert_array_equal(f(np.ones(2)).data, [9.0, 2.0])


def test_a_parameter_replaced_by_another(backend):
    model = nn.Linear(1, 1, init="zeros")
    f = tg.compile(model, backend=backend, wait=True)
    assert float(f(np.ones((1, 1)))) == 0.0
    model.weight = tg.tensor([[3.0]], requires_grad=True)
    assert float(f(np.ones((1, 1)))) == 3.0


def test_arguments_that_are_no_arrays(backend):
    f = tg.compile(lambda x, times, *, name="a": x * times + len(name), backend=backend, wait=True)
    x = np.ones(())
    assert [float(f(x, 2)), float(f(x, 3)), float(f(x, 2, name="abc")), float(f(x, 2))] == [3.0, 4.0, 5.0, 3.0]
    assert f.stats()["captures"] == 3


def test_a_new_batch_size_and_dtype(backend):
    twin = Twin(backend)
    twin.check()
    twin.check(x=twin.x[:2], y=twin.y[:2])
    twin.check()
    assert twin.compiled.stats()["captures"] == 2
    f = tg.compile(lambda x: x + 1, backend=backend, wait=True)
    assert f(np.ones(2, "f4")).dtype == np.float32
    assert f(np.ones(2)).dtype == np.float64


def test_the_model_turned_to_another_dtype(backend):
    twin = Twin(backend)
    twin.check()
    twin.both(lambda model, _: model.astype("float32"))
    for _ in range(3):
        a, b = twin.compiled(twin.x.astype("f4"), twin.y), twin.eager(twin.x.astype("f4"), twin.y)
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_allclose(a.data, b.data, rtol=1e-6)


def test_programs_are_kept_in_a_bounded_cache(backend):
    f = tg.compile(lambda x: x + 1, backend=backend, programs=3)
    for n in range(1, 8):
        f(np.ones(n))
    assert f.stats()["programs"] == 3


def test_capturing_at_every_call_is_warned_about():
    f = tg.compile(lambda x: x + 1, backend="numpy", programs=2)
    with pytest.warns(RuntimeWarning, match="captured 20 times in a row"):
        for n in range(1, 22):
            f(np.ones(n))


def test_grad_mode_of_the_caller(backend):
    w = tg.tensor([1.0], requires_grad=True)
    f = tg.compile(lambda: (w * 2).requires_grad, backend=backend)
    assert f() is True
    with tg.no_grad():
        assert f() is False


# ------------------------------------------------------------------------------------------ failures


def test_a_first_call_that_raises_half_way_changes_nothing(backend):
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.Adam([w], lr=0.1)

    @tg.compile(backend=backend, wait=True)
    def step(fail):
        optimizer.minimize((w * w).sum())
        if fail:
            raise KeyError("half-way")
        return w.sum()

    with pytest.raises(KeyError):
        step(True)
    np.testing.assert_array_equal(w.data, [1.0, 2.0])
    assert w.grad is None
    assert optimizer.steps == 0
    assert not optimizer.state[0][0].data.any()
    step(False)
    assert optimizer.steps == 1
    np.testing.assert_allclose(w.data, [0.9, 1.9])


def test_a_later_call_that_raises_changes_nothing(backend):
    twin = Twin(backend)
    twin.check()
    before = twin.model.state_dict()
    with pytest.raises(ValueError, match="label 7 is not a class"):
        twin.compiled(twin.x, np.full(6, 7))
    for name, value in twin.model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    twin.check()


def test_bad_arguments_of_compile():
    with pytest.raises(TypeError, match="takes a function"):
        tg.compile(3)
    with pytest.raises(ValueError, match="no backend 'cuda'"):
        tg.compile(lambda: 0, backend="cuda")
    with pytest.raises(ValueError, match="at least 1"):
        tg.compile(lambda: 0).run(times=0)
    with pytest.raises(RuntimeError, match="nothing has been captured"):
        tg.compile(lambda: 0).program  # noqa: B018


def test_a_gradient_through_a_compiled_function_is_refused(backend):
    w = tg.tensor([1.0], requires_grad=True)
    f = tg.compile(lambda x: (w * x).sum(), backend=backend, wait=True)
    for _ in range(3):
        y = f(np.ones(1))
        assert y.requires_grad
        with pytest.raises(RuntimeError, match="through the compiled function"):
            (y + w.sum()).backward()


# --------------------------------------------------------------------------------- what users hold


def test_a_tensor_made_inside_starts_anew_at_each_run(backend):
    def f(x):
        filled = tg.zeros(2)
        filled[0] = filled[0] + x[0]
        twice = x * 1
        twice.assign(twice + x)
        return filled, twice

    compiled = tg.compile(f, backend=backend, wait=True)
    for x in ([1.0, 2.0], [1.0, 2.0], [5.0, 6.0]):
        for got, expected in zip(compiled(np.array(x)), f(tg.tensor(x)), strict=True):
            np.testing.assert_array_equal(got.data, expected.data)


def test_a_parameter_made_inside_and_trained_there(backend):
    def fit_inside(x, y):
        w = tg.tensor(np.zeros(2), requires_grad=True)
        for _ in range(3):
            slope = tg.grad(((x @ w - y) ** 2).sum(), w)
            with tg.no_grad():
                w -= 0.01 * slope
        return w * 1.0

    compiled = tg.compile(fit_inside, backend=backend, wait=True)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x, y = rng.normal(size=(4, 2)), rng.normal(size=4)
        np.testing.assert_allclose(compiled(x, y).data, fit_inside(tg.tensor(x), tg.tensor(y)).data, rtol=1e-12)


def test_a_state_that_is_made_at_the_first_call(backend):
    class Mean:
        value = None

    def running(mean, x):
        if mean.value is None:
            mean.value = tg.zeros(2)
        mean.value.assign(0.5 * mean.value + x)
        return mean.value * 1.0

    own, eager = Mean(), Mean()
    compiled = tg.compile(lambda x: running(own, x), backend=backend, wait=True)
    for i in range(4):
        np.testing.assert_array_equal(compiled(np.full(2, float(i))).data, running(eager, tg.tensor(np.full(2, float(i)))).data)
    np.testing.assert_array_equal(own.value.data, eager.value.data)


def test_an_argument_that_is_given_a_new_value_is_refused(backend):
    def f(x):
        x[0] = 1.0
        return x

    x = tg.zeros(2)
    with pytest.raises(tg.CaptureError, match="is an argument.*Return the new value"):
        tg.compile(f, backend=backend)(x)
    assert x.tolist() == [0.0, 0.0]


def test_arrays_that_a_user_holds_do_not_change(backend):
    twin = Twin(backend)
    twin.check(2)
    held = [twin.model[0].weight.data, twin.model[0].weight.detach(), twin.model[0].weight.numpy(), twin.compiled(twin.x, twin.y)]
    before = [np.array(x if isinstance(x, np.ndarray) else x.data) for x in held]
    for _ in range(3):
        twin.compiled(twin.x, twin.y)
    for x, old in zip(held, before, strict=True):
        np.testing.assert_array_equal(x if isinstance(x, np.ndarray) else x.data, old)


def test_a_graph_recorded_before_keeps_its_values(backend):
    w = tg.tensor([2.0, 3.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)
    step = tg.compile(lambda: optimizer.minimize((w * w).sum()), backend=backend, wait=True)
    step()
    step()
    old, cube = w.numpy(), (w**3).sum()
    for _ in range(3):
        step()
    cube.backward()
    np.testing.assert_allclose(w.grad.data, 3 * old**2)


def test_arguments_are_not_written_to(backend):
    x = np.arange(4.0)
    f = tg.compile(lambda a: (a + 1) * a, backend=backend, wait=True)
    for _ in range(3):
        f(x)
    np.testing.assert_array_equal(x, np.arange(4.0))


def test_results_are_the_callers_own(backend):
    f = tg.compile(lambda a: {"same": a, "view": a.T, "new": a + 1}, backend=backend, wait=True)
    x = np.arange(4.0).reshape(2, 2)
    first, second = f(x), f(2 * x)
    for key in first:
        np.testing.assert_array_equal(second[key].data, {"same": 2 * x, "view": 2 * x.T, "new": 2 * x + 1}[key])
        np.testing.assert_array_equal(first[key].data, {"same": x, "view": x.T, "new": x + 1}[key])


def test_strided_and_transposed_arguments(backend):
    f = tg.compile(lambda a: a @ a.T, backend=backend, wait=True)
    x = np.arange(24.0).reshape(4, 6)
    for y in (x[:, ::2], x.T[::2].T, x[::-1, ::-2], np.asfortranarray(x[:, :3])):
        np.testing.assert_allclose(f(y).data, y @ y.T)


# ------------------------------------------------------------------------------ shapes of functions


Pair = namedtuple("Pair", "first second")


def test_nested_results_and_the_same_tensor_twice(backend):
    def f(x):
        y = x + 1
        return {"a": [y, (y, x)], "b": Pair(y * 2, 5), "c": None, "d": "text"}

    compiled = tg.compile(f, backend=backend, wait=True)
    for x in (np.zeros(2), np.ones(2)):
        for _ in range(2):
            found = compiled(x)
            np.testing.assert_array_equal(found["a"][0].data, x + 1)
            np.testing.assert_array_equal(found["a"][1][0].data, x + 1)
            np.testing.assert_array_equal(found["a"][1][1].data, x)
            np.testing.assert_array_equal(found["b"].first.data, 2 * x + 2)
            assert (found["b"].second, found["c"], found["d"]) == (5, None, "text")


def test_nested_arguments(backend):
    f = tg.compile(lambda batch, *more, scale: batch["x"] * more[0][1] + scale, backend=backend, wait=True)
    for n in (1.0, 2.0):
        got = f({"x": np.full(2, n)}, [np.ones(1), tg.tensor([3.0])], scale=np.float64(n))
        np.testing.assert_array_equal(got.data, [3 * n + n] * 2)


def test_a_step_that_returns_nothing(backend):
    w = tg.tensor([4.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.25)

    @tg.compile(backend=backend, wait=True)
    def step():
        optimizer.minimize((w * w).sum())

    assert [step() for _ in range(3)] == [None] * 3
    np.testing.assert_allclose(w.data, [0.5])


def test_a_method(backend):
    class Trainer:
        def __init__(self, scale):
            self.scale = scale

        @tg.compile(backend=backend, wait=True)
        def apply(self, x):
            return x * self.scale

    a, b = Trainer(2.0), Trainer(3.0)
    for _ in range(2):
        assert (float(a.apply(np.ones(()))), float(b.apply(np.ones(())))) == (2.0, 3.0)
    a.scale = 5.0
    assert float(a.apply(np.ones(()))) == 5.0


def test_one_compiled_function_inside_another(backend):
    inner = tg.compile(lambda x: tg.exp(x), backend=backend, wait=True)
    outer = tg.compile(lambda x: inner(x) + 1, backend=backend, wait=True)
    for _ in range(3):
        np.testing.assert_allclose(outer(np.ones(2)).data, np.exp(np.ones(2)) + 1)


# ----------------------------------------------------------------------------------------- gradients


def test_gradients_accumulated_over_two_losses(backend):
    def make():
        w = tg.tensor([1.0, 2.0], requires_grad=True)
        optimizer = optim.SGD([w], lr=0.1, momentum=0.5)

        def step(x):
            optimizer.zero_grad()
            (w * x).sum().backward()
            loss = (w * w).sum()
            loss.backward()
            optimizer.step()
            return loss

        return w, step

    (w, eager), (v, other) = make(), make()
    compiled = tg.compile(other, backend=backend, wait=True)
    for _ in range(4):
        np.testing.assert_allclose(compiled(np.ones(2)).data, eager(np.ones(2)).data)
        np.testing.assert_allclose(v.data, w.data)
        np.testing.assert_allclose(v.grad.data, w.grad.data)


def test_gradients_that_were_there_before_are_added_to(backend):
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    f = tg.compile(lambda: (w * w).sum().backward(), backend=backend, wait=True)
    for n in range(1, 5):
        f()
        np.testing.assert_allclose(w.grad.data, n * 2 * w.data)
    w.grad = None
    f()
    np.testing.assert_allclose(w.grad.data, 2 * w.data)


def test_the_gradient_of_an_argument(backend):
    f = tg.compile(lambda x: (x * x).sum().backward(), backend=backend, wait=True)
    for n in (1.0, 2.0, 3.0):
        x = tg.tensor([n], requires_grad=True)
        f(x)
        f(x)
        np.testing.assert_allclose(x.grad.data, [4 * n])


def test_minimize_keeps_no_gradients(backend):
    twin = Twin(backend)
    twin.check()
    assert all(p.grad is None for p in twin.model.parameters())


def test_retain_grad(backend):
    def f(x):
        y = (w * x).retain_grad()
        (y * y).sum().backward()
        return y.grad

    w = tg.tensor([1.0, 2.0], requires_grad=True)
    compiled = tg.compile(f, backend=backend, wait=True)
    for n in (1.0, 2.0, 3.0):
        np.testing.assert_allclose(compiled(np.full(2, n)).data, 2 * n * w.data)


def test_second_order_gradients_inside(backend):
    def step(x):
        slope = tg.grad((tg.tanh(w * x)).sum(), w, create_graph=True)
        return optimizer.minimize((slope * slope).sum())

    w = tg.tensor([0.3, -0.2], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)
    x = np.array([1.0, 2.0])
    eager = [float(step(x)) for _ in range(4)]
    w.assign([0.3, -0.2])
    compiled = tg.compile(step, backend=backend, wait=True)
    np.testing.assert_allclose([float(compiled(x)) for _ in range(4)], eager, rtol=1e-12)


@pytest.mark.parametrize(
    "of",
    [
        lambda f: tg.value_and_grad(f),
        lambda f: lambda x: tg.grad(f(x), x) if x.requires_grad else f(x),
        lambda f: tg.hessian(f),
        lambda f: tg.jacobian(lambda x: tg.sin(x) * x),
        lambda f: lambda x: tg.hvp(f, x, x),
        lambda f: lambda x: tg.jvp(tg.sin, (x,), (x,)),
        lambda f: lambda x: tg.vjp(tg.sin, x)[1](x),
    ],
)
def test_derivatives_compile(of, backend):
    f = of(lambda x: (tg.exp(x) * x).sum())
    compiled = tg.compile(f, backend=backend, wait=True)
    for n in (0.5, 0.25, -0.5):
        x = tg.tensor([n, 2 * n])
        got, expected = compiled(x), f(x)
        for a, b in zip(_flat(got), _flat(expected), strict=True):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-12)


def _flat(x):
    return [y for part in x for y in _flat(part)] if isinstance(x, (tuple, list)) else [x]


def test_a_branch_that_is_not_taken_stays_out_of_the_gradient(backend):
    w = tg.tensor([4.0, 0.0, 0.0], requires_grad=True)

    def f():
        return tg.grad(tg.where(w > 0, tg.sqrt(w), w).sum(), w)

    compiled = tg.compile(f, backend=backend, wait=True)
    for _ in range(3):
        np.testing.assert_array_equal(compiled().data, [0.25, 1.0, 1.0])


# ---------------------------------------------------------------------------------- threads and size


def test_two_threads(backend):
    f = tg.compile(lambda x: tg.exp(x) * x + (x * x).sum(), backend=backend, wait=True)
    wrong = []

    def work(n):
        x = np.full(50, float(n))
        expected = np.exp(x) * x + (x * x).sum()
        wrong.extend(i for i in range(200) if not np.allclose(f(x).data, expected))

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_eager_work_in_another_thread_during_a_capture(backend):
    w = tg.tensor([1.0], requires_grad=True)
    inside, done = threading.Event(), threading.Event()

    def slow(x):
        y = w * x
        inside.set()
        assert done.wait(10)
        return y

    def other():
        assert inside.wait(10)
        found.append(float((w * 3).sum()))
        done.set()

    found = []
    thread = threading.Thread(target=other)
    thread.start()
    tg.compile(slow, backend=backend)(np.ones(1))
    thread.join()
    assert found == [3.0]


def test_pickling_a_model_whose_step_is_compiled(backend):
    twin = Twin(backend)
    twin.check()
    copied = pickle.loads(pickle.dumps(twin.model))
    np.testing.assert_array_equal(copied[0].weight.data, twin.model[0].weight.data)
    twin.check()


def test_memory_of_many_replays_stays_flat(backend):
    twin = Twin(backend)
    for _ in range(50):
        twin.compiled(twin.x, twin.y)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(2000):
        twin.compiled(twin.x, twin.y)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000


@pytest.mark.parametrize("n", [1000, 2000])
def test_long_programs(n, backend):
    """Two ops a round; what is too long to compile stays with NumPy."""
    check_long(n, backend)


def test_a_hundred_thousand_ops():
    check_long(50_000, "numpy")


def check_long(n, backend):
    def f(x):
        for _ in range(n):
            x = x * 0.999 + 0.001
        return x

    compiled = tg.compile(f, backend=backend, wait=True)
    expected = f(np.float64(0.5))
    for _ in range(2):
        np.testing.assert_allclose(float(compiled(np.float64(0.5))), expected)
    assert compiled.stats()["steps"] == 2 * n


# --------------------------------------------------------------------------------------- the loop inside


def test_run_is_the_same_as_calling(backend):
    twin = Twin(backend, lambda p: optim.Adam(p, lr=0.05, decay=0.01))
    twin.check()
    losses = twin.compiled.run(twin.x, twin.y, times=7)
    np.testing.assert_allclose(losses.data, [float(twin.eager(twin.x, twin.y)) for _ in range(7)], rtol=1e-12)
    assert twin.optimizer.steps == twin.eager_optimizer.steps
    twin.check()


def test_a_run_that_is_refused_changes_nothing(backend):
    twin = Twin(backend, lambda p: optim.Adam(p, lr=0.05))
    twin.check()
    with pytest.raises(ValueError, match="label 9 is not a class"):
        twin.compiled.run(twin.x, np.full(6, 9), times=5)
    assert twin.optimizer.steps == twin.eager_optimizer.steps
    twin.check()


def test_run_captures_by_itself_and_returns_what_the_step_does(backend):
    w = tg.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.25)

    @tg.compile(backend=backend, wait=True)
    def step():
        loss = optimizer.minimize((w * w).sum())
        return {"loss": loss, "weight": w, "nothing": None}

    found = step.run(times=3)
    np.testing.assert_allclose(found["loss"].data, [1.0, 0.25, 0.0625])
    assert found["weight"].shape == (3, 1)
    assert found["nothing"] is None


def test_a_variable_made_inside_gets_a_gradient_and_the_step_is_captured_once(backend):
    """As a penalty on slopes makes one: backward() of the whole reaches it, too, and nobody outside will ever ask for it."""
    twins = [tg.tensor([0.5, -1.0], requires_grad=True) for _ in range(2)]
    optimizers = [optim.SGD([w], lr=0.1) for w in twins]

    def step_of(w, optimizer):
        def step(x):
            inner = tg.Tensor(x, requires_grad=True)
            (slope,) = tg.grad(tg.tanh(inner * w).sum(), [inner], create_graph=True)
            loss = optimizer.minimize((slope * slope).sum() + (w * w).sum())
            return loss, inner.grad

        return step

    compiled = tg.compile(step_of(twins[0], optimizers[0]), backend=backend, wait=True)
    eager, x = step_of(twins[1], optimizers[1]), np.array([1.0, 2.0])
    for _ in range(3):
        (loss, slope), (expected, expected_slope) = compiled(x), eager(tg.Tensor(x))
        assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
        np.testing.assert_allclose(slope.data, expected_slope.data, rtol=1e-12)
    losses = compiled.run(x, times=4)[0]
    np.testing.assert_allclose(losses.data, [eager(tg.Tensor(x))[0].item() for _ in range(4)], rtol=1e-12)
    assert compiled.stats()["captures"] == 1
    assert [x for x, _ in compiled.program.gradients] == [twins[0]], "nothing is kept for the inner one"
