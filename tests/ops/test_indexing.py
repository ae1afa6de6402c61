"""Indexing: NumPy's values for every kind of key, repeated places add up, and keys that nobody can change later."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg

SHAPE = (3, 4, 2)
ARRAY = np.arange(24.0).reshape(SHAPE)
COUNTING = np.arange(1.0, 25.0).reshape(SHAPE)

KEYS = {
    "integer": 1,
    "negative": -1,
    "numpy integer": np.int64(2),
    "slice": slice(None, None, 2),
    "backwards": slice(None, None, -1),
    "empty slice": slice(2, 2),
    "tuple": (1, slice(None), -1),
    "ellipsis": (..., 0),
    "new axis": (None, 0, None),
    "everything": (),
    "list": [0, 2, 0],
    "empty list": [],
    "list in a tuple": (slice(None), [1, 1, -1]),
    "integers": np.array([2, 0, 2]),
    "small integers": np.array([2, 0, 2], np.uint8),
    "two arrays": (np.array([0, 0]), np.array([1, 1])),
    "two arrays apart": (np.array([0, 0]), slice(None), np.array([1, 1])),
    "arrays that broadcast": (np.array([[0], [0]]), np.array([1, 1, 3])),
    "booleans": np.array([True, False, True]),
    "list of booleans": [True, False, True],
    "no booleans": np.zeros(3, bool),
    "mask": ARRAY % 3 == 0,
    "boolean and slice": (slice(1, None), np.array([True, False, True, True])),
    "boolean and integer": (0, np.array([True, False, True, True])),
    "boolean and integers": (np.array([True, False, True]), np.array([1, 1])),
    "a single True": True,
    "a single False": False,
    "array without axes": np.array(1),
}


def expected_gradient(key):
    """What np.add.at makes of it: 1, 2, 3 … times each place named."""
    found = np.zeros(SHAPE)
    np.add.at(found, key, weights(key))
    return found


def weights(key):
    return np.arange(1.0, 1.0 + ARRAY[key].size).reshape(ARRAY[key].shape)


@pytest.mark.parametrize("take", [lambda x, key: x[key], lambda x, key: tg.getitem(x, key=key)], ids=["brackets", "function"])
@pytest.mark.parametrize("name", KEYS)
def test_every_kind_of_key(name, take):
    key, x = KEYS[name], tg.Tensor(ARRAY, requires_grad=True)
    part = take(x, key)
    np.testing.assert_array_equal(part.data, ARRAY[key])
    (part * weights(key)).sum().backward()
    np.testing.assert_array_equal(x.grad.data, expected_gradient(key))


@pytest.mark.parametrize("name", KEYS)
def test_second_derivative_of_a_part(name):
    key, x = KEYS[name], tg.Tensor(COUNTING, requires_grad=True)
    first = tg.grad((x[key] ** 3).sum(), x, create_graph=True)
    second = tg.grad(first.sum(), x)
    times = np.zeros(SHAPE)
    np.add.at(times, key, 1.0)
    np.testing.assert_allclose(first.data, times * 3 * COUNTING**2)
    np.testing.assert_allclose(second.data, times * 6 * COUNTING)


@given(st.data())
def test_any_key(data):
    key = data.draw(hnp.basic_indices(SHAPE, allow_newaxis=True) | hnp.integer_array_indices(SHAPE))
    x = tg.Tensor(ARRAY, requires_grad=True)
    np.testing.assert_array_equal(x[key].data, ARRAY[key])
    (x[key] * weights(key)).sum().backward()
    np.testing.assert_array_equal(x.grad.data, expected_gradient(key))


def test_tensors_as_keys():
    x = tg.Tensor([1.0, -2.0, 3.0], requires_grad=True)
    np.testing.assert_array_equal(x[x > 0].data, [1, 3])
    np.testing.assert_array_equal(x[tg.Tensor([0, 0, 2])].data, [1, 1, 3])
    np.testing.assert_array_equal(tg.getitem(x, key=tg.Tensor([0, 0])).data, [1, 1])
    assert x[tg.Tensor(1)].item() == -2
    assert tg.Tensor([[1.0, 2.0]])[tg.Tensor([0]), tg.Tensor([1])].item() == 2
    x[tg.Tensor([0, 0, 2])].sum().backward()
    np.testing.assert_array_equal(x.grad.data, [2, 0, 1])


@pytest.mark.parametrize("take", [lambda x, key: x[key], lambda x, key: tg.getitem(x, key=key)], ids=["brackets", "function"])
@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("kind", [np.array, list, lambda places: np.array([True, False, False])], ids=["integers", "list", "booleans"])
def test_a_key_changed_by_its_owner_does_not_change_the_gradient(take, wrapped, kind):
    key, x = kind([0, 0]), tg.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    part = take(x, (key,) if wrapped else key)
    expected = np.zeros(3)
    np.add.at(expected, key, 1.0)
    key[:] = key[::-1] if len(key) == 3 else [2, 2]
    part.sum().backward()
    np.testing.assert_array_equal(x.grad.data, expected)


def test_a_key_of_put_back_changed_by_its_owner_does_not_change_the_gradient():
    key, x = np.array([0, 2]), tg.Tensor([1.0, 2.0], requires_grad=True)
    y = tg.put_back(x, key=key, shape=(3,))
    key[:] = 1
    (y * [1.0, 10.0, 100.0]).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [1, 100])


@pytest.mark.parametrize("name", KEYS)
def test_put_back_is_the_mirror_of_getitem(name):
    key = KEYS[name]
    np.testing.assert_array_equal(tg.put_back(weights(key), key=key, shape=SHAPE), expected_gradient(key))


def test_numpys_put_which_writes_in_place_is_no_op():
    x = tg.Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match="np.put is not an op here"):
        np.put(x, [0], 5.0)
    with pytest.raises(ValueError, match="read-only"):
        np.put(x.detach(), [0], 5.0)
    np.testing.assert_array_equal(x.data, [1, 2])


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (3, r"getitem: index 3 is out of bounds.*float64 of shape \(3,\).*a key is made of"),
        ((0, 0), "getitem: too many indices"),
        (1.5, "getitem: .*of integer"),
        ([1.5], "getitem: .*of integer"),
        (np.array([True, False]), "getitem: boolean index did not match"),
    ],
)
def test_keys_that_fit_nothing(key, words):
    with pytest.raises(IndexError, match=words):
        tg.Tensor([1.0, 2.0, 3.0])[key]
