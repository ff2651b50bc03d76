"""Sites of a bedroom: which one, from where, and on which way."""

import numpy as np
import pytest
from fakes.scene import observation_of

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.expert.grasps import HandPose, hand_poses
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.recent_chunks import RecentChunks
from pi05_ros.sim.expert.state_estimator import StateEstimator
from pi05_ros.sim.expert.transforms import Transform
from pi05_ros.sim.expert.workplace import Workplace
from pi05_ros.sim.homes.bedroom import draw_bedroom
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.kitchen import draw_kitchen

PLATFORM = load_platform("mobile_18dof")
CONFIG = ScriptedExpertConfig()


@pytest.fixture(scope="module")
def kinematics():
    return ArmKinematics(PLATFORM)


def robot_at(kinematics, room, x, y, **scene):
    """The robot with its base at x, y [m] in the frame of the main surface."""
    pose = room.surfaces[0].pose.compose(FloorPose(x, y, 0.0))
    observation = observation_of(PLATFORM, room, base=(pose.x, pose.y, pose.yaw), **scene)
    recent = RecentChunks(PLATFORM.period, PLATFORM.is_velocity, 0.0)
    running = recent.match(observation.commanded, observation.stamp_ns)
    estimator = StateEstimator(kinematics, CONFIG)
    return estimator.estimate(observation, observation.scene, room, running)


def local(room, pose):
    return room.surfaces[0].pose.local((pose.x, pose.y)).round(6).tolist()


def test_the_site_follows_from_where_a_thing_is_now(kinematics):
    room, kitchen = draw_bedroom(0), draw_kitchen(0)
    place = Workplace(kinematics, room, CONFIG)
    (garment,), pillow = room.laundry, room.pillows[0]
    assert place.site_at(np.array(garment.position)) is place.floor
    assert place.site_at(np.array(pillow.position)) is place.main
    assert place.site_at(np.array([*pillow.position[:2], 0.02])) is place.floor
    assert place.site_of(room.container("basket")) is place.floor
    place = Workplace(kinematics, kitchen, CONFIG)
    x, y = kitchen.sink.pose.x, kitchen.sink.pose.y
    assert place.site_at(np.array([x, y, kitchen.sink.floor])) is place.main
    assert place.site_of(kitchen.sink) is place.main


def test_hands_keep_one_height_where_the_torso_stays(kinematics):
    place = Workplace(kinematics, draw_bedroom(0), CONFIG)
    assert place.main.pass_height == place.floor.pass_height
    assert place.main.pass_height > place.room.bed.height + 0.1
    place = Workplace(kinematics, draw_kitchen(0), CONFIG)
    assert place.floor.pass_height < place.main.height < place.main.pass_height


def test_on_the_floor_the_base_stands_behind_the_thing(kinematics):
    room = draw_bedroom(3)
    place = Workplace(kinematics, room, CONFIG)
    garment = np.array(room.laundry[0].position)
    far = room.surfaces[0].pose.compose(FloorPose(-2.0, 0.0, 0.0))
    for side, y in place.floor.shoulder_y.items():
        stance = local(room, place.floor.stance(garment, side, far))
        thing = room.surfaces[0].pose.local(garment)
        assert stance[0] == pytest.approx(thing[0] - CONFIG.floor_reach)
        assert abs(stance[1] + y - thing[1]) <= CONFIG.side_reach + 1e-6


def test_the_base_backs_out_before_it_drives_along_the_bed(kinematics):
    room = draw_bedroom(0)
    place = Workplace(kinematics, room, CONFIG)
    foot = -room.head * (room.bed.length / 2 + 0.4)
    goal = place.main.at(-0.34, 0.0)
    away = {room.laundry[0].name: room.surfaces[0].pose.point((-2.0, 0.0, 0.0))}
    # Beside the bed, with its front edge behind the robot's: first straight back.
    robot = robot_at(kinematics, room, 0.05, foot, moved=away)
    line = -CONFIG.footprint[0] - CONFIG.gap
    assert local(room, place.obstacles.waypoint(robot, goal)) == pytest.approx([line, foot])
    # On that line, along the bed; in front of it, straight to the goal.
    robot = robot_at(kinematics, room, line, foot, moved=away)
    assert local(room, place.obstacles.waypoint(robot, goal)) == pytest.approx([-0.34, 0.0])
    # Back beside the bed it goes in only where it has room.
    robot = robot_at(kinematics, room, -0.34, 0.0, moved=away)
    beside = place.main.at(0.05, foot)
    assert local(room, place.obstacles.waypoint(robot, beside)) == pytest.approx([line, foot])


def test_it_drives_around_what_lies_in_the_aisle(kinematics):
    room = draw_bedroom(0)
    place = Workplace(kinematics, room, CONFIG)
    garment = room.laundry[0]
    lying = room.surfaces[0].pose.point((-0.5, 0.0, 0.0))
    robot = robot_at(kinematics, room, -0.34, -0.8, moved={garment.name: lying})
    x, y = local(room, place.obstacles.waypoint(robot, place.main.at(-0.34, 0.8)))
    clear = 0.5 + garment.design.footprint + CONFIG.footprint[0] + CONFIG.gap
    assert (x, y) == pytest.approx((-clear, -0.8))


def test_retracted_arms_stay_clear_of_the_headboard(kinematics):
    room = draw_bedroom(0)
    place = Workplace(kinematics, room, CONFIG)
    end = room.head * room.bed.length / 2
    assert place.main.is_free(place.main.at(-0.34, end - room.head * 0.5))
    assert not place.main.is_free(place.main.at(-0.34, end - room.head * 0.1))


@pytest.mark.parametrize("name", ["mobile_18dof", "mobile_19dof"])
def test_all_places_of_a_bedroom_are_reached(name):
    kinematics = ArmKinematics(load_platform(name))
    for home in range(10020, 10024):
        room = draw_bedroom(home)
        place = Workplace(kinematics, room, CONFIG)
        base = room.surfaces[0].pose.compose(FloorPose(-1.0, 0.0, 0.0))
        wanted = {}
        for item in (*room.laundry, *room.pillows):
            for pose in hand_poses(item.grasp, Transform.from_pose(item.pose), place.facing):
                wanted.setdefault(item.name, []).append(pose)
        for pillow_place in room.pillow_places:
            x, y = pillow_place.point(room.pillows[0].grasp.point[:2])
            target = HandPose(np.array([x, y, room.bed.height + 0.08]), place.facing)
            wanted[f"{pillow_place}"] = [target]
        for thing, poses in wanted.items():
            site = place.site_at(poses[0].position)
            top = site.pass_height + 0.07
            assert any(
                site.reaches(s, pose, top, site.reaching_stance(s, pose, top, base))
                for pose in poses
                for s in site.shoulder_y
            ), f"{thing} of home {home}"
