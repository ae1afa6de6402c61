"""Which λ is it? Strengths of penalties as other libraries count them, in ours, and back."""

from .linear import (
    from_skglm_group,
    from_skglm_logistic,
    from_sklearn_elastic_net,
    from_sklearn_logistic,
    from_sklearn_multitask,
    from_sklearn_ridge,
    to_skglm_group,
    to_skglm_logistic,
    to_sklearn_elastic_net,
    to_sklearn_logistic,
    to_sklearn_multitask,
    to_sklearn_ridge,
)
from .networks import from_keras, from_nnfs, from_sklearn_mlp, from_torch, to_keras, to_nnfs, to_sklearn_mlp, to_torch
from .objective import LOSSES, from_objective, to_objective

__all__ = ["LOSSES", "from_keras", "from_nnfs", "from_objective", "from_skglm_group", "from_skglm_logistic", "from_sklearn_elastic_net"]
__all__ += ["from_sklearn_logistic", "from_sklearn_mlp", "from_sklearn_multitask", "from_sklearn_ridge", "from_torch"]
__all__ += ["to_keras", "to_nnfs", "to_objective", "to_skglm_group", "to_skglm_logistic", "to_sklearn_elastic_net"]
__all__ += ["to_sklearn_logistic", "to_sklearn_mlp", "to_sklearn_multitask", "to_sklearn_ridge", "to_torch"]
