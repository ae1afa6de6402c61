"""Keys with Tensors in them, in compiled functions: the same as NumPy's indexing, for any numbers in the key."""

import numpy as np
import pytest

import tinygrad_reg as tg

X = np.arange(24.0).reshape(2, 3, 4) / 7

# Each key as a function of an array of places i (2,).
KEYS = {
    "i": lambda i: i,
    "i,": lambda i: (i,),
    "i, :": lambda i: (i, slice(None)),
    "..., i": lambda i: (..., i),
    ":, i": lambda i: (slice(None), i),
    "i, i": lambda i: (i, i),
    "i, :, i": lambda i: (i, slice(None), i),
    "i, 1:, None": lambda i: (i, slice(1, None), None),
    "0, i": lambda i: (0, i),
    "a table": lambda i: i[:, None] * i[None],
    "rows and columns": lambda i: (i[:, None], i[None]),
    "one number": lambda i: i[0],
    "one number of several": lambda i: (slice(None), i[1]),
    "negative": lambda i: -i - 1,
    "with a list": lambda i: (i, [0, 2]),
    "with an array": lambda i: (i, np.array([2, 1])),
    "with a mask of mine": lambda i: (i, np.array([True, False, True])),
}


@pytest.mark.parametrize("name", KEYS)
def test_the_part_and_its_gradient(name, backend):
    key = KEYS[name]
    f = tg.compile(lambda x, i: (x[key(i)], tg.grad((x[key(i)] ** 2).sum(), x)), backend=backend, wait=True)
    for places in ([0, 1], [1, 1], [0, 0]):
        i = np.array(places)
        part, slope = f(tg.tensor(X, requires_grad=True), i)
        np.testing.assert_array_equal(part.data, X[key(i)])
        expected = np.zeros_like(X)
        np.add.at(expected, key(i), 2 * X[key(i)])
        np.testing.assert_allclose(slope.data, expected)
    assert f.stats()["captures"] == 1


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("op", [tg.index_set, tg.index_add])
def test_an_array_with_a_part_replaced_or_added_to(op, name, backend):
    key = KEYS[name]

    def both(x, i):
        v = 0.5 * x[key(i)]
        out = op(x, v, key=key(i))
        return out, tg.grad((out**2).sum(), x)

    compiled = tg.compile(both, backend=backend, wait=True)
    for places in ([0, 1], [1, 1], [1, 0]):
        given = tg.tensor(X, requires_grad=True), tg.tensor(places)
        for got, expected in zip(compiled(*given), both(*given), strict=True):
            np.testing.assert_allclose(got.data, expected.data)


@pytest.mark.parametrize("key", [lambda i: i > 0, lambda i: (slice(None), i > 0), lambda i: (i, i > 0)])
def test_a_mask_that_is_computed_is_refused(key, backend):
    with pytest.raises(tg.CaptureError, match=r"shape of what \w+ gives depends on numbers.*test_keys.py"):
        tg.compile(lambda i: tg.asarray(np.ones((2, 2)))[key(i)], backend=backend)(np.array([0, 1]))


@pytest.mark.parametrize("f", [lambda x, i: x[: i[0]], lambda x, i: tg.sum(x, axis=i[0]), lambda x, i: x.reshape(i[0], -1)])
def test_other_settings_cannot_be_computed(f, backend):
    with pytest.raises(tg.CaptureError, match=r"asked for.*test_keys.py"):
        tg.compile(f, backend=backend)(np.ones((2, 2)), np.array([1]))
