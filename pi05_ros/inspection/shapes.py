"""Shapes of the 3D view: RViz markers as arrays, without ROS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

# Namespaces of the markers; each can be switched on and off in RViz.
NAMESPACES = (
    "subtask",  # Text of the present subtask above the base, with source, score and age.
    "driver",  # Who drives, as text above the base.
    "subtask_history",  # Earlier subtasks, fading.
    "chunk",  # Paths of the tool centre points in the predicted chunk.
    "chunk_jaws",  # Line between the fingers every few rows of it, as wide as the opening.
    "chunk_committed",  # Rows of it that repeat the chunk being executed.
    "chunk_earlier",  # Paths of earlier chunks, fading.
    "executed",  # Tool centre points of the present command.
    "commanded",  # Trail of the commanded tool centre points.
    "measured",  # Trail of the measured tool centre points.
    "base_path",  # Trail of the base.
    "base_predicted",  # Path of the base in the predicted chunk.
    "boxes",  # Boxes of the subtask as pyramids from their cameras.
    "box_labels",
)

_FLOOR = 0.02  # Height at which paths of the base are drawn, above the floor [m].


class ShapeKind(Enum):
    """Drawing style of a shape's points."""

    STRIP = "strip"  # One line through all points.
    LINES = "lines"  # A line for each pair of points.
    BALLS = "balls"  # A ball at each point.
    TEXT = "text"  # A text at the only point, facing the viewer.


@dataclass(frozen=True, eq=False)
class Shape:
    """One marker. Colours may be given as one (4,) for all points.

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
    follows: bool = False  # Whether it moves with its frame (frame_locked).

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
        """Key that identifies the marker: namespace and id."""
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
    """Return a line through points; empty for fewer than two, which RViz rejects."""
    if len(points) < 2:
        return []
    return [Shape(namespace, id, ShapeKind.STRIP, frame, stamp_ns, points, colours, width)]


def on_floor(points: np.ndarray) -> np.ndarray:
    """Convert points or planar poses (..., 3) to points slightly above the floor."""
    return np.concatenate([points[..., :2], np.full((*points.shape[:-1], 1), _FLOOR)], axis=-1)


class DisplayedShapes:
    """Keeps the keys of the displayed markers, to find those that must be deleted."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, int]] = set()

    def replace(self, shapes: Iterable[Shape]) -> list[tuple[str, int]]:
        """Replace the displayed markers; return the keys that are no longer displayed, sorted."""
        keys = {shape.key for shape in shapes}
        gone = sorted(self._keys - keys)
        self._keys = keys
        return gone
