"""Penalties: each a small class with a value, a proximal step, and a certificate of optimality.

Convention: λ·Σ|w| and λ·Σw², without ½; the gradients are λ·sign(w) (0 at 0) and 2λw. A penalty is added
once a step and divided by nothing.
"""

from .base import Penalty, checked_lambda
from .finding import Found, Term, find
from .grouped import GroupL2, MaxNorm
from .joined import Nuclear, TotalVariation
from .separable import L0, L1, L2, MCP, SCAD, Box, ElasticNet, NonNegative

__all__ = [
    "L0",
    "L1",
    "L2",
    "MCP",
    "SCAD",
    "Box",
    "ElasticNet",
    "Found",
    "GroupL2",
    "MaxNorm",
    "NonNegative",
    "Nuclear",
    "Penalty",
    "Term",
    "TotalVariation",
    "checked_lambda",
    "find",
]
