"""Times of one topic's messages: rate, gaps and lost messages."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

_STAMP = {1: struct.Struct("<iI"), 0: struct.Struct(">iI")}  # By the second byte of CDR data.


def header_stamp_ns(data: bytes) -> int:
    """Read the stamp of a message that begins with a std_msgs/Header, without decoding it [ns].

    Args:
        data: The message in CDR: four bytes of encapsulation, then seconds and nanoseconds.
    """
    seconds, nanoseconds = _STAMP[data[1] & 1].unpack_from(data, 4)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


@dataclass
class Series:
    """Times and sequence numbers of one topic, collected while a bag is read.

    Attributes:
        stamped: Whether the messages begin with a header; otherwise log times are used.
    """

    topic: str
    type: str
    stamped: bool
    log_ns: list[int] = field(default_factory=list)
    stamps_ns: list[int] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    byte_count: int = 0
    short: int = 0  # Messages that end within their header.

    def add(self, log_ns: int, sequence: int, data: bytes) -> None:
        """Add one message."""
        self.byte_count += len(data)
        self.log_ns.append(log_ns)
        self.sequences.append(sequence)
        if self.stamped:
            if len(data) < 12:
                self.short += 1
                return
            self.stamps_ns.append(header_stamp_ns(data))

    @property
    def count(self) -> int:
        """Number of messages."""
        return len(self.log_ns)

    @property
    def times_ns(self) -> np.ndarray:
        """Times of the messages, (N,) int64 [ns]: stamps where there are any, else log times."""
        stamps = np.array(self.stamps_ns, dtype=np.int64)
        return stamps if self.stamped and stamps.any() else np.array(self.log_ns, dtype=np.int64)

    @property
    def rate_hz(self) -> float:
        """Messages per second between the first and the last; NaN below two."""
        times = self.times_ns
        span = (times.max() - times.min()) * 1e-9 if len(times) > 1 else 0.0
        return (len(times) - 1) / span if span > 0 else float("nan")

    @property
    def lost(self) -> int | None:
        """Number of messages that are missing from the publisher's sequence.

        Returns:
            None where it is unknown: several publishers, one that restarted, or a recorder that
            kept no sequence numbers.
        """
        numbers = np.array(self.sequences, dtype=np.int64)
        if len(numbers) < 2 or not numbers.all() or (np.diff(numbers) <= 0).any():
            return None
        return int(numbers[-1] - numbers[0]) + 1 - len(numbers)

    def gaps(self, longest: float) -> np.ndarray:
        """Intervals between neighbours above `longest` [s], (n, 2) float64: start, length [s].

        The start is counted from the first message.
        """
        times = np.sort(self.times_ns)
        distances = np.diff(times) * 1e-9
        where = np.flatnonzero(distances > longest)
        return np.stack([(times[where] - times[:1]) * 1e-9, distances[where]], axis=1)

    def clock_offset(self) -> float:
        """Median of log time minus stamp [s]; NaN without stamps."""
        if not self.stamped or self.short or not self.stamps_ns:
            return float("nan")
        offsets = np.array(self.log_ns, dtype=np.int64) - np.array(self.stamps_ns, dtype=np.int64)
        return float(np.median(offsets)) * 1e-9
