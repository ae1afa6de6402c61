"""What the tests of compacting share: layers with zeros, and a look at the smaller model."""

import numpy as np

import tinygrad_reg as tg
from tinygrad_reg import nn

TOLERANCE = 1e-12


def outputs(model, x):
    """In evaluation, without a change of the model's mode."""
    was = [module.training for _, module in model.named_modules()]
    with tg.no_grad():
        y = model.eval()(tg.Tensor(x)).numpy()
    for (_, module), training in zip(model.named_modules(), was, strict=True):
        module.training = training
    return y


def same(model, x, **settings):
    """The result of compacting, after a look at its outputs, its report of them, and the model it came from."""
    before, state = outputs(model, x), model.state_dict()
    result = tg.compact(model, x, **settings)
    x = x if settings.get("select", True) else x[:, result.kept_inputs]
    difference = np.abs(outputs(result.model, x) - before).max() / (np.abs(before).max() or 1.0)
    assert difference <= TOLERANCE
    assert result.difference == difference or not settings.get("select", True)
    np.testing.assert_equal(model.state_dict(), state)
    assert result.parameters_before == sum(v.size for k, v in state.items() if "running" not in k and "indices" not in k)
    assert result.parameters_after == sum(v.size for k, v in result.model.state_dict().items() if "running" not in k and "indices" not in k)
    return result


def sizes(model):
    """Shapes of all weights, in order."""
    return [x.shape for name, x in model.named_tensors() if name.endswith("weight")]


def normalised(n, rng, kind=nn.BatchNorm1d):
    """Batch norm that has seen something, with some weights 0."""
    norm = kind(n)
    norm.running_mean.assign(rng.normal(size=n))
    norm.running_var.assign(rng.random(n) + 0.5)
    norm.weight.assign(rng.normal(size=n) * (rng.random(n) < 0.8))
    norm.bias.assign(rng.normal(size=n))
    return norm


def assigned(layer, weight, bias=None):
    layer.weight.assign(weight)
    if bias is not None:
        layer.bias.assign(bias)
    return layer
