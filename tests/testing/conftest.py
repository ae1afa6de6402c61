"""These tests look at the whole table of ops, as those beside them in tests/ops do."""

import sys
from pathlib import Path

for folder in ("ops", "."):
    sys.path.append(str(Path(__file__).parent.parent / folder))
