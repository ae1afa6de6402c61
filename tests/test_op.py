"""What an op is: its arguments and settings, its place in the tables, and ops of a user's own."""

import pickle

import numpy as np
import pytest
from numeric import check_gradient, check_second_derivative, sample, seeded

import tinygrad_reg as tg
from tinygrad_reg.domain import Domain, case
from tinygrad_reg.op import ALIASES, NUMPY, OPS, describe

pytestmark = pytest.mark.usefixtures("own_ops")


def make_cubed(**settings):
    @tg.op(**settings)
    def cubed_for_a_test(x):
        """x³, with slope 3x²."""
        return x * x * x

    cubed_for_a_test.defvjp(lambda g, out, x: g * (3 * x * x))
    return cubed_for_a_test


# ------------------------------------------------------------------------------------------- the tables


def test_every_op_stands_in_the_table_and_the_module_under_its_names():
    for name, op in OPS.items():
        assert op.name == name
        assert op.differentiable is bool(op.rules)
    for name, op in ALIASES.items():
        assert getattr(tg, name) is op
    assert tg.sub is tg.subtract
    assert tg.concatenate is tg.concat


def test_every_argument_has_a_domain_and_every_case_fits():
    for op in OPS.values():
        assert len(op.domain) == (1 if op.variadic else op.arity)
        for c in op.cases:
            assert op.variadic or len(c.shapes) == op.arity
            assert set(c.settings) <= set(op.setting_names)


def test_domains_are_plain_data():
    assert Domain(-np.inf, np.inf) == tg.REAL
    assert tg.REAL.with_kinks(0.0, 1.0).kinks == (0.0, 1.0)
    assert tg.REAL.with_ties().ties
    assert tg.interval(-1, 1, open_low=True) == Domain(-1, 1, open_low=True)
    assert (tg.POSITIVE.low, tg.POSITIVE.open_low, tg.NONNEGATIVE.open_low) == (0.0, True, False)
    assert (tg.integers(0, 3).kind, tg.BOOLEAN.kind, tg.REAL.kind) == ("integer", "boolean", "real")
    assert case((2, 3), (), axis=0) == case((2, 3), (), axis=0)


def test_an_op_prints_its_name_and_survives_pickling():
    assert repr(tg.tanh) == "<op tanh>"
    for op in OPS.values():
        assert pickle.loads(pickle.dumps(op)) is op


def test_describe_says_dtype_shape_and_name():
    assert describe(np.zeros((2, 3), np.float32), "w") == "float32 of shape (2, 3) 'w'"
    assert describe(3) == "int 3"


# ----------------------------------------------------------------------------- arguments and settings


def test_settings_by_name_and_by_position():
    x = np.ones((2, 3))
    for t in (x, tg.Tensor(x)):
        assert np.shape(tg.sum(t, 0)) == np.shape(tg.sum(t, axis=0)) == np.shape(tg.sum(x=t, axis=0)) == (3,)
        assert np.shape(tg.sum(t, 0, True)) == (1, 3)
        assert np.shape(tg.reshape(t, (3, 2))) == np.shape(tg.reshape(t, shape=(3, 2))) == (3, 2)
        assert np.shape(tg.concat([t, t], 1)) == np.shape(tg.concat([t, t], axis=1)) == (2, 6)


def test_arrays_by_name_and_left_out():
    x = tg.Tensor([1.0, 5.0])
    assert tg.divide(a=x, b=2.0).tolist() == [0.5, 2.5]
    assert tg.power(x, b=2).tolist() == [1, 25]
    assert tg.clip(x, max=3).tolist() == tg.clip(x, None, 3).tolist() == [1, 3]
    assert tg.clip(x).tolist() == [1, 5]


def test_lists_are_arrays():
    assert tg.add([1.0, 2.0], 1).tolist() == [2, 3]
    assert tg.add(1, [1.0, 2.0]).tolist() == [2, 3]
    assert tg.sum([[1.0, 2.0], [3.0, 4.0]], axis=0).tolist() == [4, 6]
    assert tg.square([1.0, 2.0]).tolist() == [1, 4]
    assert isinstance(tg.exp([0.0]), np.ndarray)
    assert isinstance(tg.add([1.0], tg.Tensor([1.0])), tg.Tensor)
    assert tg.exp(0.0) == 1


def test_recorded_nodes_hold_settings_with_their_defaults():
    y = tg.max(tg.Tensor([1.0], requires_grad=True), axis=0)
    assert dict(y.settings) == {"axis": 0, "keepdims": False} == {**tg.max.defaults, "axis": 0}


# ----------------------------------------------------------------------------------- ops of one's own


def test_an_op_of_ones_own_records_differentiates_and_prints():
    cubed = make_cubed(label="x³", domain=[tg.REAL])
    assert (cubed.label, cubed.name, cubed.__doc__) == ("x³", "cubed_for_a_test", "x³, with slope 3x².")
    assert OPS["cubed_for_a_test"] is cubed
    rng = seeded("cubed")
    for c in cubed.cases:
        check_gradient(cubed, sample(cubed, c.shapes, rng), {}, rng)
        check_second_derivative(cubed, sample(cubed, c.shapes, rng), {}, rng)


def test_a_label_is_the_name_unless_given():
    assert make_cubed().label == "cubed_for_a_test"


def test_an_op_of_two_arrays_and_a_setting():
    @tg.op(cases=[case((2,), (2,), scale=3.0)])
    def scaled_product(a, b, *, scale=1.0):
        return a * b * scale

    scaled_product.defvjp(lambda g, out, a, b, scale: g * b * scale, None)
    a, b = (tg.Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    scaled_product(a, b, scale=3.0).sum().backward()
    assert a.grad.tolist() == [3, 6]
    assert b.grad is None
    assert scaled_product(a, b, 3.0).tolist() == [3, 12]
    with pytest.raises(TypeError, match=r"scaled_product has no setting 'factor'. It is called as scaled_product\(a, b, scale=1.0\)"):
        scaled_product(a, b, factor=2)


def test_an_op_of_any_number_of_arrays():
    @tg.op(cases=[case((2,), (2,), (2,))])
    def product_of_all(*arrays):
        return np.prod(np.stack(arrays), axis=0)

    product_of_all.defvjp(lambda g, out, *arrays, index: g * out / arrays[index])
    rng = seeded("product")
    inputs = [rng.uniform(1, 2, 2) for _ in range(3)]
    check_gradient(product_of_all, inputs, {}, rng)
    check_second_derivative(product_of_all, inputs, {}, rng)
    with pytest.raises(TypeError, match=r"It is called as product_of_all\(arrays\)"):
        product_of_all(inputs, axis=3)


@pytest.mark.parametrize("variadic", [False, True])
def test_an_op_declared_flat_has_gradient_zero(variadic):
    if variadic:

        @tg.op(cases=[case((2,))])
        def flat(*arrays):
            return np.round(arrays[0])
    else:

        @tg.op()
        def flat(x):
            return np.round(x)

    flat.zero_vjp()
    assert flat.differentiable
    x = tg.Tensor([1.2, 2.7], requires_grad=True)
    y = flat([x]) if variadic else flat(x)
    assert y.requires_grad
    assert tg.grad((y * x).sum(), x).tolist() == [1, 3]


def test_cases_for_any_number_of_arrays_have_arrays():
    @tg.op()
    def first_of_many(*arrays):
        return arrays[0]

    assert all(len(c.shapes) == 2 for c in first_of_many.cases)


def test_an_op_without_a_rule_is_an_error_where_a_gradient_would_get_lost():
    @tg.op()
    def rounded(x):
        return np.round(x)

    x = tg.Tensor([1.2], requires_grad=True)
    with pytest.raises(TypeError, match=r"rounded has no backward rule.*rounded\.defvjp.*rounded\.zero_vjp\(\).*no_grad"):
        rounded(x)
    assert rounded(x.detach()).tolist() == [1]
    assert rounded(np.array([1.2])).tolist() == [1]
    with tg.no_grad():
        assert rounded(x).tolist() == [1]


def test_ones_own_op_can_be_written_again_as_in_a_notebook():
    first, second = make_cubed(), make_cubed()
    assert first is not second
    assert OPS["cubed_for_a_test"] is second


@pytest.mark.parametrize("taken", ["tanh", "concatenate", "abs"])
def test_the_names_of_the_package_are_taken(taken):
    with pytest.raises(ValueError, match=rf"op: '{taken}' is an op of tinygrad_reg itself; give yours another name"):
        make_cubed(aliases=(taken,))
    assert "cubed_for_a_test" not in OPS
    assert getattr(np, taken)([tg.Tensor([0.5])] if taken == "concatenate" else tg.Tensor([0.5])).tolist() != [0.125]
    namespace = {}
    exec(f"def {taken}(x): return x", namespace)
    with pytest.raises(ValueError, match=taken):
        tg.op()(namespace[taken])


def test_numpys_function_of_the_same_name_comes_to_ones_own_op():
    def real_if_close(x):
        return x * 3

    own = tg.op()(real_if_close)
    own.defvjp(lambda g, out, x: g * 3)
    x = tg.Tensor([0.0, 1.0], requires_grad=True)
    np.real_if_close(x).sum().backward()
    assert x.grad.tolist() == [3, 3]
    assert NUMPY[np.real_if_close] is own


@pytest.mark.parametrize(
    ("rules", "words"),
    [((), "got 0"), ((None, None, None), "got 3"), ((lambda g, out, a, b: g,), "got 1")],
)
def test_an_op_takes_one_rule_for_each_array(rules, words):
    @tg.op()
    def pair(a, b):
        return a

    with pytest.raises(ValueError, match=rf"pair\.defvjp takes one rule per array argument \('a', 'b'\); {words}"):
        pair.defvjp(*rules)
    assert not pair.differentiable


@pytest.mark.parametrize("rules", [(), (None,), (lambda g, out, *arrays, index: g,) * 2])
def test_an_op_of_any_number_of_arrays_takes_one_rule(rules):
    @tg.op(cases=[case((2,))])
    def many(*arrays):
        return arrays[0]

    with pytest.raises(ValueError, match=r"many\.defvjp takes one rule for all arrays, which is told by index= which is meant"):
        many.defvjp(*rules)


def test_an_op_needs_a_domain_for_each_array():
    with pytest.raises(ValueError, match=r"op: pair has 2 array arguments \('a', 'b'\) and 3 domains; give one for each, or one for all"):

        @tg.op(domain=[tg.REAL] * 3)
        def pair(a, b):
            return a


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (
            lambda x: tg.median(x, axis=7),
            ValueError,
            r"^median: axis 7 is out of bounds for array of dimension 2\. Got float64 of shape \(2, 3\), axis=7\.$",
        ),
        (lambda x: tg.median(x, axis=(0, 0)), ValueError, r"^median: repeated axis\. Got float64 of shape \(2, 3\)"),
        (lambda x: tg.ptp(x, axis=7), ValueError, r"^ptp: max: axis 7 is out of bounds"),
        (lambda x: tg.matvec(x, tg.ones(4)), ValueError, r"^matvec: matmul: shapes .*not aligned"),
        (lambda x: tg.vstack([x, tg.ones((1, 2))]), ValueError, r"^vstack: concat: .*shape \(2, 3\).*shape \(1, 2\)"),
        (lambda x: tg.flatten(x, start_axis="x"), TypeError, r"^flatten: 'str' object cannot be interpreted as an integer\. Got .*start_axis='x'"),
        (lambda x: tg.prelu(x, tg.ones(2)), ValueError, r"^prelu: weight of shape"),
        (lambda x: tg.compress(tg.ones(6) > 0, x, axis=0), IndexError, r"^compress: "),
    ],
)
def test_an_expression_says_its_name_in_its_errors(call, kind, words):
    with pytest.raises(kind, match=words):
        call(tg.ones((2, 3)))
