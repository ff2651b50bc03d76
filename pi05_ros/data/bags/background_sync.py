"""A thread that syncs files to the disk, since one fdatasync may take seconds."""

from __future__ import annotations

import threading
from collections import deque

from pi05_ros.data.bags.sink import FileSink


class BackgroundSync:
    """A thread that calls fdatasync; a file that is already queued is not queued again.

    Stop it with `stop`. The thread is a daemon, so that a process that fails elsewhere can end.
    """

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._wanted: deque[tuple[FileSink, bool]] = deque()  # and whether to close it afterwards
        self._stopping = False
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._work, name="bag-sync", daemon=True)
        self._thread.start()

    def request(self, sink: FileSink) -> None:
        """Sync the sink's data to the disk soon."""
        with self._wake:
            if not any(waiting is sink for waiting, _ in self._wanted):
                self._wanted.append((sink, False))
                self._wake.notify()

    def retire(self, sink: FileSink) -> None:
        """Sync a sink that is written to its end once more, then close it."""
        with self._wake:
            self._wanted.append((sink, True))
            self._wake.notify()

    def check(self) -> None:
        """Raise the OSError of a failed sync, once."""
        with self._wake:
            failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def stop(self) -> None:
        """Finish all requests and stop the thread; `check` raises their error."""
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
