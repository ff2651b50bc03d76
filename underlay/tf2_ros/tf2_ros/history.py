"""Where a frame was in its parent, over time."""

from __future__ import annotations

import bisect
from dataclasses import dataclass

from tf2_ros.exceptions import ExtrapolationException
from tf2_ros.rigid import Rigid


@dataclass(frozen=True)
class Placement:
    """A frame in its parent at one time.

    Args:
        stamp: Time [ns]; 0 for a frame that never moves.
        parent: The parent's name.
        rigid: T_parent_frame.
    """

    stamp: int
    parent: str
    rigid: Rigid


class History:
    """The placements of a frame that moves, ordered by time.

    Args:
        cache_time: How long a placement is kept behind the latest one [ns].
    """

    def __init__(self, cache_time: int) -> None:
        self._cache_time = cache_time
        self._placements: list[Placement] = []

    def insert(self, placement: Placement) -> bool:
        """Adds a placement; False when it is too old to be kept."""
        kept = self._placements
        if kept and placement.stamp < kept[-1].stamp - self._cache_time:
            return False
        at = bisect.bisect_left(kept, placement.stamp, key=_stamp)
        same = at < len(kept) and kept[at].stamp == placement.stamp
        kept[at : at + same] = [placement]  # Of two at one time, the last word counts.
        first = bisect.bisect_left(kept, kept[-1].stamp - self._cache_time, key=_stamp)
        del kept[:first]
        return True

    def clear(self) -> None:
        """Forgets all placements."""
        self._placements.clear()

    def latest(self) -> Placement | None:
        """The newest placement."""
        return self._placements[-1] if self._placements else None

    def at(self, time: int, frame: str) -> Placement:
        """The placement at a time, interpolated between the two around it.

        Args:
            time: When [ns].
            frame: The frame's name, for the error.

        Raises:
            ExtrapolationException: No two placements are around that time.
        """
        kept = self._placements
        right = bisect.bisect_left(kept, time, key=_stamp)
        if right < len(kept) and kept[right].stamp == time:
            return kept[right]
        if not kept or right == 0 or right == len(kept):
            known = f"{_text(kept[0].stamp)} to {_text(kept[-1].stamp)}" if kept else "nothing"
            raise ExtrapolationException(
                f"Lookup would require extrapolation: wanted frame [{frame}] at {_text(time)}, "
                f"found {known}"
            )
        before, after = kept[right - 1], kept[right]
        if before.parent != after.parent:
            return before
        ratio = (time - before.stamp) / (after.stamp - before.stamp)
        return Placement(time, before.parent, before.rigid.towards(after.rigid, ratio))


class Fixture:
    """The one placement of a frame that never moves."""

    def __init__(self) -> None:
        self._placement: Placement | None = None

    def insert(self, placement: Placement) -> bool:
        """Replaces the placement."""
        self._placement = Placement(0, placement.parent, placement.rigid)
        return True

    def clear(self) -> None:
        """Keeps it: what never moves is as true after a jump in time."""

    def latest(self) -> Placement | None:
        """The placement."""
        return self._placement

    def at(self, time: int, frame: str) -> Placement:
        """The placement, at any time."""
        assert self._placement is not None, frame
        return self._placement


def _stamp(placement: Placement) -> int:
    return placement.stamp


def _text(time: int) -> str:
    return f"{time / 1e9:.6f} s"
