"""Syncs in a thread, and the errors that they end with."""

import errno
import threading

import pytest

from pi05_ros.data.bags.background_sync import BackgroundSync


class Sink:
    """A file whose sync waits until the test releases it."""

    def __init__(self, failure=None):
        self.failure = failure
        self.syncs = 0
        self.closed = False
        self.go = threading.Event()
        self.begun = threading.Event()

    def sync(self):
        self.begun.set()
        assert self.go.wait(10)
        assert not self.closed
        self.syncs += 1
        if self.failure:
            raise self.failure

    def close(self):
        self.closed = True


def test_the_caller_does_not_wait_and_requests_do_not_pile_up():
    sync, sink = BackgroundSync(), Sink()
    for _ in range(50):
        sync.request(sink)  # returns, though the first is under way
    assert sink.begun.wait(10)
    sink.go.set()
    sync.stop()
    assert sink.syncs == 1


def test_a_file_that_is_retired_is_synced_before_it_is_closed():
    sync, sink = BackgroundSync(), Sink()
    sync.request(sink)
    sync.retire(sink)
    sink.go.set()
    sync.stop()
    assert (sink.syncs, sink.closed) == (2, True)


def test_a_failure_is_raised_once():
    sync, sink = BackgroundSync(), Sink(OSError(errno.EIO, "broken"))
    sink.go.set()
    sync.request(sink)
    sync.stop()
    with pytest.raises(OSError, match="broken"):
        sync.check()
    sync.check()


def test_stopping_twice_and_without_work_does_nothing():
    sync = BackgroundSync()
    sync.stop()
    sync.stop()
    sync.check()
