"""Interface between a teleoperation device and the session that chooses between them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pi05_ros.teleop.robot_view import RobotView

DeviceKind = Literal["leader", "gamepad", "hand_pose", "page"]


@dataclass(frozen=True)
class JoySample:
    """Contents of a sensor_msgs/Joy."""

    axes: tuple[float, ...]
    buttons: tuple[int, ...]


@dataclass(frozen=True)
class JointSample:
    """Contents of a sensor_msgs/JointState. A shorter or empty array lacks its last joints."""

    names: tuple[str, ...]
    positions: tuple[float, ...]
    velocities: tuple[float, ...] = ()
    stamp_ns: int = 0  # By the clock of its sender [ns]; 0: unknown.


@dataclass(frozen=True)
class PoseSample:
    """Contents of a geometry_msgs/PoseStamped."""

    frame: str
    position: tuple[float, float, float]  # [m]
    quaternion: tuple[float, float, float, float]  # x, y, z, w
    stamp_ns: int = 0  # By the clock of its sender [ns]; 0: unknown.


# A bool is the content of a std_msgs/Bool.
Sample = JoySample | JointSample | PoseSample | bool


@dataclass(frozen=True)
class DeviceInput:
    """A topic that a device reads."""

    topic: str
    kind: type  # Of its samples: JoySample, JointSample, PoseSample or bool.


@dataclass(frozen=True)
class DeviceStatus:
    """State of a device's inputs."""

    held: bool  # The dead-man switch was held in its newest sample.
    input_ns: int  # Time of the oldest of its newest samples [ns]; 0: an input has none yet.
    silent: str = ""  # Which input has had no sample for too long, one clause.
    problem: str = ""  # Why the newest sample was refused, one clause.
    jump: str = ""  # A jump since it was engaged: it must be let go.


@dataclass(frozen=True)
class Match:
    """Comparison of a device with the robot before it engages."""

    problem: str = ""  # Why it may not engage, one clause; empty: it may.
    error: float = math.nan  # Largest distance of a joint [rad or m]; NaN: not compared.


class TeleopDevice(ABC):
    """A device; samples come in any order, and `targets` is called once a period.

    Attributes:
        kind: Kind of the device, as in TeleopCommand.device.
        name: Its name in reasons and diagnostics.
        sends_when_idle: Whether it publishes while its dead-man switch is not held; otherwise
            silence is how an idle device looks.
    """

    kind: DeviceKind
    name: str
    sends_when_idle: bool = True

    @property
    @abstractmethod
    def inputs(self) -> Sequence[DeviceInput]:
        """Topics that it reads."""

    @abstractmethod
    def add(self, topic: str, sample: Sample, at_ns: int) -> None:
        """Add a sample that arrived at a time [ns]."""

    @abstractmethod
    def status(self, now_ns: int) -> DeviceStatus:
        """Return the state of its inputs."""

    @abstractmethod
    def match(self, robot: RobotView, velocity: np.ndarray) -> Match:
        """Compare it with the robot, which moves with `velocity` (D,) [unit/s]."""

    @abstractmethod
    def engage(self, robot: RobotView) -> None:
        """Begin to drive the robot from where it is."""

    @abstractmethod
    def targets(self, last: np.ndarray, robot: RobotView) -> np.ndarray:
        """Return the targets of the next period.

        Args:
            last: (D,) targets of the last period; base velocities are 0.
            robot: The newest state.

        Returns:
            (D,) `last` with the entries replaced that the device drives.
        """
