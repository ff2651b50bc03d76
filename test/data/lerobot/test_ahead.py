"""Work done ahead: order, errors, and an end of the thread."""

import threading

import pytest

from pi05_ros.data.lerobot.ahead import ahead


def test_everything_comes_in_order():
    assert list(ahead(range(100), depth=3)) == list(range(100))
    assert list(ahead([])) == []


def test_no_more_than_the_depth_is_made_ahead():
    made, asked = [], threading.Event()

    def items():
        for number in range(50):
            made.append(number)
            if number == 5:
                asked.set()
            yield number

    stream = ahead(items(), depth=4)
    assert next(stream) == 0
    assert asked.wait(10)  # One is out, four wait, and one more is in the hand.
    assert made == [0, 1, 2, 3, 4, 5]
    stream.close()


def test_an_error_comes_where_its_item_would_have():
    def items():
        yield 1
        raise KeyError("gone")

    stream = ahead(items())
    assert next(stream) == 1
    with pytest.raises(KeyError, match="gone"):
        next(stream)


def test_leaving_early_ends_the_thread():
    before = set(threading.enumerate())
    stream = ahead(iter(int, 1), depth=2)
    next(stream)
    (thread,) = set(threading.enumerate()) - before
    stream.close()
    assert not thread.is_alive()
