"""The package as a whole: what importing it costs and brings, where random numbers come from, new Tensors."""

import subprocess
import sys

import numpy as np
import pytest

import tinygrad_reg as tg

HEAVY = ("matplotlib", "graphviz", "hypothesis", "tqdm", "sklearn", "scipy")


def test_importing_brings_no_heavy_library():
    code = f"import sys, tinygrad_reg; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_every_op_is_a_public_name():
    for name, op in (tg.OPS | tg.ALIASES).items():
        assert getattr(tg, name) is op


def test_the_default_generator_is_ours_alone():
    tg.manual_seed(1)
    before = np.random.get_state()[1].copy()
    tg.data.spiral(5, 2)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_what_is_no_generator_is_refused():
    with pytest.raises(TypeError, match="rng is a str; it must be a seed"):
        tg.data.spiral(5, 2, rng="seed")


@pytest.mark.parametrize(
    "make",
    [
        lambda xp: xp.zeros((2, 3)),
        lambda xp: xp.ones(2, dtype="float32"),
        lambda xp: xp.full((2,), 3),
        lambda xp: xp.arange(4),
        lambda xp: xp.arange(1, 7, 2.0),
        lambda xp: xp.arange(5, dtype="float32"),
        lambda xp: xp.linspace(0, 1, 5),
        lambda xp: xp.eye(2, 3, 1),
    ],
)
def test_creation_is_numpys(make):
    got, expected = make(tg), make(np)
    np.testing.assert_array_equal(got.data, expected)
    assert got.dtype == expected.dtype


def test_likes_take_shape_and_dtype():
    x = tg.ones((2, 3), dtype="float32")
    for got, value in ((tg.zeros_like(x), 0), (tg.ones_like(x), 1), (tg.full_like(x, 7), 7)):
        assert (got.shape, got.dtype) == (x.shape, x.dtype)
        assert (got.data == value).all()
