"""Encoders and odometry of a simulated robot: what its drivers measure of the true state."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from pi05_ros.sim.homes.difficulty import JOINTS, ODOMETRY, cut_normal, random_of
from pi05_ros.sim.homes.geometry import yaw_quaternion
from pi05_ros.sim.links import LinkTransforms
from pi05_ros.sim.world import World


@dataclass(frozen=True)
class Measurement:
    """Measured state of a robot at one time."""

    positions: dict[str, float]  # Of the URDF's joints [rad or m].
    velocities: dict[str, float]  # Of the same joints [rad/s or m/s].
    base_pose: tuple[float, float, float]  # By odometry: x [m], y [m], yaw [rad].
    twist: tuple[float, float, float]  # In base_link: vx, vy [m/s], wz [rad/s].


class Sensors:
    """Measures a world with the errors of its difficulty; without any, exactly.

    Odometry adds up the motion between measurements, so it should measure at each tick. Errors
    depend on home, time and motion: equal runs measure equal values.

    Args:
        world: The world; a reset begins anew.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._model: mujoco.MjModel | None = None
        self._last: tuple[float, Measurement] | None = None

    def measure(self) -> Measurement:
        """Return the measurement of now; a second one at the same time is the same."""
        world = self._world
        time = world.time
        if self._last is None or self._model is not world.model or time < self._last[0]:
            self._begin()
        elif time == self._last[0]:
            return self._last[1]
        truth = Measurement(
            world.joint_positions(), world.joint_velocities(), world.base_pose(),
            world.base_velocity(),
        )  # fmt: skip
        measured = self._with_errors(truth, time) if self._has_errors else truth
        self._last = (time, measured)
        return measured

    def links(self, measured: Measurement) -> LinkTransforms:
        """Return the transforms for /tf, with the base where odometry has it."""
        links = self._world.link_transforms()
        if not self._has_errors:
            return links
        positions, quaternions = links.positions.copy(), links.quaternions.copy()
        x, y, yaw = measured.base_pose
        positions[0, :2], quaternions[0] = (x, y), yaw_quaternion(yaw)
        return replace(links, positions=positions, quaternions=quaternions)

    def _begin(self) -> None:
        world = self._world
        self._model, settings = world.model, world.difficulty
        self._has_errors = any(
            (settings.odometry_drift, settings.twist_noise, settings.angle_noise,
             settings.slide_noise)
        )  # fmt: skip
        slide = mujoco.mjtJoint.mjJNT_SLIDE
        self._sigma = np.array(
            [
                settings.slide_noise
                if world.model.joint(name).type[0] == slide
                else settings.angle_noise
                for name in world.joint_names
            ]
        )
        numbers = cut_normal(random_of(world.home, ODOMETRY), 3)
        # Measured metres for each metre, radians for each radian, radians for each metre.
        length, turn, bend = settings.odometry_drift * numbers
        self._length, self._turn, self._bend = 1.0 + length, 1.0 + turn, bend
        self._true = self._odometry = world.base_pose()

    def _with_errors(self, truth: Measurement, time: float) -> Measurement:
        settings = self._world.difficulty
        self._advance(truth.base_pose)
        random = random_of(self._world.home, JOINTS, round(time * 1e6))
        offsets = (self._sigma * random.standard_normal(len(self._sigma))).tolist()
        noise = settings.twist_noise * random.standard_normal(3) * (1.0, 1.0, 2.0)
        vx, vy, wz = truth.twist
        scaled = (vx * self._length, vy * self._length, wz * self._turn)
        x, y, w = (float(a + b) for a, b in zip(scaled, noise, strict=True))
        return Measurement(
            positions={
                name: value + offset
                for (name, value), offset in zip(truth.positions.items(), offsets, strict=True)
            },
            velocities=truth.velocities,
            base_pose=self._odometry,
            twist=(x, y, w),
        )

    def _advance(self, pose: tuple[float, float, float]) -> None:
        """Add the true motion since the last measurement to the odometry, with its errors."""
        (x, y, yaw), (x0, y0, yaw0) = pose, self._true
        c, s = math.cos(yaw0), math.sin(yaw0)
        ahead = self._length * (c * (x - x0) + s * (y - y0))
        left = self._length * (-s * (x - x0) + c * (y - y0))
        turn = self._turn * (yaw - yaw0) + self._bend * math.hypot(ahead, left)
        x1, y1, yaw1 = self._odometry
        c, s = math.cos(yaw1), math.sin(yaw1)
        self._odometry = (
            x1 + c * ahead - s * left, y1 + s * ahead + c * left, yaw1 + turn,
        )  # fmt: skip
        self._true = pose
