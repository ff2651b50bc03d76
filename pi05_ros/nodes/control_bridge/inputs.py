"""Subscriptions of control_bridge: measurements, chunks, teleop, subtasks, heartbeats."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState

from pi05_msgs.msg import ActionChunk, Heartbeat, Subtask, TeleopCommand
from pi05_ros.control.bridge import Bridge
from pi05_ros.control.chunk import ChunkRejected
from pi05_ros.errors import MessageError
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.conversions import (
    chunk_from_message,
    teleop_from_message,
    time_to_ns,
)


class BridgeInputs:
    """Passes messages to a bridge, in the executor's thread, while the node is active.

    Args:
        node: Owns the subscriptions.
        bridge: The bridge.
        lock: Guards the bridge: ticks run in another thread.
    """

    def __init__(self, node: ManagedNode[Any], bridge: Bridge, lock: threading.Lock) -> None:
        self._node, self._bridge, self._lock = node, bridge, lock
        self._platform = bridge.platform
        topics = (
            *(
                (JointState, topic, self._joint_states_from(topic), qos.SENSOR)
                for topic in self._platform.joint_states_topics
            ),
            (Odometry, self._platform.odom_topic, self._on_odometry, qos.SENSOR),
            (ActionChunk, "action_chunk", self._on_chunk, qos.ACTION_CHUNK),
            (TeleopCommand, "teleop_command", self._on_teleop, qos.ACTION_CHUNK),
            (Subtask, "subtask", self._on_subtask, qos.LATCHED),
            (Heartbeat, "heartbeat", self._on_heartbeat, qos.HEARTBEAT),
        )
        self._subscriptions = [
            node.create_subscription(kind, topic, node.guarded(callback), profile)
            for kind, topic, callback, profile in topics
        ]

    def close(self) -> None:
        """Destroy the subscriptions."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []

    def conflicts(self) -> list[str]:
        """Return further nodes that publish teleop_command, as "NODE publishes TOPIC".

        Publishers of one node's name count once: discovery keeps those of a killed process. Two
        running nodes of one name are found by their sequences, see TeleopSource.conflict.
        """
        topic = self._node.resolve_topic_name("teleop_command")
        if self._node.count_publishers(topic) < 2:
            return []
        publishers = {
            (info.node_name != "teleop", info.node_name, info.node_namespace)
            for info in self._node.get_publishers_info_by_topic(topic)
        }
        return [f"{name} publishes {topic}" for _, name, _ in sorted(publishers)[1:]]

    def _joint_states_from(self, topic: str) -> Callable[[JointState], None]:
        """Return the callback of one topic of joint states."""

        def on_joint_states(message: JointState) -> None:
            stamp = time_to_ns(message.header.stamp, topic)
            with self._lock:
                self._bridge.add_joint_states(
                    message.name, message.position, stamp, self._node.now_ns(), topic
                )

        return on_joint_states

    def _on_odometry(self, message: Odometry) -> None:
        twist = message.twist.twist
        velocity = (twist.linear.x, twist.linear.y, twist.angular.z)
        stamp = time_to_ns(message.header.stamp, self._platform.odom_topic)
        with self._lock:
            self._bridge.add_odometry(velocity, stamp, self._node.now_ns())

    def _on_subtask(self, message: Subtask) -> None:
        with self._lock:
            self._bridge.follow_subtask(message.id, message.task, message.text)

    def _on_heartbeat(self, message: Heartbeat) -> None:
        if message.node == self._node.get_name():
            return
        reason = "" if message.fit else (message.reason or "not fit, no reason given")
        with self._lock:
            steady_ns = self._node.timeout_clock_ns()
            self._bridge.peers.on_heartbeat(message.node, message.instance, reason, steady_ns)

    def _on_teleop(self, message: TeleopCommand) -> None:
        command = teleop_from_message(message)
        with self._lock:
            try:
                steady_ns = self._node.timeout_clock_ns()
                self._bridge.add_teleop(command, self._node.now_ns(), steady_ns)
            except ChunkRejected as error:
                raise MessageError(
                    f"teleop_command {message.sequence}: its chunk is rejected: {error}"
                ) from error

    def _on_chunk(self, message: ActionChunk) -> None:
        with self._lock:
            now = self._node.now_ns()
            try:
                try:
                    chunk = chunk_from_message(message)
                except MessageError as error:
                    rejected = ChunkRejected("stamp", str(error))
                    self._bridge.reject(rejected, now)
                    raise rejected from error
                self._bridge.add_chunk(chunk, now)
            except ChunkRejected as error:
                raise MessageError(f"chunk {message.sequence} rejected: {error}") from error
