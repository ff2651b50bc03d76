"""Release poses: inside the basin, apart from other dishes, within reach."""

import numpy as np
import pytest
from fakes.scene import in_sink, observation_of

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.expert.grasps import hand_poses
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.placement import release_pose
from pi05_ros.sim.expert.recent_chunks import RecentChunks
from pi05_ros.sim.expert.state import Held
from pi05_ros.sim.expert.state_estimator import StateEstimator
from pi05_ros.sim.expert.transforms import Transform, on_floor
from pi05_ros.sim.expert.workplace import Workplace
from pi05_ros.sim.homes.kitchen import draw_kitchen

PLATFORM = load_platform("mobile_18dof")
CONFIG = ScriptedExpertConfig()
TOP = 1.12  # Height at which the hand comes over the sink [m].


@pytest.fixture(scope="module")
def kinematics():
    return ArmKinematics(PLATFORM)


def holding(kinematics, kitchen, item, moved):
    """The workplace, and a state in which the left hand holds `item` as it was grasped."""
    observation = observation_of(PLATFORM, kitchen, moved=moved)
    recent = RecentChunks(PLATFORM.period, PLATFORM.is_velocity, 0.0)
    running = recent.match(observation.commanded, observation.stamp_ns)
    robot = StateEstimator(kinematics, CONFIG).estimate(
        observation, observation.scene, kitchen, running
    )
    workplace = Workplace(kinematics, kitchen, CONFIG)
    T_odom_item = Transform.from_pose(item.pose)
    poses = hand_poses(item.grasp, T_odom_item, workplace.facing)
    grasp = min(poses, key=lambda pose: abs(np.sin(pose.yaw - workplace.facing)))
    robot.hands["left"].held = Held(item.name, grasp.transform.inverse() @ T_odom_item)
    return workplace, robot


@pytest.mark.parametrize("home", range(0, 40, 2))
def test_the_released_item_counts_as_in_the_sink(kinematics, home):
    kitchen = draw_kitchen(home)
    sink = kitchen.sink
    for item in kitchen.dishes:
        workplace, robot = holding(kinematics, kitchen, item, {})
        pose, stance = release_pose(workplace, robot, "left", item, kitchen.sink, TOP)
        released = pose.transform @ robot.hands["left"].held.T_tcp_item
        assert sink.contains(released.position)
        # The hand is inside the basin too, with room for its fingers.
        x, y, _ = sink.pose.local(pose.position)
        assert abs(x) < sink.size[0] / 2 - 0.03 and abs(y) < sink.size[1] / 2 - 0.03
        assert released.position[2] > sink.floor + 0.01


@pytest.mark.parametrize("home", range(0, 40, 2))
def test_the_hand_reaches_it(kinematics, home):
    kitchen = draw_kitchen(home)
    for item in kitchen.dishes:
        workplace, robot = holding(kinematics, kitchen, item, {})
        pose, stance = release_pose(workplace, robot, "left", item, kitchen.sink, TOP)
        target = on_floor(stance).inverse() @ pose.transform
        assert kinematics.solve("left", target, workplace.main.posture).reaches()


def test_it_keeps_away_from_what_lies_there(kinematics):
    kitchen = draw_kitchen(6)
    item, other = kitchen.dishes[0], kitchen.dishes[1]
    places = []
    for y in (-0.12, 0.12):
        moved = {other.name: in_sink(kitchen, 0.0, y)}
        workplace, robot = holding(kinematics, kitchen, item, moved)
        pose, stance = release_pose(workplace, robot, "left", item, kitchen.sink, TOP)
        released = pose.transform @ robot.hands["left"].held.T_tcp_item
        places.append(kitchen.sink.pose.local(released.position))
    gaps = [np.hypot(p[0], p[1] - y) for p, y in zip(places, (-0.12, 0.12), strict=True)]
    assert min(gaps) > 0.1


def test_it_stays_above_what_lies_below(kinematics):
    kitchen = draw_kitchen(6)
    item = kitchen.dishes[0]
    workplace, robot = holding(kinematics, kitchen, item, {})
    free = release_pose(workplace, robot, "left", item, kitchen.sink, TOP)[0].position[2]
    crowd = {d.name: in_sink(kitchen, 0.0, y) for d, y in zip(
        kitchen.dishes[1:], (-0.1, 0.0, 0.1), strict=True)}  # fmt: skip
    workplace, robot = holding(kinematics, kitchen, item, crowd)
    assert release_pose(workplace, robot, "left", item, kitchen.sink, TOP)[0].position[2] >= free
