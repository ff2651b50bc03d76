"""What the numbers that a publisher gave its messages tell of a bag's times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def clock_jumped_back(sequences: Sequence[int]) -> bool:
    """Whether messages of before and after a step of the clock lie among each other.

    A bag is read by log time. Where the recorder's clock went back within an episode, by less
    than had been recorded, times alone look sound; the publisher's numbers go up and down. A
    publisher that was started anew counts from 1 again: it goes back once, or repeats numbers.

    Args:
        sequences: Of one topic's messages by log time; 0: not known.
    """
    numbers = np.asarray(sequences, dtype=np.int64)
    if not len(numbers) or not numbers.all() or len(np.unique(numbers)) < len(numbers):
        return False
    return int((np.diff(numbers) < 0).sum()) > 1
