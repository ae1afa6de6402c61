"""Optimisers: what to do with a gradient."""

from .fista import FISTA
from .optimizer import Optimizer
from .proximal import ProximalAdam, ProximalSGD
from .rules import SGD, Adam

__all__ = ["FISTA", "SGD", "Adam", "Optimizer", "ProximalAdam", "ProximalSGD"]
