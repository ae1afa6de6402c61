"""How Tensors meet other array libraries: the Python array API standard, DLPack, the buffer protocol.

A value crosses over without its history, so a Tensor that requires a gradient is refused: detach it first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["DEVICE", "VERSIONS", "Exchange", "checked_device"]

DEVICE = "cpu"
VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")  # each contains the one before
_FLAGGED = (1, 0)  # since this version of DLPack a value can be marked read-only
_NUMPY_IS_FLAGGED = np.lib.NumpyVersion(np.__version__) >= "2.1.0"


def checked_device(device: Any, who: str) -> None:
    """Nothing, for the one device that there is.

    >>> checked_device("cpu", "zeros")
    """
    if device not in (None, DEVICE):
        raise ValueError(f"{who}: there is no device {device!r}. Everything is on {DEVICE!r}: NumPy computes it.")


class Exchange:
    """What the standard asks of an array beyond arithmetic."""

    __slots__ = ()

    if TYPE_CHECKING:
        _needs_grad: bool
        data: np.ndarray
        describe: Callable[[], str]
        item: Callable[[], Any]

    def __array_namespace__(self, *, api_version: str | None = None) -> ModuleType:
        if api_version not in (None, *VERSIONS):
            raise ValueError(f"__array_namespace__: version {api_version!r} of the array API is not known here; known are {', '.join(VERSIONS)}.")
        return sys.modules[__package__]

    @property
    def device(self) -> str:
        """Where the value is: always "cpu"."""
        return DEVICE

    def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor:
        """The Tensor itself: there is one device, "cpu"."""
        checked_device(device, "to_device")
        if stream is not None:
            raise ValueError(f"to_device: {DEVICE!r} has no streams; leave stream= away.")
        return self  # type: ignore[return-value]

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)  # DLPack's number for main memory

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        value = self._given_away("__dlpack__")
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise BufferError(
                f"__dlpack__: there is no device {tuple(dl_device)}. Everything is in main memory: dl_device={self.__dlpack_device__()}."
            )
        flagged = _NUMPY_IS_FLAGGED and max_version is not None and max_version >= _FLAGGED
        if copy or not flagged:
            if copy is False:
                raise BufferError("__dlpack__: values never change, and before DLPack 1.0 nobody can be told so. Allow a copy: copy=None.")
            value = value.copy()
        settings: dict[str, Any] = {"max_version": max_version, "dl_device": dl_device} if flagged else {}
        return value.__dlpack__(stream=stream, **settings)

    def __buffer__(self, flags: int) -> memoryview:  # asked for since Python 3.12
        return memoryview(self._given_away("buffer"))  # type: ignore[arg-type]

    def _given_away(self, who: str) -> np.ndarray:
        if self._needs_grad:
            raise BufferError(f"{who}: {self.describe()} requires a gradient, which another library would lose. Use .detach() first.")
        return self.data

    def __complex__(self) -> complex:
        return complex(self.item())
