"""A chunk sampled in time: between its rows, at its ends, and where the base slows down."""

import numpy as np
import pytest
from fakes.bridge_robot import BASE, JOINT, PLATFORM, START, at_home
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.control.chunk import AcceptedChunk
from pi05_ros.control.limiter import Limiter
from pi05_ros.control.stream import ChunkStream

MS = 1_000_000
COURSE = np.linspace(0.0, 0.98, 50) ** 2  # Curved, so that every row differs.


def stream(rows=50, **changes):
    made = ChunkStream(PLATFORM)
    actions = at_home(rows, left_arm_joint_1=COURSE[:rows], base_vx=0.4)
    made.replace(AcceptedChunk(START - 60 * MS, START, 1, 0, actions, 0))
    return made


def at(made, ms):
    """The target `ms` after row 0 was due; the robot was headed for row 0, so nothing blends."""
    made.target(START, PLATFORM.home)
    return made.target(START + round(ms * MS), PLATFORM.home)


@pytest.mark.parametrize("row", [0, 1, 17, 48, 49])
def test_a_row_is_met_at_its_time(row):
    target = at(stream(), 20 * row)
    assert target.row == row and target.chunk.start_ns == START
    assert target.values[JOINT] == pytest.approx(COURSE[row], abs=1e-12)


@pytest.mark.parametrize(("row", "weight"), [(0, 0.25), (7, 0.5), (48, 0.75)])
def test_between_two_rows_it_is_interpolated(row, weight):
    target = at(stream(), 20 * (row + weight))
    wanted = (1 - weight) * COURSE[row] + weight * COURSE[row + 1]
    assert target.row == pytest.approx(row + weight)
    assert target.values[JOINT] == pytest.approx(wanted, abs=1e-12)


def test_half_a_period_before_and_behind_it_still_belongs_to_it():
    assert at(stream(), -10.1) is None
    assert at(stream(), -9.9).row == 0.0
    assert at(stream(), 49 * 20 + 9.9).row == 49.0
    assert at(stream(), 49 * 20 + 10.1) is None
    assert at(stream(rows=1), 0).values[JOINT] == COURSE[0]


def test_the_base_slows_down_in_a_fifth_of_a_second_and_stands_a_row_before_the_end():
    made = stream()
    end = 48 * 20
    for left, share in ((220, 1.0), (200, 1.0), (150, 0.75), (100, 0.5), (20, 0.1), (0, 0.0)):
        assert at(made, end - left).values[BASE] == pytest.approx(0.4 * share)
    assert at(made, end + 10).values[BASE] == at(made, end + 20).values[BASE] == 0.0


def test_only_a_new_chunk_is_blended_in_and_clearing_forgets_it():
    made = stream()
    coasting = PLATFORM.home.copy()
    coasting[JOINT] = 0.3
    blended = made.target(START, coasting)
    assert blended.values[JOINT] == pytest.approx(0.3)
    coasting[JOINT] = 9.0  # It only counts when a chunk is new.
    later = made.target(START + 400 * MS, coasting)
    assert later.values[JOINT] < 0.5
    made.clear()
    assert made.chunk is None and made.target(START, coasting) is None


def test_a_fresh_stream_has_nothing():
    assert ChunkStream(PLATFORM).target(START, PLATFORM.home) is None


@pytest.mark.parametrize("every", [1, 2, 3, 4, 5, 7, 20])
def test_however_often_chunks_come_a_far_target_is_reached_and_not_passed(every):
    """The robot starts in motion, away from the one place that all chunks want."""
    limiter = Limiter(PLATFORM)
    limiter.reset(PLATFORM.home)
    for tick in range(10):
        limiter.step(at_home(1, left_arm_joint_1=-0.02 * tick)[0])
    made = ChunkStream(PLATFORM)
    commands = []
    for tick in range(150):
        now = START + 20 * MS * tick
        if tick % every == 0:
            actions = at_home(50, left_arm_joint_1=0.5)
            made.replace(AcceptedChunk(now, now, tick + 1, 0, actions, 0))
        commands.append(limiter.step(made.target(now, limiter.coasting).values).values[JOINT])
    assert commands[-1] == pytest.approx(0.5, abs=1e-3)
    # It brakes from 1 rad/s at half of its limit, and does not swing over.
    assert min(commands) > -0.5 and max(commands) < 0.55


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), longest=st.sampled_from([2, 4, 8, 30]))
def test_chunks_at_any_times_for_any_places_never_carry_a_joint_away(seed, longest):
    """Places within ±0.5 rad, changed with every chunk; then chunks that all want one place."""
    rng = np.random.default_rng(seed)
    limiter = Limiter(PLATFORM)
    limiter.reset(PLATFORM.home)
    made, commands, due, sequence = ChunkStream(PLATFORM), [], 0, 0
    for tick in range(400):
        now = START + 20 * MS * tick
        if tick == due:
            place = rng.uniform(-0.5, 0.5) if tick < 150 else 0.3
            sequence += 1
            actions = at_home(50, left_arm_joint_1=place)
            made.replace(AcceptedChunk(now, now, sequence, 0, actions, 0))
            due = tick + int(rng.integers(1, longest))
        commands.append(limiter.step(made.target(now, limiter.coasting).values).values[JOINT])
    assert commands[-1] == pytest.approx(0.3, abs=1e-3)
    assert np.abs(commands).max() < 0.8
