"""Never silently stale: whatever a function reads besides its arguments may change between calls, and the next call knows."""

import dataclasses
import enum
import functools
import types
from collections import deque, namedtuple

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn, optim

ONES = np.ones(2)
SETTINGS = types.ModuleType("settings_of_a_user")
Pair = namedtuple("Pair", "scale more")


class Config:
    """A user's class whose attributes are settings."""

    scale = 1.0
    table = {"scale": 1.0}  # noqa: RUF012 - that is what is tested


@dataclasses.dataclass
class Data:
    """A dataclass."""

    scale: float


@dataclasses.dataclass(slots=True)
class Slotted:
    """One without a __dict__."""

    scale: float


class Slots:
    """An object with slots, one of them inherited."""

    __slots__ = ("scale",)


class More(Slots):
    """An object with slots and a dict."""


class Mode(enum.Enum):
    """Two modes."""

    ONE = 1.0
    TWO = 2.0


class WithProperty:
    """Its number is made by a property, from a global of its module and from itself."""

    def __init__(self):
        self.hidden = 1.0

    @property
    def scale(self):
        return self.hidden * FACTOR

    @staticmethod
    def fixed():
        return FACTOR

    @classmethod
    def of_class(cls):
        return FACTOR


FACTOR = 1.0


def scaled(x, scale):
    return x * scale


def _set(name, value):
    return lambda owner: setattr(owner, name, value)


def _global(monkeypatch_value):
    globals()["FACTOR"] = monkeypatch_value


def _deep(x):
    def inner():
        def innermost():
            return x * FACTOR

        return innermost()

    return inner()


def with_default(x, scale=1.0, *, more=1.0):
    return x * scale * more


def with_attribute():
    """A function that is given an attribute."""


with_attribute.scale = 1.0


class Scaled(nn.Module):
    """A module with all kinds of attributes."""

    rate = 1.0

    def __init__(self):
        self.factors = [1.0, 1.0]
        self.named = {"a": {"b": 1.0}}
        self.act = lambda x: x * self.factors[0]
        self.steps = 1
        self.weight_lambda_l1 = 1.0
        self.mode = Mode.ONE

    def forward(self, x):
        y = self.act(x) * self.factors[1] * self.named["a"]["b"] * self.rate * self.weight_lambda_l1 * self.mode.value
        for _ in range(self.steps):
            y = y * 1.5
        return y if self.training else -y


CHANGES = {
    "a dataclass": (lambda: Data(1.0), lambda o: lambda x: x * o.scale, _set("scale", 2.0)),
    "a dataclass with slots": (lambda: Slotted(1.0), lambda o: lambda x: x * o.scale, _set("scale", 2.0)),
    "slots": (lambda: Slots(), lambda o: lambda x: x * getattr(o, "scale", 1.0), _set("scale", 2.0)),
    "slots that are inherited": (lambda: More(), lambda o: lambda x: x * getattr(o, "scale", 1.0), _set("scale", 2.0)),
    "a class": (lambda: Config, lambda o: lambda x: x * o.scale, _set("scale", 2.0)),
    "a global class": (lambda: Config, lambda o: lambda x: x * Config.scale, _set("scale", 3.0)),
    "a container of a class": (lambda: Config, lambda o: lambda x: x * Config.table["scale"], lambda o: o.table.update(scale=4.0)),
    "a class of an object": (lambda: type("Own", (), {"scale": 1.0})(), lambda o: lambda x: x * o.scale, lambda o: setattr(type(o), "scale", 2.0)),
    "a property": (lambda: WithProperty(), lambda o: lambda x: x * o.scale, _set("hidden", 2.0)),
    "a property's global": (lambda: WithProperty(), lambda o: lambda x: x * o.scale, lambda o: _global(5.0)),
    "a static method's global": (lambda: WithProperty(), lambda o: lambda x: x * o.fixed(), lambda o: _global(5.0)),
    "a class method's global": (lambda: WithProperty(), lambda o: lambda x: x * o.of_class(), lambda o: _global(5.0)),
    "a nested function's global": (lambda: None, lambda o: _deep, lambda o: _global(5.0)),
    "a list": (lambda: [1.0], lambda o: lambda x: x * o[0], lambda o: o.append(o.pop() + 1)),
    "a list that grows": (lambda: [1.0], lambda o: lambda x: x * len(o), lambda o: o.append(1.0)),
    "a list in a tuple in a dict": (lambda: {"a": ([1.0],)}, lambda o: lambda x: x * o["a"][0][0], lambda o: o["a"][0].append(o["a"][0].pop() + 1)),
    "a deque": (lambda: deque([1.0]), lambda o: lambda x: x * o[0], lambda o: o.append(o.pop() + 1)),
    "a set": (lambda: {1.0}, lambda o: lambda x: x * max(o), lambda o: o.add(7.0)),
    "a sign": (lambda: [0.0], lambda o: lambda x: x / o[0], lambda o: o.__setitem__(0, -0.0)),
    "a sign of another kind": (lambda: [np.float32(0.0)], lambda o: lambda x: x / o[0], lambda o: o.__setitem__(0, np.float32(-0.0))),
    "a kind of number": (lambda: [1], lambda o: lambda x: x * (2.0 if isinstance(o[0], bool) else 1.0), lambda o: o.__setitem__(0, True)),
    "a partial": (lambda: functools.partial(scaled, scale=1.0), lambda o: o, lambda o: o.keywords.update(scale=2.0)),
    "a list in a partial": (lambda: [1.0], lambda o: functools.partial(lambda a, x: x * a[0], o), lambda o: o.__setitem__(0, 2.0)),
    "a function's defaults": (lambda: with_default, lambda o: lambda x: with_default(x), _set("__defaults__", (2.0,))),
    "a function's keyword defaults": (lambda: with_default, lambda o: lambda x: with_default(x), lambda o: o.__kwdefaults__.update(more=3.0)),
    "a function's code": (
        lambda: types.FunctionType(scaled.__code__, globals()),
        lambda o: lambda x: o(x, 2.0),
        _set("__code__", (lambda x, s: x + s).__code__),
    ),
    "an attribute of a function": (lambda: with_attribute, lambda o: lambda x: x * o.scale, _set("scale", 2.0)),
    "a user's own module": (lambda: SETTINGS, lambda o: lambda x: x * getattr(SETTINGS, "scale", 1.0), _set("scale", 2.0)),
    "a simple namespace": (
        lambda: types.SimpleNamespace(a=types.SimpleNamespace(b=1.0)),
        lambda o: lambda x: x * o.a.b,
        lambda o: setattr(o.a, "b", 2.0),
    ),
    "an array in NumPy's hands": (lambda: np.ones(2), lambda o: lambda x: x * (2 * o), lambda o: o.__setitem__(0, 5.0)),
    "an array in an attribute": (lambda: Data(np.ones(2)), lambda o: lambda x: x * (2 * o.scale), lambda o: o.scale.__setitem__(0, 5.0)),
    "an array as a key": (lambda: np.array([0, 1]), lambda o: lambda x: (x * [1.0, 2.0])[o], lambda o: o.__setitem__(0, 1)),
    "an array as a mask": (lambda: np.array([True, False]), lambda o: lambda x: x[o], lambda o: o.__setitem__(1, True)),
    "an array as a target": (lambda: np.ones(2), lambda o: lambda x: tg.mse(x * 1.0, o), lambda o: o.__setitem__(0, 5.0)),
    "an array made a Tensor": (lambda: np.ones(2), lambda o: lambda x: x * tg.tensor(o), lambda o: o.__setitem__(0, 5.0)),
    "an array in another dtype": (lambda: np.ones(2), lambda o: lambda x: x * tg.asarray(o, "float32"), lambda o: o.__setitem__(0, 5.0)),
    "an array seen through another": (lambda: np.ones(2), lambda o: lambda x: x * np.broadcast_to(o, (3, 2)), lambda o: o.__setitem__(0, 5.0)),
    "class weights": (
        lambda: np.ones(2),
        lambda o: lambda x: tg.cross_entropy(x, np.array(0), weight=o, reduction="none"),
        lambda o: o.__setitem__(0, 5.0),
    ),
    "a Tensor replaced": (lambda: Data(tg.tensor(1.0)), lambda o: lambda x: x * o.scale, lambda o: setattr(o, "scale", tg.tensor(2.0))),
    "a Tensor replaced in a list": (lambda: [tg.tensor(1.0)], lambda o: lambda x: x * o[0], lambda o: o.__setitem__(0, tg.tensor(2.0))),
    "a function inside jacobian": (lambda: [1.0], lambda o: tg.jacobian(lambda x: x * x * o[0]), lambda o: o.__setitem__(0, 2.0)),
    "a function inside vjp": (lambda: [1.0], lambda o: lambda x: tg.vjp(lambda x: x * x * o[0], x)[1](x)[0], lambda o: o.__setitem__(0, 2.0)),
    "a list of a module": (lambda: Scaled(), lambda o: o, lambda o: o.factors.__setitem__(1, 2.0)),
    "a number behind a lambda in a module": (lambda: Scaled(), lambda o: o, lambda o: o.factors.__setitem__(0, 2.0)),
    "a dict of a dict of a module": (lambda: Scaled(), lambda o: o, lambda o: o.named["a"].update(b=2.0)),
    "a module's class": (lambda: type("Kind", (Scaled,), {})(), lambda o: o, lambda o: setattr(type(o), "rate", 2.0)),
    "a module's own steps": (lambda: Scaled(), lambda o: o, _set("steps", 2)),
    "a module's own lambda": (lambda: Scaled(), lambda o: o, _set("weight_lambda_l1", 2.0)),
    "a lambda stored in a module": (lambda: Scaled(), lambda o: o, lambda o: setattr(o, "act", lambda x: x + 1)),
    "an enum": (lambda: Scaled(), lambda o: o, _set("mode", Mode.TWO)),
    "a module's training": (lambda: Scaled(), lambda o: o, lambda o: o.eval()),
    "an attribute that is deleted": (lambda: type("Kind", (Scaled,), {})(), lambda o: (setattr(o, "rate", 9.0), o)[1], lambda o: delattr(o, "rate")),
    "a lambda that the step reads": (
        lambda: nn.Linear(1, 1, weight_lambda_l2=1.0),
        lambda o: lambda x: x * o.weight_lambda_l2,
        _set("weight_lambda_l2", 2.0),
    ),
    "a rate that the step reads": (lambda: optim.SGD([tg.tensor(1.0, requires_grad=True)], lr=0.5), lambda o: lambda x: x * o.lr, _set("lr", 0.25)),
    "steps that the step reads": (lambda: optim.SGD([tg.tensor(1.0, requires_grad=True)], lr=0.5), lambda o: lambda x: x * o.steps, _set("steps", 3)),
    "an object that can be called": (lambda: type("Called", (), {"k": 1.0, "__call__": lambda self, x: x * self.k})(), lambda o: o, _set("k", 2.0)),
}


@pytest.fixture(autouse=True)
def _as_before():
    scale, table, defaults, more = Config.scale, dict(Config.table), with_default.__defaults__, dict(with_default.__kwdefaults__)
    yield
    globals()["FACTOR"], Config.scale, with_default.__defaults__ = 1.0, scale, defaults
    Config.table.update(table)
    with_default.__kwdefaults__.update(more)
    vars(SETTINGS).pop("scale", None)
    with_attribute.scale = 1.0


@np.errstate(divide="ignore")
@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_between_calls_counts(name, backend):
    original, make, change = CHANGES[name]
    owner = original()
    f = make(owner)
    compiled = tg.compile(f, backend=backend, wait=True)
    before = compiled(ONES).data
    np.testing.assert_array_equal(before, f(tg.tensor(ONES)).data)
    np.testing.assert_array_equal(compiled(ONES).data, before)
    change(owner)
    expected = f(tg.tensor(ONES)).data
    assert expected.shape != before.shape or (expected != before).any() or (np.signbit(expected) != np.signbit(before)).any()
    for _ in range(2):
        np.testing.assert_allclose(compiled(ONES).data, expected)
    assert compiled.stats()["captures"] <= 2


# ------------------------------------------------------------------------------------- models and optimisers


def step_of(model, optimizer):
    def step(x):
        return optimizer.minimize((model(x) ** 2).sum() + model.regularization_loss())

    return step


def twins(make):
    return make(), make()


def test_a_frozen_layer_stays_what_it_is(backend):
    def make():
        model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1))
        return model, optim.SGD(model.parameters(), lr=0.1)

    (model, optimizer), (twin, other) = twins(make)
    compiled, eager = tg.compile(step_of(model, optimizer), backend=backend, wait=True), step_of(twin, other)
    for frozen in (False, True, False):
        for each, opt in ((model, optimizer), (twin, other)):
            each[0].weight.requires_grad = not frozen
            opt.zero_grad()
        for _ in range(3):
            np.testing.assert_allclose(compiled(ONES[None]).data, eager(tg.tensor(ONES[None])).data, rtol=1e-12)
        np.testing.assert_allclose(model[0].weight.data, twin[0].weight.data, rtol=1e-12)


def test_parameters_of_an_optimiser_that_change(backend):
    v, w = tg.tensor([1.0, 2.0], requires_grad=True), tg.tensor([3.0, 4.0], requires_grad=True)
    optimizer = optim.SGD([v], lr=0.1)
    compiled = tg.compile(lambda x: optimizer.minimize((v * w * x).sum()), backend=backend, wait=True)
    compiled(ONES)
    compiled(ONES)
    np.testing.assert_allclose((v.data, w.data), ([1.0 - 0.6, 2.0 - 0.8], [3.0, 4.0]))
    with pytest.raises(TypeError):
        optimizer.params[0] = w
    optimizer.params = (w,)
    start = v.numpy()
    compiled(ONES)
    np.testing.assert_allclose(v.data, start)
    np.testing.assert_allclose(w.data, [3.0, 4.0] - 0.1 * start)


def test_two_models_that_share_a_layer(backend):
    shared = nn.Linear(2, 2, rng=0)
    first, second = nn.Sequential(shared, nn.Tanh()), nn.Sequential(shared, nn.ReLU())
    compiled = [tg.compile(step_of(m, optim.SGD(m.parameters(), lr=0.1)), backend=backend, wait=True) for m in (first, second)]
    twin = nn.Linear(2, 2, rng=0)
    pair = nn.Sequential(twin, nn.Tanh()), nn.Sequential(twin, nn.ReLU())
    eager = [step_of(m, optim.SGD(m.parameters(), lr=0.1)) for m in pair]
    for _ in range(4):
        for a, b in zip(compiled, eager, strict=True):
            np.testing.assert_allclose(a(ONES[None]).data, b(tg.tensor(ONES[None])).data, rtol=1e-12)
    np.testing.assert_allclose(shared.weight.data, twin.weight.data, rtol=1e-12)


def test_a_layer_replaced(backend):
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Tanh())
    compiled = tg.compile(model, backend=backend, wait=True)
    compiled(ONES[None])
    setattr(model, "0", nn.Linear(2, 2, rng=5))
    np.testing.assert_allclose(compiled(ONES[None]).data, model(tg.tensor(ONES[None])).data)


def test_gradients_switched_off_around_the_call(backend):
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    compiled = tg.compile(lambda x: w * x, backend=backend, wait=True)
    for _ in range(2):
        assert compiled(ONES).requires_grad
        with tg.no_grad():
            assert not compiled(ONES).requires_grad


def test_a_rate_that_the_step_sets(backend):
    w = tg.tensor(1.0, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5)

    def step():
        optimizer.lr *= 0.5
        optimizer.minimize(w * 1.0)

    compiled = tg.compile(step, backend=backend, wait=True)
    for _ in range(4):
        compiled()
    assert float(w) == 1.0 - (0.25 + 0.125 + 0.0625 + 0.03125)


def test_a_counter_counts_at_each_call(backend):
    count = 0

    def f(x):
        nonlocal count
        count += 1
        return x * count

    compiled = tg.compile(f, backend=backend, wait=True)
    assert [float(compiled(np.ones(()))) for _ in range(4)] == [1.0, 2.0, 3.0, 4.0]


def test_a_setting_that_is_an_object_of_the_users(backend):
    compiled = tg.compile(lambda x, how: x * how.scale, backend=backend, wait=True)
    how = Data(1.0)
    for scale in (1.0, 1.0, 2.0, 3.0):
        how.scale = scale
        np.testing.assert_array_equal(compiled(ONES, how).data, ONES * scale)
    np.testing.assert_array_equal(compiled(ONES, Data(7.0)).data, ONES * 7)
