"""Description of a robot: vector layout, joints, limits, cameras, controllers.

A platform is read from a YAML file in `config/platforms/`. It alone defines the meaning of each
index of a state vector, the limits of that joint and the controller that moves it. The URDF reads
its limits from the same file.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pi05_ros.errors import ConfigError, did_you_mean
from pi05_ros.foundation.resources import resource_path
from pi05_ros.foundation.strict_yaml import load_yaml
from pi05_ros.platforms.parts import (
    Camera,
    Controller,
    ControllerKind,
    Dimension,
    Group,
    GroupKind,
    check_topic,
)
from pi05_ros.platforms.teleop import TeleopSection, no_doubles

__all__ = [
    "MAX_SMOOTHING",
    "Camera",
    "Controller",
    "ControllerKind",
    "Dimension",
    "Group",
    "GroupKind",
    "Platform",
    "load_platform",
    "platform_names",
    "robot_names",
]

# Most commands that a jerk limit may average; averaging n of them delays by (n - 1) / 2 periods.
MAX_SMOOTHING = 25


@dataclass(frozen=True)
class Platform:
    """A robot: layout of its vectors, its controllers and its cameras."""

    name: str
    description: str
    urdf: str  # URDF or xacro file: beside this file, absolute, package://…, or the suite's.
    groups: tuple[Group, ...]  # In the order of the vector.
    cameras: tuple[Camera, ...]
    planner_cameras: tuple[str, ...]  # Inputs of the high level.
    policy_cameras: tuple[str, ...]  # Inputs of the low level.
    rate_hz: float = 50.0  # Of commands and of the rows of a chunk.
    base_frame: str = "base_link"
    odom_frame: str = "odom"
    joint_states_topic: str | tuple[str, ...] = "/joint_states"  # One, or a list of several.
    odom_topic: str = "/odom"
    vocabulary: tuple[str, ...] = ()  # Common subtasks, offered by `./pi05 say` as completions.
    controllers: str = ""  # ros2_control parameters for mock_hardware; found as `urdf` is.
    rviz: str = ""  # RViz file, found as `urdf` is; "": one is made.
    # A robot of mock homes that nobody has: no launch or RViz file ships for it, and no devices.
    simulation_only: bool = False
    teleop: TeleopSection | None = None  # Devices of teleoperation; None: it has none.
    source: str = field(default="", init=False, compare=False)  # Path of its YAML file.

    def __post_init__(self) -> None:
        if not self.groups or not self.cameras:
            raise ValueError("a platform has at least one group and one camera")
        if self.rate_hz <= 0:
            raise ValueError(f"rate_hz {self.rate_hz} is not above 0")
        for topic in self.joint_states_topics:
            check_topic("joint_states_topic", topic)
        check_topic("odom_topic", self.odom_topic)
        if len(self.groups_of("base_velocity")) > 1:
            raise ValueError("a platform has at most one base_velocity group")
        no_doubles("dimension", self.names)
        no_doubles("phrase of the vocabulary", self.vocabulary)
        for dimension, periods in zip(self.dimensions, self.smoothing_periods, strict=True):
            if periods > MAX_SMOOTHING:
                least = 2 * dimension.max_acceleration * self.rate_hz / MAX_SMOOTHING
                raise ValueError(
                    f"{dimension.name}: max_jerk {dimension.max_jerk:g} would delay commands by "
                    f"{(periods - 1) / 2:.0f} periods; at least {least:g} is needed with "
                    f"max_acceleration {dimension.max_acceleration:g}"
                )
        no_doubles("joint", [d.joint_name for d in self.dimensions])
        for topic in self.joint_states_topics:
            no_doubles(f"joint of {topic}", [d.driver_joint_name for d in self.joints_on(topic)])
        no_doubles("group", [group.name for group in self.groups])
        no_doubles("controller", [group.controller.name for group in self.groups])
        no_doubles("command", [group.controller.command_name for group in self.groups])
        no_doubles("camera", self.camera_names)
        no_doubles("camera topic", [camera.topic for camera in self.cameras])
        for role, names in (
            ("planner_cameras", self.planner_cameras),
            ("policy_cameras", self.policy_cameras),
        ):
            no_doubles(role, names)
            if not names:
                raise ValueError(f"{role} is empty")
            for name in names:
                if name not in self.camera_names:
                    raise ValueError(
                        f"{role}: no camera '{name}'{did_you_mean(name, self.camera_names)} "
                        f"(valid: {', '.join(self.camera_names)})"
                    )
        if self.teleop is not None:
            self.teleop.check(self.groups)

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
        """Slice of the vector that belongs to each group, by group name."""
        slices, start = {}, 0
        for group in self.groups:
            slices[group.name] = slice(start, start + len(group.dimensions))
            start += len(group.dimensions)
        return slices

    @functools.cached_property
    def joint_states_topics(self) -> tuple[str, ...]:
        """Topics of all joint states: the platform's that a group uses, then the groups' own."""
        topics = self._common_topics
        return (*topics, *sorted({g.joint_states_topic for g in self.groups} - {"", *topics}))

    @property
    def _common_topics(self) -> tuple[str, ...]:
        """Topics of the groups that name none of their own."""
        common = self.joint_states_topic
        topics = (common,) if isinstance(common, str) else common
        joints = [g for g in self.groups if g.kind != "base_velocity"]
        return topics if not joints or any(not g.joint_states_topic for g in joints) else ()

    def joints_on(self, topic: str) -> tuple[Dimension, ...]:
        """Return the joints that joint states on `topic` may hold, in order."""
        return tuple(
            dimension
            for group in self.groups
            for dimension in group.dimensions
            if not dimension.is_velocity
            and (
                group.joint_states_topic == topic
                if group.joint_states_topic
                else topic in self._common_topics
            )
        )

    def groups_of(self, kind: GroupKind) -> tuple[Group, ...]:
        """Return the groups that are of `kind`, in order, whatever their controllers take."""
        return tuple(group for group in self.groups if group.kind == kind)

    def base_twist(self, vectors: np.ndarray) -> np.ndarray:
        """Return the base velocities of vectors as (..., 3): vx, vy [m/s] and wz [rad/s].

        A component that the base does not have is 0, as are all without a base.

        Args:
            vectors: (..., size), platform units.
        """
        twists = np.zeros((*np.shape(vectors)[:-1], 3))
        for axes, columns in self._twist_columns:
            twists[..., axes] = vectors[..., columns]
        return twists

    @functools.cached_property
    def _twist_columns(self) -> tuple[tuple[list[int], slice], ...]:
        """Components of (vx, vy, wz), and the entries of the vector that are them."""
        bases = self.groups_of("base_velocity")
        return tuple((list(group.base_axes), self.slices[group.name]) for group in bases)

    @functools.cached_property
    def base_axes(self) -> tuple[int, ...]:
        """Component of (vx, vy, wz) of each base dimension, in order; empty without a base."""
        return tuple(axis for group in self.groups for axis in group.base_axes)

    @property
    def world_frame(self) -> str:
        """Frame that stands still: that of odometry, or of a base that does not move."""
        return self.odom_frame if self.base_axes else self.base_frame

    def index(self, name: str) -> int:
        """Return the index of the entry `name` in the vector.

        Raises:
            ValueError: There is no such entry.
        """
        return self.names.index(name)

    def camera(self, name: str) -> Camera:
        """Return the camera called `name`.

        Raises:
            KeyError: There is no such camera.
        """
        return {camera.name: camera for camera in self.cameras}[name]

    @functools.cached_property
    def lower(self) -> np.ndarray:
        """Smallest valid values, (size,) float64, platform units."""
        return _vector(d.lower for d in self.dimensions)

    @functools.cached_property
    def upper(self) -> np.ndarray:
        """Largest valid values, (size,) float64, platform units."""
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
        """Number of commands averaged to keep the jerk limits, (size,) int; 1: no jerk limit."""
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
        """Mask of the entries that are base velocities, (size,) bool."""
        mask = np.array([d.is_velocity for d in self.dimensions])
        mask.flags.writeable = False
        return mask

    @functools.cached_property
    def is_gripper(self) -> np.ndarray:
        """Mask of the entries that are grippers, (size,) bool."""
        mask = np.zeros(self.size, dtype=bool)
        for group in self.groups_of("parallel_gripper"):
            mask[self.slices[group.name]] = True
        mask.flags.writeable = False
        return mask

    @functools.cached_property
    def is_continuous(self) -> np.ndarray:
        """Mask of the joints that turn without end, (size,) bool."""
        mask = np.array([d.continuous for d in self.dimensions])
        mask.flags.writeable = False
        return mask

    @functools.cached_property
    def usual_range(self) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest usual values, (size,) each: the limits; -π to π if continuous."""
        return (
            _vector(-math.pi if d.continuous else d.lower for d in self.dimensions),
            _vector(math.pi if d.continuous else d.upper for d in self.dimensions),
        )

    def difference(self, values: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return `values` - `others` (..., size); of continuous joints the short way round."""
        change = np.asarray(values - others)
        if self.is_continuous.any():
            turns = np.where(self.is_continuous, np.round(change / (2 * math.pi)), 0.0)
            change = change - turns * (2 * math.pi)
        return change

    @functools.cached_property
    def home(self) -> np.ndarray:
        """Home pose, (size,) float64, platform units; base velocities are 0."""
        return _vector(d.home for d in self.dimensions)


def platform_names() -> tuple[str, ...]:
    """Names of the platforms that ship with the suite."""
    return tuple(sorted(path.stem for path in resource_path("config/platforms").glob("*.yaml")))


def robot_names() -> tuple[str, ...]:
    """Names of the shipped platforms of robots that can be launched, not in simulation only."""
    return tuple(name for name in platform_names() if not load_platform(name).simulation_only)


def load_platform(name_or_path: str) -> Platform:
    """Load a platform by its name (`mobile_18dof`) or from a YAML file (`./my_robot.yaml`).

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
    """Return a read-only float64 array: platforms are shared and must not change."""
    array = np.array(list(values), dtype=np.float64)
    array.flags.writeable = False
    return array
