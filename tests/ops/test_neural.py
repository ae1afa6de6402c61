"""Softmax, one-hot and cross-entropy: against formulas, for scores of any size, with labels of any kind."""

import numpy as np
import pytest
from numeric import check_gradient, check_second_derivative

import tinygrad_reg as tg

HUGE = np.array([[1e4, 0.0, -1e4], [-1e4, -1e4, -1e4]])


def plain_softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_softmax_is_its_formula_along_any_axis(axis, rng):
    x = rng.normal(size=(2, 3, 4))
    np.testing.assert_allclose(tg.softmax(x, axis=axis), plain_softmax(x, axis), rtol=1e-13)
    np.testing.assert_allclose(tg.log_softmax(x, axis=axis), np.log(plain_softmax(x, axis)), rtol=1e-12)


def test_softmax_leaves_its_input_alone_also_when_it_need_not_be_copied(rng):
    x = rng.normal(size=(3, 4))
    for op in (tg.softmax, tg.log_softmax):
        for view, axis in ((x, 0), (x.T, 1), (x, 1)):
            before = x.copy()
            op(view, axis=axis)
            np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_softmax_of_huge_scores(dtype):
    x = tg.Tensor(HUGE, requires_grad=True, dtype=dtype)
    np.testing.assert_allclose(tg.softmax(x).data, [[1, 0, 0], [1 / 3] * 3], rtol=1e-6)
    np.testing.assert_allclose(tg.log_softmax(x).data, [[0, -1e4, -2e4], [-np.log(3)] * 3], rtol=1e-6)
    tg.log_softmax(x)[:, 0].sum().backward()
    np.testing.assert_allclose(x.grad.data, [[0, 0, 0], [2 / 3, -1 / 3, -1 / 3]], rtol=1e-6)


@pytest.mark.parametrize(("label", "value"), [(0, 0.0), (1, 1e4), (2, 2e4)])
def test_cross_entropy_of_huge_scores(label, value):
    logits = tg.Tensor(HUGE[:1], requires_grad=True)
    loss = tg.cross_entropy(logits, [label])
    assert loss.item() == value
    loss.backward()
    np.testing.assert_array_equal(logits.grad.data, np.array([[1.0, 0, 0]]) - np.eye(3)[[label]])


def test_cross_entropy_is_its_formula(rng):
    logits, labels = rng.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
    expected = -np.mean(np.log(plain_softmax(logits))[np.arange(5), labels])
    x = tg.Tensor(logits, requires_grad=True)
    loss = tg.cross_entropy(x, labels)
    loss.backward()
    assert loss.item() == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(x.grad.data, (plain_softmax(logits) - np.eye(3)[labels]) / 5, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 2, 3)])
def test_cross_entropy_with_probabilities(shape, rng):
    logits, p = rng.normal(size=shape), plain_softmax(rng.normal(size=shape))
    assert tg.cross_entropy(logits, p) == pytest.approx(-np.sum(p * np.log(plain_softmax(logits))) / max(np.prod(shape[:-1]), 1))
    check_gradient(tg.cross_entropy, [logits, p], {}, rng)
    check_second_derivative(tg.cross_entropy, [logits, p], {}, rng)


def test_probabilities_that_do_not_sum_to_one_have_their_own_slope(rng):
    check_gradient(tg.cross_entropy, [rng.normal(size=(4, 3)), rng.uniform(0.5, 2.0, (4, 3))], {}, rng)


def test_one_hot_labels_give_what_classes_give(rng):
    logits, labels = tg.Tensor(rng.normal(size=(4, 3)), requires_grad=True), np.array([0, 2, 1, 1])
    by_class = tg.grad(tg.cross_entropy(logits, labels), logits)
    by_probability = tg.grad(tg.cross_entropy(logits, tg.one_hot(labels, num_classes=3)), logits)
    np.testing.assert_allclose(by_class.data, by_probability.data, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("label", [1, np.int64(1), np.array(1), tg.Tensor(1), np.uint8(1)], ids=lambda x: type(x).__name__)
def test_one_row_with_one_label_of_any_kind(label):
    x = tg.Tensor([0.0, 0.0], requires_grad=True)
    loss = tg.cross_entropy(x, label)
    first = tg.grad(loss, x, create_graph=True)
    np.testing.assert_array_equal(first.data, [0.5, -0.5])
    np.testing.assert_array_equal(tg.grad(first[0], x).data, [0.25, -0.25])


@pytest.mark.parametrize("labels", [[0, 1], (0, 1), np.array([0, 1], np.int32), tg.Tensor([0, 1])], ids=lambda x: type(x).__name__)
def test_labels_in_any_container(labels):
    x = tg.Tensor(np.zeros((2, 2)), requires_grad=True)
    tg.cross_entropy(x, labels).backward()
    np.testing.assert_array_equal(x.grad.data, [[-0.25, 0.25], [0.25, -0.25]])


def test_labels_changed_by_their_owner_do_not_change_the_gradient():
    x, labels = tg.Tensor(np.zeros((2, 2)), requires_grad=True), np.array([0, 1])
    loss = tg.cross_entropy(x, labels)
    labels[:] = 0
    loss.backward()
    np.testing.assert_array_equal(x.grad.data, [[-0.25, 0.25], [0.25, -0.25]])


@pytest.mark.parametrize(
    ("labels", "kind", "words"),
    [
        ([0, 3], ValueError, "cross_entropy: label 3 is not a class: with 3 scores a row, labels go from 0 to 2"),
        ([0, -1], ValueError, "cross_entropy: label -1 is not a class"),
        ([0, 1, 2], ValueError, r"cross_entropy: the shapes of logits and labels do not go together.*\(2, 3\).*\(3,\)"),
        ([0.0, 1.0], TypeError, "cross_entropy: labels are float64, not integers.*astype"),
        ([True, False], TypeError, "cross_entropy: labels are bool, not integers"),
    ],
)
def test_labels_that_fit_nothing(labels, kind, words):
    with pytest.raises(kind, match=words):
        tg.cross_entropy(tg.zeros((2, 3)), labels)


def test_one_hot_in_any_shape_and_dtype():
    np.testing.assert_array_equal(tg.one_hot(np.array([[2], [0]]), num_classes=3), [[[0, 0, 1]], [[1, 0, 0]]])
    assert tg.one_hot(tg.Tensor([1]), 2, "float32").dtype == np.float32
    assert tg.one_hot(np.zeros((0,), int), num_classes=3).shape == (0, 3)
    with pytest.raises(ValueError, match="one_hot: label 3 is not a class"):
        tg.one_hot([3], num_classes=3)


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint8])
@pytest.mark.parametrize("wrong", [3, -1, 100])
def test_a_label_that_is_no_class_is_named(kind, wrong):
    if wrong < 0 and kind is np.uint8:
        pytest.skip("there is none below 0")
    with pytest.raises(ValueError, match=f"label {wrong} is not a class"):
        tg.cross_entropy(tg.zeros((2, 3)), np.array([0, wrong]).astype(kind))


def test_labels_of_one_byte_and_many_rows(rng):
    logits, labels = rng.normal(size=(300, 3)), rng.integers(0, 3, 300)
    for kind in (np.int8, np.uint8):
        assert tg.cross_entropy(tg.Tensor(logits), labels.astype(kind)).item() == tg.cross_entropy(tg.Tensor(logits), labels).item()


def test_logistic_loss_is_the_cross_entropy_of_two_classes(rng):
    x, t = rng.normal(size=7), rng.uniform(size=7)
    p = 1 / (1 + np.exp(-x))
    expected = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
    np.testing.assert_allclose(tg.logistic_loss(x, t), expected, rtol=1e-12)
    logits = tg.Tensor(x, requires_grad=True)
    tg.logistic_loss(logits, t).backward()
    np.testing.assert_allclose(logits.grad.data, (p - t) / 7, rtol=1e-12)


def test_logistic_loss_refuses_shapes_that_differ():
    with pytest.raises(ValueError, match="logistic_loss: the shapes of logits and targets differ"):
        tg.logistic_loss(tg.ones((3, 1)), tg.ones(3))
