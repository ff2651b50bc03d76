"""Who gets the lock first."""

import threading

import pytest

from pi05_ros.inference.priority_lock import PriorityLock

WAIT_S = 10.0


def waiting(lock: PriorityLock, order: list[str], name: str, urgent: bool) -> threading.Thread:
    """A thread that waits for the lock, notes its name and lets go."""

    def run() -> None:
        with lock.hold(urgent=urgent):
            order.append(name)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def until(condition) -> None:
    """Waits until the condition holds."""
    pause = threading.Event()
    for _ in range(int(WAIT_S / 0.005)):
        if condition():
            return
        pause.wait(0.005)
    raise TimeoutError


def test_the_urgent_go_first():
    lock, order = PriorityLock(), []
    with lock.hold(urgent=False):
        threads = [waiting(lock, order, "patient", urgent=False)]
        until(lambda: len(lock._changed._waiters) == 1)
        threads.append(waiting(lock, order, "urgent", urgent=True))
        until(lambda: len(lock._changed._waiters) == 2)
    for thread in threads:
        thread.join(WAIT_S)
    assert order == ["urgent", "patient"]


def test_a_patient_holder_gives_way_to_the_urgent_only():
    lock, order = PriorityLock(), []
    with lock.hold(urgent=False):
        lock.give_way()  # Nobody waits: nothing happens.
        threads = [waiting(lock, order, "patient", urgent=False)]
        until(lambda: len(lock._changed._waiters) == 1)
        lock.give_way()
        order.append("holder")
        threads.append(waiting(lock, order, "urgent", urgent=True))
        until(lambda: len(lock._changed._waiters) == 2)
        lock.give_way()
        order.append("holder again")
    for thread in threads:
        thread.join(WAIT_S)
    # The patient one that was let in with the urgent one may come before the holder's return.
    assert order[:2] == ["holder", "urgent"]
    assert sorted(order[2:]) == ["holder again", "patient"]


def test_an_error_releases_the_lock():
    lock = PriorityLock()
    with pytest.raises(KeyError), lock.hold(urgent=True):
        raise KeyError
    with lock.hold(urgent=False):
        pass
