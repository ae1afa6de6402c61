"""Forms: what an elementwise op does to single numbers, read off its forward."""

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.compile.scalar import form, resolved
from tinygrad_reg.op import OPS, op

pytestmark = pytest.mark.usefixtures("own_ops")

F4 = np.dtype("f4")
ELEMENTWISE = sorted(name for name, o in OPS.items() if o.elementwise and form(o) is not None and o.arity <= 3)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_form_computes_what_the_forward_does(name, dtype):
    o = OPS[name]
    found = form(o, {}, (np.dtype(dtype),) * o.arity)
    if found is None:
        pytest.skip("it takes other arguments")
    arrays = np.random.default_rng(0).uniform(0.1, 0.9, (o.arity, 7)).astype(dtype)
    with np.errstate(all="ignore"):
        wanted, got = o.forward(*arrays), found(*arrays)
    np.testing.assert_allclose(got, wanted, rtol=8 * np.finfo(dtype).eps)
    assert np.asarray(got).dtype == np.asarray(wanted).dtype


def test_many_ops_have_a_form():
    assert {"add", "sigmoid", "relu", "softplus", "gelu", "clip", "where", "logaddexp", "silu", "hardswish"} <= {n for n, o in OPS.items() if form(o)}


def test_settings_are_taken_in():
    assert "0.3" in str(form(OPS["leaky_relu"], {"negative_slope": 0.3}))
    assert form(OPS["astype"], {"dtype": "float32"})(np.float64(0.1)) == np.float32(0.1)


def test_an_array_left_out():
    assert str(form(OPS["clip"], {}, (F4, None, float))) == "t0 = minimum(x0, x2)\nt0"


def test_small_whole_numbers_become_floats_first():
    assert "astype" in str(form(OPS["sigmoid"], {}, (np.dtype("i4"),)))
    assert "astype" not in str(form(OPS["sigmoid"], {}, (F4,)))


def test_an_op_of_ones_own():
    @op()
    def wave_of_the_test(x):
        out = np.sin(x) * 2
        out += 1
        return out

    assert str(form(wave_of_the_test)) == "t0 = sin(x0)\nt1 = multiply(t0, 2)\nt2 = add(t1, 1)\nt2"


@pytest.mark.parametrize("name", ["sum", "sort", "matmul", "softmax", "reshape", "cumsum", "getitem", "concat", "dropout_mask"])
def test_what_is_not_elementwise_has_none(name):
    assert form(OPS[name]) is None


def refused(forward):
    return form(op()(forward))


def test_forwards_that_do_more_have_none():
    def branch_of_the_test(x):
        return x if x > 0 else -x

    def drawn_of_the_test(x):
        return x * np.random.default_rng().random()

    def changed_of_the_test(x):
        x += 1
        return x

    def constant_of_the_test(x):
        return 1.0

    for forward in (branch_of_the_test, drawn_of_the_test, changed_of_the_test, constant_of_the_test):
        assert refused(forward) is None


def test_a_generator_is_not_used_up():
    rng = np.random.default_rng(0)
    form(OPS["dropout_mask"], {"rng": rng, "p": 0.5})
    assert rng.random() == np.random.default_rng(0).random()


def test_dtypes_as_numpy_resolves_them():
    assert resolved(np.multiply, (F4, float)) == (F4, F4, F4)
    assert resolved(np.divide, (np.dtype("i8"), int))[-1] == np.float64
    assert resolved(np.where, (np.dtype(bool), F4, int)) == (np.dtype(bool), F4, F4, F4)
    assert resolved(np.less, (F4, float))[-1] == np.dtype(bool)


def test_gradients_of_user_ops_are_compiled_too():
    @op()
    def cube_of_the_test(x):
        return x * x * x

    cube_of_the_test.defvjp(lambda g, out, x: g * (3 * x * x))
    x = tg.Tensor([1.0, 2.0], requires_grad=True)
    f = tg.compile(lambda x: tg.grad(cube_of_the_test(x).sum(), x), wait=True)
    for _ in range(2):
        np.testing.assert_allclose(f(x).data, [3.0, 12.0])
