"""What has arrived and is not written yet: bounded in bytes, and never in anybody's way."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple


class Message(NamedTuple):
    """One serialized message. (A tuple: hundreds a second are made.)"""

    topic: str
    data: bytes
    log_ns: int  # Arrival, by the node's clock.
    publish_ns: int  # DDS source time, by the system's clock.
    sequence: int  # Publication sequence number of its publisher; 0: unknown.


@dataclass(frozen=True)
class QueueLimits:
    """How much may wait for the disk."""

    total_bytes: int = 256 << 20
    # Kept free for small messages: when the disk is slow, pictures go first, and what is left
    # holds minutes of everything else.
    small_reserve_bytes: int = 32 << 20
    large_bytes: int = 32 << 10  # From this size on a message is large (a picture).
    overhead_bytes: int = 200  # What a waiting message costs beside its data.

    def __post_init__(self) -> None:
        if not 0 < self.small_reserve_bytes < self.total_bytes:
            raise ValueError("small_reserve_bytes must lie between 0 and total_bytes")
        if self.large_bytes < 1:
            raise ValueError(f"large_bytes: wanted 1 or more, found {self.large_bytes}")


class WritingQueue:
    """First in, first out, between one thread that listens and one that writes.

    `put` never waits: a message that finds no room is not taken.
    """

    def __init__(self, limits: QueueLimits | None = None) -> None:
        self.limits = limits or QueueLimits()
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def bytes(self) -> int:
        """What waits [byte], overhead included."""
        return self._bytes

    def put(self, message: Message) -> bool:
        """Takes a message. False: there is no room for it, or nobody writes any more."""
        limits = self.limits
        size = len(message.data) + limits.overhead_bytes
        room = limits.total_bytes
        if len(message.data) >= limits.large_bytes:
            room -= limits.small_reserve_bytes
        with self._changed:
            # One that is larger than all the room still passes when nothing else waits.
            if self._closed or (self._bytes + size > room and self._waiting):
                return False
            self._waiting.append(message)
            self._bytes += size
            self._changed.notify()
        return True

    def take(self, at_most_bytes: int, timeout_s: float) -> list[Message]:
        """The oldest messages, at least one if any waits.

        Args:
            at_most_bytes: After so many bytes no further message is taken.
            timeout_s: At most so long to wait for the first [s].
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
        """Takes no more, and forgets what is still waiting."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._bytes = 0
