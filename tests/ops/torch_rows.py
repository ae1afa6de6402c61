"""Which of our functions a row of PyTorch's operator database is: PyTorch's name, ours, and what becomes of its arguments.

A text names our function and then, in turn, what PyTorch's arguments after the first are called here; ``*`` stays an argument by
position. Arguments by name keep it, but for ``NAMES`` and pairs ``theirs=ours`` in the text. Where that does not do, a function says it.
"""

import operator

import numpy as np

import tinygrad_reg as tg

NAMES = {"dim": "axis", "keepdim": "keepdims", "dims": "axis"}


def ours(name):
    """Our function of that name, which may have dots; ``AttributeError`` if there is none."""
    return operator.attrgetter(name)(tg)


def adapted(text):
    """A function that takes PyTorch's arguments, from a text of the table; ``AttributeError`` if we do not have it."""
    name, *parts = text.split()
    function = ours(name)
    names = NAMES | dict(p.split("=") for p in parts if "=" in p)
    order = [p for p in parts if "=" not in p]

    def call(x, *arguments, **settings):
        by_place = [a for a, p in zip(arguments, order, strict=False) if p == "*"]
        by_name = {p: a for a, p in zip(arguments, order, strict=False) if p != "*"}
        rest = arguments[len(order) :]
        return function(x, *by_place, *rest, **by_name, **{names.get(k, k): v for k, v in settings.items()})

    return call


SAME = """
abs acos acosh asin asinh atan atanh ceil cos cosh deg2rad digamma erf erfc erfinv exp exp2 expm1 floor i0 lgamma log log10 log1p log2
neg positive rad2deg reciprocal relu round rsqrt sgn sigmoid sign sin sinc sinh sqrt square tan tanh trunc angle real
add mul sub true_divide atan2 copysign fmax fmin fmod hypot lerp logaddexp logaddexp2 maximum minimum pow remainder xlogy nextafter
dot vdot inner outer matmul kron tensordot cross_entropy lerp where clamp
tril triu flipud fliplr broadcast_to ravel atleast_1d atleast_2d atleast_3d hstack vstack dstack column_stack
masked_fill masked_select masked_scatter sinc conj
"""
ROWS = {name: name for name in SAME.split()}
for _name in ["relu", "silu", "mish", "softsign", "tanhshrink", "hardswish", "hardsigmoid", "logsigmoid", "relu6", "selu"]:
    ROWS[f"nn.functional.{_name}"] = _name
for _name in ["ndtr", "log_ndtr", "entr", "i0e", "i1", "i1e", "erfcx", "ndtri", "xlog1py"]:
    ROWS[f"special.{_name}"] = _name
for _name in ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]:
    ROWS[f"fft.{_name}"] = f"fft.{_name} n axis norm"
    if _name[-4:] == "hfft":
        continue  # NumPy has no hfft over several axes
    ROWS[f"fft.{_name}2"] = lambda *a, name=f"{_name}2", **k: _transform(name, *a, **k)
    ROWS[f"fft.{_name}n"] = lambda *a, name=f"{_name}n", **k: _transform(name, *a, **k)
for _name in ("fftshift", "ifftshift"):
    ROWS[f"fft.{_name}"] = f"fft.{_name} axes dim=axes"
for _name in ["inv", "det", "eigvalsh", "cond"]:
    ROWS[f"linalg.{_name}"] = f"linalg.{_name}"
for _n in range(5):
    ROWS[f"polygamma.polygamma_n_{_n}"] = lambda x, n: ours("polygamma")(n, x)
for _n in (1, 3, 5):
    ROWS[f"mvlgamma.mvlgamma_p_{_n}"] = "multigammaln d p=d"
for _n in "123":
    ROWS[f"nn.functional.conv{_n}d"] = f"conv{_n}d * * stride padding dilation groups"
    ROWS[f"nn.functional.conv_transpose{_n}d"] = f"conv_transpose{_n}d * * stride padding output_padding groups dilation"
    ROWS[f"nn.functional.max_pool{_n}d"] = lambda x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False, n=_n: (
        ours(f"max_pool{n}d")(x, kernel_size, stride or None, padding, dilation, ceil_mode)
    )
    ROWS[f"nn.functional.avg_pool{_n}d"] = lambda x, kernel_size, stride=None, *rest, n=_n, **settings: ours(f"avg_pool{n}d")(
        x, kernel_size, stride or None, *rest, **settings
    )
    ROWS[f"nn.functional.adaptive_avg_pool{_n}d"] = f"adaptive_avg_pool{_n}d output_size"
    ROWS[f"nn.functional.adaptive_max_pool{_n}d"] = lambda x, output_size, return_indices=False, n=_n: ours(f"adaptive_max_pool{n}d")(x, output_size)
for _mode, _how in {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}.items():
    ROWS[f"nn.functional.pad.{_mode}"] = lambda x, pad, mode="constant", value=None, how=_how: _pad(x, pad, how, value)
for _mode in ("nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area"):
    ROWS[f"nn.functional.interpolate.{_mode}"] = "interpolate size scale_factor mode align_corners"
for _name in ("", "special."):
    ROWS[f"{_name}logit"] = "logit eps"

ROWS |= {
    "clamp": "clip min max",
    "clamp_max": lambda x, top: ours("minimum")(x, top),
    "clamp_min": lambda x, low: ours("maximum")(x, low),
    "max.binary": "maximum",
    "min.binary": "minimum",
    "neg": "negative",
    "lgamma": "gammaln",
    "sgn": "sign",
    "round.decimals_0": "round decimals",
    "round.decimals_3": "round decimals",
    "round.decimals_neg_3": "round decimals",
    "div.no_rounding_mode": "divide",
    "div.floor_rounding": lambda a, b, rounding_mode: ours("floor_divide")(a, b),
    "div.trunc_rounding": lambda a, b, rounding_mode: ours("trunc")(a / b),
    "float_power": "float_power",
    "rsub": lambda a, b, alpha=1: b - alpha * a,
    "add": lambda a, b, alpha=1: ours("add")(a, alpha * b),
    "sub": lambda a, b, alpha=1: ours("subtract")(a, alpha * b),
    "mul": "multiply",
    "__radd__": lambda a, b: b + a,
    "__rsub__": lambda a, b: b - a,
    "__rmul__": lambda a, b: b * a,
    "__rdiv__": lambda a, b: b / a,
    "__rpow__": lambda a, b: b**a,
    "__rmod__": lambda a, b: b % a,
    "__rmatmul__": lambda a, b: b @ a,
    "addcmul": lambda x, a, b, value=1: x + value * (a * b),
    "addcdiv": lambda x, a, b, value=1: x + value * (a / b),
    "addmm": lambda x, a, b, alpha=1, beta=1: beta * x + alpha * (a @ b),
    "addmm.decomposed": lambda x, a, b, alpha=1, beta=1: beta * x + alpha * (a @ b),
    "addmv": lambda x, a, b, alpha=1, beta=1: beta * x + alpha * (a @ b),
    "addr": lambda x, a, b, alpha=1, beta=1: beta * x + alpha * ours("outer")(a, b),
    "baddbmm": lambda x, a, b, alpha=1, beta=1: beta * x + alpha * (a @ b),
    "addbmm": lambda x, a, b, alpha=1, beta=1: beta * x + alpha * (a @ b).sum(axis=0),
    "bmm": "matmul",
    "mm": "matmul",
    "mv": "matmul",
    "nn.functional.linear": lambda x, w, b=None: x @ w.T if b is None else x @ w.T + b,
    "einsum": lambda operands, equation: ours("einsum")(equation, *operands),
    "tensordot": lambda a, b, dims=2: ours("tensordot")(a, b, axes=dims),
    "cross": "cross",
    "linalg.cross": lambda a, b, dim=-1: ours("linalg.cross")(a, b, axis=dim),
    "linalg.vecdot": lambda a, b, dim=-1: ours("vecdot")(a, b, axis=dim),
    "linalg.multi_dot": lambda arrays: ours("linalg.multi_dot")(arrays),
    "nn.functional.leaky_relu": "leaky_relu negative_slope",
    "nn.functional.elu": "elu alpha",
    "nn.functional.celu": "celu alpha",
    "nn.functional.gelu": "gelu approximate",
    "nn.functional.glu": "glu axis",
    "nn.functional.prelu": "prelu",
    "nn.functional.hardtanh": "hardtanh min_val max_val",
    "nn.functional.hardshrink": "hardshrink lambd",
    "nn.functional.softshrink": "softshrink lambd",
    "nn.functional.threshold": "threshold threshold value",
    "nn.functional.softplus": lambda x, beta=1, threshold=20: ours("softplus")(x, beta=beta),
    "softmax": "softmax axis",
    "log_softmax": "log_softmax axis",
    "nn.functional.softmin": lambda x, dim: ours("softmax")(-x, axis=dim),
    "logsumexp": "logsumexp axis keepdims",
    "logcumsumexp": "logcumsumexp axis",
    "sum": "sum axis keepdims",
    "mean": "mean axis keepdims",
    "nansum": "nansum axis keepdims",
    "nanmean": "nanmean axis keepdims",
    "prod": "prod axis keepdims",
    "amax": "max axis keepdims",
    "amin": "min axis keepdims",
    "max.reduction_no_dim": "max",
    "min.reduction_no_dim": "min",
    "max.reduction_with_dim": lambda x, dim, keepdim=False: ours("max")(x, axis=dim, keepdims=keepdim),
    "min.reduction_with_dim": lambda x, dim, keepdim=False: ours("min")(x, axis=dim, keepdims=keepdim),
    "aminmax": lambda x, dim=None, keepdim=False: (ours("min")(x, axis=dim, keepdims=keepdim), ours("max")(x, axis=dim, keepdims=keepdim)),
    "var": lambda *a, **k: _spread("var", *a, **k),
    "std": lambda *a, **k: _spread("std", *a, **k),
    "var.unbiased": lambda x, unbiased: _spread("var", x, None, unbiased),
    "std.unbiased": lambda x, unbiased: _spread("std", x, None, unbiased),
    "var_mean": lambda *a, **k: (_spread("var", *a, **k), _mean(*a, **k)),
    "std_mean": lambda *a, **k: (_spread("std", *a, **k), _mean(*a, **k)),
    "var_mean.unbiased": lambda x, unbiased: (_spread("var", x, None, unbiased), x.mean()),
    "std_mean.unbiased": lambda x, unbiased: (_spread("std", x, None, unbiased), x.mean()),
    "quantile": lambda x, q, dim=None, keepdim=False, interpolation="linear": ours("quantile")(
        x, q, axis=dim, method=interpolation, keepdims=keepdim
    ),
    "nanquantile": lambda x, q, dim=None, keepdim=False, interpolation="linear": ours("nanquantile")(
        x, q, axis=dim, method=interpolation, keepdims=keepdim
    ),
    "cumsum": "cumulative_sum axis",
    "cumprod": "cumulative_prod axis",
    "cummax": lambda x, dim: ours("cummax")(x, axis=dim),
    "cummin": lambda x, dim: ours("cummin")(x, axis=dim),
    "diff": "diff n axis prepend append",
    "trapezoid": lambda y, x=None, dim=-1, dx=1: ours("trapezoid")(y, x, dx=dx, axis=dim),
    "trapz": lambda y, x=None, dim=-1, dx=1: ours("trapezoid")(y, x, dx=dx, axis=dim),
    "cumulative_trapezoid": lambda y, x=None, dim=-1, dx=1: ours("cumulative_trapezoid")(y, x, dx=dx, axis=dim),
    "kthvalue": lambda x, k, dim=-1, keepdim=False: ours("kthvalue")(x, k, axis=dim, keepdims=keepdim),
    "topk": lambda x, k, dim=-1, largest=True, sorted=True: ours("topk")(x, k, axis=dim, largest=largest, sorted=sorted),
    "sort": lambda x, dim=-1, descending=False, stable=False: ours("sort")(x, axis=dim, descending=descending),
    "msort": lambda x: ours("sort")(x, axis=0),
    "norm": lambda *arguments, **settings: _norm(*arguments, **settings),
    "linalg.norm": lambda x, ord=None, dim=None, keepdim=False: ours("linalg.norm")(x, ord=ord, axis=dim, keepdims=keepdim),
    "linalg.vector_norm": lambda x, ord=2, dim=None, keepdim=False: ours("linalg.vector_norm")(x, ord=ord, axis=dim, keepdims=keepdim),
    "linalg.matrix_norm": lambda x, ord="fro", dim=(-2, -1), keepdim=False: ours("linalg.norm")(x, ord=ord, axis=tuple(dim), keepdims=keepdim),
    "linalg.slogdet": "linalg.slogdet",
    "logdet": lambda x: ours("linalg.slogdet")(x)[1],
    "linalg.cholesky": "linalg.cholesky upper",
    "cholesky": "linalg.cholesky upper",
    "linalg.eigh": lambda x, **settings: tuple(abs(part) if part.ndim == x.ndim else part for part in ours("linalg.eigh")(x)),
    "linalg.eigvalsh": lambda x, **settings: ours("linalg.eigvalsh")(x),
    "linalg.qr": "linalg.qr mode",
    "linalg.svdvals": "linalg.svdvals",
    "linalg.pinv": "linalg.pinv rtol",
    "linalg.pinv.hermitian": "linalg.pinv rtol",
    "pinverse": "linalg.pinv rtol rcond=rtol",
    "linalg.matrix_power": "linalg.matrix_power *",
    "matrix_exp": "linalg.expm",
    "linalg.solve_triangular": lambda a, b, **settings: ours("linalg.solve_triangular")(a, b, **settings),
    "reshape": lambda x, *shape: x.reshape(*shape),
    "view": lambda x, *shape: x.reshape(*shape),
    "reshape_as": lambda x, other: x.reshape(other.shape),
    "view_as": lambda x, other: x.reshape(other.shape),
    "expand": lambda x, shape: _expand(x, shape),
    "expand_as": lambda x, other: ours("broadcast_to")(x, other.shape),
    "broadcast_tensors": lambda x, *others: ours("broadcast_arrays")(x, *others),
    "flatten": lambda x, start_dim=0, end_dim=-1: ours("flatten")(x, start_axis=start_dim, end_axis=end_dim),
    "permute": lambda x, dims: ours("permute_dims")(x, dims),
    "transpose": "swapaxes * *",
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "t": lambda x: x.T,
    "movedim": "moveaxis * *",
    "unsqueeze": "expand_dims axis",
    "squeeze": lambda x, dim=None: ours("squeeze")(x, axis=_of_size_one(x, dim)),
    "squeeze.multiple": lambda x, dim=None: ours("squeeze")(x, axis=_of_size_one(x, dim)),
    "cat": lambda tensors, dim=0: ours("concat")(_not_nothing(tensors), axis=dim),
    "stack": lambda tensors, dim=0: ours("stack")(tensors, axis=dim),
    "hstack": lambda tensors: ours("hstack")(tensors),
    "vstack": lambda tensors: ours("vstack")(tensors),
    "dstack": lambda tensors: ours("dstack")(tensors),
    "column_stack": lambda tensors: ours("column_stack")(tensors),
    "atleast_1d": lambda x, *more: ours("atleast_1d")(*_listed(x, more)),
    "atleast_2d": lambda x, *more: ours("atleast_2d")(*_listed(x, more)),
    "atleast_3d": lambda x, *more: ours("atleast_3d")(*_listed(x, more)),
    "meshgrid.variadic_tensors": lambda x, *more, indexing="ij": ours("meshgrid")(x, *more, indexing=indexing),
    "meshgrid.list_of_tensors": lambda tensors, indexing="ij": ours("meshgrid")(*tensors, indexing=indexing),
    "unbind": lambda x, dim=0: ours("unstack")(x, axis=dim),
    "tensor_split": lambda x, places, dim=0: ours("array_split")(x, _plain(places), axis=dim),
    "hsplit": lambda x, places: ours("hsplit")(x, _plain(places)),
    "vsplit": lambda x, places: ours("vsplit")(x, _plain(places)),
    "dsplit": lambda x, places: ours("dsplit")(x, _plain(places)),
    "split.list_args": lambda x, sizes, dim=0: ours("split")(x, list(np.cumsum(sizes)[:-1]), axis=dim),
    "split_with_sizes": lambda x, sizes, dim=0: ours("split")(x, list(np.cumsum(sizes)[:-1]), axis=dim),
    "tile": lambda x, reps: ours("tile")(x, reps),
    "repeat": lambda x, reps: ours("tile")(x, reps),
    "repeat_interleave": lambda x, repeats, dim=None, output_size=None: ours("repeat")(x, _plain(repeats), axis=dim),
    "roll": lambda x, shifts=0, dims=None: ours("roll")(x, shifts, axis=None if dims == () else dims),
    "flip": lambda x, dims: ours("flip")(x, axis=tuple(dims)),
    "rot90": lambda x, k=1, dims=(0, 1): ours("rot90")(x, k, tuple(dims)),
    "diag": "diag k",
    "diagflat": lambda x, offset=0: ours("diagflat")(x, offset),
    "diag_embed": lambda x, offset=0, dim1=-2, dim2=-1: ours("diag_embed")(x, offset=offset, axis1=dim1, axis2=dim2),
    "diagonal": lambda x, offset=0, dim1=0, dim2=1: ours("diagonal")(x, offset=offset, axis1=dim1, axis2=dim2),
    "linalg.diagonal": lambda x, offset=0, dim1=-2, dim2=-1: ours("diagonal")(x, offset=offset, axis1=dim1, axis2=dim2),
    "trace": "trace",
    "tril": "tril k diagonal=k",
    "triu": "triu k diagonal=k",
    "unfold": lambda x, dimension, size, step: ours("unfold")(x, axis=dimension, size=size, step=step),
    "__getitem__": lambda x, key: x[_key(key)],
    "narrow": lambda x, dim, start, length: x[(slice(None),) * (dim % x.ndim) + (slice(int(start), int(start) + length),)],
    "select": lambda x, dim, index: x[(slice(None),) * (dim % x.ndim) + (index,)],
    "index_select": lambda x, dim, index: ours("take")(x, index, axis=dim),
    "take": lambda x, index: ours("take")(x, index),
    "take_along_dim": lambda x, index, dim=None: ours("take_along_axis")(x, index.reshape(-1) if dim is None else index, axis=dim),
    "gather": lambda x, dim, index: ours("gather")(x, index, axis=dim),
    "scatter_add": lambda x, dim, index, source: ours("scatter_add")(x, index, source, axis=dim),
    "masked_fill": lambda x, mask, value: ours("masked_fill")(x, mask, value),
    "masked_select": lambda x, mask: ours("masked_select")(x, mask),
    "where": lambda a, condition, b: ours("where")(condition, a, b),
    "nan_to_num": "nan_to_num nan posinf neginf",
    "nn.functional.layer_norm": "layer_norm normalized_shape weight bias eps",
    "nn.functional.rms_norm": "rms_norm normalized_shape weight eps",
    "nn.functional.group_norm": "group_norm num_groups weight bias eps",
    "nn.functional.instance_norm": "instance_norm running_mean running_var weight bias use_input_stats momentum eps",
    "nn.functional.batch_norm": "batch_norm running_mean running_var weight bias training momentum eps",
    "nn.functional.scaled_dot_product_attention": "scaled_dot_product_attention * * attn_mask dropout_p is_causal scale",
    "nn.functional.pixel_shuffle": "pixel_shuffle upscale_factor",
    "nn.functional.pixel_unshuffle": "pixel_unshuffle downscale_factor",
    "nn.functional.mse_loss": lambda x, y, reduction="mean", weight=None: _loss("mean_squared_error", x, y, reduction, weight=weight),
    "nn.functional.l1_loss": lambda x, y, reduction="mean", weight=None: _loss("l1", x, y, reduction, weight=weight),
    "nn.functional.huber_loss": lambda x, y, reduction="mean", weight=None, delta=1.0: _loss("huber", x, y, reduction, delta=delta),
    "nn.functional.smooth_l1_loss": lambda x, y, reduction="mean", beta=1.0: _loss("smooth_l1", x, y, reduction, beta=beta),
    "nn.functional.cross_entropy": lambda x, y, **settings: _cross_entropy(x, y, **settings),
    "nn.functional.nll_loss": lambda x, y, weight=None, **settings: ours("losses.nll_loss")(_classes_last(x), y, weight, **settings),
    "nn.functional.kl_div": lambda x, y, **settings: ours("losses.kl_div")(x, y, **settings),
    "nn.functional.binary_cross_entropy": lambda x, y, **settings: ours("binary_cross_entropy")(x, y, **settings),
    "nn.functional.binary_cross_entropy_with_logits": lambda x, y, **settings: ours("binary_cross_entropy_with_logits")(x, y, **settings),
    "nn.functional.cosine_similarity": "cosine_similarity * axis eps",
    "nn.functional.upsample_nearest": "interpolate size scale_factor",
    "nn.functional.upsample_bilinear": lambda x, size=None, scale_factor=None: ours("interpolate")(x, size, scale_factor, "bilinear", True),
    "nn.functional.pairwise_distance": "pairwise_distance * p eps",
    "nn.functional.soft_margin_loss": "losses.soft_margin *",
    "nn.functional.margin_ranking_loss": "losses.margin_ranking * *",
    "nn.functional.hinge_embedding_loss": "losses.hinge_embedding *",
    "nn.functional.cosine_embedding_loss": "losses.cosine_embedding * *",
    "nn.functional.poisson_nll_loss": "losses.poisson_nll *",
    "nn.functional.triplet_margin_loss": "losses.triplet_margin * *",
    "nn.functional.embedding": lambda weight, indices, padding_idx=None: ours("embedding")(indices, weight, padding_idx=padding_idx),
}


_LOSSES = {
    "hinge_embedding_loss": "hinge_embedding * margin reduction",
    "margin_ranking_loss": "margin_ranking * * margin reduction",
    "cosine_embedding_loss": "cosine_embedding * * margin reduction",
    "soft_margin_loss": "soft_margin * reduction",
    "poisson_nll_loss": "poisson_nll * log_input full eps reduction",
    "triplet_margin_loss": "triplet_margin * * margin p eps swap reduction",
}
ROWS |= {f"nn.functional.{name}": f"losses.{text}" for name, text in _LOSSES.items()}
ROWS |= {
    "nn.functional.pairwise_distance": "pairwise_distance * p eps keepdims",
    "conj_physical": "conj",
    "resolve_conj": "conj",
    "frac": lambda x: x - ours("trunc")(x),
    "chunk": lambda x, chunks, dim=0: _chunks(x, chunks, dim),
    "split": lambda x, size, dim=0: ours("split")(x, list(range(size, x.shape[dim], size)), axis=dim),
    "unflatten": lambda x, dim, sizes: x.reshape(*x.shape[: dim % x.ndim], *sizes, *x.shape[dim % x.ndim + 1 :]),
    "slice": lambda x, dim=0, start=None, end=None, step=1: x[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)],
    "clone": lambda x, **settings: ours("asarray")(x, copy=True),
    "contiguous": lambda x, **settings: x,
    "positive": lambda x: +x,
    "mH": lambda x: ours("conj")(x.mT),
    "H": lambda x: ours("conj")(x.T),
    "corrcoef": "corrcoef",
    "cov": lambda x, correction=1, fweights=None, aweights=None: ours("cov")(x, ddof=correction, fweights=fweights, aweights=aweights),
    "dist": lambda a, b, p=2: ours("linalg.vector_norm")(a - b, ord=p),
    "scatter": lambda x, dim, index, source: ours("scatter")(x, index, source, axis=dim),
    "index_put": lambda x, key, values, accumulate=False: ours("index_add" if accumulate else "index_set")(x, values, key=tuple(key)),
    "index_add": lambda x, dim, index, source, alpha=1: ours("index_add")(x, alpha * source, key=(slice(None),) * (dim % x.ndim) + (index,)),
    "index_copy": lambda x, dim, index, source: ours("index_set")(x, source, key=(slice(None),) * (dim % x.ndim) + (index,)),
    "linalg.solve": lambda a, b, left=True: ours("linalg.solve")(a, b) if left else ours("linalg.solve")(a.mT, b.mT).mT,
    "linalg.tensorinv": "linalg.tensorinv ind",
}


def _spread(name, x, dim=None, unbiased=None, keepdim=False, correction=1):
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    correction = correction if unbiased is None else int(unbiased)
    return ours(name)(x, axis=_axes(dim), correction=1 if correction is None else correction, keepdims=keepdim)


def _mean(x, dim=None, unbiased=None, keepdim=False, correction=1):
    return ours("mean")(x, axis=None if isinstance(dim, bool) else _axes(dim), keepdims=keepdim)


def _axes(dim):
    return tuple(dim) if isinstance(dim, (list, tuple)) and dim else None if dim in ((), []) else dim


def _pad(x, pad, how, value):
    pairs = [tuple(pad[i : i + 2]) for i in range(0, len(pad), 2)][::-1]
    settings = {"constant_values": value or 0} if how == "constant" else {}
    return ours("pad")(x, [(0, 0)] * (x.ndim - len(pairs)) + pairs, mode=how, **settings)


def _expand(x, shape):
    return ours("broadcast_to")(x, tuple(x.shape[i - len(shape)] if n == -1 else n for i, n in enumerate(shape)))


def _of_size_one(x, dim):
    if dim is None:
        return None
    return tuple(d for d in (dim if isinstance(dim, (list, tuple)) else (dim,)) if x.ndim and x.shape[d] == 1)


def _not_nothing(tensors):
    """Without empty vectors, which PyTorch joins with anything, as far as others are left."""
    return [t for t in tensors if t.shape != (0,)] or tensors


def _norm(x, p=2, dim=None, keepdim=False):
    if p == "nuc":
        return ours("linalg.norm")(x, p, dim, keepdim)
    return ours("linalg.vector_norm")(x, ord=2 if p in ("fro", None) else p, axis=_axes(dim), keepdims=keepdim)


def _transform(name, x, s=None, dim=None, norm=None):
    return ours(f"fft.{name}")(x, s=_tuple(s), axes=_tuple(dim if dim is not None or not name.endswith("2") else (-2, -1)), norm=norm)


def _tuple(x):
    return (x,) if isinstance(x, int) else x


def _listed(x, more):
    return x if isinstance(x, (list, tuple)) else (x, *more)


def _plain(places):
    return places.tolist() if isinstance(places, tg.Tensor) else list(places) if isinstance(places, tuple) else places


def _key(key):
    return tuple(_key(part) for part in key) if isinstance(key, tuple) else list(key) if isinstance(key, list) else key


def _chunks(x, chunks, dim):
    size = -(-x.shape[dim] // chunks)
    return ours("split")(x, list(range(size, x.shape[dim], size)), axis=dim)


def _loss(name, x, y, reduction, **settings):
    settings = {k: v for k, v in settings.items() if v is not None}
    return ours(f"losses.{name}")(x, y, reduction=reduction, **settings)


def _classes_last(x):
    return ours("moveaxis")(x, 1, -1) if x.ndim > 2 else x


def _cross_entropy(x, y, **settings):
    return ours("cross_entropy")(_classes_last(x), _classes_last(y) if y.shape == x.shape else y, **settings)
