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


def picture(level: int) -> dict[str, Any]:
    """Fields of a grey sensor_msgs/Image of 4 by 6 pixels."""
    return {
        "height": 4,
        "width": 6,
        "encoding": "rgb8",
        "step": 18,
        "data": np.full(72, level, np.uint8),
    }


def mobile() -> ForeignBag:
    """An arm on a base, for config/adopt/mobile_base.yaml: 8 s, two episodes, stamps as log times.

    Shoulder 90 degrees plus 10 a second at 10 Hz, finger 0.02; odometry 0.3 m/s at 20 Hz; cmd_vel
    0.4 m/s from 2.0 to 3.0 s only; a trajectory at 0, 1, … s with the points 1.0 + s and 2.0 + s
    (its header has no stamp); button 5 pressed from 5 s on. /recording is true from 1 to 4 s and
    from 5 to 7 s; the first succeeds, the second fails.
    """
    bag = ForeignBag()
    bag.add("/task", TEXT, 0, data="tidy up")
    bag.add("/recording", FLAG, 0, data=False)
    for at, on in ((1000, True), (4000, False), (5000, True), (7000, False)):
        bag.add("/recording", FLAG, at, data=on)
    bag.add("/success", FLAG, 4100, data=True)
    bag.add("/success", FLAG, 6900, data=False)
    bag.add("/subtask", TEXT, 500, data="go to the table")
    bag.add("/subtask", TEXT, 3000, data="pick up the cup")
    for k in range(161):
        at = 50 * k
        if k % 2 == 0:
            degrees = 90 + at / 100
            bag.add(
                "/joint_states", JOINTS, at, at,
                name=["finger", "shoulder"], position=[0.02, degrees],
            )  # fmt: skip
            bag.add("/camera/image_raw", IMAGE, at, at, **picture(k))
            # Another publisher of the same topic, with other joints.
            bag.add("/joint_states", JOINTS, at + 1, at + 1, name=["head"], position=[7.0])
        bag.add("/odom", ODOMETRY, at, at, twist={"twist": {"linear": {"x": 0.3}}})
        if 2000 <= at <= 3000:
            bag.add("/cmd_vel", TWIST, at, at, twist={"linear": {"x": 0.4}})
        if at % 1000 == 0:
            points = [{"positions": [1.0 + at / 1000]}, {"positions": [2.0 + at / 1000]}]
            bag.add(
                "/arm_controller/joint_trajectory", TRAJECTORY, at, 0 - START / MS,
                joint_names=["shoulder"], points=points,
            )  # fmt: skip
        if at % 500 == 0:
            bag.add("/joy", JOY, at, at, axes=[0.0], buttons=[0, 0, 0, 0, 0, int(at >= 5000)])
    return bag


def libero() -> ForeignBag:
    """Two arrays at 10 Hz without headers, for config/adopt/libero.yaml: 1 s.

    state[i] = k + i / 10, action[i] = -k - i / 10.
    """
    bag = ForeignBag()
    for k in range(11):
        at = 100 * k
        bag.add("/state", ARRAY, at, data=[k + i / 10 for i in range(8)])
        bag.add("/action", ARRAY, at, data=[-k - i / 10 for i in range(7)])
        bag.add("/agentview/image_raw", IMAGE, at, 0 - START / MS, **picture(k))
        bag.add("/wrist/image_raw", IMAGE, at, 0 - START / MS, **picture(100 + k))
    return bag
