"""Smaller models: the same outputs, as many parameters as a count by hand leaves, and everything else as it was."""

from itertools import pairwise

import numpy as np
import pytest
from compacted import assigned, normalised, outputs, same, sizes
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg
from tinygrad_reg import nn


class Square(nn.Module):
    """An activation of a user's own, not 0 at 0."""

    elementwise = True

    def forward(self, x):
        return x * x + 0.25


ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "dropout": lambda: nn.Dropout(0.5, rng=0),
    "noise": lambda: nn.GaussianNoise(0.5, rng=0),
    "own": Square,
}


# ------------------------------------------------------------------------------------------ any net of linear layers


@st.composite
def nets(draw):
    """Linear layers with zeros sprinkled, whole rows and columns among them, and what may stand between."""
    widths = draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share, parts = draw(st.sampled_from([0.0, 0.5, 0.8, 1.0])), []
    for n, m in pairwise(widths):
        layer = nn.Linear(n, m, bias=draw(st.booleans()), rng=rng, weight_lambda_l1=0.1)
        layer.weight.assign(layer.weight.data * (rng.random((n, m)) >= share) * (rng.random((n, 1)) < 0.8) * (rng.random((1, m)) < 0.8))
        if layer.bias is not None:
            layer.bias.assign(rng.normal(size=m) * (rng.random(m) < 0.7))
        parts.append(layer)
        parts += [ACTIVATIONS[name]() for name in draw(st.lists(st.sampled_from(sorted(ACTIVATIONS)), max_size=2))]
        if draw(st.integers(0, 3)) == 0:
            parts.append(normalised(m, rng))
    return nn.Sequential(*parts), rng.normal(size=(7, widths[0]))


def kept_by_hand(model):
    """How many inputs of each Linear layer are needed: paths of weights that are not 0, forwards from the inputs and backwards from the outputs."""
    alive = None  # units with a path to an input
    reached = []
    for part in model:
        if isinstance(part, nn.Linear):
            n = part.weight.shape[0]
            alive = np.ones(n, bool) if alive is None else alive
            reached.append(alive)
            alive = (part.weight.data[alive] != 0).any(axis=0)
        elif isinstance(part, nn.BatchNorm1d) and alive is not None:
            alive = alive & (part.weight.data != 0)
    wanted, counts = None, []
    for layer, alive_in, norm in zip(reversed(list(linear(model))), reversed(reached), reversed(norms_after(model)), strict=True):
        columns = layer.weight.data if wanted is None else layer.weight.data[:, wanted & norm]
        wanted = alive_in & (columns != 0).any(axis=1)
        counts.append(max(int(wanted.sum()), 1))
    return counts[::-1]


def linear(model):
    return (part for part in model if isinstance(part, nn.Linear))


def norms_after(model):
    """For each Linear layer, which of its units no batch norm after it multiplies by 0."""
    found = []
    for part in model:
        if isinstance(part, nn.Linear):
            found.append(np.ones(part.weight.shape[1], bool))
        elif isinstance(part, nn.BatchNorm1d):
            found[-1] = found[-1] & (part.weight.data != 0)
    return found


@given(nets())
def test_any_net_keeps_its_outputs_and_exactly_what_lies_on_a_path(drawn):
    model, x = drawn
    result = same(model, x)
    assert [w[0] for w in (layer.weight.shape for layer in linear(result.model))] == kept_by_hand(model)
    assert tg.compact(result.model, x).parameters_after == result.parameters_after, "nothing is left for a second time"


@given(nets())
def test_with_select_false_the_model_wants_the_kept_inputs_only(drawn):
    model, x = drawn
    result = same(model, x, select=False)
    first = next(linear(result.model))
    assert first.weight.shape[0] == len(result.kept_inputs)
    assert not any(isinstance(part, nn.Select) for part in result.model)


# ------------------------------------------------------------------------------------------ one by one


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_constant_goes_into_the_next_bias(name, rng):
    first = assigned(nn.Linear(2, 3, rng=0), [[1.0, 0.0, 2.0], [0.5, 0.0, 1.0]], [0.1, 0.7, -0.2])
    second = nn.Linear(3, 2, rng=1)
    result = same(nn.Sequential(first, ACTIVATIONS[name](), second), rng.normal(size=(5, 2)))
    assert sizes(result.model) == [(2, 2), (2, 2)]
    constant = outputs(ACTIVATIONS[name](), np.array([0.7]))
    np.testing.assert_allclose(result.model[2].bias.data, constant * second.weight.data[1], rtol=1e-15)


def test_a_unit_that_reads_constants_only_is_one_itself(rng):
    first = assigned(nn.Linear(2, 2, rng=0), [[1.0, 0.0], [1.0, 0.0]], [0.0, 0.5])
    second = assigned(nn.Linear(2, 2, rng=0), [[1.0, 0.0], [1.0, 1.0]])
    model = nn.Sequential(first, nn.Tanh(), second, nn.Tanh(), nn.Linear(2, 1, rng=0))
    assert sizes(same(model, rng.normal(size=(5, 2))).model) == [(2, 1), (1, 1), (1, 1)]


def test_a_layer_without_bias_gets_one_that_is_like_its_weight(rng):
    first = assigned(nn.Linear(2, 2, rng=0, dtype="float32"), [[1.0, 0.0], [0.5, 0.0]], [0.0, 2.0])
    second = nn.Linear(2, 3, bias=False, rng=1, dtype="float32")
    assert tg.compact(nn.Sequential(first, second)).model[1].bias.requires_grad
    second.weight.requires_grad = False
    small = tg.compact(nn.Sequential(first, second)).model
    assert (small[1].bias.shape, small[1].bias.dtype, small[1].bias.name, small[1].bias.requires_grad) == ((3,), np.float32, "bias", False)
    np.testing.assert_array_equal(small[1].bias.data, 2 * second.weight.data[1])


def test_without_a_constant_no_bias_is_made():
    first = assigned(nn.Linear(2, 2, bias=False, rng=0), [[1.0, 0.0], [0.5, 0.0]])
    small = tg.compact(nn.Sequential(first, nn.ReLU(), nn.Linear(2, 3, bias=False, rng=1))).model
    assert [layer.bias for layer in linear(small)] == [None, None]


@pytest.mark.parametrize("bias", [True, False])
def test_a_model_of_zeros_is_its_last_bias(bias, rng):
    model = nn.Sequential(
        *[part for _ in range(3) for part in (nn.Linear(4, 4, init="zeros", bias=bias), nn.Sigmoid())], nn.Linear(4, 2, rng=0, bias=bias)
    )
    result = same(model, rng.normal(size=(5, 4)))
    assert sizes(result.model) == [(1, 1), (1, 1), (1, 1), (1, 2)]
    np.testing.assert_allclose(result.model[-1].bias.data, outputs(model, np.zeros((1, 4)))[0], rtol=1e-14)
    assert all(not x.data.any() for name, x in result.model.named_parameters() if name.endswith("weight"))


def test_a_last_layer_of_zeros_frees_all_before_it(rng):
    model = nn.Sequential(nn.Linear(9, 8, rng=0), nn.Tanh(), nn.Linear(8, 7, rng=0), nn.Tanh(), nn.Linear(7, 2, init="zeros"))
    assert sizes(same(model, rng.normal(size=(5, 9))).model) == [(1, 1), (1, 1), (1, 2)]


def test_a_constant_that_is_not_finite_is_not_folded(rng):
    class Log(nn.Module):
        elementwise = True

        def forward(self, x):
            return tg.log(x)

    first = assigned(nn.Linear(1, 2, rng=0), [[1.0, 0.0]], [3.0, 0.0])
    last = assigned(nn.Linear(2, 1, rng=0), [[1.0], [1.0]])
    assert sizes(tg.compact(nn.Sequential(first, Log(), last)).model) == [(1, 2), (2, 1)]
    # A unit that stays though nobody reads it is not made 0, whose logarithm times 0 would be NaN.
    nobody = nn.Sequential(assigned(nn.Linear(1, 2, rng=0), [[1.0, 1.0]], [0.0, 0.0]), Log(), nn.Linear(2, 1, init="zeros"))
    assert same(nobody, np.array([[2.0], [3.0]])).parameters_after == 4


def test_a_subclass_with_another_forward_is_left():
    class Twice(nn.ReLU):
        def forward(self, x):
            return x + x[:, ::-1]

    class Mine(nn.Linear):
        def forward(self, x):
            return x @ self.weight * 2

    hidden = nn.Linear(3, 3, init="zeros")
    assert sizes(tg.compact(nn.Sequential(hidden, Twice(), nn.Linear(3, 1, rng=0))).model) == [(1, 3), (3, 1)]
    result = tg.compact(nn.Sequential(nn.Linear(3, 3, init="zeros"), Mine(3, 1, init="zeros")))
    assert sizes(result.model) == [(1, 3), (3, 1)]
    assert [row.left for row in result.layers] == ["", "not a kind that is looked into"]


def test_an_activation_with_a_number_for_each_unit_is_left(rng):
    class Slopes(nn.Module):
        elementwise = True

        def __init__(self):
            self.slope = tg.tensor([0.1, 0.2], requires_grad=True)

        def forward(self, x):
            return tg.where(x > 0, x, self.slope * x)

    model = nn.Sequential(assigned(nn.Linear(1, 2, rng=0), [[1.0, 0.0]], [0.5, -0.5]), Slopes(), nn.Linear(2, 1, rng=0))
    assert sizes(same(model, rng.normal(size=(5, 1))).model) == [(1, 2), (2, 1)]


def test_weights_that_are_results_are_refused():
    layer = nn.Linear(2, 2)
    layer.weight = layer.weight * 2
    with pytest.raises(RuntimeError, match="is the result of multiply and hangs on its history"):
        tg.compact(nn.Sequential(layer))


def test_layer_norm_is_a_boundary(rng):
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.LayerNorm(4), nn.Linear(4, 2, init="zeros"), nn.ReLU(), nn.Linear(2, 1, rng=0))
    model[0].weight.assign(model[0].weight.data * [1, 0, 1, 1])
    assert sizes(same(model, rng.normal(size=(5, 3))).model) == [(3, 4), (4,), (4, 1), (1, 1)]


@pytest.mark.parametrize("how", ["layer", "tensor", "sequential", "inside another module"])
def test_what_is_shared_is_left(how, rng):
    shared = assigned(nn.Linear(3, 3, rng=0), np.diag([1.0, 0.0, 0.0]), [0.5, 0.6, 0.7])
    tied = nn.Linear(3, 3, rng=0)
    tied.weight = shared.weight

    class Holds(nn.Module):
        def __init__(self):
            self.part = shared

        def forward(self, x):
            return x + self.part.bias

    between = {"layer": [shared], "tensor": [tied], "sequential": [], "inside another module": [Holds()]}[how]
    inner = nn.Sequential(shared, nn.ReLU())
    model = nn.Sequential(inner, *between, inner) if how == "sequential" else nn.Sequential(shared, nn.ReLU(), *between)
    model = nn.Sequential(*model, nn.Linear(3, 2, rng=1))
    result = same(model, rng.normal(size=(4, 3)))
    assert set(sizes(result.model)) <= {(3, 3), (3, 2)}
    assert "used more than once" in {row.left for row in result.layers}
    np.testing.assert_array_equal(next(linear(nn.Sequential(shared))).weight.data, np.diag([1.0, 0.0, 0.0]))


def test_activations_may_be_shared_and_sequentials_nested(rng):
    act = nn.Sequential(nn.ReLU())
    inner = nn.Sequential(act, assigned(nn.Linear(3, 3, rng=0), np.diag([1.0, 0.0, 2.0]), [0.0, 1.0, 0.0]), act)
    model = nn.Sequential(inner, nn.Linear(3, 2, rng=1))
    result = same(model, rng.normal(size=(4, 3)))
    assert [name for name, _ in result.model.named_tensors()] == ["0.select.indices", "0.1.weight", "0.1.bias", "1.weight", "1.bias"]
    assert sizes(result.model) == [(2, 2), (2, 2)]


def test_settings_stay(rng):
    first = nn.Linear(3, 4, 0.1, 0.2, 0.3, 0.4, rng=0, dtype="float32")
    first.bias.requires_grad = False
    first.weight.assign(first.weight.data * [1, 0, 1, 1])
    model = nn.Sequential(first, nn.Dropout(0.5, rng=0).eval(), nn.Linear(4, 1, rng=0, dtype="float32"))
    model[0].weight.grad = np.ones((3, 4), "float32")
    small = tg.compact(model).model
    lambdas = ("weight_lambda_l1", "weight_lambda_l2", "bias_lambda_l1", "bias_lambda_l2")
    assert [getattr(small[0], name) for name in lambdas] == [0.1, 0.2, 0.3, 0.4]
    assert [module.training for _, module in small.named_modules()] == [True, True, False, True]
    assert [module.training for _, module in model.named_modules()] == [True, True, False, True]
    assert (small[0].bias.requires_grad, small[0].weight.requires_grad, small[0].weight.grad) == (False, True, None)
    assert {x.dtype for _, x in small.named_tensors()} == {np.dtype("float32")}
    assert [x.name for _, x in small.named_tensors()] == ["weight", "bias", "weight", "bias"]
    assert {id(x) for _, x in small.named_tensors()}.isdisjoint(id(x) for _, x in model.named_tensors())
    assert tg.compact(model, rng.normal(size=(5, 3)).astype("float32")).difference < 1e-6


def test_one_layer_alone(rng):
    layer = nn.Linear(3, 2, rng=0)
    assert type(tg.compact(layer).model) is nn.Linear
    layer.weight.assign(layer.weight.data * [[1.0], [0.0], [1.0]])
    result = same(layer, rng.normal(size=(4, 3)))
    assert repr(result.model) == "Sequential(\n  (select): Select([0, 2])\n  (0): Linear(2, 2)\n)"
    assert type(tg.compact(layer, select=False).model) is nn.Linear


def test_compacting_again_after_more_zeros_selects_from_the_first_inputs(rng):
    model = nn.Sequential(nn.Linear(5, 2, rng=0), nn.Tanh(), nn.Linear(2, 1, rng=0))
    model[0].weight.assign(model[0].weight.data * np.array([[1], [0], [1], [1], [0]]))
    small = same(model, rng.normal(size=(4, 5))).model
    small[1].weight.assign(small[1].weight.data * np.array([[0], [1], [1]]))
    again = same(small, rng.normal(size=(4, 5)))
    assert again.kept_inputs.tolist() == [2, 3]
    assert again.model[0].indices.tolist() == [2, 3]


def test_a_compacted_model_trains_saves_and_compiles(rng, mode, tmp_path):
    model = nn.Sequential(nn.Linear(5, 4, rng=0, weight_lambda_l1=0.01), nn.ReLU(), nn.Linear(4, 1, rng=0))
    model[0].weight.assign(model[0].weight.data * np.array([[1], [0], [1], [1], [0]]))
    small, x = tg.compact(model).model, rng.normal(size=(20, 5))
    optimizer = tg.optim.ProximalAdam(small.parameters(), lr=0.01)
    step = mode(lambda: optimizer.minimize(tg.mse(small(tg.Tensor(x)), x[:, :1]) + small.regularization_loss()))
    losses = [float(step()) for _ in range(30)]
    assert losses[-1] < 0.7 * losses[0]
    other = tg.compact(model).model
    other.load_state_dict(small.state_dict())
    np.testing.assert_array_equal(outputs(other, x), outputs(small, x))


def test_batch_norm_is_followed_only_where_it_counts_units(rng):
    """With three axes BatchNorm1d counts the second one, Linear's units are on the last."""
    model = nn.Sequential(assigned(nn.Linear(3, 3, rng=0), np.diag([1.0, 0.0, 1.0]), [0.1, 0.2, 0.3]), normalised(3, rng), nn.Linear(3, 2, rng=0))
    model[1].weight.assign(np.ones(3))
    assert sizes(same(model, rng.normal(size=(4, 3, 3))).model) == [(2, 3), (3,), (3, 2)]
    assert sizes(same(model, rng.normal(size=(4, 3))).model) == [(2, 2), (2,), (2, 2)]


def test_embedding_columns(rng):
    table, ids = nn.Embedding(6, 4, rng=0), np.array([[0, 5, 2], [1, 1, 3]])
    table.weight.assign(table.weight.data * [1, 0, 1, 1])
    for model in (nn.Sequential(table, nn.Linear(4, 2, rng=0)), nn.Sequential(table, nn.Tanh(), nn.Flatten(), nn.Linear(12, 2, rng=0))):
        result = same(model, ids)
        assert sizes(result.model)[0] == (6, 3)
        assert result.kept_inputs is None
    before_flatten = nn.Sequential(table, normalised(4, rng), nn.Flatten(), nn.Linear(16, 2, init="zeros"))
    assert sizes(tg.compact(before_flatten, ids[:, [0, 1, 1, 0]]).model) == sizes(before_flatten)
    batch = nn.Sequential(table, nn.Linear(4, 4, init="zeros"), normalised(4, rng), nn.Linear(4, 2, rng=0))
    assert sizes(tg.compact(batch).model)[1:] == [(1, 4), (4,), (4, 2)], "the norm counts the places of the text"


# ------------------------------------------------------------------------------------------ what is refused


def test_other_models_are_refused():
    class Net(nn.Module):
        def __init__(self):
            self.body = nn.Sequential(nn.Linear(2, 2))

        def forward(self, x):
            return self.body(x)

    with pytest.raises(TypeError, match=r"what Net.forward\(\) does .* model.body = tg.compact\(model.body\).model"):
        tg.compact(Net())
    with pytest.raises(TypeError, match="the model is a ndarray"):
        tg.compact(np.ones(3))


def test_it_prints():
    text = repr(tg.compact(nn.Sequential(nn.LayerNorm(2), nn.Linear(2, 1, rng=0))))
    assert text.splitlines() == [
        "7 → 7 parameters (100.0%)",
        "largest difference: not measured: no data was given",
        "inputs kept: all (not looked into)",
        "layer  before           after",
        "0      LayerNorm((2,))  the same  not a kind that is looked into",
        "1      Linear(2, 1)     the same",
    ]
