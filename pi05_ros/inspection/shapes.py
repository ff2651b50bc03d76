"""What can be drawn into a 3D view: RViz's markers, as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

# The kinds of things that are drawn; each can be switched in RViz as a namespace.
NAMESPACES = (
    "subtask",  # What the robot is doing, above its base, with source, score and age.
    "subtask_history",  # What it did before, fading.
    "chunk",  # Where the predicted chunk brings each tool centre point.
    "chunk_jaws",  # The fingers' line every few rows of it, as wide as the gripper is open.
    "chunk_committed",  # Its rows that repeat what was being executed meanwhile.
    "chunk_earlier",  # Where the chunks before it would have led, fading.
    "executed",  # The tool centre points of the command that is being sent.
    "commanded",  # Where the commands of the last seconds led.
    "measured",  # Where the tool centre points have really been.
    "base_path",  # Where the base has been.
    "base_predicted",  # Where the chunk's base velocities lead.
    "boxes",  # Boxes of the subtask as pyramids from the cameras that saw them.
    "box_labels",
)

_FLOOR = 0.02  # Height at which paths of the base are drawn, above the floor [m].


class ShapeKind(Enum):
    """How the points of a shape are drawn."""

    STRIP = "strip"  # One line through all points.
    LINES = "lines"  # A line for each two points.
    BALLS = "balls"  # A ball at each point.
    TEXT = "text"  # A text at the only point, turned to the viewer.


@dataclass(frozen=True, eq=False)
class Shape:
    """One thing to draw. Colours may be given as one (4,) for all points.

    Raises:
        ValueError: Sizes do not agree, or a value is not finite.
    """

    namespace: str  # One of NAMESPACES.
    id: int  # Unique within the namespace.
    kind: ShapeKind
    frame: str  # Frame of the points.
    stamp_ns: int  # Of the observation that it is drawn from [ns].
    points: np.ndarray  # (N, 3) float64 [m]
    colours: np.ndarray  # (N, 4) float64, red, green, blue, alpha, 0 to 1.
    size: float  # Width of lines, diameter of balls, height of letters [m].
    text: str = ""
    follows: bool = False  # Whether it goes on with its frame instead of staying where it was.

    def __post_init__(self) -> None:
        points = np.atleast_2d(np.asarray(self.points, dtype=np.float64))
        colours = np.asarray(self.colours, dtype=np.float64)
        if colours.shape == (4,):
            colours = np.tile(colours, (len(points), 1))
        if points.shape != (len(points), 3) or colours.shape != (len(points), 4):
            raise ValueError(
                f"{self.namespace} {self.id}: wanted points (N, 3) with colours (N, 4), found "
                f"{points.shape} with {colours.shape}"
            )
        if not (np.isfinite(points).all() and np.isfinite(colours).all()):
            raise ValueError(f"{self.namespace} {self.id}: a point or a colour is not finite")
        if self.namespace not in NAMESPACES:
            raise ValueError(f"{self.namespace} is none of the namespaces of markers")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "colours", np.clip(colours, 0.0, 1.0))

    @property
    def key(self) -> tuple[str, int]:
        """What a viewer knows it by."""
        return self.namespace, self.id


def strip(
    namespace: str,
    id: int,
    frame: str,
    stamp_ns: int,
    points: np.ndarray,
    colours: np.ndarray,
    width: float,
) -> Sequence[Shape]:
    """A line through points; none through fewer than two, which RViz would complain about."""
    if len(points) < 2:
        return []
    return [Shape(namespace, id, ShapeKind.STRIP, frame, stamp_ns, points, colours, width)]


def on_floor(points: np.ndarray) -> np.ndarray:
    """Points or planar poses (..., 3) as points just above the floor."""
    return np.concatenate([points[..., :2], np.full((*points.shape[:-1], 1), _FLOOR)], axis=-1)


class DisplayedShapes:
    """Remembers what a viewer shows, so that it can be told what to take away."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, int]] = set()

    def replace(self, shapes: Iterable[Shape]) -> list[tuple[str, int]]:
        """Takes what is shown now; gives what is shown no longer, in order."""
        keys = {shape.key for shape in shapes}
        gone = sorted(self._keys - keys)
        self._keys = keys
        return gone
