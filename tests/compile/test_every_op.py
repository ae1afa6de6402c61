"""Every op and expression of the table, compiled: values, gradients and second derivatives are those of eager mode, also for other numbers."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings

import tinygrad_reg as tg
from tinygrad_reg.compile.numpy_replay import NumpyReplay
from tinygrad_reg.op import OPS

sys.path.insert(0, str(Path(__file__).parent.parent / "ops"))

from cases import CASES, case_id
from numeric import is_kinked, leaves, sample, sample_at_kinks, seeded, smooth

# The shape of what these give depends on numbers, so no program for other numbers can be made.
SHAPED = {"nonzero", "argwhere", "flatnonzero", "unique", "unique_values", "unique_all", "unique_counts", "unique_inverse", "masked_select"}
SHAPED |= {"bincount", "compress", "extract"}
SHAPED_IF = {"bincount": lambda case: "length" not in case.settings}
CALLS = 3
THOROUGH = hypothesis_settings.default.max_examples > 1000


def shaped(f, case):
    return f.name in SHAPED and SHAPED_IF.get(f.name, lambda case: True)(case)


def parts(f, inputs, settings):
    """Everything that f gives, as a list."""
    out = f(list(inputs), **settings) if getattr(f, "variadic", False) else f(*inputs, **settings)
    return list(out) if isinstance(out, (tuple, list)) else [out]


def weighed(outs):
    """A number that depends on all parts, on each element of them in another way."""
    total = tg.tensor(0.0)
    for out in outs:
        x = 1.1 * tg.real(out) + 0.7 * tg.imag(out) if out.dtype.kind == "c" else out
        if x.dtype.kind == "f":
            total = total + (x * np.cos(np.arange(x.size)).reshape(x.shape)).sum()
    return total


def functions(f, case, quick):
    """What is compiled: f, its gradients, and second derivatives, where there are any; where compiling takes long, the first two in one."""
    variable = smooth(sample(f, case.shapes, seeded(f.name)))

    def value(*inputs):
        return parts(f, inputs, case.settings)

    def gradients(*inputs):
        return tg.grad(weighed(parts(f, inputs, case.settings)), [inputs[i] for i in variable])

    def second(*inputs):
        variables = [inputs[i] for i in variable]
        slopes = tg.grad(weighed(parts(f, inputs, case.settings)), variables, create_graph=True)
        return tg.grad(weighed([x * x for x in slopes]), variables)

    def all_but_second(*inputs):
        return [*value(*inputs), *gradients(*inputs)]

    try:
        gradients(*leaves(sample(f, case.shapes, seeded(f.name))))
    except RuntimeError:  # nothing was recorded: it has no gradient
        return [value]
    return [value, gradients, second] if THOROUGH or quick else [all_but_second]


def inputs_of(f, case, call):
    """Numbers for each call: the last one has many at kinks, and equal ones."""
    kinks = call == CALLS - 1 and is_kinked(f) if hasattr(f, "domain") else False
    return (sample_at_kinks if kinks else sample)(f, case.shapes, seeded(f.name, call))


def assert_same(got, expected, what):
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        if not isinstance(b, tg.Tensor):
            assert a == b, what
            continue
        assert (a.shape, a.dtype) == (b.shape, b.dtype), what
        fine = b.dtype.itemsize // (2 if b.dtype.kind == "c" else 1) > 4
        size = max(1.0, float(np.max(np.abs(b.data), initial=0, where=np.isfinite(b.data))))
        np.testing.assert_allclose(a.data, b.data, rtol=1e-9 if fine else 1e-4, atol=(1e-11 if fine else 1e-5) * size, err_msg=what)


def check(f, case, g, backend):
    compiled = tg.compile(g, backend=backend, wait=True)
    for call in range(CALLS):
        given = leaves(inputs_of(f, case, call))
        assert_same(compiled(*given), g(*given), f"{f.name}, {g.__name__}, call {call}")
    stats = compiled.stats()
    assert (stats["captures"], stats["backend"]) == (1, backend), stats


@pytest.mark.parametrize(("f", "case"), [(f, case) for f, case in CASES if not shaped(f, case)], ids=case_id)
@np.errstate(all="ignore")  # of eager mode, for means of nothing and at kinks
def test_the_same_as_in_eager_mode(f, case, backend):
    quick = backend == "numpy"
    if quick or THOROUGH or case is f.cases[0] or not f.name.startswith("linalg_"):
        for g in functions(f, case, quick):
            check(f, case, g, backend)


@pytest.mark.parametrize(("f", "case"), [(f, case) for f, case in CASES if shaped(f, case)], ids=case_id)
def test_a_shape_that_depends_on_numbers_is_an_error(f, case, backend):
    with pytest.raises(tg.CaptureError, match=r"shape of what \w+ gives depends on numbers.*test_every_op.py"):
        tg.compile(lambda *inputs: parts(f, inputs, case.settings), backend=backend)(*leaves(inputs_of(f, case, 0)))


def test_a_replay_of_old_numbers_is_noticed(monkeypatch):
    """The check above can fail: of a replay that gives the results of its first run again."""
    run, kept = NumpyReplay.run, []

    def stale(self, arguments, numbers):
        kept.append(run(self, arguments, numbers))
        return kept[0]

    monkeypatch.setattr(NumpyReplay, "run", stale)
    with pytest.raises(AssertionError, match="call 2"):
        check(OPS["tanh"], OPS["tanh"].cases[0], lambda x: [tg.tanh(x)], "numpy")
