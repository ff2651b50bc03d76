"""The heartbeats of a managed node: that it lives, whether it is fit, and how far its work is."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

from builtin_interfaces.msg import Time
from rclpy.node import Node

from pi05_msgs.msg import Heartbeat
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.worker import Worker


class HeartbeatPublisher:
    """Publishes Heartbeat messages. A helper of a node, not a node.

    Args:
        node: Whose.
        now_ns: Its time [ns].
    """

    def __init__(self, node: Node, now_ns: Callable[[], int]) -> None:
        self._name = node.get_name()
        self._now_ns = now_ns
        self._publisher = node.create_publisher(Heartbeat, "heartbeat", qos.HEARTBEAT_OUTPUT)
        self._workers: list[Worker] = []
        self._instance = 0  # Of the node's activation.
        self._is_active = False  # Whether the node is active.
        # A worker's thread sends heartbeats, too: what was true first must be sent first.
        self._lock = threading.Lock()
        self._reported_pending = False  # Whether the last heartbeat said that work is pending.

    @property
    def has_reported_work(self) -> bool:
        """Whether the last heartbeat said that work is pending."""
        with self._lock:
            return self._reported_pending

    def activate(self) -> None:
        """The node is activated: from now on it is another instance."""
        with self._lock:
            self._instance = secrets.randbits(53) | 1
            self._is_active = True

    def deactivate(self) -> None:
        """The node is deactivated: says so at once, rather than by falling silent."""
        with self._lock:
            if self._is_active:
                self._publish(Heartbeat.REASON_DEACTIVATED)
            self._is_active = False

    def add_worker(self, worker: Worker) -> None:
        """Heartbeats tell of the worker's pending work from now on."""
        self._workers.append(worker)

    def remove_worker(self, worker: Worker) -> None:
        """They no longer do."""
        self._workers.remove(worker)

    def publish(self, reason: str) -> None:
        """Publishes one heartbeat between `begin` and `end`.

        Args:
            reason: Why the node is not fit, as one clause; empty: it is.
        """
        with self._lock:
            if self._is_active and self._now_ns() > 0:  # Before the first /clock there is no time.
                self._publish(reason)

    def _publish(self, reason: str) -> None:
        message = Heartbeat(
            node=self._name, instance=self._instance, fit=not reason, reason=reason
        )
        message.header.stamp = _time(self._now_ns())
        times = [worker.pending_ns for worker in self._workers]
        pending_ns = min((at_ns for at_ns in times if at_ns), default=0)
        self._reported_pending = pending_ns > 0
        message.pending = _time(pending_ns)
        self._publisher.publish(message)


def _time(nanoseconds: int) -> Time:
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)
