"""The package as a namespace of the Python array API standard, 2024.12: kinds of numbers, constants, what it says of itself.

The functions of the standard are the ops, under the standard's names. Three things are as they are on purpose: ``x[key] = v``
gives x a new value, which no other Tensor sees, a Tensor that requires a gradient does not leave by DLPack, and before DLPack 1.0, which
alone can say that a value must not be written to, only copies leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import e, inf, nan, pi
from typing import Any

import numpy as np

from .exchange import DEVICE, checked_device

__all__ = ["can_cast", "e", "finfo", "iinfo", "inf", "isdtype", "nan", "newaxis", "pi"]
__all__ += ["bool", "complex64", "complex128", "float32", "float64", "int8", "int16", "int32", "int64", "result_type"]
__all__ += ["uint8", "uint16", "uint32", "uint64"]

__array_api_version__ = "2024.12"

newaxis = None
int8, int16, int32, int64 = map(np.dtype, ("int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = map(np.dtype, ("uint8", "uint16", "uint32", "uint64"))
float32, float64, complex64, complex128 = map(np.dtype, ("float32", "float64", "complex64", "complex128"))
bool = np.dtype("bool")

_KINDS = {
    "bool": (bool,),
    "signed integer": (int8, int16, int32, int64),
    "unsigned integer": (uint8, uint16, uint32, uint64),
    "real floating": (float32, float64),
    "complex floating": (complex64, complex128),
}
_UNIONS = {
    "integral": ("signed integer", "unsigned integer"),
    "numeric": ("signed integer", "unsigned integer", "real floating", "complex floating"),
    None: tuple(_KINDS),
}
_NAMED = (*_KINDS, "integral", "numeric")

# ------------------------------------------------------------------------------------ kinds of numbers


@dataclass(frozen=True)
class FloatInfo:
    """Limits of a kind of floating-point number, as Python numbers."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: np.dtype


@dataclass(frozen=True)
class IntInfo:
    """Limits of a kind of whole number, as Python numbers."""

    bits: int
    max: int
    min: int
    dtype: np.dtype


def finfo(type: Any, /) -> FloatInfo:
    """Limits of a floating-point dtype, or of that of an array; for a complex one, of its parts.

    >>> finfo(float32).bits, finfo(Tensor([1.0])).eps
    (32, 2.220446049250313e-16)
    """
    dtype = _dtype(type, "finfo")
    if dtype.kind not in "fc":
        raise ValueError(f"finfo: {dtype.name} holds no floating-point numbers; for whole numbers there is iinfo.")
    found = np.finfo(dtype)
    eps, most, least, normal = (float(x) for x in (found.eps, found.max, found.min, found.smallest_normal))
    return FloatInfo(found.bits, eps, most, least, normal, np.dtype(found.dtype))


def iinfo(type: Any, /) -> IntInfo:
    """Limits of a dtype of whole numbers, or of that of an array.

    >>> iinfo(int8).max
    127
    """
    dtype = _dtype(type, "iinfo")
    if dtype.kind not in "iu":
        raise ValueError(f"iinfo: {dtype.name} holds no whole numbers; for floating-point ones there is finfo.")
    found = np.iinfo(dtype)
    return IntInfo(found.bits, int(found.max), int(found.min), dtype)


def result_type(*arrays_and_dtypes: Any) -> np.dtype:
    """The dtype that these arrays, dtypes and Python numbers have together; Python numbers are weak.

    >>> result_type(Tensor([1.0], dtype="float32"), 2.0).name
    'float32'
    """
    if not arrays_and_dtypes:
        raise ValueError("result_type: give at least one array, dtype or number.")
    return np.result_type(*(_kind(x) for x in arrays_and_dtypes))


def can_cast(from_: Any, to: Any, /) -> Any:
    """Whether a dtype, or that of an array, turns into another without losing anything.

    >>> can_cast(int32, float64), can_cast(Tensor([1.5]), int64)
    (True, False)
    """
    return np.can_cast(_dtype(from_, "can_cast"), _dtype(to, "can_cast"))


def isdtype(dtype: Any, kind: Any) -> Any:
    """Whether a dtype is of a kind: a dtype, a name such as "real floating", or a tuple of both.

    >>> isdtype(float32, "real floating"), isdtype(int8, ("bool", "signed integer"))
    (True, True)
    """
    dtype = _dtype(dtype, "isdtype")
    for one in kind if isinstance(kind, tuple) else (kind,):
        if not _is_kind(one):
            wrong = ValueError if isinstance(one, str) else TypeError
            raise wrong(f"isdtype: there is no kind {one!r}; kinds are {', '.join(map(repr, _NAMED))}, dtypes, and tuples of these.")
    return np.isdtype(dtype, kind)


def _is_kind(x: Any) -> Any:
    return x in _NAMED if isinstance(x, str) else isinstance(x, np.dtype) or (isinstance(x, type) and issubclass(x, np.generic))


def _dtype(x: Any, who: str) -> np.dtype:
    try:
        return np.dtype(getattr(x, "dtype", x))
    except TypeError:
        raise TypeError(f"{who}: {x!r} is no dtype, and no array.") from None


def _kind(x: Any) -> Any:
    """x for NumPy's promotion: Python numbers as they are, everything else by its dtype."""
    return x if type(x) in (int, float, complex) else True if x is True or x is False else _dtype(x, "result_type")


# ------------------------------------------------------------------------------- what it says of itself


class Info:
    """Answers of ``__array_namespace_info__()``: devices, dtypes and what can be done with them."""

    def capabilities(self) -> dict[str, Any]:
        """What is optional in the standard and can be done here."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Where new Tensors are."""
        return DEVICE

    def devices(self) -> list[str]:
        """All devices."""
        return [DEVICE]

    def default_dtypes(self, *, device: Any = None) -> dict[str, np.dtype]:
        """The dtypes of Tensors that are made without saying which."""
        checked_device(device, "default_dtypes")
        whole = np.dtype(np.intp)
        return {"real floating": float64, "complex floating": complex128, "integral": whole, "indexing": whole}

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, np.dtype]:
        """The dtypes of one or several kinds, or all, by name."""
        checked_device(device, "dtypes")
        kinds = kind if isinstance(kind, tuple) else (kind,)
        return {d.name: d for k in kinds for name in _UNIONS.get(k, (k,)) for d in _of(name)}


def _of(kind: Any) -> tuple[np.dtype, ...]:
    if kind not in _KINDS:
        raise ValueError(f"dtypes: there is no kind {kind!r}; kinds are {', '.join(map(repr, _NAMED))}, or None.")
    return _KINDS[kind]


def __array_namespace_info__() -> Info:  # noqa: N807 - the standard's name
    """What the package can do, as the standard asks for it.

    >>> __array_namespace_info__().devices()
    ['cpu']
    """
    return Info()
