"""A control bridge with a robot behind it, driven tick by tick as the bridge's node drives it."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from pi05_ros.brain.observation import SceneState
from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.control.bridge import Bridge, Tick
from pi05_ros.control.settings import BridgeSettings
from pi05_ros.platforms.platform import Platform

SESSION = 1  # Of every simulated bridge; the node draws its own at each activation.


class Robot(Protocol):
    """Sensors, motors and surroundings, as one vector in platform units."""

    def measure(self) -> np.ndarray:
        """Return the measured state, (D,) float64."""

    def move(self, command: np.ndarray | None) -> None:
        """Execute a command (D,) for one period; None: the controllers receive nothing."""

    def scene(self) -> SceneState | None:
        """Return the ground truth of a mock home; None: there is none."""


class IdealRobot:
    """A robot without physics whose state equals the last command.

    Attributes:
        values: State, (D,) float64 in platform units; a test may set it.
        follows: Whether the robot obeys commands.
    """

    def __init__(self, platform: Platform, follows: bool = True) -> None:
        self.values: np.ndarray = platform.home.copy()
        self.follows = follows

    def measure(self) -> np.ndarray:
        """Return a copy of the state, (D,) float64."""
        return self.values.copy()

    def move(self, command: np.ndarray | None) -> None:
        """Take the command (D,) over as the state."""
        if self.follows and command is not None:
            self.values = command.copy()

    def scene(self) -> SceneState | None:
        """Return None: nothing surrounds this robot."""
        return None


class BridgedRobot:
    """A `control.Bridge` and a robot, without messages, threads or a clock of their own.

    A period is `measure`, then `tick`, as measurements reach the node before its timer fires.

    Args:
        platform: The robot's platform.
        robot: What is measured and moved; None takes an `IdealRobot`.
        settings: Of the bridge; None takes the defaults, those of a real robot.
        session: Session of the bridge.

    Attributes:
        bridge: The bridge that also runs on a real robot. It comes up disarmed.
        robot: See Args.
    """

    def __init__(
        self,
        platform: Platform,
        robot: Robot | None = None,
        settings: BridgeSettings | None = None,
        session: int = SESSION,
    ) -> None:
        self.platform = platform
        self.bridge = Bridge(platform, session, settings)
        self.robot: Robot = IdealRobot(platform) if robot is None else robot

    def measure(self, now_ns: int) -> None:
        """Hand the robot's state to the bridge as joint states and odometry stamped `now_ns`."""
        state = self.robot.measure()
        names, positions = joint_states(self.platform, state)
        self.bridge.add_joint_states(names, positions, now_ns, now_ns)
        self.bridge.add_odometry(self.platform.base_twist(state).tolist(), now_ns, now_ns)

    def tick(self, now_ns: int, steady_ns: int | None = None) -> Tick:
        """Let the bridge decide, and the robot execute the command for one period.

        Args:
            now_ns: Time by the clock of the stamps [ns].
            steady_ns: Time by the clock of the heartbeats [ns]; None: the same.
        """
        tick = self.bridge.tick(now_ns, now_ns if steady_ns is None else steady_ns)
        self.robot.move(tick.command)
        return tick

    def state(self, tick: Tick, now_ns: int) -> StateSample | None:
        """Return what robot_state carries after a tick at `now_ns`; None while unmeasured."""
        if tick.measurement is None:
            return None
        target = tick.target
        return StateSample(
            stamp_ns=tick.measurement.stamp_ns,
            names=self.platform.names,
            measured=tick.measurement.values,
            commanded=self.bridge.motion.commanded_near(tick.measurement.values),
            session=self.bridge.session,
            epoch=self.bridge.epoch,
            mode=int(tick.mode),
            commanded_ns=0 if tick.command is None else now_ns,
            chunk_sequence=0 if target is None else target.chunk.sequence,
            chunk_stamp_ns=0 if target is None else target.chunk.stamp_ns,
            chunk_row=math.nan if target is None else target.row,
            control_source=int(tick.control_source),
        )


def joint_states(platform: Platform, state: np.ndarray) -> tuple[list[str], list[float]]:
    """Return names and positions [rad or m] of all joints but the base's, as drivers report them.

    Args:
        platform: The robot's platform.
        state: (D,) float64 in platform units; a gripper's is a fraction of its stroke.
    """
    values, names, positions = state.tolist(), [], []
    for group in platform.groups:
        if group.kind == "base_velocity":
            continue
        part = values[platform.slices[group.name]]
        if group.kind == "parallel_gripper":
            stroke = group.joint_open - group.joint_closed
            part = [group.joint_closed + value * stroke for value in part]
        names += [dimension.joint_name for dimension in group.dimensions]
        positions += part
    return names, positions
