"""A bad line between policy and bridge: it drops, delays, doubles and reorders. Seeded, no ROS."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class LineFaults:
    """Faults of a line. Messages that are delayed past their followers arrive out of order."""

    drop: float = 0.0  # Share of messages that never arrive.
    double: float = 0.0  # Share of the others that arrive twice, each with a delay of its own.
    delay: float = 0.0  # Mean delay [s].
    spread: float = 0.0  # The delay is drawn evenly from delay ± spread [s].
    reorder: float = 0.0  # Share that waits for `hold_back` more, and so comes after its follower.
    hold_back: float = 0.0  # [s]

    def __post_init__(self) -> None:
        if not all(0 <= share <= 1 for share in (self.drop, self.double, self.reorder)):
            raise ValueError("drop, double and reorder are shares from 0 to 1")
        if not 0 <= self.spread <= self.delay or self.hold_back < 0:
            raise ValueError("wanted 0 ≤ spread ≤ delay and hold_back ≥ 0 s")


class Relay(Generic[T]):
    """A queue of messages under way: `put` sends one, `take` returns those that have arrived."""

    def __init__(self, faults: LineFaults, seed: int) -> None:
        self.faults = faults
        self.counts: Counter[str] = Counter()  # sent, dropped, doubled, held back.
        self._random = random.Random(seed)
        self._order = itertools.count()  # Messages due at one time stay in order.
        self._under_way: list[tuple[float, int, T]] = []

    def put(self, message: T, now: float) -> None:
        """Send a message at the time `now` [s]."""
        self.counts["sent"] += 1
        if self._random.random() < self.faults.drop:
            self.counts["dropped"] += 1
            return
        copies = 1
        if self._random.random() < self.faults.double:
            self.counts["doubled"] += 1
            copies = 2
        for _ in range(copies):
            spread = self.faults.spread
            due = now + self.faults.delay + self._random.uniform(-spread, spread)
            if self._random.random() < self.faults.reorder:
                self.counts["held back"] += 1
                due += self.faults.hold_back
            heapq.heappush(self._under_way, (due, next(self._order), message))

    def take(self, now: float) -> list[T]:
        """Return the messages that have arrived by `now` [s], in the order of arrival."""
        arrived = []
        while self._under_way and self._under_way[0][0] <= now:
            arrived.append(heapq.heappop(self._under_way)[2])
        return arrived
