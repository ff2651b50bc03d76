"""Deviations of light and camera mountings from ideal ones, in the specification of a world."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.home_spec import LAMP
from pi05_ros.sim.homes.difficulty import CAMERAS, LIGHT, Difficulty, cut_normal, random_of
from pi05_ros.sim.homes.geometry import quaternion_multiply
from pi05_ros.sim.robot import camera_name

_SHADOW_MAP = 512  # Size of the shadow map [pixel].


def deviate(spec: mujoco.MjSpec, platform: Platform, seed: int, difficulty: Difficulty) -> None:
    """Change the light and the mountings of the cameras of a robot in a room.

    Camera poses of the model, and so boxes and projections of ground truth, are the changed ones;
    the frames on /tf, which come from the URDF, stay those of an exact mounting.

    Args:
        spec: Robot and room.
        platform: The robot.
        seed: Of the home.
        difficulty: Size of the deviations.
    """
    _change_light(spec, seed, difficulty)
    for index, camera in enumerate(platform.cameras):
        numbers = cut_normal(random_of(seed, CAMERAS, index), 6)
        if not (difficulty.camera_shift or difficulty.camera_turn):
            continue
        mounted = spec.camera(camera_name(camera.name))
        mounted.pos = np.array(mounted.pos) + difficulty.camera_shift * numbers[:3]
        turn = _quaternion(difficulty.camera_turn * numbers[3:])
        mounted.quat = quaternion_multiply(np.array(mounted.quat), turn)


def _change_light(spec: mujoco.MjSpec, seed: int, difficulty: Difficulty) -> None:
    lamp, headlight = spec.light(LAMP), spec.visual.headlight
    numbers = cut_normal(random_of(seed, LIGHT), 7)
    strength, ambient = 1.0 + difficulty.light * numbers[:2]
    tint = 1.0 + difficulty.light_color * numbers[2:5]
    if difficulty.light or difficulty.light_color:
        lamp.diffuse = np.array(lamp.diffuse) * strength * tint
        # Daylight is scattered by the room: ambient light has half of the lamp's tint.
        headlight.ambient = np.array(headlight.ambient) * ambient * (1.0 + tint) / 2.0
    if difficulty.light_turn:
        along, across = difficulty.light_turn * numbers[5:7]
        x, y, z = np.array(lamp.dir) / np.linalg.norm(lamp.dir)
        tilted = np.array([x + math.tan(along) * -z, y + math.tan(across) * -z, z])
        lamp.dir = tilted / np.linalg.norm(tilted)
    if difficulty.shadows:
        lamp.castshadow = True
        spec.visual.quality.shadowsize = _SHADOW_MAP


def _quaternion(turn: np.ndarray) -> np.ndarray:
    """Return the quaternion (4,) of a rotation vector (3,) [rad]."""
    angle = float(np.linalg.norm(turn))
    if angle < 1e-12:
        return np.array([1.0, 0.0, 0.0, 0.0])
    return np.array([math.cos(angle / 2), *(math.sin(angle / 2) * turn / angle)])
