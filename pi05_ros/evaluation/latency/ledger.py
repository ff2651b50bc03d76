"""The timing of a chunk: its ledger, joined with its first execution. No ROS, no bags."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import Any

from pi05_ros.errors import Pi05Error

# A chunk that was published so shortly before the last state may still be executed [ns].
_STILL_OPEN_NS = 500_000_000
# Stamps before the year 2000 are a simulator's, no wall time [ns].
_CONTROL_TELEOP = 2  # pi05_msgs/RobotState.CONTROL_TELEOP
_YEAR_2000_NS = 946_684_800 * 1_000_000_000


class LatencyError(Pi05Error):
    """A source holds no latencies: no chunks, no ledgers, or those of several suites."""


@dataclass(frozen=True)
class ChunkRecord:
    """Timing of one ActionChunk. Stamps in ns of ROS time; None: unknown."""

    session: int
    sequence: int
    capture_ns: int
    ingestion_ns: int | None
    arrival_ns: int | None
    start_ns: int | None
    publication_ns: int | None  # None: the chunk carries no ledger.
    waited: float  # [s], as the next three
    vision: float
    prefix: float
    flow: float


@dataclass(frozen=True)
class StateRecord:
    """The part of a RobotState about execution."""

    session: int
    stamp_ns: int
    chunk_capture_ns: int | None  # Of the chunk that is followed; None: none.
    chunk_sequence: int
    commanded_ns: int | None
    by_operator: bool = False  # An operator drives: the chunk that is followed is not a policy's.


@dataclass(frozen=True)
class TimedChunk:
    """A chunk and its first execution."""

    chunk: ChunkRecord
    executed_ns: int | None  # Stamp of its first command; None: never, or unknown.
    is_open: bool  # Published too shortly before the end of the log to know.


class LatencyLog:
    """Joins chunks with the states that follow them, in any order of arrival."""

    def __init__(self) -> None:
        self.state_count = 0
        self.simulated = False  # Whether stamps are simulated time.
        self._chunks: dict[tuple[int, int, int], ChunkRecord] = {}
        self._executed: dict[tuple[int, int, int], int] = {}
        self._last_state_ns = 0
        self._operator_ns: list[int] = []  # Stamps of states while an operator drove.

    @property
    def chunk_count(self) -> int:
        """Number of chunks so far."""
        return len(self._chunks)

    def add_chunk(self, chunk: ChunkRecord) -> None:
        """Add a chunk; the same one again changes nothing."""
        self._chunks.setdefault((chunk.session, chunk.capture_ns, chunk.sequence), chunk)
        if chunk.capture_ns < _YEAR_2000_NS:
            self.simulated = True

    def add_state(self, state: StateRecord) -> None:
        """Add a state."""
        self.state_count += 1
        self._last_state_ns = max(self._last_state_ns, state.stamp_ns)
        if state.by_operator:
            self._operator_ns.append(state.stamp_ns)
            return
        if state.chunk_capture_ns is None or state.commanded_ns is None:
            return
        key = (state.session, state.chunk_capture_ns, state.chunk_sequence)
        self._executed[key] = min(state.commanded_ns, self._executed.get(key, state.commanded_ns))

    def chunks(self) -> list[TimedChunk]:
        """All chunks with a ledger, by time of publication.

        Those that waited for an operator are left out: their execution is no latency.
        """
        return self._divided()[0]

    def overridden(self) -> int:
        """Number of chunks that waited for an operator, or were never executed because of one."""
        return self._divided()[1]

    def without_ledger(self) -> int:
        """Number of chunks without a ledger."""
        return sum(chunk.publication_ns is None for chunk in self._chunks.values())

    def _divided(self) -> tuple[list[TimedChunk], int]:
        """Return the chunks that count, and how many an operator overrode."""
        found, overridden, driven = [], 0, sorted(self._operator_ns)
        for key, chunk in self._chunks.items():
            if chunk.publication_ns is None:
                continue
            executed = self._executed.get(key)
            until = chunk.publication_ns + _STILL_OPEN_NS if executed is None else executed
            if _any_within(driven, chunk.publication_ns, until):
                overridden += 1
                continue
            is_recent = chunk.publication_ns + _STILL_OPEN_NS > self._last_state_ns
            found.append(TimedChunk(chunk, executed, executed is None and is_recent))
        return sorted(found, key=lambda timed: timed.chunk.publication_ns or 0), overridden


def chunk_record(message: Any) -> ChunkRecord:
    """Convert an ActionChunk from ROS or from a bag; one of an old suite has no field `ledger`."""
    ledger = getattr(message, "ledger", None)
    stamp_ns = _ns(message.header.stamp) or 0
    if ledger is None:
        nothing = (None, None, None, None, 0.0, 0.0, 0.0, 0.0)
        return ChunkRecord(message.session, message.sequence, stamp_ns, *nothing)
    return ChunkRecord(
        session=message.session,
        sequence=message.sequence,
        capture_ns=stamp_ns,
        ingestion_ns=_ns(ledger.ingestion),
        arrival_ns=_ns(ledger.arrival),
        start_ns=_ns(ledger.start),
        publication_ns=_ns(ledger.publication),
        waited=ledger.waited,
        vision=ledger.vision,
        prefix=ledger.prefix,
        flow=ledger.flow,
    )


def state_record(message: Any) -> StateRecord:
    """Convert a RobotState; one of an old suite does not name the chunk that it follows."""
    stamp_ns = _ns(message.header.stamp) or 0
    if not hasattr(message, "chunk_stamp"):
        return StateRecord(message.session, stamp_ns, None, 0, None)
    by_operator = getattr(message, "control_source", 0) == _CONTROL_TELEOP
    return StateRecord(
        message.session,
        stamp_ns,
        _ns(message.chunk_stamp),
        message.chunk_sequence,
        _ns(message.commanded_stamp),
        by_operator,
    )


def _any_within(stamps: list[int], first: int, last: int) -> bool:
    """Check whether any of the ascending stamps lies from `first` to `last`."""
    index = bisect.bisect_left(stamps, first)
    return index < len(stamps) and stamps[index] <= last


def _ns(stamp: Any) -> int | None:
    """A builtin_interfaces/Time in ns; None where it is zero."""
    return stamp.sec * 1_000_000_000 + stamp.nanosec or None
