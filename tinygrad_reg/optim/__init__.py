"""Optimisers: what to do with a gradient."""

from .adamw import AdamW
from .fista import FISTA
from .lbfgs import LBFGS, Outcome
from .optimizer import Optimizer
from .proximal import ProximalAdam, ProximalSGD
from .rules import SGD, Adagrad, Adam, RMSprop

__all__ = ["FISTA", "LBFGS", "SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "Outcome", "ProximalAdam", "ProximalSGD", "RMSprop"]
