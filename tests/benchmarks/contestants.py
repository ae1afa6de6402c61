"""Who is measured: a name, the file that has its steps, and how they are asked for."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

from workloads import Arrays, Job, Workload


@dataclass(frozen=True)
class Contestant:
    """``file`` has a function for each kind of workload that it does; ``threads`` is 0 for as many as the user says."""

    file: str
    settings: dict[str, Any] = field(default_factory=dict)
    threads: int = 0
    slow: bool = False  # takes long to begin: only when asked for

    def job(self, work: Workload, data: Arrays) -> Job | None:
        """Ready to step; None for a workload that it does not do. Raises ImportError where the framework is not installed."""
        build = getattr(importlib.import_module(self.file), work.kind, None)
        return build(work, data, **self.settings) if build else None


CONTESTANTS = {
    "ours, eager": Contestant("with_ours", {"how": "eager"}),
    "ours, numpy": Contestant("with_ours", {"how": "numpy"}),
    "ours, compiled": Contestant("with_ours", {"how": "numba"}),
    "ours, loop inside": Contestant("with_ours", {"how": "loop"}),
    "PyTorch": Contestant("with_torch", threads=1),
    "PyTorch, 2 threads": Contestant("with_torch", threads=2),
    "torch.compile": Contestant("with_torch", {"whole": True}, threads=2, slow=True),
    "jax.jit": Contestant("with_jax"),
    "NumPy by hand": Contestant("with_numpy"),
    "MyGrad": Contestant("with_tapes", {"name": "mygrad"}),
    "autograd": Contestant("with_tapes", {"name": "autograd"}),
}
