"""Subscriptions of teleop: the devices' topics, converted to samples without ROS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import Bool

from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.teleop.device import JointSample, JoySample, PoseSample, Sample, TeleopDevice

_ZERO = Time()


class TeleopInputs:
    """Passes messages to the devices, in the executor's thread, while the node is active.

    A message counts from its arrival on the robot's clock: drivers on other machines stamp with
    clocks of their own. One whose stamp equals the last one's is a repetition, and does not count.

    Args:
        node: Owns the subscriptions.
        devices: The devices.
    """

    def __init__(self, node: ManagedNode[Any], devices: list[TeleopDevice]) -> None:
        self._node = node
        self._stamps: dict[str, Time] = {}
        readers: dict[tuple[str, type], list[TeleopDevice]] = {}
        for device in devices:
            for each in device.inputs:
                readers.setdefault((each.topic, each.kind), []).append(device)
        self._subscriptions = [
            node.create_subscription(
                _MESSAGES[kind], topic, node.guarded(self._reader(topic, kind, users)), qos.SENSOR
            )
            for (topic, kind), users in readers.items()
        ]

    def close(self) -> None:
        """Destroy the subscriptions."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []

    def _reader(
        self, topic: str, kind: type, devices: list[TeleopDevice]
    ) -> Callable[[Any], None]:
        """Return the callback of one topic."""
        convert = _CONVERTERS[kind]

        def on_sample(message: Any) -> None:
            if kind is not bool:
                stamp = message.header.stamp
                if stamp != _ZERO and stamp == self._stamps.get(topic):
                    return
                self._stamps[topic] = stamp
            sample, now_ns = convert(message), self._node.now_ns()
            for device in devices:
                device.add(topic, sample, now_ns)

        return on_sample


def _joy(message: Joy) -> Sample:
    return JoySample(tuple(message.axes), tuple(message.buttons))


def _joints(message: JointState) -> Sample:
    stamp = message.header.stamp
    return JointSample(
        tuple(message.name),
        tuple(message.position),
        tuple(message.velocity),
        stamp.sec * 10**9 + stamp.nanosec,
    )


def _pose(message: PoseStamped) -> Sample:
    position, turn = message.pose.position, message.pose.orientation
    stamp = message.header.stamp
    return PoseSample(
        message.header.frame_id,
        (position.x, position.y, position.z),
        (turn.x, turn.y, turn.z, turn.w),
        stamp.sec * 10**9 + stamp.nanosec,
    )


def _bool(message: Bool) -> Sample:
    return bool(message.data)


_MESSAGES = {JoySample: Joy, JointSample: JointState, PoseSample: PoseStamped, bool: Bool}
_CONVERTERS: dict[type, Callable[[Any], Sample]] = {
    JoySample: _joy,
    JointSample: _joints,
    PoseSample: _pose,
    bool: _bool,
}
