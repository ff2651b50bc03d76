"""The queue of received messages that are not written yet, bounded in bytes."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple


class Message(NamedTuple):
    """One serialized message; a tuple, since hundreds are made each second."""

    topic: str
    data: bytes
    log_ns: int  # Time of reception, node's clock [ns].
    publish_ns: int  # DDS source time, system clock [ns].
    sequence: int  # Publication sequence number of its publisher; 0: unknown.


@dataclass(frozen=True)
class QueueLimits:
    """Limits of the queue."""

    total_bytes: int = 256 << 20
    # Reserved for small messages: on a slow disk pictures are dropped first, and the reserve holds
    # minutes of everything else.
    small_reserve_bytes: int = 32 << 20
    large_bytes: int = 32 << 10  # Size from which on a message is large (a picture).
    overhead_bytes: int = 200  # Memory of a queued message beside its data.

    def __post_init__(self) -> None:
        if not 0 < self.small_reserve_bytes < self.total_bytes:
            raise ValueError("small_reserve_bytes must lie between 0 and total_bytes")
        if self.large_bytes < 1:
            raise ValueError(f"large_bytes: wanted 1 or more, found {self.large_bytes}")


class WritingQueue:
    """A FIFO between one receiving and one writing thread.

    `put` never waits: a message for which there is no space is refused.

    Args:
        limits: The limits.
    """

    def __init__(self, limits: QueueLimits | None = None) -> None:
        self.limits = limits or QueueLimits()
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def bytes(self) -> int:
        """Size of the queued messages with their overhead [byte]."""
        return self._bytes

    def put(self, message: Message) -> bool:
        """Add a message. False: there is no space, or the queue is closed."""
        limits = self.limits
        size = len(message.data) + limits.overhead_bytes
        room = limits.total_bytes
        if len(message.data) >= limits.large_bytes:
            room -= limits.small_reserve_bytes
        with self._changed:
            # A message larger than the limit is accepted into an empty queue.
            if self._closed or (self._bytes + size > room and self._waiting):
                return False
            self._waiting.append(message)
            self._bytes += size
            self._changed.notify()
        return True

    def take(self, at_most_bytes: int, timeout_s: float) -> list[Message]:
        """Remove the oldest messages, at least one if there is any.

        Args:
            at_most_bytes: Size after which no further message is taken [byte].
            timeout_s: Timeout for the first message [s].
        """
        taken: list[Message] = []
        size = 0
        with self._changed:
            if not self._waiting and timeout_s > 0:
                self._changed.wait(timeout_s)
            while self._waiting and size < at_most_bytes:
                message = self._waiting.popleft()
                size += len(message.data) + self.limits.overhead_bytes
                taken.append(message)
            self._bytes -= size
        return taken

    def close(self) -> None:
        """Refuse further messages, and discard the queued ones."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._bytes = 0
