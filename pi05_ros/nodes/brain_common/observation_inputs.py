"""Subscriptions of planner and policy: camera sets, robot state, ground truth."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from tf2_msgs.msg import TFMessage

from pi05_msgs.msg import CameraSet, RobotState
from pi05_ros.brain.observation import Pose, SceneState
from pi05_ros.brain.observation_buffer import (
    ObservationBuffer,
    ObservationContext,
    Pictures,
    StateSample,
)
from pi05_ros.cameras.consumers import SetChoice
from pi05_ros.errors import MessageError
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.conversions import pictures_from_message, state_from_message, time_to_ns
from pi05_ros.platforms.platform import Platform

GROUND_TRUTH_TOPIC = "mock_home/ground_truth"


class ObservationInputs:
    """Fills the ObservationBuffer of a node.

    Args:
        node: Owns the subscriptions.
        platform: The robot.
        cameras: Cameras of an observation; see ObservationBuffer.
        optional: Those that are left out while they have no picture.
        needs_scene: True if ground truth is required as well.
        on_pictures: Called after each camera set that is a new observation of these cameras, in
            the executor's thread; must be fast. Its stamp is the oldest of these cameras.
        on_state: Called after each robot state of this platform, likewise.
    """

    def __init__(
        self,
        node: ManagedNode[Any],
        platform: Platform,
        cameras: Sequence[str],
        optional: Collection[str],
        needs_scene: bool,
        on_pictures: Callable[[Pictures], None],
        on_state: Callable[[StateSample, RobotState], None] | None = None,
    ) -> None:
        self._node = node
        self._platform = platform
        self._on_pictures = on_pictures
        self._on_state = on_state
        self._lock = threading.Lock()  # The worker reads while the executor writes.
        self._cameras = tuple(cameras)
        self._choice = SetChoice(cameras)
        self._buffer = ObservationBuffer(cameras, needs_scene, optional)
        wanted = [
            (CameraSet, "camera_set", self._add_pictures, qos.CAMERA_SET),
            (RobotState, "robot_state", self._add_state, qos.ROBOT_STATE),
        ]
        if needs_scene:
            wanted.append((TFMessage, GROUND_TRUTH_TOPIC, self._add_scene, qos.SENSOR))
        self._subscriptions = [
            node.create_subscription(kind, topic, node.guarded(callback), profile)
            for kind, topic, callback, profile in wanted
        ]

    def latest(self) -> ObservationContext | None:
        """Return the newest observation; None if there is none, see `problem`."""
        with self._lock:
            return self._buffer.latest(self._node.now_ns())

    def problem(self) -> str:
        """Return why there is no observation now, as one clause; empty if there is one."""
        with self._lock:
            return self._buffer.problem(self._node.now_ns())

    def close(self) -> None:
        """Destroy the subscriptions."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []

    def _add_pictures(self, message: CameraSet) -> None:
        arrival_ns = self._node.now_ns()
        pictures = pictures_from_message(message)
        stamp_ns = self._choice.stamp(pictures.stamps_ns, pictures.stamp_ns)
        if not self._choice.take(stamp_ns, pictures.images.keys() >= set(self._cameras)):
            return
        pictures = dataclasses.replace(pictures, stamp_ns=stamp_ns, arrival_ns=arrival_ns)
        with self._lock:
            self._buffer.add_pictures(pictures)
        self._on_pictures(pictures)

    def _add_state(self, message: RobotState) -> None:
        state = state_from_message(message)
        if state.names != self._platform.names:
            raise MessageError(
                f"robot_state is of platform '{message.platform}', this node uses "
                f"'{self._platform.name}': start all nodes with one platform"
            )
        with self._lock:
            self._buffer.add_state(state)
        if self._on_state is not None:
            self._on_state(state, message)

    def _add_scene(self, message: TFMessage) -> None:
        stamp_ns, scene = scene_from_message(message, self._platform.base_frame)
        with self._lock:
            self._buffer.add_scene(stamp_ns, scene)


def scene_from_message(message: TFMessage, base_frame: str) -> tuple[int, SceneState]:
    """Convert ground truth of a mock home to stamp [ns] and scene.

    Each transform is one item in the odom frame, called `home_<seed>/<room>/<item>`; the robot's
    base is the item with the name of its frame.

    Args:
        message: From the mock home.
        base_frame: The platform's.

    Raises:
        MessageError: The base is missing, or a name has another form.
    """
    poses: dict[str, Pose] = {}
    home = stamp_ns = 0
    room = ""
    for transform in message.transforms:
        prefix, _, rest = transform.child_frame_id.partition("/")
        room, _, item = rest.partition("/")
        if not prefix.startswith("home_") or not prefix[5:].isdigit() or not item:
            raise MessageError(
                f"ground truth: '{transform.child_frame_id}' is not home_N/ROOM/ITEM"
            )
        home, stamp_ns = int(prefix[5:]), time_to_ns(transform.header.stamp, "ground truth")
        t, q = transform.transform.translation, transform.transform.rotation
        poses[item] = Pose(np.array([t.x, t.y, t.z]), np.array([q.w, q.x, q.y, q.z]))
    base = poses.pop(base_frame, None)
    if base is None:
        raise MessageError(
            f"ground truth: the transform of '{base_frame}' is missing; start the mock home and "
            "this node with one platform"
        )
    return stamp_ns, SceneState(home, base, poses, room)
