"""Where predicted chunks lead: the present one, and those before it for a while."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from pi05_ros.inspection.facts import ChunkFacts

_EARLIER = 5  # Chunks that are remembered; at the usual 2.5 a second they cover 2 s.


@dataclass(frozen=True, eq=False)
class ChunkPath:
    """A chunk of H rows in the odom frame, computed once."""

    facts: ChunkFacts
    end_ns: int  # When its last row is over [ns].
    tools: np.ndarray  # (K, H, 3) float64: tool centre point of each gripper [m].
    jaws: np.ndarray  # (K, J, 2, 3) float64: ends of the fingers' line every few rows [m].
    bases: np.ndarray  # (H, 3) float64: x, y [m], yaw [rad].


class ChunkPaths:
    """The chunk that is followed, and those that were replaced or are over.

    Args:
        memory: How long a chunk is remembered after it was the present one [s].
    """

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._present: ChunkPath | None = None
        self._earlier: deque[tuple[int, ChunkPath]] = deque(maxlen=_EARLIER)

    def add(self, path: ChunkPath, now_ns: int) -> None:
        """Takes a chunk, which replaces the present one at a time [ns]; not when told again."""
        before, self._present = self._present, path
        if before is not None and _identity(before) != _identity(path):
            self._earlier.appendleft((min(now_ns, before.end_ns), before))

    def present(self, now_ns: int) -> ChunkPath | None:
        """The newest chunk, unless it is over: then it leads nowhere any more."""
        path = self._present
        return path if path is not None and now_ns < path.end_ns else None

    def earlier(self, now_ns: int) -> list[tuple[float, ChunkPath]]:
        """(how long ago it was the present one [s], chunk), the latest first."""
        ended = list(self._earlier)
        if self._present is not None and self.present(now_ns) is None:
            ended = [(self._present.end_ns, self._present), *ended][:_EARLIER]
        ages = (((now_ns - end_ns) * 1e-9, path) for end_ns, path in ended)
        return [(age, path) for age, path in ages if age < self._memory]


def _identity(path: ChunkPath) -> tuple[int, int]:
    """A chunk's name: its number, which begins anew with the policy, and its observation."""
    return path.facts.sequence, path.facts.stamp_ns
