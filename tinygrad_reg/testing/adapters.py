"""Functions of other libraries, to be checked as those with a gradient by hand: ``check_gradients(f, x, vjp=f.vjp)``."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

__all__ = ["Foreign", "from_autograd", "from_torch"]


class Foreign:
    """A function of arrays with ``vjp(g, *arrays)``, its gradient by the library that it was written for."""

    def __init__(self, name: str, value: Callable[..., np.ndarray], vjp: Callable[..., Any]) -> None:
        self.name = name
        self.value = value
        self.vjp = vjp

    def __call__(self, *arrays: Any) -> np.ndarray:
        return self.value(*arrays)

    def __repr__(self) -> str:
        return f"<{self.name} of another library>"


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise ImportError(f"checking a function of {package} needs {package}, which is not installed: pip install {package}.") from error


def from_torch(f: Callable[..., Any]) -> Foreign:
    """A function of PyTorch tensors that returns one, for ``check_gradients(f, x, vjp=f.vjp)``. Raises ``ImportError`` without PyTorch.

    An input that has no part in the result has gradient 0.
    """
    torch = _library("torch")

    def tensors(arrays: Any, wanted: bool) -> list[Any]:
        made = [torch.tensor(np.array(a)) for a in arrays]
        return [t.requires_grad_(wanted) if t.is_floating_point() or t.is_complex() else t for t in made]

    def value(*arrays: Any) -> np.ndarray:
        with torch.no_grad():
            return f(*tensors(arrays, wanted=False)).detach().resolve_conj().numpy()

    def vjp(g: Any, *arrays: Any) -> list[np.ndarray]:
        inputs = tensors(arrays, wanted=True)
        out = f(*inputs)
        wanted = [t for t in inputs if t.requires_grad]
        if not out.requires_grad:
            return [np.zeros_like(t.detach().numpy()) for t in wanted]
        found = torch.autograd.grad(out, wanted, torch.tensor(np.array(g), dtype=out.dtype), allow_unused=True)
        return [np.zeros_like(t.detach().numpy()) if x is None else x.resolve_conj().numpy().copy() for t, x in zip(wanted, found, strict=True)]

    return Foreign(getattr(f, "__name__", type(f).__name__), value, vjp)


def from_autograd(f: Callable[..., Any]) -> Foreign:
    """A function written with ``autograd.numpy``, for ``check_gradients(f, x, vjp=f.vjp)``. Raises ``ImportError`` without autograd."""
    make_vjp = _library("autograd.core").make_vjp
    packed = _library("autograd.builtins").tuple

    def vjp(g: Any, *arrays: Any) -> list[np.ndarray]:
        pull, _ = make_vjp(lambda inputs: f(*inputs), packed([np.array(a) for a in arrays]))
        return [np.array(x) for x in pull(np.asarray(g)[()])]

    return Foreign(getattr(f, "__name__", type(f).__name__), lambda *arrays: np.asarray(f(*arrays)), vjp)
