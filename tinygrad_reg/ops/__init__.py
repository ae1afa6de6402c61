"""Every operation, each in one block, in the room where it belongs. Importing this fills the table ``OPS``."""

from . import choice, complexes, elementwise, indexing, linalg, neural, reduction, shape

__all__ = ["choice", "complexes", "elementwise", "indexing", "linalg", "neural", "reduction", "shape"]
