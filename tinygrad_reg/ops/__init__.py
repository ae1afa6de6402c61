"""Every operation, each in one block, in the room where it belongs. Importing this fills the table ``OPS``."""

from . import choice, elementwise, indexing, linalg, neural, reduction, shape

__all__ = ["choice", "elementwise", "indexing", "linalg", "neural", "reduction", "shape"]
