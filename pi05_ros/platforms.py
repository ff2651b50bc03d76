"""The robot as data: vector layout, joints, limits, cameras, controllers.

It is read from `config/platforms/`. A platform is the one place that says what index 14 of a
state vector means, how fast that joint may move and which controller moves it. The URDF reads its
limits from the same file.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from pi05_ros.errors import ConfigError, did_you_mean
from pi05_ros.resources import resource_path
from pi05_ros.strict import load_yaml

ControllerKind = Literal["joint_trajectory", "parallel_gripper", "base_velocity"]
Unit = Literal["rad", "m", "fraction", "m/s", "rad/s"]

# A ROS name, absolute or not, as far as a person gets it wrong: spaces, hyphens, double slashes.
_ROS_NAME = re.compile(r"/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*")

# A jerk limit may average at most so many commands: it delays them by half as many periods.
MAX_SMOOTHING = 25

# What a controller of each kind listens to, below its own name (ros2_controllers, Jazzy).
_DEFAULT_COMMAND = {
    "joint_trajectory": "joint_trajectory",
    "parallel_gripper": "gripper_cmd",
    "base_velocity": "cmd_vel",
}


@dataclass(frozen=True)
class Dimension:
    """One entry of the state and action vectors.

    For a joint or a gripper the value is a position; for a base dimension it is a velocity, so
    that `max_velocity` bounds the value itself and `max_acceleration` its rate of change.
    """

    name: str  # As it stands in messages ("left_arm_joint_1", "base_vx").
    unit: Unit
    max_velocity: float  # [unit/s] for positions, [unit] for base velocities; > 0.
    max_acceleration: float  # [unit/s²] for positions, [unit/s] for base velocities; > 0.
    max_jerk: float | None = None  # Change of acceleration per second; None: not limited.
    min_position: float | None = None  # [unit]; None for a base velocity.
    max_position: float | None = None  # [unit]; None for a base velocity.
    home: float = 0.0  # [unit], inside the limits.
    joint: str = ""  # Name in the URDF and in /joint_states; "" takes `name`.

    @property
    def is_velocity(self) -> bool:
        """Whether the value is a base velocity rather than a position."""
        return self.unit in ("m/s", "rad/s")

    @property
    def joint_name(self) -> str:
        """Name of the joint in the URDF and in `/joint_states`."""
        return self.joint or self.name

    @property
    def lower(self) -> float:
        """Least value [unit]."""
        return -self.max_velocity if self.min_position is None else self.min_position

    @property
    def upper(self) -> float:
        """Greatest value [unit]."""
        return self.max_velocity if self.max_position is None else self.max_position

    def __post_init__(self) -> None:
        if self.max_velocity <= 0 or self.max_acceleration <= 0:
            raise ValueError(f"{self.name}: max_velocity and max_acceleration must be above 0")
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
    command: str = ""  # Topic or action below the controller's name; "" takes the kind's own.

    @property
    def command_name(self) -> str:
        """Absolute name of the command topic (or action, for a gripper)."""
        return f"/{self.name}/{self.command or _DEFAULT_COMMAND[self.kind]}"

    def __post_init__(self) -> None:
        _check_topic("controller", self.command_name)


@dataclass(frozen=True)
class Group:
    """Dimensions that one controller moves together."""

    name: str  # "left_arm"
    controller: Controller
    dimensions: tuple[Dimension, ...]
    joint_closed: float = 0.0  # Grippers: joint position at 0 [m or rad].
    joint_open: float = 1.0  # Grippers: joint position at 1 [m or rad].
    max_effort: float = 0.0  # Grippers: force [N] or torque [N·m]; 0: the controller's own.

    @property
    def kind(self) -> ControllerKind:
        """Kind of the group's controller."""
        return self.controller.kind

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
        if self.kind == "base_velocity" and [d.unit for d in self.dimensions] != [
            "m/s",
            "m/s",
            "rad/s",
        ]:
            raise ValueError(f"{self.name}: a base_velocity group is vx, vy [m/s] and wz [rad/s]")


@dataclass(frozen=True)
class Camera:
    """One camera, its topics and its frame."""

    name: str  # "front"
    topic: str  # Absolute name of sensor_msgs/Image or CompressedImage.
    frame: str  # Optical frame (REP-103: z forward, x right, y down).
    transport: Literal["raw", "compressed"] = "raw"
    info_topic: str = ""  # sensor_msgs/CameraInfo; "" takes `camera_info` beside the topic.
    width: int = 640  # Of the driver's picture [pixel]; what the mock home renders.
    height: int = 480
    fov_y_deg: float = 60.0  # Vertical field of view [deg]; the mock home's lens.
    rate_hz: float = 30.0  # Of the driver; what the mock home aims at.

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
        _check_topic(self.name, self.topic)
        _check_topic(self.name, self.camera_info_topic)
        if self.width < 1 or self.height < 1 or self.rate_hz <= 0:
            raise ValueError(f"{self.name}: width, height and rate_hz must be above 0")
        if not 0 < self.fov_y_deg < 180:
            raise ValueError(f"{self.name}: fov_y_deg {self.fov_y_deg} is not between 0 and 180")


@dataclass(frozen=True)
class Platform:
    """A robot: what its vector means and how it is moved and seen."""

    name: str
    description: str
    urdf: str  # Xacro file below the package's share folder.
    groups: tuple[Group, ...]  # In the order of the vector.
    cameras: tuple[Camera, ...]
    planner_cameras: tuple[str, ...]  # What the high level sees.
    policy_cameras: tuple[str, ...]  # What the low level sees.
    rate_hz: float = 50.0  # Commands and rows of a chunk.
    base_frame: str = "base_link"
    odom_frame: str = "odom"
    joint_states_topic: str = "/joint_states"
    odom_topic: str = "/odom"
    vocabulary: tuple[str, ...] = ()  # Subtasks that operators say; completes `./pi05 say`.
    source: str = field(default="", init=False, compare=False)  # The file it was read from.

    def __post_init__(self) -> None:
        if not self.groups or not self.cameras:
            raise ValueError("a platform has at least one group and one camera")
        if self.rate_hz <= 0:
            raise ValueError(f"rate_hz {self.rate_hz} is not above 0")
        _check_topic("joint_states_topic", self.joint_states_topic)
        _check_topic("odom_topic", self.odom_topic)
        if len(self.groups_of("base_velocity")) > 1:
            raise ValueError("a platform has at most one base_velocity group")
        _no_doubles("dimension", self.names)
        _no_doubles("phrase of the vocabulary", self.vocabulary)
        for dimension, periods in zip(self.dimensions, self.smoothing_periods, strict=True):
            if periods > MAX_SMOOTHING:
                least = 2 * dimension.max_acceleration * self.rate_hz / MAX_SMOOTHING
                raise ValueError(
                    f"{dimension.name}: max_jerk {dimension.max_jerk:g} would delay commands by "
                    f"{(periods - 1) / 2:.0f} periods; at least {least:g} is needed with "
                    f"max_acceleration {dimension.max_acceleration:g}"
                )
        _no_doubles("joint", [d.joint_name for d in self.dimensions])
        _no_doubles("group", [group.name for group in self.groups])
        _no_doubles("controller", [group.controller.name for group in self.groups])
        _no_doubles("camera", self.camera_names)
        _no_doubles("camera topic", [camera.topic for camera in self.cameras])
        for role, names in (
            ("planner_cameras", self.planner_cameras),
            ("policy_cameras", self.policy_cameras),
        ):
            _no_doubles(role, names)
            if not names:
                raise ValueError(f"{role} is empty")
            for name in names:
                if name not in self.camera_names:
                    raise ValueError(
                        f"{role}: no camera '{name}'{did_you_mean(name, self.camera_names)} "
                        f"(valid: {', '.join(self.camera_names)})"
                    )

    @functools.cached_property
    def dimensions(self) -> tuple[Dimension, ...]:
        """All entries of the vector, in order."""
        return tuple(d for group in self.groups for d in group.dimensions)

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the vector's entries, in order."""
        return tuple(dimension.name for dimension in self.dimensions)

    @property
    def size(self) -> int:
        """Length of the state and action vectors."""
        return len(self.dimensions)

    @property
    def period(self) -> float:
        """Time between two commands [s]."""
        return 1.0 / self.rate_hz

    @functools.cached_property
    def camera_names(self) -> tuple[str, ...]:
        """Names of the cameras, in order."""
        return tuple(camera.name for camera in self.cameras)

    @functools.cached_property
    def slices(self) -> dict[str, slice]:
        """Where each group stands in the vector, by group name."""
        slices, start = {}, 0
        for group in self.groups:
            slices[group.name] = slice(start, start + len(group.dimensions))
            start += len(group.dimensions)
        return slices

    def groups_of(self, kind: ControllerKind) -> tuple[Group, ...]:
        """The groups whose controller is of `kind`, in order."""
        return tuple(group for group in self.groups if group.kind == kind)

    def index(self, name: str) -> int:
        """Index of the entry `name` in the vector.

        Raises:
            ValueError: There is no such entry.
        """
        return self.names.index(name)

    def camera(self, name: str) -> Camera:
        """The camera called `name`.

        Raises:
            KeyError: There is no such camera.
        """
        return {camera.name: camera for camera in self.cameras}[name]

    @functools.cached_property
    def lower(self) -> np.ndarray:
        """Least values, (size,) float64, platform units."""
        return _vector(d.lower for d in self.dimensions)

    @functools.cached_property
    def upper(self) -> np.ndarray:
        """Greatest values, (size,) float64, platform units."""
        return _vector(d.upper for d in self.dimensions)

    @functools.cached_property
    def max_velocity(self) -> np.ndarray:
        """Velocity limits as in Dimension, (size,) float64."""
        return _vector(d.max_velocity for d in self.dimensions)

    @functools.cached_property
    def max_acceleration(self) -> np.ndarray:
        """Acceleration limits as in Dimension, (size,) float64."""
        return _vector(d.max_acceleration for d in self.dimensions)

    @functools.cached_property
    def smoothing_periods(self) -> np.ndarray:
        """Commands that are averaged to keep the jerk limits, (size,) int; 1: no jerk limit."""
        lengths = [
            1
            if d.max_jerk is None
            else math.ceil(2 * d.max_acceleration * self.rate_hz / d.max_jerk)
            for d in self.dimensions
        ]
        array = np.array(lengths)
        array.flags.writeable = False
        return array

    @functools.cached_property
    def is_velocity(self) -> np.ndarray:
        """Which entries are base velocities, (size,) bool."""
        mask = np.array([d.is_velocity for d in self.dimensions])
        mask.flags.writeable = False
        return mask

    @functools.cached_property
    def home(self) -> np.ndarray:
        """Home pose, (size,) float64, platform units; base velocities are 0."""
        return _vector(d.home for d in self.dimensions)


def platform_names() -> tuple[str, ...]:
    """Names of the platforms that ship with the suite."""
    return tuple(sorted(path.stem for path in resource_path("config/platforms").glob("*.yaml")))


def load_platform(name_or_path: str) -> Platform:
    """Reads a platform by its name (`mobile_18dof`) or from a YAML file (`./my_robot.yaml`).

    Raises:
        ConfigError: There is no such platform, or its file is not valid.
    """
    if name_or_path.endswith((".yaml", ".yml")) or "/" in name_or_path:
        path = Path(name_or_path)
    elif name_or_path in platform_names():
        path = resource_path(f"config/platforms/{name_or_path}.yaml")
    else:
        raise ConfigError(
            f"platform '{name_or_path}'",
            f"there is none of that name{did_you_mean(name_or_path, platform_names())} "
            f"(valid: {', '.join(platform_names())}, or the path of a YAML file)",
        )
    platform = load_yaml(path, Platform)
    object.__setattr__(platform, "source", str(path.resolve()))
    return platform


def _vector(values: Iterable[float]) -> np.ndarray:
    """A read-only float64 array, so that nobody changes a platform by accident."""
    array = np.array(list(values), dtype=np.float64)
    array.flags.writeable = False
    return array


def _check_topic(where: str, name: str) -> None:
    """Raises ValueError when `name` cannot be the name of a topic or an action."""
    if not _ROS_NAME.fullmatch(name):
        raise ValueError(
            f"{where}: {name!r} is no ROS name: letters, digits and _ between single slashes"
        )


def _no_doubles(what: str, names: Iterable[str]) -> None:
    """Raises ValueError when a name is empty or stands twice."""
    counts = Counter(names)
    if "" in counts:
        raise ValueError(f"a {what} has no name")
    doubles = [name for name, count in counts.items() if count > 1]
    if doubles:
        raise ValueError(f"{what} '{doubles[0]}' stands twice")
