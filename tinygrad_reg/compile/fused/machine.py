"""Machine code from text, by LLVM (the library llvmlite, which Numba is built on), kept on disk for the next process.

The name of a file in the cache is a hash of the text, the processor and the versions, so a file is never wrong; those not used for longest
are deleted when there are many.
The cache is the folder named by TINYGRAD_REG_CACHE, or ``~/.cache/tinygrad_reg``; without a writable one, all is compiled anew.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from .library import FUNCTIONS, in_library
from .products import find_blas, symbol

__all__ = ["Machine", "machine_code"]

MOST_FILES = 1000  # some 10 kB each
_LOCK = threading.Lock()


class Machine:
    """This computer, as LLVM sees it."""

    def __init__(self) -> None:
        import llvmlite  # noqa: PLC0415 - an extra
        import llvmlite.binding as llvm  # noqa: PLC0415

        if llvm.llvm_version_info < (20,):
            raise ImportError(f"machine code needs LLVM 20, which comes with llvmlite 0.45 and Numba 0.62; this is llvmlite {llvmlite.__version__}")
        self.llvm = llvm
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.processor, self.features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features()
        self.version = f"{llvmlite.__version__} {'.'.join(map(str, llvm.llvm_version_info))}"
        self.triple = llvm.get_process_triple() + ("-elf" if sys.platform == "win32" else "")
        for name in FUNCTIONS:
            for function in (name, f"{name}f"):
                address = in_library(function)
                if address:
                    llvm.add_symbol(function, address)
        blas = find_blas()
        for dtype, address in blas.addresses.items() if blas else ():
            llvm.add_symbol(symbol(dtype), address)

    @property
    def width_bytes(self) -> int:
        """How many bytes the largest registers have."""
        wide = [size for name, size in (("avx512f", 64), ("avx", 32)) if self.features.get(name)]
        return wide[0] if wide else 16

    def target(self) -> Any:
        """What code is made for."""
        options = {"cpu": self.processor, "features": self.features.flatten(), "opt": 2, "jit": True}
        return self.llvm.Target.from_triple(self.triple).create_target_machine(**options)

    def compiled(self, text: str) -> bytes:
        """The text as machine code, in an object file."""
        llvm = self.llvm
        module = llvm.parse_assembly(text)
        target = self.target()
        module.triple, module.data_layout = self.triple, str(target.target_data)
        options = llvm.create_pipeline_tuning_options(speed_level=2)
        options.loop_vectorization = options.slp_vectorization = False  # the text has wide words already
        builder = llvm.create_pass_builder(target, options)
        builder.getModulePassManager().run(module, builder)
        return target.emit_object(module)

    def loaded(self, code: bytes) -> Any:
        """Machine code in memory, ready to run; keep the answer as long as it may run."""
        engine = self.llvm.create_mcjit_compiler(self.llvm.parse_assembly(""), self.target())
        engine.add_object_file(self.llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        return engine


@cache
def machine() -> Machine:
    """This computer."""
    return Machine()


class Code:
    """Functions in memory."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def function(self, name: str, inputs: int, hold: bool = False) -> Callable[..., int]:
        """A function of so many whole numbers or addresses; with ``hold`` other Python threads wait meanwhile, which saves time."""
        kind = (ctypes.PYFUNCTYPE if hold else ctypes.CFUNCTYPE)(ctypes.c_int64, *[ctypes.c_void_p] * inputs)
        return kind(self._engine.get_function_address(name))

    def address(self, name: str) -> int:
        """Where a function is."""
        return int(self._engine.get_function_address(name))


def machine_code(text: str, keep: bool = True) -> tuple[Code, bool]:
    """The functions of a text, and whether they came from the disk; ``keep`` says whether to look there, and to put them there."""
    with _LOCK:
        here = machine()
        folder = _folder() if keep else None
        file = folder / f"{_name(text, here)}.o" if folder else None
        found = _read(file)
        code = found or here.compiled(text)
        if file is not None and not found:
            _write(file, code)
        return Code(here.loaded(code)), bool(found)


def _name(text: str, here: Machine) -> str:
    parts = (text, here.processor, here.features.flatten(), here.triple, here.version)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def _folder() -> Path | None:
    """The cache's folder, made if it is not there; None if it cannot be."""
    given = os.environ.get("TINYGRAD_REG_CACHE")
    folder = Path(given) if given else Path.home() / ".cache" / "tinygrad_reg"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _read(file: Path | None) -> bytes | None:
    try:
        code = file.read_bytes() if file else b""
        if file:
            os.utime(file)  # the time of its last use
    except OSError:
        return None
    checksum, code = code[:32], code[32:]
    return code if code and hashlib.sha256(code).digest() == checksum else None


def _write(file: Path, code: bytes) -> None:
    """Put a file there at once or not at all, whoever else is writing it."""
    try:
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as made:
            made.write(hashlib.sha256(code).digest() + code)
        Path(made.name).replace(file)
        _forget_oldest(file.parent)
    except OSError:
        return


def _forget_oldest(folder: Path) -> None:
    files = list(folder.glob("*.o"))
    if len(files) > MOST_FILES:
        for file in sorted(files, key=lambda file: file.stat().st_mtime)[: MOST_FILES // 4]:
            file.unlink(missing_ok=True)
