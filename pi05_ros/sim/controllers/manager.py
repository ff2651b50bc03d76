"""All controllers of a platform on one robot, updated together: a small controller manager."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

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


class Robot(Protocol):
    """What the controllers move: the simulated robot's drives and encoders."""

    def joint_positions(self) -> Mapping[str, float]:
        """Joint name -> measured position [rad] or [m]."""

    def joint_velocities(self) -> Mapping[str, float]:
        """Joint name -> measured velocity [rad/s] or [m/s]."""

    def set_joint_commands(self, positions: Mapping[str, float]) -> None:
        """Joint name -> set-point [rad] or [m], finite."""

    def set_base_command(self, vx: float, vy: float, wz: float) -> None:
        """Base velocity in the base frame [m/s], [rad/s], finite."""


@dataclass(frozen=True)
class ManagerConfig:
    """How the controllers are set. `config/controllers/*.yaml` says the same to a real robot."""

    update_rate_hz: float = 100.0
    cmd_vel_timeout_s: float = 0.2
    gripper_allow_stalling: bool = True
    gripper_stall_timeout_s: float = 1.0
    gripper_tolerance: float = 0.05  # Share of a finger's way that counts as reached.


class ControllerManager:
    """Reads the robot, updates each controller, writes the drives.

    The drives are the one thing here that is kinder than some real ones: they do not follow a
    set-point that is not finite but keep the last finite one, and they stop at the joint limits.
    Both are counted (`not_finite_set_points`, the witnesses' POSITION_LIMIT) and published: none
    goes unseen, and the physics survives whatever a test sends.

    Args:
        platform: Says which controllers there are.
        robot: What they move, standing where they shall hold it.
        config: Their parameters.
        tick: Length of a tick for the witnesses [s].
    """

    def __init__(
        self, platform: Platform, robot: Robot, config: ManagerConfig, tick: float
    ) -> None:
        self.platform = platform
        self.config = config
        self.period_ns = round(1e9 / config.update_rate_hz)
        self.witnesses = {g.controller.name: GroupWitness(g, tick) for g in platform.groups}
        self.not_finite_set_points = (
            0  # Drive set-points that were refused, one a joint and cycle.
        )
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
        """One cycle of all controllers at simulated time `now_ns` [ns]."""
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
        """Closes a tick for the witnesses, after its last update."""
        for name, witness in self.witnesses.items():
            witness.end_tick(self._set_points.get(name))

    def reset(self, now_ns: int) -> None:
        """The robot was put elsewhere: goals end, and all controllers hold it there."""
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
        """Adds what the drives of a group follow to `commands`."""
        values = command.tolist()  # For so few joints numbers cost less than arrays.
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
        """Values of a group's joints in order, (joints,) float64."""
        return np.array([values[joint] for joint in self._joints[name]])

    def _make_arm(self, group: Group, positions: Mapping[str, float]) -> JointTrajectoryController:
        name = group.controller.name
        config = JointTrajectoryConfig(self._joints[name], self.config.update_rate_hz)
        return JointTrajectoryController(config, self._measured(name, positions))

    def _make_gripper(
        self, group: Group, positions: Mapping[str, float]
    ) -> ParallelGripperController:
        config = ParallelGripperConfig(
            goal_tolerance=self.config.gripper_tolerance
            * abs(group.joint_open - group.joint_closed),
            allow_stalling=self.config.gripper_allow_stalling,
            stall_timeout_s=self.config.gripper_stall_timeout_s,
        )
        return ParallelGripperController(config, positions[self._joints[group.controller.name][0]])
