"""Detection of chunks without motion and of robots without progress."""

import numpy as np
import pytest

from pi05_ros.planning.motion import ProgressMonitor, stands_still
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
HOME = PLATFORM.home
S = 1_000_000_000


def chunk(name: str = "", change: float = 0.0, row: int = 49) -> np.ndarray:
    """Fifty rows at home, where one entry is off in one row."""
    actions = np.tile(HOME, (50, 1))
    if name:
        actions[row, PLATFORM.index(name)] += change
    return actions


@pytest.mark.parametrize(
    ("name", "little", "enough"),
    [
        ("left_arm_joint_3", 0.019, 0.021),
        ("left_gripper", -0.04, -0.06),
        ("torso_lift", 0.004, 0.006),
        ("base_vx", -0.009, -0.011),
        ("base_wz", 0.019, 0.021),
    ],
)
@pytest.mark.parametrize("row", [0, 20, 49])
def test_each_unit_has_its_own_least_motion(name, little, enough, row):
    assert stands_still(chunk(), HOME, PLATFORM)
    assert stands_still(chunk(name, little, row), HOME, PLATFORM)
    assert not stands_still(chunk(name, enough, row), HOME, PLATFORM)


def test_it_is_measured_against_what_is_commanded():
    away = HOME.copy()
    away[0] += 0.3
    assert not stands_still(chunk(), away, PLATFORM)  # The chunk leads back home.


def test_a_base_that_is_commanded_to_drive_on_does_not_stand():
    driving = HOME.copy()
    driving[PLATFORM.index("base_vx")] = 0.3
    assert not stands_still(np.tile(driving, (50, 1)), driving, PLATFORM)
    assert stands_still(chunk(), driving, PLATFORM)  # It comes to rest.


def watched(states, step: float = 0.02) -> ProgressMonitor:
    watch = ProgressMonitor(PLATFORM)
    for k, state in enumerate(states):
        watch.add(S + round(k * step * S), np.asarray(state))
    return watch


def test_a_robot_that_stands_is_idle():
    assert watched([HOME] * 101).idle == pytest.approx(2.0)


def test_noise_is_no_progress_and_slow_motion_is():
    rng = np.random.default_rng(0)
    noise = HOME + rng.uniform(-0.01, 0.01, (201, PLATFORM.size))
    assert watched(noise).idle == pytest.approx(4.0)
    slow = np.tile(HOME, (201, 1))
    slow[:, 0] += np.arange(201) * 0.02 * 0.05  # 0.05 rad/s
    assert watched(slow).idle < 0.7


def test_a_base_progresses_by_its_way_whatever_its_speed():
    driving = np.tile(HOME, (201, 1))
    driving[:, PLATFORM.index("base_vx")] = 0.05
    assert watched(driving).idle < 0.5
    shaking = np.tile(HOME, (201, 1))
    shaking[:, PLATFORM.index("base_vx")] = 0.05 * (-1.0) ** np.arange(201)
    assert watched(shaking).idle == pytest.approx(4.0)


def test_a_gap_and_a_jump_back_begin_anew():
    watch = watched([HOME] * 101)
    watch.add(10 * S, HOME)
    assert watch.idle == 0.0
    watch.add(10 * S + S // 10, HOME)
    assert watch.idle == pytest.approx(0.1)
    watch.add(5 * S, HOME)
    assert watch.idle == 0.0
    watch.reset()
    assert watch.idle == 0.0
