"""Slopes by differences: NumPy's values for all settings, their gradients, and what is refused."""

import numpy as np
import pytest
from numeric import differences

import tinygrad_reg as tg

F = np.random.default_rng(0).normal(size=(4, 5))
PLACES = np.array([0.0, 0.5, 2.0, 2.25, 4.0])


def leaf(values):
    return tg.Tensor(values, requires_grad=True)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize(
    ("spacing", "axis"),
    [((), None), ((), 0), ((), (1, 0)), ((2.0,), None), ((0.5, PLACES), None), ((PLACES,), -1), ((PLACES, 3), (1, 0)), ((PLACES[:4], PLACES), None)],
)
def test_gradient_is_numpys(spacing, axis, edge_order):
    ours = np.gradient(leaf(F), *spacing, axis=axis, edge_order=edge_order)
    theirs = np.gradient(F, *spacing, axis=axis, edge_order=edge_order)
    assert isinstance(ours, tuple) == isinstance(theirs, (tuple, list))
    for a, b in zip(ours, theirs, strict=True) if isinstance(ours, tuple) else [(ours, theirs)]:
        np.testing.assert_allclose(a.data, b, rtol=1e-12, atol=1e-14)


def test_gradient_of_few_samples_and_of_whole_numbers():
    assert np.gradient(tg.Tensor([1, 4])).tolist() == [3, 3]
    assert np.gradient(tg.Tensor([1, 4, 9]), edge_order=2).tolist() == [2, 4, 6]
    assert tg.gradient(np.float32([1, 4, 9])).dtype == np.float32


def test_gradient_has_one_in_the_places():
    inputs = [F[0], PLACES]
    tensors = [leaf(x) for x in inputs]
    (tg.gradient(*tensors, edge_order=2) * np.arange(5.0)).sum().backward()
    for i, t in enumerate(tensors):
        expected = differences(lambda values: float((np.gradient(*values, edge_order=2) * np.arange(5.0)).sum()), inputs, i)
        np.testing.assert_allclose(t.grad.data, expected, rtol=1e-6, atol=1e-8)


def test_what_has_no_slope_is_refused():
    with pytest.raises(ValueError, match=r"gradient: f of shape \(1,\) has 1 samples along axis 0; edge_order=1 needs 2"):
        tg.gradient([1.0])
    with pytest.raises(ValueError, match="gradient: edge_order=3"):
        tg.gradient(F, edge_order=3)
    with pytest.raises(TypeError, match="gradient: 3 spacings for 2 axes"):
        tg.gradient(F, 1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match=r"gradient: spacing of shape \(3,\) for axis 1"):
        tg.gradient(F, [1.0, 2.0, 3.0], axis=1)
