"""Reports of the bridge and the other nodes, with the times of their arrival."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node

from pi05_msgs.msg import Heartbeat, RobotState
from pi05_ros.nodes.common import qos


class Recording:
    """Robot states, diagnostics and heartbeats that were received. Times: steady clock [ns]."""

    def __init__(self) -> None:
        self.states: list[tuple[int, RobotState]] = []
        self.diagnostics: list[tuple[int, Any]] = []  # DiagnosticStatus
        self.heartbeats: list[tuple[int, Heartbeat]] = []

    def listen(self, node: Node) -> None:
        """Subscribe to all three."""
        node.create_subscription(RobotState, "robot_state", self._on_state, qos.ROBOT_STATE)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, qos.STATUS)
        node.create_subscription(Heartbeat, "heartbeat", self._on_heartbeat, qos.HEARTBEAT)

    @property
    def state(self) -> RobotState:
        """Newest robot state."""
        return self.states[-1][1]

    def first_state(
        self, after_ns: int, wanted: Callable[[RobotState], bool], until_ns: int | None = None
    ) -> int | None:
        """Return when the first such robot state came after a moment (steady ns), or None."""
        for arrival, state in list(self.states):
            if until_ns is not None and arrival > until_ns:
                return None
            if arrival > after_ns and wanted(state):
                return arrival
        return None

    def first_diagnostic(self, after_ns: int, wanted: Callable[[Any], bool]) -> int | None:
        """Return when the first such status came after a moment (steady ns), or None."""
        for arrival, status in list(self.diagnostics):
            if arrival > after_ns and wanted(status):
                return arrival
        return None

    def count(self, node: str, key: str) -> int:
        """Return a count of a node's newest status; 0 where it has none."""
        for _, status in reversed(list(self.diagnostics)):
            if status.name.endswith(node):
                values = {item.key: item.value for item in status.values}
                return int(float(values.get(key, 0)))
        return 0

    def _on_state(self, message: RobotState) -> None:
        self.states.append((time.monotonic_ns(), message))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        now = time.monotonic_ns()
        self.diagnostics += [(now, status) for status in message.status]

    def _on_heartbeat(self, message: Heartbeat) -> None:
        self.heartbeats.append((time.monotonic_ns(), message))
