"""From an ordinary function to a fast one: capture, program, passes, replay.

``compiled`` is what users call; ``tape`` captures a ``program``; ``passes`` make it better; ``numpy_replay`` and ``fused`` run it.
"""

from .compiled import Compiled, compile
from .program import Program
from .tape import CaptureError

__all__ = ["CaptureError", "Compiled", "Program", "compile"]
