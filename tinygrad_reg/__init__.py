from . import ops, nn, optim, losses, penalties, random
from .tensor import Tensor, asarray, tensor
from .op import *
from .op import OPS, ALIASES
from .mode import no_grad, enable_grad
from .losses import *
from .random import manual_seed
globals().update(ALIASES|OPS)
