"""A chunk that begins elsewhere is taken in smoothly, within the limits."""

import numpy as np
import pytest
from fakes.bridge_robot import JOINT, PLATFORM, TICK, Robot, at_home
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.control.blend import Blend

HOME = PLATFORM.home
ARM = slice(0, 6)


def faded(offset, ticks=200):
    """The offsets (ticks, D) of a blend that begins `offset` (D,) away."""
    blend = Blend(PLATFORM)
    blend.begin(HOME + offset, HOME, 0)
    return np.array([blend.offset(k * TICK) for k in range(ticks)])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1e-5, 0.01, 0.1, 1.0]))
def test_an_offset_fades_to_nothing_within_half_of_the_limits(seed, scale):
    span = PLATFORM.upper - PLATFORM.lower
    offset = np.random.default_rng(seed).uniform(-scale, scale, PLATFORM.size) * span
    offsets = faded(offset, 1500)
    blends = np.array([d.unit in ("rad", "m") for d in PLATFORM.dimensions])
    np.testing.assert_allclose(offsets[0][blends], offset[blends])
    assert not offsets[:, ~blends].any()  # Grippers and base are taken as they come.
    np.testing.assert_allclose(offsets[-1], 0.0, atol=1e-12)
    speeds = np.abs(np.diff(offsets, axis=0)) / 0.02
    assert (speeds <= 0.5 * PLATFORM.max_velocity + 1e-9).all()
    changes = np.abs(np.diff(offsets, n=2, axis=0)) / 0.02**2
    assert (changes <= 0.5 * PLATFORM.max_acceleration + 1e-6).all()
    assert (np.diff(np.abs(offsets), axis=0) <= 1e-12).all()


def test_joints_of_a_group_fade_together_and_groups_on_their_own():
    offset = np.zeros(PLATFORM.size)
    offset[0], offset[1], offset[7] = 1.0, 0.01, 0.01
    offsets = faded(offset)
    np.testing.assert_allclose(offsets[:, 1], offsets[:, 0] * 0.01, atol=1e-12)
    assert offsets[20, 7] == 0.0 < offsets[20, 1]


def test_it_lasts_no_longer_than_half_of_the_limits_need():
    offset = np.zeros(PLATFORM.size)
    offset[JOINT] = 1.0
    offsets = faded(offset)[:, JOINT]
    speed = np.abs(np.diff(offsets)).max() / 0.02
    assert speed == pytest.approx(0.5 * PLATFORM.max_velocity[JOINT], rel=0.01)
    small = np.zeros(PLATFORM.size)
    small[JOINT] = 0.01
    change = np.abs(np.diff(faded(small)[:, JOINT], n=2)).max() / 0.02**2
    # Sampled at 50 Hz a fade of a few ticks does not show its greatest curvature.
    assert 0.25 < change / PLATFORM.max_acceleration[JOINT] <= 0.5


@pytest.mark.parametrize("every", [3, 5, 20])
def test_chunks_that_come_often_do_not_keep_a_target_away(every):
    """Each chunk wants the same place, 0.8 rad from where the robot stood at the first."""
    goal = np.zeros(PLATFORM.size)
    goal[JOINT] = 0.8
    once = faded(-goal)[:, JOINT]
    blend = Blend(PLATFORM)
    before = command = np.zeros(PLATFORM.size)
    commands = []
    for tick in range(200):
        if tick % every == 0:
            blend.begin(command + (command - before), goal, tick * TICK)
        before, command = command, goal + blend.offset(tick * TICK)
        commands.append(command[JOINT])
    # As if there had been one chunk, but for what a straight line ahead is off by.
    np.testing.assert_allclose(commands, 0.8 + once, atol=0.05)
    assert commands[-1] == pytest.approx(0.8, abs=1e-6)


def test_a_later_seam_fades_beside_an_earlier_one():
    first, second = np.zeros(PLATFORM.size), np.zeros(PLATFORM.size)
    first[JOINT], second[JOINT] = 0.5, -0.2
    blend = Blend(PLATFORM)
    blend.begin(HOME + first, HOME, 0)
    seam = blend.offset(10 * TICK)
    blend.begin(HOME + seam + second, HOME, 10 * TICK)
    both = [blend.offset((10 + k) * TICK)[JOINT] for k in range(100)]
    apart = faded(first)[10:110, JOINT] + faded(second)[:100, JOINT]
    np.testing.assert_allclose(both, apart, atol=1e-12)


def test_time_that_steps_back_does_not_make_it_grow():
    blend = Blend(PLATFORM)
    offset = np.zeros(PLATFORM.size)
    offset[JOINT] = 0.3
    blend.begin(HOME + offset, HOME, 10 * TICK)
    assert blend.offset(0)[JOINT] == pytest.approx(0.3)
    blend.clear()
    assert not blend.offset(11 * TICK).any()


def test_a_chunk_that_begins_elsewhere_is_reached_smoothly_through_the_bridge():
    robot = Robot().armed()
    robot.body.follows = True
    rows = at_home(100, left_arm_joint_1=0.5)
    robot.give_rows(rows)
    path = [robot.tick().command[JOINT] for _ in range(90)]
    steps = np.diff([0.0, *path]) / 0.02
    assert np.abs(steps).max() <= 0.5 * PLATFORM.max_velocity[JOINT] + 1e-6
    assert path[-1] == pytest.approx(0.5, abs=1e-6)
    assert robot.bridge.motion.limiting == 0.0


def test_a_chunk_that_goes_on_as_before_is_not_delayed():
    """At the seam the command moves on with the chunk: no tick stands still."""
    robot = Robot().armed()
    robot.body.follows = True
    course = 0.2 * np.sin(np.arange(200) * 0.02) ** 2
    robot.give_rows(at_home(200, left_arm_joint_1=course))
    robot.tick(50)
    rest = at_home(100, left_arm_joint_1=course[50:150])
    robot.give_rows(rest)
    path = [robot.tick().command[JOINT] for _ in range(20)]
    np.testing.assert_allclose(path, course[51:71], atol=1e-4)  # It curves.
