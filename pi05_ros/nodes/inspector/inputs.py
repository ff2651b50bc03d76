"""Subscriptions of the inspector, open only while an output needs them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from pi05_msgs.msg import ActionChunk, PlanDecision, RobotState, Subtask, TeleopCommand
from pi05_ros.inspection import demand
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.platforms.platform import Platform


@dataclass(frozen=True)
class Callbacks:
    """Callbacks of the inputs."""

    subtask: Callable[[Subtask], None]
    decision: Callable[[PlanDecision], None]
    state: Callable[[RobotState], None]
    chunk: Callable[[ActionChunk], None]
    teleop: Callable[[TeleopCommand], None]
    odometry: Callable[[Odometry], None]
    lens: Callable[[str, CameraInfo], None]  # With the camera's name.
    picture: Callable[[str, Image | CompressedImage], None]


class InspectorInputs:
    """Opens and closes subscriptions on demand.

    Args:
        node: Owns the subscriptions.
        platform: The robot.
        callbacks: Called with each message, guarded.
    """

    def __init__(self, node: ManagedNode[Any], platform: Platform, callbacks: Callbacks) -> None:
        self._node = node
        self._open: dict[str, Any] = {}
        self._known: dict[str, tuple[type, str, Callable[[Any], None], QoSProfile]] = {
            demand.SUBTASK: (Subtask, "subtask", callbacks.subtask, qos.LATCHED),
            demand.DECISION: (
                *(PlanDecision, "plan_decision"),
                *(callbacks.decision, qos.PLAN_DECISION),
            ),
            demand.ROBOT_STATE: (RobotState, "robot_state", callbacks.state, qos.ROBOT_STATE),
            demand.CHUNK: (
                *(ActionChunk, "action_chunk"),
                *(callbacks.chunk, qos.ACTION_CHUNK_GLANCE),
            ),
            demand.TELEOP: (
                *(TeleopCommand, "teleop_command"),
                *(callbacks.teleop, qos.ACTION_CHUNK_GLANCE),
            ),
            demand.ODOMETRY: (Odometry, platform.odom_topic, callbacks.odometry, qos.SENSOR),
        }
        for camera in platform.cameras:
            kind = CompressedImage if camera.transport == "compressed" else Image
            on_picture = functools.partial(callbacks.picture, camera.name)
            self._known[demand.picture_of(camera.name)] = (
                *(kind, camera.topic),
                *(_named(on_picture, "picture"), qos.DRIVER_IMAGE),
            )
            on_lens = functools.partial(callbacks.lens, camera.name)
            self._known[demand.lens_of_camera(camera.name)] = (
                *(CameraInfo, camera.camera_info_topic),
                *(_named(on_lens, "lens"), qos.DRIVER_IMAGE),
            )

    @property
    def open(self) -> frozenset[str]:
        """Names of the open inputs."""
        return frozenset(self._open)

    def set_open(self, needed: Collection[str]) -> None:
        """Open these inputs and close all others."""
        for name in self._open.keys() - set(needed):
            self._node.destroy_subscription(self._open.pop(name))
        for name in sorted(set(needed) - self._open.keys()):
            kind, topic, callback, profile = self._known[name]
            self._open[name] = self._node.create_subscription(
                kind, topic, self._node.guarded(callback), profile
            )


def _named(callback: Any, name: str) -> Any:
    """Give a partial the name under which `guarded` counts its errors."""
    callback.__name__ = name
    return callback
