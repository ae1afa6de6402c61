"""Module: what is found inside, penalties, modes, state, copies."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn


class Nested(nn.Module):
    def __init__(self):
        self.scale = tg.Tensor([2.0], requires_grad=True)
        self.mean = tg.Tensor([0.0])
        self.blocks = [nn.Linear(2, 2, rng=0, weight_lambda_l1=0.1), nn.Linear(2, 2, rng=1)]
        self.heads = {"a": nn.Linear(2, 1, rng=2, bias_lambda_l2=0.2)}

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.heads["a"](x) * self.scale - self.mean


def test_names_of_all_parameters_and_buffers():
    model = Nested()
    names = [name for name, _ in model.named_parameters()]
    assert names == ["scale", "blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias", "heads.a.weight", "heads.a.bias"]
    assert set(model.state_dict()) == {*names, "mean"}
    assert len(model.parameters()) == 7


def test_a_shared_module_or_parameter_counts_once():
    shared = nn.Linear(2, 2, weight_lambda_l2=0.5, rng=0)
    model = nn.Sequential(shared, nn.ReLU(), shared)
    assert len(model.parameters()) == 2
    assert model.regularization_loss().item() == pytest.approx(0.5 * (shared.weight.data**2).sum())
    assert len(list(model.modules())) == 3


def test_regularization_loss_sums_the_penalties_of_all_inside():
    model = Nested()
    model.heads["a"].bias.assign([3.0])
    expected = 0.1 * np.abs(model.blocks[0].weight.data).sum() + 0.2 * 9.0
    assert model.regularization_loss().item() == pytest.approx(expected)


def test_penalty_table_has_a_row_for_each_and_their_sum():
    model = Nested()
    model.heads["a"].bias.assign([3.0])
    table = model.penalty_table()
    assert [(row.parameter, row.kind, row.lam) for row in table] == [("blocks.0.weight", "L1", 0.1), ("heads.a.bias", "L2", 0.2)]
    assert table[1].value == pytest.approx(1.8)
    assert table.total == pytest.approx(model.regularization_loss().item())
    assert (table[1].zeros, table[1].size) == (0, 1)
    assert "heads.a.bias" in str(table)
    assert "exact zeros" in str(table)


def test_train_and_eval_reach_all_modules():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.5)))
    assert all(module.training for module in model.modules())
    assert model.eval() is model
    assert not any(module.training for module in model.modules())


def test_state_goes_round():
    model, other = Nested(), Nested()
    other.scale.assign([5.0])
    model.load_state_dict(other.state_dict())
    assert model.scale.item() == 5.0
    state = model.state_dict()
    state["scale"][0] = 9.0
    assert model.scale.item() == 5.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("scale"), r"missing \['scale'\]"),
        (lambda s: s.update(extra=np.zeros(1)), r"unknown \['extra'\]"),
        (lambda s: s.update({"heads.a.bias": np.zeros(3)}), r"'heads.a.bias' is Tensor, float64 of shape \(1,\).*the state has .*shape \(3,\)"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, words):
    model = Nested()
    before, state = model.state_dict(), {name: value + 1 for name, value in model.state_dict().items()}
    change(state)
    with pytest.raises(ValueError, match=words):
        model.load_state_dict(state)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_are_equal_and_independent(copied):
    model = Nested()
    twin = copied(model)
    x = tg.ones((3, 2))
    np.testing.assert_array_equal(twin(x).data, model(x).data)
    twin.scale.assign([0.0])
    assert model.scale.item() == 2.0
    assert twin.blocks[0].weight_lambda_l1 == 0.1


def test_astype_changes_all_parameters_and_results():
    model = Nested().astype("float32")
    assert {p.dtype for p in model.parameters()} == {np.dtype("float32")}
    assert model(tg.ones((3, 2), dtype="float32")).dtype == np.float32
    assert model.float_dtype() == np.float32


def test_zero_grad_forgets_gradients():
    model = Nested()
    model(tg.ones((3, 2))).sum().backward()
    assert model.scale.grad is not None
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"Module has no forward\(\)"):
        nn.Module()(1)


def test_repr_shows_the_layers_and_their_lambdas():
    model = nn.Sequential(nn.Linear(2, 3, weight_lambda_l2=5e-4), nn.Sequential(nn.ReLU(), nn.Dropout(0.2)))
    text = repr(model)
    assert "(0): Linear(2, 3, weight_lambda_l2=0.0005)" in text
    assert "    (1): Dropout(0.2)" in text


def test_modules_in_nested_lists_are_found_by_everything():
    model = nn.Module()
    model.blocks = [[nn.Linear(2, 2, weight_lambda_l2=1.0)], {"drop": nn.Dropout(0.5)}]
    assert [name for name, _ in model.named_parameters()] == ["blocks.0.0.weight", "blocks.0.0.bias"]
    assert model.penalty_table().total == pytest.approx(model.regularization_loss().item())
    model.eval()
    assert not model.blocks[1]["drop"].training


def test_a_result_kept_in_an_attribute_is_no_parameter():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    model.kept = model(tg.ones((1, 2)))
    assert len(model.parameters()) == 2
    assert "kept" not in model.state_dict()


def test_zero_grad_reaches_frozen_parameters():
    layer = nn.Linear(2, 2)
    layer(tg.ones((1, 2))).sum().backward()
    layer.bias.requires_grad = False
    layer.zero_grad()
    assert layer.bias.grad is None


def test_weights_stay_float():
    with pytest.raises(TypeError, match="parameters must stay float, and int64 is not"):
        nn.Linear(2, 2).astype("int64")


def test_a_module_that_knows_its_parent_prints():
    parent = nn.Sequential(nn.ReLU())
    parent[0].parent = parent
    assert "ReLU" in repr(parent)
