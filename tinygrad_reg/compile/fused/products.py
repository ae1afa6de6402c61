"""Large matrix products: by the BLAS that NumPy itself uses, called from the compiled code."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .code import Code, llvm_type
from .memory import Written
from .nodes import Node, Read

__all__ = ["Blas", "find_blas", "write_product"]


class Blas(NamedTuple):
    """Where the products of float32 and of float64 matrices are, and how they are called: ``c`` or ``fortran``; bits of a size."""

    style: str
    bits: int
    addresses: dict[str, int]


@cache
def find_blas() -> Blas | None:
    """The BLAS that NumPy is linked with; else SciPy's; None if neither can be found."""
    try:
        from numpy.linalg import _umath_linalg  # noqa: PLC0415 - linked with BLAS, whose functions are found through it

        library = ctypes.CDLL(_umath_linalg.__file__)
    except (ImportError, OSError):
        return _scipy()
    for name, bits in (("scipy_cblas_{}gemm64_", 64), ("cblas_{}gemm64_", 64), ("scipy_cblas_{}gemm", 32), ("cblas_{}gemm", 32)):
        try:
            found = [ctypes.cast(getattr(library, name.format(letter)), ctypes.c_void_p).value for letter in "sd"]
        except AttributeError:
            continue
        return Blas("c", bits, {"f4": found[0] or 0, "f8": found[1] or 0})
    return _scipy()


def _scipy() -> Blas | None:
    try:
        from scipy.linalg import cython_blas  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        return None
    pointer, name = ctypes.pythonapi.PyCapsule_GetPointer, ctypes.pythonapi.PyCapsule_GetName
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    capsules = {kind: cython_blas.__pyx_capi__[f"{letter}gemm"] for kind, letter in (("f4", "s"), ("f8", "d"))}
    return Blas("fortran", 32, {kind: pointer(capsule, name(capsule)) for kind, capsule in capsules.items()})


def symbol(dtype: Any) -> str:
    """What the product of matrices of a dtype is called in the compiled code."""
    return f"tinygrad_reg_product_{np.dtype(dtype).str[1:]}"


def write_product(code: Code, written: Written, node: Node, blas: Blas) -> None:
    """The call that computes a PRODUCT node: out = a @ b, all row-major, a or b perhaps transposed."""
    rows, inner, columns = node.dims
    dtype = node.out.dtype
    size = f"i{blas.bits}"
    sides = [_side(code, written, node.reads[0], (0, 1)), _side(code, written, node.reads[1], (1, 2))]
    out, one = written.pointer(node.out), llvm_type(dtype)
    (a, flip_a, lead_a), (b, flip_b, lead_b) = sides
    name = symbol(dtype)
    if blas.style == "c":
        flags = [f"i32 {112 if flip else 111}" for flip in (flip_a, flip_b)]
        sizes = [f"{size} {n}" for n in (rows, columns, inner)]
        given = ["i32 101", *flags, *sizes, f"{one} 1.0", f"ptr {a}", f"{size} {lead_a}", f"ptr {b}", f"{size} {lead_b}", f"{one} 0.0", f"ptr {out}"]
        given.append(f"{size} {columns}")
    else:  # column-major: the same memory holds the transposed matrices, so it is outᵀ = bᵀ @ aᵀ
        flags = [_cell(code, "i8", str(ord("T" if flip else "N"))) for flip in (flip_b, flip_a)]
        sizes = [_cell(code, size, str(n)) for n in (columns, rows, inner)]
        leads = [_cell(code, size, str(n)) for n in (lead_b, lead_a, columns)]
        alpha, beta = _cell(code, one, "1.0"), _cell(code, one, "0.0")
        given = [f"ptr {x}" for x in (*flags, *sizes, alpha, b, leads[0], a, leads[1], beta, out, leads[2])]
    code.declared[name] = f"declare void @{name}({', '.join(x.split()[0] for x in given)})"
    code.line(0, f"call void @{name}({', '.join(given)})")


def _side(code: Code, written: Written, read: Read, dims: tuple[int, int]) -> tuple[str, bool, int]:
    """A matrix: its address, whether it lies transposed, and how far its rows are apart."""
    first, second = (read.strides[d] for d in dims)
    address = written.pointer(read.source)
    if read.offset:
        address = code.put(0, f"getelementptr {llvm_type(np.dtype(read.source.dtype))}, ptr {address}, i64 {read.offset}")
    return (address, False, first) if second == 1 else (address, True, second)


def _cell(code: Code, kind: str, text: str) -> str:
    """A number in memory, as Fortran takes it."""
    cell = code.at_entry(f"alloca {kind}", "a")
    code.entry.append(f"  store {kind} {text}, ptr {cell}")
    return cell
