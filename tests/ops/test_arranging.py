"""Arrangement, joining and diagonals: NumPy's values over settings, gradients that count, and errors that say what fits."""

import numpy as np
import pytest

import tinygrad_reg as tg

X = np.arange(24.0).reshape(2, 3, 4)


def slope(f, *arrays):
    """The gradient of Σ w·f(x), w = 1, 2, 3 …: which element goes where shows in it."""
    leaves = [tg.Tensor(a, requires_grad=True) for a in arrays]
    out = f(*leaves)
    (out * np.arange(1.0, 1 + out.size).reshape(out.shape)).sum().backward()
    return [t.grad.data for t in leaves]


CALLS = {
    "ravel": [(), ("F",)],
    "moveaxis": [(0, -1), ((0, 2), (1, 0)), ([-1], [0])],
    "swapaxes": [(0, 2), (-1, 1)],
    "flip": [(), (0,), ((0, -1),)],
    "fliplr": [()],
    "flipud": [()],
    "roll": [(1,), (-3, 1), ((1, 2), (0, 2)), (2, (0, 1)), ((1, 1), 2)],
    "rot90": [(), (2,), (-1, (1, 2)), (7, (2, 0))],
    "tile": [(2,), ((2, 1),), ((2, 1, 3, 1),), (0,)],
    "repeat": [(2,), (3, 1), ([1, 0, 2], 1), (np.array([2, 1]), 0), ([2], -1)],
    "diagonal": [(), (1,), (-1, 1, 2), (0, -1, 0)],
    "trace": [(), (1, 2, 1)],
    "tril": [(), (1,), (-2,)],
    "triu": [(), (1,), (-2,)],
    "unstack": [()],
    "split": [(2,), ([1],), ([1, 3], -1), ([-1], 2), ([5],)],
    "array_split": [(3, 2), (5, 1), ([2], 1)],
    "hsplit": [(3,)],
    "vsplit": [(2,)],
    "dsplit": [([1, 2],)],
    "atleast_1d": [()],
    "atleast_2d": [()],
    "atleast_3d": [()],
}


@pytest.mark.parametrize(("name", "arguments"), [(name, a) for name, calls in CALLS.items() for a in calls])
def test_numpys_function_gives_the_same(name, arguments):
    if name == "unstack" and not hasattr(np, "unstack"):
        pytest.skip("NumPy before 2.1")
    expected = getattr(np, name)(X, *arguments)
    for found in (getattr(np, name)(tg.Tensor(X), *arguments), getattr(tg, name)(X, *arguments)):
        assert isinstance(found, tuple) is isinstance(expected, (tuple, list))
        for a, b in zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]:
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["vstack", "hstack", "dstack", "column_stack"])
@pytest.mark.parametrize("shapes", [[(3,), (3,)], [(2, 3), (2, 3)], [(), ()], [(2, 1, 2), (2, 1, 2)]])
def test_stacks(name, shapes):
    arrays = [np.full(shape, i + 1.0) for i, shape in enumerate(shapes)]
    expected = getattr(np, name)(arrays)
    leaves = [tg.Tensor(a, requires_grad=True) for a in arrays]
    np.testing.assert_array_equal(getattr(np, name)(leaves).data, expected)
    getattr(tg, name)(leaves).sum().backward()
    assert all((t.grad.data == 1).all() for t in leaves)


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_meshgrid(indexing, sparse, count):
    axes = [np.arange(i + 1.0) for i in range(count)]
    found = np.meshgrid(*map(tg.Tensor, axes), indexing=indexing, sparse=sparse)
    for a, b in zip(found, np.meshgrid(*axes, indexing=indexing, sparse=sparse), strict=True):
        np.testing.assert_array_equal(a.data, b)


def test_arrays_that_have_enough_axes_come_back_as_they_are():
    t = tg.Tensor(X, requires_grad=True)
    assert tg.atleast_1d(t) is t
    assert [x.shape for x in tg.atleast_2d(t, 1.0)] == [(2, 3, 4), (1, 1)]


def test_a_part_without_gradient_counts_as_zero():
    t = tg.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    first, _ = tg.split(t, [1])
    (first * 5).sum().backward()
    assert t.grad.tolist() == [5, 0, 0]
    t.grad = None
    tg.unstack(t)[2].backward()
    assert t.grad.tolist() == [0, 0, 1]


def test_gradients_of_windows_add_up_where_they_overlap():
    assert slope(lambda x: tg.unfold(x, axis=0, size=2), np.zeros(3))[0].tolist() == [1, 2 + 3, 4]
    assert slope(lambda x: tg.unfold(x, axis=0, size=2, step=3), np.zeros(7))[0].tolist() == [1, 2, 0, 3, 4, 0, 0]


@pytest.mark.parametrize(("n", "size", "step"), [(9, 2, 1), (9, 7, 1), (9, 3, 2), (9, 4, 5), (3, 3, 1)])
def test_windows_of_both_kinds_are_laid_back_alike(n, size, step):
    windows = np.random.default_rng(0).normal(size=((n - size) // step + 1, size, 2)).swapaxes(1, 2)
    expected = np.zeros((n, 2))
    for i, window in enumerate(windows):
        expected[i * step : i * step + size] += window.T
    np.testing.assert_allclose(tg.overlap_add(windows, shape=(n, 2), axis=0, step=step), expected, rtol=1e-14)


def test_triangles_leave_out_what_is_not_a_number():
    x = tg.Tensor([[1.0, np.nan], [2.0, 3.0]], requires_grad=True)
    out = tg.tril(x).sum()
    out.backward()
    assert out.item() == 6
    assert x.grad.tolist() == [[1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("f", "kind", "words"),
    [
        (lambda x: tg.moveaxis(x, 3, 0), ValueError, "moveaxis: source: axis 3 is out of bounds.*dimension 3"),
        (lambda x: tg.moveaxis(x, (0, 1), 0), ValueError, "moveaxis: source=.*equally many"),
        (lambda x: tg.swapaxes(x, 0, 5), ValueError, "swapaxes: axis 5 is out of bounds"),
        (lambda x: tg.ravel(x, "K"), ValueError, "ravel: order='K'.*'C' or 'F'"),
        (lambda x: tg.flatten(x, 2, 1), ValueError, "flatten: start_axis=2 lies behind"),
        (lambda x: tg.flip(x, axis=4), ValueError, r"flip: axis 4 is out of bounds.*shape \(2, 3, 4\).*existing axes"),
        (lambda x: tg.split(x, 2, axis=1), ValueError, "split: .*equal division.*must divide"),
        (lambda x: tg.split(x, [2, 1], axis=1), ValueError, "split: the parts would overlap.*do not decrease"),
        (lambda x: tg.array_split(x, 0), ValueError, "array_split: 0 parts"),
        (lambda x: tg.vsplit(x[0, 0], 2), ValueError, "vsplit: .*1 axes, and 2 are needed"),
        (lambda x: tg.unfold(x, axis=1, size=4), ValueError, "unfold: .*at least `size`"),
        (lambda x: tg.unfold(x, axis=1, size=0), ValueError, "unfold: windows have at least one"),
        (lambda x: tg.overlap_add(x, shape=(5,), axis=0), ValueError, r"overlap_add: windows of 4 along axis 0 of shape \(5,\) have shape \(2, 4\)"),
        (lambda x: tg.broadcast_arrays(x, np.ones(3)), ValueError, "broadcast_arrays: .*equal or 1"),
        (lambda x: tg.meshgrid(x), ValueError, "meshgrid: .*more than one axis"),
        (lambda x: tg.meshgrid(x[0, 0], indexing="yx"), ValueError, "meshgrid: indexing='yx'"),
        (lambda x: tg.diag(x), ValueError, "diag: .*neither a vector nor a matrix.*diag_embed"),
        (lambda x: tg.diag_embed(1.0), ValueError, "diag_embed: a number has no axis"),
        (lambda x: tg.diag_embed(x, 0, 1, 1), ValueError, "diag_embed: .*same axis"),
        (lambda x: tg.diagonal(x, 0, 1, 1), ValueError, "diagonal: .*axis1 and axis2"),
        (lambda x: tg.repeat(x, [1, 2], axis=1), ValueError, "repeat: .*one for each place"),
        (lambda x: tg.block_diag(x), ValueError, "block_diag: .*at most two axes"),
        (lambda x: tg.rot90(x, 1, (0, 0)), ValueError, "rot90: .*two different axes"),
    ],
)
def test_errors_say_what_fits(f, kind, words):
    with pytest.raises(kind, match=words):
        f(tg.Tensor(X, requires_grad=True))
