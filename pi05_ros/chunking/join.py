"""Smoothing of the step that remains where a chunk continues another one."""

from __future__ import annotations

import numpy as np

from pi05_ros.brain.continuation import Continuation


def join(actions: np.ndarray, running: Continuation, fade_rows: int) -> np.ndarray:
    """Blend the rows after the committed ones from the running chunk into the new chunk.

    Guidance brings the flow near the running chunk but not onto it, because its strength is
    bounded, while committed rows are set to the executed values. The remaining error would be a
    step inside the chunk, which the bridge does not blend. Here it decays along a minimum-jerk
    profile over `fade_rows`, or up to the end of the running chunk.

    Args:
        actions: (H, D) float64, the committed rows equal to those of `running`.
        running: The chunk that it continues.
        fade_rows: Length of the blend after the committed rows; 0: no blend.

    Returns:
        (H, D) float64. The first `committed` rows and those after the blend equal `actions`; the
        rows in between lie between the two chunks.
    """
    first = running.committed
    rows = min(fade_rows, running.overlap - first)
    if first == 0 or rows < 1:
        return actions
    x = np.arange(1, rows + 1)[:, None] / (rows + 1)
    left = 1.0 - x**3 * (10.0 - 15.0 * x + 6.0 * x**2)
    fading = slice(first, first + rows)
    joined = actions.copy()
    joined[fading] += left * (running.actions[fading] - actions[fading])
    return joined
