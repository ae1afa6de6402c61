"""Machine code for whole programs: the same numbers as the ops one by one, whatever the shapes; and how programs become loops."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("llvmlite", reason="llvmlite, which comes with Numba (extra [fast]), is not installed")

from expressions import Expression, assert_alike

import tinygrad_reg as tg
from tinygrad_reg.compile.example import small
from tinygrad_reg.compile.fused import plan as plan_module
from tinygrad_reg.compile.fused import reading, replay
from tinygrad_reg.compile.fused.machine import Machine
from tinygrad_reg.compile.fused.replay import Declined, FusedReplay
from tinygrad_reg.compile.passes import lowered

RNG = np.random.default_rng(0)


def numbers(*shape, dtype="f8"):
    return np.asarray(RNG.normal(size=shape)).astype(dtype)


def compiled(f, *arrays):
    """The replay of f, with simple ops only."""
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        return FusedReplay(lowered(small(f, *arrays)), cache=False, arguments=range(len(arrays)))


def check(f, *arrays):
    """Two runs give what f gives; returns the replay."""
    made = compiled(f, *arrays)
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        wanted = f(*arrays)
    for _ in range(2):
        for got, want in zip(made.run(list(arrays), []), wanted if isinstance(wanted, (tuple, list)) else [wanted], strict=True):
            assert_alike(got, want)
    return made


def kernels(made):
    """The loops of a replay, by what they compute."""
    return [[node.step.op.name for node, _ in kernel.members] for piece in made.plan.pieces for kernel in piece.kernels]


@settings(max_examples=80, deadline=None, derandomize=True)  # the same each time: a difference may be magnified
@given(st.data(), st.integers(2, 14), st.sampled_from([["float64"], ["float32"], ["float64", "int64", "bool"]]), st.booleans())
def test_random_expressions(data, length, dtypes, special):
    expression = Expression(lambda options: data.draw(st.sampled_from(list(options))), length, dtypes, special)
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        wanted = [np.array(x) for x in expression(*expression.inputs)]
    got = compiled(expression, *expression.inputs).run(expression.inputs, [])
    for g, w in zip(got, wanted, strict=True):
        assert_alike(g, w, repr(expression))


@pytest.mark.parametrize("width", [64, 32, 16])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 1000])
def test_every_length(n, dtype, width, monkeypatch):
    monkeypatch.setattr(Machine, "width_bytes", property(lambda self: width))
    x, y = numbers(n, dtype=dtype), numbers(n, dtype=dtype)
    check(lambda x, y: (tg.tanh(x) * y, abs(x * y).sum(), (x * x - 2).max() if n else x), x, y)


@pytest.mark.parametrize(
    "shape",
    [(300, 64), (64, 300), (5, 7), (9, 9), (3, 100), (100, 3), (1, 50), (50, 1), (2, 3, 4), (12, 2, 30), (11, 13, 17), (0, 4), (0, 17), (17, 0)],
)
def test_every_axis(shape):
    x = numbers(*shape)
    axes = [(0,), (len(shape) - 1,), tuple(range(len(shape))), ()]
    for axis in axes:
        check(lambda x, axis=axis: (tg.sum(x * 2, axis=axis), tg.sum(x, axis=axis, keepdims=True) + x), x)
        if x.size:
            check(lambda x, axis=axis: (tg.max(x, axis=axis), tg.min(tg.tanh(x), axis=axis), x - tg.max(x, axis=axis, keepdims=True)), x)


@pytest.mark.parametrize("m", [1, 2, 9, 33])
@pytest.mark.parametrize("k", [1, 3, 20])
@pytest.mark.parametrize("n", [1, 4, 17])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_every_matrix_product(m, k, n, dtype):
    a, b = numbers(m, k, dtype=dtype), numbers(k, n, dtype=dtype)
    check(lambda a, b: a @ b, a, b)
    check(lambda a, b: tg.relu(a + 1) @ b + 1, a, b)
    check(lambda a, b: b.T @ a.T, a, b)
    check(lambda a, b: (a[:, 0] @ a, b @ b[0], (a @ b).sum(axis=0)), a, b)


def test_large_products_of_views():
    a, b = numbers(40, 30), numbers(60, 60)
    check(lambda a, b: (a @ b[:30, :20], a[::2] @ b[10:40], a.T @ b[::-1][:40], a @ b[20:50, ::3], a.reshape(20, 60) @ b.T), a, b)


@pytest.mark.parametrize("style", ["c", "fortran"])
def test_both_ways_to_call_blas(style, monkeypatch):
    from tinygrad_reg.compile.fused import machine, products

    if style == "fortran":
        pytest.importorskip("scipy")
        here = machine.machine()
        other = products._scipy()
        for dtype, address in other.addresses.items():
            here.llvm.add_symbol(f"test_{products.symbol(dtype)}", address)
        monkeypatch.setattr(products, "symbol", lambda dtype: f"test_tinygrad_reg_product_{np.dtype(dtype).str[1:]}")
        monkeypatch.setattr(replay, "find_blas", lambda: other)
    for dtype in ("f4", "f8"):
        check(lambda a, b: (a @ b, b.T @ a.T, a.T @ a), numbers(20, 30, dtype=dtype), numbers(30, 10, dtype=dtype))


def test_without_blas_products_are_called(monkeypatch):
    monkeypatch.setattr(replay, "find_blas", lambda: None)
    made = check(lambda a, b: tg.tanh(a @ b) + 1, numbers(20, 30), numbers(30, 10))
    assert [piece.call.step.op.name for piece in made.plan.pieces if piece.call] == ["matmul"]


def test_broadcasting_and_transposing():
    x, row, column, number = numbers(20, 30), numbers(30), numbers(20, 1), numbers()
    check(lambda x, row, column, number: ((x + row) * column - number, (x.T * column.T).sum(axis=0), tg.exp(x).T), x, row, column, number)


def test_what_is_not_contiguous():
    check(lambda x: (x[::2, ::-1] * 2, x[3], x[:, 5].sum(), x[1:4, 2:9].T + 1, x.reshape(60, 10).T.reshape(-1)), numbers(20, 30))


def test_a_layer_of_a_network_is_one_loop():
    made = check(lambda x, w, b, v: tg.relu(x @ w + b) @ v, numbers(300, 2), numbers(2, 64), numbers(64), numbers(64, 3))
    assert kernels(made) == [["matmul"]]  # hidden values are never in memory


def test_a_dear_value_is_computed_once():
    made = check(lambda x: [(t := tg.tanh(x)) ** 2, 1 - t, t * x], numbers(50))
    alone = check(tg.tanh, numbers(50))
    assert made.source.count("fdiv") == alone.source.count("fdiv")
    assert len(kernels(made)) == 1


def test_equal_numbers_stay_equal_in_another_loop():
    """The largest of a·b + c is found again, though a·b + c is computed a second time."""
    a, b, c = numbers(200, 90), numbers(200, 90), numbers(200, 90)

    def f(a, b, c):
        x = a * b + c
        return tg.equal(x, tg.max(x, axis=(1,), keepdims=True)).sum(axis=(1,)), (a * b).sum()

    np.testing.assert_array_equal(compiled(f, a, b, c).run([a, b, c], [])[0], np.ones(200))


def test_long_float32_sums_are_exact_enough():
    x = (RNG.random(1_000_003) + 1).astype("f4")
    got = compiled(lambda x: x.sum(axis=(0,)), x).run([x], [])[0]
    assert abs(got / x.sum(dtype="f8") - 1) < 1e-7
    rows = np.repeat(x[:100_000, None], 16, axis=1).copy()
    got = compiled(lambda x: x.sum(axis=(0,)), rows).run([rows], [])[0]
    np.testing.assert_allclose(got, rows.sum(axis=0, dtype="f8"), rtol=1e-6)


def test_ops_that_are_called_stand_between_pieces():
    made = check(lambda x: tg.sort(tg.tanh(x) * 2, axis=0) + 1, numbers(20, 3))
    assert [piece.call is not None for piece in made.plan.pieces] == [False, True, False]
    made = check(lambda x, y: tg.tanh(x) + tg.sort(y), numbers(20), numbers(20))
    assert [piece.call is not None for piece in made.plan.pieces] == [True, False]  # moved to the front


def test_several_results_of_one_op():
    check(lambda x: tg.topk(x, 3)[0] * 2, numbers(20))


def test_wrong_labels_are_refused():
    labels = np.array([0, 1, 2, 1])
    made = compiled(lambda x, y: tg.cross_entropy(x, y), numbers(4, 3), labels)
    made.run([numbers(4, 3), labels], [])
    for wrong in ([0, 1, 3, 1], [0, -1, 2, 1]):
        with pytest.raises(ValueError, match="is not a class"):
            made.run([numbers(4, 3), np.array(wrong)], [])


def test_results_are_nobody_elses():
    x = numbers(100)
    made = compiled(lambda x: (x * 2, x), x)
    first = made.run([x], [])
    second = made.run([x + 1], [])
    np.testing.assert_array_equal(first[0], x * 2)
    np.testing.assert_array_equal(first[1], x)
    np.testing.assert_array_equal(second[0], (x + 1) * 2)
    part = made.run([x], [])[0][5:]
    for _ in range(5):
        made.run([x + 7], [])
    np.testing.assert_array_equal(part, (x * 2)[5:])


def test_arguments_are_read_anew():
    x = numbers(100)
    made = compiled(lambda x: x * 2, x)
    made.run([x], [])
    x += 1
    np.testing.assert_array_equal(made.run([x], [])[0], x * 2)
    np.testing.assert_array_equal(made.run([np.ascontiguousarray(x[::-1])], [])[0], x[::-1] * 2)
    np.testing.assert_array_equal(made.run([x[::-1]], [])[0], x[::-1] * 2)


def test_a_constant_array_that_its_owner_changes():
    mine = np.ones(20)
    made = compiled(lambda x: x + mine, np.zeros(20))
    made.run([np.zeros(20)], [])
    mine += 1
    assert made.run([np.zeros(20)], [])[0][0] == 2.0


def test_too_long_a_program_is_declined(monkeypatch):
    monkeypatch.setattr(plan_module, "MOST", 3)
    with pytest.raises(Declined, match="4 steps"):
        compiled(lambda x: tg.exp(tg.exp(tg.exp(tg.exp(x)))), numbers(3))


def test_a_long_chain(monkeypatch):
    def f(x):
        for _ in range(700):
            x = x * 0.999 + 0.001
        return x

    check(f, numbers())
    check(f, numbers(16))


def test_a_mistake_would_be_found(monkeypatch):
    """A reader that takes sums for largest elements fails the comparison above."""
    monkeypatch.setitem(reading.FOLDS, "sum", "maximum")
    with pytest.raises(AssertionError):
        check(lambda x: x.sum(axis=(0,)), numbers(20, 3))


@pytest.mark.parametrize("dtype", ["f2", ">f8", "c16"])
def test_unusual_dtypes_are_called(dtype):
    x = numbers(20, 3).astype(dtype)
    check(lambda x: (x * 2, (x + 1).T, x[::2], x.sum(axis=(0,))), x)


def test_conversions():
    x = np.array([0.0, -0.0, 1.5, -2.5, 100.7, 1e6, np.nan, np.inf])
    with np.errstate(all="ignore"):
        check(lambda x: [tg.astype(x, dtype=d) for d in ("f4", "?")], x)
        check(lambda x: [tg.astype(x, dtype=d) for d in ("i8", "i4", "i2", "u1", "f4", "?")], x[:-3])
    check(lambda x: [tg.astype(x, dtype=d) for d in ("i8", "i4", "i1", "u1", "u8", "f4", "f8", "?")], np.arange(-3, 300, 7))
    check(lambda x: [tg.astype(x, dtype=d) for d in ("i8", "u1", "f4")], np.array([True, False, True]))
