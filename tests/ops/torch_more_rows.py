"""More rows of PyTorch's operator database and which of our functions they are: those of sorting, placing, images and losses; see torch_rows.py."""

import numpy as np
from torch_rows import ROWS, ours

MORE = {
    "block_diag": lambda x, *more: ours("block_diag")(x, *more),
    "cdist": lambda a, b, p=2.0, compute_mode=None: ours("cdist")(a, b, p),
    "constant_pad_nd": lambda x, pad, value=0: ours("pad")(x, _pairs(x, pad), constant_values=value),
    "frexp": "frexp",
    "gradient": lambda x, *spacing, **settings: _gradient(x, *spacing, **settings),
    "grid_sampler_2d": lambda x, grid, mode, rim, align: ours("grid_sample")(x, grid, _MODES[mode], _RIMS[rim], align),
    "grid_sampler_3d": lambda x, grid, mode, rim, align: ours("grid_sample")(x, grid, _MODES[mode], _RIMS[rim], align),
    "index_fill": lambda x, dim, index, value: ours("index_fill")(x, index, value, axis=dim),
    "index_copy": lambda x, dim, index, source: ours("index_copy")(x, index, source, axis=dim),
    "ldexp": lambda x, i: ours("ldexp")(x, i) if i.dtype.kind in "iu" else x * 2.0**i,
    "linalg.lu": lambda x, pivot=True: ours("linalg.lu")(x)[1:],
    "mode": "mode axis keepdims",
    "median": lambda x, dim=None, keepdim=False: _lower_middle(x, dim, keepdim),
    "scatter_reduce.sum": "scatter_reduce axis * * reduce",
    "nn.functional.grid_sample": lambda x, grid, mode="bilinear", padding_mode="zeros", align_corners=False: ours("grid_sample")(
        x, grid, mode, padding_mode, align_corners
    ),
    "nn.functional.unfold": "im2col kernel_size dilation padding stride",
    "nn.functional.pdist": "pdist p",
    "norm.fro": lambda x, p="fro", dim=None, keepdim=False: ours("linalg.vector_norm")(x, axis=_axis(dim), keepdims=keepdim),
    "norm.inf": lambda x, p, dim=None, keepdim=False: ours("linalg.vector_norm")(x, ord=p, axis=_axis(dim), keepdims=keepdim),
}
MORE |= {
    "nn.functional.ctc_loss": lambda x, *arguments, **settings: ours("losses.ctc")(ours("log_softmax")(x, axis=2), *arguments, **settings),
    "nn.functional.gaussian_nll_loss": "losses.gaussian_nll * * full eps reduction",
    "nn.functional.multi_margin_loss": "losses.multi_margin * p margin weight",
    "nn.functional.multilabel_margin_loss": "losses.multilabel_margin *",
    "nn.functional.multilabel_soft_margin_loss": "losses.multilabel_soft_margin * weight",
    "nn.functional.local_response_norm": "local_response_norm size alpha beta k",
    "nn.functional.channel_shuffle": "channel_shuffle groups",
    "nn.functional.bilinear": "bilinear * * *",
    "renorm": lambda x, p, dim, maxnorm: ours("renorm")(x, p, dim, maxnorm),
}
for _how in ("sum", "prod", "mean", "amax", "amin"):
    MORE[f"scatter_reduce.{_how}"] = lambda x, dim, index, source, reduce, include_self=True: ours("scatter_reduce")(
        x, index, source, axis=dim, reduce=reduce, include_self=include_self
    )
    if _how != "sum":
        MORE[f"index_reduce.{_how}"] = lambda x, dim, index, source, reduce, include_self=True: ours("scatter_reduce")(
            x, _in_all_lines(index, source, dim), source, axis=dim, reduce=reduce, include_self=include_self
        )
MORE |= {
    f"{name}_copy": ROWS[name]
    for name in ["diagonal", "expand", "permute", "squeeze", "t", "transpose", "unbind", "unfold", "unsqueeze", "view", "split_with_sizes"]
}
MORE |= {"unsafe_chunk": ROWS["chunk"], "unsafe_split": ROWS["split"]}
MORE |= {
    "linalg.inv_ex": lambda x, check_errors=False: ours("linalg.inv")(x),
    "linalg.cholesky_ex": lambda x, upper=False, check_errors=False: ours("linalg.cholesky")(x, upper=upper),
    "linalg.tensorsolve": lambda a, b, dims=None: ours("linalg.tensorsolve")(a, b, dims),
    "norm.nuc": lambda x, p, dim=None, keepdim=False: ours("linalg.norm")(x, p, _axis(dim), keepdim),
    "qr": lambda x, some=True: ours("linalg.qr")(x, mode="reduced" if some else "complete"),
    "resolve_neg": lambda x: x,
    "select_scatter": lambda x, source, dim, index: ours("index_set")(x, source, key=(slice(None),) * (dim % x.ndim) + (index,)),
    "slice_scatter": lambda x, source, dim=0, start=None, end=None, step=1: ours("index_set")(
        x, source, key=(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)
    ),
    "put": lambda x, index, source, accumulate=False: ours("index_add" if accumulate else "index_set")(
        x.reshape(-1), source.reshape(-1), key=index.data.reshape(-1)
    ).reshape(x.shape),
    "special.polygamma.special_polygamma_n_0": lambda x, n: ours("polygamma")(n, x),
}
for _n in "123":
    for _end in ("", ".grad"):
        MORE[f"nn.functional.max_unpool{_n}d{_end}"] = f"max_unpool{_n}d * kernel_size stride padding output_size"

DIFFERENT = {
    "constant_pad_nd": (lambda s: min(s.args[0]) < 0, "NumPy's pad does not cut off; slice"),
    "linalg.lu": (lambda s: s.kwargs.get("pivot") is False, "rows are always swapped"),
    "mode": (lambda s: s.input.ndim == 0, "a single number has no axis"),
    "nn.functional.multi_margin_loss": (lambda s: s.input.ndim == 0, "a single number is no score of classes"),
    "nn.functional.multilabel_margin_loss": (lambda s: s.input.ndim == 0, "a single number is no score of classes"),
    **{
        f"nn.functional.max_unpool{n}d": (lambda s, n=int(n): _repeats(s.args[0], n), "of several for one place PyTorch gives all a gradient")
        for n in "123"
    },
}
FIRST_ORDER = {"nn.functional.ctc_loss"}  # PyTorch has no second derivative, though its database says so
_MODES = ("bilinear", "nearest", "bicubic")
_RIMS = ("zeros", "border", "reflection")


def _repeats(places, axes):
    lines = places.flatten(-axes).sort(-1).values
    return bool((lines[..., 1:] == lines[..., :-1]).any())


def _axis(dim):
    return tuple(dim) if isinstance(dim, (list, tuple)) else dim


def _in_all_lines(index, source, dim):
    """The places of whole lines along an axis, as places of each element."""
    shape = [1] * source.ndim
    if shape:
        shape[dim] = -1
    return np.broadcast_to(index.data.reshape(shape), source.shape)


def _pairs(x, pad):
    pairs = [tuple(pad[i : i + 2]) for i in range(0, len(pad), 2)][::-1]
    return [(0, 0)] * (x.ndim - len(pairs)) + pairs


def _gradient(x, *unused, dim=None, spacing=1.0, edge_order=1):
    axes = _axis(dim)
    steps = tuple(spacing) if isinstance(spacing, (list, tuple)) else () if spacing is None else (spacing,)
    found = ours("gradient")(x, *steps, axis=axes, edge_order=edge_order)
    return found if isinstance(found, tuple) else (found,)


def _lower_middle(x, dim, keepdim):
    """PyTorch's median of an even number of elements is the lower of the two middle ones."""
    if x.ndim == 0:
        return x
    if dim is None:
        return ours("kthvalue")(x.reshape(-1), (x.size + 1) // 2)[0]
    return ours("kthvalue")(x, (x.shape[dim] + 1) // 2, axis=dim, keepdims=keepdim)
