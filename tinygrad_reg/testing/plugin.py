"""The pytest plugin, which comes with the package: a fixture ``gradients``, a marker of that name, ``--gradient-seed``, ``--gradient-profile``.

    def test_my_loss(gradients):
        gradients(my_loss, np.array([1.0, -2.0]))

    @pytest.mark.gradients(order=2, rtol=1e-5)
    def test_my_op(gradients):
        gradients.op(my_op)
        gradients(my_loss, gradients.rng.normal(size=3))

The marker's settings are the defaults of every check in the test. All random numbers follow from the seed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

__all__ = ["Gradients"]

MARKER = "gradients(order=1, rtol=None, atol=None, dtype='float64', max_entries=1000): settings for the checks of the fixture gradients"


class Gradients:
    """The checks of ``tinygrad_reg.testing`` with a seed and settings of their own; called, it is ``check_gradients``.

    >>> Gradients(0, {"order": 2})(lambda w: (w * w).sum(), np.array([1.0, 2.0])).entries
    5
    """

    def __init__(self, seed: int, settings: dict[str, Any]) -> None:
        self.seed = seed
        self.settings = settings
        self.rng = np.random.default_rng(seed)

    def __call__(self, f: Callable[..., Any], *inputs: Any, **settings: Any) -> Any:
        """``check_gradients(f, *inputs)``."""
        from .checking import check_gradients  # noqa: PLC0415 - a run without such tests need not wait

        return check_gradients(f, *inputs, **{"seed": self.seed, **self.settings, **settings})

    def op(self, op: Any, **settings: Any) -> Any:
        """``check_op(op)``."""
        from .ops import check_op  # noqa: PLC0415

        return check_op(op, **{"seed": self.seed, **self._of("order"), **settings})

    def penalty(self, p: Any, **settings: Any) -> Any:
        """``check_penalty(p)``."""
        from .penalties import check_penalty  # noqa: PLC0415

        return check_penalty(p, **{"seed": self.seed, **self._of("order"), **settings})

    def module(self, module: Any, *inputs: Any, **settings: Any) -> Any:
        """``check_module(module, *inputs)``."""
        from .modules import check_module  # noqa: PLC0415

        return check_module(module, *inputs, **{"seed": self.seed, **self._of("order", "max_entries"), **settings})

    def _of(self, *names: str) -> dict[str, Any]:
        return {name: self.settings[name] for name in names if name in self.settings}


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two options."""
    group = parser.getgroup("gradients", "gradients (tinygrad_reg.testing)")
    group.addoption("--gradient-seed", type=int, default=0, metavar="N", help="seed of the random numbers of gradient checks (default: 0)")
    group.addoption(
        "--gradient-profile", choices=["dev", "ci", "thorough"], help="load this profile of hypothesis: 50, 100 (always the same) or 2000 examples"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and load the profile."""
    config.addinivalue_line("markers", MARKER)
    if config.getoption("--gradient-profile"):
        from .strategies import load_profile  # noqa: PLC0415

        load_profile(config.getoption("--gradient-profile"))


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which seed it is, if it was asked for."""
    seed = config.getoption("--gradient-seed")
    return f"gradient seed: {seed}" if seed else None


@pytest.fixture
def gradients(request: pytest.FixtureRequest) -> Gradients:
    """Checks of gradients, with the seed of ``--gradient-seed`` and the settings of the marker ``gradients``."""
    marker = request.node.get_closest_marker("gradients")
    if marker is not None and marker.args:
        raise pytest.UsageError("pytest.mark.gradients takes settings by name, such as order=2.")
    return Gradients(request.config.getoption("--gradient-seed"), dict(marker.kwargs) if marker else {})
