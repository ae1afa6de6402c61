"""The functions of the Python array API standard, 2024.12, as it states their signatures; a * before a name marks arrays."""

import inspect

CREATION = """
arange(start, /, stop=None, step=1, *, dtype=None, device=None)
asarray(obj, /, *, dtype=None, device=None, copy=None)
empty(shape, *, dtype=None, device=None)
empty_like(x, /, *, dtype=None, device=None)
eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None)
from_dlpack(x, /, *, device=None, copy=None)
full(shape, fill_value, *, dtype=None, device=None)
full_like(x, /, fill_value, *, dtype=None, device=None)
linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True)
meshgrid(*arrays, indexing='xy')
ones(shape, *, dtype=None, device=None)
ones_like(x, /, *, dtype=None, device=None)
tril(x, /, *, k=0)
triu(x, /, *, k=0)
zeros(shape, *, dtype=None, device=None)
zeros_like(x, /, *, dtype=None, device=None)
"""
KINDS = """
astype(x, dtype, /, *, copy=True, device=None)
can_cast(from_, to, /)
finfo(type, /)
iinfo(type, /)
isdtype(dtype, kind)
result_type(*arrays_and_dtypes)
__array_namespace_info__()
"""
# Elementwise functions of one and two arrays, by the kinds of numbers that they take.
UNARY = {
    "abs": "ifc",
    "acos": "fc",
    "acosh": "fc",
    "asin": "fc",
    "asinh": "fc",
    "atan": "fc",
    "atanh": "fc",
    "bitwise_invert": "bi",
    "ceil": "if",
    "conj": "ifc",
    "cos": "fc",
    "cosh": "fc",
    "exp": "fc",
    "expm1": "fc",
    "floor": "if",
    "imag": "c",
    "isfinite": "ifc",
    "isinf": "ifc",
    "isnan": "ifc",
    "log": "fc",
    "log1p": "fc",
    "log2": "fc",
    "log10": "fc",
    "logical_not": "b",
    "negative": "ifc",
    "positive": "ifc",
    "real": "fc",
    "reciprocal": "fc",
    "round": "ifc",
    "sign": "ifc",
    "signbit": "f",
    "sin": "fc",
    "sinh": "fc",
    "sqrt": "fc",
    "square": "ifc",
    "tan": "fc",
    "tanh": "fc",
    "trunc": "if",
}
BINARY = {
    "add": "ifc",
    "atan2": "f",
    "bitwise_and": "bi",
    "bitwise_left_shift": "i",
    "bitwise_or": "bi",
    "bitwise_right_shift": "i",
    "bitwise_xor": "bi",
    "copysign": "f",
    "divide": "fc",
    "equal": "bifc",
    "floor_divide": "if",
    "greater": "if",
    "greater_equal": "if",
    "hypot": "f",
    "less": "if",
    "less_equal": "if",
    "logaddexp": "f",
    "logical_and": "b",
    "logical_or": "b",
    "logical_xor": "b",
    "maximum": "if",
    "minimum": "if",
    "multiply": "ifc",
    "nextafter": "f",
    "not_equal": "bifc",
    "pow": "ifc",
    "remainder": "if",
    "subtract": "ifc",
}
ELEMENTWISE = "\n".join([*(f"{n}(x, /)" for n in UNARY), *(f"{n}(x1, x2, /)" for n in BINARY), "clip(x, /, min=None, max=None)"])
SHAPES = """
broadcast_arrays(*arrays)
broadcast_to(x, /, shape)
concat(arrays, /, *, axis=0)
expand_dims(x, /, *, axis=0)
flip(x, /, *, axis=None)
moveaxis(x, source, destination, /)
permute_dims(x, /, axes)
repeat(x, repeats, /, *, axis=None)
reshape(x, /, shape, *, copy=None)
roll(x, /, shift, *, axis=None)
squeeze(x, /, axis)
stack(arrays, /, *, axis=0)
tile(x, repetitions, /)
unstack(x, /, *, axis=0)
"""
SEARCHING = """
take(x, indices, /, *, axis=None)
take_along_axis(x, indices, /, *, axis=-1)
argmax(x, /, *, axis=None, keepdims=False)
argmin(x, /, *, axis=None, keepdims=False)
count_nonzero(x, /, *, axis=None, keepdims=False)
nonzero(x, /)
searchsorted(x1, x2, /, *, side='left', sorter=None)
where(condition, x1, x2, /)
unique_all(x, /)
unique_counts(x, /)
unique_inverse(x, /)
unique_values(x, /)
argsort(x, /, *, axis=-1, descending=False, stable=True)
sort(x, /, *, axis=-1, descending=False, stable=True)
"""
FOLDING = """
cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False)
cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False)
max(x, /, *, axis=None, keepdims=False)
mean(x, /, *, axis=None, keepdims=False)
min(x, /, *, axis=None, keepdims=False)
prod(x, /, *, axis=None, dtype=None, keepdims=False)
std(x, /, *, axis=None, correction=0.0, keepdims=False)
sum(x, /, *, axis=None, dtype=None, keepdims=False)
var(x, /, *, axis=None, correction=0.0, keepdims=False)
all(x, /, *, axis=None, keepdims=False)
any(x, /, *, axis=None, keepdims=False)
diff(x, /, *, axis=-1, n=1, prepend=None, append=None)
"""
PRODUCTS = """
matmul(x1, x2, /)
matrix_transpose(x, /)
tensordot(x1, x2, /, *, axes=2)
vecdot(x1, x2, /, *, axis=-1)
"""
LINALG = """
cholesky(x, /, *, upper=False)
cross(x1, x2, /, *, axis=-1)
det(x, /)
diagonal(x, /, *, offset=0)
eigh(x, /)
eigvalsh(x, /)
inv(x, /)
matrix_norm(x, /, *, keepdims=False, ord='fro')
matrix_power(x, n, /)
matrix_rank(x, /, *, rtol=None)
outer(x1, x2, /)
pinv(x, /, *, rtol=None)
qr(x, /, *, mode='reduced')
slogdet(x, /)
solve(x1, x2, /)
svd(x, /, *, full_matrices=True)
svdvals(x, /)
trace(x, /, *, offset=0, dtype=None)
vector_norm(x, /, *, axis=None, keepdims=False, ord=2)
"""
_TRANSFORM = "(x, /, *, n=None, axis=-1, norm='backward')"
_TRANSFORMS = "(x, /, *, s=None, axes=None, norm='backward')"
FFT = "\n".join(
    [
        *(name + _TRANSFORM for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")),
        *(name + _TRANSFORMS for name in ("fftn", "ifftn", "rfftn", "irfftn")),
        *(name + "(n, /, *, d=1.0, dtype=None, device=None)" for name in ("fftfreq", "rfftfreq")),
        *(name + "(x, /, *, axes=None)" for name in ("fftshift", "ifftshift")),
    ]
)
ATTRIBUTES = ["dtype", "device", "mT", "ndim", "shape", "size", "T"]
OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift"]
METHODS = [
    *("abs", "array_namespace", "bool", "complex", "dlpack", "dlpack_device", "eq", "float", "ge", "getitem", "gt", "index", "int", "invert"),
    *("le", "lt", "ne", "neg", "pos", "setitem", *OPERATORS, *("r" + name for name in OPERATORS)),
]


def _stub(line):
    scope = {}
    exec(f"def {line}: pass", scope)
    name = line.partition("(")[0]
    return name, inspect.signature(scope[name])


def _stubs(text, prefix=""):
    return {prefix + name: signature for name, signature in map(_stub, filter(None, text.splitlines()))}


SIGNATURES = {
    **{k: v for text in (CREATION, KINDS, ELEMENTWISE, SHAPES, SEARCHING, FOLDING, PRODUCTS) for k, v in _stubs(text).items()},
    **_stubs(LINALG + PRODUCTS, "linalg."),
    **_stubs(FFT, "fft."),
}
