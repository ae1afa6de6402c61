"""Each error names the op, what came, and what would fit; and it leaves everything as it was."""

import re

import numpy as np
import pytest

import tinygrad_reg as tg


def variable(*shape, name=None):
    return tg.Tensor(np.ones(shape), requires_grad=True, name=name)


ELEMENTWISE = "shapes must be equal, or broadcast: aligned from the right, sizes equal or 1"

# Each line: what is done, the kind of error, and words that must all be in it, in this order.
OPS = {
    "shapes": (lambda: variable(2, 3) + variable(4), ValueError, ["add", "float64 of shape (2, 3)", "float64 of shape (4,)", ELEMENTWISE]),
    "names": (lambda: variable(2, name="w") * variable(3, name="x"), ValueError, ["multiply", "'w'", "'x'"]),
    "arrays": (lambda: tg.add(np.ones(2), np.ones(3)), ValueError, ["add", "(2,)", "(3,)", ELEMENTWISE]),
    "where": (lambda: tg.where(np.ones(2, bool), variable(3), 0.0), ValueError, ["where", "bool of shape (2,)", "(3,)", ELEMENTWISE]),
    "axis": (lambda: variable(2, 3).sum(axis=2), ValueError, ["sum", "axis 2", "(2, 3)", "axis=2", "axis must name existing axes, each once"]),
    "axis twice": (lambda: variable(2, 3).mean(axis=(0, 0)), ValueError, ["mean", "duplicate", "axis=(0, 0)", "each once"]),
    "axis of another kind": (lambda: variable(2).sum(axis="rows"), TypeError, ["sum", "str", "axis='rows'"]),
    "softmax": (lambda: tg.softmax(variable(2), axis=1), ValueError, ["softmax", "axis", "one existing axis"]),
    "reshape": (lambda: variable(2, 3).reshape(4), ValueError, ["reshape", "(2, 3)", "shape=4", "as many elements"]),
    "transpose": (lambda: variable(2, 3).transpose(0, 0), ValueError, ["permute_dims", "axes=(0, 0)", "every axis once"]),
    "mT": (lambda: variable(3).mT, ValueError, ["permute_dims", "(3,)"]),
    "broadcast": (lambda: tg.broadcast_to(variable(2), (3,)), ValueError, ["broadcast_to", "(2,)", "shape=(3,)", "aligned from the right"]),
    "axis as an index": (lambda: variable(2, 3).sum(axis=2), IndexError, ["sum", "axis 2", "(2, 3)"]),  # it is both, as NumPy's
    "squeeze": (lambda: variable(2, 1).squeeze(0), ValueError, ["squeeze", "(2, 1)", "axis=0", "only axes of size 1"]),
    "expand": (lambda: variable(2).expand_dims(3), ValueError, ["expand_dims", "axis=3", "places of the result"]),
    "concat": (lambda: tg.concat([variable(2, 3), variable(2)]), ValueError, ["concat", "(2, 3)", "(2,)", "but for the size along axis"]),
    "concat of nothing": (lambda: tg.concat([]), ValueError, ["concat", "at least one array"]),
    "stack": (lambda: tg.stack([variable(2), variable(3)]), ValueError, ["stack", "(2,)", "(3,)", "all shapes must be equal"]),
    "matmul": (lambda: variable(2, 3) @ variable(2, 3), ValueError, ["matmul", "(2, 3)", "the inner sizes must agree"]),
    "getitem": (lambda: variable(3)[3], IndexError, ["getitem", "index 3", "(3,)", "key=3", "a key is made of"]),
    "max of nothing": (lambda: variable(0).max(), ValueError, ["max", "(0,)", "an extreme of nothing does not exist"]),
    "scale": (lambda: tg.sum_of_squares(variable(2), np.ones(2)), ValueError, ["sum_of_squares", "scale has shape (2,)", "one number"]),
    "scale of sizes": (lambda: tg.sum_of_sizes(variable(2), [1.0]), ValueError, ["sum_of_sizes", "scale has shape (1,)", "one number"]),
    "argmax of nothing": (lambda: variable(0).argmax(), ValueError, ["argmax", "(0,)", "not empty"]),
    "unknown setting": (lambda: tg.sum(variable(2), axes=0), TypeError, ["sum has no setting 'axes'", "sum(x, axis=None, keepdims=False"]),
    "setting that arrays know too": (lambda: tg.sum(np.ones(2), dim=0), TypeError, ["sum has no setting 'dim'", "sum(x, axis=None"]),
    "missing setting": (lambda: tg.reshape(variable(2)), TypeError, ["reshape", "shape"]),
    "missing array": (lambda: tg.add(variable(2)), TypeError, ["add", "'b'", "add(a, b)"]),
    "one array too many": (lambda: tg.add(1.0, 2.0, 3.0), TypeError, ["add", "too many positional arguments", "add(a, b)"]),
    "variadic": (lambda: tg.concat([variable(2)], dim=0), TypeError, ["concat", "dim", "concat(arrays, axis=0)"]),
    "arrays one by one": (lambda: tg.stack(variable(2), variable(2), axis=0), TypeError, ["stack", "stack(arrays, axis=0)"]),
    "text": (lambda: variable(2) + "a", TypeError, ["add", "numbers, not str"]),
    "objects": (lambda: variable(2) * [None, {}], TypeError, ["multiply", "numbers, not list", "object"]),
    "None": (lambda: tg.where([True, False], variable(2), None), TypeError, ["where", "numbers, not NoneType"]),
}

WALK = {
    "nothing recorded": (
        lambda: tg.Tensor([1.0], name="x").backward(),
        RuntimeError,
        ["backward", "(1,)", "'x'", "not made from any Tensor with requires_grad=True", "no_grad() or after detach()", "requires_grad=True before"],
    ),
    "detached": (lambda: variable(1).detach().backward(), RuntimeError, ["backward", "detach()"]),
    "retain": (lambda: tg.Tensor([1.0]).retain_grad(), RuntimeError, ["retain_grad", "requires_grad=True"]),
    "many numbers": (
        lambda: (variable(2, 3) * 2).backward(),
        ValueError,
        ["backward from float64 of shape (2, 3)", "only a single number", ".sum() or .mean()", "gradient=", "(2, 3)"],
    ),
    "gradient of another shape": (lambda: (variable(2) * 2).backward([1.0]), ValueError, ["gradient has shape (1,)", "(2,)", "must be equal"]),
    "gradient of another kind": (lambda: (variable(2) * 2).backward("a"), (TypeError, ValueError), ["a"]),
}

DERIVATIVES = {
    "nothing recorded": (lambda: tg.grad(tg.Tensor(1.0), variable()), RuntimeError, ["grad", "requires_grad=True"]),
    "input without gradient": (
        lambda: tg.grad(variable(), [variable(), tg.Tensor([1.0], name="c")]),
        ValueError,
        ["grad: input 1", "(1,)", "'c'", "does not require a gradient", "requires_grad=True before"],
    ),
    "no tensor": (lambda: tg.grad(1.0, variable()), TypeError, ["grad takes Tensors", "not float"]),
    "no tensor in a list": (lambda: tg.grad(variable(), [np.ones(2)]), TypeError, ["grad takes Tensors", "not ndarray"]),
    "many numbers": (lambda: tg.grad(variable(2) * 2, variable()), ValueError, ["only a single number", "(2,)"]),
    "too few gradients": (lambda: tg.grad([variable(), variable()], variable(), gradient=[1.0]), ValueError, ["2 outputs", "got 1"]),
    "gradient of another shape": (lambda: tg.grad(variable(2), variable(2), gradient=[1.0]), ValueError, ["gradient has shape (1,)", "(2,)"]),
    "argnums": (lambda: tg.value_and_grad(lambda x: x, argnums=1)(1.0), TypeError, ["value_and_grad: argument 1", "1 came by position"]),
    "argnums without arguments": (lambda: tg.value_and_grad(lambda: 1.0)(), TypeError, ["argument 0", "0 came"]),
    "value": (lambda: tg.value_and_grad(lambda x: 3.0)(1.0), TypeError, ["must return one Tensor", "returned a float"]),
    "jacobian": (lambda: tg.jacobian(lambda x: (x, x), 1.0), TypeError, ["must return one Tensor", "returned a tuple"]),
    "hessian": (lambda: tg.hessian(lambda x: x * 2, np.ones(2)), ValueError, ["only a single number", "(2,)"]),
    "hvp": (lambda: tg.hvp(lambda x: x.sum(), np.ones(2), np.ones(3)), ValueError, ["gradient has shape (3,)", "(2,)"]),
    "jvp of a tensor": (lambda: tg.jvp(lambda x: x, variable(2), variable(2)), ValueError, ["jvp", "jvp(f, (x,), (t,))"]),
    "jvp of different lengths": (lambda: tg.jvp(lambda x: x, (1.0,), (1.0, 2.0)), ValueError, ["jvp", "same length"]),
    "whole numbers": (lambda: tg.jacobian(lambda x: x, 1), TypeError, ["requires_grad", "whole numbers", "dtype='float64'"]),
    "forgotten history": (lambda: tg.jacobian(lambda x: x.detach() * 2, 1.0), RuntimeError, ["grad", "detach()"]),
}

EVERY = [pytest.param(*line, id=name) for table in (OPS, WALK, DERIVATIVES) for name, line in table.items()]


@pytest.mark.parametrize(("act", "kind", "words"), EVERY)
def test_the_error_says_what_was_done_with_what_and_what_would_fit(act, kind, words):
    with pytest.raises(kind) as caught:
        act()
    text = str(caught.value)
    assert re.search(".*".join(map(re.escape, words)), text, re.DOTALL), text


def test_the_error_of_a_forward_keeps_its_cause():
    with pytest.raises(ValueError, match="^add: ") as caught:
        variable(2) + variable(3)
    assert "could not be broadcast" in str(caught.value.__cause__)


def test_after_an_error_everything_goes_on_as_before():
    x, w = variable(2), variable(3)
    with pytest.raises(ValueError, match="add"):
        x + w
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2, 2]
    assert w.grad is None
    with pytest.raises(ValueError, match="single number"):
        (x * 2).backward()
    assert x.grad.tolist() == [2, 2]
    with pytest.raises(ValueError, match="gradient has shape"):
        tg.grad(x * 2, x, gradient=np.ones(3))
    assert x.grad.tolist() == [2, 2]


def test_an_error_in_the_function_to_differentiate_restores_the_mode():
    with tg.no_grad():
        with pytest.raises(ZeroDivisionError):
            tg.jacobian(lambda x: 1 // 0, 1.0)
        assert not (variable(1) * 2).requires_grad


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tg.cbrt(tg.Tensor([1j])), r"^cbrt: .*complex128.* It takes floats\."),
        (lambda: tg.arctan2(1j, tg.ones(2)), r"^arctan2: .* It takes floats\."),
        (lambda: tg.bitwise_and(tg.ones(2), 1), r"^bitwise_and: .* It takes bools, whole numbers\."),
        (lambda: tg.tan(np.array(["a"])), r"^tan: .* It takes floats, complex numbers\."),
        (lambda: tg.relu(tg.Tensor([1j])), r"^relu: it takes real numbers"),
        (lambda: tg.linalg.inv(tg.ones((2, 2), dtype="float16")), r"^linalg_inv: .* It takes float32, float64, complex64 and complex128\."),
        (lambda: tg.max_pool1d(tg.ones((1, 1, 4), dtype=bool), 2), r"^max_pool1d: window_max: x holds bool; it takes floats and whole numbers"),
    ],
)
def test_a_wrong_dtype_is_told_which_are_right(call, words):
    with pytest.raises(TypeError, match=words):
        call()
