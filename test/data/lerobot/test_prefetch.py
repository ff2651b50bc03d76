"""Prefetching: order, errors, and the end of the thread."""

import threading

import pytest

from pi05_ros.data.lerobot.prefetch import prefetch


def test_items_come_in_order():
    assert list(prefetch(range(100), depth=3)) == list(range(100))
    assert list(prefetch([])) == []


def test_at_most_depth_items_are_produced_in_advance():
    made, asked = [], threading.Event()

    def items():
        for number in range(50):
            made.append(number)
            if number == 5:
                asked.set()
            yield number

    stream = prefetch(items(), depth=4)
    assert next(stream) == 0
    assert asked.wait(10)  # One is consumed, four are queued, and one more is being queued.
    assert made == [0, 1, 2, 3, 4, 5]
    stream.close()


def test_an_error_is_raised_in_place_of_its_item():
    def items():
        yield 1
        raise KeyError("gone")

    stream = prefetch(items())
    assert next(stream) == 1
    with pytest.raises(KeyError, match="gone"):
        next(stream)


def test_closing_the_generator_ends_the_thread():
    before = set(threading.enumerate())
    stream = prefetch(iter(int, 1), depth=2)
    next(stream)
    (thread,) = set(threading.enumerate()) - before
    stream.close()
    assert not thread.is_alive()
