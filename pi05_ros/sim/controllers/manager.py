"""A small controller manager: all controllers of a platform, updated together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pi05_ros.foundation.settings import setting
from pi05_ros.platforms.platform import Group, Platform
from pi05_ros.sim.controllers.base_velocity import BaseVelocityConfig, BaseVelocityController
from pi05_ros.sim.controllers.command_limits import joint_limits
from pi05_ros.sim.controllers.joint_trajectory import (
    JointTrajectoryConfig,
    JointTrajectoryController,
)
from pi05_ros.sim.controllers.parallel_gripper import (
    ParallelGripperConfig,
    ParallelGripperController,
)
from pi05_ros.sim.controllers.witness import GroupWitness


class RobotDrives(Protocol):
    """Hardware interface of the controllers: drives and encoders of a simulated robot."""

    def joint_positions(self) -> Mapping[str, float]:
        """Return measured positions by joint name [rad] or [m]."""

    def joint_velocities(self) -> Mapping[str, float]:
        """Return measured velocities by joint name [rad/s] or [m/s]."""

    def set_joint_commands(self, positions: Mapping[str, float]) -> None:
        """Set position set-points by joint name [rad] or [m], finite."""

    def set_base_command(self, vx: float, vy: float, wz: float) -> None:
        """Set the base velocity in the base frame [m/s], [rad/s], finite."""


@dataclass(frozen=True)
class ManagerConfig:
    """Settings of the controllers; `config/controllers/*.yaml` holds the same for a real robot."""

    controller_rate_hz: float = setting(
        100.0,
        "Update rate of the controllers in simulated time [Hz]: 50, 100, 200 or 400.",
        minimum=50.0,
        maximum=400.0,
        formerly="controller_rate",
    )
    cmd_vel_timeout_s: float = setting(
        0.2,
        "The base stops when its last command is older than this [s, simulated].",
        minimum=0.0,
        maximum=10.0,
        formerly="cmd_vel_timeout",
    )
    gripper_allow_stalling: bool = setting(
        True, "A gripper goal that ends on an object succeeds; false: it is aborted."
    )
    gripper_stall_timeout_s: float = setting(
        1.0,
        "A gripper that has not moved for longer than this has stalled [s, simulated].",
        minimum=0.0,
        maximum=10.0,
        formerly="gripper_stall_timeout",
    )
    gripper_tolerance: float = 0.05  # Share of a finger's way that counts as reached.


class ControllerManager:
    """Reads the robot, updates each controller, writes the drives.

    The drives are more tolerant than some real ones: they ignore a set-point that is not finite
    and keep the last finite one, and they clamp to the joint limits. Both are counted
    (`not_finite_set_points`, the witnesses' POSITION_LIMIT) and published. So the physics stays
    valid whatever is sent, and no such command goes unnoticed.

    Args:
        platform: Defines the controllers.
        robot: The drives; the controllers hold its present pose.
        config: Parameters of the controllers.
        tick: Duration of a tick for the witnesses [s].
    """

    def __init__(
        self, platform: Platform, robot: RobotDrives, config: ManagerConfig, tick: float
    ) -> None:
        self.platform = platform
        self.config = config
        self.period_ns = round(1e9 / config.controller_rate_hz)
        self.witnesses = {g.controller.name: GroupWitness(g, tick) for g in platform.groups}
        self.not_finite_set_points = 0  # Refused drive set-points, counted by joint and cycle.
        self._robot = robot
        self._joints = {
            group.controller.name: tuple(d.joint_name for d in group.dimensions)
            for group in platform.groups
        }
        self._limits = {
            group.controller.name: np.stack(joint_limits(group), axis=1).tolist()
            for group in platform.groups
        }
        positions = robot.joint_positions()
        self.arms = {
            group.controller.name: self._make_arm(group, positions)
            for group in platform.groups_of("joint_trajectory")
        }
        self.grippers = {
            group.controller.name: self._make_gripper(group, positions)
            for group in platform.groups_of("parallel_gripper")
        }
        self.bases = {
            group.controller.name: BaseVelocityController(
                BaseVelocityConfig(config.cmd_vel_timeout_s)
            )
            for group in platform.groups_of("base_velocity")
        }
        self._set_points = {
            name: self._measured(name, positions) for name in (*self.arms, *self.grippers)
        }

    def update(self, now_ns: int) -> None:
        """Run one cycle of all controllers at simulated time `now_ns` [ns]."""
        positions = self._robot.joint_positions()
        velocities = self._robot.joint_velocities()
        commands: dict[str, float] = {}
        for name, arm in self.arms.items():
            command = arm.update(
                now_ns, self._measured(name, positions), self._measured(name, velocities)
            )
            self._drive(name, command, commands)
        for name, gripper in self.grippers.items():
            joint = self._joints[name][0]
            position = gripper.update(now_ns, positions[joint], velocities[joint])
            self._drive(name, np.array([position]), commands)
        self._robot.set_joint_commands(commands)
        for base in self.bases.values():
            self._robot.set_base_command(*base.update(now_ns))

    def end_tick(self) -> None:
        """End a tick of the witnesses, after its last update."""
        for name, witness in self.witnesses.items():
            witness.end_tick(self._set_points.get(name))

    def reset(self, now_ns: int) -> None:
        """Handle a reset of the robot: goals end, and all controllers hold its new pose."""
        positions = self._robot.joint_positions()
        for name, arm in self.arms.items():
            arm.reset(self._measured(name, positions))
        for name, gripper in self.grippers.items():
            gripper.reset(positions[self._joints[name][0]])
        for base in self.bases.values():
            base.reset(now_ns)
        for name in self._set_points:
            self._set_points[name] = self._measured(name, positions)
        for witness in self.witnesses.values():
            witness.begin_anew()

    def _drive(self, name: str, command: np.ndarray, commands: dict[str, float]) -> None:
        """Add the finite, clamped set-points of a group to `commands`."""
        values = command.tolist()  # For so few joints, floats are faster than arrays.
        if not all(map(math.isfinite, values)):
            finite = np.isfinite(command)
            self.not_finite_set_points += int((~finite).sum())
            command = np.where(finite, command, self._set_points[name])
            values = command.tolist()
        self._set_points[name] = command
        for joint, value, (lower, upper) in zip(
            self._joints[name], values, self._limits[name], strict=True
        ):
            commands[joint] = min(max(value, lower), upper)

    def _measured(self, name: str, values: Mapping[str, float]) -> np.ndarray:
        """Return the values of a group's joints in order, (joints,) float64."""
        return np.array([values[joint] for joint in self._joints[name]])

    def _make_arm(self, group: Group, positions: Mapping[str, float]) -> JointTrajectoryController:
        name = group.controller.name
        config = JointTrajectoryConfig(self._joints[name], self.config.controller_rate_hz)
        return JointTrajectoryController(config, self._measured(name, positions))

    def _make_gripper(
        self, group: Group, positions: Mapping[str, float]
    ) -> ParallelGripperController:
        config = ParallelGripperConfig(
            goal_tolerance=self.config.gripper_tolerance
            * abs(group.gripper_ends[1] - group.gripper_ends[0]),
            allow_stalling=self.config.gripper_allow_stalling,
            stall_timeout_s=self.config.gripper_stall_timeout_s,
        )
        return ParallelGripperController(config, positions[self._joints[group.controller.name][0]])
