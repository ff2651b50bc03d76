"""Brings a file's data to the disk once in a while, in a thread: a disk may take seconds."""

from __future__ import annotations

import threading
from collections import deque

from pi05_ros.data.bags.sink import FileSink


class BackgroundSync:
    """One thread that calls fdatasync. A request while one is under way is not queued twice.

    Stop it by `stop`; it is a daemon, so that a process that fails elsewhere can end.
    """

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._wanted: deque[tuple[FileSink, bool]] = deque()  # and whether to close it then
        self._stopping = False
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._work, name="bag-sync", daemon=True)
        self._thread.start()

    def request(self, sink: FileSink) -> None:
        """The sink's data should reach the disk soon."""
        with self._wake:
            if not any(waiting is sink for waiting, _ in self._wanted):
                self._wanted.append((sink, False))
                self._wake.notify()

    def retire(self, sink: FileSink) -> None:
        """The sink is written to the end: it is synced once more, and closed."""
        with self._wake:
            self._wanted.append((sink, True))
            self._wake.notify()

    def check(self) -> None:
        """Raises the OSError that a sync ended with, once."""
        with self._wake:
            failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def stop(self) -> None:
        """Returns when all that was asked for is done. `check` tells how it went."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._wanted and not self._stopping:
                    self._wake.wait()
                if not self._wanted:
                    return
                sink, closes = self._wanted[0]
            try:
                sink.sync()
            except OSError as error:
                with self._wake:
                    self._failure = error
            if closes:
                sink.close()
            with self._wake:
                self._wanted.popleft()
