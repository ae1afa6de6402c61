"""Layers: what they compute, their four lambdas, their errors."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn

LAMBDAS = ("weight_lambda_l1", "weight_lambda_l2", "bias_lambda_l1", "bias_lambda_l2")


def layer(**settings):
    made = nn.Linear(3, 2, rng=0, **settings)
    made.bias.assign([0.5, -1.0])
    return made


def test_linear_is_x_times_weight_plus_bias(mode):
    made, x = layer(), np.arange(12.0).reshape(4, 3)
    np.testing.assert_allclose(mode.replayed(made)(tg.Tensor(x)).data, x @ made.weight.data + made.bias.data, rtol=1e-15)


def test_linear_keeps_leading_axes_and_works_without_bias():
    made = nn.Linear(3, 2, bias=False, rng=0)
    assert made(tg.ones((5, 4, 3))).shape == (5, 4, 2)
    assert [name for name, _ in made.named_parameters()] == ["weight"]


@pytest.mark.parametrize("name", LAMBDAS)
def test_each_lambda_adds_its_own_term_and_gradient(name, mode):
    made = layer(**{name: 0.25})
    parameter = getattr(made, name.partition("_")[0])

    @mode.replayed
    def both():
        made.zero_grad()
        loss = made.regularization_loss()
        loss.backward()
        return loss

    loss, w = both(), parameter.numpy()
    value, slope = (np.abs(w).sum(), np.sign(w)) if name.endswith("l1") else ((w * w).sum(), 2 * w)
    assert loss.item() == pytest.approx(0.25 * value, rel=1e-14)
    np.testing.assert_allclose(parameter.grad.data, 0.25 * slope, rtol=1e-14)
    other = made.bias if parameter is made.weight else made.weight
    assert other.grad is None


def test_lambdas_are_read_at_every_call(mode):
    made = layer()
    loss = mode(lambda: made.regularization_loss())
    assert loss().item() == 0.0
    made.weight_lambda_l2 = 1e-3
    first = loss().item()
    made.weight_lambda_l2 = 2e-3
    assert loss().item() == pytest.approx(2 * first)
    made.weight_lambda_l2 = 0
    assert loss().item() == 0.0


@pytest.mark.parametrize("name", LAMBDAS)
@pytest.mark.parametrize("bad", [-1e-9, float("nan"), float("inf")])
def test_bad_lambdas_are_refused_and_leave_the_old_one(name, bad):
    made = layer(**{name: 0.5})
    with pytest.raises(ValueError, match=f"Linear: {name} is .*finite and at least 0"):
        setattr(made, name, bad)
    assert getattr(made, name) == 0.5
    with pytest.raises(ValueError, match=name):
        nn.Linear(3, 2, **{name: bad})


def test_a_lambda_of_another_kind_is_a_type_error():
    with pytest.raises(TypeError, match="weight_lambda_l1 must be a number, not str"):
        nn.Linear(3, 2, weight_lambda_l1="small")


def test_a_bias_penalty_needs_a_bias():
    with pytest.raises(ValueError, match="there is none with bias=False"):
        nn.Linear(3, 2, bias=False, bias_lambda_l2=0.1)


def test_without_penalties_the_loss_is_zero_in_the_models_dtype():
    loss = nn.Linear(2, 2, dtype="float32").regularization_loss()
    assert loss.item() == 0.0
    assert loss.dtype == np.float32


def test_wrong_input_names_the_layer_and_the_size_it_needs():
    with pytest.raises(ValueError, match=r"Linear\(3, 2\) got x of shape \(4, 5\): its last axis must have size 3"):
        layer()(tg.ones((4, 5)))


def test_sizes_below_one_are_refused():
    with pytest.raises(ValueError, match="sizes must be at least 1; got n_inputs=0"):
        nn.Linear(0, 2)


@pytest.mark.parametrize(("made", "function"), [(nn.ReLU(), tg.relu), (nn.Tanh(), tg.tanh), (nn.Sigmoid(), tg.sigmoid)])
def test_activations_are_their_ops(made, function):
    x = tg.Tensor([-1.0, 0.0, 2.0])
    np.testing.assert_array_equal(made(x).data, function(x).data)


def test_flatten_joins_all_axes_but_the_first():
    assert nn.Flatten()(tg.ones((2, 3, 4))).shape == (2, 12)


def test_sequential_runs_in_order_and_can_be_looked_into():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    x = tg.ones((4, 2))
    np.testing.assert_array_equal(model(x).data, model[2](model[1](model[0](x))).data)
    assert len(model) == 3
    assert isinstance(model[-2], nn.Tanh)


def test_sequential_refuses_what_is_no_module():
    with pytest.raises(TypeError, match="part 1 is a Op, not a Module"):
        nn.Sequential(nn.ReLU(), tg.relu)


def test_dropout_keeps_the_mean_and_drops_the_rate():
    x = tg.ones((200, 200))
    y = nn.Dropout(0.3, rng=0)(x).data
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.01)
    assert y.mean() == pytest.approx(1.0, abs=0.01)
    assert set(np.unique(y)) == {0.0, 1 / 0.7}


def test_dropout_gradient_is_its_mask():
    x = tg.ones((50,), requires_grad=True)
    y = nn.Dropout(0.5, rng=0)(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, y.data)


def test_dropout_does_nothing_in_evaluation_and_is_seeded():
    x, drop = tg.ones((50,)), nn.Dropout(0.5)
    assert drop.eval()(x) is x
    drop.train()
    tg.manual_seed(3)
    first = drop(x).data
    second = drop(x).data
    tg.manual_seed(3)
    np.testing.assert_array_equal(drop(x).data, first)
    assert (first != second).any()


def test_dropout_keeps_float32():
    assert nn.Dropout(0.5, rng=0)(tg.ones((4,), dtype="float32")).dtype == np.float32


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_dropout_rate_is_checked(rate):
    with pytest.raises(ValueError, match="share of elements set to 0"):
        nn.Dropout(rate)
