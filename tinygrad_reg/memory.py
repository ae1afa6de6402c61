"""Memory that was freed is kept for the next array.

A step on large arrays makes and frees many of several megabytes. The C library of Linux (glibc) hands such memory back to the system at
once, and the system has to fill it with zeros before it can be used again: on large arrays that takes longer than the arithmetic.
glibc keeps what is smaller than the largest block that it has seen freed (up to 32 MB; M_MMAP_THRESHOLD in mallopt(3)), and twice as much
at the end of its memory. So one block of that size, freed at the start, is enough; it is never written to, so it costs nothing. Other
systems are not affected by it. Whoever wants memory handed back at once sets the environment variable MALLOC_TRIM_THRESHOLD_, to 131072 for
glibc's usual limit: then glibc does not adapt.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

__all__ = ["keep_freed_memory"]

_LARGEST = (32 << 20) - (64 << 10)  # glibc adapts to blocks of up to 32 MB, with what it adds to them


def keep_freed_memory() -> None:
    """Let the C library keep up to 64 MB of freed memory for later arrays instead of handing them back to the system.

    >>> keep_freed_memory()
    """
    with suppress(MemoryError):
        np.empty(_LARGEST, np.uint8)
