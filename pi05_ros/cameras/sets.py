"""Matching of pictures from several cameras by their stamps."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

# Defaults of camera_ingestion; recordings are matched by the same.
MAX_SKEW = 0.05  # Greatest difference of stamps within a set [s].
PARTIAL_AFTER = 0.25  # Lag from which on a camera no longer delays a set [s].

_SMOOTHING = 0.2  # Weight of the newest interval in a camera's period.
# A picture farther from the set's time than this share of its camera's period belongs to the next
# or previous set: the matching one was lost, or was used before.
_NEIGHBOUR = 0.75
_NEIGHBOUR_FLOOR_NS = 5_000_000  # Jitter of a fast camera.
# The next picture of a slow camera is late after so many periods and this delay on its way.
_LATE, _DELAY_NS = 1.5, 100_000_000


@dataclass(frozen=True)
class MatchedSet(Generic[T]):
    """One picture per camera, taken at nearly the same time; None if a camera has none."""

    stamps_ns: tuple[int | None, ...]
    items: tuple[T | None, ...]


class CameraSetMatcher(Generic[T]):
    """Groups pictures whose stamps lie within `max_skew_s` of each other.

    A set is complete when every camera has a picture near the reference, which is the newest
    stamp of the slowest camera. Of a fast camera several pictures can be within `max_skew_s`; only
    the one of that time is taken. Otherwise a camera that is one picture ahead would stay ahead,
    and every set would be a period late.

    A camera without pictures for `partial_after_s`, or of a slow one for somewhat more than its
    period, no longer delays the others: its entry of the set is None.

    Args:
        cameras: Names, in the order of the sets.
        max_skew_s: Maximum difference of stamps within a set [s].
        partial_after_s: Maximum lag of a camera's newest stamp behind the others' [s].
        depth: Maximum number of pictures kept per camera. For a camera with bursts at 120 Hz they
            must cover the maximum delay of the others.
        max_bytes: Maximum number of bytes kept per camera; the newest picture is always kept.

    Attributes:
        counts: "unmatched" pictures that were in no set, "not_newer" pictures with an old stamp.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        max_skew_s: float,
        partial_after_s: float,
        depth: int = 24,
        max_bytes: int = 64 << 20,
    ) -> None:
        self._cameras = tuple(cameras)
        self._max_skew_ns = round(max_skew_s * 1e9)
        self._partial_after_ns = round(partial_after_s * 1e9)
        self._queues: dict[str, deque[tuple[int, T, int]]] = {name: deque() for name in cameras}
        self._depth = depth
        self._max_bytes = max_bytes
        self._newest = dict.fromkeys(cameras, 0)
        self._period: dict[str, float] = {}  # Camera → interval of its stamps, smoothed [ns].
        self.counts: Counter[str] = Counter()

    def add(self, camera: str, stamp_ns: int, item: T, size: int = 0) -> MatchedSet[T] | None:
        """Add a picture of `size` bytes; return the set that it completes, or None."""
        queue = self._queues[camera]
        if stamp_ns <= self._newest[camera]:
            if self._newest[camera] - stamp_ns < 1_000_000_000:
                self.counts["not_newer"] += 1
                return None
            self.clear()  # Time jumped back by more than a second: start again.
        self._update_period(camera, stamp_ns)
        self._newest[camera] = stamp_ns
        queue.append((stamp_ns, item, size))
        held = sum(entry[2] for entry in queue)
        while len(queue) > self._depth or (held > self._max_bytes and len(queue) > 1):
            held -= queue.popleft()[2]
            self.counts["unmatched"] += 1
        return self._match()

    def clear(self) -> None:
        """Remove all pictures."""
        for queue in self._queues.values():
            queue.clear()
        self._newest = dict.fromkeys(self._cameras, 0)

    def _update_period(self, camera: str, stamp_ns: int) -> None:
        if self._newest[camera]:
            interval = stamp_ns - self._newest[camera]
            before = self._period.get(camera, interval)
            self._period[camera] = before + _SMOOTHING * (interval - before)

    def _is_neighbour(self, camera: str, stamp_ns: int, reference_ns: int) -> bool:
        """Check whether a picture belongs to the previous or next set."""
        limit = max(_NEIGHBOUR * self._period.get(camera, 0.0), _NEIGHBOUR_FLOOR_NS)
        return camera in self._period and abs(stamp_ns - reference_ns) > limit

    def _lag_limit(self, camera: str) -> float:
        """Lag from which on a camera no longer delays the others [ns]."""
        late = _LATE * self._period[camera] + _DELAY_NS if camera in self._period else 0.0
        return max(self._partial_after_ns, late)

    def _match(self) -> MatchedSet[T] | None:
        newest = max(self._newest.values())
        present = [
            name for name in self._cameras if newest - self._newest[name] <= self._lag_limit(name)
        ]
        if any(not self._queues[name] for name in present):
            return None
        reference = min(self._queues[name][-1][0] for name in present)
        chosen = {
            name: min(self._queues[name], key=lambda entry: abs(entry[0] - reference))
            for name in present
        }
        stamps = [entry[0] for entry in chosen.values()]
        if max(stamps) - min(stamps) > self._max_skew_ns:
            return None
        if any(self._is_neighbour(name, entry[0], reference) for name, entry in chosen.items()):
            return None
        for name, (stamp, _, _) in chosen.items():
            queue = self._queues[name]
            while queue and queue[0][0] <= stamp:
                if queue.popleft()[0] < stamp:
                    self.counts["unmatched"] += 1
        return MatchedSet(
            tuple(chosen[name][0] if name in chosen else None for name in self._cameras),
            tuple(chosen[name][1] if name in chosen else None for name in self._cameras),
        )
