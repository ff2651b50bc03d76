"""Counts of received, lost and dropped messages by topic."""

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
    message_count: int  # Received messages.
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
    numbered: bool = True  # Whether every message had a sequence number.
    history: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=32))

    def arrived(self, size: int, sequence: int) -> None:
        self.received += 1
        self.bytes += size
        if not sequence:
            self.numbered = False
            return
        gap = sequence - self.last_sequence - 1
        # A number that goes back means a restarted publisher, or a repeated latched message.
        # Messages before the first one were sent before the subscription and are not lost.
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
    """Counts of an episode. The receiving thread writes, others read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: dict[str, _Tally] = {}

    def add_topic(self, topic: str, type_name: str, now_s: float) -> None:
        """Begin to count a topic; a known topic keeps its counts."""
        with self._lock:
            tally = self._tallies.setdefault(topic, _Tally(type_name))
            if not tally.history:
                tally.history.append((now_s, 0))

    def arrived(self, topic: str, size: int, sequence: int, taken: bool) -> None:
        """Count a message.

        Args:
            topic: The message's topic.
            size: Serialized size [byte].
            sequence: Publication sequence number; 0: unknown.
            taken: Whether the queue accepted it.
        """
        with self._lock:
            tally = self._tallies[topic]
            tally.arrived(size, sequence)
            tally.dropped += not taken

    def settle(self, written: Mapping[str, int]) -> None:
        """Count, at the end, received messages that were not written as dropped.

        Args:
            written: Number of written messages by topic.
        """
        with self._lock:
            for topic, tally in self._tallies.items():
                tally.dropped = max(tally.dropped, tally.received - written.get(topic, 0))

    @property
    def drops(self) -> int:
        """Number of messages of all topics that were received and not written."""
        with self._lock:
            return sum(tally.dropped for tally in self._tallies.values())

    def report(
        self, now_s: float, several: set[str], problems: dict[str, str]
    ) -> list[TopicReport]:
        """Report all topics by name, including those that only have a problem.

        Args:
            now_s: Monotonic time [s]. Rates are those of the last 3 s.
            several: Topics with several publishers, whose losses are unknown.
            problems: Topic -> problem, one clause.
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
