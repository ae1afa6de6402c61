"""Models: modules that hold parameters, layers, and ways to start their weights."""

from .convolution import AvgPool2d, Conv1d, Conv2d, MaxPool2d
from .embedding import Embedding
from .initialisers import INITIALISERS, initialise
from .layers import Dropout, Flatten, Linear, Penalised, ReLU, Sequential, Sigmoid, Tanh
from .module import Module, PenaltyTable
from .noise import GaussianNoise, WeightNoise
from .normalisation import BatchNorm1d, BatchNorm2d, LayerNorm
from .select import Select

__all__ = ["INITIALISERS", "AvgPool2d", "BatchNorm1d", "BatchNorm2d", "Conv1d", "Conv2d", "Dropout", "Embedding", "Flatten", "GaussianNoise"]
__all__ += ["LayerNorm", "Linear", "MaxPool2d", "Module", "Penalised", "PenaltyTable", "ReLU", "Select", "Sequential", "Sigmoid"]
__all__ += ["Tanh", "WeightNoise", "initialise"]
