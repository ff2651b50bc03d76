"""Cartesian paths of predicted chunks: the present one and recent earlier ones."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from pi05_ros.inspection.facts import ChunkFacts

_EARLIER = 5  # Earlier chunks that are kept; at the usual 2.5 a second they cover 2 s.


@dataclass(frozen=True, eq=False)
class ChunkPath:
    """Path of a chunk of H rows in the odom frame, computed once."""

    facts: ChunkFacts
    end_ns: int  # Time at which its last row ends [ns].
    tools: np.ndarray  # (K, H, 3) float64: tool centre point of each gripper [m].
    jaws: np.ndarray  # (K, J, 2, 3) float64: ends of the fingers' line every few rows [m].
    bases: np.ndarray  # (H, 3) float64: x, y [m], yaw [rad].


class ChunkPaths:
    """The present chunk, and those that were replaced or have ended.

    Args:
        memory: Time for which a chunk is kept after it was the present one [s].
    """

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._present: ChunkPath | None = None
        self._earlier: deque[tuple[int, ChunkPath]] = deque(maxlen=_EARLIER)

    def add(self, path: ChunkPath, now_ns: int) -> None:
        """Add a chunk that replaces the present one at `now_ns`; a repeated one is ignored."""
        before, self._present = self._present, path
        if before is not None and _identity(before) != _identity(path):
            self._earlier.appendleft((min(now_ns, before.end_ns), before))

    def present(self, now_ns: int) -> ChunkPath | None:
        """Return the newest chunk; None after its end."""
        path = self._present
        return path if path is not None and now_ns < path.end_ns else None

    def earlier(self, now_ns: int) -> list[tuple[float, ChunkPath]]:
        """Return earlier chunks as (time since replacement or end [s], chunk), latest first."""
        ended = list(self._earlier)
        if self._present is not None and self.present(now_ns) is None:
            ended = [(self._present.end_ns, self._present), *ended][:_EARLIER]
        ages = (((now_ns - end_ns) * 1e-9, path) for end_ns, path in ended)
        return [(age, path) for age, path in ages if age < self._memory]


def _identity(path: ChunkPath) -> tuple[int, int]:
    """Key of a chunk: sequence (restarts with the policy) and stamp of its observation."""
    return path.facts.sequence, path.facts.stamp_ns
