"""Light, cameras and sensors that differ from ideal ones: by home, by time, by nothing else."""

import dataclasses
import math

import numpy as np
import pytest

from pi05_ros.evaluation.world_robot import WorldRobot
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.homes.difficulty import IDEAL, PRESETS, Difficulty
from pi05_ros.sim.picture_effects import PictureEffects
from pi05_ros.sim.sensors import Sensors
from pi05_ros.sim.world import World

PLATFORM = load_platform("mobile_18dof")
HOME = 10003


def world_at(text: str, home: int = HOME) -> World:
    return World(PLATFORM, home, difficulty=Difficulty.parse(text))


def test_an_ideal_home_is_the_one_without_a_difficulty():
    world = world_at("ideal")
    plain = World(PLATFORM, HOME)
    assert world.room == plain.room
    for name in ("cam_pos", "cam_quat", "light_dir", "light_diffuse", "light_castshadow"):
        assert (getattr(world.model, name) == getattr(plain.model, name)).all(), name
    picture = np.arange(256 * 3, dtype=np.uint8).reshape(16, 16, 3)
    assert PictureEffects(PLATFORM, HOME, IDEAL).apply("front", 1.0, picture) is picture
    measured = Sensors(world).measure()
    assert measured.positions == world.joint_positions()
    assert measured.twist == world.base_velocity()


def test_cameras_are_displaced_within_the_stated_limits():
    plain, world = world_at("ideal"), world_at("ideal,camera_shift=0.005,camera_turn=0.02")
    shift = world.model.cam_pos - plain.model.cam_pos
    assert 0.001 < np.abs(shift).max() <= 0.01 and (np.abs(shift).max(axis=1) > 0).all()
    cosine = np.abs((world.model.cam_quat * plain.model.cam_quat).sum(axis=1))
    turn = 2 * np.arccos(np.clip(cosine, 0, 1))
    assert (turn > 1e-3).all() and turn.max() <= math.sqrt(3) * 0.04
    again = world_at("hard,camera_shift=0.005,camera_turn=0.02")
    assert (again.model.cam_pos == world.model.cam_pos).all(), "whatever the other fields are"
    assert (world_at("ideal,camera_shift=0.005", 7).model.cam_pos != world.model.cam_pos).any()


def test_light_changes_within_the_stated_limits():
    plain, world = world_at("ideal"), world_at("ideal,light=0.2,light_color=0.1,light_turn=0.3")
    ratio = world.model.light_diffuse[0] / plain.model.light_diffuse[0]
    assert len(set(ratio.tolist())) == 3
    assert (ratio >= 0.6 * 0.8 - 1e-6).all() and (ratio <= 1.4 * 1.2 + 1e-6).all()
    cosine = float(world.model.light_dir[0] @ plain.model.light_dir[0])
    assert 0.01 < math.acos(cosine) < math.sqrt(2) * 0.6
    assert world.model.light_dir[0][2] < 0
    assert not world.model.light_castshadow.any()
    assert world_at("ideal,shadows=1").model.light_castshadow.all()


def test_noise_has_its_size_and_belongs_to_camera_and_time():
    effects = PictureEffects(PLATFORM, HOME, dataclasses.replace(IDEAL, image_noise=0.02))
    grey = np.full((240, 320, 3), 128, dtype=np.uint8)
    first = effects.apply("front", 0.5, grey)
    assert (grey == 128).all()
    difference = first.astype(float) - 128
    assert difference.std() == pytest.approx(5.1, rel=0.03) and abs(difference.mean()) < 0.1
    others = [effects.apply("front", 0.54, grey), effects.apply("back", 0.5, grey)]
    for other in others:
        assert abs(np.corrcoef((other - 128.0).ravel(), difference.ravel())[0, 1]) < 0.02
    fresh = PictureEffects(PLATFORM, HOME, dataclasses.replace(IDEAL, image_noise=0.02))
    assert (fresh.apply("front", 0.5 + 1e-9, grey) == first).all()


def test_exposure_is_one_curve_a_camera_and_drifts():
    effects = PictureEffects(PLATFORM, HOME, dataclasses.replace(IDEAL, gain=0.1))
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    out = effects.apply("front", 3.0, ramp)[0, :, 0].astype(float)
    assert out[0] == 0 and (np.diff(out) >= 0).all()
    assert 0.8 <= out[100] / 100 <= 1.2 and out[100] != 100
    assert (effects.apply("front", 9.0, ramp)[0, :, 0] == out).all()
    drifting = PictureEffects(PLATFORM, HOME, dataclasses.replace(IDEAL, gain_drift=0.1))
    levels = [int(drifting.apply("front", t, ramp)[0, 100, 0]) for t in np.arange(0, 25, 0.5)]
    assert 108 <= max(levels) <= 110 and 90 <= min(levels) <= 92
    assert max(abs(a - b) for a, b in zip(levels, levels[1:], strict=False)) <= 5


def test_pictures_of_a_hard_home_are_noisy_but_its_segments_are_exact():
    world = world_at("normal,distractors=0")
    renderer = CameraRenderer(world)
    try:
        snapshot = world.snapshot()
        picture = renderer.render("front", snapshot)
        clean = renderer.render("front", dataclasses.replace(snapshot, effects=None))
        assert 1.0 < np.abs(picture.astype(int) - clean).mean() < 25.0
        assert (picture == renderer.render("front", snapshot)).all()
        names = {world.model.geom(g).name.split("/")[0] for g in np.unique(
            renderer.segment("front", snapshot)) if g >= 0}  # fmt: skip
        assert "room" in names
    finally:
        renderer.close()


def test_shadows_darken_the_floor_below_the_robot():
    plain, shadowed = world_at("ideal"), world_at("ideal,shadows=1")
    pictures = []
    for world in (plain, shadowed):
        renderer = CameraRenderer(world)
        pictures.append(renderer.render("left_wrist", world.snapshot()).astype(int))
        renderer.close()
    darker = pictures[0] - pictures[1]
    assert (darker > 15).any(axis=2).mean() > 0.01
    assert (darker < -4).mean() < 0.01


def drive(world: World, seconds: float, twist: tuple[float, float, float]) -> Sensors:
    sensors = Sensors(world)
    world.set_base_command(*twist)
    for _ in range(round(seconds / 0.02)):
        sensors.measure()
        world.step(0.02)
    return sensors


def test_joints_have_noise_by_their_kind_and_scores_have_none():
    world = world_at("ideal,angle_noise=0.01,slide_noise=0.001")
    sensors, errors = Sensors(world), []
    for _ in range(60):
        world.step(0.004)
        truth, measured = world.joint_positions(), sensors.measure().positions
        assert measured == sensors.measure().positions, "one measurement at one time"
        errors.append([measured[name] - truth[name] for name in world.joint_names])
    sigma = np.std(errors, axis=0)
    slides = np.array([world.model.joint(n).type[0] == 2 for n in world.joint_names])
    assert sigma[slides].mean() == pytest.approx(0.001, rel=0.15)
    assert sigma[~slides].mean() == pytest.approx(0.01, rel=0.15)
    assert slides.any() and not slides.all()


def test_odometry_drifts_by_its_share_of_the_way():
    world = world_at("ideal,odometry_drift=0.05")
    sensors = drive(world, 1.5, (-0.2, 0.1, 0.0))
    true, measured = world.base_pose(), sensors.measure().base_pose
    way = math.hypot(*true[:2])
    error = math.dist(true[:2], measured[:2])
    assert way > 0.2 and 0.001 * way < error <= 0.2 * way
    assert 0 < abs(measured[2] - true[2]) <= 0.1 * way + 0.01
    links = sensors.links(sensors.measure())
    assert links.positions[0, :2] == pytest.approx(measured[:2])
    assert world.link_transforms().positions[0, :2] == pytest.approx(true[:2], abs=1e-6)
    scene = world.scene_state()
    assert scene.base.position[:2] == pytest.approx(true[:2]), "ground truth is exact"
    world.reset()
    assert sensors.measure().base_pose == world.base_pose(), "a reset begins anew"


def test_the_robot_behind_the_bridge_measures_with_the_same_sensors():
    difficulty = PRESETS["normal"]
    worlds = [World(PLATFORM, HOME, difficulty=difficulty) for _ in range(2)]
    robot, sensors = WorldRobot(PLATFORM, worlds[0]), Sensors(worlds[1])
    for world in worlds:
        world.step(0.02)
    state, measured = robot.measure(), sensors.measure()
    assert state[0] == measured.positions[PLATFORM.dimensions[0].joint_name]
    assert tuple(state[-3:]) == measured.twist
    assert measured.twist != worlds[1].base_velocity()
