"""Order in which the lock is acquired."""

import threading

import pytest

from pi05_ros.inference.priority_lock import PriorityLock

WAIT_S = 10.0


def waiting(lock: PriorityLock, order: list[str], name: str, urgent: bool) -> threading.Thread:
    """A thread that acquires the lock, appends its name and releases it."""

    def run() -> None:
        with lock.hold(urgent=urgent):
            order.append(name)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def until(condition) -> None:
    """Wait until the condition holds."""
    pause = threading.Event()
    for _ in range(int(WAIT_S / 0.005)):
        if condition():
            return
        pause.wait(0.005)
    raise TimeoutError


def test_urgent_threads_go_first():
    lock, order = PriorityLock(), []
    with lock.hold(urgent=False):
        threads = [waiting(lock, order, "normal", urgent=False)]
        until(lambda: len(lock._changed._waiters) == 1)
        threads.append(waiting(lock, order, "urgent", urgent=True))
        until(lambda: len(lock._changed._waiters) == 2)
    for thread in threads:
        thread.join(WAIT_S)
    assert order == ["urgent", "normal"]


def test_a_holder_yields_to_urgent_threads_only():
    lock, order = PriorityLock(), []
    with lock.hold(urgent=False):
        lock.yield_to_urgent()  # No thread waits: no effect.
        threads = [waiting(lock, order, "normal", urgent=False)]
        until(lambda: len(lock._changed._waiters) == 1)
        lock.yield_to_urgent()
        order.append("holder")
        threads.append(waiting(lock, order, "urgent", urgent=True))
        until(lambda: len(lock._changed._waiters) == 2)
        lock.yield_to_urgent()
        order.append("holder again")
    for thread in threads:
        thread.join(WAIT_S)
    # The other thread, woken with the urgent one, may run before the holder.
    assert order[:2] == ["holder", "urgent"]
    assert sorted(order[2:]) == ["holder again", "normal"]


def test_an_error_releases_the_lock():
    lock = PriorityLock()
    with pytest.raises(KeyError), lock.hold(urgent=True):
        raise KeyError
    with lock.hold(urgent=False):
        pass
