"""Camera sets for several consumers, each with its own cameras.

Policy and planner read different cameras. If all of them were matched together, the slowest one,
which perhaps only the planner reads, would set the pace and the age of the policy's pictures. So
each consumer has a matcher of its own cameras, and its choice of the sets that come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pi05_ros.cameras.sets import CameraSetMatcher, MatchedSet

T = TypeVar("T")

_JUMP_NS = 500_000_000  # Stamps that go back by this and more are of a time that was reset.
# So long a consumer waits for a set with all its cameras before it takes one that lacks some.
_WAIT_NS, _MAX_WAIT_NS = 300_000_000, 1_000_000_000


@dataclass(frozen=True)
class ConsumerSet(Generic[T]):
    """A set with the names of the consumers whose cameras it matches."""

    consumers: tuple[str, ...]
    matched: MatchedSet[T]  # Of all cameras; None for those of no consumer above.


class ConsumerSets(Generic[T]):
    """Matches pictures for each consumer. Not thread-safe.

    Args:
        cameras: Names of all cameras, in the order of the sets.
        consumers: Consumer -> its cameras. Cameras that nobody reads are matched with all others,
            so that their health is known.
        max_skew_s: Maximum difference of stamps within a set [s].
        partial_after_s: As in CameraSetMatcher [s].
    """

    def __init__(
        self,
        cameras: Sequence[str],
        consumers: Mapping[str, Sequence[str]],
        max_skew_s: float,
        partial_after_s: float,
    ) -> None:
        self._cameras = tuple(cameras)
        self._limits = max_skew_s, partial_after_s
        self._consumers: dict[str, frozenset[str]] = {}
        self._matchers: dict[frozenset[str], CameraSetMatcher[T]] = {}
        self._make_matchers()
        for consumer, wanted in consumers.items():
            self.set_cameras(consumer, wanted)

    def set_cameras(self, consumer: str, cameras: Sequence[str]) -> None:
        """Change the cameras of a consumer; () means that it reads none.

        Raises:
            ValueError: There is no such camera.
        """
        if unknown := [name for name in cameras if name not in self._cameras]:
            raise ValueError(
                f"{consumer}: wanted cameras of {', '.join(self._cameras)}, "
                f"found {', '.join(unknown)}"
            )
        self._consumers[consumer] = frozenset(cameras)
        self._make_matchers()

    def _make_matchers(self) -> None:
        """Keep one matcher for each group of cameras, and one of all if some have no consumer."""
        wanted = {names for names in self._consumers.values() if names}
        if frozenset().union(*wanted) != frozenset(self._cameras):
            wanted.add(frozenset(self._cameras))
        self._matchers = {
            names: self._matchers.get(names) or self._matcher(names) for names in wanted
        }

    @property
    def counts(self) -> Counter[str]:
        """Counts of the matcher with most cameras; see CameraSetMatcher."""
        return self._matchers[max(self._matchers, key=len)].counts

    def add(self, camera: str, stamp_ns: int, item: T, size: int = 0) -> list[ConsumerSet[T]]:
        """Add a picture of `size` bytes; return the sets that it completes, none twice.

        A set that contains another one serves the consumers of both.
        """
        found: list[tuple[frozenset[str], MatchedSet[T]]] = []
        for names, matcher in self._matchers.items():
            if camera in names:
                matched = matcher.add(camera, stamp_ns, item, size)
                if matched is not None:
                    found.append((names, self._widened(names, matched)))
        found.sort(key=lambda entry: -len(entry[0]))
        sets: list[tuple[set[frozenset[str]], MatchedSet[T]]] = []
        for names, matched in found:
            for served, larger in sets:
                if _contains(larger, matched):
                    served.add(names)
                    break
            else:
                sets.append(({names}, matched))
        return [
            ConsumerSet(tuple(c for c, n in self._consumers.items() if n in served), matched)
            for served, matched in sets
        ]

    def _matcher(self, names: frozenset[str]) -> CameraSetMatcher[T]:
        return CameraSetMatcher([n for n in self._cameras if n in names], *self._limits)

    def _widened(self, names: frozenset[str], matched: MatchedSet[T]) -> MatchedSet[T]:
        """Return a set with a place for each camera."""
        own = [name for name in self._cameras if name in names]
        stamps = dict(zip(own, matched.stamps_ns, strict=True))
        items = dict(zip(own, matched.items, strict=True))
        return MatchedSet(
            tuple(stamps.get(name) for name in self._cameras),
            tuple(items.get(name) for name in self._cameras),
        )


def _contains(larger: MatchedSet[T], smaller: MatchedSet[T]) -> bool:
    """Check whether a set has all pictures of another."""
    pairs = zip(larger.stamps_ns, smaller.stamps_ns, strict=True)
    return all(theirs is None or theirs == ours for ours, theirs in pairs)


class SetChoice:
    """A consumer's choice among the sets that come, most of which are made for others.

    A set counts by the oldest picture of the consumer's own cameras. One with all of them is taken
    if it is newer than the last; one that lacks some only when none with all has come for a while.
    So a set for a consumer with fewer cameras takes nothing away, and a set for one with more,
    which repeats pictures, is no new observation.

    Args:
        cameras: Names of the consumer's cameras.
    """

    def __init__(self, cameras: Sequence[str]) -> None:
        self._cameras = tuple(cameras)
        self._taken_ns: int | None = None  # Stamp of the last set that was taken.
        self._complete_ns: int | None = None  # Of the last one with all cameras.
        self._interval_ns = 0  # Between the last two with all cameras [ns].

    def stamp(self, stamps_ns: Mapping[str, int], otherwise_ns: int) -> int:
        """Oldest stamp of the consumer's cameras in a set [ns].

        Args:
            stamps_ns: Camera -> stamp of its picture, for the cameras that have one.
            otherwise_ns: The result if it has none of them.
        """
        own = [stamps_ns[name] for name in self._cameras if name in stamps_ns]
        return min(own, default=otherwise_ns)

    def take(self, stamp_ns: int, has_all: bool) -> bool:
        """Decide on a set.

        Args:
            stamp_ns: Its `stamp` [ns].
            has_all: Whether it has a picture of each of the consumer's cameras.
        """
        if self._taken_ns is not None and stamp_ns <= self._taken_ns - _JUMP_NS:
            self._taken_ns = self._complete_ns = None  # Time jumped back.
        if has_all:
            if self._complete_ns is not None:
                if stamp_ns <= self._complete_ns:
                    return False
                self._interval_ns = stamp_ns - self._complete_ns
            self._taken_ns = self._complete_ns = stamp_ns
            return True
        if self._taken_ns is not None and stamp_ns <= self._taken_ns:
            return False
        if self._complete_ns is not None:
            # Sets of a slow camera come seldom.
            wait_ns = min(max(_WAIT_NS, 1.5 * self._interval_ns), _MAX_WAIT_NS)
            if stamp_ns - self._complete_ns < wait_ns:
                return False
        self._taken_ns = stamp_ns
        return True
