"""Recordings as other stacks make them, written by rosbags: no topic of the suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from fakes.bags import SECOND, encode

STORE = get_typestore(Stores.ROS2_JAZZY)
START = 1_700_000_000 * SECOND
MS = SECOND // 1000

JOINTS = "sensor_msgs/msg/JointState"
TRAJECTORY = "trajectory_msgs/msg/JointTrajectory"
ARRAY = "std_msgs/msg/Float64MultiArray"
TWIST = "geometry_msgs/msg/TwistStamped"
ODOMETRY = "nav_msgs/msg/Odometry"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
IMAGE = "sensor_msgs/msg/Image"
JOY = "sensor_msgs/msg/Joy"
TEXT = "std_msgs/msg/String"
FLAG = "std_msgs/msg/Bool"


class ForeignBag:
    """Collects messages and writes them; times are milliseconds from START."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, str, str, bytes]] = []

    def add(
        self, topic: str, kind: str, at_ms: float, stamp_ms: float | None = None, **values: Any
    ) -> None:
        """Add a message received at `at_ms`; `stamp_ms`: its header's stamp."""
        if stamp_ms is not None:
            values["header_stamp"] = START + round(stamp_ms * MS)
        data = encode(kind, typestore=STORE, **values)
        self.messages.append((START + round(at_ms * MS), topic, kind, data))

    def joints(self, topic: str, at_ms: float, **positions: float) -> None:
        """Add a JointState, stamped 1 ms before its reception."""
        names, values = list(positions), list(positions.values())
        self.add(topic, JOINTS, at_ms, at_ms - 1, name=names, position=values)

    def write(self, folder: Path, storage: str = "mcap") -> Path:
        """Write the bag."""
        plugin = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}[storage]
        with Writer(folder, version=9, storage_plugin=plugin) as writer:
            connections = {
                topic: writer.add_connection(topic, kind, typestore=STORE)
                for topic, kind in {(t, k): None for _, t, k, _ in self.messages}
            }
            for log_ns, topic, _, data in sorted(self.messages, key=lambda m: m[0]):
                writer.write(connections[topic], log_ns, data)
        return folder


def jpeg(level: int, size: tuple[int, int] = (24, 32)) -> np.ndarray:
    """A grey picture as JPEG bytes."""
    return cv2.imencode(".jpg", np.full((*size, 3), level, np.uint8))[1].reshape(-1)


def aloha(seconds: float = 2.0) -> ForeignBag:
    """A bimanual leader and follower at 50 Hz, one camera at 10 Hz.

    Row k (time 20 k ms, received 1 ms later): follower waist 0.01 k, leader waist 0.01 k + 0.5,
    follower gripper 0.04, leader's in other units.
    """
    bag = ForeignBag()
    for k in range(round(seconds * 50)):
        at = 20 * k + 1
        bag.joints("/follower/joint_states", at, waist=0.01 * k, gripper=0.04)
        bag.joints("/leader/joint_states", at, gripper=1.0, waist=0.01 * k + 0.5)
        if k % 5 == 0:
            bag.add(
                "/cam_high/image_raw/compressed", COMPRESSED, at, at - 1,
                format="jpeg", data=jpeg(min(250, k)),
            )  # fmt: skip
    return bag


ALOHA = {
    "robot": "aloha",
    "rate_hz": 50,
    "task": "fold the towel",
    "subtask": "fold the towel",
    "outcome": "success",
    "entries": [
        {
            "name": "waist",
            "unit": "rad",
            "state": {"topic": "/follower/joint_states", "joint": "waist"},
            "action": {"topic": "/leader/joint_states", "joint": "waist"},
        },
        {
            "name": "gripper",
            "state": {"topic": "/follower/joint_states", "joint": "gripper", "scale": 10},
            "action": {
                "topic": "/leader/joint_states",
                "joint": "gripper",
                "scale": 0.5,
                "offset": 0.25,
                "clip": [0, 0.7],
            },
        },
    ],
    "cameras": [{"name": "high", "topic": "/cam_high/image_raw/compressed"}],
}
