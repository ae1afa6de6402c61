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

from . import data, fft, linalg, losses, nn, ops, optim, penalties, random, schedules
from .array_api import *
from .array_api import __array_api_version__, __array_namespace_info__
from .averaging import WeightAverage
from .compact import Compacted, compact
from .compile import CaptureError, Compiled, compile
from .creation import (
    arange,
    empty,
    empty_like,
    eye,
    from_dlpack,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    tri,
    tril_indices,
    triu_indices,
    zeros,
    zeros_like,
)
from .derivatives import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .divergence import check_finite
from .domain import BOOLEAN, NONNEGATIVE, POSITIVE, REAL, case, integers, interval
from .draw import Graph, graph
from .generators import manual_seed
from .history import History
from .losses import accuracy, binary_cross_entropy, binary_cross_entropy_with_logits, huber, mean_squared_error, mse
from .memory import keep_freed_memory
from .mode import enable_grad, no_grad
from .op import ALIASES, EXPRESSIONS, OPS, expression, op
from .optimality import optimality
from .path import regularization_path
from .reasons import why
from .schedules import Schedule
from .sparsity import SparsityReport, sparsity_report
from .tensor import Tensor, asarray, tensor
from .threads import num_threads, set_num_threads
from .training import EarlyStopping, fit

if TYPE_CHECKING:
    from .ops.activation import *
    from .ops.arranging import *
    from .ops.attention import *
    from .ops.bessel import *
    from .ops.bits import *
    from .ops.chance import *
    from .ops.choice import *
    from .ops.choosing import *
    from .ops.complexes import *
    from .ops.convolution import *
    from .ops.counting import *
    from .ops.decompositions import *
    from .ops.determinants import *
    from .ops.diagonals import *
    from .ops.differences import *
    from .ops.distance import *
    from .ops.eigen import *
    from .ops.einsum import *
    from .ops.elementwise import *
    from .ops.exponential import *
    from .ops.fourier import *
    from .ops.images import *
    from .ops.indexing import *
    from .ops.joining import *
    from .ops.least_squares import *
    from .ops.linalg import *
    from .ops.matrices import *
    from .ops.neural import *
    from .ops.normalisation import *
    from .ops.norms import *
    from .ops.padding import *
    from .ops.patches import *
    from .ops.placing import *
    from .ops.polynomials import *
    from .ops.pooling import *
    from .ops.powers import *
    from .ops.products import *
    from .ops.quantiles import *
    from .ops.reduction import *
    from .ops.rounding import *
    from .ops.sampling import *
    from .ops.scan import *
    from .ops.scattering import *
    from .ops.shape import *
    from .ops.signals import *
    from .ops.solving import *
    from .ops.sorting import *
    from .ops.special import *
    from .ops.spectra import *
    from .ops.statistics import *
    from .ops.triangles import *
    from .ops.trigonometry import *
    from .ops.unpooling import *
    from .ops.updating import *
    from .ops.windows import *

__version__ = "0.1.0"

keep_freed_memory()

# Every op and expression of the tables is a function of this module, under its own name and its other names.
globals().update(ALIASES | EXPRESSIONS | OPS)
