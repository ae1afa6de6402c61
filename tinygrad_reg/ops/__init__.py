"""Every operation, each in one block, in the room where it belongs. Importing this fills the table ``OPS``."""

from . import elementwise, indexing, linalg, neural, reduction, shape

__all__ = ["elementwise", "indexing", "linalg", "neural", "reduction", "shape"]
