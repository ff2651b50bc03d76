"""Heartbeats of a managed node: liveness, fitness and pending work."""

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
    """Publishes Heartbeat messages of a node.

    Args:
        node: The node.
        now_ns: Returns its time [ns].
    """

    def __init__(self, node: Node, now_ns: Callable[[], int]) -> None:
        self._name = node.get_name()
        self._now_ns = now_ns
        self._publisher = node.create_publisher(Heartbeat, "heartbeat", qos.HEARTBEAT_OUTPUT)
        self._workers: list[Worker] = []
        self._instance = 0  # Random number of the node's activation.
        self._is_active = False
        # Worker threads send heartbeats as well: they must be published in order.
        self._lock = threading.Lock()
        self._reported_pending = False  # True if the last heartbeat reported pending work.

    @property
    def has_reported_work(self) -> bool:
        """True if the last heartbeat reported pending work."""
        with self._lock:
            return self._reported_pending

    def activate(self) -> None:
        """Begin a new instance, when the node is activated."""
        with self._lock:
            self._instance = secrets.randbits(53) | 1
            self._is_active = True

    def deactivate(self) -> None:
        """Publish a last heartbeat with REASON_DEACTIVATED, when the node is deactivated."""
        with self._lock:
            if self._is_active:
                self._publish(Heartbeat.REASON_DEACTIVATED)
            self._is_active = False

    def add_worker(self, worker: Worker) -> None:
        """Report the worker's pending work from now on."""
        self._workers.append(worker)

    def remove_worker(self, worker: Worker) -> None:
        """Stop reporting the worker's pending work."""
        self._workers.remove(worker)

    def publish(self, reason: str) -> None:
        """Publish one heartbeat while active.

        Args:
            reason: Reason for not being fit, one clause; empty: it is fit.
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
