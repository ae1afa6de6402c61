"""Looking at numbers: plain in eager mode, a step of the program in a compiled function."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.ops.seen import by_numbers, values


@by_numbers
def largest_place(x):
    return np.argmax(x)


@by_numbers(refuses=True)
def refuse_negative(x, *, name):
    if np.any(x < 0):
        raise ValueError(f"{name}: some are negative")
    return x


@by_numbers(shaped=True)
def positive(x):
    return x[x > 0]


@by_numbers
def together(*parts, sign):
    return sign * np.concatenate(parts)


def test_in_eager_mode_they_are_functions_of_arrays():
    x = tg.tensor([1.0, 3.0, 2.0], requires_grad=True)
    assert largest_place(x) == largest_place(x.data) == 1
    assert isinstance(values(x), np.ndarray)
    assert values(2.0) == 2.0
    np.testing.assert_array_equal(together([x, np.ones(1)], sign=-1), [-1, -3, -2, -1])
    with pytest.raises(ValueError, match="^x: some are negative$"):
        refuse_negative(-x, name="x")


def test_a_compiled_function_looks_at_each_run(backend):
    f = tg.compile(lambda x: x * largest_place(x) + together([x, x], sign=2).sum(), backend=backend, wait=True)
    for x in ([1.0, 3.0, 2.0], [3.0, 1.0, 2.0], [1.0, 2.0, 3.0]):
        np.testing.assert_allclose(f(np.array(x)).data, np.array(x) * np.argmax(x) + 24)
    assert f.stats()["captures"] == 1


def test_what_they_give_has_no_gradient(backend):
    f = tg.compile(lambda x: tg.grad((x * largest_place(x)).sum(), x), backend=backend, wait=True)
    for x, place in (([1.0, 3.0, 2.0], 1), ([3.0, 1.0, 2.0], 0)):
        np.testing.assert_array_equal(f(tg.tensor(x, requires_grad=True)).data, [place] * 3)


def test_a_check_is_made_though_nobody_wants_its_result(backend):
    def f(x):
        refuse_negative(x, name="f")
        return x + 1

    compiled = tg.compile(f, backend=backend, wait=True)
    compiled(np.ones(2))
    compiled(np.zeros(2))
    with pytest.raises(ValueError, match="^f: some are negative$"):
        compiled(-np.ones(2))


def test_a_shape_that_depends_on_numbers_is_refused(backend):
    with pytest.raises(tg.CaptureError, match="shape of what positive gives depends on numbers"):
        tg.compile(lambda x: positive(x), backend=backend)(np.ones(2))


def test_an_array_of_somebody_else_is_read_at_each_run(backend):
    own = np.array([1.0, 3.0, 2.0])
    f = tg.compile(lambda x: x * largest_place(own) + np.floor(values(own)), backend=backend, wait=True)
    for place in (1, 2, 0):
        own[:] = 0.5
        own[place] = 3.7
        np.testing.assert_array_equal(f(np.ones(3)).data, place + np.floor(own))
