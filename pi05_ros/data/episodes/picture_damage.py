"""Damage of an episode's compressed pictures, looked for while its bag is read.

A damaged picture is in no set on the live path, so it is no picture of the episode either: rows,
exports and reports have the one before it.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from pi05_ros.cameras.damage import damage_of

_AHEAD = 64  # Pictures that wait for a thread.


class PictureChecks:
    """Checks pictures in threads, in the order in which they are given; a context manager."""

    def __init__(self) -> None:
        # Pillow releases the GIL while it decodes.
        self._pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)), "damage")
        self._waiting: deque[Future[bool]] = deque()

    def __enter__(self) -> PictureChecks:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=kind is not None)

    def add(self, data: bytes) -> Future[bool]:
        """Check a picture; the result is True if it is damaged. Waits while many are waiting."""
        while len(self._waiting) >= _AHEAD:
            self._waiting.popleft().result()
        future = self._pool.submit(lambda: bool(damage_of(data)))
        self._waiting.append(future)
        return future
