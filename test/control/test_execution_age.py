"""A chunk is executed up to an age of its observation, whatever its horizon."""

import numpy as np
import pytest
from fakes.bridge_robot import BASE, TICK, Robot, at_home

from pi05_ros.chunking.execution_age import executable_rows
from pi05_ros.control.chunk import ChunkRejected
from pi05_ros.control.modes import Mode

LONG = at_home(rows=1000, base_vx=0.3)  # 20 s.


@pytest.mark.parametrize(
    ("lead_s", "age_s", "rows"),
    # The last row k is executed until (k + 1/2) periods after row 0.
    [(0.0, 1.2, 60), (0.5, 1.2, 35), (0.0, 0.1, 5), (1.2, 1.2, 0), (3.0, 1.2, 0)],
)
def test_rows_within_an_age(lead_s, age_s, rows):
    assert executable_rows(lead_s, 0.02, age_s) == rows


def run_out(robot):
    """Tick to the first hold; return the time since the observation [s] and the distance [m]."""
    stamp, distance = robot.now, 0.0
    for _ in range(200):
        tick = robot.tick()
        if tick.mode is Mode.HOLDING:
            return (robot.now - stamp) * 1e-9, distance
        distance += tick.command[BASE] * 0.02
    raise AssertionError("it never held")


def test_a_chunk_of_twenty_seconds_ends_with_its_observation():
    robot = Robot().armed()
    robot.give_rows(LONG)
    seconds, distance = run_out(robot)
    assert seconds == pytest.approx(1.2) and 0.2 < distance < 0.3  # It was 20 s and 5.9 m.
    tick = robot.tick()
    assert tick.command[BASE] == 0.0 and tick.target is None
    assert tick.reason == (
        "the last chunk's observation is 1.2 s old and no new chunk arrived: check the policy"
    )
    assert robot.bridge.counts["rows_too_old"] == 940
    assert not robot.bridge.is_idle  # An ERROR in /diagnostics.


def test_the_base_is_at_rest_when_the_age_is_reached():
    robot = Robot().armed()
    robot.give_rows(LONG)
    speeds = [robot.tick().command[BASE] for _ in range(60)]
    assert max(speeds) == pytest.approx(0.3, abs=1e-6)
    assert speeds[-1] == pytest.approx(0.0, abs=0.02)


def test_the_age_counts_from_the_observation_not_from_the_first_row():
    robot = Robot().armed()
    robot.tick(25)
    robot.give_rows(LONG, stamp_ns=robot.now - 20 * TICK, start_ns=robot.now)  # As in mode sync.
    seconds, _ = run_out(robot)
    assert seconds == pytest.approx(0.8)


def test_a_newer_chunk_continues_a_cut_one():
    robot = Robot().armed()
    for _ in range(4):
        robot.give_rows(LONG)
        assert robot.tick(50).mode is Mode.RUNNING


def test_todays_chunks_are_executed_to_their_last_row():
    robot = Robot().armed()
    robot.give_rows(at_home(base_vx=0.3))
    ticks = [robot.tick() for _ in range(51)]
    assert [tick.mode for tick in ticks] == [Mode.RUNNING] * 49 + [Mode.HOLDING] * 2
    assert robot.bridge.counts["rows_too_old"] == 0
    assert ticks[-1].reason == "the last chunk has ended and no new one arrived"


def test_a_chunk_without_a_row_of_that_age_is_rejected():
    robot = Robot(chunk_max_age_s=2.0).armed()
    robot.tick(75)
    with pytest.raises(ChunkRejected, match="the limit of execution is 1.2 s") as caught:
        robot.give_rows(LONG, stamp_ns=robot.now - 70 * TICK, start_ns=robot.now)
    assert caught.value.rule == "age"


def test_an_age_of_nothing_is_refused():
    with pytest.raises(ValueError, match="above 0 s"):
        Robot(max_execution_age_s=0.0)


def test_every_row_of_a_long_chunk_is_still_checked():
    robot = Robot().armed()
    rows = np.array(LONG)
    rows[900, 0] = 99.0
    with pytest.raises(ChunkRejected) as caught:
        robot.give_rows(rows)
    assert caught.value.rule == "limits"
