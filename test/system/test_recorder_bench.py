"""Losses of a bag, of topics whose messages are all known."""

import pytest

pytest.importorskip("rclpy")

from system.known_topics import Sent
from system.recorder_bench import lost_before

S = 1_000_000_000


def sent(*seconds):
    return Sent(1.0, [round(s * S) for s in seconds])


def test_a_bag_with_everything_lacks_nothing():
    assert lost_before([1, 2, 3], sent(1, 2, 3), 4 * S) == (0, 0.0)


def test_what_came_before_the_recorder_listened_is_not_missing():
    assert lost_before([2, 3], sent(1, 2, 3), 4 * S) == (0, 0.0)


def test_the_oldest_that_is_missing_at_the_end_says_how_much_is_lost():
    inside, lost = lost_before([1, 2], sent(1, 2, 3, 3.5), 4 * S)
    assert (inside, lost) == (0, pytest.approx(1.0))


def test_what_was_sent_after_the_moment_is_not_missing():
    assert lost_before([1, 2], sent(1, 2, 5), 4 * S) == (0, 0.0)


def test_gaps_between_messages_are_counted():
    assert lost_before([1, 4], sent(1, 2, 3, 4), 5 * S) == (2, 0.0)
