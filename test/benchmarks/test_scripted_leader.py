"""The scripted leader: what it publishes is what the node teleop reads."""

import numpy as np
import pytest

pytest.importorskip("rclpy")

import scripted_leader

from pi05_ros.nodes.teleop.inputs import _joints
from pi05_ros.platforms.platform import load_platform
from pi05_ros.teleop.leader import LeaderDevice
from pi05_ros.teleop.robot_view import RobotView


@pytest.mark.parametrize("name", ["mobile_18dof", "mobile_19dof"])
def test_a_pose_and_the_switch_arrive_as_they_were_sent(name):
    platform = load_platform(name)
    (leader,) = (each for each in platform.teleop.leaders if each.name == scripted_leader.NAME)
    device = LeaderDevice(platform, leader)
    rng = np.random.default_rng(0)
    vector = rng.uniform(platform.lower, platform.upper)
    view = RobotView(1, vector, vector, 1, 1, True, False, False)
    for held in (False, True):
        message = scripted_leader.joint_states(platform, leader, vector, held)
        device.add(leader.topics[0].topic, _joints(message), 10**9)
        assert device.status(10**9).held is held
    np.testing.assert_allclose(device.targets(np.zeros(platform.size), view), vector)
