"""New Tensors: what a wrong call says. Values, dtypes and shapes are compared with NumPy's in test_array_api_calls.py."""

import numpy as np
import pytest

import tinygrad_reg as tg


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: tg.zeros(-1), ValueError, "zeros: negative dimensions.* Here a shape is a whole number from 0 up, or several, at most 64"),
        (lambda: tg.ones((2, -1)), ValueError, "ones: negative dimensions"),
        (lambda: tg.empty(2.5), TypeError, "empty: .*'2.5'. Here a shape is"),
        (lambda: tg.zeros((1,) * 65), ValueError, "zeros: maximum supported dimension.* at most 64"),
        (lambda: tg.zeros(2, dtype="nonsense"), TypeError, "zeros: data type 'nonsense' not understood"),
        (lambda: tg.zeros(2, dtype=object), TypeError, "a Tensor holds numbers"),
        (lambda: tg.full(2, [1, 2, 3]), ValueError, r"full: could not broadcast .*\(3,\) into shape \(2,\).* the value fits into the shape"),
        (lambda: tg.full(2, 300, dtype="uint8"), ValueError, "full: Python integer 300 out of bounds for uint8"),
        (lambda: tg.full(2, 1j, dtype="float32"), TypeError, "full: complex numbers do not fit into float32: take their real"),
        (lambda: tg.full(2, tg.Tensor([1j, 1]), dtype=tg.float64), TypeError, "full: complex numbers do not fit into float64"),
        (lambda: tg.full_like([1.0], 1j), TypeError, "full_like: complex numbers do not fit into float64"),
        (lambda: tg.full_like([1.0], [1, 2]), ValueError, r"full_like: could not broadcast"),
        (lambda: tg.full(2, tg.Tensor(1.0, requires_grad=True)), TypeError, "requires a gradient"),
        (lambda: tg.eye(-1), ValueError, "eye: negative dimensions.* Here rows and columns are whole numbers from 0 up"),
        (lambda: tg.linspace(0, 1, -1), ValueError, "linspace: Number of samples, -1, must be non-negative.* from 0 up"),
        (lambda: tg.arange(0, 1, 0), ValueError, "arange: division by zero.* step is not 0"),
        (lambda: tg.arange("a"), TypeError, "arange: .*real numbers"),
        (lambda: tg.arange(1j), TypeError, "arange: .*real numbers"),
        (lambda: tg.zeros_like([1.0], dtype="nonsense"), TypeError, "zeros_like: data type 'nonsense' not understood"),
        (lambda: tg.from_dlpack([1.0]), TypeError, r"from_dlpack: a list offers no DLPack; use asarray\(\)"),
    ],
)
def test_errors_name_the_function_and_say_what_fits(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


def test_full_takes_complex_numbers_where_they_fit():
    assert tg.full(2, 1j).dtype == np.complex128
    assert tg.full(2, 1j, dtype="complex64").tolist() == [1j, 1j]
    assert tg.full_like([1j], 2.0).tolist() == [2 + 0j]
    assert tg.full((2, 2), [1.0, 2.0]).tolist() == [[1, 2], [1, 2]]


@pytest.mark.parametrize(
    "make", [lambda: tg.zeros(2, requires_grad=True), lambda: tg.ones(2, None, True), lambda: tg.full(2, 1.5, requires_grad=True)]
)
def test_requires_grad_makes_a_leaf(make):
    leaf = make()
    (leaf * leaf).sum().backward()
    np.testing.assert_array_equal(leaf.grad.data, 2 * leaf.data)


@pytest.mark.parametrize("arguments", [(3,), (3, 4), (4, 2, 1), (2, 5, -1)])
def test_triangles_and_their_places_are_numpys(arguments):
    np.testing.assert_array_equal(tg.tri(*arguments).data, np.tri(*arguments))
    assert tg.tri(2, dtype="int8").dtype == np.int8
    n, m, k = (*arguments, None, 0)[:3] if len(arguments) < 3 else arguments
    k = k or 0
    for name in ("tril_indices", "triu_indices"):
        for ours, theirs in zip(getattr(tg, name)(n, k, m), getattr(np, name)(n, k, m), strict=True):
            np.testing.assert_array_equal(ours.data, theirs)
    x = tg.Tensor(np.arange(9.0).reshape(3, 3), requires_grad=True)
    assert x[tg.triu_indices(3, 1)].tolist() == [1, 2, 5]
