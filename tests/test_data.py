"""Data sets, value for value where they have a published source, and batches."""

import hashlib

import numpy as np
import pytest

from tinygrad_reg import data

# SHA-256 of the bytes of x (float64) that the book's spiral_data draws from NumPy's legacy stream.
BOOK = {
    (0, 100, 3): "bbeb000ddb4b0b558e4ba41212ac303a026cee98db11fb3ef7d658f91326b816",
    (0, 1000, 3): "fa22fd1982e482e8cc323927634b06c15483a79dd34f2383037c6301a8bf05e7",
    (1, 100, 3): "a0cf93bd26ae40823b2d7e8147f4415fc29fc8c04dbfca6684764ef704c392e7",
    (7, 5, 2): "ed0d7479c68566ef8e16e983942a569cb6ea2d071bec2cbd892f58709b1e41b0",
    (42, 50, 4): "e19aa07141b70c13f9494c566f9d15a8502c83c666f17ccf6affe002c41fcfbe",
}


@pytest.mark.parametrize(("seed", "samples", "classes"), BOOK)
def test_spiral_is_the_books_byte_for_byte(seed, samples, classes):
    x, y = data.spiral(samples, classes, rng=np.random.RandomState(seed))
    assert hashlib.sha256(x.tobytes()).hexdigest() == BOOK[seed, samples, classes]
    np.testing.assert_array_equal(y, np.repeat(np.arange(classes), samples))


def test_spiral_check_values_of_the_book():
    x, _ = data.spiral(100, 3, rng=np.random.RandomState(0))
    np.testing.assert_allclose(x[1], [0.0029955566779434318, 0.00964660796601254], rtol=1e-15)
    np.testing.assert_allclose(x[-1], [-0.9427887647158077, 0.3333906794222676], rtol=1e-14)
    assert x.sum() == pytest.approx(-15.3476339556, abs=1e-10)
    assert (x**2).sum() == pytest.approx(100.505050505, abs=1e-9)


def test_spiral_draws_one_normal_for_each_sample_and_nothing_else():
    stream = np.random.RandomState(0)
    data.spiral(100, 3, rng=stream)
    other = np.random.RandomState(0)
    other.randn(300)
    assert stream.randn() == other.randn()


def test_spiral_radius_is_exact():
    x, _ = data.spiral(50, 2, noise=5.0, rng=0)
    np.testing.assert_allclose(np.hypot(*x.T), np.tile(np.linspace(0, 1, 50), 2), atol=1e-15)


def test_moons_lie_on_their_half_circles():
    x, y = data.moons(40, noise=0.0)
    np.testing.assert_allclose(np.hypot(*x[y == 0].T), 1.0)
    np.testing.assert_allclose(np.hypot(*(x[y == 1] - [1.0, 0.5]).T), 1.0)
    noisy, _ = data.moons(2000, noise=0.1, rng=0)
    assert (noisy - data.moons(2000, noise=0.0)[0]).std() == pytest.approx(0.1, rel=0.05)


def test_linear_is_linear_and_has_the_noise_asked_for():
    x, y = data.linear(5000, weights=[1.0, 0.0, -2.0], bias=3.0, noise=0.5, rng=0)
    assert (y - x @ [1.0, 0.0, -2.0] - 3.0).std() == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("make", [lambda rng: data.spiral(5, 2, rng=rng), lambda rng: data.moons(5, rng=rng), lambda rng: data.linear(5, rng=rng)])
def test_a_seed_repeats(make):
    np.testing.assert_array_equal(make(1)[0], make(1)[0])
    assert (make(1)[0] != make(2)[0]).any()


@pytest.mark.parametrize("bad", [0, -1, 2.5, True])
def test_sizes_must_be_whole_and_positive(bad):
    with pytest.raises(ValueError, match=r"spiral: samples is .* whole number of at least 1"):
        data.spiral(bad, 3)


def test_batches_hold_every_row_once_with_its_label_and_keep_the_last_part():
    x = np.arange(10.0).reshape(10, 1)
    parts = list(data.batches(x, np.arange(10), 4, rng=0))
    assert [len(part) for part, _ in parts] == [4, 4, 2]
    rows = np.concatenate([part.data[:, 0] for part, _ in parts])
    labels = np.concatenate([labels.data for _, labels in parts])
    np.testing.assert_array_equal(rows, labels)
    np.testing.assert_array_equal(np.sort(rows), np.arange(10))
    assert (rows != np.arange(10)).any()


def test_batches_differ_from_epoch_to_epoch_and_repeat_with_the_seed():
    def orders(seed):
        rng = np.random.default_rng(seed)
        return [[part.tolist() for part, _ in data.batches(np.arange(10), np.arange(10), 5, rng=rng)] for _ in range(2)]

    assert orders(0) == orders(0)
    assert orders(0)[0] != orders(0)[1]


def test_batches_in_order_and_all_at_once():
    assert [part.tolist() for part, _ in data.batches([1, 2, 3], [1, 2, 3], 2, shuffle=False)] == [[1, 2], [3]]
    ((x, _),) = data.batches([1, 2, 3], [1, 2, 3])
    assert x.tolist() == [1, 2, 3]


def test_batches_check_their_arguments():
    with pytest.raises(ValueError, match="x has 3 rows and y has 2"):
        data.batches([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="size is 0"):
        data.batches([1, 2], [1, 2], 0)
