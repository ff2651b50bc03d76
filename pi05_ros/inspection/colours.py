"""Colours shared by RViz markers, annotated pictures and overview images of episodes."""

from __future__ import annotations

import numpy as np

# By source of a subtask (pi05_msgs/Subtask.SOURCE_*).
SOURCE_COLOURS = {
    "model": "#4c78a8",
    "human": "#f58518",
    "external": "#72b7b2",
    "implicit": "#9d9d9d",
}
UNKNOWN_SOURCE = "#9d9d9d"

# Of the grippers in the platform's order, repeated if there are more.
GRIPPERS = ("#35c2ff", "#ff5fb0", "#b6e34b", "#c79bff")
REPLACED = "#aab1c3"  # Final colour of replaced chunks.
COMMITTED = "#ffffff"
# New and old end of trails. The colour changes with age, since alpha alone is hard to compare.
COMMANDED = ("#ffb02e", "#b3261e")
MEASURED = ("#3ddc6d", "#2a50b8")
BASE = ("#c9ced8", "#565c69")
# Commands of an operator who drives: the executed ball, and new and old end of the trail.
OPERATOR = "#e07bff"
DRIVEN = (OPERATOR, "#6a2a8c")


def rgb(colour: str) -> tuple[int, int, int]:
    """Convert `#rrggbb` to red, green and blue, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def rgba(colour: str, alpha: float = 1.0) -> np.ndarray:
    """Convert `#rrggbb` to (4,) float64 rgba, 0 to 1."""
    return np.array([*(value / 255 for value in rgb(colour)), alpha])


def by_age(
    young: str, old: str, ages: np.ndarray, longest: float, floor: float = 0.0
) -> np.ndarray:
    """Interpolate colour and alpha by age, from opaque `young` to `old` with alpha `floor`.

    Args:
        young: Colour at age 0, `#rrggbb`.
        old: Colour at age `longest`, `#rrggbb`.
        ages: (N,) [s]; negative ages count as 0.
        longest: Age at which the fade ends [s].
        floor: Alpha at `longest` and later.

    Returns:
        (N, 4) float64 rgba.
    """
    share = np.clip(np.asarray(ages, dtype=np.float64) / longest, 0.0, 1.0)[:, None]
    return (1.0 - share) * rgba(young) + share * rgba(old, floor)
