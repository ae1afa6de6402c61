"""The report of zeros: every number counted once more by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg
from tinygrad_reg import nn


def sprinkled(layer, rng, share=0.6):
    """The layer with weights of which about ``share`` are 0."""
    layer.weight.assign(layer.weight.data * (rng.random(layer.weight.shape) >= share))
    return layer


@given(st.integers(1, 5), st.integers(1, 5), st.sampled_from(["float32", "float64"]), st.integers(0, 2**32 - 1))
def test_of_a_linear_layer(n, m, dtype, seed):
    rng = np.random.default_rng(seed)
    layer = sprinkled(nn.Linear(n, m, rng=rng, dtype=dtype), rng)
    weight, bias = tg.sparsity_report(layer)
    w = layer.weight.tolist()
    assert weight.nonzeros == sum(v != 0 for row in w for v in row)
    assert weight.dead_inputs == sum(all(v == 0 for v in row) for row in w)
    assert weight.dead_units == sum(all(row[j] == 0 for row in w) for j in range(m))
    assert (weight.multiplications, weight.saved) == (n * m, n * m - weight.nonzeros)
    assert weight.dense_bytes == n * m * np.dtype(dtype).itemsize
    assert (bias.shape, bias.nonzeros, bias.zeros, bias.dead_inputs, bias.dead_units, bias.multiplications) == ((m,), 0, 1.0, None, None, None)


@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from(["float32", "float64"]), st.integers(0, 2**32 - 1))
def test_bytes_are_those_of_scipys_csr(n, m, dtype, seed):
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(seed)
    layer = sprinkled(nn.Linear(n, m, rng=rng, dtype=dtype), rng)
    csr = sparse.csr_array(layer.weight.data)
    assert tg.sparsity_report(layer)[0].sparse_bytes == csr.data.nbytes + csr.indices.nbytes + csr.indptr.nbytes


@pytest.mark.parametrize("groups", [1, 2])
def test_of_a_convolution(groups, rng):
    layer = nn.Conv2d(4, 6, 3, groups=groups, rng=0)
    weight = layer.weight.numpy()
    weight[[1, 5]] = 0
    weight[:, 1] = 0  # of each group the second input
    layer.weight.assign(weight)
    row = tg.sparsity_report(layer)[0]
    assert (row.dead_inputs, row.dead_units) == (groups, 2)
    assert row.sparse_bytes == row.nonzeros * 12 + 4 * 7
    assert (row.multiplications, row.saved) == (weight.size, weight.size - np.count_nonzero(weight))
    # An input is dead exactly if the output does not hang on it.
    x = tg.tensor(rng.normal(size=(1, 4, 5, 5)), requires_grad=True)
    layer(x).sum().backward()
    assert (x.grad.data == 0).all(axis=(0, 2, 3)).sum() == groups


def test_totals_are_sums_and_names_those_of_the_model(rng):
    parts = [nn.Conv1d(2, 3, 2, rng=0), nn.BatchNorm1d(3), nn.ReLU(), nn.Flatten(), nn.LayerNorm(9), nn.Linear(9, 2, rng=0, bias=False)]
    model = nn.Sequential(*parts)
    sprinkled(model[5], rng)
    model[0].weight.requires_grad = False
    report = tg.sparsity_report(model)
    names = [name for name, _ in model.named_tensors() if "running" not in name]
    assert [row.parameter for row in report] == names
    assert report.total.size == sum(x.size for name, x in model.named_tensors() if "running" not in name)
    assert report.total.nonzeros == sum(row.nonzeros for row in report)
    assert report.total.saved == report[-1].size - report[-1].nonzeros
    assert report.total.dense_bytes == 8 * report.total.size
    assert str(report).splitlines()[-1].split()[:2] == ["total", f"{report.total.nonzeros}/{report.total.size}"]
    assert len({len(line) for line in str(report).splitlines()}) == 1


def test_an_embedding_has_units_and_multiplies_nothing():
    row = tg.sparsity_report(nn.Embedding(3, 2, padding_idx=0, rng=0))[0]
    assert (row.nonzeros, row.dead_inputs, row.dead_units, row.multiplications) == (4, None, 0, None)


def test_other_modules_are_looked_into_and_other_things_refused():
    class Net(nn.Module):
        def __init__(self):
            self.scale = tg.tensor([0.0, 1.0], requires_grad=True)
            self.body = nn.Linear(2, 2, init="zeros")

    assert [(row.parameter, row.dead_units) for row in tg.sparsity_report(Net())] == [("scale", None), ("body.weight", 2), ("body.bias", None)]
    with pytest.raises(TypeError, match=r"sparsity_report: the model is a list; it must be a Module"):
        tg.sparsity_report([nn.Linear(2, 2)])
