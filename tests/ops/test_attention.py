"""Attention, lookup, dropping, interpolation and shuffling: against PyTorch, at their edges, and refusing what does not fit."""

import numpy as np
import pytest
from torch_twin import agree

import tinygrad_reg as tg

attend = tg.scaled_dot_product_attention


def theirs(functional, *arrays, **settings):
    return functional.scaled_dot_product_attention(*arrays, **settings)


def as_torch(x):
    return pytest.importorskip("torch", reason="compares with PyTorch").tensor(x)


@pytest.fixture(params=[(), (2,), (2, 3)], ids=str)
def qkv(request, rng):
    return [rng.normal(size=(*request.param, *shape)) for shape in ((4, 3), (5, 3), (5, 2))]


@pytest.mark.parametrize("settings", [{}, {"scale": 0.3}, {"is_causal": True}], ids=str)
def test_attention_is_pytorchs(qkv, settings):
    agree(lambda *a: attend(*a, **settings), lambda functional, *a: theirs(functional, *a, **settings), *qkv)


@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize("added", [False, True])
def test_attention_with_a_mask(qkv, blind, added, rng):
    mask = rng.random((4, 5)) < 0.6
    mask[2], mask[1] = True, not blind
    given = np.where(mask, 0, -np.inf) if added else mask
    agree(lambda *a: attend(*a, attn_mask=given), lambda functional, *a: theirs(functional, *a, attn_mask=as_torch(given)), *qkv)


def test_an_added_mask_differentiates(qkv, rng):
    agree(attend, theirs, *qkv, rng.normal(size=(4, 5)))


def test_heads_may_share_keys_and_values(rng):
    arrays = [rng.normal(size=shape) for shape in ((2, 4, 4, 3), (2, 2, 5, 3), (2, 2, 5, 2))]
    agree(lambda *a: attend(*a, enable_gqa=True), lambda functional, *a: theirs(functional, *a, enable_gqa=True), *arrays)


def test_attention_drops_weights_by_its_generator(rng):
    q, k, v = rng.normal(size=(3, 4, 4))
    first, second = (attend(q, k, v, dropout_p=0.5, rng=0) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first != attend(q, k, v)).any()


@pytest.mark.parametrize("padding", [None, 2, -1])
def test_embedding_is_pytorchs(padding, rng):
    places = rng.integers(0, 5, (3, 4))
    agree(
        lambda w: tg.embedding(places, w, padding), lambda functional, w: functional.embedding(as_torch(places), w, padding), rng.normal(size=(5, 3))
    )


def test_dropout_keeps_the_mean_and_its_mask_is_its_slope():
    x = tg.ones((200, 200), requires_grad=True)
    y = tg.dropout(x, 0.3, rng=0)
    y.sum().backward()
    assert np.mean(y.data == 0) == pytest.approx(0.3, abs=0.01)
    assert y.data.mean() == pytest.approx(1.0, abs=0.01)
    np.testing.assert_array_equal(x.grad.data, y.data)


def test_dropout_at_its_ends():
    x = tg.ones(3, dtype="float32")
    assert tg.dropout(x, training=False) is x
    assert tg.dropout(x, 0.0) is x
    np.testing.assert_array_equal(tg.dropout(x, 1.0).data, np.zeros(3))
    assert tg.dropout(x, 0.5, rng=0).dtype == np.float32
    tg.manual_seed(3)
    first = tg.dropout(x).data
    tg.manual_seed(3)
    np.testing.assert_array_equal(tg.dropout(x).data, first)


MODES = [("nearest", 1), ("nearest", 2), ("nearest-exact", 3), ("linear", 1), ("bilinear", 2), ("trilinear", 3), ("bicubic", 2), ("area", 2)]
RESIZED = [{"size": 3}, {"size": 10}, {"size": 1}, {"scale_factor": 2}, {"scale_factor": 1.7}, {"scale_factor": 0.6}]
RESIZED += [{"scale_factor": 1.7, "recompute_scale_factor": True}]


@pytest.mark.parametrize("settings", RESIZED, ids=str)
@pytest.mark.parametrize("corners", [None, True])
@pytest.mark.parametrize(("mode", "axes"), MODES)
def test_interpolation_is_pytorchs(mode, axes, corners, settings, rng):
    if not corners or "linear" in mode or "cubic" in mode:
        settings = {**settings, "mode": mode, "align_corners": corners}
        x = rng.normal(size=(2, 2, *(5, 4, 3)[:axes]))
        agree(lambda x: tg.interpolate(x, **settings), lambda functional, x: functional.interpolate(x, **settings), x)


def test_interpolation_keeps_infinities_where_they_are():
    x = np.array([[[np.inf, 1.0, 2.0, 3.0]]])
    np.testing.assert_array_equal(tg.interpolate(x, size=8), np.repeat(x, 2, axis=-1))
    g = np.array([[[1.0, 2, 3, 4, 5, np.inf, 7, 8]]])
    t = tg.Tensor(np.ones((1, 1, 4)), requires_grad=True)
    tg.interpolate(t, size=8).backward(g)
    np.testing.assert_array_equal(t.grad.data, [[[3, 7, np.inf, 15]]])


def test_shuffling_pixels(rng):
    agree(lambda x: tg.pixel_shuffle(x, 3), lambda functional, x: functional.pixel_shuffle(x, 3), rng.normal(size=(2, 18, 2, 3)))
    agree(lambda x: tg.pixel_unshuffle(x, 3), lambda functional, x: functional.pixel_unshuffle(x, 3), rng.normal(size=(2, 2, 6, 3)))
    x = rng.normal(size=(2, 2, 4, 6))
    np.testing.assert_array_equal(tg.pixel_shuffle(tg.pixel_unshuffle(x, 2), 2), x)


def test_distances(rng):
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))
    agree(lambda *x: tg.cosine_similarity(*x, 1), lambda functional, *x: functional.cosine_similarity(*x, 1), a, b)
    agree(tg.cosine_similarity, lambda functional, *x: functional.cosine_similarity(*x, -1), a[:, :, :1], b)
    for p in (1.0, 2.0, 3.0, np.inf):
        agree(lambda *x, p=p: tg.pairwise_distance(*x, p), lambda functional, *x, p=p: functional.pairwise_distance(*x, p), a, b)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, np.inf])
def test_no_distance_has_no_slope(p):
    t = tg.Tensor(np.ones((1, 2)), requires_grad=True)
    first = tg.grad(tg.pairwise_distance(t, np.ones((1, 2)), p, eps=0.0), t, np.ones(1), create_graph=True)
    np.testing.assert_array_equal(first.data, np.zeros((1, 2)))


def test_cosine_of_nothing_is_zero():
    t = tg.Tensor(np.zeros(2), requires_grad=True)
    y = tg.cosine_similarity(t, np.ones(2))
    y.backward()
    assert y.item() == 0
    assert np.isfinite(t.grad.data).all()


Q = np.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: attend(Q, np.ones((2, 4)), Q), ValueError, r"query \(2, 3\), key \(2, 4\) and value \(2, 3\) must have the shapes"),
        (lambda: attend(Q, Q, Q, np.ones((2, 2), bool), is_causal=True), ValueError, "attn_mask or is_causal, not both"),
        (lambda: attend(np.ones((3, 2, 1)), np.ones((2, 2, 1)), np.ones((2, 2, 1)), enable_gqa=True), ValueError, "2 heads .* cannot be shared by 3"),
        (lambda: tg.embedding([3], Q), ValueError, "embedding: index 3 is not a row: with 2 rows they go from 0 to 1"),
        (lambda: tg.embedding([0.0], Q), TypeError, "embedding: indices are float64, not whole numbers"),
        (lambda: tg.embedding([0], Q, 5), ValueError, "embedding: padding_idx is 5, and there are 2 rows"),
        (lambda: tg.embedding([0], np.ones(3)), ValueError, "embedding: the weight has 1 axes, not 2"),
        (lambda: tg.dropout(Q, 1.5), ValueError, "dropout: p is 1.5; it is the share of elements set to 0"),
        (lambda: tg.interpolate(np.ones((1, 1, 2))), ValueError, "give either size or scale_factor"),
        (lambda: tg.interpolate(np.ones((1, 1, 2)), size=3, mode="bilinear"), ValueError, "mode 'bilinear' does not fit x"),
        (lambda: tg.interpolate(np.ones((1, 1, 2)), scale_factor=-1), ValueError, "scale_factor is -1; it must be above 0"),
        (lambda: tg.interpolate(np.ones((1, 1, 0)), size=3), ValueError, "has an empty axis"),
        (lambda: tg.pixel_shuffle(np.ones((1, 3, 2, 2)), 2), ValueError, "that 2² divides"),
        (lambda: tg.pixel_unshuffle(np.ones((1, 3, 3, 2)), 2), ValueError, "that 2 divides"),
        (lambda: tg.pairwise_distance(Q, Q, p=0), ValueError, "p is 0; it must be above 0"),
    ],
)
def test_what_does_not_fit(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
