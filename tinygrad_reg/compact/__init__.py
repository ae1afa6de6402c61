"""From sparse to small: a model without the inputs and units that do nothing."""

from .result import Compacted, LayerChange
from .smaller import compact

__all__ = ["Compacted", "LayerChange", "compact"]
