"""Publishes camera sets and robot states as camera_ingestion and control_bridge would."""

from __future__ import annotations

import math

import numpy as np
from rclpy.node import Node
from std_msgs.msg import Header

from pi05_msgs.msg import ActionChunk, CameraSet, RobotState
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import (
    camera_set_message,
    float_array,
    ns_to_time,
    time_to_ns,
)
from pi05_ros.platforms.platform import Platform


class Eyes:
    """Ten camera sets and states a second; one camera can be blind.

    The states say that the newest chunk is followed until its end.
    """

    def __init__(self, node: Node, platform: Platform) -> None:
        self.node = node
        self.platform = platform
        self.blind: str | None = None
        self.behind: dict[str, int] = {}  # Camera → how much older its pictures are [ns].
        self.epoch = 2
        self.executes = True  # Whether it takes chunks.
        self.sees = True  # Whether it publishes camera sets.
        self.reason = ""
        self.mode: int | None = None  # Of the states; None: running while a chunk lasts.
        self._chunk: ActionChunk | None = None
        self._sequence = 0
        self._sets = node.create_publisher(CameraSet, "camera_set", qos.CAMERA_SET)
        self._states = node.create_publisher(RobotState, "robot_state", qos.ROBOT_STATE)
        node.create_subscription(ActionChunk, "action_chunk", self._take, qos.ACTION_CHUNK)
        node.create_timer(0.1, self.publish)

    def _take(self, chunk: ActionChunk) -> None:
        if self.executes and chunk.epoch == self.epoch:
            self._chunk = chunk

    def _follow(self, state: RobotState, now_ns: int) -> None:
        state.mode, state.chunk_row = RobotState.MODE_HOLDING, math.nan
        if self._chunk is None or self._chunk.epoch != self.epoch:
            return
        row = (now_ns - time_to_ns(self._chunk.start)) / (self._chunk.period * 1e9)
        if row <= self._chunk.horizon - 1:
            state.mode, state.chunk_row = RobotState.MODE_RUNNING, row
            state.chunk_sequence = self._chunk.sequence
            state.chunk_stamp = self._chunk.header.stamp

    def publish(self) -> None:
        """One state and one set with the same stamp."""
        now = self.node.get_clock().now()
        state = RobotState(
            platform=self.platform.name,
            session=5,
            epoch=self.epoch,
            names=list(self.platform.names),
            measured=float_array(self.platform.home, "d"),
            commanded=float_array(self.platform.home, "d"),
            commanded_stamp=now.to_msg(),
        )
        state.header.stamp = now.to_msg()
        self._follow(state, now.nanoseconds)
        if self.mode is not None:
            state.mode, state.reason = self.mode, self.reason
        self._states.publish(state)
        self._sequence += 1
        names = self.platform.camera_names
        seen = [name != self.blind for name in names]
        box = Letterbox.fit(320, 240, 224, 224)
        pictures = camera_set_message(
            Header(stamp=ns_to_time(now.nanoseconds - max(self.behind.values(), default=0))),
            self._sequence,
            names,
            [camera.frame for camera in self.platform.cameras],
            [
                now.nanoseconds - self.behind.get(name, 0) if s else None
                for name, s in zip(names, seen, strict=True)
            ],
            [box if s else None for s in seen],
            np.zeros((len(names), 224, 224, 3), np.uint8),
        )
        pictures.published = self.node.get_clock().now().to_msg()
        if self.sees:
            self._sets.publish(pictures)
