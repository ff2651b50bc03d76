"""Detection of a clock that jumped back, from publication sequence numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def clock_jumped_back(sequences: Sequence[int]) -> bool:
    """Check whether messages from before and after a backward clock jump are interleaved.

    A bag is read by log time. Where the recorder's clock jumped back within an episode, by less
    than had been recorded, the times alone look valid, but the sequence numbers go up and down. A
    publisher that restarts counts from 1 again: its numbers go back once, or repeat.

    Args:
        sequences: Sequence numbers of one topic's messages by log time; 0: not known.
    """
    numbers = np.asarray(sequences, dtype=np.int64)
    if not len(numbers) or not numbers.all() or len(np.unique(numbers)) < len(numbers):
        return False
    return int((np.diff(numbers) < 0).sum()) > 1
