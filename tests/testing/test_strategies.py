"""Strategies draw what they say, shrink to readable examples, and give checks that neither fail nor are refused for their health."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import tinygrad_reg as tg
from tinygrad_reg.testing import GradientMismatch, check_gradients, check_module, gradients_match
from tinygrad_reg.testing import strategies as ours
from tinygrad_reg.testing.expressions import Expression

KINKED = tg.REAL.with_kinks(0.0, 1.0)
TIED = tg.REAL.with_ties()


@given(ours.arrays(domain=KINKED))
def test_arrays_keep_away_from_kinks(x):
    assert np.all(np.abs(x) >= 0.0499)
    assert np.all(np.abs(x - 1) >= 0.0499)


@given(ours.arrays((3, 4), domain=TIED))
def test_arrays_without_ties(x):
    assert np.unique(x).size == 12


@given(ours.arrays(domain=tg.POSITIVE, at_kinks=None))
def test_arrays_stay_in_the_domain(x):
    assert np.all(x > 0)


@given(ours.arrays((2, 3), domain=KINKED, at_kinks=True))
def test_arrays_at_kinks(x):
    assert np.isin(x, [0.0, 1.0, -1.0]).all()


@pytest.mark.parametrize(
    "wanted",
    [
        lambda x: x.shape == (),
        lambda x: x.size == 0,
        lambda x: x.shape == (1, 1),
        lambda x: x.ndim == 3,
        lambda x: x.size > 1 and not x.flags.c_contiguous,
        lambda x: x.size > 1 and min(x.strides) < 0,
    ],
)
def test_arrays_of_every_kind_are_drawn(wanted):
    find(ours.arrays(), wanted, settings=settings(max_examples=2000, database=None))


def test_examples_are_readable():
    quiet = settings(max_examples=2000, database=None)
    assert find(ours.arrays(), lambda x: x.size >= 2, settings=quiet).size == 2
    assert find(ours.floats_away_from([0.0]), lambda x: x > 1, settings=quiet) == 2.0
    assert len(find(ours.expressions(), lambda f: f.inputs, settings=quiet).steps) == 1
    assert find(ours.lambdas(), lambda x: x > 0, settings=quiet) == 0.1


@given(ours.floats_away_from([-1.0, 0.0, 0.5]))
def test_floats_away_from(x):
    assert min(abs(x + 1), abs(x), abs(x - 0.5)) >= 0.0499
    assert x == round(x, 3)


def test_floats_away_from_everything_is_an_error():
    with pytest.raises(ValueError, match="nothing between -1 and 1"):
        ours.floats_away_from([0.0], low=-1, high=1, away=2)
    with pytest.raises(ValueError, match="low must be smaller"):
        ours.floats_away_from([], low=1, high=1)


@given(ours.broadcastable(3))
def test_broadcastable(drawn):
    assert len(drawn) == 3
    np.broadcast_shapes(*drawn)


def test_broadcastable_shapes_that_differ_are_drawn():
    find(ours.broadcastable(2), lambda s: s[0] != s[1] and 0 not in (*s[0], *s[1]), settings=settings(max_examples=2000, database=None))


@given(ours.tensors((2,), at_kinks=True), ours.shapes(max_dims=2, max_side=2))
def test_tensors_and_shapes(t, shape):
    assert t.requires_grad
    assert t.shape == (2,)
    assert len(shape) <= 2
    assert max(shape, default=0) <= 2


@given(ours.linear_models(), st.booleans())
@settings(max_examples=20)
def test_linear_models(model, at_kinks):
    assert all(np.all(p.data != 0) for p in model.parameters())
    check_module(model, np.ones((2, model.weight.shape[0])))


@given(ours.expressions(max_steps=3), ours.expressions(max_steps=3, at_kinks=True))
@settings(max_examples=15)
def test_expressions(smooth, kinked):
    for f in (smooth, kinked):
        check_gradients(f, *f.inputs, order=2) if f.inputs else None


@given(ours.expressions(ops=["tanh", "sum"]))
def test_expressions_of_chosen_ops(f):
    assert {op.name for op, _, _ in f.steps} <= {"tanh", "sum", "square"}
    assert isinstance(f, Expression)
    assert repr(f).count("\n") == len(f.inputs) + len(f.steps) - 1


@given(st.data(), st.sampled_from(["relu", "maximum", "softmax", "sqrt", "concat"]), st.booleans())
@settings(max_examples=40)
def test_calls(data, name, at_kinks):
    inputs, given_settings = data.draw(ours.calls(name, at_kinks=at_kinks))
    op = getattr(tg, name)
    check_gradients(lambda *x: op(list(x), **given_settings) if op.variadic else op(*x, **given_settings), *inputs)


@pytest.mark.parametrize("number", range(50))
def test_no_health_check_fails_whatever_the_seed(number):
    """With hypothesis's own strict health checks, and its own deadline, as a user has them."""

    @seed(number)
    @settings(settings.get_profile("default"), max_examples=3, database=None)
    @given(ours.arrays(domain=KINKED, at_kinks=None), ours.linear_models(), ours.expressions(max_steps=2), ours.calls("maximum"))
    def drawn(x, model, f, call):
        assert x.dtype == np.float64
        assert model.weight.size
        assert f.steps
        assert len(call[0]) == 2

    drawn()


def test_a_wrong_gradient_is_found_and_shrinks():
    @gradients_match(lambda w: 0.2 * w * 1.001)
    def ridge(w):
        return 0.1 * (w * w).sum()

    with pytest.raises(GradientMismatch, match="off by a factor of 1.001") as found:
        ridge()
    assert found.value.inputs["w"].size == 1


@gradients_match(lambda w: 0.2 * w + 0.3 * np.sign(w), max_examples=50)
def test_elastic_net_by_hand(w):
    return 0.1 * (w * w).sum() + 0.3 * abs(w).sum()


@gradients_match(lambda w: np.cos(w))
def test_a_numpy_function(w):
    return np.sum(np.sin(w.data if isinstance(w, tg.Tensor) else w))


def test_another_slope_at_a_kink_than_the_rule_says_is_found():
    @gradients_match(lambda w: np.where(w >= 0, 1.0, -1.0))
    def lasso(w):
        return abs(w).sum()

    with pytest.raises(GradientMismatch, match="both may lie between the slopes of a kink"):
        lasso()


def test_profiles():
    before = settings.get_current_profile_name()
    try:
        for name, examples in (("dev", 50), ("ci", 100), ("thorough", 2000)):
            ours.load_profile(name)
            assert settings().max_examples == examples
            assert settings().deadline is None
        with pytest.raises(ValueError, match="'fast' is none of the profiles dev, ci, thorough"):
            ours.load_profile("fast")
    finally:
        settings.load_profile(before)


def test_without_hypothesis_all_else_works_and_one_sentence_says_what_to_install():
    code = """
import sys
sys.modules["hypothesis"] = sys.modules["pytest"] = None
import numpy as np
from tinygrad_reg.testing import check_gradients, check_op, check_penalty
from tinygrad_reg.penalties import L1
print(check_gradients(abs, np.ones(2)).entries, check_op("tanh", order=1).undecided, check_penalty(L1(0.5)).undecided)
try:
    import tinygrad_reg.testing.strategies
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "2 0 0",
        "tinygrad_reg.testing.strategies needs hypothesis, which is not installed: pip install 'tinygrad_reg[testing]'.",
    ]


def test_the_shrinking_is_seen_to_fail():
    with pytest.raises(NoSuchExample):
        find(ours.arrays(domain=KINKED), lambda x: bool(np.any(x == 0)), settings=settings(max_examples=300, database=None))
    assert importlib.import_module("tinygrad_reg.testing.strategies") is ours
