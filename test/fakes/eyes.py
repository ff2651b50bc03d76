"""Publishes camera sets and robot states as camera_ingestion and control_bridge would."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node
from std_msgs.msg import Header

from pi05_msgs.msg import CameraSet, RobotState
from pi05_ros.inference.letterbox import Letterbox
from pi05_ros.nodes import qos
from pi05_ros.nodes.conversions import camera_set_message, float_array
from pi05_ros.platforms import Platform


class Eyes:
    """Ten camera sets and states a second; one camera can be blind."""

    def __init__(self, node: Node, platform: Platform) -> None:
        self.node = node
        self.platform = platform
        self.blind: str | None = None
        self._sequence = 0
        self._sets = node.create_publisher(CameraSet, "camera_set", qos.CAMERA_SET)
        self._states = node.create_publisher(RobotState, "robot_state", qos.ROBOT_STATE)
        node.create_timer(0.1, self.publish)

    def publish(self) -> None:
        """One state and one set with the same stamp."""
        now = self.node.get_clock().now()
        state = RobotState(
            platform=self.platform.name,
            session=5,
            epoch=2,
            names=list(self.platform.names),
            measured=float_array(self.platform.home, "d"),
            commanded=float_array(self.platform.home, "d"),
            mode=RobotState.MODE_RUNNING,
        )
        state.header.stamp = now.to_msg()
        self._states.publish(state)
        self._sequence += 1
        names = self.platform.camera_names
        seen = [name != self.blind for name in names]
        box = Letterbox.fit(320, 240, 224, 224)
        self._sets.publish(
            camera_set_message(
                Header(stamp=now.to_msg()),
                self._sequence,
                names,
                [camera.frame for camera in self.platform.cameras],
                [now.nanoseconds if s else None for s in seen],
                [box if s else None for s in seen],
                np.zeros((len(names), 224, 224, 3), np.uint8),
            )
        )
