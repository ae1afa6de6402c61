"""tinygrad_reg: a small autograd framework on NumPy in which regularisation is at home.

>>> import tinygrad_reg as tg
>>> w = tg.Tensor([1.0, -2.0], requires_grad=True)
>>> loss = 0.1 * (w * w).sum() + 0.5 * abs(w).sum()
>>> loss.backward()
>>> w.grad
Tensor([ 0.7, -0.9])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import data, losses, nn, ops, optim, penalties, random
from .creation import arange, eye, full, full_like, linspace, ones, ones_like, zeros, zeros_like
from .derivatives import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .domain import BOOLEAN, NONNEGATIVE, POSITIVE, REAL, case, integers, interval
from .history import History
from .losses import accuracy, binary_cross_entropy, binary_cross_entropy_with_logits, huber, mean_squared_error, mse
from .mode import enable_grad, no_grad
from .op import ALIASES, EXPRESSIONS, OPS, expression, op
from .random import manual_seed
from .tensor import Tensor, asarray, tensor
from .training import EarlyStopping, fit

if TYPE_CHECKING:
    from .ops.choice import *
    from .ops.complexes import *
    from .ops.elementwise import *
    from .ops.indexing import *
    from .ops.linalg import *
    from .ops.neural import *
    from .ops.reduction import *
    from .ops.shape import *

__version__ = "0.1.0"

# Every op and expression of the tables is a function of this module, under its own name and its other names.
globals().update(ALIASES | EXPRESSIONS | OPS)
