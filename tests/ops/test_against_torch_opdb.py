"""Our functions against PyTorch's operator database: its sample inputs, values, gradients and gradients of gradients, in float64.

Which row is which of our functions stands in torch_rows.py and torch_more_rows.py. The usual run takes the first few samples of each row; all
of them are taken with HYPOTHESIS_PROFILE=thorough.
"""

import os
import warnings
from functools import partial
from itertools import islice

import numpy as np
import pytest
from torch_more_rows import DIFFERENT as MORE_DIFFERENT
from torch_more_rows import FIRST_ORDER, MORE
from torch_rows import ROWS, adapted

import tinygrad_reg as tg

torch = pytest.importorskip("torch", reason="compares with PyTorch")
pytest.importorskip("expecttest", reason="PyTorch's operator database needs expecttest")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    try:
        from torch.testing._internal.common_methods_invocations import op_db
    except Exception as error:
        pytest.skip(f"PyTorch's operator database cannot be loaded: {error}", allow_module_level=True)

SAMPLES = None if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 6
MOST = 4000  # elements of a result; larger ones add time and no case

# Samples that are not compared, with the reason: what they ask for is not offered, or decided otherwise and documented.
DIFFERENT = {
    "nn.functional.hardtanh": (lambda s: s.kwargs.get("min_val") == s.kwargs.get("max_val") is not None, "an empty range is refused"),
    "nn.functional.hardshrink": (lambda s: s.kwargs.get("lambd", 0) < 0, "a negative width is refused"),
    "nn.functional.softplus": (lambda s: s.kwargs.get("threshold", 20) != 20, "needs no threshold: it is stable for any x"),
    **{
        f"nn.functional.pad.{mode}": (lambda s: min(s.args[0]) < 0, "NumPy's pad does not cut off; slice")
        for mode in ("constant", "reflect", "replicate", "circular")
    },
    "nn.functional.scaled_dot_product_attention": (lambda s: s.kwargs["dropout_p"] > 0, "other random numbers"),
    "sort": (lambda s: s.input.ndim == 0, "a single number has no axis to sort along"),
    "nn.functional.embedding": (lambda s: {"max_norm", "scale_grad_by_freq", "sparse"} & set(s.kwargs), "not offered"),
    "nn.functional.batch_norm": (lambda s: s.input.ndim < 2, "there are samples and channels at least"),
    "cov": (lambda s: s.kwargs.get("aweights") is not None, "weights in single precision, so that the results differ by their rounding"),
    "nn.functional.hinge_embedding_loss": (lambda s: not (s.args[0].abs() == 1).all(), "a target is 1 or -1"),
    "nn.functional.pairwise_distance": (lambda s: s.kwargs.get("p", 2) <= 0, "no distance"),
    "linalg.solve": (lambda s: s.input.ndim > s.args[0].ndim > 1, "NumPy 2 takes only a b of one axis for a vector"),
    "tensordot": (lambda s: 1 in s.input.shape, "sizes of 1 are not stretched"),
    "masked_scatter": (lambda s: s.input.ndim < s.args[0].ndim, "the array is not stretched to its mask"),
    "gather": (lambda s: s.args[1].numel() == 0, "indices have as many axes as x, also where there are none"),
}


def axis_of_a_single_number(sample):
    """Whether an axis of an array without axes is asked for, which PyTorch allows and NumPy does not."""
    given = [*sample.args, *(v for k, v in sample.kwargs.items() if k in ("dim", "dims"))]
    return isinstance(sample.input, torch.Tensor) and sample.input.ndim == 0 and any(isinstance(a, (int, tuple, list)) for a in given)


ROWS = ROWS | MORE
DIFFERENT = DIFFERENT | MORE_DIFFERENT
DATABASE = {f"{o.name}{o.variant_test_name and '.'}{o.variant_test_name}": o for o in op_db}
NAMED = [name for name in ROWS if name in DATABASE]


class NotOfferedError(Exception):
    """A sample that asks for a result of another dtype, which astype gives here."""


def covered(name):
    """The function of ours for a row, or None if we do not have it yet."""
    how = ROWS[name]
    if callable(how):
        return how
    try:
        return adapted(how)
    except AttributeError:
        return None


def mapped(f, x):
    """x with f applied to every PyTorch tensor in it."""
    if isinstance(x, torch.Tensor):
        return f(x)
    if isinstance(x, (list, tuple)) and not isinstance(x, torch.Size):
        return type(x)(mapped(f, item) for item in x)
    if isinstance(x, dict):
        return {key: mapped(f, item) for key, item in x.items()}
    if isinstance(x, (torch.dtype, torch.device)):
        raise NotOfferedError
    return tuple(x) if isinstance(x, torch.Size) else x


def results(x, kind):
    """The float results in what a function returned, as a flat list."""
    found = [x] if isinstance(x, kind) else [part for item in x for part in results(item, kind)] if isinstance(x, (list, tuple)) else []
    return [r for r in found if (r.dtype.is_floating_point if kind is torch.Tensor else r.dtype.kind == "f")]


class Pair:
    """The tensors of one sample, theirs and ours, in the same order."""

    def __init__(self):
        self.theirs, self.mine = [], []

    def __call__(self, theirs):
        mine = tg.Tensor(theirs.detach().numpy(), requires_grad=theirs.requires_grad and theirs.dtype.is_floating_point)
        if mine.requires_grad:
            self.theirs.append(theirs)
            self.mine.append(mine)
        return mine


def weights(values, seed):
    """Fixed random numbers of the shapes of the values."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.5, 1.5, v.shape) for v in values]


def close(mine, theirs, what):
    theirs = theirs.detach().numpy(force=True)
    assert mine.shape == theirs.shape, what
    np.testing.assert_allclose(
        mine, theirs, rtol=1e-6, atol=1e-8 * max(1.0, float(np.max(np.abs(theirs), initial=0, where=np.isfinite(theirs)))), err_msg=what
    )


def slopes(theirs, mine, pair, seed, again):
    """Gradients of a weighted sum of results, from both sides; zeros where there is none."""
    factors = weights(theirs, seed)
    total = sum((t * torch.from_numpy(np.asarray(w))).sum() for t, w in zip(theirs, factors, strict=True))
    here = sum((m * w).sum() for m, w in zip(mine, factors, strict=True))
    if not isinstance(total, torch.Tensor) or not total.requires_grad:
        return None
    found = torch.autograd.grad(total, pair.theirs, create_graph=again, allow_unused=True)
    zeros = [torch.zeros_like(x) if g is None else g for g, x in zip(found, pair.theirs, strict=True)]
    if not here.requires_grad:
        return zeros, [tg.zeros(x.shape) for x in pair.mine]
    return zeros, tg.grad(here, pair.mine, create_graph=again)


def compare(entry, function, sample):
    """One sample: values, gradient, gradient of the gradient."""
    wrapped = partial(entry.gradcheck_wrapper, entry.op)  # makes symmetric what must be
    theirs = results(sample.output_process_fn_grad(wrapped(sample.input, *sample.args, **sample.kwargs)), torch.Tensor)
    if sum(t.numel() for t in theirs) > MOST:
        return
    pair = Pair()
    x = mapped(pair, sample.input)
    if entry.gradcheck_wrapper.__name__ == "gradcheck_wrapper_hermitian_input":
        x = x + x.mT
    mine = results(function(x, *mapped(pair, tuple(sample.args)), **mapped(pair, sample.kwargs)), tg.Tensor)
    assert len(mine) == len(theirs)
    for m, t in zip(mine, theirs, strict=True):
        close(m.data, t, "value")
    if not pair.theirs:
        return
    twice = entry.supports_gradgrad and entry.name not in FIRST_ORDER
    firsts = slopes(theirs, mine, pair, 0, twice)
    if firsts is None:
        return
    for t, m in zip(*firsts, strict=True):
        close(m.data, t, "gradient")
    if twice:
        seconds = slopes(*firsts, pair, 1, False)
        for t, m in zip(*seconds, strict=True) if seconds else ():
            close(m.data, t, "gradient of the gradient")


def all_samples(entry):
    """The samples of a row, small ones first."""
    torch.manual_seed(0)
    return islice(entry.sample_inputs("cpu", torch.float64, requires_grad=True), SAMPLES)


@pytest.mark.filterwarnings("ignore")  # PyTorch's own, in making samples
@pytest.mark.parametrize("name", NAMED)
def test_row_agrees_with_pytorch(name):
    function, entry = covered(name), DATABASE[name]
    if function is None:
        pytest.skip(f"{ROWS[name].split()[0]} is not there yet")
    for sample in all_samples(entry):
        if axis_of_a_single_number(sample) or (name in DIFFERENT and DIFFERENT[name][0](sample)):
            continue
        try:
            with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):  # the one with derivatives of any order
                compare(entry, function, sample)
        except NotOfferedError:
            continue
        except AttributeError as error:
            if "module 'tinygrad_reg" in str(error):
                pytest.skip(f"not there yet: {error}")
            raise


def test_how_much_of_the_database_is_covered(record_property):
    known = [name for name in NAMED if covered(name)]
    differentiable = [name for name, entry in DATABASE.items() if entry.supports_autograd and torch.float64 in entry.dtypes]
    summary = f"{len(known)} rows of PyTorch's operator database are compared, of {len(DATABASE)} ({len(differentiable)} differentiable)"
    record_property("coverage", summary)
    print(summary)
    assert len(known) > 150
