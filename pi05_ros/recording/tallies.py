"""What came in, what was lost on the way, and what was dropped, topic by topic."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

UNKNOWN = -1  # RecordedTopic.lost
_RATE_WINDOW_S = 3.0


@dataclass(frozen=True)
class TopicReport:
    """One topic of the open episode; see RecordedTopic.msg."""

    name: str
    type: str
    rate: float  # [Hz]
    message_count: int  # Received.
    byte_count: int
    lost: int
    dropped: int
    problem: str = ""


@dataclass
class _Tally:
    """Counts of one topic."""

    type: str
    received: int = 0
    bytes: int = 0
    lost: int = 0
    dropped: int = 0
    last_sequence: int = 0  # 0: none yet.
    numbered: bool = True  # Whether every message had a number.
    history: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=32))

    def arrived(self, size: int, sequence: int) -> None:
        self.received += 1
        self.bytes += size
        if not sequence:
            self.numbered = False
            return
        gap = sequence - self.last_sequence - 1
        # A number that goes back is a publisher that was started anew, or a latched message that
        # came again; the first number says nothing of what was sent before we listened.
        if self.last_sequence and gap > 0:
            self.lost += gap
        self.last_sequence = sequence

    def rate(self, now_s: float) -> float:
        while len(self.history) > 1 and self.history[1][0] <= now_s - _RATE_WINDOW_S:
            self.history.popleft()
        rate = 0.0
        if self.history:
            then, count = self.history[0]
            rate = (self.received - count) / (now_s - then) if now_s > then else 0.0
        self.history.append((now_s, self.received))
        return rate


class Tallies:
    """Counts of an episode. The listening thread writes, others read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: dict[str, _Tally] = {}

    def add_topic(self, topic: str, type_name: str, now_s: float) -> None:
        """Begins to count a topic; one that is known goes on."""
        with self._lock:
            tally = self._tallies.setdefault(topic, _Tally(type_name))
            if not tally.history:
                tally.history.append((now_s, 0))

    def arrived(self, topic: str, size: int, sequence: int, taken: bool) -> None:
        """Counts a message.

        Args:
            topic: Its topic.
            size: Serialized [byte].
            sequence: Publication sequence number; 0: unknown.
            taken: Whether the queue took it.
        """
        with self._lock:
            tally = self._tallies[topic]
            tally.arrived(size, sequence)
            tally.dropped += not taken

    def settle(self, written: Mapping[str, int]) -> None:
        """At the end: what came in and was not written was dropped. written: by topic."""
        with self._lock:
            for topic, tally in self._tallies.items():
                tally.dropped = max(tally.dropped, tally.received - written.get(topic, 0))

    @property
    def drops(self) -> int:
        """Messages of all topics that arrived and were not written."""
        with self._lock:
            return sum(tally.dropped for tally in self._tallies.values())

    def report(
        self, now_s: float, several: set[str], problems: dict[str, str]
    ) -> list[TopicReport]:
        """Every topic by name, those that only have a problem included.

        Args:
            now_s: Steady time [s]. Rates are of the time since about 3 s before.
            several: Topics with several publishers: what they lost cannot be told.
            problems: Topic -> clause.
        """
        with self._lock:
            reports = {
                name: TopicReport(
                    name,
                    tally.type,
                    tally.rate(now_s),
                    tally.received,
                    tally.bytes,
                    UNKNOWN if name in several or not tally.numbered else tally.lost,
                    tally.dropped,
                    problems.get(name, ""),
                )
                for name, tally in self._tallies.items()
            }
        for name, problem in problems.items():
            if name not in reports:
                reports[name] = TopicReport(name, "", 0.0, 0, 0, 0, 0, problem)
        return [reports[name] for name in sorted(reports)]
