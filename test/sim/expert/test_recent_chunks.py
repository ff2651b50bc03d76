"""A new chunk goes on from the rows of the old one that are on their way."""

import numpy as np

from pi05_ros.sim.expert.memory import ChunkMemory

PERIOD = 0.02
IS_VELOCITY = np.array([False, True])


def chunk(start=0.0):
    """Position rising by 0.02 a row from `start`, base velocity 0.3."""
    rows = np.full((50, 2), 0.3)
    rows[:, 0] = start + 0.02 * np.arange(50)
    return rows


def memory(latency=0.1):
    return ChunkMemory(PERIOD, IS_VELOCITY, latency)


def test_without_a_past_nothing_is_assumed():
    running = memory().running(np.array([0.4, 0.2]), 0)
    np.testing.assert_array_equal(running.command, [0.4, 0.2])
    np.testing.assert_array_equal(running.rate, [0.0, 0.2])
    assert running.committed.shape == (0, 2)


def test_rows_from_the_stamp_to_the_latency_are_committed():
    past = memory()
    old = chunk()
    past.add(1_000_000_000, old)
    # At 1.4 s the command of row 19 has just been sent, and row 20 is next.
    running = past.running(old[19], 1_400_000_000)
    np.testing.assert_array_equal(running.command, old[19])
    np.testing.assert_allclose(running.rate, [1.0, 0.3])
    np.testing.assert_array_equal(running.committed, old[20:25])


def test_a_command_newer_than_the_stamp_starts_at_the_stamp():
    past = memory()
    old = chunk()
    past.add(1_000_000_000, old)
    running = past.running(old[22], 1_400_000_000)  # Three rows newer.
    np.testing.assert_array_equal(running.command, old[19])
    np.testing.assert_array_equal(running.committed, old[20:28])


def test_the_chunk_that_was_really_sent_counts_not_the_one_that_was_lost():
    past = memory()
    sent, lost = chunk(), chunk(start=0.5)
    past.add(1_000_000_000, sent)
    past.add(1_200_000_000, lost)
    running = past.running(sent[19], 1_400_000_000)
    np.testing.assert_array_equal(running.committed, sent[20:25])


def test_what_was_made_of_a_chunk_takes_its_place():
    past = memory()
    past.add(1_000_000_000, chunk())
    sent = chunk(start=0.5)
    past.replace(1_000_000_000, sent)
    np.testing.assert_array_equal(past.running(sent[19], 1_400_000_000).committed, sent[20:25])
    np.testing.assert_array_equal(
        past.running(chunk()[19], 1_400_000_000).committed, np.empty((0, 2))
    )
    past.replace(1_200_000_000, chunk(start=1.0))  # Of another observation: it comes besides.
    np.testing.assert_array_equal(past.running(sent[19], 1_400_000_000).committed, sent[20:25])


def test_a_robot_that_stopped_does_not_go_on():
    past = memory()
    past.add(1_000_000_000, chunk())
    # Row 5 is still the last command long after its time: somebody holds the robot.
    running = past.running(chunk()[5], 1_600_000_000)
    assert len(running.committed) == 0
    assert running.rate[0] == 0.0


def test_where_all_rows_are_alike_time_decides():
    past = memory()
    still = np.zeros((50, 2))
    still[:, 1] = np.minimum(0.3, 0.03 * np.arange(50))
    past.add(0, still)
    running = past.running(still[29], 600_000_000)
    np.testing.assert_array_equal(running.committed, still[30:35])


def test_clearing_forgets():
    past = memory()
    past.add(0, chunk())
    past.clear()
    assert len(past.running(chunk()[0], 20_000_000).committed) == 0
