"""All controllers of a platform on a robot that follows commands at once."""

import math

import numpy as np
import pytest

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.controllers.manager import ControllerManager, ManagerConfig
from pi05_ros.sim.controllers.spline import JointPoint
from pi05_ros.sim.controllers.trajectory import JointTrajectory

MS = 1_000_000


class PerfectRobot:
    """Robot with every joint of a platform, at its home pose; it follows commands at once."""

    def __init__(self, platform):
        self.positions = {}
        for group in platform.groups:
            for d in group.dimensions:
                span = group.joint_open - group.joint_closed
                gripper = group.kind == "parallel_gripper"
                self.positions[d.joint_name] = (
                    group.joint_closed + d.home * span if gripper else d.home
                )
        self.base = None

    def joint_positions(self):
        return dict(self.positions)

    def joint_velocities(self):
        return dict.fromkeys(self.positions, 0.0)

    def set_joint_commands(self, positions):
        assert all(math.isfinite(p) for p in positions.values())
        self.positions.update(positions)

    def set_base_command(self, vx, vy, wz):
        assert all(map(math.isfinite, (vx, vy, wz)))
        self.base = (vx, vy, wz)


class Loop:
    def __init__(self, name="mobile_18dof"):
        self.platform = load_platform(name)
        self.robot = PerfectRobot(self.platform)
        self.manager = ControllerManager(self.platform, self.robot, ManagerConfig(), 0.02)
        self.now = 1_000 * MS

    def run(self, ticks=1):
        for _ in range(ticks):
            for _ in range(2):
                self.manager.update(self.now)
                self.now += self.manager.period_ns
            self.manager.end_tick()

    def send(self, controller, *positions):
        arm = self.manager.arms[controller]
        point = JointPoint(20 * MS, np.array(positions, dtype=np.float64))
        arm.set_trajectory(JointTrajectory(0, arm.config.joints, (point,)), self.now)


@pytest.mark.parametrize("name", ["mobile_18dof", "mobile_19dof"])
def test_every_group_has_a_controller_and_holds_its_home_pose(name):
    loop = Loop(name)
    before = loop.robot.joint_positions()
    loop.run(10)
    assert loop.robot.positions == before
    assert loop.robot.base == (0.0, 0.0, 0.0)
    controllers = {*loop.manager.arms, *loop.manager.grippers, *loop.manager.bases}
    assert controllers == {group.controller.name for group in loop.platform.groups}


def test_each_controller_moves_its_own_joints():
    loop = Loop()
    before = loop.robot.joint_positions()
    loop.send("torso_controller", 0.3)
    loop.manager.grippers["right_gripper_controller"].start_goal("a", [0.01], loop.now)
    loop.manager.bases["base_controller"].set_command(0, (0.1, 0.2, 0.3), loop.now)
    loop.run()
    changed = {j: p for j, p in loop.robot.positions.items() if p != before[j]}
    assert changed == {"torso_lift": pytest.approx(0.3), "right_gripper_joint": 0.01}
    assert loop.robot.base == (0.1, 0.2, 0.3)


def test_a_set_point_that_is_not_finite_is_refused_and_counted():
    loop = Loop()
    loop.send("torso_controller", 0.3)
    loop.run(2)
    loop.send("torso_controller", math.nan)
    loop.run(2)
    assert loop.robot.positions["torso_lift"] == pytest.approx(0.3)
    assert loop.manager.not_finite_set_points == 4  # One joint, two ticks of two cycles.
    loop.send("torso_controller", 0.31)
    loop.run(2)
    assert loop.robot.positions["torso_lift"] == pytest.approx(0.31)


def test_drives_stop_at_the_joint_limits():
    loop = Loop()
    loop.send("torso_controller", 1e9)
    loop.manager.grippers["left_gripper_controller"].start_goal("a", [-5.0], loop.now)
    loop.run(2)
    assert loop.robot.positions["torso_lift"] == 0.5
    assert loop.robot.positions["left_gripper_joint"] == 0.0


def test_reset_holds_the_new_pose_and_ends_goals():
    loop = Loop()
    arm = loop.manager.arms["torso_controller"]
    point = JointPoint(5_000 * MS, np.array([0.5]))
    arm.start_goal("a", JointTrajectory(0, ("torso_lift",), (point,)), loop.now)
    gripper = loop.manager.grippers["left_gripper_controller"]
    loop.manager.bases["base_controller"].set_command(0, (0.1, 0.0, 0.0), loop.now)
    loop.run(2)
    gripper.start_goal("b", [0.0], loop.now)
    loop.robot.positions["torso_lift"] = 0.1
    loop.robot.positions["left_gripper_joint"] = 0.03
    loop.manager.reset(loop.now)
    loop.run(5)
    assert loop.robot.positions["torso_lift"] == 0.1
    assert loop.robot.positions["left_gripper_joint"] == 0.03
    assert loop.robot.base == (0.0, 0.0, 0.0)
    assert [(r.goal, r.outcome) for r in arm.take_results()] == [("a", "aborted")]
    assert [(r.goal, r.outcome) for r in gripper.take_results()] == [("b", "aborted")]


def test_ticks_are_witnessed():
    loop = Loop()
    witness = loop.manager.witnesses["torso_controller"]
    for position in (0.255, 0.26, 0.4):  # Home is 0.25, 0.005 m a tick is the limit.
        loop.send("torso_controller", position)
        loop.run()
    assert witness.faults == {"set_point_jump": 1}
