"""Rates, losses and drops."""

import pytest

from pi05_ros.recording.tallies import UNKNOWN, Tallies


def tallies(*sequences, taken=True):
    found = Tallies()
    found.add_topic("/x", "a/msg/A", 0.0)
    for sequence in sequences:
        found.arrived("/x", 10, sequence, taken)
    return found


def report(found, now=1.0, several=(), problems=None):
    return {r.name: r for r in found.report(now, set(several), problems or {})}


def test_gaps_in_the_numbers_are_losses():
    topic = report(tallies(1, 2, 5, 6, 10))["/x"]
    assert topic.lost == 2 + 3
    assert (topic.message_count, topic.byte_count, topic.dropped) == (5, 50, 0)


def test_messages_before_the_subscription_are_not_lost():
    assert report(tallies(7001, 7002))["/x"].lost == 0


def test_a_restarted_publisher_loses_nothing():
    assert report(tallies(8, 9, 1, 2, 4))["/x"].lost == 1


def test_a_repeated_latched_message_is_no_loss():
    assert report(tallies(5, 5, 6))["/x"].lost == 0


def test_losses_are_unknown_for_several_publishers_or_without_numbers():
    assert report(tallies(1, 9), several=["/x"])["/x"].lost == UNKNOWN
    assert report(tallies(1, 0, 9))["/x"].lost == UNKNOWN


def test_a_topic_without_messages_has_no_known_loss():
    assert report(tallies())["/x"].lost == 0


def test_drops_are_counted_and_are_no_losses():
    found = tallies(1, 2, 3, taken=False)
    assert report(found)["/x"].dropped == found.drops == 3
    assert report(found)["/x"].lost == 0
    assert report(found)["/x"].message_count == 3


def test_messages_not_written_at_the_end_count_as_dropped():
    found = tallies(1, 2, 3)
    found.settle({"/x": 1})
    assert report(found)["/x"].dropped == 2
    found.settle({"/x": 3})
    assert report(found)["/x"].dropped == 2


def test_rates_are_of_the_last_seconds():
    found = tallies()
    rates = []
    for second in range(1, 9):
        for _ in range(10 if second < 5 else 0):
            found.arrived("/x", 1, 1, True)
        rates.append(report(found, float(second))["/x"].rate)
    assert rates[:4] == pytest.approx([10, 10, 10, 10])
    assert rates[-1] == 0.0


def test_a_late_topics_rate_counts_from_its_beginning():
    found = tallies()
    found.add_topic("/late", "a/msg/A", 100.0)
    for _ in range(50):
        found.arrived("/late", 1, 1, True)
    assert report(found, 101.0)["/late"].rate == pytest.approx(50)


def test_topics_with_a_problem_are_listed_by_name_with_it():
    found = report(tallies(1), problems={"/x": "odd", "/a": "nobody publishes it"})
    assert list(found) == ["/a", "/x"]
    assert found["/x"].problem == "odd"
    assert (found["/a"].problem, found["/a"].message_count) == ("nobody publishes it", 0)
