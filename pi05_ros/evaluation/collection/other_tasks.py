"""Another task that is given in the middle of an episode, for a while: language is followed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SECONDS = (3.0, 8.0)  # Time for which another task stands [s].


class OtherTasks:
    """Draws which task stands.

    Args:
        task: The task of the episode.
        others: Tasks of the same room, each about one thing.
        rate: Chance that another task is given at an answer of the high level, 0 to 1.
        random: Source of the draws.
    """

    def __init__(
        self, task: str, others: Sequence[str], rate: float, random: np.random.Generator
    ) -> None:
        self._task, self._rate, self._random = task, rate, random
        self._others = [other for other in others if other != task]
        self._now = task
        self._until_ns = 0

    def task_at(self, stamp_ns: int) -> str:
        """Return the task that stands at the stamp of an observation [ns]; stamps rise."""
        draws = self._random.uniform(size=3)  # The same number at each call.
        if stamp_ns < self._until_ns:
            return self._now
        if self._now != self._task or draws[0] >= self._rate or not self._others:
            self._now = self._task
            return self._now
        self._now = self._others[int(draws[1] * len(self._others))]
        low, high = SECONDS
        self._until_ns = stamp_ns + round((low + draws[2] * (high - low)) * 1e9)
        return self._now

    def end(self) -> None:
        """Give the task of the episode again at the next answer."""
        self._until_ns = 0
