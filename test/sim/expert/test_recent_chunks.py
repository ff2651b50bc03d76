"""Continuation of a recent chunk by the commands that are on their way."""

import numpy as np

from pi05_ros.sim.expert.recent_chunks import RecentChunks

PERIOD = 0.02
IS_VELOCITY = np.array([False, True])


def chunk(start=0.0):
    """Position rising by 0.02 a row from `start`, base velocity 0.3."""
    rows = np.full((50, 2), 0.3)
    rows[:, 0] = start + 0.02 * np.arange(50)
    return rows


def recent_chunks(latency=0.1):
    return RecentChunks(PERIOD, IS_VELOCITY, latency)


def test_without_a_past_nothing_is_assumed():
    running = recent_chunks().match(np.array([0.4, 0.2]), 0)
    np.testing.assert_array_equal(running.command, [0.4, 0.2])
    np.testing.assert_array_equal(running.rate, [0.0, 0.2])
    assert running.committed.shape == (0, 2)


def test_rows_from_the_stamp_to_the_latency_are_committed():
    past = recent_chunks()
    old = chunk()
    past.add(1_000_000_000, old)
    # At 1.4 s the command of row 19 has just been sent, and row 20 is next.
    running = past.match(old[19], 1_400_000_000)
    np.testing.assert_array_equal(running.command, old[19])
    np.testing.assert_allclose(running.rate, [1.0, 0.3])
    np.testing.assert_array_equal(running.committed, old[20:25])


def test_a_command_newer_than_the_stamp_starts_at_the_stamp():
    past = recent_chunks()
    old = chunk()
    past.add(1_000_000_000, old)
    running = past.match(old[22], 1_400_000_000)  # Three rows newer.
    np.testing.assert_array_equal(running.command, old[19])
    np.testing.assert_array_equal(running.committed, old[20:28])


def test_the_chunk_that_was_really_sent_counts_not_the_one_that_was_lost():
    past = recent_chunks()
    sent, lost = chunk(), chunk(start=0.5)
    past.add(1_000_000_000, sent)
    past.add(1_200_000_000, lost)
    running = past.match(sent[19], 1_400_000_000)
    np.testing.assert_array_equal(running.committed, sent[20:25])


def test_what_was_made_of_a_chunk_takes_its_place():
    past = recent_chunks()
    past.add(1_000_000_000, chunk())
    sent = chunk(start=0.5)
    past.replace(1_000_000_000, sent)
    np.testing.assert_array_equal(past.match(sent[19], 1_400_000_000).committed, sent[20:25])
    np.testing.assert_array_equal(
        past.match(chunk()[19], 1_400_000_000).committed, np.empty((0, 2))
    )
    past.replace(1_200_000_000, chunk(start=1.0))  # Of another observation: it comes besides.
    np.testing.assert_array_equal(past.match(sent[19], 1_400_000_000).committed, sent[20:25])


def test_a_robot_that_stopped_does_not_go_on():
    past = recent_chunks()
    past.add(1_000_000_000, chunk())
    # Row 5 is still the last command long after its time: somebody holds the robot.
    running = past.match(chunk()[5], 1_600_000_000)
    assert len(running.committed) == 0
    assert running.rate[0] == 0.0


def test_a_command_beside_a_row_is_led_back_to_the_chunk():
    past = recent_chunks()
    old = chunk()
    past.add(1_000_000_000, old)
    # The bridge fades from the motion before: 0.05 beside row 19, which has just been due.
    beside = np.array([0.05, 0.0])
    running = past.match(old[19] + beside, 1_400_000_000)
    np.testing.assert_allclose(running.command, old[19] + beside)
    np.testing.assert_allclose(running.rate, [1.0, 0.3])
    left = (running.committed - old[20:25])[:, 0] / 0.05
    np.testing.assert_allclose(left, np.exp(-np.arange(1, 6) * PERIOD / 0.2))
    np.testing.assert_array_equal(running.committed[:, 1], old[20:25, 1])


def test_a_command_far_from_every_row_stands_alone():
    past = recent_chunks()
    past.add(1_000_000_000, chunk())
    running = past.match(chunk()[19] + [0.25, 0.0], 1_400_000_000)
    assert len(running.committed) == 0 and running.rate[0] == 0.0


def test_where_all_rows_are_alike_time_decides():
    past = recent_chunks()
    still = np.zeros((50, 2))
    still[:, 1] = np.minimum(0.3, 0.03 * np.arange(50))
    past.add(0, still)
    running = past.match(still[29], 600_000_000)
    np.testing.assert_array_equal(running.committed, still[30:35])


def test_clearing_forgets():
    past = recent_chunks()
    past.add(0, chunk())
    past.clear()
    assert len(past.match(chunk()[0], 20_000_000).committed) == 0
