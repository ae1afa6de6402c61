"""Property tests for gradients: of your models, penalties and ops, and of any NumPy function with a gradient derived by hand.

``check_gradients``, ``check_op``, ``check_penalty`` and ``check_module`` need NumPy alone. ``tinygrad_reg.testing.strategies``, which
``gradients_match`` uses, needs hypothesis (extra ``testing``); with pytest there are the fixture ``gradients`` and ``--gradient-seed``.
"""

from __future__ import annotations

from .checking import check_gradients
from .matching import gradients_match
from .mismatch import GradientMismatch, Report
from .modules import check_module
from .ops import check_op
from .penalties import check_penalty

__all__ = ["GradientMismatch", "Report", "check_gradients", "check_module", "check_op", "check_penalty", "gradients_match"]
