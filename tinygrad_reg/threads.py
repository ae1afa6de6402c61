"""How many threads NumPy's matrix products may use. On small models one is fastest: several wait for each other longer than they work."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["num_threads", "one_thread_if_small", "set_num_threads"]

_SMALL = 20e6  # flops of one matrix product, below which a second thread costs more than it brings
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_chosen: list[int] = []  # what the user has set, if anything
_known: list[tuple[int, Any]] = []  # how many modules there were at the last look for libraries with threads, and what was found


def set_num_threads(n: int) -> None:
    """Let matrix products use up to ``n`` threads, in the whole process, from now on.

    Without it, compiled loops (``fit`` and ``run``) use one thread while their matrix products are small, and NumPy's own default otherwise.
    Needs threadpoolctl (extra ``[fast]``). Raises ``ValueError`` for n below 1, ``ImportError`` without the extra.

    >>> set_num_threads(1)
    >>> num_threads()
    1
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"set_num_threads: n is {n!r}; it must be a whole number, at least 1.")
    _controller("set_num_threads").limit(limits=n, user_api="blas")
    _chosen[:] = [n]


def num_threads() -> int:
    """How many threads matrix products may use now.

    >>> num_threads() >= 1
    True
    """
    return max([pool["num_threads"] for pool in _controller("num_threads").info() if pool["user_api"] == "blas"], default=1)


@contextmanager
def one_thread_if_small(flops: float) -> Iterator[None]:
    """Inside, one thread, if the largest matrix product has less than 20 million flops and nobody has chosen otherwise.

    >>> with one_thread_if_small(1000):
    ...     pass
    """
    if flops >= _SMALL or _chosen or any(name in os.environ for name in _VARIABLES):
        yield
        return
    try:
        controller = _controller("threads")
    except ImportError:
        yield
        return
    with controller.limit(limits=1, user_api="blas"):
        yield


def _controller(who: str) -> Any:
    try:
        from threadpoolctl import ThreadpoolController  # noqa: PLC0415 - an extra
    except ImportError:
        raise ImportError(f"{who} needs threadpoolctl, which is not installed: pip install 'tinygrad_reg[fast]'.") from None
    loaded = len(sys.modules)
    if not _known or _known[0][0] != loaded:  # to look takes milliseconds, and a library comes with an import
        _known[:] = [(loaded, ThreadpoolController())]
    return _known[0][1]
