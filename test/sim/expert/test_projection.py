"""Boxes from the expert's kinematics against boxes from the simulator's cameras."""

import dataclasses

import numpy as np
import pytest

from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.cameras.rotation import to_upright
from pi05_ros.platforms.platform import load_platform, platform_names
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.projection import item_boxes, project
from pi05_ros.sim.expert.transforms import Transform, on_floor
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.projection import CameraGeometry
from pi05_ros.sim.world import World


@pytest.mark.parametrize("name", platform_names())
def test_boxes_are_where_the_simulator_sees_the_items(name):
    platform = load_platform(name)
    kinematics = ArmKinematics(platform)
    world = World(platform, 3)
    scene, snapshot = world.scene_state(), world.snapshot()
    geometry = CameraGeometry(platform)
    T_odom_base = on_floor(FloorPose(*world.base_pose()))
    compared = 0
    for item in world.room.dishes:
        boxes = item_boxes(
            kinematics,
            np.array(platform.home),
            T_odom_base,
            item,
            Transform.from_pose(scene.objects[item.name]),
            (224, 224),
        )
        by_camera = {box.camera: box for box in boxes}
        for camera in platform.planner_cameras:
            seen = geometry.object_boxes(snapshot, camera).get(item.name)
            box = by_camera.get(camera)
            assert (seen is None) == (box is None)
            if seen is None:
                continue
            compared += 1
            settings = platform.camera(camera)
            fit = Letterbox.fit(settings.width, settings.height, 224, 224)
            corners = [*fit.to_canvas(*seen[:2]), *fit.to_canvas(*seen[2:])]
            found = [box.x_min, box.y_min, box.x_max, box.y_max]
            np.testing.assert_allclose(found, corners, atol=0.005)
            assert box.label == item.label
    assert compared >= 2


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_boxes_of_a_turned_camera_are_in_the_upright_picture(turn):
    platform = load_platform("mobile_18dof")
    cameras = tuple(dataclasses.replace(c, rotate=turn) for c in platform.cameras)
    turned = dataclasses.replace(platform, cameras=cameras)
    world = World(platform, 3)
    scene, T_odom_base = world.scene_state(), on_floor(FloorPose(*world.base_pose()))
    compared = 0
    for item in world.room.dishes:
        pose = Transform.from_pose(scene.objects[item.name])
        straight, found = (
            {
                box.camera: box
                for box in item_boxes(
                    ArmKinematics(p), np.array(p.home), T_odom_base, item, pose, (224, 224)
                )
            }
            for p in (platform, turned)
        )
        for name in found.keys() & straight.keys():
            # Upright squares of 224: turning the square turns the letterboxed picture.
            box, seen = found[name], straight[name]
            corners = to_upright(
                np.array([(seen.x_min, seen.y_min), (seen.x_max, seen.y_max)]), turn
            )
            compared += 1
            np.testing.assert_allclose([box.x_min, box.y_min], corners.min(axis=0), atol=1e-9)
            np.testing.assert_allclose([box.x_max, box.y_max], corners.max(axis=0), atol=1e-9)
    assert compared >= 2


def test_a_point_straight_ahead_is_in_the_middle():
    camera = load_platform("mobile_18dof").camera("front")
    np.testing.assert_allclose(project(camera, np.array([[0.0, 0.0, 2.0]])), [[0.5, 0.5]])


def test_the_picture_ends_where_the_field_of_view_does():
    camera = load_platform("mobile_18dof").camera("front")
    edge = np.tan(np.radians(camera.fov_y_deg / 2))
    below = project(camera, np.array([[0.0, edge, 1.0]]))
    np.testing.assert_allclose(below, [[0.5, 1.0]])
    right = project(camera, np.array([[edge * camera.width / camera.height, 0.0, 1.0]]))
    np.testing.assert_allclose(right, [[1.0, 0.5]])


def test_what_is_behind_the_lens_is_not_projected():
    camera = load_platform("mobile_18dof").camera("front")
    assert project(camera, np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])) is None
