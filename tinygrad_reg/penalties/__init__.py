"""Penalties: each a small class with a value, a proximal step, and a certificate of optimality.

Convention: λ·Σ|w| and λ·Σw², without ½; the gradients are λ·sign(w) (0 at 0) and 2λw. A penalty is added
once a step and divided by nothing.
"""

from .base import Penalty, checked_lambda
from .conversions import (
    from_keras,
    from_nnfs,
    from_objective,
    from_skglm_group,
    from_skglm_logistic,
    from_sklearn_elastic_net,
    from_sklearn_logistic,
    from_sklearn_mlp,
    from_sklearn_multitask,
    from_sklearn_ridge,
    from_torch,
    to_keras,
    to_nnfs,
    to_objective,
    to_skglm_group,
    to_skglm_logistic,
    to_sklearn_elastic_net,
    to_sklearn_logistic,
    to_sklearn_mlp,
    to_sklearn_multitask,
    to_sklearn_ridge,
    to_torch,
)
from .derivative import gradient_penalty, jacobian_penalty
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
    "from_keras",
    "from_nnfs",
    "from_objective",
    "from_skglm_group",
    "from_skglm_logistic",
    "from_sklearn_elastic_net",
    "from_sklearn_logistic",
    "from_sklearn_mlp",
    "from_sklearn_multitask",
    "from_sklearn_ridge",
    "from_torch",
    "gradient_penalty",
    "jacobian_penalty",
    "to_keras",
    "to_nnfs",
    "to_objective",
    "to_skglm_group",
    "to_skglm_logistic",
    "to_sklearn_elastic_net",
    "to_sklearn_logistic",
    "to_sklearn_mlp",
    "to_sklearn_multitask",
    "to_sklearn_ridge",
    "to_torch",
]
