"""Layers that normalise, and Embedding: what they compute, their buffers, modes, lambdas and errors."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn

X = np.random.default_rng(0).normal(2.0, 3.0, size=(16, 3))


def test_layer_norm_is_its_op_and_starts_plain(rng):
    x, layer = rng.normal(size=(2, 3, 4)), nn.LayerNorm((3, 4))
    np.testing.assert_array_equal(layer(tg.Tensor(x)).data, tg.layer_norm(x, (3, 4)))
    layer.weight.assign(rng.normal(size=(3, 4)))
    layer.bias.assign(rng.normal(size=(3, 4)))
    np.testing.assert_array_equal(layer(tg.Tensor(x)).data, tg.layer_norm(x, (3, 4), layer.weight.data, layer.bias.data))


def test_without_weight_and_bias():
    for layer in (nn.LayerNorm(3, affine=False), nn.BatchNorm1d(3, affine=False)):
        assert layer.parameters() == []
        assert layer.regularization_loss().item() == 0
        layer(tg.Tensor(X))
    assert [name for name, _ in nn.LayerNorm(3, bias=False).named_parameters()] == ["weight"]
    with pytest.raises(ValueError, match="LayerNorm: .*none with affine=False"):
        nn.LayerNorm(3, affine=False, weight_lambda_l1=0.1)


def test_batch_norm_in_training_and_evaluation(mode):
    layer = nn.BatchNorm1d(3, momentum=0.5)
    run = mode(layer)
    y = run(tg.Tensor(X)).data
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(0), 1, rtol=1e-5)
    np.testing.assert_allclose(layer.running_mean.data, 0.5 * X.mean(0), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.data, 0.5 + 0.5 * X.var(0, ddof=1), rtol=1e-12)
    mean, var = layer.running_mean.numpy(), layer.running_var.numpy()
    layer.eval()
    y = mode.replayed(layer)(tg.Tensor(X)).data
    np.testing.assert_allclose(y, (X - mean) / np.sqrt(var + 1e-5), rtol=1e-12)
    np.testing.assert_array_equal(layer.running_mean.data, mean)


def test_running_statistics_are_state_but_no_parameters():
    layer = nn.BatchNorm2d(3, dtype="float32")
    assert list(layer.state_dict()) == ["running_mean", "running_var", "weight", "bias"]
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    layer(tg.ones((2, 3, 2, 2), dtype="float32"))
    assert layer.running_mean.dtype == np.float32
    other = nn.BatchNorm2d(3, dtype="float32")
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(other.running_mean.data, layer.running_mean.data)


@pytest.mark.parametrize("made", [nn.LayerNorm, nn.BatchNorm1d, nn.BatchNorm2d])
def test_all_four_lambdas(made):
    layer = made(3, weight_lambda_l1=0.1, weight_lambda_l2=0.2, bias_lambda_l1=0.3, bias_lambda_l2=0.4)
    layer.bias.assign([1.0, -2.0, 0.0])
    assert layer.regularization_loss().item() == pytest.approx(0.1 * 3 + 0.2 * 3 + 0.3 * 3 + 0.4 * 5)
    assert "weight_lambda_l1=0.1, weight_lambda_l2=0.2, bias_lambda_l1=0.3, bias_lambda_l2=0.4" in repr(layer)
    with pytest.raises(ValueError, match=f"{made.__name__}: bias_lambda_l2 is nan"):
        layer.bias_lambda_l2 = float("nan")


def test_gradients_reach_weight_bias_and_input():
    layer, x = nn.BatchNorm1d(3), tg.Tensor(X, requires_grad=True)
    (layer(x) * np.arange(48.0).reshape(16, 3)).sum().backward()
    assert all(t.grad is not None for t in (x, layer.weight, layer.bias))
    np.testing.assert_allclose(x.grad.data.sum(0), 0, atol=1e-9)  # moving all samples alike changes nothing


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"BatchNorm1d\(3\) got x of shape \(2, 3, 4, 4\); it needs \(samples, num_features\) or"):
        nn.BatchNorm1d(3)(tg.ones((2, 3, 4, 4)))
    with pytest.raises(ValueError, match="needs .samples, num_features, h, w"):
        nn.BatchNorm2d(3)(tg.ones((2, 3)))
    with pytest.raises(ValueError, match="LayerNorm: sizes must be at least 1"):
        nn.LayerNorm((2, 0))


def test_embedding_takes_rows_and_spares_its_padding():
    layer = nn.Embedding(5, 3, padding_idx=1, weight_lambda_l2=0.5, rng=0)
    y = layer(np.array([[0, 1], [4, 0]]))
    np.testing.assert_array_equal(y.data, layer.weight.data[[[0, 1], [4, 0]]])
    assert not layer.weight.data[1].any()
    y.sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.data[:, 0], [2, 0, 0, 0, 1])
    assert layer.regularization_loss().item() == pytest.approx(0.5 * (layer.weight.data**2).sum())
    assert repr(layer) == "Embedding(5, 3, padding_idx=1, weight_lambda_l2=0.5)"
    with pytest.raises(ValueError, match="padding_idx is 5, and there are 5 rows"):
        nn.Embedding(5, 3, padding_idx=5)
