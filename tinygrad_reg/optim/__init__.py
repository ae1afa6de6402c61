"""Optimisers: what to do with a gradient."""

from .optimizer import Optimizer
from .rules import SGD, Adam

__all__ = ["SGD", "Adam", "Optimizer"]
