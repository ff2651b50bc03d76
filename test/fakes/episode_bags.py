"""A whole episode of mobile_18dof as a bag of real messages, with faults to put into it."""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, JointState

from fakes.bags import SECOND, make_bag
from pi05_msgs.msg import ActionChunk, BoundingBox, RobotState, Subtask, TaskScore
from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.writer import BagTopic
from pi05_ros.nodes.common.conversions import float_array, ns_to_time
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
FACTS = EpisodeFacts(
    id="20260102T030405Z_put-the-dishes-in-the-sink",
    task="put the dishes in the sink",
    platform=PLATFORM.name,
    names=PLATFORM.names,
    units=tuple(d.unit for d in PLATFORM.dimensions),
    rate_hz=PLATFORM.rate_hz,
    cameras={camera.name: camera.topic for camera in PLATFORM.cameras},
    outcome="success",
    started_ns=1000 * SECOND,
)
TYPES = {
    Image: "sensor_msgs/msg/Image",
    JointState: "sensor_msgs/msg/JointState",
    Odometry: "nav_msgs/msg/Odometry",
    RobotState: "pi05_msgs/msg/RobotState",
    Subtask: "pi05_msgs/msg/Subtask",
    ActionChunk: "pi05_msgs/msg/ActionChunk",
    TaskScore: "pi05_msgs/msg/TaskScore",
    DiagnosticArray: "diagnostic_msgs/msg/DiagnosticArray",
}


@dataclass
class Message:
    """One message of the episode, before it is serialized."""

    topic: str
    time_ns: int  # Stamp, and log time.
    message: Any
    sequence_step: int = 1  # 2: the one before it was lost.


# Maps the episode's messages to those that the bag gets.
Fault = Callable[[list[Message]], list[Message]]


def episode_messages(seconds: float) -> Iterator[Message]:
    """An episode with a human's subtask in the second half; the pictures are noise."""
    random = np.random.default_rng(0)
    begin = FACTS.started_ns
    for k in range(round(seconds * PLATFORM.rate_hz)):
        time = begin + round(k * SECOND / PLATFORM.rate_hz)
        if k == 0:
            yield _subtask(time, 1, "pick up the cup", "model")
        if k == round(seconds * PLATFORM.rate_hz / 2):
            yield _subtask(time, 2, "pick up the fork", "human")
        yield from _vectors(time, k)
        if k % 5 == 0:
            for camera in PLATFORM.cameras:
                yield Message(camera.topic, time, _picture(time, random))
        if k % 20 == 0:
            chunk = ActionChunk(names=list(PLATFORM.names), period=0.02, horizon=50, subtask_id=1)
            chunk.data = float_array(np.tile(PLATFORM.home, 50), "f")
            yield Message("/pi05/action_chunk", time, chunk)


def make_episode_bag(
    folder: Path, seconds: float = 4.0, fault: Fault | None = None, **facts: Any
) -> Path:
    """Write the episode below `folder`; `facts` replace those of FACTS."""
    messages = list(episode_messages(seconds))
    if fault is not None:
        messages = fault(messages)
    known = replace(FACTS, **facts)
    names = {m.topic: TYPES[type(m.message)] for m in messages}
    topics = [BagTopic(name, kind, (OfferedQos(),)) for name, kind in names.items()]
    raw = []
    for m in messages:
        if hasattr(m.message, "header") and m.message.header.stamp.sec == 0:
            m.message.header.stamp = ns_to_time(m.time_ns)
        data = serialize_message(m.message)
        raw += [(m.topic, data, m.time_ns, m.sequence_step)]
    return make_bag(folder / known.id, topics, raw, known)


def drop(topic: str, keep: Callable[[int], bool], lost: bool) -> Fault:
    """Leave messages of a topic out: lost on the way, or never sent."""

    def fault(messages: list[Message]) -> list[Message]:
        left, number, step = [], 0, 1
        for m in messages:
            if m.topic == topic:
                number += 1
                if not keep(number - 1):
                    step += lost
                    continue
                m = replace(m, sequence_step=step)
                step = 1
            left.append(m)
        return left

    return fault


def alter(topic: str, change: Callable[[int, Message], None]) -> Fault:
    """Change each message of a topic in place; `change` gets its number from 0."""

    def fault(messages: list[Message]) -> list[Message]:
        number = 0
        for m in messages:
            if m.topic == topic:
                change(number, m)
                number += 1
        return messages

    return fault


def _subtask(time: int, number: int, words: str, source: str) -> Message:
    box = BoundingBox(camera="front", label="cup", x_min=0.2, y_min=0.2, x_max=0.5, y_max=0.6)
    message = Subtask(id=number, task=FACTS.task, text=words, source=source, score=0.5)
    message.boxes = [box]
    if source == "human":
        message.model_text = "pick up the cup"
    return Message("/pi05/subtask", time, message)


def _vectors(time: int, k: int) -> Iterator[Message]:
    moved = PLATFORM.home + 0.001 * k * (np.arange(PLATFORM.size) == 0)
    state = RobotState(
        platform=PLATFORM.name,
        names=list(PLATFORM.names),
        measured=list(map(float, moved)),
        commanded=list(map(float, moved)),
        mode=RobotState.MODE_RUNNING,
    )
    yield Message("/pi05/robot_state", time, state)
    joints = [d.joint_name for d in PLATFORM.dimensions if not d.is_velocity]
    positions = list(map(float, moved[: len(joints)]))
    # serialize_message pads empty arrays, which a message from DDS does not.
    full = JointState(name=joints, position=positions, velocity=positions, effort=positions)
    yield Message("/joint_states", time, full)
    yield Message("/odom", time, Odometry())


def _picture(time: int, random: np.random.Generator) -> Image:
    pixels = random.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return Image(
        height=48, width=64, encoding="rgb8", step=192, data=array.array("B", pixels.tobytes())
    )
