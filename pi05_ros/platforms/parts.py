"""The parts of a platform: dimensions of its vector, controllers and groups, cameras."""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from typing import Literal

# What a controller takes; docs/topics.md has the message or action of each kind.
ControllerKind = Literal[
    "joint_trajectory",
    "follow_joint_trajectory",
    "forward_position",
    "parallel_gripper",
    "gripper_command",
    "base_velocity",
    "base_twist",
]
# What a group moves, however its controller is addressed: joints, a gripper, a base.
GroupKind = Literal["joint_trajectory", "parallel_gripper", "base_velocity"]
Unit = Literal["rad", "m", "fraction", "m/s", "rad/s"]

# A ROS name, absolute or relative. Rejects spaces, hyphens and double slashes.
_ROS_NAME = re.compile(r"/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*")

# Units of a base_velocity group, and the components of (vx, vy, wz) that it commands.
_BASE_AXES = {("m/s", "m/s", "rad/s"): (0, 1, 2), ("m/s", "rad/s"): (0, 2)}
# Bound of a continuous joint [rad]: it has no limits, but a number beyond this one is garbage.
CONTINUOUS_BOUND = 1e4

# Default command topic or action of each kind, below the node name (ros2_controllers, Jazzy).
_DEFAULT_COMMAND = {
    "joint_trajectory": "joint_trajectory",
    "follow_joint_trajectory": "follow_joint_trajectory",
    "forward_position": "commands",
    "parallel_gripper": "gripper_cmd",
    "gripper_command": "gripper_cmd",
    "base_velocity": "cmd_vel",
    "base_twist": "cmd_vel",
}
_ACTIONS = ("follow_joint_trajectory", "parallel_gripper", "gripper_command")

# Default limit of a base's velocity error, as a share of max_velocity; and at least so much, by
# unit: odometry is noisy, and an axis may be given next to no velocity.
_VELOCITY_ERROR_SHARE = 0.2
_LEAST_VELOCITY_ERROR = {"m/s": 0.05, "rad/s": 0.1}
# Names that image_transport's plugins put below the topic of the picture.
_TRANSPORTS = frozenset(("compressed", "compressedDepth", "ffmpeg", "theora", "zstd", "draco"))


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
    min_position: float | None = None  # [unit]; None for a base velocity or a continuous joint.
    max_position: float | None = None  # [unit]; None for a base velocity or a continuous joint.
    home: float = 0.0  # [unit], inside the limits.
    joint: str = ""  # Name in the URDF; "": same as `name`.
    driver_joint: str = ""  # Name in joint states and commands ("alice/joint_1"); "": the URDF's.
    continuous: bool = False  # A joint in rad that turns without end; positions count modulo 2π.
    # Base velocities: distance of the measured velocity from the command that latches a fault
    # [unit]; None: a fifth of max_velocity, at least 0.05 m/s or 0.1 rad/s.
    max_velocity_error: float | None = None
    velocity_error_time_s: float = 0.5  # Time for which it may be exceeded [s].

    @property
    def is_velocity(self) -> bool:
        """True if the value is a base velocity, False if it is a position."""
        return self.unit in ("m/s", "rad/s")

    @property
    def joint_name(self) -> str:
        """Name of the joint in the URDF."""
        return self.joint or self.name

    @property
    def driver_joint_name(self) -> str:
        """Name of the joint in the driver's joint states and in commands."""
        return self.driver_joint or self.joint_name

    @property
    def lower(self) -> float:
        """Smallest valid value [unit]."""
        if self.continuous:
            return -CONTINUOUS_BOUND
        return -self.max_velocity if self.min_position is None else self.min_position

    @property
    def upper(self) -> float:
        """Largest valid value [unit]."""
        if self.continuous:
            return CONTINUOUS_BOUND
        return self.max_velocity if self.max_position is None else self.max_position

    @property
    def velocity_error_limit(self) -> float:
        """Limit of the velocity error of a base dimension [unit]."""
        if self.max_velocity_error is None:
            least = _LEAST_VELOCITY_ERROR.get(self.unit, 0.0)
            return max(_VELOCITY_ERROR_SHARE * self.max_velocity, least)
        return self.max_velocity_error

    def __post_init__(self) -> None:
        if self.max_velocity <= 0 or self.max_acceleration <= 0:
            raise ValueError(
                f"{self.name}: max_velocity and max_acceleration must be above 0; "
                "leave a dimension out that cannot move"
            )
        if self.max_jerk is not None and self.max_jerk <= 0:
            raise ValueError(f"{self.name}: max_jerk must be above 0; leave it out for no limit")
        if self.max_velocity_error is not None and not self.is_velocity:
            raise ValueError(
                f"{self.name}: max_velocity_error is for base velocities; joints are checked by "
                "control_bridge's max_tracking_error_rad"
            )
        # Written so that NaN fails, too.
        if not (self.velocity_error_limit > 0 and self.velocity_error_time_s > 0):
            raise ValueError(
                f"{self.name}: max_velocity_error and velocity_error_time_s must be above 0"
            )
        if self.is_velocity:
            if self.min_position is not None or self.max_position is not None:
                raise ValueError(f"{self.name}: a velocity [{self.unit}] has no position limits")
        elif self.continuous and self.unit == "rad":
            if self.min_position is not None or self.max_position is not None:
                raise ValueError(f"{self.name}: a continuous joint has no position limits")
        elif self.min_position is None or self.max_position is None:
            turns = ", or 'continuous: true'" if self.unit == "rad" else ""
            raise ValueError(f"{self.name}: min_position and max_position{turns} are missing")
        elif self.min_position >= self.max_position:
            raise ValueError(
                f"{self.name}: min_position {self.min_position} is not below "
                f"max_position {self.max_position}"
            )
        if self.continuous and self.unit != "rad":
            raise ValueError(f"{self.name}: only a joint in rad can be continuous")
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
    command: str = ""  # Below the controller's name, or absolute ("/cmd_vel"); "": the default.

    @property
    def command_name(self) -> str:
        """Absolute name of the command topic or action."""
        if self.command.startswith("/"):
            return self.command
        return f"/{self.name}/{self.command or _DEFAULT_COMMAND[self.kind]}"

    @property
    def is_action(self) -> bool:
        """True if commands are goals of an action, False if they are messages of a topic."""
        return self.kind in _ACTIONS

    def __post_init__(self) -> None:
        check_topic("controller", self.command_name)


@dataclass(frozen=True)
class Group:
    """Dimensions that one controller commands together."""

    name: str  # "left_arm"
    controller: Controller
    dimensions: tuple[Dimension, ...]
    # Grippers: joint positions [m or rad] at 0 and at 1. Left out for a gripper in m or rad, whose
    # ends are its position limits. `joint_closed` may be the greater one.
    joint_closed: float = 0.0
    joint_open: float = 1.0
    # Grippers: what the controller is told at 0 and at 1, where it does not count as the joint
    # does (a gap in m beside a joint in rad); None: the joint positions.
    command_closed: float | None = None
    command_open: float | None = None
    joint_states_topic: str = ""  # Of the group's own driver; "": the platform's.
    max_effort: float = 0.0  # Grippers: force [N] or torque [N·m]; 0: the controller's default.
    tcp: str = ""  # Grippers: link at the tool centre point; "": one whose name ends in "tcp".

    @functools.cached_property
    def kind(self) -> GroupKind:
        """What the group moves: joints, a gripper (one fraction) or a base.

        The message or action that its controller takes is `controller.kind`.
        """
        if self.controller.kind in ("base_velocity", "base_twist"):
            return "base_velocity"
        if self.controller.kind in ("parallel_gripper", "gripper_command"):
            return "parallel_gripper"
        is_gripper = {dimension.unit for dimension in self.dimensions} == {"fraction"}
        return "parallel_gripper" if is_gripper else "joint_trajectory"

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
            raise ValueError(
                f"{self.name}: a {self.controller.kind} group holds joints in rad or m, or is a "
                "gripper of one fraction"
            )
        if self.kind == "parallel_gripper":
            self._check_gripper(units)
            if self.joint_closed == self.joint_open:
                raise ValueError(f"{self.name}: joint_closed equals joint_open")
        if self.tcp and self.kind != "parallel_gripper":
            raise ValueError(f"{self.name}: tcp is for grippers")
        if self.kind == "base_velocity" and self._units not in _BASE_AXES:
            raise ValueError(
                f"{self.name}: a {self.controller.kind} group is vx, vy [m/s] and wz [rad/s], or "
                f"vx and wz for a differential base; found {', '.join(self._units) or 'nothing'}"
            )

    @property
    def gripper_ends(self) -> tuple[float, float]:
        """Joint positions [m or rad] of a closed and of an open gripper."""
        (dimension,) = self.dimensions
        if dimension.unit == "fraction":
            return self.joint_closed, self.joint_open
        return dimension.lower, dimension.upper

    def gripper_command(self, value: float) -> float:
        """Return what the controller is told at a value of the gripper's dimension."""
        closed = self.joint_closed if self.command_closed is None else self.command_closed
        opened = self.joint_open if self.command_open is None else self.command_open
        return closed + value * (opened - closed)

    def gripper_joint(self, command: float) -> float:
        """Return the joint position [m or rad] that a command means; see `gripper_command`."""
        if self.command_closed is None or self.command_open is None:
            return command
        value = (command - self.command_closed) / (self.command_open - self.command_closed)
        return self.joint_closed + value * (self.joint_open - self.joint_closed)

    def _check_gripper(self, units: set[Unit]) -> None:
        """Raise ValueError if the group is not a gripper of one dimension with two ends."""
        if len(self.dimensions) != 1 or not units <= {"fraction", "m", "rad"}:
            raise ValueError(
                f"{self.name}: a {self.controller.kind} group is one fraction, or one joint in "
                "m or rad"
            )
        if self.dimensions[0].continuous:
            raise ValueError(f"{self.name}: a gripper is not continuous")
        if units != {"fraction"} and (self.joint_closed, self.joint_open) != (0.0, 1.0):
            raise ValueError(
                f"{self.name}: the ends of a gripper in {self.dimensions[0].unit} are its "
                "min_position and max_position; leave joint_closed and joint_open out"
            )
        commands = (self.command_closed, self.command_open)
        if commands == (None, None):
            return
        if units != {"fraction"} or None in commands or commands[0] == commands[1]:
            raise ValueError(
                f"{self.name}: command_closed and command_open are two different numbers, given "
                "together for a gripper that is a fraction"
            )


@dataclass(frozen=True)
class Camera:
    """One camera, its topics and its frame."""

    name: str  # "front"
    topic: str  # Absolute name of sensor_msgs/Image or CompressedImage.
    frame: str  # Optical frame (REP-103: z forward, x right, y down).
    transport: Literal["raw", "compressed"] = "raw"
    # sensor_msgs/CameraInfo; "": `camera_info` beside the picture, as image_transport has it: for
    # /x/image_raw and for /x/image_raw/compressed it is /x/camera_info.
    info_topic: str = ""
    width: int = 640  # Of the driver's picture [pixel]; the mock home renders at this size.
    height: int = 480
    fov_y_deg: float = 60.0  # Vertical field of view [deg]; used by the mock home.
    rate_hz: float = 30.0  # Of the driver; target rate of the mock home.
    # Clockwise turn that makes the driver's picture upright [deg]. width, height, fov_y_deg, frame
    # and CameraInfo are those of the driver's picture, before it.
    rotate: Literal[0, 90, 180, 270] = 0

    @property
    def camera_info_topic(self) -> str:
        """Absolute name of the camera's sensor_msgs/CameraInfo topic."""
        if self.info_topic:
            return self.info_topic
        # A transport's name stands below the topic of the picture, which it replaces.
        base, _, last = self.topic.rpartition("/")
        if last in _TRANSPORTS and base.count("/") > 1:
            base = base.rpartition("/")[0]
        return base + "/camera_info"

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
