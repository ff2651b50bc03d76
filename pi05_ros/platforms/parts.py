"""The parts of a platform: dimensions of its vector, controllers and groups, cameras."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

ControllerKind = Literal["joint_trajectory", "parallel_gripper", "base_velocity"]
Unit = Literal["rad", "m", "fraction", "m/s", "rad/s"]

# A ROS name, absolute or relative. Rejects spaces, hyphens and double slashes.
_ROS_NAME = re.compile(r"/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*")

# Units of a base_velocity group, and the components of (vx, vy, wz) that it commands.
_BASE_AXES = {("m/s", "m/s", "rad/s"): (0, 1, 2), ("m/s", "rad/s"): (0, 2)}

# Default command topic or action of each kind, below the node name (ros2_controllers, Jazzy).
_DEFAULT_COMMAND = {
    "joint_trajectory": "joint_trajectory",
    "parallel_gripper": "gripper_cmd",
    "base_velocity": "cmd_vel",
}


@dataclass(frozen=True)
class Dimension:
    """One entry of the state and action vectors.

    For a joint or a gripper the value is a position. For a base dimension it is a velocity:
    `max_velocity` bounds the value itself and `max_acceleration` its rate of change.
    """

    name: str  # As it stands in messages ("left_arm_joint_1", "base_vx").
    unit: Unit
    max_velocity: float  # [unit/s] for positions, [unit] for base velocities; > 0.
    max_acceleration: float  # [unit/s²] for positions, [unit/s] for base velocities; > 0.
    max_jerk: float | None = None  # Change of acceleration per second; None: not limited.
    min_position: float | None = None  # [unit]; None for a base velocity.
    max_position: float | None = None  # [unit]; None for a base velocity.
    home: float = 0.0  # [unit], inside the limits.
    joint: str = ""  # Name in the URDF and in /joint_states; "": same as `name`.

    @property
    def is_velocity(self) -> bool:
        """True if the value is a base velocity, False if it is a position."""
        return self.unit in ("m/s", "rad/s")

    @property
    def joint_name(self) -> str:
        """Name of the joint in the URDF and in `/joint_states`."""
        return self.joint or self.name

    @property
    def lower(self) -> float:
        """Smallest valid value [unit]."""
        return -self.max_velocity if self.min_position is None else self.min_position

    @property
    def upper(self) -> float:
        """Largest valid value [unit]."""
        return self.max_velocity if self.max_position is None else self.max_position

    def __post_init__(self) -> None:
        if self.max_velocity <= 0 or self.max_acceleration <= 0:
            raise ValueError(
                f"{self.name}: max_velocity and max_acceleration must be above 0; "
                "leave a dimension out that cannot move"
            )
        if self.max_jerk is not None and self.max_jerk <= 0:
            raise ValueError(f"{self.name}: max_jerk must be above 0; leave it out for no limit")
        if self.is_velocity:
            if self.min_position is not None or self.max_position is not None:
                raise ValueError(f"{self.name}: a velocity [{self.unit}] has no position limits")
        elif self.min_position is None or self.max_position is None:
            raise ValueError(f"{self.name}: min_position and max_position are missing")
        elif self.min_position >= self.max_position:
            raise ValueError(
                f"{self.name}: min_position {self.min_position} is not below "
                f"max_position {self.max_position}"
            )
        if self.unit == "fraction" and (self.min_position, self.max_position) != (0.0, 1.0):
            raise ValueError(f"{self.name}: a fraction runs from min_position 0 to max_position 1")
        if not self.lower <= self.home <= self.upper:
            raise ValueError(
                f"{self.name}: home {self.home} is outside {self.lower} to {self.upper}"
            )


@dataclass(frozen=True)
class Controller:
    """The ros2_control controller that moves one group."""

    name: str  # Node name of the controller ("left_arm_controller").
    kind: ControllerKind
    command: str = ""  # Topic or action below the controller's name; "": the kind's default.

    @property
    def command_name(self) -> str:
        """Absolute name of the command topic (or action, for a gripper)."""
        return f"/{self.name}/{self.command or _DEFAULT_COMMAND[self.kind]}"

    def __post_init__(self) -> None:
        check_topic("controller", self.command_name)


@dataclass(frozen=True)
class Group:
    """Dimensions that one controller commands together."""

    name: str  # "left_arm"
    controller: Controller
    dimensions: tuple[Dimension, ...]
    joint_closed: float = 0.0  # Grippers: joint position at 0 [m or rad].
    joint_open: float = 1.0  # Grippers: joint position at 1 [m or rad].
    max_effort: float = 0.0  # Grippers: force [N] or torque [N·m]; 0: the controller's default.
    tcp: str = ""  # Grippers: link at the tool centre point; "": one whose name ends in "tcp".

    @property
    def kind(self) -> ControllerKind:
        """Kind of the group's controller."""
        return self.controller.kind

    @property
    def _units(self) -> tuple[str, ...]:
        return tuple(dimension.unit for dimension in self.dimensions)

    @property
    def base_axes(self) -> tuple[int, ...]:
        """Component of (vx, vy, wz) of each dimension of a base; empty for other groups.

        (0, 1, 2) for a holonomic base, (0, 2) for a differential one.
        """
        return _BASE_AXES[self._units] if self.kind == "base_velocity" else ()

    def __post_init__(self) -> None:
        units = {dimension.unit for dimension in self.dimensions}
        count = len(self.dimensions)
        if self.kind == "joint_trajectory" and not (count and units <= {"rad", "m"}):
            raise ValueError(f"{self.name}: a joint_trajectory group holds joints in rad or m")
        if self.kind == "parallel_gripper":
            if count != 1 or units != {"fraction"}:
                raise ValueError(f"{self.name}: a parallel_gripper group is one fraction")
            if self.joint_closed == self.joint_open:
                raise ValueError(f"{self.name}: joint_closed equals joint_open")
        if self.tcp and self.kind != "parallel_gripper":
            raise ValueError(f"{self.name}: tcp is for grippers")
        if self.kind == "base_velocity" and self._units not in _BASE_AXES:
            raise ValueError(
                f"{self.name}: a base_velocity group is vx, vy [m/s] and wz [rad/s], or vx and wz "
                f"for a differential base; found {', '.join(self._units) or 'nothing'}"
            )


@dataclass(frozen=True)
class Camera:
    """One camera, its topics and its frame."""

    name: str  # "front"
    topic: str  # Absolute name of sensor_msgs/Image or CompressedImage.
    frame: str  # Optical frame (REP-103: z forward, x right, y down).
    transport: Literal["raw", "compressed"] = "raw"
    info_topic: str = ""  # sensor_msgs/CameraInfo; "": `camera_info` beside the topic.
    width: int = 640  # Of the driver's picture [pixel]; the mock home renders at this size.
    height: int = 480
    fov_y_deg: float = 60.0  # Vertical field of view [deg]; used by the mock home.
    rate_hz: float = 30.0  # Of the driver; target rate of the mock home.

    @property
    def camera_info_topic(self) -> str:
        """Absolute name of the camera's sensor_msgs/CameraInfo topic."""
        return self.info_topic or self.topic.rsplit("/", 1)[0] + "/camera_info"

    @property
    def intrinsics(self) -> tuple[float, float, float, float]:
        """Focal lengths and principal point fx, fy, cx, cy [pixel] of an ideal pinhole camera.

        Pixels are square. The middle of the picture is at ((width - 1) / 2, (height - 1) / 2),
        with (0, 0) the middle of the first pixel, as in OpenCV and sensor_msgs/CameraInfo.
        """
        focal = self.height / 2 / math.tan(math.radians(self.fov_y_deg) / 2)
        return focal, focal, (self.width - 1) / 2, (self.height - 1) / 2

    def __post_init__(self) -> None:
        if not self.topic.startswith("/"):
            raise ValueError(f"{self.name}: topic {self.topic!r} does not begin with '/'")
        check_topic(self.name, self.topic)
        check_topic(self.name, self.camera_info_topic)
        if self.width < 1 or self.height < 1 or self.rate_hz <= 0:
            raise ValueError(f"{self.name}: width, height and rate_hz must be above 0")
        if not 0 < self.fov_y_deg < 180:
            raise ValueError(f"{self.name}: fov_y_deg {self.fov_y_deg} is not between 0 and 180")


def check_topic(where: str, name: str) -> None:
    """Raise ValueError if a name is not a valid name of a topic or an action."""
    if not _ROS_NAME.fullmatch(name):
        raise ValueError(
            f"{where}: {name!r} is no ROS name: letters, digits and _ between single slashes"
        )
