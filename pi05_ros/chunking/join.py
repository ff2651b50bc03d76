"""Takes the last step out of a chunk that goes on from another one."""

from __future__ import annotations

import numpy as np

from pi05_ros.brain.continuation import Continuation


def join(actions: np.ndarray, running: Continuation, fade_rows: int) -> np.ndarray:
    """A chunk whose rows behind the committed ones leave the running chunk smoothly.

    Guidance brings the flow near to the running chunk, not onto it: its strength is bounded, and
    committed rows are set to what is executed. What is left of the error would be a step in the
    middle of the chunk, where the bridge takes it for the chunk's will and blends nothing. Here it
    fades along a minimum-jerk course over `fade_rows`, or up to the running chunk's end.

    Args:
        actions: (H, D) float64, the committed rows equal to those of `running`.
        running: What it goes on from.
        fade_rows: Rows behind the committed ones; 0 leaves the step as it is.

    Returns:
        (H, D) float64. Its first `committed` rows and those behind the fade are those of
        `actions`; each row between lies between the two chunks.
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
