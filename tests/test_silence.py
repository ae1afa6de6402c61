"""What must never be silently wrong: each test is named after the surprise."""

import copy

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.op import OPS


def leaf(*values):
    return tg.Tensor(values, requires_grad=True)


@pytest.mark.parametrize("key", [((0, 0, 1),), [0, 0, 1], (np.array([0, 0, 1]),), (tg.Tensor([0, 0, 1]),)])
def test_a_repeated_index_adds_up_however_it_is_written(key):
    x = leaf(1.0, 2.0, 3.0)
    x[key].sum().backward()
    np.testing.assert_array_equal(x.grad.data, [2.0, 1.0, 0.0])


def test_an_argument_given_twice_has_two_partial_derivatives():
    x = leaf(2.0, 3.0)
    _, pull = tg.vjp(lambda a, b: a * b * b, x, x)
    a, b = pull(tg.ones(2))
    np.testing.assert_array_equal(a.data, [4.0, 9.0])
    np.testing.assert_array_equal(b.data, [8.0, 18.0])
    blocks = tg.hessian(lambda a, b: (a * b).sum(), x, x)
    np.testing.assert_array_equal(blocks[0][0].data, np.zeros((2, 2)))
    np.testing.assert_array_equal(blocks[0][1].data, np.eye(2))
    _, slope = tg.jvp(lambda a, b: a * b * b, (x, x), ([1.0, 1.0], [0.0, 0.0]))
    np.testing.assert_array_equal(slope.data, [4.0, 9.0])


def test_an_argument_that_the_function_also_closes_over_counts_as_a_constant_there():
    x = leaf(2.0, 3.0)
    np.testing.assert_array_equal(tg.jacobian(lambda a: (a * x).sum(), x).data, [2.0, 3.0])
    _, slope = tg.value_and_grad(lambda a: (a * x).sum())(x)
    np.testing.assert_array_equal(slope.data, [2.0, 3.0])


def test_derivatives_of_derivatives_still_reach_the_outer_variable():
    x = leaf(2.0, 3.0)
    slope = tg.jacobian(lambda a: (a**3).sum(), x, create_graph=True)
    np.testing.assert_allclose(tg.grad(slope.sum(), x).data, [12.0, 18.0])


def test_an_op_without_a_rule_does_not_drop_its_gradient():
    try:

        @tg.op(domain=[tg.REAL])
        def forgotten(x):
            return x * x * x

        w = leaf(2.0)
        with pytest.raises(TypeError, match=r"forgotten has no backward rule.*forgotten.defvjp.*forgotten.zero_vjp"):
            forgotten(w)
        with tg.no_grad():
            assert forgotten(w).item() == 8.0
        forgotten.zero_vjp()
        (forgotten(w) + w * w).sum().backward()
        assert w.grad.item() == 4.0
    finally:
        OPS.pop("forgotten", None)


def views_of(a):
    frozen = a.view()
    frozen.flags.writeable = False
    return [a, np.broadcast_to(a, (3, 2)), frozen, a[::-1][::-1]]


@pytest.mark.parametrize("which", range(4))
def test_a_constant_changed_by_its_owner_after_recording(which):
    a, w = np.ones(2), leaf(1.0, 2.0)
    y = w * views_of(a)[which]
    a[:] = 0.0
    y.mean().backward()
    assert (w.grad.data > 0).all()


def test_an_index_changed_by_its_owner_after_recording():
    k, w = np.array([0, 1]), leaf(1.0, 2.0, 3.0)
    for take in (lambda: w[k], lambda: tg.getitem(w, key=k), lambda: tg.getitem(w, key=(k,))):
        k[:] = [0, 1]
        y = take()
        k[:] = [2, 2]
        w.grad = None
        y.sum().backward()
        np.testing.assert_array_equal(w.grad.data, [1.0, 1.0, 0.0])


def test_axes_changed_by_their_owner_after_recording():
    axes = [1, 2, 0]
    x = tg.Tensor(np.arange(8.0).reshape(2, 2, 2), requires_grad=True)
    y = tg.permute_dims(x, axes=axes)
    axes[:] = [0, 1, 2]
    weights = np.arange(8.0).reshape(2, 2, 2)
    (y * weights).sum().backward()
    np.testing.assert_array_equal(x.grad.data, weights.transpose(2, 0, 1))


def test_the_value_of_a_parameter_cannot_be_written_through_data():
    w = leaf(1.0, 2.0)
    with pytest.raises(ValueError, match="read-only"):
        w.data[0] = 9.0
    y = w * 2
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 9.0


def test_asarray_leaves_the_users_array_writable():
    a = np.ones(2)
    t = tg.asarray(a)
    assert not t.data.flags.writeable
    a[0] = 5.0
    assert t.data[0] == 5.0


def test_complex_numbers_do_not_lose_their_imaginary_part():
    w = leaf(1.0)
    abs(w * (3 + 4j)).sum().backward()
    assert w.grad.item() == pytest.approx(5.0)
    assert w.grad.dtype == np.float64


def test_whole_numbers_cut_off_have_no_slope():
    x = leaf(1.5, 2.5)
    (tg.astype(x, dtype="int64") * x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [1.0, 2.0])
    assert not x.astype("int64").requires_grad


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "bool"])
@pytest.mark.parametrize("name", ["sigmoid", "softplus", "softmax", "log_softmax", "logsumexp", "sum_of_squares"])
def test_small_whole_numbers_do_not_wrap_around(name, dtype):
    x = np.array([0, 3, 1]).astype(dtype)
    np.testing.assert_allclose(OPS[name](tg.Tensor(x)).data, OPS[name](x.astype(float)), rtol=1e-12)


def test_losses_of_small_whole_numbers_do_not_wrap_around():
    assert tg.mse(np.array([0], np.uint8), np.array([20], np.uint8)).item() == 400.0


def test_a_mean_of_float16_does_not_overflow():
    assert tg.mean(tg.Tensor(np.full(100, 1000, np.float16))).item() == 1000.0


def test_more_correction_than_elements_is_infinite_not_negative():
    with np.errstate(all="ignore"):
        assert tg.var(tg.Tensor([1.0, 2.0]), correction=3).item() == np.inf
        x = leaf(1.0)
        tg.var(x, correction=1).backward()
        assert np.isnan(x.grad.item())


def test_nan_wins_a_maximum_and_gets_its_gradient():
    x = leaf(1.0, np.nan)
    x.max().backward()
    assert x.grad.data[0] == 0.0
    assert np.isnan(x.data[1])
    assert x.grad.data[1] == 1.0


def test_logsumexp_of_nan_and_infinity():
    x = leaf(np.nan, 1.0)
    tg.logsumexp(x).backward()
    assert np.isnan(x.grad.data).all()
    y = leaf(np.inf, 1000.0)
    out = tg.logsumexp(y)
    out.backward()
    assert out.item() == np.inf
    assert y.grad.data[1] == 0.0


def test_tensors_in_a_list_are_not_detached():
    w = leaf(1.0, 2.0)
    for use in (lambda: w * [w, w], lambda: tg.Tensor([w, w]), lambda: tg.mse([w, w], [0.0, 0.0])):
        with pytest.raises(TypeError, match=r"stands in a list.*tg.stack"):
            use()


def test_asarray_with_a_dtype_keeps_the_graph():
    w = leaf(1.0, 2.0)
    tg.asarray(w, "float32").sum().backward()
    np.testing.assert_array_equal(w.grad.data, [1.0, 1.0])
    assert w.grad.dtype == np.float64


def test_batches_keep_the_graph_of_their_data():
    x = tg.Tensor(np.ones((4, 2)), requires_grad=True)
    sum(part.sum() for part, _ in tg.data.batches(x, np.arange(4), 3, rng=0)).backward()
    np.testing.assert_array_equal(x.grad.data, np.ones((4, 2)))


def test_bits_of_whole_numbers():
    t = tg.Tensor([6, 5])
    np.testing.assert_array_equal((t & 3).data, [2, 1])
    np.testing.assert_array_equal((np.array([6, 5]) | t).data, [6, 5])
    np.testing.assert_array_equal((~t).data, [-7, -6])
    np.testing.assert_array_equal((~(t > 5)).data, [False, True])


def test_numpys_put_is_not_ours():
    with pytest.raises(TypeError, match="np.put"):
        np.put(leaf(1.0, 2.0), [0], 3.0)


def test_numpys_spellings_of_settings():
    t = tg.Tensor([1.0, 2.0, 4.0])
    assert np.sum(a=t).item() == 7.0
    assert np.var(t, ddof=1).item() == pytest.approx(np.var([1.0, 2.0, 4.0], ddof=1))
    np.testing.assert_array_equal(np.clip(t, a_min=1.5, a_max=3.0).data, [1.5, 2.0, 3.0])


def test_joins_take_lists_and_numbers_first():
    t = tg.Tensor([3.0], requires_grad=True)
    np.testing.assert_array_equal(tg.concat([[1.0, 2.0], t]).data, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(np.concatenate([[1.0], t]).data, [1.0, 3.0])
    np.testing.assert_array_equal(tg.concat([[1.0], [2.0]]), [1.0, 2.0])
    tg.concat([1.0, t], axis=None).sum().backward()
    assert t.grad.item() == 1.0


def test_one_row_of_scores_with_a_plain_label():
    x = leaf(1.0, 2.0, 3.0)
    tg.cross_entropy(x, 1).backward()
    np.testing.assert_allclose(x.grad.data, tg.softmax(x.data) - [0, 1, 0])


def test_a_function_that_returns_no_tensor_says_so():
    with pytest.raises(TypeError, match="must return one Tensor.*returned a tuple"):
        tg.jacobian(lambda x: (x, x), leaf(1.0))
    with pytest.raises(TypeError, match="pass it by position"):
        tg.value_and_grad(lambda x: x.sum())(x=leaf(1.0))


def test_no_grad_without_brackets_and_one_object_in_several_blocks():
    @tg.no_grad
    def inside():
        return (leaf(1.0) * 2).requires_grad

    assert inside() is False
    mode = tg.no_grad()
    with mode, tg.enable_grad(), mode:
        assert not (leaf(1.0) * 2).requires_grad
    assert (leaf(1.0) * 2).requires_grad


def test_an_asynchronous_generator_cannot_be_decorated_without_effect():
    async def numbers():
        yield 1

    with pytest.raises(TypeError, match="asynchronous generator"):
        tg.no_grad()(numbers)


def test_equality_with_other_things_is_pythons():
    t = tg.Tensor([1.0])
    assert (t == None) is False  # noqa: E711
    assert t != "text"
    assert t not in [object()]


def test_copies_of_leaves_keep_value_name_and_need():
    w = tg.Tensor([1.0], requires_grad=True, name="w", dtype="float32")
    twin = copy.deepcopy(w)
    assert (twin.item(), twin.requires_grad, twin.name, twin.dtype) == (1.0, True, "w", np.float32)
