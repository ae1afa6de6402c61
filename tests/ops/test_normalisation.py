"""Normalisation against PyTorch, its running statistics, equal elements, and what does not fit."""

import numpy as np
import pytest
from torch_twin import agree

import tinygrad_reg as tg


@pytest.mark.parametrize(("shape", "last"), [((3, 4), (4,)), ((2, 3, 4), (3, 4)), ((2, 3, 4), (4,)), ((5, 1), (1,))])
@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_over_the_last_axes(shape, last, eps, rng):
    x, weight, bias = rng.normal(size=shape), rng.normal(size=last), rng.normal(size=last)
    agree(lambda *a: tg.layer_norm(a[0], last, *a[1:], eps), lambda functional, *a: functional.layer_norm(a[0], last, *a[1:], eps), x, weight, bias)
    agree(lambda *a: tg.rms_norm(a[0], last, a[1], eps), lambda functional, *a: functional.rms_norm(a[0], last, a[1], eps), x, weight)
    agree(lambda x: tg.rms_norm(x, last), lambda functional, x: functional.rms_norm(x, last), x)


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4), (2, 3, 4, 2)])
def test_by_channel(shape, rng):
    x, weight, bias, mean, var = rng.normal(size=shape), *rng.normal(size=(3, 3)), rng.uniform(0.5, 2, 3)
    agree(
        lambda *a: tg.batch_norm(a[0], None, None, *a[1:], training=True),
        lambda functional, *a: functional.batch_norm(a[0], None, None, *a[1:], training=True),
        *(x, weight, bias),
    )
    agree(tg.batch_norm, lambda functional, *a: functional.batch_norm(*a), *(x, mean, var, weight, bias), constant=(1, 2))
    if x.ndim > 2:
        agree(
            lambda *a: tg.instance_norm(a[0], weight=a[1], bias=a[2]),
            lambda functional, *a: functional.instance_norm(a[0], weight=a[1], bias=a[2]),
            *(x, weight, bias),
        )


@pytest.mark.parametrize(("shape", "groups"), [((2, 4), 2), ((2, 4, 3), 1), ((3, 6, 2, 2), 3)])
def test_by_groups(shape, groups, rng):
    x, weight, bias = rng.normal(size=shape), rng.normal(size=shape[1]), rng.normal(size=shape[1])
    agree(lambda x, *a: tg.group_norm(x, groups, *a), lambda functional, x, *a: functional.group_norm(x, groups, *a), x, weight, bias)


@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
def test_running_statistics_follow(name, rng):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    x, start = rng.normal(size=(2, 3, 4)), (rng.normal(size=3), rng.uniform(0.5, 2, 3))
    mine, theirs = [tg.Tensor(a) for a in start], [torch.tensor(a) for a in start]
    training = {"training": True} if name == "batch_norm" else {}
    getattr(tg, name)(x, *mine, momentum=0.3, **training)
    getattr(torch.nn.functional, name)(torch.tensor(x), *theirs, momentum=0.3, **training)
    for m, t in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(m.data, t.numpy(), rtol=1e-12)


def test_arrays_of_running_statistics_are_left_alone(rng):
    mean, var = np.zeros(3), np.ones(3)
    tg.batch_norm(rng.normal(size=(4, 3)), mean, var, training=True)
    assert not mean.any()
    assert (var == 1).all()


def test_equal_elements_give_zero():
    x = np.full((2, 3), 0.1) * 3
    np.testing.assert_array_equal(tg.layer_norm(x, 3), np.zeros((2, 3)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_from_zero(dtype, rng):
    x = rng.normal(size=(2, 64))
    far = (x + 1e4).astype(dtype)
    expected = (far - far.mean(-1, keepdims=True, dtype=float)) / np.sqrt(far.var(-1, keepdims=True, dtype=float) + 1e-5)
    np.testing.assert_allclose(tg.layer_norm(far, 64), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: tg.layer_norm(x, 3), r"layer_norm: normalized_shape is \(3,\), and x of shape \(2, 4\) does not end in it"),
        (lambda x: tg.layer_norm(x, 4, np.ones(3)), r"layer_norm: weight has shape \(3,\); it needs normalized_shape"),
        (lambda x: tg.batch_norm(x, None, None), "batch_norm: in evaluation running_mean and running_var are needed"),
        (lambda x: tg.batch_norm(x[:1], None, None, training=True), "one element for each channel, and no variance"),
        (lambda x: tg.batch_norm(x, np.ones(3), np.ones(3)), "running_mean has shape .*one number for each channel"),
        (lambda x: tg.instance_norm(x), "instance_norm: x has shape .*at least 3 axes"),
        (lambda x: tg.instance_norm(x[:, :, None]), "instance_norm: x of shape .*no variance"),
        (lambda x: tg.group_norm(x, 3), "group_norm: num_groups is 3; it must divide the 4 channels"),
    ],
)
def test_what_does_not_fit(call, words):
    with pytest.raises(ValueError, match=words):
        call(np.ones((2, 4)))


@pytest.mark.parametrize("settings", [{"size": 1}, {"size": 2, "alpha": 0.5}, {"size": 3, "beta": 0.5, "k": 2.0}, {"size": 7}], ids=str)
@pytest.mark.parametrize("shape", [(2, 5, 3), (1, 4, 2, 3)])
def test_over_neighbouring_channels(shape, settings, rng):
    agree(
        lambda x: tg.local_response_norm(x, **settings), lambda functional, x: functional.local_response_norm(x, **settings), rng.normal(size=shape)
    )
    with pytest.raises(ValueError, match=r"local_response_norm: x has shape \(2, 3\)"):
        tg.local_response_norm(np.ones((2, 3)), 2)
