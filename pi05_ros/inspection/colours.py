"""Colours of what is shown, the same in RViz, in annotated pictures and in sheets of episodes."""

from __future__ import annotations

import numpy as np

# Who said a subtask (pi05_msgs/Subtask.SOURCE_*).
SOURCE_COLOURS = {
    "model": "#4c78a8",
    "human": "#f58518",
    "external": "#72b7b2",
    "implicit": "#9d9d9d",
}
UNKNOWN_SOURCE = "#9d9d9d"

# Of the grippers, in the platform's order, repeated when there are more.
GRIPPERS = ("#35c2ff", "#ff5fb0", "#b6e34b", "#c79bff")
REPLACED = "#aab1c3"  # What their chunks turn into with age.
COMMITTED = "#ffffff"
# Trails, new and old: what is old has another colour too, since faint lines are hard to compare.
COMMANDED = ("#ffb02e", "#b3261e")
MEASURED = ("#3ddc6d", "#2a50b8")
BASE = ("#c9ced8", "#565c69")


def rgb(colour: str) -> tuple[int, int, int]:
    """`#rrggbb` as red, green and blue, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def rgba(colour: str, alpha: float = 1.0) -> np.ndarray:
    """`#rrggbb` as (4,) float64, 0 to 1."""
    return np.array([*(value / 255 for value in rgb(colour)), alpha])


def by_age(
    young: str, old: str, ages: np.ndarray, longest: float, floor: float = 0.0
) -> np.ndarray:
    """A colour for each age: `young` and whole at age 0, `old` and fainter the older it is.

    Args:
        young: `#rrggbb`
        old: `#rrggbb`
        ages: (N,) [s]; below 0 counts as 0.
        longest: Age at which it has faded [s].
        floor: The alpha at `longest` and later.

    Returns:
        (N, 4) float64.
    """
    share = np.clip(np.asarray(ages, dtype=np.float64) / longest, 0.0, 1.0)[:, None]
    return (1.0 - share) * rgba(young) + share * rgba(old, floor)
