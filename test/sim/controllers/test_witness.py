"""The witness counts what was really sent."""

import math

import numpy as np
import pytest

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.controllers.spline import JointPoint
from pi05_ros.sim.controllers.trajectory import JointTrajectory
from pi05_ros.sim.controllers.witness import GroupWitness

TICK = 0.02
MS = 1_000_000
PLATFORM = load_platform("mobile_18dof")
GROUPS = {group.name: group for group in PLATFORM.groups}
ARM = GROUPS["left_arm"]
JOINTS = tuple(d.joint_name for d in ARM.dimensions)
HOME = np.array([d.home for d in ARM.dimensions])


def witness(name="left_arm"):
    return GroupWitness(GROUPS[name], TICK)


def message(*points, names=JOINTS, stamp_ns=0):
    """Points are (time in ms, positions)."""
    return JointTrajectory(
        stamp_ns, tuple(names), tuple(JointPoint(t * MS, np.array(p, float)) for t, p in points)
    )


def moved(joint, by):
    """The home pose with one joint moved."""
    pose = HOME.copy()
    pose[joint] += by
    return pose


def test_ticks_count_from_the_first_command():
    w = witness()
    for _ in range(5):
        w.end_tick(HOME)
    assert (w.ticks, w.ticks_missed) == (0, 0)
    arrivals = [1, 1, 0, 2, 0, 0, 0, 1, 0]
    for count in arrivals:
        for _ in range(count):
            w.trajectory(message((20, HOME)), HOME)
        w.end_tick(HOME)
    assert w.commands == 5
    assert (w.ticks, w.ticks_missed) == (9, 5)
    assert w.longest_gap == 3
    assert w.ticks_since_command == 1


def test_a_reset_begins_the_stream_anew_and_forgets_no_count():
    w = witness()
    w.trajectory(message((20, HOME)), HOME)
    w.end_tick(HOME)
    w.end_tick(HOME)
    w.begin_anew()
    for _ in range(10):
        w.end_tick(moved(0, 2.0))  # The robot was put elsewhere: no jump of a drive.
    assert (w.commands, w.ticks, w.ticks_missed) == (1, 2, 1)
    assert not w.faults


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        (message((20, moved(0, math.nan))), "not_finite"),
        (message((20, HOME), (40, moved(3, math.inf))), "not_finite"),
        (message((2000, moved(0, 2.41))), "position_limit"),
        (message((2000, moved(2, 0.31))), "position_limit"),
        (message((20, HOME), (40, moved(0, 1.02 * 1.8 * TICK))), "velocity_limit"),
        (message((20, moved(0, 1.02 * 1.8 * TICK))), "reach_limit"),
        (message((0, moved(0, 1e-3))), "reach_limit"),
    ],
)
def test_faults_of_trajectories(sent, fault):
    w = witness()
    w.trajectory(sent, HOME)
    assert dict(w.faults) == {fault: 1}
    assert w.last_fault.startswith(f"{fault}: left_arm_joint_")
    assert w.commands == 1


@pytest.mark.parametrize(
    "sent",
    [
        message((20, HOME)),
        message((0, HOME)),
        message((2000, moved(0, 2.4))),
        message((20, moved(0, 1.8 * TICK)), (40, moved(0, 3.6 * TICK))),
        message((20, np.flip(HOME)), names=JOINTS[::-1]),
        message(),  # What makes no sense is the controller's to reject.
        message((20, [1.0])),
        message((20, HOME), names=("x",) * 6),
    ],
)
def test_no_fault(sent):
    w = witness()
    w.trajectory(sent, HOME)
    assert not w.faults


def test_float32_rounding_is_no_fault():
    w = witness()
    for limit in (2.4, -2.4):
        w.trajectory(message((5000, np.float32(moved(0, limit)))), HOME)
    assert not w.faults


def test_set_points_that_jump():
    w = witness()
    for step in (1.0, 0.99, 1.02, 3.0):
        w.end_tick(HOME)
        w.end_tick(moved(0, step * 1.8 * TICK))
        w._set_point = None
    assert w.faults == {"set_point_jump": 2}


def test_gripper_goals():
    w = witness("left_gripper")
    for positions in ([0.0], [0.04], [], [0.0, 0.0]):
        w.gripper(positions)
    assert not w.faults
    w.gripper([0.041])
    w.gripper([-0.001])
    w.gripper([math.nan])
    assert w.faults == {"position_limit": 2, "not_finite": 1}
    w.end_tick(np.array([0.04]))
    w.end_tick(np.array([0.0]))  # A gripper's set-point may step.
    assert "set_point_jump" not in w.faults
    assert w.ticks == 0  # Goals come when something changes; there is no stream to miss.


def test_base_commands():
    w = witness("base")
    w.twist((0.5, -0.5, 1.0))
    assert not w.faults
    w.twist((0.51, 0.0, 0.0))
    w.twist((0.0, 0.0, -1.02))
    assert w.last_fault == "velocity_limit: base_wz at 1.02, limit 1"
    w.twist((math.nan, 0.0, 0.0))
    assert w.faults == {"velocity_limit": 2, "not_finite": 1}


def test_a_differential_base_is_commanded_without_vy():
    group = load_platform("mobile_10dof").groups[-1]
    w = GroupWitness(group, 0.02)
    w.twist((0.5, 0.0, -1.0))
    assert not w.faults
    w.twist((0.5, 0.1, 0.0))
    assert w.faults == {"velocity_limit": 1}
    assert w.last_fault == "velocity_limit: vy at 0.1, a differential base has none"
    w.twist((0.0, 0.0, 1.2))
    assert w.last_fault == "velocity_limit: base_wz at 1.2, limit 1"


def test_rejections_keep_the_last_reason():
    w = witness()
    w.rejection("no points")
    w.rejection("point 0 has effort")
    assert w.faults == {"rejected": 2}
    assert w.last_rejection == "point 0 has effort"
