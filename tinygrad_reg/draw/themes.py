"""Colours of a drawing, light and dark: quiet boxes, one tint for each kind of node."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["THEMES", "Look", "Theme"]


@dataclass(frozen=True)
class Look:
    """What a box is filled with, and the colour of its line."""

    fill: str
    line: str


@dataclass(frozen=True)
class Theme:
    """``kinds`` has a look for each kind of node, ``clusters`` for each kind of cluster; ``faint`` is small print, ``edge`` an arrow,
    ``gradient`` and ``penalty`` are print in their colours."""

    paper: str
    text: str
    faint: str
    edge: str
    gradient: str
    penalty: str
    kinds: dict[str, Look]
    clusters: dict[str, Look]
    buffers: tuple[str, ...]  # fills of ops by the memory that their results lie in
    strong: str  # the line of an output

    def look(self, kind: str) -> Look:
        """The look of a kind of node; ops' for those without one of their own."""
        return self.kinds.get(kind, self.kinds["op"])


LIGHT = Theme(
    paper="#ffffff",
    text="#1f2933",
    faint="#545f6b",
    edge="#8693a0",
    gradient="#7d4fb2",
    penalty="#9a6410",
    kinds={
        "op": Look("#f4f6f8", "#b4bec8"),
        "parameter": Look("#dcebfa", "#4a8fcb"),
        "input": Look("#e2f3e6", "#5ba56c"),
        "penalty": Look("#fdebc4", "#d3912a"),
        "backward": Look("#f0e7f9", "#9a74c4"),
        "fold": Look("#e9edf1", "#8a97a4"),
        "state": Look("#dcebfa", "#4a8fcb"),
        "argument": Look("#e2f3e6", "#5ba56c"),
        "gradient": Look("#f0e7f9", "#9a74c4"),
        "number": Look("#fbf6d9", "#c2ab3d"),
    },
    clusters={
        "backward": Look("#fcfaff", "#dccdee"),
        "layer": Look("#fafbfc", "#ccd4db"),
        "penalty": Look("#fff9ea", "#e3b356"),
        "penalties": Look("#fffdf6", "#eed9a8"),
        "fused": Look("#f3f8f7", "#7fb3ab"),
    },
    buffers=("#e3edf9", "#fbe6de", "#e4f3e4", "#f6e4f1", "#fdf1d0", "#e0f3f4", "#ece6f8", "#eef2d2", "#fbe3e6", "#e6ebef"),
    strong="#1f2933",
)

DARK = Theme(
    paper="#14181d",
    text="#e6eaee",
    faint="#9aa6b2",
    edge="#75828f",
    gradient="#c3a3ea",
    penalty="#e8b65a",
    kinds={
        "op": Look("#222930", "#46525e"),
        "parameter": Look("#17344e", "#4a8fcb"),
        "input": Look("#183726", "#4f9962"),
        "penalty": Look("#43330f", "#d3912a"),
        "backward": Look("#322548", "#9a74c4"),
        "fold": Look("#2b333c", "#75828f"),
        "state": Look("#17344e", "#4a8fcb"),
        "argument": Look("#183726", "#4f9962"),
        "gradient": Look("#322548", "#9a74c4"),
        "number": Look("#3b3613", "#b5a03c"),
    },
    clusters={
        "backward": Look("#1b1722", "#493a5e"),
        "layer": Look("#191e24", "#37424d"),
        "penalty": Look("#2a2312", "#8f6b22"),
        "penalties": Look("#1e1b14", "#5a4820"),
        "fused": Look("#16221f", "#3f7f75"),
    },
    buffers=("#1d3147", "#452a1e", "#1d3a22", "#412139", "#43370f", "#153a3c", "#2f2748", "#363a14", "#45202a", "#2b3440"),
    strong="#e6eaee",
)

THEMES = {"light": LIGHT, "dark": DARK}
