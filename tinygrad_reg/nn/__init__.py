"""Models: modules that hold parameters, layers, and ways to start their weights."""

from .initialisers import INITIALISERS, initialise
from .layers import Dropout, Flatten, Linear, ReLU, Sequential, Sigmoid, Tanh
from .module import Module, PenaltyTable

__all__ = ["INITIALISERS", "Dropout", "Flatten", "Linear", "Module", "PenaltyTable", "ReLU", "Sequential", "Sigmoid", "Tanh", "initialise"]
